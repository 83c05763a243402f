#!/usr/bin/env python3
"""Checks that headers include downward only, and that <brook/brook.hpp> is complete.

The table of levels stands in CONTRIBUTING.md; a room is what may include its own files.
"""
import re
import sys

from cpp_text import ROOT, code_only, headers, report

# (files, as a pattern below include/brook; level; room)
LEVELS = [
    (r"core/config\.hpp", 0.0, "config"),
    (r"core/\w+\.hpp", 0.1, "core"),
    (r"(id|id_range|error|clock/\w+|clock|hash_slot)\.hpp", 0.2, "vocabulary"),
    (r"(log/\w+|entries)\.hpp", 1, "log"),
    (r"(wait/\w+|wait)\.hpp", 1, "wait"),
    (r"(options|into|probe/\w+|probe)\.hpp", 1.5, "options"),
    (r"((stream|group)/\w+|stream|group|consumer|delivery|redelivery|forward)\.hpp", 2, "stream"),
    (r"(blocking_list/\w+|blocking_list)\.hpp", 2, "list"),
    (r"(channel/\w+|channel|message|subscription|requests)\.hpp", 2, "channel"),
    (r"(pubsub/\w+|pubsub|topic_subscription)\.hpp", 3, "pubsub"),
    (r"(select/\w+|select)\.hpp", 3.1, "select"),
    (r"(broker/\w+|broker)\.hpp", 3.2, "broker"),
    (r"(testing/\w+|testing)\.hpp", 3.3, "testing"),
    (r"(snapshot/\w+|snapshot)\.hpp", 4, "snapshot"),
    (r"adapters/cereal\.hpp", 4.1, "cereal"),
    (r"(journal/\w+|journal)\.hpp", 4.1, "journal"),
    (r"adapters/\w+\.hpp", 4, "adapters"),
    (r"(redis/\w+|redis)\.hpp", 4.1, "redis"),
    (r"fwd\.hpp", 0.3, "fwd"),
    (r"brook\.hpp", 3.5, "umbrella"),
]
NOT_IN_UMBRELLA = {"brook.hpp", "fwd.hpp", "testing.hpp"}

# What comes first from each header, if those that include nothing else of brook include it: so that a compiler that is asked
# for an older C++ says that before all else.
CONFIG = "core/config.hpp"

# What core/sync.hpp is the one doorway to.
DOORWAY = "core/sync.hpp"
PRIMITIVES = re.compile(
    r"<(?:atomic|condition_variable|mutex|shared_mutex|semaphore|latch|barrier|thread)>"
    r"|\bstd::(?:atomic\w*|condition_variable\w*|memory_order\w*|(?:\w+_)?mutex|lock_guard|unique_lock|scoped_lock)\b")


def place(name):
    """(level, room) of a header, or None."""
    return next(((level, room) for pattern, level, room in LEVELS if re.fullmatch(pattern, name)), None)


def includes(code):
    """(line number, what stands after #include) for each include."""
    for number, line in enumerate(code.split("\n"), 1):
        match = re.match(r"\s*#\s*include\s+(\S+)", line)
        if match:
            yield number, match.group(1)


def check_include(name, target):
    """What is wrong with header `name` including `target` (the text after #include), or None."""
    if target.startswith('"'):
        return f"include {target} as <brook/…>"
    brook = re.fullmatch(r"<brook/(.+)>", target)
    if not brook:
        return None
    here, there = place(name), place(brook.group(1))
    if there is None:
        return f"{target} has no level in scripts/layers.py"
    if there[0] < here[0] or there[1] == here[1]:
        return None
    return (f"level {int(here[0])} ({here[1]}) must not include {target} "
            f"of level {int(there[0])} ({there[1]})")


def check_header(name, code):
    """Problems (line, message) of one header."""
    if place(name) is None:
        return [(1, "has no level: the design names it nowhere (scripts/layers.py)")]
    found = [(line, check_include(name, target)) for line, target in includes(code)]
    if name != DOORWAY:
        for number, line in enumerate(code.split("\n"), 1):
            found += [(number, f"{use.group()}: concurrency primitives come from <brook/{DOORWAY}>")
                      for use in PRIMITIVES.finditer(line)]
    for number, line in enumerate(code.split("\n"), 1):
        if re.search(r"\bfriend\b.*\bsnapshot\b", line):
            found.append((number, "nobody is a friend of snapshot"))
    return [(line, message) for line, message in found if message]


def without_config(code_of):
    """Headers, of a dict of their code, from which something of brook may come before core/config.hpp."""
    return [name for name, code in code_of.items()
            if name != CONFIG and not any(target.startswith("<brook/") for _, target in includes(code))]


def missing_in_umbrella(names, umbrella_code):
    """Public headers up to level 3 that the umbrella does not include."""
    included = {target for _, target in includes(umbrella_code)}
    public = [n for n in names if "/" not in n and n not in NOT_IN_UMBRELLA and place(n) and place(n)[0] <= 3]
    return [n for n in public if f"<brook/{n}>" not in included]


def main():
    base = ROOT / "include" / "brook"
    code = {path.relative_to(base).as_posix(): code_only(path.read_text()) for path in headers()}
    problems = [(base / name, line, message)
                for name in code for line, message in check_header(name, code[name])]
    problems += [(base / name, 1, f"includes nothing of brook: it needs <brook/{CONFIG}>") for name in without_config(code)]
    if "brook.hpp" not in code:
        return report([*problems, (base / "brook.hpp", 1, "the umbrella header is missing")])
    problems += [(base / "brook.hpp", 1, f"does not include <brook/{name}>")
                 for name in missing_in_umbrella(code, code["brook.hpp"])]
    return report(problems)


if __name__ == "__main__":
    sys.exit(main())
