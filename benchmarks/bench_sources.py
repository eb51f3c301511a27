"""Sources: iterate(), against a generator and an accumulate() with the same items."""

import operator
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, islice, repeat
from typing import Any

from benchmarks.cases import DRAIN, Case, optional
from pygenx import iterate

step = partial(operator.add, 1)


def by_generator(func: Callable[[Any], Any], value: Any) -> Iterator[Any]:
    while True:
        yield value
        value = func(value)


CASES = [
    Case(
        "iterate(C function)",
        int,
        {
            "pygenx": lambda size: islice(iterate(step, 0), size),
            "generator": lambda size: islice(by_generator(step, 0), size),
            "accumulate": lambda size: accumulate(
                repeat(0, size), lambda value, _: step(value)
            ),
            **optional(
                "more_itertools",
                "iterate",
                lambda iterate: lambda size: islice(iterate(step, 0), size),
            ),
            **optional(
                "cytoolz",
                "iterate",
                lambda iterate: lambda size: islice(iterate(step, 0), size),
            ),
        },
        ("generator", "accumulate"),
        DRAIN,
    ),
]
