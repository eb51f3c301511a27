"""primed: calling a generator function and advancing it to its first yield."""

from collections.abc import Callable, Generator
from functools import wraps
from itertools import repeat
from typing import Any

from benchmarks.cases import Case, Rival, optional
from pygenx import primed

Function = Callable[..., Generator[Any, Any, Any]]

GOALS = {"inline next": 1 / 1.15}  # at most 1.15x the cost of an inline next()


def receiver() -> Generator[None, Any, None]:
    while True:
        yield


def labelled(
    name: str, size: int, *, strict: bool = False
) -> Generator[None, Any, None]:
    while name and size and not strict:
        yield


def by_wraps(func: Function) -> Function:
    """The decorator that everyone writes."""

    @wraps(func)
    def started(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = func(*args, **kwargs)
        next(generator)
        return generator

    return started


def calls(func: Function) -> Rival:
    def run(size: int) -> None:
        for _ in repeat(None, size):
            func()

    return run


def calls_with_arguments(func: Function) -> Rival:
    def run(size: int) -> None:
        for _ in repeat(None, size):
            func("a", 3, strict=False)

    return run


def inline(size: int) -> None:
    for _ in repeat(None, size):
        generator = receiver()
        next(generator)


def inline_with_arguments(size: int) -> None:
    for _ in repeat(None, size):
        generator = labelled("a", 3, strict=False)
        next(generator)


def case(
    name: str,
    func: Function,
    called: Callable[[Function], Rival],
    by_hand: Rival,
    headline: str = "",
) -> Case:
    return Case(
        name,
        int,
        {
            "pygenx": called(primed(func)),
            "inline next": by_hand,
            "wraps decorator": called(by_wraps(func)),
            **optional(
                "more_itertools", "consumer", lambda consumer: called(consumer(func))
            ),
        },
        ("inline next", "wraps decorator"),
        size=1000,
        unit="call",
        goals=GOALS,
        headline=headline,
    )


CASES = [
    case("call", receiver, calls, inline, "a call of a `primed` generator function"),
    case("call with arguments", labelled, calls_with_arguments, inline_with_arguments),
]
