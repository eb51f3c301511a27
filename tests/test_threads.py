# ruff: noqa: PT017, SIM105 (loops of threads are short and rude)
"""What docs/threads.md promises: objects shared by threads, hammered.

The rows are those of the contract table: a new type or stage without a row fails there.
Threads start at a barrier and change places as often as they can. On builds with a GIL
each call is one step for all other threads, so that nothing may be lost or doubled even
where a call may be refused.
"""

import collections
import contextlib
import gc
import itertools
import os
import signal
import sys
import threading
import time
import weakref
from pathlib import Path
from types import FunctionType

import pytest
import sources
from ctrl_c import interrupted
from test_contract import ROWS, TERMINALS, child

import pygenx
from pygenx import Pipeline, ReentrancyError, pipe, this

pytestmark = pytest.mark.c

THREADS = 8
ITEMS = range(40)
# Their items are live: a group ends when another thread asks for the next.
LIVE = {row.name for row in ROWS if row.name.split(".")[-1].startswith("groupby")}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@pytest.fixture(autouse=True)
def hasty():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def hammer(*workers):
    """Run them at once, each in a thread: their results; the first error is raised."""
    barrier = threading.Barrier(len(workers))
    results = [None] * len(workers)
    errors = []

    def run(i, worker):
        try:
            barrier.wait(30)
            results[i] = worker()
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=run, args=pair, daemon=True)
        for pair in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    if errors:
        raise errors[0]
    return results


def reader(it, view=lambda item: item, refused=(ReentrancyError,)):
    """Takes items until the end, asks again when refused."""

    def read():
        got = []
        while True:
            try:
                item = next(it)
            except StopIteration:
                return got
            except refused:
                time.sleep(0)
                continue
            got.append(view(item))
            del item

    return read


def counted(parts):
    return collections.Counter(map(repr, itertools.chain.from_iterable(parts)))


class Yielding(sources.Closable):
    """Gives way to other threads inside each item."""

    def __next__(self):
        time.sleep(0)
        return super().__next__()


def shared(row, kind=Yielding):
    return row.build(pygenx, row.feed(kind, items=ITEMS))


# -- every iterator and stage ------------------------------------------------------


@every_row
def test_eight_threads_take_the_items(row):
    """Each goes to one of them; the others are refused, or wait where that is said."""
    refused = () if row.waits else (ReentrancyError,)
    it = shared(row)
    parts = hammer(*[reader(it, row.view, refused)] * THREADS)
    assert next(it, "end") == "end"
    if row.name not in LIVE:
        assert counted(parts) == counted([row.out(list(ITEMS))])


@every_row
def test_closed_by_another_thread(row):
    it = shared(row)

    def close():
        for _ in range(1000):
            try:
                it.close()
            except ReentrancyError:
                continue
            return

    hammer(*[reader(it, row.view)] * 3, close)
    assert next(it, "end") == "end"
    it.close()


@every_row
def test_dropped_by_another_thread(row):
    """The last reference goes where nobody looks, while others still use it."""
    box = [shared(row)]
    alive = weakref.ref(box[0])

    def take():
        while box:
            try:
                next(box[0], None)
            except (ReentrancyError, IndexError):
                continue

    def drop():
        time.sleep(0.001)
        box.clear()
        gc.collect()

    hammer(take, take, take, drop)
    gc.collect()
    assert alive() is None


ASKED = ("__length_hint__", "__repr__", "result")


@every_row
def test_looked_at_by_other_threads(row):
    """repr, hints and results while it runs: no error but a refusal, nothing torn."""
    it = shared(row)
    done = []

    def look():
        while not done:
            for name in ASKED:
                try:
                    value = getattr(it, name, None)
                    value = value() if callable(value) else value
                except ReentrancyError:
                    continue
                assert value is NotImplemented or value is None or value or value == 0

    def read():
        try:
            return reader(it, row.view)()
        finally:
            done.append(True)

    first, *_ = hammer(read, look, look)
    if row.name not in LIVE:
        assert counted([first]) == counted([row.out(list(ITEMS))])


class Dying:
    """Lets other threads run while it dies, and uses what it came from."""

    def __init__(self, box):
        self.box = box

    def __del__(self):
        time.sleep(0)
        for it in self.box:
            try:
                next(it, None)
            except (ReentrancyError, TypeError, AttributeError):
                pass


def test_items_that_give_way_while_they_die():
    for make in (
        lambda source: pipe(source).filter(lambda item: False),
        lambda source: pipe(source).batched(3),
        lambda source: pipe(source).windowed(2),
        lambda source: pipe(source).tail(3),
        lambda source: pipe(source).groupby(id).map(len),
        lambda source: pygenx.seekable(source, 2),
        lambda source: pygenx.tee(source)[0],
        lambda source: pygenx.tee(source, lock=True)[0],
        lambda source: pygenx.partition(bool, source, maxlen=50)[1],
        lambda source: pygenx.zip(source, range(40)),
        lambda source: pygenx.roundrobin(source, range(40)),
        lambda source: pygenx.merge(source, key=lambda item: 0),
        pygenx.peekable,
        pygenx.chain,
        pygenx.groupby,
    ):
        box = []
        box.append(make(Dying(box) for _ in range(40)))
        refused = (ReentrancyError, BufferError)

        def work(it=box[0], refused=refused):
            for _ in range(60):
                try:
                    next(it, None)
                except refused:
                    pass
                except ValueError as error:  # the generator's own words
                    assert "generator already executing" in str(error)

        hammer(*[work] * 4)
        box[0].close()
        assert next(box[0], None) is None
        box.clear()


# -- more of some ------------------------------------------------------------------


def test_branches_of_a_tee():
    """One for each thread: all items in order; without a lock a call may be refused."""
    for lock in (False, True):
        branches = pygenx.tee(Yielding(ITEMS), THREADS, lock=lock)
        refused = () if lock else (ReentrancyError,)
        parts = hammer(*[reader(branch, refused=refused) for branch in branches])
        assert parts == [list(ITEMS)] * THREADS, lock


def test_a_branch_shared_by_threads():
    for lock in (False, True):
        one, other = pygenx.tee(Yielding(ITEMS), lock=lock)
        parts = hammer(*[reader(one)] * 4, *[reader(other)] * 4)
        for four in (parts[:4], parts[4:]):
            assert counted(four) == counted([ITEMS]), lock


def test_branches_copied_and_closed_by_other_threads():
    branch = pygenx.tee(Yielding(ITEMS), lock=True)[0]
    kind = type(branch)

    def copy():
        for _ in range(40):
            twin = kind(branch)
            next(twin, None)
            twin.close()

    parts = hammer(reader(branch), copy, copy, copy)
    assert parts[0] == list(ITEMS)


def test_branches_of_a_partition():
    odd, even = pygenx.partition(lambda item: item % 2 == 0, Yielding(ITEMS))
    parts = hammer(*[reader(odd)] * 4, *[reader(even)] * 4)
    assert counted(parts[:4]) == counted([ITEMS[1::2]])
    assert counted(parts[4:]) == counted([ITEMS[::2]])


def test_looking_ahead():
    """peek, prepend and seek are steps of their own."""
    ahead = pygenx.peekable(Yielding(ITEMS))

    def peek():
        for _ in range(100):
            try:
                ahead.peek(None)
                bool(ahead)
                ahead[:3]
            except ReentrancyError:
                pass

    def give():
        for _ in range(50):
            try:
                ahead.prepend("given")
                given.append(1)
            except ReentrancyError:
                pass

    given = []
    parts = hammer(reader(ahead), reader(ahead), peek, peek, give)
    got = counted([*parts[:2], reader(ahead)()])
    assert got.pop("'given'", 0) == len(given)
    assert got == counted([ITEMS])

    back = pygenx.seekable(Yielding(ITEMS), 10)

    def seek():
        for _ in range(100):
            try:
                back.relative_seek(-1)
            except (ReentrancyError, IndexError, ValueError, AttributeError):
                pass

    hammer(reader(back), reader(back), seek)
    assert next(back, "end") == "end"


# -- what is pushed to ---------------------------------------------------------------


def pushed(target, sends=100):
    """How many of the sends of 8 threads were accepted."""

    def send():
        accepted = 0
        for _ in range(sends):
            try:
                target.send(1)
            except ReentrancyError:
                time.sleep(0)
                continue
            accepted += 1
        return accepted

    return sum(hammer(*[send] * THREADS))


def add(total, item):
    time.sleep(0)
    return total + item


def make_pushed():
    """name: (what is sent to, what it has counted at close)"""
    fold = pygenx.fold
    groups = []

    def lengths(grouping):
        grouping.close()
        return sum(len(items) for _, items in groups)

    return {
        "fold": (fold(add, 0), lambda it: it.close()),
        "broadcast": (
            pygenx.broadcast(fold(add, 0), fold(add, 0)),
            lambda it: set(it.close()),
        ),
        "route": (
            pygenx.route(lambda item: item, {1: fold(add, 0)}),
            lambda it: it.close()[1],
        ),
        "grouping": (
            pygenx.grouping(lambda item: time.sleep(0), sink=groups.append),
            lengths,
        ),
        "Pipeline.into": (
            Pipeline().map(lambda item: add(0, item)).into(fold(add, 0)),
            lambda it: it.close(),
        ),
        "Reducer.push": (
            Pipeline().map(lambda item: add(0, item)).sum().push(),
            lambda it: it.close(),
        ),
    }


@pytest.mark.parametrize("name", make_pushed())
def test_sends_of_eight_threads(name):
    """What was accepted has arrived, once; the rest was refused."""
    target, total = make_pushed()[name]
    accepted = pushed(target)
    counted = total(target)
    assert counted in (accepted, {accepted})
    assert accepted >= 100


def test_push_objects_closed_by_another_thread():
    for target, _ in make_pushed().values():

        def send(target=target):
            for _ in range(200):
                try:
                    target.send(1)
                except (ReentrancyError, StopIteration):
                    pass

        def close(target=target):
            for _ in range(1000):
                try:
                    return target.close()
                except ReentrancyError:
                    pass

        hammer(send, send, send, close)
        close()


# -- drivers and values --------------------------------------------------------------

# Of what programs.py of the attacks has in DRIVERS nothing is shared but these.


@pytest.mark.parametrize("name", sorted(TERMINALS.keys() - {"to"}))
def test_a_drain_is_refused_to_others(name):
    """Another thread may look at a pipe that drains; what it asks for is refused."""
    items, run, value = TERMINALS[name]
    entered, done = threading.Event(), []

    def give_way(item):
        entered.set()
        time.sleep(0)

    p = pipe(items).tap(give_way)

    def drain():
        try:
            return run(p, lambda item: item)
        finally:
            entered.set()
            done.append(True)

    def disturb():
        entered.wait(30)
        while not done:
            repr(p)
            try:
                assert next(p, None) is None  # it has just ended
            except ReentrancyError:
                pass
            time.sleep(0)

    assert hammer(drain, disturb, disturb)[0] == value


def test_a_pipeline_shared_by_threads():
    """It is a value: each binding has a state of its own."""
    program = (
        Pipeline().map(lambda item: item + 1).filter(None).batched(3).flatten()
    ).enumerate()
    expected = list(program(ITEMS))
    reducer = program.map(lambda pair: pair[1]).sum()
    total = reducer(ITEMS)

    def bind():
        return [list(program(ITEMS)) for _ in range(20)]

    def reduce():
        return [reducer(ITEMS) for _ in range(20)]

    def extend():
        for _ in range(50):
            longer = program.map(repr) | Pipeline().take(2)
            assert longer(ITEMS).list() == ["(0, 1)", "(1, 2)"]
            repr(longer), longer.explain()

    results = hammer(bind, bind, bind, reduce, reduce, reduce, extend, extend)
    assert results[:3] == [[expected] * 20] * 3
    assert results[3:6] == [[total] * 20] * 3


def test_an_expression_used_first_by_all():
    for _ in range(30):
        expression = this["a"] * 2 + 1
        rows = [{"a": i} for i in ITEMS]

        def use(expression=expression, rows=rows):
            call = pygenx.func(expression)
            return call(rows[3]), pipe(rows).map(expression).sum()

        assert set(hammer(*[use] * THREADS)) == {(7, sum(2 * i + 1 for i in ITEMS))}


def fresh(func):
    """The same function with code that nobody has seen."""
    code = func.__code__.replace(co_stacksize=func.__code__.co_stacksize + 1)
    return FunctionType(code, func.__globals__, "fresh", func.__defaults__)


def double(item):
    return item * 2


def triple(item):
    return item * 3


@pytest.mark.parametrize("kind", [int, float, str])
def test_a_function_lifted_first_by_all(kind):
    items = [kind(i) for i in range(1, 1500)]
    for _ in range(10):
        func = fresh(double)

        def use(func=func):
            return pipe(items).map(func).list()

        for result in hammer(*[use] * THREADS):
            assert result == [item * 2 for item in items]


def test_code_replaced_while_it_is_lifted():
    """Each item is what one of the two gives."""
    items = list(range(1, 1500))
    func = fresh(double)
    codes = [fresh(double).__code__, fresh(triple).__code__]
    done = []

    def replace():
        for code in itertools.cycle(codes):
            func.__code__ = code
            if done:
                return

    def use():
        try:
            for _ in range(10):
                for item, result in zip(items, pipe(items).map(func), strict=True):
                    assert result in (item * 2, item * 3)
        finally:
            done.append(True)

    hammer(use, use, use, use, replace)


def test_lifting_switched_by_other_threads():
    items = list(range(2000))

    def switch():
        for _ in range(200):
            with pygenx.lifting.disabled():
                pygenx.lifting.stats()

    def use():
        return [pipe(items).map(lambda x: x * 2 + 1).sum() for _ in range(30)]

    results = hammer(use, use, switch, switch)
    assert set(results[0] + results[1]) == {sum(x * 2 + 1 for x in items)}
    assert pygenx.lifting.why_not(double) is None


def test_native_functions_shared():
    native = pygenx.lifting.native(fresh(double))

    def use():
        return [native(i) for i in range(500)]

    assert hammer(*[use] * THREADS) == [[i * 2 for i in range(500)]] * THREADS


def test_timing_shared():
    """Its totals are exact; each thread has its own stack of blocks."""
    timing = pygenx.timing(report=None)

    @pygenx.timing(report=None)
    def measured():
        time.sleep(0)

    def use():
        for _ in range(100):
            with timing, timing:
                measured()
            assert timing.min <= timing.mean <= timing.max

    hammer(*[use] * THREADS)
    assert timing.count == 200 * THREADS
    assert measured.timing.count == 100 * THREADS
    assert timing.max <= timing.total


def test_stats_read_by_other_threads():
    p = pipe(Yielding(range(200))).map(double).filter(None)
    counts = p.stats()
    done = []

    def look():
        while not done:
            assert "map" in repr(counts)
            time.sleep(0)

    def drain():
        try:
            return p.count()
        finally:
            done.append(True)

    assert hammer(drain, look, look)[0] == 199


def test_primed_shared():
    @pygenx.primed
    def listener():
        got = yield "ready"
        yield got

    def use():
        return [listener().send(i) for i in range(200)]

    assert hammer(*[use] * THREADS) == [list(range(200))] * THREADS


# -- a million items -----------------------------------------------------------------

MILLION = 1_000_000


def test_serialize_loses_nothing_of_a_million():
    it = pygenx.serialize(iter(range(MILLION)))

    parts = hammer(*[lambda: list(it)] * THREADS)
    got = bytearray(MILLION)
    for number in itertools.chain.from_iterable(parts):
        got[number] += 1
    assert got == bytes([1]) * MILLION


def test_tee_loses_nothing_of_a_million():
    each = MILLION // THREADS
    branches = pygenx.tee(iter(range(each)), THREADS, lock=True)
    expected = list(range(each))

    def take(branch):
        return lambda: list(branch) == expected

    assert hammer(*map(take, branches)) == [True] * THREADS


# -- waiting -------------------------------------------------------------------------

WAITING = {
    "serialize": pygenx.serialize,
    "tee": lambda source: pygenx.tee(source, 1, lock=True)[0],
}
waiting = pytest.mark.parametrize("name", WAITING)


@waiting
def test_no_deadlock_from_inside(name):
    """The same thread again: an error, and the object goes on."""
    box = []

    def source():
        for i in range(3):
            with pytest.raises(ReentrancyError):
                next(box[0])
            yield i

    box.append(WAITING[name](source()))
    parts = hammer(*[reader(box[0], refused=())] * THREADS)
    assert counted(parts) == counted([range(3)])


@waiting
def test_errors_of_the_source_let_others_in(name):
    it = WAITING[name](sources.Failing(range(100), *range(0, 100, 3)))
    parts = hammer(*[reader(it, refused=(ZeroDivisionError,))] * THREADS)
    expected = [i for i in range(100) if i % 3]
    assert counted(parts) == counted([expected])


@waiting
def test_a_thread_that_ends_inside_lets_others_in(name):
    """SystemExit out of the source ends its thread, and no other."""
    it = WAITING[name](Exiting(range(50)))
    got = []

    def take():
        with contextlib.suppress(SystemExit):  # pytest would complain of it
            for item in it:
                got.append(item)

    threads = [threading.Thread(target=take) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert sorted([*got, *it]) == [i for i in range(50) if i % 10 != 5]


class Exiting(sources.Closable):
    """SystemExit in place of some items."""

    def __next__(self):
        time.sleep(0)
        item = super().__next__()
        if item % 10 == 5:
            raise SystemExit
        return item


def interrupted_waiting(name):
    """Ctrl-C gets a waiting main thread out; those who wait beside it stay in order."""
    entered, release = threading.Event(), threading.Event()

    def source():
        entered.set()
        release.wait(30)
        yield from range(5)

    it = WAITING[name](source())
    got = []
    threads = [
        threading.Thread(target=lambda: got.extend(reader(it)())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    entered.wait(30)
    interrupted(lambda: next(it))
    release.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert sorted(got) == list(range(5))


@waiting
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no setitimer")
def test_ctrl_c_while_waiting(name):
    child(f"import test_threads; test_threads.interrupted_waiting({name!r})")


@waiting
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork(name):
    child(f"import test_threads; test_threads.forked({name!r})")


def forked(name):
    """A copy in a child goes on alone, also where the fork was inside the source."""
    pids = []

    def source():
        yield 0
        pids.append(os.fork())
        yield from (1, 2)

    it = WAITING[name](source())
    rest = list(it)
    if pids == [0]:
        os._exit(rest != [0, 1, 2])
    assert os.waitpid(pids[0], 0)[1] == 0
    it = WAITING[name](iter(range(1000)))
    reading = [threading.Thread(target=list, args=(it,)) for _ in range(3)]
    for thread in reading:
        thread.start()
    for thread in reading:
        thread.join(30)
    again = os.fork()
    if again == 0:
        os._exit(next(it, None) is not None)
    assert os.waitpid(again, 0)[1] == 0


def forked_while_another_is_inside():
    """The copy stays taken, as a Lock does: a timeout is the way out."""
    entered, release = threading.Event(), threading.Event()

    def source():
        entered.set()
        release.wait(30)
        yield 1

    it = pygenx.serialize(source(), timeout=0.1)
    thread = threading.Thread(target=next, args=(it,))
    thread.start()
    entered.wait(30)
    pid = os.fork()
    if pid == 0:
        try:
            next(it)
        except TimeoutError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    release.set()
    thread.join(30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_while_another_thread_is_inside():
    child("import test_threads; test_threads.forked_while_another_is_inside()")


# -- the good neighbour --------------------------------------------------------------

ENDLESS = 10**15
# Drains that would go on for days, of all kinds that have a loop of their own.
LONG = {
    "lane": lambda: pipe(range(ENDLESS)).map(lambda x: x & 1).sum(),
    "lane that rejects": lambda: pipe(range(ENDLESS)).filter(lambda x: x < 0).count(),
    "generator expression": lambda: pipe(x for x in range(ENDLESS) if x < 0).sum(),
    "boxed": lambda: pipe(itertools.repeat("a")).map(lambda x: x + "b").count(),
    "boxed that rejects": lambda: pipe(itertools.repeat("")).filter(str.title).count(),
    "sum": lambda: pipe(itertools.repeat(0)).sum(),
    "array": lambda: pipe(itertools.repeat(0)).filter(None).array("q"),
    "collect": lambda: pipe(itertools.repeat(0)).collect(Pipeline().count()),
    "flatten of nothing": lambda: pipe(itertools.repeat(())).flatten().count(),
    "collapse of nothing": lambda: pipe(itertools.repeat([[]])).collapse().count(),
    "chain of nothing": lambda: next(pygenx.chain.from_iterable(itertools.repeat(()))),
    "one group": lambda: list(pygenx.groupby(itertools.repeat(1))),
    "feed": lambda: pygenx.feed(itertools.repeat(1), pygenx.fold(max, 0)),
    "one send": lambda: (
        Pipeline().flatten().filter(None).sum().push().send(itertools.repeat(0))
    ),
    "words": lambda: (
        pipe(itertools.repeat("a b c d")).flat_map(str.split).frequencies()
    ),
    "words that are not ASCII": lambda: (
        pipe(itertools.repeat("ä ö")).flat_map(str.split).frequencies()
    ),
    "merge": lambda: next(
        pygenx.merge(pipe(itertools.repeat(0)).filter(None), (), key=abs)
    ),
    "partition": lambda: next(pygenx.partition(bool, itertools.repeat(0))[1]),
    "tee": lambda: pipe(pygenx.tee(itertools.repeat(0), 1, lock=True)[0]).consume(),
    "seek": lambda: pygenx.seekable(itertools.repeat(0), 5).seek(ENDLESS),
    "drop": lambda: next(pipe(itertools.repeat(0)).drop(ENDLESS)),
    "this": lambda: pipe(range(ENDLESS)).map(this * 2).count(),
}


def a_neighbour_of(name):
    threading.Thread(target=LONG[name], daemon=True).start()
    for _ in range(5):
        time.sleep(0.001)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_others_get_their_turn_beside_every_drain():
    """Five turns in a minute: that they come at all is what is asked for here."""
    child("import test_threads; test_threads.neighbours()", timeout=120)


def neighbours():
    for name in LONG:
        pid = os.fork()
        if pid == 0:
            a_neighbour_of(name)
        for _ in range(6000):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.01)
        else:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(name)
        assert status == 0, name


def ctrl_c_beside(name):
    worker = threading.Thread(target=LONG[name], daemon=True)
    worker.start()

    def wait():
        while worker.is_alive():
            worker.join(0.05)

    interrupted(wait, 0.02)
    os._exit(0)


def ctrl_c_beside_every_drain():
    """The main thread waits in join() for the one that drains: it is interrupted."""
    for name in LONG:
        pid = os.fork()
        if pid == 0:
            ctrl_c_beside(name)
        assert os.waitpid(pid, 0)[1] == 0, name


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_ctrl_c_while_the_main_thread_waits_for_a_drain():
    child("import test_threads; test_threads.ctrl_c_beside_every_drain()", timeout=120)


# -- the page is whole ---------------------------------------------------------------


def test_the_page_has_every_public_name():
    page = Path(__file__).parent.parent / "docs" / "threads.md"
    if not page.exists():
        pytest.skip("an installation without the docs")
    text = page.read_text(encoding="utf-8")
    names = [*pygenx.__all__, "zip"]
    assert [name for name in names if f"`{name}" not in text] == []
