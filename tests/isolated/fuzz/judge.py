"""What a round of chaos may raise, and what it may not."""

import re
import sys

from pygenx import ReentrancyError

INJECTED = "injected"  # the first argument of all errors that the fuzzer raises itself


class Finding(BaseException):
    """Something that must not be. No callback catches it by mistake."""


class EndSignal(StopIteration):
    """A subclass of StopIteration."""


class Strange(BaseException):
    """An error that is no Exception."""


class Needy(Exception):
    """An error that cannot be made again from its arguments."""

    def __init__(self, first, /, *, second):
        super().__init__(first)


RAISED = (
    *(ValueError, LookupError, KeyError, IndexError, TypeError, AttributeError),
    *(ZeroDivisionError, RuntimeError, BufferError, OSError, OverflowError),
    *(StopIteration, EndSignal, StopAsyncIteration, GeneratorExit),
    *(KeyboardInterrupt, MemoryError, RecursionError, SystemExit, Strange),
)

# Nobody raises these but who was told to: an Error without the mark is a finding.
NEVER = (
    SystemError,
    KeyboardInterrupt,
    SystemExit,
    AssertionError,
    UnboundLocalError,
    Strange,
)


def error_to_raise(chance):
    if chance.random() < 0.04:
        return Needy(INJECTED, second=0)
    return chance.choice(RAISED)(INJECTED)


# CPython makes a tuple of an iterable in view of gc.get_objects(), and then will not
# resize what others hold: f(*generator) (bpo-15108). We resize none.
RESIZED = re.compile(r".*tupleobject\.c:\d+: bad argument to internal function")


def is_injected(error):
    return type(error) is SystemExit or error.args[:1] == (INJECTED,)


def is_cpythons(error):
    return type(error) is SystemError and RESIZED.match(str(error))


def check_error(error, where):
    """Raises a Finding if that error cannot be right."""
    if isinstance(error, Finding):
        raise error
    if isinstance(error, NEVER) and not (is_injected(error) or is_cpythons(error)):
        raise Finding(f"{where}: {type(error).__name__}: {error}") from error
    if isinstance(error, ReentrancyError) and not isinstance(error, ValueError):
        raise Finding(f"{where}: a ReentrancyError of a wrong kind")


def check_unraisable(event):
    """What cannot be raised is seen by the same judge; found in `unraisable`."""
    error = event.exc_value
    if isinstance(error, Finding):
        FOUND.append(error)
    elif isinstance(error, NEVER) and not (is_injected(error) or is_cpythons(error)):
        FOUND.append(Finding(f"unraisable {type(error).__name__}: {error}"))


FOUND = []  # by the hook, which cannot raise


def check_found():
    if FOUND:
        raise FOUND.pop()


# Of these, what has ended stays ended: no prepend(), no seek(), no queue.
STICKY = {
    *("pipe", "chain", "tee_branch", "partition_branch", "groupby", "groupby_group"),
    *("merge", "zip", "roundrobin", "serialize", "own", "borrow", "iterate"),
    *("iter_except", "buffer", "read_lines", "with_iter", "timed_generator"),
}


def is_sticky(made):
    kind = type(made)
    return kind.__module__.startswith("pygenx") and kind.__name__ in STICKY


def check_ended(made, where):
    """It raised StopIteration: it does so again."""
    try:
        next(made)
    except StopIteration:
        return
    except ReentrancyError:
        return  # it is running: an act of another thread, or we are inside of it
    except BaseException as error:
        check_error(error, where)
        if "was taken by" in str(error):
            return  # by another thread, in between
        raise Finding(f"{where}: after its end {type(error).__name__}") from error
    raise Finding(f"{where}: an item after the end")


def clean():
    sys.unraisablehook = check_unraisable
    FOUND.clear()
