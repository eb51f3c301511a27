"""Errors, clean-up and seeing inside: what it costs when nothing happens.

Rivals are the tools of more_itertools, the try block in a generator that does the same,
tqdm around a map and the same pipe without the stage.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from benchmarks.cases import (
    DRAIN,
    NEVER_SLOWER,
    Case,
    Rival,
    generator,
    ints,
    optional,
    texts,
)
from pygenx import iter_suppress, map_except, pipe, side_effect

WITHOUT = "the same pipe without"
PLAIN = "generator function"
Func = Callable[[Any], Any]
LONG = 200_000  # a bar costs as much as thousands of items to make

triple: Func = lambda item: item * 3  # noqa: E731


def ignored(item: Any) -> None:
    pass


def mixed(size: int) -> list[str]:
    """A tenth of it is no number."""
    return ["x" if number % 10 == 0 else str(number) for number in range(size)]


def plain_except(
    func: Func, items: Iterable[Any], error: type[Exception]
) -> Iterator[Any]:
    for item in items:
        try:
            value = func(item)
        except error:
            continue
        yield value


def plain_suppress(items: Iterable[Any], error: type[Exception]) -> Iterator[Any]:
    with suppress(error):
        yield from items


def plain_tap(func: Func, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        func(item)
        yield item


def plain_close(items: Iterable[Any], func: Callable[[], Any]) -> Iterator[Any]:
    try:
        yield from items
    finally:
        func()


def tripled(items: Iterable[int]) -> Iterator[int]:
    for item in items:
        yield item * 3


def counted(p: Any, method: str) -> Any:
    getattr(p, method)()
    return p


def against(
    name: str,
    setup: Callable[[int], Any],
    pygenx: Rival,
    plain: Rival,
    peers: dict[str, Rival] | None = None,
    goal: float = NEVER_SLOWER,
) -> Case:
    """The goal is for the best peer, and where there is none for the generator."""
    peers = peers or {}
    return Case(
        name,
        setup,
        {"pygenx": pygenx, PLAIN: plain, **peers},
        (PLAIN,),
        DRAIN,
        goals=dict.fromkeys(peers or [PLAIN], goal),
        headline="`side_effect` of a Python function" if "side" in name else "",
    )


def cost(name: str, with_it: Rival, least: float = 0.9, size: int = 10_000) -> Case:
    """The same pipe with something on it and without: below 1 is what it costs."""
    without = lambda data: pipe(data).map(triple).list()  # noqa: E731
    return Case(
        f"{name}, against a pipe without",
        ints,
        {"pygenx": with_it, WITHOUT: without},
        (WITHOUT,),
        size=size,
        goals={WITHOUT: least} if least else {},
    )


def silent() -> io.StringIO:
    return io.StringIO()


CASES = [
    against(
        "map(int).catch() that catches nothing",
        texts,
        lambda data: pipe(data).map(int).catch(ValueError),
        lambda data: plain_except(int, data, ValueError),
        optional(
            "more_itertools",
            "map_except",
            lambda tool: lambda data: tool(int, data, ValueError),
        ),
    ),
    against(
        "map(int).catch(), an error in ten",
        mixed,
        lambda data: pipe(data).map(int).catch(ValueError),
        lambda data: plain_except(int, data, ValueError),
        optional(
            "more_itertools",
            "map_except",
            lambda tool: lambda data: tool(int, data, ValueError),
        ),
    ),
    against(
        "map_except(int)",
        texts,
        lambda data: map_except(int, data, ValueError),
        lambda data: plain_except(int, data, ValueError),
        optional(
            "more_itertools",
            "map_except",
            lambda tool: lambda data: tool(int, data, ValueError),
        ),
    ),
    against(
        "map_except(int), an error in ten",
        mixed,
        lambda data: map_except(int, data, ValueError),
        lambda data: plain_except(int, data, ValueError),
        optional(
            "more_itertools",
            "map_except",
            lambda tool: lambda data: tool(int, data, ValueError),
        ),
    ),
    against(
        "iter_suppress() of a generator",
        ints,
        lambda data: iter_suppress(generator(data), ValueError),
        lambda data: plain_suppress(generator(data), ValueError),
        optional(
            "more_itertools",
            "iter_suppress",
            lambda tool: lambda data: tool(generator(data), ValueError),
        ),
    ),
    against(
        "side_effect(Python function)",
        ints,
        lambda data: side_effect(ignored, data),
        partial(plain_tap, ignored),
        optional("more_itertools", "side_effect", lambda tool: partial(tool, ignored)),
        goal=2.5,
    ),
    against(
        "on_close()",
        ints,
        lambda data: pipe(data).map(triple).on_close(list),
        lambda data: plain_close(map(triple, data), list),
    ),
    Case(
        "map, through(a generator), map",
        ints,
        {
            "pygenx": lambda data: pipe(data).map(triple).through(tripled).map(triple),
            "builtin stack": lambda data: map(triple, tripled(map(triple, data))),
        },
        ("builtin stack",),
        DRAIN,
        goals={"builtin stack": 0.97},
    ),
    Case(
        "progress()",
        ints,
        {
            "pygenx": lambda data: pipe(data).map(triple).progress(file=silent()),
            "map without a bar": lambda data: map(triple, data),
            **optional(
                "tqdm",
                "tqdm",
                lambda tqdm: lambda data: tqdm(map(triple, data), file=silent()),
            ),
        },
        ("map without a bar",),
        DRAIN,
        size=LONG,
        goals={"map without a bar": 0.9},
    ),
    cost(
        "progress()",
        lambda data: pipe(data).map(triple).progress(file=silent()).list(),
        0.95,
        LONG,
    ),
    cost(
        "an idle catch()", lambda data: pipe(data).map(triple).catch(ValueError).list()
    ),
    cost("on_close()", lambda data: pipe(data).map(triple).on_close(list).list()),
    cost("stats()", lambda data: counted(pipe(data).map(triple), "stats").list(), 0),
    cost(
        "profile()", lambda data: counted(pipe(data).map(triple), "profile").list(), 0
    ),
]
