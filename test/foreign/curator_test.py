"""Curator's recipes on both servers: the same story must have the same course.

usage: curator_test.py ZKR
"""

import pathlib
import sys

from servers import FAST_JVM, JARS, compare_stories, jars, run_story

STORY = pathlib.Path(__file__).with_name("CuratorStory.java")
CURATOR = jars("curator-recipes", "curator-framework", "curator-client", "curator-x-discovery", "guava", "jackson-core",
               "jackson-databind", "jackson-annotations", "metrics-core", "snappy-java")


def play(port):
    return run_story(["java", *FAST_JVM, "-cp", f"{JARS}:{CURATOR}", str(STORY), f"127.0.0.1:{port}"])


def main(tool):
    return compare_stories(tool, play)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
