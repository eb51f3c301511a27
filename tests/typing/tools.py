"""The types of the generator tools, as a checker and as Python see them."""

from __future__ import annotations

import operator
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Sequence,
)
from typing import Any, assert_type

from pygenx import (
    ReentrancyError,
    borrow,
    chain,
    feed,
    fold,
    groupby,
    grouping,
    merge,
    own,
    partition,
    peekable,
    pipe,
    primed,
    roundrobin,
    seekable,
    serialize,
    spy,
    tee,
    timing,
)
from pygenx import zip as zip_

# -- chain, own, borrow ------------------------------------------------------

assert_type(chain([1], (2,)), chain[int])
assert_type(chain.from_iterable([[1], [2]]), chain[int])
assert_type(next(chain(["a"])), str)
letters: chain[object] = chain("ab")

with chain([1]) as chained:
    assert_type(chained, chain[int])
    assert_type(chained.send(None), int)
    chained.close()
assert_type(chained.result, Any)

assert_type(own([1]), own[int])
assert_type(borrow([1]), borrow[int])
with own(iter([1])) as borrowed:
    assert_type(borrowed, borrow[int])
    assert_type(next(borrowed), int)

# -- zip, roundrobin, merge, serialize ---------------------------------------

assert_type(zip_([1], "a"), zip_[tuple[int, str]])
assert_type(next(zip_([1], "a", [2.5], strict=True)), tuple[int, str, float])
assert_type(zip_([1], closing=True), zip_[tuple[int]])
assert_type(zip_([1], [1], [1], [1], [1], [1]), zip_[tuple[Any, ...]])
assert_type(roundrobin([1], (2,)), roundrobin[int])
assert_type(merge([1], (2,)), merge[int])
assert_type(merge(["a"], key=len, reverse=True), merge[str])
assert_type(serialize([1], timeout=0.5), serialize[int])
with serialize("ab") as serialized:
    assert_type(next(serialized), str)

# -- tee ---------------------------------------------------------------------

left, right = tee([1, 2])
assert_type(next(left), int)
first, second, third = tee("abc", 3, lock=True)
assert_type(next(third), str)
branches = tee([1], 5, maxlen=10)
assert_type([next(branch) for branch in branches], list[int])
more: Iterable[object] = type(left)([3])
left.close()

# -- partition ---------------------------------------------------------------

no, yes = partition(str.isdigit, ["1", "a"], maxlen=10)
assert_type(next(no), str)
assert_type(yes.send(None), str)
partition(None, [1, 2])[0].close()

# -- peekable, spy -------------------------------------------------------------

looking = peekable([1, 2])
assert_type(looking.peek(), int)
assert_type(looking.peek(None), int | None)
assert_type(looking[0], int)
assert_type(looking[1:], list[int])
looking.prepend(3, 4)
if looking:
    assert_type(next(looking), int)
back = seekable([1, 2], maxlen=5)
assert_type(back, seekable[int])
assert_type(back.peek(""), int | str)
assert_type((back[0], back[:1]), tuple[int, list[int]])
assert_type(back.seek(0), None)
back.relative_seek(1)
assert_type(back.tell(), int)
assert_type(list(back.elements()), list[int])
kept: Sequence[object] = back.elements()
assert_type(spy("abc", 2), tuple[list[str], peekable[str]])

# -- groupby -----------------------------------------------------------------

assert_type(groupby([1, 2]), groupby[int, int])
assert_type(groupby(["a"], len), groupby[int, str])
assert_type(groupby(["a"], key=len), groupby[int, str])
for length, group in groupby(["a", "b"], len):
    assert_type(length, int)
    assert_type(next(group), str)
    group.close()

# -- primed ------------------------------------------------------------------


@primed
def averager(start: float, *, weight: int = 1) -> Generator[float, float, str]:
    total, count = start, 1
    while True:
        total += (yield total / count) * weight
        count += weight


@primed
async def ticker(start: int) -> AsyncGenerator[int, str]:
    while True:
        yield start


class Meter:
    @primed
    def reader(self, scale: int) -> Generator[int, int, None]:
        value = 0
        while True:
            value = scale * (yield value)


assert_type(averager(1.0), Generator[float, float, str])
assert_type(averager(1.0, weight=2).send(2.0), float)
assert_type(Meter().reader(3), Generator[int, int, None])
assert_type(Meter.reader(Meter(), 3), Generator[int, int, None])


async def tick() -> None:
    waiting: Coroutine[Any, Any, AsyncGenerator[int, str]] = ticker(1)
    assert_type(await waiting, AsyncGenerator[int, str])


# -- grouping, fold, feed ----------------------------------------------------

by_length = grouping(lambda word: len(str(word)))
assert_type(by_length, grouping[int])
assert_type(by_length.send("a"), tuple[int, list[Any]] | None)
assert_type(by_length.close(), tuple[int, list[Any]] | None)
for size, members in by_length:
    assert_type(size, int)
    assert_type(members, list[Any])
assert_type(grouping(), grouping[Any])
assert_type(grouping().current, tuple[Any, list[Any]] | None)
counts = grouping(len, fold=lambda count, _: count + 1, init=0)
assert_type(counts, grouping[int, int])
assert_type(counts.send("a"), tuple[int, int] | None)
assert_type(grouping(fold=operator.add, init=0.0), grouping[Any, float])
seen: list[object] = []
assert_type(grouping(len, sink=seen.append), grouping[int])
with by_length as entered:
    assert_type(entered, grouping[int])


def add(total: int, item: int) -> int:
    return total + item


total = fold(add, 0)
assert_type(total, fold[int])
assert_type(total.send(1), int)
assert_type(total.value, int)
assert_type(total.close(), int)
assert_type(feed(range(5), fold(add, 0)), int)
assert_type(feed([1.0], averager(0.0)), str | None)
assert_type(feed(pipe([1]), fold(operator.add, 0)), int)
assert_type(feed(["a"], grouping(len)), Any)
assert_type(feed(["a"], seen.append), Any)

# -- timing ------------------------------------------------------------------


def work(count: int, *, name: str = "") -> list[str]:
    return [name] * count


assert_type(timing()(work)(1, name="a"), list[str])
assert_type(timing("label", report=None)(work)(1), list[str])
assert_type(timing(work)(1, name="a"), list[str])


@timing
async def slow(count: int) -> int:
    return count


returned: Callable[[int], Coroutine[Any, Any, int]] = slow


class Timed:
    @timing(report=None)
    @classmethod
    def make(cls, count: int) -> Timed:
        return cls()

    @timing
    def method(self, count: int) -> int:
        return count


assert_type(Timed.make(1), Timed)
assert_type(Timed().method(2), int)

with timing("sum", report=lambda text: seen.append(text.elapsed_ns)) as timer:
    assert_type(timer.elapsed, float)
    assert_type(timer.lap(), float)
assert_type(timer.elapsed_ns, int)
assert_type(timer.laps, list[float])
assert_type(timer.count, int)
assert_type(timer.total + timer.min + timer.max + timer.mean, float)

# -- errors ------------------------------------------------------------------

both: tuple[ValueError, RuntimeError] = (ReentrancyError(), ReentrancyError())
