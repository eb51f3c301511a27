"""filter_map, accumulate, pluck, intersperse, takewhile_inclusive, locate, tail,
unique_everseen, unique_justseen.

What holds for every stage alike is in test_contract.py; here is what each one is for.
"""

import gc
import itertools
import operator
import pickle
import sys
import weakref
from collections import OrderedDict, UserDict, UserList

import more_itertools
import pytest
import sources
from sources import Failing, Source

import pygenx

BIG = 2**62


class Item:
    """Something that can be seen to live."""


# filter_map --------------------------------------------------------------------------


def test_filter_map_drops_none_alone(impl):
    items = [0, "", False, None, [], 1]
    assert impl.pipe(items).filter_map(lambda item: item).list() == [
        0,
        "",
        False,
        [],
        1,
    ]
    assert impl.pipe("a1b2").filter_map({"1": 1, "2": 0}.get).list() == [1, 0]


# accumulate --------------------------------------------------------------------------


def test_accumulate(impl):
    assert impl.pipe([1, 2, 3]).accumulate().list() == [1, 3, 6]
    assert impl.pipe([1, 2, 3]).accumulate(None).list() == [1, 3, 6]
    assert impl.pipe(["a", "b"]).accumulate().list() == ["a", "ab"]
    assert impl.pipe([3, 1, 4]).accumulate(func=max).list() == [3, 3, 4]
    assert impl.pipe("abc").accumulate(lambda total, item: item + total).list() == [
        *("a", "ba", "cba")
    ]
    assert impl.pipe([]).accumulate().list() == []


def test_accumulate_passes_its_first_item_on_untouched(impl):
    item = Item()
    assert impl.pipe([item]).accumulate().list() == [item]
    assert impl.pipe([None]).accumulate(operator.add).list() == [None]


def test_accumulate_from_an_initial_value(impl):
    assert impl.pipe([1, 2]).accumulate(initial=10).list() == [10, 11, 13]
    assert impl.pipe([]).accumulate(initial=0).list() == [0]
    assert impl.pipe([1, 2]).accumulate(operator.mul, initial=0).list() == [0, 0, 0]
    assert impl.pipe([1]).accumulate(initial=None).list() == [1]
    with pytest.raises(TypeError):
        impl.pipe([1]).accumulate(operator.add, 0)


def test_accumulate_gives_its_initial_value_before_it_asks_for_an_item(impl):
    source = Source([1, 2])
    p = impl.pipe(source).accumulate(initial=10)
    assert next(p) == 10
    assert source.pulls == 0
    assert list(p) == [11, 13]
    assert impl.pipe(Source("ab")).accumulate(initial="").take(1).list() == [""]


def test_two_accumulates_from_initial_values(impl):
    p = impl.pipe([1, 1]).accumulate(initial=1).accumulate(initial=100)
    assert p.list() == [100, 101, 103, 106]


def test_an_error_of_accumulate_leaves_the_total_as_it_was(impl):
    p = impl.pipe([1, "a", 2]).accumulate()
    assert next(p) == 1
    with pytest.raises(TypeError):
        next(p)
    assert list(p) == [3]


def test_an_answer_to_throw_comes_behind_the_initial_value(impl):
    p = impl.pipe(sources.Talker([1, 2])).accumulate(initial=10)
    assert p.throw(ValueError) == 10
    assert list(p) == [11, 13]


def test_send_passes_accumulate_without_an_initial_value(impl):
    log = []
    p = impl.pipe(sources.listener(log, [[1], [2]])).accumulate(lambda a, b: b)
    assert next(p) == [1]
    assert p.send("hello") == ("answer", "hello")
    p = impl.pipe(sources.listener(log, [[1], [2]])).accumulate(initial=[0])
    next(p), next(p)
    with pytest.raises(TypeError, match="send"):
        p.send("hello")


def test_accumulate_hands_out_the_total_that_its_function_may_change(impl):
    def append(total, item):
        total.append(item)
        return total

    start = []
    totals = impl.pipe("ab").accumulate(append, initial=start).list()
    assert all(total is start for total in totals)
    assert start == ["a", "b"]


def test_the_hint_of_accumulate_counts_the_initial_value():
    p = pygenx.pipe([1, 2]).accumulate(initial=0)
    for left in (3, 2, 1, 0):
        assert operator.length_hint(p, -1) == left
        next(p, None)


# pluck -------------------------------------------------------------------------------


def test_pluck(impl):
    rows = [("a", 1), ["b", 2], {0: "c", 1: 3}, UserList("d4"), "e5"]
    assert impl.pipe(rows).pluck(0).list() == ["a", "b", "c", "d", "e"]
    assert impl.pipe(rows[:2]).pluck(-1).list() == [1, 2]
    assert impl.pipe(rows[:2]).pluck(slice(1)).list() == [("a",), ["b"]]
    assert impl.pipe([{"a": 1}, UserDict(a=2)]).pluck("a").list() == [1, 2]
    assert impl.pipe([{(0, 1): "x"}]).pluck((0, 1)).list() == ["x"]
    assert impl.pipe([{None: 1}]).pluck(None).list() == [1]
    assert impl.pipe([{True: 1}, "ab"]).pluck(True).list() == [1, "b"]


def test_pluck_of_a_list_of_indexes_gives_tuples(impl):
    rows = [("a", 1), {0: "b", 1: 2}]
    assert impl.pipe(rows).pluck([1, 0]).list() == [(1, "a"), (2, "b")]
    assert impl.pipe(rows).pluck([0]).list() == [("a",), ("b",)]
    assert impl.pipe([*rows, 5]).pluck([]).list() == [(), (), ()]
    indexes = [0]
    p = impl.pipe(rows).pluck(indexes)
    indexes.append(1)
    assert p.list() == [("a",), ("b",)]


def test_an_error_of_pluck_passes_and_the_stage_goes_on(impl):
    p = impl.pipe([{"a": 1}, {}, [], {"a": 2}, 5]).pluck("a")
    assert next(p) == 1
    for error in (KeyError, TypeError):
        with pytest.raises(error):
            next(p)
    assert next(p) == 2
    with pytest.raises(TypeError, match="not subscriptable"):
        next(p)
    with pytest.raises(IndexError):
        impl.pipe(["a", ""]).pluck(0).list()
    with pytest.raises(IndexError):
        impl.pipe([["a"], ("b",)]).pluck(sys.maxsize).list()
    with pytest.raises((IndexError, OverflowError)):
        impl.pipe([("b",)]).pluck(2**80).list()


def test_the_default_of_pluck_stands_for_what_is_missing_only(impl):
    assert impl.pipe([{}, {"a": 1}]).pluck("a", None).list() == [None, 1]
    assert impl.pipe([(), (1,), []]).pluck(0, default=-1).list() == [-1, 1, -1]
    rows = [{}, {"a": 1}, {"b": 2}]
    assert impl.pipe(rows).pluck(["a", "b"], 0).list() == [(0, 0), (1, 0), (0, 2)]
    for wrong in (5, [1], None):
        with pytest.raises(TypeError):
            impl.pipe([wrong]).pluck("a", 0).list()


def test_pluck_knows_what_is_no_error_of_its_own(impl):
    class Bad:
        def __init__(self, error):
            self.error = error

        def __getitem__(self, ind):
            raise self.error

    class Lost(KeyError):
        pass

    assert impl.pipe([Bad(Lost("why"))]).pluck(0, "default").list() == ["default"]
    for error in (ZeroDivisionError, KeyboardInterrupt, AttributeError):
        with pytest.raises(error):
            impl.pipe([Bad(error)]).pluck(0, "default").list()
    p = impl.pipe([Bad(StopIteration("why")), "a"]).pluck(0, "default")
    with pytest.raises(RuntimeError) as caught:
        next(p)
    assert caught.value.__cause__.value == "why"
    assert list(p) == ["a"]


def test_pluck_does_not_leak_where_it_misses():
    default, index = Item(), Item()
    alive = [weakref.ref(default), weakref.ref(index)]
    pygenx.pipe([{}] * 10).pluck([index, 0], default).list()
    pygenx.pipe([{}] * 10).pluck(index, default).list()
    rows = pygenx.pipe([{default: 1}]).pluck([default, index])
    with pytest.raises(KeyError):
        next(rows)
    del default, index, rows
    gc.collect()
    assert [each() for each in alive] == [None, None]


# intersperse -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 7, BIG])
@pytest.mark.parametrize("size", range(8))
def test_intersperse(impl, size, n):
    wanted = list(more_itertools.intersperse("e", range(size), min(n, 100)))
    assert impl.pipe(range(size)).intersperse("e", n).list() == wanted
    assert list(impl.pipe(range(size)).intersperse("e", n=n)) == wanted


def test_intersperse_of_none(impl):
    assert impl.pipe([None] * 2).intersperse(None).list() == [None] * 3


@pytest.mark.parametrize("n", [0, -1])
def test_intersperse_wants_at_least_one_item_between(impl, n):
    with pytest.raises(ValueError, match=r"^n must be > 0$"):
        impl.pipe("ab").intersperse("e", n)


def test_no_e_is_given_before_the_item_behind_it_is_there(impl):
    p = impl.pipe(Failing("abc", 1)).intersperse("-")
    assert next(p) == "a"
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == ["-", "c"]


def test_an_answer_to_throw_does_not_cost_the_item_behind_e():
    p = pygenx.pipe(sources.Talker("abcd")).intersperse("-")
    assert [next(p), next(p)] == ["a", "-"]
    assert [p.throw(ValueError), p.throw(ValueError)] == ["c", "d"]
    assert list(p) == ["b"]


@pytest.mark.parametrize("n", [1, 2, 3, BIG])
def test_the_hint_of_intersperse_is_exact(n):
    for size in range(6):
        p = pygenx.pipe([0] * size).intersperse("e", n)
        left = len(pygenx.pipe([0] * size).intersperse("e", n).list())
        while left >= 0:
            assert operator.length_hint(p, -1) == left
            next(p, None)
            left -= 1


# takewhile_inclusive -----------------------------------------------------------------


def test_takewhile_inclusive(impl):
    small = (5).__gt__
    assert impl.pipe([1, 4, 6, 4]).takewhile_inclusive(small).list() == [1, 4, 6]
    assert impl.pipe([9, 1]).takewhile_inclusive(small).list() == [9]
    assert impl.pipe([1, 2]).takewhile_inclusive(small).list() == [1, 2]
    assert impl.pipe([]).takewhile_inclusive(small).list() == []


def test_takewhile_inclusive_asks_nothing_after_the_item_that_fails(impl):
    source, seen = Source([1, 9, 1]), []
    p = impl.pipe(source).takewhile_inclusive(lambda n: seen.append(n) or n < 5)
    assert list(p) == [1, 9]
    assert seen == [1, 9]
    assert source.pulls == 2


def test_the_source_lives_while_the_last_item_is_handled(impl):
    source = sources.Closable([1, 9, 1])
    alive = weakref.ref(source)
    p = impl.pipe(source).takewhile_inclusive((5).__gt__)
    del source
    assert [next(p), next(p)] == [1, 9]
    assert alive() is not None
    assert list(p) == []
    assert alive() is None


def test_an_answer_to_throw_after_the_last_item_is_dropped():
    source = sources.Talker([1, 9, 2, 3])
    p = pygenx.pipe(source).takewhile_inclusive((5).__gt__)
    assert [next(p), next(p)] == [1, 9]
    with pytest.raises(StopIteration):
        p.throw(ValueError)
    assert list(p) == []


# locate ------------------------------------------------------------------------------


def test_locate(impl):
    assert impl.pipe([0, 1, 1, 0, 1]).locate().list() == [1, 2, 4]
    assert impl.pipe("a-b-").locate("-".__eq__).list() == [1, 3]
    assert impl.pipe("a-b-").locate(pred=lambda item: item == "a").list() == [0]
    assert impl.pipe("ab").locate(lambda item: "yes").list() == [0, 1]
    assert impl.pipe([]).locate().list() == []


def test_locate_takes_no_window(impl):
    with pytest.raises(TypeError):
        impl.pipe("ab").locate(bool, 2)
    with pytest.raises(TypeError):
        impl.pipe("ab").locate(None)


def test_an_item_at_which_the_predicate_fails_is_counted(impl):
    p = impl.pipe([1, "a", 0, 2]).locate(lambda item: item > 0)
    assert next(p) == 0
    with pytest.raises(TypeError):
        next(p)
    assert list(p) == [3]
    bad = sources.FailingBool(ZeroDivisionError("bool"))
    for pred in (bool, lambda item: item):
        p = impl.pipe([bad, 1]).locate(pred)
        with pytest.raises(ZeroDivisionError):
            next(p)
        assert list(p) == [1]


# tail --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, iter, Source])
def test_tail(impl, kind):
    for n in (0, 1, 2, 5, 6, 7, BIG, sys.maxsize):
        wanted = list(range(6))[-n:] if n else []
        assert impl.pipe(kind(range(6))).tail(n).list() == wanted
        assert list(impl.pipe(kind(range(6))).tail(n=n)) == wanted
    assert impl.pipe(kind([])).tail(3).list() == []


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_tail_of_what_lies_ready_counts_as_if_it_had_taken_all(kind):
    p = pygenx.pipe(kind(range(100))).tail(3).map(lambda n: 1 // (n - 98))
    assert next(p) == -1
    with pytest.raises(ZeroDivisionError) as caught:
        next(p)
    assert "item 99: 98" in caught.value.__notes__[0]
    assert list(p) == [1]
    items = list(range(10))
    p = pygenx.pipe(items).prepend([10]).tail(2)
    assert list(p) == [8, 9]
    p = pygenx.pipe(items)
    assert next(p) == 0
    assert pygenx.pipe(p).tail(20).list() == items[1:]


def test_tail_of_a_negative_number_is_refused(impl):
    with pytest.raises(ValueError, match=r"^n must be at least 0$"):
        impl.pipe("ab").tail(-1)


def test_tail_takes_everything_when_its_first_item_is_asked_for(impl):
    source = Source("abcde")
    p = impl.pipe(source).tail(2)
    assert source.pulls == 0
    assert next(p) == "d"
    assert source.pulls == 6
    assert list(p) == ["e"]
    assert list(p) == []


def test_tail_lets_go_of_what_falls_out_and_of_what_it_gives(impl):
    alive = []

    def make(number):
        item = Item()
        alive.append(weakref.ref(item))
        if number >= 3:
            assert alive[number - 3]() is None
        return item

    p = impl.pipe(range(10)).map(make).tail(2)
    item = next(p)
    assert [each() is None for each in alive] == [True] * 8 + [False] * 2
    del item
    assert alive[8]() is None
    next(p)
    assert alive[9]() is None


def test_an_error_of_the_source_leaves_the_tail_as_it_is(impl):
    p = impl.pipe(Failing("abcd", 3)).tail(2)
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == ["b", "c"]


def test_tail_keeps_the_result_of_the_source(impl):
    p = impl.pipe(sources.generator("abc", None, "why")).tail(1)
    assert list(p) == ["c"]
    assert p.result == "why"


def test_closing_in_the_middle_of_a_tail(impl):
    items = [Item() for _ in range(4)]
    alive = [weakref.ref(item) for item in items]
    p = impl.pipe(items.pop() for _ in range(4)).tail(3)
    next(p)
    p.close()
    assert [each() for each in alive] == [None] * 4
    assert list(p) == []


def test_the_hint_of_a_tail_is_exact():
    for n in (0, 2, 5, BIG):
        p = pygenx.pipe([0, 1, 2]).tail(n)
        for left in range(min(n, 3), -1, -1):
            assert operator.length_hint(p, -1) == left
            next(p, None)


def test_a_tail_that_is_changed_behind_its_back_does_no_harm():
    """Whoever looks for lists through the collector may change the ring as well."""

    class Meddler:
        def __init__(self, action):
            self.action = action

        def __del__(self):
            for each in gc.get_objects():
                if type(each) is list and each and each[0] is marker:
                    self.action(each)
                    met.append(len(each))

    marker, met = Item(), []
    actions = [list.clear, list.pop, lambda ring: ring.extend(range(5))]
    for action, at in itertools.product(actions, range(3)):
        makers = [lambda: marker] * 3
        makers.insert(at, lambda action=action: Meddler(action))
        ours = pygenx.pipe(makers * 2).map(lambda make: make()).tail(3)
        for _ in ours:
            pass
    assert met


# unique_everseen ---------------------------------------------------------------------


def test_unique_everseen(impl):
    assert impl.pipe("AAAABBBCCDAABBB").unique_everseen().join() == "ABCD"
    assert impl.pipe("ABBcCAD").unique_everseen(str.lower).join() == "ABcD"
    assert impl.pipe("ABBcCAD").unique_everseen(key=str.lower).join() == "ABcD"
    assert impl.pipe("aba").unique_everseen(None).join() == "ab"
    assert impl.pipe([1, 1.0, True, "1"]).unique_everseen().list() == [1, "1"]
    assert impl.pipe([None, 0, None]).unique_everseen().list() == [None, 0]
    assert impl.pipe("ab").unique_everseen(lambda item: None).list() == ["a"]
    assert impl.pipe([]).unique_everseen().list() == []


def test_a_nan_is_the_same_as_itself_alone(impl):
    nan = float("nan")
    assert len(impl.pipe([nan, nan]).unique_everseen().list()) == 1
    assert len(impl.pipe([nan, float("nan")]).unique_everseen().list()) == 2
    assert len(impl.pipe([nan, nan]).unique_justseen().list()) == 1
    assert len(impl.pipe([nan, float("nan")]).unique_justseen().list()) == 2


@pytest.mark.parametrize("maxlen", [None, 2])
def test_what_cannot_be_hashed_is_a_type_error_and_consumed(impl, maxlen):
    p = impl.pipe([1, [], 1, {2}, frozenset({2}), {2}, 3]).unique_everseen(
        maxlen=maxlen
    )
    outputs = []
    while True:
        try:
            outputs.append(next(p))
        except StopIteration:
            break
        except TypeError as error:
            outputs.append("unhashable" in str(error))
    assert outputs == [1, True, True, frozenset({2}), True, 3]
    assert impl.pipe([[1], [1]]).unique_everseen(tuple).list() == [[1]]


def test_an_error_of_the_key_leaves_what_was_seen(impl):
    p = impl.pipe([1, 0, 1, 0, 2]).unique_everseen(lambda n: 1 // n)
    assert next(p) == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(p)
    assert list(p) == [2]


@pytest.mark.parametrize("maxlen", [None, 2])
def test_errors_of_hash_and_eq_pass(impl, maxlen):
    class Bad:
        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            raise StopIteration("eq")

    class Hashless:
        def __hash__(self):
            raise ZeroDivisionError

    p = impl.pipe(["a", Bad(), Hashless(), "b"]).unique_everseen(maxlen=maxlen)
    assert next(p) == "a"
    with pytest.raises(RuntimeError) as caught:
        next(p)
    assert caught.value.__cause__.value == "eq"
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == ["b"]


@pytest.mark.parametrize(
    "items",
    [
        [1, 1.0, True, 2, 2.0, -1, -2, -1, -2, 0, False, -0.0],
        [2**30, 2**30, 2**61 - 1, 0, 2**61, 1, -(2**61), -1, 2**200, 2**200, 2**201],
        [str(n) for n in range(300)] * 2,
        [
            "a",
            "\xe4",
            "\u20ac",
            "\U0001f600",
            "a" + "",
            "\xe4",
            "\u20ac",
            "aa",
            "\U0001f600",
        ],
        [n << 40 for n in range(2000)] * 2,
        [*range(-500, 500), *range(-500, 500)],
        [(n % 7, str(n % 3)) for n in range(50)],
        [b"a", "a", bytearray, b"a", None, ..., None, float("inf"), float("inf")],
        [hash("a"), "a", hash("a"), "a", hash("b"), "b"],
    ],
    ids=range(9),
)
def test_unique_everseen_knows_keys_as_a_dict_does(impl, items):
    wanted = list(dict.fromkeys(items))
    assert list(map(repr, impl.pipe(items).unique_everseen())) == list(
        map(repr, wanted)
    )
    assert impl.pipe(iter(items)).unique_everseen().list() == wanted
    assert impl.pipe(tuple(items)).unique_everseen().list() == wanted
    assert impl.pipe(items).unique_everseen(lambda item: item).list() == wanted


def test_unique_everseen_of_keys_that_share_their_hash(impl):
    class Same:
        def __init__(self, value):
            self.value = value

        def __hash__(self):
            return 7

        def __eq__(self, other):
            return self.value == other.value

    items = [Same(n % 60) for n in range(200)]
    assert impl.pipe(items).unique_everseen().list() == items[:60]


def test_unique_everseen_of_very_many_keys():
    assert pygenx.pipe(range(200_000)).map(str).unique_everseen().count() == 200_000
    p = pygenx.pipe([n % 1000 for n in range(100_000)]).unique_everseen()
    assert p.list() == list(range(1000))


def test_the_keys_that_were_seen_take_part_in_garbage_collection():
    class Key:
        pass

    key = Key()
    key.p = pygenx.pipe([key, key, 1]).unique_everseen()
    assert next(key.p) is key
    alive = weakref.ref(key)
    del key
    gc.collect()
    assert alive() is None


def test_a_key_whose_end_calls_the_pipe():
    class Key:
        def __del__(self):
            try:
                outcomes.append(next(p, "ended"))
            except pygenx.ReentrancyError:
                outcomes.append("running")

    for action in (pygenx.pipe.close, next, pygenx.pipe.list):
        outcomes = []
        p = pygenx.pipe(range(2)).unique_everseen(lambda item: Key())
        assert next(p) == 0
        assert outcomes == []
        action(p)
        p.close()
        assert len(outcomes) == 1 + (action is not pygenx.pipe.close)
        assert set(outcomes) <= {"ended", "running"}


def lru(items, maxlen):
    """What unique_everseen(maxlen=...) is, by the standard library."""
    seen = OrderedDict()
    for item in items:
        if item in seen:
            seen.move_to_end(item)
            continue
        seen[item] = None
        if len(seen) > maxlen:
            seen.popitem(last=False)
        yield item


@pytest.mark.parametrize("maxlen", [1, 2, 3, 100])
def test_unique_everseen_keeps_the_keys_met_last(impl, maxlen):
    for items in itertools.product("abc", repeat=5):
        items += (*"dad", *items)
        p = impl.pipe(items).unique_everseen(maxlen=maxlen)
        assert p.list() == list(lru(items, maxlen))
    assert impl.pipe("abaBA").unique_everseen(str.lower, maxlen=1).join() == "abaB"[
        :3
    ] + ("BA")


def test_unique_everseen_forgets_what_it_need_not_keep(impl):
    alive = []

    class Key:
        def __init__(self):
            alive.append(weakref.ref(self))

    p = impl.pipe(range(100)).unique_everseen(lambda item: Key(), maxlen=3)
    for _ in range(50):
        next(p)
    assert sum(each() is not None for each in alive) == 3
    p.close()
    assert sum(each() is not None for each in alive) == 0


@pytest.mark.parametrize("maxlen", [0, -1])
def test_unique_everseen_keeps_one_key_at_least(impl, maxlen):
    with pytest.raises(ValueError, match=r"^maxlen must be >= 1$"):
        impl.pipe("ab").unique_everseen(maxlen=maxlen)


def test_maxlen_reserves_nothing(impl):
    assert impl.pipe("aba").unique_everseen(maxlen=sys.maxsize).list() == ["a", "b"]


# unique_justseen ---------------------------------------------------------------------


def test_unique_justseen(impl):
    assert impl.pipe("AAAABBBCCDAABBB").unique_justseen().join() == "ABCDAB"
    assert impl.pipe("ABBcCAD").unique_justseen(str.lower).join() == "ABcAD"
    assert impl.pipe("ABBcCAD").unique_justseen(key=str.lower).join() == "ABcAD"
    assert impl.pipe([[], [], {}, {}]).unique_justseen().list() == [[], {}]
    assert impl.pipe([None, None, 0]).unique_justseen(None).list() == [None, 0]
    assert impl.pipe([]).unique_justseen().list() == []


def test_items_dropped_in_a_row_are_counted_and_the_others_seen_in_time(impl):
    for name in ("unique_everseen", "unique_justseen"):
        data = [1, 1, 1]
        p = getattr(impl.pipe(data), name)()
        assert next(p) == 1
        data += [1, 2, 2, 3]
        assert list(p) == [2, 3]
    p = pygenx.pipe([1] * 9 + [2]).unique_justseen().map(lambda n: 1 // (n - 2))
    assert next(p) == -1
    with pytest.raises(ZeroDivisionError) as caught:
        next(p)
    assert "item 9: 2" in caught.value.__notes__[0]


def test_unique_justseen_compares_as_groupby_does(impl):
    class Near:
        """Equal to what is near: no equivalence."""

        def __init__(self, value):
            self.value = value

        def __eq__(self, other):
            log.append((self.value, other.value))
            return abs(self.value - other.value) < 2

    def outputs(iterator):
        log.clear()
        return [item.value for item in iterator], list(log)

    log = []
    items = [Near(n) for n in (1, 2, 3, 4, 2)]
    ours = outputs(impl.pipe(items).unique_justseen())
    assert ours == outputs(more_itertools.unique_justseen(items))
    assert ours[0] == [1, 3]


def test_an_error_of_eq_consumes_the_item_and_keeps_the_key(impl):
    class Bad:
        def __eq__(self, other):
            raise ZeroDivisionError

    p = impl.pipe([1, Bad(), 1, 2]).unique_justseen()
    assert next(p) == 1
    with pytest.raises(ZeroDivisionError):
        next(p)
    assert list(p) == [2]


# all of them -------------------------------------------------------------------------


def test_repr_and_pickle():
    program = (
        pygenx.Pipeline()
        .filter_map(str.strip)
        .pluck(0, None)
        .pluck("a")
        .accumulate(max, initial=1)
        .intersperse("-", 2)
        .takewhile_inclusive(callable)
        .locate()
        .tail(3)
        .unique_everseen(len, maxlen=5)
        .unique_justseen()
    )
    assert repr(program) == (
        "Pipeline() -> filter_map(str.strip) -> pluck(0) -> pluck('a') -> "
        "accumulate(max, initial=1) -> intersperse('-', n=2) -> "
        "takewhile_inclusive(callable) -> locate(bool) -> tail(3) -> "
        "unique_everseen(len, maxlen=5) -> unique_justseen()"
    )
    assert repr(pickle.loads(pickle.dumps(program))) == repr(program)


@pytest.mark.parametrize("ind", ["a", ["a"]])
def test_a_default_of_pluck_survives_pickling(ind):
    def again(program):
        return pickle.loads(pickle.dumps(program))([{}])

    wanted = pygenx.pipe([{}]).pluck(ind, None).list()
    assert again(pygenx.Pipeline().pluck(ind, None)).list() == wanted
    with pytest.raises(KeyError):
        again(pygenx.Pipeline().pluck(ind)).list()


def test_a_program_can_be_run_twice_at_a_time():
    program = (
        pygenx.Pipeline().accumulate(initial=0).unique_everseen().intersperse(0).tail(9)
    )
    one, two = program([1, 0, 2]), program([1, 0, 2])
    assert list(zip(one, two, strict=True)) == [(n, n) for n in (0, 0, 1, 0, 3)]
