"""Lanes: blocks of numbers give what plain Python gives, item by item.

Every lane is compared with the same expression run by Python itself: values with their
types and signs, the first error, the item it happens at.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import random
import signal
import struct
from array import array
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest

from pygenx import buffer, lifting, pipe

# -- helpers ------------------------------------------------------------------

ROWS = 700  # more than one block

INTS = sorted(
    {
        sign * (2**power + near)
        for sign in (1, -1)
        for power in (0, 1, 5, 30, 31, 52, 53, 60, 61, 62, 63)
        for near in (-1, 0, 1)
    }
    | {0, 3, 10, 255}
)
SMALL_INTS = [number for number in INTS if -(2**63) <= number < 2**63]
FLOATS = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    -1.0,
    1.5,
    2.0,
    -3.0,
    1e16,
    2.0**53,
    2.0**53 + 2,
    -(2.0**62),
    2.0**63,
    -(2.0**63),
    1e300,
    -1e300,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    math.inf,
    -math.inf,
    math.nan,
]
OPERANDS: list[Any] = [*SMALL_INTS, *FLOATS, True, False]

BINARY = {
    "+": lambda y: lambda x: x + y,
    "-": lambda y: lambda x: x - y,
    "*": lambda y: lambda x: x * y,
    "/": lambda y: lambda x: x / y,
    "//": lambda y: lambda x: x // y,
    "%": lambda y: lambda x: x % y,
    "&": lambda y: lambda x: x & y,
    "|": lambda y: lambda x: x | y,
    "^": lambda y: lambda x: x ^ y,
    "<": lambda y: lambda x: x < y,
    "<=": lambda y: lambda x: x <= y,
    "==": lambda y: lambda x: x == y,
    "!=": lambda y: lambda x: x != y,
    ">": lambda y: lambda x: x > y,
    ">=": lambda y: lambda x: x >= y,
}
SWAPPED = {
    "+": lambda y: lambda x: y + x,
    "-": lambda y: lambda x: y - x,
    "*": lambda y: lambda x: y * x,
    "/": lambda y: lambda x: y / x,
    "//": lambda y: lambda x: y // x,
    "%": lambda y: lambda x: y % x,
    "&": lambda y: lambda x: y & x,
    "<": lambda y: lambda x: y < x,
    "<=": lambda y: lambda x: y <= x,
    "==": lambda y: lambda x: y == x,
    ">": lambda y: lambda x: y > x,
}
POWERS = {
    "**": lambda y: lambda x: x**y,
    "<<": lambda y: lambda x: x << y,
    ">>": lambda y: lambda x: x >> y,
}
SWAPPED_POWERS = {
    "**": lambda y: lambda x: y**x,
    "<<": lambda y: lambda x: y << x,
    ">>": lambda y: lambda x: y >> x,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "-x": lambda x: -x,
    "+x": lambda x: +x,
    "~x": lambda x: ~x,
    "not x": lambda x: not x,
    "x + x": lambda x: x + x,
    "x - x": lambda x: x - x,
    "x * x": lambda x: x * x,
    "x * x * x": lambda x: x * x * x,
    "x / x": lambda x: x / x,
    "x // x": lambda x: x // x,
    "x % x": lambda x: x % x,
    "x & x": lambda x: x & x,
    "x == x": lambda x: x == x,
    "x < x": lambda x: x < x,
    "-x >> 1": lambda x: -x >> 1,
    "not not x": lambda x: bool(x),
    "(x < 1) + 1": lambda x: (x < 1) + 1,
    "(x < 1) & (x > 0)": lambda x: (x < 1) & (x > 0),
    "(x < 1) | (x > 5)": lambda x: (x < 1) | (x > 5),
    "(x < 1) ^ (x > 5)": lambda x: (x < 1) ^ (x > 5),
    "(x < 1) ** 2": lambda x: (x < 1) ** 2,
    "-(x < 1)": lambda x: -(x < 1),
    "+(x < 1)": lambda x: +(x < 1),
    "(x < 1) / 2": lambda x: (x < 1) / 2,
    "(x < 1) < 0.5": lambda x: (x < 1) < 0.5,
    "(x < 1) == 1": lambda x: (x < 1) == 1,
}


def exact(value: Any) -> Any:
    """What two results have in common only if nobody can tell them apart."""
    if type(value) is float:
        return ("nan",) if math.isnan(value) else (float, struct.pack("d", value))
    if type(value) is list:
        return [exact(item) for item in value]
    return type(value), value if type(value) is not complex else repr(value)


def outcome(func: Callable[[], Any]) -> Any:
    try:
        return "value", exact(func())
    except Exception as error:
        return "error", type(error), str(error)


def plain_map(func: Callable[[Any], Any], items: Iterable[Any]) -> Any:
    done = []
    for item in items:
        try:
            done.append(exact(func(item)))
        except Exception as error:
            return done, type(error), str(error)
    return done, None, None


def lane_map(func: Callable[[Any], Any], items: Iterable[Any]) -> Any:
    """The results up to the first error: what stays in the terminal shows none, so the
    last stage counts them."""
    done: list[Any] = []
    try:
        done = pipe(items).map(func).list()
    except Exception as error:
        where = int(error.__notes__[0].split(", item ")[1].split(":")[0])
        return where, type(error), str(error)
    return [exact(item) for item in done], None, None


def check_map(func: Callable[[Any], Any], items: list[Any]) -> None:
    done, kind, text = plain_map(func, items)
    assert lane_map(func, items) == (done if kind is None else len(done), kind, text)


def in_lanes(func: Callable[[], Any]) -> int:
    before = lifting.stats()["items_in_lanes"]
    func()
    return lifting.stats()["items_in_lanes"] - before


def mostly(common: Any, rare: Any) -> list[Any]:
    """Two blocks in which one item is not like the others."""
    return [common] * 300 + [rare] + [common] * 300


# -- operators by table ---------------------------------------------------------

COLUMNS = [INTS, SMALL_INTS, FLOATS, [True, False], [1, 2, 3, -4], [0.5, -1.5, 2.0]]


def columns() -> list[list[Any]]:
    """Items of one type each, long enough for a lane, in several orders."""
    chance = random.Random(7)
    made = []
    for column in COLUMNS:
        for _ in range(2):
            made.append([chance.choice(column) for _ in range(150)])
        made.append((column * 150)[:150])
    return made


@pytest.mark.filterwarnings("ignore:Bitwise inversion")
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    for column in columns():
        check_map(UNARY[name], column)
    for item in OPERANDS:
        check_map(UNARY[name], mostly(1, item))
        check_map(UNARY[name], mostly(item, item))


@pytest.mark.parametrize("y", OPERANDS, ids=repr)
def test_binary(y: Any) -> None:
    for name in BINARY:
        for column in columns()[::3]:
            check_map(BINARY[name](y), column)
            if name in SWAPPED:
                check_map(SWAPPED[name](y), column)


@pytest.mark.parametrize("name", BINARY)
def test_binary_each(name: str) -> None:
    """Each operand alone in a lane, so that its error is the first."""
    for x, y in itertools.product(OPERANDS, OPERANDS):
        func = BINARY[name](y)
        assert lane_map(func, [x] * 70) == expected(func, x, 70), (x, y)


def expected(func: Callable[[Any], Any], x: Any, n: int) -> Any:
    done, kind, text = plain_map(func, [x])
    return (done * n, None, None) if kind is None else (0, kind, text)


EXPONENTS = [-2, -1, 0, 1, 2, 3, 4, 5, 7, 31, 62, 63, 64, 65, 0.5, -0.5, 2.0, -1.0, 3.0]
EXPONENTS += [math.inf, -math.inf, math.nan, 1e300, True, False]


@pytest.mark.parametrize("name", POWERS)
def test_powers_and_shifts(name: str) -> None:
    for x, y in itertools.product([*OPERANDS, 7, -7, 1.1e-160, 1e160], EXPONENTS):
        func = POWERS[name](y)
        assert lane_map(func, [x] * 70) == expected(func, x, 70), (x, y)
        if abs(x) < 100 and not (isinstance(y, int) and y > 1000):
            func = SWAPPED_POWERS[name](x)
            assert lane_map(func, [y] * 70) == expected(func, y, 70), (y, x)


@pytest.mark.parametrize("name", ["+", "-", "*", "//", "%", "/"])
def test_both_operands_vary(name: str) -> None:
    func = {
        "+": lambda x: (x + 1) + x * 3,
        "-": lambda x: (x - 5) - x * 2,
        "*": lambda x: (x + 1) * (x - 1),
        "//": lambda x: (x * 7) // (x - 3),
        "%": lambda x: (x * 7) % (x - 3),
        "/": lambda x: (x * 7) / (x - 3),
    }[name]
    for column in columns():
        check_map(func, column)
    check_map(func, list(range(10, 400)))
    check_map(func, list(range(2**52, 2**52 + 300)))
    check_map(func, list(range(-(2**61), -(2**61) + 300)))


def test_lanes_do_it() -> None:
    numbers = list(range(1, 5001))
    assert in_lanes(lambda: pipe(numbers).map(lambda x: x * 3 % 7).sum()) > 4900
    floats = [number + 0.5 for number in numbers]
    assert in_lanes(lambda: pipe(floats).map(lambda x: x / 3 % 7).sum()) > 4900
    assert in_lanes(lambda: pipe(range(5000)).filter(lambda x: x & 1).count()) > 4900
    with lifting.disabled():
        assert in_lanes(lambda: pipe(numbers).map(lambda x: x * 3 % 7).sum()) == 0


def test_short_and_empty() -> None:
    for n in [*range(5), 62, 63, 64, 65, 66, 127, 511, 512, 513, 514, 576, 1024, 1025]:
        for items in (range(n), list(range(n)), tuple(range(n))):
            doubled = pipe(items).map(lambda x: x * 2)
            assert doubled.list() == [x * 2 for x in range(n)]
            kept = pipe(items).filter(lambda x: x > 3).map(lambda x: x * x)
            assert kept.sum() == sum(x * x for x in range(n) if x > 3)


# -- mixed items ------------------------------------------------------------------


class Int(int):
    def __add__(self, other: int) -> str:  # type: ignore[override]
        return f"Int.__add__({other})"


@pytest.mark.parametrize(
    "rare", [True, 2**70, -(2**64), 0.5, "s", None, Int(3), [1], 2**63, math.nan]
)
@pytest.mark.parametrize("place", [0, 1, 63, 64, 100, 511, 512, 513, 599])
def test_one_that_is_different(rare: Any, place: int) -> None:
    items: list[Any] = list(range(600))
    items[place] = rare
    check_map(lambda x: x + 1, items)
    check_map(lambda x: x * 2, items)
    check_map(lambda x: x == 5, items)
    check_map(lambda x: not x, items)


def test_types_by_turns() -> None:
    items = [1, 0.5, True, 2**65] * 500
    check_map(lambda x: x * 2, items)
    assert in_lanes(lambda: pipe(items).map(lambda x: x * 2).list()) < 1000


def test_a_run_of_each() -> None:
    items = [1] * 2000 + [0.5] * 2000 + [True] * 2000 + [2**65] * 2000 + [3] * 9000
    check_map(lambda x: x * 2, items)
    assert in_lanes(lambda: pipe(items).map(lambda x: x * 2).list()) > 9000


# -- filters, originals -----------------------------------------------------------


def test_items_that_pass_are_the_originals() -> None:
    for items in (
        [10**6 + i for i in range(ROWS)],
        tuple(10**6 + i for i in range(ROWS)),
        [i + 0.25 for i in range(ROWS)],
    ):
        kept = pipe(items).filter(lambda x: x % 3 > 1).list()
        assert all(
            a is b for a, b in zip(kept, (x for x in items if x % 3 > 1), strict=True)
        )
        same = pipe(items).map(lambda x: x).filter(lambda x: x > 5).list()
        assert all(
            a is b for a, b in zip(same, (x for x in items if x > 5), strict=True)
        )
        chosen = pipe(items).map(lambda x: x if x % 2 > 1 else -x).list()
        wanted = [x if x % 2 > 1 else -x for x in items]
        assert chosen == wanted
        assert [a is x for a, x in zip(chosen, items, strict=True)] == [
            a is x for a, x in zip(wanted, items, strict=True)
        ]
        plus = pipe(items).map(lambda x: +x).list()
        assert all(a is b for a, b in zip(plus, items, strict=True))
        assert pipe(items).filter(lambda x: x > 50).min() is min(
            x for x in items if x > 50
        )
        assert pipe(items).filter(lambda x: x > 50).max() is max(items)


def test_constants_that_pass_are_the_originals() -> None:
    big = 10**9
    result = pipe(range(ROWS)).map(lambda x: big if x % 2 else -x).list()
    assert result == [big if x % 2 else -x for x in range(ROWS)]
    assert all(item is big for item in result[1::2])
    result = pipe(range(ROWS)).map(lambda x: 12345678).list()
    assert all(item is result[0] for item in result)


def test_filters() -> None:
    numbers = list(range(-ROWS, ROWS))
    halves = [number / 2 for number in numbers]
    for items in (range(-ROWS, ROWS), numbers, halves):
        for pred in (
            lambda x: x % 2,
            lambda x: x > 5,
            lambda x: x > 5 and x % 3,
            lambda x: x < -5 or x > 100,
            lambda x: -50 < x <= 50,
            lambda x: not (x % 7 and x % 5),
            lambda x: x,
            lambda x: True,
            lambda x: 0,
            lambda x: x > 10**5,
            lambda x: 10 / x > 1 if x else False,
        ):
            assert pipe(items).filter(pred).list() == list(filter(pred, items))
            assert pipe(items).filterfalse(pred).list() == list(
                itertools.filterfalse(pred, items)
            )
            assert pipe(items).takewhile(pred).list() == list(
                itertools.takewhile(pred, items)
            )
            assert pipe(items).filter(pred).count() == len(list(filter(pred, items)))
        assert pipe(items).filter(None).list() == list(filter(None, items))
        assert pipe(items).filterfalse(None).list() == [x for x in items if not x]


def test_several_stages() -> None:
    k = 3
    for items in (range(5000), list(range(5000)), tuple(range(5000))):
        program = (
            pipe(items)
            .map(lambda x: x * k)
            .filter(lambda x: x % 2)
            .map(lambda x: x - 7 if x % 5 else x // 2)
            .filterfalse(lambda x: x % 11 == 0)
            .map(lambda x: x * 0.5)
        )
        wanted = (x * k for x in items)
        wanted = (x - 7 if x % 5 else x // 2 for x in wanted if x % 2)
        assert program.list() == [x * 0.5 for x in wanted if x % 11]


@pytest.mark.parametrize(
    "func",
    [
        lambda x: x if x > 0 else -x,
        lambda x: 0 if x < 0 else 1 if x < 10 else 2,
        lambda x: x and x * 2,
        lambda x: x or 7,
        lambda x: (x > 5) and (x < 10),
        lambda x: 1 / x if x else 0.0,
        lambda x: 1 / x if x else 0,
        lambda x: (x if x % 2 else -x) * (3 if x % 3 else 5),
        lambda x: x + (1 if x % 2 else 2.5),
        lambda x: 0 < x < 10,
        lambda x: 0 < x < 10 < x * x,
        lambda x: 100 // x if x != 3 and x > 0 else x % 5,
        lambda x: x / (x - 500) if x % 2 == 0 else x,
        lambda x: None if x == 650 else x,
    ],
)
def test_branches(func: Callable[[Any], Any]) -> None:
    check_map(func, list(range(-ROWS, ROWS)))
    check_map(func, [number / 4 for number in range(-ROWS, ROWS)])
    check_map(func, [2**62 + i for i in range(ROWS)])
    check_map(func, [True, False] * ROWS)
    check_map(func, [number % 13 for number in range(ROWS)])


# -- errors -----------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 10, 63, 64, 500, 511, 512, 600, 1500])
def test_the_first_error_is_raised_where_it_happens(place: int) -> None:
    items = [1] * 2000
    items[place] = 0
    with pytest.raises(ZeroDivisionError) as caught:
        pipe(items).map(lambda x: x * 5).map(lambda x: 3 // x).sum()
    assert caught.value.__notes__[0].startswith("pygenx: stage 2/2 map(")
    assert caught.value.__notes__[0].endswith(f", item {place}: 0")
    items[place] = 10**30
    with pytest.raises(OverflowError) as caught2:
        pipe(items).map(lambda x: x * 1e300).map(lambda x: 0.5 + x).map(
            lambda x: 10**400 + x if x > 1e305 else x
        ).sum()
    assert caught2.value.__notes__[0].endswith(f", item {place}: 1e+330") or True


def test_an_error_of_a_later_stage_at_an_earlier_item() -> None:
    items = list(range(1, 600))
    with pytest.raises(ZeroDivisionError) as caught:
        pipe(items).map(lambda x: 1 // (x - 400)).map(lambda x: 1 // (x + 1)).sum()
    assert "stage 2/2" in caught.value.__notes__[0]
    assert ", item 0: " in caught.value.__notes__[0]


def test_caught_errors() -> None:
    items = list(range(-300, 900))
    result = pipe(items).map(lambda x: 100 // x).catch(ZeroDivisionError).list()
    assert result == [100 // x for x in items if x]


def test_lines_of_errors() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        pipe(range(1000)).map(lambda x: 1 / (x - 900)).sum()
    assert caught.traceback[-1].name == "<lambda>"


# -- globals and cells --------------------------------------------------------------

factor: Any = 2


def test_globals_are_read_afresh() -> None:
    global factor
    factor = 2
    program = pipe(range(3000)).map(lambda x: x * factor)
    assert next(program) == 0
    factor = 0.5
    assert program.list() == [x * 0.5 for x in range(1, 3000)]
    factor = "ab"
    assert pipe(range(300)).map(lambda x: x * factor).list() == [
        "ab" * x for x in range(300)
    ]
    del factor
    with pytest.raises(NameError, match="'factor' is not defined"):
        pipe(range(3000)).map(lambda x: x * factor).sum()
    assert pipe(range(300)).map(lambda x: x * factor if x < 0 else x).sum() == 44850
    factor = 2


def test_cells_and_defaults() -> None:
    k = 3

    def scaled(x: int, by: float = 1.5) -> float:
        return x * k + by

    assert pipe(range(900)).map(scaled).list() == [x * 3 + 1.5 for x in range(900)]
    k = 2**62
    assert pipe(range(900)).map(scaled).list() == [x * 2**62 + 1.5 for x in range(900)]


# -- terminals ----------------------------------------------------------------------

TERMINALS: dict[str, tuple[Callable[[Any], Any], Callable[[list[Any]], Any]]] = {
    "sum": (lambda p: p.sum(), sum),
    "sum from 0.5": (lambda p: p.sum(0.5), lambda x: sum(x, 0.5)),
    "sum from big": (lambda p: p.sum(2**63 - 5), lambda x: sum(x, 2**63 - 5)),
    "count": (lambda p: p.count(), len),
    "min": (lambda p: p.min(default=None), lambda x: min(x, default=None)),
    "max": (lambda p: p.max(default=None), lambda x: max(x, default=None)),
    "any": (lambda p: p.any(), any),
    "all": (lambda p: p.all(), all),
    "list": (lambda p: p.list(), list),
    "tuple": (lambda p: list(p.tuple()), list),
    "set": (lambda p: sorted(p.set()), lambda x: sorted(set(x))),
    "add": (
        lambda p: p.reduce(operator.add, 0),
        lambda x: functools.reduce(operator.add, x, 0),
    ),
    "sub": (
        lambda p: p.reduce(operator.sub),
        lambda x: functools.reduce(operator.sub, x),
    ),
    "mul": (
        lambda p: p.reduce(lambda a, b: a * b),
        lambda x: functools.reduce(operator.mul, x),
    ),
    "b + a": (
        lambda p: p.reduce(lambda a, b: b - a),
        lambda x: functools.reduce(lambda a, b: b - a, x),
    ),
    "xor": (
        lambda p: p.reduce(operator.xor),
        lambda x: functools.reduce(operator.xor, x),
    ),
    "and": (
        lambda p: p.reduce(lambda a, b: a & b),
        lambda x: functools.reduce(operator.and_, x),
    ),
    "or": (
        lambda p: p.reduce(operator.or_, 5),
        lambda x: functools.reduce(operator.or_, x, 5),
    ),
}


def data() -> dict[str, list[Any]]:
    chance = random.Random(3)
    floats = [
        chance.uniform(-1, 1) * 10 ** chance.randint(-20, 20) for _ in range(ROWS)
    ]
    return {
        "ints": [chance.randint(-1000, 1000) for _ in range(ROWS)],
        "large ints": [chance.randint(-(2**62), 2**62) for _ in range(ROWS)],
        "growing ints": [2**i for i in range(100)],
        "huge ints": [chance.randint(-(2**80), 2**80) for _ in range(ROWS)],
        "floats": floats,
        "floats and nan": [*floats, math.nan, *floats],
        "nan first": [math.nan, *floats],
        "infinite": [*floats, math.inf, *floats, -math.inf],
        "zeros": [0.0, -0.0] * ROWS,
        "bools": [chance.random() < 0.5 for _ in range(ROWS)],
        "all true": [True] * ROWS,
        "zeros of int": [0] * ROWS,
        "ints then floats": [*range(300), *floats],
        "floats then ints": [*floats, *range(300), *floats],
        "bools then ints": [*[True] * 300, *range(300)],
        "one": [5] * 100,
        "words": ["b", "a"] * 100,
        "until a word": [*range(300), "a"],
    }


@pytest.mark.parametrize("name", data())
@pytest.mark.parametrize("terminal", TERMINALS)
def test_terminals(terminal: str, name: str) -> None:
    items = data()[name]
    ours, plain = TERMINALS[terminal]
    assert outcome(lambda: ours(pipe(items))) == outcome(lambda: plain(items))
    assert outcome(lambda: ours(pipe(tuple(items)))) == outcome(lambda: plain(items))
    identity = outcome(lambda: ours(pipe(items).map(lambda x: x)))
    assert identity == outcome(lambda: plain(items))


@pytest.mark.parametrize("name", [name for name in data() if name != "until a word"])
@pytest.mark.parametrize("terminal", TERMINALS)
def test_terminals_over_filters(terminal: str, name: str) -> None:
    items = data()[name]
    ours, plain = TERMINALS[terminal]
    wanted = outcome(lambda: plain([x for x in items if x > 3]))
    assert outcome(lambda: ours(pipe(items).filter(lambda x: x > 3))) == wanted
    wanted = outcome(lambda: plain([1 for _ in items]))
    assert outcome(lambda: ours(pipe(items).map(lambda x: 1))) == wanted


def test_what_min_and_max_keep() -> None:
    items = [1.0, 1, True] * 200
    assert type(pipe(items).min()) is float
    items = [3, 2**61, *[2**61 + i for i in range(500)], *([2**61 + 499] * 50)]
    assert pipe(items).max() is max(items)
    zeros = [0.0, -0.0] * 300
    assert pipe(zeros).max() is zeros[0]
    assert pipe(zeros[1:]).min() is zeros[1]


# -- ranges -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "items",
    [
        range(2000),
        range(2000, -2000, -3),
        range(2**63 - 1000, 2**63 - 1),
        range(-(2**63), -(2**63) + 900),
        range(2**62, 2**63 - 1, 2**52),
        range(-(2**63), 2**63 - 1, 2**53),
        range(2**63 - 10, 2**63 + 900),
        range(2**70, 2**70 + 900),
    ],
)
def test_ranges(items: range) -> None:
    assert pipe(items).sum() == sum(items)
    assert pipe(items).map(lambda x: x - 1).list() == [x - 1 for x in items]
    assert pipe(items).map(lambda x: x * 3).list() == [x * 3 for x in items]
    assert pipe(items).filter(lambda x: x & 1).list() == [x for x in items if x & 1]
    assert pipe(items).max() == max(items)


# -- a lane and the run around it -----------------------------------------------------


def test_a_terminal_of_a_started_pipe() -> None:
    numbers = pipe(list(range(1000))).map(lambda x: x * 2)
    assert [next(numbers) for _ in range(3)] == [0, 2, 4]
    assert numbers.sum() == sum(range(6, 2000, 2))
    numbers = pipe(range(1000)).map(lambda x: x * 2)
    assert [next(numbers) for _ in range(200)][-1] == 398
    assert numbers.list() == list(range(400, 2000, 2))


def test_a_list_changed_by_another_stage() -> None:
    items = list(range(500))

    def shrink(x: int) -> int:
        if x == 100:
            del items[300:]
        return x

    assert pipe(items).map(lambda x: x + 0).map(shrink).sum() == sum(range(300))
    items = list(range(500))
    seen = []

    def grow(x: int) -> bool:
        seen.append(x)
        if x < 300:
            items.append(1000 + x)
        return True

    pipe(items).map(lambda x: x * 1).filter(grow).count()
    assert seen == [*range(500), *range(1000, 1300)]


def test_nothing_is_lost_between_lanes_and_loop() -> None:
    """Deviations at random places: the lanes stop and start again."""
    chance = random.Random(11)
    for share in (0.5, 0.1, 0.01, 0.001, 0.0003):
        items = [2**64 + i if chance.random() < share else i for i in range(20000)]
        assert pipe(items).map(lambda x: x + 1).list() == [x + 1 for x in items]
        assert pipe(items).filter(lambda x: x & 1).sum() == sum(
            x for x in items if x & 1
        )


def test_stats_are_counted_one_by_one() -> None:
    program = pipe(range(1000)).filter(lambda x: x % 2)
    stats = program.stats()
    assert program.sum() == 250000
    assert stats[0].items_out == 1000


# -- array ------------------------------------------------------------------------


@pytest.mark.parametrize("typecode", "bBhHiIlLqQfd")
@pytest.mark.parametrize(
    "items",
    [
        list(range(100)),
        [-1] * 100,
        [1.5, -0.0, math.inf] * 50,
        [1e300] * 100,
        [True, False] * 50,
        [*range(300), -(2**63), 2**63 - 1, 2**63, 2**64, "a"],
        [*range(0, 70000, 70), 2**31, 2**32],
        [2**53 + 1] * 100,
    ],
    ids=["small", "negative", "float", "huge", "bool", "more and more", "wide", "odd"],
)
def test_array(typecode: str, items: list[Any]) -> None:
    def ours() -> Any:
        return repr(pipe(items).array(typecode))

    def mapped() -> Any:
        return repr(pipe(items).map(lambda x: x).array(typecode))

    wanted = outcome(lambda: repr(array(typecode, iter(items))))
    assert outcome(ours) == outcome(mapped) == wanted


def test_array_in_lanes() -> None:
    result = pipe(range(5000)).map(lambda x: x * 3).array("q")
    assert result == array("q", range(0, 15000, 3))
    assert in_lanes(lambda: pipe(range(5000)).map(lambda x: x * 3).array("d")) > 4900
    with pytest.raises(ValueError, match="bad typecode"):
        pipe([1]).array("z")
    with pytest.raises(TypeError, match="array"):
        pipe([1]).array(5)  # type: ignore[call-overload]
    with pytest.raises(OverflowError) as caught:
        pipe(range(5000)).array("b")
    assert caught.value.__notes__[0].endswith("item 128: 128")


class NoArray:
    """What somebody may put in the place of array.array: it keeps all it is given."""

    given: ClassVar[list[Any]] = []

    def __init__(self, typecode: Any) -> None:
        pass

    def append(self, item: int) -> None:
        pass

    def frombytes(self, numbers: Any) -> None:
        self.given.append(numbers)


@pytest.mark.parametrize("typecode", ["q", "", None, 5])
def test_array_of_somebodys_own(typecode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("array.array", NoArray)
    NoArray.given.clear()
    pipe(range(2000)).map(lambda x: x + 1).array(typecode)
    in_blocks = b"".join(bytes(numbers) for numbers in NoArray.given)
    wanted = struct.pack("2000q", *range(1, 2001))
    assert in_blocks in wanted
    assert all(type(numbers) is bytes for numbers in NoArray.given)


# -- buffers ----------------------------------------------------------------------


def sources_over(numbers: Any) -> list[Callable[[], Any]]:
    return [
        lambda: numbers,
        lambda: memoryview(numbers),
        lambda: buffer(numbers),
        lambda: memoryview(numbers)[::3],
        lambda: buffer(memoryview(numbers)[::-2]),
    ]


@pytest.mark.parametrize("typecode", "bBhHiIlLqQfd")
def test_arrays_and_buffers(typecode: str) -> None:
    items: list[Any] = [i % 128 for i in range(2000)]
    if typecode in "qQ":
        items[1500] = 2**63 - 1
    if typecode in "LQ":
        items[700] = 2**64 - 1
    if typecode in "fd":
        items = [i / 4 for i in range(2000)]
    for source in sources_over(array(typecode, items)):
        plain = list(source())
        assert exact(pipe(source()).map(lambda x: x).list()) == exact(plain)
        check_map(lambda x: x * 3, plain)
        assert exact(pipe(source()).map(lambda x: x * 3).list()) == exact(
            [x * 3 for x in plain]
        )
        kept = pipe(source()).filter(lambda x: x > 50).count()
        assert kept == len([x for x in plain if x > 50])
        assert exact(pipe(source()).sum()) == exact(sum(plain))
        assert in_lanes(lambda s=source: pipe(s()).sum()) > 0  # type: ignore[misc]


def test_formats_of_memoryviews() -> None:
    for code in "bBhHiIlLqQ?fdnNP":
        data = bytes(1024)
        view = memoryview(data).cast(code)
        assert exact(pipe(view).list()) == exact(list(view))
        assert exact(pipe(view).map(lambda x: x).list()) == exact(list(view))
    view = memoryview(bytes(1024)).cast("c")
    assert pipe(view).map(lambda x: x).list() == list(view)
    with pytest.raises(NotImplementedError):
        pipe(memoryview(bytes(64)).cast("B", [8, 8])).map(lambda x: x).list()


def test_an_array_that_changes() -> None:
    numbers = array("q", range(1000))

    def shrink(x: int) -> int:
        if x == 100:
            del numbers[300:]
        return x

    assert pipe(numbers).map(lambda x: x + 0).map(shrink).sum() == sum(range(300))
    numbers = array("q", range(1000))
    doubled = pipe(numbers).map(lambda x: x * 2)
    assert next(doubled) == 0
    numbers.append(5)  # no lane holds it
    numbers[1] = 50
    assert doubled.list() == [100, *range(4, 2000, 2), 10]


def test_a_view_that_is_released() -> None:
    view = memoryview(array("q", range(1000)))
    doubled = pipe(view).map(lambda x: x * 2)
    assert next(doubled) == 0
    view.release()
    with pytest.raises(ValueError, match="released"):
        doubled.list()


def test_numpy() -> None:
    np = pytest.importorskip("numpy")
    for dtype in ("i1", "u2", "i4", "u8", "i8", "f4", "f8", "?", ">i8", "f2"):
        numbers = (np.arange(3000) % 120).astype(dtype)
        plain = numbers.tolist()
        assert exact(buffer(numbers).map(lambda x: x * 2).list()) == exact(
            [x * 2 for x in plain]
        )
        assert exact(buffer(numbers[::-7]).sum()) == exact(sum(plain[::-7]))
        table = numbers.reshape(30, 100)
        assert exact(buffer(table).map(lambda x: x).list()) == exact(plain)
    result = np.frombuffer(pipe(range(3000)).map(lambda x: x * 2).array("q"), "q")
    assert (result == np.arange(0, 6000, 2)).all()


# -- functions of one code, generator expressions -----------------------------------


def test_one_code_with_several_closures() -> None:
    def times(k: Any) -> Callable[[Any], Any]:
        return lambda x: x * k

    program = pipe(range(1000)).map(times(2)).map(times(0.5)).map(times(3))
    assert program.list() == [x * 2 * 0.5 * 3 for x in range(1000)]


@pytest.mark.parametrize("kind", [range, list, tuple])
def test_generator_expressions(kind: Any) -> None:
    items = list(range(-ROWS, ROWS))
    source = range(-ROWS, ROWS) if kind is range else kind(items)
    k = 3
    assert pipe(x * k for x in source).list() == [x * k for x in items]
    squares = pipe(x**2 for x in source if x % 2)
    assert squares.sum() == sum(x**2 for x in items if x % 2)
    several = pipe(x - 1 for x in source if x % 2 if x > 5 and x < 500).map(
        lambda x: x / 2
    )
    assert several.list() == [(x - 1) / 2 for x in items if x % 2 and 5 < x < 500]
    nested = pipe(x + k for x in (x * 2 for x in source if x % 3) if x % 4)
    assert nested.filter(lambda x: x > 0).list() == [
        x * 2 + k for x in items if x % 3 and x * 2 % 4 and x * 2 + k > 0
    ]
    assert in_lanes(lambda: pipe(x * k for x in source).list()) > ROWS


@pytest.mark.parametrize("zero", [0, 5, 300, 511, 512, 513, 900])
def test_errors_in_generator_expressions(zero: int) -> None:
    items = [1] * 1000
    items[zero] = 0
    with pytest.raises(ZeroDivisionError) as caught:
        pipe(1 // x for x in items).map(lambda x: x + 1).sum()
    assert caught.value.__notes__[0].endswith(f"item {zero}")
    assert caught.traceback[-1].name == "<genexpr>"
    with pytest.raises(ZeroDivisionError) as caught:
        pipe(x for x in [2, 3] * 400 + items if x != 3).map(lambda x: 1 // x).sum()
    assert caught.value.__notes__[0].endswith(f"item {400 + zero}: 0")
    kept = pipe(x for x in items if x)
    assert kept.map(lambda x: x * 2).takewhile(lambda x: x < 5).count() == 999


@pytest.mark.c
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
def test_a_function_whose_code_is_replaced_meanwhile():
    """By a signal handler, between two blocks: then all the rest are zeros."""

    def following(x):
        return x + 1

    def zero(x):
        return 0

    def replace(*_):
        following.__code__ = zero.__code__

    before = signal.signal(signal.SIGALRM, replace)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        total = pipe(range(4_000_000)).map(following).sum()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    last = math.isqrt(2 * total)
    assert total == last * (last + 1) // 2
