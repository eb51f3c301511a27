"""Do the attacks bite? Each bug of planted.toml is put into a copy of the sources, the
copy is built, and the attack it names must fail.

    python tests/planted.py [--jobs N] [NAME ...]

NAME is a plant or an attack (`R6`); all of them without. A plant whose text is not
found (or found twice), that does not compile, or that its attack passes over, is an
error. Built in build/planted/, once plain and once with sanitizers; a plant compiles
its own file only. ccache is used where there is one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "planted"
TABLE = HERE / "planted.toml"
TIMEOUT = 150
DEEP = {"D3_", "D4_", "D5_"}
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@dataclass(frozen=True)
class Plant:
    name: str
    attack: str  # a function of isolated/attacks, or a pytest node
    file: str
    find: str
    put: str
    what: str
    build: str = "plain"  # or "asan": for what only AddressSanitizer sees
    number: str = ""  # of an attack that is no function of isolated/attacks

    def planted_in(self, text):
        found = text.count(self.find)
        if found != 1:
            raise ValueError(f"text to replace is there {found} times")
        return text.replace(self.find, self.put)


def plants():
    table = tomllib.loads(TABLE.read_text())
    return [Plant(name, **row) for name, row in table.items()]


def limit_stack():
    """As test_attacks.py does: later versions trust in a stack of 8 MB themselves."""
    if sys.version_info < (3, 12):
        import resource

        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))


def in_lines(command, **options):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,
    )


class Build:
    """A directory of object files, and how to make an importable copy of it."""

    def __init__(self, kind):
        self.kind = kind
        self.flags = ["-O1", "-g"]
        if kind == "asan":
            self.flags += [*SANITIZE, "-fno-omit-frame-pointer", "-UNDEBUG"]
        self.objects = BUILD / f"objects-{kind}-{sysconfig.get_config_var('SOABI')}"

    def compile(self, source, target):
        ccache = ["ccache"] if shutil.which("ccache") else []
        config = sysconfig.get_config_vars()
        command = [
            *(*ccache, *config["CC"].split(), *config["CCSHARED"].split()),
            *("-std=c11", "-fvisibility=hidden", "-fwrapv", "-DNDEBUG", *self.flags),
            *("-I", sysconfig.get_path("include"), "-I", str(ROOT / "src")),
            *("-c", str(source), "-o", str(target)),
        ]
        result = in_lines(command)
        if result.returncode:
            raise ValueError(f"does not compile\n{result.stdout[-2000:]}")

    def prepare(self, pool):
        shutil.rmtree(self.objects, ignore_errors=True)
        self.objects.mkdir(parents=True)
        sources = sorted((ROOT / "src").glob("*.c"))
        list(pool.map(lambda s: self.compile(s, self.objects / f"{s.stem}.o"), sources))
        return self.link(BUILD / f"unplanted-{self.kind}", [])

    def link(self, directory, changed):
        """An importable package in `directory`; `changed` object files come first."""
        shutil.rmtree(directory, ignore_errors=True)
        package = directory / "pygenx"
        package.mkdir(parents=True)
        for file in (ROOT / "pygenx").glob("*.py"):
            shutil.copy(file, package)
        own = {path.name for path in changed}
        others = [o for o in sorted(self.objects.glob("*.o")) if o.name not in own]
        config = sysconfig.get_config_vars()
        command = [
            *(*config["LDSHARED"].split(), *(SANITIZE if self.kind == "asan" else [])),
            *map(str, (*changed, *others)),
            *("-o", str(package / f"_pygenx{config['EXT_SUFFIX']}")),
        ]
        result = in_lines(command)
        if result.returncode:
            raise ValueError(f"does not link\n{result.stdout[-2000:]}")
        return directory

    def environment(self, directory):
        paths = [str(directory), str(HERE / "isolated"), str(HERE)]
        result = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        result.update(PYTHONSAFEPATH="1", PYTHONDONTWRITEBYTECODE="1")
        if self.kind == "asan":
            libraries = [library("asan"), library("ubsan")]
            result.update(
                LD_PRELOAD=" ".join(libraries),
                ASAN_OPTIONS="detect_leaks=0",
                PYTHONMALLOC="malloc",
            )
        return result

    def failure_of(self, attack, directory):
        """How the attack fails on the package in `directory`; None if it does not."""
        if "::" in attack:
            options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
            command = ("-m", "pytest", *options, str(HERE / attack))
        else:
            faulthandler = () if self.kind == "asan" else ("-X", "faulthandler")
            command = (*faulthandler, "-m", "attacks", attack)
        try:
            child = in_lines(
                [sys.executable, *command],
                env=self.environment(directory),
                cwd=HERE,
                timeout=TIMEOUT,
                preexec_fn=limit_stack if attack[:3] in DEEP else None,
            )
        except subprocess.TimeoutExpired:
            return "no end in sight"
        if "::" in attack:
            if child.returncode not in (0, 1) and child.returncode > 0:
                raise ValueError(f"pytest says\n{child.stdout[-2000:]}")
            return child.stdout if child.returncode else None
        if f"begin {attack}" not in child.stdout:
            raise ValueError(f"did not begin\n{child.stdout[-2000:]}")
        if child.returncode or f"ok {attack}" not in child.stdout:
            return child.stdout + f"\nexit status {child.returncode}"
        return None


def library(name):
    return in_lines(["gcc", f"-print-file-name=lib{name}.so"]).stdout.strip()


def how(failure):
    """A failure in one line."""
    lines = [line.strip() for line in failure.strip().splitlines()]
    for sign in ("ERROR: AddressSanitizer", "runtime error:", "Fatal Python error"):
        for line in lines:
            if sign in line:
                return line[line.index(sign) :][:90]
    if lines[-1].startswith("exit status") and lines[-1] != "exit status 0":
        return lines[-1]
    lines = [line for line in lines if line and not line.startswith("exit status 0")]
    errors = [line for line in lines if "Error" in line and not line.startswith("File")]
    return (errors or lines)[-1][:90]


def bites(plant, build):
    """(does the attack fail on the plant, how)"""
    source = ROOT / "src" / plant.file
    directory = BUILD / "plants" / plant.name
    try:
        text = plant.planted_in(source.read_text())
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / plant.file).write_text(text)
        changed = directory / f"{source.stem}.o"
        build.compile(directory / plant.file, changed)
        package = build.link(directory / "package", [changed])
        failure = build.failure_of(plant.attack, package)
    except ValueError as error:
        return False, str(error)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return failure is not None, failure and how(failure)


def tried(build, chosen, pool):
    """How many of the plants were passed over, or did not fit."""
    directory = build.prepare(pool)
    wrong = 0
    attacks = list(dict.fromkeys(plant.attack for plant in chosen))
    clean = pool.map(lambda attack: build.failure_of(attack, directory), attacks)
    for attack, failure in zip(attacks, clean, strict=True):
        if failure is not None:
            wrong += 1
            print(f"{attack} fails without a plant ({build.kind}): {failure}")
    results = pool.map(lambda plant: bites(plant, build), chosen)
    for plant, (bitten, why) in zip(chosen, results, strict=True):
        wrong += not bitten
        verdict = "bites" if bitten else "DOES NOT BITE"
        print(f"{plant.name}: {verdict}: {plant.attack}: {why}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    names = set(arguments.names)
    chosen = [
        plant
        for plant in plants()
        if not names or {plant.name, plant.attack, plant.attack.split("_")[0]} & names
    ]
    wrong = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for kind in sorted({plant.build for plant in chosen}):
            mine = [plant for plant in chosen if plant.build == kind]
            wrong += tried(Build(kind), mine, pool)
    print(f"{len(chosen)} plants, {wrong} wrong")
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
