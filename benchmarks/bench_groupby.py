"""groupby: groups read to their end, or skipped (only the keys are looked at)."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby as itertools_groupby
from typing import Any

from benchmarks.cases import NEVER_SLOWER, Case, Sink, drain, generator
from pygenx import groupby

Groups = Iterable[tuple[Any, Iterable[Any]]]


def runs_of_ten(size: int) -> list[int]:
    return [number // 10 for number in range(size)]


def drain_groups(groups: Groups) -> None:
    for _, group in groups:
        drain(group)


SINKS = {
    "consumed": Sink(
        drain_groups, lambda groups: [(key, list(group)) for key, group in groups]
    ),
    "skipped": Sink(drain, lambda groups: [key for key, _ in groups]),
}
SOURCES: dict[
    str, tuple[Callable[[int], Any], Callable[[Any], Any], Callable[[Any], Any]]
] = {
    # name -> data, the iterable of one run, a key in C
    "list": (runs_of_ten, iter, abs),
    "range": (range, iter, math.isqrt),
    "generator": (runs_of_ten, generator, abs),
}
KEYS = ("no key", "C key", "lambda key")


def key_for(name: str, c_key: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    return {"no key": None, "C key": c_key, "lambda key": lambda item: item >> 2}[name]


def case(source: str, key_name: str, groups: str) -> Case:
    setup, fresh, c_key = SOURCES[source]
    key = key_for(key_name, c_key)

    def grouped(by: Callable[..., Groups], data: Any) -> Groups:
        return by(fresh(data), key)

    return Case(
        f"{source}, {key_name}, {groups}",
        setup,
        {
            "pygenx": partial(grouped, groupby),
            "itertools.groupby": partial(grouped, itertools_groupby),
        },
        ("itertools.groupby",),
        SINKS[groups],
        goals={"itertools.groupby": NEVER_SLOWER},
        headline="`groupby` of a list, groups consumed"
        if (source, key_name, groups) == ("list", "no key", "consumed")
        else "",
    )


CASES = [
    case(source, key, groups) for source in SOURCES for key in KEYS for groups in SINKS
]
