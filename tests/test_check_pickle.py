"""check_pickle(): which stage of a program cannot be pickled."""

import operator
import pickle

import pytest

from pygenx import Pipeline

pytestmark = pytest.mark.c

PICKLING = (pickle.PicklingError, AttributeError)


class Stubborn:
    """Its pickling raises `error`."""

    def __init__(self, error):
        self.error = error

    def __call__(self, item):
        return item

    def __reduce__(self):
        raise self.error


def notes(error):
    """Ours: from 3.14 the pickler has some of its own."""
    notes = getattr(error, "__notes__", [])
    return [note for note in notes if note.startswith("pygenx: ")]


def test_none_where_every_stage_pickles():
    program = Pipeline().map(str).filter(None).batched(2).chain([1], "ab")
    assert program.check_pickle() is None
    assert program.check_pickle(None) is None
    assert program.check_pickle(dumps=pickle.dumps) is None
    assert Pipeline().check_pickle() is None


def test_the_pickler_s_own_error_names_the_stage():
    function = lambda item: [i for i in item]  # noqa: E731
    program = Pipeline().map(str).map(function).filter(function).take(3)
    with pytest.raises(PICKLING) as alone:
        pickle.dumps(function)
    with pytest.raises(PICKLING) as caught:
        program.check_pickle()
    assert type(caught.value) is type(alone.value)
    line = function.__code__.co_firstlineno
    assert notes(caught.value) == [
        f"pygenx: stage 2/4 map(<lambda test_check_pickle.py:{line}>) cannot be pickled"
    ]


def test_an_argument_that_is_no_callback():
    error = LookupError("no")
    with pytest.raises(LookupError) as caught:
        Pipeline().map(str).chain([Stubborn(error)]).check_pickle()
    assert caught.value is error
    assert notes(error) == ["pygenx: stage 2/2 chain(<list>) cannot be pickled"]


def test_each_stage_is_tried_alone_and_in_order():
    seen = []
    program = Pipeline().map(str).take(3).flatten()
    assert program.check_pickle(seen.append) is None
    assert seen == [("map", str), ("take", 3), ("flatten",)]


def test_the_first_failure_ends_it():
    def dumps(row):
        seen.append(row[0])
        if row[0] == "take":
            raise ValueError("not that")

    seen = []
    with pytest.raises(ValueError, match="not that") as caught:
        Pipeline().map(str).take(3).flatten().check_pickle(dumps)
    assert seen == ["map", "take"]
    assert notes(caught.value) == ["pygenx: stage 2/3 take(3) cannot be pickled"]


def test_a_lambda_that_can_be_lifted_can_be_pickled():
    program = Pipeline().map(lambda item: item + 1)
    assert program.check_pickle() is None
    assert pickle.loads(pickle.dumps(program))([1]).list() == [2]


def test_another_pickler_may_know_more():
    program = Pipeline().map(lambda *items: items)
    with pytest.raises(PICKLING):
        program.check_pickle()
    assert program.check_pickle(dumps=repr) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_plain_exception_gets_no_note(error):
    with pytest.raises(error) as caught:
        Pipeline().map(Stubborn(error())).check_pickle()
    assert notes(caught.value) == []


def test_wrong_calls():
    program = Pipeline()
    with pytest.raises(TypeError, match="dumps must be callable, not 'int'"):
        program.check_pickle(5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'load'"):
        program.check_pickle(load=5)
    with pytest.raises(TypeError, match="takes from 0 to 1 positional arguments"):
        program.check_pickle(None, None)


def test_a_long_program():
    program = Pipeline()
    for _ in range(10_000):
        program = program.map(operator.neg)
    assert program.check_pickle() is None
    with pytest.raises(PICKLING) as caught:
        program.map(lambda *items: items).check_pickle()
    assert notes(caught.value)[0].startswith("pygenx: stage 10001/10001 map(<lambda")


def test_the_program_may_die_meanwhile():
    def dumps(row):
        nonlocal program
        program = None
        raise KeyError("gone")

    program = Pipeline().map(str).map(int)
    with pytest.raises(KeyError) as caught:
        program.check_pickle(dumps)
    assert notes(caught.value) == ["pygenx: stage 1/2 map(str) cannot be pickled"]
