#!/usr/bin/env python3
"""Checks that the module (packaging/module/brook.cppm) exports all that stands in namespace brook in the headers behind it, and
nothing else. Namespaces within it are internal, and so is what they hold."""
import re
import sys

from cpp_text import ROOT, code_only, line_of, report
from limits import without_template

MODULE = ROOT / "packaging" / "module" / "brook.cppm"
INCLUDE = ROOT / "include"

def without(text, opening, closing):
    """`text` without what stands between the outermost of these brackets, which stay."""
    out, depth = "", 0
    for char in text:
        depth -= char == closing and depth > 0
        if depth == 0:
            out += char
        depth += char == opening
    return out


def is_only_said(head):
    """Whether a declaration with nothing behind it says of a class that there is one."""
    return bool(re.match(r"(?:class|struct|enum)\b", without_template(head).strip()))


def name_in(head):
    """The name that a declaration in a namespace declares, by what stands before its body or semicolon; None when it is of a member,
    of another namespace, or no declaration."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.MULTILINE)
    head = re.sub(r"\[\[.*?\]\]", "", head, flags=re.DOTALL)
    head = without_template(head).strip()
    for pattern in (r"(?:class|struct|enum class|enum)\s+(\w+)(?![\w:])", r"(?:concept|using)\s+(\w+)\s*=", r"using\s+\w+::(\w+)$",
                    r"[^()]*\s(operator\s*[^\w\s(]+)\s*\("):
        if match := re.match(pattern, head):
            return match.group(1)
    if re.match(r"(?:namespace|static_assert|using|extern|class|struct|enum)\b", head):
        return None
    head = without(without(head, "<", ">"), "(", ")").replace("<>", "")
    head = re.sub(r"\b(?:decltype|noexcept|alignas)\s*\(\)", "int", head)
    head = re.sub(r"\brequires\b\s*(?:\(\)|[\w:]+)(?:\s*(?:&&|\|\|)\s*(?:\(\)|[\w:]+))*", "", head)
    match = re.fullmatch(r".*[\w&*]\s+[&*]*(\w+)\s*", re.split(r"[(=]", head)[0], re.DOTALL)
    return match and match.group(1)


def names(code):
    """The names that stand in namespace brook itself, in the order in which they come first; `code` has no comments."""
    found, stack, head = [], [], 0
    for position, char in enumerate(code):
        if char not in "{};":
            continue
        here = stack == ["namespace brook"]
        text = code[head:position].strip()
        if here and char != "}" and not (char == ";" and is_only_said(text)):
            name = name_in(text)
            if name and name not in found:
                found.append(name)
        if char == "{":
            scope = re.search(r"\bnamespace (brook(?:::\w+)*|\w+)$", text)
            stack.append(scope.group(0) if scope and all("namespace" in outer for outer in stack) else text)
        elif char == "}" and stack:
            stack.pop()
        head = position + 1
    return found


def behind(name, seen):
    """The headers of brook that one includes, and itself, each after those that it needs."""
    if name in seen:
        return
    seen[name] = None
    for target in re.findall(r"^#include <(brook/[^>]+)>", (INCLUDE / name).read_text(), re.MULTILINE):
        behind(target, seen)


def exported(text):
    """The names that the module exports."""
    return re.findall(r"^using brook::(.+?);", code_only(text), re.MULTILINE)


def wanted(text):
    """The names of the headers that the module includes, each with the header where it comes first."""
    seen, found = {}, {}
    for target in re.findall(r"^#include <(brook/[^>]+)>", text, re.MULTILINE):
        behind(target, seen)
    for header in sorted(seen):
        for name in names(code_only((INCLUDE / header).read_text())):
            found.setdefault(name, header)
    return found


def differences(has, should):
    """What is wrong with a module that exports names, by what it should export."""
    yield from (f"does not export brook::{name} of <{header}>" for name, header in should.items() if name not in has)
    yield from (f"exports brook::{name}, which no header has" for name in has if name not in should)
    yield from (f"exports brook::{name} twice" for name in sorted(set(has)) if has.count(name) > 1)


def main():
    text = MODULE.read_text()
    line = line_of(text, text.index("export namespace"))
    return report([(MODULE, line, problem) for problem in differences(exported(text), wanted(text))])


if __name__ == "__main__":
    sys.exit(main())
