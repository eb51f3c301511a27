"""How much of real code is lifted: the lambdas and generator expressions of the
standard library and of the installed packages.

    python -m benchmarks.coverage [--top 12] [--examples] [paths...]

The sources are compiled, never imported: code objects are asked about. What a function
could not be bound to (a Python function among its globals, say) does not show here.
"""

from __future__ import annotations

import argparse
import collections
import os
import site
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from pygenx import lifting

SKIPPED = {"idlelib", "lib2to3", "test", "tests", "site-packages", "dist-packages"}
REPEATS = 20  # of the measurement of cost


def roots() -> list[Path]:
    """The standard library and the directories of installed packages."""
    library = Path(sysconfig.get_paths()["stdlib"])
    packages = [Path(path) for path in (*site.getsitepackages(), *sys.path)]
    found = [
        path for path in packages if path.name in ("site-packages", "dist-packages")
    ]
    return list(dict.fromkeys(path for path in [library, *found] if path.is_dir()))


def sources(root: Path) -> Iterator[Path]:
    """The Python files below a directory, without tests."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (
            Path(folder, name) for name in sorted(files) if name.endswith(".py")
        )


def code_objects(path: Path) -> Iterator[CodeType]:
    """All code objects of a file; none if this version cannot compile it."""
    try:
        waiting = [compile(path.read_bytes(), str(path), "exec", dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError):
        return
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]


def is_expression(code: CodeType) -> bool:
    return code.co_name in ("<lambda>", "<genexpr>")


def kinds(code: CodeType) -> Iterator[str]:
    """The rows of the table that a code object counts in."""
    if code.co_name == "<genexpr>":
        yield "generator expressions"
        return
    yield "all lambdas"
    positional = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & 0b1100 == 0 and 0 < positional < 3:
        yield f"lambdas of {('one parameter', 'two parameters')[positional - 1]}"


def cost(codes: list[CodeType]) -> float:
    """Microseconds to lift one code object, the first time it is asked about."""
    best = float("inf")
    for _ in range(REPEATS):
        fresh = [code.replace(co_name=code.co_name) for code in codes]
        start = time.perf_counter()
        for code in fresh:
            lifting.why_not(code)
        best = min(best, time.perf_counter() - start)
    return best / len(codes) * 1e6


def report(codes: list[CodeType], top: int, examples: bool) -> None:
    seen: collections.Counter[str] = collections.Counter()
    lifted: collections.Counter[str] = collections.Counter()
    refused: dict[str, dict[str, list[CodeType]]] = {}
    for code in codes:
        why = lifting.why_not(code)
        for kind in kinds(code):
            seen[kind] += 1
            if why is None:
                lifted[kind] += 1
            else:
                refused.setdefault(kind, {}).setdefault(why, []).append(code)
    for kind in sorted(seen):
        reasons = refused.get(kind, {})
        share = lifted[kind] / seen[kind]
        print(f"{kind}: {lifted[kind]} of {seen[kind]}, {share:.1%}")
        ranked = sorted(reasons.items(), key=lambda reason: -len(reason[1]))
        for why, them in ranked[:top]:
            print(f"{len(them):8} {why}")
            for code in them[:5] if examples else ():
                print(" " * 12 + f"{code.co_filename}:{code.co_firstlineno}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, help="instead of the installed")
    parser.add_argument("--top", type=int, default=12, help="how many reasons to show")
    parser.add_argument("--examples", action="store_true", help="where each was met")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    folders = options.paths or roots()
    files = [path for folder in folders for path in sources(folder)]
    codes = [
        code for path in files for code in code_objects(path) if is_expression(code)
    ]
    print(f"Python {sys.version.split()[0]}, {len(files)} files below:")
    for folder in folders:
        print(f"    {folder}")
    report(codes, options.top, options.examples)
    for name in ("<lambda>", "<genexpr>"):
        them = [code for code in codes if code.co_name == name]
        print(f"cost: {cost(them):.2f} us per {name}, lifted or refused")


if __name__ == "__main__":
    main()
