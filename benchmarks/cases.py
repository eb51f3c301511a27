"""What a benchmark case is, and the vocabulary that the bench_*.py files share."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

Rival = Callable[[Any], Any]

PYGENX = "pygenx"
MISSING: set[str] = set()  # modules, or tools of modules, that are not there

# Goals that several families share (ratios: > 1 means pygenx is faster).
NEVER_SLOWER = 1.0
OPAQUE = 0.97  # opaque callables against the builtin map/filter stack


@dataclass(frozen=True)
class Sink:
    """What is done with a rival's value: `timed` by the clock, `check` to compare."""

    timed: Callable[[Any], Any]
    check: Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """A piece of work and the ways to do all of it, called as `rival(setup(size))`."""

    name: str
    setup: Callable[[int], Any]
    rivals: Mapping[str, Rival]
    baseline: tuple[
        str, ...
    ]  # the plain-Python and stdlib spellings; the fastest present one counts
    sink: Sink | None = None  # None: the rival's value is the result itself
    size: int = 10_000
    unit: str = "item"
    goals: Mapping[str, float] = field(
        default_factory=dict
    )  # rival -> least ratio wanted
    headline: str = ""  # how the README's table calls it; empty: not in that table
    count: Callable[[Any], int] | None = (
        None  # items in the data, where that is not `size`
    )

    def plain(self) -> list[str]:
        """The baselines that this interpreter has."""
        return [name for name in self.baseline if name in self.rivals]

    def runner(self, rival: str, data: Any) -> Callable[[], Any]:
        """A call without arguments that does the timed work once."""
        work = self.rivals[rival]
        if self.sink is None:
            return partial(work, data)
        timed = self.sink.timed
        return lambda: timed(work(data))

    def value(self, rival: str, data: Any) -> Any:
        """What the rival gives, in a form that compares equal between rivals."""
        result = self.rivals[rival](data)
        return result if self.sink is None else self.sink.check(result)

    def items(self, data: Any, size: int) -> int:
        return size if self.count is None else self.count(data)


# -- sinks ---------------------------------------------------------------------

drain = deque[Any](maxlen=0).extend  # the cheapest way to exhaust an iterator


def drain_each(iterables: Iterable[Iterable[Any]]) -> None:
    for iterable in iterables:
        drain(iterable)


def loop(iterable: Iterable[Any]) -> None:
    for _ in iterable:
        pass


DRAIN = Sink(drain, list)
DRAIN_EACH = Sink(drain_each, lambda iterables: list(chain.from_iterable(iterables)))
LOOP = Sink(loop, list)


# -- sources -------------------------------------------------------------------


def ints(size: int) -> list[int]:
    return list(range(size))


def texts(size: int) -> list[str]:
    return [str(number) for number in range(size)]


def pairs(size: int) -> list[tuple[int, int]]:
    return [(number, number + 1) for number in range(size)]


def generator(data: Iterable[Any]) -> Iterator[Any]:
    for item in data:  # noqa: UP028 (a plain generator, the commonest source; `yield from` is another)
        yield item


# -- rivals that may be absent --------------------------------------------------


def optional(module: str, name: str, make: Callable[[Any], Rival]) -> dict[str, Rival]:
    """`{"module.name": make(tool)}`, or nothing (see MISSING) without that tool."""
    try:
        tool = getattr(importlib.import_module(module), name)
    except ImportError:
        MISSING.add(module)
    except AttributeError:
        MISSING.add(f"{module}.{name}")
    else:
        return {f"{module}.{name}": make(tool)}
    return {}
