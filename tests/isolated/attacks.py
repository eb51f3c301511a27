# ruff: noqa: B007, B023, B905, E501, F821, PT018, RUF059, SIM105 (attacks are short and rude)
"""The attacks of the list, each one function named after its number; run in a child by
test_attacks.py, since what they look for is a crash.

An attack keeps the list's rules: items and keys are instances of a Python class, every
reference is dropped as soon as it can be, the object under attack is the only owner of
its source, and what comes out is compared too.
"""

import collections
import copy
import functools
import gc
import inspect
import itertools
import operator
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
import weakref

import programs
from programs import Source, Thing, things, value_of

import pygenx
from pygenx import Pipeline, ReentrancyError, pipe

MAKERS = programs.iterator_makers()
# Their source is behind a map().
WRAPPED = {"." + name for name in programs.BEFORE}
# What gives one item for each of the source's, in order.
PLAIN = {
    name: MAKERS[name]
    for name in (
        *("borrow", "chain", "chain.from_iterable", "groupby group", "own", "pipe"),
        *("pipe of pipes", "read_lines", "tee", "tee two", "tee locked"),
        *(".filter", ".filterfalse", ".map", ".takewhile", ".dropwhile"),
    )
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


# -- R: re-entry ------------------------------------------------------------------------


def R1_tee_branch_or_sibling_from_the_source():
    """itertools.tee crashed here before bpo-34410."""
    for own in (True, False):
        source = Trap(100, 40, next)
        first, second = pygenx.tee(source)
        source.reader = first if own else second
        assert values(itertools.islice(first, 60)) == list(range(60))
        given = [] if own else [source.outcome.value]
        del source
        assert given + values(second) == list(range(100))
        assert values(first) == list(range(60, 100))


def R1_tee_says_tee():
    source = Trap(3, 1, next)
    first, second = pygenx.tee(source)
    source.reader = first
    assert values(first) == [0, 1, 2]
    assert isinstance(source.outcome, RuntimeError) and "tee" in str(source.outcome)


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


def R2_second_thread_is_refused_at_once():
    for name in ("tee two", "chain", "groupby group", "pipe", "own", ".map"):
        source = Blocking(6, 2)
        reader = MAKERS[name](source)
        got = []
        worker = threading.Thread(target=lambda r=reader, g=got: g.extend(values(r)))
        worker.start()
        assert source.entered.wait(20)
        other = programs.other_branch if name == "tee two" else reader
        if name == "tee two":  # two items wait for this branch
            assert [next(other).value, next(other).value] == [0, 1]
        raises(ReentrancyError, next, other)
        raises(ReentrancyError, reader.close)  # H3: closed while it blocks
        source.release.set()
        worker.join(20)
        assert got == [0, 1, 2, 3, 4, 5], (name, got)
        if name == "tee two":
            assert values(other) == [2, 3, 4, 5]
        programs.other_branch = None


def R3_source_reenters_chain():
    """The inner call would exhaust and drop what the outer one runs in: itertools.chain
    read freed memory (gh-142732)."""
    for name, make in PLAIN.items():
        for when in range(6):
            got, outcome = trapped(make, 5, when, values)
            assert got == [0, 1, 2, 3, 4], (name, when, got)
            assert outcome is None or isinstance(outcome, ReentrancyError), (
                name,
                outcome,
            )


def R4_outer_iterable_reenters_or_contains_the_chain():
    class Outer(Trap):
        def __next__(self):
            super().__next__()
            return things(2)

    source = Outer(4, 2, next)
    reader = pygenx.chain.from_iterable(source)
    source.reader = reader
    assert values(reader) == [0, 1] * 4
    assert isinstance(source.outcome, ReentrancyError)
    for contain in (
        lambda c: c,
        lambda c: pipe(c).map(programs.same),
        lambda c: map(value_of, c),
    ):
        parts = [things(2)]
        chain = pygenx.chain.from_iterable(parts)
        parts.append(contain(chain))
        raises((RuntimeError, ValueError), values, chain)
        operator.length_hint(chain)


def R5_generator_yields_next_of_its_own_consumer():
    """itertools.pairwise segfaults on 3.11.7 and 3.13.0 (gh-149557)."""

    def generator():
        while True:
            try:
                yield next(box[0])
            except (ValueError, RuntimeError, TypeError):
                yield Thing(1)

    for make in PLAIN.values():
        box = [None]
        box[0] = make(generator())
        reader = box[0]
        for _ in range(2000):
            assert next(reader).value == 1
        box.clear()


def R6_stage_callback_calls_next_on_its_pipe():
    for name in (
        "map",
        "filter",
        "filterfalse",
        "takewhile",
        "dropwhile",
        "flat_map",
        "tap",
    ):
        outcomes = []

        def callback(item, outcomes=outcomes):
            try:
                next(box[0])
            except ReentrancyError as error:
                outcomes.append(error)
            return {"filterfalse": False, "dropwhile": False, "flat_map": [item]}.get(
                name, item
            )

        box = [getattr(pipe(Source(5)), name)(callback)]
        got = values(box[0])
        assert got == [0, 1, 2, 3, 4], (name, got)
        assert len(outcomes) == (1 if name == "dropwhile" else 5)


def R7_stage_callback_drains_its_pipe():
    """The inner drain must not clear what the outer call runs in (gh-142732, gh-154672)."""
    methods = [value for value in ("list", "close", "count") if value]
    for method in methods:
        for stage in ("map", "flat_map", "tap"):

            def callback(item, method=method, stage=stage):
                raises(ReentrancyError, getattr(box[0], method))
                raises(ReentrancyError, values, box[0])
                return [item] if stage == "flat_map" else item

            box = [getattr(pipe(Source(4)), stage)(callback).batched(2).flatten()]
            assert values(box[0]) == [0, 1, 2, 3]


def R8_stages_that_pull_several_times():
    for when in range(7):
        got, outcome = trapped(lambda s: pipe(s).batched(3).flatten(), 6, when, next)
        assert got == [0, 1, 2, 3, 4, 5]
        assert outcome is None or isinstance(outcome, ReentrancyError)


def R9_batch_is_never_seen_half_filled():
    seen = []

    def look(item):
        seen.append(
            [type(found) for found in gc.get_referrers(item) if type(found) is tuple]
        )
        return item

    batches = pipe(things(7)).map(look).batched(3).list()
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert all(value is not None for batch in batches for value in batch)
    assert not any(seen)


def R10_send_from_inside_key_and_sink():
    def key(item):
        raises(ReentrancyError, grouping.send, Thing(9))
        raises(ReentrancyError, next, grouping)
        return item.value // 2

    grouping = pygenx.grouping(key)
    for item in things(4):
        grouping.send(item)
    assert [value_of(item) for item in grouping.close()[1]] == [2, 3]
    outcomes = []

    class Sink:
        def send(self, group):
            for call in (
                lambda: other.send(Thing(1)),
                other.close,
                lambda: next(other),
            ):
                outcomes.append(raises(ReentrancyError, call))

    other = pygenx.grouping(value_of, sink=Sink())
    for item in things(3):
        other.send(item)
    other.close()
    assert len(outcomes) == 9
    first = pygenx.grouping(value_of, sink=lambda group: second.send(group[1][0]))
    second = pygenx.grouping(value_of, sink=lambda group: first.send(group[1][0]))
    first.send(Thing(1))
    for i in range(2, 30):
        try:
            first.send(Thing(i))
        except ReentrancyError:
            break
    else:
        raise AssertionError("a cycle of coroutines was not noticed")
    fold = pygenx.fold(lambda value, item: fold.send(item), 0)
    raises(ReentrancyError, fold.send, 1)
    assert fold.value == 0


def R11_close_from_inside():
    def closing(make_closer):
        class Key(Thing):
            def __eq__(self, other):
                closer()
                return self.value == other.value

            def __hash__(self):
                closer()
                return self.value

        closer = functools.partial(raises, ReentrancyError, make_closer)
        return Key

    box = []
    Key = closing(lambda: box[0].close())
    box[:] = [pygenx.grouping(Key)]
    for i in (1, 1, 2):
        box[0].send(i)
    assert len(box[0].close()[1]) == 1
    box[:] = [pygenx.groupby([1, 1, 2], Key)]
    assert [len(list(group)) for _, group in box[0]] == [2, 1]
    box[:] = [pipe([1, 1, 2]).map(Key)]
    assert len(box[0].set()) == 2
    box[:] = [pipe([1, 1, 2]).map(Key)]
    assert sorted(box[0].frequencies().values()) == [1, 2]


def R12_throw_while_running_and_from_a_finaliser():
    for make in PLAIN.values():
        got, outcome = trapped(make, 4, 2, lambda reader: reader.throw(LookupError))
        assert got == [0, 1, 2, 3] and isinstance(outcome, ReentrancyError)

    class Item(Thing):
        __slots__ = ()

        def __del__(self):
            for call in (lambda: reader.throw(LookupError), lambda: next(reader)):
                try:
                    call()
                except (*REFUSALS, LookupError, StopIteration):
                    pass

    for name, make in MAKERS.items():
        if name not in WRAPPED and name != "timing":
            reader = make(iter([Item(i) for i in range(50)]))
            values(reader)
            reader = None


def R13_half_built_objects_are_not_to_be_used():
    """CPython's own tuple(generator) crashes so (gh-101855)."""
    found = []

    class Prying:
        def look(self):
            for candidate in gc.get_objects():
                if (
                    type(candidate).__module__ == "pygenx"
                    and type(candidate) is not type
                ):
                    found.append(type(candidate).__name__)
                    for call in (next, repr, operator.length_hint, gc.get_referents):
                        try:
                            call(candidate)
                        except Exception:
                            pass
                    for name in ("path", "lineno", "result", "close"):
                        try:
                            value = getattr(candidate, name)
                            value() if callable(value) else None
                        except Exception:
                            pass

        def __iter__(self):
            self.look()
            return iter(things(2))

        def __bool__(self):
            self.look()
            return True

        def __index__(self):
            self.look()
            return 2

        def __fspath__(self):
            self.look()
            return os.devnull

        def __call__(self, *args):
            self.look()
            return things(1)

    for name, make in MAKERS.items():
        if not name.startswith("groupby "):
            try:
                values(make(Prying()))
            except (TypeError, StopIteration):
                pass
    pygenx.read_lines(Prying(), keepends=Prying()).list()
    pygenx.tee(Prying(), Prying(), lock=Prying(), maxlen=Prying())
    pygenx.grouping(keep=Prying())
    Pipeline().batched(Prying(), strict=Prying()).take(Prying())
    pygenx.primed(programs.generator)
    pygenx.timing(Prying())
    assert found


def R14_callable_that_exhausts_its_own_iterator():
    box = []
    box[:] = [iter(lambda: next(box[0], None), None)]
    raises((RecursionError, RuntimeError), values, pygenx.chain(box[0]))
    box[:] = [pygenx.iterate(lambda value: next(box[0]), 1)]
    assert next(box[0]) == 1
    raises(ReentrancyError, next, box[0])


def R15_user_code_between_two_looks():
    class Number(Thing):
        __slots__ = ()

        def __add__(self, other):
            raises(ReentrancyError, next, box[0])
            gc.collect()
            return Number(self.value + value_of(other))

        def __radd__(self, other):
            return Number(self.value + other)

        def __lt__(self, other):
            raises(ReentrancyError, box[0].close)
            return self.value < other.value

        __gt__ = __lt__

    box = [pipe(map(Number, range(5)))]
    assert box[0].sum(Number(0)).value == 10
    box = [pipe(map(Number, range(5)))]
    assert box[0].min().value == 0
    box = [pipe(map(Number, range(5)))]
    assert box[0].reduce(operator.add).value == 10


# -- K: callbacks that lie, mutate or free ------------------------------------------------


def K1_key_compare_frees_the_other_key():
    """itertools.groupby segfaults on 3.13.0 (gh-143543)."""

    class Key:
        def __init__(self, value):
            self.payload = bytearray(200)
            self.value = value

        def __eq__(self, other):
            for step in steps:
                try:
                    step()
                except REFUSALS:
                    pass
            return NotImplemented

    groups = pygenx.groupby(Key(i) for i in range(30))
    steps = [lambda: next(groups), lambda: groups.close(), gc.collect]
    assert sum(1 for _ in groups) == 30
    grouping = pygenx.grouping(Key)
    steps = [lambda: grouping.send(1), lambda: next(grouping), lambda: grouping.close()]
    for i in range(30):
        grouping.send(i)
    assert grouping.close()[1] == [29]
    groups = pygenx.groupby(Key(i) for i in range(30))
    _, group = next(groups)
    steps = [lambda: next(group), lambda: group.close(), lambda: next(groups)]
    assert len(list(group)) == 1


def K2_key_uses_its_own_group():
    def key(item):
        try:
            list(group[0])
        except REFUSALS:
            pass
        return item.value // 3

    group = [()]
    groups = pygenx.groupby(Source(9), key)
    sizes = []
    for _, found in groups:
        group[0] = found
        sizes.append(len(list(found)))
        del found
    assert sizes == [3, 3, 3]


def K3_compare_raises():
    class Key:
        def __init__(self, value):
            self.value = value

        def __eq__(self, other):
            if self.value == 2:
                raise ArithmeticError
            return BadTruth() if self.value == 3 else self.value == other.value

    class BadTruth:
        def __bool__(self):
            raise LookupError

    errors = (ArithmeticError, LookupError)
    groups = pygenx.groupby(range(6), Key)
    seen = []
    for _ in range(8):
        try:
            seen.append([item for _, group in groups for item in group])
        except errors as error:
            seen.append(type(error))
    assert ArithmeticError in seen and seen[-1] == []
    grouping = pygenx.grouping(Key)
    got = []
    for i in range(6):
        try:
            got.append(grouping.send(i))
        except errors as error:
            got.append(type(error))
    assert ArithmeticError in got
    assert grouping.close() is not None


def K4_keys_unequal_to_themselves():
    nan = float("nan")
    assert [len(list(group)) for _, group in pygenx.groupby([nan, nan])] == [2]

    class Never:
        def __eq__(self, other):
            return False

    never = Never()
    assert [
        len(list(group)) for _, group in pygenx.groupby([never, never, Never()])
    ] == [2, 1]
    grouping = pygenx.grouping(lambda item: nan)
    grouping.send(1), grouping.send(2)
    assert grouping.close() == (nan, [1, 2])


def K5_hash_closes_the_source():
    class Key(Thing):
        def __hash__(self):
            raises(REFUSALS, source.close) if source.gi_running else source.close()
            return 1

    def generator():
        for i in range(4):
            yield Key(i)

    for terminal in ("set", "frequencies"):
        source = generator()
        assert len(getattr(pipe(source), terminal)()) == 1
    source = generator()
    assert [len(list(group)) for _, group in pygenx.groupby(source)] == [1, 1, 1, 1]


def K6_truth_raises_or_reenters():
    class Truth:
        def __bool__(self):
            raises(ReentrancyError, next, box[0])
            raise ArithmeticError("truth")

    for stage in ("filter", "filterfalse", "takewhile", "dropwhile"):
        box = [getattr(pipe(things(3)), stage)(lambda item: Truth())]
        for _ in range(3):
            raises(ArithmeticError, next, box[0])
        raises(StopIteration, next, box[0])
    for terminal in ("any", "all"):
        box = [pipe([Truth()])]
        raises(ArithmeticError, getattr(box[0], terminal))
    box = [pipe([Truth()]).filter(None)]
    raises(ArithmeticError, next, box[0])


def stop(*args):
    raise StopIteration("callback")


def K7_callback_raises_StopIteration():
    for stage in (
        "map",
        "filter",
        "filterfalse",
        "takewhile",
        "dropwhile",
        "flat_map",
        "tap",
    ):
        error = raises(RuntimeError, getattr(pipe(things(3)), stage)(stop).list)
        assert type(error.__cause__) is StopIteration, stage
    for terminal in ("for_each", "reduce"):
        raises(RuntimeError, getattr(pipe(things(3)), terminal), stop)
    for terminal in ("min", "max"):
        raises(RuntimeError, getattr(pipe(things(3)), terminal), key=stop)
    raises(RuntimeError, next, pygenx.groupby(things(3), stop))
    raises(RuntimeError, pygenx.fold(stop, 0).send, 1)
    raises(RuntimeError, pygenx.grouping(stop).send, 1)
    raises(RuntimeError, pygenx.feed, things(3), stop)
    raises(RuntimeError, pygenx.primed(stop))

    class Iter:
        __iter__ = stop

    raises(RuntimeError, next, pygenx.chain(Iter()))
    raises(RuntimeError, next, pipe([Iter()]).flatten())


def K8_callback_drops_the_last_reference():
    for name in ("map", "filter", "tap", "flat_map"):

        def callback(item):
            box.clear()
            gc.collect()
            return [item]

        box = [getattr(pipe(Source(3)), name)(callback)]
        first = next(box[0])
        assert value_of(first[0] if name == "map" else first) == 0
        box = [getattr(pipe(Source(3)), name)(callback)]
        assert len(box[0].list()) == 3

    def dropping(*args):
        box.clear()
        gc.collect()
        return Thing(1)

    box = [pygenx.fold(dropping, 0)]
    assert box[0].send(1).value == 1
    box = [pygenx.grouping(dropping)]
    assert box[0].send(1) is None

    def generator():
        box.clear()
        gc.collect()
        yield Thing(1)

    for make in (pygenx.primed, pygenx.timing(report=None)):
        box = [make(generator)]
        made = box[0]()
        assert make is not pygenx.primed or made.gi_suspended
        box = [make(dropping)]
        try:
            box[0]()
        except TypeError:
            pass


def K9_nothing_can_be_replaced_in_mid_call():
    for name, make in MAKERS.items():
        reader = make(Source())
        assert not hasattr(reader, "__setstate__"), name
        for attribute in ("func", "source", "result", "key", "it"):
            raises((AttributeError, TypeError), setattr, reader, attribute, 1)
        try:
            reader.__init__()
        except TypeError:
            pass
        values(reader)


def K10_repr_of_what_contains_itself():
    parts = []
    chain = pygenx.chain.from_iterable(parts)
    parts.append(chain)
    program = Pipeline().map(parts.append)
    parts.append(program)
    nested = pipe(chain).map(parts.append)
    parts.append(nested)
    for found in (
        chain,
        program,
        nested,
        pygenx.tee(chain)[0],
        pygenx.groupby(chain),
        pygenx.own(chain),
    ):
        assert len(repr(found)) < 300

    class Bad:
        def __repr__(self):
            raise AssertionError("a user's repr was called")

        __str__ = __repr__

        def __iter__(self):
            return iter(())

        def __call__(self, *args):
            return args

    for make in MAKERS.values():
        try:
            repr(make(Bad()))
        except StopIteration:
            pass
    repr(Pipeline().map(Bad()).chain(Bad(), Bad())), repr(pygenx.fold(Bad(), Bad()))
    (
        repr(pygenx.grouping(Bad())),
        repr(pygenx.primed(Bad())),
        repr(pygenx.timing()(Bad())),
    )


def K11_next_is_deleted_or_replaced_between_items():
    for name, make in PLAIN.items():

        class Own(Source):
            def __next__(self):
                return Source.__next__(self)

        class Base:
            def __iter__(self):
                return self

        class Bare(Base):
            def __next__(self):
                return Thing(0)

        reader = make(Own())
        next(reader)
        Own.__next__ = lambda self: Thing(77)
        assert next(reader).value == 77, name
        reader = make(Bare())
        next(reader)
        del Bare.__next__
        raises(TypeError, next, reader)


def K12_iter_gives_nonsense():
    class Iter:
        def __init__(self, result):
            self.result = result

        def __iter__(self):
            if isinstance(self.result, BaseException):
                raise self.result
            return self.result

    for name, make in MAKERS.items():
        if name in ("timing", ".starmap", ".flatten"):
            continue
        for wrong in (1, None, Thing(1)):
            raises(TypeError, lambda: values(make(Iter(wrong))))
        for error in (
            KeyboardInterrupt("x"),
            MemoryError("x"),
            SystemExit(1),
            ArithmeticError(),
        ):
            assert raises(type(error), lambda: values(make(Iter(error)))) is error, name


def K13_container_changes_while_it_is_read():
    for name, make in PLAIN.items():
        if name == "groupby group":
            continue
        for container in (
            {1: 1, 2: 2},
            {1, 2},
            collections.deque([1, 2]),
            {1: 1}.items(),
        ):
            grow = container
            if isinstance(container, type({}.items())):
                grow = {1: 1}
                container = grow.items()
            reader = make(container)
            next(reader)
            if isinstance(grow, dict):
                grow[99] = 1
            else:
                getattr(grow, "add", getattr(grow, "append", None))(99)
            raises(RuntimeError, values, reader)
        growing = things(2)
        reader = make(growing)
        next(reader)
        growing.append(Thing(7))
        assert values(reader) == [1, 7], name
        shrinking = things(5)
        reader = make(shrinking)
        next(reader)
        shrinking.clear()
        assert values(reader) == []
        shrinking.extend(things(9))
        assert values(reader) == []


def K14_dead_proxy_as_source():
    for name, make in MAKERS.items():
        if name in ("timing", ".starmap", ".flatten"):
            continue
        source = Source()
        proxy = weakref.proxy(source)
        del source
        raises((ReferenceError, TypeError), lambda: values(make(proxy)))
        source = Source()
        reader = make(Proxied(weakref.proxy(source)))
        del source
        raises((ReferenceError, TypeError), values, reader)


class Proxied:
    def __init__(self, proxy):
        self.proxy = proxy

    def __iter__(self):
        return self.proxy

    readline = None


def K15_getitem_only_and_lying_len():
    class Sequence:
        def __init__(self, n):
            self.n = n

        def __getitem__(self, i):
            if i >= self.n:
                raise IndexError
            return Thing(i)

        def __len__(self):
            return 10**15

        def __length_hint__(self):
            return 10**15

    for make in PLAIN.values():
        assert list(map(value_of, list(make(Sequence(5))))) == [0, 1, 2, 3, 4]


# -- N: construction, arguments, sizes ------------------------------------------------------


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


def N4_wrong_arguments():
    for name in pygenx.__all__:
        function = getattr(pygenx, name)
        if name[0] == "_" or not callable(function) or name == "ReentrancyError":
            continue
        raises(TypeError, function, no_such_keyword=1)
        raises(TypeError, lambda f=function: f(**{"no such": 1, "keyword": 2}))
        if isinstance(function, type):
            raises(TypeError, lambda f=function: f.__new__(f, **{1: 2}))
            raises(TypeError, lambda f=function: f.__new__(f, [], **{None: 2}))
        if name not in ("Pipeline", "chain", "timing", "grouping", "read_lines"):
            raises(TypeError, function)
        if name not in ("chain", "read_lines", "tee"):
            raises(TypeError, function, 1, 2, 3, 4, 5, 6, 7)

    class Sub(pygenx.chain):
        def __init__(self, *args, keyword=None):
            self.keyword = keyword

    assert Sub([1], keyword=2).keyword == 2
    for stage in programs.STAGES:
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

    for make in PLAIN.values():
        for source in (bytearray(b"abc"), array.array("i", [1, 2, 3])):
            reader = make(source)
            next(reader)
            source.extend(source)
            del source[2:]
            assert len(list(reader)) == 1
        assert len(list(make(memoryview(b"abc")))) == 3
        assert len(list(make("a\u1234\U00012345"))) == 3


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
        (("list",),),
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


# -- M: error paths -------------------------------------------------------------------------
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
            reader = make(source)
            raised = raises(error, values, reader)
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
    for name, make in PLAIN.items():
        reader = make(Source(5, at=2))
        if name == "own":
            raises(ArithmeticError, values, reader)
            assert values(reader) == []
            continue
        if name == "read_lines":  # goes on with the next file
            continue
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
    pairs = pipe(things(3)).enumerate()
    one = next(pairs)
    gc.get_referrers(one[1])
    two = next(pairs)
    assert one is not two and one[0] == 0


# -- D: collection, deallocation, finalisers ------------------------------------------------


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

    made = {name: make for name, make in MAKERS.items() if name not in WRAPPED}
    for name, make in list(made.items()):
        made[name + " started"] = lambda node, make=make: started(make(node))
    made.update(
        {
            "fold func": lambda node: pygenx.fold(node, 0),
            "fold value": lambda node: pygenx.fold(max, node),
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
            "pipe input": lambda node: pipe([1]).chain(node),
            "iterate": lambda node: pygenx.iterate(node, 1),
            "iterate value": lambda node: started(pygenx.iterate(programs.same, node)),
            "opener": lambda node: pygenx.read_lines(opener=node),
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


# CPython 3.12 and later count C calls up to 10 000: more than that has to be refused.
DEEP = 20_000 if sys.version_info < (3, 12) else 60_000


def nested(make, depth=DEEP):
    reader = iter(things(1))
    for _ in range(depth):
        reader = make(reader)
    return reader


def primed_stack():
    function = programs.generator
    for _ in range(DEEP):
        function = pygenx.primed(function)
    return function


def timed_stack():
    function = programs.generator
    decorate = pygenx.timing(report=None)
    for _ in range(DEEP):
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


def D6_tee_far_ahead_and_dropped():
    blocks = sys.getallocatedblocks()
    for keep_first in (True, False):
        first, second = pygenx.tee(iter(range(1_000_000)))
        collections.deque(first, 0)
        if keep_first:
            del second, first
        else:
            del first, second
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
        inner(lambda: pygenx.read_lines(os.devnull), "lines"),
        inner(started(lambda: pygenx.read_lines(programs.PATH)), "run")
        and (lambda: pygenx.read_lines(programs.PATH)),
        inner(lambda: pygenx.tee(things(2))[0], "buffer"),
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
        if name in WRAPPED:
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


def D18_weak_references_and_slots():
    for name, make in MAKERS.items():
        reader = make(things(3))
        weak = weakref.ref(reader)
        assert weak() is reader
        del reader
        programs.other_branch = None
        assert weak() is None, name
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


# -- G: send, throw, close ------------------------------------------------------------------


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
        if name in WRAPPED or name in (
            "timing",
            "borrow",
            "groupby group",
            "tee two",
            "chain.from_iterable",
            ".prepend",
        ):
            continue

        def stubborn():
            while True:
                try:
                    yield Thing(1)
                except GeneratorExit:
                    pass

        reader = make(stubborn())
        next(reader)
        try:
            reader.close()
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


def G9_throw_at_each_stage():
    for name, make in PLAIN.items():
        if name.startswith(("tee", "read_lines", "groupby")):
            continue
        reader = make(programs.generator())
        next(reader)
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
    readers = [
        make(generator) for name, make in PLAIN.items() if name != "groupby group"
    ]
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


# -- H: threads, signals, interpreters ------------------------------------------------------


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
    "deque": lambda: (
        collections.deque(pipe(itertools.count()).filter(None), 0)
        if False
        else pipe(itertools.count()).last()
    ),
}


def H5_ctrl_c_in_loops_that_stay_in_c():
    """itertools.chain hangs for ever."""
    for name, loop in ENDLESS.items():
        begin = time.monotonic()
        timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        raises(KeyboardInterrupt, loop)
        timer.join()
        assert time.monotonic() - begin < 2, name


def H6_signal_handler_that_reenters():
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

        reader = make(Deep())
        raises(RecursionError, values, reader)
        if name != "own":
            assert value_of(next(reader, Thing(0))) is None or True
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


def H12_guard_is_cleared_on_every_path():
    for error in (
        ArithmeticError,
        KeyboardInterrupt,
        MemoryError,
        SystemExit,
        GeneratorExit,
    ):
        for name, make in PLAIN.items():
            if name in ("own", "read_lines"):
                continue
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


# -- S: types and the rest ------------------------------------------------------------------


def S1_types_are_immutable():
    for found in set(all_types()) - {ReentrancyError}:
        raises(TypeError, setattr, found, "foo", 1)
        raises(TypeError, setattr, found, "__next__", None)


def S2_overrides_of_a_subclass_are_honoured():
    class Sub(pygenx.chain):
        def __next__(self):
            return (super().__next__(), "mine")

    for make in (
        pipe,
        pygenx.chain,
        lambda s: pygenx.tee(s)[0],
        pygenx.own,
        lambda s: pipe(s).map(programs.same),
    ):
        assert list(make(Sub([1, 2]))) == [(1, "mine"), (2, "mine")]

    class Other(pygenx.chain):
        def __iter__(self):
            return iter("xy")

    assert list(pygenx.chain(Other([1]))) == ["x", "y"] and pipe(Other([1])).list() == [
        "x",
        "y",
    ]

    class List(list):
        def __iter__(self):
            return iter("xy")

    for make in PLAIN.values():
        assert list(make(List([1, 2]))) == ["x", "y"]


def S3_layouts_do_not_mix():
    for bases in (
        (pygenx.chain, pygenx.groupby),
        (pygenx.chain, list),
        (pygenx.groupby, Exception),
        (pygenx.chain, int),
    ):
        raises(TypeError, type, "Mixed", bases, {})


def S4_class_is_not_assigned():
    class Sub(pygenx.chain):
        pass

    chain = pygenx.chain(())
    for found in (Sub, pygenx.groupby, pipe, pygenx.own):
        raises(TypeError, setattr, chain, "__class__", found)
    raises(TypeError, setattr, Sub(), "__class__", pygenx.chain)


def S5_unbound_slots():
    for found in all_types():
        for name in (
            "__next__",
            "__iter__",
            "__repr__",
            "send",
            "close",
            "throw",
            "__call__",
            "__or__",
        ):
            if name in vars(found):
                for wrong in (
                    5,
                    None,
                    pygenx.fold(max, 0) if found is not pygenx.fold else 1,
                    found,
                ):
                    raises(
                        TypeError, getattr(found, name).__get__, wrong
                    ) if False else None
                    try:
                        vars(found)[name].__get__(wrong, type(wrong))()
                    except (TypeError, StopIteration):
                        continue
                    if not isinstance(wrong, found) and wrong is not None:
                        raise AssertionError((found, name, wrong))


def S6_type_dies_with_its_last_instance():
    for base in (pygenx.chain, pygenx.groupby):
        for _ in range(50):

            class Sub(base):
                pass

            made = Sub(things(2))
            weak = weakref.ref(Sub)
            del Sub
            gc.collect()
            next(made)
            del made
            gc.collect()
            assert weak() is None


def S7_pipes_and_the_bar():
    class Reflected:
        def __ror__(self, other):
            return "reflected"

        __or__ = __ror__

    class Raising:
        def __ror__(self, other):
            raise ArithmeticError

    for left in (pipe(()), Pipeline()):
        for wrong in (None, 1, programs.same, [], "x"):
            raises(TypeError, operator.or_, left, wrong)
            raises(TypeError, operator.or_, wrong, left)
        assert left | Reflected() == "reflected" == Reflected() | left
        raises(ArithmeticError, operator.or_, left, Raising())
    program = Pipeline().map(value_of)
    assert (program | program).__reduce__() != program.__reduce__()
    base = program
    base |= Pipeline().take(1)
    assert base is not program and program(things(3)).list() == [0, 1, 2]
    one = pipe(things(2))
    raises(TypeError, operator.or_, one, one)


def S8_one_program_many_runs():
    program = (
        Pipeline().map(value_of).enumerate().batched(2).take(2).tap(programs.nothing, 1)
    )
    first, second = program(things(9)), program(things(9))
    got = [[], []]
    for a, b in zip(first, second):
        got[0].append(a), got[1].append(b)
        assert len(program(things(5)).list()) == 2
    assert got[0] == got[1] and len(got[0]) == 2
    sys.setswitchinterval(1e-6)
    in_threads(lambda: [program(things(20)).list() for _ in range(50)], 8)
    sys.setswitchinterval(0.005)


def S9_many_stages():
    program = Pipeline()
    one = pipe(things(3))
    for _ in range(20_000):
        program = program.map(programs.same)
        one = one.take(5)
    assert values(program(things(3))) == [0, 1, 2]
    assert values(one) == [0, 1, 2]
    assert len(repr(program)) > 20_000 and program.explain()
    again = pickle.loads(pickle.dumps(Pipeline().take(5) | Pipeline().take(4)))
    assert again(range(9)).count() == 4
    assert Pipeline()(things(2)).map(value_of).list() == [0, 1]
    del program, one


def S10_calls_and_their_order():
    log = []

    def told(name, result):
        def call(item):
            log.append((name, getattr(item, "value", item)))
            return result(item)

        return call

    source = Source(20)
    got = (
        pipe(source)
        .map(told("map", value_of))
        .filter(told("filter", lambda v: v % 2))
        .take(2)
        .list()
    )
    assert got == [1, 3] and source.i == 4
    assert log == [(name, i) for i in range(4) for name in ("map", "filter")]


def S11_exact_pulls():
    for name, pulls in (
        ("take", 3),
        ("first", 1),
        ("any", 1),
        ("islice", 4),
        ("consume", 3),
    ):
        source = Source(9)
        made = getattr(pipe(source), name)(
            *{**programs.STAGES, **programs.TERMINALS}[name]
        )
        if name in programs.STAGES:
            values(made)
        assert source.i == pulls, (name, source.i)
        assert source.closes == 0
    source = Source(9)
    given = pipe(source).take(3)
    next(given)
    with given:
        assert values(given) == [1, 2]
        assert source.closes == 1


def S12_abstract_classes():
    from collections.abc import Generator, Iterable, Iterator

    for name, make in MAKERS.items():
        reader = make(things(1))
        assert isinstance(reader, Iterator) and isinstance(reader, Iterable), name
        assert isinstance(reader, Generator) == all(
            hasattr(reader, m) for m in ("send", "throw", "close")
        )


def S14_documentation():
    for found in all_types():
        assert found.__doc__, found
        for name, value in vars(found).items():
            if callable(value) and name[0] != "_":
                assert value.__doc__, (found, name)
                inspect.signature(value)
        dir(found)
    import pydoc

    assert pydoc.render_doc(pygenx)


def S15_modes_of_the_interpreter():
    code = "import programs; programs.write_path(); print([use() for use in programs.DRIVERS.values()]); programs.remove_path()"
    outputs = set()
    for options in (["-X", "dev"], ["-W", "error"], ["-O"], ["-bb"], ["-X", "utf8"]):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONHASHSEED": str(len(outputs)),
        }
        child = subprocess.run(
            [sys.executable, *options, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert child.returncode == 0, (options, child.stderr)
        outputs.add(child.stdout)
    assert len(outputs) == 1


# -- X: timing ------------------------------------------------------------------------------


def X1_timing_used_wrongly():
    timing = pygenx.timing(report=None)
    raises(RuntimeError, timing.__exit__, None, None, None)
    raises(RuntimeError, timing.lap)
    for n in (0, 1, 2, 4):
        raises(TypeError, timing.__exit__, *[None] * n)
    with timing, timing, timing:
        assert timing.elapsed >= 0
    assert timing.count == 3
    for _ in range(100):
        timing.__enter__()
    for _ in range(100):
        timing.__exit__(None, None, None)
    raises(RuntimeError, timing.__exit__, None, None, None)
    try:
        with timing:
            raise ArithmeticError
    except ArithmeticError:
        pass
    else:
        raise AssertionError("swallowed")
    timing.__enter__()
    in_threads(lambda: raises(RuntimeError, timing.__exit__, None, None, None), 2)
    timing.__exit__(1, 2, 3)
    old, time.perf_counter = time.perf_counter, lambda: -1
    with timing:
        pass
    time.perf_counter = old
    assert timing.elapsed >= 0

    def report(text):
        with again:
            if again.count < 5:
                pass
        raise LookupError("report")

    again = pygenx.timing(report=None)
    failing = pygenx.timing(report=report)

    def body():
        with failing:
            raise ArithmeticError("body")

    error = raises(LookupError, body)
    assert type(error.__context__) is ArithmeticError
    again.__enter__()
    del again


def X1_timing_reports_that_reenter():
    def report(text):
        if timing.count < 50:
            with timing:
                pass

    timing = pygenx.timing(report=report)
    with timing:
        pass
    assert timing.count == 50

    def dropping(text):
        box.clear()
        gc.collect()
        assert text.error is None and text.elapsed >= 0

    box = [pygenx.timing(report=dropping)]
    with box[0]:
        pass
    box = [pygenx.timing(report=dropping)(value_of)]
    box[0](Thing(1))


def X2_timing_as_decorator():
    decorate = pygenx.timing(report=None)
    generator = decorate(programs.generator)
    made = generator(3)
    next(made)
    raises((ValueError, AttributeError, TypeError), made.send, 1, 2)
    assert made.throw(LookupError).value == "caught"
    made.close()
    assert generator.timing.count == 1

    async def coroutine():
        return 5

    running = decorate(coroutine)()
    assert raises(StopIteration, running.send, None).value == 5
    dropped = decorate(coroutine)()
    dropped.close()
    stepped = programs.timed_async()
    step = stepped.__anext__()
    assert raises(StopIteration, step.send, None).value.value == 1
    raises((RuntimeError, StopIteration), step.send, None)
    raises(StopIteration, stepped.aclose().send, None)


# -- the runner -----------------------------------------------------------------------------


def attacks():
    return {
        name: value
        for name, value in globals().items()
        if name[:1] in "RKNMDGHSX" and name[1:2].isdigit() and callable(value)
    }


def main(names):
    table = attacks()
    programs.write_path()
    for name in names or table:
        print("begin", name, flush=True)
        try:
            table[name]()
        except BaseException:
            print("fail", name, flush=True)
            print(traceback.format_exc().strip().replace("\n", "\n    "), flush=True)
        else:
            print("ok", name, flush=True)
        gc.collect()
    programs.remove_path()


if __name__ == "__main__":
    main(sys.argv[1:])
