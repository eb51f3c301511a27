"""peekable: item by item, and a look before each item; against more_itertools."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks.cases import DRAIN, Case, Rival, Sink, ints, optional
from pygenx import peekable

Peek = Callable[[Iterable[Any]], Any]

GOALS = {"more_itertools.peekable": 2.5}


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
    )


CASES = [
    case("next", lambda kind: kind, DRAIN),
    case("peek and next", look_and_take),
    case("bool and next", while_there_are_any),
]
