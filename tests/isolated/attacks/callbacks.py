# ruff: noqa: B023, PT018, SIM105 (attacks are short and rude)
"""Callbacks, keys and comparisons that lie, mutate or free what is being worked on."""

import collections
import gc
import itertools
import random
import weakref

import programs
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import IN_STEP, MAKERS, PLAIN, REFUSALS, raises, values
from pygenx import Pipeline, ReentrancyError, pipe


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


def K4_keys_that_contradict_themselves():
    """collections.OrderedDict dies of it."""

    class Liar:
        def __hash__(self):
            return chance.randrange(3)

        def __eq__(self, other):
            return chance.random() < 0.3

    for seed in range(100):
        chance = random.Random(seed)
        for arguments in ({}, {"maxlen": 1}, {"maxlen": 5}):
            made = pipe([Liar() for _ in range(300)]).unique_everseen(**arguments)
            for _ in range(300):
                try:
                    next(made, None)
                except KeyError:  # found, and then not found
                    pass
            pipe([Liar() for _ in range(30)]).frequencies()
            pipe([Liar() for _ in range(30)]).map_reduce(programs.same)


def K4_keys_that_are_not_found_again():
    class Changing:
        def __hash__(self):
            return next(numbers)

    numbers = itertools.count()
    made = pipe(Changing() for _ in range(500)).unique_everseen(maxlen=3)
    alive = [weakref.ref(next(made)) for _ in range(499)]
    assert sum(key() is not None for key in alive) < 20
    del made
    for wrong in (0, 4, -1, 10**30, None):
        made = pipe(map(Thing, range(3))).unique_everseen(value_of, maxlen=3)
        next(made)
        (recent,) = (x for x in gc.get_objects() if type(x).__name__ == "recent")
        (places,) = (x for x in gc.get_referents(recent) if type(x) is dict)
        places[1] = wrong
        del recent
        raises((RuntimeError, OverflowError, TypeError), next, made)
        assert next(made).value == 2
        del made


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
    for name, make in IN_STEP.items():

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
        if name in ("timing", ".starmap", ".flatten", "always_iterable"):
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
    for name, make in IN_STEP.items():
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
