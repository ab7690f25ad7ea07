#!/usr/bin/env python3
"""Checks the tables in the documents that name tests.

Usage: check_test_tables.py PROJECT_ROOT. In docs, each row of a table whose last column is headed `test` names one test at
least, and the tests that it names exist. Where the first column is headed by an aggregate of the public headers, as
`client_options` is, its rows are that aggregate's members, each once. Every aggregate NAME_options below
include/zkrecipes has such a table. Prints breaches; exit status 1 if there is one.
"""

import re
import sys
from pathlib import Path

AGGREGATE = re.compile(r"^struct (\w*options) \{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
# "  duration session_timeout = ...;", "  enum class content { stat, data } read = ...;", "  milliseconds tick{500};"
MEMBER = re.compile(r"^  [A-Za-z][^()\n]*?[ >}](\w+)(?: = .*|\{[^{}]*\})?;", re.MULTILINE)
# With a parameter list in its type: "  std::function<void(const error&)> on_failure = {};"
CALLABLE = re.compile(r"^  \S.*\(.*\)> (\w+) = \{\};", re.MULTILINE)


def names_of_tests(root):
    cpp = {name for file in (root / "test").rglob("*_test.cpp")
           for name in re.findall(r"^(?:TEST(?:_[FP])?|RC_GTEST_PROP)\(\w+, (\w+)", file.read_text("utf-8"), re.MULTILINE)}
    python = {name for file in (root / "test").rglob("*_test.py")
              for name in re.findall(r"^    def (test_\w+)\(self", file.read_text("utf-8"), re.MULTILINE)}
    return cpp | python


def members_of_options(root):
    """NAME_options to its members."""
    found = {}
    for header in sorted((root / "include/zkrecipes").rglob("*.hpp")):
        for name, body in AGGREGATE.findall(header.read_text("utf-8")):
            body = re.sub(r"^\s*///.*\n|\s*///<.*$", "", body, flags=re.MULTILINE)
            found[name] = MEMBER.findall(body) + CALLABLE.findall(body)
    return found


def tables_of(text):
    """(cells of the header, [(line, its cells)]) of each table with a column `test` at its end."""
    lines = text.splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else [] for line in lines]
    at = 0
    while at < len(lines):
        if cells[at] and cells[at][-1] == "test":
            end = at + 2
            while end < len(lines) and cells[end]:
                end += 1
            yield cells[at], list(zip(lines[at + 2:end], cells[at + 2:end]))
            at = end
        at += 1


def problems_of(root):
    known = names_of_tests(root)
    options = members_of_options(root)
    told = set()
    for file in sorted((root / "docs").rglob("*.md")):
        where = file.relative_to(root)
        for header, rows in tables_of(file.read_text("utf-8")):
            for line, cells in rows:
                named = re.findall(r"`(\w+)`", cells[-1])
                if not named:
                    yield f"{where}: no test stands in: {line}"
                for name in sorted(set(named) - known):
                    yield f"{where}: there is no test {name}"
            subject = re.fullmatch(r"`(\w+_options)`", header[0])
            if not subject:
                continue
            name = subject[1]
            if name not in options:
                yield f"{where}: no public header has {name}"
                continue
            told.add(name)
            rows_of = [member for _, cells in rows for member in re.findall(r"`(\w+)`", cells[0])]
            for member in sorted(set(options[name]) - set(rows_of)):
                yield f"{where}: {name}::{member} is not in its table"
            for member in sorted({one for one in rows_of if one not in options[name] or rows_of.count(one) > 1}):
                yield f"{where}: {name} has no member {member}, or it stands there twice"
    for name in sorted(set(options) - told):
        yield f"{name}: no document says which tests show what its members do"
    if not options or not known:
        yield "no options or no tests were found"


def main(root):
    problems = list(problems_of(Path(root)))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
