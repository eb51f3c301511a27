"""Random programs, run on pygenx and on its reference, must leave the same trace.

A scenario is plain data: a source, stages, what is done in which order. `Run` builds
it from a module and plays it; every item that comes out, every exception, every pull of
the source, every call of a callback and every cleanup goes into one list, its trace, in
the order in which it happens.
"""

import gc
import importlib
import sys
from contextlib import contextmanager
from itertools import islice

import pytest
import sources
from hypothesis import event, given
from hypothesis import strategies as st


@pytest.fixture(autouse=True, scope="module")
def small_heap():
    """A collection looks at what is made from here on only."""
    gc.freeze()
    yield
    gc.unfreeze()


# what a scenario is made of ----------------------------------------------------------

SMALL = st.integers(0, 3)
ITEMS = st.lists(SMALL, max_size=7)
FAILS = st.none() | st.tuples(SMALL, st.sampled_from(["ZeroDivision", "Stop"]))

SOURCE = st.one_of(
    st.tuples(st.sampled_from(["list", "tuple", "plain", "closable"]), ITEMS),
    st.tuples(st.just("range"), st.integers(0, 7)),
    st.tuples(st.sampled_from(["generator", "listener", "talker"]), ITEMS),
    st.tuples(st.just("failing"), ITEMS, SMALL),
)
INPUTS = st.lists(SOURCE | st.just(("nothing",)), max_size=3)


ERRORS = {
    "Exception": Exception,
    "KeyError": KeyError,
    "RuntimeError": RuntimeError,
    "Stop": StopIteration,
    "TypeError": TypeError,
    "ValueError": ValueError,
    "ZeroDivision": ZeroDivisionError,
}
CAUGHT = st.lists(st.sampled_from(sorted(ERRORS)), min_size=1, max_size=3)


def stage(name, *arguments):
    return st.tuples(st.just(name), *arguments)


STAGE = st.one_of(
    *(
        stage(name, FAILS)
        for name in ("map", "starmap", "filter", "filterfalse", "filter_map")
    ),
    *(stage(name, FAILS) for name in ("takewhile", "takewhile_inclusive", "locate")),
    stage("dropwhile", FAILS),
    stage("flat_map", SOURCE | st.just(("nothing",)), FAILS),
    stage("flatten"),
    stage("enumerate", SMALL),
    stage("accumulate", FAILS, st.none() | SMALL),
    stage("pluck", st.sampled_from([0, 1, -1, [], [0], [1, 0]]), st.booleans()),
    stage("intersperse", SMALL, st.integers(1, 3)),
    stage("unique_everseen", FAILS, st.none() | st.integers(1, 3)),
    stage("unique_justseen", FAILS),
    stage("take", st.integers(0, 5)),
    stage("drop", SMALL),
    stage("tail", SMALL),
    stage("islice", SMALL, st.none() | st.integers(0, 6), st.integers(1, 3)),
    stage("batched", st.integers(1, 3), st.booleans()),
    stage("chunked", st.integers(1, 3), st.booleans()),
    stage("chunked", st.none()),
    stage("groupby", st.none() | FAILS),
    stage("windowed", st.integers(1, 3), st.none(), st.integers(1, 4)),
    stage("sliding_window", st.integers(1, 3)),
    stage("pairwise"),
    *(
        stage(name, FAILS, st.integers(-1, 2))
        for name in ("split_before", "split_after", "split_when")
    ),
    stage("split_at", FAILS, st.integers(-1, 2), st.booleans()),
    stage("collapse", st.none() | st.just(tuple), st.none() | st.integers(0, 2)),
    stage("chain", INPUTS),
    stage("prepend", INPUTS),
    stage("zip", st.lists(SOURCE, max_size=3), st.booleans()),
    stage("progress"),
    stage("tap", st.none() | st.integers(1, 3), FAILS, FAILS),
    stage("catch", CAUGHT, st.booleans(), st.booleans(), st.booleans(), FAILS),
    stage("map_except", CAUGHT, FAILS),
    stage("on_close", FAILS),
    stage("through", st.sampled_from(["same", "some", "part"]), FAILS),
)


def only(name):
    return (name,)


ACTION = st.sampled_from(
    ["next"] * 6 + ["send None", "send", "throw ValueError", "throw KeyError", "close"]
)
TERMINAL = st.one_of(
    st.sampled_from(["list", "tuple", "set", "dict", "sum", "any", "all"]).map(only),
    st.sampled_from(["count", "frequencies", "join", "first", "last"]).map(only),
    st.sampled_from(["first or", "last or"]).map(only),
    st.sampled_from(["one", "only", "first_true"]).map(only),
    st.tuples(st.just("array"), st.sampled_from("bBqd")),
    st.tuples(st.just("nth"), SMALL),
    st.tuples(st.just("first_true by"), FAILS),
    st.tuples(st.just("map_reduce"), FAILS, FAILS, FAILS),
    st.tuples(st.just("reduceby"), FAILS, FAILS, SMALL),
    st.tuples(st.sampled_from(["min", "max", "reduce", "for_each"]), FAILS),
    st.tuples(st.just("consume"), st.none() | SMALL),
)


FAILURES = {"ZeroDivision": ZeroDivisionError, "Stop": StopIteration}


class Callback:
    """A function that writes down its calls and fails at one of them."""

    def __init__(self, run, name, answer, fails):
        self.run = run
        self.name = name
        self.answer = answer
        self.fails = fails
        self.calls = 0

    def __call__(self, *args):
        self.run.trace.append((self.name, args))
        self.calls += 1
        if self.fails is not None and self.fails[0] == self.calls - 1:
            raise FAILURES[self.fails[1]](self.name)
        return self.answer(*args)


PREDICATES = {
    *("filter", "filterfalse", "takewhile", "takewhile_inclusive", "dropwhile"),
    "locate",
}
# Before their first item, or in between, they have one to give that is no source's:
# whether an answer to throw() overtakes it is left open.
AHEAD = {"accumulate", "intersperse"}


class Maker(Callback):
    """The same, called with a pipe."""

    def __call__(self, items):
        self.run.trace.append(self.name)
        self.calls += 1
        if self.fails is not None and self.fails[0] == self.calls - 1:
            raise FAILURES[self.fails[1]](self.name)
        return self.answer(items)


class Handler(Callback):
    """The same, called with a Failure."""

    def __call__(self, failure):
        error = failure.error
        free = isinstance(error, AttributeError) or error.__cause__ is not None
        args = () if free else error.args  # the words are free
        self.run.trace.append((self.name, type(error), args))
        self.calls += 1
        if self.fails is not None and self.fails[0] == self.calls - 1:
            raise FAILURES[self.fails[1]](self.name)
        return self.answer(failure)


def often(item):
    return len(repr(item)) % 5 != 2


class Run:
    """One playing of a scenario."""

    def __init__(self, leg):
        self.px = importlib.import_module(leg)
        self.trace = []

    # building

    def callback(self, name, answer, fails=None):
        return Callback(self, name, answer, fails)

    def source(self, kind, *args):
        items = args[0] if args else None
        if kind == "range":
            return range(items)
        if kind == "nothing":
            return 5
        if kind in ("list", "tuple"):
            return {"list": list, "tuple": tuple}[kind](items)
        if kind == "generator":
            return self.generator(items)
        if kind == "listener":
            return sources.listener(self.trace, items, "returned")
        make = {
            "plain": sources.Source,
            "closable": sources.Closable,
            "talker": sources.Talker,
            "failing": sources.Failing,
        }[kind]
        return make(*args, log=self.trace)

    def generator(self, items):
        try:
            for item in items:
                self.trace.append(("pulled", item))
                yield item
        finally:
            self.trace.append("finally")
        return "returned"

    def extend(self, p, number, name, *args):
        label = f"{number} {name}"
        if name in ("map", "starmap"):
            answer = lambda *items: (number, *items)  # noqa: E731
            return getattr(p, name)(self.callback(label, answer, *args))
        if name in PREDICATES:
            return getattr(p, name)(self.callback(label, often, *args))
        if name == "filter_map":
            answer = lambda item: (number, item) if often(item) else None  # noqa: E731
            return p.filter_map(self.callback(label, answer, *args))
        if name == "accumulate":
            fails, initial = args
            answer = lambda total, item: (number, item)  # noqa: E731
            return p.accumulate(self.callback(label, answer, fails), initial=initial)
        if name == "pluck":
            ind, default = args
            return p.pluck(ind, *["default"] * default)
        if name == "unique_everseen":
            fails, maxlen = args
            return p.unique_everseen(self.callback(label, repr, fails), maxlen=maxlen)
        if name == "unique_justseen":
            return p.unique_justseen(self.callback(label, repr, *args))
        if name == "flat_map":
            inner, fails = args
            answer = lambda item: self.source(*inner)  # noqa: E731
            return p.flat_map(self.callback(label, answer, fails))
        if name in ("chain", "prepend"):
            return getattr(p, name)(*[self.source(*inner) for inner in args[0]])
        if name.startswith("split"):
            fails, *others = args
            seldom = lambda *items: len(repr(items)) % 3 == 0  # noqa: E731
            return getattr(p, name)(self.callback(label, seldom, fails), *others)
        if name == "groupby":
            answer = lambda item: len(repr(item))  # noqa: E731
            return p.groupby(self.callback(label, answer, *args))
        if name == "zip":
            inputs, strict = args
            return p.zip(*[self.source(*inner) for inner in inputs], strict=strict)
        if name == "batched":
            return p.batched(args[0], strict=args[1])
        if name == "map_except":
            caught, fails = args
            answer = lambda *items: (number, *items)  # noqa: E731
            kinds = [ERRORS[kind] for kind in caught]
            return p.map_except(self.callback(label, answer, fails), *kinds)
        if name == "on_close":
            return p.on_close(self.callback(label, lambda: None, *args))
        if name == "through":
            make, fails = args
            make = {"same": same, "some": self.some}.get(make, self.part)
            return p.through(Maker(self, label, make, fails))
        if name == "catch":
            return self.catch(p, label, *args)
        if name == "tap":
            chunk_size, fails, late = args
            ignore = lambda *items: None  # noqa: E731
            return p.tap(
                self.callback(label, ignore, fails),
                chunk_size,
                self.callback(f"{label} before", ignore),
                self.callback(f"{label} after", ignore, late),
            )
        return getattr(p, name)(*args)

    def catch(self, p, label, caught, do, replace, stop, fails):
        error_of = lambda failure: (label, type(failure.error))  # noqa: E731
        options = {"stop": stop}
        if do:
            options["do"] = Handler(self, f"{label} do", error_of, fails)
        if replace:
            options["replace"] = Handler(self, f"{label} replace", error_of, None)
        return p.catch(*[ERRORS[kind] for kind in caught], **options)

    def some(self, items):
        try:
            for item in items:
                self.trace.append(("through", item))
                yield ("through", item)
        finally:
            self.trace.append("through ends")
        return "made"

    def part(self, items):
        try:
            yield from islice(items, 2)
        except ZeroDivisionError:
            yield "caught"
        finally:
            self.trace.append("part ends")

    # playing

    def attempt(self, label, action, *args):
        """Do it and write down what came of it."""
        try:
            self.trace.append((label, "gave", action(*args)))
        except BaseException as error:
            self.trace.append((label, "raised", *self.describe(error, label)))

    def describe(self, error, label):
        kind = type(error)
        if isinstance(error.__cause__, StopIteration):
            return kind, error.__cause__.args
        if kind is TypeError and label.startswith("send"):
            return (kind,)  # which stage it cannot pass is said in pygenx alone
        if kind in (AttributeError, BufferError, IndexError, LookupError) or (
            kind is ValueError and label in ("first", "last")
        ):
            return (kind,)  # the words are free
        if kind is TypeError and "unhashable" in str(error):
            return (kind, "unhashable")  # a dict of 3.14 says more of it than a Counter
        return kind, error.args

    def act(self, it, action):
        if action == "next":
            self.attempt(action, next, it)
        elif action == "close":
            self.attempt(action, it.close)
        elif action.startswith("send"):
            self.attempt(action, it.send, None if "None" in action else "hello")
        else:
            kind = {"ValueError": ValueError, "KeyError": KeyError}[action.split()[1]]
            error = kind("hello")
            self.attempt(action, it.throw, error)
            error.__traceback__ = None  # the frames it passed keep it, and the source

    def use(self, branches, number, action, source):
        if action != "drop":
            self.act(branches[number], action)
        elif source[0] == "failing":  # a stored error holds the reference's frames
            branches[number].close()
        else:
            branches[number] = None

    def finish(self, p, name, *args):
        if name in ("min", "max"):
            key = self.callback(name, lambda item: len(repr(item)), *args)
            self.attempt(name, lambda: getattr(p, name)(key=key, default=None))
        elif name in ("reduce", "for_each"):
            function = self.callback(name, lambda *items: items[0], *args)
            self.attempt(name, getattr(p, name), function)
        elif name == "first_true by":
            pred = self.callback(name, lambda item: not often(item), *args)
            self.attempt(name, p.first_true, "none", pred)
        elif name == "map_reduce":
            key, value, reduced = (
                self.callback(f"{name} {number}", answer, fails)
                for number, (answer, fails) in enumerate(
                    zip((often, repr, len), args, strict=True)
                )
            )
            self.attempt(name, lambda: list(p.map_reduce(key, value, reduced).items()))
        elif name == "reduceby":
            key = self.callback("reduceby key", often, args[0])
            binop = self.callback("reduceby binop", lambda a, b: (a, b), args[1])
            factory = self.callback("reduceby factory", lambda: "made")
            options = ({}, {"init": None}, {"factory": factory}, {"init": "of it"})
            self.attempt(
                name, lambda: list(p.reduceby(key, binop, **options[args[2]]).items())
            )
        elif name.endswith(" or"):
            self.attempt(name, getattr(p, name.split()[0]), None)
        else:
            self.attempt(name, getattr(p, name), *args)

    def pipe(self, source, stages, entered, kept, actions, terminal):
        stops = {"take", "takewhile_inclusive", "islice", *AHEAD}
        if any(
            row[0] in stops
            or (row[0] == "catch" and row[4])
            or (row[0] == "prepend" and row is not stages[0])
            for row in stages
        ):
            # may have seen enough, or have items of its own to give: whether an answer
            # to throw(), and what others make of it, still passes is left open
            actions = [action for action in actions if "throw" not in action]
        if any(row[0] == "tap" for row in stages) and actions:
            # the same, ahead of a hook that is called before the first item
            actions = ["next", *actions]
        source = self.source(*source)
        p = self.px.pipe(source)
        if not kept:
            del source
        for number, row in enumerate(stages, 1):
            p = self.extend(p, number, *row)
        if entered:
            p.__enter__()
        for action in actions:
            self.act(p, action)
            self.trace.append(("result", p.result))
        if terminal is not None:
            self.finish(p, *terminal)
            self.attempt("next after it", next, p)
            self.trace.append(("result", p.result))
        if entered:
            self.attempt("exit", leave, p)
        self.trace.append("dropped")
        del p
        if kept:
            self.trace.append(("left", list(islice(safe(source), 3))))

    def chain(self, inputs, nested, actions):
        inputs = [self.source(*row) for row in inputs]
        if nested:
            inputs = iter(inputs)
            it = self.px.chain.from_iterable(inputs)
        else:
            it = self.px.chain(*inputs)
        del inputs
        for action in actions:
            self.act(it, action)
        self.trace.append("dropped")

    def several(self, name, inputs, entered, actions, options):
        """zip, roundrobin or merge."""
        inputs = [self.source(*row) for row in inputs]
        if "key" in options:
            options = {**options, "key": self.callback("key", *options["key"])}
        try:
            it = getattr(self.px, name)(*inputs, **options)
        except TypeError as error:
            self.trace.append(error.args)
            return
        del inputs
        if entered:
            it.__enter__()
        for action in actions:
            self.act(it, action)
        self.trace.append("dropped")

    def tee(self, source, n, maxlen, actions):
        branches = list(self.px.tee(self.source(*source), n, maxlen=maxlen))
        for number, action in actions:
            number %= len(branches)
            if branches[number] is None:
                continue
            self.trace.append(number)
            if action == "tee":
                branches += self.px.tee(branches[number], 1)
            else:
                self.use(branches, number, action, source)
        branches.clear()
        if source[0] == "failing":
            gc.collect()  # an error that the reference keeps holds its own frames

    def partition(self, source, fails, maxlen, actions):
        pred = self.callback("pred", often, fails)
        branches = list(self.px.partition(pred, self.source(*source), maxlen=maxlen))
        for number, action in actions:
            if branches[number] is None:
                continue
            self.trace.append(number)
            self.use(branches, number, action, source)
        branches.clear()
        if source[0] == "failing":
            gc.collect()

    def peekable(self, source, entered, actions):
        self.look_ahead(self.px.peekable(self.source(*source)), entered, actions)

    def seekable(self, source, maxlen, entered, actions):
        it = self.px.seekable(self.source(*source), maxlen)
        self.look_ahead(it, entered, actions)

    def look_ahead(self, it, entered, actions):
        if entered:
            it.__enter__()
        for action, *args in actions:
            if action in LOOKS:
                self.attempt(action, LOOKS[action], self.px, it, *args)
            else:
                self.act(it, action)
            self.trace.append(("result", it.result))
        if entered:
            self.attempt("exit", leave, it)
        self.trace.append("dropped")

    def groupby(self, source, fails, actions):
        key = self.callback("key", lambda item: item // 2, fails)
        it = self.px.groupby(self.source(*source), key)
        groups = []

        def advance():
            key, group = next(it)
            groups.append(group)
            return key

        for action, number in actions:
            if action == "advance":
                self.attempt(action, advance)
            elif action == "close":
                self.attempt(action, it.close)
            elif groups:
                self.act(groups[number % len(groups)], action)


# What can be asked of an iterator that looks ahead.
LOOKS = {
    "peek": lambda px, it, *default: it.peek(*default),
    "bool": lambda px, it: bool(it),
    "item": lambda px, it, index: it[index],
    "slice": lambda px, it, *cut: it[slice(*cut)],
    "prepend": lambda px, it, items: it.prepend(*items),
    "seek": lambda px, it, index: it.seek(index),
    "relative_seek": lambda px, it, count: it.relative_seek(count),
    "tell": lambda px, it: it.tell(),
    "elements": lambda px, it: list(it.elements()),
    "spy": lambda px, it, n: px.spy(it, n)[0],
}


def same(items):
    """In place of iter(): a traceback keeps its frame, and the items, on both legs."""
    yield from items


def leave(it):
    return bool(it.__exit__(None, None, None))


def safe(source):
    """What is left in a source, whatever it raises."""
    it = iter(source)
    while True:
        try:
            yield next(it)
        except StopIteration:
            return
        except Exception as error:
            yield error.args


@contextmanager
def unraisable(trace):
    """What a clean-up raises while its object is dropped belongs to the trace; the
    collector, which comes when it likes, drops nothing meanwhile."""
    hook = sys.unraisablehook

    def write_down(event):
        error = event.exc_value
        said = error.__cause__ if isinstance(error.__cause__, StopIteration) else error
        trace.append(("unraisable", type(error), said.args))

    sys.unraisablehook = write_down
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.unraisablehook = hook


def compare(name, *scenario):
    traces = []
    for leg in ("pygenx", "reference"):
        run = Run(leg)
        with unraisable(run.trace):
            getattr(run, name)(*scenario)
            traces.append(run.trace.copy())  # before the collector may add to it
    ours, wanted = traces
    event(f"{name}: {'long' if len(wanted) > 12 else 'short'} trace")
    assert ours == wanted


@given(
    source=SOURCE,
    stages=st.lists(STAGE, max_size=4),
    entered=st.booleans(),
    kept=st.booleans(),
    actions=st.lists(ACTION, max_size=8),
    terminal=st.none() | TERMINAL,
)
def test_pipes_do_what_the_reference_does(**scenario):
    compare("pipe", *scenario.values())


@given(
    source=SOURCE,
    stages=st.lists(STAGE, max_size=5),
    terminal=TERMINAL,
    kept=st.booleans(),
)
def test_drains_do_what_the_reference_does(source, stages, terminal, kept):
    compare("pipe", source, stages, False, kept, [], terminal)


@given(inputs=INPUTS, nested=st.booleans(), actions=st.lists(ACTION, max_size=14))
def test_chain_does_what_the_reference_does(inputs, nested, actions):
    compare("chain", inputs, nested, actions)


@given(
    inputs=INPUTS,
    entered=st.booleans(),
    actions=st.lists(ACTION, max_size=14),
    strict=st.booleans(),
    closing=st.booleans(),
)
def test_zip_does_what_the_reference_does(inputs, entered, actions, strict, closing):
    options = {"strict": strict, "closing": closing}
    compare("several", "zip", inputs, entered, actions, options)


@given(inputs=INPUTS, entered=st.booleans(), actions=st.lists(ACTION, max_size=14))
def test_roundrobin_does_what_the_reference_does(inputs, entered, actions):
    compare("several", "roundrobin", inputs, entered, actions, {})


@given(
    inputs=INPUTS,
    entered=st.booleans(),
    actions=st.lists(ACTION, max_size=14),
    fails=FAILS,
    keyed=st.booleans(),
    reverse=st.booleans(),
)
def test_merge_does_what_the_reference_does(
    inputs, entered, actions, fails, keyed, reverse
):
    key = {"key": (lambda item: item // 2, fails)} if keyed else {}
    options = {**key, "reverse": reverse}
    compare("several", "merge", inputs, entered, actions, options)


@given(
    source=SOURCE,
    n=st.integers(1, 3),
    maxlen=st.none() | st.integers(1, 3),
    actions=st.lists(
        st.tuples(SMALL, st.sampled_from(["next"] * 6 + ["close", "drop", "tee"])),
        max_size=25,
    ),
)
def test_tee_does_what_the_reference_does(source, n, maxlen, actions):
    compare("tee", source, n, maxlen, actions)


@given(
    source=SOURCE,
    fails=FAILS,
    maxlen=st.none() | st.integers(1, 3),
    actions=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(["next"] * 8 + ["close", "drop"]),
        ),
        max_size=16,
    ),
)
def test_partition_does_what_the_reference_does(source, fails, maxlen, actions):
    compare("partition", source, fails, maxlen, actions)


INDEX = st.integers(-5, 6)
BOUND = st.none() | INDEX
LOOK = st.one_of(
    ACTION.map(only),
    ACTION.map(only),
    st.sampled_from([("peek",), ("peek", None), ("bool",)]),
    st.tuples(st.just("item"), INDEX),
    st.tuples(st.just("slice"), BOUND, BOUND, st.sampled_from([None, 1, 2, -1, -2])),
)
PUT_BACK = st.tuples(st.just("prepend"), st.lists(SMALL, max_size=3))


@given(
    source=SOURCE,
    entered=st.booleans(),
    actions=st.lists(LOOK | PUT_BACK | st.tuples(st.just("spy"), SMALL), max_size=12),
)
def test_peekable_does_what_the_reference_does(source, entered, actions):
    compare("peekable", source, entered, actions)


SEEK = st.one_of(
    st.tuples(st.sampled_from(["seek", "relative_seek"]), INDEX),
    st.sampled_from([("tell",), ("elements",)]),
)


@given(
    source=SOURCE,
    maxlen=st.none() | SMALL,
    entered=st.booleans(),
    actions=st.lists(LOOK | SEEK, max_size=14),
)
def test_seekable_does_what_the_reference_does(source, maxlen, entered, actions):
    compare("seekable", source, maxlen, entered, actions)


@given(
    source=SOURCE,
    fails=FAILS,
    actions=st.lists(
        st.tuples(
            st.sampled_from(["advance", "advance", "next", "next", "next", "close"]),
            st.integers(-2, -1),
        ),
        max_size=20,
    ),
)
def test_groupby_does_what_the_reference_does(source, fails, actions):
    compare("groupby", source, fails, actions)
