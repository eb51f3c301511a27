"""Every terminal of a bare pipe against its builtin, over a list and a generator."""

import operator
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import islice
from typing import Any

from benchmarks.cases import Case, Rival, drain, generator, ints, optional, pairs, texts
from pygenx import pipe

Plain = Callable[[Iterable[Any]], Any]


@dataclass(frozen=True)
class Terminal:
    """`end` of a pipe; `plain`, and `others` of the peers, on the iterable itself."""

    name: str
    setup: Callable[[int], Any]
    end: Callable[[Any], Any]
    plain: dict[str, Plain]
    others: dict[str, Plain] = field(default_factory=dict)


def over(terminal: Terminal, source: str, fresh: Callable[[Any], Any]) -> Case:
    def started(plain: Plain) -> Rival:
        return lambda data: plain(fresh(data))

    return Case(
        f"{terminal.name}, {source}",
        terminal.setup,
        {
            "pygenx": lambda data: terminal.end(pipe(fresh(data))),
            **{
                name: started(plain)
                for name, plain in (terminal.plain | terminal.others).items()
            },
        },
        tuple(terminal.plain),
        headline="`frequencies()` of a list"
        if (terminal.name, source) == ("frequencies()", "list")
        else "",
    )


# -- spellings that are no single builtin ------------------------------------------


def words(size: int) -> list[str]:
    return [str(number % 100) for number in range(size)]


def zeros(size: int) -> list[int]:
    return [0] * size


def ones(size: int) -> list[int]:
    return [1] * size


def floats(size: int) -> list[float]:
    return [number / 3 for number in range(size)]


def counted(items: Iterable[Any]) -> int:
    return sum(1 for _ in items)


def looped_count(items: Iterable[Any]) -> int:
    count = 0
    for _ in items:
        count += 1
    return count


def last_by_deque(items: Iterable[Any]) -> Any:
    return deque(items, maxlen=1)[0]


def last_by_loop(items: Iterable[Any]) -> Any:
    for item in items:  # noqa: B007 (the loop variable is the result)
        pass
    return item


def each_by_pipe(items: Any) -> set[Any]:
    seen: set[Any] = set()
    items.for_each(seen.add)
    return seen


def each_by_loop(items: Iterable[Any]) -> set[Any]:
    seen: set[Any] = set()
    add = seen.add
    for item in items:
        add(item)
    return seen


def each_by_map(items: Iterable[Any]) -> set[Any]:
    seen: set[Any] = set()
    drain(map(seen.add, items))
    return seen


low_bits = partial(operator.and_, 63)


def grouped_by_loop(items: Iterable[str]) -> dict[int, list[str]]:
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for item in items:
        groups[len(item)].append(item)
    return groups


def folded_by_loop(items: Iterable[int]) -> dict[int, int]:
    groups: dict[int, int] = {}
    for item in items:
        key = item & 63
        groups[key] = groups.get(key, 0) + item
    return groups


def summed_by_to(items: Any) -> Any:
    return items.to(sum)


TERMINALS = [
    Terminal("list()", ints, lambda p: p.list(), {"list": list}),
    Terminal("tuple()", ints, lambda p: p.tuple(), {"tuple": tuple}),
    Terminal("set()", ints, lambda p: p.set(), {"set": set}),
    Terminal("dict()", pairs, lambda p: p.dict(), {"dict": dict}),
    Terminal("sum() of ints", ints, lambda p: p.sum(), {"sum": sum}),
    Terminal("sum() of floats", floats, lambda p: p.sum(), {"sum": sum}),
    Terminal("min()", ints, lambda p: p.min(), {"min": min}),
    Terminal("max()", ints, lambda p: p.max(), {"max": max}),
    Terminal(
        "max(key=len)",
        texts,
        lambda p: p.max(key=len),
        {"max": lambda items: max(items, key=len)},
    ),
    Terminal("any()", zeros, lambda p: p.any(), {"any": any}),
    Terminal("all()", ones, lambda p: p.all(), {"all": all}),
    Terminal(
        "count()",
        ints,
        lambda p: p.count(),
        {"sum(1 for)": counted, "loop": looped_count},
        optional("more_itertools", "ilen", lambda ilen: ilen)
        | optional("cytoolz", "count", lambda count: lambda items: count(iter(items)))
        | optional(
            "iteration_utilities", "count_items", lambda count_items: count_items
        ),
    ),
    Terminal(
        "frequencies()",
        words,
        lambda p: p.frequencies(),
        {"Counter": Counter},
        optional("toolz", "frequencies", lambda frequencies: frequencies)
        | optional("cytoolz", "frequencies", lambda frequencies: frequencies),
    ),
    Terminal(
        "array('q')", ints, lambda p: p.array("q"), {"array": partial(array, "q")}
    ),
    Terminal("join()", texts, lambda p: p.join(" "), {"str.join": " ".join}),
    Terminal(
        "reduce(operator.add)",
        ints,
        lambda p: p.reduce(operator.add),
        {"functools.reduce": lambda items: reduce(operator.add, items)},
    ),
    Terminal(
        "reduce(lambda)",
        ints,
        lambda p: p.reduce(lambda total, item: total + item),
        {
            "functools.reduce": lambda items: reduce(
                lambda total, item: total + item, items
            )
        },
    ),
    Terminal(
        "last()",
        ints,
        lambda p: p.last(),
        {"deque": last_by_deque, "loop": last_by_loop},
        optional("more_itertools", "last", lambda last: lambda items: last(iter(items)))
        | optional(
            "iteration_utilities", "last", lambda last: lambda items: last(iter(items))
        ),
    ),
    Terminal(
        "nth(), there is none",
        ints,
        lambda p: p.nth(10**9),
        {"islice": lambda items: next(islice(items, 10**9, None), None)},
        optional("more_itertools", "nth", lambda nth: lambda items: nth(items, 10**9)),
    ),
    Terminal(
        "first_true()",
        zeros,
        lambda p: p.first_true(),
        {"filter": lambda items: next(filter(None, items), None)},
        optional("more_itertools", "first_true", lambda first_true: first_true),
    ),
    Terminal(
        "map_reduce(C)",
        words,
        lambda p: p.map_reduce(len),
        {"defaultdict": grouped_by_loop},
        optional(
            "more_itertools",
            "map_reduce",
            lambda map_reduce: lambda items: map_reduce(items, len),
        )
        | optional(
            "cytoolz", "groupby", lambda groupby: lambda items: groupby(len, items)
        )
        | optional(
            "iteration_utilities",
            "groupedby",
            lambda groupedby: lambda items: groupedby(items, len),
        ),
    ),
    Terminal(
        "reduceby(C)",
        ints,
        lambda p: p.reduceby(low_bits, operator.add, 0),
        {"dict": folded_by_loop},
        optional(
            "cytoolz",
            "reduceby",
            lambda reduceby: lambda items: reduceby(low_bits, operator.add, items, 0),
        )
        | optional(
            "iteration_utilities",
            "groupedby",
            lambda groupedby: (
                lambda items: groupedby(
                    items, low_bits, reduce=operator.add, reducestart=0
                )
            ),
        ),
    ),
    Terminal(
        "for_each(C)", ints, each_by_pipe, {"loop": each_by_loop, "map": each_by_map}
    ),
    Terminal(
        "consume()",
        ints,
        lambda p: p.consume(),
        {"deque": drain},
        optional("more_itertools", "consume", lambda consume: consume)
        | optional(
            "iteration_utilities",
            "consume",
            lambda consume: lambda items: consume(items, None),
        ),
    ),
    Terminal("to(sum)", ints, summed_by_to, {"sum": sum}),
]

SOURCES: dict[str, Callable[[Any], Any]] = {
    "list": lambda data: data,
    "generator": generator,
}

CASES = [
    over(terminal, source, fresh)
    for terminal in TERMINALS
    for source, fresh in SOURCES.items()
]
