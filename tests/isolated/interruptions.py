# ruff: noqa: B023 (children are short and rude)
"""Children of test_interpreters.py: signals and forks in the middle of everything.
`python -m interruptions NAME` runs the function of that name; it passes if the exit
status is 0 and nothing is written."""

import ctypes
import functools
import gc
import itertools
import multiprocessing
import operator
import os
import signal
import sys
import threading
import time
import warnings

import programs
from attacks.common import MAKERS, PLAIN, RESUMING, raises, values
from ctrl_c import interrupted
from programs import Source, Thing, things, value_of

import pygenx
from pygenx import Pipeline, pipe, this

TICK = 0.001


class Tick(Exception):
    pass


def ticking(action):
    """Run `action`, in which a tick is raised every millisecond, until one came out."""
    sys.unraisablehook = lambda lost: None  # a tick inside a finaliser
    interrupted(action, TICK, Tick, again=True)


def counted():
    """Endless, with Python code in each item."""
    return map(Thing, itertools.count())


def constant():
    """Endless, without any."""
    return itertools.repeat(Thing(1))


def level(growth):
    assert min(growth[1:]) <= 3, growth


def for_ever(action):
    while True:
        action()


def raising_in_terminals():
    for name in programs.TERMINALS:
        growth = []
        for _ in range(4):
            blocks = sys.getallocatedblocks()
            for endless in (counted, *(constant,) * 7):
                ticking(lambda: for_ever(lambda: programs.drained(name, endless())))
            gc.collect()
            growth.append(sys.getallocatedblocks() - blocks)
        level(growth)


def keyboard_interrupt_between_groups():
    """The source of map_reduce() has ended, and no function runs bytecode."""
    reduced = []
    interrupt = ctypes.pythonapi.PyErr_SetInterrupt
    items = [(0, interrupt), (0, 0)]  # a group is a function and its argument
    for key in range(1, 5000):
        items += (key, reduced.append), (key, 0)
    first, second = map(operator.itemgetter, (0, 1))
    try:
        pipe(items).map_reduce(
            first, second, functools.partial(functools.reduce, operator.call)
        )
    except KeyboardInterrupt:
        assert len(reduced) < 100, len(reduced)
    else:
        raise AssertionError("not interrupted")


def use_after(reader):
    """Not running, and closed if it is closed."""
    repr(reader)
    operator.length_hint(reader, 0)
    next(reader, None)
    if hasattr(reader, "close"):
        reader.close()
        assert next(reader, None) is None


def raising_in_iterators():
    for make in MAKERS.values():
        growth = []
        for _ in range(4):
            blocks = sys.getallocatedblocks()
            for endless in (counted, constant) * 2:
                kept = []

                def read():
                    kept[:] = [make(itertools.islice(endless(), 3000))]
                    for _ in kept[0]:
                        pass

                ticking(lambda: for_ever(read))
                while kept:
                    use_after(kept.pop())
            programs.other_branch = None
            gc.collect()
            growth.append(sys.getallocatedblocks() - blocks)
        level(growth)


def raising_loses_one_item():
    """A tick costs the item under way and no other one."""
    for name, make in RESUMING.items():
        got = []
        reader = make(counted())

        def read():
            for item in reader:
                got.append(value_of(item))

        for _ in range(6):
            ticking(read)
        assert got == sorted(set(got)), name
        assert got[-1] + 1 - len(got) <= 6, (name, got[-1], len(got))


class Alarming(Source):
    """Has the handler run inside an item now and then."""

    def __next__(self):
        if self.i % 10 == 5:
            signal.raise_signal(signal.SIGALRM)
        return super().__next__()


def reentering():
    """What the handler gets and what the loop gets are all items, each once."""

    def handler(number, frame):
        try:
            taken.append(value_of(next(reader, None)))
        except (pygenx.ReentrancyError, ValueError) as error:
            refused.append(error)

    reader = iter(())
    taken, refused = [], []
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, TICK / 2, TICK / 2)
    for name, make in PLAIN.items():
        reader = iter(())
        taken, refused = [], []
        first = make(Alarming(400))
        reader = first
        got = values(reader)
        reader = iter(())
        assert refused or name in ("spy", "read_lines"), name
        seen = sorted(value for value in got + taken if value is not None)
        assert seen == list(range(400)), (name, len(seen))
    signal.setitimer(signal.ITIMER_REAL, 0)


TABLE = list(range(100_000))


def with_b(x):
    return x + "b"


def endless_lanes():
    triple, odd = lambda x: x * 3 + 1, lambda x: x % 2 == 1
    yield triple, lambda: pipe(range(10**12)).map(triple).sum()
    yield triple, lambda: pipe(range(10**12)).map(triple).filter(odd).max()
    yield triple, lambda: pipe(range(10**12)).map(triple).filter(odd).count()
    yield triple, lambda: pipe(range(10**12)).map(triple).filter(this < 0).any()
    yield triple, lambda: for_ever(lambda: pipe(TABLE).map(triple).list())
    yield triple, lambda: for_ever(lambda: pipe(TABLE).map(triple).sum())
    yield triple, lambda: for_ever(lambda: pipe(TABLE).map(triple).array("q"))
    yield triple, lambda: pipe(itertools.count()).map(triple).filter(odd).last()
    yield triple, lambda: for_ever(lambda: pipe(x * 3 for x in TABLE if x % 7).sum())
    yield with_b, lambda: pipe(itertools.repeat("a")).map(with_b).count()


def keyboard_interrupt_in_lifted_code():
    for function, run in endless_lanes():
        for after in (0.001, 0.002, 0.005, 0.011):
            interrupted(run, after)
        items = ["a"] * 999 if function is with_b else range(999)
        assert pipe(items).map(function).list() == [function(x) for x in items]


# -- fork ------------------------------------------------------------------------


def waited(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def rest_of(reader):
    """What is left, as text that can be compared."""
    return [repr(item).split(" at 0x")[0] for item in reader]


def forked_iterators():
    """Child and parent go on with the same items, and with what nobody forked has."""
    for name, make in MAKERS.items():
        expected = make(things(6))
        next(expected)
        reader = make(things(6))
        next(reader)
        pid = os.fork()
        rest = rest_of(reader)
        right = rest == rest_of(expected)
        if pid == 0:
            reader = expected = None
            gc.collect()
            os._exit(0 if right else 9)
        assert (waited(pid), right) == (0, True), name


def forked_in_a_callback():
    """A drain goes on in both, or ends in the child where os._exit() ends it."""

    class Forking(Source):
        def __next__(self):
            if self.i == 0:
                self.pid = os.fork()
                if leave and self.pid == 0:
                    os._exit(7)
            return super().__next__()

    for name in programs.TERMINALS:
        for leave in (False, True):
            source = Forking(5)
            expected = repr(programs.drained(name, Source(5))).split(" at 0x")[0]
            result = repr(programs.drained(name, source)).split(" at 0x")[0]
            if source.pid == 0:
                os._exit(0 if result == expected else 9)
            assert result == expected, name
            assert waited(source.pid) == (7 if leave else 0), name
    for name, make in MAKERS.items():
        source = Forking(5)
        list(make(source))
        if source.pid == 0:
            os._exit(9)
        assert waited(source.pid) == 7, name


def taken(make, error, entered, release):
    """Fork while another thread is inside: what the child gets from its copy."""

    class Slow(Source):
        def __next__(self):
            entered.set()
            release.wait(30)
            return super().__next__()

    reader = make(Slow())
    thread = threading.Thread(target=next, args=(reader,))
    thread.start()
    assert entered.wait(30)
    pid = os.fork()
    if pid == 0:
        if error is KeyboardInterrupt:
            interrupted(lambda: next(reader), 0.02)
        else:
            raises(error, lambda: next(reader))
        os._exit(0)
    status = waited(pid)
    release.set()
    thread.join(30)
    rest = len(values(reader))
    return status, rest


def forked_beside_a_thread():
    """The copy stays taken; those that wait for their turn are ended by Ctrl-C."""
    warnings.simplefilter("ignore")  # 3.12 on: a fork beside threads
    for name, error in (
        ("pipe", pygenx.ReentrancyError),
        ("chain", pygenx.ReentrancyError),
        ("tee", pygenx.ReentrancyError),
        ("serialize", KeyboardInterrupt),
        ("tee locked", KeyboardInterrupt),
    ):
        found = taken(MAKERS[name], error, threading.Event(), threading.Event())
        assert found == (0, 4), (name, found)


def at_work(connection):
    program = connection.recv()
    connection.send((program(range(1000)), pygenx.lifting.stats()["items_lifted"]))


def start_methods():
    """A Reducer with a lambda that was lifted goes to other processes."""
    program = Pipeline().map(lambda x: x * 2 + 1).filter(lambda x: x % 3).sum()
    expected = program(range(1000))
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        here, there = context.Pipe()
        process = context.Process(target=at_work, args=(there,))
        process.start()
        here.send(program)
        assert here.poll(60), method
        result, lifted = here.recv()
        assert (result, lifted > 0) == (expected, True), method
        process.join(60)
        assert process.exitcode == 0, method


SIGNALS = (
    "keyboard_interrupt_between_groups",
    "keyboard_interrupt_in_lifted_code",
    "raising_in_iterators",
    "raising_in_terminals",
    "raising_loses_one_item",
    "reentering",
)
FORKS = (
    "forked_beside_a_thread",
    "forked_in_a_callback",
    "forked_iterators",
    "start_methods",
)

if __name__ == "__main__":
    begin = time.monotonic()
    globals()[sys.argv[1]]()
    if "-v" in sys.argv:
        print(round(time.monotonic() - begin, 2), "s")
