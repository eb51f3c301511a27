"""tee: several independent readers of one source."""

import gc
import threading
import weakref

import pytest
import sources
from sources import Closable, Failing, Item, Source


def test_branches_are_independent(impl):
    a, b, c = impl.tee("abcd", 3)
    assert [next(a), next(a), next(b)] == ["a", "b", "a"]
    assert list(c) == list("abcd")
    assert list(a) == ["c", "d"]
    assert list(b) == ["b", "c", "d"]


def test_the_source_is_asked_once_for_each_item_and_once_for_the_end(impl):
    source = Source("abc")
    branches = impl.tee(source, 3)
    for branch in branches:
        assert list(branch) == ["a", "b", "c"]
    assert source.pulls == 4
    assert source.iters == 1


def test_the_number_of_branches(impl):
    assert impl.tee("abc", 0) == ()
    assert len(impl.tee("abc")) == 2
    assert len(impl.tee("abc", n=5)) == 5
    with pytest.raises(ValueError, match="n must be >= 0"):
        impl.tee([], -1)
    for number in ("x", 1.0, None):
        with pytest.raises(TypeError):
            impl.tee([], number)
    with pytest.raises(OverflowError):
        impl.tee([], 2**80)
    with pytest.raises(TypeError):
        impl.tee(5)


def test_a_tee_of_a_branch_goes_on_from_its_place(impl):
    source = Source("abcd")
    a, b = impl.tee(source)
    next(a)
    c, d = impl.tee(a)
    assert len({id(branch) for branch in (a, b, c, d)}) == 4
    assert list(c) == list(d) == list(a) == ["b", "c", "d"]
    assert list(b) == list("abcd")
    assert source.pulls == 5


def test_the_type_of_a_branch_makes_one_of_an_iterable(impl):
    kind = type(impl.tee("")[0])
    assert list(kind("abc")) == ["a", "b", "c"]
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind(5)


def test_an_item_is_freed_when_the_last_branch_has_passed_it(impl):
    freed = []
    a, b = impl.tee(Item(number, freed) for number in range(10))
    for number in range(5):
        next(a)
        assert freed == list(range(number))
        next(b)
        assert freed == list(range(number + 1))


def test_a_branch_that_is_closed_or_dropped_frees_its_backlog(impl):
    for leave in (
        lambda branches: branches.pop(),
        lambda branches: branches[1].close(),
    ):
        freed = []
        branches = list(impl.tee(Item(number, freed) for number in range(10)))
        for _ in range(5):
            next(branches[0])
        assert freed == []
        leave(branches)
        assert sorted(freed) == [0, 1, 2, 3, 4]
        next(branches[0])


def test_the_source_is_closed_with_the_last_branch(impl):
    source = Closable("abc")
    a, b = impl.tee(source)
    next(a)
    a.close()
    assert source.closes == 0
    assert next(a, "end") == "end"
    assert next(b) == "a"
    b.close()
    assert source.closes == 1
    assert next(b, "end") == "end"


def test_with_over_all_branches_closes(impl):
    source = Closable("abc")
    a, b = impl.tee(source)
    with a:
        next(a)
        with b:
            next(b)
        assert source.closes == 0
    assert source.closes == 1


def test_dropping_all_branches_drops_the_source(impl):
    log = []
    a, b = impl.tee(sources.generator("abc", log))
    next(a)
    del a
    assert log == []
    del b
    assert log == ["finally"]


def test_an_error_reaches_every_branch_at_its_place(impl):
    source = Failing("abc", 1)
    a, b = impl.tee(source)
    for branch in (a, b):
        assert next(branch) == "a"
        with pytest.raises(ZeroDivisionError, match="b"):
            next(branch)
        assert list(branch) == ["c"]
    assert source.pulls == 4


def test_maxlen_bounds_the_lag(impl):
    source = Source(range(10))
    a, b = impl.tee(source, maxlen=2)
    assert [next(a), next(a)] == [0, 1]
    for _ in range(3):
        with pytest.raises(BufferError):
            next(a)
    assert source.pulls == 2
    assert next(b) == 0
    assert next(a) == 2
    with pytest.raises(BufferError):
        next(a)
    b.close()
    assert list(a) == [3, 4, 5, 6, 7, 8, 9]


def test_the_return_value_reaches_every_branch(impl):
    a, b = impl.tee(sources.generator("a", None, 42))
    assert list(a) == list(b) == ["a"]
    assert (a.result, b.result) == (42, 42)


def test_a_sibling_asked_from_inside_the_source_is_refused(impl):
    source = sources.Calling("abc")
    a, b = impl.tee(source)
    source.action = lambda: next(b)
    assert next(a) == "a"
    assert isinstance(source.outcome, impl.ReentrancyError)
    assert "tee" in str(source.outcome) or impl.__name__ == "reference"
    assert list(b) == ["a", "b", "c"]


def test_a_sibling_asked_from_another_thread_is_refused_at_once(impl):
    source = sources.Blocking("abc")
    a, b = impl.tee(source)
    thread = threading.Thread(target=next, args=[a])
    thread.start()
    try:
        assert source.entered.wait(30)
        with pytest.raises(impl.ReentrancyError):
            next(b)
    finally:
        source.release.set()
        thread.join(30)
    assert list(a) == ["b", "c"]
    assert list(b) == ["a", "b", "c"]


def test_a_source_that_holds_its_branch_is_collected(impl):
    source = Source("abc")
    source.branches = impl.tee(source)
    next(source.branches[0])
    alive = weakref.ref(source)
    del source
    gc.collect()
    assert alive() is None


def test_lock_lets_threads_read_at_once():
    from pygenx import tee

    branches = tee((Item(number) for number in range(2000)), 4, lock=True)
    seen = [[] for _ in branches]
    barrier = threading.Barrier(len(branches))

    def read(branch, into):
        barrier.wait(30)
        into.extend(item.number for item in branch)

    threads = [
        threading.Thread(target=read, args=pair)
        for pair in zip(branches, seen, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [list(range(2000))] * 4


def test_lock_makes_one_branch_usable_from_several_threads():
    from pygenx import tee

    (branch,) = tee((Item(number) for number in range(2000)), 1, lock=True)
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.extend(item.number for item in branch))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(seen) == list(range(2000))


def test_lock_still_refuses_re_entry_from_the_same_thread():
    from pygenx import ReentrancyError, tee

    source = sources.Calling("abc")
    a, b = tee(source, lock=True)
    source.action = lambda: next(b)
    assert list(a) == ["a", "b", "c"]
    assert isinstance(source.outcome, ReentrancyError)


def test_a_long_backlog_is_freed_without_recursion():
    from pygenx import tee

    for leader in (0, 1):
        branches = list(tee(range(200_000)))
        for _ in branches[leader]:
            pass
        del branches[1 - leader]


def test_notes_number_the_item():
    from pygenx import tee

    a, b = tee(Failing("abc", 1))
    next(a)
    with pytest.raises(ZeroDivisionError) as caught:
        next(a)
    assert caught.value.__notes__ == ["pygenx: tee, item 1"]
    next(b)
    with pytest.raises(ZeroDivisionError) as caught:
        next(b)
    assert caught.value.__notes__ == ["pygenx: tee, item 1"]
