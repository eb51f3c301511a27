"""What objects show of themselves: repr of programs, sources and sinks, and the texts
of wrong calls that are not CPython's own.
"""

import array
import contextlib
import operator

import pytest

from pygenx import (
    Pipeline,
    always_iterable,
    buffer,
    feed,
    fold,
    iter_except,
    iterate,
    pipe,
    read_lines,
    with_iter,
)

P = Pipeline()


def count_up(n):
    return n + 1


SHOWN = {
    "islice(3)": P.islice(3),
    "islice(5)": P.islice(None, 5),
    "islice(None)": P.islice(None),
    "islice(1, None)": P.islice(1, None),
    "islice(1, 5)": P.islice(1, 5),
    "islice(0, 5, 2)": P.islice(0, 5, 2),
    "pluck('a')": P.pluck("a"),
    "pluck([])": P.pluck([]),
    "pluck([1, 'a', <tuple>])": P.pluck([1, "a", (2,)]),
    "pluck(<tuple>)": P.pluck((1, 2)),
    "filter(None)": P.filter(None),
    "chunked(None)": P.chunked(None),
    "groupby()": P.groupby(),
    "groupby(len)": P.groupby(len),
    "unique_everseen()": P.unique_everseen(),
    "unique_everseen(maxlen=3)": P.unique_everseen(maxlen=3),
    "accumulate(initial=3)": P.accumulate(initial=3),
    "accumulate(add, initial=3)": P.accumulate(operator.add, initial=3),
    "collapse()": P.collapse(),
    "collapse(int)": P.collapse(int),
    "collapse(int, str)": P.collapse((int, str)),
    "min(key=len)": P.min(key=len),
    "to(sorted)": P.to(sorted),
    "to(sorted, ...)": P.to(sorted, reverse=True),
    "collect(sum(), ... -> max(key=len))": P.collect(P.sum(), P.map(str).max(key=len)),
    "collect(collect(...))": P.collect(P.collect(P.sum(), P.count())),
    "into(print)": P.into(print),
    "into(list.append)": P.into([].append),
    "into(count_up)": P.into(count_up),
    "into(<pygenx.fold>)": P.into(fold(operator.add, 0)),
}


@pytest.mark.parametrize("text", SHOWN)
def test_program(text):
    assert repr(SHOWN[text]) == f"Pipeline() -> {text}"


def test_collect_does_not_show_what_grows_without_bound():
    reducer = P.sum()
    for _ in range(40):
        reducer = P.collect(reducer, reducer)
    assert len(repr(reducer)) < 100


SOURCES = {
    "pipe(<pygenx.read_lines>)": lambda: read_lines("a", "b"),
    "pipe(<pygenx.iterate>)": lambda: iterate(count_up, 0),
    "pipe(<pygenx.iter_except>)": lambda: iter_except([].pop, IndexError),
    "pipe(<pygenx.with_iter>)": lambda: with_iter(contextlib.nullcontext([1])),
    "pipe(<pygenx.buffer>)": lambda: buffer(array.array("i", [1])),
    "pipe(<tuple>)": lambda: always_iterable(5),
}


@pytest.mark.parametrize("text", SOURCES)
def test_sources_have_their_public_name(text):
    assert repr(SOURCES[text]()) == text


@pytest.mark.parametrize("stage", ["chain", "prepend"])
def test_inputs_given_up_are_dots(stage):
    shown = getattr(pipe([1]), stage)([2], [3])
    assert repr(shown) == f"pipe(<list>) -> {stage}(<list>, <list>)"
    assert list(shown) == ([1, 2, 3] if stage == "chain" else [2, 3, 1])
    with pytest.raises(TypeError) as info:
        getattr(pipe([1]), stage)(5, [3]).list()
    (note,) = info.value.__notes__
    assert note.startswith(f"pygenx: stage 1/1 {stage}(..., <list>)")


def test_a_pipeline_without_an_end_is_no_sink():
    for text, call in {
        "into() argument 'sink'": lambda: P.into(P),
        "into() argument 'target'": lambda: pipe([1]).into(P),
        "feed() argument 'target'": lambda: feed([1], P),
    }.items():
        with pytest.raises(TypeError) as info:
            call()
        assert str(info.value) == (
            f"{text} must be an object with send() or a function, not a Pipeline "
            "without an end; give it a terminal, or a sink by into()"
        )
    assert feed([1, 2], P.into(P.sum())) == 3


def test_catch_names_a_class_that_is_no_exception():
    with pytest.raises(TypeError) as info:
        P.catch(ValueError, int)
    assert str(info.value) == "catch() takes classes of exceptions, not the class 'int'"
    with pytest.raises(TypeError) as info:
        P.map_except(ValueError, 5)
    assert str(info.value) == "map_except() takes classes of exceptions, not 'int'"
