# ruff: noqa: B023, E501, PT018, RUF059, SIM105 (attacks are short and rude)
"""Re-entry: an object called from inside its own source, callback or finaliser."""

import functools
import gc
import itertools
import operator
import os
import threading

import programs
from programs import Source, Thing, things, value_of

import pygenx
from attacks.common import (
    MAKERS,
    OF_THINGS,
    PLAIN,
    REFUSALS,
    WRAPPED,
    Blocking,
    Trap,
    raises,
    trapped,
    values,
)
from pygenx import Pipeline, ReentrancyError, pipe


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

    for name, make in PLAIN.items():
        if name in OF_THINGS:  # one item of a kind is all that they give
            continue
        box = [None]
        box[0] = make(generator())
        reader = box[0]
        for _ in range(1000):
            assert next(reader).value == 1, name
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
        for name in SEVERAL:
            source = Trap(6, when, next)
            reader = source.reader = MAKERS[name](source)
            got = repr(list(reader))
            assert got == repr(list(MAKERS[name](Source(6)))), (name, when)
            outcome, source = source.outcome, None
            assert outcome is None or isinstance(outcome, ReentrancyError), name


# They ask the source several times for an item, or other sources besides.
SEVERAL = (
    *("merge pair", "zip", "zip strictly", ".chunked", ".intersperse", ".islice"),
    *(".pairwise", ".sliding_window", ".split_after", ".split_at", ".split_before"),
    *(".split_when", ".tail", ".tap", ".windowed", ".zip"),
)


def R9_batch_is_never_seen_half_filled():
    """What was found in the making stays as it was, and has no holes."""
    given, seen = [], []

    def look(item):
        for found in gc.get_referrers(*given[-3:]):
            if type(found) is tuple:
                seen.append((found, list(found)))
        given.append(item)
        return item

    batches = pipe(things(7)).map(look).batched(3).list()
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert all(isinstance(value, Thing) for batch in batches for value in batch)
    assert any(found not in batches for found, _ in seen)
    assert all(list(found) == was for found, was in seen)


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
