"""Curator's recipes on both servers: the same story must have the same course.

usage: curator_test.py ZKR
"""

import pathlib
import subprocess
import sys

from servers import JARS, apache, bundled, compare

STORY = pathlib.Path(__file__).with_name("CuratorStory.java")
CURATOR = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "curator-recipes", "curator-framework", "curator-client", "curator-x-discovery", "guava", "jackson-core",
    "jackson-databind", "jackson-annotations", "metrics-core", "snappy-java"))


def play(port):
    story = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}:{CURATOR}", str(STORY),
             f"127.0.0.1:{port}"]
    end = subprocess.run(story, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200, check=False)
    if end.returncode != 0:
        print(end.stderr[-4000:])
    return [f"exit status {end.returncode}", *end.stdout.splitlines()]


def main(tool):
    with apache() as port:
        expected = play(port)
    with bundled(tool) as port:
        seen = play(port)
    return compare(expected, seen) if expected[0] == "exit status 0" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
