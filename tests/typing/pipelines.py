"""The type after every stage and terminal, as a checker and as Python see it."""

from __future__ import annotations

import io
import operator
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard, assert_type

from typing_extensions import TypeIs

from pygenx import (
    Pipeline,
    always_iterable,
    buffer,
    iter_except,
    iter_suppress,
    iterate,
    map_except,
    pipe,
    read_lines,
    side_effect,
    with_iter,
)


def is_str(value: object) -> TypeIs[str]:
    return isinstance(value, str)


def is_strs(value: list[object]) -> TypeGuard[list[str]]:
    return all(isinstance(item, str) for item in value)


def numbers() -> pipe[int]:
    return pipe([1, 2, 3])


def words() -> pipe[str]:
    return pipe(["b", "a", "b"])


def maybe() -> pipe[int | None]:
    return pipe([1, None])


def lists() -> pipe[list[object]]:
    return pipe([["a", 1]])


def mixed() -> pipe[int | str | None]:
    items: list[int | str | None] = [1, "a", None]
    return pipe(items)


def some_of(items: Iterable[str], n: int) -> Iterator[int]:
    for item in items:
        yield len(item) * n


def ignore(value: object) -> None:
    """For what is called with each item."""


# -- sources -----------------------------------------------------------------

assert_type(pipe([1]), pipe[int])
assert_type(pipe("abc"), pipe[str])
assert_type(pipe({"a": 1}.items()), pipe[tuple[str, int]])
assert_type(pipe(pipe([1])), pipe[int])
assert_type(iterate(lambda n: n * 2, 1), pipe[int])
assert_type(iter_except([1].pop, IndexError), pipe[int])
assert_type(iter_except([1].pop, (IndexError, KeyError), str), pipe[int | str])
assert_type(always_iterable("abc"), pipe[str])
assert_type(always_iterable(b"abc"), pipe[bytes])
assert_type(always_iterable([1, 2]), pipe[int])
assert_type(always_iterable({"a": 1}), pipe[str])
assert_type(always_iterable(1.5), pipe[float])
assert_type(always_iterable("abc", None), pipe[Any])
assert_type(with_iter(io.StringIO("a\nb")), pipe[str])
assert_type(buffer(b"abc"), pipe[int])
assert_type(buffer(array("i", [1])), pipe[int])
assert_type(buffer(array("d", [1.0])), pipe[float])
view: memoryview[int] = memoryview(b"abc")
assert_type(buffer(view), pipe[int])
assert_type(read_lines(), pipe[str])
assert_type(read_lines().map(len).lineno, int | None)

# -- stages ------------------------------------------------------------------

assert_type(numbers().map(str), pipe[str])
assert_type(numbers().map(lambda n: n / 2), pipe[float])
assert_type(words().map(len).map(float), pipe[float])
assert_type(words().map(str.split).flatten(), pipe[str])
assert_type(words().enumerate(1).starmap(lambda i, word: word * i), pipe[str])
assert_type(
    pipe([(1, "a", 2.0)]).starmap(lambda i, s, x: (s, i * x)), pipe[tuple[str, float]]
)
assert_type(numbers().filter(lambda n: n > 1), pipe[int])
assert_type(maybe().filter(None), pipe[int])
assert_type(mixed().filter(is_str), pipe[str])
assert_type(lists().filter(is_strs), pipe[list[str]])
assert_type(mixed().filterfalse(None), pipe[int | str | None])
assert_type(numbers().filterfalse(lambda n: n > 1), pipe[int])
assert_type(words().flat_map(str.encode), pipe[int])
assert_type(pipe([[1], [2]]).flatten(), pipe[int])
assert_type(pipe([{"a": 1}]).flatten(), pipe[str])
assert_type(words().enumerate(), pipe[tuple[int, str]])
assert_type(words().filter_map(str.isalpha), pipe[bool])
assert_type(words().filter_map({"a": 1}.get), pipe[int])
assert_type(numbers().accumulate(), pipe[int])
assert_type(numbers().accumulate(max), pipe[int])
assert_type(numbers().accumulate(initial=0.5), pipe[int | float])
assert_type(numbers().accumulate(lambda text, n: text + str(n), initial=""), pipe[str])
assert_type(words().enumerate().pluck(0), pipe[Any])
assert_type(words().enumerate().pluck([1, 0]), pipe[tuple[Any, ...]])
assert_type(pipe([{"a": 1}]).pluck("b", default=None), pipe[Any])
assert_type(words().intersperse("-"), pipe[str])
assert_type(words().intersperse(None, n=2), pipe[str | None])
assert_type(words().unique_everseen(), pipe[str])
assert_type(words().unique_everseen(len, maxlen=10), pipe[str])
assert_type(words().unique_justseen(key=len), pipe[str])
assert_type(words().locate(), pipe[int])
assert_type(words().locate(str.isalpha), pipe[int])
assert_type(numbers().tail(2), pipe[int])
assert_type(numbers().takewhile_inclusive(lambda n: n < 2), pipe[int])
assert_type(numbers().takewhile(lambda n: n < 2), pipe[int])
assert_type(numbers().dropwhile(lambda n: n < 2), pipe[int])
assert_type(words().map(int).catch(ValueError, do=print), pipe[int])
assert_type(
    words().map(int).catch(ValueError, OSError, replace=lambda failure: failure.stage),
    pipe[int | str],
)
assert_type(words().map_except(int, ValueError), pipe[int])
assert_type(words().on_close(print), pipe[str])
assert_type(words().through(some_of, 2), pipe[int])
assert_type(words().through(some_of, n=2).map(str), pipe[str])
assert_type(Pipeline[str]().on_close(print), Pipeline[str, str])
assert_type(Pipeline[str]().through(some_of, 2), Pipeline[str, int])
assert_type(iter_suppress([1], ValueError), pipe[int])
assert_type(map_except(int, ["1"], ValueError), pipe[int])
assert_type(side_effect(print, [1]), pipe[int])
assert_type(side_effect(print, [1], 2, after=print), pipe[int])
assert_type(Pipeline[str]().map(int).catch(ValueError), Pipeline[str, int])
assert_type(Pipeline[str]().map_except(int, KeyError), Pipeline[str, int])
assert_type(numbers().take(2), pipe[int])
assert_type(numbers().drop(n=2), pipe[int])
assert_type(numbers().islice(2), pipe[int])
assert_type(numbers().islice(None), pipe[int])
assert_type(numbers().islice(0, None), pipe[int])
assert_type(numbers().islice(0, 3, 2), pipe[int])
assert_type(numbers().batched(2), pipe[tuple[int, ...]])
assert_type(numbers().batched(n=2, strict=True), pipe[tuple[int, ...]])
assert_type(numbers().chunked(2, True), pipe[list[int]])
assert_type(numbers().chunked(None), pipe[list[int]])
assert_type(numbers().windowed(2), pipe[tuple[int | None, ...]])
assert_type(numbers().windowed(2, "", 2), pipe[tuple[int | str, ...]])
assert_type(numbers().sliding_window(2), pipe[tuple[int, ...]])
assert_type(numbers().pairwise(), pipe[tuple[int, int]])
assert_type(words().split_at(str.isspace, 2, True), pipe[list[str]])
assert_type(words().split_before(str.isupper), pipe[list[str]])
assert_type(words().split_after(str.isupper, maxsplit=1), pipe[list[str]])
assert_type(numbers().split_when(lambda a, b: a > b), pipe[list[int]])
assert_type(lists().collapse(int | tuple, levels=2), pipe[Any])
assert_type(words().groupby(), pipe[tuple[str, list[str]]])
assert_type(words().groupby(len), pipe[tuple[int, list[str]]])
assert_type(numbers().chain([4], (5,)), pipe[int])
assert_type(numbers().chain(["a"]), pipe[int | str])
assert_type(numbers().chain(), pipe[int])
assert_type(numbers().prepend("ab"), pipe[int | str])
assert_type(numbers().zip("abc"), pipe[tuple[int, str]])
assert_type(numbers().zip("abc", [1.5], strict=True), pipe[tuple[int, str, float]])
assert_type(numbers().tap(ignore), pipe[int])
assert_type(numbers().tap(ignore, before=list[int], after=list[int]), pipe[int])
assert_type(numbers().tap(lambda chunk: chunk.sort(), chunk_size=2), pipe[int])

# -- terminals ---------------------------------------------------------------

assert_type(numbers().list(), list[int])
assert_type(numbers().tuple(), tuple[int, ...])
assert_type(numbers().set(), set[int])
assert_type(words().enumerate().dict(), dict[int, str])
assert_type(pipe(["a=1"]).map(lambda line: line.split("=")).dict(), dict[str, str])
assert_type(numbers().sum(), int)
assert_type(numbers().map(bool).sum(), int)
assert_type(numbers().map(float).sum(0.5), float)
assert_type(numbers().min(), int)
assert_type(words().max(key=len), str)
assert_type(words().min(default=None), str | None)
assert_type(mixed().max(key=str, default=0.5), int | str | float | None)
assert_type(mixed().any(), bool)
assert_type(mixed().all(), bool)
assert_type(mixed().count(), int)
assert_type(words().frequencies(), Counter[str])
assert_type(numbers().array("q"), "array[int]")
assert_type(numbers().map(float).array("d"), "array[float]")
assert_type(words().join(), str)
assert_type(words().join(", "), str)
assert_type(numbers().reduce(operator.add), int)
assert_type(numbers().reduce(lambda a, b: a * b), int)
assert_type(numbers().reduce(lambda text, n: text + str(n), ""), str)
assert_type(numbers().first(), int)
assert_type(numbers().first(None), int | None)
assert_type(numbers().last(), int)
assert_type(words().last(0), str | int)
assert_type(numbers().nth(1), int | None)
assert_type(numbers().nth(9, "none"), int | str)
assert_type(numbers().take(1).one(), int)
assert_type(numbers().take(1).one(KeyError, LookupError("two")), int)
assert_type(numbers().take(1).only(), int | None)
assert_type(numbers().take(1).only("", too_long=KeyError), int | str)
assert_type(numbers().first_true(), int | None)
assert_type(numbers().first_true("", lambda n: n > 1), int | str)
assert_type(numbers().first_true(pred=bool), int | None)
assert_type(words().map_reduce(len), dict[int, list[str]])
assert_type(words().map_reduce(len, str.encode), dict[int, list[bytes]])
assert_type(words().map_reduce(len, str.encode, b"".join), dict[int, bytes])
assert_type(words().map_reduce(len, None, ",".join), dict[int, str])
assert_type(words().map_reduce(len, reducefunc=len), dict[int, int])
assert_type(words().reduceby(len, lambda a, b: a + b), dict[int, str])
assert_type(words().reduceby(len, lambda a, b: a + len(b), 0), dict[int, int])
assert_type(
    words().reduceby(len, lambda a, b: a + len(b), factory=float), dict[int, float]
)
numbers().for_each(ignore)
numbers().consume()
numbers().consume(2)
assert_type(numbers().to(sorted, key=operator.neg), list[int])
assert_type(numbers().to(sum), int)
assert_type(words().to(dict.fromkeys, 0), dict[str, int])
assert_type(numbers().explain(), str)
counts = numbers().stats()
assert_type(len(counts), int)
assert_type(counts[0].items_out, int)
assert_type(counts[0].name, str)
assert_type(counts[0].as_dict(), dict[str, Any])
assert_type([row.errors for row in counts[1:]], list[int])
assert_type(numbers().profile()[-1].seconds, float | None)

# -- an iterator and a context manager ---------------------------------------

with numbers() as entered:
    assert_type(entered, pipe[int])
    assert_type(next(entered), int)
    assert_type(entered.send(None), int)
    entered.close()
for number in numbers():
    assert_type(number, int)
assert_type(numbers().result, Any)

# -- covariance --------------------------------------------------------------

wider: pipe[object] = numbers()
iterable: Iterable[float] = numbers()

# -- Pipeline ----------------------------------------------------------------

assert_type(Pipeline(), Pipeline[Any, Any])
assert_type(Pipeline[str](), Pipeline[str, str])
assert_type(Pipeline().map(len), Pipeline[Any, int])

text = Pipeline[str]()
ints = Pipeline[int]()
pairs = Pipeline[tuple[str, int]]()
assert_type(text.map(len), Pipeline[str, int])
assert_type(pairs.starmap(lambda word, n: word * n), Pipeline[tuple[str, int], str])
assert_type(Pipeline[int | None]().filter(None), Pipeline[int | None, int])
assert_type(Pipeline[object]().filter(is_str), Pipeline[object, str])
assert_type(ints.filter(lambda n: n > 1), Pipeline[int, int])
assert_type(ints.filterfalse(None), Pipeline[int, int])
assert_type(text.flat_map(str.split), Pipeline[str, str])
assert_type(Pipeline[list[int]]().flatten(), Pipeline[list[int], int])
assert_type(text.enumerate(), Pipeline[str, tuple[int, str]])
assert_type(text.takewhile(str.isalpha).dropwhile(str.isupper), Pipeline[str, str])
assert_type(text.take(3).drop(1).islice(1), Pipeline[str, str])
assert_type(text.islice(0, None, 2), Pipeline[str, str])
assert_type(text.batched(2, strict=True), Pipeline[str, tuple[str, ...]])
assert_type(text.chunked(2), Pipeline[str, list[str]])
assert_type(text.windowed(2), Pipeline[str, tuple[str | None, ...]])
assert_type(text.windowed(2, 0), Pipeline[str, tuple[str | int, ...]])
assert_type(text.sliding_window(2), Pipeline[str, tuple[str, ...]])
assert_type(text.pairwise(), Pipeline[str, tuple[str, str]])
assert_type(text.split_at(str.isspace), Pipeline[str, list[str]])
assert_type(text.split_before(str.isspace), Pipeline[str, list[str]])
assert_type(text.split_after(str.isspace), Pipeline[str, list[str]])
assert_type(text.split_when(lambda a, b: len(a) < len(b)), Pipeline[str, list[str]])
assert_type(text.collapse((int, (list, dict))), Pipeline[str, Any])
assert_type(text.groupby(), Pipeline[str, tuple[str, list[str]]])
assert_type(text.groupby(len), Pipeline[str, tuple[int, list[str]]])
assert_type(text.chain([1], lambda: (2,)), Pipeline[str, str | int])
assert_type(text.prepend([None]), Pipeline[str, str | None])
assert_type(text.zip([1], lambda: (2.5,)), Pipeline[str, tuple[str, int, float]])
assert_type(text.tap(ignore), Pipeline[str, str])
assert_type(text.progress(desc="words"), Pipeline[str, str])
assert_type(numbers().progress(total=3, unit="n", disable=True), pipe[int])
assert_type(ints.tap(lambda chunk: chunk.sort(), 2), Pipeline[int, int])
assert_type(text.explain(), str)
text.check_pickle()
text.check_pickle(dumps=repr)

assert_type(text.map(len)(["a", "bc"]), pipe[int])
assert_type(text.map(len) | ints.map(float), Pipeline[str, float])
assert_type(text | text, Pipeline[str, str])
assert_type(words() | text.map(len), pipe[int])
assert_type(words() | Pipeline().map(len), pipe[int])
contravariant: Pipeline[bool, object] = ints.map(str)

# -- several pipes of one ----------------------------------------------------

left, right = pipe([1, 2]).tee()
assert_type(left.map(str).list(), list[str])
assert_type(pipe("abc").tee(3, lock=True)[2], pipe[str])
assert_type(pipe("abc").tee(5, maxlen=1), tuple[pipe[str], ...])
assert_type(pipe("abc").partition(str.isdigit), tuple[pipe[str], pipe[str]])
assert_type(pipe([1]).partition(None, maxlen=2)[0].sum(), int)
