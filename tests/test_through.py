"""through, on_close and tap's hooks; iter_suppress, map_except, side_effect."""

import contextlib
import functools
import gc
import pickle
import weakref

import more_itertools
import pytest
import sources
from sources import Closable, Failing, Source


def pygenx():
    import pygenx

    return pygenx


def notes(action):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its notes are what counts
        action()
    return getattr(caught.value, "__notes__", [])


def pairs(items):
    """Each item with the one before; the source document's kind of generator."""
    last = next(items, None)
    for item in items:
        yield last, item
        last = item


def logging(log):
    def made(items, *args, **kwargs):
        log.append((args, kwargs))
        try:
            yield from map(str, items)
        finally:
            log.append("made ends")
        return "made"

    return made


# through -----------------------------------------------------------------------------


def test_through_puts_a_generator_function_into_the_program(impl):
    p = impl.pipe("abc").map(str.upper).through(pairs).map("".join)
    assert p.list() == ["AB", "BC"]
    program = impl.Pipeline().through(pairs).enumerate()
    assert program("abc").list() == [(0, ("a", "b")), (1, ("b", "c"))]
    assert program("ab").list() == [(0, ("a", "b"))]
    assert (impl.pipe("ab") | program).list() == [(0, ("a", "b"))]


def test_further_arguments_are_passed_on(impl):
    log = []
    p = impl.pipe("ab").through(logging(log), 1, [2], key=3, other=None)
    assert p.list() == ["a", "b"]
    assert log == [((1, [2]), {"key": 3, "other": None}), "made ends"]


def test_the_function_is_called_when_the_first_item_is_asked_for(impl):
    calls = []
    source = Source("ab")
    p = impl.pipe(source).through(lambda items: calls.append(items) or items).map(str)
    assert (calls, source.pulls) == ([], 0)
    assert list(p) == ["a", "b"]
    assert len(calls) == 1
    assert list(p) == []
    assert len(calls) == 1


def test_no_more_is_taken_than_the_generator_asks_for(impl):
    source = Source("abcd")
    p = impl.pipe(source).map(str).through(pairs).take(1)
    next(p)
    assert source.given == 2


def test_any_iterable_will_do(impl):
    assert impl.pipe("ab").through(list).list() == ["a", "b"]
    assert impl.pipe("ab").through(sorted, reverse=True).list() == ["b", "a"]
    assert impl.pipe("ab").through(lambda items: items.map(str.upper)).list() == [*"AB"]
    assert impl.pipe("ab").through(lambda items: "xyz").list() == [*"xyz"]
    assert impl.pipe("ab").through(enumerate, 1).list() == [(1, "a"), (2, "b")]


def test_many_in_a_row(impl):
    p = impl.pipe(range(4))
    for _ in range(20):
        p = p.through(lambda items: (item + 1 for item in items)).filter(None)
    assert p.list() == [20, 21, 22, 23]


def test_arguments_are_checked_when_given(impl):
    for make in (impl.pipe("ab"), impl.Pipeline()):
        for args in [(), (5,), (None, 1)]:
            with pytest.raises(TypeError):
                make.through(*args)
        with pytest.raises(TypeError):
            make.through(func=list)
    assert impl.pipe("ab").through(lambda items, func: func, func="z").list() == ["z"]


def test_what_is_not_iterable_or_raises_is_the_end_of_it(impl):
    source = Closable("ab")
    p = impl.pipe(source).through(len_of)
    with pytest.raises(TypeError, match="not iterable"):
        next(p)
    assert list(p) == []
    assert source.pulls == 0
    p = impl.pipe("ab").through(fail).chain("z")
    with pytest.raises(LookupError):
        next(p)
    assert list(p) == ["z"]
    assert impl.pipe("ab").through(fail).catch(LookupError).chain("z").list() == ["z"]


def len_of(items):
    return 5


def fail(*args):
    raise LookupError(*args)


def stop(*args):
    raise StopIteration


def test_stop_iteration_of_the_function_is_a_runtime_error(impl):
    with pytest.raises(RuntimeError):
        impl.pipe("ab").through(stop).list()
    with pytest.raises(RuntimeError):
        impl.pipe("ab").through(stop).throw(KeyError)


def test_a_function_that_raised_has_nothing_to_send_to(impl):
    p = impl.pipe("ab").through(fail)
    with pytest.raises(LookupError):
        next(p)
    with pytest.raises(StopIteration):
        p.send("hello")
    with pytest.raises(StopIteration):
        next(p)


def test_a_function_that_raised_has_nothing_to_throw_into_nor_to_close(impl):
    source = Closable("ab")
    p = impl.pipe(source).through(fail)
    with pytest.raises(LookupError):
        next(p)
    with pytest.raises(ZeroDivisionError):
        p.throw(ZeroDivisionError)
    assert source.closes == 0


def test_what_is_thrown_through_ends_the_stages_before_first(impl):
    source = Closable("ab")
    written = functools.partial(source.log.append, "on_close")
    p = impl.pipe(source).through(pairs).on_close(written)
    with p, pytest.raises(KeyError):
        p.throw(KeyError)
    assert source.log == ["close", "on_close"]


def test_a_range_takes_nothing_that_is_sent(impl):
    p = impl.pipe(range(3)).map(lambda n: n + 1)
    assert next(p) == 1
    with pytest.raises(AttributeError):
        p.send("hello")
    assert p.list() == [2, 3]


def test_an_error_before_it_passes_through_the_generator(impl):
    def careful(items):
        while True:
            try:
                for item in items:
                    yield +item
                break
            except ValueError:
                yield "bad"

    p = impl.pipe("1x3").map(int).through(careful)
    assert p.list() == [1, "bad", 3]
    p = impl.pipe("1x3").map(int).catch(ValueError).through(pairs)
    assert p.list() == [(1, 3)]
    p = impl.pipe("1x3").map(int).through(pairs).catch(ValueError)
    assert p.list() == []  # the generator has ended


def test_its_own_error_may_be_caught_behind_it_only(impl):
    def failing(items):
        for item in items:
            yield item
            raise KeyError(item)

    assert impl.pipe("ab").through(failing).catch(KeyError).list() == ["a"]
    with pytest.raises(KeyError):
        impl.pipe("ab").catch(KeyError).through(failing).list()


def test_send_throw_and_the_return_value_are_the_generators(impl):
    def echo(items):
        value = None
        for item in items:
            try:
                value = yield (item, value)
            except ValueError as error:
                value = yield error.args
        return "made"

    p = impl.pipe("abcd").batched(1).through(echo).map(lambda x: x)
    assert next(p) == (("a",), None)
    assert p.send("hello") == (("b",), "hello")
    assert p.throw(ValueError("no")) == ("no",)
    assert next(p) == (("c",), None)
    assert list(p) == [(("d",), None)]
    assert p.result == "made"
    p = impl.pipe("ab").through(echo)
    with pytest.raises(TypeError, match="just-started"):
        p.send("early")


def test_close_closes_the_generator_then_what_it_reads(impl):
    log = []
    source = Closable("abc", log=log)
    p = impl.pipe(source).tap(str, after=lambda: log.append("after"))
    p = p.through(logging(log)).on_close(lambda: log.append("behind"))
    next(p)
    p.close()
    assert log[1:] == ["behind", "made ends", "after", "close"]
    assert list(p) == []


def test_close_before_the_first_item_closes_the_source(impl):
    log = []
    source = Closable("abc")
    p = impl.pipe(source).map(str).through(logging(log)).through(logging(log))
    p.close()
    assert (source.closes, source.pulls, log) == (1, 0, [])


def test_with_closes_at_the_end_and_dropping_does_not(impl):
    for entered in (True, False):
        log = []
        source = Closable("abc")
        p = impl.pipe(source).map(str).through(logging(log)).through(logging(log))
        p = p.take(1)
        if entered:
            with p:
                assert list(p) == ["a"]
                assert source.closes == 1
        else:
            assert list(p) == ["a"]
            gc.collect()
        assert source.closes == entered
        assert log[2:] == ["made ends", "made ends"]


def test_with_after_the_start_closes_too(impl):
    source = Closable("abc")
    p = impl.pipe(source).through(iter).map(str).through(iter)
    next(p)
    with p:
        list(p)
        assert source.closes == 1


def test_what_is_left_is_left_in_the_source(impl):
    source = iter("abcd")
    assert impl.pipe(source).map(str).through(pairs).take(1).list() == [("a", "b")]
    assert list(source) == ["c", "d"]


def test_the_pipe_it_is_given_is_a_pipe_like_others(impl):
    kept = []

    def keep(items):
        kept.append(items)
        yield items.send(None)

    p = impl.pipe(Closable("abc")).map(str.upper).through(keep)
    assert list(p) == ["A"]
    items = kept.pop()
    assert next(items) == "B"
    items.close()
    assert list(items) == []


def test_it_cannot_be_entered_from_inside(impl):
    def ask(items):
        with pytest.raises(impl.ReentrancyError):
            next(p)
        yield from items

    p = impl.pipe("ab").through(ask)
    assert list(p) == ["a", "b"]


def test_repr_explain_path_and_hint_look_through():
    px = pygenx()
    p = px.pipe("ab").map(str).through(pairs, 1, key="x", func=len)
    text = (
        "pipe(<str_ascii_iterator>) -> map(str) -> through(pairs, 1, key='x', func=len)"
    )
    assert repr(p) == text
    how = ": called: it is a generator or coroutine"
    assert p.explain().endswith("2  through(pairs, 1, key='x', func=len)" + how)
    assert p.__length_hint__() is NotImplemented
    p = px.pipe("ab").through(iter).map(str).through(iter).map(str)
    next(p)
    assert repr(p).startswith("pipe(<str_ascii_iterator>) -> through(iter)")
    assert p.__length_hint__() is NotImplemented
    list(p)
    assert repr(p).startswith("pipe(<ended>) -> through(iter)")


def test_path_and_lineno_are_those_of_the_file(tmp_path):
    px = pygenx()
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\n")
    p = px.read_lines(path).map(str).through(iter).map(str)
    assert p.lineno is None or p.lineno == 0
    assert next(p) == "one"
    assert (p.path, p.lineno) == (path, 1)


def test_notes_count_the_stages_of_the_whole_program():
    px = pygenx()

    def program():
        return px.pipe("1x").map(str).through(iter).map(int).through(iter).map(str)

    assert notes(program().list) == ["pygenx: stage 3/5 map(int), item 1: 'x'"]
    p = px.pipe("1x").through(fail).map(str)
    assert notes(p.list) == ["pygenx: stage 1/2 through(fail), item 0"]
    p = px.pipe("1x").map(str).through(iter).map(int)
    assert notes(p.list) == ["pygenx: stage 3/3 map(int), item 1: 'x'"]
    tower = px.pipe(px.pipe(px.pipe("1x").map(str).map(str)).map(str).through(iter))
    assert notes(tower.map(int).list) == ["pygenx: stage 5/5 map(int), item 1: 'x'"]
    p = px.pipe("ab").batched(1).through(iter).batched(1)
    next(p)
    with pytest.raises(TypeError, match=r"stage 3/3 batched\(1\)"):
        p.send(1)


def test_a_failure_names_it():
    px = pygenx()
    seen = []
    px.pipe("ab").map(str).through(fail).catch(LookupError, do=seen.append).consume()
    assert [(f.item, f.index, f.stage) for f in seen] == [(None, 0, "through(fail)")]


def test_programs_pickle():
    px = pygenx()
    program = px.Pipeline().through(pairs).through(enumerate, start=1).map(str)
    back = pickle.loads(pickle.dumps(program))
    assert repr(back) == repr(program)
    assert back("ab").list() == ["(1, ('a', 'b'))"]
    for row in [
        ("through", pairs),
        ("through", pairs, 5, ()),
        ("through", pairs, (), ("x",)),
        ("through", pairs, (1,), (1,)),
    ]:
        with pytest.raises((TypeError, ValueError)):
            px.Pipeline._from_rows((row,))


@pytest.mark.parametrize("use", [list, next, lambda p: p.close(), lambda p: None])
def test_a_thousand_of_them_work_or_raise_recursion_error(use):
    p = pygenx().pipe(range(3))
    for _ in range(1000):
        p = p.through(lambda items: (item for item in items))
    with contextlib.suppress(RecursionError):
        use(p)
    del p


def test_cycles_are_collected():
    class Thing:
        pass

    def holding(items, thing):
        thing.items = items
        yield from items

    thing = Thing()
    thing.pipe = pygenx().pipe("ab").map(str).through(holding, thing).map(str)
    next(thing.pipe)
    alive = weakref.ref(thing)
    del thing
    gc.collect()
    assert alive() is None


# on_close ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "calls"),
    [
        (lambda p: p.list(), 1),
        (list, 1),
        (lambda p: p.close(), 1),
        (lambda p: (next(p), p.close(), p.close()), 1),
        (lambda p: None, 1),
        (next, 1),
        (lambda p: p.take(1).list(), 1),
        (lambda p: p.take(1), 1),
        (lambda p: p.__enter__().__exit__(None, None, None), 1),
    ],
)
def test_on_close_is_called_once_however_it_ends(impl, use, calls):
    seen = []
    p = impl.pipe(Closable("ab")).map(str).on_close(lambda: seen.append(1))
    p = p.filter(None)
    use(p)
    del p
    gc.collect()
    assert len(seen) == calls


def test_on_close_of_a_program_is_called_for_each_run(impl):
    seen = []
    program = impl.Pipeline().on_close(lambda: seen.append(1))
    del program
    assert seen == []
    program = impl.Pipeline().on_close(lambda: seen.append(1)).map(str)
    assert program("ab").list() == program("ab").list()
    assert len(seen) == 2


def test_on_close_of_pipes_in_pipes(impl):
    seen = []
    inner = impl.pipe("ab").on_close(lambda: seen.append("inner"))
    p = impl.pipe(inner).on_close(lambda: seen.append("outer"))
    del inner
    assert p.list() == ["a", "b"]
    assert seen == ["inner", "outer"]
    inner = impl.pipe("ab").on_close(lambda: seen.append("inner"))
    p = impl.pipe(inner).on_close(lambda: seen.append("outer"))
    del inner, seen[:]
    del p
    gc.collect()
    assert sorted(seen) == ["inner", "outer"]


def test_on_close_comes_when_the_source_has_been_let_go(impl):
    log = []
    p = impl.pipe(sources.generator("ab", log)).on_close(lambda: log.append("hook"))
    assert p.list() == ["a", "b"]
    assert log == ["finally", "hook"]
    source = Closable("ab", log := [])
    p = impl.pipe(source).on_close(lambda: log.append("1"))
    p = p.map(str).on_close(lambda: log.append("2"))
    next(p)
    p.close()
    assert log == ["2", "1", "close"]


def test_errors_of_on_close_are_chained(impl):
    def failing(error):
        def hook():
            raise error

        return hook

    first, second = KeyError("first"), ValueError("second")
    p = impl.pipe("ab").on_close(failing(first)).on_close(failing(second))
    with pytest.raises(KeyError) as caught:
        p.close()
    assert caught.value is first
    assert first.__context__ is second
    p = impl.pipe("ab").on_close(failing(KeyError("end")))
    with pytest.raises(KeyError, match="end"):
        list(p)
    assert list(p) == []
    p = impl.pipe("ab").on_close(failing(KeyError("end"))).catch(KeyError)
    assert list(p) == ["a", "b"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_error_of_on_close_when_dropped_is_reported_and_passes():
    p = pygenx().pipe("ab").on_close(lambda: fail("dropped"))
    del p
    gc.collect()


def test_on_close_is_called_when_a_drain_fails(impl):
    seen = []
    p = impl.pipe(Failing("ab", 1)).on_close(lambda: seen.append(1))
    with pytest.raises(ZeroDivisionError):
        p.list()
    assert seen == [1]


def test_on_close_has_no_part_in_items(impl):
    with pytest.raises(TypeError):
        impl.pipe("ab").on_close(5)
    p = impl.pipe(sources.listener([], "ab")).on_close(str)
    next(p)
    assert p.send("hello") == ("answer", "hello")
    assert repr(pygenx().pipe("ab").on_close(list)).endswith("-> on_close(list)")
    assert pygenx().pipe([1, 2]).on_close(str).__length_hint__() == 2


# functions ---------------------------------------------------------------------------


@pytest.fixture(params=["pygenx", "reference", "more_itertools"])
def functions(request):
    return pytest.importorskip(request.param)


def dying(*items):
    yield from items
    raise KeyError("dead")


def test_iter_suppress(functions):
    suppress = functions.iter_suppress
    assert list(suppress(dying(1, 2), KeyError)) == [1, 2]
    assert list(suppress(dying(1, 2), ValueError, LookupError)) == [1, 2]
    assert list(suppress(Failing("abc", 1), ZeroDivisionError)) == ["a"]
    for classes in [(), (ValueError,)]:
        with pytest.raises(KeyError):
            list(suppress(dying(1, 2), *classes))
    assert list(suppress([1, 2])) == [1, 2]


def test_iter_suppress_forwards_send_throw_and_close(functions):
    log = []
    it = functions.iter_suppress(sources.listener(log, "ab"), KeyError)
    next(it)
    assert it.send("hello") == ("answer", "hello")
    assert it.throw(ValueError("no")) == "b"
    with pytest.raises(StopIteration):
        it.throw(KeyError)
    assert log == [("sent", "hello"), ("caught", "no"), "finally"]
    it = functions.iter_suppress(sources.listener(log, "ab"), KeyError)
    next(it)
    it.close()
    assert log[3:] == ["finally"]


def test_map_except_as_a_function(functions):
    assert list(functions.map_except(int, ["1", "x", "3"], ValueError)) == [1, 3]
    assert list(functions.map_except(int, "12")) == [1, 2]
    assert list(functions.map_except(next, [iter([])], StopIteration)) == []
    it = functions.map_except(str, Failing("abc", 1), ZeroDivisionError)
    assert next(it) == "a"
    with pytest.raises(ZeroDivisionError):
        next(it)


def test_side_effect(functions):
    log = []
    it = functions.side_effect(log.append, iter("ab"))
    assert next(it) == "a"
    assert log == ["a"]
    assert list(it) == ["b"]
    hooks = {
        "before": lambda: log.append("before"),
        "after": lambda: log.append("after"),
    }
    log.clear()
    it = functions.side_effect(log.append, "abc", 2, **hooks)
    assert log == []
    assert list(it) == ["a", "b", "c"]
    assert log == ["before", ["a", "b"], ["c"], "after"]
    log.clear()
    it = functions.side_effect(log.append, "abc", **hooks)
    next(it)
    it.close()
    assert log == ["before", "a", "after"]
    log.clear()
    it = functions.side_effect(log.append, "abc", before=fail, after=hooks["after"])
    with pytest.raises(LookupError):
        next(it)
    del it
    assert log == ["after"]


def test_functions_take_the_names_of_more_itertools():
    px = pygenx()
    assert px.iter_suppress(iterable="ab").list() == ["a", "b"]
    assert px.map_except(function=str.upper, iterable="ab").list() == ["A", "B"]
    p = px.side_effect(
        func=str, iterable="ab", chunk_size=None, before=None, after=None
    )
    assert p.list() == ["a", "b"]
    assert more_itertools.side_effect(func=str, iterable="ab")


def test_functions_refuse_wrong_calls():
    px = pygenx()
    for call in [
        lambda: px.iter_suppress(),
        lambda: px.iter_suppress("ab", 5),
        lambda: px.iter_suppress(5, ValueError),
        lambda: px.iter_suppress("ab", ValueError, iterable="ab"),
        lambda: px.iter_suppress("ab", ValueError, x=1),
        lambda: px.map_except(str),
        lambda: px.map_except(5, "ab"),
        lambda: px.map_except(str, 5),
        lambda: px.map_except(str, "ab", "x"),
        lambda: px.map_except(str, "ab", ValueError, x=1),
        lambda: px.side_effect(str),
        lambda: px.side_effect(5, "ab"),
        lambda: px.side_effect(str, "ab", "x"),
        lambda: px.side_effect(str, "ab", None, 5),
    ]:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="at least one"):
        px.side_effect(str, "ab", 0)


def test_stats_count_before_and_behind_a_through():
    def twice(items):
        for item in items:
            yield item
            yield item

    p = pygenx().pipe(range(6)).filter(lambda n: n % 2).through(twice).through(twice)
    p = p.map(str)
    stats = p.stats()
    assert p.count() == 12
    counts = [(row.items_in, row.items_out) for row in stats]
    assert counts[1:-1] == [(6, 3), (3, 6), (6, 12), (12, 12)]
