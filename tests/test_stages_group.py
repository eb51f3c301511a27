"""batched, chunked, groupby: several items put into one."""

import operator

import pytest
from sources import Failing


def dying(items):
    yield from items
    raise ZeroDivisionError


# batched, chunked --------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 10, 16, 99, 100, 101, 2**62])
@pytest.mark.parametrize("kind", [list, tuple, iter, range])
def test_batches_and_chunks_of_every_size(impl, n, kind):
    items = range(100) if kind is range else kind(range(100))
    cut = [list(range(100))[i : i + n] for i in range(0, 100, n)]
    assert impl.pipe(items).batched(n).list() == [tuple(part) for part in cut]
    items = range(100) if kind is range else kind(range(100))
    assert impl.pipe(items).chunked(n).list() == cut
    assert impl.pipe(range(100)).map(int).batched(n).map(list).list() == cut
    assert impl.pipe(range(100)).map(int).chunked(n).list() == cut


def test_batched_takes_no_more_of_a_list_than_it_needs(impl):
    items = list(range(5))
    p = impl.pipe(items).batched(2)
    assert next(p) == (0, 1)
    items[2:] = [7, 8, 9, 10, 11]
    assert list(p) == [(7, 8), (9, 10), (11,)]


def test_a_list_that_grows_between_part_batches(impl):
    items = list(range(3))
    p = impl.pipe(items).tap(lambda item: len(items) < 30 and items.append(item))
    assert p.batched(100).map(len).list() == [30]
    items = [1]
    p = impl.pipe(items).batched(10)
    items += range(20)
    assert p.map(len).list() == [10, 10, 1]


def test_chunked(impl):
    assert impl.pipe("abcde").chunked(2).list() == [["a", "b"], ["c", "d"], ["e"]]
    assert impl.pipe("abcd").chunked(2, True).list() == [["a", "b"], ["c", "d"]]
    assert impl.pipe("").chunked(3).list() == []


def test_chunked_by_none_is_one_chunk(impl):
    assert impl.pipe("abc").chunked(None).list() == [["a", "b", "c"]]
    assert impl.pipe(list("abc")).chunked(None).list() == [["a", "b", "c"]]
    assert impl.pipe("").chunked(None).list() == []


def test_chunked_refuses_what_it_cannot_do(impl):
    with pytest.raises(ValueError, match=r"^n must be at least 0$"):
        impl.pipe("").chunked(-1)
    with pytest.raises(ValueError, match=r"^n must be at least one$"):
        impl.pipe("").chunked(0)
    with pytest.raises(
        ValueError, match=r"^n must not be None when using strict mode\."
    ):
        impl.pipe("").chunked(None, strict=True)
    with pytest.raises(TypeError):
        impl.pipe("").chunked("2")


@pytest.mark.parametrize("kind", [list, iter])
def test_chunked_strict_refuses_a_short_last_chunk(impl, kind):
    p = impl.pipe(kind("abc")).chunked(2, strict=True)
    assert next(p) == ["a", "b"]
    with pytest.raises(ValueError, match=r"^iterable is not divisible by n\."):
        next(p)
    assert list(p) == []


def test_each_chunk_is_the_consumers(impl):
    chunks = impl.pipe(range(5)).chunked(2).tap(lambda chunk: chunk.clear())
    assert chunks.list() == [[], [], []]


def test_chunked_keeps_its_part_over_an_error(impl):
    p = impl.pipe(Failing("abcde", 1, 3)).chunked(3)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(p)
    assert list(p) == [["a", "c", "e"]]
    p = impl.pipe(dying("ab")).chunked(5)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [["a", "b"]]


# groupby -----------------------------------------------------------------------------


def test_groupby(impl):
    words = ["to", "be", "or", "not", "too"]
    assert impl.pipe(words).groupby(len).list() == [
        (2, ["to", "be", "or"]),
        (3, ["not", "too"]),
    ]
    assert impl.pipe("aab").groupby().list() == [("a", ["a", "a"]), ("b", ["b"])]
    assert impl.pipe("").groupby(None).list() == []
    assert impl.pipe("ab").groupby(key=str.isalpha).list() == [(True, ["a", "b"])]
    with pytest.raises(TypeError):
        impl.pipe("").groupby(5)


def test_the_key_of_a_group_is_its_first(impl):
    groups = impl.pipe([1, 1.0, True, 2]).groupby().list()
    assert groups == [(1, [1, 1.0, True]), (2, [2])]
    assert type(groups[0][0]) is int


def test_groupby_knows_a_key_by_identity_first(impl):
    nan = float("nan")
    assert [len(group) for _, group in impl.pipe([nan, nan]).groupby()] == [2]
    assert [len(g) for _, g in impl.pipe([nan, float("nan")]).groupby()] == [1, 1]


def test_groupby_keeps_its_group_over_an_error(impl):
    def key(item):
        return 1 // item

    p = impl.pipe([2, 3, 0, 4, 1]).groupby(key)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [(0, [2, 3, 4]), (1, [1])]
    p = impl.pipe(dying("aab")).groupby()
    assert next(p) == ("a", ["a", "a"])
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [("b", ["b"])]


class Picky:
    """Cannot be compared at the second attempt."""

    def __init__(self, error):
        self.error = error
        self.calls = 0

    def __eq__(self, other):
        self.calls += 1
        if self.calls == 2:
            raise self.error
        return True

    __hash__ = None


def test_groupby_keeps_its_group_when_keys_cannot_be_compared(impl):
    picky = Picky(ZeroDivisionError())
    p = impl.pipe([picky, 1, 2, 3]).groupby()
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert [group[1:] for _, group in p] == [[1, 3]]
    p = impl.pipe([Picky(StopIteration("oops")), 1, 2, 3]).groupby()
    with pytest.raises(RuntimeError):
        next(p)
    assert [group[1:] for _, group in p] == [[1, 3]]


# length hints ------------------------------------------------------------------------


def test_hints_while_a_part_is_held():
    from pygenx import pipe

    p = pipe(Failing(range(5), 1)).batched(2)
    assert operator.length_hint(p, -1) == -1
    items = list(range(11))
    for name in ("batched", "chunked"):
        p = getattr(pipe(items), name)(4)
        for left in (3, 2, 1):
            assert operator.length_hint(p) == left
            next(p)
        assert operator.length_hint(p) == 0
