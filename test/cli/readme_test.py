#!/usr/bin/env python3
"""Checks that README.md shows the examples as they are compiled and run. Usage: readme_test.py PROJECT_ROOT [--update]

In README.md, a block of C++ below `<!-- examples/x.cpp -->` is what stands between `// README: from here` and
`// README: to here` in that file, less its indentation. There is no other C++ in it. --update writes the blocks anew.
"""

import re
import sys
import textwrap
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- (?P<file>\S+) -->\n)?```cpp\n(?P<code>.*?)```\n", re.DOTALL)
SAMPLE = re.compile(r"^ *// README: from here\n(?P<code>.*?)^ *// README: to here\n", re.DOTALL | re.MULTILINE)


def sample(file):
    return textwrap.dedent(SAMPLE.search(file.read_text(encoding="utf-8"))["code"])


def main():
    root = Path(sys.argv[1])
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if "--update" in sys.argv:
        readme.write_text(BLOCK.sub(lambda m: f"<!-- {m['file']} -->\n```cpp\n{sample(root / m['file'])}```\n", text),
                          encoding="utf-8")
        return 0
    blocks = list(BLOCK.finditer(text))
    wrong = [f"a block of C++ without a file: {m['code'][:60]!r}" for m in blocks if m["file"] is None]
    wrong += [f"README.md shows {m['file']} otherwise than it is; run test/cli/readme_test.py . --update"
              for m in blocks if m["file"] and m["code"] != sample(root / m["file"])]
    shown = {m["file"] for m in blocks}
    wrong += [f"README.md does not show {file.relative_to(root)}" for file in sorted((root / "examples").glob("*.cpp"))
              if str(file.relative_to(root)) not in shown]
    print("\n".join(wrong) or f"{len(blocks)} samples are as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
