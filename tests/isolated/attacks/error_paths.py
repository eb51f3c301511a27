# ruff: noqa: PT018, SIM105 (attacks are short and rude)
"""Errors: what is held, closed and freed when something fails half way."""

import gc
import sys

import programs
from programs import Source, Thing, things

import pygenx
from attacks.common import (
    CHANGING,
    GENERATING,
    MAKERS,
    PLAIN,
    RESUMING,
    WRAPPED,
    raises,
    read_of,
    values,
)
from pygenx import pipe

# M1 to M3 are test_oom.py, M4 is test_leaks.py.


class MyStop(StopIteration):
    pass


def M5_errors_pass_unchanged():
    for error in (
        MemoryError,
        RecursionError,
        KeyboardInterrupt,
        SystemExit,
        GeneratorExit,
        StopAsyncIteration,
    ):
        for name, make in MAKERS.items():
            if name == "timing":
                continue
            source = Source(3, at=1, error=error)
            raised = raises(error, read_of, make, source)
            assert type(raised) is error and raised.args == ("source",), (name, raised)
            assert raised.__traceback__ is not None
    for name, make in PLAIN.items():
        assert values(make(Source(3, at=1, error=MyStop))) == [0], name


def M6_return_values():
    for name in ("borrow", "own", "pipe", "tee", ".map", ".filter", ".take"):
        reader = MAKERS[name](programs.generator(2))
        values(reader)
        if name != ".take":
            assert reader.result.value == "returned", name
        for value in ((1, 2), StopIteration(3), (), ValueError("v"), None):

            def returning(value=value):
                yield Thing(0)
                return value

            reader = MAKERS[name](returning())

            def delegating(reader=reader):
                return (yield from reader)

            outer = delegating()
            next(outer)
            assert raises(StopIteration, next, outer).value is value, (name, value)
    assert pygenx.chain(programs.generator(1)).result is None


def M7_after_an_error():
    for name in sorted(CHANGING - {".tail", ".zip"} - WRAPPED):
        source = Source(99, at=2)
        reader = MAKERS[name](source)
        for _ in range(8):
            try:
                next(reader)
            except (ArithmeticError, StopIteration):
                pass
        assert source.i > 3, name
    for name in ("own", "with_iter", "read_lines", *sorted(GENERATING)):
        reader = MAKERS[name](Source(5, at=2))
        raises(ArithmeticError, values, reader)
        assert values(reader) == [], name
    for name, make in RESUMING.items():
        reader = make(Source(5, at=2))
        assert [next(reader).value, next(reader).value] == [0, 1]
        raises(ArithmeticError, next, reader)
        assert values(reader) == [3, 4], name


def M8_error_with_pending_cleanup_errors():
    class Closing(Source):
        def __init__(self, error, context=None):
            super().__init__(0)
            self.failure = error
            error.__context__ = context

        def close(self):
            raise self.failure

    first, second = ValueError("a"), ValueError("b")
    chain = pygenx.chain(Closing(first, second), Closing(second))
    error = raises(ValueError, chain.close)
    seen = []
    while error is not None:
        assert error not in seen, "the chain of contexts is a cycle"
        seen.append(error)
        error = error.__context__
    loop = [ValueError(str(i)) for i in range(3)]
    last = ValueError("last")
    chain = pygenx.chain(Closing(ValueError("first")), Closing(last))
    last.__context__ = loop[0]
    loop[0].__context__, loop[1].__context__, loop[2].__context__ = (
        loop[1],
        loop[2],
        loop[1],
    )
    raises(ValueError, chain.close)
    same = ValueError("same")
    raises(ValueError, pygenx.chain(Closing(same), Closing(same)).close)
    assert same.__context__ is None


def M9_pending_exception_survives_a_drop():
    unraisable = []
    sys.unraisablehook = lambda report: unraisable.append(report.exc_value)

    class Item(Thing):
        __slots__ = ()

        def __del__(self):
            raise LookupError("finaliser")

    class Bad(Source):
        def close(self):
            raise LookupError("close")

        def __del__(self):
            raise LookupError("source")

    def fail(make):
        reader = make(Bad())
        next(reader)
        reader = make(iter([Item(1), Item(2)]))
        raise ArithmeticError("mine")

    for make in MAKERS.values():  # the argument dies while the error is pending
        raises(TypeError, lambda make=make: len(make(Bad())))
    for make in PLAIN.values():
        error = raises(ArithmeticError, fail, make)
        error = error.with_traceback(None)
        gc.collect()
    sys.unraisablehook = sys.__unraisablehook__
    assert unraisable


def M10_recycled_pair():
    """bpo-42536: a pair that is filled again must be tracked again."""
    pairs = pipe(things(50)).enumerate()
    kept = []
    for i, pair in enumerate(pairs):
        if i % 7 == 0:
            gc.collect()
            kept.append(pair)
        assert pair[0] == i and pair[1].value == i
        assert i % 7 or gc.is_tracked(pair)
        if i % 5 == 0:
            hash(pair)
        del pair
    assert [(i, item.value) for i, item in kept] == [(i, i) for i in range(0, 50, 7)]
    for pair in pipe([1, [], 2, []]).enumerate():
        assert type(pair[1]) is int or gc.is_tracked(pair)
        gc.collect()  # which looks no more at a tuple of numbers
        del pair
    pairs = pipe(things(3)).enumerate()
    one = next(pairs)
    gc.get_referrers(one[1])
    two = next(pairs)
    assert one is not two and one[0] == 0
