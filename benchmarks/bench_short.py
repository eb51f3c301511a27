"""Short pipelines: building one and throwing it away is most of the work."""

import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from benchmarks.cases import NEVER_SLOWER, Case, Sink, optional
from pygenx import Pipeline, pipe

Datas = Iterable[Any]
Setup = Callable[[int], Datas]

lowest_bit = partial(operator.and_, 1)
BUILT = Sink(lambda pipes: None, lambda pipes: [list(each) for each in pipes])
prepared = Pipeline().filter(lowest_bit).map(operator.neg)


def repeated(data: Any) -> Setup:
    return lambda size: [data] * size


def filtered_sum(
    f: Callable[[Any], Any], g: Callable[[Any], Any]
) -> dict[str, Callable[[Datas], list[Any]]]:
    return {
        "pygenx": lambda datas: [pipe(data).filter(f).map(g).sum() for data in datas],
        "genexpr": lambda datas: [
            sum(g(item) for item in data if f(item)) for data in datas
        ],
        "map/filter": lambda datas: [sum(map(g, filter(f, data))) for data in datas],
        "comprehension": lambda datas: [
            sum([g(item) for item in data if f(item)]) for data in datas
        ],
    }


def case(
    name: str,
    data: Any,
    f: Callable[[Any], Any],
    g: Callable[[Any], Any],
    goal: bool = True,
    headline: str = "",
) -> Case:
    return Case(
        name,
        repeated(data),
        filtered_sum(f, g),
        ("genexpr", "map/filter", "comprehension"),
        size=500,
        unit="pipeline",
        goals={"genexpr": NEVER_SLOWER} if goal else {},
        headline=headline,
    )


DIGITS = ["1", "22", "x", "4", "55", "y", "7", "8", "99", "z"]

CASES = [
    case(
        "10 items, operator functions",
        list(range(10)),
        operator.truth,
        operator.neg,
        headline="10 items: build, `filter(f).map(g).sum()`",
    ),
    case("10 items, str.isdigit and int", DIGITS, str.isdigit, int),
    case("10 items, partial and abs", list(range(10)), lowest_bit, abs),
    case(
        "10 items, lambdas",
        list(range(10)),
        lambda item: item & 1,
        lambda item: item * 3,
        goal=False,
    ),
    case(
        "3 items, operator functions",
        [0, 1, 2],
        operator.truth,
        operator.neg,
        goal=False,
    ),
    case(
        "100 items, operator functions", list(range(100)), operator.truth, operator.neg
    ),
    Case(
        "10 items, Pipeline() made before",
        repeated(list(range(10))),
        {
            "pygenx": lambda datas: [prepared(data).sum() for data in datas],
            "genexpr": lambda datas: [
                sum(operator.neg(item) for item in data if lowest_bit(item))
                for data in datas
            ],
            "map/filter": lambda datas: [
                sum(map(operator.neg, filter(lowest_bit, data))) for data in datas
            ],
        },
        ("genexpr", "map/filter"),
        size=500,
        unit="pipeline",
    ),
    Case(
        "first of a map",
        repeated(list(range(10))),
        {
            "pygenx": lambda datas: [
                pipe(data).map(operator.neg).first() for data in datas
            ],
            "next(map)": lambda datas: [
                next(map(operator.neg, data)) for data in datas
            ],
            "next(genexpr)": lambda datas: [
                next(operator.neg(item) for item in data) for data in datas
            ],
            **optional(
                "more_itertools",
                "first",
                lambda first: (
                    lambda datas: [first(map(operator.neg, data)) for data in datas]
                ),
            ),
        },
        ("next(map)", "next(genexpr)"),
        size=500,
        unit="pipeline",
    ),
    Case(
        "build only, five stages",
        repeated([]),
        {
            "pygenx": lambda datas: [
                pipe(d).map(abs).filter(None).map(abs).filter(None).map(abs)
                for d in datas
            ],
            "map/filter": lambda datas: [
                map(abs, filter(None, map(abs, filter(None, map(abs, d)))))
                for d in datas
            ],
        },
        ("map/filter",),
        BUILT,
        size=500,
        unit="pipeline",
    ),
]
