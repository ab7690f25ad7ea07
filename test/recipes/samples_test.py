#!/usr/bin/env python3
"""Checks that pages show samples as they are compiled and run. Usage: samples_test.py PROJECT_ROOT PAGE... [--update]

A block of C++ below `<!-- FILE NAME -->` is what stands between `// sample NAME` and `// end` in FILE, less its
indentation; there is no other C++ in the pages. --update writes the blocks anew.
"""

import re
import sys
import textwrap
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- (?P<file>\S+) (?P<name>\S+) -->\n)?```cpp\n(?P<code>.*?)```\n", re.DOTALL)


def sample(root, file, name):
    text = (root / file).read_text(encoding="utf-8")
    found = re.search(rf"^ *// sample {re.escape(name)}\n(.*?)^ *// end\n", text, re.DOTALL | re.MULTILINE)
    return textwrap.dedent(found[1])


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    root = Path(arguments[0])
    wrong = []
    for page in (root / name for name in arguments[1:]):
        text = page.read_text(encoding="utf-8")
        if "--update" in sys.argv:
            page.write_text(BLOCK.sub(lambda m: f"<!-- {m['file']} {m['name']} -->\n```cpp\n"
                                                f"{sample(root, m['file'], m['name'])}```\n", text), encoding="utf-8")
            continue
        for block in BLOCK.finditer(text):
            if block["file"] is None:
                wrong.append(f"{page.name}: a block of C++ without a file: {block['code'][:60]!r}")
            elif block["code"] != sample(root, block["file"], block["name"]):
                wrong.append(f"{page.name} shows {block['name']} otherwise than it is; run with --update")
    print("\n".join(wrong) or "the samples are as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
