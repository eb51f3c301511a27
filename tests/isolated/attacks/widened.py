# ruff: noqa: B023, F821, PT018, SIM105 (attacks are short and rude)
"""Attacks over whole tables: every stage with a callback, every terminal with one,
every kind of function that is run natively, everything that holds items back."""

import gc
import itertools
import sys
import weakref

import programs
from programs import Source, Thing, things

import pygenx
from attacks.common import REFUSALS, raises, values
from pygenx import Pipeline, ReentrancyError, lifting, pipe, this

# What these call gives an iterable, or nothing.
FACTORIES = {"chain", "flat_map", "prepend", "through", "zip"}
WITH_CALLBACK = sorted(programs.FAILING)
TERMINALS = {
    "first_true": lambda p, f: p.first_true(None, f),
    "for_each": lambda p, f: p.for_each(f),
    "map_reduce": lambda p, f: p.map_reduce(f),
    "map_reduce value": lambda p, f: p.map_reduce(abs_of, f),
    "max": lambda p, f: p.max(key=f),
    "min": lambda p, f: p.min(key=f),
    "reduce": lambda p, f: p.reduce(f),
    "reduceby": lambda p, f: p.reduceby(f, programs.first_of_two),
    "collect": lambda p, f: p.collect(Pipeline().map(f).list(), Pipeline().count()),
    "to": lambda p, f: p.map(f).to(list),
}


def abs_of(item):
    return abs(item.value)


def with_callback(name, callback, source=None):
    arguments = (callback, *programs.STAGES[name][1:])
    return programs.staged(name, Source() if source is None else source, arguments)


def answer(name, *args):
    """What the callback of that stage may give."""
    if name in FACTORIES:
        return iter(things(1))
    return args[0] if args and not isinstance(args[0], tuple) else Thing(0)


def R6_every_callback_calls_next_on_its_pipe():
    for name in WITH_CALLBACK:

        def callback(*args):
            for call in (next, operator_close, list):
                outcomes.append(raises(ReentrancyError, call, box[0]))
            return answer(name, *args)

        outcomes = []
        box = [with_callback(name, callback)]
        for item in box[0]:
            del item
        assert outcomes, name
        again = [with_callback(name, lambda *args: answer(name, *args))]
        assert sum(1 for _ in again[0]) >= 0
    for name, run in TERMINALS.items():
        outcomes = []

        def callback(*args):
            outcomes.append(raises(REFUSALS, next, box[0]))
            return args[0]

        box = [pipe(Source())]
        run(box[0], callback)
        assert outcomes, name


def operator_close(reader):
    reader.close()


def K7_every_callback_raises_StopIteration():
    def stop(*args):
        raise StopIteration("callback")

    for name in WITH_CALLBACK:
        error = raises(RuntimeError, lambda: list(with_callback(name, stop)))
        assert type(error.__cause__) is StopIteration, name
    for name, run in TERMINALS.items():
        error = raises(RuntimeError, run, pipe(Source()), stop)
        assert type(error.__cause__) is StopIteration, name


def K8_every_callback_drops_its_pipe():
    for name in WITH_CALLBACK:

        def callback(*args):
            box.clear()
            gc.collect()
            return answer(name, *args)

        box = [with_callback(name, callback)]
        try:
            next(box[0])
        except StopIteration:
            pass
        box.clear()  # which may call on_close()
        box = [with_callback(name, callback)]
        for item in box[0]:
            del item
    for run in TERMINALS.values():

        def callback(*args):
            box.clear()
            gc.collect()
            return args[0]

        box = [pipe(Source())]
        run(box[0], callback)


def native_readers(source):
    """The same operations on items in all ways in which they are run natively."""
    one, two, three, four = itertools.tee(source, 4)
    return (
        pipe(one).map(lifting.native(lambda x: (x.value + 1 > 2, x[0], -x))),
        pipe(two).map(this.value + 1 > 2),
        pipe((x.value + 1 > 2, x[0], -x) for x in three),
        pipe(four).filter(lifting.native(lambda x: x.value and x[0] and not -x < 1)),
    )


def R15_operators_of_what_is_run_natively():
    class Item:
        def mischief(self):
            for reader in readers:
                for call in (next, operator_close):
                    try:
                        call(reader)
                    except (*REFUSALS, StopIteration):
                        pass
            gc.collect()
            return self

        value = property(mischief)

        def __getitem__(self, index):
            return self.mischief()

        def __add__(self, other):
            return self.mischief()

        __neg__ = mischief

        def __gt__(self, other):
            return self.mischief() is self

        __lt__ = __gt__

        def __bool__(self):
            return self.mischief() is self

    for i in range(4):
        readers = list(native_readers(Item() for _ in range(6)))
        del readers[:i], readers[1:]
        try:
            next(readers[0], None)
        except (*REFUSALS, AttributeError):
            pass
        readers.clear()


def K11_functions_change_while_they_are_run_natively():
    """Globals, cells and defaults are read afresh for each item."""
    global rate
    rate = 1
    add = 0

    def change(item):
        nonlocal add
        global rate
        rate += 1
        add += 10
        return item

    for function in (lambda x: x * rate + add, lambda x: add + x * rate):
        rate, add = 1, 0
        got = pipe(range(1, 200)).map(change).map(function).list()
        assert got == [i * (i + 1) + i * 10 for i in range(1, 200)]
    del rate
    raises(NameError, pipe([1]).map(lifting.native(lambda x: x * rate)).list)


def N9_lanes_at_the_limits():
    edge = 2**63
    for low in (-edge, edge - 300, 2**62 - 150, -(2**62) - 150, 2**31 - 150):
        for items in (range(low, low + 300), list(range(low, low + 300))):
            assert pipe(items).map(lambda x: x + 1).sum() == sum(x + 1 for x in items)
            assert pipe(items).map(lambda x: x * x - x).sum() == sum(
                x * x - x for x in items
            )
            assert pipe(items).map(this * 3).max() == max(x * 3 for x in items)
            assert pipe(x - 7 for x in items if x % 3).list() == [
                x - 7 for x in items if x % 3
            ]
    for wrong in (lambda x: 1 // (x - 150), lambda x: x % (x - 150)):
        raises(ZeroDivisionError, pipe(range(300)).map(wrong).sum)


def K13_a_list_changes_while_a_lane_reads_it():
    for shrink in (list.clear, list.pop, lambda items: items.append(1)):
        items = list(range(600))

        def look(item):
            if len(items) < 1000:
                shrink(items)
            return item

        model, copy = [], list(range(600))
        for item in copy:
            if len(copy) < 1000:
                shrink(copy)
            model.append(item + 1)
        assert pipe(items).map(look).map(lambda x: x + 1).list() == model


def R15_words_and_their_keys():
    class Text(str):
        def split(self, *args):
            outcomes.append(raises(ReentrancyError, next, box[0]))
            return ["own"]

    outcomes = []
    lines = ["to be", Text("or not"), "to be", *["x y"] * 50]
    box = [pipe(lines).flat_map(str.split)]
    words = box[0].frequencies()
    assert words["to"] == 2 and words["or"] == 1 and not outcomes
    box = [pipe(lines).flat_map(lambda line: line.split())]
    words = box[0].frequencies()
    assert words["own"] == 1 and words["x"] == 50 and len(outcomes) == 1


def G6_close_with_a_return_value():
    def listening():
        try:
            while True:
                yield
        except GeneratorExit:
            return "returned"

    for make in (pygenx.own, pygenx.chain, pipe, pygenx.peekable):
        reader = make(listening())
        next(reader)
        assert reader.close() is None
        assert values(reader) == []
    push = Pipeline().map(programs.same).into(listening())
    push.send(1)
    assert push.close() == push.result == "returned"
    assert pygenx.feed("ab", listening()) == "returned"


def S13_what_lags_is_bounded_where_a_bound_was_given():
    def followed():
        for i in range(1000):
            item = Thing(i)
            alive.append(weakref.ref(item))
            yield item
            del item

    for make in (
        lambda s: pygenx.tee(s, maxlen=7)[0],
        lambda s: pygenx.seekable(s, 7),
        lambda s: pipe(s).tail(7),
        lambda s: pipe(s).sliding_window(7),
    ):
        alive = []
        reader = make(followed())
        kept = 0
        for _ in range(990):
            try:
                next(reader)
            except StopIteration:
                break
            kept = max(kept, sum(weak() is not None for weak in alive[-20:]))
        assert sum(weak() is not None for weak in alive) <= 9, kept
    leader, lagging = pygenx.tee(Source(99), maxlen=5)
    for i in range(5):
        assert next(leader).value == i
    raises(BufferError, next, leader)
    assert next(lagging).value == 0 and next(leader).value == 5
    no, yes = pygenx.partition(lambda item: item.value % 2, Source(99), maxlen=3)
    for i in range(3):
        assert next(no).value == 2 * i
    raises(BufferError, lambda: [next(no) for _ in range(9)])
    assert [next(yes).value, next(yes).value] == [1, 3]
    assert sys.getsizeof(leader) < 1000


def R12_push_objects_are_thrown_into_while_they_run():
    class Sink:
        def send(self, item):
            for call in (
                lambda: push.send(1),
                push.close,
                lambda: push.throw(LookupError),
            ):
                outcomes.append(raises(ReentrancyError, call))

    for make in (
        lambda sink: Pipeline().map(abs).into(sink),
        lambda sink: Pipeline().batched(1).into(sink),
        lambda sink: pygenx.broadcast(sink, sink),
        lambda sink: pygenx.route(abs, {1: sink}),
        lambda sink: pygenx.grouping(lambda item: object(), sink=sink),
    ):
        outcomes = []
        push = make(Sink())
        push.send(1)
        push.send(1)
        assert outcomes
        push.close()


def R1_other_readers_that_share_a_source():
    for make in (
        lambda s: pygenx.partition(programs.true, s)[::-1],
        lambda s: pipe(s).partition(programs.true)[::-1],
        lambda s: pipe(s).map(programs.same).tee(2),
    ):

        class Asking(Source):
            def __next__(self):
                if self.i == 3 and readers:
                    for reader in readers:
                        for call in (next, repr, operator_close):
                            try:
                                call(reader)
                            except REFUSALS:
                                pass
                return super().__next__()

        readers = []
        source = Asking(9)
        readers[:] = make(source)
        first = readers[0]
        got = values(first)
        readers.clear()
        assert got in ([0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2]), got


def K1_merge_and_others_compare_while_they_are_read():
    class Key(Thing):
        __slots__ = ()

        def __lt__(self, other):
            for call in (next, operator_close):
                outcomes.append(raises(ReentrancyError, call, box[0]))
            gc.collect()
            return self.value < other.value

        __gt__ = __lt__

        def __eq__(self, other):
            outcomes.append(raises(ReentrancyError, next, box[0]))
            return NotImplemented

        __hash__ = Thing.__hash__

    outcomes = []
    box = [pygenx.merge(map(Key, range(5)), map(Key, range(5)))]
    assert values(box[0]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and outcomes
    for add in (
        lambda p: p.unique_justseen(),
        lambda p: p.unique_everseen().chain([Thing(2)]),
        lambda p: p.groupby().map(lambda pair: pair[0]),
    ):
        outcomes = []
        box = [add(pipe(Key(i) for i in (1, 1, 2)))]
        assert values(box[0])[-1] == 2 and outcomes
