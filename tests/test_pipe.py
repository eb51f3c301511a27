"""pipe and Pipeline: stages, terminals, moving, composing, repr, explain, hints, notes.

What holds for every stage alike is in test_contract.py; here is what each one is for.
"""

import functools
import operator
import pickle
import sys
from collections import Counter
from itertools import count, islice

import pytest
import sources
from sources import Closable, Failing, Source

# stages ------------------------------------------------------------------------------


def test_map_and_starmap(impl):
    assert impl.pipe([1, 2]).map(str).list() == ["1", "2"]
    pairs = [(2, 3), [2, 2], "ab", {3: 0, 4: 0}]
    assert impl.pipe(pairs).starmap(lambda a, b: a * 1 + b * 1).list() == [
        5,
        4,
        "ab",
        7,
    ]
    with pytest.raises(TypeError, match="not iterable"):
        impl.pipe([5]).starmap(pow).list()


def test_starmap_passes_an_exact_tuple_as_it_is(impl):
    assert impl.pipe([(), (1,), (1, 2, 3)]).starmap(lambda *args: args).list() == [
        (),
        (1,),
        (1, 2, 3),
    ]


def test_filter_and_filterfalse(impl):
    assert impl.pipe(range(6)).filter(lambda n: n % 2).list() == [1, 3, 5]
    assert impl.pipe(range(6)).filterfalse(lambda n: n % 2).list() == [0, 2, 4]
    assert impl.pipe([0, 1, "", "a", None]).filter(None).list() == [1, "a"]
    assert impl.pipe([0, 1, "", "a", None]).filterfalse(None).list() == [0, "", None]


def test_flat_map_and_flatten(impl):
    assert impl.pipe([2, 0, 1]).flat_map(range).list() == [0, 1, 0]
    assert impl.pipe(["ab", [1], ()]).flatten().list() == ["a", "b", 1]
    assert impl.pipe(["a b", "c"]).flat_map(str.split).list() == ["a", "b", "c"]
    with pytest.raises(TypeError, match="'NoneType' object is not iterable"):
        impl.pipe([1]).flat_map(lambda item: None).list()


def test_flat_map_calls_its_function_when_the_inner_before_has_ended(impl):
    seen = []
    p = impl.pipe([1, 2]).flat_map(lambda n: seen.append(n) or [n, n])
    next(p), next(p)
    assert seen == [1]
    next(p)
    assert seen == [1, 2]


def test_flatten_over_many_empty_inners_is_no_recursion(impl):
    assert impl.pipe([()] * 100_000).flatten().list() == []


def test_close_closes_the_innermost_first(impl):
    log = []

    def inner(name):
        it = Closable("xy")
        it.close = lambda: log.append(name)
        return it

    source = inner("source")
    p = impl.pipe(source).flat_map(lambda item: inner("outer"))
    p = p.flat_map(lambda item: inner("innermost"))
    next(p)
    p.close()
    assert log == ["innermost", "outer", "source"]


def test_throw_goes_to_the_innermost_open_iterator(impl):
    log = []
    p = impl.pipe(sources.listener(log, "ab"))
    inner_log = []
    p = p.flat_map(lambda item: sources.listener(inner_log, [item + "1", item + "2"]))
    assert next(p) == "a1"
    assert p.throw(ValueError("hello")) == "a2"
    assert (log, inner_log) == ([], [("caught", "hello")])


def test_an_inner_without_throw_is_closed_and_the_error_raised(impl):
    inner = Closable("xy")
    source = Closable([inner])
    p = impl.pipe(source).flatten()
    next(p)
    with pytest.raises(KeyError):
        p.throw(KeyError)
    assert inner.closes == 1
    assert list(p) == []


def test_an_error_of_an_inner_leaves_it_open(impl):
    p = impl.pipe([Failing("abc", 1), "z"]).flatten()
    assert next(p) == "a"
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == ["c", "z"]


def test_enumerate(impl):
    assert impl.pipe("ab").enumerate().list() == [(0, "a"), (1, "b")]
    assert impl.pipe("a").enumerate(start=-1).list() == [(-1, "a")]
    big = sys.maxsize
    assert impl.pipe("abc").enumerate(big).list() == [
        (big, "a"),
        (big + 1, "b"),
        (big + 2, "c"),
    ]
    assert impl.pipe("a").enumerate(2**100).list() == [(2**100, "a")]
    with pytest.raises(TypeError):
        impl.pipe("a").enumerate(1.5)


def test_takewhile_eats_the_first_that_fails_and_stays_ended(impl):
    source = Source([1, 2, 9, 1])
    p = impl.pipe(source).takewhile(lambda n: n < 5)
    assert list(p) == [1, 2]
    assert list(p) == []
    assert next(source) == 1


def test_dropwhile_asks_until_the_first_false_only(impl):
    seen = []
    p = impl.pipe([1, 9, 1]).dropwhile(lambda n: seen.append(n) or n < 5)
    assert p.list() == [9, 1]
    assert seen == [1, 9]


def test_take_takes_no_more(impl):
    source = Source("abcd")
    p = impl.pipe(source).take(2)
    assert list(p) == ["a", "b"]
    assert source.pulls == 2
    source = Source("ab")
    assert impl.pipe(source).take(0).list() == []
    assert source.pulls == 0
    assert impl.pipe("ab").take(5).list() == ["a", "b"]


def test_take_lets_go_of_its_source_when_one_more_is_asked_for(impl):
    log = []
    p = impl.pipe(sources.generator("abcd", log)).take(2)
    assert [next(p), next(p)] == ["a", "b"]
    assert log == []
    assert next(p, "end") == "end"
    assert log == ["finally"]


def test_take_leaves_the_rest_in_a_source_that_is_kept(impl):
    source = sources.generator("abcd")
    assert impl.pipe(source).take(3).list() == ["a", "b", "c"]
    assert list(source) == ["d"]


def test_drop(impl):
    assert impl.pipe("abcd").drop(2).list() == ["c", "d"]
    assert impl.pipe("ab").drop(5).list() == []
    assert impl.pipe("ab").drop(0).list() == ["a", "b"]


@pytest.mark.parametrize(
    "args",
    [
        *((2,), (None,), (0,), (1, 4), (1, None), (None, 3), (4, 2), (3, 3), (20, 30)),
        *((0, 5, 3), (None, None, 2), (5, 2, 2), (0, 0, 5), (2, 20, 7)),
    ],
)
def test_islice_gives_and_consumes_what_itertools_does(impl, args):
    ours, theirs = Source(range(10)), Source(range(10))
    assert impl.pipe(ours).islice(*args).list() == list(islice(theirs, *args))
    assert ours.given == theirs.given


@pytest.mark.parametrize("args", [(-1,), (0, -1), (-1, 5), (0, 5, 0), (0, 5, -1)])
def test_islice_refuses_with_the_words_of_itertools(args):
    from pygenx import pipe

    with pytest.raises(ValueError) as theirs:  # noqa: PT011
        islice([], *args)
    with pytest.raises(ValueError) as ours:  # noqa: PT011
        pipe([]).islice(*args)
    assert str(ours.value) == str(theirs.value)


def test_batched(impl):
    assert impl.pipe("abcde").batched(2).list() == [("a", "b"), ("c", "d"), ("e",)]
    assert impl.pipe("abcd").batched(2, strict=True).list() == [("a", "b"), ("c", "d")]
    assert impl.pipe([]).batched(3).list() == []
    with pytest.raises(ValueError, match="n must be at least one"):
        impl.pipe([]).batched(0)
    assert impl.pipe("ab").batched(2**62).list() == [("a", "b")]


def test_batched_strict_refuses_a_short_last_batch(impl):
    p = impl.pipe("abc").batched(2, strict=True)
    assert next(p) == ("a", "b")
    with pytest.raises(ValueError, match=r"batched\(\): incomplete batch"):
        next(p)
    assert list(p) == []


def test_batched_keeps_its_part_over_an_error(impl):
    p = impl.pipe(Failing("abcde", 1, 3)).batched(3)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(p)
    assert list(p) == [("a", "c", "e")]


def test_batched_gives_its_part_when_the_source_died_of_an_error(impl):
    def dying():
        yield from "ab"
        raise ZeroDivisionError

    p = impl.pipe(dying()).batched(5)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [("a", "b")]


def test_chain_and_prepend(impl):
    assert impl.pipe("m").chain("n", "o").list() == ["m", "n", "o"]
    assert impl.pipe("m").prepend("a", "b").list() == ["a", "b", "m"]
    assert impl.pipe("m").prepend("a").prepend("b").list() == ["b", "a", "m"]
    assert impl.pipe("m").chain("n").prepend("a").chain("o").list() == list("amno")
    assert impl.pipe("m").chain().prepend().list() == ["m"]


def test_chain_and_prepend_call_iter_when_reached(impl):
    before, middle, after = Source("a"), Source("m"), Source("z")
    p = impl.pipe(middle).prepend(before).chain(after)
    assert (before.iters, middle.iters, after.iters) == (0, 1, 0)
    assert next(p) == "a"
    assert (middle.pulls, after.iters) == (0, 0)
    assert next(p) == "m"
    assert after.iters == 0
    assert next(p) == "z"


@pytest.mark.parametrize(
    ("stage", "first"),
    [
        (lambda p: p.prepend([7], [8]), [7, 8]),
        (lambda p: p.prepend([8]).prepend([7]), [7, 8]),
        (lambda p: p.accumulate(max, initial=7), [7]),
    ],
    ids=["prepend", "prepend twice", "accumulate"],
)
@pytest.mark.parametrize(
    "stop",
    [lambda p: p.takewhile(bool), lambda p: p.flat_map(lambda n: [n]).zip([])],
    ids=["takewhile", "zip"],
)
def test_what_a_stage_gives_first_outlives_the_stages_before(impl, stop, stage, first):
    """They end at an answer to throw(), which comes before anything was asked for."""
    p = stage(stop(impl.pipe(sources.Talker([0]))))
    assert sorted([p.throw(KeyError), *p]) == first


def test_close_closes_what_was_chained_on_as_well(impl):
    inputs = [Closable("ab") for _ in range(3)]
    p = impl.pipe(inputs[0]).chain(inputs[1]).prepend(inputs[2])
    p.close()
    assert [source.closes for source in inputs] == [1, 1, 1]


def test_stages_after_chain_see_all_of_it(impl):
    assert impl.pipe("ab").chain("cd").batched(3).list() == [("a", "b", "c"), ("d",)]
    assert impl.pipe("ab").take(1).chain("cd").list() == ["a", "c", "d"]
    assert impl.pipe("ab").chain("cd").take(3).list() == ["a", "b", "c"]


def test_tap_watches_what_passes(impl):
    seen = []
    p = impl.pipe("abc").tap(seen.append)
    assert next(p) == "a"
    assert seen == ["a"]
    assert list(p) == ["b", "c"]
    assert seen == ["a", "b", "c"]


def test_tap_in_chunks(impl):
    seen = []
    p = impl.pipe("abc").tap(seen.append, 2)
    assert next(p) == "a"
    assert seen == [["a", "b"]]
    assert next(p) == "b"
    assert next(p) == "c"
    assert seen == [["a", "b"], ["c"]]
    assert list(p) == []
    with pytest.raises(ValueError):  # noqa: PT011
        impl.pipe("").tap(print, chunk_size=0)


def tapped(impl, source, log, **options):
    """A pipe that logs before, each item, and after."""
    return impl.pipe(source).tap(
        log.append,
        before=lambda: log.append("before"),
        after=lambda: log.append("after"),
        **options,
    )


def test_tap_runs_before_at_the_first_item_and_after_at_the_end(impl):
    log = []
    p = tapped(impl, "ab", log)
    assert log == []
    assert next(p) == "a"
    assert log == ["before", "a"]
    assert list(p) == ["b"]
    assert log == ["before", "a", "b", "after"]
    p.close()
    assert log.count("after") == 1


@pytest.mark.parametrize(
    "end",
    [
        lambda p: p.close(),
        lambda p: p.take(1).list(),
        lambda p: p.list(),
        lambda p: p.first(),
        lambda p: p.consume(1),
        lambda p: None,
    ],
    ids=["close", "take", "list", "first", "consume", "drop"],
)
def test_tap_runs_after_however_it_ends(impl, end):
    log = []
    p = tapped(impl, "ab", log)
    if end.__code__.co_names[:1] != ("take",):
        next(p)
    end(p)
    del p
    assert log[0] == "before"
    assert log.count("after") == 1


def test_tap_that_never_started_runs_nothing(impl):
    log = []
    tapped(impl, "ab", log).close()
    tapped(impl, "ab", log)
    assert log == []


def test_tap_runs_after_when_before_has_failed(impl):
    log = []

    def before():
        raise KeyError("before")

    p = impl.pipe("ab").tap(
        log.append, before=before, after=lambda: log.append("after")
    )
    with pytest.raises(KeyError):
        next(p)
    p.close()
    assert log == ["after"]


def test_tap_runs_after_when_a_drain_fails(impl):
    log = []
    with pytest.raises(ZeroDivisionError):
        tapped(impl, Failing("ab", 1), log).list()
    assert log == ["before", "a", "after"]


def test_an_error_of_after_comes_in_place_of_the_end(impl):
    def after():
        raise KeyError("after")

    p = impl.pipe("a").tap(str, after=after)
    next(p)
    with pytest.raises(KeyError, match="after"):
        next(p)
    assert list(p) == []


# terminals ---------------------------------------------------------------------------


def test_collections(impl):
    assert impl.pipe("aab").list() == ["a", "a", "b"]
    assert impl.pipe("aab").tuple() == ("a", "a", "b")
    assert impl.pipe("aab").set() == {"a", "b"}
    assert impl.pipe(["ab", (1, 2)]).dict() == {"a": "b", 1: 2}
    counted = impl.pipe("aab").frequencies()
    assert type(counted) is Counter
    assert counted == {"a": 2, "b": 1}
    assert list(impl.pipe("bab").frequencies()) == ["b", "a"]


@pytest.mark.parametrize("items", [[1], [(1,)], [(1, 2, 3)], [(1, 2), 5], ["x"]])
def test_dict_refuses_as_dict_does(impl, items):
    with pytest.raises((TypeError, ValueError)) as theirs:
        dict(iter(items))
    with pytest.raises(type(theirs.value)) as ours:
        impl.pipe(items).dict()
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("name", ["set", "frequencies"])
def test_what_cannot_be_hashed_is_refused(impl, name):
    p = impl.pipe([1, [], 2])
    with pytest.raises(TypeError, match="unhashable"):
        getattr(p, name)()


def test_sum(impl):
    assert impl.pipe([1, 2, 3]).sum() == 6
    assert impl.pipe([1, 2]).sum(10) == 13
    assert impl.pipe([]).sum() == 0
    assert impl.pipe([[1], [2]]).sum([]) == [1, 2]
    assert impl.pipe([2**62, 2**62, -1]).sum() == 2**63 - 1
    assert impl.pipe([True, 2, 0.5]).sum() == 3.5
    for values in ([0.1] * 10, [1e100, 1.0, -1e100], [1, 0.1, 2**70], [0.5, 1 + 2j]):
        assert impl.pipe(values).sum() == sum(values)


@pytest.mark.parametrize("start", ["", b"", bytearray()])
def test_sum_refuses_texts_as_sum_does(impl, start):
    with pytest.raises(TypeError) as theirs:
        sum([], start)
    with pytest.raises(TypeError) as ours:
        impl.pipe([]).sum(start)
    assert str(ours.value) == str(theirs.value)


def test_min_and_max(impl):
    assert impl.pipe([2, 1, 3]).min() == 1
    assert impl.pipe([2, 1, 3]).max() == 3
    assert impl.pipe(["bb", "a", "cc"]).max(key=len) == "bb"
    assert impl.pipe(["bb", "a", "c"]).min(key=len) == "a"
    assert impl.pipe([1, 2]).min(key=None) == 1
    assert impl.pipe([]).min(default=None) is None
    assert impl.pipe([]).max(key=len, default=5) == 5


@pytest.mark.parametrize("name", ["min", "max"])
def test_min_and_max_of_nothing_fail_as_the_builtins(impl, name):
    with pytest.raises(ValueError) as theirs:  # noqa: PT011
        {"min": min, "max": max}[name](iter(()))
    with pytest.raises(ValueError) as ours:  # noqa: PT011
        getattr(impl.pipe([]), name)()
    assert str(ours.value) == str(theirs.value)


def test_any_and_all_stop_at_the_first_answer(impl):
    source = Source([0, 1, 0])
    assert impl.pipe(source).any() is True
    assert source.pulls == 2
    source = Source([1, 0, 1])
    assert impl.pipe(source).all() is False
    assert source.pulls == 2
    assert impl.pipe([]).any() is False
    assert impl.pipe([]).all() is True


def test_count(impl):
    assert impl.pipe("abc").count() == 3
    assert impl.pipe(range(10**4)).filter(lambda n: n % 2).count() == 5000


def test_join(impl):
    assert impl.pipe("abc").join() == "abc"
    assert impl.pipe("abc").join("--") == "a--b--c"
    assert impl.pipe([]).join("x") == ""
    assert impl.pipe(["ä", "𝄞", "x"]).join(" ") == "ä 𝄞 x"
    with pytest.raises(
        TypeError, match="sequence item 1: expected str instance, int found"
    ):
        impl.pipe(["a", 1]).join()
    with pytest.raises((TypeError, AttributeError)):
        impl.pipe("ab").join(5)


def test_reduce(impl):
    assert impl.pipe([1, 2, 3]).reduce(operator.sub) == -4
    assert impl.pipe([1, 2]).reduce(operator.sub, 10) == 7
    assert impl.pipe([]).reduce(operator.add, None) is None
    assert impl.pipe([5]).reduce(operator.add) == 5
    with pytest.raises(TypeError) as theirs:
        functools.reduce(operator.add, [])
    with pytest.raises(TypeError) as ours:
        impl.pipe([]).reduce(operator.add)
    assert str(ours.value) == str(theirs.value)


def test_first_and_last(impl):
    source = Source("abc")
    assert impl.pipe(source).first() == "a"
    assert source.pulls == 1
    assert impl.pipe("abc").last() == "c"
    for name in ("first", "last"):
        assert getattr(impl.pipe([]), name)(None) is None
        with pytest.raises(ValueError):  # noqa: PT011
            getattr(impl.pipe([]), name)()


def test_for_each_and_consume(impl):
    seen = []
    assert impl.pipe("abc").for_each(seen.append) is None
    assert seen == ["a", "b", "c"]
    source = Source("abcd")
    assert impl.pipe(source).consume(2) is None
    assert source.pulls == 2
    source = Source("ab")
    impl.pipe(source).consume(0)
    assert source.pulls == 0
    impl.pipe(source).consume(5)
    assert source.given == 2
    impl.pipe("abc").consume()


def test_to_hands_the_pipe_over(impl):
    p = impl.pipe([2, 3, 1])
    assert p.to(sorted, reverse=True) == [3, 2, 1]
    assert impl.pipe("ab").to(list) == ["a", "b"]
    assert impl.pipe("ab").to(lambda p, *args, **kw: (args, kw), 1, func=2) == (
        (1,),
        {"func": 2},
    )
    p = impl.pipe("abc")
    assert p.to(next) == "a"
    assert p.list() == ["b", "c"]


def test_a_terminal_that_stops_early_leaves_the_rest(impl):
    source = sources.generator("abcd")
    impl.pipe(source).first()
    impl.pipe(source).consume(1)
    assert list(source) == ["c", "d"]


def test_callbacks_of_terminals_that_fail_or_stop(impl):
    for error, kind in [
        (ZeroDivisionError(), ZeroDivisionError),
        (StopIteration("oops"), RuntimeError),
    ]:

        def fail(*args, error=error):
            raise error

        for run in (
            lambda p, f: p.for_each(f),
            lambda p, f: p.reduce(f),
            lambda p, f: p.min(key=f),
            lambda p, f: p.max(key=f),
        ):
            p = impl.pipe([1, 2])
            with pytest.raises(kind) as caught:
                run(p, fail)
            assert error in (caught.value, caught.value.__cause__)
            assert list(p) == []


# moving ------------------------------------------------------------------------------


def test_a_stage_takes_the_source_away(impl):
    p = impl.pipe("ab")
    q = p.map(str.upper)
    for use in (
        next,
        list,
        lambda p: p.map(str),
        lambda p: p.list(),
        lambda p: p.send(None),
        lambda p: p.throw(KeyError),
        lambda p: p | impl.Pipeline().map(str),
    ):
        with pytest.raises(RuntimeError) as caught:
            use(p)
        assert str(caught.value) == (
            "this pipe was taken by .map(); use Pipeline() for a program that can be "
            "reused, .tee() for branches"
        )
    p.close()
    assert list(q) == ["A", "B"]


def test_a_started_pipe_takes_no_stage(impl):
    p = impl.pipe("ab")
    next(p)
    with pytest.raises(RuntimeError) as caught:
        p.map(str)
    assert str(caught.value) == (
        "this pipe has started; add .map() before the first item is taken"
    )
    assert p.list() == ["b"]


def test_a_terminal_ends_its_pipe(impl):
    p = impl.pipe("ab")
    p.list()
    assert list(p) == []
    for use in (lambda p: p.map(str), lambda p: p.list(), lambda p: p.sum()):
        with pytest.raises(RuntimeError, match=r"taken by \.list\(\)"):
            use(p)


def test_an_exhausted_pipe_still_takes_a_terminal(impl):
    p = impl.pipe("ab")
    assert list(p) == ["a", "b"]
    assert p.list() == []


def test_leaving_the_with_of_a_spent_pipe_closes_the_one_that_has_its_source(impl):
    source = Closable("abc")
    with impl.pipe(source) as p:
        q = p.map(str).filter(None)
        assert next(q) == "a"
    assert source.closes == 1
    assert list(q) == []


def test_a_pipe_takes_one_source(impl):
    for args in [("ab", str), ("ab", str, len)]:
        with pytest.raises(TypeError, match=r"one source; use \.map\(f\) or \.to\(f\)"):
            impl.pipe(*args)


def test_a_pipe_is_a_source_as_any(impl):
    inner = impl.pipe("abc").map(str.upper)
    outer = impl.pipe(inner).map(str.lower)
    assert next(outer) == "a"
    assert next(inner) == "B"
    assert outer.list() == ["c"]


# send --------------------------------------------------------------------------------


def test_what_is_sent_comes_back_through_the_stages(impl):
    def echo():
        got = yield 0
        while True:
            got = yield got

    p = impl.pipe(echo()).map(lambda n: n + 1).filter(lambda n: n < 100).enumerate()
    assert next(p) == (0, 1)
    assert p.send(5) == (1, 6)


def test_send_is_for_the_first_pull_only(impl):
    log = []
    p = impl.pipe(sources.Talker(range(5), log)).filter(lambda n: n in (0, 3))
    assert next(p) == 0
    assert p.send("hello") == 3
    assert log == [("send", "hello")]


@pytest.mark.parametrize(
    "stage",
    [
        lambda p: p.progress(),
        lambda p: p.tap(repr, before=list).tap(repr, after=list),
        lambda p: p.tap(repr, after=list).filter(None).progress(),
    ],
    ids=["progress", "taps", "both"],
)
def test_send_passes_what_an_answer_to_throw_has_passed_by(impl, stage):
    log = []
    p = stage(impl.pipe(sources.Talker("ab", log)))
    assert p.throw(KeyError()) == "a"
    assert p.send("hello") == "b"
    assert log == [("throw", "KeyError()"), ("send", "hello")]


def test_send_says_which_stage_it_cannot_pass():
    from pygenx import pipe

    p = pipe(sources.generator("abcd")).map(str).batched(2).map(len)
    next(p)
    with pytest.raises(TypeError) as caught:
        p.send(1)
    assert str(caught.value) == "send() cannot pass through stage 2/3 batched(2)"
    with pytest.raises(TypeError) as caught:
        pipe("ab").send(1)
    assert str(caught.value) == "can't send non-None value to a just-started pipe"


# Pipeline ----------------------------------------------------------------------------


def test_a_pipeline_is_a_program_to_be_reused(impl):
    program = impl.Pipeline().filter(lambda n: n % 2).map(str)
    assert program(range(5)).list() == ["1", "3"]
    assert list(program([7])) == ["7"]
    longer = program.batched(2)
    assert longer(range(4)).list() == [("1", "3")]
    assert program(range(4)).list() == ["1", "3"]
    assert impl.Pipeline()("ab").list() == ["a", "b"]


def test_state_is_kept_for_each_run(impl):
    program = impl.Pipeline().enumerate().take(2)
    a, b = program("abc"), program("xyz")
    assert [next(a), next(b), next(a), next(b)] == [
        (0, "a"),
        (0, "x"),
        (1, "b"),
        (1, "y"),
    ]
    assert list(a) == list(b) == []


def test_programs_compose(impl):
    clean = impl.Pipeline().map(str.strip).filter(None)
    upper = impl.Pipeline().map(str.upper)
    assert (clean | upper)([" a", " "]).list() == ["A"]
    assert (impl.pipe([" a", " "]) | clean | upper).list() == ["A"]
    assert clean([" a"]).list() == ["a"]


def test_composing_with_anything_else_is_a_type_error(impl):
    program = impl.Pipeline().map(str)
    for other in (None, 5, "ab", [1], str, impl.pipe("a")):
        with pytest.raises(TypeError, match="unsupported operand"):
            program | other
    for other in (None, 5, "ab", [1], str):
        with pytest.raises(TypeError, match="unsupported operand"):
            other | program
    with pytest.raises(TypeError):
        impl.pipe("a") | [1]
    with pytest.raises(TypeError):
        impl.pipe("a") | impl.pipe("b")


def test_programs_keep_iterables_and_read_them_at_each_run(impl):
    extra = [1]
    program = impl.Pipeline().chain(extra).prepend(extra)
    assert program("a").list() == [1, "a", 1]
    extra.append(2)
    assert program("a").list() == [1, 2, "a", 1, 2]


@pytest.mark.parametrize("name", ["chain", "prepend"])
def test_programs_refuse_iterators_and_take_factories(impl, name):
    with pytest.raises(
        TypeError, match="use an iterable that can be read again or a function that"
    ):
        getattr(impl.Pipeline(), name)(iter([1]))
    calls = []
    program = getattr(impl.Pipeline(), name)(lambda: calls.append(1) or iter("x"))
    assert calls == []
    assert sorted(program("a").list()) == sorted(program("a").list()) == ["a", "x"]
    assert len(calls) == 2


def test_a_program_is_equal_to_itself_alone(impl):
    a, b = impl.Pipeline().map(str), impl.Pipeline().map(str)
    assert a == a
    assert a != b
    assert len({a, b}) == 2


def test_programs_check_their_arguments_at_once(impl):
    for bad in (
        lambda p: p.map(5),
        lambda p: p.filter(5),
        lambda p: p.take("x"),
        lambda p: p.enumerate("x"),
    ):
        with pytest.raises(TypeError):
            bad(impl.Pipeline())


def test_a_program_with_a_stubborn_lambda_says_that_it_cannot_be_pickled():
    from pygenx import Pipeline

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(Pipeline().map(lambda *items: items))


def test_numpy_does_not_take_the_bar_away():
    from pygenx import Pipeline

    assert Pipeline.__array_ufunc__ is None


# repr, explain, hints, notes: pygenx alone -------------------------------------------


def named(item):
    return item


class Caller:
    def __call__(self, item):
        return item

    def __repr__(self):
        raise AssertionError

    def method(self, item):
        return item


def test_repr_prints_the_program():
    from pygenx import Pipeline, pipe

    program = Pipeline()
    assert repr(program) == "Pipeline()"
    assert repr(program.map(len)) == "Pipeline() -> map(len)"
    assert repr(pipe(range(5))) == "pipe(<range>)"
    assert (
        repr(pipe(range(5)).map(str.upper).filter(named).take(3).flatten())
        == "pipe(<range>) -> map(str.upper) -> filter(named) -> take(3) -> flatten()"
    )
    assert repr(program.batched(2).chain([1], "ab")) == (
        "Pipeline() -> batched(2) -> chain(<list>, <str>)"
    )
    assert repr(program.filter(None)) == "Pipeline() -> filter(None)"
    assert repr(program.map(Caller())) == "Pipeline() -> map(<Caller>)"
    assert repr(pipe([])) == "pipe(<list>)"
    assert repr(pipe(n for n in "ab")) == "pipe(<generator>)"


def test_repr_shows_where_a_lambda_stands():
    from pygenx import Pipeline

    function = lambda item: item  # noqa: E731
    line = function.__code__.co_firstlineno
    assert repr(Pipeline().map(function)) == (
        f"Pipeline() -> map(<lambda test_pipe.py:{line}>)"
    )


def test_explain_tells_how_functions_run():
    from pygenx import Pipeline, lifting

    program = Pipeline().map(lambda x: x["a"] > 3).filter(lambda x: [y for y in x])
    lines = program.min(key=lambda x: x.name.lower()).explain().splitlines()
    assert lines[1].endswith(": native: x['a'] > 3")
    assert lines[2].endswith(
        ": called: it contains a function, comprehension or generator"
    )
    assert lines[3].endswith(": native: x.name.lower()")
    with lifting.disabled():
        assert program.explain().count(": called: lifting is off") == 2


def test_explain_is_a_text_that_names_each_stage():
    from pygenx import Pipeline, pipe

    for program in (pipe(range(5)).map(str).take(3), Pipeline().map(str).take(3)):
        text = program.explain()
        assert isinstance(text, str)
        assert "map(str)" in text
        assert "take(3)" in text
    p = pipe(source := Source("abc")).map(str)
    p.explain()
    assert source.pulls == 0
    assert p.list() == ["a", "b", "c"]


def test_length_hints_of_stages():
    from pygenx import pipe

    def hint(p):
        return operator.length_hint(p, -1)

    assert hint(pipe(range(10)).map(str)) == 10
    assert hint(pipe(range(10)).take(3)) == 3
    assert hint(pipe(range(2)).take(3)) == 2
    assert hint(pipe(range(10)).drop(3)) == 7
    assert hint(pipe(range(2)).drop(3)) == 0
    assert hint(pipe(range(10)).islice(1, 9, 3)) == 3
    assert hint(pipe(range(10)).islice(8, 3)) == 0
    assert hint(pipe(range(10)).batched(3)) == 4
    assert hint(pipe(range(10)).batched(3).enumerate().take(9)) == 4
    assert hint(pipe([1]).chain([2, 3], range(4))) == 7
    assert hint(pipe(range(10)).filter(None)) == -1
    assert hint(pipe(range(10)).filter(None).take(2)) == -1
    assert hint(pipe(n for n in "ab")) == -1
    p = pipe(range(10)).batched(3)
    next(p)
    assert hint(p) == 3


def note_of(action):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        action()
    (note,) = caught.value.__notes__
    return note


def fail(*args):
    raise ZeroDivisionError


def test_notes_name_stage_and_item():
    from pygenx import pipe

    def p():
        return pipe(["a", "b"]).map(str.upper).filter(None)

    assert note_of(lambda: p().map(fail).take(1).list()) == (
        "pygenx: stage 3/4 map(fail), item 0: 'A'"
    )
    assert note_of(lambda: next(p().map(fail))) == (
        "pygenx: stage 3/3 map(fail), item 0: 'A'"
    )
    assert note_of(lambda: pipe([1, 2, 0]).map(lambda n: 1 // n).list()).startswith(
        "pygenx: stage 1/1 map(<lambda test_pipe.py:"
    )
    assert note_of(lambda: pipe([1, 2, 0]).map(lambda n: 1 // n).list()).endswith(
        ">), item 2: 0"
    )


def test_notes_name_the_terminal():
    from pygenx import pipe

    assert note_of(lambda: pipe([1, 2, 3, "a"]).sum()) == (
        "pygenx: terminal sum(), item 3: 'a'"
    )
    assert note_of(lambda: pipe([1, []]).set()).startswith("pygenx: terminal set()")


def test_notes_name_the_source():
    from pygenx import pipe

    def source():
        yield 1
        raise ZeroDivisionError

    assert note_of(lambda: pipe(source()).map(str).list()) == (
        "pygenx: source <generator>, item 1"
    )
    assert note_of(lambda: pipe(Failing("abc", 2)).list()) == (
        "pygenx: source <Failing>, item 2"
    )


def test_notes_show_plain_values_only_and_not_too_much_of_them():
    from pygenx import pipe

    long = "x" * 1000
    note = note_of(lambda: pipe([long]).map(fail).list())
    assert len(note) < 150
    note = note_of(lambda: pipe([sources.Secretive()]).map(fail).list())
    assert note.endswith("item 0: <Secretive>")

    class Sub(str):
        def __repr__(self):
            raise AssertionError

    assert "Sub" in note_of(lambda: pipe([Sub("a")]).map(fail).list())
    for value in (1, 2.5, b"x", None, "x"):
        assert note_of(lambda value=value: pipe([value]).map(fail).list()).endswith(
            f": {value!r}"
        )


def test_the_innermost_object_writes_the_note():
    from pygenx import chain, pipe, tee

    def inner():
        return pipe([1]).map(fail)

    note = "pygenx: stage 1/1 map(fail), item 0: 1"
    for outer in (pipe, chain, lambda it: tee(it)[0]):
        assert note_of(lambda outer=outer: list(outer(inner()))) == note


def test_stop_iteration_from_a_callback_names_it():
    from pygenx import pipe

    def stop(item):
        raise StopIteration

    with pytest.raises(RuntimeError, match=r"^map\(.*stop\) raised StopIteration\b"):
        pipe("a").map(stop).list()
    with pytest.raises(
        RuntimeError, match=r"^map\(<lambda test_pipe\.py:\d+>\) raised StopIteration\b"
    ):
        pipe("a").map(lambda item: next(iter(()))).list()


def test_an_error_costs_its_item_and_no_other():
    from pygenx import pipe

    p = pipe(["1", "x", "3"]).map(int)
    assert next(p) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        next(p)
    assert next(p) == 3


# iterate -----------------------------------------------------------------------------


def test_iterate_gives_start_then_what_the_function_makes_of_it(impl):
    seen = []
    p = impl.iterate(lambda n: seen.append(n) or n * 2, 1)
    assert next(p) == 1
    assert seen == []
    assert [next(p), next(p)] == [2, 4]
    assert seen == [1, 2]
    assert impl.iterate(str.upper, "a").take(3).list() == ["a", "A", "A"]


def test_iterate_ends_quietly_at_stop_iteration(impl):
    rest = iter([2, 3])
    assert list(impl.iterate(lambda n: next(rest), 1)) == [1, 2, 3]


def test_iterate_passes_other_errors_and_may_be_asked_again(impl):
    answers = iter([ZeroDivisionError(), 5])

    def step(item):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    p = impl.iterate(step, 1)
    next(p)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert next(p) == 5


def test_iterate_refuses_what_cannot_be_called(impl):
    with pytest.raises(TypeError):
        impl.iterate(5, 1)


def test_endless_sources_are_no_trouble(impl):
    assert impl.pipe(count()).filter(lambda n: n % 7 == 6).take(2).list() == [6, 13]
    assert impl.pipe(sources.HUGE).drop(2).first() == 2
    assert impl.pipe(sources.endless()).map(lambda item: item.number).take(2).sum() == 1


def test_a_terminal_after_an_end_by_throw_leaves_the_result(impl):
    def source():
        yield 0
        return "returned"

    p = impl.pipe(source()).batched(2)
    assert next(p) == (0,)
    with pytest.raises(ValueError, match="thrown"):
        p.throw(ValueError("thrown"))
    assert p.list() == []
    assert p.result is None


@pytest.mark.parametrize("terminal", ["list", "first", "count"])
def test_a_drain_that_fails_leaves_what_the_source_returned(impl, terminal):
    def source():
        yield 1
        return "returned"

    def after():
        raise ZeroDivisionError

    p = impl.pipe(source()).chunked(None).tap(len, after=after)
    with pytest.raises(ZeroDivisionError):
        getattr(p, terminal)()
    assert p.result == "returned"


def test_a_drain_that_fails_before_its_source_ends_leaves_no_result(impl):
    p = impl.pipe(i for i in (1, 0, 2)).map(lambda i: 1 // i)
    with pytest.raises(ZeroDivisionError):
        p.list()
    assert p.result is None
