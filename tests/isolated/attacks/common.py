# ruff: noqa: SIM105 (attacks are short and rude)
"""What several families of attacks are made of."""

import gc
import operator
import sys
import threading

import programs
from programs import Source, things, value_of

import pygenx
from pygenx import ReentrancyError, lifting, pipe, this

# Those that give nothing as long as equal items come.
WAITING = {".groupby", ".tail"} | {
    f".split_{how}" for how in ("at", "before", "after", "when")
}


def known(item):
    return item is not None


def filtered_natively(source):
    return pipe(source).filter(lifting.native(known))


def mapped_natively(source):
    return pipe(source).map(lifting.native(lambda item: item))


def filtered_by_this(source):
    return pipe(source).filter(this != -99)


def expression(source):
    return pipe(item for item in source if item is not None)


def expressions(source):
    return pipe(item for item in (each for each in source if each != -99))


# Functions that are run natively, and readers made by functions.
MADE = {
    ".filter native": filtered_natively,
    ".filter this": filtered_by_this,
    ".map native": mapped_natively,
    "expression": expression,
    "expression nested": expressions,
    "always_iterable": pygenx.always_iterable,
    "spy": lambda source: pygenx.spy(source, 1)[1],
}
MAKERS = {**programs.iterator_makers(), **MADE}
# Their source is behind a map().
WRAPPED = {"." + name for name in programs.BEFORE}
# They read all there is before their first item.
EAGER = {".tail"}
# What gives other items than the source, or not one for each of its own.
CHANGING = {
    *("groupby", "merge pair", "peekable peeked", "zip", "zip strictly"),
    *(".accumulate", ".batched", ".chain", ".chunked", ".collapse", ".drop"),
    *(".enumerate", ".flat_map", ".flatten", ".groupby", ".intersperse", ".islice"),
    *(".locate", ".pairwise", ".pluck", ".prepend", ".sliding_window", ".split_after"),
    *(".split_at", ".split_before", ".split_when", ".tail", ".take", ".windowed"),
    ".zip",
}
# Their source is read by a generator of the tests' or of the user's.
GENERATING = {"timing", ".through", "expression", "expression nested"}
# What gives one item for each of the source's, in order.
PLAIN = {
    name: make
    for name, make in MAKERS.items()
    if name not in CHANGING | WRAPPED | {"timing"}
}
# Their key is the same for all that is no Thing.
OF_THINGS = {".unique_everseen", ".unique_justseen", "unique lately"}
# They look at items when they are made.
LOOKING = {"groupby group", "seekable back", "seekable peeked", "spy"}
# What takes an item of the source for each that it gives, not before and not after.
IN_STEP = {name: make for name, make in PLAIN.items() if name not in LOOKING | {".tap"}}
# What goes on after an error of the source.
RESUMING = {
    name: make
    for name, make in IN_STEP.items()
    if name not in {"own", "read_lines", "with_iter"} | GENERATING
}
REFUSALS = (
    ReentrancyError,
    ValueError,
    RuntimeError,
    RecursionError,
    TypeError,
    AttributeError,
)


def values(iterator):
    """All values, no item held longer than it takes."""
    result = []
    for item in iterator:
        result.append(value_of(item))
        del item
    return result


def raises(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as raised:
        return raised
    raise AssertionError(f"{error} was not raised")


def read_of(make, source):
    """All values; some makers read already."""
    return values(make(source))


class Trap(Source):
    """Runs `trap(reader)` inside its item number `when`."""

    def __init__(self, n, when, trap):
        super().__init__(n)
        self.when = when
        self.trap = trap
        self.reader = None
        self.outcome = None

    def __next__(self):
        if self.i == self.when and self.reader is not None:
            reader, self.reader = self.reader, None
            try:
                self.outcome = self.trap(reader)
            except REFUSALS as error:
                self.outcome = error
            del reader
        return super().__next__()


def trapped(make, n, when, trap):
    """(values, outcome of the trap)"""
    source = Trap(n, when, trap)
    reader = make(source)
    source.reader = reader
    got = values(reader)
    return got, source.outcome


class Blocking(Source):
    """Waits inside an item until it is let go."""

    def __init__(self, n, at):
        super().__init__(n)
        self.entered = threading.Event()
        self.release = threading.Event()
        self.wait_at = at

    def __next__(self):
        if self.i == self.wait_at:
            self.entered.set()
            assert self.release.wait(20)
        return super().__next__()


def all_types():
    found = {
        t for t in gc.get_objects() if isinstance(t, type) and t.__module__ == "pygenx"
    }
    return sorted(found, key=lambda t: t.__name__)


def exercise(found):
    """Everything that an object can be asked."""
    for call in (repr, next, iter, operator.length_hint, hash, bool, str, dir):
        try:
            call(found)
        except (*REFUSALS, StopIteration):
            pass
    for name in dir(type(found)):
        if name in ("__class__", "__init_subclass__", "__subclasshook__", "__new__"):
            continue
        try:
            attribute = getattr(found, name)
        except REFUSALS:
            continue
        for arguments in (
            (),
            (None,),
            (1,),
            (LookupError,),
            (None, None, None),
            (programs.same,),
        ):
            try:
                result = attribute(*arguments)
            except (
                *REFUSALS,
                StopIteration,
                LookupError,
                StopAsyncIteration,
                OverflowError,
            ):
                continue
            if hasattr(result, "close") and not isinstance(result, type):
                try:
                    result.close()
                except REFUSALS:
                    pass


# CPython 3.12 and later count C calls up to 10 000: more than that has to be refused.
DEEP = 20_000 if sys.version_info < (3, 12) else 60_000
# From 3.14 the stack itself is the limit: for what needs little of it.
VERY_DEEP = DEEP if sys.version_info < (3, 14) else 200_000


def nested(make, depth=DEEP):
    reader = iter(things(1))
    for _ in range(depth):
        reader = make(reader)
    return reader


def in_threads(work, n=8):
    barrier = threading.Barrier(n)
    errors = []

    def run():
        try:
            barrier.wait(20)
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    assert not any(thread.is_alive() for thread in threads)
