"""Random stages, terminals, programs, targets and objects of pygenx."""

import copy
import io
import itertools
import operator
import pickle

import programs

import pygenx
from fuzz import evil
from fuzz.evil import Evil, callback, function, item, some_function, source
from fuzz.world import world
from pygenx import Pipeline, pipe, this

# expressions of `this` ---------------------------------------------------------------

EXPRESSIONS = (
    lambda: this,
    lambda: this + 1,
    lambda: this * 2 - this,
    lambda: this.number,
    lambda: this["number"],
    lambda: this[0],
    lambda: this.method(this, key=1),
    lambda: -this // 2,
    lambda: this == item(),
    lambda: pygenx.all_of(this, this > 1),
    lambda: pygenx.any_of(this, item()),
    lambda: pygenx.none_of(this),
    lambda: pygenx.call(callback, this),
    lambda: pygenx.call(str, this),
    lambda: pygenx.call(max, [this, 1], default=this),
)


def one_argument():
    """What map() and its like may be given."""
    if world.maybe(0.2):
        return world.pick(EXPRESSIONS)()
    return some_function()


def one(x):
    """A plain function, nothing hostile about it; picklable."""
    return x


def two(x):
    return [x, x]


PAIRS = operator.add


# stages ------------------------------------------------------------------------------


def small(least=0):
    return world.below(5) + least


def few_sources():
    return tuple([source() for _ in range(world.below(3))])


def errors():
    chosen = (Exception, LookupError, ValueError, StopIteration, RuntimeError)
    return tuple([world.pick(chosen) for _ in range(1 + world.below(2))])


def reader(items, *args):
    for _ in items:
        yield item()


def either(*options):
    return world.pick(options)


# name -> function that gives the arguments and the keywords
STAGES = {name: lambda: ((one_argument(),), {}) for name in programs.STAGES}
STAGES |= {
    "accumulate": lambda: (
        (either(None, some_function(2)),),
        {"initial": either(None, item())},
    ),
    "starmap": lambda: ((some_function(2),), {}),
    "batched": lambda: ((small(1),), {"strict": world.maybe(0.2)}),
    "windowed": lambda: ((small(1), item(), small(1)), {}),
    "sliding_window": lambda: ((small(1),), {}),
    "pairwise": lambda: ((), {}),
    "split_at": lambda: ((one_argument(), either(-1, 2), world.maybe(0.5)), {}),
    "split_before": lambda: ((one_argument(), either(-1, 2)), {}),
    "split_after": lambda: ((one_argument(), either(-1, 2)), {}),
    "split_when": lambda: ((some_function(2), either(-1, 2)), {}),
    "collapse": lambda: ((either(None, tuple, str), either(1, 2)), {}),
    "chunked": lambda: ((either(None, 1, 2, 4), world.maybe(0.2)), {}),
    "groupby": lambda: ((either(None, one_argument()),), {}),
    "chain": lambda: (few_sources(), {}),
    "prepend": lambda: (few_sources(), {}),
    "zip": lambda: (few_sources(), {"strict": world.maybe(0.3)}),
    "tap": lambda: ((callback, either(None, 1, 3), callback, callback), {}),
    "take": lambda: ((small() * either(1, 30),), {}),
    "drop": lambda: ((small() * either(1, 30),), {}),
    "tail": lambda: ((small(),), {}),
    "islice": lambda: ((small(), either(None, 5, 99), small(1)), {}),
    "enumerate": lambda: ((either(0, 2**63 - 3, evil.EvilInt(2)),), {}),
    "flatten": lambda: ((), {}),
    "progress": lambda: ((), {}),
    "pluck": lambda: ((either(0, 1, [0, 1], [], "number", Evil(0)), item()), {}),
    "intersperse": lambda: ((item(), small(1)), {}),
    "unique_everseen": lambda: (
        (either(None, one_argument()),),
        {"maxlen": either(None, 1, 3)},
    ),
    "unique_justseen": lambda: ((either(None, one_argument()),), {}),
    "catch": lambda: (
        errors(),
        {"do": either(None, callback), "replace": callback, "stop": world.maybe(0.2)},
    ),
    "map_except": lambda: ((one_argument(), *errors()), {}),
    "through": lambda: ((either(reader, callback),), {}),
    "on_close": lambda: ((callback,), {}),
    "filter": lambda: ((either(None, one_argument()),), {}),
}
NAMES = sorted(STAGES)
OFTEN = ("map", "filter", "map", "filterfalse", "takewhile", "flat_map")


def add_stage(made):
    """Of a pipe or a Pipeline, one stage longer."""
    name = world.pick(OFTEN) if world.maybe(0.4) else world.pick(NAMES)
    args, keywords = STAGES[name]()
    return getattr(made, name)(*args, **keywords)


def add_stages(made, most=4):
    for _ in range(world.below(most + 1)):
        made = add_stage(made)
    return made


# terminals ---------------------------------------------------------------------------

TERMINALS = {name: lambda: ((), {}) for name in programs.TERMINALS}
TERMINALS |= {
    "array": lambda: ((either(*"bBqdI"),), {}),
    "collect": lambda: (tuple([reducer(0) for _ in range(1 + world.below(2))]), {}),
    "consume": lambda: ((either(None, 3),), {}),
    "dict": lambda: ((), {}),
    "first": lambda: (either((), (None,)), {}),
    "first_true": lambda: ((None, either(None, one_argument())), {}),
    "for_each": lambda: ((one_argument(),), {}),
    "into": lambda: ((target(),), {}),
    "join": lambda: ((either("", "-", evil.EvilStr("+")),), {}),
    "last": lambda: (either((), (None,)), {}),
    "map_reduce": lambda: (
        (one_argument(), *either((), (one_argument(),), (one_argument(), callback))),
        {},
    ),
    "max": lambda: ((), either({}, {"key": one_argument(), "default": 0})),
    "min": lambda: ((), either({}, {"key": one_argument(), "default": 0})),
    "nth": lambda: ((small(),), {}),
    "one": lambda: ((None, either(None, LookupError("many"))), {}),
    "reduce": lambda: ((some_function(2), *either((), (item(),))), {}),
    "reduceby": lambda: (
        (one_argument(), some_function(2)),
        either({}, {"init": item()}, {"factory": callback}),
    ),
    "sum": lambda: (either((), (item(),)), {}),
}
TERMINAL_NAMES = sorted(TERMINALS)


def terminal():
    name = world.pick(TERMINAL_NAMES)
    return name, *TERMINALS[name]()


def program():
    return add_stages(Pipeline())


def reducer(stages=2):
    name, args, keywords = terminal()
    return getattr(add_stages(Pipeline(), stages), name)(*args, **keywords)


def travelled(made):
    """Through pickle or copy, if it can; lambdas that are lifted can."""
    how = world.pick((None, copy.copy, copy.deepcopy, "pickle"))
    if how == "pickle":
        return pickle.loads(pickle.dumps(made, world.below(4) + 2))
    return made if how is None else how(made)


# push --------------------------------------------------------------------------------


class Sink:
    """Every part of a target is hostile."""

    def send(self, item):
        evil.hostile()
        if world.maybe(0.05):
            raise StopIteration(item)

    def throw(self, *error):
        evil.hostile()
        if world.maybe(0.5):
            raise error[0]

    def close(self):
        evil.hostile()
        return item()


def listening():
    count = 0
    try:
        while True:
            yield
            evil.hostile(0.2)
            count += 1
    except GeneratorExit:
        evil.hostile(0.2)
        return count


TARGETS = (
    lambda: callback,
    lambda: [].append,
    lambda: listening(),
    lambda: Sink(),
    lambda: reducer(),
    lambda: world.keep(pygenx.fold(some_function(2), item())),
    lambda: world.keep(pygenx.grouping(either(None, callback))),
    lambda: world.keep(pygenx.broadcast(*[target() for _ in range(world.below(3))])),
    lambda: world.keep(pygenx.route(callback, {0: target(), 1: Sink()})),
    lambda: world.keep(pygenx.route(callback, Evil())),
    lambda: world.keep(program().into(target())),
    lambda: world.keep(reducer().push()),
    lambda: world.some_live(),
)


def target():
    return world.pick(TARGETS)() if world.spend() else callback


# objects of all types ----------------------------------------------------------------


class Manager:
    def __init__(self, source):
        self.source = source

    def __enter__(self):
        evil.hostile()
        return self.source

    def __exit__(self, *exc_info):
        return callback(exc_info)


class Lines(io.StringIO):
    def readline(self, *args):
        evil.hostile()
        return super().readline(*args)

    def __next__(self):
        evil.hostile()
        return super().__next__()

    def close(self):
        evil.hostile()
        super().close()


def opener(path, mode, **options):
    evil.hostile()
    return Lines("one\ntwo\nthree\n")


def keep_all(branches):
    """Keeps them; one of them, or None."""
    kept = [world.keep(branch) for branch in branches]
    return kept[-1] if kept else None


def bound(s):
    """A program that has travelled, bound to a source."""
    return travelled(world.keep(program()))(s)


def watched(s):
    p = add_stages(pipe(s))
    world.keep(either(p.stats, p.profile)())
    return add_stages(p, 2)


def native(s):
    return pygenx.lifting.native(function())


def reduced(s):
    return world.keep(travelled(reducer()))(s)


def several(*made):
    """The source and others, in any order."""
    made = [*made, *few_sources()]
    world.chance.shuffle(made)
    return made


MAKERS = (
    *[lambda s: add_stages(pipe(s))] * 6,
    *[bound] * 3,
    watched,
    watched,
    reduced,
    native,
    lambda s: world.keep(program()),
    lambda s: world.keep(program()) | program(),
    lambda s: add_stage(pipe(s)) | program(),
    lambda s: world.keep(reducer()),
    lambda s: world.keep(program().into(target())),
    lambda s: world.keep(reducer().push()),
    lambda s: target(),
    lambda s: pygenx.chain(*several(s)),
    lambda s: pygenx.chain.from_iterable(iter(several(s))),
    lambda s: pygenx.chain.from_iterable(several(s)),
    lambda s: keep_all(
        pygenx.tee(s, small(1), maxlen=either(None, 3), lock=world.maybe(0.2))
    ),
    lambda s: keep_all(add_stages(pipe(s)).tee(small(1))),
    lambda s: keep_all(pygenx.partition(one_or_none(), s, maxlen=either(None, 3))),
    lambda s: keep_all(add_stages(pipe(s)).partition(one_or_none())),
    lambda s: pygenx.groupby(s, one_or_none()),
    lambda s: pygenx.peekable(s),
    lambda s: pygenx.seekable(s, either(None, 0, 1, 4)),
    lambda s: pygenx.spy(s, small())[1],
    lambda s: pygenx.zip(*several(s), strict=world.maybe(0.3)),
    lambda s: pygenx.zip(*several(s), closing=True),
    lambda s: pygenx.roundrobin(*several(s)),
    lambda s: pygenx.merge(*several(s), key=one_or_none(), reverse=world.maybe(0.3)),
    lambda s: pygenx.serialize(s),
    lambda s: pygenx.own(s),
    lambda s: pygenx.borrow(s),
    lambda s: pygenx.grouping(callback, sink=either(None, callback, target())),
    lambda s: pygenx.grouping(callback, fold=some_function(2)),
    lambda s: pygenx.fold(some_function(2), item()),
    lambda s: pygenx.iterate(callback, item()),
    lambda s: pygenx.iter_except(callback, (LookupError, StopIteration), callback),
    lambda s: pygenx.iter_except(iter(s).__next__, either(LookupError, ())),
    lambda s: pygenx.always_iterable(s, either(None, (str, bytes))),
    lambda s: pygenx.with_iter(Manager(s)),
    lambda s: pygenx.buffer(s),
    lambda s: pygenx.read_lines("a", Lines("x\ny"), "b", opener=opener),
    lambda s: pygenx.iter_suppress(s, *errors()),
    lambda s: pygenx.map_except(callback, s, *errors()),
    lambda s: pygenx.side_effect(callback, s, either(None, 2), after=callback),
    lambda s: pygenx.primed(evil.generator)(5),
    lambda s: pygenx.primed(evil.async_generator)(5),
    lambda s: pygenx.timing(report=either(None, callback)),
    lambda s: pygenx.timing(report=callback)(evil.generator)(5),
    lambda s: pygenx.timing(report=None)(evil.async_generator)(3),
    lambda s: pygenx.timing(report=callback)(evil.coroutine)(),
    lambda s: pygenx.timing(report=callback)(callback),
    lambda s: pygenx.feed(s, target()),
    lambda s: pygenx.Failure(ValueError(item()), item(), 0, stage="here"),
    lambda s: pygenx.func(world.pick(EXPRESSIONS)()),
    lambda s: iter(itertools.chain(pipe(s), source())),
)


def one_or_none():
    return either(None, one_argument())


def made(s):
    """Something of pygenx that reads `s`, or may."""
    return world.pick(MAKERS)(s)
