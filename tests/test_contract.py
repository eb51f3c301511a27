"""The contract: one table of every type and every stage, every rule over every row.

`Row.build(px, source)` makes the object from a module (pygenx or its reference) and a
source; the flags say where a row differs. The table must be complete: the last section
compares it with what the package offers. Rules that have no meaning for the reference
(notes, length hints, depth, signals, pickling) run over the C types alone.
"""

import array
import contextlib
import copy
import gc
import importlib
import inspect
import itertools
import operator
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sources
from ctrl_c import interrupted
from sources import Closable, Failing, Source

ITEMS = [0, 1, 2, 3, 4, 5]
LONG = sys.maxsize  # more than any source here has


def same(value):
    return value


@dataclass(frozen=True)
class Row:
    name: str
    make: Callable  # (px, source, callback) -> the object
    answer: Callable | None = None  # what its callback does, None if it takes none
    wrap: Callable = same  # makes an item of the source from a plain one
    out: Callable = list  # what comes out, from the plain items
    view: Callable = same  # of one thing that came out
    pulls: Callable = same  # how many items are taken for k that come out
    start: int = 0  # items taken to make the object
    eaten: int = 1  # items lost when the callback fails
    holds: bool = False  # an item is kept back when another comes out
    lazy_iter: bool = False  # iter() is called when the source is reached
    one_to_one: bool = True
    nested: bool = False  # reads inner iterators: throw() goes there
    throws: bool = True  # throw() reaches the source
    waits: bool = False  # while another thread is inside
    returns: bool = True  # .result is the source's
    hint: bool | None = None  # True: exact, False: none, None: exact or none
    eager: bool = False  # takes all there is before the first item comes out
    resumes: bool = True  # goes on after an error of the source
    closes: bool = True  # close() closes the source,
    closes_unstarted: bool = True  # even before it was reached
    owns: bool = False  # closes at the end and when dropped, too

    def build(self, px, source, callback=None):
        return self.make(px, source, callback or self.answer)

    def feed(self, kind, *args, items=ITEMS, **kwargs):
        return kind([self.wrap(item) for item in items], *args, **kwargs)

    def drain(self, it):
        return [self.view(item) for item in it]


def stage(name, method, answer=None, **flags):
    return Row(
        f".{name}", lambda px, source, f: method(px.pipe(source), f), answer, **flags
    )


def always(*args):
    return True


def no_list(item):
    return not isinstance(item, list)


def chunks(items):
    return [tuple(items[i : i + 2]) for i in range(0, len(items), 2)]


def some(*args):
    return args


def later(total, item):
    return item


STAGES = [
    stage("map", lambda p, f: p.map(f), same, hint=True),
    stage(
        "starmap",
        lambda p, f: p.starmap(f),
        some,
        wrap=lambda item: (item,),
        out=lambda items: [(item,) for item in items],
    ),
    stage("filter", lambda p, f: p.filter(f), lambda item: True, hint=False),
    stage("filterfalse", lambda p, f: p.filterfalse(f), lambda item: False, hint=False),
    stage(
        "filter_map",
        lambda p, f: p.filter_map(f),
        some,
        out=lambda items: [(item,) for item in items],
        hint=False,
    ),
    stage(
        "flat_map",
        lambda p, f: p.flat_map(f),
        lambda item: [item],
        hint=False,
        one_to_one=False,
        nested=True,
        returns=False,
    ),
    stage(
        "flatten",
        lambda p, f: p.flatten(),
        wrap=lambda item: [item],
        hint=False,
        one_to_one=False,
        nested=True,
        returns=False,
    ),
    stage(
        "enumerate",
        lambda p, f: p.enumerate(5),
        out=lambda items: list(enumerate(items, 5)),
        hint=True,
    ),
    stage("accumulate", lambda p, f: p.accumulate(later), hint=True),
    stage(
        "pluck",
        lambda p, f: p.pluck([0, 1]),
        wrap=lambda item: (item, item),
        out=lambda items: [(item, item) for item in items],
        hint=True,
    ),
    stage(
        "intersperse",
        lambda p, f: p.intersperse("e"),
        out=lambda items: [each for item in items for each in ("e", item)][1:],
        pulls=lambda k: k // 2 + 1,
        one_to_one=False,
        hint=True,
    ),
    stage("takewhile", lambda p, f: p.takewhile(f), lambda item: True, hint=False),
    stage(
        "takewhile_inclusive",
        lambda p, f: p.takewhile_inclusive(f),
        lambda item: True,
        hint=False,
    ),
    stage(
        "dropwhile",
        lambda p, f: p.dropwhile(f),
        lambda item: False,
        hint=False,
    ),
    stage(
        "unique_everseen",
        lambda p, f: p.unique_everseen(f),
        same,
        out=lambda items: list(dict.fromkeys(items)),
        hint=False,
    ),
    stage(
        "unique_everseen of the latest",
        lambda p, f: p.unique_everseen(f, maxlen=3),
        same,
        out=lambda items: list(dict.fromkeys(items)),
        hint=False,
    ),
    stage(
        "unique_justseen",
        lambda p, f: p.unique_justseen(f),
        same,
        out=lambda items: list(dict.fromkeys(items)),
        hint=False,
    ),
    stage(
        "locate",
        lambda p, f: p.locate(always),
        out=lambda items: list(range(len(items))),
        hint=False,
    ),
    stage("take", lambda p, f: p.take(LONG), hint=True),
    stage(
        "drop",
        lambda p, f: p.drop(1),
        out=lambda items: list(items)[1:],
        pulls=lambda k: k + 1,
        hint=True,
    ),
    stage(
        "islice",
        lambda p, f: p.islice(1, LONG, 2),
        out=lambda items: list(items)[1::2],
        pulls=lambda k: 2 * k,
        hint=True,
    ),
    stage(
        "tail",
        lambda p, f: p.tail(4),
        out=lambda items: list(items)[-4:],
        pulls=lambda k: len(ITEMS),
        one_to_one=False,
        eager=True,
        hint=True,
    ),
    stage(
        "batched",
        lambda p, f: p.batched(2),
        out=chunks,
        pulls=lambda k: 2 * k,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "chunked",
        lambda p, f: p.chunked(2),
        out=lambda items: [list(chunk) for chunk in chunks(items)],
        pulls=lambda k: 2 * k,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "groupby",
        lambda p, f: p.groupby(f),
        same,
        out=lambda items: [(item, [item]) for item in items],
        pulls=lambda k: k + 1,
        holds=True,
        one_to_one=False,
        hint=False,
    ),
    stage(
        "windowed",
        lambda p, f: p.windowed(2, "fill"),
        out=lambda items: (
            [(items[0], "fill")] if len(items) == 1 else list(itertools.pairwise(items))
        ),
        pulls=lambda k: k + 1,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "windowed in steps",
        lambda p, f: p.windowed(1, step=2),
        out=lambda items: [(item,) for item in items[::2]],
        pulls=lambda k: 2 * k - 1,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "sliding_window",
        lambda p, f: p.sliding_window(3),
        out=lambda items: list(zip(items, items[1:], items[2:], strict=False)),
        pulls=lambda k: k + 2,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "pairwise",
        lambda p, f: p.pairwise(),
        out=lambda items: list(itertools.pairwise(items)),
        pulls=lambda k: k + 1,
        one_to_one=False,
        hint=True,
    ),
    stage(
        "split_at",
        lambda p, f: p.split_at(f),
        no_list,
        out=lambda items: [[] for _ in [*items, "end"]],
        holds=True,
        one_to_one=False,
        hint=False,
    ),
    stage(
        "split_before",
        lambda p, f: p.split_before(f),
        always,
        out=lambda items: [[item] for item in items],
        pulls=lambda k: k + 1,
        holds=True,
        one_to_one=False,
        hint=False,
    ),
    stage(
        "split_after",
        lambda p, f: p.split_after(f),
        always,
        out=lambda items: [[item] for item in items],
        one_to_one=False,
        hint=False,
    ),
    stage(
        "split_when",
        lambda p, f: p.split_when(always),
        out=lambda items: [[item] for item in items],
        pulls=lambda k: k + 1,
        holds=True,
        one_to_one=False,
        hint=False,
    ),
    stage(
        "collapse",
        lambda p, f: p.collapse(),
        wrap=lambda item: ((item,),),
        hint=False,
        one_to_one=False,
        nested=True,
        returns=False,
    ),
    stage(
        "chain",
        lambda p, f: p.chain([], ()),
        one_to_one=False,
        returns=False,
        hint=True,
    ),
    stage(
        "prepend",
        lambda p, f: p.prepend([], ()),
        one_to_one=False,
        returns=False,
    ),
    stage(
        "zip",
        lambda p, f: p.zip(range(LONG)),
        out=lambda items: [(item, i) for i, item in enumerate(items)],
        one_to_one=False,
        returns=False,
        hint=True,
    ),
    stage("progress", lambda p, f: p.progress(disable=True), hint=True),
    stage("tap", lambda p, f: p.tap(f), same),
    stage(
        "tap in chunks",
        lambda p, f: p.tap(f, 2),
        same,
        pulls=lambda k: k + k % 2,
        eaten=2,
        one_to_one=False,
        nested=True,
    ),
]


class Unheard(Exception):
    pass


STAGES += [
    stage("catch", lambda p, f: p.catch(Unheard)),
    stage("map_except", lambda p, f: p.map_except(f, Unheard), same),
    stage("on_close", lambda p, f: p.on_close(str), hint=True),
    stage("through", lambda p, f: p.through(f), same, eaten=LONG, hint=False),
]


def group(px, source, callback):
    """The only group of a groupby that nobody else holds."""
    return next(px.groupby(source, lambda item: "key"))[1]


def peeked(px, source, callback):
    it = px.peekable(source)
    it.peek(None)
    return it


def gone_back(px, source, callback):
    it = px.seekable(source, 10)
    next(it, None)
    it.seek(0)
    return it


TYPES = [
    Row("pipe", lambda px, source, f: px.pipe(source), hint=True),
    Row(
        "pipe of a program",
        lambda px, source, f: px.Pipeline().map(f)(source),
        same,
        hint=True,
    ),
    Row(
        "chain",
        lambda px, source, f: px.chain(source),
        lazy_iter=True,
        returns=False,
        hint=True,
    ),
    Row(
        "chain.from_iterable, inner",
        lambda px, source, f: px.chain.from_iterable(map(same, [source])),
        lazy_iter=True,
        returns=False,
        closes_unstarted=False,
    ),
    Row(
        "chain.from_iterable, outer",
        lambda px, source, f: px.chain.from_iterable(source),
        wrap=lambda item: [item],
        nested=True,
        returns=False,
    ),
    Row(
        "tee",
        lambda px, source, f: px.tee(source, 1)[0],
        one_to_one=False,
        throws=False,  # it is shared: the branch alone ends
        hint=True,
    ),
    Row(
        "groupby",
        lambda px, source, f: px.groupby(source, f),
        same,
        out=lambda items: [(item, [item]) for item in items],
        view=lambda pair: (pair[0], list(pair[1])),
        hint=False,
        one_to_one=False,
    ),
    Row(
        "group",
        group,
        start=1,
        pulls=lambda k: max(k, 1),
        one_to_one=False,
        returns=False,
        closes=False,
    ),
    Row(
        "partition, false",
        lambda px, source, f: px.partition(f, source)[0],
        lambda item: False,
        one_to_one=False,
        throws=False,  # it is shared: the branch alone ends
        hint=False,
    ),
    Row(
        "partition, true",
        lambda px, source, f: px.partition(f, source)[1],
        lambda item: True,
        one_to_one=False,
        throws=False,
        hint=False,
    ),
    Row("peekable", lambda px, source, f: px.peekable(source), hint=True),
    Row("peekable that has looked", peeked, start=1, hint=True),
    Row("seekable", lambda px, source, f: px.seekable(source), hint=True),
    Row("seekable gone back", gone_back, start=1, hint=True),
    Row("seekable, maxlen", lambda px, source, f: px.seekable(source, 0), hint=True),
    Row(
        "zip",
        lambda px, source, f: px.zip(source),
        out=lambda items: [(item,) for item in items],
        one_to_one=False,
        returns=False,
        hint=True,
    ),
    Row(
        "zip, second",
        lambda px, source, f: px.zip(range(100), source),
        out=lambda items: list(enumerate(items)),
        one_to_one=False,
        throws=False,
        returns=False,
        hint=True,
    ),
    Row(
        "roundrobin",
        lambda px, source, f: px.roundrobin(source),
        one_to_one=False,
        returns=False,
        hint=True,
    ),
    Row(
        "roundrobin, second",
        lambda px, source, f: px.roundrobin((), source),
        one_to_one=False,
        throws=False,
        returns=False,
        hint=True,
    ),
    Row(
        "merge",
        lambda px, source, f: px.merge(source, key=f),
        same,
        one_to_one=False,
        returns=False,
        hint=True,
    ),
    Row(
        "merge, second",
        lambda px, source, f: px.merge((), source, ()),
        one_to_one=False,
        throws=False,
        returns=False,
        hint=True,
    ),
    Row("serialize", lambda px, source, f: px.serialize(source), waits=True, hint=True),
    Row("own", lambda px, source, f: px.own(source), resumes=False, owns=True),
    Row("borrow", lambda px, source, f: px.borrow(source), closes=False),
]

ROWS = TYPES + STAGES
LOOK_AHEAD = {row.name for row in TYPES if "kable" in row.name}  # bool() is "any left?"
ROW = {row.name: row for row in ROWS}


def program(p):
    return sys.modules[type(p).__module__].Pipeline()


def gather():
    """A target that returns what it was sent."""
    items = []
    try:
        while True:
            items.append((yield))
    except GeneratorExit:
        return items


# The terminals: (plain items, pipe over them -> the value, the value)
TERMINALS = {
    "list": (ITEMS, lambda p, f: p.list(), ITEMS),
    "tuple": (ITEMS, lambda p, f: p.tuple(), tuple(ITEMS)),
    "set": (ITEMS, lambda p, f: p.set(), set(ITEMS)),
    "dict": ([(1, 2), "ab"], lambda p, f: p.dict(), {1: 2, "a": "b"}),
    "sum": (ITEMS, lambda p, f: p.sum(), 15),
    "min": (ITEMS, lambda p, f: p.min(key=f), 0),
    "max": (ITEMS, lambda p, f: p.max(key=f), 5),
    "any": ([0, 0], lambda p, f: p.any(), False),
    "all": ([1, 1], lambda p, f: p.all(), True),
    "count": (ITEMS, lambda p, f: p.count(), 6),
    "array": (ITEMS, lambda p, f: p.array("q"), array.array("q", ITEMS)),
    "frequencies": ("aba", lambda p, f: p.frequencies(), {"a": 2, "b": 1}),
    "join": ("abc", lambda p, f: p.join("-"), "a-b-c"),
    "reduce": (ITEMS, lambda p, f: p.reduce(lambda a, b: f(a + b)), 15),
    "first": (ITEMS, lambda p, f: p.first(), 0),
    "last": (ITEMS, lambda p, f: p.last(), 5),
    "nth": (ITEMS, lambda p, f: p.nth(LONG), None),
    "one": ([7], lambda p, f: p.one(), 7),
    "only": ([7], lambda p, f: p.only(), 7),
    "first_true": ([0, 0], lambda p, f: p.first_true(5, f), 5),
    "map_reduce": (
        ITEMS,
        lambda p, f: p.map_reduce(lambda item: f(item) % 2, f, f),
        {0: [0, 2, 4], 1: [1, 3, 5]},
    ),
    "reduceby": (
        ITEMS,
        lambda p, f: p.reduceby(lambda item: f(item) % 2, lambda a, b: f(a + b)),
        {0: 6, 1: 9},
    ),
    "for_each": (ITEMS, lambda p, f: p.for_each(f), None),
    "consume": (ITEMS, lambda p, f: p.consume(), None),
    "to": (ITEMS, lambda p, f: p.to(list), ITEMS),
    "into": (ITEMS, lambda p, f: p.into(gather()), ITEMS),
    "collect": (
        ITEMS,
        lambda p, f: p.collect(program(p).map(f).sum(), program(p).list()),
        (15, ITEMS),
    ),
}


def rows(*flags, **excluded):
    """The rows that have all `flags`, less those with an `excluded` value."""
    chosen = [
        row
        for row in ROWS
        if all(getattr(row, flag) for flag in flags)
        and not any(getattr(row, flag) == value for flag, value in excluded.items())
    ]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.name)


def over(function):
    """Parametrise over the names of the terminals."""
    return pytest.mark.parametrize("name", TERMINALS)(function)


def ended(it):
    return next(it, "the end") == "the end"


def exhaust(it, row):
    """Read on until it raises: StopIteration, if nothing else."""
    while True:
        row.view(next(it))


def pygenx():
    return importlib.import_module("pygenx")


# 1. construction ---------------------------------------------------------------------


@rows()
def test_construction_calls_iter_and_pulls_nothing(impl, row):
    source = row.feed(Source)
    it = row.build(impl, source)
    assert source.pulls == row.start
    assert source.iters == (not row.lazy_iter)
    assert iter(it) is it


@rows()
@pytest.mark.parametrize(
    ("source", "error"),
    [
        (sources.NotIterable, TypeError),
        (sources.WrongIter, TypeError),
        (lambda: 5, TypeError),
        (lambda: sources.FailingIter(KeyError("no")), KeyError),
        (lambda: sources.FailingIter(MemoryError("no")), MemoryError),
        (sources.proxy_of_dead, ReferenceError),
    ],
)
def test_what_is_not_iterable_is_refused(impl, row, source, error):
    if row.lazy_iter:
        it = row.build(impl, source())
        with pytest.raises(error):
            next(it)
        assert ended(it)
    else:
        with pytest.raises(error):
            row.build(impl, source())


@rows("answer")
def test_a_callback_must_be_callable(impl, row):
    def build():
        it = row.build(impl, Source("ab"), 5)
        assert row.name == "groupby"  # as itertools': its first next() raises
        next(it)

    with pytest.raises(TypeError):
        build()


# 2. sticky end -----------------------------------------------------------------------


@rows()
def test_the_end_is_sticky(impl, row):
    source = row.feed(sources.Revenant)
    it = row.build(impl, source)
    assert row.drain(it) == row.out(ITEMS)
    pulls = source.pulls
    assert [ended(it) for _ in range(3)] == [True] * 3
    assert source.pulls == pulls


@rows()
@pytest.mark.parametrize("stop", [StopIteration, sources.EndSignal])
def test_a_stop_iteration_or_a_subclass_of_it_ends(impl, row, stop):
    it = row.build(impl, row.feed(sources.Ending, stop("why")))
    assert row.drain(it) == row.out(ITEMS)
    assert it.result == ("why" if row.returns else None)


# 3. laziness -------------------------------------------------------------------------


@rows()
def test_no_more_is_taken_than_what_is_handed_out_requires(impl, row):
    source = row.feed(Source)
    it = row.build(impl, source)
    for k in range(1, 4):
        next(it)
        assert source.given == row.pulls(k)


@rows()
def test_every_kind_of_iterable_gives_the_same(impl, row):
    items = [row.wrap(item) for item in ITEMS]
    kinds = [list, tuple, deque, iter, Source, sources.GetItem, sources.generator]
    for kind in [*kinds, lambda items: dict.fromkeys(map(tuple_if_list, items))]:
        it = row.build(impl, kind(items))
        assert row.drain(it) == row.out(ITEMS)


def tuple_if_list(item):
    return tuple(item) if isinstance(item, list) else item


@rows(wrap=lambda item: item)
@pytest.mark.parametrize(
    "source", [range(6), range(5, -7, -2), range(0), "abc", b"xyz"]
)
def test_the_quick_sources_give_what_their_iterators_give(impl, row, source):
    if row.wrap is not same or (row.start and not source):
        source = [row.wrap(item) for item in ITEMS]
        assert row.drain(row.build(impl, source)) == row.out(ITEMS)
    else:
        assert row.drain(row.build(impl, source)) == row.out(list(source))


@rows(eager=True)
def test_a_list_that_grows_meanwhile_is_read_to_its_end(impl, row):
    items = [row.wrap(item) for item in ITEMS[:4]]
    it = row.build(impl, items)
    first = row.view(next(it))
    items.extend(row.wrap(item) for item in ITEMS[4:])
    assert [first, *row.drain(it)] == row.out(ITEMS)


@rows(eaten=2, eager=True)
def test_a_list_that_shrinks_meanwhile_ends_early(impl, row):
    items = [row.wrap(item) for item in ITEMS]
    it = row.build(impl, items)
    next(it)
    items.clear()
    if row.holds:
        next(it)
    assert ended(it)
    items.extend(ITEMS)
    assert ended(it)


@over
def test_a_drain_sees_what_its_callback_adds_to_the_list(impl, name):
    items, run, _ = TERMINALS[name]
    data = list(items)

    def add(item):
        if len(data) < 20:
            data.append(item)
        return item

    seen = []
    with contextlib.suppress(ValueError):  # one and only see a second item
        run(impl.pipe(data).map(add).tap(seen.append), same)
    assert seen == data[: {"first": 1, "one": 2, "only": 2}.get(name)]


# 4. release, close, ownership --------------------------------------------------------


@rows()
def test_at_its_end_an_object_lets_go_of_its_source(impl, row):
    source = row.feed(Closable)
    alive = weakref.ref(source)
    it = row.build(impl, source)
    del source
    row.drain(it)
    assert alive() is None


@rows()
def test_a_source_that_is_kept_stays_open_at_the_end(impl, row):
    source = row.feed(Closable)
    it = row.build(impl, source)
    row.drain(it)
    assert source.closes == row.owns


@rows()
def test_dropping_lets_go_and_does_not_close(impl, row):
    source = row.feed(Closable)
    alive = weakref.ref(source)
    it = row.build(impl, source)
    next(it)
    del it
    assert source.closes == row.owns
    del source
    assert alive() is None


@rows(eager=True)
def test_dropping_ends_a_generator_that_was_given_away(impl, row):
    log = []
    it = row.build(impl, row.feed(sources.generator, log))
    next(it)
    assert log == []
    del it
    assert log == ["finally"]


@rows(eager=True)
def test_close_closes_once_and_ends(impl, row):
    source = row.feed(Closable)
    it = row.build(impl, source)
    next(it)
    assert it.close() is None
    assert source.closes == row.closes
    assert ended(it)
    it.close()
    assert source.closes == row.closes


@rows()
def test_close_before_the_first_item_closes_as_well(impl, row):
    source = row.feed(Closable)
    it = row.build(impl, source)
    it.close()
    assert source.closes == (row.closes and row.closes_unstarted)
    assert ended(it)


@rows(start=1)
def test_close_runs_the_finally_of_a_generator(impl, row):
    log = []
    source = row.feed(sources.generator, log)
    it = row.build(impl, source)
    next(it)
    it.close()
    assert log == ["finally"] * row.closes


@rows()
def test_close_of_what_cannot_be_closed_just_ends(impl, row):
    it = row.build(impl, row.feed(Source))
    next(it)
    it.close()
    assert ended(it)


@rows("closes", eager=True)
def test_an_error_of_close_passes_and_the_object_has_ended(impl, row):
    error = KeyError("close")
    for kind in (sources.BadClose, sources.BadLookup):
        it = row.build(impl, row.feed(kind, error))
        next(it)
        with pytest.raises(KeyError) as caught:
            it.close()
        assert caught.value is error
        assert ended(it)
        it.close()


@rows(eager=True)
def test_with_closes_at_its_exit(impl, row):
    source = row.feed(Closable)
    with row.build(impl, source) as it:
        next(it)
        assert source.closes == 0
    assert source.closes == row.closes
    if not row.owns:  # what own() gave was the source, lent
        assert ended(it)


@rows(eager=True)
def test_with_closes_when_the_block_raises(impl, row):
    source = row.feed(Closable)
    it = row.build(impl, source)
    next(it)
    with pytest.raises(KeyError), it:
        raise KeyError
    assert source.closes == row.closes


@rows("closes", owns=True)
def test_with_closes_at_the_end_already(impl, row):
    source = row.feed(Closable)
    with row.build(impl, source) as it:
        row.drain(it)
        assert source.closes == 1
    assert source.closes == 1


@over
def test_a_terminal_lets_go_and_with_it_closes(impl, name):
    items, run, value = TERMINALS[name]
    source = Closable(items)
    alive = weakref.ref(source)
    p = impl.pipe(source)
    assert run(p, same) == value
    assert source.closes == 0
    del source
    assert alive() is None

    source = Closable(items)
    with impl.pipe(source) as p:
        run(p, same)
        assert source.closes == 1
    assert source.closes == 1


@over
def test_a_drain_that_fails_has_ended(impl, name):
    items, run, _ = TERMINALS[name]
    source = Failing(items, 0)
    p = impl.pipe(source)
    with pytest.raises(ZeroDivisionError):
        run(p, same)
    if name != "to":
        assert ended(p)
        assert source.closes == 0
    source = Failing(items, 0)
    with impl.pipe(source) as p:
        with pytest.raises(ZeroDivisionError):
            run(p, same)
        assert source.closes == (name != "to")


@over
def test_a_terminal_may_follow_next_and_a_second_one_may_not(impl, name):
    items, run, _ = TERMINALS[name]
    p = impl.pipe([items[0], *items])
    assert next(p) == items[0]
    run(p, same)
    assert ended(p)
    if name != "to":
        with pytest.raises(RuntimeError, match=rf"\.{name}\(\)"):
            p.list()
        with pytest.raises(RuntimeError, match=rf"\.{name}\(\)"):
            p.map(str)


# 5. send and throw -------------------------------------------------------------------


@rows()
def test_send_none_is_next(impl, row):
    it = row.build(impl, row.feed(Source))
    outputs = [row.view(it.send(None)) for _ in row.out(ITEMS)]
    assert outputs == row.out(ITEMS)
    with pytest.raises(StopIteration):
        it.send(None)


@rows("one_to_one")
def test_send_reaches_the_source(impl, row):
    log = []
    it = row.build(impl, sources.listener(log, [row.wrap(item) for item in ITEMS]))
    if row.name != "chain.from_iterable, outer":
        with pytest.raises(TypeError, match=r"just-started|that wait"):
            it.send("too early")
        next(it)
        if row.name == ".islice":  # the value goes with the first of its two pulls
            assert it.send("hello") == 2
        elif row.name == ".locate":
            assert it.send("hello") == 1
        else:
            assert "hello" in repr(it.send("hello"))
        assert log == [("sent", "hello")]


@rows("one_to_one")
def test_send_to_a_source_that_takes_none_is_an_attribute_error(impl, row):
    it = row.build(impl, row.feed(Source))
    next(it)
    with pytest.raises(AttributeError, match="has no attribute 'send'"):
        it.send("hello")


@rows(one_to_one=True, eager=True)
def test_send_cannot_pass_where_items_are_not_one_to_one(impl, row):
    log = []
    it = row.build(impl, row.feed(sources.generator, log))
    next(it)
    with pytest.raises(TypeError):
        it.send("hello")
    assert log == []
    next(it)


@rows()
def test_send_to_what_has_ended_is_the_end(impl, row):
    it = row.build(impl, row.feed(Source))
    row.drain(it)
    with pytest.raises(StopIteration):
        it.send("hello")


@rows("throws", nested=True, eager=True)
def test_throw_reaches_the_source_and_its_answer_flows_on(impl, row):
    log = []
    source = sources.listener(log, [row.wrap(item) for item in range(10)])
    it = row.build(impl, source)
    next(it)
    row.view(it.throw(ValueError("hello")))
    assert log == [("caught", "hello")]
    next(it)


@rows("throws", nested=True)
def test_a_throw_before_the_first_item_goes_to_the_source(impl, row):
    if not row.lazy_iter:
        log = []
        it = row.build(impl, row.feed(sources.Talker, log))
        error = ValueError("hello")
        it.throw(error)
        assert log == [("throw", repr(error))]


@rows("throws", nested=True, eager=True)
def test_a_throw_that_the_source_ends_with_goes_on_to_the_end(impl, row):
    def source():
        try:
            for item in ITEMS:
                yield row.wrap(item)
        except ValueError:
            return "done"

    it = row.build(impl, source())
    next(it)
    if row.holds:
        row.view(it.throw(ValueError))
    with pytest.raises(StopIteration) as caught:
        next(it) if row.holds else it.throw(ValueError)
    assert caught.value.value == ("done" if row.returns else None)
    assert it.result == ("done" if row.returns else None)


@rows()
def test_an_error_thrown_that_nobody_answers_ends(impl, row):
    log = []
    it = row.build(impl, row.feed(sources.generator, log))
    next(it)
    error = KeyError("hello")
    with pytest.raises(KeyError) as caught:
        it.throw(error)
    assert caught.value is error
    assert ended(it)
    del caught
    error.__traceback__ = None
    del it
    assert log == ["finally"]


@rows("closes", "throws", eager=True)
def test_a_source_without_throw_is_closed(impl, row):
    source = row.feed(Closable)
    it = row.build(impl, source)
    next(it)
    error = KeyError("hello")
    with pytest.raises(KeyError) as caught:
        it.throw(error)
    assert caught.value is error
    if not row.nested:
        assert source.closes == 1
    assert ended(it)


@rows("closes", "throws", nested=True, eager=True)
def test_throwing_generator_exit_closes_the_source(impl, row):
    log = []
    source = row.feed(sources.Talker, log)
    it = row.build(impl, source)
    next(it)
    with pytest.raises(GeneratorExit):
        it.throw(GeneratorExit)
    assert log == ["close"]
    assert ended(it)


@rows()
def test_throw_into_what_has_ended_raises(impl, row):
    it = row.build(impl, row.feed(Source))
    row.drain(it)
    error = KeyError("hello")
    with pytest.raises(KeyError) as caught:
        it.throw(error)
    assert caught.value is error


@rows()
@pytest.mark.filterwarnings("ignore:the .type, exc, tb. signature:DeprecationWarning")
def test_throw_refuses_what_no_generator_takes(impl, row):
    def one():
        yield

    it = row.build(impl, row.feed(Source))
    for args in [(1,), (int,), (ValueError(1), 2)]:
        with pytest.raises(TypeError) as expected:
            one().throw(*args[:1]) if len(args) == 1 else one().throw(*args)
        with pytest.raises(TypeError) as caught:
            it.throw(*args)
        assert str(caught.value) == str(expected.value)
    with pytest.raises(TypeError):
        it.throw()
    assert row.drain(it) == row.out(ITEMS)


@rows()
def test_throw_makes_the_exception_from_its_parts(impl, row):
    def thrown(*args):
        with pytest.raises(KeyError) as caught:
            row.build(impl, row.feed(Source)).throw(*args)
        return caught.value

    error = KeyError(1)
    assert thrown(KeyError).args == ()
    assert thrown(KeyError, 1).args == (1,)
    assert thrown(KeyError, (1, 2)).args == (1, 2)
    assert thrown(KeyError, error) is error
    assert thrown(KeyError, error, None) is error


# 6. return values --------------------------------------------------------------------


@rows()
@pytest.mark.parametrize("value", [42, (1, 2), (), StopIteration(3), None])
def test_the_return_value_of_the_source_is_kept(impl, row, value):
    it = row.build(impl, row.feed(sources.generator, None, value))
    kept = value if row.returns else None
    next(it)
    assert it.result is None
    deque(it, 0)
    assert it.result is kept
    assert row.build(impl, row.feed(Source)).result is None


@rows()
def test_the_return_value_comes_once_with_the_end(impl, row):
    it = row.build(impl, row.feed(sources.generator, None, (1, 2)))
    kept = (1, 2) if row.returns else None
    for value in [kept, None, None]:
        with pytest.raises(StopIteration) as caught:
            exhaust(it, row)
        assert caught.value.value == value


@rows()
def test_the_return_value_passes_through_yield_from(impl, row):
    def outer(it):
        got.append((yield from it))

    got = []
    row.drain(outer(row.build(impl, row.feed(sources.generator, None, (1, 2)))))
    assert got == [(1, 2) if row.returns else None]


@over
def test_a_terminal_keeps_the_return_value(impl, name):
    items, run, _ = TERMINALS[name]
    p = impl.pipe(sources.generator(items, None, 42))
    run(p, same)
    assert p.result == (None if name == "first" else 42)


# 7. re-entry -------------------------------------------------------------------------

CALLS = {
    "next": next,
    "send": lambda it: it.send(None),
    "throw": lambda it: it.throw(KeyError("from inside")),
    "close": lambda it: it.close(),
}


@rows()
@pytest.mark.parametrize("call", CALLS)
def test_a_call_from_inside_the_source_is_refused(impl, row, call):
    source = row.feed(sources.Calling, at=1)
    it = row.build(impl, source)
    source.action = lambda: CALLS[call](it)
    assert row.drain(it) == row.out(ITEMS)
    assert isinstance(source.outcome, impl.ReentrancyError)
    assert str(source.outcome).endswith("is already running")


@rows("answer")
@pytest.mark.parametrize("call", CALLS)
def test_a_call_from_inside_the_callback_is_refused(impl, row, call):
    outcomes = []

    def callback(*args):
        if not outcomes:
            with pytest.raises(impl.ReentrancyError) as caught:
                CALLS[call](it)
            outcomes.append(caught.value)
        return row.answer(*args)

    it = row.build(impl, row.feed(Source), callback)
    assert row.drain(it) == row.out(ITEMS)
    assert len(outcomes) == 1


@rows(start=1, waits=True)
def test_a_call_from_another_thread_is_refused_at_once(impl, row):
    source = row.feed(sources.Blocking)
    it = row.build(impl, source)
    outputs = []
    thread = threading.Thread(target=lambda: outputs.append(row.view(next(it))))
    thread.start()
    try:
        assert source.entered.wait(30)
        for call in CALLS.values():
            with pytest.raises(impl.ReentrancyError):
                call(it)
    finally:
        source.release.set()
        thread.join(30)
    assert outputs + row.drain(it) == row.out(ITEMS)


@over
def test_a_terminal_cannot_be_entered_again(impl, name):
    items, run, value = TERMINALS[name]
    source = sources.Calling(items, lambda: p.list())
    p = impl.pipe(source)
    assert run(p, same) == value
    assert isinstance(source.outcome, RuntimeError)


# 8. errors ---------------------------------------------------------------------------


def results(it, row):
    """What comes out, errors too, up to the end."""
    outputs = []
    while True:
        try:
            outputs.append(row.view(next(it)))
        except StopIteration:
            return outputs
        except Exception as error:
            outputs.append(error)


@rows("resumes")
def test_an_error_of_the_source_passes_and_ends_nothing(impl, row):
    error = ZeroDivisionError("item 1")
    it = row.build(impl, row.feed(Failing, 1, error=error))
    outputs = results(it, row)
    assert [out for out in outputs if isinstance(out, Exception)] == [error]
    without = [item for item in ITEMS if item != 1]
    if row.view is same:
        assert [out for out in outputs if out is not error] == row.out(without)


@rows(resumes=True)
def test_an_error_of_the_source_ends_what_owns_it(impl, row):
    source = row.feed(Failing, 1)
    it = row.build(impl, source)
    next(it)
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert source.closes == 1
    assert ended(it)


@rows()
@pytest.mark.parametrize(
    "kind",
    [
        *(MemoryError, RecursionError, StopAsyncIteration, AssertionError),
        *(KeyboardInterrupt, SystemExit, GeneratorExit),
    ],
)
def test_only_stop_iteration_ends(impl, row, kind):
    error = kind("item 1")
    it = row.build(impl, row.feed(Failing, 1, error=error))
    with pytest.raises(kind) as caught:
        exhaust(it, row)
    assert caught.value is error
    assert error.__cause__ is None


@rows("answer")
def test_an_error_of_the_callback_passes_and_its_item_is_consumed(impl, row):
    error = ZeroDivisionError("first")
    failures = [error]

    def callback(*args):
        if failures:
            raise failures.pop()
        return row.answer(*args)

    source = row.feed(Closable)
    it = row.build(impl, source, callback)
    with pytest.raises(ZeroDivisionError) as caught:
        next(it)
    assert caught.value is error
    assert source.closes == 0
    assert row.drain(it) == row.out(ITEMS[row.eaten :])


@rows("answer")
def test_stop_iteration_from_a_callback_is_a_runtime_error(impl, row):
    stop = StopIteration("oops")
    failures = [stop]

    def callback(*args):
        if failures:
            raise failures.pop()
        return row.answer(*args)

    it = row.build(impl, row.feed(Source), callback)
    with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
        next(it)
    assert caught.value.__cause__ is stop
    assert row.drain(it) == row.out(ITEMS[row.eaten :])


@pytest.mark.parametrize(
    "name", [".flat_map", ".flatten", "chain.from_iterable, outer"]
)
def test_stop_iteration_from_iter_is_a_runtime_error(impl, name):
    row = ROW[name]
    stop = StopIteration("oops")
    bad = sources.FailingIter(stop)
    it = row.build(impl, [bad, [1]], same)
    with pytest.raises(RuntimeError) as caught:
        next(it)
    assert caught.value.__cause__ is stop
    assert list(it) == [1]


@pytest.mark.parametrize(
    "name",
    [
        *(".filter", ".filterfalse", ".takewhile", ".takewhile_inclusive"),
        ".dropwhile",
    ],
)
def test_an_answer_that_is_neither_true_nor_false_is_an_error(impl, name):
    row = ROW[name]
    answers = [sources.FailingBool(ZeroDivisionError("bool"))]

    def callback(item):
        return answers.pop() if answers else row.answer(item)

    it = row.build(impl, ITEMS, callback)
    with pytest.raises(ZeroDivisionError, match="bool"):
        next(it)
    assert list(it) == ITEMS[1:]


def notes(error):
    return [
        note for note in getattr(error, "__notes__", ()) if note.startswith("pygenx: ")
    ]


@rows()
@pytest.mark.parametrize("kind", [ZeroDivisionError, StopAsyncIteration, MemoryError])
def test_an_error_of_the_source_gets_one_note(row, kind):
    error = kind("item 1")
    it = row.build(pygenx(), row.feed(Failing, 1, error=error))
    with pytest.raises(kind):
        exhaust(it, row)
    assert len(notes(error)) == 1


@rows("answer")
def test_an_error_of_the_callback_gets_one_note(row):
    error = ZeroDivisionError("first")

    def callback(*args):
        raise error

    source = row.feed(Source, items=[sources.Secretive()] * 2)
    it = pygenx().pipe(row.build(pygenx(), source, callback)).map(str)
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert len(notes(error)) == 1
    with pytest.raises(ZeroDivisionError):
        next(row.build(pygenx(), row.feed(Source), callback))
    assert len(notes(error)) == 1


@rows()
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_gets_no_note(row, kind):
    error = kind("item 1")
    it = row.build(pygenx(), row.feed(Failing, 1, error=error))
    with pytest.raises(kind):
        exhaust(it, row)
    assert notes(error) == []


# 9. None is data, integers -----------------------------------------------------------


@rows()
def test_none_is_data(impl, row):
    items = [None] * 6
    it = row.build(impl, row.feed(Source, items=items))
    if row.name in ("groupby", ".groupby"):
        assert row.drain(it) == [(None, items)]
    else:
        assert row.drain(it) == row.out(items)


# (what takes the number, its minimum, the error above ssize_t)
NUMBERS = {
    "take": (lambda px, n: px.pipe(()).take(n), 0, OverflowError),
    "drop": (lambda px, n: px.pipe(()).drop(n), 0, OverflowError),
    "tail": (lambda px, n: px.pipe(()).tail(n), 0, OverflowError),
    "intersperse": (lambda px, n: px.pipe(()).intersperse("", n), 1, OverflowError),
    "unique_everseen": (
        lambda px, n: px.pipe(()).unique_everseen(maxlen=n),
        1,
        OverflowError,
    ),
    "batched": (lambda px, n: px.pipe(()).batched(n), 1, OverflowError),
    "chunked": (lambda px, n: px.pipe(()).chunked(n), 1, OverflowError),
    "windowed": (lambda px, n: px.pipe(()).windowed(n), 1, OverflowError),
    "windowed step": (lambda px, n: px.pipe(()).windowed(1, 0, n), 1, OverflowError),
    "sliding_window": (lambda px, n: px.pipe(()).sliding_window(n), 1, OverflowError),
    "collapse": (lambda px, n: px.pipe(()).collapse(None, n), 0, OverflowError),
    "tap": (lambda px, n: px.pipe(()).tap(str, n), 1, OverflowError),
    "consume": (lambda px, n: px.pipe(()).consume(n), 0, OverflowError),
    "nth": (lambda px, n: px.pipe(()).nth(n), 0, OverflowError),
    "islice": (lambda px, n: px.pipe(()).islice(0, n), 0, ValueError),
    "islice step": (lambda px, n: px.pipe(()).islice(0, 1, n), 1, ValueError),
}


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_checked_when_given(impl, name):
    use, least, overflow = NUMBERS[name]
    for number in (least, Index(least), True, sys.maxsize):
        use(impl, number)
    for number in (least - 1, -5, Index(-1)):
        with pytest.raises(ValueError):  # noqa: PT011 - the texts are in the families
            use(impl, number)
    for number in (2**63, 2**80, Index(2**80)):
        with pytest.raises(overflow):
            use(impl, number)
    if not name.startswith("islice"):
        for number in (1.0, "1", [], Index("x")):
            with pytest.raises(TypeError):
                use(impl, number)
        with pytest.raises(KeyError):
            use(impl, Index(KeyError("index")))


@pytest.mark.parametrize("name", ["take", "drop", "batched", "tap", "islice"])
def test_a_stage_that_is_refused_leaves_the_pipe_usable(impl, name):
    p = impl.pipe(ITEMS)
    with pytest.raises(ValueError):  # noqa: PT011
        getattr(p, name)(*([str] if name == "tap" else []), -1)
    assert p.map(same).list() == ITEMS


# 10. length hints --------------------------------------------------------------------


@rows()
def test_a_length_hint_is_exact_or_none(row):
    px = pygenx()
    items = [row.wrap(item) for item in ITEMS]
    for source in (items, tuple(items), range(6)):
        if source == range(6) and row.wrap is not same:
            continue
        it = row.build(px, source)
        left = len(row.out(ITEMS)) if row.name != "group" else 6
        while left:
            hint = operator.length_hint(it, -1)
            assert hint == left or (not row.hint and hint == -1)
            row.view(next(it))
            left -= 1
        assert ended(it)
        assert operator.length_hint(it, 0) == 0


@rows(hint=True)
def test_where_items_may_be_dropped_or_added_there_is_no_hint(row):
    if row.hint is False:
        it = row.build(pygenx(), [row.wrap(item) for item in ITEMS])
        assert operator.length_hint(it, -1) == -1


@rows()
@pytest.mark.parametrize(
    "hint",
    [
        *(0, 1, -1, 2**40, sys.maxsize, 2**80, "x", NotImplemented),
        *(TypeError("hint"), ValueError("hint"), KeyError("hint")),
    ],
    ids=repr,
)
def test_a_source_that_lies_about_its_length_is_read_as_it_is(row, hint):
    it = row.build(pygenx(), row.feed(sources.Hinted, hint))
    if row.view is same:
        assert list(it) == row.out(ITEMS)


@over
def test_a_terminal_trusts_no_length_hint(name):
    items, run, value = TERMINALS[name]
    for hint in (0, -1, 2**40, sys.maxsize, 2**80, "x", ValueError("hint")):
        assert run(pygenx().pipe(sources.Hinted(items, hint)), same) == value


# 11 and 12 run in a child: they may kill or hang it ---------------------------------


def child(code, timeout=60, **options):
    """Run `code` in another interpreter, this module imported as `t`."""
    tests = str(Path(__file__).parent)
    path = os.pathsep.join([tests, str(Path(tests).parent)])
    run = subprocess.run(
        [sys.executable, "-c", f"import test_contract as t, pygenx\n{code}"],
        env={**os.environ, "PYTHONPATH": path, **options},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def deep_stages(name, depth):
    """`depth` times the same stage in one pipe: built, run, thrown away."""
    row = ROW[name]
    for use in (lambda p: p.consume(), lambda p: next(p, None), lambda p: None):
        p = pygenx().pipe([])
        for _ in range(depth):
            method = row.make(Deepener(p), None, row.answer)
            p = method
        use(p)
        del p


class Deepener:
    """In place of the module: its pipe() is the pipe there is."""

    def __init__(self, p):
        self.p = p

    def pipe(self, source):
        return self.p


def deep_objects(name, depth):
    """The object over itself `depth` times: it works or raises RecursionError."""
    row = ROW[name]
    for use in (lambda it: (next(it, None), it.close()), lambda it: None):
        it = iter([])
        try:
            for _ in range(depth):
                it = row.build(pygenx(), it)
            use(it)
        except RecursionError:
            pass
        del it


# tqdm takes longer for each bar that there is already: 100,000 would take it an hour.
BARS = {".progress"}


# An iterator of its own for each: 100,000 of them are a nest, not one loop.
NESTED = {".through"}


@pytest.mark.parametrize(
    "name", [row.name for row in STAGES if row.name not in BARS | NESTED]
)
def test_a_pipe_of_100_000_stages_works(name):
    child(f"t.deep_stages({name!r}, 100_000)")


@pytest.mark.parametrize("name", NESTED)
def test_a_nest_of_stages_never_kills(name):
    child(
        "try:\n"
        f"    t.deep_stages({name!r}, 100_000)\n"
        "except RecursionError:\n"
        "    print('too deep')\n"
        f"t.deep_stages({name!r}, 100)"
    )


@pytest.mark.parametrize(
    "name", [row.name for row in ROWS if not row.start and row.name not in BARS]
)
def test_deep_nesting_never_kills(name):
    child(f"t.deep_objects({name!r}, 100_000)")


def interrupt(names):
    """Ctrl-C in each of the endless runs."""
    runs = endless_runs()
    for name in names or runs:
        late = interrupted(runs[name])
        assert late < 5, f"{name}: {late:.1f} s late"


def endless_runs():
    px = pygenx()
    runs = {
        row.name: lambda row=row: row.build(
            px, itertools.repeat(row.wrap(0)), row.answer
        ).consume()
        for row in [*STAGES, ROW["pipe"], ROW["pipe of a program"]]
    }
    for name in ("sum", "min", "max", "any", "count", "last", "consume"):
        run = TERMINALS[name][1]
        runs[f"terminal {name}"] = lambda run=run: run(
            px.pipe(itertools.repeat(0)), None
        )
    zeros = itertools.repeat(0)
    runs |= {
        "terminal all": lambda: px.pipe(itertools.repeat(1)).all(),
        "terminal reduce": lambda: px.pipe(zeros).reduce(max),
        "terminal for_each": lambda: px.pipe(zeros).for_each(abs),
        "terminal nth": lambda: px.pipe(zeros).nth(LONG),
        "terminal first_true": lambda: px.pipe(zeros).first_true(),
        "terminal first_true of a C function": lambda: px.pipe(zeros).first_true(
            None, abs
        ),
        "terminal reduceby": lambda: px.pipe(zeros).reduceby(abs, max),
        "terminal map_reduce": lambda: px.pipe(zeros).filter(bool).map_reduce(abs),
        "terminal one": lambda: px.pipe(zeros).filter(bool).one(),
        "terminal only": lambda: px.pipe(zeros).filter(bool).only(),
        "terminal set": lambda: px.pipe(zeros).set(),
        "terminal frequencies": lambda: px.pipe(zeros).frequencies(),
        "terminal array": lambda: px.pipe(zeros).filter(bool).array("q"),
        "terminal list": lambda: px.pipe(zeros).filter(bool).list(),
        "terminal tuple": lambda: px.pipe(zeros).filter(bool).tuple(),
        "terminal join": lambda: px.pipe(zeros).filter(bool).join(),
        "terminal dict": lambda: px.pipe(zeros).filter(bool).dict(),
        "terminal first": lambda: px.pipe(zeros).filter(bool).first(),
        "a huge range": lambda: px.pipe(sources.HUGE).map(abs).consume(),
        "next of a filter": lambda: next(px.pipe(zeros).filter(bool)),
        "next of a dropwhile": lambda: next(px.pipe(zeros).dropwhile(operator.not_)),
        "next of a flatten": lambda: next(px.pipe(itertools.repeat(())).flatten()),
        "next of an islice": lambda: next(px.pipe(zeros).drop(10**15)),
        "chain of nothings": lambda: next(px.chain.from_iterable(itertools.repeat(()))),
        "the same group": lambda: list(px.groupby(zeros)),
        "feed": lambda: px.feed(zeros, px.fold(max, 0)),
        "iter_except": lambda: px.iter_except(int, KeyError).consume(),
        "with_iter": lambda: px.with_iter(contextlib.nullcontext(zeros)).consume(),
        "buffer": lambda: [px.buffer(bytes(10**6)).consume() for _ in zeros],
    }
    return runs


def test_ctrl_c_ends_every_drain():
    child("t.interrupt(None)", timeout=90)


def interrupt_beside_a_worker():
    """Ctrl-C reaches the main thread while a worker drains."""
    px = pygenx()
    stop = []
    drain = px.pipe(itertools.repeat(stop)).takewhile(operator.not_)
    worker = threading.Thread(target=drain.consume)
    worker.start()
    late = interrupted(lambda: [time.sleep(0.01) for _ in range(1000)])
    stop.append(True)
    worker.join(10)
    assert not worker.is_alive()
    assert late < 5, f"{late:.1f} s late"


def test_ctrl_c_reaches_the_main_thread_beside_a_drain():
    child("t.interrupt_beside_a_worker()")


def share_of_the_main_thread():
    """The share of its speed that a Python loop keeps beside a drain in a thread."""

    def turns():
        count, end = 0, time.perf_counter() + 0.5
        while time.perf_counter() < end:
            count += 1
        return count

    px = pygenx()
    alone = turns()
    stop = []
    drain = px.pipe(itertools.repeat(stop)).takewhile(operator.not_)
    worker = threading.Thread(target=drain.consume)
    worker.start()
    beside = turns()
    stop.append(True)
    worker.join(10)
    print(beside / alone)


def test_a_second_thread_goes_on_beside_a_drain():
    assert max(float(child("t.share_of_the_main_thread()")) for _ in range(2)) > 0.1


# 13. types ---------------------------------------------------------------------------


@rows()
def test_objects_can_be_weakly_referenced(impl, row):
    it = row.build(impl, row.feed(Source))
    alive = weakref.ref(it)
    del it
    gc.collect()
    assert alive() is None


@rows()
def test_types_can_be_subscripted_and_are_closed(row):
    kind = type(row.build(pygenx(), row.feed(Source)))
    assert kind.__module__ == "pygenx"
    assert kind[int].__origin__ is kind
    with pytest.raises(TypeError, match="immutable"):
        kind.something = 1
    with pytest.raises(TypeError):
        object.__new__(kind)


@rows()
def test_only_what_itertools_lets_one_subclass_can_be(row):
    kind = type(row.build(pygenx(), row.feed(Source)))
    if row.name.split(".")[0].split(",")[0] in ("chain", "groupby") and kind in (
        pygenx().chain,
        pygenx().groupby,
    ):
        assert issubclass(type("Sub", (kind,), {}), kind)
    else:
        with pytest.raises(TypeError, match="not an acceptable base type"):
            type("Sub", (kind,), {})


@rows()
def test_objects_are_generators_in_all_but_name(row):
    it = row.build(pygenx(), row.feed(Source))
    for name in ("send", "throw", "close", "__enter__", "__exit__", "__iter__"):
        assert callable(getattr(it, name))
    for name in ("__len__", "__bool__"):
        assert not hasattr(it, name) or row.name in LOOK_AHEAD
    with pytest.raises(AttributeError):
        it.something = 1


@rows()
def test_repr_pulls_nothing_and_calls_no_repr(row):
    item = sources.Secretive()
    source = row.feed(Source, items=[item] * 6)
    it = row.build(pygenx(), source)
    pulls = source.pulls
    assert isinstance(repr(it), str)
    assert source.pulls == pulls
    next(it)
    repr(it)
    row.drain(it)
    repr(it)
    it.close()
    repr(it)


# 14. pickle --------------------------------------------------------------------------


@rows()
def test_iterators_cannot_be_pickled_or_copied(row):
    it = row.build(pygenx(), [row.wrap(item) for item in ITEMS])
    for action in [copy.copy, copy.deepcopy] + [
        lambda it, protocol=protocol: pickle.dumps(it, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]:
        with pytest.raises(TypeError, match=r"cannot pickle '.*' object"):
            action(it)
    assert row.drain(it) == row.out(ITEMS)


@pytest.mark.parametrize("name", [row.name for row in STAGES])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_programs_can_be_pickled(name, protocol):
    px = pygenx()
    row = ROW[name]
    answer = PICKLED.get(name, row.answer)
    program = row.make(Deepener(px.Pipeline()), None, answer)
    back = pickle.loads(pickle.dumps(program, protocol))
    assert type(back) is px.Pipeline
    assert repr(back) == repr(program)
    items = [row.wrap(item) for item in ITEMS]
    assert back(items).list() == program(items).list()


# functions that pickle finds by name, in place of the lambdas
PICKLED = {
    ".filter": operator.truth,
    ".filterfalse": operator.truth,
    ".flat_map": range,
    ".takewhile_inclusive": operator.not_,
    ".takewhile": operator.not_,
    ".dropwhile": operator.not_,
}


# signatures and wrong calls ----------------------------------------------------------

MISSING = object()


class Signatures:
    """What is called how: each as a Python function with that signature."""

    def chain(*iterables): ...
    def chain_from_iterable(iterable, /): ...
    def tee(iterable, n=2, *, lock=False, maxlen=None): ...
    def groupby(iterable, key=None): ...
    def own(iterable, /): ...
    def borrow(iterable, /): ...
    def partition(pred, iterable, *, maxlen=None): ...
    def peekable(iterable): ...
    def seekable(iterable, maxlen=None): ...
    def merge(*iterables, key=None, reverse=False): ...
    def roundrobin(*iterables): ...
    def serialize(iterable, *, timeout=None): ...
    def zip(*iterables, strict=False, closing=False): ...
    def spy(iterable, n=1): ...
    def primed(func, /): ...
    def fold(func, initial, /): ...
    def feed(source, target, /): ...
    def timing(label="Elapsed time", *, report=print): ...
    def pipe(source, /): ...
    def Pipeline(): ...
    def broadcast(*targets): ...
    def route(key, targets, /): ...
    def iterate(func, start): ...
    def Failure(error, item, index, stage): ...
    def iter_except(function, exception, first=None): ...
    def always_iterable(obj, base_type=(str, bytes)): ...
    def with_iter(context_manager): ...
    def buffer(obj, /): ...
    def iter_suppress(iterable, *exceptions): ...
    def map_except(function, iterable, *exceptions): ...
    def side_effect(func, iterable, chunk_size=None, before=None, after=None): ...
    def call(func, /, *args, **kwargs): ...
    def all_of(*conditions): ...
    def any_of(*conditions): ...
    def none_of(*conditions): ...
    def func(expression, /): ...

    def grouping(key=None, *, sink=None, keep=None, fold=MISSING, init=MISSING): ...

    def read_lines(
        *paths,
        encoding="utf-8",
        errors="strict",
        keepends=False,
        opener=open,
        missing="raise",
    ): ...


class Methods:
    """The stages and terminals, as functions of what follows the pipe."""

    def map(func, /): ...
    def starmap(func, /): ...
    def filter(pred, /): ...
    def filterfalse(pred, /): ...
    def filter_map(func, /): ...
    def flat_map(func, /): ...
    def flatten(): ...
    def enumerate(start=0): ...
    def accumulate(func=None, *, initial=None): ...
    def pluck(ind, default=MISSING): ...
    def intersperse(e, n=1): ...
    def takewhile(pred, /): ...
    def takewhile_inclusive(pred, /): ...
    def dropwhile(pred, /): ...
    def unique_everseen(key=None, *, maxlen=None): ...
    def unique_justseen(key=None): ...
    def locate(pred=bool): ...
    def take(n): ...
    def drop(n): ...
    def tail(n): ...
    def islice(*args): ...
    def batched(n, *, strict=False): ...
    def chunked(n, strict=False): ...
    def windowed(n, fillvalue=None, step=1): ...
    def sliding_window(n): ...
    def pairwise(): ...
    def split_at(pred, maxsplit=-1, keep_separator=False): ...
    def split_before(pred, maxsplit=-1): ...
    def split_after(pred, maxsplit=-1): ...
    def split_when(pred, maxsplit=-1): ...
    def collapse(base_type=None, levels=None): ...
    def groupby(key=None): ...
    def chain(*iterables): ...
    def prepend(*iterables): ...
    def catch(*exceptions, do=None, replace=MISSING, stop=False): ...
    def map_except(func, /, *exceptions): ...
    def zip(*iterables, strict=False): ...
    def progress(*, total=None, **tqdm_kwargs): ...
    def on_close(func, /): ...
    def through(func, /, *args, **kwargs): ...
    def tap(func, chunk_size=None, before=None, after=None): ...

    def tee(n=2, *, lock=False, maxlen=None): ...
    def partition(pred, *, maxlen=None): ...

    def list(): ...
    def tuple(): ...
    def set(): ...
    def dict(): ...
    def sum(start=0): ...
    def min(*, key=None, default=MISSING): ...
    def max(*, key=None, default=MISSING): ...
    def any(): ...
    def all(): ...
    def count(): ...
    def array(typecode, /): ...
    def frequencies(): ...
    def join(sep="", /): ...
    def reduce(func, /, initial=MISSING): ...
    def first(default=MISSING, /): ...
    def last(default=MISSING, /): ...
    def nth(n, default=None): ...
    def one(too_short=None, too_long=None): ...
    def only(default=None, too_long=None): ...
    def first_true(default=None, pred=None): ...
    def map_reduce(keyfunc, valuefunc=None, reducefunc=None): ...
    def reduceby(key, binop, init=MISSING, *, factory=None): ...
    def for_each(func, /): ...
    def consume(n=None, /): ...
    def to(func, /, *args, **kwargs): ...
    def into(target, /): ...
    def collect(*reducers): ...


def functions(table):
    return {name: f for name, f in vars(table).items() if inspect.isfunction(f)}


def parameters(function):
    return list(inspect.signature(function).parameters.values())


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


SPLITS = {"tee", "partition"}  # of pipes alone, into several pipes
NOT_A_STAGE = {
    "check_pickle",
    "close",
    "explain",
    "lineno",
    "path",
    "profile",
    "result",
    "send",
    "stats",
    "throw",
}
CALLABLE = [
    *((name, False) for name in functions(Signatures)),
    *((name, True) for name in functions(Methods)),
]


def model_and_real(name, is_method):
    px = pygenx()
    if is_method:
        return functions(Methods)[name], getattr(px.pipe([]), name)
    if name == "chain_from_iterable":
        return functions(Signatures)[name], px.chain.from_iterable
    return functions(Signatures)[name], getattr(px, name)


@pytest.mark.parametrize(("name", "is_method"), CALLABLE)
def test_signatures_are_as_written(name, is_method):
    model, real = model_and_real(name, is_method)
    written, found = parameters(model), parameters(real)
    if name == "islice":  # its first argument means what its number says
        assert found
        return
    assert [(p.name, p.kind) for p in found] == [(p.name, p.kind) for p in written]
    for p, q in zip(found, written, strict=True):
        if q.default is not MISSING:
            assert p.default in (q.default, ...)


def wrong_calls(model):
    """Calls that Python refuses for this signature: (args, kwargs)."""
    ps = parameters(model)
    plain = [p for p in ps if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [0] * sum(p.default is p.empty for p in plain)
    kinds = {p.kind for p in ps}
    for short in range(len(needed)):
        yield needed[:short], {}
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        yield [0] * (len(plain) + 1), {}
        yield [0] * (len(plain) + 3), {}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        yield needed, {"nonsense": 1}
        for p in plain:
            if p.kind is p.POSITIONAL_ONLY:
                yield needed[1:], {p.name: 1}
    for p in plain[:1]:
        if p.kind is p.POSITIONAL_OR_KEYWORD:
            yield [0], {p.name: 1}


def message(function, args, kwargs):
    with pytest.raises(TypeError) as caught:
        function(*args, **kwargs)
    head, _, tail = str(caught.value).partition("(")
    name = head.rpartition(".")[2].replace("chain_from_iterable", "from_iterable")
    return f"{name}({tail}"


@pytest.mark.parametrize(("name", "is_method"), CALLABLE)
def test_wrong_calls_read_as_those_of_a_python_function(name, is_method):
    model, real = model_and_real(name, is_method)
    if name in ("islice", "timing", "pipe"):  # said in words of their own
        for args, kwargs in wrong_calls(model):
            if name != "timing" or kwargs:
                with pytest.raises(TypeError):
                    real(*args, **kwargs)
        return
    for args, kwargs in wrong_calls(model):
        assert message(real, args, kwargs) == message(model, args, kwargs)


# completeness ------------------------------------------------------------------------


def test_every_public_name_is_in_the_table():
    px = pygenx()
    assert set(px.__all__) - {
        "Expression",
        "ReentrancyError",
        "Reducer",
        "this",
    } == set(functions(Signatures)) - {
        "chain_from_iterable",
        "zip",  # not to be imported by a star
    }
    for kind in [getattr(px, name) for name in px.__all__]:
        assert not isinstance(kind, type) or kind.__module__ == "pygenx"
    assert issubclass(px.ReentrancyError, ValueError)
    assert issubclass(px.ReentrancyError, RuntimeError)


SECOND_ROWS = (
    ".tap in chunks",
    ".unique_everseen of the latest",
    ".windowed in steps",
)


def test_every_stage_and_terminal_is_in_the_table():
    px = pygenx()
    stages = {row.name[1:] for row in STAGES if row.name not in SECOND_ROWS}
    assert public(px.Pipeline) - NOT_A_STAGE == stages | set(TERMINALS)
    assert public(px.pipe) - NOT_A_STAGE == stages | set(TERMINALS) | SPLITS
    assert set(functions(Methods)) == stages | set(TERMINALS) | SPLITS


def test_every_iterator_type_is_in_the_table():
    px = pygenx()
    shown = {type(row.build(px, row.feed(Source))) for row in ROWS}
    shown |= {
        px.grouping,
        px.fold,
        px.broadcast,
        px.route,
    }  # push objects are tested in their own files
    public_types = {
        kind
        for name in px.__all__
        if isinstance(kind := getattr(px, name), type)
        and hasattr(kind, "__next__")
        and hasattr(kind, "send")
    }
    assert public_types <= shown
