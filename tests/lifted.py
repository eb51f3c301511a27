"""Random expressions and operands, run as Python runs them and natively.

What is compared: the result with its type, the exception with its arguments, text and
place in the source, the order of all special methods that ran, and the state of the
arguments afterwards.
"""

import random
import re
from contextlib import contextmanager
from pathlib import Path

from pygenx import lifting

# -- operands ----------------------------------------------------------------


class Log:
    """What ran, in order, and chances to fail drawn from a seed."""

    def __init__(self, seed):
        self.events = []
        self.random = random.Random(seed)

    def __call__(self, name, *args):
        self.events.append((name, *map(brief, args)))
        chance = self.random.random()
        if chance < 0.06:
            raise ValueError(name)
        if chance < 0.08:
            raise StopIteration(name)


def brief(value):
    """A text of any operand that runs none of its methods."""
    if type(value) is int and value.bit_length() > 1000:
        return hex(value)
    if type(value) in (str, bytes) and len(value) > 1000:
        return f"{type(value).__name__} of {len(value)}, {hash(value)}"
    if type(value) in (int, float, str, bytes, bool, type(None), complex):
        return repr(value)
    if type(value) in (list, tuple, set, frozenset, dict):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


BINARY = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "matmul",
]
COMPARED = ["lt", "le", "eq", "ne", "gt", "ge"]
UNARY = ["neg", "pos", "invert"]


class Logged:
    """Every operator there is: says so, and gives itself, a number or nothing."""

    def __init__(self, log, value=1):
        self.log = log
        self.value = value

    def __bool__(self):
        self.log("bool")
        return bool(self.value % 2)

    def __hash__(self):
        self.log("hash")
        return self.value

    def __len__(self):
        self.log("len")
        return self.value % 3

    def __iter__(self):
        self.log("iter")
        return iter(range(self.value % 3))

    def __contains__(self, item):
        self.log("contains", item)
        return self.value % 2

    def __getitem__(self, key):
        self.log("getitem", key)
        return Logged(self.log, self.value + 1)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.log("getattr", name)
        if self.value % 5 == 0:
            raise AttributeError(name)
        return Logged(self.log, self.value + 3)

    def __call__(self, *args, **kwargs):
        self.log("call", *args, *kwargs.values(), *kwargs)
        return Logged(self.log, self.value + 5)

    def __repr__(self):
        self.log("repr")
        return f"<{self.value}>"

    def __str__(self):
        self.log("str")
        return f"({self.value})"

    def __format__(self, spec):
        self.log("format", spec)
        return f"[{self.value}:{spec}]"

    def __index__(self):
        self.log("index")
        return self.value


def answer(name, also):
    def method(self, *others):
        self.log(name, *others)
        if self.value % 7 == 3:
            return NotImplemented
        return Logged(self.log, self.value + also)

    return method


for _i, _name in enumerate(BINARY):
    setattr(Logged, f"__{_name}__", answer(_name, 2 * _i))
    setattr(Logged, f"__r{_name}__", answer(f"r{_name}", 2 * _i + 1))
for _i, _name in enumerate(COMPARED + UNARY):
    setattr(Logged, f"__{_name}__", answer(_name, _i))


def overriding(base, names):
    """A subclass of a builtin with some of its special methods overridden."""
    overrides = {}
    for name in names:
        method = getattr(base, name)

        def override(self, *args, method=method, name=name):
            LOGS[-1](f"{base.__name__}.{name}", *args)
            return method(self, *args)

        overrides[name] = override
    return type(f"My{base.__name__}", (base,), overrides)


LOGS = [
    Log(0)
]  # of the case that runs: instances of builtins' kin have no place for it
MyInt = overriding(
    int, ["__add__", "__rsub__", "__eq__", "__bool__", "__lt__", "__mod__"]
)
MyFloat = overriding(float, ["__mul__", "__radd__", "__le__", "__neg__"])
MyStr = overriding(
    str, ["__add__", "__getitem__", "__format__", "__contains__", "upper"]
)
MyList = overriding(
    list, ["__getitem__", "__len__", "__iter__", "__contains__", "__add__"]
)
MyDict = overriding(dict, ["__getitem__", "__contains__", "get", "__or__"])
MyInt.__hash__ = int.__hash__


class MyMissing(dict):
    def __missing__(self, key):
        LOGS[-1]("missing", key)
        return key


class Slotted:
    __slots__ = ("real", "upper")

    def __init__(self):
        self.real = 7


class Plain:
    """Attributes of all kinds."""

    real = 1

    def __init__(self, log):
        self.numerator = 5
        self.log = log

    @property
    def imag(self):
        self.log("imag")
        return 2

    def upper(self, *args, **kwargs):
        self.log("upper", *args, *kwargs)
        return self

    @classmethod
    def get(cls, *args):
        return args

    @staticmethod
    def split(*args):
        return args


EDGES = [
    sign * (2**bits + offset)
    for bits in (31, 53, 62, 63)
    for offset in (-1, 0, 1)
    for sign in (1, -1)
]


def operands(log):
    """One of each, made anew for each run."""
    return [
        0,
        1,
        -1,
        2,
        3,
        -5,
        7,
        255,
        2**30 - 1,
        2**30,
        -(2**30),
        10**25,
        -(10**30),
        *EDGES,
        True,
        False,
        None,
        0.0,
        -0.0,
        1.5,
        -2.5,
        1e300,
        float("nan"),
        float("inf"),
        float("-inf"),
        1j,
        "",
        "a",
        "abc",
        "é€",
        "%s",
        "0",
        b"",
        b"ab",
        bytearray(b"xy"),
        (),
        (1,),
        (1, 2, 3),
        ("a", None),
        [],
        [1, 2],
        [[1], "b"],
        {},
        {"a": 1, 1: 2},
        {0: "x", None: 5},
        {1, 2},
        frozenset("ab"),
        range(3),
        slice(1, 2),
        int,
        str,
        len,
        Logged(log),
        Logged(log, 2),
        Logged(log, 3),
        Logged(log, 5),
        Logged(log, 10),
        MyInt(3),
        MyInt(0),
        MyFloat(2.5),
        MyStr("text"),
        MyList([1, 2, 3]),
        MyDict({"a": 2}),
        MyMissing(b=1),
        Slotted(),
        Plain(log),
        NotImplemented,
        ...,
    ]


COUNT = len(operands(None))

# -- expressions ----------------------------------------------------------------

OPERATORS = ["+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", "@", "**"]
COMPARISONS = ["<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not"]
CONSTANTS = [
    "0",
    "1",
    "2",
    "-1",
    "3",
    "10",
    "1.5",
    "0.0",
    "-0.0",
    "True",
    "None",
    "'a'",
    "'%s'",
    "''",
    "b'a'",
    "(1, 2)",
    "()",
    "2**31",
    "2**53",
    "2**62",
    "2**63",
    "...",
    "1j",
]
NAMES = ["x", "y", "c", "g"]  # parameters, a closure's variable, a global
FUNCTIONS = [
    "len",
    "str",
    "abs",
    "int",
    "repr",
    "bool",
    "tuple",
    "sorted",
    "isinstance",
    "max",
    "g",
    "c",
    "x",
    "unbound",
    "sum",
    "float",
    "list",
    "type",
    "empty",
]
ATTRIBUTES = ["real", "imag", "numerator", "upper", "nothing", "start"]
METHODS = [
    "upper",
    "split",
    "get",
    "count",
    "index",
    "append",
    "join",
    "keys",
    "__add__",
    "bit_length",
    "as_integer_ratio",
    "hex",
    "pop",
    "nothing",
    "strip",
]
SPECS = ["", ":>5", ":x", ":.2f", ":{y}", ":{x!r:>3}", ":>{c}", "!r", "!s", "!a:^9"]


def expression(rng, depth, assigned=None):
    """Source text of an expression over NAMES, not deeper than that."""
    if depth <= 0 or rng.random() < 0.12:
        return rng.choice(NAMES if rng.random() < 0.7 else CONSTANTS)
    return rng.choice(SHAPES)(rng, lambda: expression(rng, depth - 1))


def _binary(rng, sub):
    op = rng.choice(OPERATORS)
    right = rng.choice(["2", "3"]) if op in ("**", "<<") else sub()
    return f"({sub()} {op} {right})"


def _chain(rng, sub):
    links = rng.choice([1, 1, 1, 2, 3])
    parts = [f"{rng.choice(COMPARISONS)} {sub()}" for _ in range(links)]
    return f"({sub()} {' '.join(parts)})"


def _boolean(rng, sub):
    word = rng.choice([" and ", " or "])
    return f"({word.join(sub() for _ in range(rng.choice([2, 2, 3])))})"


def _ternary(rng, sub):
    return f"({sub()} if {sub()} else {sub()})"


def _unary(rng, sub):
    return f"({rng.choice(['-', '+', '~', 'not '])}{sub()})"


def _call(rng, sub):
    args = [sub() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    if rng.random() < 0.15:
        args.append(f"*{sub()}")
        args += [sub()] if rng.random() < 0.3 else []
    elif rng.random() < 0.25:
        args += [
            f"{name}={sub()}" for name in rng.sample(["key", "default", "base"], 1)
        ]
    return f"{rng.choice(FUNCTIONS)}({', '.join(args)})"


def _method(rng, sub):
    args = [sub() for _ in range(rng.choice([0, 0, 1, 1, 2]))]
    args += [f"sep={sub()}"] if rng.random() < 0.1 else []
    return f"({sub()}).{rng.choice(METHODS)}({', '.join(args)})"


def _attribute(rng, sub):
    return f"({sub()}).{rng.choice(ATTRIBUTES)}"


def _subscript(rng, sub):
    kind = rng.random()
    if kind < 0.6:
        return f"({sub()})[{sub()}]"
    parts = [sub() if rng.random() < 0.6 else "" for _ in range(rng.choice([2, 2, 3]))]
    return f"({sub()})[{':'.join(parts)}]"


def _text(rng, sub):
    pieces = rng.choice([1, 1, 2, 3])
    inner = [f"{{({sub()}){rng.choice(SPECS)}}}" for _ in range(pieces)]
    text = (
        "f'''" + rng.choice(["", "a", "{{"]).join(inner) + rng.choice(["", "z"]) + "'''"
    )
    return text.replace("{c}", "{(c)}")


def _display(rng, sub):
    items = [sub() for _ in range(rng.choice([0, 1, 2, 3]))]
    if rng.random() < 0.25:
        items.append(f"*{sub()}")
        items += [sub()] if rng.random() < 0.5 else []
    kind = rng.randrange(4)
    if kind == 0:
        return f"[{', '.join(items)}]"
    if kind == 1:
        return "(" + "".join(f"{item}, " for item in items) + ")"
    if kind == 2 and items:
        return f"{{{', '.join(items)}}}"
    pairs = [f"{sub()}: {sub()}" for _ in range(rng.choice([1, 2, 3]))]
    pairs += [f"**{sub()}"] if rng.random() < 0.2 else []
    return f"{{{', '.join(pairs)}}}"


SHAPES = [_binary] * 5 + [_chain] * 3 + [_boolean, _ternary] * 2
SHAPES += [_unary, _call, _method, _attribute, _subscript, _text, _display]


def function_of(text):
    """Source of make(c), which gives the lambda; `empty` is an empty cell."""
    source = f"""
def make(c):
    if c is make:
        empty = c
    return lambda x, y: {text}
"""
    return source


# -- running --------------------------------------------------------------------


class Case:
    """An expression and three places of operands, for x and y, c, and g."""

    def __init__(self, text, places, seed):
        self.text = text
        self.places = places
        self.seed = seed
        self.code = compile(function_of(text), "<case>", "exec", dont_inherit=True)

    def run(self, how):
        """What happened when how(function) was called; None: how() refused it."""
        log = Log(self.seed)
        LOGS[:] = [log]
        values = [operands(log)[place] for place in self.places]
        x, y, c, g = values
        names = {"g": g, "__name__": "case"}
        exec(self.code, names)
        func = how(names["make"](c))
        if func is None:
            return None
        try:
            outcome = ("value", func(x, y))
        except Exception as error:
            outcome = told(error)
        else:
            outcome = ("value", show(outcome[1]))
        events = list(log.events)
        log.random = random.Random(0)
        log.random.random = lambda: 1.0
        return outcome, events, [show(value) for value in values]

    def __repr__(self):
        x, y, c, g = (brief(operands(None)[place]) for place in self.places)
        return f"lambda x, y: {self.text}, x={x}, y={y}, c={c}, g={g}, seed {self.seed}"


def show(value, depth=4):
    """Type and contents; identity where there is no other."""
    if depth == 0:
        return "..."
    sized = (str, bytes, bytearray, list, tuple)
    if isinstance(value, sized):
        size = next(base for base in sized if isinstance(value, base)).__len__(value)
        if size > 1000:
            return type(value).__name__, size
    if isinstance(value, (list, tuple)):
        base = list if isinstance(value, list) else tuple
        return type(value).__name__, [show(i, depth - 1) for i in base.__iter__(value)]
    if isinstance(value, dict):
        pairs = [(show(k, depth - 1), show(v, depth - 1)) for k, v in dict.items(value)]
        return type(value).__name__, pairs
    if type(value) is Logged:
        return "Logged", value.value
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(str(show(v, depth - 1)) for v in value)
    if isinstance(value, (int, float, str, complex, bytes, bytearray, range, slice)):
        base = next(t for t in type(value).__mro__ if t.__module__ == "builtins")
        if isinstance(value, int):
            return type(value).__name__, int.__format__(value, "x")
        return type(value).__name__, base.__repr__(value)
    if isinstance(value, Plain):
        return "Plain"
    if callable(value):
        return type(value).__name__, getattr(value, "__qualname__", "")
    return type(value).__name__


def told(error):
    """An exception as the user sees it: type, arguments, text, names, places."""
    places = []
    entry = error.__traceback__
    while entry is not None:
        code = entry.tb_frame.f_code
        if code.co_filename == "<case>" and code.co_name == "<lambda>":
            positions = list(code.co_positions())[entry.tb_lasti // 2]
            places.append((entry.tb_lineno, positions))
        entry = entry.tb_next
    names = [brief(getattr(error, name, None)) for name in ("name", "obj", "value")]
    context = type(error.__context__).__name__, type(error.__cause__).__name__
    return (
        type(error).__name__,
        [show(arg) for arg in error.args],
        names,
        context,
        places,
    )


def lifted(func):
    """func's native program; None if it has none."""
    try:
        return lifting.native(func)
    except ValueError:
        return None


def neutral(outcome):
    """As text, without addresses; of a builtin's method that was called in a wrong way
    without its class: CPython names the one that defines it where it calls the method
    without binding it first, else that of the object."""
    text = re.sub("0x[0-9a-f]+", "0x", repr(outcome))
    return re.sub(r"(\w+\.)?(\w+\(\) takes (no|exactly|at))", r"\2", text)


def difference(case):
    """A text on what differs; None: nothing; False: it cannot be lifted."""
    try:
        plain = case.run(lambda func: func)
        native = case.run(lifted)
    except MemoryError:  # a huge result cannot be shown
        return None
    if native is None:
        return False
    if plain == native or neutral(plain) == neutral(native):
        return None
    return f"{case!r}\n plain: {plain}\nnative: {native}"


def random_case(rng):
    """A case; None where this version of Python cannot compile the expression."""
    text = expression(rng, rng.choice([1, 2, 2, 3, 3, 4]))
    places = [rng.randrange(COUNT) for _ in range(4)]
    try:
        return Case(text, places, rng.randrange(2**32))
    except SyntaxError:  # quotes in quotes before 3.12
        return None


@contextmanager
def little_memory(more=2**30):
    """What would take more than that is a MemoryError at once."""
    try:
        import resource
    except ImportError:
        yield
        return
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (soft, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
