"""go-zookeeper on both servers: the same story must have the same course.

usage: go_test.py ZKR FOLDER    FOLDER is for what Go builds
"""

import os
import pathlib
import subprocess
import sys

from servers import bundled, compare_stories, run_story

STORY = pathlib.Path(__file__).with_name("story.go")


def main(tool, folder):
    # Debian's packages of Go libraries are sources, which are found like this.
    to_build = {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": "/usr/share/gocode", "GOCACHE": f"{folder}/cache"}
    story = f"{folder}/story"
    subprocess.run(["go", "build", "-o", story, str(STORY)], env=os.environ | to_build, check=True, timeout=400)
    status = compare_stories(tool, lambda port: run_story([story, f"127.0.0.1:{port}"]))
    with bundled(tool) as port:
        said = run_story([story, "words", f"127.0.0.1:{port}"])
    print("\n".join(said))
    return status if said == ["words: true standalone true 0"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
