"""catch, map_except and Failure: whose errors, what goes on instead, what is told."""

import functools
import gc
import pickle
import sys
import weakref

import pytest
import sources
from sources import Closable, Failing, Source

TEXTS = ["1", "x", "3"]


def notes(error):
    return getattr(error, "__notes__", [])


def fail(*args):
    raise LookupError(*args)


def dying(*items):
    """A generator that gives these, then raises."""
    yield from items
    raise KeyError("dead")


# what is caught ----------------------------------------------------------------------


def test_the_item_that_failed_is_dropped(impl):
    assert impl.pipe(TEXTS).map(int).catch(ValueError).list() == [1, 3]
    assert list(impl.pipe(TEXTS).map(int).catch(ValueError)) == [1, 3]
    assert impl.Pipeline().map(int).catch(ValueError)(TEXTS).sum() == 4


def test_only_the_classes_that_are_named(impl):
    p = impl.pipe(TEXTS).map(int).catch(KeyError, TypeError)
    assert next(p) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        next(p)
    assert next(p) == 3
    assert impl.pipe(TEXTS).map(int).catch(KeyError, ValueError).list() == [1, 3]
    assert impl.pipe([[]]).map(lambda x: x[0]).catch(LookupError).list() == []


def test_errors_of_later_stages_are_not(impl):
    p = impl.pipe(TEXTS).catch(ValueError).map(int)
    assert next(p) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        next(p)
    with pytest.raises(ValueError, match="invalid literal"):
        impl.pipe(TEXTS).catch(ValueError).for_each(int)
    with pytest.raises(TypeError):
        impl.pipe(["a", 1]).catch(TypeError).join()


def test_the_nearest_later_one_that_matches_wins(impl):
    seen = []
    p = (
        impl.pipe(TEXTS)
        .catch(Exception, do=lambda f: seen.append("before"))
        .map(int)
        .catch(KeyError, do=lambda f: seen.append("other"))
        .catch(ValueError, do=lambda f: seen.append("near"))
        .catch(Exception, do=lambda f: seen.append("far"))
    )
    assert p.list() == [1, 3]
    assert seen == ["near"]


def test_an_error_of_a_source_that_goes_on(impl):
    source = Failing("abc", 1)
    assert impl.pipe(source).catch(ZeroDivisionError).list() == ["a", "c"]
    assert source.pulls == 4


def test_a_generator_that_raised_has_ended(impl):
    assert impl.pipe(dying(1, 2)).catch(KeyError).list() == [1, 2]
    assert impl.pipe(dying()).catch(KeyError).chain([3]).list() == [3]


def test_errors_of_an_inner_iterator_and_of_iter(impl):
    p = impl.pipe([1, 2]).flat_map(lambda n: dying(n, n))
    assert p.catch(KeyError).list() == [1, 1, 2, 2]
    inner = [Failing("abc", 1), 5, "z", sources.FailingIter(ZeroDivisionError("no"))]
    p = impl.pipe(inner).flatten().catch(ZeroDivisionError, TypeError)
    assert p.list() == ["a", "c", "z"]


def test_errors_of_bool_and_of_keys(impl):
    bad = sources.FailingBool(ZeroDivisionError("bool"))
    assert impl.pipe([1, bad, 2]).filter(None).catch(ZeroDivisionError).list() == [1, 2]
    p = impl.pipe([1, 2]).filter(lambda n: bad if n == 1 else True)
    assert p.catch(ZeroDivisionError).list() == [2]


def test_errors_of_inputs_and_of_the_end(impl):
    p = impl.pipe([1]).chain(5, [2], sources.FailingIter(KeyError("no")), [3])
    assert p.catch(TypeError, KeyError).list() == [1, 2, 3]
    p = impl.pipe([1]).prepend(5, [0]).catch(TypeError)
    assert p.list() == [0, 1]
    p = impl.pipe([1, 2, 3]).batched(2, strict=True).catch(ValueError)
    assert p.list() == [(1, 2)]
    p = impl.pipe([1]).tap(str, after=fail).catch(LookupError, replace=lambda f: "end")
    assert p.list() == [1, "end"]
    p = impl.pipe([1]).tap(str, before=fail).catch(LookupError)
    assert p.list() == [1]


def test_a_batch_that_is_being_filled_is_kept(impl):
    p = impl.pipe(["1", "x", "2", "3"]).map(int).batched(2).catch(ValueError)
    assert p.list() == [(1, 2), (3,)]


def test_stop_iteration_of_a_callback_is_caught_as_a_runtime_error(impl):
    its = [iter([1]), iter([]), iter([3])]
    assert impl.pipe(its).map(next).catch(StopIteration, RuntimeError).list() == [1, 3]
    with pytest.raises(RuntimeError):
        impl.pipe([iter([])]).map(next).catch(StopIteration).list()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit])
def test_ctrl_c_and_generator_exit_want_to_be_named(impl, kind):
    def source():
        return Failing("abc", 1, error=kind())

    for classes in [(Exception,), (BaseException,), (BaseException, ValueError)]:
        with pytest.raises(kind):
            impl.pipe(source()).catch(*classes).list()
    assert impl.pipe(source()).catch(kind).list() == ["a", "c"]
    assert impl.pipe(source()).catch(BaseException, kind).list() == ["a", "c"]
    other = Failing("abc", 1, error=SystemExit())
    assert impl.pipe(other).catch(BaseException).list() == ["a", "c"]


def test_what_comes_back_from_throw_may_be_caught(impl):
    p = impl.pipe(iter([dying(1, 2), "z"])).flatten().catch(ValueError)
    assert next(p) == 1
    assert p.throw(ValueError) == "z"
    p = impl.pipe(dying(1, 2)).catch(ValueError)
    next(p)
    with pytest.raises(StopIteration):
        p.throw(ValueError)
    p = impl.pipe(dying(1, 2)).catch(ValueError)
    next(p)
    with pytest.raises(KeyError):
        p.throw(KeyError)
    assert list(p) == []


@pytest.mark.parametrize(
    "stage",
    [
        lambda p: p.tail(2).pluck(0),
        lambda p: p.windowed(4),
        lambda p: p.batched(2).batched(3),
    ],
    ids=["tail", "windowed", "batched twice"],
)
def test_a_catch_that_has_ended_takes_nothing_more(impl, stage):
    """The stages behind it give their last items: there is no place for others."""
    p = stage(impl.pipe("abc").catch(KeyError, replace=str))
    next(p)
    with pytest.raises(KeyError):
        p.throw(KeyError)
    assert list(p) == []


def test_stop_iteration_of_a_clean_up_is_caught_as_what_it_becomes(impl):
    kind = lambda failure: type(failure.error)  # noqa: E731
    p = impl.pipe("").on_close(functools.partial(next, iter(())))
    assert p.catch(Exception, replace=kind).list() == [RuntimeError]


def test_a_later_catch_takes_what_a_handler_makes_of_it(impl):
    kind = lambda failure: type(failure.error)  # noqa: E731
    p = impl.pipe(dying(1, 2)).catch(KeyError, do=ord).catch(TypeError, replace=kind)
    next(p)
    assert p.throw(KeyError) is TypeError
    assert list(p) == []


@pytest.mark.parametrize(
    "inner", [lambda item: [item, item], dying], ids=["no throw", "throw"]
)
def test_an_inner_iterator_fails_behind_a_catch_before_it(impl, inner):
    p = impl.pipe([1, 2]).catch(LookupError).flat_map(inner)
    assert next(p) == 1
    with pytest.raises(LookupError):
        p.throw(LookupError)
    assert list(p) == []


def test_send_passes_and_its_error_may_be_caught(impl):
    def echo():
        value = "first"
        while True:
            value = yield value

    p = impl.pipe(echo()).map(lambda x: 1 / x if x != "first" else x)
    p = p.catch(ZeroDivisionError, TypeError, replace=lambda f: "bad")
    assert next(p) == "first"
    assert p.send(2) == 0.5
    assert p.send(0) == "bad"
    assert p.send(4) == 0.25
    assert next(p) == "bad"  # None was sent


# do, replace, stop -------------------------------------------------------------------


def test_do_sees_and_replace_gives_what_goes_on(impl):
    seen = []
    p = impl.pipe(TEXTS).map(int)
    p = p.catch(ValueError, do=lambda f: seen.append(f.error), replace=lambda f: None)
    assert p.map(lambda x: x).list() == [1, None, 3]
    assert [type(error) for error in seen] == [ValueError]


def test_what_replace_gives_goes_on_behind_the_catch_only(impl):
    p = impl.pipe(TEXTS).map(int).catch(ValueError, replace=lambda f: -1)
    assert p.map(lambda n: n * 10).batched(2).list() == [(10, -10), (30,)]


def test_stop_ends_after_the_first(impl):
    source = Closable(["1", "x", "3"])
    assert impl.pipe(source).map(int).catch(ValueError, stop=True).list() == [1]
    assert (source.pulls, source.closes) == (2, 0)
    p = impl.pipe(TEXTS).map(int).catch(ValueError, replace=lambda f: 2, stop=True)
    assert p.list() == [1, 2]
    p = impl.pipe(TEXTS * 2).map(int).batched(2).catch(ValueError, stop=True)
    assert p.chain("z").list() == ["z"]  # the batch was above


def test_stop_closes_what_is_owned(impl):
    for replace in ({}, {"replace": lambda f: 2}):
        source = Closable(TEXTS)
        with impl.pipe(source).map(int).catch(ValueError, stop=True, **replace) as p:
            assert list(p) == [1, 2][: 1 + bool(replace)]
            assert source.closes == 1


def test_an_error_of_a_handler_is_the_catch_stages_own(impl):
    for options in ({"do": fail}, {"replace": fail}):
        p = impl.pipe(TEXTS).map(int).catch(ValueError, LookupError, **options)
        assert next(p) == 1
        with pytest.raises(LookupError) as caught:
            next(p)
        assert isinstance(caught.value.__context__, ValueError)
        assert next(p) == 3
        p = impl.pipe(TEXTS).map(int).catch(ValueError, **options)
        assert p.catch(LookupError, replace=lambda f: "late").list() == [1, "late", 3]


def test_a_handler_runs_as_in_an_except_block(impl):
    def check(failure):
        assert sys.exc_info()[1] is failure.error
        seen.append(failure)

    def reraise(failure):
        raise failure.error

    seen = []
    assert impl.pipe(TEXTS).map(int).catch(ValueError, do=check).list() == [1, 3]
    assert seen
    assert sys.exc_info() == (None, None, None)
    try:
        raise KeyError
    except KeyError as outer:
        impl.pipe(TEXTS).map(int).catch(ValueError, do=check).list()
        assert sys.exc_info()[1] is outer  # noqa: PT017
    with pytest.raises(ValueError, match="invalid literal") as caught:
        impl.pipe(TEXTS).map(int).catch(ValueError, do=reraise).list()
    assert caught.value.__context__ is None


def test_stop_iteration_of_a_handler_is_a_runtime_error(impl):
    def end(failure):
        raise StopIteration

    p = impl.pipe(TEXTS).map(int).catch(ValueError, do=end)
    with pytest.raises(RuntimeError):
        list(p)
    assert list(p) == [3]


# arguments ---------------------------------------------------------------------------


def test_arguments_are_checked_when_given(impl):
    p = impl.pipe(TEXTS)
    for args, options in [
        ((), {}),
        ((1,), {}),
        ((int,), {}),
        ((ValueError("x"),), {}),
        (((ValueError, KeyError),), {}),
        (("ValueError",), {}),
        ((ValueError,), {"do": 5}),
        ((ValueError,), {"replace": None}),
    ]:
        with pytest.raises(TypeError):
            p.catch(*args, **options)
        with pytest.raises(TypeError):
            impl.Pipeline().catch(*args, **options)
    with pytest.raises(TypeError):
        p.map_except(int, 5)
    assert p.catch(ValueError, do=None, stop=0).list() == TEXTS


# map_except --------------------------------------------------------------------------


def test_map_except(impl):
    assert impl.pipe(TEXTS).map_except(int, ValueError).list() == [1, 3]
    assert impl.pipe(TEXTS).map_except(int, KeyError, ValueError).list() == [1, 3]
    with pytest.raises(ValueError, match="invalid literal"):
        impl.pipe(TEXTS).map_except(int).list()
    assert impl.pipe("12").map_except(int).list() == [1, 2]


def test_map_except_lets_errors_of_others_pass(impl):
    p = impl.pipe(Failing(TEXTS, 0)).map_except(int, ValueError, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [3]
    with pytest.raises(ValueError, match="invalid literal"):
        impl.pipe(TEXTS).map(int).map_except(str, ValueError).list()


def test_map_except_of_stop_iteration(impl):
    its = [iter([1]), iter([]), iter([3])]
    assert impl.pipe(its).map_except(next, StopIteration).list() == [1, 3]


# what is told (pygenx only) ----------------------------------------------------------


def failures(program, source):
    seen = []
    program.catch(Exception, do=seen.append)(source).consume()
    return [(f.item, f.index, f.stage) for f in seen]


def pygenx():
    import pygenx

    return pygenx


def test_a_failure_says_where():
    new = pygenx().Pipeline()
    assert failures(new.map(int), TEXTS) == [("x", 1, "map(int)")]
    assert failures(new.filter(None).map(int).map(str), ["", *TEXTS]) == [
        ("x", 2, "map(int)")
    ]
    assert failures(new, dying("a")) == [(None, 1, "source <generator>")]
    assert failures(new.flatten(), [dying("a"), 5]) == [
        (None, 0, "flatten()"),
        (5, 1, "flatten()"),
    ]
    nested = new.map(int).catch(ValueError, do=fail)
    assert failures(nested, TEXTS) == [("x", 1, "catch(ValueError, do=fail)")]
    lines = pygenx().read_lines("no such file")
    seen = []
    lines.catch(OSError, do=seen.append).consume()
    assert seen[0].stage.startswith("source ")


def test_a_failure_is_a_value_that_does_not_change():
    px = pygenx()
    error = KeyError("key")
    failure = px.Failure(error, item=1, index=2, stage="here")
    assert (failure.error, failure.item, failure.index, failure.stage) == (
        error,
        1,
        2,
        "here",
    )
    assert repr(failure) == "Failure(KeyError('key'), item=1, index=2, stage='here')"
    for name in ("error", "item", "index", "stage", "other"):
        with pytest.raises(AttributeError):
            setattr(failure, name, 1)
    for args in [(), (1, 2, 3), (1, 2, 3, 4, 5)]:
        with pytest.raises(TypeError):
            px.Failure(*args)
    with pytest.raises(TypeError):
        type("Sub", (px.Failure,), {})


def test_the_repr_of_a_failure_calls_no_repr_of_its_item_and_is_no_endless_loop():
    px = pygenx()
    assert "<Secretive>" in repr(px.Failure(KeyError(), sources.Secretive(), 0, "x"))
    error = KeyError()
    failure = px.Failure(error, None, 0, "x")
    error.args = (failure,)
    assert "Failure(...)" in repr(failure)
    assert "Failure(" in repr(px.Failure(None, None, None, None))


def test_a_failure_can_be_collected():
    px = pygenx()
    error = KeyError()
    failure = px.Failure(error, None, 0, "x")
    error.failure = failure
    alive = weakref.ref(failure)
    del error, failure
    gc.collect()
    assert alive() is None


def test_repr_and_pickle_of_the_stages():
    px = pygenx()
    program = px.Pipeline().catch(KeyError, OSError, do=print, replace=repr, stop=True)
    program = program.map_except(int, ValueError).catch(ValueError)
    text = (
        "Pipeline() -> catch(KeyError, OSError, do=print, stop=True, replace=repr)"
        " -> map_except(int, ValueError) -> catch(ValueError)"
    )
    assert repr(program) == text
    back = pickle.loads(pickle.dumps(program))
    assert repr(back) == text
    assert back("1x").list() == [1]


def test_a_pickle_that_was_tampered_with_is_refused():
    px = pygenx()
    for row in [
        ("catch",),
        ("catch", 5, None, False),
        ("catch", (), None, False),
        ("catch", (5,), None, False),
        ("map_except", int),
        ("map_except", int, [ValueError]),
    ]:
        with pytest.raises((TypeError, ValueError)):
            px.Pipeline._from_rows((row,))


def test_a_caught_error_has_no_note_and_one_that_leaves_has_one():
    px = pygenx()
    seen = []
    p = px.pipe(TEXTS).map(int).catch(ValueError, do=seen.append)
    p.consume()
    assert notes(seen[0].error) == []
    p = px.pipe(TEXTS).map(int).catch(KeyError)
    with pytest.raises(ValueError, match="invalid literal") as caught:
        list(p)
    assert notes(caught.value) == ["pygenx: stage 1/2 map(int), item 1: 'x'"]


def raised(action):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its note is what counts
        action()
    (note,) = notes(caught.value)
    return note.removeprefix("pygenx: ")


def test_the_note_of_every_path():
    px = pygenx()
    for run in (list, px.pipe.list, lambda p: p.send(None)):
        for p, note in [
            (px.pipe("x").map(int), "stage 1/1 map(int), item 0: 'x'"),
            (px.pipe("x").catch(KeyError).map(int), "stage 2/2 map(int), item 0: 'x'"),
            (px.pipe(dying()), "source <generator>, item 0"),
            (px.pipe([dying()]).flatten(), "stage 1/1 flatten(), item 0"),
            (
                px.pipe([0]).flat_map(lambda n: dying()),
                "stage 1/1 flat_map(<lambda test_catch.py:",
            ),
            (px.pipe([5]).flatten(), "stage 1/1 flatten(), item 0: 5"),
            (px.pipe([]).chain(5), "stage 1/1 chain("),
            (
                px.pipe("x").map(int).catch(ValueError, do=fail),
                "stage 2/2 catch(ValueError, do=fail), item 0: 'x'",
            ),
            (
                px.pipe("x").map_except(int, KeyError),
                "stage 1/1 map_except(int, KeyError), item 0: 'x'",
            ),
            (px.pipe([]).tap(str, None, None, fail), "stage 1/1 tap(str, after=fail)"),
        ]:
            assert raised(lambda run=run, p=p: run(p)).startswith(note)
    assert raised(px.pipe("x").sum) == "terminal sum(), item 0: 'x'"
    p = px.pipe(sources.Talker("x")).map(int)
    assert raised(lambda: p.throw(KeyError("no"))) == "stage 1/1 map(int), item 0: 'x'"
    p = px.pipe(iter("x"))
    assert raised(lambda: p.throw(KeyError("no"))) == "source <ended>, item 0"


def test_a_catch_keeps_nothing_alive():
    px = pygenx()
    source = Source(TEXTS)
    p = px.pipe(source).map(int).catch(ValueError, do=lambda f: seen.append(f))
    seen = []
    assert next(p) == 1
    assert next(p) == 3
    alive = weakref.ref(source)
    failure = seen.pop()
    del source, p
    failure.error.__traceback__ = None
    assert alive() is None
    assert failure.stage == "map(int)"


def test_many_errors_in_a_row_are_no_recursion():
    px = pygenx()
    p = px.pipe(["x"] * 100_000).map(int).catch(ValueError)
    assert p.count() == 0
    p = px.pipe(["x"] * 10_000).map(int).catch(ValueError, replace=lambda f: 1)
    assert p.sum() == 10_000


@pytest.mark.parametrize("source", [range(3), [1, 2], (1, 2), "ab"])
def test_a_source_without_throw_has_ended_after_it(impl, source):
    p = impl.pipe(source).catch(ValueError)
    next(p)
    with pytest.raises(StopIteration):
        p.throw(ValueError)
    assert list(p) == []


def test_after_a_stop_with_a_replacement_nothing_more_is_caught(impl):
    def source():
        yield "item"

    p = impl.pipe(source()).catch(KeyError, replace=lambda failure: 1, stop=True)
    assert next(p) == "item"
    assert p.throw(KeyError) == 1
    with pytest.raises(KeyError):
        p.throw(KeyError)
    assert list(p) == []


@pytest.mark.c
def test_after_a_stop_with_a_replacement_no_answer_passes():
    def source():
        while True:
            try:
                yield 0
            except ValueError:
                yield 1

    p = pygenx().pipe(source()).map(lambda item: 1 // item)
    p = p.catch(ZeroDivisionError, replace=lambda failure: "R", stop=True)
    assert next(p) == "R"
    with pytest.raises(StopIteration):
        p.throw(ValueError)
    assert list(p) == []
