"""zip, roundrobin, merge, serialize: several iterables, or several threads, at once.

Rivals are the builtin zip, heapq.merge and the tools of more_itertools and
iteration_utilities; `serialize` is measured in one thread, where only its lock counts.
"""

import heapq
from builtins import zip as builtin_zip
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from threading import Lock
from typing import Any

import pygenx
from benchmarks.cases import (
    DRAIN,
    NEVER_SLOWER,
    Case,
    Rival,
    generator,
    ints,
    optional,
)
from pygenx import merge, pipe, roundrobin, serialize

Lists = list[list[Any]]

MERGE = {"heapq.merge": 2.5}
SERIALIZE = {"more_itertools.serialize": 4.0}
SOURCES: dict[str, Callable[[list[Any]], Iterable[Any]]] = {
    "lists": lambda items: items,
    "generators": generator,
}


def dealt(n: int, make: Callable[[int], Any]) -> Callable[[int], Lists]:
    """A sorted list dealt to `n` lists, not quite in turn."""
    return lambda size: [
        [make(i) for i in range(size) if (i * i + i // 3) % n == part]
        for part in range(n)
    ]


def two(size: int) -> Lists:
    return [ints(size), ints(size)]


# -- zip, roundrobin -----------------------------------------------------------------


def zipping(name: str) -> Case:
    fresh = SOURCES[name]
    return Case(
        f"zip, two {name}",
        two,
        {
            "pygenx": lambda data: pygenx.zip(*map(fresh, data)),
            "zip": lambda data: builtin_zip(*map(fresh, data), strict=False),
        },
        ("zip",),
        DRAIN,
        goals={"zip": NEVER_SLOWER},
    )


def unpacked(zipped: Callable[..., Iterable[tuple[int, int]]]) -> Rival:
    def run(data: Lists) -> int:
        total = 0
        for a, b in zipped(*data):
            total += a is b
        return total

    return run


def strictly(*iterables: Iterable[Any]) -> Iterable[Any]:
    return builtin_zip(*iterables, strict=True)


def staged(data: Lists) -> Iterable[Any]:
    return pipe(data[0]).zip(data[1])


def by_turns(*iterables: Iterable[Any]) -> Iterator[Any]:
    """The recipe of itertools' documentation, without its cycle."""
    iterators = [iter(iterable) for iterable in iterables]
    while iterators:
        for iterator in iterators[:]:
            try:
                yield next(iterator)
            except StopIteration:
                iterators.remove(iterator)


def turning(name: str) -> Case:
    fresh = SOURCES[name]

    def use(tool: Callable[..., Iterable[Any]]) -> Rival:
        return lambda data: tool(*map(fresh, data))

    peers = {
        **optional("more_itertools", "roundrobin", use),
        **optional("iteration_utilities", "roundrobin", use),
    }
    return Case(
        f"roundrobin, two {name}",
        two,
        {
            "pygenx": use(roundrobin),
            "python": use(by_turns),
            **peers,
        },
        ("python",),
        DRAIN,
        goals=dict.fromkeys(peers, NEVER_SLOWER),
        count=lambda data: sum(map(len, data)),
    )


# -- merge ---------------------------------------------------------------------------


def merging(
    name: str,
    setup: Callable[[int], Lists],
    fresh: Callable[[list[Any]], Iterable[Any]] = list,
    headline: str = "",
    **options: Any,
) -> Case:
    def use(tool: Callable[..., Iterable[Any]]) -> Rival:
        return lambda data: tool(*map(fresh, data), **options)

    return Case(
        f"merge, {name}",
        setup,
        {
            "pygenx": use(merge),
            "heapq.merge": use(heapq.merge),
            **optional("iteration_utilities", "merge", use),
        },
        ("heapq.merge",),
        DRAIN,
        goals=MERGE,
        headline=headline,
    )


# -- serialize -----------------------------------------------------------------------


class Locked:
    """What one writes by hand."""

    def __init__(self, iterable: Iterable[Any]) -> None:
        self.iterator = iter(iterable)
        self.lock = Lock()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self.lock:
            return next(self.iterator)


def serializing(name: str) -> Case:
    fresh = SOURCES[name]

    def use(tool: Callable[[Iterable[Any]], Iterable[Any]]) -> Rival:
        return lambda data: tool(fresh(data))

    return Case(
        f"serialize, {name[:-1]}",
        ints,
        {
            "pygenx": use(serialize),
            "python": use(Locked),
            **optional("more_itertools", "serialize", use),
        },
        ("python",),
        DRAIN,
        goals=SERIALIZE,
        headline="`serialize` for threads, in one" if name == "generators" else "",
    )


CASES = [
    *map(zipping, SOURCES),
    Case(
        "zip, unpacked",
        two,
        {"pygenx": unpacked(pygenx.zip), "zip": unpacked(builtin_zip)},
        ("zip",),
        goals={"zip": NEVER_SLOWER},
    ),
    Case(
        "zip, strict",
        two,
        {
            "pygenx": lambda data: pygenx.zip(*data, strict=True),
            "zip": lambda data: strictly(*data),
        },
        ("zip",),
        DRAIN,
        goals={"zip": NEVER_SLOWER},
    ),
    Case(
        "zip stage, pull",
        two,
        {"pygenx": staged, "zip": lambda data: strictly(*data)},
        ("zip",),
        DRAIN,
    ),
    Case(
        "zip stage, drain",
        two,
        {
            "pygenx": lambda data: pipe(data[0]).zip(data[1]).list(),
            "zip": lambda data: list(strictly(*data)),
        },
        ("zip",),
    ),
    *map(turning, SOURCES),
    merging("two lists of ints", dealt(2, int), headline="`merge` of two lists"),
    merging("ten lists of ints", dealt(10, int)),
    merging("two generators", dealt(2, int), generator),
    merging("strings", dealt(2, "{:08}".format)),
    merging("tuples", dealt(2, lambda i: (i, ""))),
    merging("key in C", dealt(2, lambda i: (i, "")), key=itemgetter(0)),
    merging("key, a lambda", dealt(2, lambda i: (i, "")), key=lambda pair: pair[0]),
    merging("reverse", dealt(2, lambda i: -i), reverse=True),
    *map(serializing, SOURCES),
]
