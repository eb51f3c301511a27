"""What test_attacks, test_leaks and test_oom are run over: every iterator type,
stage, terminal and driver of the package, by name.

`missing()` compares the tables with the package: a new stage, terminal or type
without a row is an error of the tests.
"""

import array
import ctypes
import io
import itertools
import operator
import os
import sys
import tempfile
from contextlib import suppress
from types import FunctionType, SimpleNamespace

import pygenx
import pygenx.lifting
from pygenx import Pipeline, pipe


class Bar:
    """In place of tqdm.tqdm, which does too much to be run without memory."""

    def __init__(self, total):
        self.total = total

    def update(self, n):
        pass

    def close(self):
        pass


if "tqdm" not in sys.modules:  # tests that import this module have it
    sys.modules["tqdm"] = SimpleNamespace(tqdm=Bar)


class Thing:
    """An item whose life shows: no free list, no small ints."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value if type(other) is Thing else NotImplemented

    def __lt__(self, other):
        return self.value < other.value

    def __hash__(self):
        return hash(self.value)

    def __add__(self, other):
        return Thing(self.value + getattr(other, "value", 0))

    __radd__ = __add__

    def __repr__(self):
        return f"Thing({self.value})"


def things(n, start=0):
    return [Thing(i) for i in range(start, start + n)]


class Source:
    """A plain iterator of things; raises `error` at item number `at`; has close()."""

    def __init__(self, n=5, at=None, error=ArithmeticError):
        self.n = n
        self.at = at
        self.error = error
        self.i = 0
        self.closes = 0

    def __iter__(self):
        return self

    def __next__(self):
        i = self.i
        self.i += 1
        if i == self.at:
            raise self.error("source")
        if i >= self.n:
            raise StopIteration
        return Thing(i)

    def close(self):
        self.closes += 1


def generator(n=5):
    try:
        for i in range(n):
            yield Thing(i)
    except LookupError:
        yield Thing("caught")
    return Thing("returned")


def same(x):
    return x


def value_of(x):
    return getattr(x, "value", None)


def twice(x):
    return [x, Thing(-1)]


def true(x):
    return True


def false(x):
    return False


def every_other(x):
    return type(x) is Thing and type(x.value) is int and x.value % 2 == 1


def true_of_two(a, b):
    return True


def nested(x):
    return [x, [[x], ()]]


def pair(x):
    return (x, x)


def first_of_two(a, b):
    return a


def nothing(*args):
    return None


def bad(*args):
    raise ArithmeticError("callback")


def to_text(x):
    return str(value_of(x))


def inputs():
    return things(2)


# -- iterator types: of a source an iterator that gives as many items or fewer -


def tee_of(source):
    return pygenx.tee(source)[0]


def tee_two(source):
    global other_branch
    other_branch = None  # the one before goes first
    branch, other_branch = pygenx.tee(source)
    return branch


def tee_locked(source):
    return pygenx.tee(source, 1, lock=True, maxlen=100)[0]


def seekable_back(source):
    back = pygenx.seekable(source, 3)
    back.seek(1)
    back.seek(0)
    return back


def seekable_peeked(source):
    back = pygenx.seekable(source, 0)
    back.peek(None)
    return back


def peeked(source):
    looking = pygenx.peekable(source)
    looking.prepend(*looking[:1])
    return looking


def partition_false(source):
    return pygenx.partition(false, source, maxlen=100)[0]


def partition_two(source):
    global other_branch
    other_branch = None  # the one before goes first
    other_branch, branch = pygenx.partition(true, source)
    return branch


def piped_tee(source):
    return pipe(source).map(same).tee(3)[1]


def piped_partition(source):
    return pipe(source).map(same).partition(None)[1].map(same)


def merged(source):
    return pygenx.merge((), source, key=value_of)


def merged_pair(source):
    return pygenx.merge(source, things(2), key=to_text)


def turns(source):
    return pygenx.roundrobin((), source)


def new_lately(source):
    return pipe(source).unique_everseen(value_of, maxlen=2)


def zipped(source):
    return pygenx.zip(source, things(9))


def zipped_strictly(source):
    return pygenx.zip(source, strict=True, closing=True)


def from_iterable(source):
    return pygenx.chain.from_iterable(iter([source]))


def grouped(source):
    return pygenx.groupby(source, value_of)


def group_of(source):
    return next(pygenx.groupby(source, false))[1]


def timed(source):
    return timed_generator(source)


def pass_on(source):
    yield from source


timed_generator = pygenx.timing(report=None)(pass_on)


def lines_of(source):
    # The default opener is imported, and importing leaks where memory is short.
    return pygenx.read_lines(Readable(source), opener=open)


class Readable:
    """Passes for an open file."""

    def __init__(self, source):
        self.source = source

    def __iter__(self):
        return iter(self.source)

    def readline(self):
        raise NotImplementedError


def with_iter_of(source):
    return pygenx.with_iter(Manager(source))


class Manager:
    """Gives the source; has something to say at the end."""

    def __init__(self, source):
        self.source = source

    def __enter__(self):
        return self.source

    def __exit__(self, *exc_info):
        return Thing(exc_info).value is None


def tower(source):
    return pipe(pipe(pipe(source).map(same)).filter(None))


ITERATORS = {
    "borrow": pygenx.borrow,
    "chain": pygenx.chain,
    "chain.from_iterable": from_iterable,
    "groupby": grouped,
    "groupby group": group_of,
    "merge": merged,
    "merge pair": merged_pair,
    "own": pygenx.own,
    "partition": partition_false,
    "partition two": partition_two,
    "pipe.tee": piped_tee,
    "pipe.partition": piped_partition,
    "peekable": pygenx.peekable,
    "peekable peeked": peeked,
    "pipe": pipe,
    "pipe of pipes": tower,
    "read_lines": lines_of,
    "seekable": pygenx.seekable,
    "seekable back": seekable_back,
    "seekable peeked": seekable_peeked,
    "roundrobin": turns,
    "serialize": pygenx.serialize,
    "tee": tee_of,
    "tee two": tee_two,
    "tee locked": tee_locked,
    "timing": timed,
    "with_iter": with_iter_of,
    "unique lately": new_lately,
    "zip": zipped,
    "zip strictly": zipped_strictly,
}

# -- stages: arguments such that items come out --------------------------------

STAGES = {
    "accumulate": (first_of_two,),
    "batched": (2,),
    "chunked": (2,),
    "windowed": (2, None, 2),
    "sliding_window": (2,),
    "pairwise": (),
    "split_at": (every_other, -1, True),
    "split_before": (every_other,),
    "split_after": (every_other,),
    "split_when": (true_of_two,),
    "collapse": (),
    "groupby": (value_of,),
    "catch": (LookupError,),
    "chain": ([Thing(8), Thing(9)],),
    "drop": (1,),
    "dropwhile": (false,),
    "enumerate": (),
    "filter": (true,),
    "filter_map": (same,),
    "filterfalse": (false,),
    "flat_map": (twice,),
    "flatten": (),
    "intersperse": (Thing(-1), 2),
    "islice": (1, 4, 2),
    "locate": (true,),
    "map": (same,),
    "on_close": (nothing,),
    "pluck": ([0, 1],),
    "map_except": (same, LookupError),
    "prepend": (inputs,),
    "progress": (),
    "starmap": (first_of_two,),
    "tail": (3,),
    "take": (3,),
    "takewhile": (true,),
    "takewhile_inclusive": (true,),
    "tap": (nothing, 2, nothing, nothing),
    "through": (pass_on,),
    "unique_everseen": (value_of,),
    "unique_justseen": (value_of,),
    "zip": (inputs, things(9)),
}
# What has to be done to things before they can be the items of a stage.
BEFORE = {"collapse": nested, "flatten": twice, "pluck": pair, "starmap": pair}
# The same stage with its callback raising, where it has one.
FAILING = {
    "groupby": (bad,),
    "split_at": (bad,),
    "split_before": (bad,),
    "split_after": (bad,),
    "split_when": (bad,),
    "dropwhile": (bad,),
    "filter": (bad,),
    "filterfalse": (bad,),
    "flat_map": (bad,),
    "map": (bad,),
    "map_except": (bad,),
    "prepend": (bad,),
    "chain": (bad,),
    "starmap": (bad,),
    "takewhile": (bad,),
    "on_close": (bad,),
    "tap": (bad,),
    "through": (bad,),
    "accumulate": (bad,),
    "filter_map": (bad,),
    "locate": (bad,),
    "takewhile_inclusive": (bad,),
    "unique_everseen": (bad,),
    "unique_justseen": (bad,),
    "zip": (bad,),
}

TERMINALS = {
    "all": (),
    "any": (),
    "array": ("q",),
    "collect": (Pipeline().list(), Pipeline().max(), Pipeline().first(None)),
    "consume": (3,),
    "count": (),
    "dict": (),
    "first": (),
    "first_true": (None, false),
    "for_each": (nothing,),
    "frequencies": (),
    "into": (Pipeline().batched(2).list(),),
    "join": ("-",),
    "last": (None,),
    "list": (),
    "map_reduce": (same, pair, len),
    "max": (),
    "min": (),
    "nth": (3,),
    "one": (None, ArithmeticError),
    "only": (None, ArithmeticError),
    "reduce": (first_of_two,),
    "reduceby": (true, operator.add),
    "set": (),
    "sum": (),
    "tuple": (),
}
BEFORE_TERMINAL = {"array": value_of, "dict": pair, "join": to_text}

# Attributes of pipe and Pipeline that are neither.
OTHERS = {
    "tee",
    "partition",
    "check_pickle",
    "close",
    "explain",
    "lineno",
    "path",
    "profile",
    "result",
    "send",
    "stats",
    "throw",
    "to",
}


def staged(name, source, args=None):
    stage = getattr(pipe(prepared(source, BEFORE.get(name))), name)
    return stage(*(STAGES[name] if args is None else args))


def prepared(source, before):
    return source if before is None else map(before, source)


# The terminals that want no more than one item.
OF_ONE = {"one", "only"}


def drained(name, source):
    if name in OF_ONE:
        source = itertools.islice(source, 1)
    terminal = getattr(pipe(prepared(source, BEFORE_TERMINAL.get(name))), name)
    return terminal(*TERMINALS[name])


def iterator_makers():
    """name -> function of a source, for every type and every stage."""
    makers = dict(ITERATORS)
    for name in STAGES:
        makers["." + name] = Staged(name)
    return makers


class Staged:
    def __init__(self, name):
        self.name = name

    def __call__(self, source):
        return staged(self.name, source)


# -- drivers and objects that are no iterators over a source -------------------


def use_fold():
    fold = pygenx.fold(operator.add, Thing(0))
    fold.send(Thing(1))
    fold.send(Thing(2))
    repr(fold)
    return value_of(fold.close())


def use_fold_failing():
    fold = pygenx.fold(operator.getitem, {})
    try:
        fold.send(Thing(1))
    except KeyError:
        return "KeyError"


def use_grouping():
    grouping = pygenx.grouping(value_of)
    for i in (1, 1, 2):
        grouping.send(Thing(i))
    grouping.close()
    return list(grouping)


def use_grouping_sink():
    result = []
    with pygenx.grouping(value_of, sink=result.append) as grouping:
        for i in (1, 1, 2):
            grouping.send(Thing(i))
    return result


def use_grouping_fold():
    grouping = pygenx.grouping(value_of, fold=operator.add)
    for i in (1, 1, 2):
        grouping.send(Thing(i))
    return grouping.close()


def use_grouping_failing():
    grouping = pygenx.grouping(int)
    try:
        grouping.send(Thing(1))
    except TypeError:
        return "TypeError"


def use_feed():
    return value_of(pygenx.feed(things(3), pygenx.fold(operator.add, Thing(0))))


def adder():
    total = Thing(0)
    try:
        while True:
            total += yield
    finally:
        pass


def use_feed_generator():
    return pygenx.feed(things(3), adder())


def use_feed_failing():
    try:
        pygenx.feed(Source(3, at=1), pygenx.fold(operator.add, Thing(0)))
    except ArithmeticError:
        return "ArithmeticError"


primed_generator = pygenx.primed(generator)


def use_primed():
    started = primed_generator(3)
    return next(started).value


def use_primed_made():
    return next(pygenx.primed(generator)(3)).value


async def asynchronous():
    yield Thing(1)


primed_async = pygenx.primed(asynchronous)
timed_async = pygenx.timing(report=None)(asynchronous)


def use_primed_async():
    try:
        primed_async().send(None)
    except StopIteration as stop:
        return type(stop.value).__name__


def use_timed_async():
    try:
        timed_async().__anext__().send(None)
    except StopIteration as stop:
        return stop.value.value


def use_timing():
    with pygenx.timing("text", report=nothing) as timing:
        timing.lap()
        with timing:
            pass
    return timing.count, len(timing.laps)


def use_timing_report():
    reports = []
    with pygenx.timing(report=reports.append):
        pass
    return reports[0].label, len(reports)


def use_timed_generator():
    return list(timed_generator(things(3)))


def use_timing_decorator():
    return pygenx.timing(value_of)(Thing(3))


PATH = os.path.join(tempfile.gettempdir(), f"pygenx-{os.getpid()}.txt")


def write_path():
    if not os.path.exists(PATH):
        with open(PATH, "w", encoding="utf-8") as file:
            file.write("one\ntwo\nthree\n")


def remove_path():
    if os.path.exists(PATH):
        os.remove(PATH)


def open_in_memory(path, mode, **options):
    """In place of open(), which itself keeps a block now and then."""
    return io.StringIO("one\ntwo\nthree\n")


def use_read_lines():
    return pygenx.read_lines(PATH, PATH, opener=open_in_memory).take(4).list()


def use_read_lines_given():
    return pygenx.read_lines(io.StringIO("a\nb"), keepends=True, opener=open).list()


def use_read_lines_missing():
    try:
        pygenx.read_lines(PATH + ".missing", opener=open).list()
    except FileNotFoundError:
        return pygenx.read_lines(PATH + ".m", missing="skip", opener=open).list()


def use_read_lines_default():
    return pygenx.read_lines(PATH).list()


class Text(str):
    """No exact str."""


def lifted_whole(x, y=(1,), *, k=2):
    return [[x, *y, k], f"{x!r:>3}", {"a": x}, {x, 1}, (x if x else y)[k:], max(*y, k)]


def lifted_failing(x):
    return [x, (x,)], x.nothing(x, [x]), nowhere  # noqa: F821


def fresh(func):
    """The same function with a code object that nobody has lifted."""
    code = func.__code__.replace(co_stacksize=func.__code__.co_stacksize + 1)
    again = FunctionType(code, func.__globals__, "again", func.__defaults__)
    again.__kwdefaults__ = func.__kwdefaults__
    return again


def use_native():
    native = pygenx.lifting.native(fresh(lifted_whole))
    return native((1,)), native((), (3, 4)), pygenx.lifting.why_not(lifted_whole)


def use_native_failing():
    native = pygenx.lifting.native(fresh(lifted_failing))
    try:
        return native(Thing(1))
    except AttributeError as error:
        return str(error)


def use_native_refused():
    try:
        return pygenx.lifting.native(fresh(things))
    except ValueError as error:
        return str(error)


# Made once: CPython 3.13 itself crashes where a frame finds no memory in these.
DOUBLED = fresh(lambda x: x + x)
VALUED = fresh(lambda x: x.value)
SHOWN = fresh(lambda x: [x, str(x.value)])


def use_lifted_stages():
    return pipe(things(150)).map(DOUBLED).filter(VALUED).map(SHOWN).list()[-1][1]


# Long enough for a lane; what deviates is in the middle.
NUMBERS = [*range(300), 2**70, *range(300), 0.5, *[2.5] * 200]
CHOSEN = fresh(lambda x: x if x % 3 else x * 1.5 if x % 2 else -x)
BIG = fresh(lambda x: x * x > 50 and x != 7)


def use_lanes():
    p = pipe(NUMBERS).map(CHOSEN).filter(BIG)
    return p.list(), pipe(range(700)).filter(BIG).map(CHOSEN).sum()


# Made once: CPython leaks what it reads where an array finds no memory.
COLUMN = array.array("q", range(600))


def use_lanes_over_buffers():
    doubled = pipe(memoryview(COLUMN)).map(DOUBLED).array("d")
    largest = pipe(COLUMN).map(CHOSEN).max()
    return doubled, largest, pygenx.buffer(doubled).reduce(operator.add)


def use_lanes_failing():
    try:
        return pipe([*NUMBERS, "s"]).map(CHOSEN).map(DOUBLED).sum()
    except TypeError as error:
        return str(error)


# More words and more text than there is room for at first.
WORDS = [
    "To be",
    " ".join(map(str, range(1000, 1150))),
    "\u00c9t\u00e9 to 1007",
    Text("be TO"),
    "to be 1007",
]


def use_words():
    p = pipe(WORDS).map(str.strip).map(str.lower).flat_map(str.split)
    counter = p.frequencies()
    return list(counter.items())[-3:], counter["be"], len(counter)


def use_words_failing():
    try:
        return pipe([*WORDS, Thing(3)]).flat_map(str.split).frequencies()
    except TypeError as error:
        return len(error.__notes__)


def use_words_pushed():
    push = Pipeline().flat_map(str.split).map(str.lower).frequencies().push()
    for line in WORDS:
        push.send(line)
    return len(push.close())


def use_words_dropped():
    push = Pipeline().flat_map(str.split).frequencies().push()
    return push.send("to be")


def use_iterate():
    return pygenx.iterate(operator.neg, 1).take(4).list()


def use_iter_except():
    stack = things(3)
    return [value_of(x) for x in pygenx.iter_except(stack.pop, IndexError, same_thing)]


def same_thing():
    return Thing(8)


def use_iter_except_failing():
    try:
        return pygenx.iter_except(bad, LookupError).list()
    except ArithmeticError:
        return "ArithmeticError"


def use_always_iterable():
    objects = (None, "ab", [1, 2], Thing(3), {4: 5})
    return [len(pygenx.always_iterable(obj).list()) for obj in objects]


def use_with_iter():
    return len(pygenx.with_iter(Manager(things(3))).list())


def use_with_iter_half_way():
    with pygenx.with_iter(Manager(generator())) as items:
        next(items)
    return value_of(next(pygenx.with_iter(Manager(generator()))))


def use_with_iter_failing():
    try:
        pygenx.with_iter(Manager(Source(3, at=1))).list()
    except ArithmeticError:
        return "ArithmeticError"


def use_buffer():
    views = (memoryview(b"abcdef")[::2], array.array("d", [1, 2]), bytes(3000))
    return [pygenx.buffer(view).sum() for view in views]


def use_buffer_unpacked():
    foreign = memoryview(b"abcd").cast("B").cast("@H")
    return pygenx.buffer(foreign).list(), pygenx.buffer(Foreign(1, 2)).list()


Foreign = ctypes.c_int16.__ctype_be__ * 2


def use_buffer_failing():
    try:
        pygenx.buffer(Point())
    except TypeError:
        return "TypeError"


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))


def use_pipeline():
    program = Pipeline().map(same).filter(None) | Pipeline().take(2)
    again = Pipeline._from_rows(program.__reduce__()[1][0])
    repr(program), program.explain(), program.check_pickle(same)
    return program(things(3)).list(), again(things(3)).list()


def use_catch():
    seen = []
    program = (
        Pipeline().map(bad).catch(ArithmeticError, do=seen.append, replace=item_of)
    )
    values = program(things(2)).list()
    repr(seen[0])
    stop = pipe(Source(3, at=1)).catch(ArithmeticError, replace=same, stop=True)
    return values, seen[1].stage, [failure.index for failure in seen], len(list(stop))


def item_of(failure):
    return failure.item


def use_catch_failing():
    try:
        pipe(Source(3, at=1)).catch(ArithmeticError, do=nothing, replace=bad).list()
    except ArithmeticError as error:
        return error.args


def use_failure():
    failure = pygenx.Failure(KeyError("key"), Thing(1), 0, stage="here")
    return repr(failure), failure.item, failure.stage


def use_reducer():
    reducer = Pipeline().map(same).take(2).list()
    again = Pipeline._from_rows(reducer.__reduce__()[1][0])
    repr(reducer), reducer.explain(), reducer.check_pickle(same)
    return values(reducer(things(3))), values((Pipeline() | again)(things(3)))


def use_push():
    kept = []
    push = Pipeline().flat_map(twice_or_pair).batched(2).into(kept.append)
    repr(push), next(push)
    for thing in things(3):
        push.send(thing)
    push.close()
    return len(kept), push.result


def use_push_dropped():
    push = Pipeline().tap(nothing, 2, nothing, nothing).chain(things(1)).list().push()
    push.send(Thing(1))
    return push.result


def use_push_generator():
    with Pipeline().prepend(things(2)).take(5).into(listening()) as push:
        push.send(Thing(1))
    return push.close()


def listening():
    count = 0
    try:
        while True:
            yield
            count += 1
    except GeneratorExit:
        return count


def use_push_failing():
    push = Pipeline().flat_map(twice_or_pair).map(bad).list().push()
    for thing in things(3):
        with suppress(ArithmeticError):
            push.send(thing)
    try:
        push.throw(KeyError)
    except KeyError:
        return "KeyError"


def use_broadcast():
    everywhere = pygenx.broadcast(Pipeline().take(2).list(), listening(), nothing)
    repr(everywhere), next(everywhere)
    for thing in things(3):
        everywhere.send(thing)
    return len(everywhere.close()), everywhere.result[1]


def use_broadcast_failing():
    everywhere = pygenx.broadcast(bad, listening(), bad)
    with suppress(ArithmeticError):
        everywhere.send(Thing(1))
    try:
        everywhere.throw(KeyError)
    except KeyError:
        return everywhere.result


def use_route():
    by_value = pygenx.route(value_of, {0: listening(), 1: Pipeline().first()})
    repr(by_value), next(by_value)
    for thing in things(2):
        by_value.send(thing)
    try:
        by_value.send(Thing(7))
    except KeyError:
        return by_value.close()


def use_route_made():
    with pygenx.route(value_of, Made()) as by_value:
        for thing in things(3):
            by_value.send(thing)
    return by_value.result


class Made:
    def __getitem__(self, key):
        return listening()


def twice_or_pair(item):
    return [item, item]


def values(items):
    return [item.value for item in items]


def use_stats():
    p = pipe(things(4))
    stats = p.stats()
    chunks = p.filter(true).tap(nothing, 2, nothing, nothing).batched(3)
    next(chunks)
    str(stats), stats[1].as_dict(), repr(stats[0])
    return chunks.count(), [row.items_out for row in stats]


def use_profile():
    p = pipe(pipe(Source(4)).map(same)).flat_map(twice)
    stats = p.profile()
    taken = p.take(3).count()
    str(stats), list(stats), stats[1:]
    return taken, [row.items_in for row in stats]


def use_stats_failing():
    p = pipe(Source(4, at=2)).map(int)
    stats = p.stats()
    for _ in range(3):
        try:
            next(p)
        except (ArithmeticError, TypeError):
            continue
    return [row.errors for row in stats]


def use_through():
    program = Pipeline().map(same).through(several, 2, extra=Thing(0)).filter(None)
    repr(program)
    reader = program(things(3)).through(pass_on)
    with reader:
        next(reader)
        repr(reader)
    return program(things(2)).list()


def several(items, n, extra):
    for item in items:
        for _ in range(n):
            yield item
    yield extra


def use_on_close():
    seen = []
    pipe(things(2)).on_close(Appender(seen)).close()
    pipe(things(2)).on_close(Appender(seen)).list()
    return len(seen)


class Appender:
    def __init__(self, seen):
        self.seen = seen

    def __call__(self):
        self.seen.append(0)


def use_iter_suppress():
    source = Source(5, at=2)
    return pygenx.iter_suppress(source, LookupError, ArithmeticError).list()


def use_map_except():
    return list(pygenx.map_except(bad, things(2), LookupError, ArithmeticError))


def use_side_effect():
    return pygenx.side_effect(nothing, things(3), 2, after=nothing).list()


def use_pipe_to():
    return pipe(things(3)).map(value_of).to(sorted, reverse=True)


def use_own_with():
    with pygenx.own(generator()) as borrowed:
        return value_of(next(borrowed))


def use_tee_branches():
    first, second, third = pygenx.tee(iter(things(80)), 3)
    next(first)
    fourth = pygenx.tee(first)[0]
    return len(list(second)), len(list(fourth)), next(third).value


def use_merge():
    return len(list(pygenx.merge(things(3), Source(4), things(2, 5), reverse=False)))


def use_merge_failing():
    try:
        return list(pygenx.merge(things(3), [1, 2]))
    except TypeError:
        return "TypeError"


def use_partition():
    no, yes = pygenx.partition(value_of, things(5), maxlen=9)
    repr(no), repr(yes)
    ahead = next(yes).value
    return ahead, next(no).value, len(list(yes)), yes.result


def use_partition_failing():
    no, yes = pygenx.partition(false, Source(3, at=1))
    seen = []
    for branch in (no, no, yes):
        try:
            seen.append(next(branch).value)
        except ArithmeticError:
            seen.append("ArithmeticError")
    return seen


def use_peekable():
    it = pygenx.peekable(things(3))
    it.prepend(Thing(7), Thing(8))
    seen = [it.peek().value, it[1].value, len(it[:]), len(it[-2:]), bool(it), repr(it)]
    return seen, len(list(it)), it.peek(None)


def use_seekable():
    it = pygenx.seekable(Source(), 3)
    view = it.elements()
    it.seek(4)
    seen = len(view), len(view[:]), view[0].value, view.count(Thing(3)), it[-1].value
    seen += view.index(Thing(3)), repr(view), len(it[2:]), it.peek().value, it.tell()
    it.relative_seek(-1)
    return seen, seek_what_has_gone(it), len(list(it)), [item.value for item in view]


def seek_what_has_gone(it):
    try:  # in a short function: CPython 3.11 cannot find its way out of a long one
        it.seek(0)
    except LookupError:
        return "LookupError"


def use_spy():
    head, it = pygenx.spy(Source(), 2)
    return len(head), len(list(it))


def eagerly(use):
    """Generator expressions are taken apart, however short."""
    pygenx.lifting._eager(1)
    try:
        return use()
    finally:
        pygenx.lifting._eager(-1)


def expressions(number=3):
    flat = pygenx.pipe(x + number for x in range(5) if x).list()
    nested = pygenx.pipe(y.value for y in (x for x in things(3))).count()
    pairs = pygenx.pipe((a, b, c) for a, (b, c) in [(1, (2, 3))] for _ in (a, b)).list()
    return flat, nested, pairs


def use_expressions():
    return eagerly(expressions)


def failing_expressions():
    try:
        pygenx.pipe(1 // x for x in (y - 2 for y in [1, 2, 3])).list()
    except ZeroDivisionError:
        pass
    try:
        pygenx.pipe(a + b for a, b in [(1, 2), (3,)]).list()
    except ValueError:
        return "ValueError"


def use_failing_expressions():
    return eagerly(failing_expressions)


def dropped_expressions():
    items = [1, 2]
    half = pygenx.pipe((items, x, y) for x in items for y in (x, None))
    next(half)
    items.append(half)
    thrown = pygenx.pipe(x for x in Source())
    next(thrown)
    try:
        thrown.throw(LookupError("text"))
    except LookupError:
        return "LookupError"


def use_dropped_expressions():
    return eagerly(dropped_expressions)


def use_reentrancy():
    fold = pygenx.fold(Calls().__call__, 0)
    Calls.target = fold
    try:
        fold.send(1)
    except pygenx.ReentrancyError:
        return "ReentrancyError"
    finally:
        Calls.target = None


class Calls:
    target = None

    def __call__(self, value, item):
        return self.target.send(item)


def use_this():
    item = pygenx.this
    half = pygenx.func((item.real + 1) * 2 // item)
    assert half(2) == 3
    assert pipe([1, 2] * 80).map(item * 2 - item).sum() == 240
    repr(item["a"].b(item, c=-item))


def use_this_failing():
    with suppress(ZeroDivisionError):
        pipe([1, 0]).map(1 // pygenx.this).list()
    with suppress(TypeError):
        bool(pygenx.this)


def use_expression_call():
    pygenx.func(pygenx.call(len, pygenx.this))("abc")


def use_all_of():
    item = pygenx.this
    pygenx.func(pygenx.all_of(item, item > 1))(3)


def use_any_of():
    pygenx.func(pygenx.any_of(pygenx.this, 5))(0)


def use_none_of():
    pygenx.func(pygenx.none_of(pygenx.this, 0))(0)


def use_func():
    pygenx.func(pygenx.this[1:2])("abc")


# Keyed by the name in pygenx.__all__ that each is about.
DRIVERS = {
    "Expression": use_this,
    "Expression failing": use_this_failing,
    "all_of": use_all_of,
    "any_of": use_any_of,
    "call": use_expression_call,
    "func": use_func,
    "none_of": use_none_of,
    "this": use_this,
    "fold": use_fold,
    "fold failing": use_fold_failing,
    "grouping": use_grouping,
    "grouping sink": use_grouping_sink,
    "grouping fold": use_grouping_fold,
    "grouping failing": use_grouping_failing,
    "feed": use_feed,
    "feed generator": use_feed_generator,
    "feed failing": use_feed_failing,
    "primed": use_primed,
    "primed made": use_primed_made,
    "primed async": use_primed_async,
    "timing": use_timing,
    "timing report": use_timing_report,
    "timing generator": use_timed_generator,
    "timing async": use_timed_async,
    "timing decorator": use_timing_decorator,
    "read_lines": use_read_lines,
    "read_lines given": use_read_lines_given,
    "read_lines missing": use_read_lines_missing,
    "read_lines default": use_read_lines_default,
    "lifting.native": use_native,
    "lifting.native failing": use_native_failing,
    "lifting.native refused": use_native_refused,
    "lifting in stages": use_lifted_stages,
    "lanes": use_lanes,
    "lanes over buffers": use_lanes_over_buffers,
    "lanes failing": use_lanes_failing,
    "words": use_words,
    "words failing": use_words_failing,
    "words pushed": use_words_pushed,
    "words dropped": use_words_dropped,
    "iterate": use_iterate,
    "iter_except": use_iter_except,
    "iter_except failing": use_iter_except_failing,
    "always_iterable": use_always_iterable,
    "with_iter": use_with_iter,
    "with_iter half way": use_with_iter_half_way,
    "with_iter failing": use_with_iter_failing,
    "buffer": use_buffer,
    "buffer unpacked": use_buffer_unpacked,
    "buffer failing": use_buffer_failing,
    "Pipeline": use_pipeline,
    "catch": use_catch,
    "catch failing": use_catch_failing,
    "Failure": use_failure,
    "Reducer": use_reducer,
    "broadcast": use_broadcast,
    "broadcast failing": use_broadcast_failing,
    "route": use_route,
    "route made": use_route_made,
    "push": use_push,
    "push dropped": use_push_dropped,
    "push generator": use_push_generator,
    "push failing": use_push_failing,
    "through": use_through,
    "on_close": use_on_close,
    "iter_suppress": use_iter_suppress,
    "map_except": use_map_except,
    "side_effect": use_side_effect,
    "pipe to": use_pipe_to,
    "pipe expression": use_expressions,
    "pipe expression failing": use_failing_expressions,
    "pipe expression dropped": use_dropped_expressions,
    "pipe stats": use_stats,
    "pipe profile": use_profile,
    "pipe stats failing": use_stats_failing,
    "own with": use_own_with,
    "tee branches": use_tee_branches,
    "merge used": use_merge,
    "merge failing": use_merge_failing,
    "partition used": use_partition,
    "partition failing": use_partition_failing,
    "peekable used": use_peekable,
    "seekable used": use_seekable,
    "spy": use_spy,
    "ReentrancyError": use_reentrancy,
}


def missing():
    """Names of the package that no row is about."""
    stages = {name for name in dir(Pipeline) if name[0] != "_"} - OTHERS
    terminals = {name for name in dir(pipe) if name[0] != "_"} - OTHERS
    stages -= set(TERMINALS)
    terminals -= stages
    names = {name for name in pygenx.__all__ if name[0] != "_"}
    rows = {name.split(" ")[0].split(".")[0] for name in (*ITERATORS, *DRIVERS)}
    return (
        sorted(stages ^ set(STAGES))
        + sorted(terminals ^ set(TERMINALS))
        + sorted(names - rows)
    )
