"""roundrobin: one item of each iterable in turn."""

import operator

import more_itertools
import pytest
import sources
from sources import Closable, Failing, Source


@pytest.mark.parametrize(
    "iterables",
    [
        [],
        [""],
        ["abc"],
        ["abc", "d", "ef"],
        ["", "a", "", "bcd", ""],
        [[], (), range(0)],
        [range(5), (1, 2), "xyz", {"k": 1, "l": 2}, [None, None]],
        ["a" * 9, "b", "c" * 4, "d" * 4, "e" * 2],
    ],
    ids=repr,
)
def test_it_gives_what_more_itertools_gives(impl, iterables):
    expected = list(more_itertools.roundrobin(*iterables))
    assert list(impl.roundrobin(*iterables)) == expected
    fresh = [sources.generator(list(items)) for items in iterables]
    assert list(impl.roundrobin(*fresh)) == expected
    fresh = [Source(items) for items in iterables]
    it = impl.roundrobin(*fresh)
    assert list(it) == expected
    assert [next(it, "end") for _ in range(2)] == ["end"] * 2
    assert all(source.pulls == len(source.items) + 1 for source in fresh)


def test_inputs_are_opened_at_once_and_a_bad_one_is_refused(impl):
    first = Source("ab")
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        impl.roundrobin(first, 5)
    assert (first.iters, first.pulls) == (1, 0)


def test_an_input_is_let_go_of_at_its_own_end(impl):
    log = []
    it = impl.roundrobin(sources.generator("a", log), "xyz")
    assert [next(it) for _ in range(3)] == ["a", "x", "y"]
    assert log == ["finally"]
    assert list(it) == ["z"]


def test_with_closes_an_input_at_its_own_end(impl):
    inputs = Closable("a"), Closable("xyz")
    with impl.roundrobin(*inputs) as it:
        assert [next(it) for _ in range(3)] == ["a", "x", "y"]
        assert [source.closes for source in inputs] == [1, 0]
        assert list(it) == ["z"]
        assert [source.closes for source in inputs] == [1, 1]
    assert [source.closes for source in inputs] == [1, 1]


def test_an_error_of_closing_at_the_end_loses_nothing(impl):
    first = sources.BadClose("a", KeyError("close"))
    with impl.roundrobin(first, "xy") as it:
        assert [next(it), next(it)] == ["a", "x"]
        with pytest.raises(KeyError):
            next(it)
        assert list(it) == ["y"]


def test_close_closes_all_in_order_whatever_fails(impl):
    log = []
    it = impl.roundrobin(
        sources.BadClose("ab", KeyError(1), log),
        Closable("ab", log),
        sources.BadClose("ab", KeyError(3), log),
    )
    next(it)
    with pytest.raises(KeyError) as caught:
        it.close()
    assert log == [("close", "1"), "close", ("close", "3")]
    assert caught.value.args == (3,)
    assert caught.value.__context__.args == (1,)
    assert next(it, "end") == "end"


def test_an_error_leaves_the_others_and_the_turn(impl):
    it = impl.roundrobin("abc", Failing("xyz", 1), "123")
    assert [next(it) for _ in range(4)] == ["a", "x", "1", "b"]
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == ["z", "2", "c", "3"]


def test_a_generator_that_raised_has_ended(impl):
    def fails():
        yield "x"
        raise ZeroDivisionError

    it = impl.roundrobin("abc", fails())
    assert [next(it) for _ in range(3)] == ["a", "x", "b"]
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == ["c"]


def test_an_error_of_a_builtin_iterator_passes_with_a_note():
    from pygenx import roundrobin

    items = {1: 2, 3: 4}
    it = roundrobin("abc", items)
    next(it), next(it)
    items.clear()
    items[5] = 6
    next(it)
    with pytest.raises(RuntimeError, match="changed size") as caught:
        next(it)
    assert caught.value.__notes__ == ["pygenx: roundrobin, input 1"]
    with pytest.raises(RuntimeError):  # a dict says so for ever
        next(it)


def test_lists_may_grow_and_shrink_meanwhile(impl):
    growing, shrinking = [1], ["a", "b", "c"]
    it = impl.roundrobin(growing, shrinking)
    assert [next(it), next(it)] == [1, "a"]
    growing.append(2)
    shrinking.clear()
    assert list(it) == [2]
    growing.append(3)
    assert list(it) == []


def test_throw_goes_to_the_input_whose_turn_it_is(impl):
    log = []
    it = impl.roundrobin(sources.listener(log, "abc"), sources.listener(log, "xyz"))
    assert next(it) == "a"
    next(it), next(it)  # so that both have begun
    assert it.throw(ValueError("one")) == "y"
    assert it.throw(ValueError("two")) == "c"
    assert log == [("caught", "one"), ("caught", "two")]
    assert list(it) == ["z"]


def test_an_input_that_throw_ends_leaves_the_round(impl):
    def source(items):
        try:
            yield from items
        except ValueError:
            return

    it = impl.roundrobin("abc", source("xyz"))
    assert [next(it) for _ in range(3)] == ["a", "x", "b"]
    assert it.throw(ValueError) == "c"
    assert list(it) == []


def test_throw_nobody_answers_ends(impl):
    inputs = Closable("abc"), Closable("xyz")
    it = impl.roundrobin(*inputs)
    next(it)
    with pytest.raises(KeyError):
        it.throw(KeyError)
    assert [source.closes for source in inputs] == [0, 1]  # it had no throw()
    assert list(it) == []
    with pytest.raises(KeyError):
        impl.roundrobin().throw(KeyError)


def test_send_is_refused(impl):
    it = impl.roundrobin(sources.generator("ab"), "xy")
    next(it)
    with pytest.raises(TypeError):
        it.send(1)
    assert it.send(None) == "x"


@pytest.mark.parametrize("call", [next, lambda it: it.close()], ids=["next", "close"])
def test_what_ends_an_input_cannot_enter_again(impl, call):
    """A list whose turn comes next is no way in."""
    outcomes = []

    class Calls(Closable):
        def close(self):
            with pytest.raises(impl.ReentrancyError):
                call(it)
            outcomes.append("refused")

    with impl.roundrobin(Calls("a"), [1, 2]) as it:
        assert [next(it) for _ in range(3)] == ["a", 1, 2]
    assert outcomes == ["refused"]


def test_many_inputs_most_of_them_empty(impl):
    n = 3000
    inputs = [[]] * n + [[1, 2]] + [[]] * n + ["ab"]
    assert list(impl.roundrobin(*inputs)) == [1, "a", 2, "b"]


def test_length_hints():
    from pygenx import roundrobin

    it = roundrobin("ab", [1, 2, 3], range(2))
    for left in range(7, 0, -1):
        assert operator.length_hint(it, -1) == left
        next(it)
    assert operator.length_hint(it, -1) == 0
    assert operator.length_hint(roundrobin("ab", sources.generator("a")), -1) == -1


def test_repr():
    from pygenx import roundrobin

    it = roundrobin([1], (2,))
    assert repr(it) == "roundrobin(<list>, <tuple>)"
    assert list(it) == [1, 2]
    assert repr(it) == "roundrobin(<ended>, <ended>)"
    assert repr(roundrobin()) == "roundrobin()"
