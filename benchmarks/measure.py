"""The clock: all rivals of a case in one process, in turns, without garbage collector.

pyperf is the better tool to time one thing, but it runs rivals in separate processes,
whose memory layout and clock rate differ by more than what is compared here. So: one
process, many short samples, rivals interleaved in a rotating order, and of each rival
the minimum, the sample least disturbed by others.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from statistics import median
from time import perf_counter_ns
from typing import Any

from benchmarks.cases import Case

UNSTEADY = 0.05  # more than this between the minima of odd and even rounds
MAX_ROUNDS = 400


@dataclass(frozen=True)
class Effort:
    """How long a case may take: seconds for all rivals, and the least rounds."""

    seconds: float = 2.0
    rounds: int = 5
    sample_ns: int = 1_000_000  # shorter runs are repeated within a sample


QUICK_TOTAL = 36.0  # seconds for all the cases of a quick run, setups apart


def quick(cases: int) -> Effort:
    return Effort(
        seconds=min(0.5, QUICK_TOTAL / max(cases, 1)), rounds=3, sample_ns=400_000
    )


@dataclass(frozen=True)
class Times:
    """One rival's figures, in ns an item."""

    best: float
    median: float
    spread: float  # between the minima of odd and even rounds, part of the smaller
    rounds: int

    @classmethod
    def of(cls, samples: list[float]) -> Times:
        odd, even = min(samples[1::2], default=samples[0]), min(samples[::2])
        return cls(
            min(odd, even),
            median(samples),
            abs(odd - even) / min(odd, even),
            len(samples),
        )


@dataclass(frozen=True)
class Measured:
    items: int
    times: dict[str, Times]


@contextmanager
def collector_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def sample(run: Callable[[], Any], loops: int) -> int:
    start = perf_counter_ns()
    for _ in repeat(None, loops):
        run()
    return perf_counter_ns() - start


def calibrate(run: Callable[[], Any], sample_ns: int) -> int:
    """How many runs make a sample long enough for the clock, after a warm-up."""
    run()
    return max(1, sample_ns // max(sample(run, 1), 1))


def in_turns(
    runs: dict[str, Callable[[], Any]], effort: Effort
) -> dict[str, list[float]]:
    """Samples of every rival, in ns a run, taken in turns until the time is used up."""
    deadline = perf_counter_ns() + int(effort.seconds * 1e9)
    loops = {name: calibrate(run, effort.sample_ns) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(MAX_ROUNDS):
        if turn >= effort.rounds and perf_counter_ns() > deadline:
            break
        for name in names:
            samples[name].append(sample(runs[name], loops[name]) / loops[name])
        names = names[1:] + names[:1]
    return samples


def measure(case: Case, effort: Effort) -> Measured:
    data = case.setup(case.size)
    items = max(case.items(data, case.size), 1)
    runs = {name: case.runner(name, data) for name in case.rivals}
    with collector_off():
        samples = in_turns(runs, effort)
    return Measured(
        items,
        {name: Times.of([ns / items for ns in each]) for name, each in samples.items()},
    )
