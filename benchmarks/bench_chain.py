"""chain: the items of ten containers, or of very many short ones, one after another."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain as itertools_chain
from typing import Any

from benchmarks.cases import (
    DRAIN,
    DRAIN_EACH,
    LOOP,
    NEVER_SLOWER,
    Case,
    Rival,
    generator,
    ints,
    optional,
)
from pygenx import chain

Parts = list[Any]

BARE = 1 / 1.12  # within 1.12x of draining the bare containers
ON_LISTS = {
    "bare": BARE,
    "itertools.chain": 1.8 if sys.version_info < (3, 12) else NEVER_SLOWER,
}
ON_OTHERS = {"itertools.chain": NEVER_SLOWER}


def parts_of(
    kind: Callable[[Iterable[int]], Any], length: int = 0
) -> Callable[[int], Parts]:
    """Data: the numbers below `size`, `length` to a container (0: ten containers)."""

    def setup(size: int) -> Parts:
        step = length or max(size // 10, 1)
        return [
            kind(range(start, min(start + step, size)))
            for start in range(0, size, step)
        ]

    return setup


def same(iterables: Any) -> Any:
    return iterables


def each(make: Callable[[Any], Any]) -> Callable[[Parts], Parts]:
    return lambda parts: [make(part) for part in parts]


def rivals(fresh: Callable[[Parts], Parts]) -> dict[str, Rival]:
    """`fresh` makes the iterables of one run: iterators can be read only once."""
    return {
        "pygenx": lambda parts: (chain(*fresh(parts)),),
        "itertools.chain": lambda parts: (itertools_chain(*fresh(parts)),),
        "genexpr": lambda parts: ((item for part in fresh(parts) for item in part),),
        "bare": fresh,
    }


def over(
    name: str,
    kind: Callable[[Iterable[int]], Any],
    fresh: Callable[[Parts], Parts] = same,
    **more: Any,
) -> Case:
    goals = ON_LISTS if kind is list and fresh is same else ON_OTHERS
    return Case(
        name,
        parts_of(kind),
        rivals(fresh),
        ("itertools.chain", "genexpr"),
        DRAIN_EACH,
        goals=goals,
        **more,
    )


def flattening(name: str, setup: Callable[[int], Parts]) -> Case:
    return Case(
        name,
        setup,
        {
            "pygenx": chain.from_iterable,
            "itertools.chain": itertools_chain.from_iterable,
            "genexpr": lambda parts: (item for part in parts for item in part),
            **optional("cytoolz", "concat", lambda concat: concat),
        },
        ("itertools.chain", "genexpr"),
        DRAIN,
        goals=ON_OTHERS,
    )


CASES = [
    over("lists", list, headline="`chain` over lists"),
    over("tuples", tuple),
    over("ranges", same),
    over("dicts", dict.fromkeys),
    over("generators", list, each(generator), headline="`chain` over generators"),
    over("map objects", list, each(partial(map, abs))),
    flattening("from_iterable, lists", parts_of(list)),
    flattening("from_iterable, lists of 4", parts_of(list, 4)),
    Case(
        "lists, for loop",
        parts_of(list),
        {
            "pygenx": lambda parts: chain(*parts),
            "itertools.chain": lambda parts: itertools_chain(*parts),
        },
        ("itertools.chain",),
        LOOP,
        goals=ON_OTHERS,
    ),
    Case(
        "lists, to a list",
        parts_of(list),
        {
            "pygenx": lambda parts: list(chain(*parts)),
            "itertools.chain": lambda parts: list(itertools_chain(*parts)),
        },
        ("itertools.chain",),
        goals=ON_OTHERS,
    ),
    Case(
        "two lists of 5, build and drain",
        lambda size: [ints(5)] * size,
        {
            "pygenx": lambda lists: [list(chain(five, five)) for five in lists],
            "itertools.chain": lambda lists: [
                list(itertools_chain(five, five)) for five in lists
            ],
        },
        ("itertools.chain",),
        size=1000,
        unit="chain",
        goals=ON_OTHERS,
    ),
]
