#!/usr/bin/env python3
"""Mutants: known protections, removed one at a time. See mutants.toml and docs/simulation-mutants.md.

mutants.py check ROOT            every piece of code of the list stands exactly once where the list says
mutants.py prepare ROOT COPY     a copy of the tree with all mutants in it
mutants.py run COPY [NAME...]    runs what may notice, for each (or the named), and prints a table
mutants.py list                  their names, and what they protect
mutants.py known [NAME...]       fails where a name is none of the list's
mutants.py targets               what `run` needs to be built
"""

import os
import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SWITCH = '''#pragma once

#include <cstdlib>
#include <string_view>

namespace zkr {
/// Whether the mutant of this name is switched on.
inline bool mutated(std::string_view name) noexcept {
  static const char* const which = std::getenv("ZKR_MUTANT");
  return which != nullptr && name == which;
}
}  // namespace zkr
'''
LEFT_OUT = {"build", ".git"}

SEEDS = 2000
GIVES_UP_S = 150


def mutants():
    return tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))["mutant"]


def edits(mutant):
    """(file, code, becomes, is a statement) of each edit."""
    for one in [mutant, *mutant.get("more", [])]:
        code = one["code"].strip("\n")
        statement = one.get("statement", code.rstrip().endswith((";", "}")) and "{" not in code.split(";")[-1])
        yield one.get("file", mutant["file"]), code, one["becomes"].strip("\n"), statement


def check(root):
    wrong = []
    names = [mutant["name"] for mutant in mutants()]
    wrong += [f"{name}: there are two of this name" for name in set(names) if names.count(name) > 1]
    for mutant in mutants():
        for key in ("protects", "breaks"):
            if not mutant.get(key):
                wrong.append(f"{mutant['name']}: no `{key}`")
        for file, code, becomes, _ in edits(mutant):
            times = (root / file).read_text(encoding="utf-8").count(code) if (root / file).exists() else 0
            if times != 1:
                wrong.append(f"{mutant['name']}: its code stands {times} times in {file}, not once")
            if code == becomes:
                wrong.append(f"{mutant['name']}: it changes nothing")
    print("\n".join(wrong) or f"{len(names)} mutants")
    return 1 if wrong else 0


def switched(name, code, becomes, statement):
    if statement:
        return f'if (::zkr::mutated("{name}")) {{\n{becomes}\n}} else {{\n{code}\n}}'
    return f'(::zkr::mutated("{name}") ? ({becomes}) : ({code}))'


def prepare(root, copy):
    """Only what has changed is written: a build is repeated in part only."""
    if check(root) != 0:
        return 1
    texts = {}
    for mutant in mutants():
        for file, code, becomes, statement in edits(mutant):
            text = texts.get(file) or (root / file).read_text(encoding="utf-8")
            if text.count(code) != 1:
                print(f"{mutant['name']}: another mutant stands in its place")
                return 1
            texts[file] = text.replace(code, switched(mutant["name"], code, becomes, statement))
    for file, text in texts.items():
        include = '#include "zkrecipes/mutated.hpp"\n'
        head = "#pragma once\n"
        texts[file] = text.replace(head, head + include, 1) if head in text else include + text
    texts["include/zkrecipes/mutated.hpp"] = SWITCH

    wanted = set(texts)
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in files:
            wanted.add(str((Path(folder) / name).relative_to(root)))
    for file in wanted:
        new = texts[file].encode() if file in texts else (root / file).read_bytes()
        target = copy / file
        if target.exists() and target.read_bytes() == new:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(new)
        if file not in texts:
            target.chmod((root / file).stat().st_mode)
    return 0


# ---- running ---------------------------------------------------------------------------------------------------------


def recipe_of(mutant):
    """The recipe in which a mutant shows, where it is one's own; the queue's is seen in one that uses it."""
    if not mutant["file"].startswith("recipes/"):
        return None
    return "claim_election" if "claim_" in mutant["file"] else "leader_election"


class program:
    """Something that may notice a mutant; `folders`: where the code stands that it runs."""

    def __init__(self, label, path, arguments, pattern, text, folders=("recipes/", "src/"), simulates=True,
                 option=None):
        self.label, self.path, self.arguments, self.pattern, self.text = label, path, arguments, pattern, text
        self.folders = folders
        self.option = option  # What stands before the name of a single recipe; None: it cannot be told.
        self.simulates = simulates  # Or it compares single steps with a table, which any change of a step breaks.

    def sees(self, mutant):
        return mutant["file"].startswith(self.folders)

    def run(self, copy, mutant):
        environment = dict(os.environ, ZKR_MUTANT=mutant["name"])
        environment.pop("GTEST_FILTER", None)
        command = [copy / "build/release/test" / self.path, *self.arguments]
        recipe = recipe_of(mutant)
        if recipe and self.option is not None:
            command += [*self.option, recipe]
        try:
            done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=GIVES_UP_S, check=False)
        except subprocess.TimeoutExpired:
            return "hangs"
        if done.returncode == 0:
            return None
        found = re.findall(self.pattern, done.stdout)
        return self.text(found) if found else "crashes" if done.returncode < 0 else f"ends with {done.returncode}"


def first_seed(found):
    return f"seed {min(int(seed) for seed, _ in found)}: {min(found, key=lambda one: int(one[0]))[1]}"


def tests(found):
    names = sorted(set(found))
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


GTEST = r"\[  FAILED  \] ([\w./]+)[,\n]"
STATES = r"(\d+) states.*BROKEN: (.*)"


def states(found):
    return f"{found[0][0]} states: {found[0][1]}"


RECIPES = ("recipes/",)
NOTICING = [
    program("exploration", "sim/simulate", ["--seeds", f"1-{SEEDS}", "--threads", "1"], r"seed (\d+): ([\w -]+)",
            first_seed, option=["--recipe"]),
    program("search of two", "exhaustive/exhaustive_search", ["--contenders", "2", "--states", "60000"], STATES, states,
            RECIPES, option=[]),
    program("search of one with two faults", "exhaustive/exhaustive_search", ["--contenders", "1", "--faults", "2"],
            STATES, states, RECIPES, option=[]),
    program("search of three", "exhaustive/exhaustive_search",
            ["--contenders", "3", "--kinds=cancel", "--states", "40000"], STATES, states, RECIPES, option=[]),
    program("histories of elections", "recipes/recipes_election_sim", [], GTEST, tests),
    program("client in simulation", "sim/sim_client", [], GTEST, tests, ("src/",)),
    program("machines under faults", "recipes/recipes_election_faults", [], GTEST, tests, RECIPES),
    program("machines' tables", "recipes/recipes_machines", [], GTEST, tests, RECIPES, simulates=False),
    program("unit tests", "unit/client/unit_client", [], GTEST, tests, ("src/client/",), simulates=False),
]


def unknown(names):
    known = [mutant["name"] for mutant in mutants()]
    for name in names:
        if name not in known:
            print(f"mutants: there is no {name}; there are: {', '.join(known)}", file=sys.stderr)
            return True
    return False


def run(copy, names):
    if unknown(names):
        return 2
    known = {mutant["name"]: mutant for mutant in mutants()}
    began = time.monotonic()
    there = [one for one in NOTICING if (copy / "build/release/test" / one.path).exists()]
    with ThreadPoolExecutor(max_workers=int(os.environ.get("ZKR_JOBS", "2"))) as pool:
        healthy = list(pool.map(lambda one: (one, one.run(copy, {"name": "", "file": ""})), there))
        for one, said in healthy:
            if said is not None:
                print(f"mutants: {one.label} fails without a mutant: {said}", file=sys.stderr)
        there = [one for one, said in healthy if said is None]
        wrong = 0
        print("| mutant | noticed by | not by |\n|---|---|---|", flush=True)
        for name in names or known:
            sees = [one for one in there if one.sees(known[name])]
            said = list(pool.map(lambda one, name=name: one.run(copy, known[name]), sees))
            text = "; ".join(f"{one.label} ({text})" for one, text in zip(sees, said) if text is not None)
            missed = [one.label for one, text in zip(sees, said) if text is None]
            simulated = any(text is not None and one.simulates for one, text in zip(sees, said))
            reason = known[name].get("unseen")
            if simulated == (reason is not None):
                wrong += 1
                text += " **not as the list says**"
            elif reason is not None:
                text = f"no simulation: {reason}" + (f". {text}" if text else "")
            print(f"| `{name}` | {text} | {', '.join(missed)} |", flush=True)
    count = len(names or known)
    print(f"\n{count} mutants, {wrong} not as the list says, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def main(arguments):
    match arguments:
        case ["check", root]:
            return check(Path(root))
        case ["prepare", root, copy]:
            return prepare(Path(root).resolve(), Path(copy).resolve())
        case ["run", copy, *names]:
            return run(Path(copy).resolve(), names)
        case ["list"]:
            for mutant in mutants():
                print(f"{mutant['name']}: {mutant['protects']}")
            return 0
        case ["known", *names]:
            return 2 if unknown(names) else 0
        case ["targets"]:
            print(" ".join(dict.fromkeys(Path(one.path).name for one in NOTICING)))
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
