#!/usr/bin/env python3
"""Checks sizes (a header's lines, a function's lines), that macros, fences and sleeps stay where they belong, and the names
of tests."""
import re
import sys

from cpp_text import ROOT, code_only, headers, line_of, report

FILE_LINES = 400
FUNCTION_LINES = 40

_BEFORE_A_HEAD = re.compile(r"(?:\s|\b(?:public|private|protected)\s*:)*")
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
_HAS_PARAMETERS = re.compile(r"[\w>\])]\s*\(")


def without_template(head):
    """`head` without the parameters of the template that it declares."""
    while match := re.match(r"\s*template\s*<", head):
        depth, end = 1, match.end()
        while depth and end < len(head):
            depth += {"<": 1, ">": -1}.get(head[end], 0)
            end += 1
        head = head[end:]
    return head


def kind_of(head):
    """What a brace outside of functions opens, by what stands before it: a scope, a function, or a value."""
    head = without_template(head)
    if _SCOPE.search(head):
        return "scope"
    is_function = _HAS_PARAMETERS.search(head) and not head.rstrip().endswith("=")
    return "function" if is_function else "value"


def functions(code):
    """(first line, last line) of each function's definition in `code`, which has no comments.

    Where braces end and the head goes on (a member initialised with braces), the head is kept.
    """
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.MULTILINE)
    found, stack = [], []  # stack: what each open brace opened
    head, parentheses = 0, 0
    for position, char in enumerate(code):
        free = parentheses == 0 and all(kind == "scope" for kind in stack)
        if char in "()":
            parentheses += 1 if char == "(" else -1
        elif char == ";" and free:
            head = position + 1
        elif char == "{":
            stack.append(kind_of(code[head:position]) if free else "inner")
            if stack[-1] == "scope":
                head = position + 1
        elif char == "}" and stack:
            kind = stack.pop()
            goes_on = kind == "value" or re.match(r"\s*[,{]", code[position + 1:])
            if kind == "function" and not goes_on:
                start = _BEFORE_A_HEAD.match(code, head).end()
                found.append((line_of(code, start), line_of(code, position)))
            if kind == "scope" or (kind == "function" and not goes_on):
                head = position + 1
    return found


def long_functions(code):
    return [(first, f"a function of {last - first + 1} lines; {FUNCTION_LINES} is the limit")
            for first, last in functions(code) if last - first + 1 > FUNCTION_LINES]


def matches(code, pattern, message):
    return [(line_of(code, match.start()), message) for match in re.finditer(pattern, code, flags=re.MULTILINE)]


def check_library_header(path, code):
    found = long_functions(code)
    if path.name != "config.hpp" or path.parent.name != "core":
        found += matches(code, r"^\s*#\s*define\b", "macros belong in core/config.hpp")
    else:
        found += matches(code, r"^\s*#\s*define\s+(?!BROOK_)", "a macro's name begins with BROOK_")
    found += matches(code, r"\batomic_(?:thread|signal)_fence\b",
                     "no fences: ThreadSanitizer cannot see them; give an operation its order")
    return found


def semicolons(text):
    return matches(text, r'^(?:TEST|TEMPLATE(?:_LIST)?_TEST)_CASE\("[^"\n]*;', "CTest takes a name with a semicolon for two names")


def sources(folder):
    return sorted(path for end in ("*.hpp", "*.cpp") for path in (ROOT / folder).rglob(end))


def main():
    problems = []
    for path in headers():
        problems += [(path, *problem) for problem in check_library_header(path, code_only(path.read_text()))]
    for path in sources("examples"):
        problems += [(path, *problem) for problem in long_functions(code_only(path.read_text()))]
    for path in [p for folder in ("include", "tests", "examples", "bench") for p in sources(folder)]:
        lines = path.read_text().count("\n")
        if path.suffix == ".hpp" and lines > FILE_LINES:
            problems.append((path, lines, f"{lines} lines; {FILE_LINES} is the limit"))
    for path in sources("tests"):
        if path.relative_to(ROOT / "tests").parts[0] != "stress":
            problems += [(path, *problem) for problem in
                         matches(code_only(path.read_text()), r"\bsleep_(?:for|until)\b",
                                 "tests do not sleep: use ManualClock, or move it to tests/stress")]
        problems += [(path, *problem) for problem in semicolons(path.read_text())]
    return report(problems)


if __name__ == "__main__":
    sys.exit(main())
