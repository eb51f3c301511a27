# ruff: noqa: B007, F821, PT018, SIM105 (attacks are short and rude)
"""Construction: arguments, sizes, indexes, wrong calls, copy and pickle."""

import copy
import gc
import itertools
import operator
import pickle
import sys
import weakref

import programs
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import (
    IN_STEP,
    MAKERS,
    OF_THINGS,
    PLAIN,
    Trap,
    all_types,
    exercise,
    raises,
    values,
)
from pygenx import Pipeline, ReentrancyError, pipe


def N1_new_without_arguments():
    """13 of 13 types, not the 1 of zstandard#291."""
    types = all_types()
    assert len(types) >= 20
    for found in types:
        for new in (object.__new__, found.__new__):
            try:
                made = new(found)
            except TypeError:
                continue
            exercise(made)
            del made
    for made in (pygenx.tee(())[0], next(pygenx.groupby("a"))[1], iter(pipe(()))):
        try:
            exercise(type(made).__new__(type(made)))
        except TypeError:
            pass
    gc.collect()


def N2_init_again():
    for name, make in MAKERS.items():
        reader = make(things(4))
        next(reader)
        for arguments in ((), (1,), (things(3),), (None, None)):
            try:
                reader.__init__(*arguments)
            except TypeError:
                pass
        if name in PLAIN:
            assert values(reader) == [1, 2, 3], name


def N3_subclasses_that_do_not_call_super():
    for base in (pygenx.chain, pygenx.groupby):

        class NoInit(base):
            def __init__(self, *args, **kwargs):
                pass

        class NoNew(base):
            def __new__(cls, *args):
                return object.__new__(cls)

        assert len(list(NoInit(things(3)))) == 3
        try:
            made = NoNew(things(3))
        except TypeError:
            continue
        exercise(made)
        del made
    for final in (pipe, Pipeline, pygenx.own, pygenx.fold, type(pygenx.tee(())[0])):
        raises(TypeError, type, "Sub", (final,), {})


BUILDS_ANYTHING = {"ReentrancyError", "this"}  # a call of this is an expression
NEEDS_NOTHING = {
    *("all_of", "any_of", "none_of"),
    *("Pipeline", "broadcast", "chain", "grouping", "merge", "read_lines"),
    *("roundrobin", "timing", "zip"),
}
TAKES_MANY = {
    *("all_of", "any_of", "broadcast", "chain", "merge", "none_of", "read_lines"),
    *("roundrobin", "tee", "zip"),
}


def N4_wrong_arguments():
    for name in pygenx.__all__:
        function = getattr(pygenx, name)
        if name[0] == "_" or not callable(function) or name in BUILDS_ANYTHING:
            continue
        raises(TypeError, function, no_such_keyword=1)
        raises(TypeError, lambda f=function: f(**{"no such": 1, "keyword": 2}))
        if isinstance(function, type):
            raises(TypeError, lambda f=function: f.__new__(f, **{1: 2}))
            raises(TypeError, lambda f=function: f.__new__(f, [], **{None: 2}))
        if name not in NEEDS_NOTHING:
            raises(TypeError, function)
        if name not in TAKES_MANY:
            raises(TypeError, function, 1, 2, 3, 4, 5, 6, 7)

    class Sub(pygenx.chain):
        def __init__(self, *args, keyword=None):
            self.keyword = keyword

    assert Sub([1], keyword=2).keyword == 2
    for stage in programs.STAGES.keys() - {"progress"}:  # which passes it on to tqdm
        raises((TypeError, ValueError), getattr(pipe(()), stage), no_such=1)
    for terminal in programs.TERMINALS:
        raises(TypeError, getattr(pipe(()), terminal), no_such=1)


def N5_not_iterable():
    for wrong in (2, None, Thing(1), object()):
        for make in (
            pygenx.chain.from_iterable,
            pygenx.tee,
            pipe,
            pygenx.own,
            pygenx.borrow,
            pygenx.groupby,
        ):
            raises(TypeError, make, wrong)
        raises(TypeError, pygenx.feed, wrong, print)
        chain = pygenx.chain(wrong, [1])
        raises(TypeError, next, chain)
        next(chain, None)


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def N6_counts():
    tee = pygenx.tee
    raises(ValueError, tee, [], -1)
    raises(ValueError, tee, [], -(2**80))
    raises((OverflowError, MemoryError), tee, [], 2**63)
    raises(OverflowError, tee, [], 2**80)
    raises(MemoryError, tee, [], sys.maxsize)
    raises(TypeError, tee, [], 1.0)
    raises(ArithmeticError, tee, [], Index(ArithmeticError()))
    raises(OverflowError, tee, [], Index(2**80))
    assert tee([], 0) == () and len(tee([], True)) == 1 and len(tee([], Index(3))) == 3
    for stage in ("take", "drop", "batched"):
        add = getattr(Pipeline(), stage)
        raises(ValueError, add, -1)
        raises(OverflowError, add, 2**80)
        raises(TypeError, add, 1.0)
        raises(TypeError, add, None)
        raises(ArithmeticError, add, Index(ArithmeticError()))
        assert (
            len(add(Index(2))(things(5)).list())
            == {"take": 2, "drop": 3, "batched": 3}[stage]
        )
        add(sys.maxsize)(things(3)).list()


def N7_islice():
    for bad in ((-1,), (2**80,), (0, 1, 0), (1.5,), ("a",), (0, 5, -1), ()):
        raises((ValueError, TypeError), pipe(()).islice, *bad)
    for good in (
        (0,),
        (None,),
        (5, 2),
        (None, None, None),
        (1, None, 3),
        (sys.maxsize, None),
        (0, sys.maxsize, sys.maxsize),
    ):
        source, other = Source(7), Source(7)
        assert values(pipe(source).islice(*good)) == values(
            itertools.islice(other, *good)
        )
        assert source.i == other.i, good


def N8_batches_are_not_allocated_in_advance():
    assert [len(batch) for batch in pipe(things(3)).batched(2**62)] == [3]
    assert [len(batch) for batch in pipe(things(3)).batched(sys.maxsize)] == [3]
    raises(ValueError, pipe(()).batched, 0)


def N9_counters_at_the_limit():
    for start in (sys.maxsize - 1, 2**63 - 2, 2**64, -(2**63) - 1, -(2**80)):
        assert pipe("abc").enumerate(start).list() == list(enumerate("abc", start))
    for bounds in (
        (2**63 - 3, 2**63 + 5),
        (-(2**63) + 3, -(2**63) - 5, -1),
        (2**63 - 1, 2**70, 2**62),
        (2**80, 2**80 + 3),
        (-(2**63), 2**63 - 1, 2**62),
        (2**63 - 1, -(2**63), -(2**62)),
        (0, 2**63, 2**63 - 1),
        (5, -(2**63) - 2, -(2**63)),
    ):
        whole = list(range(*bounds))
        assert list(pygenx.chain(range(*bounds))) == whole, bounds
        assert pipe(range(*bounds)).list() == whole
        assert list(pygenx.tee(range(*bounds))[1]) == whole
    assert pipe([sys.maxsize, 1]).sum() == sys.maxsize + 1
    assert pipe([-sys.maxsize - 1, -1]).sum() == -sys.maxsize - 2


class Hinted(Source):
    hint = None

    def __length_hint__(self):
        if isinstance(self.hint, BaseException):
            raise self.hint
        return self.hint


def N10_length_hints_that_lie():
    for hint in (
        -1,
        2**80,
        "x",
        NotImplemented,
        TypeError(),
        ValueError(),
        sys.maxsize,
    ):
        for name, make in PLAIN.items():
            source = Hinted(3)
            source.hint = hint
            assert len(list(make(source))) == 3, (name, hint)
    big = range(sys.maxsize)
    assert operator.length_hint(pygenx.chain(big, big), -1) == -1
    assert operator.length_hint(pipe(big).chain(big), -1) == -1


def N11_length_hint_at_any_time():
    for name, make in MAKERS.items():

        def hint(reader):
            return getattr(reader, "__length_hint__", lambda: NotImplemented)()

        source = Trap(4, 2, hint)
        source.at = 3
        reader = make(source)
        source.reader = reader
        for _ in range(8):
            known = hint(reader)
            assert known is NotImplemented or known >= 0, name
            try:
                next(reader)
            except (StopIteration, ArithmeticError):
                pass
        assert operator.length_hint(reader, 0) == 0, name
        assert not isinstance(source.outcome, Exception), (name, source.outcome)


def N12_buffers_that_are_resized():
    import array

    for name, make in IN_STEP.items():
        if name in OF_THINGS:
            continue
        for source in (bytearray(b"abc"), array.array("i", [1, 2, 3])):
            reader = make(source)
            next(reader)
            source.extend(source)
            del source[2:]
            assert len(list(reader)) == 1, name
        assert len(list(make(memoryview(b"abc")))) == 3
        texts = 1 if name == "always_iterable" else 3
        assert len(list(make("a\u1234\U00012345"))) == texts


def N12_buffers_that_are_resized_while_read():
    import array

    for make in (bytearray, lambda items: array.array("b", items)):
        exporter = make(range(100))
        reader = pygenx.buffer(exporter)
        for size in (50, 5000, 0, 70, 200):
            next(reader, None)
            exporter[:] = make(bytes(size))
        assert len(list(reader)) <= 200
        exporter = make(range(100))
        shrink = pygenx.buffer(exporter).tap(lambda item, buffer=exporter: buffer.pop())
        assert 50 <= shrink.count() <= 100
    view = memoryview(bytes(200))
    reader = pygenx.buffer(view)
    next(reader)
    view.release()
    raises(ValueError, values, reader)


def N13_copy_and_pickle():
    for name, make in MAKERS.items():
        reader = make(things(3))
        next(reader)
        for attempt in (copy.copy, copy.deepcopy):
            raises(TypeError, attempt, reader)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            raises((TypeError, pickle.PicklingError), pickle.dumps, reader, protocol)

    class Sub(pygenx.chain):
        pass

    raises(TypeError, copy.copy, Sub([1]))
    rows = Pipeline.__dict__["_from_rows"].__get__(None, Pipeline)
    for wrong in (
        1,
        (1,),
        ((),),
        (("no such",),),
        (("map",),),
        (("map", 1),),
        (("map", str, 1),),
        [("map", str)],
        (("take", -1),),
        (("take", "a"),),
        (("batched", 1, 2, 3),),
        (("chain", 1),),
        (("chain", [1]),),
        (("prepend", (iter(()),)),),
        (("islice", None, None, 0),),
        (("tap", 1, 2, 3, 4),),
        ((1, 2),),
        (("islice", 1, -1, 1),),
        (("enumerate", "a"),),
        ((b"map", str),),
    ):
        raises((ValueError, TypeError), rows, wrong)


def N14_module_imported_twice():
    import importlib

    names = [name for name in sys.modules if name.split(".")[0] == "pygenx"]
    kept = {name: sys.modules.pop(name) for name in names}
    again = importlib.import_module("pygenx")
    assert (
        again.chain is not pygenx.chain and again.ReentrancyError is not ReentrancyError
    )
    assert (
        list(again.chain(pygenx.chain(things(1)), again.tee(pygenx.tee([2])[0])[0]))[1]
        == 2
    )
    raises(TypeError, lambda: pipe(()) | again.Pipeline())
    raises(TypeError, lambda: Pipeline() | again.Pipeline())
    assert again.pipe(pipe(things(2)).map(value_of)).map(str).list() == ["0", "1"]
    importlib.reload(again)
    del again
    for name in list(sys.modules):
        if name.split(".")[0] == "pygenx":
            del sys.modules[name]
    gc.collect()
    sys.modules.update(kept)
    assert list(pygenx.chain([1])) == [1]


def imported_again(module):
    """A module imported again with all of pygenx, and held by nobody else."""
    import importlib

    ours = ("pygenx", "programs")
    kept = {name: sys.modules.pop(name) for name in [*sys.modules] if of(name, ours)}
    try:
        return importlib.import_module(module)
    finally:
        for name in [*sys.modules]:
            if of(name, ours):
                del sys.modules[name]
        sys.modules.update(kept)


def of(name, packages):
    return name.split(".")[0] in packages


def N14_imported_300_times():
    """There are 255 places in code objects, for all extensions."""
    double = programs.fresh(lambda x: x * 2)
    blocks = []
    for i in range(270):
        again = imported_again("pygenx")
        assert again.pipe(range(500)).map(double).sum() == 249_500
        assert again.lifting.stats()["items_lifted"] == 500, i
        del again
        if i % 45 == 44:
            assert pipe(range(500)).map(double).sum() == 249_500
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert min(map(operator.sub, blocks[1:], blocks)) < 2000, blocks


def increased(x):
    return x + 1


def N14_objects_that_outlive_their_module():
    """All of it is garbage at once; a callback in the middle uses what is left."""
    if sys.version_info < (3, 12) and hasattr(sys, "gettotalrefcount"):
        return  # a debug 3.11 cannot call any function that has been cleared: it
        # looks for __lltrace__ in its globals, which are NULL

    def garbage():
        again = imported_again("programs")
        kept = []
        for make in again.iterator_makers().values():
            kept += [made := make(again.things(3)), make(again.things(3))]
            next(made, None)
        again = again.pygenx
        for items in (again.pipe(range(9999)), again.pipe(x for x in [1] * 9999)):
            lifted = items.map(increased).filter(None)
            for _ in range(400):
                next(lifted)
            kept.append(lifted)
        target.update(map(id, kept))
        again.kept = kept = [*kept, again]  # cleared after what is in it
        function = eval("lambda: 0")
        function.kept = kept
        kept.append(function)
        return weakref.ref(again), weakref.ref(function.__code__, callback)

    def callback(_):
        for found in gc.get_objects():
            if id(found) in target:
                try:
                    exercise(found)
                except ReferenceError:  # of generators that were cleared
                    pass
                exercised.append(type(found).__name__)

    target, exercised = set(), []
    gc.disable()
    weak, function = garbage()
    gc.collect()
    gc.enable()
    assert weak() is None and function() is None
    assert len(exercised) > 50, exercised
