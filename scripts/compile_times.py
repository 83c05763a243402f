#!/usr/bin/env python3
"""compile_times.py [ROUNDS]: how long each public header takes to compile, and how much of that the headers of others take.

Both are measured in turn, ROUNDS times (5), without optimisation; the median of each is told, and of their difference.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from cpp_text import ROOT

INCLUDE = ROOT / "include"
COMPILER = [os.environ.get("CXX", "c++"), "-std=c++20", "-O0", "-pthread", f"-I{INCLUDE}", "-c", "-o", os.devnull]
LIBRARIES = {"adapters/asio.hpp", "adapters/cereal.hpp", "testing/catch2.hpp"}  # may not be there


def others(name, seen):
    """What a header of brook includes that is not brook's, in order, directly or through brook."""
    if name in seen:
        return []
    seen.add(name)
    found = []
    for target in re.findall(r"^\s*#\s*include <([^>]+)>", (INCLUDE / name).read_text(), re.MULTILINE):
        found += others(target, seen) if target.startswith("brook/") else [target]
    return found


def seconds(file):
    begin = time.perf_counter()
    subprocess.run([*COMPILER, file], check=True, capture_output=True)
    return time.perf_counter() - begin


def main(rounds):
    headers = sorted(path.relative_to(INCLUDE / "brook") for path in INCLUDE.glob("brook/*.hpp"))
    headers += sorted(path.relative_to(INCLUDE / "brook") for path in INCLUDE.glob("brook/adapters/*.hpp"))
    print(f'{"header":<28}{"all":>8}{"others":>8}{"brook":>8}   seconds, median of {rounds}')
    with tempfile.TemporaryDirectory() as folder:
        for header in headers:
            if str(header) in LIBRARIES:
                continue
            files = []
            for kind, targets in (("whole", [f"brook/{header}"]), ("others", others(f"brook/{header}", set()))):
                files.append(pathlib.Path(folder) / f"{kind}.cpp")
                lines = (f"#if __has_include(<{target}>)\n#include <{target}>\n#endif\n" for target in dict.fromkeys(targets))
                files[-1].write_text("".join(lines))
            times = [[seconds(file) for file in files] for _ in range(rounds)]
            whole, rest = (statistics.median(column) for column in zip(*times))
            own = statistics.median(a - b for a, b in times)
            print(f"{str(header):<28}{whole:>8.2f}{rest:>8.2f}{own:>8.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
