#!/usr/bin/env python3
"""Checks that docs/*.md name tests and files that exist: what stands in a table under "shown by" must."""
import re
import sys

from cpp_text import ROOT

TEST_CASE = re.compile(r'\bTEST_CASE\(\s*"((?:[^"\\]|\\.)*)"')
A_FILE = re.compile(r"[\w./-]+\.(?:[ch]pp|py|md)")


def cells(line):
    """What stands in the cells of a table's row; bars within code spans separate nothing."""
    spans = iter(re.findall(r"`[^`]*`", line))
    return [re.sub("\0", lambda _: next(spans), cell).strip()
            for cell in re.sub(r"`[^`]*`", "\0", line).strip().strip("|").split("|")]


def claims(text):
    """(line, code span) for all that stands in a column called "shown by"."""
    column = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("|"):
            column = None
            continue
        row = cells(line)
        if column is None:
            column = row.index("shown by") if "shown by" in row else -1
        elif 0 <= column < len(row):
            for span in re.findall(r"`([^`]*)`", row[column]):
                yield number, span


def problems_in(text, tests, exists):
    """What is claimed in `text` and not there: (line, message) each."""
    for number, span in claims(text):
        if A_FILE.fullmatch(span):
            if not exists(span):
                yield number, f"no such file: {span}"
        elif span not in tests:
            yield number, f"no such test: {span}"


def main():
    tests = {name.replace(r"\"", '"') for path in (ROOT / "tests").glob("*/*.cpp")
             for name in TEST_CASE.findall(path.read_text())}
    problems = [f"{path.relative_to(ROOT)}:{line}: {message}" for path in sorted((ROOT / "docs").glob("*.md"))
                for line, message in problems_in(path.read_text(), tests, lambda name: (ROOT / name).exists())]
    print("\n".join(problems) or "claims: ok")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
