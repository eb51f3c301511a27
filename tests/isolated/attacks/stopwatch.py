# ruff: noqa: F821, PT018 (attacks are short and rude)
"""timing: reports, nesting, threads and its decorators."""

import gc
import time

import programs
from programs import Thing, value_of

import pygenx
from attacks.common import in_threads, raises


def X1_timing_used_wrongly():
    timing = pygenx.timing(report=None)
    raises(RuntimeError, timing.__exit__, None, None, None)
    raises(RuntimeError, timing.lap)
    for n in (0, 1, 2, 4):
        raises(TypeError, timing.__exit__, *[None] * n)
    with timing, timing, timing:
        assert timing.elapsed >= 0
    assert timing.count == 3
    for _ in range(100):
        timing.__enter__()
    for _ in range(100):
        timing.__exit__(None, None, None)
    raises(RuntimeError, timing.__exit__, None, None, None)
    try:
        with timing:
            raise ArithmeticError
    except ArithmeticError:
        pass
    else:
        raise AssertionError("swallowed")
    timing.__enter__()
    in_threads(lambda: raises(RuntimeError, timing.__exit__, None, None, None), 2)
    timing.__exit__(1, 2, 3)
    old, time.perf_counter = time.perf_counter, lambda: -1
    with timing:
        pass
    time.perf_counter = old
    assert timing.elapsed >= 0

    def report(text):
        with again:
            if again.count < 5:
                pass
        raise LookupError("report")

    again = pygenx.timing(report=None)
    failing = pygenx.timing(report=report)

    def body():
        with failing:
            raise ArithmeticError("body")

    error = raises(LookupError, body)
    assert type(error.__context__) is ArithmeticError
    again.__enter__()
    del again


def X1_timing_reports_that_reenter():
    def report(text):
        if timing.count < 50:
            with timing:
                pass

    timing = pygenx.timing(report=report)
    with timing:
        pass
    assert timing.count == 50

    def dropping(text):
        box.clear()
        gc.collect()
        assert text.error is None and text.elapsed >= 0

    box = [pygenx.timing(report=dropping)]
    with box[0]:
        pass
    box = [pygenx.timing(report=dropping)(value_of)]
    box[0](Thing(1))


def X2_timing_as_decorator():
    decorate = pygenx.timing(report=None)
    generator = decorate(programs.generator)
    made = generator(3)
    next(made)
    raises((ValueError, AttributeError, TypeError), made.send, 1, 2)
    assert made.throw(LookupError).value == "caught"
    made.close()
    assert generator.timing.count == 1

    async def coroutine():
        return 5

    running = decorate(coroutine)()
    assert raises(StopIteration, running.send, None).value == 5
    dropped = decorate(coroutine)()
    dropped.close()
    stepped = programs.timed_async()
    step = stepped.__anext__()
    assert raises(StopIteration, step.send, None).value.value == 1
    raises((RuntimeError, StopIteration), step.send, None)
    raises(StopIteration, stepped.aclose().send, None)
