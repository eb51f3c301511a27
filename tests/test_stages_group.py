"""Stages that put items into groups or take groups apart."""

import gc
import itertools
import operator
import weakref

import pytest
from sources import Closable, Failing, FailingIter, Source


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


# windowed, sliding_window, pairwise --------------------------------------------------


def windows(items, n, fillvalue=None, step=1):
    """By slices."""
    if not items:
        return []
    overlap = max(n - step, 0)
    starts = [
        s for s in range(0, len(items), step) if s == 0 or s + overlap < len(items)
    ]
    cut = [items[start : start + n] for start in starts]
    return [tuple(part + [fillvalue] * (n - len(part))) for part in cut]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 7])
def test_windows_of_every_size(impl, n, step):
    for size in range(17):
        items = list(range(size))
        expected = windows(items, n, "fill", step)
        got = [
            impl.pipe(items).windowed(n, "fill", step).list(),
            impl.pipe(iter(items)).windowed(n, fillvalue="fill", step=step).list(),
            [tuple(window) for window in impl.pipe(items).windowed(n, "fill", step)],
        ]
        assert got == [expected] * 3


@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_sliding_windows_of_every_size(impl, n):
    for size in (0, 1, 2, 3, 29, 30, 31, 40):
        items = [str(number) for number in range(size)]
        expected = [tuple(items[i : i + n]) for i in range(size - n + 1)]
        assert impl.pipe(items).sliding_window(n).list() == expected
        assert (
            impl.pipe(items).sliding_window(n).map(list).map(tuple).list() == expected
        )
        seen = []
        for window in impl.pipe(iter(items)).sliding_window(n):
            seen += [list(window)]
        assert [tuple(window) for window in seen] == expected


def test_pairwise(impl):
    assert impl.pipe("abc").pairwise().list() == [("a", "b"), ("b", "c")]
    assert impl.pipe("a").pairwise().list() == []
    assert impl.pipe("").pairwise().list() == []


def test_a_window_that_is_kept_never_changes(impl):
    for hold in (1, 2, 3):
        kept, seen = [], []
        for window in impl.pipe(range(50)).sliding_window(3):
            kept = [*kept, window][-hold:]
            seen += [tuple(kept)]
            for back, old in enumerate(reversed(kept)):
                start = len(seen) - 1 - back
                assert old == (start, start + 1, start + 2)
    held = [w for w in impl.pipe(range(50)).windowed(4) if w[0] % 3 == 0]
    assert held == [(i, i + 1, i + 2, i + 3) for i in range(0, 47, 3)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_windows_that_are_kept_and_dropped_by_turns(impl, size):
    for pattern in itertools.product([0, 1, 2], repeat=5):
        windows, kept = impl.pipe(range(30)).sliding_window(size), []
        for start, keep in enumerate(pattern * 3):
            kept.append((start, next(windows)))
            assert [w for _, w in kept] == [tuple(range(i, i + size)) for i, _ in kept]
            kept = kept[len(kept) - keep :] if keep else []


def test_windowed_refuses_what_it_cannot_do(impl):
    with pytest.raises(ValueError, match="n must be > 0"):
        impl.pipe("").windowed(0)
    with pytest.raises(ValueError, match="step must be >= 1"):
        impl.pipe("").windowed(1, step=0)
    with pytest.raises(ValueError, match="n should be at least one, not -3"):
        impl.pipe("").sliding_window(-3)
    with pytest.raises(MemoryError):
        impl.pipe("ab").windowed(
            2**62
        ).list() if impl.__name__ == "pygenx" else no_memory()


def no_memory():
    raise MemoryError


def test_a_window_too_large_for_its_source(impl):
    assert impl.pipe("ab").sliding_window(2**62).list() == []
    assert impl.pipe("abc").windowed(2, step=2**62).list() == [("a", "b")]


def test_windows_go_on_after_an_error(impl):
    p = impl.pipe(Failing("abcdef", 1, 4)).windowed(2)
    seen = []
    for _ in range(7):
        try:
            seen.append(next(p, "end"))
        except ZeroDivisionError:
            seen.append("error")
    assert seen == [
        "error",
        *itertools.pairwise("acd"),
        "error",
        ("d", "f"),
        "end",
        "end",
    ]
    p = impl.pipe(dying("ab")).windowed(5, "-")
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [("a", "b", "-", "-", "-")]


# split_at, split_before, split_after, split_when -------------------------------------


def is_dot(item):
    return item == "."


@pytest.mark.parametrize(
    "name", ["split_at", "split_before", "split_after", "split_when"]
)
@pytest.mark.parametrize("maxsplit", [-2, -1, 0, 1, 2, 3, 9])
@pytest.mark.parametrize("kind", [list, iter])
def test_splits_are_those_of_more_itertools(impl, name, maxsplit, kind):
    theirs = getattr(pytest.importorskip("more_itertools"), name)
    pred = is_dot if name != "split_when" else lambda item, after: item > after
    for text in ("", ".", "a", "..", "ab.c..d", ".a.", "a.b.c.d", "ba.ab.cb"):
        for keep in (False, True) if name == "split_at" else (None,):
            extra = () if keep is None else (keep,)
            expected = list(theirs(text, pred, maxsplit, *extra))
            p = getattr(impl.pipe(kind(text)), name)(pred, maxsplit, *extra)
            assert list(p) == expected


def test_after_the_last_split_the_predicate_is_not_asked(impl):
    for name, out in [
        ("split_at", [["a"], ["b", ".", "c"]]),
        ("split_before", [["a"], [".", "b", ".", "c"]]),
        ("split_after", [["a", "."], ["b", ".", "c"]]),
    ]:
        asked = []
        p = getattr(impl.pipe("a.b.c"), name)(
            lambda item, asked=asked: asked.append(item) or item == ".", 1
        )
        assert p.list() == out
        assert asked == ["a", "."]
        assert getattr(impl.pipe("a.b"), name)(no_memory, maxsplit=0).list() == [
            ["a", ".", "b"]
        ]


def test_maxsplit_is_any_int(impl):
    assert impl.pipe("a.b").split_at(is_dot, -(2**80)).list() == [["a"], ["b"]]
    with pytest.raises(OverflowError):
        impl.pipe("").split_when(is_dot, 2**80)
    for wrong in (None, 1.0, "1"):
        with pytest.raises(TypeError):
            impl.pipe("").split_before(is_dot, wrong)
    with pytest.raises(TypeError):
        impl.pipe("").split_after(None)


@pytest.mark.parametrize("name", ["split_at", "split_before", "split_after"])
def test_a_split_goes_on_after_an_error(impl, name):
    def pred(item):
        return 1 // item

    p = getattr(impl.pipe([2, 3, 0, 1, 4]), name)(pred)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert (
        list(p)
        == {
            "split_at": [[2, 3], [4]],
            "split_before": [[2, 3], [1, 4]],
            "split_after": [[2, 3, 1], [4]],
        }[name]
    )
    p = getattr(impl.pipe(dying([2, 2])), name)(pred)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [[2, 2]]


def test_split_when_goes_on_after_an_error(impl):
    p = impl.pipe([1, 2, "x", 3, 1]).split_when(operator.gt)
    with pytest.raises(TypeError):
        next(p)
    assert list(p) == [[1, 2, 3], [1]]

    def stop(item, after):
        raise StopIteration

    p = impl.pipe("ab").split_when(stop)
    with pytest.raises(RuntimeError):
        next(p)
    assert list(p) == [["a"]]


def test_an_answer_to_throw_does_not_lose_a_separator_in_waiting(impl):
    def source():
        for item in "a.b":
            try:
                yield item
            except ValueError:
                yield "."

    p = impl.pipe(source()).split_at(is_dot, keep_separator=True)
    assert next(p) == ["a"]
    assert p.throw(ValueError) == ["."]
    assert list(p) == [[], ["."], ["b"]]


def test_the_truth_of_an_answer_may_fail(impl):
    class Untrue:
        def __bool__(self):
            raise KeyError("truth")

    p = impl.pipe("ab").split_at(lambda item: Untrue() if item == "a" else False)
    with pytest.raises(KeyError):
        next(p)
    assert list(p) == [["b"]]


# collapse ----------------------------------------------------------------------------

NESTED = [1, [2, (3, [4, {5: 6}]), "ab", b"x"], [], [[[]]], range(2)]


def test_collapse(impl):
    leaves = [1, 2, 3, 4, 5, "ab", b"x", 0, 1]
    assert impl.pipe(NESTED).collapse().list() == leaves
    assert list(impl.pipe(NESTED).collapse(None, None)) == leaves
    assert impl.pipe([]).collapse().list() == []
    assert impl.pipe([[[]], [], ()]).collapse().list() == []


@pytest.mark.parametrize("base_type", [None, tuple, dict, (dict, tuple), int, str])
@pytest.mark.parametrize("levels", [None, 0, 1, 2, 3, 9])
def test_what_collapse_gives_is_what_more_itertools_gives(impl, base_type, levels):
    theirs = pytest.importorskip("more_itertools").collapse
    p = impl.pipe(NESTED).collapse(base_type, levels)
    assert p.list() == list(theirs(NESTED, base_type, levels))


def test_collapse_refuses_what_it_cannot_do(impl):
    with pytest.raises(ValueError, match="levels must be at least 0"):
        impl.pipe([]).collapse(levels=-1)
    for wrong in (5, "str", [int]):
        with pytest.raises(TypeError):
            impl.pipe([]).collapse(wrong)


class Sequence:
    """Iterable by index alone."""

    def __getitem__(self, index):
        return "abc"[index]


class Closed:
    """Says of itself that it cannot be iterated over."""

    __iter__ = None


class Text:
    """Passes for a string, as a proxy of one would."""

    @property
    def __class__(self):
        return str

    def __iter__(self):
        raise AssertionError


class Word(str):
    __slots__ = ()


def test_what_is_a_leaf(impl):
    assert impl.pipe([Sequence()]).collapse().list() == ["a", "b", "c"]
    leaves = [Closed(), Text(), Word("word"), 5, None, len, int, 0.5]
    assert impl.pipe([leaves]).collapse().list() == leaves


def test_collapse_stays_usable_after_an_error(impl):
    bad = FailingIter(KeyError("no"))
    p = impl.pipe([1, [2, bad, 3], 4]).collapse()
    assert [next(p), next(p)] == [1, 2]
    with pytest.raises(KeyError):
        next(p)
    assert list(p) == [3, 4]
    p = impl.pipe([[1, FailingIter(StopIteration("no")), 2]]).collapse()
    assert next(p) == 1
    with pytest.raises(RuntimeError):
        next(p)
    assert list(p) == [2]
    p = impl.pipe([[1, dying([2]), 3]]).collapse()
    assert [next(p), next(p)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [3]


def test_close_closes_the_whole_stack_innermost_first(impl):
    def level(name, inner):
        try:
            yield name
            yield inner
        finally:
            log.append(name)

    for how in ("close", "exit", "throw", "drop"):
        log = []
        inner = level(3, [])
        middle = level(2, inner)
        outer = level(1, middle)
        p = impl.pipe([outer]).collapse()
        assert [next(p), next(p), next(p)] == [1, 2, 3]
        if how == "close":
            p.close()
        elif how == "exit":
            with p:
                pass
        elif how == "throw":
            with pytest.raises(KeyError):
                p.throw(KeyError)
        if how in ("close", "exit"):
            assert log == [3, 2, 1]
            assert list(p) == []
        del p, inner, middle, outer
        assert sorted(log) == [1, 2, 3]


def test_a_throw_goes_into_the_innermost(impl):
    def inner():
        try:
            yield 1
        except ValueError:
            yield [[2], 3]

    p = impl.pipe([[inner(), 4]]).collapse()
    assert next(p) == 1
    assert p.throw(ValueError) == 2
    assert list(p) == [3, 4]


def test_each_inner_iterable_of_an_owned_pipe_is_closed_at_its_end(impl):
    inner = Closable([1, Closable([2])])
    with impl.pipe([[inner], 3]).collapse() as p:
        assert list(p) == [1, 2, 3]
        assert inner.closes == 1


def test_collapse_takes_no_more_than_it_gives(impl):
    inner = Source([1, 2])
    outer = Source([inner, 3])
    p = impl.pipe(outer).collapse()
    assert next(p) == 1
    assert (outer.given, inner.given) == (1, 1)


def test_collapse_goes_as_deep_as_memory():
    from pygenx import pipe

    depth = 100_000
    nest = []
    for number in range(depth):
        nest = [nest, number]
    assert pipe([nest]).collapse().sum() == depth * (depth - 1) // 2
    p = pipe([nest]).collapse()
    next(p)
    p.close()
    p = pipe([nest]).collapse()
    next(p)
    del p
    while nest:
        nest = nest[0]


def test_a_cycle_through_a_stack_of_collapse_is_collected():
    from pygenx import pipe

    class Leaf(list):
        pass

    leaf = Leaf([1, 2])
    alive = weakref.ref(leaf)
    outer = [[leaf, 3]]
    p = pipe(outer).collapse()
    outer.append(p)
    leaf.append(p)
    assert next(p) == 1
    del p, leaf, outer
    gc.collect()
    assert alive() is None


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


@pytest.mark.parametrize("size", range(12))
def test_hints_of_windows(size):
    from pygenx import pipe

    items = list(range(size))
    makers = [lambda p, n=n: p.sliding_window(n) for n in (1, 2, 5)]
    makers += [
        lambda p, n=n, step=step: p.windowed(n, step=step)
        for n in (1, 2, 5)
        for step in (1, 2, 3, 7)
    ]
    for make in makers:
        p = make(pipe(items))
        left = len(make(pipe(items)).list())
        while left:
            assert operator.length_hint(p) == left
            next(p)
            left -= 1
        assert operator.length_hint(p) == 0
