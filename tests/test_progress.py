"""progress(): what is shown of which total, when the bar is made and closed."""

import gc
import io
import pickle
import re
import sys
import time
import weakref

import pytest
import tqdm
from sources import Source

from pygenx import Pipeline, pipe

pytestmark = pytest.mark.c


class Bar:
    """In place of tqdm.tqdm: remembers what it was asked."""

    made = ()
    fails = ()

    def __init__(self, **options):
        self.options = options
        self.updates = []
        self.closed = 0
        Bar.made.append(self)
        self.fail("init")

    def fail(self, where):
        if where in Bar.fails:
            raise ArithmeticError(where)

    def update(self, n):
        self.updates.append(n)
        self.fail("update")

    def close(self):
        self.closed += 1
        self.fail("close")

    @property
    def shown(self):
        return sum(self.updates)


@pytest.fixture
def bars(monkeypatch):
    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(Bar, "made", [])
    monkeypatch.setattr(Bar, "fails", ())
    return Bar.made


def generator(n):
    yield from range(n)


def odd(n):
    return n % 2


# the total ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "total", "shown"),
    [
        (lambda: pipe(range(9)).progress(), 9, 9),
        (lambda: pipe(range(9)).filter(odd).progress(), 9, 9),
        (lambda: pipe(range(9)).progress().filter(odd).batched(3), 9, 9),
        (lambda: pipe([[1, 2], [3]]).flatten().progress(), 2, 2),
        (lambda: pipe(dict.fromkeys("abc")).progress(), 3, 3),
        (lambda: pipe(set("abc")).map(str).progress(), 3, 3),
        (lambda: pipe(iter([1, 2])).progress(), 2, 2),
        (lambda: pipe(pipe([1, 2]).map(str)).progress(), 2, 2),
        (lambda: pipe([]).progress(), 0, 0),
        (lambda: pipe(generator(3)).progress(), None, 3),
        (lambda: pipe(generator(9)).progress().take(4), 4, 4),
        (lambda: pipe(generator(9)).map(str).take(4).progress(), 4, 4),
        (lambda: pipe(range(9)).enumerate().take(4).map(str).progress(), 4, 4),
        (lambda: pipe(range(3)).take(4).progress(), 3, 3),
        (lambda: pipe(range(9)).take(6).take(4).progress(), 4, 4),
        (lambda: pipe(range(9)).islice(2, 7, 2).progress(), 7, 7),
        (lambda: pipe(range(9)).islice(2, None).progress(), 9, 9),
        (lambda: pipe(range(9)).filter(odd).take(2).progress(), 9, 4),
        (lambda: pipe(generator(9)).filter(odd).take(2).progress(), None, 4),
        (lambda: pipe(range(9)).drop(2).take(2).progress(), 9, 4),
        (lambda: pipe(range(9)).progress().takewhile(lambda n: n < 3), 9, 4),
        (lambda: pipe(range(3)).chain([7, 8]).progress(), 3, 3),
        (lambda: pipe(range(3)).prepend([7, 8]).progress(), 3, 3),
        (lambda: pipe(range(9)).progress(total=20), 20, 9),
        (lambda: Pipeline().map(str).progress()(range(4)), 4, 4),
    ],
)
@pytest.mark.parametrize("drain", [True, False])
def test_total_and_count(bars, make, total, shown, drain):
    p = make()
    assert not bars
    p.count() if drain else list(p)
    (bar,) = bars
    assert bar.options == {"total": total}
    assert (bar.shown, bar.closed) == (shown, 1)


def test_a_length_that_cannot_be_had_is_not_known(bars):
    class Liar(Source):
        def __length_hint__(self):
            raise KeyError

    assert pipe(Liar(range(3))).progress().list() == [0, 1, 2]
    assert bars[0].options == {"total": None}


def test_pushed_items(bars):
    got = []
    push = Pipeline().progress().map(str).into(got.append)
    for n in range(3):
        push.send(n)
    assert bars[0].closed == 0
    push.close()
    assert got == ["0", "1", "2"]
    assert bars[0].options == {"total": None}
    assert (bars[0].shown, bars[0].closed) == (3, 1)


# the bar ------------------------------------------------------------------------------


def test_the_options_go_to_tqdm(bars):
    file = io.StringIO()
    p = pipe(range(3)).progress(desc="read", unit="line", file=file, total=5)
    assert p.list() == [0, 1, 2]
    assert bars[0].options == {
        "desc": "read",
        "unit": "line",
        "file": file,
        "total": 5,
    }


def test_it_is_made_when_the_first_item_is_asked_for(bars):
    source = Source(range(3))
    p = pipe(source).progress()
    repr(p), p.explain()
    assert not bars
    assert next(p) == 0
    assert len(bars) == 1
    assert source.pulls == 1
    pipe([1]).progress().close()
    pipe([1]).progress()
    assert len(bars) == 1


@pytest.mark.parametrize("way", ["close", "with", "drop", "throw", "drain fails"])
def test_it_is_closed_whatever_ends_the_pipe(bars, way):
    p = pipe(iter(range(5))).progress().map(lambda n: 6 // (2 - n))
    assert next(p) == 3
    if way == "close":
        p.close()
    elif way == "with":
        with p:
            next(p)
    elif way == "drop":
        del p
        gc.collect()
    elif way == "throw":
        with pytest.raises(KeyError):
            p.throw(KeyError)
    else:
        with pytest.raises(ZeroDivisionError):
            p.list()
    (bar,) = bars
    assert bar.closed == 1
    assert bar.shown == {"with": 2, "drain fails": 3}.get(way, 1)


def test_a_pull_error_leaves_it_open(bars):
    p = pipe(range(5)).progress().map(lambda n: 6 // (2 - n))
    assert [next(p), next(p)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert bars[0].closed == 0
    assert list(p) == [-6, -3]
    assert (bars[0].shown, bars[0].closed) == (5, 1)


def test_it_is_told_now_and_then(bars):
    for _ in pipe(range(300)).progress():
        pass
    assert len(bars[0].updates) <= 2
    for _ in pipe(range(6)).progress():
        time.sleep(0.03)
    assert 3 <= len(bars[1].updates) <= 6
    assert bars[1].shown == 6


def test_a_source_that_turns_slow_is_seen_soon(bars):
    def source():
        yield from range(5000)
        for n in range(70):
            time.sleep(0.002)
            yield n
        seen.append(bars[0].shown)

    seen = []
    pipe(source()).progress().consume()
    assert seen[0] > 5000


@pytest.mark.parametrize("where", ["init", "update", "close"])
def test_errors_of_the_bar(bars, monkeypatch, where):
    monkeypatch.setattr(Bar, "fails", (where,))
    with pytest.raises(ArithmeticError, match=where) as caught:
        pipe(range(3)).map(str).progress().list()
    assert caught.value.__notes__ == [
        "pygenx: stage 2/2 progress(), item -1"
        if where == "init"
        else "pygenx: stage 2/2 progress(), item 2"
    ]
    assert bars[0].closed == (where != "init")


def test_two_bars(bars):
    assert pipe(range(4)).progress().filter(odd).progress(desc="b").list() == [1, 3]
    assert [(bar.shown, bar.closed) for bar in bars] == [(4, 1), (4, 1)]


def test_send_and_throw_pass(bars):
    def answering():
        got = None
        while True:
            try:
                got = yield got
            except KeyError:
                got = "caught"

    p = pipe(answering()).progress()
    next(p)
    assert p.send(5) == 5
    assert p.throw(KeyError) == "caught"
    p.close()
    assert bars[0].shown == 3
    p = pipe(answering()).progress()
    with pytest.raises(KeyError):
        p.throw(KeyError)


def test_nothing_is_kept(bars):
    source = Source(range(3))
    p = pipe(source).progress()
    next(p)
    gone = weakref.ref(source)
    del p, source
    gc.collect()
    assert gone() is None


# arguments ----------------------------------------------------------------------------


def test_wrong_calls():
    p = pipe([1])
    with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
        p.progress(5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'iterable'"):
        p.progress(iterable=[1])
    with pytest.raises(TypeError, match="'str' object cannot be interpreted"):
        p.progress(total="5")
    with pytest.raises(ValueError, match="total must be at least 0"):
        p.progress(total=-1)
    assert p.list() == [1]


def test_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(
        ImportError,
        match=re.escape("progress() needs tqdm: pip install pygenx[progress]"),
    ) as caught:
        pipe([1]).progress()
    assert isinstance(caught.value.__context__, ImportError)
    with pytest.raises(ImportError):
        Pipeline().progress(disable=True)


def test_repr_and_pickle():
    program = Pipeline().progress(desc="read", disable=True).progress(total=5)
    assert repr(program) == "Pipeline() -> progress() -> progress(total=5)"
    again = pickle.loads(pickle.dumps(program))
    assert repr(again) == repr(program)
    assert again([1, 2]).list() == [1, 2]


# the real one -------------------------------------------------------------------------


def test_what_tqdm_prints():
    file = io.StringIO()
    p = (
        pipe(range(200))
        .map(str)
        .progress(desc="numbers", file=file, disable=False, ascii=True)
    )
    assert p.count() == 200
    last = file.getvalue().split("\r")[-1]
    assert last.startswith("numbers: 100%|##########| 200/200 [")
    assert last.endswith("\n")


def test_disabled_it_prints_nothing():
    file = io.StringIO()
    assert pipe(range(200)).progress(file=file, disable=True).count() == 200
    assert file.getvalue() == ""
