"""The push driver, fold and feed: values sent, against generator coroutines."""

import operator
from collections.abc import Callable, Generator, Iterable
from functools import partial, reduce
from typing import Any

from benchmarks.cases import Case, ints
from pygenx import Pipeline, feed, fold


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


# -- three stages, driven by the producer ----------------------------------------------

Coroutine = Generator[Any, Any, Any]
is_odd = partial(operator.and_, 1)
plus_one: Callable[[int], int] = lambda item: item + 1  # noqa: E731
odd: Callable[[int], int] = lambda item: item & 1  # noqa: E731
double: Callable[[int], int] = lambda item: item * 2  # noqa: E731


def mapping(func: Callable[[Any], Any], target: Coroutine) -> Coroutine:
    send = advanced(target).send
    while True:
        send(func((yield)))


def filtering(pred: Callable[[Any], Any], target: Coroutine) -> Coroutine:
    send = advanced(target).send
    while True:
        item = yield
        if pred(item):
            send(item)


def counting(target: Coroutine) -> Coroutine:
    send = advanced(target).send
    index = 0
    while True:
        send((index, (yield)))
        index += 1


def dropping(n: int, target: Coroutine) -> Coroutine:
    send = advanced(target).send
    for _ in range(n):
        yield
    while True:
        send((yield))


def batching(n: int, target: Coroutine) -> Coroutine:
    send = advanced(target).send
    batch: list[Any] = []
    try:
        while True:
            batch.append((yield))
            if len(batch) == n:
                send(tuple(batch))
                batch = []
    except GeneratorExit:
        if batch:
            send(tuple(batch))


def appending(out: list[Any]) -> Coroutine:
    append = out.append
    while True:
        append((yield))


def sent(make: Callable[[list[Any]], Any], data: Iterable[Any]) -> list[Any]:
    """What comes out of a coroutine over `out` that is sent all items and closed."""
    out: list[Any] = []
    target = make(out)
    send = target.send
    for item in data:
        send(item)
    target.close()
    return out


def three(
    name: str, ours: Callable[[Any], Any], chain: Callable[[Coroutine], Coroutine]
) -> Case:
    """The stages of `ours` against coroutines, each of which sends to the next."""
    return Case(
        f"three stages, {name}",
        ints,
        {
            "pygenx": lambda data: sent(lambda out: ours(out.append), data),
            "generator coroutines": lambda data: sent(
                lambda out: advanced(chain(appending(out))), data
            ),
        },
        ("generator coroutines",),
        goals={"generator coroutines": 3.0},
        headline=f"a push through three stages, {name}",
    )


CASES = [
    three(
        "C functions",
        Pipeline().map(operator.neg).filter(is_odd).map(abs).into,
        lambda end: mapping(operator.neg, filtering(is_odd, mapping(abs, end))),
    ),
    three(
        "lambdas",
        Pipeline().map(plus_one).filter(odd).map(double).into,
        lambda end: mapping(plus_one, filtering(odd, mapping(double, end))),
    ),
    three(
        "native",
        Pipeline().drop(10).enumerate().batched(4).into,
        lambda end: dropping(10, counting(batching(4, end))),
    ),
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
