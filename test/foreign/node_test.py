"""node-zookeeper-client on both servers: the same story must have the same course.

usage: node_test.py ZKR FOLDER    FOLDER is where scripts/setup --foreign installs with npm
"""

import os
import pathlib
import sys

from servers import compare_stories, run_story

STORY = pathlib.Path(__file__).with_name("story.js")


def main(tool, folder):
    to_run = os.environ | {"NODE_PATH": f"{folder}/node_modules"}
    return compare_stories(tool, lambda port: run_story(["node", str(STORY), str(port)], env=to_run))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
