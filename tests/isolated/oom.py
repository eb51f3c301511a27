# ruff: noqa: SIM105 (contextlib.suppress would allocate)
"""Fails each allocation of each program in turn: MemoryError or the right result.

Prints one line for each case that gave neither, or that leaks on those paths; then
"done". Cases avoid closures: CPython 3.11 itself leaks the arguments of a frame whose
cells cannot be made.
"""

import _testcapi
import array
import gc
import itertools
import operator
import sys
import types
import warnings

import programs

from pygenx import Pipeline, lifting, pipe

CLEAN_RUNS = 6  # so many in a row without a failed allocation: all were tried
SWEEPS = 7
DEPTH = 40


def iterate(make):
    return list(make(iter(THINGS)))


def send(make):
    iterator = make(programs.generator())
    next(iterator)
    try:
        return iterator.send(THING)
    except (TypeError, AttributeError, StopIteration) as error:
        return type(error)


def throw(make):
    iterator = make(programs.generator())
    next(iterator)
    try:
        return iterator.throw(LookupError)
    except (LookupError, StopIteration) as error:
        return type(error)


def close(make):
    iterator = make(programs.Source())
    next(iterator)
    return iterator.close()


def drop(make):
    next(make(iter(THINGS)))


def fail(make):
    iterator = make(map(int, NOT_NUMBERS))
    try:
        return list(iterator)
    except ValueError as error:
        return type(error)


def describe(make):
    iterator = make(iter(THINGS))
    hint = operator.length_hint(iterator, -1)
    return repr(iterator).count("("), hint


THING = programs.Thing(0)
THINGS = programs.things(3)
NOT_NUMBERS = ["1", "x", "2"]
WAYS = [iterate, send, throw, close, drop, fail, describe]
# Not ours: opening files leaks some text, and so does struct.Struct from 3.15.
LEAKS_OF_CPYTHON = {name for name in programs.DRIVERS if name.startswith("read_lines")}
if sys.version_info >= (3, 15):
    LEAKS_OF_CPYTHON |= {"buffer failing", "buffer unpacked"}
# A lock that io cannot make for want of memory is a RuntimeError in CPython; an error
# is lost where its frame cannot be made (a debug build would see it if we lost it).
ERRORS_OF_CPYTHON = {"can't allocate read lock", "error return without exception set"}


def normal(result):
    """For comparison: a group is as good as the next."""
    if isinstance(result, list):
        return [normal(item) for item in result]
    if isinstance(result, tuple) and len(result) == 2:
        return (normal(result[0]), normal(result[1]))
    return type(result) if "groupby" in type(result).__name__ else result


def text_of_an_error():
    try:
        THING.nothing  # noqa: B018
    except AttributeError as error:
        return str(error)


def attempt(case, start, stop):
    """(failed, result)"""
    try:
        _testcapi.set_nomemory(start, stop)
        try:
            result = case()
        finally:
            _testcapi.remove_mem_hooks()
    except MemoryError:
        return True, None
    return False, result


# The first releases of 3.11 raise an error whose text they cannot make without any.
LOSES_TEXTS = attempt(text_of_an_error, 1, 2) == (False, "")


def is_of_cpython(error):
    text = str(error)
    return text in ERRORS_OF_CPYTHON or (
        isinstance(error, SystemError)
        and (text.startswith("<function") or "generator" in text)
    )


def results(case):
    """What is wrong with the case, as texts."""
    expected = normal(case())
    for once in (True, False):
        clean = start = 0
        while clean < CLEAN_RUNS and start < 300:
            start += 1
            clean += 1
            try:
                failed, result = attempt(case, start, start + 1 if once else 0)
            except BaseException as error:  # whatever it is, it is a finding
                clean = 0
                if not is_of_cpython(error):
                    yield f"allocation {start}: {type(error).__name__}: {error}"
                continue
            text_lost = LOSES_TEXTS and isinstance(expected, str) and not result
            if failed or text_lost:
                clean = 0
            elif normal(result) != expected:
                yield f"allocation {start}: {result!r} instead of {expected!r}"


def sweep(case):
    for start in range(DEPTH):
        try:
            attempt(case, start, start + 1)
        except BaseException:
            pass
    gc.collect()


def leaks(case):
    blocks = array.array("q", [0] * SWEEPS)
    for i in range(SWEEPS):
        sweep(case)
        blocks[i] = sys.getallocatedblocks()
    grown = [after - before for before, after in itertools.pairwise(blocks[2:])]
    if min(grown) > 0:
        yield f"leaks {grown} blocks"


def nested(code):
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield constant
            yield from nested(constant)


# CPython 3.12 and 3.13 drop a reference to the code of a function with a closure when
# they cannot make it: these keep it alive.
KEPT = [
    [code] * 100_000
    for made in vars(programs).values()
    if isinstance(made, types.FunctionType)
    for code in nested(made.__code__)
]


class Case:
    def __init__(self, way, make):
        self.way = way
        self.make = make

    def __call__(self):
        return self.way(self.make)


class Drained:
    def __init__(self, name):
        self.name = name

    def __call__(self):
        return programs.drained(self.name, THINGS)


class Driven:
    """A stage or terminal under another driver, its functions native from the start."""

    def __init__(self, drive, name, args):
        self.drive = drive
        self.name = name
        self.args = args

    def __call__(self):
        lifting._eager(1)
        try:
            return self.drive(self.name, self.args)
        except ERRORS_OF_DRIVERS as error:
            return type(error)
        finally:
            lifting._eager(-1)


ERRORS_OF_DRIVERS = (TypeError, ValueError, LookupError, ArithmeticError)


def drain_stage(name, args):
    return programs.staged(name, THINGS, args).list()


def push_stage(name, args):
    kept = []
    push = getattr(Pipeline(), name)(*args).into(kept.append)
    return pushed(name, push, programs.BEFORE.get(name)), kept


def drain_terminal(name, args):
    return programs.drained(name, THINGS)


def push_terminal(name, args):
    made = getattr(Pipeline(), name)(*args)
    push = made if name == "into" else made.push()
    return pushed(name, push, programs.BEFORE_TERMINAL.get(name))


def pushed(name, push, before):
    with push:
        try:
            for item in programs.prepared(THINGS, before):
                push.send(item)
        except StopIteration:
            pass
    return push.result


def driven():
    for names, drivers in (
        (programs.STAGES, (drain_stage, push_stage)),
        (programs.TERMINALS, (drain_terminal, push_terminal)),
    ):
        for name, args in names.items():
            for drive in drivers:
                yield f"{name} {drive.__name__}", Driven(drive, name, args)


def empty_minimum():
    try:
        pipe(()).min()
    except ValueError:
        return "ValueError"


def cases():
    makers = programs.iterator_makers()
    for name, make in makers.items():
        for way in WAYS:
            if (name, way) == ("timing", fail) and sys.version_info >= (3, 12):
                continue  # a plain generator loses the error there as well
            yield f"{name} {way.__name__}", Case(way, make)
    for name in programs.TERMINALS:
        yield f"pipe().{name}()", Drained(name)
    yield from driven()
    yield from programs.DRIVERS.items()
    yield "min of nothing", empty_minimum


def part_of(wanted):
    """The cases named, or those of one part: "2/6"."""
    part, slash, parts = "".join(wanted).partition("/")
    if slash:
        yield from itertools.islice(cases(), int(part), None, int(parts))
        return
    for name, case in cases():
        if not wanted or name.startswith(tuple(wanted)):
            yield name, case


def main(wanted):
    warnings.simplefilter("ignore")
    programs.write_path()
    sys.unraisablehook = programs.nothing
    for name, case in part_of(wanted):
        print(name, end="", flush=True)  # the last one, if the process dies
        try:
            case(), case()
            faults = list(results(case))
            if name not in LEAKS_OF_CPYTHON:
                faults += leaks(case)
        except Exception as error:
            faults = [f"without any failure: {error!r}"]
        print(
            "".join(f"\n    {fault}" for fault in faults[:3]) if faults else " ok",
            flush=True,
        )
    programs.remove_path()
    print("done")


if __name__ == "__main__":
    main(sys.argv[1:])
