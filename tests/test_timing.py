"""timing: blocks, statistics, decorated functions of every kind, misuse."""

import asyncio
import contextlib
import copy
import functools
import gc
import inspect
import math
import pickle
import re
import sys
import threading
import time
import types
import weakref
from collections import abc

import pytest

from pygenx import primed, timing

TEXT = re.compile(r"Elapsed time: \d+\.\d{4} seconds")
PAUSE = 0.02  # long against what is measured beside it


def run(coroutine):
    return asyncio.run(coroutine)


def fail():
    raise ZeroDivisionError


@pytest.fixture
def reports():
    return []


@pytest.fixture
def timed(reports):
    """The decorator that reports into a list."""
    return timing(report=reports.append)


# -- blocks ------------------------------------------------------------------------


def test_block_prints(impl, capsys):
    with impl.timing():
        pass
    assert TEXT.fullmatch(capsys.readouterr().out.rstrip("\n"))


def test_block_prints_its_label(impl, capsys):
    with impl.timing("reading"):
        pass
    assert re.fullmatch(r"reading: 0\.0\d{3} seconds\n", capsys.readouterr().out)


def test_block_without_report_prints_nothing(impl, capsys):
    with impl.timing(report=None) as timer:
        time.sleep(PAUSE)
    assert capsys.readouterr().out == ""
    assert PAUSE <= timer.elapsed < 1


def test_report_gets_the_text(impl):
    texts = []
    with impl.timing("x", report=texts.append):
        pass
    assert len(texts) == 1
    assert re.fullmatch(r"x: 0\.0\d{3} seconds", texts[0])


def test_print_is_looked_up_when_it_is_needed(monkeypatch):
    printed = []
    timer = timing()
    monkeypatch.setattr("builtins.print", printed.append)
    with timer:
        pass
    assert len(printed) == 1


def test_text_carries_the_numbers(reports):
    with timing("x", report=reports.append) as timer:
        time.sleep(PAUSE)
    (text,) = reports
    assert isinstance(text, str)
    assert text == f"x: {text.elapsed:.4f} seconds"
    assert text.label == "x"
    assert text.elapsed_ns >= PAUSE * 1e9
    assert text.elapsed == text.elapsed_ns / 1e9
    assert text.error is None
    assert timer.elapsed == text.elapsed
    assert timer.elapsed_ns == text.elapsed_ns


def test_text_is_a_str_in_every_way(reports):
    with timing("ä€😀", report=reports.append):
        pass
    (text,) = reports
    plain = str(text)
    assert type(plain) is str
    assert text == plain
    assert hash(text) == hash(plain)
    assert text.upper() == plain.upper()
    assert {plain: 1}[text] == 1
    for again in (pickle.loads(pickle.dumps(text)), copy.deepcopy(text)):
        assert type(again) is str
        assert again == plain


def test_text_cannot_be_made_by_hand(reports):
    with timing(report=reports.append):
        pass
    with pytest.raises(TypeError, match="cannot create"):
        type(reports[0])("x")
    with pytest.raises(AttributeError):
        reports[0].elapsed = 1.0


def test_error_is_reported_and_raised(reports):
    with (
        pytest.raises(ZeroDivisionError) as caught,
        timing(report=reports.append) as timer,
    ):
        fail()
    assert reports[0].error is caught.value
    assert timer.count == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopIteration, GeneratorExit])
def test_no_exception_is_swallowed(error, reports):
    with pytest.raises(error), timing(report=reports.append):
        raise error
    assert type(reports[0].error) is error


def test_failing_report_raises_its_error():
    def report(text):
        raise KeyError(text)

    timer = timing(report=report)
    with pytest.raises(KeyError) as caught, timer:
        pass
    assert caught.value.__context__ is None
    assert timer.count == 1


def test_failing_report_keeps_the_blocks_error_as_context():
    def report(text):
        raise KeyError

    with pytest.raises(KeyError) as caught, timing(report=report):
        fail()
    assert type(caught.value.__context__) is ZeroDivisionError


def test_failing_report_keeps_the_context_without_a_handler():
    def report(text):
        raise KeyError

    error = ValueError("x")
    timer = timing(report=report)
    timer.__enter__()
    with pytest.raises(KeyError) as caught:
        timer.__exit__(ValueError, error, None)
    assert caught.value.__context__ is error


def test_stop_iteration_of_a_report_does_not_pass_for_an_end():
    def report(text):
        raise StopIteration

    with (
        pytest.raises(RuntimeError, match="raised StopIteration"),
        timing(report=report),
    ):
        pass


def test_report_may_use_its_own_timing():
    depths = []

    def report(text):
        depths.append(timer.count)
        if len(depths) < 5:
            with timer:
                pass

    timer = timing(report=report)
    with timer:
        pass
    assert depths == [1, 2, 3, 4, 5]


# -- reading -----------------------------------------------------------------------


def test_clock_is_that_of_perf_counter():
    before = time.perf_counter_ns()
    with timing(report=None) as timer:
        inside = time.perf_counter_ns()
        time.sleep(PAUSE)
        left = time.perf_counter_ns()
    after = time.perf_counter_ns()
    assert left - inside <= timer.elapsed_ns <= after - before


def test_elapsed_is_live_and_then_final():
    timer = timing(report=None)
    assert timer.elapsed == 0.0
    assert timer.elapsed_ns == 0
    with timer:
        first = timer.elapsed_ns
        second = timer.elapsed_ns
        assert 0 < first < second
    assert timer.elapsed_ns > second
    assert timer.elapsed == timer.elapsed
    assert timer.elapsed == timer.elapsed_ns / 1e9


def test_nothing_measured_yet():
    timer = timing("x", report=None)
    assert (timer.count, timer.total, timer.min, timer.max, timer.mean) == (0,) + (
        0.0,
    ) * 4
    assert timer.laps == []
    assert timer.label == "x"


def test_statistics_over_uses():
    timer = timing(report=None)
    times = []
    for pause in (0.001, PAUSE, 0.0):
        with timer:
            time.sleep(pause)
        times.append(timer.elapsed)
    assert timer.count == 3
    assert timer.min == min(times)
    assert timer.max == max(times)
    assert math.isclose(timer.total, sum(times))
    assert math.isclose(timer.mean, sum(times) / 3)


def test_laps():
    with timing(report=None) as timer:
        time.sleep(PAUSE)
        first = timer.lap()
        second = timer.lap()
    assert first >= PAUSE > second > 0
    assert timer.laps == [first, second]
    assert sum(timer.laps) <= timer.elapsed


def test_laps_are_of_the_last_outermost_block():
    timer = timing(report=None)
    with timer:
        one = timer.lap()
        with timer:
            two = timer.lap()
        three = timer.lap()
    assert timer.laps == [one, two, three]
    assert three > two
    with timer:
        assert timer.laps == []


def test_laps_cannot_be_changed_from_outside():
    with timing(report=None) as timer:
        lap = timer.lap()
        timer.laps.clear()
        assert timer.laps == [lap]


def test_lap_outside():
    timer = timing(report=None)
    with pytest.raises(RuntimeError, match="not entered"):
        timer.lap()
    with timer:
        pass
    with pytest.raises(RuntimeError, match="not entered"):
        timer.lap()


def test_repr_runs_no_code():
    class Label(str):
        def __repr__(self):
            raise AssertionError

        __str__ = __format__ = __repr__

    assert repr(timing("x")) == "<timing 'x': 0 uses>"
    assert "0 uses" in repr(timing(Label("x")))
    with timing(report=None) as timer:
        pass
    assert repr(timer) == "<timing 'Elapsed time': 1 use>"


# -- nesting and threads -----------------------------------------------------------


def test_blocks_nest(reports):
    timer = timing(report=reports.append)
    with timer:
        time.sleep(PAUSE)
        with timer, timer:
            pass
    assert timer.count == 3
    inner, middle, outer = (text.elapsed for text in reports)
    assert inner < middle < PAUSE < outer


@pytest.mark.parametrize("depth", [1, 2, 3, 50])
def test_any_depth(depth):
    timer = timing(report=None)
    for _ in range(3):
        with contextlib.ExitStack() as stack:
            for _ in range(depth):
                stack.enter_context(timer)
        with pytest.raises(RuntimeError):
            timer.__exit__(None, None, None)
    assert timer.count == 3 * depth


def in_thread(func):
    """What func() gives or raises in another thread."""
    answers = []

    def work():
        try:
            answers.append(func())
        except BaseException as error:
            answers.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return answers[0]


def test_left_in_another_thread():
    timer = timing(report=None)
    with timer:
        error = in_thread(lambda: timer.__exit__(None, None, None))
        assert isinstance(error, RuntimeError)
        assert timer.count == 0
    assert timer.count == 1


def test_threads_nest_each_for_itself():
    timer = timing(report=None)
    entered, leave = threading.Event(), threading.Event()

    def work():
        with timer:
            entered.set()
            leave.wait()
            with timer:
                inner = timer.elapsed
            return inner, timer.elapsed

    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    with timer:
        thread.start()
        entered.wait()
        time.sleep(PAUSE)
    assert timer.elapsed >= PAUSE  # the other's block is still open
    with timer:  # takes no place that the thread's own blocks need
        leave.set()
        thread.join()
    inner, outer = answers[0]
    assert inner < PAUSE <= outer
    assert timer.count == 4


def test_another_thread_may_watch():
    with timing(report=None) as timer:
        time.sleep(PAUSE)
        assert in_thread(lambda: timer.elapsed) >= PAUSE


def test_no_use_is_lost_between_threads():
    timer = timing(report=None)
    func = timing(lambda: None)
    barrier = threading.Barrier(4)
    errors = []

    def work():
        try:
            barrier.wait()
            for _ in range(2000):
                with timer, timer:
                    func()
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert timer.count == 16000
    assert func.timing.count == 8000
    assert timer.min > 0


# -- misuse ------------------------------------------------------------------------


def test_exit_without_enter(reports):
    timer = timing(report=reports.append)
    with pytest.raises(RuntimeError, match="not entered"):
        timer.__exit__(None, None, None)
    assert reports == []
    assert timer.count == 0


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_exit_with_the_wrong_number_of_arguments(count):
    timer = timing(report=None)
    with timer:
        with pytest.raises(TypeError, match="takes 3 arguments"):
            timer.__exit__(*[None] * count)
        assert timer.count == 0
    assert timer.count == 1


def test_exit_answers_false():
    timer = timing(report=None)
    timer.__enter__()
    error = ValueError()
    assert timer.__exit__(ValueError, error, None) is False


def test_exit_with_half_an_exception(reports):
    timer = timing(report=reports.append)
    timer.__enter__()
    timer.__exit__(ValueError, None, None)
    assert reports[0].error is None


def test_entered_and_never_left():
    timer = timing(report=None)
    timer.__enter__()
    assert timer.elapsed > 0
    reference = weakref.ref(timer)
    del timer
    assert reference() is None


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((1,), {}, "label must be str, not 'int'"),
        ((None,), {}, "label must be str, not 'NoneType'"),
        ((), {"report": 1}, "report must be callable, not 'int'"),
        ((), {"report": ...}, "report must be callable"),
        (("x", print), {}, "takes from 0 to 1 positional arguments but 2 were given"),
        ((), {"wrong": 1}, "unexpected keyword argument 'wrong'"),
        (("x",), {"label": "y"}, "multiple values for argument 'label'"),
    ],
)
def test_wrong_arguments(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        timing(*args, **kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1,), {}), ((len, len), {}), ((len,), {"x": 1})]
)
def test_wrong_decoration(args, kwargs):
    with pytest.raises(TypeError):
        timing()(*args, **kwargs)


def test_label_by_keyword_and_subclass_of_str(reports):
    class Label(str):
        pass

    label = Label("x")
    with timing(label=label, report=reports.append):
        pass
    assert reports[0].label is label


def test_the_type_is_final_and_closed():
    with pytest.raises(TypeError):
        type("Sub", (timing,), {})
    with pytest.raises(TypeError):
        timing.foo = 1
    with pytest.raises(AttributeError):
        timing().elapsed = 1
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(timing())
    with pytest.raises(TypeError, match="cannot pickle"):
        copy.copy(timing())


def test_signature():
    parameters = inspect.signature(timing).parameters
    assert list(parameters) == ["label", "report"]
    assert parameters["label"].default == "Elapsed time"
    assert parameters["report"].kind is inspect.Parameter.KEYWORD_ONLY


# -- decorated functions -----------------------------------------------------------


@timing
def area(width: int, height: int = 2, *, scale: float = 1.0) -> float:
    """Width times height."""
    return width * height * scale


def test_function_is_called_and_timed(capsys):
    before = area.timing.count
    assert area(3) == 6.0
    assert area(3, height=5, scale=2) == 30
    assert area.timing.count == before + 2
    assert area.timing.total > 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "decorate",
    [
        timing,
        timing(),
        timing("label"),
        timing(report=None),
        lambda func: timing(func, report=None),
    ],
)
def test_no_report_unless_it_is_given(decorate, capsys):
    func = decorate(lambda x: x + 1)
    assert func(1) == 2
    assert func.timing.count == 1
    with func.timing:
        pass
    assert func.timing.count == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("bare", [True, False])
def test_report_that_is_given(bare, reports):
    def work():
        time.sleep(PAUSE)

    if bare:
        func = timing(work, report=reports.append)
    else:
        func = timing("work", report=reports.append)(work)
    func()
    assert reports[0].label == ("Elapsed time" if bare else "work")
    assert PAUSE <= reports[0].elapsed == func.timing.elapsed


def test_each_function_has_its_own_statistics():
    decorate = timing("x", report=None)
    first, second = decorate(len), decorate(len)
    first("a")
    assert (first.timing.count, second.timing.count, decorate.count) == (1, 0, 0)
    assert first.timing.label == "x"


def test_errors_of_the_function(timed, reports):
    @timed
    def fail():
        raise LookupError("x")

    with pytest.raises(LookupError) as caught:
        fail()
    assert reports[0].error is caught.value
    assert fail.timing.count == 1
    with pytest.raises(TypeError, match=r"fail\(\) takes 0 positional arguments"):
        fail(1)


def test_failing_report_of_a_function():
    def report(text):
        raise KeyError(text)

    func = timing(report=report)(lambda x: 1 / x)
    with pytest.raises(KeyError):
        func(1)
    with pytest.raises(KeyError) as caught:
        func(0)
    assert type(caught.value.__context__) is ZeroDivisionError
    assert func.timing.count == 2


def test_recursion_keeps_each_start(timed, reports):
    @timed
    def down(n):
        time.sleep(PAUSE / 10)
        return down(n - 1) if n else 0

    assert down(3) == 0
    times = [text.elapsed for text in reports]
    assert times == sorted(times)
    assert len(times) == 4


def test_looks_like_the_function():
    plain = area.__wrapped__
    assert type(plain) is types.FunctionType
    for name in [*functools.WRAPPER_ASSIGNMENTS, "__annotations__"]:
        if hasattr(plain, name):
            assert getattr(area, name) == getattr(plain, name), name
    for name in ("__code__", "__defaults__", "__kwdefaults__", "__globals__"):
        assert getattr(area, name) is getattr(plain, name)
    assert inspect.signature(area) == inspect.signature(plain)
    assert inspect.unwrap(area) is plain
    assert inspect.getsource(area) == inspect.getsource(plain)
    assert inspect.isroutine(area)
    assert repr(area) == "timing(area)"
    with pytest.raises(AttributeError, match="nothing"):
        _ = area.nothing


def test_has_a_dict_of_its_own():
    def work():
        pass

    work.tag = 1
    func = timing(work)
    assert func.tag == 1
    func.tag = 2
    func.other = 3
    assert work.tag == 1
    assert not hasattr(work, "other")
    func.__doc__ = "new"
    assert func.__doc__ == "new"


def test_statistics_are_found_through_other_wrappers():
    func = timing(len)

    @functools.wraps(func)
    def outer(x):
        return func(x)

    outer("a")
    assert outer.timing is func.timing
    assert timing(func).timing is not func.timing
    assert func.timing.count == 1


def test_metadata_as_functools_wraps():
    class Odd:
        def __call__(self):
            return 1

        @property
        def __name__(self):
            raise KeyError("name")

    with pytest.raises(KeyError, match="name"):
        functools.wraps(Odd())("".join)  # an object of our own: it is changed
    with pytest.raises(KeyError, match="name"):
        timing(Odd())

    class Numbered:
        __name__ = 5

        def __call__(self):
            return 1

    assert timing(Numbered())() == 1
    assert timing(Numbered()).__name__ == 5


def test_pickles_by_name_as_a_function():
    assert pickle.loads(pickle.dumps(area)) is area
    assert copy.deepcopy(area) is area


class Sample:
    @timing
    def method(self, x):
        return self, x

    @classmethod
    @timing
    def inner_class(cls, x):
        return cls, x

    @timing
    @classmethod
    def outer_class(cls, x):
        return cls, x

    @staticmethod
    @timing
    def inner_static(x):
        return x

    @timing
    @staticmethod
    def outer_static(x):
        return x

    @property
    @timing
    def value(self):
        return self

    @timing
    def items(self):
        yield self

    @timing
    async def later(self):
        return self


def test_binds_as_a_method():
    sample = Sample()
    assert sample.method(1) == (sample, 1)
    assert Sample.method(sample, 2) == (sample, 2)
    assert sample.method.__func__ is Sample.method
    assert sample.method.timing is Sample.method.timing
    assert sample.method.timing.count == 2
    assert list(inspect.signature(sample.method).parameters) == ["x"]
    assert sample.value is sample
    assert list(sample.items()) == [sample]
    assert run(sample.later()) is sample


@pytest.mark.parametrize("name", ["inner_class", "outer_class"])
def test_class_methods(name):
    assert getattr(Sample(), name)(1) == (Sample, 1)
    assert getattr(Sample, name)(1) == (Sample, 1)
    assert getattr(Sample, name).timing.count == 2


@pytest.mark.parametrize("name", ["inner_static", "outer_static"])
def test_static_methods(name):
    assert getattr(Sample(), name)(1) == 1
    assert getattr(Sample, name)(1) == 1
    assert getattr(Sample, name).timing.count == 2


@pytest.mark.parametrize(
    ("func", "args", "result"),
    [
        (len, ("abc",), 3),
        (int, ("5",), 5),
        ("abc".upper, (), "ABC"),
        (functools.partial(pow, 2), (3,), 8),
        (str.upper, ("a",), "A"),
        (lambda *args: args, (1, 2), (1, 2)),
    ],
)
def test_any_callable(func, args, result):
    decorated = timing(func)
    assert decorated(*args) == result
    assert decorated.timing.count == 1
    assert timing(decorated)(*args) == result


def test_deep_decoration_raises_recursion_error():
    func = timing(len)
    for _ in range(200_000):
        func = timing(func)
    with pytest.raises(RecursionError):
        func("abc")


# -- generators --------------------------------------------------------------------


@timing
def numbers(n):
    """Echoes what is sent."""
    got = []
    try:
        for i in range(n):
            try:
                got.append((yield i))
            except KeyError:
                got.append("caught")
    finally:
        got.append("finally")
    return got


def test_kind_of_generator_functions():
    assert inspect.isgeneratorfunction(numbers)
    assert not inspect.iscoroutinefunction(numbers)
    assert isinstance(numbers(1), abc.Generator)
    assert not isinstance(numbers(1), abc.Awaitable)


def test_generator_is_timed_without_its_consumer(timed, reports):
    @timed
    def slow():
        for i in range(3):
            time.sleep(PAUSE)
            yield i

    for _ in slow():
        time.sleep(5 * PAUSE)
        assert reports == []
    assert 3 * PAUSE <= reports[0].elapsed < 10 * PAUSE
    assert slow.timing.count == 1


SCRIPTS = [
    [("next",)] * 5,
    [("send", 1)],
    [("next",), ("send", 1), ("send", 2), ("send", 3), ("next",)],
    [("next",), ("throw", KeyError), ("next",), ("next",)],
    [("next",), ("throw", KeyError("x")), ("close",), ("next",)],
    [("next",), ("throw", ValueError("x")), ("next",)],
    [("throw", ValueError("x")), ("next",)],
    [("throw", 1), ("throw",), ("throw", int), ("throw", 1, 2, 3, 4), ("next",)],
    [("close",), ("close",), ("next",)],
    [("next",), ("close",), ("send", None)],
    [("next",), ("throw", GeneratorExit), ("next",)],
    [("send", None), ("send", None), ("send", None), ("send", None)],
]


def play(generator, script):
    """What each call gave, or the kind and text of what it raised."""
    answers = []
    for name, *args in script:
        try:
            if name == "next":
                answers.append(next(generator))
            else:
                answers.append(getattr(generator, name)(*args))
        except StopIteration as stop:
            answers.append(("stop", stop.value))
        except BaseException as error:
            answers.append((type(error), str(error)))
    generator.close()
    return answers


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_generator_protocol_is_the_generators(script, n):
    assert play(numbers(n), script) == play(numbers.__wrapped__(n), script)


@pytest.mark.parametrize("value", [(1, 2), ValueError("x"), None, StopIteration(3)])
def test_return_value_passes_yield_from(value):
    @timing
    def inner():
        yield 1
        return value

    def outer():
        result = yield from inner()
        assert result is value
        yield 2

    assert list(outer()) == [1, 2]


def test_yield_from_passes_send_and_throw():
    def outer():
        return (yield from numbers(3))

    script = [("next",), ("send", "a"), ("throw", KeyError), ("next",)]
    assert play(outer(), script) == [
        0,
        1,
        2,
        ("stop", ["a", "caught", None, "finally"]),
    ]


def test_attributes_of_the_generator():
    generator = numbers(2)
    assert generator.__name__ == "numbers"
    assert generator.gi_code is numbers.__code__
    assert generator.gi_running is False
    next(generator)
    assert generator.gi_frame.f_locals["n"] == 2
    list(generator)
    assert generator.gi_frame is None
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(generator)
    with pytest.raises(TypeError, match="cannot create"):
        type(generator)()


def test_generator_records_once_at_its_end(timed, reports):
    func = timed(numbers.__wrapped__)
    generator = func(1)
    next(generator)
    assert func.timing.count == 0
    for _ in range(3):
        assert list(generator) == []
        generator.close()
    assert func.timing.count == 1
    assert reports[0].error is None


def test_generator_closed_before_its_start_records_nothing(timed):
    func = timed(numbers.__wrapped__)
    func(1).close()
    with pytest.raises(KeyError):
        func(1).throw(KeyError)
    func(1)
    assert func.timing.count == 0


def test_generator_closed_records(timed, reports):
    func = timed(numbers.__wrapped__)
    generator = func(3)
    next(generator)
    generator.close()
    assert [text.error for text in reports] == [None]


def test_generator_dropped_records(timed, reports):
    ended = []

    @timed
    def slow():
        try:
            yield 1
        finally:
            ended.append(1)
            time.sleep(PAUSE)

    for _ in slow():
        break
    assert ended == [1]
    assert reports[0].elapsed >= PAUSE
    assert slow.timing.count == 1


def test_generator_in_a_cycle_records(timed):
    @timed
    def cycle():
        mine = yield
        yield mine

    generator = cycle()
    next(generator)
    generator.send(generator)
    reference = weakref.ref(generator)
    del generator
    gc.collect()
    assert reference() is None
    assert cycle.timing.count == 1


def test_generator_that_fails_records_its_error(timed, reports):
    @timed
    def fail():
        yield 1
        raise LookupError("x")

    with pytest.raises(LookupError) as caught:
        list(fail())
    assert reports[0].error is caught.value


def test_error_that_leaves_the_generator_alive_ends_no_run(timed, reports):
    @timed
    def reenter():
        with pytest.raises(ValueError, match="already executing"):
            next(generator)
        yield 1
        try:
            yield 2
        except GeneratorExit:
            yield 3

    generator = reenter()
    with pytest.raises(TypeError, match="just-started"):
        generator.send(1)
    assert next(generator) == 1
    assert next(generator) == 2
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()
    assert reports == []
    assert list(generator) == []
    assert len(reports) == 1


def test_failing_report_of_a_generator():
    def report(text):
        raise KeyError

    @timing(report=report)
    def one(fail):
        yield 1
        if fail:
            raise LookupError

    generator = one(False)
    next(generator)
    with pytest.raises(KeyError):
        next(generator)
    generator = one(True)
    next(generator)
    with pytest.raises(KeyError) as caught:
        next(generator)
    assert type(caught.value.__context__) is LookupError
    assert list(generator) == []


def test_failing_report_of_a_dropped_generator(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)

    def report(text):
        raise KeyError

    @timing(report=report)
    def one():
        yield 1

    next(one())
    assert [hook.exc_type for hook in seen] == [KeyError]


@pytest.mark.parametrize("started", [True, False])
def test_closing_frees_what_the_frame_held(started):
    class Item:
        pass

    def hold(item):
        yield

    def is_freed(func):
        item = Item()
        reference = weakref.ref(item)
        generator = func(item)
        del item
        if started:
            next(generator)
        generator.close()
        return reference() is None

    # of one that was never started CPython frees nothing in some versions
    assert is_freed(timing(hold)) == is_freed(hold)
    assert is_freed(timing(hold)) or not started


def test_generator_of_a_generator_is_timed_twice():
    func = timing(numbers)
    assert inspect.isgeneratorfunction(func)
    before = numbers.timing.count
    script = SCRIPTS[2]
    assert play(func(3), script) == play(numbers.__wrapped__(3), script)
    assert func.timing.count == 1
    assert numbers.timing.count == before + 1


def test_generator_functions_behind_other_callables():
    class Callable:
        def __call__(self):
            yield 1

    bound = numbers.__wrapped__.__get__(2)
    for func in (Callable(), functools.partial(numbers.__wrapped__, 2), bound):
        decorated = timing(func)
        generator = decorated()
        next(generator)
        assert decorated.timing.count == 0
        list(generator)
        assert decorated.timing.count == 1


def test_generator_as_a_context_manager(timed, reports):
    @contextlib.contextmanager
    @timed
    def block():
        yield 1

    with block() as value:
        assert value == 1
        time.sleep(PAUSE)
    assert reports[0].elapsed < PAUSE
    with pytest.raises(LookupError), block():
        raise LookupError
    assert type(reports[1].error) is LookupError


@pytest.mark.parametrize("primed_first", [True, False])
def test_with_primed(primed_first):
    def echo():
        got = yield
        while got is not None:
            got = yield got
        return "done"

    func = timing(primed(echo)) if primed_first else primed(timing(echo))
    assert inspect.isgeneratorfunction(func)
    generator = func()
    assert generator.send(1) == 1
    with pytest.raises(StopIteration, match="done"):
        generator.send(None)
    assert func.timing.count == 1


def test_deep_generators_raise_recursion_error():
    @timing
    def nested(n):
        if n:
            yield from nested(n - 1)
        yield n

    assert sum(nested(50)) == sum(range(51))
    with pytest.raises(RecursionError):
        list(nested(100_000))


def test_plain_function_that_gives_a_generator_is_left_alone():
    generator = (i for i in range(3))
    func = timing(lambda: generator)
    assert func() is generator
    assert func.timing.count == 1


# -- coroutines --------------------------------------------------------------------


def test_kind_of_coroutine_functions():
    @timing
    async def work():
        return 1

    assert inspect.iscoroutinefunction(work)
    coroutine = work()
    assert isinstance(coroutine, abc.Coroutine)
    assert inspect.isawaitable(coroutine)
    assert asyncio.iscoroutine(coroutine)
    assert coroutine.cr_code is work.__code__
    assert coroutine.__qualname__ == work.__qualname__
    coroutine.close()


def test_coroutine_is_timed_with_what_it_awaits(timed, reports):
    @timed
    async def work():
        await asyncio.sleep(PAUSE)
        return 5

    async def main():
        assert await work() == 5
        assert await asyncio.create_task(work()) == 5
        assert await asyncio.wait_for(work(), 10) == 5
        assert await asyncio.gather(work(), work()) == [5, 5]

    run(main())
    assert work.timing.count == 5
    assert all(PAUSE * 0.9 <= text.elapsed < 1 for text in reports)
    assert run(work()) == 5


def test_coroutine_fails(timed, reports):
    @timed
    async def fail():
        await asyncio.sleep(0)
        raise LookupError("x")

    async def main():
        with pytest.raises(LookupError) as caught:
            await fail()
        return caught.value

    assert run(main()) is reports[0].error


def test_coroutine_cancelled(timed, reports):
    ended = []

    @timed
    async def wait():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    async def main():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert ended == [1]
    assert type(reports[0].error) is asyncio.CancelledError


@types.coroutine
def pause(value):
    return (yield value)


SLOW_SCRIPTS = [
    [("send", None), ("send", 5), ("send", None)],
    [("send", 1)],
    [("send", None), ("throw", KeyError("x")), ("send", None)],
    [("throw", KeyError("x")), ("send", None)],
    [("send", None), ("close",), ("close",), ("send", None)],
    [("close",), ("send", None)],
]


@pytest.mark.parametrize("script", SLOW_SCRIPTS)
def test_coroutine_protocol_is_the_coroutines(script):
    async def work():
        return await pause("paused")

    assert play(timing(work)(), script) == play(work(), script)


@pytest.mark.parametrize("script", SLOW_SCRIPTS)
def test_await_is_the_coroutines(script):
    async def work():
        return await pause("paused")

    async def outer(func):
        return await func()

    assert play(outer(timing(work)), script) == play(outer(work), script)


def test_generator_based_coroutine():
    func = timing(pause)

    async def main():
        return await func("paused")

    assert play(main(), [("send", None), ("send", 5)]) == ["paused", ("stop", 5)]
    assert func.timing.count == 1


def test_coroutine_never_awaited_warns_as_usual():
    @timing
    async def forgotten():
        pass

    with pytest.warns(RuntimeWarning, match=r"forgotten' was never awaited"):
        forgotten()
    assert forgotten.timing.count == 0


def test_coroutine_dropped_while_it_waits(timed, reports):
    @timed
    async def work():
        try:
            await pause(1)
        finally:
            time.sleep(PAUSE)

    coroutine = work()
    coroutine.send(None)
    del coroutine
    assert reports[0].elapsed >= PAUSE


def test_coroutines_report_side_by_side(timed, reports):
    @timed
    async def work(pause):
        await asyncio.sleep(pause)

    async def main():
        await asyncio.gather(work(3 * PAUSE), work(PAUSE))

    run(main())
    short, long = (text.elapsed for text in reports)
    assert short < long
    assert work.timing.count == 2


# -- async generators --------------------------------------------------------------


@timing
async def ticks(n):
    got = []
    try:
        for i in range(n):
            await asyncio.sleep(0)
            try:
                got.append((yield i))
            except KeyError:
                got.append("caught")
    finally:
        ticks.ended = got


def test_kind_of_async_generator_functions():
    assert inspect.isasyncgenfunction(ticks)
    generator = ticks(1)
    assert isinstance(generator, abc.AsyncGenerator)
    assert generator.ag_running is False
    step = generator.__anext__()
    assert isinstance(step, abc.Awaitable)
    assert iter(step) is step
    step.close()


def test_async_generator_is_timed_without_its_consumer(timed, reports):
    @timed
    async def slow():
        for i in range(3):
            await asyncio.sleep(PAUSE)
            yield i

    async def main():
        items = []
        async for i in slow():
            items.append(i)
            await asyncio.sleep(5 * PAUSE)
            assert reports == []
        return items

    assert run(main()) == [0, 1, 2]
    assert 3 * PAUSE * 0.9 <= reports[0].elapsed < 10 * PAUSE
    assert slow.timing.count == 1


async def aplay(generator, script):
    answers = []
    for name, *args in script:
        try:
            if name == "anext":
                answers.append(await anext(generator, *args))
            else:
                answers.append(await getattr(generator, name)(*args))
        except BaseException as error:
            answers.append((type(error), str(error)))
    await generator.aclose()
    return answers


@pytest.mark.parametrize(
    "script",
    [
        [("anext",)] * 5,
        [("anext", "default")] * 5,
        [("asend", 1), ("asend", None), ("asend", 1), ("asend", 2), ("anext",)],
        [("anext",), ("athrow", KeyError), ("athrow", KeyError("x")), ("anext",)],
        [("anext",), ("athrow", ValueError("x")), ("anext",)],
        [("athrow", ValueError("x")), ("anext",)],
        [("athrow", 1), ("anext",)],
        [("aclose",), ("aclose",), ("anext",)],
        [("anext",), ("aclose",), ("anext",), ("asend", None)],
    ],
)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_async_generator_protocol_is_the_generators(script, n):
    wanted = run(aplay(ticks.__wrapped__(n), script))
    assert run(aplay(ticks(n), script)) == wanted


def test_async_generator_records_once(timed, reports):
    func = timed(ticks.__wrapped__)

    async def main():
        generator = func(1)
        assert await anext(generator) == 0
        assert func.timing.count == 0
        assert [item async for item in generator] == []
        assert func.timing.count == 1
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        await generator.aclose()

    run(main())
    assert [text.error for text in reports] == [None]


def test_async_generator_closed(timed, reports):
    func = timed(ticks.__wrapped__)

    async def main():
        await func(3).aclose()
        assert func.timing.count == 0
        async with contextlib.aclosing(func(3)) as generator:
            async for _ in generator:
                break

    run(main())
    assert [text.error for text in reports] == [None]


def test_async_generator_dropped(timed):
    func = timed(ticks.__wrapped__)

    async def main():
        async for _ in func(3):
            break
        gc.collect()
        await asyncio.sleep(PAUSE)

    ticks.ended = None
    run(main())
    assert ticks.ended == []
    assert func.timing.count == 1


def test_async_generator_fails(timed, reports):
    @timed
    async def fail():
        yield 1
        raise LookupError("x")

    async def main():
        with pytest.raises(LookupError) as caught:
            async for _ in fail():
                pass
        return caught.value

    assert run(main()) is reports[0].error


def test_async_generator_cancelled(timed, reports):
    @timed
    async def wait():
        yield 1
        await asyncio.sleep(60)

    async def consume():
        async for _ in wait():
            pass

    async def main():
        task = asyncio.create_task(consume())
        await asyncio.sleep(PAUSE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert type(reports[0].error) is asyncio.CancelledError


def test_async_steps_refuse_what_those_of_the_generator_refuse():
    @timing
    async def wait():
        await pause("paused")
        yield 1

    generator = wait()
    step = generator.__anext__()
    assert step.send(None) == "paused"
    other = generator.__anext__()
    with pytest.raises(RuntimeError, match="already running"):
        other.send(None)
    assert wait.timing.count == 0
    with pytest.raises(StopIteration) as caught:
        step.send(None)
    assert caught.value.value == 1
    with pytest.raises(RuntimeError, match="cannot reuse"):
        step.send(None)
    last = generator.aclose()
    with pytest.raises(StopIteration):
        last.send(None)
    assert wait.timing.count == 1


def test_async_context_manager(timed, reports):
    @contextlib.asynccontextmanager
    @timed
    async def block():
        yield 1

    async def main():
        async with block() as value:
            assert value == 1
            await asyncio.sleep(PAUSE)

    run(main())
    assert reports[0].elapsed < PAUSE


def test_async_primed():
    @timing
    @primed
    async def echo():
        got = yield
        while True:
            got = yield got

    async def main():
        generator = await primed(timing(echo.__wrapped__.__wrapped__))()
        assert await generator.asend(1) == 1
        await generator.aclose()

    run(main())


# -- memory ------------------------------------------------------------------------


def test_cycles_are_collected():
    class Report:
        def __call__(self, text):
            self.text = text

    report = Report()
    report.timer = timing(report=report)
    with report.timer:
        pass

    func = timing(report=report)(lambda: None)
    func()
    func.self = func
    references = [weakref.ref(x) for x in (report, report.timer, func, func.timing)]
    del report, func
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_text_in_a_cycle_with_its_error(reports):
    class Failure(Exception):
        pass

    with contextlib.suppress(Failure), timing(report=reports.append):
        raise Failure
    error = reports[0].error
    error.text = reports.pop()
    reference = weakref.ref(error)
    del error
    gc.collect()
    assert reference() is None


def churn(timer, funcs):
    with contextlib.suppress(LookupError), timer:
        timer.lap()
        raise LookupError
    plain, generator, coroutine = funcs
    plain()
    list(generator())
    next(generator())
    with contextlib.suppress(StopIteration):
        coroutine().send(None)
    timing(report=None)(plain)()


def test_no_leak():
    @timing
    def plain():
        pass

    @timing
    def generator():
        yield 1

    @timing
    async def coroutine():
        pass

    timer = timing(report=lambda text: text.error)
    funcs = plain, generator, coroutine
    types_ = [timing, type(plain), type(generator())]

    def level():
        gc.collect()
        return sys.getallocatedblocks(), *map(sys.getrefcount, types_)

    grown = []
    for _ in range(6):
        before = level()
        for _ in range(300):
            churn(timer, funcs)
        after = level()
        assert after[1:] == before[1:]
        grown.append(after[0] - before[0])
    assert min(grown) < 50  # a leak would grow each time
