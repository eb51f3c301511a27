"""merge: sorted iterables in one sorted order."""

import heapq
import operator
import pickle
import sys

import pytest
import sources
from hypothesis import given
from hypothesis import strategies as st
from sources import Closable, Failing, Item, Source

import pygenx


class Tagged:
    """An item that knows where it comes from and compares by its number alone."""

    def __init__(self, number, tag):
        self.number = number
        self.tag = tag

    def __lt__(self, other):
        return self.number < other.number

    def __eq__(self, other):
        raise AssertionError("only < is asked for")

    __hash__ = None


NUMBERS = st.integers(-5, 5)
KINDS = {
    "int": lambda n: n,
    "big int": lambda n: n + 2**64,
    "float": lambda n: n / 2,
    "mixed": lambda n: n if n % 2 else float(n),
    "str": lambda n: chr(100 + n),
    "bytes": lambda n: bytes([100 + n]),
    "tuple": lambda n: (n // 3, n),
    "bool": lambda n: n > 0,
}


@given(
    lists=st.lists(st.lists(NUMBERS), max_size=9),
    kind=st.sampled_from(sorted(KINDS)),
    reverse=st.booleans(),
    key=st.sampled_from([None, repr, lambda item: 0]),
)
def test_it_gives_what_heapq_gives(lists, kind, reverse, key):
    lists = [
        sorted(map(KINDS[kind], numbers), reverse=reverse, key=key) for numbers in lists
    ]
    expected = list(heapq.merge(*lists, reverse=reverse, key=key))
    assert list(pygenx.merge(*lists, reverse=reverse, key=key)) == expected
    fresh = map(sources.generator, lists)
    assert list(pygenx.merge(*fresh, reverse=reverse, key=key)) == expected


@given(
    lists=st.lists(st.lists(NUMBERS, max_size=5), max_size=9),
    reverse=st.booleans(),
)
def test_equal_items_come_in_the_order_of_the_inputs(lists, reverse):
    inputs = [
        [Tagged(n, (i, j)) for j, n in enumerate(sorted(numbers, reverse=reverse))]
        for i, numbers in enumerate(lists)
    ]
    merged = list(pygenx.merge(*inputs, reverse=reverse))
    wanted = sorted(
        (item for items in inputs for item in items),
        key=lambda item: (-item.number if reverse else item.number, item.tag),
    )
    assert [item.tag for item in merged] == [item.tag for item in wanted]


def test_both_legs(impl):
    assert list(impl.merge()) == []
    assert list(impl.merge([])) == []
    assert list(impl.merge([], (), "")) == []
    assert list(impl.merge([3, 1, 2])) == [3, 1, 2]  # one input is not sorted
    assert list(impl.merge([1, 4], [2, 3, 5], [0])) == [0, 1, 2, 3, 4, 5]
    assert list(impl.merge("b", "AC", key=str.lower)) == ["A", "b", "C"]
    assert list(impl.merge([5, 1], [4, 4], reverse=True)) == [5, 4, 4, 1]
    assert list(impl.merge([1, 2], reverse=1, key=None)) == [1, 2]


@pytest.mark.parametrize("n", range(1, 18))
def test_every_number_of_inputs(impl, n):
    inputs = [range(i, 60, n) for i in range(n)]
    assert list(impl.merge(*inputs)) == list(range(60))
    lists = [[i] * (i % 4) for i in range(n)]
    assert list(impl.merge(*lists)) == [i for i in range(n) for _ in range(i % 4)]


def test_one_item_of_each_is_read_ahead(impl):
    inputs = Source([1, 4, 5]), Source([2, 3]), Source([])
    it = impl.merge(*inputs)
    assert [source.pulls for source in inputs] == [0, 0, 0]
    assert next(it) == 1
    assert [source.pulls for source in inputs] == [1, 1, 1]
    assert next(it) == 2
    assert [source.pulls for source in inputs] == [2, 1, 1]
    assert next(it) == 3
    assert [source.pulls for source in inputs] == [2, 2, 1]
    assert list(it) == [4, 5]
    assert [source.pulls for source in inputs] == [4, 3, 1]


def test_the_key_is_called_once_for_each_item(impl):
    calls = []

    def key(item):
        calls.append(item)
        return -item

    assert list(impl.merge([9, 5, 1], [7], [8, 2, 0], key=key)) == [9, 8, 7, 5, 2, 1, 0]
    assert sorted(calls) == [0, 1, 2, 5, 7, 8, 9]


def test_comparisons_are_few():
    calls = []

    class Counted(Tagged):
        def __lt__(self, other):
            calls.append(1)
            return self.number < other.number

    inputs = [[Counted(j * 16 + i, i) for j in range(50)] for i in range(16)]
    numbers = [item.number for item in pygenx.merge(*inputs)]
    assert numbers == list(range(800))
    assert len(calls) <= 800 * 4


def test_wrong_arguments(impl):
    with pytest.raises(TypeError):
        impl.merge([1], key=5)
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        impl.merge([1], 5)
    with pytest.raises(TypeError):
        impl.merge([1], by=5)


def test_an_error_of_an_input_leaves_it_and_the_others(impl):
    it = impl.merge([1, 4, 7], Failing([2, 5, 6, 8], 1), [3])
    assert [next(it), next(it)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == [3, 4, 6, 7, 8]


def test_an_error_of_the_first_item_of_an_input(impl):
    it = impl.merge([1, 4], Failing([0, 2], 0), [3])
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert list(it) == [1, 2, 3, 4]


@pytest.mark.parametrize("n", range(2, 9))
def test_an_error_of_comparing_consumes_the_new_item(n):
    """The tree is as it was before: nothing of the others is lost or misplaced."""
    fails = [False]

    class Fails(Tagged):
        def __lt__(self, other):
            if fails[0] and "bad" in (self.tag, other.tag):
                raise ZeroDivisionError
            return self.number < other.number

    for bad in range(n):
        inputs = [[Fails(10 * j + i, i) for j in range(4)] for i in range(n)]
        inputs[bad].insert(2, Fails(11 + bad, "bad"))
        it = pygenx.merge(*inputs)
        fails[0] = True
        seen, errors = [], 0
        while True:
            try:
                seen.append(next(it).number)
            except ZeroDivisionError:
                errors += 1
            except StopIteration:
                break
        assert errors == 1
        assert seen == sorted(seen)
        assert len(seen) == 4 * n


def test_what_cannot_be_compared(impl):
    with pytest.raises(TypeError, match="'<' not supported"):
        list(impl.merge([1], ["a"]))
    with pytest.raises(TypeError, match="'<' not supported"):
        list(impl.merge([None], [None]))
    assert list(impl.merge([None, None])) == [None, None]
    it = pygenx.merge([1, 2], [sources.Secretive()])
    with pytest.raises(TypeError):
        next(it)
    assert list(it) == [1, 2]


@pytest.mark.parametrize("how", ["key", "lt", "bool"])
def test_a_stop_iteration_is_a_runtime_error(how):
    stop = StopIteration("oops")

    class Stops(Tagged):
        def __lt__(self, other):
            if how == "bool":
                return sources.FailingBool(stop)
            raise stop

    def key(item):
        raise stop

    it = pygenx.merge([Stops(1, 1)], [Stops(2, 2)], key=key if how == "key" else None)
    with pytest.raises(RuntimeError, match="merge raised StopIteration") as caught:
        list(it)
    assert caught.value.__cause__ is stop


def test_notes_name_the_input():
    with pytest.raises(ZeroDivisionError) as caught:
        next(pygenx.merge([1], Failing([1], 0)))
    assert caught.value.__notes__ == ["pygenx: merge, input 1"]
    with pytest.raises(TypeError) as caught:
        next(pygenx.merge([1], ["a"]))
    assert caught.value.__notes__ == ["pygenx: merge, input 1"]
    with pytest.raises(TypeError) as caught:
        next(pygenx.merge([], [5], key=len))
    assert caught.value.__notes__ == ["pygenx: merge, input 1"]


@pytest.mark.parametrize("where", ["key", "lt", "del"])
def test_it_cannot_be_entered_again(where):
    outcomes = []

    def enter():
        for call in (next, lambda it: it.close(), lambda it: it.throw(KeyError)):
            with pytest.raises(pygenx.ReentrancyError):
                call(it)
        outcomes.append(1)

    class Enters(Tagged):
        def __lt__(self, other):
            if where == "lt":
                enter()
            return self.number < other.number

    class Key(Enters):
        def __del__(self):
            if where == "del":
                enter()

    def key(item):
        if where == "key":
            enter()
        return Key(item.number, 0)

    inputs = [[Enters(i, 0), Enters(i + 3, 0)] for i in range(3)]
    it = pygenx.merge(*inputs, key=None if where == "lt" else key)
    assert [item.number for item in it] == list(range(6))
    assert outcomes


def test_items_are_let_go_of_as_they_come(impl):
    log = []

    def items(numbers):
        for number in numbers:
            yield Item(number, log)

    it = impl.merge(items([1, 3]), items([2, 4]), key=operator.attrgetter("number"))
    assert next(it).number == 1
    assert log == [1]
    del it
    assert sorted(log) == [1, 2]


def test_close_closes_all_in_order_whatever_fails(impl):
    log = []
    it = impl.merge(
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


def test_with_closes_an_input_at_its_own_end(impl):
    inputs = Closable([1]), Closable([2, 3, 4])
    with impl.merge(*inputs) as it:
        assert [next(it), next(it)] == [1, 2]
        assert [source.closes for source in inputs] == [1, 0]
        assert list(it) == [3, 4]
        assert [source.closes for source in inputs] == [1, 1]


def test_throw_goes_to_the_input_asked_next(impl):
    log = []
    it = impl.merge(
        sources.listener(log, [1, 4, 7]), sources.listener(log, [2, 3]), key=int
    )
    assert next(it) == 1
    assert it.throw(ValueError("hello")) == 2  # 4 came in its place
    assert log == [("caught", "hello")]
    assert list(it) == [3, 4, 7]


def test_throw_before_the_first_item(impl):
    talkers = sources.Talker([5, 6]), sources.Talker([1, 9])
    it = impl.merge(*talkers)
    assert it.throw(ValueError("hello")) == 1
    assert talkers[0].log == [("throw", "ValueError('hello')")]
    assert talkers[1].log == []
    assert list(it) == [5, 6, 9]


def test_an_input_that_throw_ends(impl):
    def source(items):
        try:
            yield from items
        except ValueError:
            return

    it = impl.merge(source([1, 4]), [2, 3])
    assert next(it) == 1
    assert it.throw(ValueError) == 2
    assert list(it) == [3]
    with pytest.raises(KeyError):
        impl.merge().throw(KeyError)


def test_length_hints():
    it = pygenx.merge([1, 4], (2, 3), range(2))
    for left in range(6, 0, -1):
        assert operator.length_hint(it, -1) == left
        next(it)
    assert operator.length_hint(it, -1) == 0
    assert operator.length_hint(pygenx.merge([1], iter(Source("ab"))), -1) == -1


def test_repr_and_pickle():
    it = pygenx.merge([1], (2,), key=int)
    assert repr(it) == "merge(<list>, <tuple>)"
    with pytest.raises(TypeError):
        pickle.dumps(it)


def test_many_inputs():
    n = 2000
    inputs = [[i, i + n] for i in range(n)]
    assert list(pygenx.merge(*inputs)) == list(range(2 * n))
    assert sys.getrefcount(inputs[0]) < 5
