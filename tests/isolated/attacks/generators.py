# ruff: noqa: B007, B023, PT018, SIM105 (attacks are short and rude)
"""send(), throw() and close() of everything that is a generator."""

import functools
import inspect
import itertools
import operator
import sys
import weakref

import programs
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import (
    EAGER,
    GENERATING,
    IN_STEP,
    MAKERS,
    PLAIN,
    WRAPPED,
    raises,
    values,
)
from pygenx import pipe


def G1_send_before_the_start():
    for name, make in MAKERS.items():
        if name in ("read_lines",) or name.startswith("tee"):
            continue
        reader = make(programs.generator())
        raises((TypeError, AttributeError), reader.send, 1)
        assert len(values(reader)) > 0, name


def G2_primed_of_anything():
    def at_once():
        return 7
        yield

    def fails():
        raise ArithmeticError
        yield

    async def coroutine():
        pass

    class Generators:
        def method(self):
            yield 1
            yield 2

        def __call__(self):
            yield 1
            yield 2

    primed = pygenx.primed
    assert raises(RuntimeError, primed(at_once)).value == 7
    raises(ArithmeticError, primed(fails))
    for wrong in (lambda: 1, list, int, coroutine, lambda: None):
        raises(TypeError, primed(wrong))
    for good in (
        Generators().method,
        Generators(),
        functools.partial(programs.generator, 3),
        lambda: iter([1, 2]),
    ):
        assert len(list(primed(good)())) in (1, 2)
    for wrong in (1, None, "text"):
        raises(TypeError, primed, wrong)

    def outer():
        yield primed(at_once)()

    raises(RuntimeError, next, outer())


def G3_primed_looks_like_its_function():
    class Awkward:
        def __call__(self):
            return iter([1])

        @property
        def __name__(self):
            raise LookupError

    raises(LookupError, pygenx.primed, Awkward())
    decorated = pygenx.primed(programs.generator)
    assert (
        decorated.__wrapped__ is programs.generator
        and decorated.__name__ == "generator"
    )
    assert inspect.signature(decorated) == inspect.signature(programs.generator)

    class Holder:
        @pygenx.primed
        def method(self):
            yield 1
            yield self

        @pygenx.primed
        @classmethod
        def klass(cls):
            yield 1
            yield cls

        @staticmethod
        @pygenx.primed
        def static():
            yield 1
            yield 2

    holder = Holder()
    assert (
        next(holder.method()) is holder
        and next(holder.klass()) is Holder
        and next(Holder.static()) == 2
    )


def G4_throw_with_wrong_arguments():
    class Fails(Exception):
        def __init__(self, *args):
            raise LookupError("constructor")

    class NoException(Exception):
        def __new__(cls, *args):
            return 5

    objects = {name: make for name, make in MAKERS.items() if name != "timing"}
    for name, make in objects.items():
        for arguments in (
            (1,),
            (int,),
            (ValueError, 1, 2),
            (ValueError("x"), 1),
            (),
            ("text",),
            (ValueError, 1, None, 2),
            (NoException,),
        ):
            reader = make(programs.generator())
            raises(TypeError, reader.throw, *arguments)
            assert values(reader), name
        raises(LookupError, make(programs.generator()).throw, Fails)
    for made in (pygenx.fold(max, 0), pygenx.grouping(len)):
        raises(TypeError, made.throw, 1)
        raises(LookupError, made.throw, LookupError("x"))


def G5_close_at_any_time():
    for name, make in MAKERS.items():
        reader = make(Source())
        assert reader.close() is None and reader.close() is None
        assert values(reader) == []
        if name in WRAPPED | EAGER or name in (
            *GENERATING,  # which drop their source when they are closed
            "borrow",
            "groupby group",
            "chain.from_iterable",
            ".prepend",
        ):
            continue

        def stubborn():
            for i in itertools.count():
                try:
                    yield Thing(i)
                except GeneratorExit:
                    pass

        reader = make(stubborn())
        next(reader)
        closing = reader
        if name in ("tee two", "partition two"):  # the last branch closes the source
            reader.close()
            closing = programs.other_branch
        try:
            closing.close()
        except RuntimeError:
            assert values(reader) == []
        else:
            raise AssertionError(name)


def G7_close_frees():
    for name, make in MAKERS.items():
        for start in (False, True):
            source = Source()
            weak = weakref.ref(source)
            reader = make(source)
            if start:
                next(reader)
            del source
            reader.close()
            other, programs.other_branch = (
                programs.other_branch if name == "tee two" else None,
                None,
            )
            del other
            # A generator that has not started keeps its arguments from 3.12 on.
            if name != "groupby group" and (start or name != "timing"):
                assert weak() is None, (name, start)


def G8_sink_that_ends_early():
    def one():
        yield
        return Thing(5)

    assert pygenx.feed(things(9), one()).value == 5
    grouping = pygenx.grouping(value_of, sink=one())
    stops = 0
    for item in things(5):
        try:
            grouping.send(item)
        except StopIteration:
            stops += 1
    assert stops
    grouping.close()


# throw() goes to a branch alone, to the lines of a file, or to a generator between.
KEEPING_THROW = {
    *("expression", "expression nested", "partition", "partition two"),
    *("pipe.partition", "pipe.tee", "read_lines", "tee", "tee locked", "tee two"),
    ".tap",
}


def G9_throw_at_each_stage():
    for name, make in PLAIN.items():
        reader = make(programs.generator())
        next(reader)
        if name in KEEPING_THROW:
            raises(LookupError, reader.throw, LookupError)
            continue
        assert reader.throw(LookupError).value == "caught", name
        assert values(reader) == []

    class Answering(Source):
        def throw(self, error):
            raise StopIteration

    class Replying(Source):
        def throw(self, error):
            return next(self)

    given = pipe(Replying(3)).tap(programs.nothing, 1, before=programs.nothing)
    assert given.throw(LookupError).value == 0
    assert values(given) == [1, 2]
    given = (
        pipe(Replying(3))
        .tap(programs.nothing, 2, after=programs.nothing)
        .prepend(things(1))
    )
    assert len([given.throw(LookupError), *given]) == 4
    given = pipe(Answering(3)).prepend([Thing(8), Thing(9)])
    assert given.throw(LookupError).value == 8
    assert values(given) == [9]
    given = pipe(Answering(3)).prepend(things(2)).chain([Thing(8)])
    assert given.throw(LookupError).value == 0
    assert values(given) == [1, 8]


def G10_sources_without_or_with_odd_methods():
    class Odd(Source):
        close = 5
        throw = 5
        send = 5

    class Raising(Source):
        @property
        def close(self):
            raise LookupError("close")

        throw = send = close

    for name in ("chain", "own", "pipe", ".map", ".filter"):
        make = MAKERS[name]
        reader = make(Odd())
        next(reader)
        raises(TypeError, reader.close)
        reader = make(Raising())
        next(reader)
        raises(LookupError, reader.close)
        for odd, error in ((Odd, TypeError), (Raising, LookupError)):
            reader = make(odd())
            next(reader)
            raises(error, reader.throw, ArithmeticError)
            reader = make(odd())
            next(reader)
            raises(error, reader.send, 1)


def G11_shared_sources():
    generator = programs.generator(20)
    readers = [make(generator) for make in IN_STEP.values()]
    got = []
    for reader in itertools.cycle(readers):
        try:
            got.append(next(reader).value)
        except StopIteration:
            break
    assert got == list(range(20))
    same = iter(things(6))
    assert values(pygenx.chain(same, same, same)) == [0, 1, 2, 3, 4, 5]
    assert values(pipe(same).chain(same).prepend(same)) == []
    assert operator.length_hint(pygenx.chain(same, same)) == 0


def G12_tracing():
    for set_hook in (sys.settrace, sys.setprofile):
        for name, make in PLAIN.items():
            calls = []

            def hook(frame, event, argument):
                calls.append(event)
                if len(calls) == 25:
                    raise ArithmeticError("hook")
                return hook

            reader = make(programs.generator())
            set_hook(hook)
            try:
                values(reader)
            except ArithmeticError:
                pass
            finally:
                set_hook(None)
            values(reader)


def G13_source_that_revives():
    class Reviving(Source):
        def __next__(self):
            self.i += 1
            if self.i == 3:
                raise StopIteration
            return Thing(self.i)

    for name, make in MAKERS.items():
        if name in WRAPPED or name == "timing":
            continue
        reader = make(Reviving())
        for item in reader:
            del item
        for _ in range(3):
            raises(StopIteration, next, reader)
        assert reader.close() is None
