#!/usr/bin/env python3
"""Checks that what the conformance tests let the bundled server do otherwise is what the documents tell of.

Usage: check_differences.py PROJECT_ROOT. Each point of test/conformance/differences.cpp has a reason, stands in the table
of docs/server-fidelity.md, and is asked for by a test; and the other way round. The tests that this document names
exist. Prints breaches; exit status 1 if there is one.
"""

import re
import sys
from pathlib import Path


def names_of_tests(files):
    return {name for file in files
            for name in re.findall(r"TEST(?:_[FP])?\(\w+, (\w+)\)", file.read_text("utf-8"))}


def problems_of(root):
    tests = root / "test/conformance"
    table = dict(re.findall(r'difference\{"([a-z-]+)",\s*"([^"]*)"\}', (tests / "differences.cpp").read_text("utf-8")))
    told = set(re.findall(r"^\| `([a-z-]+)` \|", (root / "docs/server-fidelity.md").read_text("utf-8"), re.MULTILINE))
    asked = {point for file in tests.glob("*_test.cpp")
             for point in re.findall(r'differs\("([^"]*)"\)', file.read_text("utf-8"))}
    for point in sorted(set(table) | told | asked):
        if point not in table:
            yield f"{point}: it does not stand in test/conformance/differences.cpp"
        elif not table[point]:
            yield f"{point}: there is no reason"
        if point not in told:
            yield f"{point}: docs/server-fidelity.md does not tell of it"
        if point not in asked:
            yield f"{point}: no test asks for it"
    text = (root / "docs/server-fidelity.md").read_text("utf-8")
    known = names_of_tests(tests.glob("*_test.cpp"))
    for name in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`", text.split("## Deliberate differences")[0]):
        if name not in known:
            yield f"docs/server-fidelity.md: there is no test {name}"
    if not table:
        yield "test/conformance/differences.cpp: there is no table"


def main(root):
    problems = list(problems_of(Path(root)))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
