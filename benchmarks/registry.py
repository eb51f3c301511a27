"""All the cases: every bench_<family>.py beside this file, in a fixed order."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases import Case

ORDER = (
    "words",
    "lifting",
    "chain",
    "tee",
    "groupby",
    "grouping",
    "push",
    "primed",
    "timing",
    "scope",
    "short",
)


def families() -> list[str]:
    """Names of the families: those of ORDER first, new files after them."""
    found = sorted(
        path.stem.removeprefix("bench_")
        for path in Path(__file__).parent.glob("bench_*.py")
    )
    return [name for name in ORDER if name in found] + [
        name for name in found if name not in ORDER
    ]


def cases_of(family: str) -> list[Case]:
    cases: list[Case] = importlib.import_module(f"benchmarks.bench_{family}").CASES
    return cases


def key_of(family: str, name: str) -> str:
    """`chain/from-iterable`: how files and the README name a case."""
    return f"{family}/{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}"


def select(
    family: str = "", case: str = "", headlines: bool = False
) -> Iterator[tuple[str, Case]]:
    """The cases whose family is `family` and whose key contains `case` (empty: any)."""
    for name in families():
        if family and name != family:
            continue
        for each in cases_of(name):
            if case in key_of(name, each.name) and (each.headline or not headlines):
                yield name, each
