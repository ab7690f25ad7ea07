"""What the tests of the tool share: running it, a server, waiting. The tool's path is the first argument of each test."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOOL = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/zkr"
FACTOR = int(os.environ.get("ZKR_TEST_TIME_FACTOR", "1"))
# Short, so that the tests are; of 10 ticks, as is advised.
TICK_MS = 200
SESSION_MS = 2000 * FACTOR


def wait_until(holds, what, limit=20):
    """Looks until holds() gives something true, which is returned."""
    deadline = time.monotonic() + limit * FACTOR
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.01)


LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (debug|info|warn|error) (event=.*)")
LOG_PAIR = re.compile(r'([a-z_]+)=([!#-<>-\[\]-~]+|"(?:[ !#-\[\]-~]|\\["\\]|\\x[0-9a-f]{2})*")(?: |$)')


def log_lines(text):
    """The log of a server, strictly: each line's pairs in a dict, with its level. Quoted values keep their quotes."""
    found = []
    for line in text.splitlines():
        _, level, rest = LOG_LINE.fullmatch(line).groups()
        pairs = LOG_PAIR.findall(rest)
        if " ".join(f"{key}={value}" for key, value in pairs) != rest:
            raise AssertionError(f"no line of a log: {line!r}")
        found.append(dict(pairs) | {"level": level})
    return found


def warnings(text):
    return [line for line in log_lines(text) if line["level"] in ("warn", "error")]


def boot_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class background:
    """A process in the background, with what it prints in files."""

    def __init__(self, *words, env=None, stdin=subprocess.DEVNULL, stdout=None):
        self.out_file = tempfile.TemporaryFile()
        self.err_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(words, stdin=stdin, stdout=stdout or self.out_file, stderr=self.err_file,
                                        env=os.environ | (env or {}))
        self.pid = self.process.pid

    @staticmethod
    def read(file):
        return os.pread(file.fileno(), 1 << 24, 0).decode()

    def out(self):
        return self.read(self.out_file)

    def err(self):
        return self.read(self.err_file)

    def events(self, kind=None):
        lines = self.out().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]
        return [event for event in found if kind in (None, event["event"])]

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, limit=20):
        """The exit status; -N for signal N."""
        status = self.process.wait(limit * FACTOR)
        if "Sanitizer" in self.err():
            raise AssertionError(self.err())
        return status

    def running(self):
        return self.process.poll() is None

    def end(self):
        if self.running():
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        self.process.wait()
        self.out_file.close()
        self.err_file.close()


class tool_test(unittest.TestCase):
    """A test with a server of its own; whatever it starts is ended with it."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.server = self.start(TOOL, "server", "--port", "0", "--tick-time", f"{TICK_MS * FACTOR}ms",
                                 "--max-session-timeout", "60s")
        line = wait_until(lambda: self.server.out().endswith("\n") and self.server.out(), "the server's address")
        self.assertRegex(line, r"^listening on 127\.0\.0\.1:\d+\n$")
        self.servers = line.split()[-1]
        self.env = {"ZKR_SERVERS": self.servers}

    def start(self, *words, **more):
        process = background(*words, **more)
        self.addCleanup(process.end)
        return process

    def zkr(self, *words, env=None, data=None):
        """Runs the tool to its end."""
        return subprocess.run([TOOL, *words], input=data, capture_output=True, check=False, timeout=60 * FACTOR,
                              env=os.environ | self.env | (env or {}))

    def succeeds(self, *words, **more):
        run = self.zkr(*words, **more)
        self.assertEqual((run.returncode, run.stderr.decode()), (0, ""), words)
        return run.stdout.decode()

    def fails(self, status, says, *words, **more):
        """One line on standard error, nothing else, and this exit status."""
        run = self.zkr(*words, **more)
        self.assertEqual(run.returncode, status, (words, run.stderr))
        self.assertEqual(run.stdout, b"", words)
        said = run.stderr.decode()
        self.assertRegex(said, r"^zkr: [^\n]*\n$", words)
        self.assertIn(says, said, words)

    def elect(self, *words, session_ms=SESSION_MS, verb="elect", **more):
        return self.start(TOOL, "--session-timeout", f"{session_ms}ms", verb, *words, env=self.env, **more)


def alive(pid):
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def stopped(pid):
    """Whether a process is stopped: T. Or D: a shell waits so for a child that was stopped between vfork and exec."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] in "TD"


__all__ = ["FACTOR", "SESSION_MS", "TICK_MS", "TOOL", "alive", "background", "boot_ns", "log_lines", "signal", "stopped", "tool_test",
           "wait_until", "warnings"]
