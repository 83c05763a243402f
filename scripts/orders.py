#!/usr/bin/env python3
"""Checks the tables of memory orders against the code.

A header that names a memory order has a comment with the line `Memory orders` and one row for each reason: the row's
letters, thread, operation, order, the rows it meets, why. Each statement that names an order ends a line with its row's
letters: `waiters_.load(sync::seq_cst);  // B`. A row may stand in the table of another header of the same folder; a
statement without letters, in a header without a table, may say seq_cst only. A row whose operation is somebody else's is
named on the title's line: `Memory orders (A and D are the caller's: …)`.
"""
import re
import sys

from cpp_text import code_only, headers, report

ORDERS = "relaxed|acquire|release|acq_rel|seq_cst"
_TITLE = re.compile(r"//\s*Memory orders\b(.*)")
_ROW = re.compile(rf"//\s+([A-Z]{{1,2}})\s+\S.*?\s(?:{ORDERS})\b")
_ORDER = re.compile(rf"(?:\bsync::|(?<![\w.>:]))({ORDERS})\b(?!\s*[({{])")
_TAG = re.compile(r"//\s*([A-Z]{1,2}(?:,?\s+[A-Z]{1,2})*)\s*(?:$|[:;(])")
_ATOMIC_CALL = re.compile(
    r"(?:\.|->)(load|store|exchange|fetch_(?:add|sub|or|and|xor)|compare_exchange_(?:weak|strong))\s*\(")


def table(lines):
    """The rows of a header's table, {letters: (line number, order)}, and those of them that are somebody else's."""
    rows, others = {}, set()
    started = False
    for number, line in enumerate(lines, 1):
        title = _TITLE.match(line.strip())
        if title:
            started = True
            owner = re.match(r"\s*\((.*?)\b(?:is|are) the caller's", title.group(1))
            others |= set(re.findall(r"\b[A-Z]{1,2}\b", owner.group(1))) if owner else set()
        elif started and not line.strip().startswith("//"):
            break
        elif started:
            row = _ROW.match(line.strip())
            if row:
                rows[row.group(1)] = (number, re.search(rf"\s({ORDERS})\b", line).group(1))
    return rows, others


def statements(code_lines):
    """(first line, last line) of what stands between semicolons and braces, 1-based."""
    first = 1
    for number, line in enumerate(code_lines, 1):
        if not line.strip() and first == number:
            first = number + 1
        elif re.search(r"[;{}]\s*$", line.rstrip()) or line.strip().startswith("#"):
            yield first, number
            first = number + 1


def sites(text):
    """(line, orders named, tags) of each statement that names a memory order."""
    lines, code = text.split("\n"), code_only(text).split("\n")
    for first, last in statements(code):
        orders, tags = [], []
        for number in range(first, last + 1):
            orders += _ORDER.findall(code[number - 1])
            comment = lines[number - 1][len(code[number - 1].rstrip()):]
            tag = _TAG.search(comment) if code[number - 1].strip() else None
            tags += re.findall("[A-Z]+", tag.group(1)) if tag else []
        if orders:
            yield first, orders, tags


def silent_calls(code):
    """Lines of atomic operations that leave their memory order unsaid."""
    for call in _ATOMIC_CALL.finditer(code):
        depth, end = 1, call.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        if not re.search(rf"\b(?:{ORDERS}|order)\b", code[call.end():end]):
            yield code.count("\n", 0, call.start()) + 1, call.group(1)


def check_site(orders, tags, own, folder):
    """What is wrong with one statement, given the rows of its header's table and those of its folder's tables."""
    if not tags and own:
        yield f"{', '.join(orders)} without the letters of a row"
    elif not tags and set(orders) != {"seq_cst"}:
        yield "a memory order other than seq_cst needs a row in a table of memory orders"
    for tag in tags:
        says = {rows[tag][1] for rows in ([own] if tag in own else folder) if tag in rows}
        if not says:
            yield f"row {tag} is in no table"
        elif not says & set(orders):
            yield f"row {tag} says {', '.join(says)}, the code {', '.join(orders)}"


def check(texts):
    """Problems (name, line, message) of the headers of one folder, {name: text}."""
    found, used = [], set()
    tables = {name: table(text.split("\n")) for name, text in texts.items()}
    folder = [rows for rows, _ in tables.values()]
    for name, text in texts.items():
        found += [(name, line, f"{call} names no memory order") for line, call in silent_calls(code_only(text))]
        for line, orders, tags in sites(text):
            used |= set(tags)
            found += [(name, line, problem) for problem in check_site(orders, tags, tables[name][0], folder)]
    for name, (rows, others) in tables.items():
        found += [(name, rows[row][0], f"no statement carries row {row}") for row in rows if row not in used | others]
    return sorted(found)


def main():
    paths = [path for path in headers() if path.name != "sync.hpp"]
    problems = []
    for folder in sorted({path.parent for path in paths}):
        problems += check({path: path.read_text() for path in paths if path.parent == folder})
    return report(problems)


if __name__ == "__main__":
    sys.exit(main())
