"""own and borrow: who closes a generator, against contextlib.closing."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from benchmarks.cases import DRAIN, Case, Rival, drain, generator, ints
from pygenx import borrow, own


def short_blocks(owner: Callable[[Any], Any]) -> Rival:
    """Many blocks that read three items each."""

    def run(sources: Iterable[Any]) -> None:
        for source in sources:
            with owner(generator(source)) as items:
                drain(items)

    return run


def unfinished_blocks(owner: Callable[[Any], Any]) -> Rival:
    """Blocks that leave after the first item, so that there is something to close."""

    def run(sources: Iterable[Any]) -> list[Any]:
        firsts = []
        for source in sources:
            with owner(generator(source)) as items:
                firsts.append(next(items))
        return firsts

    return run


def long_block(owner: Callable[[Any], Any]) -> Rival:
    def run(data: Any) -> None:
        with owner(generator(data)) as items:
            drain(items)

    return run


def triples(size: int) -> list[list[int]]:
    return [[1, 2, 3]] * size


def versus_closing(work: Callable[[Callable[[Any], Any]], Rival]) -> dict[str, Rival]:
    return {"pygenx": work(own), "contextlib.closing": work(closing)}


CASES = [
    Case(
        "own, 3 items",
        triples,
        versus_closing(short_blocks),
        ("contextlib.closing",),
        size=1000,
        unit="block",
        headline="`with own(generator)`, three items",
    ),
    Case(
        "own, left early",
        triples,
        versus_closing(unfinished_blocks),
        ("contextlib.closing",),
        size=1000,
        unit="block",
    ),
    Case(
        "own, a long generator",
        ints,
        versus_closing(long_block),
        ("contextlib.closing",),
    ),
    Case(
        "borrow, a long generator",
        ints,
        {
            "pygenx": lambda data: borrow(generator(data)),
            "genexpr": lambda data: (item for item in generator(data)),
        },
        ("genexpr",),
        DRAIN,
    ),
]
