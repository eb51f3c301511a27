# ruff: noqa: SIM105 (contextlib.suppress would allocate)
"""References and memory: every type, stage, terminal and driver is used again and
again, along its good paths and its error paths.

A gauge reads the allocated blocks, the reference counts of the heap types and, on a
debug build, all references. Something leaks only if each of the repetitions after the
warm-up grew; what caches or free lists keep grows once. The rows come from
isolated/programs.py, which the first test compares with the package.
"""

import array
import gc
import sys
from pathlib import Path

import pytest

import pygenx

sys.path.insert(0, str(Path(__file__).parent / "isolated"))
import programs
from programs import Source

pytestmark = pytest.mark.c

WARM_UP = 2
REPETITIONS = 5
RUNS = 15  # in one repetition


@pytest.fixture(scope="module", autouse=True)
def small_heap():
    """What pytest holds is not looked at by each collection."""
    programs.write_path()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    programs.remove_path()


def heap_types():
    gc.unfreeze()
    found = [
        found
        for found in gc.get_objects()
        if isinstance(found, type)
        and getattr(found, "__module__", None) == "pygenx"
        and found is not programs.Thing
    ]
    gc.freeze()
    return found


class Gauge:
    """Readings in an array made before: reading allocates nothing that stays."""

    def __init__(self):
        self.types = heap_types()
        self.readings = array.array("q", [0] * (len(self.types) + 2))
        self.total = getattr(sys, "gettotalrefcount", programs.nothing)

    def names(self):
        return [*(found.__name__ for found in self.types), "blocks", "references"]

    def read(self):
        gc.collect()
        for i, found in enumerate(self.types):
            self.readings[i] = sys.getrefcount(found)
        self.readings[-2] = sys.getallocatedblocks()
        self.readings[-1] = self.total() or 0
        return self.readings[:]

    def leaks(self, use):
        """What has grown in every repetition, by name."""
        growth = None
        before = self.read()
        for repetition in range(WARM_UP + REPETITIONS):
            for _ in range(RUNS):
                use()
            after = self.read()
            grown = [b - a for a, b in zip(before, after, strict=True)]
            if repetition >= WARM_UP:
                growth = grown if growth is None else list(map(min, growth, grown))
            before = after
        return {
            name: least
            for name, least in zip(self.names(), growth, strict=True)
            if least > 0
        }


@pytest.fixture(scope="module")
def gauge():
    return Gauge()


# -- ways to use an iterator ---------------------------------------------------

ERRORS = (ArithmeticError, LookupError, TypeError, AttributeError, StopIteration)


def take_all(iterator):
    for _ in range(40):  # an error does not end it
        try:
            for _ in iterator:
                pass
        except ERRORS:
            continue
        return


def drained(make):
    take_all(make(Source()))


def drained_list(make):
    take_all(make(programs.things(5)))


def drained_generator(make):
    take_all(make(programs.generator()))


def empty(make):
    take_all(make(()))


def failing_at(n):
    def failing(make):
        take_all(make(Source(5, at=n)))

    failing.__name__ = f"source fails at {n}"
    return failing


def failing_with(error):
    def failing(make):
        try:
            take_all(make(Source(5, at=1, error=error)))
        except error:
            pass

    failing.__name__ = f"source raises {error.__name__}"
    return failing


def take_one(iterator):
    try:
        return next(iterator)
    except ERRORS:
        return None


def half_way(make):
    take_one(make(Source()))


def never(make):
    make(Source())


def closed(make):
    iterator = make(Source())
    take_one(iterator)
    iterator.close()
    take_one(iterator)


def closed_unstarted(make):
    make(programs.generator()).close()


def sent(make):
    iterator = make(programs.generator())
    try:
        next(iterator)
        iterator.send(programs.Thing(1))
    except ERRORS:
        pass


def sent_first(make):
    try:
        make(programs.generator()).send(programs.Thing(1))
    except ERRORS:
        pass


def thrown(error, start=True):
    def throw(make):
        iterator = make(programs.generator())
        try:
            if start:
                next(iterator)
            iterator.throw(error)
            next(iterator)
        except (*ERRORS, KeyboardInterrupt, GeneratorExit):
            pass

    throw.__name__ = f"{error.__name__} thrown {'' if start else 'before the start'}"
    return throw


def thrown_at_source(make):
    iterator = make(Source())
    try:
        next(iterator)
        iterator.throw(LookupError("text"))
    except ERRORS:
        pass


def in_with(make):
    iterator = make(Source())
    if hasattr(iterator, "__enter__"):
        with iterator:
            take_one(iterator)


def described(make):
    iterator = make(programs.things(3))
    repr(iterator)
    getattr(iterator, "__length_hint__", programs.nothing)()
    getattr(iterator, "result", None)
    try:
        iterator.__reduce_ex__(4)
    except ERRORS:
        pass


class Holder(Source):
    """Holds what reads it."""


def cycle(make):
    source = Holder()
    source.reader = make(source)
    take_one(source.reader)


def reentered(make):
    source = Reentering()
    source.reader = make(source)
    take_all(source.reader)


class Reentering(Source):
    reader = None

    def __next__(self):
        if self.reader is not None:
            try:
                next(self.reader)
            except (*ERRORS, ValueError, RuntimeError):
                pass
        return super().__next__()


WAYS = [
    drained,
    drained_list,
    drained_generator,
    empty,
    *map(failing_at, (0, 1, 4)),
    *map(
        failing_with,
        (KeyboardInterrupt, MemoryError, GeneratorExit, StopAsyncIteration),
    ),
    half_way,
    never,
    closed,
    closed_unstarted,
    sent,
    sent_first,
    *map(thrown, (LookupError, ArithmeticError, KeyboardInterrupt, GeneratorExit)),
    thrown(ArithmeticError, start=False),
    thrown_at_source,
    in_with,
    described,
    cycle,
    reentered,
]


# -- the tests -----------------------------------------------------------------


def test_every_row_is_there():
    assert programs.missing() == []


def test_the_gauge_knows_all_types(gauge):
    assert {"chain", "tee_branch", "tee_buffer", "groupby_group", "pipe"} <= set(
        gauge.names()
    )


kept = []


def test_planted_leaks_are_found(gauge):
    def plain():
        kept.append([1])

    def on_an_error_path():
        try:
            list(pygenx.chain(Source(at=1)))
        except ArithmeticError as error:
            kept.append(str(error) * 2)

    def of_a_type():
        kept.append(pygenx.fold(max, 0))

    def cached():
        kept[:] = [[1]] * 3

    assert "blocks" in gauge.leaks(plain)
    assert "blocks" in gauge.leaks(on_an_error_path)
    assert "fold" in gauge.leaks(of_a_type)
    assert gauge.leaks(cached) == {}
    kept.clear()


class Use:
    def __init__(self, way, argument):
        self.way = way
        self.argument = argument

    def __call__(self):
        try:
            self.way(self.argument)
        except (ArithmeticError, StopIteration):  # groups are not even made then
            pass


def leaking(gauge, uses):
    return {name: found for name, use in uses if (found := gauge.leaks(use))}


MAKERS = programs.iterator_makers()


@pytest.mark.parametrize("name", MAKERS)
def test_iterators(gauge, name):
    uses = [(way.__name__, Use(way, MAKERS[name])) for way in WAYS]
    assert leaking(gauge, uses) == {}


class Failing:
    """A stage whose callback raises."""

    def __init__(self, name):
        self.name = name

    def __call__(self, source):
        return programs.staged(self.name, source, programs.FAILING[self.name])


def test_failing_callbacks(gauge, monkeypatch):
    # A callback that runs as what is dropped goes: pytest would keep its error.
    unraisable = [0]
    monkeypatch.setattr(sys, "unraisablehook", lambda _: unraisable.__setitem__(0, 1))
    uses = [
        (f"{name} {way.__name__}", Use(way, Failing(name)))
        for name in programs.FAILING
        for way in (drained, half_way, closed, thrown_at_source)
    ]
    assert leaking(gauge, uses) == {}
    assert unraisable == [1]


def test_failing_keys(gauge):
    def grouped(source):
        return pygenx.groupby(source, programs.bad)

    def folded():
        fold = pygenx.fold(programs.bad, 0)
        for _ in range(3):
            with pytest.raises(ArithmeticError):
                fold.send(programs.Thing(1))

    def grouping():
        group = pygenx.grouping(programs.bad)
        for _ in range(3):
            with pytest.raises(ArithmeticError):
                group.send(programs.Thing(1))

    def sink():
        group = pygenx.grouping(programs.value_of, sink=programs.bad)
        for i in range(3):
            try:
                group.send(programs.Thing(i))
            except ArithmeticError:
                pass

    uses = [
        ("groupby", Use(drained, grouped)),
        ("fold", folded),
        ("grouping", grouping),
        ("grouping's sink", sink),
    ]
    assert leaking(gauge, uses) == {}


def terminated(name, *arguments, source=Source):
    before = programs.BEFORE_TERMINAL.get(name)
    try:
        pipe = pygenx.pipe(programs.prepared(source(), before))
        getattr(pipe, name)(*arguments or programs.TERMINALS[name])
    except (*ERRORS, ValueError, RuntimeError):
        pass


def terminal_uses(name):
    yield "good", lambda: terminated(name)
    yield "list", lambda: terminated(name, source=lambda: programs.things(5))
    yield "empty", lambda: terminated(name, source=list)
    yield "no things", lambda: terminated(name, source=lambda: [object(), [], object()])
    yield "callback fails", lambda: terminated(name, programs.bad)
    yield "wrong arguments", lambda: terminated(name, 1, 2, 3, 4, 5)
    for at in (0, 1, 4):
        yield (
            f"source fails at {at}",
            lambda at=at: terminated(name, source=lambda: Source(at=at)),
        )


@pytest.mark.parametrize("name", programs.TERMINALS)
def test_terminals(gauge, name):
    assert leaking(gauge, terminal_uses(name)) == {}


def test_extremes_with_keys(gauge):
    def fails(name, **options):
        try:
            getattr(pygenx.pipe(programs.things(3)), name)(**options)
        except (ArithmeticError, TypeError):
            pass

    uses = [
        (f"{name} {key.__name__}", lambda name=name, key=key: fails(name, key=key))
        for name in ("min", "max")
        for key in (programs.bad, programs.value_of, programs.same, object)
    ]
    assert leaking(gauge, uses) == {}


def test_drivers(gauge):
    drivers = dict(programs.DRIVERS)
    del drivers["read_lines default"]  # plain open() keeps a block now and then
    assert leaking(gauge, drivers.items()) == {}


def test_wrong_calls(gauge):
    """Constructors that refuse."""

    def wrong(name, arguments, options):
        try:
            getattr(pygenx, name)(*arguments, **options)
        except (TypeError, ValueError, OverflowError, ArithmeticError):
            pass

    calls = [
        ((), {}),
        ((1,), {}),
        ((1, 2, 3, 4, 5, 6), {}),
        (([1],), {"wrong": programs.Thing(1)}),
        (([1], -1), {}),
        (([1], 2**70), {}),
        ((programs.bad, programs.bad), {}),
    ]
    uses = [
        (
            f"{name}{arguments}{options}",
            lambda call=(name, arguments, options): wrong(*call),
        )
        for name in pygenx.__all__
        if name[0] != "_"
        for arguments, options in calls
    ]
    assert leaking(gauge, uses) == {}


def test_subclasses(gauge):
    """D2: a type made, used, put into a cycle with its instance and dropped."""

    def use(base):
        class Sub(base):
            pass

        Sub.instance = Sub([programs.Thing(1)])
        next(Sub.instance)

    uses = [(base.__name__, Use(use, base)) for base in (pygenx.chain, pygenx.groupby)]
    assert leaking(gauge, uses) == {}
