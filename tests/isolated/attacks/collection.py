# ruff: noqa: B007, B023, E501, SIM105 (attacks are short and rude)
"""Collection: cycles, deallocation, deep nests, finalisers, exit."""

import collections
import functools
import gc
import itertools
import operator
import os
import subprocess
import sys
import time
import warnings
import weakref

import programs
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import (
    DEEP,
    EAGER,
    MAKERS,
    PLAIN,
    REFUSALS,
    VERY_DEEP,
    WAITING,
    WRAPPED,
    all_types,
    exercise,
    in_threads,
    nested,
    raises,
    values,
)
from pygenx import Pipeline, ReentrancyError, pipe


def D1_cycles_through_every_reference():
    class Node:
        def __init__(self):
            self.other = None

        def __iter__(self):
            return self

        def __next__(self):
            return Thing(1)

        def __call__(self, *args):
            return Thing(args[0] if args else 1)

        def send(self, item):
            pass

    def through(make):
        node = Node()
        node.other = make(node)
        return weakref.ref(node)

    def started(made):
        next(made)
        return made

    def sent(made, item):
        made.send(item)
        return made

    def buffered(node):
        first, second = pygenx.tee(itertools.repeat(node))
        next(first)
        return first, second

    def exporter_of(node):
        class Exporter(bytearray):
            pass

        exporter = Exporter(b"ab")
        exporter.node = node
        return started(pygenx.buffer(exporter))

    made = {name: make for name, make in MAKERS.items() if name not in WRAPPED}
    for name, make in list(made.items()):  # over endless equal items
        if name in WAITING:
            continue
        made[name + " started"] = lambda node, make=make: started(make(node))
    made.update(
        {
            "fold func": lambda node: pygenx.fold(node, 0),
            "fold value": lambda node: pygenx.fold(max, node),
            "merge key": lambda node: pygenx.merge([1], [2], key=node),
            "grouping key": lambda node: pygenx.grouping(node),
            "grouping sink": lambda node: pygenx.grouping(sink=node),
            "grouping fold": lambda node: pygenx.grouping(len, fold=node),
            "grouping init": lambda node: pygenx.grouping(len, fold=max, init=node),
            "grouping item": lambda node: sent(pygenx.grouping(type), node),
            "grouping open key": lambda node: sent(
                pygenx.grouping(lambda item: item), node
            ),
            "groupby key": lambda node: pygenx.groupby([1], node),
            "groupby item": lambda node: started(pygenx.groupby([node])),
            "groupby group": lambda node: next(pygenx.groupby([1], node)),
            "tee buffer": buffered,
            "primed": lambda node: pygenx.primed(node),
            "timing": lambda node: pygenx.timing(report=node),
            "timing decorator": lambda node: pygenx.timing(report=node)(node),
            "Pipeline": lambda node: Pipeline().map(node).chain([node]),
            "pipe of Pipeline": lambda node: Pipeline().map(node)([1]),
            "stage function started": lambda node: started(pipe([1, 2]).map(node)),
            "native function started": lambda node: started(
                pipe([1, 2]).map(pygenx.lifting.native(lambda x: (x, node)))
            ),
            "expression started": lambda node: started(
                pipe((x, node) for x in [1, 2, 3])
            ),
            "this started": lambda node: started(
                pipe([1, 2]).map(pygenx.call(node, pygenx.this))
            ),
            "push": lambda node: sent(Pipeline().map(node).into(node), 1),
            "broadcast": lambda node: pygenx.broadcast(node),
            "route": lambda node: pygenx.route(node, {1: node}),
            "pipe input": lambda node: pipe([1]).chain(node),
            "iterate": lambda node: pygenx.iterate(node, 1),
            "iterate value": lambda node: started(pygenx.iterate(programs.same, node)),
            "opener": lambda node: pygenx.read_lines(opener=node),
            "iter_except": lambda node: pygenx.iter_except(node, KeyError),
            "iter_except first": lambda node: pygenx.iter_except(id, KeyError, node),
            "with_iter manager": lambda node: pygenx.with_iter(programs.Manager(node)),
            "buffer": exporter_of,
        }
    )
    for name, make in made.items():
        weak = through(make)
        programs.other_branch = None
        gc.collect()
        assert weak() is None, name

    def in_flight():
        node = Node()
        reader = pygenx.tee(Source(2, at=0), 2)
        error = raises(ArithmeticError, next, reader[0])
        node.other = (error, reader)
        error.node = node
        return weakref.ref(node)

    weak = in_flight()
    gc.collect()
    assert weak() is None


def D2_types_are_counted_and_visited():
    for base in (pygenx.chain, pygenx.groupby):

        class Sub(base):
            pass

        Sub.instance = Sub(things(2))
        next(Sub.instance)
        weak = weakref.ref(Sub)
        del Sub
        gc.collect()
        assert weak() is None
    for found in all_types():
        for make in (*MAKERS.values(), *programs.DRIVERS.values()):
            break
        before = sys.getrefcount(found)
        for make in MAKERS.values():
            for _ in range(20):
                next(make(things(3)))
        gc.collect()
        assert sys.getrefcount(found) - before < 20, found


def primed_stack():
    function = programs.generator
    for _ in range(VERY_DEEP):
        function = pygenx.primed(function)
    return function


def timed_stack():
    function = programs.generator
    decorate = pygenx.timing(report=None)
    for _ in range(VERY_DEEP):
        function = decorate(function)
    return function


DEEP_MAKERS = {
    "chain": pygenx.chain,
    "from_iterable": lambda s: pygenx.chain.from_iterable([s]),
    "tee": lambda s: pygenx.tee(iter(s))[0],
    "tee of map": lambda s: pygenx.tee(map(programs.same, s))[0],
    "groupby": pygenx.groupby,
    "groupby chain": lambda s: pygenx.chain(pygenx.groupby(s)),
    "own": pygenx.own,
    "borrow": pygenx.borrow,
    "pipe": pipe,
    "pipe held": lambda s: pipe(pygenx.borrow(s)).map(programs.same),
    "flatten": lambda s: pipe([s]).flatten(),
    "chain stage": lambda s: pipe(()).chain(s),
    "map": lambda s: pipe(s).map(programs.same),
    "read_lines": lambda s: pygenx.read_lines(programs.Readable(s)),
}


def D3_deep_nests_are_deallocated():
    """islice nested so segfaults on 3.11.7 and 3.13.0. With a small stack: see the tests."""
    for make in DEEP_MAKERS.values():
        reader = nested(make)
        del reader
        reader = nested(make)
        box = [reader]
        box.append(box)
        del reader, box
        gc.collect()
    group = things(1)
    for _ in range(DEEP):
        group = next(pygenx.groupby(iter([group]), value_of))[1]
    del group
    fold = 0
    for _ in range(DEEP):
        fold = pygenx.fold(max, fold)
    del fold
    for _ in range(3):
        primed_stack(), timed_stack()
    grouping = print
    for _ in range(DEEP):
        grouping = pygenx.grouping(sink=grouping)
    del grouping
    program = Pipeline()
    for _ in range(DEEP):
        program = program.map(program.__or__)
    del program
    report = print
    for _ in range(DEEP):
        report = pygenx.timing(report=report.__class__ and (lambda text, r=report: r))
    del report
    gc.collect()


def D4_next_of_a_deep_nest():
    """itertools.chain segfaults so on all versions."""
    for name, make in DEEP_MAKERS.items():
        reader = nested(make)
        try:
            item = next(reader)
            while type(item) is tuple:
                item = item[0]
        except RecursionError:
            pass
        try:
            operator.length_hint(reader)
        except RecursionError:
            pass
        repr(reader)
        try:
            reader.close()
        except RecursionError:
            pass
        except (ReentrancyError, ValueError) as error:
            raise AssertionError(name) from error
        del reader
    for function in (primed_stack(), timed_stack()):
        for call in (
            lambda f=function: next(iter(f())),
            lambda f=function: f.__code__,
            lambda f=function: f(1, 2, 3),
            lambda f=function: f.__wrapped__,
            lambda f=function: repr(f),
            lambda f=function: f.no_such,
        ):
            try:
                call()
            except (RecursionError, TypeError, AttributeError):
                pass
    grouping = print
    for _ in range(DEEP):
        grouping = pygenx.grouping(type, sink=grouping)
    for i in range(3):
        grouping.send(i)
    try:
        grouping.close()
    except (RecursionError, ReentrancyError):
        pass


def D5_empty_inputs_are_a_loop():
    assert list(pygenx.chain.from_iterable(() for _ in range(300_000))) == []
    assert pipe(() for _ in range(300_000)).flatten().list() == []
    assert pipe(()).chain(*[()] * 300_000).list() == []
    assert pipe(()).prepend(*[()] * 300_000).list() == []


class Counted:
    alive = 0

    def __init__(self, value):
        Counted.alive += 1

    def __del__(self):
        Counted.alive -= 1


def D6_tee_far_ahead_and_dropped():
    blocks = sys.getallocatedblocks()
    for keep_first in (True, False):
        first, second = pygenx.tee(iter(range(1_000_000)))
        collections.deque(first, 0)
        if keep_first:
            del second, first
        else:
            del first, second
    leader, lagging = pygenx.tee(map(Counted, range(20_000)))
    collections.deque(itertools.islice(leader, 19_000), 0)
    assert Counted.alive == 19_000
    del lagging
    assert Counted.alive < 100
    for n in (3, 10):
        branches = list(pygenx.tee(itertools.count(), n))
        for i, branch in enumerate(branches):
            collections.deque(itertools.islice(branch, i * 1000), 0)
        del branch
        while branches:
            branches.pop(len(branches) // 2)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 1000


def D7_tee_frees_what_all_have_passed():
    items = things(300)
    weak = [weakref.ref(item) for item in items]
    items.reverse()
    branches = pygenx.tee(items.pop() for _ in range(300))
    for i in range(200):
        for branch in branches:
            assert next(branch).value == i
    alive = [i for i in range(200) if weak[i]() is not None]
    assert alive == [], alive


def D8_alive_at_exit():
    code = """
import sys, builtins, copyreg, pygenx, collections
class Source:
    def __iter__(self): return self
    def __next__(self): return object()
    def close(self): print('closed')
    def __del__(self):
        try: next(pygenx.chain([1])), repr(builtins.kept)
        except Exception: pass
def generator():
    while True: yield object()
def make():
    yield pygenx.chain(Source()); yield pygenx.tee(Source()); yield pygenx.own(Source()); yield pygenx.borrow(Source())
    yield pygenx.groupby(Source()); yield next(pygenx.groupby(Source())); yield pygenx.pipe(Source()).map(id).tap(id, 3)
    yield pygenx.grouping(id); yield pygenx.fold(max, 0); yield pygenx.primed(generator)(); yield pygenx.primed(generator)
    yield pygenx.timing(generator)(); yield pygenx.timing(); yield pygenx.iterate(id, 1); yield pygenx.Pipeline().map(id)
    yield pygenx.read_lines(__file__ if '__file__' in globals() else '/dev/null')
builtins.kept = [x for x in make()]
for x in kept:
    for y in x if isinstance(x, tuple) else (x,):
        try: next(y)
        except Exception: pass
copyreg.kept = [x for x in make()]
sys.kept = [x for x in make()]
collections.OrderedDict.fromkeys.__self__
class Holder:
    kept = [x for x in make()]
    def __del__(self, kept=kept):
        for x in kept:
            for y in x if isinstance(x, tuple) else (x,):
                for call in (next, repr, list):
                    try: call(y) if call is not list else y.close()
                    except Exception: pass
Holder.cycle = builtins.holder = Holder()
"""
    for options in ([], ["-I"], ["-X", "dev"]):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        options = [] if options == ["-I"] else options
        child = subprocess.run(
            [sys.executable, *options, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert child.returncode == 0, child.stderr[-2000:]
        assert "Fatal" not in child.stderr


def D9_methods_after_clear():
    """A weakref callback that runs while the collector clears garbage finds an object
    that was cleared already and asks it everything. The object is found through
    gc.get_objects(): CPython gives no easier way."""

    def garbage(make):
        found = make()
        target.append(id(found))
        function = eval("lambda: 0")
        holder = [function]
        holder.append(holder)
        keeper = [found]
        keeper.append(keeper)
        return weakref.ref(function.__code__, callback)

    def callback(_):
        for found in gc.get_objects():
            if id(found) == target[-1]:
                exercise(found)
                exercised.append(found)
        exercised[:] = map(type, exercised)

    def inner(make, name):
        return lambda: next(
            x for x in gc.get_referents(make()) if name in type(x).__name__
        )

    def started(make):
        def run():
            made = make()
            next(made)
            return made

        return run

    def sent(make):
        def run():
            made = make()
            made.send(Thing(1))
            return made

        return run

    makers = [
        functools.partial(make, things(3))
        for name, make in MAKERS.items()
        if name != "timing"
    ]
    makers += [started(make) for make in makers]
    makers += [
        lambda: pygenx.fold(max, 0),
        lambda: pygenx.grouping(len),
        lambda: pygenx.grouping(len, sink=print),
        lambda: pygenx.timing(),
        lambda: pygenx.timing(len),
        lambda: pygenx.timing(programs.generator)(),
        lambda: pygenx.primed(programs.generator),
        lambda: programs.primed_async(),
        lambda: programs.timed_async(),
        lambda: programs.timed_async().__anext__(),
        lambda: Pipeline().map(str).take(2),
        lambda: pygenx.iterate(str, 1),
        inner(lambda: pygenx.iterate(str, 1), "iterate"),
        inner(lambda: pygenx.iter_except(str, KeyError), "iter_except"),
        inner(lambda: pygenx.with_iter(programs.Manager("ab")), "with_iter"),
        inner(lambda: pygenx.buffer(memoryview(b"ab")), "buffer"),
        inner(lambda: pygenx.read_lines(os.devnull), "lines"),
        inner(started(lambda: pygenx.read_lines(programs.PATH)), "run")
        and (lambda: pygenx.read_lines(programs.PATH)),
        inner(lambda: pygenx.tee(things(2))[0], "buffer"),
        inner(lambda: pygenx.partition(None, things(2))[0], "core"),
        lambda: pygenx.partition(None, things(2), maxlen=1)[1],
        lambda: pygenx.seekable(things(2)).elements(),
        lambda: pygenx.Failure(KeyError(), things(1), 0, "map"),
        lambda: Pipeline().collect(Pipeline().list(), Pipeline().count()),
        sent(lambda: Pipeline().batched(2).on_close(list).into(things(2).append)),
        sent(lambda: Pipeline().collect(Pipeline().list(), Pipeline().count()).push()),
        sent(lambda: pygenx.broadcast(Pipeline().list(), things(2).append)),
        sent(lambda: pygenx.route(programs.same, {Thing(1): things(2).append})),
    ]
    target, exercised = [], []
    gc.disable()
    warnings.simplefilter("ignore")
    for make in makers:
        weak = garbage(make)
        gc.collect()
        assert weak() is None
    gc.enable()
    assert len(exercised) > len(makers) // 2


def D10_resurrection():
    kept = []
    for base in (pygenx.chain, pygenx.groupby):

        class Sub(base):
            def __del__(self):
                kept.append(self)

        made = Sub(things(3))
        next(made)
        del made
        gc.collect()
        found = kept.pop()
        assert len(list(found)) == 2
        del found
        gc.collect()
        kept.clear()

    class Clinging(Source):
        def close(self):
            kept.append(self.owner())

    for make in (
        pygenx.own,
        lambda s: pipe(s).tap(print, after=lambda: s.close()).take(9),
    ):
        source = Clinging()
        owner = make(source)
        source.owner = weakref.ref(owner)
        del owner, source
        gc.collect()
        for found in kept:
            if found is not None:
                exercise(found)
        kept.clear()


def D11_weakref_callback_uses_the_cycle():
    class Node(Source):
        pass

    calls = []
    for make in PLAIN.values():
        other = make(things(3))

        def callback(_, other=other):
            calls.append(next(other, None))

        node = Node()
        node.cycle = make(node)
        weak = [weakref.ref(node, callback), weakref.ref(node.cycle, callback)]
        del node
        programs.other_branch = None
        gc.collect()
        assert [w() for w in weak] == [None, None]
    assert len(calls) == 2 * len(PLAIN)


def D12_items_that_reenter_when_they_die():
    class Item(Thing):
        __slots__ = ()

        def __del__(self):
            for reader in readers:
                try:
                    next(reader, None)
                except REFUSALS:
                    pass

    def items(n=60):
        for i in range(n):
            yield Item(i)

    readers = []
    for name, make in MAKERS.items():
        if name in ("timing", *WRAPPED):
            continue
        readers[:] = [make(items())]
        for _ in range(80):
            try:
                next(readers[0], None)
            except REFUSALS:
                pass
        readers.clear()
    first, second, third = pygenx.tee(items(), 3)
    readers[:] = [first, second]
    for _ in range(20):
        next(third, None)
    readers.clear()
    for _ in range(10):  # neither first nor last
        next(second, None)
    readers[:] = [first, second]
    readers[:] = [first]
    del second
    for _ in range(20):
        next(third, None)
    del third
    readers.clear()
    for _ in first:
        pass
    grouping = pygenx.grouping(lambda item: item.value // 3)
    readers[:] = [grouping]
    for item in items(30):
        try:
            grouping.send(item)
        except REFUSALS:
            pass
        del item
    grouping.close()
    fold = pygenx.fold(lambda old, new: new, Item(0))
    readers[:] = [fold]
    for item in items(10):
        fold.send(item)
    readers.clear()


def D13_finaliser_that_lets_other_threads_run():
    class Slow(Thing):
        __slots__ = ()

        def __del__(self):
            time.sleep(0.0002)

    for name in ("tee two", "groupby", "pipe", ".map", ".batched", "chain"):
        reader = MAKERS[name](Slow(i) for i in range(60))
        in_threads(lambda: drain_calmly(reader), 4)


def drain_calmly(reader):
    while True:
        try:
            next(reader)
        except StopIteration:
            return
        except REFUSALS:
            time.sleep(0)


def D14_finaliser_that_collects():
    class Collecting(Thing):
        __slots__ = ()

        def __del__(self):
            gc.collect()

    class Closing(Source):
        def __del__(self):
            gc.collect()

    for name, make in MAKERS.items():
        if name in ("timing", *WRAPPED):
            continue
        reader = make(Closing(3))
        next(reader)
        del reader
        values(make(iter([Collecting(i) for i in range(3)])))
    pygenx.fold(Collecting, Collecting(1))
    grouping = pygenx.grouping(type)
    grouping.send(Collecting(1))
    del grouping
    pygenx.primed(programs.generator)(), pygenx.timing(report=Closing().close)


def D15_collector_at_every_allocation():
    expected = {
        name: repr(list(map(value_of, make(things(4)))))
        for name, make in MAKERS.items()
    }
    gc.set_threshold(1)
    gc.freeze()
    try:
        for name, make in MAKERS.items():
            got = repr(list(map(value_of, make(things(4)))))
            assert got == expected[name], name
        for use in programs.DRIVERS.values():
            use()
        for name in programs.TERMINALS:
            programs.drained(name, Source())
    finally:
        gc.set_threshold(700, 10, 10)
        gc.unfreeze()


def D16_dropped_half_way():
    for name, make in MAKERS.items():
        if name in WRAPPED | EAGER:
            continue
        events = []

        def generator():
            try:
                yield from things(5)
            finally:
                events.append(sys.exc_info()[0])

        reader = make(generator())
        for _ in range(3 if name == ".prepend" else 1):
            next(reader)
        del reader
        programs.other_branch = None
        gc.collect()
        assert events == [GeneratorExit], (name, events)


def D17_what_the_collector_shows():
    for make in MAKERS.values():
        reader = make(things(5))
        next(reader)
        for found in (reader, *gc.get_referents(reader)):
            repr(found)
            for inner in gc.get_referents(found):
                sys.getrefcount(inner)
                gc.get_referrers(inner)
        assert values(reader) is not None
    for found in gc.get_objects():
        if type(found).__module__ == "pygenx":
            repr(found)


def holes(size):
    """Read all there is in tuples of this size that the collector knows."""
    for found in gc.get_objects():
        if type(found) is tuple and len(found) == size:
            list(found)
            hash(tuple(map(id, found)))


def D19_no_tuple_with_holes():
    class Looking:
        def __getitem__(self, index):
            holes(5)
            return index

    for _ in range(3):
        assert pipe([Looking()]).pluck([0, 1, 2, 3, 4]).list() == [(0, 1, 2, 3, 4)]
        reducers = [Pipeline().chunked(None).tap(lambda c: holes(5)).count()] * 5
        assert pipe("a").collect(*reducers) == (1,) * 5


def D20_a_count_that_dies_while_it_is_counted():
    """The Counter of frequencies() and what is in it can be found meanwhile."""
    counters = []

    class Count:
        def __add__(self, other):
            for counter in counters:
                counter.clear()
            gc.collect()
            return NotImplemented

    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            counters[:] = [
                found
                for found in gc.get_objects()
                if type(found) is collections.Counter
                and type(next(iter(found), 0)) is Key
            ]
            for counter in counters:
                for key in list(counter):
                    dict.__setitem__(counter, key, Count())
            return True

    raises(TypeError, pipe([Key(), Key()]).frequencies)


def D18_weak_references_and_slots():
    for name, make in MAKERS.items():
        reader = make(things(3))
        told = []
        weak = weakref.ref(reader, told.append)
        assert weak() is reader
        del reader
        programs.other_branch = None
        assert weak() is None, name
        assert len(told) == 1, name
    for base in (pygenx.chain, pygenx.groupby):

        class Slots(base):
            __slots__ = ("extra",)

        class Dict(base):
            pass

        for sub in (Slots, Dict):
            made = sub(things(2))
            made.extra = made
            weak = weakref.ref(made)
            del made
            gc.collect()
            assert weak() is None


def D21_the_run_owns_the_last_callbacks():
    """A pipe that took another over has nothing but its run to hold the other's
    lambdas: whether they are worth a translation is noted before they go."""
    code = """
import programs
from pygenx import lifting, pipe

def begun(func):
    taken_over = pipe(pipe(programs.things(50)).map(func)).filter(None)
    return [next(taken_over) for _ in range(20)]

before = lifting.stats()["items_called"]
begun(programs.fresh(programs.same))
assert lifting.stats()["items_called"] - before == 20
"""
    environment = {
        **os.environ,
        "PYTHONMALLOC": os.environ.get("PYTHONMALLOC", "debug"),  # what is freed shows
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    child = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr[-2000:]
