"""partition and the pipes' own tee() and partition(): one source, several readers."""

import gc
import itertools
import threading
import weakref

import pytest
import sources
from sources import Closable, Failing, Item, Source


def odd(number):
    return number % 2


def test_false_items_come_first(impl):
    false, true = impl.partition(odd, range(6))
    assert list(false) == [0, 2, 4]
    assert list(true) == [1, 3, 5]


def test_none_asks_the_items(impl):
    items = [0, 1, None, "", "a", [], [0]]
    for pred in (None, bool):
        false, true = impl.partition(pred, items)
        assert list(true) == [1, "a", [0]]
        assert list(false) == [0, None, "", []]


def test_arguments(impl):
    false, true = impl.partition(pred=odd, iterable=[1], maxlen=None)
    assert (list(false), list(true)) == ([], [1])
    for wrong in (5, "abc"):
        with pytest.raises(TypeError):
            impl.partition(wrong, [])
    with pytest.raises(TypeError):
        impl.partition(odd, 5)
    for number in (0, -1, -(2**80)):
        with pytest.raises(ValueError, match="maxlen must be >= 1"):
            impl.partition(odd, [], maxlen=number)
    for number in ("x", 1.0):
        with pytest.raises(TypeError):
            impl.partition(odd, [], maxlen=number)
    with pytest.raises(OverflowError):
        impl.partition(odd, [], maxlen=2**80)


def test_no_more_is_taken_than_is_asked_for(impl):
    source = Source([0, 1, 2, 3, 5, 4])
    asked = []
    false, true = impl.partition(lambda n: asked.append(n) or odd(n), source)
    assert (source.pulls, asked) == (0, [])
    assert next(true) == 1
    assert source.pulls == 2
    assert [next(false), source.pulls] == [0, 2]
    assert [next(false), source.pulls] == [2, 3]
    assert [next(false), source.pulls] == [4, 6]
    assert list(true) == [3, 5]
    assert asked == [0, 1, 2, 3, 5, 4]
    assert source.iters == 1


def test_the_end_is_asked_for_once(impl):
    source = sources.Revenant([0, 1])
    false, true = impl.partition(None, source)
    assert (list(false), list(true), list(false), list(true)) == ([0], [1], [], [])
    assert source.pulls == 3


def test_an_endless_source(impl):
    false, true = impl.partition(odd, itertools.count())
    assert [next(true), next(true), next(false)] == [1, 3, 0]


def test_what_waits_is_kept_once_and_freed_when_taken(impl):
    freed = []
    false, true = impl.partition(
        lambda item: odd(item.number), (Item(n, freed) for n in range(8))
    )
    for _ in range(3):
        next(true)
    assert sorted(freed) == [1, 3, 5]
    next(false)
    assert sorted(freed) == [0, 1, 3, 5]


@pytest.mark.parametrize(
    "leave", [lambda pair: pair.pop(), lambda pair: pair[1].close()]
)
def test_a_branch_that_is_closed_or_dropped_frees_its_backlog(impl, leave):
    freed = []
    pair = list(
        impl.partition(
            lambda item: odd(item.number), (Item(n, freed) for n in range(8))
        )
    )
    next(pair[0]), next(pair[0])
    assert sorted(freed) == [0, 2] or sorted(freed) == [0]
    leave(pair)
    assert 1 in freed
    assert [item.number for item in pair[0]] == [4, 6]
    assert sorted(freed) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_the_source_is_closed_with_the_last_branch(impl):
    source = Closable(range(5))
    false, true = impl.partition(odd, source)
    next(false)
    false.close()
    assert source.closes == 0
    assert next(false, "end") == "end"
    assert next(true) == 1
    true.close()
    assert source.closes == 1
    assert next(true, "end") == "end"


def test_with_over_both_branches_closes(impl):
    source = Closable(range(5))
    false, true = impl.partition(odd, source)
    with false:
        next(false)
        with true:
            next(true)
        assert source.closes == 0
    assert source.closes == 1


def test_the_end_of_one_branch_lets_go_of_the_source(impl):
    for entered in (0, 1):
        source = Closable(range(5))
        alive = weakref.ref(source)
        pair = impl.partition(odd, source)
        pair[entered].__enter__()
        assert len(list(pair[1])) == 2
        assert source.closes == 1
        del source
        assert alive() is None
        assert list(pair[0]) == [0, 2, 4]


def test_dropping_both_branches_drops_the_source(impl):
    log = []
    false, true = impl.partition(odd, sources.generator(range(5), log))
    next(true)
    del false
    assert log == []
    del true
    assert log == ["finally"]


def test_an_error_of_the_source_reaches_both_at_its_place(impl):
    source = Failing(range(6), 2)
    false, true = impl.partition(odd, source)
    for branch, before, after in ((true, [1], [3, 5]), (false, [0], [4])):
        assert [next(branch) for _ in before] == before
        with pytest.raises(ZeroDivisionError, match="2"):
            next(branch)
        assert list(branch) == after
    assert source.pulls == 7


def test_an_error_comes_with_its_own_traceback_each_time():
    import traceback

    from pygenx import partition

    depths = []
    for branch in partition(odd, Failing(range(4), 0)):
        with pytest.raises(ZeroDivisionError) as caught:
            next(branch)
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert depths[0] == depths[1]


def test_what_is_no_exception_stops_one_branch_only(impl):
    false, true = impl.partition(odd, Failing(range(4), 1, error=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        next(true)
    assert list(false) == [0, 2]
    assert list(true) == [3]


def test_an_error_of_the_predicate_loses_its_item_and_no_other(impl):
    def pred(number):
        if number == 2:
            raise KeyError(number)
        return odd(number)

    false, true = impl.partition(pred, range(6))
    assert next(true) == 1
    with pytest.raises(KeyError):
        next(true)
    assert list(false) == [0, 4]
    assert list(true) == [3, 5]


def test_an_answer_that_is_neither_true_nor_false(impl):
    bad = sources.FailingBool(ZeroDivisionError("bool"))
    false, true = impl.partition(None, [0, bad, 1])
    with pytest.raises(ZeroDivisionError, match="bool"):
        next(true)
    assert (list(true), list(false)) == ([1], [0])
    false, true = impl.partition(lambda item: bad if item == 1 else item, [0, 1, 2])
    with pytest.raises(ZeroDivisionError, match="bool"):
        next(true)
    assert (list(true), list(false)) == ([2], [0])


def test_stop_iteration_from_the_truth_of_an_item_is_no_end(impl):
    bad = sources.FailingBool(StopIteration("oops"))
    _, true = impl.partition(None, [bad, 1])
    with pytest.raises(RuntimeError) as caught:
        next(true)
    assert isinstance(caught.value.__cause__, StopIteration)
    assert list(true) == [1]


def test_maxlen_bounds_what_waits(impl):
    source = Source([0, 2, 4, 6, 1])
    false, true = impl.partition(odd, source, maxlen=2)
    for _ in range(3):
        with pytest.raises(BufferError):
            next(true)
        assert source.pulls == 2
    assert next(false) == 0
    with pytest.raises(BufferError):
        next(true)
    assert source.pulls == 3
    assert [next(false), next(false), next(false)] == [2, 4, 6]
    assert next(true) == 1
    assert list(false) == list(true) == []


def test_maxlen_does_not_count_for_a_branch_that_has_gone(impl):
    false, true = impl.partition(odd, [0, 2, 4, 6, 1], maxlen=1)
    with pytest.raises(BufferError):
        next(true)
    false.close()
    assert list(true) == [1]


def test_words():
    from pygenx import partition

    false, true = partition(
        odd, Failing([0, 2, "a", 3], 1, error=LookupError("x")), maxlen=1
    )
    with pytest.raises(BufferError, match="branch of partition lags 1 behind: maxlen"):
        next(true)
    assert repr(false).startswith("partition(odd, <")
    assert (next(false), repr(true)[-3:]) == (0, "[1]")
    with pytest.raises(LookupError) as caught:
        next(false)
    assert caught.value.__notes__ == ["pygenx: partition, item 1"]
    with pytest.raises(LookupError) as caught:
        next(true)
    assert caught.value.__notes__ == ["pygenx: partition, item 1"]
    with pytest.raises(TypeError) as caught:
        next(true)
    assert caught.value.__notes__ == ["pygenx: partition(odd), item 2: 'a'"]
    with pytest.raises(TypeError, match="cannot pass through a partition branch"):
        true.send(5)
    assert list(true) == [3]
    assert repr(true) == "partition(<ended>)"
    kind = type(true)
    with pytest.raises(TypeError, match="cannot create"):
        kind()


def test_the_return_value_reaches_both(impl):
    false, true = impl.partition(odd, sources.generator([0, 1], None, 42))
    assert (list(false), list(true)) == ([0], [1])
    assert (false.result, true.result) == (42, 42)


def test_the_other_branch_asked_from_inside_is_refused(impl):
    source = sources.Calling([0, 1, 2])
    false, true = impl.partition(odd, source)
    source.action = lambda: next(true)
    assert next(false) == 0
    assert isinstance(source.outcome, impl.ReentrancyError)
    assert (list(false), list(true)) == ([2], [1])


def test_the_other_branch_may_leave_from_inside(impl):
    def pred(number):
        if number == 2 and pair:
            pair.pop()
        return odd(number)

    pair = list(impl.partition(pred, range(6)))
    false = pair[0]
    assert next(false) == 0
    if impl.__name__ == "pygenx":  # in the reference both are one tool
        assert [next(false), next(false)] == [2, 4]


def test_a_branch_asked_from_another_thread_is_refused_at_once(impl):
    source = sources.Blocking([0, 1])
    false, true = impl.partition(odd, source)
    thread = threading.Thread(target=next, args=[false])
    thread.start()
    try:
        assert source.entered.wait(30)
        with pytest.raises(impl.ReentrancyError):
            next(true)
    finally:
        source.release.set()
        thread.join(30)
    assert list(true) == [1]


def test_a_source_that_holds_its_branches_is_collected(impl):
    source = Source([0, 1])
    source.branches = impl.partition(source.items.count, source)
    next(source.branches[1])
    alive = weakref.ref(source)
    del source
    gc.collect()
    assert alive() is None


def test_a_predicate_that_drops_its_own_items(impl):
    """The answer's end and the item's run code while they are sorted."""
    freed = []
    false, true = impl.partition(
        lambda item: Item(item.number, freed), (Item(n, freed) for n in range(20))
    )
    assert next(false, None) is None
    assert len(list(true)) == 20


def test_a_long_backlog():
    from pygenx import partition

    for side in (0, 1):
        pair = list(partition(odd, range(200_000)))
        assert sum(1 for _ in pair[side]) == 100_000
        assert next(pair[1 - side]) == 1 - side
        del pair


def test_the_length_is_known_when_the_source_has_ended():
    from operator import length_hint

    from pygenx import partition

    false, true = partition(odd, range(5))
    assert length_hint(true, -1) == -1
    assert len(list(true)) == 2
    assert (length_hint(false, -1), length_hint(true, -1)) == (3, 0)


# pipes -------------------------------------------------------------------------------


def test_pipes_of_a_pipe(impl):
    source = Source("abc")
    a, b, c = impl.pipe(source).map(str.upper).tee(3)
    assert type(a) is impl.pipe
    assert a.enumerate().list() == [(0, "A"), (1, "B"), (2, "C")]
    assert next(b) == "A"
    assert (b.join(), c.count()) == ("BC", 3)
    assert source.pulls == 4
    assert impl.pipe("abc").tee(0) == ()
    assert len(impl.pipe("abc").tee()) == len(impl.pipe("abc").tee(n=2)) == 2


def test_pipes_of_a_partition(impl):
    source = Source(range(6))
    even, odds = impl.pipe(source).map(lambda n: n + 1).partition(odd)
    assert type(even) is impl.pipe
    assert odds.map(str).list() == ["1", "3", "5"]
    assert even.sum() == 12
    assert [p.list() for p in impl.pipe([0, 1]).partition(None)] == [[0], [1]]


def test_maxlen_of_pipes(impl):
    a, b = impl.pipe("abc").tee(maxlen=1)
    assert next(a) == "a"
    with pytest.raises(BufferError):
        next(a)
    assert b.first() == "a"
    false, true = impl.pipe([0, 2, 1]).partition(odd, maxlen=1)
    with pytest.raises(BufferError):
        next(true)
    assert false.take(2).list() == [0, 2]
    assert true.list() == [1]


@pytest.mark.parametrize("name", ["tee", "partition"])
def test_the_pipe_is_taken(impl, name):
    args = () if name == "tee" else (odd,)
    p = impl.pipe(range(3))
    branches = getattr(p, name)(*args)
    for use in (next, lambda p: p.map(str), lambda p: getattr(p, name)(*args)):
        with pytest.raises(RuntimeError, match=rf"taken by \.{name}\(\)"):
            use(p)
    p.close()
    assert sorted(set(branches[0].chain(branches[1]))) == [0, 1, 2]
    p = impl.pipe(range(3))
    next(p)
    with pytest.raises(RuntimeError, match=rf"started; add \.{name}\(\) before"):
        getattr(p, name)(*args)
    assert p.list() == [1, 2]


def test_a_split_that_is_refused_leaves_the_pipe_usable(impl):
    p = impl.pipe(range(3))
    with pytest.raises(ValueError, match="n must be >= 0"):
        p.tee(-1)
    with pytest.raises(TypeError):
        p.partition(5)
    with pytest.raises(ValueError, match="maxlen must be >= 1"):
        p.partition(odd, maxlen=0)
    with pytest.raises(TypeError):
        p.tee(2, True)
    assert p.map(str).list() == ["0", "1", "2"]


def test_leaving_with_closes_what_has_the_source(impl):
    source = Closable(range(5))
    with impl.pipe(source) as p:
        false, _ = p.partition(odd)
        assert next(false) == 0
        assert source.closes == 0
    assert source.closes == 1


def test_the_last_of_the_pipes_closes(impl):
    source = Closable(range(5))
    pipes = impl.pipe(source).map(str).tee(3)
    next(pipes[1])
    for p in pipes:
        assert source.closes == 0
        p.close()
    assert source.closes == 1


def test_pipes_have_the_result(impl):
    for name, args in (("tee", ()), ("partition", (odd,))):
        pair = getattr(impl.pipe(sources.generator([0, 1], None, 42)), name)(*args)
        assert all(p.list() for p in pair)
        assert [p.result for p in pair] == [42, 42]


def test_only_pipes_can_be_split():
    from pygenx import Pipeline

    assert not hasattr(Pipeline, "tee")
    assert not hasattr(Pipeline, "partition")
