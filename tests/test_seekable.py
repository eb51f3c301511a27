"""seekable: an iterator that one can go back in."""

import gc
import itertools
import sys
import weakref
from collections.abc import Sequence

import pytest
import sources
from sources import Closable, Failing, Item, Source


def test_what_was_read_can_be_read_again(impl):
    source = Source("abc")
    s = impl.seekable(source)
    assert source.pulls == 0
    assert [next(s), next(s)] == ["a", "b"]
    assert s.seek(0) is None
    assert source.pulls == 2
    assert list(s) == ["a", "b", "c"]
    assert next(s, "end") == "end"
    for _ in range(2):
        s.seek(1)
        assert list(s) == ["b", "c"]
    assert source.pulls == 4
    assert source.iters == 1


def test_seek_forward_reads(impl):
    source = Source("abcdef")
    s = impl.seekable(source)
    s.seek(3)
    assert source.pulls == 3
    assert [s.tell(), next(s), s.tell()] == [3, "d", 4]
    s.seek(index=100)
    assert (s.tell(), source.pulls) == (6, 7)
    assert list(s) == []
    s.seek(5)
    assert list(s) == ["f"]
    s.seek(100)
    assert source.pulls == 7


def test_wrong_places(impl):
    s = impl.seekable("abc")
    for index in (-1, -(2**80)):
        with pytest.raises(ValueError, match="index must be at least 0"):
            s.seek(index)
    for index in ("0", 1.0, None):
        with pytest.raises(TypeError):
            s.seek(index)
    with pytest.raises(OverflowError):
        s.seek(2**80)
    with pytest.raises(TypeError):
        s.relative_seek("1")
    assert list(s) == ["a", "b", "c"]


def test_relative_seek_stops_at_the_first_item(impl):
    s = impl.seekable(str(n) for n in range(20))
    assert [next(s), next(s), next(s)] == ["0", "1", "2"]
    s.relative_seek(2)
    assert next(s) == "5"
    s.relative_seek(-3)
    assert next(s) == "3"
    s.relative_seek(-100)
    assert (s.tell(), next(s)) == (0, "0")
    s.relative_seek(count=100)
    assert (s.tell(), next(s, "end")) == (20, "end")
    s.relative_seek(-1)
    assert list(s) == ["19"]


def test_peek_and_bool(impl):
    source = Source("ab")
    s = impl.seekable(source)
    assert [s.peek(), bool(s), s.peek(5), s.tell()] == ["a", True, "a", 0]
    assert source.pulls == 1
    assert list(s) == ["a", "b"]
    assert not s
    with pytest.raises(StopIteration):
        s.peek()
    assert s.peek(default=None) is None
    s.seek(1)
    assert s
    assert s.peek() == "b"
    assert source.pulls == 3


def test_none_is_data(impl):
    s = impl.seekable([None])
    assert s
    assert s.peek(5) is None
    assert list(s) == [None]


@pytest.mark.parametrize("maxlen", range(5))
def test_maxlen_bounds_what_is_kept(impl, maxlen):
    alive = weakref.WeakSet()

    def items():
        for number in range(20):
            item = Item(number)
            alive.add(item)
            yield item
            del item

    s = impl.seekable(items(), maxlen)
    for number in range(10):
        assert s.peek().number == number
        assert s.peek().number == number  # which makes nothing grow
        assert len(alive) <= max(maxlen, 1)
        assert next(s).number == number
        assert s.tell() == number + 1
        gc.collect()
        assert len(alive) <= maxlen or maxlen == 0
    assert [item.number for item in s.elements()] == list(range(10 - maxlen, 10))
    assert [item.number for item in s] == list(range(10, 20))


def test_places_stay_with_maxlen(impl):
    s = impl.seekable(map(str, itertools.count()), maxlen=2)
    s.seek(4)
    assert list(s.elements()) == ["2", "3"]
    for index in (0, 1):
        with pytest.raises(LookupError, match=f"position {index} is not kept any more"):
            s.seek(index)
        with pytest.raises(LookupError):
            s[index]
    assert (s.tell(), s[2], s[3], s[-2]) == (4, "2", "3", "2")
    s.seek(2)
    assert [next(s) for _ in range(4)] == ["2", "3", "4", "5"]
    assert list(s.elements()) == ["4", "5"]
    s.relative_seek(-1)
    assert next(s) == "5"
    with pytest.raises(LookupError):
        s.relative_seek(-3)
    assert next(s) == "6"


def test_what_is_not_read_yet_is_never_let_go_of(impl):
    s = impl.seekable("abc", maxlen=0)
    assert s.peek() == "a"
    assert (list(s.elements()), s[:]) == ([], [])
    with pytest.raises(IndexError):
        s[0]
    assert [next(s), s.peek(), next(s), next(s)] == ["a", "b", "b", "c"]
    assert list(s.elements()) == []
    assert not s


def test_wrong_maxlen(impl):
    with pytest.raises(ValueError, match="maxlen must be >= 0"):
        impl.seekable("abc", -1)
    for maxlen in ("1", 1.0):
        with pytest.raises(TypeError):
            impl.seekable("abc", maxlen)
    with pytest.raises(OverflowError):
        impl.seekable("abc", 2**80)
    assert list(impl.seekable("abc", maxlen=sys.maxsize)) == ["a", "b", "c"]


def test_indexes_are_of_what_is_kept(impl):
    source = Source("abcdef")
    s = impl.seekable(source)
    with pytest.raises(IndexError):
        s[0]
    s.seek(3)
    assert (s[0], s[2], s[-1], s[-3], s[True]) == ("a", "c", "c", "a", "b")
    for index in (3, -4, sys.maxsize, -sys.maxsize, 2**80):
        with pytest.raises(IndexError):
            s[index]
    for index in ("0", 1.0, None):
        with pytest.raises(TypeError):
            s[index]
    assert source.pulls == 3
    s.seek(0)
    assert s[2] == "c"


def test_slices_are_of_what_is_kept(impl):
    bounds = [None, *range(-7, 8), sys.maxsize, -sys.maxsize - 1]
    s = impl.seekable(range(100))
    s.seek(5)
    for start, stop, step in itertools.product(bounds, bounds, (None, 1, 2, -1, -2)):
        cut = slice(start, stop, step)
        assert s[cut] == list(range(5))[cut], cut
    s = impl.seekable(range(100), maxlen=3)
    s.seek(6)
    assert (s[3:], s[-3:], s[4:100], s[:-4:-1]) == (
        [3, 4, 5],
        [3, 4, 5],
        [4, 5],
        [5, 4, 3],
    )
    assert (s[6:], s[1:1], s[50:]) == ([], [], [])
    for cut in (slice(None), slice(2, None), slice(None, None, -1), slice(2, 3)):
        with pytest.raises(LookupError):
            s[cut]


# elements ----------------------------------------------------------------------------


def test_elements_goes_along(impl):
    s = impl.seekable("abcdef", maxlen=3)
    view = s.elements()
    assert (len(view), list(view)) == (0, [])
    next(s), next(s)
    assert (len(view), list(view), view[0], view[-1]) == (2, ["a", "b"], "a", "b")
    s.seek(5)
    assert list(view) == ["c", "d", "e"]
    assert (view[0], view[-3], view[1:], view[::-1]) == (
        "c",
        "c",
        ["d", "e"],
        list("edc"),
    )
    for index in (3, -4):
        with pytest.raises(IndexError):
            view[index]
    with pytest.raises(TypeError):
        view["0"]
    assert list(reversed(view)) == ["e", "d", "c"]
    assert "d" in view
    assert "a" not in view
    assert (view.index("d"), view.index("e", 1), view.count("c")) == (1, 2, 1)
    with pytest.raises(ValueError, match=r"not in list|^$"):
        view.index("a")
    s.close()
    assert list(view) == []


def test_elements_is_a_sequence_that_cannot_be_changed(impl):
    view = impl.seekable("abc").elements()
    assert isinstance(view, Sequence)
    match view:
        case []:
            pass
        case _:
            raise AssertionError
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises(TypeError):
        del view[0]


def test_elements_keeps_its_seekable(impl):
    s = impl.seekable("abc")
    next(s)
    view = s.elements()
    del s
    assert list(view) == ["a"]


def test_repr_of_elements():
    from pygenx import seekable

    s = seekable(["a", 1])
    view = s.elements()
    list(s)
    assert repr(view) == "elements(['a', 1])"
    items = []
    s = seekable(items)
    items.append(s.elements())
    list(s)
    assert repr(items[0]) == "elements([elements(...)])"
    s = seekable([sources.Secretive()])
    assert next(s)
    with pytest.raises(AssertionError, match="repr"):
        repr(s.elements())
    kind = type(view)
    assert kind[int].__origin__ is kind
    with pytest.raises(TypeError, match="cannot create"):
        kind()


# the source --------------------------------------------------------------------------


def test_close_frees_what_is_kept(impl):
    freed = []
    source = Closable([1])
    s = impl.seekable(source)
    list(s)
    s.close()
    assert source.closes == 0  # it had ended before
    s = impl.seekable(Item(number, freed) for number in range(5))
    s.seek(3)
    s.seek(1)
    s.close()
    assert sorted(freed) == [0, 1, 2]
    assert next(s, "end") == "end"
    assert (s.tell(), bool(s)) == (3, False)
    with pytest.raises(LookupError):
        s.seek(0)
    s.seek(5)
    assert (s.tell(), next(s, "end")) == (3, "end")


def test_with_keeps_the_items_up_to_its_exit(impl):
    source = Closable("abc")
    with impl.seekable(source) as s:
        assert list(s) == ["a", "b", "c"]
        assert source.closes == 1
        s.seek(1)
        assert list(s) == ["b", "c"]
        s.seek(0)
    assert source.closes == 1
    assert (list(s), list(s.elements())) == ([], [])


def test_an_error_of_the_source_leaves_what_was_read(impl):
    s = impl.seekable(Failing("abcd", 1))
    with pytest.raises(ZeroDivisionError, match="b"):
        s.seek(3)
    assert s.tell() == 1
    s.seek(0)
    assert list(s) == ["a", "c", "d"]
    for look in (lambda s: s.peek(), bool, lambda s: s.peek(None)):
        s = impl.seekable(Failing("ab", 0))
        with pytest.raises(ZeroDivisionError):
            look(s)
        assert (s.tell(), list(s)) == (0, ["b"])


def test_the_note_numbers_the_item():
    from pygenx import seekable

    s = seekable(Failing("abcd", 2), maxlen=1)
    with pytest.raises(ZeroDivisionError) as caught:
        s.seek(3)
    assert caught.value.__notes__ == ["pygenx: seekable, item 2"]


def test_the_result_comes_with_each_end(impl):
    s = impl.seekable(sources.generator("ab", None, 42))
    s.seek(2)
    assert s.result is None
    for _ in range(2):
        with pytest.raises(StopIteration) as caught:
            next(s)
        assert caught.value.value == 42
        with pytest.raises(StopIteration) as caught:
            next(s)
        assert caught.value.value is None
        assert s.result == 42
        s.seek(0)
        assert [next(s), next(s)] == ["a", "b"]


def test_send_passes_at_the_head_alone(impl):
    log = []
    s = impl.seekable(sources.listener(log, "abc"))
    assert next(s) == "a"
    assert s.send("hello") == ("answer", "hello")
    s.seek(0)
    with pytest.raises(TypeError, match="items that wait in a seekable"):
        s.send("too late")
    assert log == [("sent", "hello")]
    assert list(s) == ["a", ("answer", "hello"), "b", "c"]


def test_throw_goes_past_what_waits(impl):
    log = []
    s = impl.seekable(sources.listener(log, "abcd"))
    s.seek(2)
    assert s.throw(ValueError("one")) == "c"
    s.seek(1)
    assert s.throw(ValueError("two")) == "d"
    assert log == [("caught", "one"), ("caught", "two")]
    assert list(s) == ["b", "c"]


def test_a_throw_that_nobody_answers_ends_up_to_the_next_seek(impl):
    s = impl.seekable("abc")
    s.seek(2)
    s.seek(1)
    with pytest.raises(KeyError):
        s.throw(KeyError("hello"))
    assert (next(s, "end"), bool(s)) == ("end", False)
    s.seek(0)
    assert next(s) == "a"


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.peek(),
        bool,
        lambda s: s.seek(0),
        lambda s: s.seek(9),
        lambda s: s.relative_seek(1),
    ],
)
def test_a_call_from_inside_the_source_is_refused(impl, call):
    source = sources.Calling("abc", at=1)
    s = impl.seekable(source)
    source.action = lambda: call(s)
    s.seek(2)
    assert isinstance(source.outcome, impl.ReentrancyError)
    s.seek(0)
    assert list(s) == ["a", "b", "c"]


def test_what_is_kept_can_be_looked_at_from_inside(impl):
    source = sources.Calling("abc", at=2)
    s = impl.seekable(source)
    source.action = lambda: (s[0], s[:], list(s.elements()), s.tell())
    assert list(s) == ["a", "b", "c"]
    assert source.outcome == ("a", ["a", "b"], ["a", "b"], 2)


def test_items_whose_end_reads_again(impl):
    class Nosy:
        def __del__(self):
            try:
                seen.append(len(s.elements()))
                next(s, None)
            except impl.ReentrancyError:
                seen.append("refused")

    seen = []
    s = impl.seekable((Nosy() for _ in range(6)), maxlen=1)
    s.seek(4)
    s.close()
    assert len(seen) >= 4


def test_a_source_that_holds_its_seekable_is_collected(impl):
    source = Source("abc")
    source.items.append(source)
    source.seekable = impl.seekable(source)
    source.seekable.seek(4)
    source.view = source.seekable.elements()
    alive = weakref.ref(source)
    del source
    gc.collect()
    assert alive() is None


def test_a_long_way():
    from pygenx import seekable

    s = seekable(range(10**6), maxlen=1000)
    s.seek(10**6)
    assert (s.tell(), s[-1000], len(s.elements())) == (10**6, 999_000, 1000)
    s = seekable(range(10**6))
    s.seek(10**6)
    s.seek(0)
    assert sum(s) == sum(range(10**6))
