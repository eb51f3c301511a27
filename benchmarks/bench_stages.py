"""Every stage, pulled (an iterator drained from outside) and drained (`.list()`).

Most callables are opaque: C functions, or a Python function too big for anything but a
call. Rivals are the stack of builtin and itertools iterators, the generator expression
and, for the drain, the comprehension.
"""

import operator
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import (
    accumulate,
    chain,
    compress,
    count,
    dropwhile,
    filterfalse,
    groupby,
    islice,
    repeat,
    starmap,
    takewhile,
)
from typing import Any

from benchmarks.cases import (
    DRAIN,
    OPAQUE,
    Case,
    Rival,
    generator,
    ints,
    optional,
    pairs,
    texts,
)
from pygenx import Pipeline, pipe

STACK = "builtin stack"
GENEXPR = "genexpr"
COMPREHENSION = "comprehension"


@dataclass(frozen=True)
class Work:
    """A program in each spelling; all give an iterator, but `comprehension` a list."""

    name: str
    setup: Callable[[int], Any]
    pygenx: Rival
    stack: Rival | None = None
    genexpr: Rival | None = None
    comprehension: Rival | None = None
    others: dict[str, Rival] = field(default_factory=dict)
    headline: str = ""
    calls: bool = True  # it calls an opaque callable: the goal for those applies

    def goals(self) -> dict[str, float]:
        return {STACK: OPAQUE} if self.stack and self.calls else {}

    def spellings(self) -> dict[str, Rival]:
        given = {"pygenx": self.pygenx, STACK: self.stack, GENEXPR: self.genexpr}
        return {name: rival for name, rival in given.items() if rival is not None}


def listed(rival: Rival) -> Rival:
    return lambda data: list(rival(data))


def pulled(work: Work) -> Case:
    return Case(
        f"{work.name}, pull",
        work.setup,
        {**work.spellings(), **work.others},
        (STACK, GENEXPR),
        DRAIN,
        goals=work.goals(),
    )


def drained(work: Work) -> Case:
    rivals = {
        name: listed(rival)
        for name, rival in {**work.spellings(), **work.others}.items()
    }
    rivals["pygenx"] = lambda data: work.pygenx(data).list()
    if work.comprehension:
        rivals[COMPREHENSION] = work.comprehension
    return Case(
        f"{work.name}, drain",
        work.setup,
        rivals,
        (STACK, GENEXPR, COMPREHENSION),
        goals=work.goals(),
        headline=work.headline,
    )


# -- callables -------------------------------------------------------------------

times_3 = (3).__mul__
is_odd = partial(operator.and_, 1)
is_small = (7000).__gt__
by_lambda: Callable[[int], int] = lambda item: item * 3  # noqa: E731
odd_by_lambda: Callable[[int], int] = lambda item: item & 1  # noqa: E731


def nested_lists(size: int) -> list[list[int]]:
    return [[number, number, number, number] for number in range(0, size, 4)]


def sentences(size: int) -> list[str]:
    return ["one two three four"] * max(size // 4, 1)


def collatz(number: int) -> int:
    """A Python function too big to be anything but called."""
    steps = 0
    while number > 1 and steps < 3:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return number


def plain_tap(func: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        func(item)
        yield item


def ignored(item: Any) -> None:
    pass


def odd_or_none(number: int) -> int | None:
    return number if number & 1 else None


def repeated(size: int) -> list[int]:
    """Four times as many numbers as there are different ones, far apart."""
    return [number * 7919 % max(size // 4, 1) for number in range(size)]


def plain_unique(
    items: Iterable[Any],
    maxlen: int | None = None,
    key: Callable[[Any], Any] = lambda item: item,
) -> Iterator[Any]:
    """By the OrderedDict of the standard library."""
    seen = OrderedDict[Any, None]()
    for item in items:
        value = key(item)
        if value in seen:
            seen.move_to_end(value)
            continue
        seen[value] = None
        if maxlen is not None and len(seen) > maxlen:
            seen.popitem(last=False)
        yield item


def plain_inclusive(
    pred: Callable[[Any], object], items: Iterable[Any]
) -> Iterator[Any]:
    for item in items:
        yield item
        if not pred(item):
            break


def peers(**tools: Callable[[Any], Rival]) -> dict[str, Rival]:
    """Tools of more-itertools."""
    (item,) = tools.items()
    return optional("more_itertools", *item)


CALLABLES = [
    Work(
        "map(str)",
        ints,
        lambda data: pipe(data).map(str),
        lambda data: map(str, data),
        lambda data: (str(item) for item in data),
        lambda data: [str(item) for item in data],
        headline="`map(str)`, to a list",
    ),
    Work(
        "map(len)",
        texts,
        lambda data: pipe(data).map(len),
        lambda data: map(len, data),
        lambda data: (len(item) for item in data),
        lambda data: [len(item) for item in data],
    ),
    Work(
        "map(operator.neg)",
        ints,
        lambda data: pipe(data).map(operator.neg),
        lambda data: map(operator.neg, data),
        lambda data: (-item for item in data),
        lambda data: [-item for item in data],
    ),
    Work(
        "map(itemgetter)",
        pairs,
        lambda data: pipe(data).map(operator.itemgetter(1)),
        lambda data: map(operator.itemgetter(1), data),
        lambda data: (item[1] for item in data),
        lambda data: [item[1] for item in data],
    ),
    Work(
        "map(lambda)",
        ints,
        lambda data: pipe(data).map(by_lambda),
        lambda data: map(by_lambda, data),
        lambda data: (item * 3 for item in data),
        lambda data: [item * 3 for item in data],
        headline="`map(lambda x: x * 3)`, to a list",
    ),
    Work(
        "map(big Python function)",
        ints,
        lambda data: pipe(data).map(collatz),
        lambda data: map(collatz, data),
        lambda data: (collatz(item) for item in data),
        lambda data: [collatz(item) for item in data],
    ),
    Work(
        "map(str) of a generator",
        ints,
        lambda data: pipe(generator(data)).map(str),
        lambda data: map(str, generator(data)),
        lambda data: (str(item) for item in generator(data)),
        lambda data: [str(item) for item in generator(data)],
    ),
    Work(
        "map(str) of a range",
        range,
        lambda data: pipe(data).map(str),
        lambda data: map(str, data),
        lambda data: (str(item) for item in data),
        lambda data: [str(item) for item in data],
    ),
    Work(
        "filter(C).map(C)",
        ints,
        lambda data: pipe(data).filter(is_odd).map(times_3),
        lambda data: map(times_3, filter(is_odd, data)),
        lambda data: (times_3(item) for item in data if is_odd(item)),
        lambda data: [times_3(item) for item in data if is_odd(item)],
        headline="`filter(f).map(g)` with C functions, to a list",
    ),
    Work(
        "filter(lambda).map(lambda)",
        ints,
        lambda data: pipe(data).filter(odd_by_lambda).map(by_lambda),
        lambda data: map(by_lambda, filter(odd_by_lambda, data)),
        lambda data: (item * 3 for item in data if item & 1),
        lambda data: [item * 3 for item in data if item & 1],
        headline="`filter(lambda).map(lambda)`, to a list",
    ),
    Work(
        "five maps in C",
        ints,
        lambda data: pipe(data).map(abs).map(operator.neg).map(abs).map(float).map(int),
        lambda data: map(int, map(float, map(abs, map(operator.neg, map(abs, data))))),
        lambda data: (int(float(abs(-abs(item)))) for item in data),
        lambda data: [int(float(abs(-abs(item)))) for item in data],
    ),
    Work(
        "Pipeline() bound, map(abs)",
        ints,
        Pipeline().map(abs),
        lambda data: map(abs, data),
        lambda data: (abs(item) for item in data),
        lambda data: [abs(item) for item in data],
    ),
]

STAGES = [
    Work(
        "starmap(operator.mul)",
        pairs,
        lambda data: pipe(data).starmap(operator.mul),
        lambda data: starmap(operator.mul, data),
        lambda data: (first * second for first, second in data),
        lambda data: [first * second for first, second in data],
    ),
    Work(
        "filter(None)",
        ints,
        lambda data: pipe(data).filter(None),
        lambda data: filter(None, data),
        lambda data: (item for item in data if item),
        lambda data: [item for item in data if item],
        calls=False,
    ),
    Work(
        "filterfalse(C)",
        ints,
        lambda data: pipe(data).filterfalse(is_odd),
        lambda data: filterfalse(is_odd, data),
        lambda data: (item for item in data if not is_odd(item)),
        lambda data: [item for item in data if not is_odd(item)],
    ),
    Work(
        "flat_map(str.split)",
        sentences,
        lambda data: pipe(data).flat_map(str.split),
        lambda data: chain.from_iterable(map(str.split, data)),
        lambda data: (word for line in data for word in line.split()),
        lambda data: [word for line in data for word in line.split()],
        optional("toolz", "mapcat", lambda mapcat: partial(mapcat, str.split))
        | optional("cytoolz", "mapcat", lambda mapcat: partial(mapcat, str.split)),
    ),
    Work(
        "flatten()",
        nested_lists,
        lambda data: pipe(data).flatten(),
        chain.from_iterable,
        lambda data: (item for part in data for item in part),
        lambda data: [item for part in data for item in part],
        optional("cytoolz", "concat", lambda concat: concat)
        | optional("iteration_utilities", "flatten", lambda flatten: flatten),
        calls=False,
    ),
    Work(
        "enumerate()", ints, lambda data: pipe(data).enumerate(), enumerate, calls=False
    ),
    Work(
        "takewhile(C)",
        ints,
        lambda data: pipe(data).takewhile(is_small),
        lambda data: takewhile(is_small, data),
    ),
    Work(
        "dropwhile(C)",
        ints,
        lambda data: pipe(data).dropwhile(is_small),
        lambda data: dropwhile(is_small, data),
    ),
    Work(
        "take(half)",
        ints,
        lambda data: pipe(data).take(len(data) // 2),
        lambda data: islice(data, len(data) // 2),
        others=optional(
            "more_itertools",
            "take",
            lambda take: lambda data: take(len(data) // 2, data),
        )
        | optional(
            "cytoolz", "take", lambda take: lambda data: take(len(data) // 2, data)
        ),
        calls=False,
    ),
    Work(
        "drop(half)",
        ints,
        lambda data: pipe(data).drop(len(data) // 2),
        lambda data: islice(data, len(data) // 2, None),
        others=optional(
            "cytoolz", "drop", lambda drop: lambda data: drop(len(data) // 2, data)
        ),
        calls=False,
    ),
    Work(
        "islice(1, None, 3)",
        ints,
        lambda data: pipe(data).islice(1, None, 3),
        lambda data: islice(data, 1, None, 3),
        calls=False,
    ),
    Work(
        "chain(list)",
        ints,
        lambda data: pipe(data).chain(data),
        lambda data: chain(data, data),
        calls=False,
    ),
    Work(
        "prepend(list)",
        ints,
        lambda data: pipe(data).prepend(data),
        lambda data: chain(data, data),
        calls=False,
    ),
    Work(
        "tap(Python function)",
        ints,
        lambda data: pipe(data).tap(ignored),
        genexpr=partial(plain_tap, ignored),
        others=optional(
            "more_itertools",
            "side_effect",
            lambda side_effect: partial(side_effect, ignored),
        )
        | optional(
            "iteration_utilities",
            "sideeffects",
            lambda sideeffects: lambda data: sideeffects(data, ignored, 1),
        ),
    ),
    Work(
        "filter_map(lambda)",
        ints,
        lambda data: pipe(data).filter_map(odd_or_none),
        genexpr=lambda data: (
            value for item in data if (value := odd_or_none(item)) is not None
        ),
        others=peers(
            filter_map=lambda filter_map: partial(filter_map, odd_or_none),
        ),
    ),
    Work(
        "accumulate()",
        ints,
        lambda data: pipe(data).accumulate(),
        accumulate,
        others=optional(
            "cytoolz", "accumulate", lambda tool: partial(tool, operator.add)
        ),
        calls=False,
    ),
    Work(
        "accumulate(lambda)",
        ints,
        lambda data: pipe(data).accumulate(lambda total, item: item),
        lambda data: accumulate(data, lambda total, item: item),
    ),
    Work(
        "pluck(0)",
        pairs,
        lambda data: pipe(data).pluck(0),
        lambda data: map(operator.itemgetter(0), data),
        lambda data: (item[0] for item in data),
        lambda data: [item[0] for item in data],
        optional("toolz", "pluck", lambda pluck: partial(pluck, 0))
        | optional("cytoolz", "pluck", lambda pluck: partial(pluck, 0)),
        calls=False,
    ),
    Work(
        "pluck([1, 0])",
        pairs,
        lambda data: pipe(data).pluck([1, 0]),
        lambda data: map(operator.itemgetter(1, 0), data),
        lambda data: ((item[1], item[0]) for item in data),
        lambda data: [(item[1], item[0]) for item in data],
        optional("cytoolz", "pluck", lambda pluck: partial(pluck, [1, 0])),
        calls=False,
    ),
    Work(
        "intersperse(None)",
        ints,
        lambda data: pipe(data).intersperse(None),
        lambda data: islice(chain.from_iterable(zip(repeat(None), data)), 1, None),
        others=peers(intersperse=lambda intersperse: partial(intersperse, None))
        | optional("cytoolz", "interpose", lambda tool: partial(tool, None))
        | optional(
            "iteration_utilities",
            "intersperse",
            lambda intersperse: lambda data: intersperse(data, None),
        ),
        calls=False,
    ),
    Work(
        "takewhile_inclusive(C)",
        ints,
        lambda data: pipe(data).takewhile_inclusive(is_small),
        genexpr=partial(plain_inclusive, is_small),
        others=peers(takewhile_inclusive=lambda tool: partial(tool, is_small)),
    ),
    Work(
        "locate(C)",
        ints,
        lambda data: pipe(data).locate(is_small),
        lambda data: compress(count(), map(is_small, data)),
        lambda data: (index for index, item in enumerate(data) if is_small(item)),
        lambda data: [index for index, item in enumerate(data) if is_small(item)],
        peers(locate=lambda locate: lambda data: locate(data, is_small)),
    ),
    Work(
        "tail(100)",
        ints,
        lambda data: pipe(data).tail(100),
        lambda data: deque(data, maxlen=100),
        others=peers(tail=lambda tail: partial(tail, 100))
        | optional("cytoolz", "tail", lambda tail: partial(tail, 100)),
        calls=False,
    ),
    Work(
        "tail(100) of a generator",
        ints,
        lambda data: pipe(generator(data)).tail(100),
        lambda data: deque(generator(data), maxlen=100),
        calls=False,
    ),
    *(
        Work(
            f"unique_everseen(), {kind}",
            make,
            lambda data: pipe(data).unique_everseen(),
            dict.fromkeys,
            others=peers(unique_everseen=lambda tool: tool)
            | optional("toolz", "unique", lambda unique: unique)
            | optional("cytoolz", "unique", lambda unique: unique)
            | optional("iteration_utilities", "unique_everseen", lambda tool: tool),
            calls=False,
            headline="`unique_everseen()`" if make is repeated else "",
        )
        for kind, make in {
            "different ints": ints,
            "ints, each four times": repeated,
            "different strings": texts,
            "strings, each four times": lambda size: [str(n) for n in repeated(size)],
        }.items()
    ),
    Work(
        "unique_everseen(lambda)",
        ints,
        lambda data: pipe(data).unique_everseen(by_lambda),
        genexpr=partial(plain_unique, key=by_lambda),
        others=peers(
            unique_everseen=lambda tool: lambda data: tool(data, key=by_lambda)
        )
        | optional("cytoolz", "unique", lambda tool: lambda data: tool(data, by_lambda))
        | optional(
            "iteration_utilities",
            "unique_everseen",
            lambda tool: lambda data: tool(data, by_lambda),
        ),
    ),
    Work(
        "unique_everseen(maxlen=100)",
        ints,
        lambda data: pipe(data).unique_everseen(maxlen=100),
        genexpr=partial(plain_unique, maxlen=100),
        calls=False,
    ),
    Work(
        "unique_justseen()",
        lambda size: [number // 4 for number in range(size)],
        lambda data: pipe(data).unique_justseen(),
        lambda data: map(operator.itemgetter(0), groupby(data)),
        others=peers(unique_justseen=lambda tool: tool)
        | optional("iteration_utilities", "unique_justseen", lambda tool: tool),
        calls=False,
    ),
]

CASES = [case for work in CALLABLES + STAGES for case in (pulled(work), drained(work))]
