"""Generator expressions taken apart do what the generators did: items, errors, the
order of side effects, what is pulled when."""

from __future__ import annotations

import gc
import itertools
import sys
import traceback
import types
import weakref

import pytest
from ctrl_c import interrupted

from pygenx import ReentrancyError, lifting, pipe


@pytest.fixture(autouse=True)
def eager():
    lifting._eager(1)
    yield
    lifting._eager(-1)


@pytest.fixture
def tiering(eager):
    lifting._eager(-1)
    yield
    lifting._eager(1)


@pytest.fixture(autouse=True)
def untraced():
    old = sys.gettrace(), sys.getprofile()
    sys.settrace(None)
    sys.setprofile(None)
    yield
    sys.settrace(old[0])
    sys.setprofile(old[1])


def lifted():
    return lifting.stats()["generators_lifted"]


# -- a world whose every operation is seen ----------------------------------


class Seen:
    """A number that logs what is done with it, and raises at one of those times."""

    def __init__(self, value, world):
        self.value, self.world = value, world

    def __repr__(self):
        return f"Seen({self.value})"

    def _did(self, what):
        self.world.did(f"{what} {self.value}")

    def __bool__(self):
        self._did("bool")
        return bool(self.value % 3)

    def __eq__(self, other):
        self._did("eq")
        return self.value == getattr(other, "value", other)

    def __lt__(self, other):
        self._did("lt")
        return self.value < getattr(other, "value", other)

    __hash__ = None

    def __add__(self, other):
        self._did("add")
        return self.world.seen(self.value + getattr(other, "value", other))

    __radd__ = __add__

    def __mod__(self, other):
        self._did("mod")
        return self.world.seen(self.value % getattr(other, "value", other))

    def __getitem__(self, i):
        self._did(f"getitem {i}")
        if i > 2:
            raise IndexError(i)
        return self.value + i

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._did(f"attr {name}")
        return self.value

    def method(self, *args, **kwargs):
        self._did(f"method {args} {kwargs}")
        return self.value

    def __iter__(self):
        self._did("iter")
        return self.world.iterator([self.value, self.value + 1])

    def __format__(self, spec):
        self._did(f"format {spec!r}")
        return f"<{self.value}>"

    def __contains__(self, other):
        self._did("contains")
        return True


class Iterator:
    def __init__(self, items, world):
        self.items, self.world = list(items), world

    def __iter__(self):
        self.world.did("iter(iterator)")
        return self

    def __next__(self):
        self.world.did("next")
        if not self.items:
            raise StopIteration("returned")
        return self.items.pop(0)


class World:
    """Raises `error` at action number `when`."""

    def __init__(self, when=-1, error=ValueError):
        self.log, self.when, self.error = [], when, error

    def did(self, what):
        self.log.append(what)
        if len(self.log) == self.when:
            raise self.error(what)

    def seen(self, value):
        return Seen(value, self)

    def iterator(self, items):
        return Iterator(items, self)

    def names(self):
        return {
            "s": [self.seen(i) for i in range(7)],
            "t": tuple(self.seen(i) for i in range(4)),
            "it": self.iterator([self.seen(i) for i in range(5)]),
            "pairs": [(self.seen(i), self.seen(i + 1)) for i in range(4)],
            "bad": [(1, 2), (3,), (4, 5)],
            "worse": [(1, 2), (1, 2, 3), 4],
            "dicts": [{"k": i, "l": self.seen(i)} for i in range(4)],
            "r": range(5),
            "lists": [[1, 2], (3,), "ab", range(2), [], {5: 6}],
            "mixed": [1, 2.5, "x", None, True, b"y", (1,), 10**30],
            "cell": self.seen(10),
            "empty": [],
            "text": "abcabc",
            "did": self.did,
        }


CORPUS = [
    "x for x in s",
    "x for x in r",
    "x for x in it",
    "x for x in text if x != 'b'",
    "x + 1 for x in s",
    "x + cell for x in s if x",
    "x % 2 for x in s if x if x % 2",
    "x for x in s if not x",
    "x for x in s if x and x % 2",
    "x for x in s if x or x % 2",
    "x for x in s if (x or cell) and (x % 2 or x)",
    "x or cell for x in s",
    "x and cell for x in s",
    "(x if x else cell) for x in s",
    "(x + 1 if x % 2 else x % 3 if x else cell) for x in s",
    "x for x in s if 0 < x < 5",
    "x < y < 3 for x, y in pairs",
    "x is None for x in mixed",
    "x for x in mixed if x is not None",
    "x for x in s if x is None or x == 3",
    "x for x in s if x == 3 if x is not None",
    "(x, y) for x, y in pairs",
    "x + y for x, y in pairs if x if y",
    "[x, {y.value: x}, {1, 2}] for x, y in pairs",
    "x + y for x, y in bad",
    "x + y for x, y in worse",
    "x for (x,) in s",
    "x for x, in [(1,), [2], 'a', {3: 4}]",
    "1 for () in [(), []]",
    "(a, b, c) for a, (b, c) in [(1, (2, 3)), [4, 'xy'], (1, 2)]",
    "(a, b, c, d) for (a, b), (c, d) in zip(pairs, pairs)",
    "(i, x + i) for i, x in enumerate(s)",
    "x + y for x in s for y in t",
    "(x, y) for x in s if x for y in t if y % 2",
    "y for x in s for y in x",
    "(x, y) for x in lists for y in x",
    "y for x in mixed for y in x",
    "x + y + z for x in r for y in t for z in (x, y) if z",
    "x + y for x in r for x in (x, 5) for y in range(x)",
    "y + y for x in s for y in [x + 1]",
    "(x, y, z) for x in s for y in [x % 2] if y for z in [y + x]",
    "a + b for x in s for a, b in [(x, 1)]",
    "x for y in s for x in y if x % 2",
    "x['k'] for x in dicts if x['k'] != 1",
    "x['none'] for x in dicts",
    "x.value for x in s",
    "x.some + 1 for x in s",
    "x.method(1, cell) for x in s",
    "x.method(a=1, b=x) for x in s",
    "x[1] for x in s",
    "x[5] for x in s",
    "x[:2] for x in lists",
    "-x for x in mixed",
    "~x for x in r",
    "not x for x in s",
    "x in cell for x in s",
    "f'{x}-{x!r:>{9}} {x:>4}' for x in s",
    "str(x) for x in mixed",
    "len(x) for x in lists",
    "isinstance(x, (int, str)) for x in mixed",
    "unknown + x for x in r",
    "GLOBAL + x for x in r",
    "x ** 2 / (x - 2) for x in r",
    "x for x in empty",
    "x + 1 for x in (y + 2 for y in r)",
    "x + 1 for x in (y % 3 for y in s if y) if x",
    "x for x in ((a, b) for a, b in pairs if b)",
    "x + y for x in (a for a in r) for y in (b for b in (x, 2))",
    "int(x) for x in '12x4'",
    "(x for x in r) for y in r",
    "1 // x for x in (2, 1, 0, 5)",
    "did(x) for x in text",
    "(did(x), did(x + 1)) for x in r",
]
# What is refused has to work all the same.
REFUSED = {
    "did(x) for x in text",
    "(did(x), did(x + 1)) for x in r",
    "(x for x in r) for y in r",
    "x + y for x in (a for a in r) for y in (b for b in (x, 2))",
}


def build(expression, world, **more):
    """The generator: names are cells, but GLOBAL."""
    names = {**world.names(), **more}
    params = ", ".join(names)
    text = f"def build({params}):\n    return (\n        {expression}\n    )"
    scope = {"GLOBAL": 5}
    exec(compile(text, "corpus.py", "exec"), scope)  # noqa: S102
    return scope["build"](**names)


def shape(value):
    if isinstance(value, Seen):
        return f"Seen({value.value})"
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(shape, value)]
    if isinstance(value, types.GeneratorType):
        return "generator"
    return f"{type(value).__name__} {value!r}"


def entries(error):
    found = []
    for entry in traceback.extract_tb(error.__traceback__):
        if entry.filename == "corpus.py" or entry.name.startswith("__"):
            found.append((entry.name, entry.lineno))
    return found


def picture(error):
    if error is None:
        return None
    return (
        type(error),
        str(error),
        entries(error),
        picture(error.__cause__),
        picture(error.__context__),
    )


def follow(it, world, steps=60):
    """All that happens when the items are asked for one by one."""
    happened = []
    for _ in range(steps):
        try:
            happened.append(shape(next(it)))
        except StopIteration as error:
            happened.append(("stop", shape(error.value)))
        except Exception as error:
            happened.append(picture(error))
        happened.append(len(world.log))
        if happened[-2:] == happened[-4:-2] and happened[-2][0] == "stop":
            break
    return happened, world.log


def compare(expression, when=-1, error=ValueError):
    plain, native = World(when, error), World(when, error)
    try:
        generator = build(expression, plain)
    except Exception:
        return 0
    expected = follow(generator, plain)
    before = lifted()
    found = follow(pipe(build(expression, native)), native)
    assert found == expected
    return lifted() - before


@pytest.mark.parametrize("expression", CORPUS)
def test_corpus(expression):
    assert compare(expression) == (expression not in REFUSED)


@pytest.mark.parametrize("error", [ValueError, StopIteration, AttributeError])
@pytest.mark.parametrize("expression", CORPUS)
def test_corpus_raising_at_every_action(expression, error):
    world = World()
    try:
        follow(build(expression, world), world)
    except Exception:
        return
    for when in range(1, min(len(world.log), 25) + 1):
        compare(expression, when, error)


@pytest.mark.parametrize("expression", CORPUS)
def test_corpus_drained(expression):
    def outcome(reduce, world):
        try:
            return shape(reduce(build(expression, world))), world.log
        except Exception as error:
            return type(error), str(error), world.log

    assert outcome(lambda g: pipe(g).list(), World()) == outcome(list, World())


# -- what it reads -------------------------------------------------------------


def test_sources():
    def later(items):
        it = iter(items)
        next(it)
        next(it)
        return it

    makers = [
        lambda: [1, 2, 3],
        lambda: (1, 2, 3),
        lambda: range(3, 30, 5),
        lambda: range(2**70, 2**70 + 3),
        lambda: range(9, -9, -4),
        lambda: "abcd",
        lambda: "äöü",
        lambda: b"abc",
        lambda: bytearray(b"abc"),
        lambda: {1: 2, 3: 4},
        lambda: {1: 2, 3: 4}.items(),
        lambda: frozenset([5]),
        lambda: map(str, [1, 2]),
        lambda: zip([1, 2], "ab"),
        lambda: later([1, 2, 3, 4]),
        lambda: later((1, 2, 3, 4)),
        lambda: later(range(1, 90, 7)),
        lambda: later("abcd"),
        lambda: later([1, 2]),
        lambda: pipe([1, 2, 3]),
        lambda: reversed([1, 2, 3]),
    ]
    for make in makers:
        before = lifted()
        found = pipe((x,) for x in make()).list()
        assert found == [(x,) for x in make()]
        assert lifted() == before + 1


def test_a_shared_iterator_is_pulled_one_by_one():
    it = iter(range(100))
    p = pipe(x * 2 for x in it)
    before = lifted()
    assert [next(p), next(it), next(p), next(it)] == [0, 1, 4, 3]
    assert lifted() == before + 1
    inner = (x + 1 for x in [1, 2, 3, 4, 5])
    p = pipe(x * 2 for x in inner)
    assert [next(p), next(inner), next(p), next(inner)] == [4, 3, 8, 5]


def test_a_list_is_seen_as_it_grows_and_shrinks():
    for reduce in (list, lambda g: pipe(g).list()):
        items = [1, 2, 3]
        seen = []
        for x in reduce_lazily(reduce, (seen.append(x) or x for x in items)):
            if x < 3:
                items.append(x + 10)
        assert seen == [1, 2, 3] or seen == [1, 2, 3, 11, 12]
    items = [1, 2, 3]
    p = pipe(x for x in items)
    assert next(p) == 1
    items.append(4)
    del items[0]
    assert list(p) == [3, 4]
    items = list(range(5))
    found = pipe(items.append(x) or x for x in items if x < 3).take(9).list()
    assert found == [
        0, 1, 2, 0, 1, 2, 0, 1, 2,
    ]  # fmt: skip


def reduce_lazily(reduce, generator):
    return reduce(generator) if reduce is not list else generator


def test_names_are_looked_up_for_each_item():
    cell = 1

    def both(wrap):
        nonlocal cell
        cell = 1
        out = []
        for x in wrap(x + cell for x in [10, 20, 30]):
            out.append(x)
            cell += 1
        return out

    assert both(pipe) == both(iter) == [11, 22, 33]
    globals()["_late"] = 1
    p = pipe(x + _late for x in [10, 20, 30])  # noqa: F821
    assert next(p) == 11
    globals()["_late"] = 5
    assert next(p) == 25
    del globals()["_late"]
    with pytest.raises(NameError, match="_late"):
        next(p)
    assert next(p, "ended") == "ended"


# -- what is left alone --------------------------------------------------------------


def test_a_generator_that_somebody_holds():
    g = (x for x in [1, 2, 3])
    before = lifted()
    assert next(pipe(g)) == 1
    assert next(g) == 2
    args = ((x for x in [1, 2, 3]),)
    p = pipe(*args)
    assert next(p) == 1
    assert next(args[0]) == 2
    holder = {"g": (x for x in [1, 2, 3])}
    p = pipe(holder["g"])
    assert next(p) == 1
    assert next(holder["g"]) == 2
    assert lifted() == before


def test_a_generator_held_until_the_pipe_starts():
    g = (x for x in [1, 2, 3])
    p = pipe(g)
    del g
    before = lifted()
    assert list(p) == [1, 2, 3]
    assert lifted() == before + 1


def test_a_generator_that_has_begun_or_was_closed():
    def begun():
        g = (x for x in [1, 2, 3])
        next(g)
        return g

    def closed():
        g = (x for x in [1, 2, 3])
        g.close()
        return g

    def ended():
        g = (x for x in [1, 2, 3])
        list(g)
        return g

    before = lifted()
    found = pipe(begun()).list()
    assert found == [2, 3]
    found = pipe(closed()).list()
    assert found == []
    found = pipe(ended()).list()
    assert found == []
    assert lifted() == before
    found = pipe((x for x in begun())).list()
    assert found == [2, 3]
    found = pipe((x for x in closed())).list()
    assert found == []
    assert lifted() == before + 2


def test_weak_references_and_frames():
    g = (x for x in [1, 2, 3])
    ref = weakref.ref(g)
    p = pipe(g)
    del g
    before = lifted()
    assert next(p) == 1
    assert ref() is not None
    g = (x for x in [1, 2, 3])
    frame = g.gi_frame
    p = pipe(g)
    del g
    assert next(p) == 1
    assert frame.f_locals["x"] == 1
    assert lifted() == before


def test_others_are_left_alone():
    def function(source):
        for x in source:
            yield x

    async def agen():
        yield 1

    y = 0
    before = lifted()
    found = pipe(function([1, 2])).list()
    assert found == [1, 2]
    found = pipe((y := x) for x in [1, 2]).list()
    assert found == [1, 2]
    found = pipe([y for y in range(x)] for x in [1, 2]).list()
    assert found == [[0], [0, 1]]
    found = pipe((lambda: x) for x in [1, 2]).list()
    assert [f() for f in found] == [2, 2]
    found = pipe(a for a, *b in ["ab"]).list()
    assert found == ["a"]
    found = pipe(locals() for x in [1]).list()
    assert sorted(found[0]) == [".0", "x"]
    assert lifted() == before


def test_a_builtin_that_reads_frames_under_another_name():
    look = globals
    found = pipe(look() for x in [1]).list()
    assert found == [globals()]


def test_python_functions_are_called_by_the_generator():
    def double(x):
        return x * 2

    before = lifted()
    found = pipe(double(x) for x in [1, 2]).list()
    assert found == [2, 4]
    assert lifted() == before


def test_functions_made_of_its_code():
    code = (x + 1 for x in ()).gi_code
    before = lifted()
    found = pipe(x + 1 for x in [1]).list()
    assert found == [2]
    function = types.FunctionType(code, {})
    assert list(function(iter([1, 2]))) == [2, 3]
    assert "generator" in lifting.why_not(function)
    with pytest.raises(ValueError, match="generator"):
        lifting.native(function)
    found = pipe(function(iter([1, 2]))).list()
    assert found == [2, 3]
    assert lifted() >= before + 1
    if sys.version_info >= (3, 15):
        found = pipe(function([1, 2])).list()
        assert found == [2, 3]
    scope = {}
    mapped = types.FunctionType(code, scope)(iter([5]))
    found = pipe(mapped).list()
    assert found == [6]


def test_off_and_traced():
    before = lifted()
    with lifting.disabled():
        found = pipe(x for x in [1]).list()
        assert found == [1]
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append(frame.f_code.co_name))
    try:
        found = pipe(x for x in [1]).list()
        assert found == [1]
    finally:
        sys.setprofile(None)
    assert "<genexpr>" in calls
    assert lifted() == before
    found = pipe(x for x in [1]).list()
    assert found == [1]
    assert lifted() == before + 1


# -- the protocol of a generator -------------------------------------------------------


def protocol(wrap):
    """What send, throw and close do."""
    log = []

    def note(action):
        try:
            log.append(action())
        except BaseException as error:
            cause = type(error.__cause__)
            log.append((type(error), str(error), cause, entries(error)))

    def new():
        world = World()
        return wrap(build("x + 1 for x in r", world))

    p = new()
    note(lambda: p.send(5))
    note(lambda: p.send(None))
    note(lambda: p.send(5))
    note(lambda: p.throw(KeyError("k")))
    note(lambda: next(p))
    note(lambda: p.send(None))
    p = new()
    note(lambda: next(p))
    note(lambda: p.throw(StopIteration("x")))
    note(lambda: next(p))
    p = new()
    note(lambda: p.throw(KeyError("k")))
    note(lambda: next(p))
    p = new()
    note(lambda: next(p))
    note(lambda: p.throw(GeneratorExit))
    p = new()
    note(lambda: next(p))
    note(lambda: p.close())
    note(lambda: next(p))
    p = new()
    note(lambda: p.close())
    note(lambda: next(p))
    return log


def test_protocol():
    with lifting.disabled():
        expected = protocol(pipe)
    before = lifted()
    assert protocol(pipe) == expected
    assert lifted() == before + 5


def test_result_and_texts():
    p = pipe(x for x in [1, 2])
    assert repr(p) == "pipe(<generator>)"
    assert next(p) == 1
    assert repr(p) == "pipe(<generator>)"
    assert "<generator>" in p.explain()
    assert p.__length_hint__() is NotImplemented
    assert list(p) == [2]
    assert p.result is None
    p = pipe(1 // x for x in [1, 0])
    with pytest.raises(ZeroDivisionError) as info:
        p.list()
    assert info.value.__notes__ == ["pygenx: source <generator>, item 1"]
    last = traceback.extract_tb(info.value.__traceback__)[-1]
    assert (last.name, last.filename) == ("<genexpr>", __file__)
    with pytest.raises(TypeError, match="cannot pickle 'pygenx.pipe' object"):
        import pickle

        pickle.dumps(pipe(x for x in [1]))


class Closable:
    def __init__(self):
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        return 1

    def close(self):
        self.closed += 1


def test_close_drops_the_inner_source():
    inner = Closable()
    ref = weakref.ref(inner)
    with pipe(x for x in inner) as p:
        assert next(p) == 1
    assert inner.closed == 0
    p = pipe(x for x in inner)
    del inner
    assert next(p) == 1
    p.close()
    assert ref() is None


def test_an_error_lets_go_of_the_inner_source():
    def reader():
        try:
            yield from [1, 0, 2]
        finally:
            log.append("closed")

    log = []
    p = pipe(1 // x for x in reader())
    assert next(p) == 1
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert log == ["closed"]
    assert list(p) == []


def test_the_end_lets_go_at_once():
    class Item:
        pass

    items = [Item() for _ in range(3)]
    refs = [weakref.ref(x) for x in items]
    it = iter(items)
    del items
    p = pipe(x for x in it)
    del it
    for ref in refs:
        next(p)
        assert ref() is not None
    assert next(p, None) is None
    assert [ref() for ref in refs] == [None, None, None]


def test_variables_live_until_the_next_item():
    class Item:
        def __init__(self, n):
            self.n = n

        def __del__(self):
            log.append(f"del {self.n}")

    def make():
        for i in range(3):
            log.append(f"make {i}")
            yield Item(i)

    log = []
    for n in (x.n for x in make()):
        log.append(n)
    expected = log
    log = []
    before = lifted()
    for n in pipe(x.n for x in make()):
        log.append(n)
    assert log == expected
    assert lifted() == before + 1


# -- attacks ---------------------------------------------------------------------------


def test_reentry():
    class Nosy:
        def __add__(self, other):
            try:
                next(p)
            except ReentrancyError:
                return "refused"

    p = pipe(x + 1 for x in [Nosy(), 1])
    assert list(p) == ["refused", 2]

    class Closes:
        def __add__(self, other):
            with pytest.raises(ReentrancyError):
                p.close()
            return 1

    p = pipe(x + 1 for x in [Closes(), 1])
    assert list(p) == [1, 2]


def test_the_pipe_is_dropped_by_its_own_callback():
    class Drops:
        def __add__(self, other):
            box.clear()
            gc.collect()
            return 1

    box = [pipe(x + 1 for x in [Drops(), 2])]
    assert next(box[0]) == 1
    box = [pipe(x + 1 for x in [Drops(), 2])]
    assert box[0].list() == [1, 3]


def test_a_list_is_cleared_meanwhile():
    class Clears:
        def __add__(self, other):
            items.clear()
            return 1

    items = [Clears(), Clears(), 3]
    found = pipe(x + 1 for x in items).list()
    assert found == [1]

    class Unpacked:
        def __del__(self):
            pair.clear()

    pair = [Unpacked(), 2]
    rows = [[Unpacked(), 1], pair, [1, 2]]
    found = pipe((a, b) for a, b in rows).list()
    assert len(found) == 3


def test_cycles_are_collected():
    class Node:
        pass

    node = Node()
    ref = weakref.ref(node)
    items = [1, 2, node]
    p = pipe((x, node) for x in items)
    next(p)
    node.p = p
    node.items = items
    del node, p, items
    gc.collect()
    assert ref() is None


def test_deep_nesting():
    g = (x for x in range(3))
    for _ in range(200):
        g = (x + 1 for x in g)
    found = pipe(g).list()
    assert found == [200, 201, 202]


def test_a_filter_that_never_passes_can_be_interrupted():
    p = pipe(x for x in itertools.count() if x < 0)
    interrupted(lambda: next(p))


def test_recursion():
    class Deep:
        def __add__(self, other):
            return next(pipe(x + 1 for x in [Deep()]))

    with pytest.raises(RecursionError):
        pipe(x + 1 for x in [Deep()]).list()


# -- when it pays ----------------------------------------------------------------------


@pytest.mark.usefixtures("tiering")
def test_long_sources_are_taken_apart():
    data = list(range(1000))
    before = lifted()
    found = pipe(x * 2 for x in data[:5]).sum()
    assert found == 20
    assert lifted() == before
    found = pipe(x * 2 for x in data).sum()
    assert found == sum(x * 2 for x in data)
    found = pipe(x * 2 for x in range(1000)).sum()
    assert found == sum(x * 2 for x in data)
    found = pipe(x * 2 for x in (y + 1 for y in data)).count()
    assert found == 1000
    assert lifted() == before + 3


@pytest.mark.usefixtures("tiering")
def test_sources_of_unknown_length_are_judged_by_the_run_before():
    def run(n):
        before = lifted()
        found = pipe(x * 2 for x in map(int, range(n))).sum()
        assert found == n * (n - 1)
        return lifted() - before

    assert [run(5), run(1000), run(1000), run(5), run(5)] == [0, 0, 1, 1, 0]
    assert [run(1000), run(1000)] == [0, 1]


@pytest.mark.usefixtures("tiering")
def test_what_cpython_does_better_stays_its_own():
    class Thing:
        a = 1

        def method(self):
            return 1

    things = [Thing()] * 1000
    before = lifted()
    found = pipe(x.a for x in things).sum()
    assert found == 1000
    found = pipe(x.method() for x in things).sum()
    assert found == 1000
    assert lifted() == before
    found = pipe(x.upper() for x in ["a"] * 1000).count()
    assert found == 1000
    assert lifted() == before + 1


def test_stats_count_items():
    before = lifting.stats()["items_lifted"]
    pipe(x for x in range(50) if x % 2).list()
    assert lifting.stats()["items_lifted"] == before + 50
