# ruff: noqa: RUF015
"""Random nests of everything, whose callbacks, keys and finalisers do random things to
random live objects. By hand, under a sanitizer: python fuzz.py [seconds] [seed]"""

import faulthandler
import gc
import itertools
import operator
import random
import sys
import time
import warnings

import programs
from programs import STAGES, TERMINALS, Thing

import pygenx
from pygenx import Pipeline, pipe

ERRORS = (Exception, KeyboardInterrupt, GeneratorExit)
live = []
depth = 0


def do():
    """One random act; nested ones are fewer and fewer."""
    global depth
    if depth > 3 or not live or chance.random() < 0.4:
        return
    depth += 1
    try:
        chance.choice(ACTS)(chance.choice(live))
    except ERRORS:
        pass
    finally:
        depth -= 1


class Evil(Thing):
    __slots__ = ()

    def __eq__(self, other):
        do()
        return NotImplemented if chance.random() < 0.3 else chance.random() < 0.6

    def __hash__(self):
        do()
        return chance.randrange(4)

    def __lt__(self, other):
        do()
        return chance.random() < 0.5

    __gt__ = __lt__

    def __bool__(self):
        do()
        return chance.random() < 0.7

    def __add__(self, other):
        do()
        return Evil(1)

    __radd__ = __add__

    def __iter__(self):
        do()
        return source()

    def __del__(self):
        do()


def callback(*args):
    do()
    kind = chance.random()
    if kind < 0.05:
        raise chance.choice((ValueError, StopIteration, KeyboardInterrupt, LookupError))
    return args[0] if kind < 0.6 and args else Evil(1)


class Iterator:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        do()
        return self

    def __next__(self):
        do()
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        if chance.random() < 0.05:
            raise ValueError
        return Evil(self.n)

    def close(self):
        do()
        if chance.random() < 0.2:
            raise LookupError

    def throw(self, error):
        do()
        if chance.random() < 0.5:
            raise error
        return Evil(0)

    def send(self, value):
        return next(self)

    def __del__(self):
        do()


def generator(n):
    for i in range(n):
        try:
            do()
            yield Evil(i)
        except LookupError:
            do()
    return Evil(n)


def source():
    n = chance.randrange(12)
    kind = chance.randrange(7)
    if kind == 0:
        return Iterator(n)
    if kind == 1:
        return generator(n)
    if kind == 2:
        return [Evil(i) for i in range(n)]
    if kind == 3:
        return map(Evil, range(n))
    if kind == 4:
        return {Thing(i): i for i in range(n)}.items()
    return chance.choice(live) if live else ()


ARGUMENTS = {
    **STAGES,
    "batched": lambda: (chance.randrange(1, 5),),
    "windowed": lambda: (chance.randrange(1, 5), None, chance.randrange(1, 4)),
    "sliding_window": lambda: (chance.randrange(1, 5),),
    "pairwise": lambda: (),
    "split_at": lambda: (callback, chance.choice((-1, 2)), chance.random() < 0.5),
    "split_before": lambda: (callback, chance.choice((-1, 2))),
    "split_after": lambda: (callback, chance.choice((-1, 2))),
    "split_when": lambda: (callback, chance.choice((-1, 2))),
    "collapse": lambda: (chance.choice((None, tuple)), chance.choice((1, 2))),
    "chunked": lambda: (chance.choice((None, 1, 2, 4)),),
    "groupby": lambda: (chance.choice((None, callback)),),
    "chain": lambda: tuple(source() for _ in range(chance.randrange(3))),
    "prepend": lambda: tuple(source() for _ in range(chance.randrange(3))),
    "zip": lambda: tuple(source() for _ in range(chance.randrange(3))),
    "tap": lambda: (callback, chance.choice((None, 1, 3)), callback, callback),
    "take": lambda: (chance.randrange(5),),
    "drop": lambda: (chance.randrange(5),),
    "islice": lambda: (
        chance.randrange(5),
        chance.choice((None, 5, 9)),
        chance.randrange(1, 3),
    ),
    "enumerate": lambda: (chance.choice((0, sys.maxsize - 2)),),
    "flatten": lambda: (),
    "progress": lambda: (),
}


def add_stage(made):
    name = chance.choice(list(STAGES))
    arguments = ARGUMENTS[name]
    arguments = (
        arguments() if name in ARGUMENTS and callable(arguments) else (callback,)
    )
    keep(getattr(made, name)(*arguments))


def keep(made):
    live.append(made)
    if len(live) > 25:
        live.pop(chance.randrange(len(live)))


def terminal(made):
    name = chance.choice(list(TERMINALS))
    arguments = (callback,) if name in ("for_each", "reduce") else ()
    keys = {"key": callback} if name in ("min", "max") and chance.random() < 0.5 else {}
    getattr(made, name)(*arguments, **keys)


class Manager:
    """Enters and leaves as callback() says."""

    def __init__(self, source):
        self.source = source

    def __enter__(self):
        callback(self)
        return self.source

    def __exit__(self, *exc_info):
        return callback(exc_info)


MAKERS = [
    lambda s: pygenx.chain(s, source()),
    lambda s: pygenx.chain.from_iterable(itertools.chain([s], [source()])),
    lambda s: pygenx.chain.from_iterable([s, source()]),
    lambda s: [
        keep(b)
        for b in pygenx.tee(s, chance.randrange(1, 4), maxlen=chance.choice((None, 3)))
    ][0],
    lambda s: pygenx.groupby(s, chance.choice((None, callback))),
    lambda s: [
        keep(b)
        for b in pygenx.partition(
            chance.choice((None, callback)), s, maxlen=chance.choice((None, 3))
        )
    ][0],
    lambda s: [keep(b) for b in pipe(s).map(callback).tee(chance.randrange(3))][:0],
    lambda s: [keep(b) for b in pipe(s).partition(callback)][:0],
    pygenx.peekable,
    lambda s: pygenx.seekable(s, chance.choice((None, 0, 1, 4))),
    lambda s: pygenx.zip(s, source(), strict=chance.random() < 0.3),
    lambda s: pygenx.roundrobin(source(), s),
    lambda s: pygenx.merge(s, source(), key=chance.choice((None, callback))),
    pygenx.serialize,
    lambda s: pygenx.spy(s, chance.randrange(4))[1],
    pygenx.own,
    pygenx.borrow,
    pipe,
    lambda s: add_stage(pipe(s)),
    lambda s: add_stage(pipe(s)),
    lambda s: Pipeline().map(callback).batched(2).flatten()(s),
    lambda s: pygenx.grouping(
        callback, sink=chance.choice((None, callback, *live[:1]))
    ),
    lambda s: pygenx.grouping(callback, fold=callback),
    lambda s: pygenx.fold(callback, Evil(0)),
    lambda s: pygenx.iterate(callback, Evil(0)),
    lambda s: pygenx.iter_except(callback, (LookupError, StopIteration), callback),
    lambda s: pygenx.iter_except(iter(s).__next__, chance.choice((KeyError, ()))),
    lambda s: pygenx.always_iterable(s, chance.choice((None, (str, bytes)))),
    lambda s: pygenx.with_iter(Manager(s)),
    lambda s: pygenx.buffer(memoryview(bytes(100))),
    lambda s: pygenx.timing(report=callback)(generator)(5),
    lambda s: pygenx.primed(generator)(5),
    lambda s: pygenx.feed(s, chance.choice(live) if live else programs.nothing),
]


def wrap(made):
    new = chance.choice(MAKERS)(made if chance.random() < 0.5 else source())
    if new is not None and not isinstance(new, (Evil, int)):
        keep(new)


def several(made):
    for _ in range(chance.randrange(6)):
        item = next(made)
        if type(item) is tuple and len(item) == 2 and hasattr(item[1], "close"):
            keep(item[1])
        del item


def leave(made):
    with made:
        several(made)


ACTS = [
    *[next] * 3,
    *[several] * 4,
    *[wrap] * 3,
    add_stage,
    add_stage,
    terminal,
    terminal,
    leave,
    repr,
    operator.length_hint,
    lambda made: made.close(),
    lambda made: made.send(Evil(3)),
    lambda made: made.send(None),
    lambda made: made.throw(chance.choice((LookupError, ValueError, GeneratorExit))),
    lambda made: live.remove(made) if made in live else None,
    lambda made: live.pop(chance.randrange(len(live))),
    lambda made: gc.collect(chance.randrange(3)),
    lambda made: live.append(live),
    lambda made: made.result,
    lambda made: made.peek(None),
    lambda made: made[chance.randrange(-3, 9)],
    lambda made: made[chance.randrange(-3, 9) : chance.randrange(-3, 9)],
    lambda made: made.seek(chance.randrange(7)),
    lambda made: made.relative_seek(chance.randrange(-4, 5)),
    lambda made: live.append(made.elements()),
    lambda made: made.prepend(Evil(7), Evil(8)),
    bool,
    lambda made: made.current,
    lambda made: list(itertools.islice(made, 20)),
]


def main(seconds, seed):
    global chance
    faulthandler.enable()
    warnings.simplefilter("ignore")
    sys.unraisablehook = programs.nothing
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        chance = random.Random(seed)
        print(seed, flush=True, file=sys.stderr) if "-v" in sys.argv else None
        live.clear()
        for _ in range(60):
            try:
                wrap(source())
                do(), do(), do()
            except ERRORS:
                pass
        live.clear()
        gc.collect()
        seed += 1
        rounds += 1
    programs.remove_path()
    print("rounds", rounds, "last seed", seed - 1)


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 10,
        int(sys.argv[2]) if len(sys.argv) > 2 else 0,
    )
