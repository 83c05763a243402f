#!/usr/bin/env python3
"""README.md and docs/*.md show real programs.

  docs.py                      checks links, and that blocks said to be of a file are that file's
  docs.py program FILE         writes FILE: all other C++ blocks, as one program
  docs.py run PROGRAM          runs that program, and compares what each block prints with the text block behind it

A block that defines something (it begins with #include, struct, a function …) is global, any other goes into a function of its
page, where each section (##) is a scope.
"""
import pathlib
import re
import subprocess
import sys

from cpp_text import ROOT

pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
QUOTE = re.compile(r"\[(?:\.\./)?((?:examples|tests/story)/\w+\.cpp)\]\([^)]*\)(?:(?!```|\]\([./]*examples/).)*?\n\n```cpp\n(.*?)```",
                   re.DOTALL)
DEFINITION = re.compile(r"(#include|struct|class|enum|template|using|namespace|inline)\b|[\w:<>&*, ]+ \w+\([^;]*\) ?\{$")
MARK = "\x1e"


def quotes(page):
    """(file, block) for each C++ block that is said to be of a file."""
    text = page.read_text()
    found = QUOTE.findall(text)
    program = re.search(r"```cpp\n(.*?int main.*?)```.*?`?\[(examples/\w+\.cpp)\]", text, re.DOTALL)
    return found + ([(program.group(2), program.group(1))] if program else [])


def fragments(page):
    """(section, line, code, expected output or None) of each other C++ block."""
    text = page.read_text()
    quoted = {block for _, block in quotes(page)}
    found = []
    for match in BLOCK.finditer(text):
        before = text[:match.start()]
        if match.group(1) == "text" and found and not before[found[-1]["end"]:].strip():
            found[-1]["output"] = match.group(2)
        if match.group(1) == "cpp" and match.group(2) not in quoted:
            found.append({"section": len(re.findall(r"^## ", before, re.MULTILINE)), "line": before.count("\n") + 2,
                          "code": match.group(2), "output": None, "end": match.end()})
    return found


def is_definition(code):
    lines = [line for line in code.split("\n") if line.strip() and not line.startswith("//")]
    control = re.match(r"(for|while|if|else|switch)\b", lines[0])
    return bool(DEFINITION.match(lines[0])) and not control


def name_of(page):
    return re.sub(r"\W", "_", str(page.relative_to(ROOT).with_suffix("")))


def page_as_code(page):
    """The page's definitions, and a function of its other blocks."""
    top, body, section = [], [], None
    for number, part in enumerate(fragments(page)):
        code = re.sub(r"^#include.*\n", "", part["code"], flags=re.MULTILINE)
        code = f'#line {part["line"]} "{page}"\n{code}'
        if is_definition(part["code"]):
            top.append(code)
            continue
        if part["section"] != section:
            body.append(("}\n" if section is not None else "") + "{\n")
            section = part["section"]
        body.append(f'{code}std::cout << "{MARK}{number}{MARK}" << std::flush;\n')
    body.append("}\n" if section is not None else "")
    return "\n".join(top) + f"\nstatic void {name_of(page)}() {{\n" + "".join(body) + "}\n"


def write_program(out):
    includes = {"<chrono>", "<iostream>", "<string>", "<thread>", "<vector>"}
    code, calls = [], []
    for page in pages:
        for part in fragments(page):
            includes.update(re.findall(r"^#include (<\S+>)", part["code"], re.MULTILINE))
        code.append(page_as_code(page))
        calls.append(f'if (page == "{name_of(page)}") {name_of(page)}();\n')
    head = "".join(f"#include {name}\n" for name in sorted(includes))
    text = (head + "\nusing namespace std::chrono_literals;\n\n" + "".join(code) +
            "\nint main(int, char** argv) {\nconst std::string page = argv[1];\n" + "".join(calls) + "}\n")
    if not out.exists() or out.read_text() != text:
        out.write_text(text)


def run_page(page, program):
    """What is wrong with what it prints."""
    ran = subprocess.run([program, name_of(page)], capture_output=True, text=True, timeout=120, check=False)
    printed = re.findall(f"(.*?){MARK}(\\d+){MARK}", ran.stdout, re.DOTALL)
    parts = fragments(page)
    problems = [f"{page.name}: the program ended with {ran.returncode}: {ran.stderr}"] if ran.returncode else []
    for text, number in printed:
        part = parts[int(number)]
        if text != (part["output"] or ""):
            problems.append(f'{page.name}:{part["line"]}: prints\n{text}and not\n{part["output"]}')
    bodies = [part for part in parts if not is_definition(part["code"])]
    if len(printed) != len(bodies):
        problems.append(f"{page.name}: {len(printed)} of {len(bodies)} blocks ran")
    return problems


def check():
    problems = []
    for page in pages:
        text = page.read_text()
        for name, block in quotes(page):
            if not (ROOT / name).exists() or block not in (ROOT / name).read_text():
                problems.append(f"{page.name}: a block that is said to be of {name} is not")
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
            if "://" not in link and not (page.parent / link).exists():
                problems.append(f"{page.name}: no such file: {link}")
    readme = (ROOT / "README.md").read_text()
    shown = re.search(r"```console\n\$ g\+\+ [^\n]*examples/hello\.cpp[^\n]*\n(.*?)```", readme, re.DOTALL)
    if not shown or shown.group(1) != (ROOT / "examples/expected/hello.txt").read_text():
        problems.append("README.md: the output shown is not examples/expected/hello.txt")
    return problems


def main(verb="check", path=None):
    if verb == "program":
        write_program(pathlib.Path(path))
        return []
    if verb == "run":
        return [problem for page in pages for problem in run_page(page, path)]
    return check()


if __name__ == "__main__":
    failed = main(*sys.argv[1:])
    print("\n".join(failed) or "docs: ok")
    sys.exit(bool(failed))
