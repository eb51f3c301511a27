"""grouping: a coroutine that gives finished groups, against generator coroutines."""

from collections.abc import Callable, Generator
from typing import Any

from benchmarks.cases import Case
from pygenx import feed, grouping

Key = Callable[[Any], Any]
Group = tuple[Any, list[Any]]


def decades(item: int) -> int:
    return item // 10


def runs_of_ten(size: int) -> list[int]:
    return [number // 10 for number in range(size)]


# -- the generator coroutines ---------------------------------------------------


def coroutine(key: Key) -> Generator[Group | None, Any, Group]:
    """send(item) gives the group that the item ended, or None; the last is returned."""
    item = yield None
    current = key(item)
    items = [item]
    finished = None
    try:
        while True:
            item = yield finished
            finished = None
            if (new := key(item)) != current:
                finished = (current, items)
                current, items = new, []
            items.append(item)
    except GeneratorExit:
        return current, items


def coroutine_of_pairs() -> Generator[Group | None, Any, Group]:
    """The same, but each send brings (item, key function)."""
    item, key = yield None
    current = key(item)
    items = [item]
    finished = None
    try:
        while True:
            item, key = yield finished
            finished = None
            if (new := key(item)) != current:
                finished = (current, items)
                current, items = new, []
            items.append(item)
    except GeneratorExit:
        return current, items


def collector(groups: list[Group]) -> Generator[None, Group, None]:
    """A sink: keeps the groups that it is sent."""
    while True:
        groups.append((yield))


def coroutine_into(
    key: Key, sink: Generator[None, Group, None]
) -> Generator[None, Any, None]:
    """Each finished group is sent to `sink`."""
    item = yield
    current = key(item)
    items = [item]
    try:
        while True:
            item = yield
            if (new := key(item)) != current:
                sink.send((current, items))
                current, items = new, []
            items.append(item)
    except GeneratorExit:
        sink.send((current, items))


# -- driving them ----------------------------------------------------------------


def driven(primed: Any, data: list[Any]) -> list[Group]:
    """The groups finished while the items were sent (the last group stays inside)."""
    send = primed.send
    return [group for item in data if (group := send(item)) is not None]


def advanced(target: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    next(target)
    return target


def with_key(key: Key) -> Callable[[list[int]], list[tuple[int, Key]]]:
    return lambda data: [(item, key) for item in data]


def fed_by_pygenx(data: list[int]) -> list[Group]:
    groups: list[Group] = []
    feed(data, grouping(decades, sink=advanced(collector(groups))))
    return groups


def fed_by_hand(data: list[int]) -> list[Group]:
    groups: list[Group] = []
    target = advanced(coroutine_into(decades, advanced(collector(groups))))
    for item in data:
        target.send(item)
    target.close()
    return groups


def keyed(
    name: str, key: Key, setup: Callable[[int], list[int]], headline: str = ""
) -> Case:
    return Case(
        name,
        setup,
        {
            "pygenx": lambda data: driven(grouping(key, keep=False), data),
            "generator coroutine": lambda data: driven(advanced(coroutine(key)), data),
        },
        ("generator coroutine",),
        headline=headline,
    )


CASES = [
    keyed("send(item), C key", abs, runs_of_ten, "`grouping` coroutine, key in C"),
    keyed("send(item), Python key", decades, lambda size: list(range(size))),
    Case(
        "send((item, key))",
        lambda size: with_key(abs)(runs_of_ten(size)),
        {
            "pygenx": lambda data: driven(grouping(keep=False), data),
            "generator coroutine": lambda data: driven(
                advanced(coroutine_of_pairs()), data
            ),
        },
        ("generator coroutine",),
    ),
    Case(
        "fed into a sink",
        lambda size: list(range(size)),
        {"pygenx": fed_by_pygenx, "generator coroutine": fed_by_hand},
        ("generator coroutine",),
    ),
]
