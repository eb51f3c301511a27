"""fold and feed: a sink that folds, and the loop that fills a sink."""

import contextlib
import operator

import pytest
import sources
from sources import Closable, Failing


def collector(into, at_end=None):
    """A target that keeps what it is sent and says how it ended."""
    try:
        while True:
            into.append((yield))
    except GeneratorExit:
        into.append("closed")
        return at_end
    except ValueError as error:
        into.append(str(error))
        raise


def test_the_sum_of_the_document(impl):
    assert impl.feed(range(1, 6), impl.fold(operator.add, 0)) == 15


def test_fold_keeps_a_running_value(impl):
    sink = impl.fold(operator.sub, 10)
    sink.send(1)
    sink.send(2)
    sink.close()
    assert sink.result == 7


def test_fold_takes_none_as_data(impl):
    sink = impl.fold(lambda total, item: [*total, item], [])
    sink.send(None)
    sink.send(1)
    sink.close()
    assert sink.result == [None, 1]


def test_fold_of_nothing_is_its_initial_value(impl):
    assert impl.feed([], impl.fold(operator.add, "start")) == "start"
    assert impl.feed([], impl.fold(operator.add, None)) is None


def test_fold_goes_on_after_an_error_of_its_function(impl):
    sink = impl.fold(operator.add, 0)
    sink.send(1)
    with pytest.raises(TypeError):
        sink.send("x")
    sink.send(2)
    sink.close()
    assert sink.result == 3


def test_fold_takes_nothing_once_closed(impl):
    sink = impl.fold(operator.add, 0)
    sink.send(1)
    sink.close()
    sink.close()
    with pytest.raises(StopIteration):
        sink.send(2)
    assert sink.result == 1


def test_fold_raises_what_is_thrown_into_it(impl):
    sink = impl.fold(operator.add, 0)
    error = KeyError("thrown")
    with pytest.raises(KeyError) as caught:
        sink.throw(error)
    assert caught.value is error
    with pytest.raises(StopIteration):
        sink.send(1)


def test_fold_refuses_what_cannot_be_called(impl):
    with pytest.raises(TypeError):
        impl.fold(5, 0)


def test_fold_refuses_a_call_from_its_own_function():
    from pygenx import ReentrancyError, fold

    def function(total, item):
        if item == 1:
            sink.send(2)
        return total + item

    sink = fold(function, 0)
    with pytest.raises(ReentrancyError):
        sink.send(1)
    sink.send(3)
    sink.close()
    assert sink.result == 3


def test_fold_in_a_with_block():
    from pygenx import fold

    with fold(operator.add, 0) as sink:
        sink.send(1)
    assert sink.result == 1
    with pytest.raises(StopIteration):
        sink.send(2)
    error = KeyError("block")
    with pytest.raises(KeyError) as caught, fold(operator.add, 0) as sink:
        raise error
    assert caught.value is error


def test_feed_primes_a_new_generator_and_closes_it(impl):
    into = []
    assert impl.feed("abc", collector(into)) is None
    assert into == ["a", "b", "c", "closed"]


def test_feed_takes_a_generator_that_is_primed_already(impl):
    into = []
    impl.feed("ab", impl.primed(collector)(into))
    assert into == ["a", "b", "closed"]


def test_feed_returns_what_the_generator_returns(impl):
    assert impl.feed("ab", collector([], 42)) == 42
    assert impl.feed("ab", collector([], (1, 2))) == (1, 2)


def test_feed_sends_none_too(impl):
    into = []
    impl.feed([None, 1], collector(into))
    assert into == [None, 1, "closed"]


def test_a_target_that_returns_early_ends_the_feeding(impl):
    def two():
        return [(yield), (yield)]

    source = Closable("abcd")
    assert impl.feed(source, two()) == ["a", "b"]
    assert source.pulls == 2


def test_an_error_of_the_source_is_thrown_into_the_target(impl):
    into = []
    error = ValueError("source")
    with pytest.raises(ValueError, match="source") as caught:
        impl.feed(Failing("abc", 1, error=error), collector(into, 42))
    assert caught.value is error
    assert into == ["a", "source"]


def test_an_error_of_the_target_passes(impl):
    def target():
        yield
        raise KeyError("target")

    source = Closable("abc")
    with pytest.raises(KeyError, match="target"):
        impl.feed(source, target())
    assert source.pulls == 1


def test_a_generator_that_ignores_its_end_is_a_runtime_error(impl):
    def stubborn():
        while True:
            with contextlib.suppress(GeneratorExit):
                yield

    target = stubborn()
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        impl.feed("a", target)
    with pytest.raises(ZeroDivisionError):
        target.throw(ZeroDivisionError)  # so that it dies in peace


def test_feed_needs_an_iterable_and_a_target(impl):
    with pytest.raises(TypeError):
        impl.feed(5, impl.fold(operator.add, 0))
    with pytest.raises((TypeError, AttributeError)):
        impl.feed([1], 5)


def test_feed_lets_go_of_its_source(impl):
    log = []
    impl.feed(sources.generator("ab", log), impl.fold(operator.add, ""))
    assert log == ["finally"]


def test_notes_name_function_and_item():
    from pygenx import feed, fold

    with pytest.raises(TypeError) as caught:
        feed([1, "x"], fold(operator.add, 0))
    assert caught.value.__notes__ == ["pygenx: fold(add), item 1: 'x'"]
    with pytest.raises(ZeroDivisionError) as caught:
        feed(Failing("ab", 1), collector([]))
    (note,) = caught.value.__notes__
    assert note.startswith("pygenx: ")
    assert "item 1" in note


class Ending:
    """A target whose close() raises StopIteration."""

    def send(self, item):
        pass

    def close(self):
        raise StopIteration("close")


CLOSED = {
    "feed": lambda px: px.feed([1], Ending()),
    "pipe.into": lambda px: px.pipe([1]).into(Ending()),
    "push": lambda px: px.Pipeline().into(Ending()).close(),
    "broadcast": lambda px: px.broadcast(Ending()).close(),
}


@pytest.mark.parametrize("close", CLOSED.values(), ids=CLOSED)
def test_a_target_that_closes_with_stop_iteration_ends_nothing(impl, close):
    with pytest.raises(RuntimeError) as raised:
        close(impl)
    assert raised.value.__cause__.args == ("close",)
