"""Items, iterators and functions that call back: who runs them runs random acts."""

import array
import collections
import sys
import types
import weakref
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
import lifted

from fuzz.judge import error_to_raise
from fuzz.world import world


def hostile(likely=0.5, fails=0.04):
    """To be called wherever user code can run."""
    world.do(likely)
    if world.maybe(fails) and world.spend():
        raise error_to_raise(world.chance)


# items -------------------------------------------------------------------------------


class Evil:
    """Every operation is hostile. No free list and no small ints keep it alive."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value=0):
        self.value = value

    def __bool__(self):
        hostile()
        return world.maybe(0.7)

    def __hash__(self):
        hostile(0.3)
        return world.below(4)

    def __iter__(self):
        hostile()
        return iter(source())

    def __len__(self):
        hostile()
        return world.below(3)

    def __getitem__(self, key):
        hostile()
        if world.maybe(0.4) or not world.spend():
            raise IndexError(key)
        return Evil(key)

    def __getattr__(self, name):
        hostile(0.2)
        if name.startswith("__") or world.maybe(0.3):
            raise AttributeError(name)
        return callback

    def __call__(self, *args, **kwargs):
        hostile()
        return Evil(1)

    def __repr__(self):
        hostile()
        return "evil"

    def __format__(self, spec):
        hostile()
        return "evil"

    def __index__(self):
        hostile()
        return world.below(9)

    def __del__(self):
        world.do_late(0.15)


def answers_operator(name, kind):
    def operator(self, *others):
        hostile()
        if world.maybe(0.15):
            return NotImplemented
        return world.maybe(0.5) if kind == "compared" else Evil(2)

    operator.__name__ = f"__{name}__"
    setattr(Evil, operator.__name__, operator)


for _name in lifted.BINARY:
    answers_operator(_name, "binary")
    answers_operator("r" + _name, "binary")
for _name in lifted.COMPARED:
    answers_operator(_name, "compared")
for _name in lifted.UNARY:
    answers_operator(_name, "unary")


def with_hostile(base, *names):
    """A subclass of a builtin type, some of whose methods are hostile."""

    def override(name):
        method = getattr(base, name)

        def overriding(self, *args):
            hostile()
            return method(self, *args)

        return overriding

    overrides = {name: override(name) for name in names}
    return type(f"Evil{base.__name__}", (base,), overrides)


EvilInt = with_hostile(int, "__add__", "__rmul__", "__mod__", "__lt__", "__bool__")
EvilFloat = with_hostile(float, "__add__", "__mul__", "__gt__", "__neg__")
EvilStr = with_hostile(str, "lower", "split", "__eq__", "__len__", "__format__")
EvilStr.__hash__ = lambda self: world.below(3)
EvilList = with_hostile(list, "__iter__", "__len__", "__getitem__")
EvilTuple = with_hostile(tuple, "__iter__", "__len__", "__getitem__", "__add__")
EvilDict = with_hostile(dict, "__getitem__", "get", "__contains__")


class Record:
    """Its attributes are found in an instance's dict, in its class and by a property:
    acts.change_a_class moves them about while somebody looks for them."""

    text = "text"

    def __init__(self, number):
        self.number = number
        self.extra = Evil(number)

    @property
    def counted(self):
        hostile()
        return self.number

    def method(self, *args, **kwargs):
        hostile()
        return self

    def __lt__(self, other):
        hostile(0.2)
        return world.maybe(0.5)


ITEMS = (
    *[Evil] * 4,
    *[Record] * 2,
    int,
    float,
    str,
    bool,
    EvilInt,
    EvilFloat,
    EvilStr,
    lambda n: 2**62 + n,
    lambda n: None,
    lambda n: "To be or not TO be " + "ab\u00e9"[n % 3],
    lambda n: (Evil(n), n),
    lambda n: EvilTuple((Evil(n), n)),
    lambda n: [Evil(n), [n]],
    lambda n: EvilList([n, Evil(n)]),
    lambda n: {"number": n, 0: Evil(n)},
    lambda n: EvilDict(number=n),
    lambda n: bytes(n % 7),
    lambda n: source(),
    lambda n: callback,
    lambda n: world.some_live(),
)


def item(n=None):
    n = world.below(20) if n is None else n
    return world.pick(ITEMS)(n)


def items(n):
    """Mostly of one kind, with a stranger here and there."""
    kind = world.pick(ITEMS[:-3])
    made = [kind(i) for i in range(n)]
    if n and world.maybe(0.3):
        made[world.below(n)] = item()
    return made


# functions ---------------------------------------------------------------------------


def callback(*args, **kwargs):
    """An opaque function; gives an argument, an item or a truth."""
    hostile(fails=0.06)
    if not world.spend():
        raise LookupError("no fuel")
    kind = world.chance.random()
    if kind < 0.55 and args:
        return args[0]
    return item() if kind < 0.85 else world.maybe(0.5)


TEXTS = (
    *("x", "x + 1", "x * 2 - 1", "x % 3 == 1", "-x", "x * x > 4", "x if x else g"),
    *("x.number", "x.extra + 1", "x.text", "x.method(g)", "x.counted", "x[0]"),
    *("x['number']", "x[1:]", "f'{x}{g}'", "(x, g)", "[x, c]", "{x: g}", "x in c"),
    *("len(x)", "str(x)", "g(x)", "c(x)", "x + g", "x + c", "x == g", "0 < x < g"),
    *("x and g or c", "not x", "x is None", "x.lower()", "abs(x)", "isinstance(x, g)"),
    *("(x.extra, x.number)", "x * 0.5", "x // 2 if x % 2 else x * 3", "x ** 2"),
)


def function(arity=1):
    """A function from text: lifted if it can be. Its parts are known to the world."""
    if world.maybe(0.25):
        text = lifted.expression(world.chance, world.below(3))
    else:
        text = world.pick(TEXTS)
    if "2**" in text or (arity == 2 and ("**" in text or "x * x" in text)):
        text = "x"  # texts of 2**31 characters, numbers that accumulate() squares
    names = world.names
    names.setdefault("g", item())
    names.setdefault("callback", callback)
    if world.maybe(0.1):
        text = f"callback({text})"
    parameters = world.pick(("x, y=1", "x, y=2, *, k=3")) if arity == 1 else "x, y"
    source = f"def make(c):\n return lambda {parameters}: {text}\n"
    try:
        exec(source, names)
    except SyntaxError:  # quotes in quotes before 3.12
        return callback
    made = names.pop("make")(item())
    world.functions.append(made)
    world.cells.extend(made.__closure__ or ())
    world.crowd(world.functions, 12)
    world.crowd(world.cells, 12)
    return made


def some_function(arity=1):
    """What a stage may be given: lifted or not, of Python or C, an expression."""
    from fuzz import build

    kind = world.chance.random()
    if kind < 0.35:
        return callback
    if kind < 0.75:
        return function(arity)
    if kind < 0.8 and world.functions:
        return world.pick(world.functions)
    if arity == 2:
        return world.pick((callback, max, Evil(0), build.PAIRS))
    return world.pick((str, len, int, abs, Evil(0), str.lower, str.split, build.one))


# sources -----------------------------------------------------------------------------


class Iterator:
    """Everything that is asked of it is hostile."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        hostile(0.2, 0.02)
        return self

    def __next__(self):
        hostile(fails=0.02)
        self.n -= 1
        if self.n < 0 or not world.spend():
            raise StopIteration(Evil(3))
        return item(self.n)

    def __length_hint__(self):
        hostile(0.2)
        return world.pick((0, self.n % 100, NotImplemented, 2**80, -1, 5))

    def send(self, value):
        hostile()
        return next(self)

    def throw(self, *error):
        hostile()
        if world.maybe(0.5):
            raise error[0]
        return item()

    def close(self):
        hostile(fails=0.2)

    def __del__(self):
        world.do_late(0.4)


class GetItem:
    """The old sequence protocol."""

    def __init__(self, n):
        self.n = n

    def __getitem__(self, index):
        hostile()
        if index >= self.n:
            raise IndexError(index)
        return item(index)


def generator(n):
    received = None
    for i in range(n):
        try:
            world.do()
            received = yield item(i) if received is None else received
        except LookupError:
            world.do()
        if not world.spend():
            break
    return Evil(n)


def numbers(n):
    """What lanes are made for, now and then with something in it that is not."""
    shape = world.pick((int, float, lambda i: i % 3 == 0, lambda i: 2**61 + i, str))
    made = [shape(i) for i in range(n)]
    if n and world.maybe(0.4):
        made[world.below(n)] = world.pick((True, 2**70, 0.5, None, "x", Evil(1)))
    return made


def length():
    return world.pick((0, 1, 2, 3, 5, 8, 40, 100))


def from_expression():
    """A generator expression that nobody else holds, maybe over another one."""
    inner = source() if world.maybe(0.5) else range(length())
    names = world.names
    names.setdefault("g", item())
    names["inner"] = inner
    del inner
    texts = (
        "(x for x in inner)",
        "(x + 1 for x in inner if x)",
        "(x * 2 for x in inner)",
        "((x, y) for x in inner for y in (x, g))",
        "(a for a, *b in inner)",
        "(a + b for a, b in inner)",
        "(x.number for x in inner)",
        "(y for y in (x for x in inner if x) if y)",
        "(callback(x) for x in inner)",
        "(x[0] for x in inner if g)",
    )
    names.setdefault("callback", callback)
    made = eval(world.pick(texts), names)
    names.pop("inner", None)
    return made


class Shared(array.array):
    """An array that can be watched dying."""


SOURCES = (
    *[lambda n: Iterator(n)] * 3,
    *[lambda n: generator(n)] * 3,
    *[lambda n: world.keep_data(items(n))] * 3,
    *[lambda n: world.keep_data(numbers(n))] * 2,
    *[lambda n: from_expression()] * 3,
    lambda n: world.keep_data(numbers(700)),
    lambda n: world.keep_data(array.array(world.pick("bBqdI"), range(n))),
    lambda n: world.keep_data(array.array("d", range(1100))),
    lambda n: memoryview(world.keep_data(bytearray(range(n)))),
    lambda n: memoryview(world.keep_data(array.array("q", range(n))))[::-2],
    lambda n: world.keep_data(bytearray(n)),
    lambda n: world.keep_data(dict.fromkeys(range(n), Evil(n))).items(),
    lambda n: world.keep_data({i: item() for i in range(n % 9)}),
    lambda n: world.keep_data(set(range(n))),
    lambda n: world.keep_data(collections.deque(items(n))),
    lambda n: world.keep_data(EvilList(items(n))),
    lambda n: range(n),
    lambda n: range(3000),
    lambda n: range(2**63 - 50, 2**63 + n),
    lambda n: tuple(items(n)),
    lambda n: "some text " * (n % 20),
    lambda n: ["To be", " or not\t", "TO BE " * 40, EvilStr("be or")] * 3,
    lambda n: map(Evil, range(n)),
    lambda n: GetItem(n),
    lambda n: iter(world.keep_data(items(n))),
    lambda n: weakref.proxy(world.keep_data(collections.deque(range(n)))),
    lambda n: zip(items(n), items(n), strict=False),
    lambda n: Record,
)


def source():
    """Something to read, which may be no iterable at all."""
    if world.maybe(0.2):
        found = world.some_live()
        if found is not None:
            return found
    return world.pick(SOURCES)(length())


# an async generator and a coroutine, driven by hand ----------------------------------


@types.coroutine
def suspend():
    hostile()
    return (yield item())


async def async_generator(n=3):
    for _ in range(n):
        try:
            await suspend()
            yield item()
        except LookupError:
            hostile()


async def coroutine():
    await suspend()
    return item()
