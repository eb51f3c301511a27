"""zip, the object and the stage: one item of each iterable at a time."""

import builtins
import gc
import itertools
import operator
import sys

import pytest
import sources
from sources import Closable, Failing, Item, Source


def made(impl, form, *iterables, strict=False):
    """The object, or the stage over the first of them."""
    if form == "object":
        return impl.zip(*iterables, strict=strict)
    first, *others = iterables
    return impl.pipe(first).zip(*others, strict=strict)


both = pytest.mark.parametrize("form", ["object", "stage"])


@both
@pytest.mark.parametrize(
    "iterables",
    [
        [[1, 2, 3]],
        ["abc", [1, 2, 3]],
        ["abc", [1]],
        ["a", [1, 2, 3]],
        ["", [1, 2]],
        [range(5), (1, 2, 3), "abcd", {"x": 1, "y": 2}],
        [[None, None], [None, 0]],
    ],
    ids=repr,
)
def test_it_gives_what_the_builtin_gives(impl, form, iterables):
    expected = list(builtins.zip(*iterables, strict=False))
    assert list(made(impl, form, *iterables)) == expected
    fresh = [sources.generator(list(items)) for items in iterables]
    assert list(made(impl, form, *fresh)) == expected


def test_of_nothing_it_is_empty(impl):
    it = impl.zip()
    assert list(it) == []
    assert list(impl.zip(strict=True)) == []
    with pytest.raises(KeyError):
        impl.zip().throw(KeyError)
    assert impl.pipe("ab").zip().list() == [("a",), ("b",)]


@both
def test_a_longer_first_input_loses_one_item(impl, form):
    first, second = Source("abc"), Source([1])
    assert list(made(impl, form, first, second)) == [("a", 1)]
    assert first.given == 2
    assert second.given == 1


@both
def test_of_equal_lengths_the_first_end_is_the_end(impl, form):
    first, second = Source("ab"), Source([1, 2])
    assert list(made(impl, form, first, second)) == [("a", 1), ("b", 2)]
    assert (first.pulls, second.pulls) == (3, 2)


UNEVEN = [
    [[1], []],
    [[], [1]],
    [[1, 2], [1]],
    [[1], [1, 2]],
    [[], [], [1]],
    [[1], [1], []],
    [[1], [], [1]],
    [[], [1], [1]],
    [[1, 2], [1, 2], [1, 2], [1]],
]


@both
@pytest.mark.parametrize("iterables", UNEVEN, ids=repr)
def test_strict_says_what_the_builtin_says(impl, form, iterables):
    def outcome(it):
        rows = []
        with pytest.raises(ValueError, match="argument") as caught:
            rows.extend(it)
        return rows, str(caught.value)

    expected = outcome(builtins.zip(*iterables, strict=True))
    it = made(impl, form, *iterables, strict=True)
    assert outcome(it) == expected
    assert [next(it, "end") for _ in range(3)] == ["end"] * 3


@both
def test_strict_of_equal_lengths(impl, form):
    it = made(impl, form, iter("ab"), [1, 2], sources.generator("xy"), strict=True)
    assert list(it) == [("a", 1, "x"), ("b", 2, "y")]
    assert list(made(impl, form, [], [], strict=True)) == []


@both
def test_strict_takes_any_truth(impl, form):
    assert list(made(impl, form, [1], [2], strict=[0])) == [(1, 2)]
    assert list(made(impl, form, [1], [], strict=())) == []
    with pytest.raises(ZeroDivisionError):
        made(impl, form, [1], strict=sources.FailingBool(ZeroDivisionError()))


@both
def test_strict_leaves_the_inputs_open_without_with(impl, form):
    inputs = Closable("ab"), Closable([1]), Closable("xyz")
    it = made(impl, form, *inputs, strict=True)
    assert next(it) == ("a", 1, "x")
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        next(it)
    assert next(it, "end") == "end"
    assert [source.closes for source in inputs] == [0, 0, 0]


@both
def test_with_closes_all_at_the_end(impl, form):
    inputs = Closable("ab"), Closable([1]), Closable("xyz")
    with made(impl, form, *inputs) as it:
        assert next(it) == ("a", 1, "x")
        assert next(it, "end") == "end"
        assert [source.closes for source in inputs] == [1, 1, 1]
    assert [source.closes for source in inputs] == [1, 1, 1]


@pytest.mark.parametrize("strict", [False, True])
def test_closing_closes_all_at_the_end(impl, strict):
    inputs = Closable("ab"), Closable([1])
    it = impl.zip(*inputs, closing=True, strict=strict)
    assert next(it) == ("a", 1)
    assert [source.closes for source in inputs] == [0, 0]
    if strict:
        with pytest.raises(ValueError, match="shorter"):
            next(it)
    assert next(it, "end") == "end"
    assert [source.closes for source in inputs] == [1, 1]


def test_closing_closes_nothing_when_dropped(impl):
    inputs = Closable("ab"), Closable([1])
    it = impl.zip(*inputs, closing=True)
    next(it)
    del it
    assert [source.closes for source in inputs] == [0, 0]


@both
def test_close_closes_all_in_order_whatever_fails(impl, form):
    log = []
    first = sources.BadClose("ab", KeyError(1), log)
    second = Closable("ab", log)
    third = sources.BadClose("ab", KeyError(3), log)
    it = made(impl, form, first, second, third)
    next(it)
    with pytest.raises(KeyError) as caught:
        it.close()
    if form == "object":  # of a stage the source is the farthest
        assert log == [("close", "1"), "close", ("close", "3")]
        assert caught.value.args == (3,)
    else:
        assert log == ["close", ("close", "3"), ("close", "1")]
        assert caught.value.args == (1,)
    assert isinstance(caught.value.__context__, KeyError)
    assert next(it, "end") == "end"


def test_inputs_are_opened_in_order_and_a_bad_one_is_refused(impl):
    first = Source("ab")
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        impl.zip(first, 5, sources.FailingIter(KeyError()))
    assert first.iters == 1
    with pytest.raises(KeyError):
        impl.zip(first, sources.FailingIter(KeyError()))


@both
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_error_keeps_the_row_in_progress(impl, form, at):
    inputs = [Source("abc"), Source("def"), Source("ghi")]
    inputs[at] = Failing(inputs[at].items, 1, error=ZeroDivisionError("at"))
    it = made(impl, form, *inputs)
    assert next(it) == ("a", "d", "g")
    with pytest.raises(ZeroDivisionError):
        next(it)
    row = ["b", "e", "h"]
    row[at] = inputs[at].items[2]
    assert next(it) == tuple(row)
    assert next(it, "end") == "end"


@both
def test_several_errors_in_a_row(impl, form):
    second = Failing("defgh", 0, 1, 3)
    it = made(impl, form, Source("abc"), second, Source("xyz"))
    outputs = []
    while True:
        try:
            outputs.append(next(it))
        except ZeroDivisionError as error:
            outputs.append(error.args[0])
        except StopIteration:
            break
    assert outputs == ["d", "e", ("a", "f", "x"), "g", ("b", "h", "y")]


@both
def test_an_error_while_strict_looks_for_ends(impl, form):
    it = made(impl, form, "a", Failing("xyz", 1), [1], strict=True)
    assert next(it) == ("a", "x", 1)
    with pytest.raises(ZeroDivisionError):
        next(it)
    with pytest.raises(ValueError, match="argument 2 is longer than argument 1"):
        next(it)
    assert next(it, "end") == "end"


def test_throw_goes_to_the_input_asked_next(impl):
    log = []
    first, second = sources.listener(log, "abc"), sources.listener(log, "xyz")
    it = impl.zip(first, second)
    assert next(it) == ("a", "x")
    assert it.throw(ValueError("one")) == ("b", "y")
    assert log == [("caught", "one")]
    with pytest.raises(KeyError):
        it.throw(KeyError)
    assert log == [("caught", "one"), "finally"]
    assert next(it, "end") == "end"
    del it


def test_throw_in_a_row_in_progress_goes_to_the_input_that_failed(impl):
    log = []

    def failing():
        try:
            yield "x"
            yield "y"
        except ValueError:
            log.append("caught")
            yield "z"

    fail = Failing([0, 1, 2, 3], 1)
    it = impl.zip("abc", fail, failing())
    next(it)
    with pytest.raises(ZeroDivisionError):
        next(it)
    with pytest.raises(KeyError):  # it has no throw()
        it.throw(KeyError)
    assert fail.closes == 1
    assert next(it, "end") == "end"


def test_an_answer_to_throw_does_not_overtake_the_row_in_progress(impl):
    log = []
    source = sources.listener(log, "abc")
    it = impl.pipe(source).zip(Failing([1, 2, 3, 4], 1), "xyz")
    assert next(it) == ("a", 1, "x")
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert it.throw(ValueError("hello")) == ("b", 3, "y")
    assert log == [("caught", "hello")]
    assert list(it) == [("c", 4, "z")]


@pytest.mark.parametrize(
    ("others", "strict", "error"),
    [((Source(""),), True, ValueError), (("abc", lambda: 5), False, TypeError)],
    ids=["uneven", "no iterable"],
)
def test_nothing_is_asked_after_the_end_at_an_error(impl, others, strict, error):
    """An answer to throw() passes by the stop that waits to be asked for."""
    log = []
    p = impl.pipe(sources.listener(log, "xyz")).zip(*others, strict=strict)
    for action, raised in [
        (next, error),
        (throw, StopIteration),
        (next, StopIteration),
    ]:
        with pytest.raises(raised):
            action(p)
    assert log == [("caught", "hello"), "finally"]


def throw(it):
    return it.throw(ValueError("hello"))


@both
def test_send_is_refused(impl, form):
    it = made(impl, form, sources.generator("ab"), "xy")
    next(it)
    with pytest.raises(TypeError):
        it.send(1)
    assert it.send(None) == ("b", "y")


def test_notes_name_the_input():
    from pygenx import pipe
    from pygenx import zip as zipped

    with pytest.raises(ZeroDivisionError) as caught:
        next(zipped("ab", Failing("ab", 0)))
    assert caught.value.__notes__ == ["pygenx: zip, input 1"]
    with pytest.raises(ZeroDivisionError) as caught:
        pipe("ab").zip(Failing("ab", 0)).list()
    (note,) = caught.value.__notes__
    assert note.startswith("pygenx: stage 1/1 zip(")
    assert note.endswith(", item 0: 'a'")


def test_it_is_not_imported_by_a_star():
    names = {}
    exec("from pygenx import *", names)
    assert "zip" not in names
    assert "merge" in names


# a tuple that is filled again ---------------------------------------------------------


def test_rows_that_are_kept_stay_as_they_were(impl):
    kept = list(impl.zip(range(50), map(Item, range(50))))
    assert [row[0] for row in kept] == list(range(50))
    assert [row[1].number for row in kept] == list(range(50))
    it = impl.zip([1, 2, 3], "abc")
    first = next(it)
    assert next(it) == (2, "b")
    assert first == (1, "a")


def test_hashes_of_rows_are_those_of_their_items(impl):
    for number, row in enumerate(impl.zip(range(5), "abcde")):
        assert hash(row) == hash((number, "abcde"[number]))


def test_the_collector_sees_what_lies_in_a_row(impl):
    """It untracks a tuple of plain things; filled again it must be tracked."""
    it = impl.zip([1, 2, [], 4], [5, 6, [], 7])
    next(it)
    gc.collect()
    next(it)
    gc.collect()
    row = next(it)
    if impl.__name__ == "pygenx":
        assert gc.is_tracked(row)
    row[0].append(row)
    log = []
    row[1].append(Item(1, log))
    del row
    next(it)
    del it
    gc.collect()
    assert log == [1]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="no row is filled again")
def test_a_row_held_by_what_the_collector_shows_is_not_filled_again():
    from pygenx import zip as zipped

    items = [Item(number) for number in range(6)]
    it = zipped(items, items)
    next(it)
    (row,) = (held for held in gc.get_referrers(items[0]) if type(held) is tuple)
    assert row[0] is items[0]
    next(it)
    assert row[0] is items[0]
    assert row[1] is items[0]


def test_a_destructor_cannot_enter_again():
    from pygenx import ReentrancyError
    from pygenx import zip as zipped

    outcomes = []

    class Calls:
        def __del__(self):
            try:
                outcomes.append(next(it))
            except (ReentrancyError, StopIteration) as error:
                outcomes.append(type(error))

    def calls():
        for _ in range(3):
            yield Calls()

    it = zipped(calls(), [1, 2, 3])
    while next(it, None) is not None:
        pass
    if sys.version_info < (3, 14):
        assert outcomes[0] is ReentrancyError
        assert len(outcomes) == 3
    else:  # the rows are new: the second is taken, and held, by the first destructor
        assert [outcomes[0][1], *outcomes[1:]] == [2, StopIteration]


# the stage ----------------------------------------------------------------------------


def test_the_stage_reads_its_inputs_when_the_first_item_comes(impl):
    other = Source([1, 2])
    it = impl.pipe(Source("ab")).zip(other)
    assert other.iters == 0
    assert next(it) == ("a", 1)
    assert (other.iters, other.pulls) == (1, 1)
    other = Source([1, 2])
    assert impl.pipe("").zip(other).list() == []
    assert other.iters == 0


def test_the_stage_refuses_what_cannot_be_an_input(impl):
    for make in (impl.pipe("ab"), impl.Pipeline()):
        with pytest.raises(TypeError, match="'int' object is not iterable"):
            make.zip("ab", 5)


def test_an_input_that_cannot_be_opened_ends_the_pipe(impl):
    source = Source("abc")
    closable = Closable([1, 2])
    with impl.pipe(source).zip(closable, sources.FailingIter(KeyError())) as it:
        with pytest.raises(KeyError):
            next(it)
        assert next(it, "end") == "end"
        assert source.pulls == 1
        assert closable.closes == 1


def test_a_pipe_gives_its_inputs_up():
    from pygenx import pipe

    log = []
    it = pipe("ab").zip(sources.generator([1], log))
    assert next(it) == ("a", 1)
    assert next(it, "end") == "end"
    assert log == ["finally"]
    log = []
    it = pipe("ab").zip(sources.generator([1], log)).chain("z")
    assert next(it) == ("a", 1)
    assert next(it) == "z"
    assert log == ["finally"]  # not kept by what comes later
    log = []
    it = pipe("a").zip(sources.generator([1, 2], log)).chain("z")
    assert next(it) == ("a", 1)
    assert next(it) == "z"
    assert log == ["finally"]


def test_a_program_reads_its_inputs_anew_each_time(impl):
    program = impl.Pipeline().zip([1, 2], lambda: iter("xy"))
    for _ in range(2):
        assert program("ab").list() == [("a", 1, "x"), ("b", 2, "y")]


def test_a_program_refuses_iterators():
    from pygenx import Pipeline

    with pytest.raises(TypeError, match="a Pipeline cannot keep the iterator"):
        Pipeline().zip(iter([1]))


def test_a_program_keeps_strict():
    import pickle

    from pygenx import Pipeline

    program = pickle.loads(pickle.dumps(Pipeline().zip([1, 2], strict=True)))
    assert repr(program) == "Pipeline() -> zip(<list>, strict=True)"
    with pytest.raises(ValueError, match="argument 2 is longer"):
        program("a").list()


def test_length_hints():
    from pygenx import pipe
    from pygenx import zip as zipped

    for make in (zipped, lambda a, *others, **kw: pipe(a).zip(*others, **kw)):
        assert operator.length_hint(make([1, 2, 3], "ab"), -1) == 2
        assert operator.length_hint(make([1, 2], "abc", range(9)), -1) == 2
        assert operator.length_hint(make([1, 2], "ab", strict=True), -1) == 2
        assert operator.length_hint(make([1, 2], "abc", strict=True), -1) == -1
        assert operator.length_hint(make([1, 2], itertools.count()), -1) == -1
        it = make([1, 2, 3], "abcd")
        next(it)
        assert operator.length_hint(it, -1) == 2


def test_stages_before_and_behind(impl):
    p = impl.pipe(range(10)).filter(lambda n: n % 2).zip("abcdef").starmap(str.__add__)
    with pytest.raises(TypeError):
        p.list()
    p = impl.pipe("abc").zip([1, 2, 3]).zip("xyz").take(2)
    assert p.list() == [(("a", 1), "x"), (("b", 2), "y")]
