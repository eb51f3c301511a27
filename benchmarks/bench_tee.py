"""tee: two branches in lockstep (a short buffer) or far apart (it holds everything)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import tee as itertools_tee
from threading import Lock
from typing import Any

from benchmarks.cases import (
    DRAIN,
    DRAIN_EACH,
    NEVER_SLOWER,
    Case,
    Rival,
    Sink,
    generator,
    ints,
    optional,
)
from pygenx import tee

Tee = Callable[[Iterable[Any]], Iterable[Iterator[Any]]]

GOALS = {"itertools.tee": NEVER_SLOWER}
SOURCES: dict[
    str, tuple[Callable[[int], Any], Callable[[Any], Any]]
] = {  # name -> data, the iterable of one run
    "list": (ints, iter),
    "range": (range, iter),
    "generator": (ints, generator),
}


class Locked:
    """A branch of itertools.tee behind a lock shared with its siblings, for threads."""

    def __init__(self, branch: Iterator[Any], lock: Lock) -> None:
        self.branch = branch
        self.lock = lock

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self.lock:
            return next(self.branch)


def locked_tee(iterable: Iterable[Any]) -> Iterator[Locked]:
    lock = Lock()
    return (Locked(branch, lock) for branch in itertools_tee(iterable))


def lockstep(split: Tee, fresh: Callable[[Any], Any]) -> Rival:
    return lambda data: zip(*split(fresh(data)), strict=True)


def apart(split: Tee, fresh: Callable[[Any], Any]) -> Rival:
    return lambda data: split(fresh(data))


READINGS: dict[str, tuple[Callable[[Tee, Callable[[Any], Any]], Rival], Sink]] = {
    "lockstep": (lockstep, DRAIN),
    "far apart": (apart, DRAIN_EACH),
}


def plain(source: str, reading: str) -> Case:
    setup, fresh = SOURCES[source]
    read, sink = READINGS[reading]
    return Case(
        f"{source}, {reading}",
        setup,
        {"pygenx": read(tee, fresh), "itertools.tee": read(itertools_tee, fresh)},
        ("itertools.tee",),
        sink,
        goals=GOALS,
        headline=f"`tee` over a generator, {reading}" if source == "generator" else "",
    )


def locked(reading: str) -> Case:
    setup, fresh = SOURCES["list"]
    read, sink = READINGS[reading]
    return Case(
        f"lock=True, list, {reading}",
        setup,
        {
            "pygenx": read(lambda iterable: tee(iterable, lock=True), fresh),
            "itertools.tee with Lock": read(locked_tee, fresh),
            **optional(
                "more_itertools",
                "concurrent_tee",
                lambda concurrent: read(concurrent, fresh),
            ),
        },
        ("itertools.tee with Lock",),
        sink,
        headline="`tee(lock=True)` for threads, lockstep"
        if reading == "lockstep"
        else "",
    )


CASES = [
    *(plain(source, reading) for source in SOURCES for reading in READINGS),
    *(locked(reading) for reading in READINGS),
]
