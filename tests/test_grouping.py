"""grouping, fold and feed: what the push kit promises, and what must not break it."""

import contextlib
import copy
import functools
import gc
import itertools
import operator
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from ctrl_c import interrupted
from sources import (
    Blocking,
    Closable,
    Failing,
    FailingBool,
    FailingEq,
    GetItem,
    Item,
    Secretive,
    Source,
    WrongIter,
    generator,
)

from pygenx import ReentrancyError, chain, feed, fold, grouping, primed

PEOPLE = [("Alice", 30), ("Bob", 25), ("Charlie", 30), ("David", 25), ("Eve", 30)]


def age(person):
    return person[1]


def sent(target, items):
    return [target.send(item) for item in items]


def leave(target, items, error):
    """A with block that sends, and then fails."""
    with target:
        sent(target, items)
        raise error


class Sink:
    """The protocol of a sink, each call written down."""

    result = "the sink's result"

    def __init__(self, log=None, error=None):
        self.log = [] if log is None else log
        self.error = error

    def send(self, item):
        self.log.append(item)
        if self.error is not None:
            raise self.error

    def throw(self, error):
        self.log.append(("throw", error))
        raise error

    def close(self):
        self.log.append("close")


def collector(log=None):
    """A generator sink: returns what it was sent, takes a ValueError in its stride."""
    items = []
    try:
        while True:
            try:
                items.append((yield len(items)))
            except ValueError as error:
                items.append(str(error))
    except GeneratorExit:
        return items
    finally:
        if log is not None:
            log.append("finally")


async def agenerator():
    yield


def notes(info):
    return getattr(info.value, "__notes__", [])


class Recursive:
    """A key whose comparison does something first, and then knows no answer."""

    __hash__ = None

    def __init__(self, action):
        self.action = action

    def __eq__(self, other):
        self.action()
        return NotImplemented


# the coroutine of the document -----------------------------------------------------


def test_the_document():
    people = grouping()
    next(people)
    for person in PEOPLE:
        people.send((person, age))
    people.close()
    assert list(people) == [
        (30, [("Alice", 30)]),
        (25, [("Bob", 25)]),
        (30, [("Charlie", 30)]),
        (25, [("David", 25)]),
        (30, [("Eve", 30)]),
    ]


def test_send_returns_the_group_it_ended():
    words = grouping(len)
    assert sent(words, ["to", "be", "not", "or"]) == [
        None,
        None,
        (2, ["to", "be"]),
        (3, ["not"]),
    ]
    assert words.close() == (2, ["or"])
    assert words.close() is None


@pytest.mark.parametrize("data", [[], [1], [1, 1], [1, 2, 2, 3, 1, 1]])
def test_groups_are_those_of_groupby(data):
    target = grouping(operator.neg)
    feed(data, target)
    expected = itertools.groupby(data, operator.neg)
    assert list(target) == [(key, list(group)) for key, group in expected]


def test_an_empty_one_closes_with_nothing():
    target = grouping(len)
    assert target.close() is None
    assert list(target) == []
    with pytest.raises(StopIteration):
        target.send("a")


def test_it_is_primed():
    target = grouping(len)
    assert next(target) is None
    with pytest.raises(RuntimeError, match="still open"):
        next(target)
    sent(target, ["a", "bb"])
    assert next(target) == (1, ["a"])


def test_priming_is_over_with_the_first_item():
    target = grouping(len)
    sent(target, ["a", "bb"])
    assert next(target) == (1, ["a"])


def test_iterating_takes_what_is_ready():
    target = grouping(len)
    sent(target, ["a", "bb", "c"])
    assert [next(target), next(target)] == [(1, ["a"]), (2, ["bb"])]
    with pytest.raises(RuntimeError, match="still open"):
        next(target)
    target.send("dd")
    assert next(target) == (1, ["c"])
    target.close()
    assert list(target) == [(2, ["dd"])]
    assert list(target) == []


def test_a_long_queue_stays_in_order():
    target = grouping(abs)
    expected = itertools.count()
    for number in range(1000):
        target.send(number)
        if number % 3 == 2:
            assert next(target)[0] == next(expected)
    target.close()
    assert [key for key, _ in target] == list(range(next(expected), 1000))


def test_keep_can_be_turned_off():
    target = grouping(len, keep=False)
    assert sent(target, ["a", "bb"])[1] == (1, ["a"])
    with pytest.raises(RuntimeError, match="still open"):
        next(target)
    assert target.close() == (2, ["bb"])
    assert list(target) == []


def test_none_is_a_key_and_an_item():
    target = grouping({1: None, None: None, 2: 2}.get)
    assert sent(target, [1, None, 1, 2]) == [None, None, None, (None, [1, None, 1])]
    by_itself = grouping(lambda item: item)
    assert sent(by_itself, [None, None, 0]) == [None, None, (None, [None, None])]


def test_keys_are_the_same_if_identical_or_equal():
    nan = float("nan")
    target = grouping(lambda item: item)
    assert sent(target, [nan, nan, 1, 1.0, True]) == [
        None,
        None,
        (nan, [nan, nan]),
        None,
        None,
    ]
    assert target.close()[0] is not True
    different = grouping(lambda item: float("nan"))
    assert sent(different, "ab")[1][1] == ["a"]


def test_keys_need_no_hash():
    target = grouping(lambda item: [item])
    assert sent(target, [1, 1, 2])[2] == ([1], [1, 1])


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (None, "None"),
        (5, "5"),
        ("ab", "'ab'"),
        ((1,), "<tuple>"),
        ((1, len, 2), "<tuple>"),
        ([1, len], "<list>"),
    ],
)
def test_without_a_key_it_says_what_it_wants(wrong, shown):
    target = grouping()
    with pytest.raises(TypeError) as info:
        target.send(wrong)
    assert str(info.value) == (
        f"a grouping without a key is sent tuples (item, key function), not {shown}"
    )
    assert target.current is None
    target.send((1, str))
    assert target.current == ("1", [1])


def test_a_key_function_that_is_none():
    with pytest.raises(TypeError, match=r"key function sent with .* not 'int'"):
        grouping().send((1, 2))


def test_current_is_the_open_group():
    target = grouping(len)
    assert target.current is None
    sent(target, ["a", "bb", "cc"])
    assert target.current == (2, ["bb", "cc"])
    target.close()
    assert target.current is None


def test_a_running_value_instead_of_a_list():
    target = grouping(len, fold=operator.add)
    assert sent(target, ["a", "b", "cc"]) == [None, None, (1, "ab")]
    assert target.close() == (2, "cc")
    counts = grouping(len, fold=lambda count, item: count + 1, init=0)
    assert sent(counts, ["a", "b", "cc"]) == [None, None, (1, 2)]
    assert counts.current == (2, 1)
    nothing = grouping(len, fold=lambda value, item: value, init=None)
    assert sent(nothing, ["a", "bb"]) == [None, (1, None)]


# wrong calls ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: grouping(1), r"argument 'key' must be callable, not 'int'"),
        (lambda: grouping(len, fold=1), r"argument 'fold' must be callable, not 'int'"),
        (lambda: grouping(len, init=1), r"argument 'init' needs 'fold'"),
        (lambda: grouping(len, sink=1), r"'sink' must have send\(\) or be callable"),
        (lambda: grouping(len, sink=list), r"not the class 'list'.* append"),
        (lambda: grouping(len, sink=collector), r"generator function collector itself"),
        (lambda: grouping(len, 1), r"takes from 0 to 1 positional arguments but 2"),
        (lambda: grouping(len, maxlen=1), r"unexpected keyword argument 'maxlen'"),
        (lambda: fold(1, 0), r"fold\(\) argument 'func' must be callable, not 'int'"),
        (lambda: fold(operator.add), r"missing 1 required positional .*'initial'"),
        (lambda: fold(func=max, initial=0), r"positional-only"),
        (lambda: feed([1]), r"missing 1 required positional argument: 'target'"),
        (
            lambda: feed([1], 5),
            r"'target' must have send\(\) or be callable, not 'int'",
        ),
        (lambda: feed([1], list), r"not the class 'list'.* append"),
        (lambda: feed([1], collector), r"generator function collector itself; call it"),
        (lambda: feed([1], agenerator()), r"must have send\(\) or be callable"),
        (lambda: feed([1], agenerator), r"generator function agenerator itself"),
        (lambda: feed([1], primed(collector)), r"itself; call it"),
        (lambda: feed(5, fold(max, 0)), r"'int' object is not iterable"),
        (lambda: feed(WrongIter(), fold(max, 0)), r"non-iterator|an iterator, not"),
        (lambda: fold(max, 0).throw(1), r"exceptions must be classes or instances"),
        (lambda: grouping().__exit__(), r"takes 3 arguments \(0 given\)"),
    ],
)
def test_wrong_calls(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_a_refused_source_leaves_the_target_alone():
    sink = Sink()
    with pytest.raises(TypeError):
        feed(5, sink)
    assert sink.log == []


@pytest.mark.parametrize("cls", [grouping, fold])
def test_types_are_final_and_their_objects_are_not_pickled(cls):
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Sub", (cls,), {})
    target = cls(len) if cls is grouping else cls(max, 0)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle"):
            attempt(target)
    assert weakref.ref(target)() is target
    assert cls.__module__ == "pygenx"
    assert cls[int].__origin__ is cls
    with pytest.raises(TypeError):
        object.__new__(cls)


# errors -----------------------------------------------------------------------------


def test_a_failing_key_leaves_everything_as_it_was():
    target = grouping(lambda item: 1 // item)
    sent(target, [1, 1])
    with pytest.raises(ZeroDivisionError) as info:
        target.send(0)
    assert notes(info) == [
        "pygenx: grouping(key=<lambda test_grouping.py:"
        f"{test_a_failing_key_leaves_everything_as_it_was.__code__.co_firstlineno + 1}"
        ">), item 2: 0"
    ]
    assert target.current == (1, [1, 1])
    assert target.send(1) is None
    assert target.close() == (1, [1, 1, 1])


@pytest.mark.parametrize("wrong", [FailingEq, FailingBool])
def test_keys_that_cannot_be_compared(wrong):
    error = ZeroDivisionError()

    class Undecided:
        __hash__ = None

        def __eq__(self, other):
            return FailingBool(error)

    keys = {"a": 1, "b": wrong(error) if wrong is FailingEq else Undecided(), "c": 1}
    target = grouping(keys.get)
    target.send("a")
    with pytest.raises(ZeroDivisionError) as info:
        target.send("b")
    assert info.value is error
    assert target.send("c") is None
    assert target.close() == (1, ["a", "c"])


def test_a_failing_fold_leaves_everything_as_it_was():
    target = grouping(type, fold=operator.floordiv, init=100)
    target.send(5)
    with pytest.raises(ZeroDivisionError):
        target.send(0)
    with pytest.raises(ZeroDivisionError):
        target.send(0.0)
    assert target.current == (int, 20)


def stop(*args):
    raise StopIteration("not an end")


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: grouping(stop).send(1), "grouping(key=stop)"),
        (
            lambda: sent(grouping(lambda i: FailingEq(StopIteration())), "ab"),
            "grouping(",
        ),
        (lambda: fold(stop, 0).send(1), "fold(stop)"),
        (lambda: sent(grouping(len, sink=stop), ["a", "bb"]), "stop"),
        (lambda: feed([1], stop), "stop"),
    ],
)
def test_stopiteration_of_a_callback_is_no_end(call, where):
    with pytest.raises(RuntimeError, match="raised StopIteration") as info:
        call()
    assert str(info.value).startswith(where)
    assert isinstance(info.value.__cause__, StopIteration)


def test_stopiteration_of_iter_is_no_end():
    class Ended:
        def __iter__(self):
            raise StopIteration

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        feed(Ended(), print)


def test_notes():
    with pytest.raises(TypeError) as info:
        feed([1, 2, "x"], fold(operator.add, 0))
    assert notes(info) == ["pygenx: fold(add), item 2: 'x'"]
    with pytest.raises(ZeroDivisionError) as info:
        feed([1, 0], functools.partial(operator.floordiv, 1))
    assert notes(info) == ["pygenx: feed, item 1: 0"]
    with pytest.raises(ZeroDivisionError) as info:
        feed(Failing("ab", 1), fold(max, ""))
    assert notes(info) == ["pygenx: source <Failing>, item 1"]
    with pytest.raises(TypeError) as info:
        feed([Secretive()], fold(operator.add, 0))
    assert notes(info) == ["pygenx: fold(add), item 0: <Secretive>"]
    with pytest.raises(KeyboardInterrupt) as info:
        feed(Failing("ab", 1, error=KeyboardInterrupt()), fold(max, ""))
    assert notes(info) == []


# sinks ------------------------------------------------------------------------------


def test_groups_go_to_the_sink():
    sink = Sink()
    target = grouping(len, sink=sink)
    assert sent(target, ["a", "b", "cc"])[2] == (1, ["a", "b"])
    assert sink.log == [(1, ["a", "b"])]
    assert target.result is None
    assert target.close() == (2, ["cc"])
    assert sink.log == [(1, ["a", "b"]), (2, ["cc"]), "close"]
    assert target.result == "the sink's result"
    assert list(target) == []


def test_groups_can_be_kept_as_well():
    groups = []
    target = grouping(len, sink=groups.append, keep=True)
    feed(["a", "bb"], target)
    assert groups == list(target) == [(1, ["a"]), (2, ["bb"])]


@pytest.mark.parametrize("started", [False, True])
def test_a_generator_is_a_sink(started):
    sink = collector()
    if started:
        next(sink)
    target = grouping(len, sink=sink)
    sent(target, ["a", "bb"])
    target.close()
    assert target.result == [(1, ["a"]), (2, ["bb"])]
    assert sink.gi_frame is None


def test_a_generator_that_gets_nothing_is_primed_before_it_is_closed():
    target = grouping(len, sink=collector())
    target.close()
    assert target.result == []


def test_a_sink_is_not_touched_before_the_first_group():
    log = []
    target = grouping(len, sink=generator("ab", log))
    target.send("a")
    assert log == []


def test_groupings_nest():
    lengths = grouping(lambda group: len(group[1]), sink=fold(operator.concat, ()))
    target = grouping(abs, sink=lengths)
    pairs = (2, [(1, [1, 1]), (2, [2, 2])])
    assert feed([1, 1, 2, 2, 3, 4, 4], target) == (
        *pairs,
        *(1, [(3, [3])]),
        *(2, [(4, [4, 4])]),
    )
    assert lengths.result is target.result


def test_a_failing_sink_loses_its_group_and_nothing_else():
    sink = Sink(error=ZeroDivisionError())
    target = grouping(len, sink=sink)
    target.send("a")
    with pytest.raises(ZeroDivisionError) as info:
        target.send("bb")
    assert notes(info) == ["pygenx: grouping(key=len), item 1: 'bb'"]
    assert target.current == (2, ["bb"])
    sink.error = None
    target.send("cc")
    assert target.close() == (2, ["bb", "cc"])
    assert sink.log == [(1, ["a"]), (2, ["bb", "cc"]), "close"]


def test_a_sink_that_fails_at_the_end_is_closed():
    sink = Sink(error=ZeroDivisionError())
    target = grouping(len, sink=sink, keep=True)
    target.send("a")
    with pytest.raises(ZeroDivisionError):
        target.close()
    assert sink.log == [(1, ["a"]), "close"]
    assert target.close() is None
    assert list(target) == [(1, ["a"])]


def test_flush_and_close_both_fail():
    class Broken(Sink):
        def close(self):
            raise KeyError("close")

    target = grouping(len, sink=Broken(error=ValueError("send")))
    target.send("a")
    with pytest.raises(KeyError) as info:
        target.close()
    assert isinstance(info.value.__context__, ValueError)


def test_a_sink_that_has_enough_ends_the_grouping():
    def one():
        group = yield
        return ("enough", group)

    target = grouping(len, sink=one())
    target.send("a")
    with pytest.raises(StopIteration) as info:
        target.send("bb")
    assert info.value.value == target.result == ("enough", (1, ["a"]))
    with pytest.raises(StopIteration) as info:
        target.send("c")
    assert info.value.value is None
    assert target.current == (2, ["bb"])
    assert target.close() is None
    assert list(target) == []


def test_a_sink_that_has_enough_at_the_end():
    def one():
        return [(yield)]

    target = grouping(len, sink=one())
    target.send("a")
    assert target.close() == (1, ["a"])
    assert target.result == [(1, ["a"])]


def test_a_result_that_is_a_tuple_or_an_exception_survives():
    for value in ((1, 2), ValueError("a value")):

        def one(value=value):
            yield
            return value

        target = grouping(len, sink=one())
        target.send("a")
        with pytest.raises(StopIteration) as info:
            target.send("bb")
        assert info.value.value is value


def test_a_subclass_with_a_send_of_its_own_is_sent_to():
    class Loud(chain):
        def send(self, item):
            log.append(item)

    log = []
    feed("ab", Loud())
    assert log == ["a", "b"]


def test_send_none_is_not_next():
    class Both(Sink):
        def __iter__(self):
            return self

        def __next__(self):
            raise AssertionError("next() of a sink")

    sink = Both()
    feed([None], sink)
    assert sink.log == [None, "close"]


# throw and with ---------------------------------------------------------------------


def test_throw_raises_and_leaves_the_open_group_readable():
    target = grouping(len)
    sent(target, ["a", "bb"])
    with pytest.raises(KeyError):
        target.throw(KeyError)
    assert target.current == (2, ["bb"])
    assert list(target) == [(1, ["a"])]
    with pytest.raises(StopIteration):
        target.send("c")
    assert target.close() is None


def test_throw_goes_to_the_sink():
    error = KeyError()
    sink = Sink()
    target = grouping(len, sink=sink)
    sent(target, ["a", "bb"])
    with pytest.raises(KeyError) as info:
        target.throw(error)
    assert info.value is error
    assert sink.log == [(1, ["a"]), ("throw", error)]


def test_a_sink_may_take_what_is_thrown():
    target = grouping(len, sink=collector())
    sent(target, ["a", "bb"])
    assert target.throw(ValueError("taken")) is None
    target.send("c")
    target.close()
    assert target.result == [(1, ["a"]), "taken", (2, ["bb"]), (1, ["c"])]


def test_a_sink_may_return_what_is_thrown():
    def sink():
        try:
            yield
            yield
        except ValueError as error:
            return str(error)

    target = grouping(len, sink=sink())
    sent(target, ["a", "bb"])
    with pytest.raises(StopIteration) as info:
        target.throw(ValueError("taken"))
    assert info.value.value == target.result == "taken"


def test_a_sink_without_throw_is_closed():
    class Plain:
        closed = False

        def send(self, item):
            raise AssertionError("flushed")

        def close(self):
            self.closed = True

    sink = Plain()
    target = grouping(len, sink=sink)
    target.send("a")
    with pytest.raises(KeyError):
        target.throw(KeyError())
    assert sink.closed


def test_a_clean_with_flushes():
    sink = Sink()
    with grouping(len, sink=sink) as target:
        target.send("a")
    assert sink.log == [(1, ["a"]), "close"]
    assert target.result == "the sink's result"
    with fold(operator.add, 0) as total:
        total.send(2)
    assert total.result == 2


def test_a_failing_with_throws_and_does_not_flush():
    sink = Sink()
    error = KeyError()
    target = grouping(len, sink=sink)
    with pytest.raises(KeyError) as info:
        leave(target, ["a"], error)
    assert info.value is error
    assert sink.log == [("throw", error)]
    assert target.current == (1, ["a"])
    assert target.result is None
    total = fold(operator.add, 0)
    with pytest.raises(KeyError):
        leave(total, [2], error)
    assert total.result is None
    assert total.value == 2


def test_with_never_swallows_and_always_ends_the_sink():
    log = []
    target = grouping(len, sink=collector(log))
    with pytest.raises(ValueError, match="taken"):
        leave(target, ["a", "bb"], ValueError("taken"))
    assert log == ["finally"]
    with pytest.raises(StopIteration):
        target.send("b")


def test_a_sink_that_raises_something_else_on_the_way_out():
    class Broken(Sink):
        def throw(self, error):
            raise BlockingIOError from error

    with pytest.raises(BlockingIOError) as info:
        leave(grouping(len, sink=Broken()), [], KeyError())
    assert isinstance(info.value.__context__, KeyError)


def test_exit_called_by_hand():
    error = KeyError()
    target = grouping(len, sink=Sink())
    assert target.__enter__() is target
    assert target.__exit__(KeyError, error, None) is False
    assert target.__exit__(KeyError, error, None) is False
    assert grouping(len).__exit__(None, None, None) is False
    assert fold(max, 0).__exit__(KeyError, None, None) is False


def test_closing_inside_with_is_fine():
    with grouping(len) as target:
        target.send("a")
        assert target.close() == (1, ["a"])


# fold -------------------------------------------------------------------------------


def test_fold():
    total = fold(operator.add, 0)
    assert next(total) is None
    assert sent(total, [1, 2, 3]) == [1, 3, 6]
    assert (total.value, total.result) == (6, None)
    assert (total.close(), total.close()) == (6, 6)
    assert (total.value, total.result) == (6, 6)
    with pytest.raises(StopIteration) as info:
        total.send(4)
    assert info.value.value is None
    with pytest.raises(StopIteration):
        next(total)


def test_fold_is_not_an_iterator_over_anything():
    total = fold(operator.add, 0)
    with pytest.raises(TypeError, match="not iterable"):
        iter(total)
    total.send(1)
    with pytest.raises(RuntimeError, match="send"):
        next(total)
    assert total.value == 1


def test_fold_takes_none():
    assert feed([None, None], fold(lambda count, item: count + (item is None), 0)) == 2
    assert feed([1], fold(lambda value, item: None, 0)) is None


def test_a_failing_func_leaves_the_value():
    quotient = fold(operator.floordiv, 100)
    quotient.send(5)
    with pytest.raises(ZeroDivisionError):
        quotient.send(0)
    assert quotient.value == 20
    assert quotient.send(2) == 10


def test_throw_ends_a_fold():
    total = fold(operator.add, 1)
    with pytest.raises(KeyError):
        total.throw(KeyError("out"))
    assert (total.value, total.result) == (1, None)
    with pytest.raises(StopIteration):
        total.send(1)


def test_a_fold_lets_go_of_its_function_at_the_end():
    class Add:
        def __call__(self, a, b):
            return a + b

    add = Add()
    total, gone = fold(add, 0), weakref.ref(add)
    del add
    total.send(1)
    assert gone() is not None
    total.close()
    assert gone() is None


# feed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [list, tuple, iter, GetItem, Source, generator, dict.fromkeys, chain, str.join],
    ids=lambda make: make.__name__,
)
def test_sources(make):
    source = "".join("abc") if make is str.join else make(["a", "b", "c"])
    assert feed(source, fold(operator.add, "")) == "abc"


def test_a_list_that_grows_is_read_to_its_end():
    items = [1]

    def take(item):
        if item < 5:
            items.append(item + 1)

    feed(items, take)
    assert items == [1, 2, 3, 4, 5]


def test_the_result_of_a_generator():
    assert feed("abc", collector()) == ["a", "b", "c"]
    assert feed("", collector()) == []
    started = collector()
    next(started)
    assert feed("abc", started) == ["a", "b", "c"]


def test_results_of_other_targets():
    class Returning(Sink):
        def close(self):
            return "from close"

    assert feed("ab", Sink()) == "the sink's result"
    assert feed("ab", Returning()) == "the sink's result"
    del Sink.result
    try:
        assert feed("ab", Returning()) == "from close"
    finally:
        Sink.result = "the sink's result"
    items = []
    assert feed("ab", items.append) is None
    assert items == ["a", "b"]
    assert feed("aab", grouping(str, sink=fold(lambda n, _: n + 1, 0))) == 2


@pytest.mark.parametrize("end", [GeneratorExit, ValueError])
def test_a_generator_that_raises_at_its_end(end):
    def target():
        try:
            yield
        finally:
            raise end

    if end is GeneratorExit:
        assert feed("", target()) is None
    else:
        with pytest.raises(end):
            feed("", target())


def test_a_target_that_has_enough():
    def two():
        return [(yield), (yield)]

    source = Closable("abcd")
    assert feed(source, two()) == ["a", "b"]
    assert (source.pulls, source.closes) == (2, 0)
    assert list(source) == ["c", "d"]


def test_a_target_that_has_had_enough_before():
    def nothing():
        return "nothing"
        yield

    source = Source("abc")
    assert feed(source, nothing()) == "nothing"
    finished = nothing()
    assert list(finished) == []
    assert feed(source, finished) is None
    closed = fold(operator.add, 5)
    closed.close()
    assert feed(source, closed) is None
    assert (source.pulls, list(source)) == (1, ["b", "c"])


def test_the_source_is_let_go_before_the_target_is_closed():
    log = []
    sink = Sink(log)
    feed(generator("a", log), sink)
    assert log == ["a", "finally", "close"]


def test_an_error_of_the_source_is_thrown_into_the_target():
    error = KeyError()
    sink = Sink()
    source = Failing("abc", 1, error=error)
    with pytest.raises(KeyError) as info:
        feed(source, sink)
    assert info.value is error
    assert sink.log == ["a", ("throw", error)]
    assert source.closes == 0


def test_the_target_may_return_then():
    def until_failure():
        items = []
        try:
            while True:
                items.append((yield))
        except ZeroDivisionError:
            return items

    assert feed(Failing("abc", 2), until_failure()) == ["a", "b"]


def test_the_target_may_want_more_then():
    source = Failing("abcd", 1, 2, error=ValueError("failed"))
    assert feed(source, collector()) == ["a", "failed", "failed", "d"]


def test_a_target_without_throw_is_closed_then():
    class Plain:
        throw = None
        log = ()

        def send(self, item):
            self.log += (item,)

        def close(self):
            self.log += ("close",)

    Plain.throw = property(lambda self: operator.attrgetter("nothing")(self))
    plain = Plain()
    with pytest.raises(ZeroDivisionError):
        feed(Failing("ab", 1), plain)
    assert plain.log == ("a", "close")


def test_an_error_that_is_no_exception_cannot_be_swallowed():
    log = []

    def swallow():
        try:
            while True:
                try:
                    yield
                except KeyboardInterrupt:
                    log.append("caught")
        finally:
            log.append("finally")

    def give_up():
        try:
            while True:
                yield
        except KeyboardInterrupt:
            return "swallowed"

    for target in (swallow(), give_up()):
        with pytest.raises(KeyboardInterrupt):
            feed(Failing("ab", 1, error=KeyboardInterrupt()), target)
    assert log == ["caught", "finally"]


def test_an_error_of_the_target_leaves_it_alone():
    sink = Sink(error=ZeroDivisionError())
    source = Closable("abc")
    with pytest.raises(ZeroDivisionError):
        feed(source, sink)
    assert sink.log == ["a"]
    assert (source.pulls, source.closes) == (1, 0)


def test_lookups_that_fail():
    class Broken:
        @property
        def send(self):
            raise KeyError("send")

    with pytest.raises(KeyError, match="send"):
        feed([1], Broken())

    class Later(Sink):
        @property
        def close(self):
            raise KeyError("close")

    with pytest.raises(KeyError, match="close"):
        feed([1], Later())


# attacks: re-entry ------------------------------------------------------------------


def refused(action):
    """What happened to an action that must be refused."""
    with pytest.raises(ReentrancyError, match="is already running") as info:
        action()
    assert isinstance(info.value, ValueError)
    return None


@pytest.mark.parametrize(
    "action",
    [
        lambda target: target.send("x"),
        lambda target: target.close(),
        lambda target: target.throw(KeyError()),
        lambda target: next(target),
        lambda target: target.__exit__(None, None, None),
        lambda target: target.__exit__(KeyError, KeyError(), None),
    ],
    ids=["send", "close", "throw", "next", "exit", "failed exit"],
)
@pytest.mark.parametrize("where", ["key", "eq", "fold", "sink", "flush"])
def test_reentry(where, action):
    outcomes = []

    def enter(*args):
        try:
            outcomes.append(refused(lambda: action(target)))
        except BaseException as error:
            outcomes.append(error)

    def key(item):
        if where == "key":
            enter()
        return Recursive(enter) if where == "eq" else item

    def take(group):
        enter()

    target = grouping(
        key,
        fold=(lambda value, item: enter()) if where == "fold" else None,
        sink=take if where in ("sink", "flush") else None,
    )
    sent(target, "aab" if where != "flush" else "a")
    target.close()
    assert outcomes
    assert set(outcomes) == {None}


def test_reentry_of_a_fold():
    def func(value, item):
        for action in (lambda: total.send(1), total.close, lambda: next(total)):
            refused(action)
        refused(lambda: total.throw(KeyError()))
        return value + item + total.value

    total = fold(func, 1)
    assert sent(total, [1, 1]) == [3, 7]


def test_a_cycle_of_coroutines():
    def sink():
        while True:
            yield
            refused(lambda: target.send("again"))

    taker = sink()
    target = grouping(len, sink=taker)
    sent(target, ["a", "bb", "c", "dd"])
    target.close()


def test_a_feeding_that_feeds_itself():
    def target():
        while True:
            yield
            with pytest.raises(ValueError, match="already executing"):
                feed("x", running)

    running = target()
    feed("ab", running)


def test_the_guard_is_gone_after_every_error():
    errors = [KeyboardInterrupt, MemoryError, RecursionError, StopIteration, KeyError]

    def key(item):
        if errors:
            raise errors.pop()
        return item

    target = grouping(key)
    for _ in list(errors):
        with pytest.raises((BaseException,)):
            target.send("a")
    target.send("a")
    assert target.close() == ("a", ["a"])


def test_another_thread_is_refused_at_once():
    entered, go_on = threading.Event(), threading.Event()

    def key(item):
        entered.set()
        assert go_on.wait(30)
        return item

    target = grouping(key)
    thread = threading.Thread(target=target.send, args=("a",))
    thread.start()
    try:
        assert entered.wait(30)
        refused(lambda: target.send("b"))
        refused(target.close)
    finally:
        go_on.set()
        thread.join()
    assert target.close() == ("a", ["a"])


def test_feeding_from_a_blocked_source_leaves_the_target_usable():
    source = Blocking([1, 2])
    total = fold(operator.add, 0)
    thread = threading.Thread(target=feed, args=(source, total))
    thread.start()
    assert source.entered.wait(30)
    assert total.send(10) == 10
    source.release.set()
    thread.join()
    assert total.result == 13


# attacks: keys that lie, mutate or free ---------------------------------------------


def test_eq_that_frees_the_keys():
    """K1: the reflected comparison must not run on a key that has been freed."""

    class Key:
        __hash__ = None

        def __init__(self, number):
            self.number = number
            self.payload = bytes(64 + number % 7)

        def __eq__(self, other):
            keys.clear()
            with pytest.raises(ReentrancyError):
                target.send(Item(0))
            return NotImplemented

    keys = []

    def key(item):
        keys.append(Key(item.number))
        return keys[-1]

    target = grouping(key, keep=False)
    for number in range(200):
        target.send(Item(number))
    assert target.close()[0].number == 199


def test_key_that_reads_the_grouping():
    """K2: the open group may be read, and changed, from inside."""

    def key(item):
        seen.append(target.current)
        if target.current is not None:
            target.current[1].clear()
        return 1

    seen = []
    target = grouping(key)
    sent(target, "abc")
    assert target.close() == (1, ["c"])


def test_key_that_drops_the_grouping():
    """K8: the caller's frame holds what is running."""
    holder = {}

    def key(item):
        holder.clear()
        gc.collect()
        return item

    holder["target"] = grouping(key)
    holder["target"].send("a")
    holder["total"] = fold(lambda value, item: key(value) + item, 1)
    holder["total"].send(1)


def test_items_that_die_call_back():
    """D12, D13: a dying item, key or value finds the object in good order."""

    class Bomb:
        def __init__(self, key):
            self.key = key

        def __del__(self):
            try:
                target.send(self)
            except (ReentrancyError, StopIteration) as error:
                outcomes.append(type(error))
            else:
                outcomes.append(None)

    outcomes = []
    target = grouping(
        lambda item: item.key // 2, fold=lambda value, item: item, keep=False
    )
    for number in range(20):
        target.send(Bomb(number))
    target.close()
    assert ReentrancyError in outcomes
    total = fold(lambda value, item: item, None)

    class Later:
        def __del__(self):
            refused(lambda: total.send(1))
            refused(total.close)
            outcomes.append("refused")

    total.send(Later())
    total.send(2)
    assert outcomes[-1] == "refused"
    assert total.value == 2


def test_a_sink_that_loses_its_send():
    """K11: methods are looked up for each item."""

    class Losing:
        def send(self, item):
            del Losing.send

    with pytest.raises(AttributeError, match="send"):
        feed("ab", Losing())


def test_a_generator_sink_shared_by_two():
    """G11"""
    sink = collector()
    first, second = grouping(len, sink=sink), grouping(len, sink=sink)
    sent(first, ["a", "bb"])
    sent(second, ["c", "dd"])
    first.close()
    assert first.result == [(1, ["a"]), (1, ["c"]), (2, ["bb"])]
    second.close()
    assert second.result is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((1,), TypeError),
        ((int,), TypeError),
        ((ValueError("x"), 1), TypeError),
        ((), TypeError),
        ((ValueError, 1, 2), TypeError),
        ((ValueError, "x"), ValueError),
        ((ValueError, ValueError("y"), None), ValueError),
    ],
)
def test_arguments_of_throw(arguments, error):
    """G4"""
    for target in (grouping(len), fold(max, 0)):
        with pytest.raises(error):
            target.throw(*arguments)


# attacks: memory ---------------------------------------------------------------------


def test_cycles_are_collected():
    """D1: through every field."""

    class Cell:
        def __call__(self, *args):
            return self

        send = __call__

    makers = [
        lambda cell: grouping(cell),
        lambda cell: grouping(len, sink=cell),
        lambda cell: grouping(len, fold=cell),
        lambda cell: grouping(len, fold=max, init=cell),
        lambda cell: fold(cell, 0),
        lambda cell: fold(max, cell),
    ]
    for make in makers:
        cell = Cell()
        cell.target = make(cell)
        gone = weakref.ref(cell)
        del cell
        gc.collect()
        assert gone() is None
    for items in ("a", "ab"):  # the open group, the queue
        cell = Cell()
        cell.target = grouping(lambda item: item[0])
        sent(cell.target, [(item, cell) for item in items])
        gone = weakref.ref(cell)
        del cell
        gc.collect()
        assert gone() is None


def test_items_are_let_go():
    log = []
    target = grouping(lambda item: item.number // 2, keep=False)
    for number in range(6):
        target.send(Item(number, log))
    assert sorted(log) == [0, 1, 2, 3]
    target.close()
    assert sorted(log) == list(range(6))
    kept = grouping(lambda item: item.number // 2)
    log.clear()
    for number in range(6):
        kept.send(Item(number, log))
    next(kept)
    assert sorted(log) == [0, 1]


def exercise():
    sink = collector()
    target = grouping(lambda word: [len(word)], sink=sink, keep=True)
    sent(target, ["a", "bb", "cc", "d"])
    next(target)
    target.close()
    list(target)
    repr(target)
    feed(["a", "bb"], grouping(len, fold=operator.add, init=""))
    feed(generator("ab"), fold(operator.add, ""))
    feed([1, 2], collector())
    with_error = fold(operator.floordiv, 10)
    for attempt in (
        lambda: feed([1, 0], with_error),
        lambda: feed(Failing("abc", 1), collector()),
        lambda: grouping(len).send(5),
        lambda: grouping().send(5),
        lambda: grouping(len, sink=5),
        lambda: fold(5, 5),
        lambda: grouping(len).throw(KeyError),
        lambda: sent(grouping(len, sink=Sink(error=KeyError())), ["a", "bb"]),
        lambda: sent(grouping(len, sink=iter(())), ["a", "bb", "ccc"]),
        lambda: sent(grouping(len, sink=(_ for _ in "a")), ["a", "bb", "ccc"]),
    ):
        with contextlib.suppress(ArithmeticError, TypeError, KeyError, StopIteration):
            attempt()
    with grouping(len) as target:
        target.send("a")


def test_nothing_leaks():
    for _ in range(50):
        exercise()
    growths = []
    for _ in range(5):
        gc.collect()
        blocks, types = sys.getallocatedblocks(), sys.getrefcount(grouping)
        for _ in range(200):
            exercise()
        gc.collect()
        growths.append(sys.getallocatedblocks() - blocks)
        assert sys.getrefcount(grouping) == types
    assert min(growths) < 100


CHILD_OOM = """
    import _testcapi, operator, itertools
    from pygenx import feed, fold, grouping

    def collector():
        items = []
        try:
            while True:
                items.append((yield))
        except GeneratorExit:
            return items

    def rounds():
        target = grouping(len, sink=collector(), keep=True)
        answers = [target.send(word) for word in ("a", "bb", "cc", "d")]
        answers += [target.close(), list(target), target.result]
        answers.append(feed(range(300, 305), fold(operator.add, 0)))
        answers.append(feed(["a", "b"], collector()))
        answers.append(repr(fold(operator.add, "x")))
        try:
            feed([1, 0], fold(operator.floordiv, 10))
        except ZeroDivisionError:
            answers.append("division")
        return answers

    expected = rounds()
    clean = 0
    for k in itertools.count(1):
        got = None
        _testcapi.set_nomemory(k, k + 1)
        try:
            got = rounds()
        except MemoryError:
            got = MemoryError
        finally:
            _testcapi.remove_mem_hooks()
        assert got is MemoryError or got == expected, (k, got)
        clean = 0 if got is MemoryError else clean + 1
        if clean > 200:
            break
"""

CHILD_DEEP = """
    from pygenx import grouping

    def nested(depth, key):
        chain = [grouping(key, keep=False)]
        for _ in range(depth):
            chain.append(grouping(key, sink=chain[-1]))
        for target in chain:
            target.send("open")
        return chain.pop()

    for depth in (10, 100_000):
        for end in ("send", "close", "throw", "drop"):
            # a key that is never the same: one item ends a group at each level
            target = nested(depth, lambda item: object() if end == "send" else 0)
            try:
                if end == "send":
                    target.send("a")
                elif end == "close":
                    target.close()
                elif end == "throw":
                    target.throw(KeyError)
            except RecursionError:
                assert depth == 100_000
            except KeyError:
                assert end == "throw"
            del target
"""


@pytest.mark.parametrize("script", [CHILD_OOM, CHILD_DEEP], ids=["oom", "deep"])
def test_in_a_child(script):
    if script is CHILD_OOM:
        pytest.importorskip("_testcapi")
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]


# a good neighbour ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [lambda: fold(max, 0), lambda: grouping(abs), collector, lambda: [].index],
    ids=["fold", "grouping", "generator", "function"],
)
def test_ctrl_c_ends_a_feeding(target):
    """Also where nothing but C is called."""
    made = target()
    if not hasattr(made, "send"):
        made = functools.partial(max, 0)
    assert interrupted(lambda: feed(itertools.repeat(1, 10**10), made)) < 5


def test_a_feeding_leaves_time_to_others():
    ended = threading.Event()
    turns = 0

    def neighbour():
        nonlocal turns
        while not ended.is_set():
            turns += 1
            time.sleep(0)

    thread = threading.Thread(target=neighbour)
    thread.start()
    feed(itertools.repeat(1, 3_000_000), fold(max, 0))
    ended.set()
    thread.join()
    assert turns > 5


# what they show -----------------------------------------------------------------------


def test_repr():
    assert repr(grouping()) == "grouping()"
    assert repr(grouping(len)) == "grouping(key=len)"
    assert repr(fold(operator.add, 5)) == "fold(add, 5)"
    assert repr(fold(operator.add, Secretive())) == "fold(add, <Secretive>)"
    ended = fold(operator.add, 5)
    ended.close()
    assert repr(ended) == "fold(<ended>, 5)"
    closed = grouping(len)
    closed.close()
    assert repr(closed) == "grouping(<ended>)"
