"""batched: tuples of n items, against itertools, the usual recipe and the peers."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from benchmarks.cases import Case, Sink, drain, generator, ints, optional
from pygenx import pipe

BASELINES = ("itertools.batched", "islice recipe")
BATCHES = Sink(drain, lambda batches: [tuple(batch) for batch in batches])


def by_islice(iterable: Iterable[Any], n: int) -> Iterator[tuple[Any, ...]]:
    iterator = iter(iterable)
    return iter(lambda: tuple(islice(iterator, n)), ())


def pulled(n: int) -> Case:
    return Case(
        f"{n} at a time, pull",
        ints,
        {
            "pygenx": lambda data: pipe(data).batched(n),
            "islice recipe": lambda data: by_islice(data, n),
            **optional(
                "itertools", "batched", lambda batched: lambda data: batched(data, n)
            ),
            **optional(
                "more_itertools",
                "chunked",
                lambda chunked: lambda data: chunked(data, n),
            ),
            **optional(
                "toolz",
                "partition_all",
                lambda partition_all: lambda data: partition_all(n, data),
            ),
            **optional(
                "cytoolz",
                "partition_all",
                lambda partition_all: lambda data: partition_all(n, data),
            ),
            **optional(
                "iteration_utilities",
                "grouper",
                lambda grouper: lambda data: grouper(data, n),
            ),
        },
        BASELINES,
        BATCHES,
        headline=f"`batched({n})`" if n == 10 else "",
    )


def drained(n: int) -> Case:
    return Case(
        f"{n} at a time, generator, drain",
        ints,
        {
            "pygenx": lambda data: pipe(generator(data)).batched(n).list(),
            "islice recipe": lambda data: list(by_islice(generator(data), n)),
            **optional(
                "itertools",
                "batched",
                lambda batched: lambda data: list(batched(generator(data), n)),
            ),
            **optional(
                "cytoolz",
                "partition_all",
                lambda partition_all: (
                    lambda data: list(partition_all(n, generator(data)))
                ),
            ),
        },
        BASELINES,
    )


CASES = [pulled(2), pulled(10), pulled(1000), drained(10)]
