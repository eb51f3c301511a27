"""Good neighbours: what a long loop in C leaves to other threads and to Ctrl-C.

python3 benchmarks/neighbour.py [TEXT]     only rows with TEXT in their name

For every way to drain: the share of its speed that a busy Python thread keeps beside
it, the longest time it had to wait, and how late Ctrl-C was when the drain ran in the
main thread, and when it ran in another and the main thread waited for that. A share of
one half is all that two busy threads under one GIL can have.
"""

from __future__ import annotations

import array
import contextlib
import itertools
import operator
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

if __package__ in (None, ""):
    sys.path.append(str(Path(__file__).resolve().parent.parent))

import pygenx
from pygenx import Pipeline, lifting, pipe

LEAST_SHARE = 0.3
LATEST = 0.05  # seconds from Ctrl-C to KeyboardInterrupt
SECONDS = 0.25  # so long one drain takes, and one measurement
MOST_ITEMS = 1 << 25
TRIES = 3  # the best counts: the rest of the machine disturbs

TEXT = "The quick brown fox jumps over the lazy dog. " * 20

Work = Callable[[int], Any]


def ones(n: int) -> Iterator[int]:
    return itertools.repeat(1, n)


def zeros(n: int) -> Iterator[int]:
    return itertools.repeat(0, n)


def pairs(n: int) -> Iterator[tuple[int, int]]:
    return itertools.repeat((1, 2), n)


def generated(n: int) -> Iterator[int]:
    for i in range(n):  # noqa: UP028
        yield i


@lru_cache(1)
def many(kind: Callable[[Any], Any], n: int) -> Any:
    """Made beforehand: what CPython itself does at one go is not the question."""
    return kind([1] * n)


@lru_cache(1)
def numbered(kind: Callable[[Any], Any], n: int) -> Any:
    return kind(range(n))


@lru_cache(1)
def doubles(n: int) -> array.array[float]:
    return array.array("d", bytes(8 * n))


@lru_cache(1)
def text(n: int) -> str:
    return TEXT * (n // 64)


def unlifted(work: Work) -> Work:
    def without(n: int) -> Any:
        with lifting.disabled():
            return work(n)

    return without


# Where items come from, drained by count() behind a filter that rejects them all.
SOURCES: dict[str, Callable[[int], Iterable[Any]]] = {
    "range": range,
    "list": lambda n: many(list, n),
    "tuple": lambda n: many(tuple, n),
    "str": lambda n: text(64 * n // len(TEXT)),
    "bytes": lambda n: many(bytes, n),
    "bytearray": lambda n: many(bytearray, n),
    "array": doubles,
    "memoryview": lambda n: memoryview(many(bytes, n)),
    "buffer()": lambda n: pygenx.buffer(doubles(n)),
    "dict keys": lambda n: numbered(dict.fromkeys, n // 8).keys(),
    "set": lambda n: numbered(set, n // 8),
    "repeat": ones,
    "map": lambda n: map(abs, range(n)),
    "generator": generated,
    "generator expression": lambda n: (i * 2 for i in range(n) if i % 3),
    "generator expression that rejects": lambda n: (i for i in range(n) if i < 0),
    "iterate": lambda n: pygenx.iterate(abs, 1).take(n),
    "iter_except": lambda n: pygenx.iter_except(ones(n).__next__, StopIteration),
    "with_iter": lambda n: pygenx.with_iter(contextlib.nullcontext(ones(n))),
    "tee branch": lambda n: pygenx.tee(ones(n))[0],
    "tee branch with lock": lambda n: pygenx.tee(ones(n), 1, lock=True)[0],
    "partition branch": lambda n: pygenx.partition(None, ones(n))[1],
    "partition branch that gets none": lambda n: pygenx.partition(bool, zeros(n))[1],
    "serialize": lambda n: pygenx.serialize(ones(n)),
    "merge": lambda n: pygenx.merge(range(n // 2), range(n // 2)),
    "zip": lambda n: pygenx.zip(range(n), range(n)),
    "roundrobin": lambda n: pygenx.roundrobin(range(n // 2), range(n // 2)),
    "chain": lambda n: pygenx.chain(range(n)),
    "chain of nothing": lambda n: pygenx.chain.from_iterable(itertools.repeat((), n)),
    "groupby": lambda n: pygenx.groupby(zeros(n)),
    "peekable": lambda n: pygenx.peekable(ones(n)),
    "seekable": lambda n: pygenx.seekable(ones(n), 5),
    "own": lambda n: pygenx.own(ones(n)),
    "borrow": lambda n: pygenx.borrow(ones(n)),
    "pipe of a pipe": lambda n: pipe(pipe(ones(n)).filter(None)),
    "map_except": lambda n: pygenx.map_except(abs, ones(n), ValueError),
    "iter_suppress": lambda n: pygenx.iter_suppress(ones(n), ValueError),
    "side_effect": lambda n: pygenx.side_effect(abs, ones(n)),
}

STAGES: dict[str, Callable[[int], Any]] = {
    "accumulate": lambda n: pipe(zeros(n)).accumulate(),
    "batched": lambda n: pipe(ones(n)).batched(2),
    "catch": lambda n: pipe(ones(n)).catch(ValueError),
    "chain": lambda n: pipe(()).chain(many(list, n)),
    "chunked": lambda n: pipe(ones(n)).chunked(2),
    "collapse": lambda n: pipe(itertools.repeat([[1]], n // 4)).collapse(),
    "collapse of nothing": lambda n: pipe(itertools.repeat((), n)).collapse(),
    "drop": lambda n: pipe(ones(n)).drop(n),
    "dropwhile": lambda n: pipe(ones(n)).dropwhile(bool),
    "enumerate": lambda n: pipe(ones(n)).enumerate(),
    "filter": lambda n: pipe(zeros(n)).filter(None),
    "filter of a C function": lambda n: pipe(zeros(n)).filter(abs),
    "filter_map": lambda n: pipe(ones(n)).filter_map(abs),
    "filterfalse": lambda n: pipe(ones(n)).filterfalse(None),
    "flat_map": lambda n: pipe(itertools.repeat("ab", n // 4)).flat_map(str.split),
    "flatten": lambda n: pipe(itertools.repeat((1, 2), n // 2)).flatten(),
    "flatten of nothing": lambda n: pipe(itertools.repeat((), n)).flatten(),
    "groupby": lambda n: pipe(zeros(n)).groupby(),
    "intersperse": lambda n: pipe(ones(n)).intersperse(0),
    "islice": lambda n: pipe(ones(n)).islice(n, n + 1),
    "locate": lambda n: pipe(zeros(n)).locate(),
    "map": lambda n: pipe(ones(n)).map(abs),
    "map_except": lambda n: pipe(ones(n)).map_except(abs, ValueError),
    "on_close": lambda n: pipe(ones(n)).on_close(int),
    "pairwise": lambda n: pipe(ones(n)).pairwise(),
    "pluck": lambda n: pipe(pairs(n)).pluck(0),
    "prepend": lambda n: pipe(()).prepend(many(list, n)),
    "progress": lambda n: pipe(ones(n)).progress(disable=True),
    "sliding_window": lambda n: pipe(ones(n)).sliding_window(3),
    "split_after": lambda n: pipe(zeros(n)).split_after(bool),
    "split_at": lambda n: pipe(zeros(n)).split_at(bool),
    "split_before": lambda n: pipe(zeros(n)).split_before(bool),
    "split_when": lambda n: pipe(zeros(n)).split_when(operator.lt),
    "starmap": lambda n: pipe(pairs(n)).starmap(max),
    "tail": lambda n: pipe(ones(n)).tail(2),
    "take": lambda n: pipe(ones(n)).take(n),
    "takewhile": lambda n: pipe(ones(n)).takewhile(bool),
    "takewhile_inclusive": lambda n: pipe(ones(n)).takewhile_inclusive(bool),
    "tap": lambda n: pipe(ones(n)).tap(abs),
    "through": lambda n: pipe(ones(n)).through(iter),
    "unique_everseen": lambda n: pipe(ones(n)).unique_everseen(),
    "unique_justseen": lambda n: pipe(ones(n)).unique_justseen(),
    "windowed": lambda n: pipe(ones(n)).windowed(2),
    "zip": lambda n: pipe(range(n)).zip(range(n)),
}

TERMINALS: dict[str, Work] = {
    "all": lambda n: pipe(ones(n)).all(),
    "any": lambda n: pipe(zeros(n)).any(),
    "array": lambda n: pipe(ones(n)).array("b"),
    "collect": lambda n: pipe(ones(n)).collect(Pipeline().sum(), Pipeline().max()),
    "consume": lambda n: pipe(ones(n)).consume(),
    "count": lambda n: pipe(ones(n)).count(),
    "dict": lambda n: pipe(pairs(n)).dict(),
    "first": lambda n: pipe(zeros(n)).filter(None).first(None),
    "first_true": lambda n: pipe(zeros(n)).first_true(),
    "for_each": lambda n: pipe(ones(n)).for_each(abs),
    "frequencies": lambda n: pipe(ones(n)).frequencies(),
    "into": lambda n: pipe(ones(n)).into(pygenx.fold(max, 0)),
    "join": lambda n: pipe(itertools.repeat("", n)).join(),
    "last": lambda n: pipe(ones(n)).last(),
    "list": lambda n: pipe(ones(n)).list(),
    "map_reduce": lambda n: pipe(ones(n)).map_reduce(abs),
    "map_reduce of many groups": lambda n: pipe(range(n // 8)).map_reduce(
        abs, None, len
    ),
    "max": lambda n: pipe(ones(n)).max(),
    "min": lambda n: pipe(ones(n)).min(),
    "nth": lambda n: pipe(ones(n)).nth(n - 1),
    "one": lambda n: pipe(itertools.chain(zeros(n), [1])).filter(None).one(),
    "only": lambda n: pipe(zeros(n)).filter(None).only(),
    "reduce": lambda n: pipe(ones(n)).reduce(max),
    "reduceby": lambda n: pipe(ones(n)).reduceby(abs, max),
    "set": lambda n: pipe(ones(n)).set(),
    "sum": lambda n: pipe(ones(n)).sum(),
    "sum of floats": lambda n: pipe(itertools.repeat(0.5, n)).sum(),
    "to": lambda n: pipe(zeros(n)).filter(None).to(list),
    "tuple": lambda n: pipe(ones(n)).tuple(),
}


# Lanes, lifted functions and the same called.
LANES: dict[str, Work] = {
    "count of a range": lambda n: pipe(range(n)).filter(lambda x: x < 0).count(),
    "sum of a range": lambda n: pipe(range(n)).map(lambda x: x & 3).sum(),
    "sum of a list": lambda n: pipe(many(list, n)).map(lambda x: x * 2).sum(),
    "sum of floats": lambda n: pipe(doubles(n)).map(lambda x: x * 2.0).sum(),
    "sum of an array": lambda n: (
        pipe(pygenx.buffer(doubles(n))).map(lambda x: x + 1.0).sum()
    ),
    "max": lambda n: pipe(range(n)).map(lambda x: x % 7).max(),
    "array": lambda n: pipe(range(n)).map(lambda x: x % 7).array("b"),
    "list": lambda n: pipe(range(n)).map(lambda x: x % 7).list(),
    "any": lambda n: pipe(range(n)).map(lambda x: x < 0).any(),
    "all": lambda n: pipe(range(n)).map(lambda x: x >= 0).all(),
    "reduce": lambda n: pipe(range(n)).map(lambda x: x & 3).reduce(operator.xor),
    "generator expression": lambda n: pipe(x * x for x in range(n) if x % 2).sum(),
    "that is left again and again": lambda n: (
        pipe(range(n)).map(lambda x: (x % 500 == 0) * 2**62 * 4 + x).count()
    ),
    "boxed": lambda n: pipe(itertools.repeat("a", n)).map(lambda x: x + "b").count(),
    "boxed that rejects": lambda n: pipe(zeros(n)).filter(lambda x: x > 1).count(),
    "attributes": lambda n: pipe(ones(n)).map(lambda x: x.real).count(),
    "two arguments": lambda n: pipe(pairs(n)).starmap(lambda x, y: x + y).count(),
    "accumulate": lambda n: pipe(zeros(n)).accumulate(lambda x, y: x + y).count(),
    "this": lambda n: pipe(range(n)).map(pygenx.this * 2).count(),
    "words": lambda n: (
        pipe(itertools.repeat(TEXT, n // 64)).flat_map(str.split).frequencies()
    ),
    "words in lower case": lambda n: (
        pipe(itertools.repeat(TEXT, n // 64))
        .map(str.lower)
        .flat_map(str.split)
        .frequencies()
    ),
    "words of one long line": lambda n: (
        pipe([text(n)]).flat_map(str.split).frequencies()
    ),
}

PUSHED: dict[str, Work] = {
    "fold": lambda n: pygenx.feed(ones(n), pygenx.fold(max, 0)),
    "broadcast": lambda n: pygenx.feed(
        ones(n), pygenx.broadcast(pygenx.fold(max, 0), pygenx.fold(min, 0))
    ),
    "route": lambda n: pygenx.feed(
        ones(n), pygenx.route(abs, {1: pygenx.fold(max, 0)})
    ),
    "grouping": lambda n: pygenx.feed(zeros(n), pygenx.grouping(abs, keep=False)),
    "into": lambda n: pygenx.feed(
        zeros(n), Pipeline().filter(None).into(pygenx.fold(max, 0))
    ),
    "Reducer.push": lambda n: pygenx.feed(ones(n), Pipeline().sum().push()),
    "one send of a flatten": lambda n: (
        Pipeline().flatten().filter(None).into(pygenx.fold(max, 0)).send(zeros(n))
    ),
}

# One call of next(), send() or the like that takes long.
PULLED: dict[str, Work] = {
    "next of a filter": lambda n: next(pipe(zeros(n)).filter(None), None),
    "next of a group passed over": lambda n: [*pygenx.groupby(zeros(n))],
    "list(pipe)": lambda n: list(pipe(zeros(n)).map(abs)),
    "peekable.peek of a filter": lambda n: pygenx.peekable(
        pipe(zeros(n)).filter(None)
    ).peek(None),
    "peekable[n]": lambda n: pygenx.peekable(ones(n + 1))[n],
    "seekable.seek": lambda n: pygenx.seekable(ones(n), 5).seek(n),
    "next of merge": lambda n: next(
        pygenx.merge(pipe(zeros(n)).filter(None), pipe(()).filter(None)), None
    ),
    "next of a partition": lambda n: next(pygenx.partition(bool, zeros(n))[1], None),
}


class Row(NamedTuple):
    name: str
    work: Work


def rows() -> list[Row]:
    table = []
    for name, source in SOURCES.items():
        table.append(
            Row(f"source {name}", lambda n, s=source: pipe(s(n)).count())  # type: ignore[misc]
        )
    for name, stage in STAGES.items():
        table.append(Row(f".{name}", lambda n, s=stage: s(n).count()))  # type: ignore[misc]
    table += [Row(f"terminal {name}", work) for name, work in TERMINALS.items()]
    table += [Row(f"lane {name}", work) for name, work in LANES.items()]
    table += [Row(f"called {name}", unlifted(work)) for name, work in LANES.items()]
    table += [Row(f"push {name}", work) for name, work in PUSHED.items()]
    table += [Row(name, work) for name, work in PULLED.items()]
    return table


# -- measuring ---------------------------------------------------------------------


def size_for(work: Work) -> int:
    """How many items take SECONDS, and no more than MOST_ITEMS."""
    n = 1 << 12
    while n < MOST_ITEMS:
        start = time.perf_counter()
        work(n)
        took = time.perf_counter() - start
        if took > SECONDS:
            break
        n *= 2 if took > SECONDS / 8 else 8
    return min(n, MOST_ITEMS)


def spin() -> tuple[int, float]:
    """Turns of a Python loop in SECONDS, and the longest of them."""
    now = time.perf_counter()
    turns, longest, end = 0, 0.0, now + SECONDS
    while now < end:
        then, now = now, time.perf_counter()
        longest = max(longest, now - then)
        turns += 1
    return turns, longest


@contextlib.contextmanager
def beside(work: Callable[[], Any]) -> Iterator[threading.Thread]:
    """Another thread does it again and again meanwhile."""
    stop = threading.Event()
    started = threading.Event()

    def again() -> None:
        started.set()
        while not stop.is_set():
            work()

    worker = threading.Thread(target=again)
    worker.start()
    started.wait()
    try:
        yield worker
    finally:
        stop.set()
        worker.join()


def share(work: Work, n: int) -> tuple[float, float]:
    """Of a thread beside it, and the longest wait."""
    best, wait = 0.0, 1e9
    for _ in range(TRIES):
        alone, _ = spin()
        with beside(lambda: work(n)):
            turns, longest = spin()
        best, wait = max(best, turns / alone), min(wait, longest)
        if best > LEAST_SHARE * 1.2:
            break
    return best, wait


def interrupted(action: Callable[[], Any], after: float) -> float:
    """The seconds from Ctrl-C to KeyboardInterrupt."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    start = time.perf_counter()
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        while True:
            action()
    except KeyboardInterrupt:
        return time.perf_counter() - start - after
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def late(work: Work, n: int) -> float:
    return min(interrupted(lambda: work(n), SECONDS / 4) for _ in range(2))


def late_beside(work: Work, n: int) -> float:
    best = 1e9
    for _ in range(2):
        with beside(lambda: work(n)) as worker:
            best = min(best, interrupted(lambda: worker.join(9), SECONDS / 4))
    return best


def main(text: str = "") -> int:
    bad = 0
    print(f"{'':42}  share  longest wait  Ctrl-C  and beside")
    for name, work in rows():
        if text not in name:
            continue
        n = size_for(work)
        part, wait = share(work, n)
        here, there = late(work, n), late_beside(work, n)
        wrong = part < LEAST_SHARE or max(here, there) > LATEST
        bad += wrong
        print(
            f"{name:42} {part:6.0%} {wait * 1e3:9.1f} ms"
            f" {here * 1e3:7.1f} {there * 1e3:7.1f} ms{'  <<<' if wrong else ''}",
            flush=True,
        )
    print(f"{bad} rows miss {LEAST_SHARE:.0%} or {LATEST * 1e3:.0f} ms")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
