"""References and memory, as in test_leaks.py: all rows of the contract table, and each
stage and terminal under each driver, along all ways in which a run comes to its end."""

import os
import subprocess
import sys

import pytest
import test_contract
import test_leaks
from test_leaks import ERRORS, MAKERS, RUNS, WAYS, Source, Use, leaking, programs

from pygenx import Pipeline, pipe

pytestmark = pytest.mark.c

gauge, small_heap = test_leaks.gauge, test_leaks.small_heap

# -- the contract table ----------------------------------------------------------

ROWS = {row.name: row for row in test_contract.ROWS if row.name not in MAKERS}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_contract(gauge, name):
    row = ROWS[name]

    def make(source):
        items = source if row.wrap is test_contract.same else map(row.wrap, source)
        return row.build(test_leaks.pygenx, items)

    def failing(source):
        return row.build(test_leaks.pygenx, source, programs.bad)

    uses = [(way.__name__, Use(way, make)) for way in WAYS]
    uses += [(f"failing, {way.__name__}", Use(way, failing)) for way in WAYS[:1]]
    assert leaking(gauge, uses) == {}


def test_terminals_of_the_contract_have_a_row():
    assert set(test_contract.TERMINALS) - {"to"} <= set(programs.TERMINALS)


# -- drivers: of a function that makes a reducer ----------------------------------


def tolerant(drive):
    """What it raises is dropped: the traceback holds what was being used."""

    def driven(make):
        try:
            drive(make())
        except (*ERRORS, ValueError, RuntimeError):
            pass

    driven.__name__ = drive.__name__
    return driven


@tolerant
def called(reducer):
    reducer(Source())


@tolerant
def called_with_a_list(reducer):
    reducer(programs.things(5))


@tolerant
def source_fails(reducer):
    reducer(Source(5, at=3))


@tolerant
def collected(reducer):
    pipe(Source()).collect(reducer, Pipeline().count(), reducer)


@tolerant
def behind_a_generator(reducer):
    reducer(pipe(programs.generator()).through(programs.pass_on))


def pushed(reducer, n=3):
    push = reducer.push()
    for thing in programs.things(n):
        try:
            push.send(thing)
        except StopIteration:
            break
        except ERRORS:
            continue
    return push


@tolerant
def pushed_and_closed(reducer):
    push = pushed(reducer)
    push.close()
    getattr(push, "result", None)


@tolerant
def pushed_and_dropped(reducer):
    pushed(reducer)


@tolerant
def unstarted_and_closed(reducer):
    reducer.push().close()


@tolerant
def pushed_and_thrown_at(reducer):
    pushed(reducer).throw(LookupError("text"))


@tolerant
def pushed_in_a_cycle(reducer):
    things = programs.things(3)
    push = reducer.push()
    things[0].value = push
    push.send(things)
    push.send(things[0])


@tolerant
def broadcast(reducer):
    everywhere = test_leaks.pygenx.broadcast(reducer, reducer)
    everywhere.send(programs.Thing(1))
    everywhere.close()


DRIVEN = [
    called,
    called_with_a_list,
    source_fails,
    collected,
    behind_a_generator,
    pushed_and_closed,
    pushed_and_dropped,
    unstarted_and_closed,
    pushed_and_thrown_at,
    pushed_in_a_cycle,
    broadcast,
]


def of_stage(name, arguments):
    start, before = Pipeline(), programs.BEFORE.get(name)
    if before is not None:
        start = start.map(before)
    return getattr(start, name)(*arguments).list()


def of_terminal(name):
    start, before = Pipeline(), programs.BEFORE_TERMINAL.get(name)
    if before is not None:
        start = start.map(before)
    return getattr(start, name)(*programs.TERMINALS[name])


@pytest.mark.parametrize("name", programs.STAGES)
def test_stages(gauge, name):
    uses = [
        (way.__name__, Use(way, lambda: of_stage(name, programs.STAGES[name])))
        for way in DRIVEN
    ]
    assert leaking(gauge, uses) == {}


@pytest.mark.parametrize("name", programs.FAILING)
def test_stages_that_fail(gauge, name, monkeypatch):
    monkeypatch.setattr("sys.unraisablehook", programs.nothing)
    uses = [
        (way.__name__, Use(way, lambda: of_stage(name, programs.FAILING[name])))
        for way in DRIVEN
    ]
    assert leaking(gauge, uses) == {}


@pytest.mark.parametrize("name", programs.TERMINALS)
def test_terminals(gauge, name):
    uses = [(way.__name__, Use(way, lambda: of_terminal(name))) for way in DRIVEN]
    assert leaking(gauge, uses) == {}


kept = []


def test_planted_leaks_are_found(gauge):
    def keeps(item):
        kept.append([item])

    def program():
        return Pipeline().tap(keeps).list()

    found = leaking(gauge, [(way.__name__, Use(way, program)) for way in DRIVEN])
    assert set(found) == {way.__name__ for way in DRIVEN} - {"unstarted_and_closed"}
    assert all(least >= RUNS for leaks in found.values() for least in leaks.values())
    kept.clear()


# -- what is there when the interpreter has gone -----------------------------------

USE = """
import sys, programs
programs.write_path()
for use in programs.DRIVERS.values():
    use()
for make in programs.iterator_makers().values():
    for source in (programs.Source(), programs.generator()):
        next(make(source), None)
programs.remove_path()
"""
LEAK = """
import ctypes, pygenx
ctypes.pythonapi.Py_IncRef(ctypes.py_object(pygenx.chain([1])))
"""


def left_over(code):
    """'[N refs, M blocks]'"""
    path = os.pathsep.join(filter(None, sys.path))
    child = subprocess.run(
        [sys.executable, "-X", "showrefcount", "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    return child.stderr.splitlines()[-1]


@pytest.mark.skipif(not hasattr(sys, "gettotalrefcount"), reason="needs a debug build")
def test_nothing_is_left_of_everything():
    left = left_over(USE)
    if sys.version_info >= (3, 14):
        assert left == "[0 refs, 0 blocks]"
    assert left == left_over("import programs")  # 3.11's own library leaves something
    assert left_over(USE + LEAK) != left
