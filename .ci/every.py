#!/usr/bin/env python3
"""Builds and tests pygenx on every CPython that is found; tells which were not.

python3 .ci/every.py         the interpreter that runs this in full, one of each other
                             version with the core tests; no debug builds
python3 .ci/every.py all     every release build in full, the debug builds with the core

Looked at: PATH, pyenv's versions and what .ci/pythons has unpacked. Each compiles
without a warning, with gcc and clang where they are there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
UNPACKED = ROOT / os.environ.get("PYGENX_PYTHONS", ".pythons")
REPORT = ROOT / ".pytest_cache" / "every.xml"

VERSIONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
RELEASE = [*VERSIONS, "3.13t", "3.14t", "3.15t"]  # t: free-threaded
DEBUG = [version + "d" for version in VERSIONS]
CORE = "contract or differential or attacks or lifting or generator_expressions"
CORE_DEBUG = "contract or differential or attacks or leaks"

ASK = """
import json, os, sys, sysconfig
debug = hasattr(sys, "gettotalrefcount")
free = sysconfig.get_config_var("Py_GIL_DISABLED")
print(json.dumps({
    "kind": "%d.%d" % sys.version_info[:2] + "d" * debug + "t" * bool(free),
    "version": ".".join(map(str, sys.version_info[:3])),
    "path": sys.executable,
    "build": sys.version,
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
}))
"""


@dataclass
class Python:
    kind: str
    version: str
    path: str
    build: str  # sys.version: its sources, and when and by what they were compiled
    headers: bool
    full: bool = False
    failed: list[str] = field(default_factory=list)
    passed: int = 0
    skipped: int = 0
    seconds: float = 0


# -- which there are ---------------------------------------------------------


def names(kind: str) -> list[str]:
    """Where it may be; a name on PATH may be a shim that fails."""
    number = kind.rstrip("dt")
    spellings = [f"python{kind}", f"python{number}-dbg"][: 1 + kind.endswith("d")]
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += [
        *sorted(PYENV.glob(f"{number}*/bin")),
        UNPACKED / number / "usr" / "bin",
    ]
    return [str(folder / name) for folder in folders for name in spellings]


def ask(path: str) -> Python | None:
    try:
        asked = subprocess.run([path, "-c", ASK], capture_output=True, timeout=60)
        return Python(**json.loads(asked.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def find(kinds: list[str], every: bool) -> list[Python]:
    """Without `every`, the first of each kind; this one is the first of its own."""
    found: dict[tuple[str, str], Python] = {}
    for kind in kinds:
        for name in [sys.executable, *names(kind)]:
            python = ask(name)
            if python is None or python.kind != kind:
                continue
            key = (kind, python.build if every else "")
            if python.headers:
                found.setdefault(key, python)
            elif key not in found:
                print(f"{python.path}: its headers are not installed")
    return list(found.values())


# -- one of them -------------------------------------------------------------


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def clean() -> None:
    """Objects are not told apart by flags or compiler: start from none."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)


def run(python: Python, what: str, *command: str, **env: str) -> None:
    say(f"{what}, Python {python.version} ({python.kind}), {python.path}")
    code = subprocess.run(
        [python.path, *command], cwd=ROOT, env={**os.environ, **env}
    ).returncode
    if code:
        python.failed.append(what)


def count(python: Python) -> None:
    """What pytest says it ran; no report, or none of it, is a failure."""
    suites = ElementTree.parse(REPORT).iter("testsuite") if REPORT.exists() else ()
    for suite in suites:
        python.skipped += int(suite.get("skipped", 0))
        python.passed += int(suite.get("tests", 0))
        for outcome in ("skipped", "failures", "errors"):
            python.passed -= int(suite.get(outcome, 0))
    if not python.passed:
        python.failed.append("no test passed")


def check(python: Python) -> None:
    began = time.monotonic()
    clean()
    other = {"gcc": "clang", "clang": "gcc"}.get(os.environ.get("CC", "gcc"), "clang")
    if shutil.which(other):
        wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "-w", "build/wheel", "."]
        run(python, other, *wheel, CC=other)
        clean()
    for old in ROOT.glob("pygenx/_pygenx.*.so"):
        old.unlink()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    tests = ["run.py", "test", "-q", "-n", "auto", "--dist", "loadgroup"]
    tests += [f"--junitxml={REPORT}"]
    if not python.full:
        # what the reference in plain Python does, one version tells
        tests += ["-m", "not reference"]
        tests += ["-k", CORE_DEBUG if "d" in python.kind else CORE]
    run(python, "suite" if python.full else "core tests", *tests)
    count(python)
    python.seconds = time.monotonic() - began


# -- all of them -------------------------------------------------------------


def table(pythons: list[Python], kinds: list[str]) -> None:
    say("every interpreter")
    row = "{:8} {:9} {:6} {:>7} {:>8} {:>6}  {}"
    print(row.format("Python", "build", "tests", "passed", "skipped", "time", "result"))
    builds = {"d": "debug", "t": "free"}
    for python in pythons:
        print(
            row.format(
                python.version,
                builds.get(python.kind[-1], "release"),
                "all" if python.full else "core",
                python.passed,
                python.skipped,
                f"{python.seconds // 60:.0f}:{python.seconds % 60:02.0f}",
                f"FAILED: {', '.join(python.failed)}" if python.failed else "ok",
            )
        )
    missing = [kind for kind in kinds if kind not in {p.kind for p in pythons}]
    print(f"not found: {', '.join(missing) or 'none'}", flush=True)


def main(how: str = "") -> int:
    os.environ["PYGENX_DEV"] = "1"  # warnings are errors
    every = how == "all"
    own = ask(sys.executable)
    kinds = [*RELEASE, *DEBUG] if every else RELEASE
    pythons = find(list(dict.fromkeys([*kinds, own.kind])), every)
    for python in pythons:
        python.full = (every and python.kind in RELEASE) or python.build == own.build
    pythons.sort(key=lambda python: python.full)  # the last to report is the suite
    say("found " + ", ".join(f"{p.version} ({p.kind})" for p in pythons))
    for python in pythons:
        check(python)
    table(pythons, kinds)
    if not any(python.full for python in pythons):
        print("nowhere was the whole suite run")
        return 1
    return any(python.failed for python in pythons)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
