"""fold and feed: values sent into a running result, against generator coroutines."""

import operator
from collections.abc import Callable, Generator, Iterable
from functools import reduce
from typing import Any

from benchmarks.cases import Case, ints
from pygenx import feed, fold


def folding(func: Callable[[Any, Any], Any], total: Any) -> Generator[Any, Any, Any]:
    """send(value) gives the new total; the total is also the return value."""
    try:
        while True:
            total = func(total, (yield total))
    except GeneratorExit:
        return total


def collecting() -> Generator[None, Any, int]:
    """A plain generator target: counts what it is sent and returns the count."""
    count = 0
    try:
        while True:
            yield
            count += 1
    except GeneratorExit:
        return count


def advanced(target: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    next(target)
    return target


def last_answer(target: Any, data: Iterable[Any]) -> Any:
    """What the last send gave: the loop of a producer that has one value at a time."""
    send = target.send
    answer = None
    for item in data:
        answer = send(item)
    return answer


def returned(target: Generator[Any, Any, Any]) -> Any:
    """A generator's return value on every version (close() gives it from 3.13 on)."""
    try:
        target.throw(GeneratorExit)
    except StopIteration as stop:
        return stop.value
    return None


def feed_by_hand(data: Iterable[Any], target: Generator[Any, Any, Any]) -> Any:
    next(target)
    send = target.send
    for item in data:
        send(item)
    return returned(target)


def larger(first: int, second: int) -> int:
    return first if first > second else second


CASES = [
    Case(
        "fold(add), sent one by one",
        ints,
        {
            "pygenx": lambda data: last_answer(fold(operator.add, 0), data),
            "generator coroutine": lambda data: last_answer(
                advanced(folding(operator.add, 0)), data
            ),
        },
        ("generator coroutine",),
        headline="`fold(operator.add, 0)`, values sent one by one",
    ),
    Case(
        "feed(range, fold(add))",
        range,
        {
            "pygenx": lambda data: feed(data, fold(operator.add, 0)),
            "generator coroutine": lambda data: feed_by_hand(
                data, folding(operator.add, 0)
            ),
            "functools.reduce": lambda data: reduce(operator.add, data, 0),
        },
        ("generator coroutine", "functools.reduce"),
        headline="`feed(range, fold(operator.add, 0))`",
    ),
    Case(
        "feed(list, fold(Python function))",
        ints,
        {
            "pygenx": lambda data: feed(data, fold(larger, 0)),
            "generator coroutine": lambda data: feed_by_hand(data, folding(larger, 0)),
            "functools.reduce": lambda data: reduce(larger, data, 0),
        },
        ("generator coroutine", "functools.reduce"),
    ),
    Case(
        "feed(list, a generator)",
        ints,
        {
            "pygenx": lambda data: feed(data, collecting()),
            "loop over send": lambda data: feed_by_hand(data, collecting()),
        },
        ("loop over send",),
    ),
    Case(
        "five values, fed and finished",
        lambda size: [range(1, 6)] * size,
        {
            "pygenx": lambda sources: [
                feed(source, fold(operator.add, 0)) for source in sources
            ],
            "generator coroutine": lambda sources: [
                feed_by_hand(source, folding(operator.add, 0)) for source in sources
            ],
        },
        ("generator coroutine",),
        size=1000,
        unit="fold",
    ),
]
