"""Random programs on pygenx and on its reference: items, errors, pulls and calls, in
their order, must be the same.

tests/test_differential.py does so for all stages with opaque callbacks. Here sources
are long enough for lanes, functions are lifted, and there is mischief: at one of the
calls back, in both legs at the same one, a global, a cell, a function's code, a class,
the list that is being read, the tracer or lifting itself is changed, an error raised,
or the pipe re-entered.
"""

import array
import gc
import importlib
import math
import operator
import pickle
import random
import sys
import warnings

import lifted

import pygenx
from fuzz.judge import Finding

LENGTHS = (0, 7, 100, 150, 300, 511, 512, 513, 700, 700, 1100)


# what can be read --------------------------------------------------------------------


class Sly:
    """A number whose operators and attributes call back."""

    def __init__(self, run, value):
        self.run = run
        self.value = value

    text = "text"

    def __add__(self, other):
        self.run.called("add", self.value)
        return Sly(self.run, self.value + 1)

    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __mod__ = __add__

    def __lt__(self, other):
        self.run.called("lt", self.value)
        return self.value % 3 == 0

    __gt__ = __eq__ = __lt__
    __hash__ = None

    def __bool__(self):
        self.run.called("bool", self.value)
        return self.value % 4 != 0

    @property
    def real(self):
        self.run.called("real", self.value)
        return self.value

    def method(self, *args):
        self.run.called("method", self.value)
        return self.value

    def __getitem__(self, key):
        self.run.called("getitem", self.value)
        if isinstance(key, int) and key > 20:
            raise IndexError(key)  # iterated over by flat_map(), it comes to an end
        return self.value

    def __repr__(self):
        self.run.called("repr", self.value)
        return f"Sly({self.value})"


def loud(base):
    """A subclass of a number whose operators are not those of the number."""

    def answer(self, *others):
        LOUD[-1].called("loud", base(self))
        return base(77)

    names = ("add", "radd", "mul", "rmul", "sub", "mod", "neg", "floordiv", "truediv")
    return type("Loud", (base,), {f"__{name}__": answer for name in names})


LOUD = [None]  # the run
LoudInt = loud(int)
LoudFloat = loud(float)


def strange(chance, run):
    """What has no place among small ints and floats."""
    edges = (2**62, 2**63 - 1, -(2**63), 2**63, 2**53 + 1, 10**30)
    others = (True, False, 0.5, -0.0, math.nan, math.inf, 1e300, None, "x", (1, 2))
    kinds = (LoudInt(3), LoudFloat(2.5), LoudInt(4), Sly(run, 5), Sly(run, 6))
    return chance.choice((*edges, *others, *kinds, *kinds))


def numbers(chance, run, n):
    start = chance.choice((0, 0, 0, -50, 2**31 - 100, 2**62))
    plain = (
        lambda i: i,
        lambda i: start + i,
        lambda i: i * 0.5 - 3,
        lambda i: i % 50 - 9,
        lambda i: i % 3 == 0,
    )
    others = (lambda i: i if i % 2 else i + 0.5, lambda i: Sly(run, i))
    shape = chance.choice(plain if run.numeric else (*plain, *others, *others))
    made = [shape(i) for i in range(n)]
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        if n:
            made[chance.randrange(n)] = strange(chance, run)
    return made


class Asked:
    """A plain iterator that writes down its pulls, and fails at one of them."""

    def __init__(self, run, items, fails):
        self.run = run
        self.items = items
        self.at = 0
        self.fails = fails

    def __iter__(self):
        return self

    def __next__(self):
        self.run.called("pull", self.at)
        self.at += 1
        if self.at == self.fails:
            raise ZeroDivisionError("source")
        if self.at > len(self.items):
            raise StopIteration
        return self.items[self.at - 1]


def giving(run, items):
    try:
        for item in items:
            run.called("yield")
            yield item
    finally:
        run.called("finally")


def make_source(chance, run):
    n = chance.choice(LENGTHS)
    kind = chance.choice("lllltrrab" if run.numeric else "lllltrabiigdmwe")
    if kind == "l":
        run.read = numbers(chance, run, n)
        return run.read
    if kind == "t":
        return tuple(numbers(chance, run, n))
    if kind == "r":
        step = chance.choice((1, 1, 1, 2, -3, 2**58))
        start = chance.choice((0, 0, 0, -20, 2**62, 2**63 - 100))
        return range(start, start + n * step, step)
    if kind == "a":
        code = chance.choice("bBhiIqQfd")
        run.read = array.array(code, [i % 100 for i in range(n)])
        return run.read
    if kind == "b":
        code = chance.choice("bBhiIqQfd")
        view = memoryview(array.array(code, [i % 100 for i in range(n)]))
        return view[:: chance.choice((1, 1, 2, -1))]
    if kind == "i":
        return Asked(run, numbers(chance, run, n), chance.choice((0, 0, n // 2, 3)))
    if kind == "g":
        return giving(run, numbers(chance, run, n))
    if kind == "d":
        run.read = {i: Sly(run, i) for i in range(n)}
        return run.read
    if kind == "m":
        run.read = [{"a": i, 0: i % 5} for i in range(n)]
        return run.read
    if kind == "w":
        words = ["To be", " or\tnot ", "\u00c9t\u00e9 TO", "", "be " * (n % 30)]
        return [chance.choice(words) for _ in range(n)]
    return expression(chance, run)


EXPRESSIONS = (
    "(x + 1 for x in inner)",
    "(x * g for x in inner if x)",
    "(x for x in inner if x > 3)",
    "(x % 7 for x in inner if x % 2)",
    "((x, y) for x in inner for y in (x, g))",
    "(y + 1 for y in (x * 2 for x in inner if x) if y > 5)",
    "(called(x) for x in inner)",
    "(x.real for x in inner)",
    "(x if x else c for x in inner)",
)


def expression(chance, run):
    """A generator expression that nobody else holds."""
    run.names["inner"] = numbers(chance, run, chance.choice(LENGTHS))
    run.read = run.names["inner"]
    return eval(chance.choice(EXPRESSIONS), run.names)


# functions and stages ----------------------------------------------------------------

NUMERIC = (
    *("x + 1", "x * 2 - 1", "x % 3 == 1", "-x", "x * x > 4", "x if x else g", "x + g"),
    *("x + c", "x == g", "0 < x < g", "not x", "x * 0.5", "x // 3", "x % 7", "x / 2"),
    *("x ** 2", "x >> 1", "x & 255", "x // g", "x / g", "x if x % 2 else x * 3"),
    *("x > c", "x - g * c", "x + y", "x * y", "x != c", "x < 300", "x"),
)
TEXTS = (
    *("x", "x + 1", "x * 2 - 1", "x % 3 == 1", "-x", "x * x > 4", "x if x else g"),
    *("x + g", "x + c", "x == g", "0 < x < g", "x and g or c", "not x", "x * 0.5"),
    *(
        "x // 3",
        "x % 7",
        "x / 2",
        "x ** 2",
        "x >> 1",
        "x & 255",
        "x | 1",
        "~x",
        "abs(x)",
    ),
    *("x // g", "x / g", "x * x * x", "x if x % 2 else x * 3", "x > c", "x - g * c"),
    *("(x, g)", "[x, c]", "str(x)", "f'{x}'", "x.real", "x['a']", "x[0]", "called(x)"),
    *("x.method(g)", "x.text", "called(x) + 1", "(x.real, g)", "x is None", "x < y"),
    *("x + y", "g(x)", "len(x)", "x in (1, 2, g)", "int(x)", "float(x)", "max(x, g)"),
)


def make_function(chance, run, two=False, often=False):
    """A lambda from text; opaque where it calls `called`."""
    text = chance.choice(NUMERIC if run.numeric else TEXTS)
    if not run.numeric and chance.random() < 0.15:
        text = lifted.expression(chance, 2)
        if "2**" in text:  # too much memory for a text
            text = "x"
    if two:
        product = "x * y" if run.numeric else "x * (y % 9)"  # texts stay short
        text = chance.choice(("x + y", product, "x if x > y else y", "(y, 1)", "x < y"))
    if often:
        text = chance.choice(("x != c", "x is not None", "g or x", "x < 600"))
    parameters = "x, y" if two else chance.choice(("x, y=1", "x, *, y=2"))
    try:
        exec(f"def make(c):\n return lambda {parameters}: {text}\n", run.names)
    except SyntaxError:
        return len
    made = run.names.pop("make")(chance.choice((0, 1, 3, 2.5, Sly(run, 8))))
    run.functions.append(made)
    return made


def make_this(chance, run):
    """The stages of the reference take functions only."""
    this = run.px.this
    made = chance.choice(
        (
            lambda: this + 1,
            lambda: this * 2 - this,
            lambda: this % 3 == 1,
            lambda: this.real,
            lambda: this["a"],
            lambda: -this // 2,
            lambda: run.px.all_of(this, this > 1),
            lambda: run.px.any_of(this, 7),
            lambda: run.px.call(str, this),
            lambda: run.px.call(run.called, this),
        )
    )()
    return made if run.px is pygenx else run.px.func(made)


def one_argument(chance, run):
    kind = chance.random()
    if kind < 0.75:
        return make_function(chance, run)
    if kind < 0.9:
        return make_this(chance, run)
    return chance.choice((str, abs, bool, float, run.called))


def add_stage(chance, run, p, pushed=False):
    name = chance.choice(NUMBER_STAGES if run.numeric else STAGES)
    if name == "through" and pushed:
        name = "tap"  # it asks for its items itself
    if name == "takewhile" and chance.random() < 0.7:
        return p.takewhile(make_function(chance, run, often=True))
    if name in ONE_ARGUMENT:
        return getattr(p, name)(one_argument(chance, run))
    if name == "accumulate":
        return p.accumulate(chance.choice((None, make_function(chance, run, True))))
    if name == "starmap":
        return p.enumerate(3).starmap(make_function(chance, run, True))
    if name == "catch":
        return p.catch(TypeError, ZeroDivisionError, AttributeError)
    if name in ("unique_everseen", "unique_justseen", "groupby"):
        return getattr(p, name)(chance.choice((None, one_argument(chance, run))))
    if name in ("pairwise", "flatten"):
        return getattr(p, name)()
    if name == "words":
        return p.map(str).map(str.strip).flat_map(str.split).map(str.lower)
    if name == "through":
        return p.through(through)
    if name == "tap":
        return p.tap(run.called)
    number = chance.choice((1, 2, 3, 10, 100, 600))
    if name == "sliding_window":
        number = min(number, 10)  # many long windows take long to be shown
    if name in ("chain", "prepend", "zip"):
        return getattr(p, name)(range(number))
    return getattr(p, name)(number)


def through(items):
    for item in items:
        yield item, 1


ONE_ARGUMENT = {
    *("map", "filter", "filterfalse", "takewhile", "dropwhile", "filter_map"),
    *("takewhile_inclusive", "locate"),
}
STAGES = (
    *["map"] * 8,
    *["filter"] * 5,
    *("filterfalse", "filterfalse", "takewhile", "takewhile", "dropwhile", "words"),
    *("filter_map", "takewhile_inclusive", "locate", "accumulate", "starmap", "catch"),
    *("unique_justseen", "groupby", "pairwise", "flatten", "take", "take", "drop"),
    *("tail", "enumerate", "batched", "chunked", "sliding_window", "chain", "prepend"),
    *("zip", "through", "tap"),
)

NUMBER_STAGES = (*["map"] * 5, *["filter"] * 3, "filterfalse", "takewhile", "take")

# terminals: name -> arguments ---------------------------------------------------------

TERMINALS = {
    "list": lambda chance, run: (),
    "tuple": lambda chance, run: (),
    "sum": lambda chance, run: chance.choice(((), (1,), (0.5,))),
    "min": lambda chance, run: (),
    "max": lambda chance, run: (),
    "any": lambda chance, run: (),
    "all": lambda chance, run: (),
    "count": lambda chance, run: (),
    "array": lambda chance, run: (chance.choice("bqQd"),),
    "reduce": lambda chance, run: (
        chance.choice(
            (operator.add, operator.mul, max, make_function(chance, run, True))
        ),
    ),
    "first_true": lambda chance, run: (None, one_argument(chance, run)),
    "frequencies": lambda chance, run: (),
    "for_each": lambda chance, run: (run.called,),
    "first": lambda chance, run: (None,),
    "last": lambda chance, run: (None,),
    "nth": lambda chance, run: (chance.choice((0, 3, 600)),),
    "consume": lambda chance, run: chance.choice(((), (5,))),
    "map_reduce": lambda chance, run: (one_argument(chance, run),),
    "reduceby": lambda chance, run: (
        one_argument(chance, run),
        make_function(chance, run, True),
    ),
}


OFTEN = ("list", "sum", "count", "tuple", "list", "sum", "reduce", "max", "consume")

# mischief ----------------------------------------------------------------------------


def no_mischief(run):
    pass


def grow(run):
    if isinstance(run.read, list) and len(run.read) < 5000:
        run.read.append(9)
        run.read.extend(run.read[:30])


def shorten(run):
    if isinstance(run.read, list):
        del run.read[len(run.read) // 2 :]


def clear(run):
    if isinstance(run.read, (list, dict)):
        run.read.clear()


def overwrite(run):
    if isinstance(run.read, list):
        for i in range(0, len(run.read), 3):
            run.read[i] = Sly(run, i)
    elif isinstance(run.read, array.array):
        for i in range(len(run.read)):
            run.read[i] = 7


def resize(run):
    """Python's iterator reads an array by index; a view of it forbids it."""
    if isinstance(run.read, array.array):
        try:
            run.read.extend(run.read[:40])
        except BufferError:
            run.trace.append("BufferError")


def other_global(run):
    run.names["g"] = 2.5


def no_global(run):
    run.names.pop("g", None)


def shadow_builtins(run):
    run.names["str"] = run.names["abs"] = run.names["len"] = run.called


def other_code(run):
    for func in run.functions:
        if not func.__closure__:
            continue
        exec("def make(c):\n return lambda x, y=1: (c, x)\n", run.names)
        func.__code__ = run.names.pop("make")(0).__code__


def other_defaults(run):
    for func in run.functions:
        if func.__kwdefaults__:
            func.__kwdefaults__ = {"y": 8}
        elif func.__defaults__:
            func.__defaults__ = (6,)


def other_cells(run):
    for func in run.functions:
        for cell in func.__closure__ or ():
            cell.cell_contents = 11


def empty_cells(run):
    for func in run.functions:
        for cell in func.__closure__ or ():
            del cell.cell_contents


def other_class(run):
    Sly.text = property(lambda self: self.value)
    Sly.method = lambda self, *args: "other"


def attributes_by_hand(run):
    Sly.__getattribute__ = lambda self, name: object.__getattribute__(self, name)
    Sly.__getattr__ = lambda self, name: name


def trace_on(run):
    sys.settrace(lambda frame, event, argument: None)


def profile_on(run):
    sys.setprofile(lambda frame, event, argument: None)


def lifting_off(run):
    pygenx.lifting._switch(1)
    run.off += 1


def collect(run):
    gc.collect()


def reenter(run):
    run.try_on(lambda: next(run.made))


def close_inside(run):
    run.try_on(lambda: run.made.close())


def raise_error(run):
    raise run.error("mischief")


MISCHIEF = (
    *[no_mischief] * 6,
    *(grow, grow, shorten, shorten, clear, overwrite, overwrite, resize),
    *(other_global, no_global, shadow_builtins, other_code, other_defaults),
    *(other_cells, empty_cells, other_class, attributes_by_hand, trace_on, profile_on),
    *(lifting_off, collect, reenter, close_inside, raise_error, raise_error),
)
ERRORS = (ValueError, StopIteration, KeyboardInterrupt, GeneratorExit, MemoryError)


# a run -------------------------------------------------------------------------------


class Run:
    """One playing of a seed on one leg."""

    def __init__(self, leg, seed, eager):
        self.px = importlib.import_module(leg)
        self.trace = []
        self.calls = 0
        self.functions = []
        self.read = self.made = None
        self.off = 0
        chance = random.Random(f"{seed}/mischief")
        self.numeric = chance.random() < 0.4  # what lanes are made for
        at = (1, 2, 3, 5, 30, 70, 100, 130, 200, 600)
        self.mischief = {
            chance.choice(at): chance.choice(MISCHIEF)
            for _ in range(chance.choice((1, 1, 2, 4)))
        }
        self.error = chance.choice(ERRORS)
        self.names = {"called": self.called, "g": chance.choice((0, 3, 7, 2.5, -1))}

    def called(self, *args):
        """Somebody called back; this may be the moment."""
        self.trace.append(tuple(map(show_briefly, args)))
        self.calls += 1
        self.mischief.get(self.calls, no_mischief)(self)
        return args[0] if args else None

    def try_on(self, action):
        """What the pipe says to those that it has called itself."""
        if isinstance(self.made, (self.px.pipe, self.px.chain)):
            self.attempt(action)

    def attempt(self, action):
        try:
            self.trace.append(("gave", show(action())))
        except BaseException as error:
            self.trace.append(("raised", *describe(error)))

    def play(self, chance):
        how = chance.choice(
            ("drain", "drain", "drain", "pull", "mixed", "push", "bound")
        )
        stages = chance.randrange(5)
        terminal = chance.choice((*sorted(TERMINALS), *OFTEN, *OFTEN))
        self.attempt(lambda: getattr(self, how)(chance, stages, terminal))

    def pipe(self, chance, stages):
        self.made = self.px.pipe(make_source(chance, self))
        if chance.random() < (0.1 if self.numeric else 0.6):
            self.made = self.made.tap(self.called)
        for _ in range(stages):
            self.made = add_stage(chance, self, self.made)
        return self.made

    def drain(self, chance, stages, terminal):
        p = self.pipe(chance, stages)
        args = TERMINALS[terminal](chance, self)
        return getattr(p, terminal)(*args)

    def pull(self, chance, stages, terminal):
        p = self.pipe(chance, stages)
        for _ in range(2500):
            self.attempt(lambda: next(p))
            if self.trace[-1] == ("raised", "StopIteration", ()):
                break

    def mixed(self, chance, stages, terminal):
        """Some items by next(), the others by a terminal."""
        p = self.pipe(chance, stages)
        for _ in range(chance.choice((1, 3, 50, 130))):
            self.attempt(lambda: next(p))
        args = TERMINALS[terminal](chance, self)
        return getattr(p, terminal)(*args)

    def program(self, chance, stages, pushed):
        made = self.px.Pipeline()
        for _ in range(stages):
            made = add_stage(chance, self, made, pushed)
        return made

    def bound(self, chance, stages, terminal):
        """A Reducer, used twice; pickled in between where it can be."""
        args = TERMINALS[terminal](chance, self)
        reducer = getattr(self.program(chance, stages, False), terminal)(*args)
        source = make_source(chance, self)
        self.attempt(lambda: reducer(source))
        if self.px is pygenx and chance.random() < 0.5:
            try:
                reducer = pickle.loads(pickle.dumps(reducer))
            except Exception:
                return None
        return None

    def push(self, chance, stages, terminal):
        kept = []
        push = self.program(chance, stages, True).into(kept.append)
        items = make_source(chance, self)
        for item in items:
            self.attempt(lambda item=item: push.send(item))
            if self.trace[-1][:2] == ("raised", "StopIteration"):
                break
        self.attempt(push.close)
        return kept


FREE = (AttributeError, BufferError, LookupError, RecursionError, OverflowError)


def describe(error):
    """What of an error is the same on both legs."""
    name = type(error).__name__
    if isinstance(error.__cause__, StopIteration):
        return name, "of", show(error.__cause__.args)
    if isinstance(error, (*FREE, ValueError, RuntimeError)):
        return name, ()
    return name, show(error.args)


def show_briefly(value):
    """What comes often and may be long."""
    if type(value) in (list, tuple) and len(value) > 20:
        return type(value).__name__, len(value), show(value[0]), show(value[-1])
    return show(value)


def show(value):
    if type(value) is Sly:
        return "Sly", value.value
    if isinstance(value, array.array):
        return "array", value.typecode, value.tolist().__repr__()
    if isinstance(value, dict) and type(value) is not dict:
        return type(value).__name__, show(dict(value))
    if isinstance(value, (list, tuple)) and len(value) > 3000:
        return type(value).__name__, [show(part) for part in value]
    return lifted.show(value)


def play(seed, only=None, verbose=False, report=None):
    """One seed on both legs. Raises a Finding where they differ."""
    warnings.simplefilter("ignore")
    report(0)
    eager = random.Random(f"{seed}/eager").random() < 0.5
    traces = []
    for leg in ("pygenx", "reference"):
        run = Run(leg, seed, eager)
        play_leg(run, seed, eager)
        traces.append(run.trace)
    ours, wanted = traces
    if verbose:
        print(run.mischief, *map(str, ours), sep="\n")
    if ours != wanted:
        names = [mischief.__name__ for mischief in run.mischief.values()]
        raise Finding(f"compared {names}: {difference(ours, wanted)}")


def play_leg(run, seed, eager):
    original = dict(vars(Sly))
    LOUD[0] = run
    pygenx.lifting._eager(eager)
    try:
        run.play(random.Random(f"{seed}/program"))
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        pygenx.lifting._switch(-run.off)
        pygenx.lifting._eager(-eager)
        for name in set(vars(Sly)) - set(original):
            delattr(Sly, name)
        Sly.text, Sly.method = original["text"], original["method"]


def difference(ours, wanted):
    for place, (one, other) in enumerate(zip(ours, wanted, strict=False)):
        if one != other:
            return f"event {place}\n  pygenx: {one!s:.1500}\n  wanted: {other!s:.1500}"
    longer = ours if len(ours) > len(wanted) else wanted
    name = "pygenx" if longer is ours else "the reference"
    more = longer[min(len(ours), len(wanted)) :][:3]
    return f"{name} has more: {more!s:.1500}"
