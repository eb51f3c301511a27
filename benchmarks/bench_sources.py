"""Sources, against generators and builtin iterators with the same items."""

import operator
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from itertools import accumulate, islice, repeat
from typing import Any

from benchmarks.cases import DRAIN, Case, ints, optional
from pygenx import always_iterable, buffer, iter_except, iterate, with_iter

step = partial(operator.add, 1)


def by_generator(func: Callable[[Any], Any], value: Any) -> Iterator[Any]:
    while True:
        yield value
        value = func(value)


def until(func: Callable[[], Any], error: type[Exception]) -> Iterator[Any]:
    with suppress(error):
        while True:
            yield func()


def managed(manager: AbstractContextManager[Any]) -> Iterator[Any]:
    with manager as items:
        yield from items


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
    Case(
        "iter_except(list.pop)",
        ints,
        {
            "pygenx": lambda data: iter_except(data.copy().pop, IndexError),
            "generator": lambda data: until(data.copy().pop, IndexError),
            **optional(
                "more_itertools",
                "iter_except",
                lambda iter_except: (
                    lambda data: iter_except(data.copy().pop, IndexError)
                ),
            ),
            **optional(
                "iteration_utilities",
                "iter_except",
                lambda iter_except: (
                    lambda data: iter_except(data.copy().pop, IndexError)
                ),
            ),
        },
        ("generator",),
        DRAIN,
    ),
    Case(
        "with_iter(list)",
        ints,
        {
            "pygenx": lambda data: with_iter(nullcontext(data)),
            "generator": lambda data: managed(nullcontext(data)),
            **optional(
                "more_itertools",
                "with_iter",
                lambda with_iter: lambda data: with_iter(nullcontext(data)),
            ),
        },
        ("generator",),
        DRAIN,
    ),
    Case(
        "always_iterable(list)",
        ints,
        {
            "pygenx": always_iterable,
            "iter": iter,
            **optional(
                "more_itertools",
                "always_iterable",
                lambda always_iterable: always_iterable,
            ),
        },
        ("iter",),
        DRAIN,
    ),
    *(
        Case(
            f"buffer(array of {name}), negated and summed",
            setup,
            {
                "pygenx": lambda data: buffer(data).map(operator.neg).sum(),
                "map": lambda data: sum(map(operator.neg, data)),
                "map of memoryview": lambda data: sum(
                    map(operator.neg, memoryview(data))
                ),
                "tolist": lambda data: sum(map(operator.neg, data.tolist())),
            },
            ("map", "map of a view", "tolist"),
        )
        for name, setup in {
            "int": lambda size: array("q", range(size)),
            "float": lambda size: array("d", range(size)),
        }.items()
    ),
]
