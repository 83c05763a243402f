#!/usr/bin/env python3
"""amalgamate.py FOLDER: writes FOLDER/brook.hpp, one header that is all of brook but the adapters that need other libraries.

Beside it, in FOLDER/forwarding, stands a header for each that the one replaces, which includes the one: so a program that
includes <brook/stream.hpp> can be built with either, as the tests are.
"""
import pathlib
import re
import sys

from cpp_text import ROOT

INCLUDE = ROOT / "include"
FIRST = ["brook/brook.hpp", "brook/snapshot.hpp", "brook/journal.hpp", "brook/redis.hpp", "brook/testing.hpp",
         "brook/adapters/coroutine.hpp"]
LATER = ["brook/adapters/asio.hpp", "brook/adapters/cereal.hpp", "brook/adapters/eventfd.hpp", "brook/testing/catch2.hpp"]


def expand(name, done):
    """The lines of a header with those of brook that it includes before it, each once."""
    if name in done:
        return []
    done.append(name)
    lines = [f"// ── {name} " + "─" * max(4, 110 - len(name)) + "\n"]
    for line in (INCLUDE / name).read_text().splitlines(keepends=True):
        brook = re.match(r"#include <(brook/[^>]+)>", line)
        if brook:
            lines += expand(brook.group(1), done)
        elif not line.startswith("#pragma once"):
            lines.append(line)
    return lines


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    body = [line for name in FIRST for line in expand(name, done)]
    version = ".".join(re.findall(r"define BROOK_VERSION_\w+ (\d+)", "".join(body)))
    licence = "".join(f"// {line}".rstrip() + "\n" for line in (ROOT / "LICENSE").read_text().splitlines())
    head = f"// brook {version}, all in one header. The sources, with their tests and documentation, are many.\n//\n{licence}#pragma once\n\n"
    (folder / "brook.hpp").write_text(head + "".join(body))
    for name in done + LATER:
        if name in LATER and not (INCLUDE / name).exists():
            continue
        forward = folder / "forwarding" / name
        forward.parent.mkdir(parents=True, exist_ok=True)
        text = '#pragma once\n#include "' + "../" * (name.count("/") + 1) + 'brook.hpp"\n'
        if name in LATER:
            text += "".join(line for line in (INCLUDE / name).read_text().splitlines(keepends=True) if "pragma once" not in line)
        forward.write_text(text)
    print(f"{folder}/brook.hpp: {len(done)} headers, {len(head) + sum(map(len, body)):,} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
