"""Lambdas and generator expressions: native programs against what they replace.

The functions are the small ones people write; `baseline` has the generator expression
or comprehension that does the same, which calls nothing.
"""

from __future__ import annotations

import importlib.util
import itertools
import random
from array import array
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.cases import DRAIN, OPAQUE, Case, Rival, ints
from pygenx import buffer, groupby, pipe

GENEXPR = "genexpr"
COMPREHENSION = "comprehension"
NUMPY = "numpy"
MAP = "map() of the lambda"

LONG = 100_000
RECORDS = 40_000


# -- data ------------------------------------------------------------------------


def shuffled(size: int) -> list[int]:
    numbers = list(range(size))
    random.Random(1).shuffle(numbers)
    return numbers


def floats(size: int) -> list[float]:
    return [number * 0.5 for number in range(size)]


def records(size: int) -> list[dict[str, Any]]:
    rng = random.Random(1)
    sections = ("admin", "devel", "games", "libs", "net", "python", "text")
    return [
        {
            "name": f"package-{number}",
            "version": f"{rng.randrange(9)}.{rng.randrange(99)}",
            "section": rng.choice(sections),
            "size": rng.randrange(1_000_000),
            "depends": rng.randrange(30),
        }
        for number in range(size)
    ]


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def points(size: int) -> list[Point]:
    return [Point(number) for number in range(size)]


def words(size: int) -> list[str]:
    return ["Spam", "eggs", "and", "Ham"] * (size // 4)


def triples(size: int) -> list[tuple[int, int, int]]:
    return [(number // 3, number, -number) for number in range(size)]


# -- numbers -----------------------------------------------------------------------


def odd_squares(numbers: Iterable[int]) -> int:
    return pipe(numbers).filter(lambda x: x % 2).map(lambda x: x**2).sum()


def odd_squares_genexpr(numbers: Iterable[int]) -> int:
    return sum(x**2 for x in numbers if x % 2)


def odd_squares_lifted_genexpr(numbers: Iterable[int]) -> int:
    return pipe(x**2 for x in numbers if x % 2).sum()


def polynomial(numbers: Iterable[float]) -> float:
    return pipe(numbers).map(lambda x: 3.0 * x * x + 2.0 * x + 1.0).sum()


def polynomial_genexpr(numbers: Iterable[float]) -> float:
    return sum(3.0 * x * x + 2.0 * x + 1.0 for x in numbers)


def odd_squares_of_buffer(a: Any) -> int:
    return buffer(a).filter(lambda x: x % 2).map(lambda x: x**2).sum()


def polynomial_of_buffer(a: Any) -> float:
    return buffer(a).map(lambda x: 3.0 * x * x + 2.0 * x + 1.0).sum()


def with_numpy(make: Callable[[Any], Rival]) -> dict[str, Rival]:
    """The rival that NumPy allows, where it is there."""
    if importlib.util.find_spec("numpy") is None:
        return {}
    return {NUMPY: make(importlib.import_module("numpy"))}


def squares_by(np: Any, read: Callable[[Any], Any]) -> Rival:
    def odd(numbers: Any) -> int:
        values = read(numbers)
        return int((values[values % 2 == 1] ** 2).sum())

    return odd


def polynomial_by(np: Any, read: Callable[[Any], Any]) -> Rival:
    def poly(numbers: Any) -> float:
        x = read(numbers)
        return float((3.0 * x * x + 2.0 * x + 1.0).sum())

    return poly


def number_case(
    name: str, setup: Callable[[int], Any], goals: dict[str, float], **more: Any
) -> Case:
    return Case(
        name,
        setup,
        {"pygenx": odd_squares, GENEXPR: odd_squares_genexpr} | more.pop("others", {}),
        (GENEXPR,),
        size=LONG,
        goals=goals,
        **more,
    )


NUMBERS = [
    number_case(
        "odd squares of a range",
        range,
        {GENEXPR: 20, NUMPY: 3},
        others=with_numpy(
            lambda np: squares_by(np, lambda r: np.arange(r.start, r.stop, r.step))
        ),
        headline="sum of the squares of odd numbers, range",
    ),
    number_case(
        "odd squares of a list",
        ints,
        {GENEXPR: 8, NUMPY: 5},
        others=with_numpy(lambda np: squares_by(np, np.array)),
        headline="the same, list",
    ),
    number_case(
        "odd squares of a shuffled list",
        shuffled,
        {GENEXPR: 5},
        others=with_numpy(lambda np: squares_by(np, np.array)),
    ),
    number_case(
        "odd squares of an array",
        lambda size: array("q", range(size)),
        {GENEXPR: 8},
        others=with_numpy(lambda np: squares_by(np, np.asarray)),
    ),
    Case(
        "odd squares as a generator expression",
        ints,
        {"pygenx": odd_squares_lifted_genexpr, GENEXPR: odd_squares_genexpr},
        (GENEXPR,),
        size=LONG,
        goals={GENEXPR: 8},
        headline="the same, `pipe(x**2 for x in data if x % 2).sum()`",
    ),
    Case(
        "polynomial of a list",
        floats,
        {"pygenx": polynomial, GENEXPR: polynomial_genexpr}
        | with_numpy(lambda np: polynomial_by(np, np.array)),
        (GENEXPR,),
        size=LONG,
        goals={GENEXPR: 10},
        headline="polynomial of floats, summed",
    ),
    Case(
        "polynomial of an array",
        lambda size: array("d", floats(size)),
        {"pygenx": polynomial, GENEXPR: polynomial_genexpr}
        | with_numpy(lambda np: polynomial_by(np, np.asarray)),
        (GENEXPR,),
        size=LONG,
        goals={GENEXPR: 10},
    ),
    Case(
        "doubled shuffled list",
        shuffled,
        {
            "pygenx": lambda numbers: pipe(numbers).map(lambda x: x * 2).list(),
            COMPREHENSION: lambda numbers: [x * 2 for x in numbers],
        },
        (COMPREHENSION,),
        size=LONG,
        goals={COMPREHENSION: 1.25},
        headline="`map(lambda x: x * 2).list()`, shuffled list",
    ),
]
if importlib.util.find_spec("numpy") is not None:
    np: Any = importlib.import_module("numpy")
    NUMBERS += [
        Case(
            "odd squares of a buffer",
            lambda size: np.arange(size),
            {
                "pygenx": odd_squares_of_buffer,
                NUMPY: squares_by(np, np.asarray),
                GENEXPR: lambda a: odd_squares_genexpr(a.tolist()),
            },
            (GENEXPR,),
            size=LONG,
            goals={GENEXPR: 8, NUMPY: 1},
        ),
        Case(
            "polynomial of a buffer",
            lambda size: np.arange(size) * 0.5,
            {
                "pygenx": polynomial_of_buffer,
                NUMPY: polynomial_by(np, np.asarray),
                GENEXPR: lambda a: polynomial_genexpr(a.tolist()),
            },
            (GENEXPR,),
            size=LONG,
            goals={GENEXPR: 10},
        ),
    ]


# -- records -----------------------------------------------------------------------


def large(data: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return (
        pipe(data)
        .filter(lambda r: r["size"] > 100_000)
        .map(lambda r: (r["name"], r["size"]))
        .list()
    )


def large_comprehension(data: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(r["name"], r["size"]) for r in data if r["size"] > 100_000]


def large_genexpr(data: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return list((r["name"], r["size"]) for r in data if r["size"] > 100_000)  # noqa: C400


def total(data: list[dict[str, Any]]) -> int:
    return (
        pipe(data)
        .filter(lambda r: r["section"] == "python" or r["depends"] > 20)
        .map(lambda r: r["size"])
        .sum()
    )


def total_genexpr(data: list[dict[str, Any]]) -> int:
    return sum(r["size"] for r in data if r["section"] == "python" or r["depends"] > 20)


RECORD_CASES = [
    Case(
        "filter and map of records",
        records,
        {
            "pygenx": large,
            GENEXPR: large_genexpr,
            COMPREHENSION: large_comprehension,
        },
        (GENEXPR, COMPREHENSION),
        size=RECORDS,
        goals={GENEXPR: 1.05, COMPREHENSION: 1.0},
        headline="filter and map, 40,000 dicts, to a list",
    ),
    Case(
        "sum over records",
        records,
        {"pygenx": total, GENEXPR: total_genexpr},
        (GENEXPR,),
        size=RECORDS,
        goals={GENEXPR: 1.05},
        headline="filter, map and sum, 40,000 dicts",
    ),
]


# -- getters -----------------------------------------------------------------------

GETTERS: list[tuple[str, Callable[[int], Any], Callable[[Any], Any]]] = [
    ("x[k] of tuples", triples, lambda x: x[1]),
    ("x[k] of dicts", records, lambda x: x["size"]),
    ("x.a", points, lambda x: x.x),
    ("x.m()", words, lambda x: x.lower()),
    ("f(x)", words, lambda x: len(x)),
    ("comparison", ints, lambda x: x > 500),
    ("branch", ints, lambda x: x if x % 3 else None),
    ("f-string", ints, lambda x: f"item {x}"),
]


def getter(name: str, setup: Callable[[int], Any], func: Callable[[Any], Any]) -> Case:
    """The same lambda, lifted and called by map()."""
    goal = 1.8 if name.startswith("x") else OPAQUE
    return Case(
        f"map {name}",
        setup,
        {
            "pygenx": lambda data: pipe(data).map(func),
            MAP: lambda data: map(func, data),
        },
        (MAP,),
        sink=DRAIN,
        goals={MAP: goal},
    )


KEYS = [
    Case(
        "groupby by x[0]",
        triples,
        {
            "pygenx": lambda data: sum(1 for _ in groupby(data, lambda x: x[0])),
            "itertools": lambda data: sum(
                1 for _ in itertools.groupby(data, lambda x: x[0])
            ),
        },
        ("itertools",),
        goals={"itertools": 1.0},
    ),
    Case(
        "min by x[2]",
        triples,
        {
            "pygenx": lambda data: pipe(data).min(key=lambda x: x[2]),
            "min()": lambda data: min(data, key=lambda x: x[2]),
        },
        ("min()",),
        goals={"min()": 1.8},
    ),
]

CASES = [*NUMBERS, *RECORD_CASES, *(getter(*each) for each in GETTERS), *KEYS]
