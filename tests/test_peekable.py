"""peekable and spy: what comes next can be looked at and put back."""

import gc
import itertools
import sys
import weakref

import pytest
import sources
from sources import Closable, Failing, Item, Source


def test_peek_is_what_next_will_give(impl):
    source = Source("abc")
    p = impl.peekable(source)
    assert source.pulls == 0
    assert [p.peek(), p.peek(), next(p), p.peek()] == ["a", "a", "a", "b"]
    assert source.pulls == 2
    assert list(p) == ["b", "c"]


def test_peek_at_the_end(impl):
    p = impl.peekable([])
    with pytest.raises(StopIteration):
        p.peek()
    assert p.peek(None) is None
    assert p.peek(default=5) == 5
    assert next(p, "end") == "end"
    assert p.peek(7) == 7


def test_none_and_false_items_are_data(impl):
    p = impl.peekable([None, 0, ""])
    assert p
    assert p.peek("default") is None
    assert list(p) == [None, 0, ""]
    assert not p


def test_bool_takes_one_item_at_most(impl):
    source = Source("ab")
    p = impl.peekable(source)
    assert [bool(p), bool(p)] == [True, True]
    assert source.pulls == 1
    assert list(p) == ["a", "b"]
    assert [bool(p), bool(p)] == [False, False]
    assert source.pulls == 3


def test_the_end_that_was_seen_is_not_asked_for_again(impl):
    source = sources.Revenant("ab")
    p = impl.peekable(source)
    assert p[:] == ["a", "b"]
    assert list(p) == ["a", "b"]
    assert not p
    assert next(p, "end") == "end"
    assert source.pulls == 3


def test_the_source_is_let_go_of_when_its_end_is_seen(impl):
    source = Closable("ab")
    alive = weakref.ref(source)
    p = impl.peekable(source)
    del source
    assert p[:] == ["a", "b"]
    assert alive() is None
    assert list(p) == ["a", "b"]


def test_with_closes_when_the_end_is_seen(impl):
    source = Closable("ab")
    with impl.peekable(source) as p:
        assert len(p[:]) == 2
        assert source.closes == 1
        assert list(p) == ["a", "b"]
    assert source.closes == 1


def test_an_index_looks_so_far_and_no_farther(impl):
    source = Source("abcde")
    p = impl.peekable(source)
    assert [p[0], p[2], p[1]] == ["a", "c", "b"]
    assert source.pulls == 3
    assert [next(p), p[1], p[-1], p[-4]] == ["a", "c", "e", "b"]
    assert source.pulls == 6
    for index in (4, -5, sys.maxsize, -sys.maxsize):
        with pytest.raises(IndexError):
            p[index]
    assert list(p) == list("bcde")


def test_wrong_indexes(impl):
    p = impl.peekable("abc")
    for index in ("0", 1.0, None):
        with pytest.raises(TypeError):
            p[index]
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        p[::0]
    with pytest.raises(IndexError):
        p[2**80]
    assert p[False] == "a"
    assert list(p) == ["a", "b", "c"]


def test_errors_of_indexes_have_words():
    from pygenx import peekable

    with pytest.raises(
        TypeError, match=r"^peekable indices must be integers or slices"
    ):
        peekable("abc")["a"]
    with pytest.raises(IndexError, match=r"^peekable index out of range$"):
        peekable("abc")[3]


BOUNDS = [None, *range(-7, 8), sys.maxsize, -sys.maxsize - 1, 2**80, -(2**80)]


@pytest.mark.parametrize("step", [None, 1, 2, 3, 7, -1, -2, -3, -7])
def test_slices_are_those_of_a_list(impl, step):
    for start, stop in itertools.product(BOUNDS, BOUNDS):
        p = impl.peekable(range(6))
        cut = slice(start, stop, step)
        assert p[cut] == list(range(6))[cut], cut
        assert list(p) == list(range(6))


@pytest.mark.parametrize(
    ("cut", "pulls"),
    [
        (slice(3), 3),
        (slice(1, 3), 3),
        (slice(3, 1), 0),
        (slice(0), 0),
        (slice(4, 1, -1), 5),
        (slice(2, None, -1), 3),
        (slice(1, 3, -1), 0),
        (slice(2, None), 11),
        (slice(-1), 11),
        (slice(-2, None), 11),
        (slice(None, 5, -1), 11),
        (slice(3, -2, -1), 11),
    ],
)
def test_a_slice_takes_what_it_needs(impl, cut, pulls):
    source = Source(range(10))
    p = impl.peekable(source)
    assert p[cut] == list(range(10))[cut]
    assert source.pulls == pulls
    assert list(p) == list(range(10))


def test_an_endless_source_can_be_looked_into(impl):
    p = impl.peekable(itertools.count())
    assert p[5] == 5
    assert p[2:6] == [2, 3, 4, 5]
    assert p[3::-1] == [3, 2, 1, 0]
    assert next(p) == 0


def test_prepended_items_come_first_in_their_order(impl):
    p = impl.peekable([4, 5])
    assert p.prepend(2, 3) is None
    p.prepend(1)
    p.prepend()
    assert p.peek() == 1
    assert p[:3] == [1, 2, 3]
    assert list(p) == [1, 2, 3, 4, 5]


def test_prepend_before_what_was_seen(impl):
    p = impl.peekable("bc")
    p.peek()
    p.prepend("a")
    assert list(p) == ["a", "b", "c"]


def test_prepend_revives(impl):
    source = Source("a")
    p = impl.peekable(source)
    assert list(p) == ["a"]
    p.prepend()
    assert next(p, "end") == "end"
    p.prepend("b", "c")
    assert p
    assert list(p) == ["b", "c"]
    assert next(p, "end") == "end"
    assert source.pulls == 2
    p.prepend(None)
    assert p.peek(1) is None
    assert list(p) == [None]


def test_prepend_after_close(impl):
    source = Closable("abc")
    p = impl.peekable(source)
    p.peek()
    p.close()
    assert not p
    p.prepend("x")
    assert list(p) == ["x"]
    assert (source.pulls, source.closes) == (1, 1)


def test_close_frees_what_waits(impl):
    freed = []
    p = impl.peekable(Item(number, freed) for number in range(5))
    p[2]
    p.close()
    assert sorted(freed) == [0, 1, 2]
    assert next(p, "end") == "end"


def test_an_item_is_freed_when_it_has_been_taken(impl):
    freed = []
    p = impl.peekable(Item(number, freed) for number in range(5))
    p[3]
    next(p)
    assert freed == [0]
    del p
    assert sorted(freed) == [0, 1, 2, 3]


def test_an_error_of_the_source_is_not_kept(impl):
    for look in (
        lambda p: p.peek(),
        lambda p: p.peek(None),
        bool,
        lambda p: p[0],
        lambda p: p[:],
        lambda p: p[-1],
    ):
        p = impl.peekable(Failing("abc", 0))
        with pytest.raises(ZeroDivisionError, match="a"):
            look(p)
        assert list(p) == ["b", "c"]


def test_what_was_seen_before_an_error_stays(impl):
    p = impl.peekable(Failing("abc", 1))
    with pytest.raises(ZeroDivisionError, match="b"):
        p[2]
    assert p[1] == "c"
    assert list(p) == ["a", "c"]


def test_the_result_is_there_when_the_end_has_been_found(impl):
    p = impl.peekable(sources.generator("ab", None, 42))
    assert p[:] == ["a", "b"]
    assert p.result is None
    next(p), next(p)
    assert p.result is None
    with pytest.raises(StopIteration) as caught:
        p.peek()
    assert caught.value.value == 42
    assert p.result == 42
    with pytest.raises(StopIteration) as caught:
        next(p)
    assert caught.value.value == 42
    assert p.result == 42


def test_send_passes_unless_items_wait(impl):
    log = []
    p = impl.peekable(sources.listener(log, "abc"))
    assert next(p) == "a"
    assert p.send("hello") == ("answer", "hello")
    p.peek()
    with pytest.raises(TypeError, match="items that wait in a peekable"):
        p.send("too late")
    assert log == [("sent", "hello")]
    assert list(p) == ["b", "c"]


def test_send_after_a_prepended_item_goes_to_the_source(impl):
    p = impl.peekable(range(3))
    p.prepend("first")
    assert next(p) == "first"
    with pytest.raises(AttributeError):
        p.send("there is no send() of a range's iterator")
    assert list(p) == [0, 1, 2]


def test_throw_goes_past_what_waits(impl):
    log = []
    p = impl.peekable(sources.listener(log, "abcd"))
    assert p[1] == "b"
    assert p.throw(ValueError("hello")) == "c"
    assert log == [("caught", "hello")]
    assert list(p) == ["a", "b", "d"]


def test_a_throw_that_the_source_ends_with_leaves_what_waits(impl):
    def source():
        try:
            yield from "abc"
        except ValueError:
            return "done"

    p = impl.peekable(source())
    assert p[1] == "b"
    assert p.throw(ValueError) == "a"
    assert list(p) == ["b"]
    assert p.result == "done"


def test_a_throw_that_nobody_answers_ends(impl):
    freed = []
    p = impl.peekable(Item(number, freed) for number in range(5))
    p[2]
    error = KeyError("hello")
    with pytest.raises(KeyError):
        p.throw(error)
    error.__traceback__ = None
    assert sorted(freed) == [0, 1, 2]
    assert next(p, "end") == "end"


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.peek(),
        bool,
        lambda p: p[0],
        lambda p: p[:2],
        lambda p: p.prepend(5),
    ],
)
def test_a_call_from_inside_the_source_is_refused(impl, call):
    source = sources.Calling("abc")
    p = impl.peekable(source)
    source.action = lambda: call(p)
    assert p[1] == "b"
    assert isinstance(source.outcome, impl.ReentrancyError)
    assert list(p) == ["a", "b", "c"]


def test_items_whose_end_looks_ahead_again(impl):
    class Nosy:
        def __del__(self):
            try:
                seen.append(p.peek(None) is None)
            except impl.ReentrancyError:  # close() has not ended yet
                seen.append("refused")

    seen = []
    p = impl.peekable(Nosy() for _ in range(4))
    p[1]
    for _ in range(4):
        next(p)
    assert seen == [False, False, False, True]
    p.prepend(Nosy(), Nosy())
    p.close()
    assert len(seen) == 6


def test_a_source_that_holds_its_peekable_is_collected(impl):
    source = Source("abc")
    source.peekable = impl.peekable(source)
    source.peekable.peek()
    source.peekable.prepend(source)
    alive = weakref.ref(source)
    del source
    gc.collect()
    assert alive() is None


def test_much_can_wait_and_is_given_back():
    from pygenx import peekable

    p = peekable(range(10**6))
    assert p[999_999] == 999_999
    assert sum(p) == sum(range(10**6))
    p.prepend(*range(1000))
    assert list(p) == list(range(1000))


# spy ---------------------------------------------------------------------------------


def test_spy_gives_the_head_and_all(impl):
    source = Source("abcde")
    head, items = impl.spy(source, 2)
    assert head == ["a", "b"]
    assert source.pulls == 2
    assert isinstance(items, impl.peekable)
    assert list(items) == list("abcde")


def test_how_much_spy_takes(impl):
    assert impl.spy("abc")[0] == ["a"]
    assert impl.spy("abc", n=10)[0] == ["a", "b", "c"]
    source = Source("abc")
    head, items = impl.spy(source, 0)
    assert (head, source.pulls) == ([], 0)
    head.append(5)
    assert list(items) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="n must be at least 0"):
        impl.spy("abc", -1)
    with pytest.raises(TypeError):
        impl.spy("abc", 1.0)
    with pytest.raises(TypeError):
        impl.spy(5)
    with pytest.raises(OverflowError):
        impl.spy("abc", 2**80)


def test_spy_of_a_peekable_looks_into_it(impl):
    p = impl.peekable("abc")
    next(p)
    head, items = impl.spy(p, 1)
    assert (head, items is p) == (["b"], True)
    for _ in range(3):
        head, items = impl.spy(items, 2)
        assert head == ["b", "c"]
    assert list(p) == ["b", "c"]


def test_an_error_passes_through_spy(impl):
    with pytest.raises(ZeroDivisionError):
        impl.spy(Failing("abc", 1), 2)
    p = impl.peekable(Failing("abc", 1))
    with pytest.raises(ZeroDivisionError):
        impl.spy(p, 2)
    assert list(p) == ["a", "c"]
