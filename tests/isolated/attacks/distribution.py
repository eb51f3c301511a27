# ruff: noqa: F821, PT018, SIM105 (attacks are short and rude)
"""What looks ahead, reads several iterables or sends to several targets."""

import gc
import sys
import threading

from programs import Thing, things, value_of

import pygenx
from attacks.common import REFUSALS, raises, values
from pygenx import Pipeline, ReentrancyError


def found(type_):
    return [o for o in gc.get_objects() if type(o) is type_]


class Late:
    """Reads whatever object of a type there is when it is asked for its iterator."""

    def __init__(self, type_, n):
        self.type, self.n = type_, n

    def __iter__(self):
        for half_built in found(self.type):
            for _ in range(5):
                try:
                    next(half_built)
                except (*REFUSALS, StopIteration):
                    pass
        return iter(things(self.n))


def R13_readers_of_several_are_not_seen_half_built():
    for type_, expected in (
        (pygenx.zip, [(i, i, i, i) for i in range(2)]),
        (pygenx.merge, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3]),
        (pygenx.roundrobin, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3]),
    ):
        options = {"key": value_of} if type_ is pygenx.merge else {}
        made = type_(things(2), Late(type_, 3), Late(type_, 2), things(4), **options)
        plain = (
            list
            if type_ is not pygenx.zip
            else lambda z: [tuple(map(value_of, row)) for row in z]
        )
        got = plain(made) if type_ is pygenx.zip else values(made)
        assert got == expected, (type_, got)


def R13_broadcast_and_route_are_not_seen_half_built():
    class Target:
        def __getattr__(self, name):
            if name != "send":
                raise AttributeError(name)
            if making:
                for half_built in found(making):
                    half_built.close()
            return taken.append

    taken = []
    making = pygenx.broadcast
    both = pygenx.broadcast(Target(), Target())
    making = pygenx.route
    one = pygenx.route(abs, {1: Target(), 2: Target()})
    making = None
    assert both.send(1) == 2
    assert one.send(1) == 1
    assert taken == [1, 1, 1]


def R15_route_does_not_believe_its_dict():
    """gc.get_referents hands out the dict of what has been opened."""

    class Key(Thing):
        def __hash__(self):
            if mischief:
                opened.clear()
            return self.value

        def __eq__(self, other):
            return self is other

    for wrong in (10**6, 10**30, -1, "x", None):
        mischief = False
        keys = [Key(i) for i in range(3)]
        route = pygenx.route(lambda item: item, dict.fromkeys(keys, value_of))
        (opened,) = (
            d
            for d in gc.get_referents(route)
            if isinstance(d, dict) and type(d[keys[0]]) is int
        )
        opened[keys[1]] = wrong
        raises(RuntimeError, route.send, keys[1])
        raises(RuntimeError, route.close)
    mischief = False

    route = pygenx.route(lambda item: item, {Key(i): value_of for i in range(3)})
    mapping, opened = (d for d in gc.get_referents(route) if isinstance(d, dict))
    mapping.clear()
    del mapping
    mischief = True
    assert len(route.close()) == 1


def D9_a_sink_closed_by_an_exception_is_not_seen_dying():
    class Bomb:
        def __del__(self):
            seen.extend(gc.get_referents(push))

    class Sink:
        def __init__(self):
            self.bomb = Bomb()

        def send(self, item):
            pass

    seen = []
    push = Pipeline().map(abs).into(Sink())
    push.send(1)
    raises(LookupError, push.throw, LookupError)
    assert not any(isinstance(o, Sink) for o in seen)


def R7_the_end_of_a_container_runs_destructors():
    """A list iterator lets go of its list at its end: what that runs must not end the
    next input in its place."""

    class Last:
        def __del__(self):
            try:
                seen.append(next(reader))
            except (*REFUSALS, StopIteration) as error:
                seen.append(error)

    for make in (
        pygenx.chain,
        lambda *inputs: pygenx.chain.from_iterable(inputs),
        pygenx.roundrobin,
        lambda first, *rest: pygenx.pipe(first).chain(*rest),
    ):
        seen = []
        first = iter([1, Last()])
        reader = make(first, iter([10, 20, 30, 40]), iter([50]), [60, 70])
        del first
        given = []
        for item in reader:
            if type(item) is int:
                given.append(item)
            del item
        assert len(seen) == 1 and isinstance(seen[0], ReentrancyError), seen
        assert sorted(given) == [1, 10, 20, 30, 40, 50, 60, 70]


def R11_next_while_inputs_are_closed():
    class Source:
        def __iter__(self):
            return self

        def __next__(self):
            return 1

        def close(self):
            seen.append(raises(ReentrancyError, next, reader))

    for other in (list, tuple, iter, lambda r: r, lambda r: (i for i in r)):
        for type_ in (pygenx.roundrobin, pygenx.zip, pygenx.merge, pygenx.chain):
            seen = []
            reader = type_(Source(), other(range(5)))
            next(reader)
            reader.close()
            assert len(seen) == 1
            del reader


def D13_a_collection_while_a_hint_is_asked():
    """Before 3.12 looking a method up may run the collector."""

    class Closer:
        def __del__(self):
            try:
                reader.close()
            except REFUSALS:
                pass

    gc.disable()
    for make in (
        pygenx.peekable,
        pygenx.seekable,
        pygenx.serialize,
        pygenx.pipe,
        pygenx.chain,
        pygenx.own,
        lambda source: pygenx.zip(source, [1]),
        lambda source: pygenx.merge(source, [1]),
        lambda source: pygenx.roundrobin(source, [1]),
    ):
        for threshold in range(1, 8):
            reader = make(iter([1, 2, 3]))
            hint = reader.__length_hint__
            gc.collect()
            closer = Closer()
            closer.me = closer
            del closer
            gc.set_threshold(threshold)
            gc.enable()
            hint()
            gc.disable()
    gc.enable()
    gc.set_threshold(700, 10, 10)


def D13_seekable_is_read_while_a_thread_is_inside():
    """The list of a slice is made; meanwhile the thread inside goes on."""

    class Source:
        n = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.n += 1
            if self.n == 5:
                inside.set()
                go.wait(20)
            return Thing(self.n)

    class Opener:
        def __del__(self):
            go.set()
            done.wait(20)

    def work():
        for _ in range(400):
            next(reader)
        done.set()

    for whole in (slice(0, 4), slice(None, None, 2), slice(3, None, -1)):
        inside, go, done = threading.Event(), threading.Event(), threading.Event()
        reader = pygenx.seekable(Source(), maxlen=4)
        view = reader.elements()
        worker = threading.Thread(target=work)
        gc.disable()
        worker.start()
        assert inside.wait(20)
        used_up = [[] for _ in range(300)]
        gc.collect()
        opener = Opener()
        opener.me = opener
        del opener
        gc.set_threshold(1)
        gc.enable()
        got = view[whole]
        gc.disable()
        gc.set_threshold(700, 10, 10)
        go.set()
        worker.join(20)
        gc.enable()
        assert all(isinstance(item, Thing) for item in got), got
        assert isinstance(next(reader), Thing)
        del used_up


def N4_exit_without_arguments_keeps_what_is_kept():
    reader = pygenx.seekable(things(5))
    next(reader)
    raises(TypeError, reader.__exit__)
    assert values(reader.elements()) == [0] and values(reader) == [1, 2, 3, 4]


def N6_slices_of_any_size():
    huge = sys.maxsize
    items = list(range(5))
    slices = [
        slice(start, stop, step)
        for start in (None, 0, 2, 4, -1, huge, -huge - 1)
        for stop in (None, 0, 3, 4, -2, huge, -huge - 1)
        for step in (None, 1, -1, 2, -2, huge, -huge, -huge - 1)
    ]
    back = pygenx.seekable(items)
    back.seek(huge)
    for wanted in slices:
        assert back[wanted] == back.elements()[wanted] == items[wanted], wanted
        assert pygenx.peekable(items)[wanted] == items[wanted], wanted
    back.relative_seek(-huge - 1)
    back.relative_seek(huge)
    assert back.tell() == 5
    raises(OverflowError, back.relative_seek, 2 * huge)


def R10_targets_that_are_the_sender_itself():
    push = (
        Pipeline().map(abs).into(lambda item: raises(ReentrancyError, push.send, item))
    )
    assert push.send(-1) == 1
    route = pygenx.route(abs, Self())
    Self.it = route
    raises(ReentrancyError, route.send, 1)
    raises(ReentrancyError, route.close)
    assert route.close() is None


class Self(dict):
    def __missing__(self, key):
        return self.it
