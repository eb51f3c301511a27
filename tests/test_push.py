"""The push driver: Pipeline.into(sink), Reducers and their sinks."""

import operator
import pickle
from collections import defaultdict
from contextlib import suppress

import pytest
import sources
from hypothesis import given
from hypothesis import strategies as st
from test_differential import SMALL, STAGE, Run, unraisable


def odd(item):
    return item % 2 == 1


def collector(into, at_end=None):
    """A sink that keeps what it is sent and says how it ended."""
    try:
        while True:
            into.append((yield))
    except GeneratorExit:
        into.append("closed")
        return at_end
    except ValueError as error:
        into.append(str(error))
        raise


def patient(into):
    """A sink that takes exceptions as items."""
    while True:
        try:
            into.append((yield))
        except ValueError as error:
            into.append(str(error))


class Once:
    """A sink that wants so many items and returns a value then."""

    def __init__(self, n, value):
        self.n, self.value, self.items = n, value, []

    def send(self, item):
        self.items.append(item)
        if len(self.items) == self.n:
            raise StopIteration(self.value)


# sending -----------------------------------------------------------------------------


def test_send_runs_an_item_through_the_stages_and_counts_what_goes_on(impl):
    out = []
    push = impl.Pipeline().filter(odd).flat_map(lambda x: [x] * x).into(out.append)
    assert [push.send(item) for item in (0, 1, 2, 3)] == [0, 1, 0, 3]
    assert out == [1, 3, 3, 3]


def test_nothing_happens_before_the_first_item(impl):
    seen = []
    push = (
        impl.Pipeline()
        .prepend([7, 8])
        .tap(seen.append, before=lambda: seen.append("before"))
        .into(seen.append)
    )
    assert seen == []
    assert push.send(1) == 3
    assert seen == ["before", 7, 7, 8, 8, 1, 1]


def test_none_is_an_item(impl):
    out = []
    push = impl.Pipeline().into(out.append)
    assert push.send(None) == 1
    assert out == [None]


def test_close_flushes_closes_the_sink_and_gives_its_result(impl):
    out = []
    push = impl.Pipeline().batched(2).chain("ab").into(collector(out, "result"))
    for item in range(3):
        push.send(item)
    assert out == [(0, 1)]
    assert push.result is None
    assert push.close() == "result"
    assert out == [(0, 1), (2,), "a", "b", "closed"]
    assert push.close() == push.result == "result"
    with pytest.raises(StopIteration):
        push.send(1)


def test_close_before_the_first_item_is_a_pull_of_nothing(impl):
    out = []
    assert impl.Pipeline().chain([1]).into(collector(out, 5)).close() == 5
    assert out == [1, "closed"]


def test_a_stage_that_wants_no_more_ends_the_push_with_its_last_item(impl):
    out = []
    push = impl.Pipeline().take(2).batched(5).into(collector(out, "result"))
    assert push.send("a") == 0
    with pytest.raises(StopIteration) as stop:
        push.send("b")
    assert stop.value.value == push.result == "result"
    assert out == [("a", "b"), "closed"]
    with pytest.raises(StopIteration):
        push.send("c")


def test_a_sink_that_wants_no_more_ends_the_push(impl):
    sink = Once(2, "enough")
    push = impl.Pipeline().flat_map(lambda x: [x, x, x]).into(sink)
    with pytest.raises(StopIteration) as stop:
        push.send(1)
    assert stop.value.value == push.result == "enough"
    assert sink.items == [1, 1]


def test_a_sink_is_anything_with_send_or_a_function(impl):
    total = impl.fold(operator.add, 0)
    push = impl.Pipeline().map(abs).into(total)
    push.send(-3)
    push.send(4)
    assert push.close() == 7
    inner = []
    push = impl.Pipeline().map(abs).into(impl.Pipeline().batched(2).into(inner.append))
    for item in (-1, -2, -3):
        push.send(item)
    push.close()
    assert inner == [(1, 2), (3,)]


def test_grouping_is_a_sink_and_has_one(impl):
    out = []
    groups = impl.grouping(odd, sink=impl.Pipeline().map(list).into(out.append))
    push = impl.Pipeline().map(int).into(groups)
    for item in "1324":
        push.send(item)
    push.close()
    assert out == [[True, [1, 3]], [False, [2, 4]]]


@pytest.mark.parametrize("sink", [list, 5, None, sources.listener])
def test_what_cannot_be_sent_to_is_refused(impl, sink):
    with pytest.raises(TypeError):
        impl.Pipeline().into(sink)
    p = impl.pipe([1])
    with pytest.raises(TypeError):
        p.into(sink)
    assert p.list() == [1]


# errors ------------------------------------------------------------------------------


def test_an_error_of_a_stage_passes_and_the_next_item_may_be_sent(impl):
    out = []
    push = impl.Pipeline().map(lambda x: 6 // x).into(out.append)
    with pytest.raises(ZeroDivisionError):
        push.send(0)
    assert push.send(2) == 1
    assert out == [3]


def test_what_an_error_left_unread_goes_first(impl):
    out = []
    push = (
        impl.Pipeline()
        .flat_map(lambda x: [x, 0, 0, x])
        .map(lambda x: 6 // x)
        .into(out.append)
    )
    for item in (1, 2, 3):
        with pytest.raises(ZeroDivisionError):
            push.send(item)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            push.send(6)
    assert out == [6, 6, 3, 3, 2]


def test_an_error_of_the_sink_passes(impl):
    out = []

    def sink(item):
        out.append(item)
        if item == 1:
            raise KeyError(item)

    push = impl.Pipeline().into(sink)
    with pytest.raises(KeyError):
        push.send(1)
    push.send(2)
    assert out == [1, 2]


def test_stop_iteration_from_a_function_is_a_runtime_error(impl):
    push = impl.Pipeline().into(iter([]).__next__)
    with pytest.raises((RuntimeError, TypeError)):
        push.send(1)

    def stop(item):
        raise StopIteration

    with pytest.raises(RuntimeError):
        impl.Pipeline().into(stop).send(1)


def test_throw_goes_to_the_sink_without_flushing(impl):
    out = []
    push = impl.Pipeline().batched(2).into(collector(out))
    push.send(1)
    push.send(2)
    push.send(3)
    with pytest.raises(ValueError, match="hello"):
        push.throw(ValueError("hello"))
    assert out == [(1, 2), "hello"]
    with pytest.raises(StopIteration):
        push.send(4)


def test_a_sink_that_takes_the_exception_keeps_the_push_open(impl):
    out = []
    push = impl.Pipeline().into(patient(out))
    push.send(1)
    assert push.throw(ValueError("hello")) == 0
    assert push.send(2) == 1
    assert out == [1, "hello", 2]


def test_a_catch_deals_with_what_is_thrown_in(impl):
    out = []
    push = impl.Pipeline().catch(ValueError, replace=str).into(collector(out))
    push.send(1)
    assert push.throw(ValueError("hello")) == 1
    push.send(2)
    assert len(out) == 3
    with pytest.raises(KeyError):
        push.throw(KeyError("hello"))
    out.clear()
    total = impl.Pipeline().map(int).catch(ValueError).sum().push()
    total.send("1")
    assert total.send("x") == 0
    assert total.throw(ValueError) == 0
    total.send("2")
    assert total.close() == 3


def test_throw_without_a_sink_that_has_it_ends(impl):
    push = impl.Pipeline().into([].append)
    with pytest.raises(ValueError, match="hello"):
        push.throw(ValueError("hello"))
    with pytest.raises(StopIteration):
        push.send(1)


def test_an_error_while_flushing_passes_and_the_sink_is_closed(impl):
    out = []
    push = impl.Pipeline().batched(2, strict=True).into(collector(out))
    push.send(1)
    with pytest.raises(ValueError, match="incomplete batch"):
        push.close()
    assert out == ["closed"]
    assert push.close() is None


def test_with_closes_or_throws(impl):
    out = []
    with impl.Pipeline().batched(2).into(collector(out)) as push:
        push.send(1)
    assert out == [(1,), "closed"]
    out.clear()
    with pytest.raises(ValueError, match="hello"):  # noqa: PT012, SIM117
        with impl.Pipeline().batched(2).into(collector(out)) as push:
            push.send(1)
            push.send(2)
            push.send(3)
            raise ValueError("hello")
    assert out == [(1, 2), "hello"]


def test_a_call_from_inside_is_refused(impl):
    push = impl.Pipeline().into(lambda item: push.send(item))
    with pytest.raises(impl.ReentrancyError):
        push.send(1)
    push = impl.Pipeline().map(lambda item: push.close()).into(print)
    with pytest.raises(impl.ReentrancyError):
        push.send(1)


def test_the_hooks_of_stages_run_at_the_end_and_when_dropped(impl):
    seen = []
    program = impl.Pipeline().tap(seen.append, after=lambda: seen.append("after"))
    push = program.into([].append)
    push.send(1)
    push.close()
    assert seen == [1, "after"]
    push = program.into([].append)
    push.send(2)
    del push
    assert seen == [1, "after", 2, "after"]
    program.into([].append)
    assert seen == [1, "after", 2, "after"]


# Reducers ----------------------------------------------------------------------------


def test_a_terminal_of_a_pipeline_is_a_function_of_an_iterable(impl):
    total = impl.Pipeline().map(len).sum()
    assert total(["a", "bc"]) == 3
    assert total([]) == 0
    assert total(iter(["abc"])) == 3
    assert impl.Pipeline().to(sorted, reverse=True)([1, 3, 2]) == [3, 2, 1]
    assert (impl.Pipeline().map(len) | impl.Pipeline().max())(["a", "bc"]) == 2


def test_a_reducer_keeps_nothing_from_one_run_to_the_next(impl):
    for reducer in (
        impl.Pipeline().take(2).list(),
        impl.Pipeline().reduce(operator.add, 10),
        impl.Pipeline().batched(2).frequencies(),
    ):
        assert reducer([1, 2, 3]) == reducer([1, 2, 3])


def test_a_reducer_is_a_sink(impl):
    longest = impl.Pipeline().map(len).max(default=0)
    assert impl.feed(["a", "bc"], longest) == 2
    assert impl.pipe(["a", "bc"]).into(longest) == 2
    push = impl.Pipeline().map(str).into(longest)
    push.send(1)
    push.send(100)
    assert push.close() == 3


def test_push_reduces_what_it_is_sent(impl):
    push = impl.Pipeline().batched(2).list().push()
    for item in range(3):
        push.send(item)
    assert push.close() == [(0, 1), (2,)]
    assert push.result == [(0, 1), (2,)]


def test_a_terminal_that_wants_no_more_ends_the_push(impl):
    push = impl.Pipeline().any().push()
    push.send(0)
    with pytest.raises(StopIteration) as stop:
        push.send(1)
    assert stop.value.value is True
    assert push.close() is True


def test_a_terminal_that_fails_at_the_end(impl):
    push = impl.Pipeline().first().push()
    with pytest.raises(ValueError, match="empty"):
        push.close()


def test_collect_runs_reducers_in_one_pass(impl):
    program = impl.Pipeline()
    source = sources.Source([3, 1, 2])
    values = impl.pipe(source).collect(program.min(), program.sum(), program.list())
    assert values == (1, 6, [3, 1, 2])
    mean = program.collect(program.sum(), program.count())
    assert mean([2, 4]) == (6, 2)
    assert program.collect(mean, program.first())([2, 4]) == ((6, 2), 2)


def test_collect_ends_when_none_wants_more(impl):
    source = sources.Source(range(10))
    program = impl.Pipeline()
    assert impl.pipe(source).collect(program.first(), program.take(3).list()) == (
        0,
        [0, 1, 2],
    )
    assert source.pulls == 3


def test_collect_takes_reducers_alone(impl):
    for wrong in ([], [list], [impl.Pipeline()], [impl.Pipeline().to(list)]):
        with pytest.raises(TypeError):
            impl.pipe([1]).collect(*wrong)


# broadcast, route --------------------------------------------------------------------


def test_broadcast_sends_every_item_to_all(impl):
    out = []
    everywhere = impl.broadcast(
        out.append, impl.Pipeline().sum(), collector(out, "result")
    )
    assert everywhere.send(1) == 3
    assert everywhere.send(2) == 3
    assert everywhere.close() == everywhere.result == (None, 3, "result")
    assert out == [1, 1, 2, 2, "closed"]
    assert everywhere.close() == (None, 3, "result")
    with pytest.raises(StopIteration):
        everywhere.send(3)


def test_a_target_that_has_ended_is_left_out(impl):
    first, rest = Once(1, "enough"), Once(3, "later")
    everywhere = impl.broadcast(first, rest)
    assert [everywhere.send(1), everywhere.send(2)] == [2, 1]
    with pytest.raises(StopIteration) as stop:
        everywhere.send(3)
    assert stop.value.value == ("enough", "later")
    assert (first.items, rest.items) == ([1], [1, 2, 3])


def test_every_target_gets_the_item_even_if_one_raises(impl):
    out = []

    def broken(item):
        raise KeyError(item)

    everywhere = impl.broadcast(broken, out.append, broken)
    with pytest.raises(KeyError) as caught:
        everywhere.send(1)
    assert isinstance(caught.value.__context__, KeyError)
    assert out == [1]


def test_broadcast_throws_into_all(impl):
    out = []
    everywhere = impl.broadcast(patient(out), collector(out), patient(out))
    everywhere.send(1)
    with pytest.raises(ValueError, match="hello"):
        everywhere.throw(ValueError("hello"))
    assert out == [1, 1, 1, "hello", "hello", "hello"]
    with pytest.raises(StopIteration):
        everywhere.send(2)
    everywhere = impl.broadcast(patient(out))
    everywhere.send(1)
    assert everywhere.throw(ValueError("hello")) == 0
    with pytest.raises(KeyError):
        impl.broadcast().throw(KeyError)


def test_route_sends_by_key(impl):
    out = []
    targets = {True: impl.Pipeline().list(), False: out.append}
    by_key = impl.route(odd, targets)
    assert [by_key.send(item) for item in range(5)] == [1] * 5
    assert by_key.close() == by_key.result == {True: [1, 3], False: None}
    assert out == [0, 2, 4]


def test_route_asks_the_mapping_for_new_keys(impl):
    targets = defaultdict(lambda: impl.Pipeline().count())
    by_key = impl.route(len, targets)
    for word in ("to", "be", "not"):
        by_key.send(word)
    assert by_key.close() == {2: 2, 3: 1}


def test_a_key_without_a_target_is_a_key_error(impl):
    by_key = impl.route(abs, {1: impl.Pipeline().count()})
    with pytest.raises(KeyError):
        by_key.send(2)
    with pytest.raises(TypeError):
        by_key.send("x")
    by_key.send(1)
    assert by_key.close() == {1: 1}


def test_route_ends_when_all_targets_of_a_dict_have(impl):
    by_key = impl.route(odd, {True: Once(1, "odd"), False: Once(1, "even")})
    assert by_key.send(1) == 1
    assert by_key.send(3) == 0
    with pytest.raises(StopIteration) as stop:
        by_key.send(2)
    assert stop.value.value == {True: "odd", False: "even"}


@pytest.mark.parametrize("targets", [5, [1], "ab", {1: 5}, {1: list}])
def test_route_refuses_what_is_no_mapping_of_targets(impl, targets):
    with pytest.raises(TypeError):
        impl.route(len, targets)
    with pytest.raises(TypeError):
        impl.route(5, {})
    with pytest.raises(TypeError):
        impl.broadcast(print, 5)


def test_push_objects_push_into_each_other(impl):
    program = impl.Pipeline()
    total = impl.broadcast(program.sum(), program.max())
    by_key = impl.route(odd, {True: total, False: program.batched(2).list()})
    assert impl.pipe(range(6)).map(int).into(by_key) == {
        True: (9, 5),
        False: [(0, 2), (4,)],
    }


# pushing is pulling ------------------------------------------------------------------


def pushable(row):
    """A row of the differential test as a Pipeline takes it: no iterators."""
    name, *args = row
    if name in ("chain", "prepend", "zip"):
        inputs = [
            ("list", each[1] if isinstance(each[-1], list) else []) for each in args[0]
        ]
        return (name, inputs, *args[1:])
    return row


PULLED = {"through"}  # asks for its items itself
ROWS = st.lists(
    STAGE.filter(lambda row: row[0] not in PULLED).map(pushable), max_size=4
)


def program(run, rows):
    made = run.px.Pipeline()
    for number, row in enumerate(rows, 1):
        made = run.extend(made, number, *row)
    return made


def pushed(leg, items, rows):
    """Everything that happens when the items are sent one by one."""
    run = Run(leg)
    with unraisable(run.trace):
        push = program(run, rows).into(lambda item: run.trace.append(("out", item)))
        for item in items:
            run.attempt("send", push.send, item)
        run.attempt("close", push.close)
        del push
    return run.trace


@given(items=st.lists(SMALL, max_size=7), rows=ROWS)
def test_pushing_does_what_the_reference_does(items, rows):
    assert pushed("pygenx", items, rows) == pushed("reference", items, rows)


def test_errors_of_cleaning_up_are_chained_without_a_cycle(impl):
    """All were raised while the first was handled, and have it as their context."""

    def failing(name):
        def fail(*args):
            raise ZeroDivisionError(name)

        return fail

    program = impl.Pipeline().tap(len, after=failing("after one"))
    program = program.tap(failing("tap"), after=failing("after two"))
    with pytest.raises(ZeroDivisionError) as info, program.into([].append) as push:
        push.send("ab")
    chain, error = [], info.value
    while error is not None and len(chain) < 9:
        chain.append(error.args)
        error = error.__context__
    assert sorted(chain[:2]) == [("after one",), ("after two",)]
    assert chain[2:] == [("tap",)]


def first_error(action):
    """Those of cleaning up come later, and have it as their context."""
    try:
        action()
    except Exception as raised:
        error = raised
        while error.__context__ is not None:
            error = error.__context__
        what = type(error), error.args
        del error  # else a cycle keeps what the frames have
        return what


@given(items=st.lists(SMALL, max_size=7), rows=ROWS)
def test_pushing_gives_what_pulling_gives(items, rows):
    """Up to the first error, and the same error."""
    run = Run("pygenx")
    pulled, out = [], []

    def pull():
        program(run, rows)(items).for_each(pulled.append)

    def push():
        push = program(run, rows).into(out.append)
        with suppress(StopIteration):
            for item in items:
                push.send(item)
        push.close()

    with unraisable([]):  # a push that has failed is dropped
        assert first_error(push) == first_error(pull)
    assert out == pulled


def test_reducers_pickle(impl):
    if impl.__name__ == "reference":
        pytest.skip("the reference pickles nothing")
    for reducer in (
        impl.Pipeline().map(str).join("-"),
        impl.Pipeline().reduce(operator.add),
        impl.Pipeline().min(key=abs),
        impl.Pipeline().first(),
        impl.Pipeline().collect(impl.Pipeline().sum(), impl.Pipeline().max()),
        impl.Pipeline().to(sorted, reverse=True),
    ):
        again = pickle.loads(pickle.dumps(reducer))
        assert again([3, -1, 2]) == reducer([3, -1, 2])
        assert repr(again) == repr(reducer)
