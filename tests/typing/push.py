"""What checkers see where a program is pushed: Reducers, sinks, what is fed to them.

Like pipelines.py it is checked and run; mistakes.py has the calls that must not pass.
"""

from __future__ import annotations

import operator
from array import array  # noqa: F401  (3.11 cannot subscript it: in strings)
from collections import Counter, defaultdict
from collections.abc import Generator
from typing import Any, assert_type

from pygenx import (
    Failure,
    Pipeline,
    Reducer,
    broadcast,
    feed,
    fold,
    grouping,
    pipe,
    route,
)


def texts() -> pipe[str]:
    return pipe(["to", "be", "or"])


program = Pipeline[str]().map(len)

# -- Reducers ----------------------------------------------------------------

assert_type(program.list(), Reducer[str, list[int]])
assert_type(program.sum(), Reducer[str, int])
assert_type(program.count(), Reducer[str, int])
assert_type(program.any(), Reducer[str, bool])
assert_type(program.frequencies(), Reducer[str, Counter[int]])
assert_type(program.array("q"), Reducer[str, "array[int]"])
assert_type(program.map(str).join(), Reducer[str, str])
assert_type(program.first(None), Reducer[str, int | None])
assert_type(program.map_reduce(str), Reducer[str, dict[str, list[int]]])
assert_type(program.consume(), Reducer[str, None])
assert_type(program.list()(["to"]), list[int])
assert_type(program.count().check_pickle(), None)

pushed = program.batched(2).list().push()
assert_type(pushed.send("to"), int)
assert_type(pushed.close(), list[tuple[int, ...]])
assert_type(pushed.result, list[tuple[int, ...]] | None)

# -- collect -----------------------------------------------------------------

numbers = Pipeline[int]()
assert_type(texts().collect(program.list()), tuple[list[int]])
assert_type(
    texts().collect(program.list(), Pipeline[str]().join()), tuple[list[int], str]
)
assert_type(
    program.collect(numbers.sum(), numbers.map(str).list(), numbers.count()),
    Reducer[str, tuple[int, list[str], int]],
)
assert_type(
    texts().collect(program.sum(), program.sum(), program.sum(), program.sum()),
    tuple[Any, ...],
)

# -- into --------------------------------------------------------------------


def joiner() -> Generator[None, int, str]:
    got: list[int] = []
    try:
        while True:
            got.append((yield))
    except GeneratorExit:
        return str(got)


assert_type(texts().map(len).into(numbers.list()), list[int])
assert_type(texts().map(len).into(fold(operator.add, 0)), int)
assert_type(texts().map(len).into(joiner()), str | None)
assert_type(texts().into(program.into(numbers.sum())), int)
assert_type(program.into(numbers.sum()).close(), int)
assert_type(program.into(fold(operator.add, 0)).close(), int)
assert_type(program.into(joiner()).close(), str | None)
into_a_list: list[int] = []
with program.into(into_a_list.append) as into_function:
    assert_type(into_function.send("to"), int)

# -- broadcast, route --------------------------------------------------------

both = broadcast(program.list(), Pipeline[str]().join())
assert_type(both.send("to"), int)
assert_type(both.close(), tuple[Any, ...])
assert_type(both.result, tuple[Any, ...] | None)
mixed = broadcast[str](program.list(), print)
assert_type(feed(["to"], mixed), tuple[Any, ...])

by_length = route(len, {2: Pipeline[str]().join()})
assert_type(by_length.send("to"), int)
assert_type(by_length.close(), dict[int, Any])
totals: defaultdict[int, Reducer[str, int]] = defaultdict(Pipeline[str]().count)
assert_type(feed(["to", "not"], route(len, totals)), dict[int, Any])
assert_type(texts().into(both_again := broadcast(program.list())), Any)
assert_type(both_again.result, tuple[Any, ...] | None)
words = grouping(len, sink=print)
feed(["to", "be"], words)

# -- catch, stats ------------------------------------------------------------


def instead(failure: Failure) -> str:
    return failure.stage


assert_type(texts().map(int).catch(ValueError), pipe[int])
assert_type(texts().map(int).catch(ValueError, stop=True), pipe[int])
assert_type(texts().map(int).catch(ValueError, replace=instead), pipe[int | str])
assert_type(
    Pipeline[str]().map(int).catch(ValueError, replace=instead).list(),
    Reducer[str, list[int | str]],
)

counted = texts()
stats = counted.stats()
assert_type(counted.map(len).list(), list[int])
assert_type(stats[0].items_out, int)
assert_type(stats[-1].name, str)
assert_type(stats[1].seconds, float | None)
assert_type([row.dropped for row in stats], list[int])
assert_type(len(stats), int)

# -- variance: a Reducer takes more and gives less ---------------------------

wide: Reducer[object, int] = Pipeline[object]().count()
narrow: Reducer[str, object] = wide
assert_type(texts().collect(wide), tuple[int])
objects: pipe[object] = texts()
print(narrow, objects)
