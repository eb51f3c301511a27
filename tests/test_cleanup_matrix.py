"""Contract 4 as a matrix: every type and stage, by what happens to it, by whether
somebody else holds its source. Asked is one thing: has the source's `finally` run?

The rows are those of test_contract, so that none can be forgotten.
"""

import gc
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from test_contract import ITEMS, ROWS, Row


class Failure(Exception):
    pass


def source_of(row, log):
    """A generator whose `finally` is written down."""
    try:
        for item in ITEMS:
            yield row.wrap(item)
    finally:
        log.append("finally")


class Steps:
    """For map(): passes items on, except that the third is an error. The map ends when
    its generator does, and nothing but losing the map finalises that. (No Python code
    may have the generator in a local, or the traceback would hold it.)"""

    def __init__(self):
        self.calls = 0

    def __call__(self, item):
        self.calls += 1
        if self.calls == 3:
            raise Failure
        return item


def map_of(generator):
    return map(Steps(), generator)


def failing(*args):
    raise Failure


def error_of(call, *args):
    """The Failure that the call ends with, as somebody keeps it: with its traceback,
    but without what is in the locals of that, which Python itself holds."""
    try:
        call(*args)
    except Failure as error:
        traceback.clear_frames(error.__traceback__)
        return error
    raise AssertionError("it did not fail")


# -- what happens: each gets the object as the only one in a list ---------------------
# and answers what is kept alive behind it.


def exhausted(px, row, box):
    row.drain(box[0])
    return box


def ended_early(px, row, box):
    ends = px.pipe(box.pop()).take(1)
    assert len([row.view(item) for item in ends]) == 1
    return ends


def ended_early_in_a_drain(px, row, box):
    ends = px.pipe(box.pop())
    ends.first()
    return ends


def broken_off(px, row, box):
    for _ in box[0]:
        break
    return box


def closed(px, row, box):
    next(box[0])
    box[0].close()
    return box


def left_by_with(px, row, box):
    with box[0] as it:
        next(it)
        del it
    return box


def left_by_with_and_an_error(px, row, box):
    def block():
        with box[0] as it:
            next(it)
            del it
            raise Failure

    return box, error_of(block)


def dropped(px, row, box):
    next(box[0])
    box.clear()
    gc.collect()


def dropped_in_a_cycle(px, row, box):
    ring = [box.pop()]
    next(ring[0])
    ring.append(ring)
    del ring
    gc.collect()


def read(row, box):
    while True:
        row.view(next(box[0]))


def failed(px, row, box):
    """While it is iterated over; the object stays alive, and so does the error."""
    return box, error_of(read, row, box)


def failed_and_dropped(px, row, box):
    error = error_of(read, row, box)
    box.clear()
    return error


def failed_in_a_drain(px, row, box):
    drain = px.pipe(box.pop())
    return drain, error_of(drain.for_each, row.view)


def failed_in_a_drain_in_with(px, row, box):
    def block():
        with px.pipe(box.pop()) as drain:
            drain.for_each(row.view)

    return error_of(block)


def failed_in_a_loop_that_is_over(px, row, box):
    def loop():
        for item in px.pipe(box.pop()):
            row.view(item)

    return error_of(loop)


# -- when `finally` has run ------------------------------------------------------------


def always(row):
    return True


def never(row):
    return False


def if_it_closes(row):
    return row.closes or if_closing_reads_on(row)


def if_closing_reads_on(row):
    """A group is closed by reading it to its end, which is the source's end here."""
    return row.start > 0 and not row.closes


def if_it_owns(row):
    return row.owns


def if_it_ends_at_errors(row):
    return not row.resumes


@dataclass(frozen=True)
class Event:
    happen: Callable
    given: Callable  # has `finally` run where the source was given away?
    held: Callable  # and where somebody else holds it?


EVENTS = [
    Event(exhausted, always, always),
    Event(ended_early, always, if_it_owns),
    Event(ended_early_in_a_drain, always, if_it_owns),
    Event(broken_off, never, never),
    Event(closed, always, if_it_closes),
    Event(left_by_with, always, if_it_closes),
    Event(left_by_with_and_an_error, always, if_it_closes),
    Event(dropped, always, if_it_owns),
    Event(dropped_in_a_cycle, always, if_it_owns),
]
CALLBACK_FAILS = [
    Event(failed, never, never),
    Event(failed_and_dropped, always, if_it_owns),
    Event(failed_in_a_drain, always, if_it_owns),
    Event(failed_in_a_drain_in_with, always, if_it_closes),
    Event(failed_in_a_loop_that_is_over, always, if_it_owns),
]
SOURCE_FAILS = [
    Event(failed, if_it_ends_at_errors, never),
    Event(failed_and_dropped, always, never),
    Event(failed_in_a_drain, always, never),
    Event(failed_in_a_drain_in_with, always, if_closing_reads_on),
    Event(failed_in_a_loop_that_is_over, always, never),
]


# Objects over two sources, which have started. What rows call their callback is the
# second source here.
PAIRS = [
    Row("chain", lambda px, first, second: px.chain(first, second)),
    Row("merge", lambda px, first, second: px.merge(first, second)),
    Row("roundrobin", lambda px, first, second: px.roundrobin(first, second)),
    Row("zip", lambda px, first, second: px.zip(first, second)),
    Row(".chain", lambda px, first, second: px.pipe(first).chain(second)),
    Row(".prepend", lambda px, first, second: px.pipe(first).prepend(second)),
    Row(".zip", lambda px, first, second: px.pipe(first).zip(second)),
]


def run(px, row, event, held, callback=None, through=None, reads_all=False):
    log = []
    source = source_of(row, log)
    next(source)  # else `finally` would have nothing to do
    if through is not None:
        source = through(source)
    box = [row.build(px, source, callback)]
    holder = [source] if held else []
    del source
    alive = event.happen(px, row, box)
    has_run = reads_all or (event.held if held else event.given)(row)
    assert log == ["finally"] * has_run
    del box, holder, alive


def matrix(events, rows=ROWS):
    def decorate(test):
        test = pytest.mark.parametrize("held", [False, True], ids=["given", "held"])(
            test
        )
        test = pytest.mark.parametrize("row", rows, ids=lambda row: row.name)(test)
        names = {event.happen.__name__: event for event in events}
        return pytest.mark.parametrize("event", names.values(), ids=names.keys())(test)

    return decorate


@matrix(EVENTS)
def test_what_happens(impl, event, row, held):
    run(impl, row, event, held, reads_all=row.eager)


@matrix(CALLBACK_FAILS, [row for row in ROWS if row.answer is not None])
def test_the_callback_fails(impl, event, row, held):
    run(impl, row, event, held, callback=failing)


@matrix(SOURCE_FAILS)
def test_the_source_fails(impl, event, row, held):
    run(impl, row, event, held, through=map_of)


@matrix(EVENTS, PAIRS)
def test_what_happens_to_the_second_of_two_sources(impl, event, row, held):
    log = []
    first, second = source_of(row, []), source_of(row, log)
    next(first), next(second)
    box = [row.build(impl, first, second)]
    holder = [first, second] if held else []
    del first, second
    alive = event.happen(impl, row, box)
    has_run = (event.held if held else event.given)(row)
    if held and event.happen is exhausted and row.name.endswith("zip"):
        has_run = False  # the first had ended: the second was not asked
    assert log == ["finally"] * has_run
    del box, holder, alive
