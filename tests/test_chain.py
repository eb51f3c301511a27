"""chain: the items of several iterables, one after the other."""

import operator
import sys
from itertools import repeat

import pytest
import sources
from sources import Closable, Failing, Source


def test_the_items_of_all_inputs(impl):
    it = impl.chain([1, 2], "ab", range(2), (None,))
    assert list(it) == [1, 2, "a", "b", 0, 1, None]
    assert list(impl.chain()) == []
    assert list(impl.chain([], (), "")) == []
    assert list(impl.chain.from_iterable(["ab", [1]])) == ["a", "b", 1]
    assert list(impl.chain.from_iterable([])) == []
    assert list(impl.chain.from_iterable("abc")) == ["a", "b", "c"]


def test_iter_is_called_when_an_input_is_reached(impl):
    first, second = Source("a"), Source("b")
    it = impl.chain(first, second)
    assert (first.iters, second.iters) == (0, 0)
    next(it)
    assert (first.iters, second.iters) == (1, 0)
    next(it)
    assert second.iters == 1


def test_an_input_that_cannot_be_iterated_is_consumed(impl):
    it = impl.chain(5)
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        next(it)
    assert list(it) == []
    it = impl.chain([1], 5, [2])
    assert next(it) == 1
    with pytest.raises(TypeError):
        next(it)
    assert list(it) == [2]
    with pytest.raises(TypeError):
        impl.chain.from_iterable(5)


def test_an_error_of_an_input_leaves_the_chain_on_it(impl):
    it = impl.chain(Failing("abc", 1), "z")
    assert next(it) == "a"
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == ["c", "z"]


def test_an_error_of_the_outer_iterable_ends_nothing(impl):
    it = impl.chain.from_iterable(Failing([[1], [2], [3]], 1))
    assert next(it) == 1
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == [3]


def test_inputs_are_let_go_of_one_by_one(impl):
    log = []
    it = impl.chain(*[sources.generator([n], log) for n in range(3)])
    for finished in range(3):
        next(it)
        assert log == ["finally"] * finished
    assert next(it, None) is None
    assert len(log) == 3


def test_close_closes_the_current_input_the_unreached_and_the_outer_iterable(impl):
    log = []

    def source(name, items="xy"):
        it = Closable(items)
        it.close = lambda: log.append(name)
        return it

    it = impl.chain(source("done", ""), source("current"), source("next"), [1])
    next(it)
    it.close()
    assert log == ["current", "next"]

    log.clear()
    it = impl.chain.from_iterable(source("outer", [source("current")]))
    next(it)
    it.close()
    assert log == ["current", "outer"]


def test_all_closes_are_attempted_and_the_last_error_is_raised(impl):
    log = []
    errors = [KeyError("first"), KeyError("second")]
    it = impl.chain(
        sources.BadClose("ab", errors[0], log),
        sources.BadClose("ab", errors[1], log),
        Closable("ab", log),
    )
    next(it)
    with pytest.raises(KeyError) as caught:
        it.close()
    assert log == [("close", "'first'"), ("close", "'second'"), "close"]
    assert caught.value is errors[1]
    assert caught.value.__context__ is errors[0]


def test_send_goes_to_the_input_in_progress(impl):
    log = []
    it = impl.chain("a", sources.listener(log, "bc"), "d")
    assert next(it) == "a"
    with pytest.raises(AttributeError):
        it.send("nobody hears")
    assert next(it) == "b"
    assert it.send("hello") == ("answer", "hello")
    assert log == [("sent", "hello")]
    assert list(it) == ["c", "d"]


def test_what_an_input_returns_is_nobodys_result(impl):
    it = impl.chain(sources.generator("a", None, 42))
    assert list(it) == ["a"]
    assert it.result is None


def test_a_throw_that_an_input_ends_with_goes_on_to_the_next(impl):
    def quiet():
        try:
            yield 1
        except ValueError:
            return

    it = impl.chain(quiet(), [2])
    next(it)
    assert it.throw(ValueError) == 2
    assert list(it) == []


def test_an_outer_iterable_that_grows_is_read_to_its_end(impl):
    parts = [[1]]
    it = impl.chain.from_iterable(parts)
    assert next(it) == 1
    parts.append([2])
    assert list(it) == [2]


def test_a_chain_among_its_own_inputs_is_refused(impl):
    parts = []
    it = impl.chain.from_iterable(parts)
    parts.append(it)
    with pytest.raises(impl.ReentrancyError, match="chain is already running"):
        next(it)


def test_many_empty_inputs_are_no_recursion(impl):
    assert next(impl.chain.from_iterable(repeat((), 100_000)), "end") == "end"


def test_dictionaries_that_change_meanwhile_say_so(impl):
    data = {1: 1, 2: 2}
    it = impl.chain(data)
    next(it)
    data[3] = 3
    with pytest.raises(RuntimeError, match="changed size"):
        next(it)


def test_subclasses_as_itertools_allows_them():
    from pygenx import chain

    class Named(chain):
        def __init__(self, *iterables, name=None):
            self.name = name

    class Counting(chain):
        def __new__(cls, *iterables, by=1):
            self = super().__new__(cls, *iterables)
            self.by = by
            return self

    class Plain(chain):
        pass

    it = Named("ab", "c", name="letters")
    assert (it.name, list(it)) == ("letters", ["a", "b", "c"])
    it = Counting("ab", by=2)
    assert (it.by, list(it)) == (2, ["a", "b"])
    assert type(Plain.from_iterable(["ab"])) is Plain
    with pytest.raises(TypeError):
        Plain([1], name=1)


def test_hints_add_up_and_never_overflow():
    from pygenx import chain

    assert operator.length_hint(chain([1, 2], (3,), range(4)), -1) == 7
    assert operator.length_hint(chain(), -1) == 0
    assert operator.length_hint(chain([1], iter("x" * 3)), -1) in (-1, 4)
    assert operator.length_hint(chain([1], (n for n in "ab")), -1) == -1
    huge = range(sys.maxsize)
    it = chain(huge, huge)
    assert operator.length_hint(it, -1) == -1
    assert next(it) == 0


def test_notes_name_the_input():
    from pygenx import chain

    with pytest.raises(ZeroDivisionError) as caught:
        list(chain([1], Failing("ab", 0)))
    assert caught.value.__notes__ == ["pygenx: chain, input 1"]
    with pytest.raises(TypeError) as caught:
        list(chain([1], [2], 5))
    assert caught.value.__notes__ == ["pygenx: chain, input 2"]
