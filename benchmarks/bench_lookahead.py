"""peekable, seekable and partition against more_itertools: what waits, what is kept."""

from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from typing import Any

from benchmarks.cases import DRAIN, DRAIN_EACH, Case, Rival, Sink, ints, optional
from pygenx import partition, peekable, seekable

Peek = Callable[..., Any]

GOALS = {"more_itertools.peekable": 2.5}
SEEKABLE_GOALS = {"more_itertools.seekable": 2.5}
PARTITION_GOALS = {"more_itertools.partition": 2.5}


class Peekable:
    """What one writes by hand: one item kept back."""

    def __init__(self, iterable: Iterable[Any]) -> None:
        self.iterator = iter(iterable)
        self.kept: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.kept.pop() if self.kept else next(self.iterator)

    def __bool__(self) -> bool:
        return self.peek(None) is not None

    def peek(self, default: Any) -> Any:
        if not self.kept:
            for item in self.iterator:
                self.kept.append(item)
                return item
            return default
        return self.kept[0]


def look_and_take(kind: Peek) -> Rival:
    """Each item is looked at before it is taken, as a parser does."""

    def run(data: list[int]) -> int:
        p, taken = kind(data), 0
        peek = p.peek
        for item in p:
            taken += item
            peek(None)
        return taken

    return run


def while_there_are_any(kind: Peek) -> Rival:
    def run(data: list[int]) -> int:
        p, taken = kind(data), 0
        while p:
            taken += next(p)
        return taken

    return run


def case(name: str, use: Callable[[Peek], Rival], sink: Sink | None = None) -> Case:
    return Case(
        f"peekable, {name}",
        ints,
        {
            "pygenx": use(peekable),
            "python": use(Peekable),
            **optional("more_itertools", "peekable", use),
        },
        ("python",),
        sink,
        goals=GOALS,
        headline="`peekable`, item by item" if name == "next" else "",
    )


def python_partition(pred: Any, iterable: Iterable[Any]) -> Any:
    """Two passes over a tee: what itertools' recipe does."""
    pairs, others = tee((pred(item), item) for item in iterable)
    return (
        (item for truth, item in pairs if not truth),
        (item for truth, item in others if truth),
    )


PREDICATES: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "a C callable": (1).__and__,
    "lambda": lambda number: number % 2,
}


def apart(pred: Any) -> Callable[[Any], Rival]:
    return lambda split: lambda data: split(pred, data)


def in_turn(pred: Any) -> Callable[[Any], Rival]:
    return lambda split: lambda data: zip(*split(pred, data), strict=True)


def split_case(name: str, use: Callable[[Any], Rival], sink: Sink) -> Case:
    return Case(
        f"partition, {name}",
        ints,
        {
            "pygenx": use(partition),
            "python": use(python_partition),
            **optional("more_itertools", "partition", use),
        },
        ("python",),
        sink,
        goals=PARTITION_GOALS,
        headline="`partition` by a C function" if "other, a C" in name else "",
    )


class Seekable:
    """What one writes by hand: a list of what has come, and a place in it."""

    def __init__(self, iterable: Iterable[Any], maxlen: int | None = None) -> None:
        self.iterator = iter(iterable)
        self.kept: list[Any] = []
        self.place = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.place == len(self.kept):
            self.kept.append(next(self.iterator))
        self.place += 1
        return self.kept[self.place - 1]

    def peek(self, default: Any) -> Any:
        for item in self:
            self.place -= 1
            return item
        return default

    def seek(self, index: int) -> None:
        while self.place < index:
            next(self)
        self.place = index


def read_twice(kind: Peek) -> Rival:
    def run(data: list[int]) -> int:
        s = kind(data)
        total = sum(s)
        s.seek(0)
        return total + sum(s)

    return run


def seek_case(
    name: str, use: Callable[[Peek], Rival], sink: Sink | None = None
) -> Case:
    return Case(
        f"seekable, {name}",
        ints,
        {
            "pygenx": use(seekable),
            "python": use(Seekable),
            **optional("more_itertools", "seekable", use),
        },
        ("python",),
        sink,
        goals=SEEKABLE_GOALS,
        headline="`seekable`, item by item" if name == "next" else "",
    )


CASES = [
    seek_case("next", lambda kind: kind, DRAIN),
    seek_case("next, maxlen=100", lambda kind: lambda data: kind(data, 100), DRAIN),
    seek_case("peek and next", look_and_take),
    seek_case("read twice", read_twice),
    case("next", lambda kind: kind, DRAIN),
    case("peek and next", look_and_take),
    case("bool and next", while_there_are_any),
    *(
        split_case(f"one after the other, {name}", apart(pred), DRAIN_EACH)
        for name, pred in PREDICATES.items()
    ),
    split_case("in turn, a C callable", in_turn((1).__and__), DRAIN),
]
