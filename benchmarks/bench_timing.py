"""timing: what the measuring itself costs, without a report."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import repeat
from time import perf_counter, perf_counter_ns
from typing import Any

from benchmarks.cases import Case
from pygenx import timing

WITH_GOAL = 6.0 if sys.version_info < (3, 13) else 5.0


class Elapsed:
    """What the hand-written rivals fill in."""

    elapsed = 0.0


@contextmanager
def by_contextlib() -> Iterator[Elapsed]:
    result = Elapsed()
    start = perf_counter()
    try:
        yield result
    finally:
        result.elapsed = perf_counter() - start


class Stopwatch:
    """The leanest context manager that Python can write."""

    __slots__ = ("elapsed_ns", "start")

    def __enter__(self) -> "Stopwatch":
        self.start = perf_counter_ns()
        return self

    def __exit__(self, *error: object) -> None:
        self.elapsed_ns = perf_counter_ns() - self.start


def blocks(make: Callable[[], Any]) -> Callable[[int], None]:
    def run(size: int) -> None:
        for _ in repeat(None, size):
            with make():
                pass

    return run


def pygenx_blocks(size: int) -> None:
    for _ in repeat(None, size):
        with timing(report=None):
            pass


def blocks_of_one(timer: Any) -> Callable[[int], None]:
    def run(size: int) -> None:
        for _ in repeat(None, size):
            with timer:
                pass

    return run


def by_wraps(func: Callable[..., Any]) -> Callable[..., Any]:
    """A timing decorator as everyone writes it."""
    laps: list[float] = [0.0]

    @wraps(func)
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = perf_counter()
        try:
            return func(*args, **kwargs)
        finally:
            laps[0] += perf_counter() - start

    return timed


def nothing() -> None:
    pass


def calls(func: Callable[[], Any]) -> Callable[[int], None]:
    def run(size: int) -> None:
        for _ in repeat(None, size):
            func()

    return run


CASES = [
    Case(
        "with, new each time",
        int,
        {
            "pygenx": pygenx_blocks,
            "contextlib": blocks(by_contextlib),
            "class": blocks(Stopwatch),
        },
        ("contextlib", "class"),
        size=1000,
        unit="block",
        goals={"contextlib": WITH_GOAL},
        headline="`with timing(report=None)`",
    ),
    Case(
        "with, one reused",
        int,
        {
            "pygenx": blocks_of_one(timing(report=None)),
            "class": blocks_of_one(Stopwatch()),
        },
        ("class",),
        size=1000,
        unit="block",
    ),
    Case(
        "decorated function",
        int,
        {
            "pygenx": calls(timing(report=None)(nothing)),
            "wraps decorator": calls(by_wraps(nothing)),
        },
        ("wraps decorator",),
        size=1000,
        unit="call",
        headline="a function decorated by `timing`",
    ),
]
