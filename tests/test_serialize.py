"""serialize: one iterator, several threads."""

import contextlib
import itertools
import sys
import threading
import time

import pytest
import sources
from ctrl_c import interrupted
from sources import Closable, Source
from test_contract import child

import pygenx


@pytest.fixture
def hasty():
    """Threads change places as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run(workers):
    """Run the functions in threads; what each returned or raised."""
    outcomes = [None] * len(workers)

    def work(i, worker):
        try:
            outcomes[i] = worker()
        except BaseException as error:
            outcomes[i] = error

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return outcomes


def squares(n):
    for i in range(n):
        yield i * i


def counter(n):
    """An iterator that two threads inside would break."""
    inside = []

    class Counter:
        i = 0

        def __iter__(self):
            return self

        def __next__(self):
            inside.append(1)
            assert len(inside) == 1
            i = self.i
            if i == n:
                inside.pop()
                raise StopIteration
            self.i = i + 1
            inside.pop()
            return i

    return Counter()


def test_one_thread(impl):
    it = impl.serialize("abc")
    assert iter(it) is it
    assert list(it) == ["a", "b", "c"]
    assert next(it, "end") == "end"
    assert list(impl.serialize(iterable=[1], timeout=None)) == [1]


@pytest.mark.parametrize("make", [squares, counter, range, lambda n: list(range(n))])
def test_nothing_is_lost_or_doubled(impl, hasty, make):
    n = 2000
    expected = sorted(make(n))
    it = impl.serialize(make(n))
    parts = run([lambda: list(it)] * 8)
    assert sorted(itertools.chain.from_iterable(parts)) == expected


@pytest.mark.parametrize("make", [squares, counter])
def test_eight_threads_take_800_000_items(make):
    n = 800_000
    it = pygenx.serialize(make(n))
    parts = run([lambda: list(it)] * 8)
    assert sum(map(len, parts)) == n
    everything = set()
    for part in parts:
        assert all(map(int.__lt__, part, part[1:]))  # each in order
        everything.update(part)
    assert len(everything) == n


def test_send_throw_and_close_from_many_threads(hasty):
    log = []
    it = pygenx.serialize(sources.listener(log, range(10**9)))
    next(it)

    def sends():
        return [it.send("x") for _ in range(50)]

    def throws():
        return [it.throw(ValueError("y")) for _ in range(50)]

    def reads():
        return [next(it) for _ in range(50)]

    outcomes = run([sends, throws, reads] * 3)
    assert all(len(outcome) == 50 for outcome in outcomes), outcomes
    assert log.count(("sent", "x")) == 150
    assert log.count(("caught", "y")) == 150
    numbers = [item for part in outcomes for item in part if isinstance(item, int)]
    assert len(numbers) == len(set(numbers))
    run([it.close] * 4)
    assert log[-1] == "finally"
    assert next(it, "end") == "end"


def held(impl, **options):
    """A serialize with a thread inside: (it, its source, the thread)."""
    source = sources.Blocking("abc")
    it = impl.serialize(source, **options)
    thread = threading.Thread(target=next, args=(it,))
    thread.start()
    assert source.entered.wait(30)
    return it, source, thread


CALLS = {
    "next": next,
    "send": lambda it: it.send(None),
    "throw": lambda it: it.throw(KeyError),
    "close": lambda it: it.close(),
    "exit": lambda it: it.__exit__(None, None, None),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_waits_for_the_thread_inside(impl, call):
    it, source, thread = held(impl)
    timer = threading.Timer(0.05, source.release.set)
    timer.start()
    start = time.perf_counter()
    with contextlib.suppress(KeyError):
        CALLS[call](it)
    assert time.perf_counter() - start > 0.03
    thread.join(30)
    timer.join(30)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("timeout", [0, 0.02])
def test_a_timeout(impl, call, timeout):
    it, source, thread = held(impl, timeout=timeout)
    try:
        start = time.perf_counter()
        with pytest.raises(TimeoutError, match=f"for {float(timeout)} seconds"):
            CALLS[call](it)
        assert timeout <= time.perf_counter() - start < 5
    finally:
        source.release.set()
        thread.join(30)
    assert list(it) == ["b", "c"]


def test_who_does_not_wait_has_no_timeout(impl):
    it = impl.serialize("abc", timeout=0)
    assert list(it) == ["a", "b", "c"]


def test_timeouts_are_checked(impl):
    for timeout in (-1, -0.001, float("nan"), float("-inf")):
        with pytest.raises(ValueError, match="timeout must be at least 0"):
            impl.serialize("abc", timeout=timeout)
    for timeout in ("1", []):
        with pytest.raises(TypeError):
            impl.serialize("abc", timeout=timeout)
    for timeout in (None, 0, 1, 0.5, True):
        impl.serialize("abc", timeout=timeout)


def test_endless_timeouts():
    for timeout in (float("inf"), 1e300, 2**70):
        assert list(pygenx.serialize("a", timeout=timeout)) == ["a"]


def test_the_same_thread_cannot_enter_again(impl):
    for call in CALLS.values():
        source = sources.Calling("abc", at=1)
        it = impl.serialize(source)
        source.action = lambda call=call, it=it: call(it)
        assert list(it) == ["a", "b", "c"]
        assert isinstance(source.outcome, impl.ReentrancyError)


def test_the_same_thread_is_refused_even_with_a_timeout():
    source = sources.Calling("abc", at=1)
    it = pygenx.serialize(source, timeout=0)
    source.action = lambda: next(it)
    assert list(it) == ["a", "b", "c"]
    assert isinstance(source.outcome, pygenx.ReentrancyError)


def test_two_that_wait_for_each_other_can_be_freed():
    """Each thread is inside one and wants the other: a timeout ends it."""
    barrier = threading.Barrier(2, timeout=30)

    def crossing(other):
        barrier.wait()
        yield next(other[0])

    to_left, to_right = [], []
    left = pygenx.serialize(crossing(to_right), timeout=0.05)
    right = pygenx.serialize(crossing(to_left), timeout=5)
    to_left.append(left)
    to_right.append(right)
    outcomes = run([lambda: next(left), lambda: next(right)])
    assert any(isinstance(outcome, TimeoutError) for outcome in outcomes)


def test_an_error_lets_the_next_thread_in(impl):
    it = impl.serialize(sources.Failing(range(100), *range(0, 100, 2)))

    def reads():
        seen = []
        while True:
            try:
                seen.append(next(it))
            except ZeroDivisionError:
                continue
            except StopIteration:
                return seen

    parts = run([reads] * 4)
    assert sorted(itertools.chain.from_iterable(parts)) == list(range(1, 100, 2))


def test_a_thread_that_leaves_with_the_end_lets_the_others_see_it(impl):
    source = sources.Blocking("")
    it = impl.serialize(source)
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(next(it, "end")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert source.entered.wait(30)
    source.release.set()
    for thread in threads:
        thread.join(30)
    assert outcomes == ["end"] * 4
    assert source.pulls == 1


def test_the_whole_protocol(impl):
    log = []
    with impl.serialize(sources.listener(log, [1, 2, 3], "returned")) as it:
        assert next(it) == 1
        assert it.send("hello") == ("answer", "hello")
        assert it.throw(ValueError("no")) == 2
        assert list(it) == [3]
        assert it.result == "returned"
    assert log == [("sent", "hello"), ("caught", "no"), "finally"]
    source = Closable("ab")
    it = impl.serialize(source)
    it.close()
    assert source.closes == 1
    started = impl.serialize(Source("ab"))
    next(started)
    with pytest.raises(AttributeError):
        started.send(1)


def test_yield_from():
    def outer():
        got.append((yield from pygenx.serialize(sources.generator("ab", None, 7))))

    got = []
    assert list(outer()) == ["a", "b"]
    assert got == [7]


# Ctrl-C -------------------------------------------------------------------------------


def wait_and_interrupt():
    """The main thread waits for a worker that stays inside: Ctrl-C gets through."""
    it, source, thread = held(pygenx)
    assert interrupted(lambda: next(it)) < 5
    source.release.set()
    thread.join(30)
    assert list(it) == ["b", "c"]


def test_ctrl_c_ends_the_waiting():
    import os

    path = os.path.dirname(__file__)
    child(
        f"import sys; sys.path.insert(0, {path!r})\n"
        "import test_serialize; test_serialize.wait_and_interrupt()"
    )


def test_others_run_while_one_waits():
    """The interpreter is not held."""
    it, source, thread = held(pygenx)
    ticks = []
    waiter = threading.Thread(target=lambda: ticks.append(next(it)))
    waiter.start()
    for _ in range(5):
        time.sleep(0.01)
    assert ticks == []
    source.release.set()
    waiter.join(30)
    thread.join(30)
    assert ticks == ["b"]


def test_repr_and_hint():
    it = pygenx.serialize([1, 2])
    assert repr(it) == "serialize(<list>)"
    assert it.__length_hint__() == 2
    list(it)
    assert repr(it) == "serialize(<ended>)"
