# ruff: noqa: B023, E501, SIM105 (attacks are short and rude)
"""Threads, signals and interpreters."""

import collections
import gc
import inspect
import itertools
import operator
import os
import signal
import sys
import threading
import time

import programs
from ctrl_c import interrupted
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import (
    MAKERS,
    PLAIN,
    REFUSALS,
    RESUMING,
    WRAPPED,
    Blocking,
    in_threads,
    raises,
    values,
)
from pygenx import ReentrancyError, lifting, pipe


def H1_eight_threads_on_one_object():
    sys.setswitchinterval(1e-6)
    for name, make in MAKERS.items():
        if name in ("timing", *WRAPPED):
            continue
        got = []

        def work(got=got):
            while True:
                try:
                    got.append(next(reader))
                except StopIteration:
                    return
                except REFUSALS:
                    pass

        reader = make(Source(150))
        in_threads(work, 8)
        if name in PLAIN:
            assert sorted(map(value_of, got)) == list(range(150)), name
    fold = pygenx.fold(lambda old, new: old + new, 0)
    accepted = []

    def send():
        for _ in range(200):
            try:
                fold.send(1)
            except ReentrancyError:
                continue
            accepted.append(1)

    in_threads(send, 8)
    assert fold.value == len(accepted)
    sys.setswitchinterval(0.005)


def H2_one_branch_to_each_thread():
    sys.setswitchinterval(1e-6)
    for lock in (False, True):
        branches = list(pygenx.tee(Source(400), 8, lock=lock))
        results = []

        def work():
            branch = branches.pop()
            got = []
            while True:
                try:
                    got.append(next(branch).value)
                except StopIteration:
                    break
                except ReentrancyError:
                    assert not lock
            results.append(got)

        in_threads(work, 8)
        assert results == [list(range(400))] * 8, lock
    sys.setswitchinterval(0.005)


def H3_dropped_while_another_thread_blocks():
    for name in ("tee two", "tee locked", "chain", "pipe", ".batched", "groupby"):
        source = Blocking(4, 1)
        readers = [MAKERS[name](source)]
        worker = threading.Thread(target=lambda readers=readers: values(readers.pop()))
        worker.start()
        assert source.entered.wait(20)
        programs.other_branch = None
        gc.collect()
        source.release.set()
        worker.join(20)
        assert not worker.is_alive()


def H3_a_drain_ends_while_another_thread_is_inside():
    inside, go = threading.Event(), threading.Event()

    def following(item):
        inside.set()
        go.wait(20)
        return Thing(item.value + 1)

    def target(item):
        worker.start()
        assert inside.wait(20)

    got = []
    reader = pipe(pygenx.iterate(following, Thing(1)))
    worker = threading.Thread(target=lambda: got.append(next(reader)))
    raises(ReentrancyError, reader.into, target)
    go.set()
    worker.join(20)
    assert got[0].value == 2
    assert next(reader).value == 3
    reader.close()
    assert next(reader, None) is None


ENDLESS = {
    "chain of empty": lambda: next(pygenx.chain.from_iterable(itertools.repeat(()))),
    "filter that rejects all": lambda: next(
        pipe(itertools.count()).filter(operator.not_).drop(9)
    ),
    "drain": lambda: pipe(itertools.count()).count(),
    "flatten of empty": lambda: next(pipe(itertools.repeat(())).flatten()),
    "groupby": lambda: [0 for _ in pygenx.groupby(itertools.repeat(1))],
    "feed": lambda: pygenx.feed(itertools.repeat(1), pygenx.fold(max, 0)),
    "endless prepend": lambda: next(pipe(()).chain(itertools.repeat(())).flatten()),
    "deque": lambda: collections.deque(pipe(itertools.count()).filter(None), 0),
    "last": lambda: pipe(itertools.count()).last(),
}


def H5_ctrl_c_in_loops_that_stay_in_c():
    """itertools.chain hangs for ever."""
    for name, loop in ENDLESS.items():
        assert interrupted(loop, 0.05) < 20, name  # on a slow machine, too


def H6_signal_handler_that_reenters():
    box = [iter(())]
    outcomes = []

    def handler(number, frame):
        try:
            outcomes.append(next(box[0], None))
        except (ReentrancyError, ValueError) as error:
            outcomes.append(error)

    old = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for make in (
            lambda s: pipe(s).map(programs.same),
            pygenx.chain,
            lambda s: pygenx.tee(s)[0],
        ):
            box = [make(itertools.islice(map(Thing, itertools.count()), 30000))]
            collections.deque(box[0], 0)
        box = [pipe(range(200_000)).filter(None)]
        try:
            assert box[0].count() <= 199_999
        except ReentrancyError:
            pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert outcomes


def H7_signals_that_raise_all_the_time():
    class Tick(Exception):
        pass

    def handler(number, frame):
        raise Tick

    def busy():
        for make in (
            lambda s: pipe(s).map(value_of).filter(None),
            pygenx.chain,
            lambda s: pygenx.tee(s)[0],
        ):
            reader = make(things(50))
            for _ in range(60):
                next(reader, None)
        pipe(things(200)).map(value_of).batched(3).flatten().list()

    old = signal.signal(signal.SIGALRM, handler)
    growth = []
    try:
        for _ in range(6):
            blocks = sys.getallocatedblocks()
            end = time.monotonic() + 0.12
            while time.monotonic() < end:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.0007)
                    for _ in range(100):
                        busy()
                except Tick:
                    pass
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except Tick:
                    pass
            gc.collect()
            growth.append(sys.getallocatedblocks() - blocks)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert min(growth[2:]) <= 2, growth


def H8_subinterpreters():
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        import _interpreters as interpreters
    run = getattr(interpreters, "run_string", None) or interpreters.exec
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "import pygenx, builtins\n"
        "builtins.kept = [pygenx.chain([1, 2]), *pygenx.tee([1]), pygenx.pipe([1]).map(str), pygenx.fold(max, 0)]\n"
        "assert list(pygenx.chain([1], [2])) == [1, 2]\n"
        "next(kept[0]); kept.append(kept)\n"
    )
    for _ in range(10):
        interpreter = interpreters.create()
        run(interpreter, code)
        interpreters.destroy(interpreter)
    assert list(pygenx.chain([1], [2])) == [1, 2]


def H9_fork_and_exit_in_mid_iteration():
    for name, make in PLAIN.items():
        reader = make(things(4))
        next(reader)
        child = os.fork()
        if child == 0:
            os._exit(0 if values(reader) == [1, 2, 3] else 1)
        assert os.waitpid(child, 0)[1] == 0, name
        assert values(reader) == [1, 2, 3]


def H11_recursion_limit():
    for name, make in MAKERS.items():
        if name in ("timing", *WRAPPED):
            continue

        class Deep(Source):
            def __next__(self):
                if self.i == 1:
                    self.i += 1
                    return self.__next__.__self__.recurse()
                return super().__next__()

            def recurse(self):
                return self.recurse()

        reader = None
        try:
            reader = make(Deep())
            values(reader)
        except RecursionError:
            if reader is None:  # it reads when it is made
                continue
        else:
            raise AssertionError(name)
        if name != "own":
            next(reader, None)  # what it gives is the source's affair
        del reader
    depth = len(inspect.stack()) + 60
    limit = sys.getrecursionlimit()
    for make in (
        *MAKERS.values(),
        *(lambda s, use=use: iter([use()]) for use in programs.DRIVERS.values()),
    ):
        try:
            sys.setrecursionlimit(depth)
            values(make(things(3)))
        except (RecursionError, TypeError):
            pass
        finally:
            sys.setrecursionlimit(limit)


def H11_functions_without_frames_that_recurse():
    """CPython 3.12 and 3.13 have one limit for frames and another, higher one, for C."""
    names = {"pipe": pipe}
    for text in (
        "lambda x: again(x)",
        "lambda x: sorted([x, x], key=again)",
        "lambda x: list(map(again, [x]))",
        "lambda x: pipe([x]).map(again).list()",
    ):
        native = lifting.native(eval(text, names))
        expression = pygenx.func(pygenx.call(native, pygenx.this))
        for names["again"] in (native, expression):
            raises(RecursionError, native, 1)
            raises(RecursionError, expression, 1)


def H11_small_recursion_limits_at_every_entry():
    """The right items, or RecursionError and an object that can be used."""
    here = len(inspect.stack())
    limit = sys.getrecursionlimit()
    entries = dict(programs.DRIVERS)
    for name in programs.TERMINALS:
        entries[name] = lambda name=name: programs.drained(name, Source(3))
    for name, make in MAKERS.items():
        if name != "timing":
            entries["read " + name] = lambda make=make: values(make(things(3)))
    refused = 0
    for name, entry in entries.items():
        expected = shape(entry())
        for more in (*range(1, 20), 60):
            try:
                sys.setrecursionlimit(here + more)
                found = entry()
            except RecursionError:
                refused += 1
                continue
            finally:
                sys.setrecursionlimit(limit)
            assert shape(found) == expected, (name, more)
        assert shape(entry()) == expected, name
    assert refused > len(entries)


def shape(result):
    return repr(result).partition(" at 0x")[0]


def H11_source_that_reads_ever_deeper():
    class Deeper(Source):
        def __next__(self):
            if self.i == 1:
                self.i = 2
                return next(make(DeeperAtOnce()))
            return super().__next__()

    class DeeperAtOnce(Source):
        def __next__(self):
            return next(make(DeeperAtOnce()))

    for name, make in RESUMING.items():
        reader = make(Deeper())
        assert value_of(next(reader)) == 0
        raises(RecursionError, next, reader)
        assert values(reader) == [2, 3, 4], name


def H12_guard_is_cleared_on_every_path():
    for error in (
        ArithmeticError,
        KeyboardInterrupt,
        MemoryError,
        SystemExit,
        GeneratorExit,
    ):
        for name, make in RESUMING.items():
            reader = make(Source(5, at=2, error=error))
            next(reader), next(reader)
            raises(error, next, reader)
            assert values(reader) == [3, 4], (name, error)

        def key(item, error=error):
            if item == 2:
                raise error
            return item

        for made in (pygenx.fold(lambda old, new: key(new), 0), pygenx.grouping(key)):
            made.send(1)
            raises(error, made.send, 2)
            made.send(3)
            made.close()


def H13_guard_is_set_before_the_first_call_out():
    class Input:
        def __iter__(self):
            outcomes.append(raises(ReentrancyError, next, box[0]))
            return iter(things(1))

    outcomes = []
    box = [pygenx.chain(Input(), Input())]
    assert values(box[0]) == [0, 0]
    box = [pipe([Input(), Input()]).flatten()]
    assert values(box[0]) == [0, 0]
    box = [pipe(()).chain(Input(), lambda: Input()).prepend(Input())]
    assert values(box[0]) == [0, 0, 0]
    assert len(outcomes) == 7

    class Getter(Source):
        @property
        def close(self):
            outcomes.append(raises(ReentrancyError, next, box[0]))
            return lambda: None

        throw = send = property(lambda self: self.close and None)

    outcomes.clear()
    for name in ("chain", "own", "pipe", ".map"):
        box = [MAKERS[name](Getter())]
        next(box[0])
        raises((TypeError, AttributeError), box[0].throw, LookupError)
    assert outcomes
