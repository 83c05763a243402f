#!/usr/bin/env python3
"""Weakens each memory order of the lock-free headers in turn; a model must reject every mutant.

A statement that carries rows of a table of memory orders (scripts/orders.py) is mutated order by order: one step weaker,
and relaxed. The models are tests/model/<stem>_model.cpp and what the head names under `Proof`, both of the statement's
header and of the one with the row's table. A mutant is rejected when a model ends with an error: a data race, a failed
demand, a deadlock. One that survives has an order that is stronger than needed, or one that no model tests; either way
the script fails.

usage: mutate_orders.py [--list] [--only TEXT] [--jobs N] [--effort X]
  --list        show the mutants, run nothing
  --only TEXT   mutants whose `header:line row order -> order` contains it
  --jobs N      mutants at a time (2)
  --effort X    how thoroughly the models search (1)
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import orders  # noqa: E402
from cpp_text import code_only, headers  # noqa: E402

ORDER = re.compile(rf"\bsync::({orders.ORDERS})\b")
CALL = re.compile(r"(load|store|exchange|compare_exchange_(?:strong|weak)|fetch_(?:add|sub|or|and|xor))\s*\($")
PROOF = re.compile(r"tests/model/\w+_model\.cpp")
FLAGS = ["-std=c++20", "-O1", "-w", "-Iinclude", "-Itests"]
REASON = re.compile(r"DATA RACE|DEADLOCK|LIVELOCK|USER ASSERT FAILED \(.*?\)|ACCESS TO \w+ \w+|[A-Z]+ LEAK|DOUBLE FREE")
TIME_LIMIT = 900  # seconds for one model
EFFORTS = [0.02, 0.2, 1]  # shares of --effort, in turn: most mutants fail at once

# What each kind of operation may be weakened to, one step at a time.
READS = {"seq_cst": ["acquire"], "acquire": ["relaxed"]}
WRITES = {"seq_cst": ["release"], "release": ["relaxed"]}
BOTH = {"seq_cst": ["acq_rel"], "acq_rel": ["acquire", "release"], "acquire": ["relaxed"], "release": ["relaxed"]}


@dataclasses.dataclass
class Mutant:
    header: pathlib.Path  # relative to the root
    line: int
    position: int  # of the order in the text
    row: str
    operation: str
    order: str
    weaker: str
    models: list

    def __str__(self):
        where = f"{self.header.relative_to('include/brook')}:{self.line}"
        return f"{where} row {self.row} {self.operation} {self.order} -> {self.weaker}"


def enclosing_call(code, position):
    """The name of the innermost call around `position`, and how many orders its arguments name before it."""
    depth = 0
    for at in range(position - 1, -1, -1):
        if code[at] in ")}":
            depth += 1
        elif code[at] in "({":
            if depth == 0:
                call = CALL.search(code[:at + 1])
                return (call.group(1) if call else None), len(ORDER.findall(code[at:position]))
            depth -= 1
        elif code[at] == ";" and depth == 0:
            break
    return None, 0


def weaker_orders(operation, nth, order):
    """The orders to try instead: each next weaker one, and relaxed."""
    if operation == "load" or (operation.startswith("compare_exchange") and nth == 1):
        steps = READS
    elif operation == "store":
        steps = WRITES
    else:
        steps = BOTH
    if order == "relaxed":
        return []
    return steps.get(order, []) + (["relaxed"] if "relaxed" not in steps.get(order, []) else [])


def models_of(path, text):
    """tests/model/<stem>_model.cpp, if there is one, and what the header names."""
    own = f"tests/model/{path.stem}_model.cpp"
    head = text.split("#pragma once")[0]
    return [own] * (ROOT / own).exists() + [
        name for line in re.findall(r"(?m)^//\s*Proof\b.*(?:\n//\s{5,}.*)*", head) for name in PROOF.findall(line)]


def mutants_of(header, text, folder):
    """`folder` is [(rows, models)] of the headers that may hold the rows, the own one first."""
    own_models = folder[0][1]
    lines, code = text.split("\n"), code_only(text)
    code_lines = code.split("\n")
    starts = [0]
    for line in code_lines:
        starts.append(starts[-1] + len(line) + 1)
    tagged = {first: tags for first, _, tags in orders.sites(text) if tags}
    for first, last in orders.statements(code_lines):
        if first not in tagged:
            continue
        found = list(ORDER.finditer(code, starts[first - 1], starts[last]))
        tags = tagged[first]
        for i, order in enumerate(found):
            row = tags[i] if len(tags) == len(found) else "/".join(dict.fromkeys(tags))
            operation, nth = enclosing_call(code, order.start())
            if operation is None:
                continue
            models = own_models + [name for letters in row.split("/")
                                   for name in next((models for rows, models in folder if letters in rows), [])]
            for weaker in weaker_orders(operation, nth, order.group(1)):
                line = code.count("\n", 0, order.start()) + 1
                yield Mutant(header, line, position_in(lines, code_lines, line, order), row, operation, order.group(1),
                             weaker, list(dict.fromkeys(models)))


def position_in(lines, code_lines, line, match):
    """The code has its comments cut off, so positions differ from those in the text; columns before a comment do not."""
    column = match.start() - sum(len(text) + 1 for text in code_lines[:line - 1])
    return sum(len(text) + 1 for text in lines[:line - 1]) + column


def all_mutants():
    paths = [path for path in headers() if path.name != "sync.hpp"]
    texts = {path: path.read_text() for path in paths}
    about = {path: (orders.table(text.split("\n"))[0], models_of(path, text)) for path, text in texts.items()}
    for path in paths:
        folder = [about[path]] + [about[other] for other in paths if other.parent == path.parent and other != path]
        yield from mutants_of(path.relative_to(ROOT), texts[path], folder)


class Bench:
    """Scratch copies of the tree, one per job, in which models are built and run."""

    def __init__(self, directory, jobs, effort):
        self.trees = []
        self.effort = effort
        for i in range(jobs):
            tree = pathlib.Path(directory) / str(i)
            for part in ("include", "tests/model", "tests/contract"):
                shutil.copytree(ROOT / part, tree / part)
            self.trees.append(tree)

    def verdict(self, tree, model, efforts):
        """(whether the model is content, what it said)"""
        program = tree / "model"
        compiler = os.environ.get("CXX", "c++")
        built = subprocess.run([compiler, *FLAGS, model, "-o", str(program)], cwd=tree, capture_output=True, text=True)
        if built.returncode != 0:
            sys.exit(f"{model} does not compile:\n{built.stderr[:4000]}")
        for effort in efforts:
            arguments = ["--effort", str(effort * self.effort), "--until-failure", "yes"]
            try:
                run = subprocess.run([str(program), *arguments], capture_output=True, text=True, errors="replace",
                                     timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired:
                return True, f"no answer in {TIME_LIMIT} s"
            if run.returncode != 0:
                break
        reason = REASON.search(run.stdout)
        if run.returncode < 0:
            return False, f"killed by signal {-run.returncode}"
        executions = re.search(r"(\d+) executions, \d+ failed", run.stdout)
        said = reason.group() if reason else ""
        return run.returncode == 0, f"{said} ({executions.group(1)} executions)" if executions else said

    def try_out(self, mutant):
        """(whether a model rejects the mutant, what was said)"""
        tree = self.trees.pop()
        try:
            header = tree / mutant.header
            original = header.read_text()
            end = mutant.position + len("sync::" + mutant.order)
            header.write_text(original[:mutant.position] + "sync::" + mutant.weaker + original[end:])
            said = "no model is named"
            for model in mutant.models:
                content, said = self.verdict(tree, model, EFFORTS)
                if not content:
                    return True, f"{pathlib.Path(model).stem}: {said}"
            return False, said
        finally:
            header.write_text(original)
            self.trees.append(tree)

    def check_originals(self, models):
        for model in models:
            content, said = self.verdict(self.trees[0], model, [1])
            print(f"unchanged  {'accepted' if content else 'REJECTED'}  {model}  {said}", flush=True)
            if not content:
                sys.exit("the models must hold before mutants mean anything")


def run(mutants, options):
    """Tries all mutants out; the survivors."""
    survivors, done, started = [], 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brook-mutants-") as directory:
        bench = Bench(directory, options.jobs, options.effort)
        bench.check_originals(sorted({model for mutant in mutants for model in mutant.models}))
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            trials = {pool.submit(bench.try_out, mutant): mutant for mutant in mutants}
            for trial in concurrent.futures.as_completed(trials):
                mutant, (rejected, said) = trials[trial], trial.result()
                done += 1
                if not rejected:
                    survivors.append((mutant, said))
                print(f"{done:4}/{len(mutants)}  {'rejected' if rejected else 'SURVIVED'}  {mutant}  {said}", flush=True)
    print(f"\n{len(mutants) - len(survivors)} of {len(mutants)} mutants rejected in {time.monotonic() - started:.0f} s")
    return survivors


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--effort", type=float, default=1)
    options = parser.parse_args()
    mutants = [mutant for mutant in all_mutants() if options.only in str(mutant)]
    if options.list:
        print("\n".join(f"{mutant}  {' '.join(mutant.models) or 'NO MODEL'}" for mutant in mutants))
        return 0
    if not mutants:
        sys.exit("no such mutant")
    survivors = run(mutants, options)
    if survivors:
        print("\nsurvivors: an order stronger than needed, or one that no model tests")
        for mutant, said in sorted(survivors, key=lambda survivor: str(survivor[0])):
            print(f"  {mutant}  {said}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
