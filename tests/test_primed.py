"""primed: a generator function whose generators stand at their first yield."""

import functools
import inspect
import types

import pytest


def averager(start=0, /, *, scale: float = 1):
    """Yield the mean of what was sent."""
    total, count, mean = start, 0, None
    while True:
        total += (yield mean) * scale
        count += 1
        mean = total / count


def drive(awaitable):
    """Run a coroutine that never waits."""
    with pytest.raises(StopIteration) as caught:
        awaitable.__await__().send(None)
    return caught.value.value


def test_the_generator_takes_values_at_once(impl):
    it = impl.primed(averager)(10, scale=2)
    assert isinstance(it, types.GeneratorType)
    assert it.send(1) == 12
    assert it.send(1) == 7


def test_works_as_a_decorator_of_functions_and_methods(impl):
    class Meter:
        unit = 3

        @impl.primed
        def read(self):
            got = yield
            while True:
                got = yield got * self.unit

        @staticmethod
        @impl.primed
        def static():
            while True:
                yield (yield)

        @classmethod
        @impl.primed
        def of_class(cls):
            yield
            yield cls

    assert Meter().read().send(2) == 6
    assert Meter.read(Meter()).send(2) == 6
    assert Meter.static().send(2) == 2
    assert Meter.of_class().send(None) is Meter


def test_the_first_value_is_discarded(impl):
    @impl.primed
    def two():
        yield "first"
        yield "second"

    assert list(two()) == ["second"]


def test_an_end_before_the_first_yield_is_a_runtime_error(impl):
    @impl.primed
    def nothing():
        return 42
        yield

    with pytest.raises(RuntimeError, match="nothing") as caught:
        nothing()
    assert caught.value.value == 42
    assert isinstance(caught.value.__cause__, StopIteration)
    assert caught.value.__cause__.value == 42


def test_an_error_before_the_first_yield_passes(impl):
    error = ZeroDivisionError("body")

    @impl.primed
    def failing():
        raise error
        yield

    with pytest.raises(ZeroDivisionError) as caught:
        failing()
    assert caught.value is error


def test_a_function_that_returns_no_generator_is_a_type_error(impl):
    for function in (lambda: [1], lambda: None, lambda: 5):
        with pytest.raises(TypeError):
            impl.primed(function)()


def test_other_callables_that_give_generators_will_do(impl):
    assert impl.primed(functools.partial(averager, 10))().send(2) == 12
    assert impl.primed(lambda: (yield (yield)))().send(5) == 5


def test_a_wrong_call_is_the_functions_own_error(impl):
    with pytest.raises(TypeError, match="averager"):
        impl.primed(averager)(1, 2)
    with pytest.raises(TypeError):
        impl.primed(5)


def test_the_wrapper_looks_like_the_function(impl):
    wrapper = impl.primed(averager)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(wrapper, name) == getattr(averager, name)
    assert wrapper.__wrapped__ is averager
    assert inspect.signature(wrapper) == inspect.signature(averager)
    assert inspect.unwrap(wrapper) is averager
    assert wrapper.__annotations__ == averager.__annotations__


def test_inspect_sees_the_same_kind_of_function():
    from pygenx import primed

    async def agen():
        yield

    assert inspect.isgeneratorfunction(primed(averager))
    assert inspect.isasyncgenfunction(primed(agen))
    wrapper = primed(averager)
    for name in ("__code__", "__defaults__", "__kwdefaults__"):
        assert getattr(wrapper, name) == getattr(averager, name)


def test_async_generators_come_advanced_from_an_await(impl):
    @impl.primed
    async def echo():
        got = yield "first"
        while True:
            got = yield got

    generator = drive(echo())
    assert isinstance(generator, types.AsyncGeneratorType)
    assert drive(generator.asend(5)) == 5
    assert drive(generator.aclose()) is None


def test_an_async_generator_that_ends_before_its_first_yield(impl):
    @impl.primed
    async def nothing():
        return
        yield

    with pytest.raises(RuntimeError, match="nothing"):
        nothing().__await__().send(None)


def test_nothing_of_the_wrapper_is_left_in_the_traceback():
    from pygenx import primed

    @primed
    def failing():
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError) as caught:
        failing()
    frames = [entry.name for entry in caught.traceback]
    assert frames == [
        "test_nothing_of_the_wrapper_is_left_in_the_traceback",
        "failing",
    ]
