#!/usr/bin/env python3
"""The README shows real programs: the code block that names a file is that file, and the output shown is what it prints."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
readme = (root / "README.md").read_text()
problems = []

program = (root / "examples/hello.cpp").read_text()
if f"```cpp\n{program}```" not in readme:
    problems.append("README.md: the first program is not examples/hello.cpp")

output = (root / "examples/expected/hello.txt").read_text()
shown = re.search(r"```console\n\$ g\+\+ [^\n]*examples/hello\.cpp[^\n]*\n(.*?)```", readme, re.DOTALL)
if not shown or shown.group(1) != output:
    problems.append("README.md: the output shown is not examples/expected/hello.txt")

for name, block in re.findall(r"\[(examples/\w+\.cpp)\]\([^)]*\)[^`]*?\n\n```cpp\n(.*?)```", readme, re.DOTALL):
    if block not in (root / name).read_text():
        problems.append(f"README.md: a block that is said to be of {name} is not")

prose = re.sub(r"```.*?```", "", readme, flags=re.DOTALL)
for link in re.findall(r"\]\(([^)#]+)\)", prose):
    if "://" not in link and not (root / link).exists():
        problems.append(f"README.md: no such file: {link}")

print("\n".join(problems) or "readme: ok")
sys.exit(bool(problems))
