"""zkCli, Apache's own shell, is told the same things on both servers and must say the same.

usage: zkcli_test.py ZKR
"""

import difflib
import pathlib
import re
import subprocess
import sys

from servers import apache, bundled, java

SCRIPT = pathlib.Path(__file__).with_name("zkcli.txt")
EVENT = re.compile(r"\n?WATCHER::\n\nWatchedEvent (.*)\n")


class names:
    """Ids by the order in which they come up."""

    def __init__(self):
        self.known = {}

    def __call__(self, match):
        return self.known.setdefault(match[0], f"id{len(self.known)}")


def play(port):
    """What the shell prints, without what no two servers have in common; and the events, sorted: they come when they do."""
    commands = "".join(line for line in SCRIPT.read_text(encoding="utf-8").splitlines(keepends=True)
                       if not line.startswith("#"))
    shell = java("org.apache.zookeeper.ZooKeeperMain", "-server", f"127.0.0.1:{port}")
    end = subprocess.run(shell, input=commands, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                         check=False)
    events = sorted(EVENT.findall(end.stdout))
    text = EVENT.sub("", end.stdout).replace(str(port), "PORT")
    text = re.sub(r"^([cm]time) = .*$", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"0x[0-9a-f]+", names(), text)
    # Lists that come out of hash sets.
    text = re.sub(r"^\[(.*, .*)\]$", lambda all: f"[{', '.join(sorted(all[1].split(', ')))}]", text, flags=re.MULTILINE)
    text = re.sub(r"(?:^(?:ip|digest): .*\n)+", lambda all: "".join(sorted(all[0].splitlines(True))), text,
                  flags=re.MULTILINE)
    lines = [line for line in text.splitlines() if line and not line.startswith("SLF4J")]
    return [f"exit status {end.returncode}"] + lines, events


def main(tool):
    with apache() as port:
        expected, expected_events = play(port)
    with bundled(tool) as port:
        seen, seen_events = play(port)
    problems = list(difflib.unified_diff(expected, seen, "apache", "bundled", lineterm=""))
    problems += difflib.unified_diff(expected_events, seen_events, "apache's events", "bundled's events", lineterm="")
    print("\n".join(problems) or f"{len(expected)} lines and {len(expected_events)} events: the same")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
