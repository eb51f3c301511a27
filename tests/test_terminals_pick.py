"""Terminals that pick one item, and those that make a dict of groups."""

import gc
import importlib
import itertools
import operator
import pickle

import more_itertools
import pytest
import toolz
from sources import FailingBool, Source


def notes(error):
    return getattr(error, "__notes__", [])


def pygenx():
    return importlib.import_module("pygenx")


# nth ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, tuple, iter, Source, lambda items: range(5)])
@pytest.mark.parametrize("n", [0, 2, 4, 5, 100, 2**62])
def test_nth_is_as_in_more_itertools(impl, kind, n):
    wanted = more_itertools.nth(range(5), n, "none")
    assert impl.pipe(kind(range(5))).nth(n, "none") == wanted
    assert impl.pipe(kind(range(5))).map(int).nth(n, "none") == wanted


def test_nth_without_a_default_gives_none(impl):
    assert impl.pipe("abc").nth(3) is None
    assert impl.pipe("abc").nth(n=2, default="x") == "c"


def test_nth_takes_no_more_than_n_plus_one(impl):
    source = Source("abcdef")
    assert impl.pipe(source).nth(2) == "c"
    assert source.pulls == 3


def test_nth_of_a_pipe_that_has_started_counts_what_is_left(impl):
    for kind in (list, tuple, lambda items: range(1, 5)):
        p = impl.pipe(kind([1, 2, 3, 4]))
        next(p)
        assert p.nth(1) == 3


def test_nth_of_huge_and_backward_ranges(impl):
    assert impl.pipe(range(10, -10, -3)).nth(5) == -5
    assert impl.pipe(range(10, -10, -3)).nth(6) == -8
    assert impl.pipe(range(10, -10, -3)).nth(7) is None
    huge = range(-(2**63), 2**63 - 1, 2**62)
    assert [impl.pipe(huge).nth(n) for n in range(5)] == [*huge, None]


def test_nth_of_a_container_looks_at_one_item_only():
    assert pygenx().pipe(range(10**15)).nth(10**15 - 1) == 10**15 - 1


def test_nth_refuses_negative_numbers(impl):
    with pytest.raises(ValueError, match="n must be at least 0"):
        impl.pipe("abc").nth(-1)


# one, only ---------------------------------------------------------------------------

TOO_SHORT = "too few items in iterable (expected 1)"
TOO_LONG = "Expected exactly one item in iterable, but got 'a', 2, and perhaps more."


@pytest.mark.parametrize("name", ["one", "only"])
def test_the_only_item_is_returned(impl, name):
    for item in ("it", None, False, ()):
        assert getattr(impl.pipe([item]), name)() is item
        assert getattr(impl.pipe(Source([item])), name)() is item


def test_one_of_nothing(impl):
    with pytest.raises(ValueError, match="too few") as caught:
        impl.pipe([]).one()
    assert str(caught.value) == TOO_SHORT
    with pytest.raises(ValueError, match="too few") as caught:
        more_itertools.one([])
    assert str(caught.value) == TOO_SHORT


@pytest.mark.parametrize("name", ["one", "only"])
def test_more_than_one(impl, name):
    for function in (
        lambda items: getattr(impl.pipe(items), name)(),
        getattr(more_itertools, name),
    ):
        source = Source(["a", 2, "c"])
        with pytest.raises(ValueError, match="exactly one") as caught:
            function(source)
        assert str(caught.value) == TOO_LONG
        assert source.pulls == 2


@pytest.mark.parametrize("name", ["one", "only"])
def test_too_long_says_what_to_raise(impl, name):
    error = KeyError("two")
    for given in (KeyError, error, KeyboardInterrupt):
        with pytest.raises((KeyError, KeyboardInterrupt)) as caught:
            getattr(impl.pipe("ab"), name)(too_long=given)
        assert caught.value is given or type(caught.value) is given
    assert getattr(impl.pipe("a"), name)(None, KeyError) == "a"


def test_too_short_says_what_to_raise(impl):
    error = KeyError("none")
    for given in (KeyError, error):
        with pytest.raises(KeyError) as caught:
            impl.pipe([]).one(given)
        assert caught.value is given or type(caught.value) is given
    assert impl.pipe("a").one(KeyError) == "a"


def test_only_of_nothing_is_the_default(impl):
    assert impl.pipe([]).only() is None
    assert impl.pipe([]).only("none") == "none"
    assert impl.pipe([]).only(default=KeyError) is KeyError


@pytest.mark.parametrize("given", [5, "error", int, object()])
def test_what_cannot_be_raised_is_refused_at_once(impl, given):
    source = Source("a")
    for call in (
        lambda: impl.pipe(source).one(given),
        lambda: impl.pipe(source).one(None, given),
        lambda: impl.pipe(source).only(None, given),
    ):
        with pytest.raises(TypeError, match="must be an exception class or instance"):
            call()
    assert source.pulls == 0


def test_a_stop_iteration_asked_for_is_no_end(impl):
    for call in (
        lambda: impl.pipe([]).one(StopIteration),
        lambda: impl.pipe("ab").one(too_long=StopIteration("two")),
        lambda: impl.pipe("ab").only(too_long=StopIteration),
    ):
        with pytest.raises(RuntimeError) as caught:
            call()
        assert isinstance(caught.value.__cause__, StopIteration)


def test_errors_of_repr_and_of_an_exception_class_pass(impl):
    class Bad(Exception):
        def __init__(self):
            raise ZeroDivisionError

        __repr__ = __init__

    with pytest.raises(ZeroDivisionError):
        impl.pipe("ab").one(None, Bad)
    with pytest.raises(ZeroDivisionError):
        impl.pipe([]).one(Bad)
    bad = Bad.__new__(Bad)
    with pytest.raises(ZeroDivisionError):
        impl.pipe([bad, bad]).only()


def test_the_second_item_is_in_the_note():
    with pytest.raises(ValueError, match="exactly one") as caught:
        pygenx().pipe("ab").one()
    assert notes(caught.value) == ["pygenx: terminal one(), item 1: 'b'"]


# first_true --------------------------------------------------------------------------


@pytest.mark.parametrize("items", [[], [0, ""], [0, 3, 0, 4], [5]])
def test_first_true_is_as_in_more_itertools(impl, items):
    for args in [(), ("none",), (None, None), (None, operator.not_), (9, str.strip)]:
        if args[1:] == (str.strip,):
            items = [str(item) for item in items]
        wanted = more_itertools.first_true(items, *args)
        assert impl.pipe(items).first_true(*args) == wanted


def test_first_true_stops_there(impl):
    source = Source([0, 0, 7, 0])
    assert impl.pipe(source).first_true() == 7
    assert source.pulls == 3
    source = Source("abcd")
    assert impl.pipe(source).first_true(pred="b".__eq__, default=1) == "b"
    assert source.pulls == 2


def test_first_true_passes_errors_of_truth(impl):
    bad = FailingBool(ZeroDivisionError("bool"))
    with pytest.raises(ZeroDivisionError):
        impl.pipe([0, bad]).first_true()
    with pytest.raises(ZeroDivisionError):
        impl.pipe("a").first_true(pred=lambda item: bad)
    with pytest.raises(TypeError, match="callable"):
        impl.pipe("a").first_true(None, 5)


# map_reduce --------------------------------------------------------------------------

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]


@pytest.mark.parametrize(
    "functions",
    [
        (len,),
        (len, str.upper),
        (len, None, "+".join),
        (lambda word: word[0], len, sum),
        (lambda word: None,),
    ],
)
def test_map_reduce_is_as_in_more_itertools(impl, functions):
    for words in (WORDS, iter(WORDS), []):
        words = list(words)
        wanted = more_itertools.map_reduce(words, *functions)
        groups = impl.pipe(iter(words)).map_reduce(*functions)
        assert list(groups.items()) == list(wanted.items())
        assert type(groups) is dict


def test_map_reduce_takes_its_functions_by_name(impl):
    groups = impl.pipe("aba").map_reduce(
        keyfunc=str.upper, valuefunc=ord, reducefunc=sum
    )
    assert groups == {"A": 97 * 2, "B": 98}


def test_map_reduce_calls_in_the_order_of_more_itertools(impl):
    def calls_of(map_reduce):
        log = []
        map_reduce(
            lambda item: log.append(("key", item)) or item % 2,
            lambda item: log.append(("value", item)) or item,
            lambda items: log.append(("reduce", list(items))),
        )
        return log

    ours = calls_of(impl.pipe(range(4)).map_reduce)
    assert ours == calls_of(lambda *f: more_itertools.map_reduce(range(4), *f))


@pytest.mark.parametrize("bad", ["key", "value", "reduce"])
def test_map_reduce_passes_errors(impl, bad):
    def functions(error):
        def fail(item):
            raise error

        return [fail if name == bad else repr for name in ("key", "value", "reduce")]

    error = ZeroDivisionError(bad)
    with pytest.raises(ZeroDivisionError) as caught:
        impl.pipe("ab").map_reduce(*functions(error))
    assert caught.value is error
    stop = StopIteration(bad)
    with pytest.raises(RuntimeError) as caught:
        impl.pipe("ab").map_reduce(*functions(stop))
    assert caught.value.__cause__ is stop


def test_errors_of_map_reduce_have_a_note():
    def fail(item):
        raise ZeroDivisionError

    for functions in ((fail,), (len, fail), (len, None, fail)):
        with pytest.raises(ZeroDivisionError) as caught:
            pygenx().pipe(["a"]).map_reduce(*functions)
        (note,) = notes(caught.value)
        assert note.startswith("pygenx: terminal map_reduce(")
        assert note.endswith(("item 0: 'a'", "group 1"))


@pytest.mark.parametrize(
    "functions", [(None,), (5,), (len, 5), (len, None, 5), (len, len, ())]
)
def test_map_reduce_refuses_what_cannot_be_called(impl, functions):
    source = Source("ab")
    if functions[-1] == ():  # falsy, but not None
        functions = (*functions[:2], 0.5)
    with pytest.raises(TypeError, match="callable"):
        impl.pipe(source).map_reduce(*functions)
    assert source.pulls == 0


def test_keys_must_be_hashable(impl):
    with pytest.raises(TypeError, match="unhashable"):
        impl.pipe("ab").map_reduce(list)
    with pytest.raises(TypeError, match="unhashable"):
        impl.pipe("ab").reduceby(list, operator.add)


def test_keys_that_change_their_hash_end():
    class Key:
        hashes = itertools.count()

        def __hash__(self):
            return next(self.hashes)

    with pytest.raises(RuntimeError, match="changed"):
        pygenx().pipe("ab").map_reduce(lambda item: Key(), None, len)


def test_groups_that_are_changed_meanwhile_do_no_harm():
    """The dict of the groups is found through gc and spoilt."""
    spoilt = []

    def spoil(change):
        for found in gc.get_objects():
            if type(found) is dict and "key of the test" in found:
                change(found)
                spoilt.append(True)

    def groups_of(change):
        def key(item):
            if item == 3:
                spoil(change)
            return "key of the test"

        p = pygenx().pipe(range(6))
        try:
            return p.map_reduce(key, lambda item: [item])
        except RuntimeError as error:
            return error

    assert "changed" in str(
        groups_of(lambda groups: groups.update(dict.fromkeys(groups, 1)))
    )
    assert groups_of(dict.clear) == {"key of the test": [[3], [4], [5]]}
    assert groups_of(lambda groups: next(iter(groups.values())).clear()) == {
        "key of the test": [[3], [4], [5]]
    }
    assert spoilt


# reduceby ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [lambda n: n % 3, bool, operator.neg])
def test_reduceby_is_as_in_toolz(impl, key):
    for args in [(), (0,), (100,), (None,)]:
        binop = (lambda a, b: (a, b)) if args == (None,) else operator.add
        if args == (None,):  # toolz takes None as a value as well
            assert impl.pipe([1]).reduceby(key, binop, None) == {key(1): (None, 1)}
        wanted = toolz.reduceby(key, binop, range(10), *args)
        ours = impl.pipe(range(10)).reduceby(key, binop, *args)
        assert list(ours.items()) == list(wanted.items())


def test_reduceby_with_a_factory(impl):
    def add(seen, item):
        seen.append(item)
        return seen

    made = []
    p = impl.pipe(range(5))
    groups = p.reduceby(
        lambda n: n % 2, add, factory=lambda: made.append([]) or made[-1]
    )
    assert groups == {0: [0, 2, 4], 1: [1, 3]}
    assert made == [*groups.values()]
    assert toolz.reduceby(lambda n: n % 2, add, range(5), list) == groups


def test_an_init_that_can_be_called_is_a_value(impl):
    assert impl.pipe("a").reduceby(len, lambda a, b: (a, b), list) == {1: (list, "a")}
    assert impl.pipe("a").reduceby(binop=lambda a, b: (a, b), key=len, init=None) == {
        1: (None, "a")
    }


def test_reduceby_without_init_never_folds_a_single_item(impl):
    assert impl.pipe("abc").reduceby(str.upper, operator.truediv) == {
        "A": "a",
        "B": "b",
        "C": "c",
    }


def test_reduceby_refuses_wrong_arguments(impl):
    for args, options in [
        ((None, max), {}),
        ((len, None), {}),
        ((len, max), {"factory": 5}),
    ]:
        with pytest.raises(TypeError, match="callable"):
            impl.pipe("a").reduceby(*args, **options)
    with pytest.raises(TypeError, match="takes init or factory, not both"):
        impl.pipe("a").reduceby(len, max, None, factory=list)


@pytest.mark.parametrize("bad", ["key", "binop", "factory"])
def test_reduceby_passes_errors(impl, bad):
    for error in (ZeroDivisionError(bad), StopIteration(bad)):

        def fail(*args, error=error):
            raise error

        functions = {"key": len, "binop": max, "factory": str, bad: fail}
        with pytest.raises((ZeroDivisionError, RuntimeError)) as caught:
            impl.pipe("ab").reduceby(**functions)
        assert error in (caught.value, caught.value.__cause__)


# as Reducers -------------------------------------------------------------------------

REDUCERS = [
    (("nth", 2), "abc", "c"),
    (("nth", 5, "none"), "abc", "none"),
    (("one",), ["it"], "it"),
    (("only", 5), [], 5),
    (("first_true", "none", operator.not_), [1, 0], 0),
    (("first_true",), [0, 7], 7),
    (("map_reduce", operator.neg, abs, sum), [1, -2, 1], {-1: 2, 2: 2}),
    (("map_reduce", abs), [1, -2, 1], {1: [1, 1], 2: [-2]}),
    (("reduceby", abs, operator.add), [1, -2, 2], {1: 1, 2: 0}),
    (("reduceby", abs, operator.add, 10), [1, -2, 2], {1: 11, 2: 10}),
]


@pytest.mark.parametrize(("call", "items", "value"), REDUCERS)
def test_reducers_can_be_used_again_and_pickled(impl, call, items, value):
    name, *args = call
    reducer = getattr(impl.Pipeline().map(same), name)(*args)
    assert [reducer(items) for _ in range(3)] == [value] * 3
    assert impl.feed(items, reducer) == value
    assert impl.pipe(items).collect(reducer, reducer) == (value, value)
    if impl is pygenx():
        assert pickle.loads(pickle.dumps(reducer))(items) == value


def same(item):
    return item


def test_a_reducer_makes_its_values_anew_each_time(impl):
    reducer = impl.Pipeline().map_reduce(len)
    assert reducer("a")[1] is not reducer("a")[1]
    reducer = impl.Pipeline().reduceby(len, operator.iadd, factory=list)
    assert reducer(["ab"]) == reducer(["ab"]) == {2: ["a", "b"]}


# all of them -------------------------------------------------------------------------


def test_they_show_in_repr_of_errors_by_name():
    def fail(item):
        raise ZeroDivisionError

    for run, text in [
        (lambda p: p.first_true(1, fail), "first_true(pred=<fail>, default=1)"),
        (lambda p: p.reduceby(fail, max, 7), "reduceby(<fail>, max, init=7)"),
        (
            lambda p: p.reduceby(fail, max, factory=list),
            "reduceby(<fail>, max, factory=list)",
        ),
    ]:
        with pytest.raises(ZeroDivisionError) as caught:
            run(pygenx().pipe("a"))
        (note,) = notes(caught.value)
        assert note.replace(fail.__qualname__, "<fail>") == (
            f"pygenx: terminal {text}, item 0: 'a'"
        )
