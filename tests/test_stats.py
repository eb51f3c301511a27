"""stats() and profile(): what is counted, when, and that nothing else changes."""

import copy
import gc
import operator
import pickle
import time
import weakref

import pytest
from sources import Source
from test_contract import STAGES

import pygenx
from pygenx import Pipeline, pipe, read_lines

pytestmark = pytest.mark.c


def counted(p):
    """The counts of (name, in, out, dropped, errors), source first."""
    return [
        (row.name, row.items_in, row.items_out, row.dropped, row.errors) for row in p
    ]


def counts(p):
    return [each[1:] for each in counted(p)]


def odd(n):
    return n % 2


def failing(n):
    if n == 2:
        raise ValueError("two")
    return n


# what is counted ----------------------------------------------------------------------


def test_every_row_of_a_drain():
    numbers = pipe(range(10))
    stats = numbers.stats()
    assert numbers.filter(odd).map(str).list() == ["1", "3", "5", "7", "9"]
    assert counted(stats) == [
        ("<range>", 0, 10, 0, 0),
        ("filter(odd)", 10, 5, 5, 0),
        ("map(str)", 5, 5, 0, 0),
        ("list()", 5, 0, 0, 0),
    ]
    assert [row.kind for row in stats] == ["source", "stage", "stage", "terminal"]


def test_every_row_of_a_pull_item_by_item():
    p = pipe(range(4)).filter(odd).map(str)
    stats = p.stats()
    assert counts(stats) == [(0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]
    assert next(p) == "1"
    assert counts(stats) == [(0, 2, 0, 0), (2, 1, 1, 0), (1, 1, 0, 0)]
    assert next(p) == "3"
    assert counts(stats) == [(0, 4, 0, 0), (4, 2, 2, 0), (2, 2, 0, 0)]
    assert next(p, None) is None
    assert counts(stats) == [(0, 4, 0, 0), (4, 2, 2, 0), (2, 2, 0, 0)]


def test_a_terminal_after_some_items_counts_the_rest():
    p = pipe(range(5)).map(str)
    stats = p.stats()
    next(p)
    assert len(stats) == 2
    assert p.count() == 4
    assert counted(stats) == [
        ("<range>", 0, 5, 0, 0),
        ("map(str)", 5, 5, 0, 0),
        ("count()", 4, 0, 0, 0),
    ]


def test_a_pipe_without_stages():
    p = pipe("abc")
    stats = p.stats()
    assert list(p) == ["a", "b", "c"]
    assert counts(stats) == [(0, 3, 0, 0)]


@pytest.mark.parametrize("source", [list, tuple, iter])
def test_items_that_nth_passes_over_are_counted(source):
    for n, taken in ((0, 1), (4, 5), (20, 10)):
        p = pipe(source(range(10)))
        stats = p.stats()
        p.nth(n)
        assert counts(stats)[0] == (0, taken, 0, 0)
        assert counts(stats)[-1][0] == taken


def test_an_error_of_a_terminal_inside_through_is_no_later_stages():
    p = pipe(["a", 1]).map(str).through(lambda items: [items.sum()]).map(str).map(len)
    stats = p.stats()
    with pytest.raises(TypeError):
        p.list()
    assert [row.errors for row in stats if row.name.startswith("map")] == [0, 0, 0]


def test_stages_that_give_more_or_fewer():
    p = pipe([[1, 2], [], [3]]).flatten().batched(2)
    stats = p.stats()
    assert p.list() == [(1, 2), (3,)]
    assert counts(stats)[:3] == [(0, 3, 0, 0), (3, 3, 0, 0), (3, 2, 0, 0)]


def test_items_of_other_inputs_leave_the_stage_that_reads_them():
    p = pipe([1]).prepend([2, 3]).chain([4]).map(str)
    stats = p.stats()
    assert p.list() == ["2", "3", "1", "4"]
    assert counted(stats)[1:4] == [
        ("prepend(<list>)", 1, 3, 0, 0),
        ("chain(<list>)", 3, 4, 0, 0),
        ("map(str)", 4, 4, 0, 0),
    ]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (lambda p: p.take(2), (2, 2, 0, 0)),
        (lambda p: p.take(0), (0, 0, 0, 0)),
        (lambda p: p.drop(2), (6, 4, 2, 0)),
        (lambda p: p.takewhile(lambda n: n < 2), (3, 2, 1, 0)),
        (lambda p: p.dropwhile(lambda n: n < 2), (6, 4, 2, 0)),
        (lambda p: p.islice(1, 4, 2), (4, 2, 2, 0)),
        (lambda p: p.enumerate(), (6, 6, 0, 0)),
        (lambda p: p.tap(str), (6, 6, 0, 0)),
        (lambda p: p.tap(str, 4), (6, 6, 0, 0)),
        (lambda p: p.filterfalse(None), (6, 1, 5, 0)),
        (lambda p: p.flat_map(lambda n: [n] * n), (6, 15, 0, 0)),
        (lambda p: p.map(str), (6, 6, 0, 0)),
    ],
)
@pytest.mark.parametrize("drain", [True, False])
def test_stages(stage, expected, drain):
    p = stage(pipe(range(6)))
    plain = stage(pipe(range(6))).list()
    stats = p.stats()
    assert (p.list() if drain else list(p)) == plain
    assert counts(stats)[1] == expected
    assert counts(stats)[0] == (0, expected[0], 0, 0)


def test_an_early_end():
    p = pipe(range(100)).map(str).take(3)
    stats = p.stats()
    assert p.list() == ["0", "1", "2"]
    assert counts(stats) == [(0, 3, 0, 0), (3, 3, 0, 0), (3, 3, 0, 0), (3, 0, 0, 0)]
    p = pipe(range(100))
    stats = p.stats()
    assert p.first() == 0
    assert counts(stats) == [(0, 1, 0, 0), (1, 0, 0, 0)]


def test_errors_are_counted_where_they_are_raised():
    p = pipe(range(5)).map(str).map(int).map(failing)
    stats = p.stats()
    got = []
    while True:
        try:
            got.extend(p)
            break
        except ValueError as error:
            notes = error.__notes__
    assert notes == ["pygenx: stage 3/3 map(failing), item 2: 2"]
    assert got == [0, 1, 3, 4]
    assert counts(stats) == [(0, 5, 0, 0), (5, 5, 0, 0), (5, 5, 0, 0), (5, 4, 0, 1)]


def test_errors_of_the_source_and_of_the_terminal():
    def source():
        yield 1
        raise OSError("gone")

    p = pipe(source()).map(str)
    stats = p.stats()
    with pytest.raises(OSError, match="gone"):
        p.list()
    assert counts(stats) == [(0, 1, 0, 1), (1, 1, 0, 0), (1, 0, 0, 0)]
    p = pipe(["a"])
    stats = p.stats()
    with pytest.raises(TypeError):
        p.sum()
    assert counts(stats) == [(0, 1, 0, 0), (1, 0, 0, 1)]


@pytest.mark.parametrize("source", [range(7), [*range(7)], "abcdefg"])
@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (lambda p: p.batched(4), (7, 2, 0, 4)),
        (lambda p: p.batched(9), (7, 1, 0, 7)),
        (lambda p: p.chunked(3), (7, 3, 0, 3)),
        (lambda p: p.tap(str, 3), (7, 7, 0, 3)),
        (lambda p: p.groupby(lambda item: 1), (7, 1, 0, 7)),
        (lambda p: p.map(str), (7, 7, 0, 0)),
    ],
)
@pytest.mark.parametrize("kind", [lambda items: items, iter])
def test_high_water(source, stage, expected, kind):
    p = stage(pipe(kind(source)))
    stats = p.stats()
    p.consume()
    row = stats[1]
    assert (row.items_in, row.items_out, row.dropped, row.high_water) == expected
    assert stats[0].items_out == 7
    p = stage(pipe(kind(source)).map(str).filter(str))
    stats = p.stats()
    list(p)
    row = stats[3]
    assert (row.items_in, row.items_out, row.dropped, row.high_water) == expected


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (lambda p: p.windowed(3), (7, 5, 0, 3)),
        (lambda p: p.windowed(4, step=3), (7, 2, 0, 4)),
        (lambda p: p.windowed(2, step=3), (7, 3, 2, 2)),
        (lambda p: p.windowed(9), (7, 1, 0, 7)),
        (lambda p: p.sliding_window(3), (7, 5, 0, 3)),
        (lambda p: p.sliding_window(9), (7, 0, 0, 7)),
        (lambda p: p.pairwise(), (7, 6, 0, 2)),
        (lambda p: p.split_at(lambda n: n == 4), (7, 2, 0, 5)),
        (lambda p: p.split_at(lambda n: n == 4, keep_separator=True), (7, 3, 0, 5)),
        (lambda p: p.split_before(lambda n: n == 4), (7, 2, 0, 5)),
        (lambda p: p.split_after(lambda n: n == 4), (7, 2, 0, 5)),
        (lambda p: p.split_when(lambda a, b: b == 4), (7, 2, 0, 5)),
        (lambda p: p.split_when(lambda a, b: b == 4, 0), (7, 1, 0, 7)),
        (lambda p: p.groupby(lambda n: n < 4), (7, 2, 0, 5)),
        (lambda p: p.tail(3), (7, 3, 4, 3)),
        (lambda p: p.tail(0), (7, 0, 7, 0)),
        (lambda p: p.unique_everseen(lambda n: n % 4), (7, 4, 3, 4)),
        (lambda p: p.unique_everseen(lambda n: n % 4, maxlen=2), (7, 7, 0, 2)),
        (lambda p: p.unique_justseen(lambda n: n // 4), (7, 2, 5, 0)),
        (lambda p: p.intersperse("-"), (7, 13, 0, 1)),
        (lambda p: p.zip(range(9)), (7, 7, 0, 1)),
        (lambda p: p.zip(range(2)), (3, 2, 1, 1)),
        (lambda p: p.collapse(), (7, 7, 0, 0)),
        (lambda p: p.flat_map(lambda n: []), (7, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize(
    "kind", [range, lambda n: [*range(n)], lambda n: iter(range(n))]
)
def test_what_stages_hold_and_drop(stage, expected, kind):
    p = stage(pipe(kind(7)))
    stats = p.stats()
    p.consume()
    row = stats[1]
    assert (row.items_in, row.items_out, row.dropped, row.high_water) == expected
    assert stats[0].items_out == expected[0]
    p = stage(pipe(kind(7)).tap(str))
    stats = p.stats()
    p.consume()
    row = stats[2]
    assert (row.items_in, row.items_out, row.dropped, row.high_water) == expected


@pytest.mark.parametrize("source", [[1, 1, 1, 2, 2, 3], "aaabbc", (1, 1, 1, 2, 2, 3)])
@pytest.mark.parametrize("name", ["unique_everseen", "unique_justseen"])
def test_items_that_a_first_stage_takes_by_itself_are_dropped_one_by_one(name, source):
    p = getattr(pipe(source), name)()
    stats = p.stats()
    next(p)
    assert next(p) is not None
    assert counts(stats)[1] == (4, 2, 2, 0)
    p.consume()
    assert counts(stats)[1] == (6, 3, 3, 0)


def test_what_collapse_reads_inside_its_items_does_not_come_from_the_source():
    p = pipe([[1, [2, [3]]], 4, []]).collapse()
    stats = p.stats()
    assert p.list() == [1, 2, 3, 4]
    assert counts(stats)[:2] == [(0, 3, 0, 0), (3, 4, 0, 0)]
    assert stats[1].high_water == 3  # iterables inside each other


class Seen:
    """Items that are alive after they have been handed on."""

    def __init__(self, wrap):
        self.wrap = wrap
        self.refs = []
        self.most = 0

    def __iter__(self):
        for number in range(40):
            self.most = max(self.most, sum(ref() is not None for ref in self.refs))
            item = Item(number)
            self.refs.append(weakref.ref(item))
            item = self.wrap(item)
            yield item
            del item


class Item:
    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return self is other

    def __bool__(self):
        return True


# What they hold is no item that waits: the tuple that is filled again, the last total
# or key. It is one at most.
HOLD_THE_LAST = {".enumerate", ".accumulate", ".unique_justseen"}


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row.name)
def test_a_stage_that_keeps_items_says_how_many(row):
    seen = Seen(row.wrap)
    p = row.build(pygenx, seen)
    if not isinstance(p, pipe):
        pytest.skip("not a pipe")
    stats = p.stats()
    p.consume()
    held = stats[1].high_water
    assert stats[1].items_in > 0
    if row.name in HOLD_THE_LAST:
        assert seen.most <= 1
    else:
        assert held >= seen.most


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row.name)
def test_what_comes_into_a_stage_goes_on_is_dropped_or_fails(row):
    p = row.build(pygenx, row.feed(list))
    if not isinstance(p, pipe):
        pytest.skip("not a pipe")
    stats = p.stats()
    p.consume()
    (_, come, gone, dropped, errors) = counted(stats)[1]
    assert come == stats[0].items_out
    if row.one_to_one:
        assert come == gone + dropped + errors


# how it is read -----------------------------------------------------------------------


def test_it_is_a_live_sequence():
    p = pipe(range(3)).map(str)
    stats = p.stats()
    assert len(stats) == 2
    assert stats[-1].name == "map(str)"
    assert stats[-2].name == stats[0].name == "<range>"
    assert [row.name for row in stats[::-1]] == ["map(str)", "<range>"]
    for wrong in (2, -3, 10**30):
        with pytest.raises(IndexError):
            stats[wrong]
    with pytest.raises(TypeError, match="Stats indices must be integers or slices"):
        stats["map"]
    row = stats[1]
    next(p)
    assert stats[1].items_out == 1
    assert row.items_out == 0  # a row is what was true then
    assert iter(stats) is not stats


def test_a_callback_may_read_it():
    seen = []
    p = pipe(range(3)).map(lambda n: seen.append(stats[0].items_out)).map(str)
    stats = p.stats()
    p.consume()
    assert seen == [1, 2, 3]


def test_a_row_says_all_it_knows():
    p = pipe(range(4)).filter(odd)
    stats = p.stats()
    p.consume()
    row = stats[1]
    assert row.as_dict() == {
        "name": "filter(odd)",
        "kind": "stage",
        "items_in": 4,
        "items_out": 2,
        "dropped": 2,
        "errors": 0,
        "high_water": 0,
        "seconds": None,
    }
    assert row.seconds is row.ns is None
    assert repr(row) == "<stage filter(odd): 4 in, 2 out, 2 dropped, 0 errors>"


def test_the_text_is_a_table():
    p = pipe(range(1000)).filter(odd).batched(3)
    stats = p.stats()
    p.consume()
    assert str(stats) == repr(stats)
    assert str(stats) == (
        "   stage          in   out  dropped  errors  high water\n"
        "   <range>            1000                0\n"
        "1  filter(odd)  1000   500      500       0           0\n"
        "2  batched(3)    500   167        0       0           3\n"
        "   consume()     167                      0"
    )


def test_the_text_calls_no_user_code_and_takes_no_item():
    class Strange:
        def __repr__(self):
            raise AssertionError

        def __call__(self, item):
            return item

    source = Source([Strange()])
    p = pipe(source).map(Strange()).chain([Strange()])
    stats = p.stats()
    for _ in range(2):
        assert "map(<Strange>)" in str(stats)
        p.explain()
    assert source.pulls == 0
    assert p.count() == 2
    assert str(stats)


# when it is asked for -----------------------------------------------------------------


def test_stages_carry_it_along():
    numbers = pipe(range(4))
    stats = numbers.stats()
    assert [row.name for row in stats] == ["<range>"]
    odds = numbers.filter(odd)
    assert [row.name for row in stats] == ["<range>", "filter(odd)"]
    texts = odds | Pipeline().map(str).take(1)
    assert len(stats) == 4
    assert numbers.stats() is odds.stats() is texts.stats() is stats
    assert texts.list() == ["1"]
    assert numbers.stats() is texts.stats() is stats
    assert counts(stats) == [
        (0, 2, 0, 0),
        (2, 1, 1, 0),
        (1, 1, 0, 0),
        (1, 1, 0, 0),
        (1, 0, 0, 0),
    ]


@pytest.mark.parametrize("name", ["stats", "profile"])
def test_a_started_pipe_refuses(name):
    p = pipe(range(4)).map(str)
    next(p)
    with pytest.raises(
        RuntimeError,
        match=rf"^this pipe has started; call \.{name}\(\) before the first item is ta",
    ):
        getattr(p, name)()
    assert p.list() == ["1", "2", "3"]
    with pytest.raises(RuntimeError, match=r"^this pipe was taken by \.list\(\)"):
        getattr(p, name)()


@pytest.mark.parametrize("name", ["stats", "profile"])
def test_a_spent_pipe_refuses(name):
    p = pipe(range(4))
    p.map(str)
    with pytest.raises(RuntimeError, match=r"^this pipe was taken by \.map\(\)"):
        getattr(p, name)()


def test_profile_can_be_added_until_the_start():
    p = pipe(range(4)).map(str)
    stats = p.stats()
    assert p.profile() is stats
    next(p)
    assert p.stats() is p.profile() is stats
    assert stats[1].ns > 0
    p = pipe(range(4)).map(str)
    stats = p.stats()
    next(p)
    with pytest.raises(RuntimeError, match=r"call \.profile\(\) before"):
        p.profile()
    assert p.stats() is stats


def test_a_closed_pipe():
    p = pipe(range(4)).map(str)
    stats = p.stats()
    p.close()
    assert counts(stats) == [(0, 0, 0, 0), (0, 0, 0, 0)]
    p = pipe(range(4))
    p.close()
    assert counts(p.stats()) == [(0, 0, 0, 0)]


def test_a_closed_pipe_keeps_its_counts_to_itself():
    p = pipe([1, 2]).filter(odd)
    stats = p.stats()
    p.close()
    for _ in range(20):
        p = p.map(str)
    assert counts(stats) == [(0, 0, 0, 0)] * 2
    assert counts(p.stats()) == [(0, 0, 0, 0)] * 22
    assert p.list() == []


def test_of_a_pipe_over_pipes_the_joined_program_is_counted():
    p = pipe(pipe(pipe(range(4)).filter(odd)).map(str))
    stats = p.stats()
    assert [row.name for row in stats] == ["<pygenx.pipe>"]
    assert p.list() == ["1", "3"]
    assert counted(stats) == [
        ("<range>", 0, 4, 0, 0),
        ("filter(odd)", 4, 2, 2, 0),
        ("map(str)", 2, 2, 0, 0),
        ("list()", 2, 0, 0, 0),
    ]


def test_a_counted_pipe_below_another_keeps_its_counts():
    def inner():
        nonlocal below
        p = pipe(range(4)).filter(odd)
        below = p.stats()
        return p

    below = None
    p = pipe(inner()).map(str)
    stats = p.stats()
    assert p.list() == ["1", "3"]
    assert counts(below) == [(0, 4, 0, 0), (4, 2, 2, 0)]
    assert counted(stats)[:2] == [
        ("<pygenx.pipe>", 0, 2, 0, 0),
        ("map(str)", 2, 2, 0, 0),
    ]


def test_sources_of_pygenx(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("a\nb\n")
    p = read_lines(path)
    stats = p.stats()
    assert p.map(str.upper).list() == ["A", "B"]
    assert counts(stats)[0] == (0, 2, 0, 0)


# that nothing else changes ------------------------------------------------------------


@pytest.mark.parametrize("method", ["stats", "profile"])
def test_send_and_throw_pass_as_before(method):
    def answering():
        got = yield 0
        while True:
            try:
                got = yield got
            except KeyError:
                got = "caught"

    p = pipe(answering()).map(lambda item: [item])
    stats = getattr(p, method)()
    assert next(p) == [0]
    assert p.send(5) == [5]
    assert p.throw(KeyError) == ["caught"]
    with pytest.raises(ValueError, match="no"):
        p.throw(ValueError("no"))
    assert counts(stats) == [(0, 3, 0, 1), (3, 3, 0, 0)]
    p = pipe(answering()).batched(2)
    getattr(p, method)()
    next(p)
    with pytest.raises(TypeError, match=r"through stage 1/1 batched\(2\)"):
        p.send(1)


@pytest.mark.parametrize("method", ["stats", "profile"])
def test_the_length_hint_is_the_same(method):
    p = pipe(range(10)).map(str).drop(2)
    getattr(p, method)()
    assert operator.length_hint(p, -1) == 8
    next(p)
    assert operator.length_hint(p, -1) == 7


@pytest.mark.parametrize("method", ["stats", "profile"])
def test_hooks_and_closing(method):
    events = []
    source = Source(range(3))
    p = pipe(source).tap(
        events.append, None, lambda: events.append("a"), lambda: events.append("z")
    )
    stats = getattr(p, method)()
    with p:
        assert next(p) == 0
    assert events == ["a", 0, "z"]
    assert counts(stats) == [(0, 1, 0, 0), (1, 1, 0, 0)]


@pytest.mark.parametrize("method", ["stats", "profile"])
def test_the_result_and_the_end(method):
    def returning():
        yield 1
        return "value"

    p = pipe(returning()).map(str)
    getattr(p, method)()
    assert list(p) == ["1"]
    assert p.result == "value"
    with pytest.raises(StopIteration):
        next(p)


def test_stats_keep_nothing_of_the_pipe_alive():
    class Callback:
        def __call__(self, item):
            return item

    source, callback = Source(range(3)), Callback()
    gone = [weakref.ref(source), weakref.ref(callback)]
    p = pipe(source).map(callback)
    stats = p.stats()
    next(p)
    del p, source, callback
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert counts(stats) == [(0, 1, 0, 0), (1, 1, 0, 0)]


def test_a_cycle_through_a_callback_is_collected():
    class Callback:
        def __call__(self, item):
            return item

    callback = Callback()
    p = pipe([1]).map(callback)
    callback.stats = p.stats()
    gone = weakref.ref(callback), weakref.ref(callback.stats)
    del p, callback
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_it_cannot_be_made_copied_or_pickled():
    stats = pipe([1]).stats()
    for thing in (stats, stats[0]):
        with pytest.raises(TypeError):
            type(thing)()
        for action in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                action(thing)
        assert type(thing).__module__ == "pygenx"
        with pytest.raises(AttributeError):
            thing.name = 5


def test_a_long_program():
    p = pipe(range(3))
    stats = p.stats()
    for _ in range(3000):
        p = p.map(operator.neg)
    assert p.list() == [0, 1, 2]
    assert len(stats) == 3002
    assert stats[3000].items_out == 3


# profile ------------------------------------------------------------------------------


def nap(seconds):
    """Busy, so that it takes no longer than asked for."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_profile_says_where_the_time_goes():
    def source():
        for n in range(3):
            nap(0.004)
            yield n

    def inner(n):
        yield n
        nap(0.003)

    p = pipe(source())
    stats = p.profile()
    begin = time.perf_counter()
    p.map(lambda n: nap(0.002) or n).flat_map(inner).map(str).for_each(
        lambda item: nap(0.001)
    )
    total = time.perf_counter() - begin
    seconds = [row.seconds for row in stats]
    for spent, least in zip(seconds, [0.012, 0.006, 0.009, 0, 0.003], strict=True):
        assert least <= spent
    assert sum(seconds) <= total
    assert sum(seconds) >= 0.030
    assert stats[0].ns == pytest.approx(stats[0].seconds * 1e9)


def test_profile_of_a_pull_and_of_what_comes_at_the_end():
    def late():
        nap(0.002)
        return [7]

    p = pipe([1, 2]).chain(late).tap(lambda items: nap(0.002), 2)
    stats = p.profile()
    assert list(p) == [1, 2, 7]
    assert stats[1].seconds >= 0.002
    assert stats[2].seconds >= 0.004
    lines = str(stats).splitlines()
    assert lines[0].split() == [
        *("stage", "in", "out", "dropped", "errors", "high", "water", "seconds")
    ]
    assert lines[1].split()[:3] == ["<list>", "2", "0"]


def test_profile_counts_the_same():
    for make in (lambda p: p.stats(), lambda p: p.profile()):
        p = pipe(range(9)).filter(odd).flat_map(lambda n: [n, n]).batched(3)
        stats = make(p)
        p.consume()
        assert counts(stats) == [
            (0, 9, 0, 0),
            (9, 4, 5, 0),
            (4, 8, 0, 0),
            (8, 3, 0, 0),
            (3, 0, 0, 0),
        ]


# the push driver ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["stats", "profile"])
def test_a_coroutine_into_a_sink(method):
    out = []
    push = Pipeline().filter(odd).batched(2).into(out.append)
    stats = getattr(push, method)()
    assert counted(stats) == [
        ("send()", 0, 0, 0, 0),
        ("filter(odd)", 0, 0, 0, 0),
        ("batched(2)", 0, 0, 0, 0),
    ]
    assert [push.send(n) for n in range(6)] == [0, 0, 0, 1, 0, 0]
    assert counts(stats) == [(0, 6, 0, 0), (6, 3, 3, 0), (3, 1, 0, 0)]
    push.close()
    assert out == [(1, 3), (5,)]
    assert counts(stats) == [(0, 6, 0, 0), (6, 3, 3, 0), (3, 2, 0, 0)]
    assert stats[2].high_water == 2
    assert (stats[1].ns is None) == (method == "stats")
    assert getattr(push, method)() is stats


def test_a_coroutine_of_a_reducer():
    push = Pipeline().map(str).map(len).sum().push()
    stats = push.profile()
    assert [row.name for row in stats] == ["send()", "map(str)", "map(len)", "sum()"]
    for n in (1, 22, 333):
        push.send(n)
    assert push.close() == 6
    assert counts(stats) == [(0, 3, 0, 0), (3, 3, 0, 0), (3, 3, 0, 0), (3, 0, 0, 0)]
    assert stats[1].ns > 0 < stats[3].ns
    del push
    gc.collect()
    assert stats[3].items_in == 3


def test_a_coroutine_without_stages():
    push = Pipeline().into(print_nothing)
    stats = push.stats()
    push.send(1)
    assert counts(stats) == [(0, 1, 0, 0)]
    push = Pipeline().count().push()
    stats = push.stats()
    push.send(1)
    assert counts(stats) == [(0, 1, 0, 0), (1, 0, 0, 0)]


def print_nothing(item):
    pass


def test_errors_in_a_coroutine_are_counted_and_noted_as_ever():
    push = Pipeline().map(failing).map(str).into(print_nothing)
    stats = push.stats()
    push.send(1)
    with pytest.raises(ValueError, match="two") as caught:
        push.send(2)
    assert caught.value.__notes__ == ["pygenx: stage 1/2 map(failing), item 1: 2"]
    push.send(3)
    with pytest.raises(KeyError):
        push.throw(KeyError("thrown"))
    assert counts(stats) == [(0, 3, 0, 1), (3, 2, 0, 1), (2, 2, 0, 0)]
    push = Pipeline().map(failing).catch(ValueError, KeyError).count().push()
    stats = push.stats()
    for n in range(4):
        push.send(n)
    push.throw(KeyError("thrown"))
    assert push.close() == 3
    assert counts(stats) == [(0, 4, 0, 1), (4, 3, 0, 1), (3, 3, 0, 0), (3, 0, 0, 0)]


def test_an_early_end_of_a_coroutine():
    push = Pipeline().take(2).list().push()
    stats = push.stats()
    push.send(1)
    with pytest.raises(StopIteration) as stopped:
        push.send(2)
    assert stopped.value.value == [1, 2]
    assert counts(stats)[1:] == [(2, 2, 0, 0), (2, 0, 0, 0)]


@pytest.mark.parametrize("name", ["stats", "profile"])
@pytest.mark.parametrize("start", [lambda p: p.send(1), lambda p: p.close()])
def test_a_coroutine_that_has_started_refuses(name, start):
    push = Pipeline().map(str).into(print_nothing)
    start(push)
    with pytest.raises(
        RuntimeError,
        match=rf"^this coroutine has started; call \.{name}\(\) before the first item",
    ):
        getattr(push, name)()


def test_times_cannot_be_added_to_a_coroutine_that_has_started():
    push = Pipeline().map(str).into(print_nothing)
    stats = push.stats()
    assert push.profile() is stats
    push = Pipeline().map(str).into(print_nothing)
    next(push)  # of drivers that prime every coroutine
    stats = push.stats()
    push.send(1)
    with pytest.raises(
        RuntimeError, match=r"call \.profile\(\) before the first item is sent"
    ):
        push.profile()
    assert push.stats() is stats


def test_a_counted_coroutine_is_collected():
    class Sink(list):
        def pair(self, item):
            return self, item

    sink = Sink()
    push = Pipeline().map(sink.pair).into(sink.append)
    sink.all = (push, push.stats())
    push.send(1)
    gone = weakref.ref(sink)
    del sink, push
    gc.collect()
    assert gone() is None
