"""Stages that give windows, parts, groups and leaves, against the peers.

Pulled from outside, and for the leaves and the groups drained (`.list()`), too.
"""

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, groupby, islice, pairwise, repeat
from typing import Any

from benchmarks.cases import DRAIN, LOOP, Case, Rival, Sink, drain, ints, optional
from pygenx import pipe

RECIPE = "islice recipe"
GENERATOR = "generator"
TUPLES = Sink(drain, lambda windows: [tuple(window) for window in windows])
LISTS = Sink(drain, lambda parts: [list(part) for part in parts])


def tool(module: str, name: str, *args: Any) -> dict[str, Rival]:
    return optional(module, name, lambda tool: lambda data: tool(data, *args))


def by_deque(data: Iterable[Any], n: int, step: int = 1) -> Iterator[tuple[Any, ...]]:
    """The usual recipe; a last window that is not full is left out."""
    iterator = iter(data)
    window = deque(islice(iterator, n), maxlen=n)
    while len(window) == n:
        yield tuple(window)
        more = list(islice(iterator, step))
        if len(more) < step:
            return
        window.extend(more)


def windows_of(n: int) -> dict[str, Rival]:
    return {
        "pygenx": lambda data: pipe(data).sliding_window(n),
        RECIPE: partial(by_deque, n=n),
        **tool("more_itertools", "sliding_window", n),
        **optional("toolz", "sliding_window", lambda tool: partial(tool, n)),
        **optional("cytoolz", "sliding_window", lambda tool: partial(tool, n)),
        **tool("iteration_utilities", "successive", n),
    }


def padded(data: list[Any], n: int, step: int) -> Iterable[Any]:
    """So that the last window is full."""
    over = (len(data) - n) % step
    short = step - over if over + n > step and over else 0
    return chain(data, repeat(None, short if len(data) > n else n - len(data)))


def windowed(n: int, step: int) -> Case:
    return Case(
        f"windowed({n}, step={step})",
        ints,
        {
            "pygenx": lambda data: pipe(data).windowed(n, step=step),
            RECIPE: lambda data: by_deque(padded(data, n, step), n, step),
            **tool("more_itertools", "windowed", n, None, step),
        },
        (RECIPE,),
        TUPLES,
        goals={"more_itertools.windowed": 2.5},
        headline=f"`windowed({n})`" if step == 1 else "",
    )


def pairs() -> dict[str, Rival]:
    return {"pygenx": lambda data: pipe(data).pairwise(), "itertools": pairwise}


# -- parts -----------------------------------------------------------------------


def runs(size: int) -> list[int]:
    return [number // 7 for number in range(size)]


def remainders(size: int) -> list[int]:
    return [number * 37 % 101 % 7 for number in range(size)]


differ: Callable[[int, int], bool] = lambda item, after: item != after  # noqa: E731
is_seven: Callable[[int], bool] = lambda item: item % 7 == 0  # noqa: E731


def cut_when(pred: Callable[[Any, Any], Any], data: list[Any]) -> Iterator[list[Any]]:
    """For data that is not empty."""
    part = data[:1]
    for before, item in pairwise(data):
        if pred(before, item):
            yield part
            part = []
        part.append(item)
    yield part


def cut_at(pred: Callable[[Any], Any], data: list[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for item in data:
        if pred(item):
            yield part
            part = []
        else:
            part.append(item)
    yield part


def split_when(name: str, pred: Callable[[int, int], Any], goal: float) -> Case:
    return Case(
        f"split_when({name})",
        runs,
        {
            "pygenx": lambda data: pipe(data).split_when(pred),
            GENERATOR: partial(cut_when, pred),
            **tool("more_itertools", "split_when", pred),
        },
        (GENERATOR,),
        LISTS,
        goals={"more_itertools.split_when": goal},
        headline=f"`split_when({name})`",
    )


def split_at(name: str, pred: Callable[[int], Any]) -> Case:
    return Case(
        f"split_at({name})",
        remainders,
        {
            "pygenx": lambda data: pipe(data).split_at(pred),
            GENERATOR: partial(cut_at, pred),
            **tool("more_itertools", "split_at", pred),
            **tool("iteration_utilities", "split", pred),
        },
        (GENERATOR,),
        LISTS,
    )


def take(iterator: Iterator[Any], n: int) -> list[Any]:
    return list(islice(iterator, n))


# -- groups, leaves --------------------------------------------------------------


def lists_of_groups(data: Iterable[int]) -> Iterator[tuple[int, list[int]]]:
    return ((key, list(group)) for key, group in groupby(data, abs))


def recursive(data: Any) -> Iterator[Any]:
    for item in data:
        if isinstance(item, list | tuple):
            yield from recursive(item)
        else:
            yield item


def trees(size: int) -> list[Any]:
    return [[i, (i, [i, i]), i] for i in range(size // 5)]


def flat(size: int) -> list[list[int]]:
    return [[i] * 10 for i in range(size // 10)]


def leaves(name: str, setup: Callable[[int], Any], headline: str = "") -> list[Case]:
    rivals: dict[str, Rival] = {
        "pygenx": lambda data: pipe(data).collapse(),
        GENERATOR: recursive,
        **tool("more_itertools", "collapse"),
        **tool("iteration_utilities", "deepflatten"),
    }
    goals = {"more_itertools.collapse": 4.0}
    drained: dict[str, Rival] = {
        rival: lambda data, use=use: list(use(data))  # type: ignore[misc]
        for rival, use in rivals.items()
    }
    drained["pygenx"] = lambda data: pipe(data).collapse().list()
    return [
        Case(f"{name}, pull", setup, rivals, (GENERATOR,), DRAIN, goals=goals),
        Case(
            f"{name}, drain",
            setup,
            drained,
            (GENERATOR,),
            goals=goals,
            headline=headline,
        ),
    ]


CASES = [
    *(
        Case(
            f"sliding_window({n}), {how}",
            ints,
            windows_of(n),
            (RECIPE,),
            Sink(sink.timed, TUPLES.check),
            goals={"more_itertools.sliding_window": 2.5} if n == 30 else {},
            headline="`sliding_window(30)`" if (n, how) == (30, "for") else "",
        )
        for n in (2, 3, 30)
        for how, sink in (("pull", TUPLES), ("for", LOOP))
    ),
    windowed(3, 1),
    windowed(30, 1),
    windowed(3, 2),
    windowed(3, 5),
    Case("pairwise, pull", ints, pairs(), ("itertools",), TUPLES),
    Case(
        "pairwise, for", ints, pairs(), ("itertools",), Sink(LOOP.timed, TUPLES.check)
    ),
    split_when("operator.ne", operator.ne, 2.5),
    split_when("lambda", differ, 1.5),
    split_at("operator.not_", operator.not_),
    split_at("lambda", is_seven),
    Case(
        "groupby(abs) to lists",
        runs,
        {
            "pygenx": lambda data: pipe(data).groupby(abs),
            "itertools": lists_of_groups,
        },
        ("itertools",),
        DRAIN,
    ),
    Case(
        "chunked(10)",
        ints,
        {
            "pygenx": lambda data: pipe(data).chunked(10),
            RECIPE: lambda data: iter(partial(take, iter(data), 10), []),
            **tool("more_itertools", "chunked", 10),
        },
        (RECIPE,),
        LISTS,
    ),
    *leaves("collapse, nested", trees, "`collapse()`, nested lists and tuples"),
    *leaves("collapse, flat", flat),
]
