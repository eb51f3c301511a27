"""groupby: adjacent items with equal keys, in groups that share the source."""

import gc
import weakref

import pytest
import sources
from sources import Closable, Failing, Item, Source


def gulp(it):
    return [(key, list(group)) for key, group in it]


def test_adjacent_items_with_equal_keys(impl):
    assert gulp(impl.groupby("aabbba")) == [
        ("a", ["a", "a"]),
        ("b", ["b", "b", "b"]),
        ("a", ["a"]),
    ]
    assert gulp(impl.groupby([1, 3, 2, 4, 5], lambda n: n % 2)) == [
        (1, [1, 3]),
        (0, [2, 4]),
        (1, [5]),
    ]
    assert gulp(impl.groupby("aB", key=None)) == [("a", ["a"]), ("B", ["B"])]
    assert gulp(impl.groupby(iterable="ab", key=str.upper)) == [
        ("A", ["a"]),
        ("B", ["b"]),
    ]
    assert gulp(impl.groupby([])) == []
    assert gulp(impl.groupby([None, None, 0])) == [(None, [None, None]), (0, [0])]


def test_the_key_is_called_once_for_each_item(impl):
    seen = []
    gulp(impl.groupby("aabb", lambda item: seen.append(item) or item))
    assert seen == ["a", "a", "b", "b"]


def test_advancing_skips_the_rest_of_the_group_and_empties_it(impl):
    it = impl.groupby("aaabb")
    _, first = next(it)
    assert next(first) == "a"
    key, second = next(it)
    assert key == "b"
    assert list(first) == []
    assert list(second) == ["b", "b"]
    assert list(it) == []


def test_a_group_outlives_the_name_of_its_groupby(impl):
    _, group = next(impl.groupby("aab"))
    gc.collect()
    assert list(group) == ["a", "a"]


def test_nothing_is_read_ahead(impl):
    source = Source("aab")
    it = impl.groupby(source)
    assert source.pulls == 0
    _, group = next(it)
    assert source.pulls == 1
    assert next(group) == "a"
    assert source.pulls == 1
    next(group)
    assert source.pulls == 2
    assert next(group, None) is None
    assert source.pulls == 3
    next(it)
    assert source.pulls == 3


def test_keys_are_equal_when_identical_or_equal(impl):
    nan = float("nan")
    assert [len(list(group)) for _, group in impl.groupby([nan, nan])] == [2]
    assert [len(list(group)) for _, group in impl.groupby([nan, float("nan")])] == [
        1,
        1,
    ]
    assert [key for key, _ in impl.groupby([1, 1.0, True, 2])] == [1, 2]
    unhashable = [[1], [1], [2]]
    assert [key for key, _ in impl.groupby(unhashable)] == [[1], [2]]


def test_an_error_of_the_key_consumes_its_item(impl):
    def key(item):
        if item == "x":
            raise ZeroDivisionError
        return item

    it = impl.groupby("xaaxab", key)
    with pytest.raises(ZeroDivisionError):
        next(it)
    name, group = next(it)
    assert (name, next(group), next(group)) == ("a", "a", "a")
    with pytest.raises(ZeroDivisionError):
        next(group)
    assert list(group) == ["a"]
    assert gulp(it) == [("b", ["b"])]


def test_an_error_of_the_comparison_passes_and_consumes_its_item(impl):
    bad = sources.FailingEq(ZeroDivisionError("=="))
    it = impl.groupby(["a", bad, "a", "b"])
    _, group = next(it)
    assert next(group) == "a"
    with pytest.raises(ZeroDivisionError, match="=="):
        next(group)
    assert list(group) == ["a"]
    assert gulp(it) == [("b", ["b"])]


def test_stop_iteration_from_key_or_comparison_is_a_runtime_error(impl):
    def key(item):
        raise StopIteration("oops")

    for it in (
        impl.groupby("ab", key),
        impl.groupby(["a", sources.FailingEq(StopIteration("oops"))]),
    ):
        with pytest.raises(RuntimeError) as caught:
            gulp(it)
        assert caught.value.__cause__.args == ("oops",)


def test_an_error_of_the_source_inside_a_group_ends_nothing(impl):
    it = impl.groupby(Failing("aaab", 1))
    _, group = next(it)
    assert next(group) == "a"
    with pytest.raises(ZeroDivisionError):
        next(group)
    assert list(group) == ["a"]
    assert gulp(it) == [("b", ["b"])]


def test_closing_a_group_skips_to_its_end_and_leaves_the_source_open(impl):
    source = Closable("aaab")
    it = impl.groupby(source)
    _, group = next(it)
    next(group)
    assert group.close() is None
    assert source.pulls == 4
    assert source.closes == 0
    assert list(group) == []
    assert gulp(it) == [("b", ["b"])]


def test_closing_an_old_group_reads_nothing(impl):
    source = Closable("aab")
    it = impl.groupby(source)
    _, old = next(it)
    _, new = next(it)
    pulls = source.pulls
    old.close()
    assert source.pulls == pulls
    assert list(new) == ["b"]


def test_with_over_a_group_skips_its_rest(impl):
    source = Closable("aab")
    it = impl.groupby(source)
    with next(it)[1] as group:
        assert next(group) == "a"
    assert source.closes == 0
    assert gulp(it) == [("b", ["b"])]


def test_closing_the_groupby_ends_its_groups(impl):
    source = Closable("aab")
    it = impl.groupby(source)
    _, group = next(it)
    it.close()
    assert source.closes == 1
    assert list(group) == []
    assert list(it) == []


def test_groupby_and_group_guard_each_other(impl):
    source = sources.Calling("aab", at=1)
    it = impl.groupby(source)
    _, group = next(it)
    source.action = lambda: next(it)
    assert list(group) == ["a", "a"]
    assert isinstance(source.outcome, impl.ReentrancyError)


def test_a_key_that_uses_its_groupby_is_refused(impl):
    outcomes = []

    def key(item):
        try:
            next(it)
        except impl.ReentrancyError as error:
            outcomes.append(type(error))
        return item

    it = impl.groupby("ab", key)
    assert gulp(it) == [("a", ["a"]), ("b", ["b"])]
    assert outcomes == [impl.ReentrancyError] * 2


def test_a_comparison_that_uses_its_groupby_is_refused(impl):
    class Key:
        outcome = None

        def __init__(self, item):
            pass

        def __eq__(self, other):
            try:
                next(it)
            except impl.ReentrancyError:
                Key.outcome = "refused"
            return NotImplemented

        __hash__ = None

    it = impl.groupby([Item(1), Item(2)], Key)
    assert len(list(it)) == 2
    assert Key.outcome == "refused"


def test_the_return_value_is_the_groupbys(impl):
    it = impl.groupby(sources.generator("ab", None, 42))
    group = None
    for _, group in it:
        list(group)
    assert it.result == 42
    assert group.result is None


def test_items_are_let_go_of(impl):
    freed = []
    it = impl.groupby((Item(number, freed) for number in range(3)), lambda item: 0)
    _, group = next(it)
    for number in range(3):
        next(group)
        assert freed == list(range(number + 1))


def test_a_cycle_through_the_key_is_collected(impl):
    class Key:
        def __call__(self, item):
            return self

    key = Key()
    key.it = impl.groupby([Item(1), Item(2)], key)
    key.group = next(key.it)[1]
    alive = weakref.ref(key)
    del key
    gc.collect()
    assert alive() is None


def test_subclasses_as_itertools_allows_them():
    from pygenx import groupby

    class Named(groupby):
        pass

    it = Named("aab")
    it.name = "letters"
    assert gulp(it) == [("a", ["a", "a"]), ("b", ["b"])]


def test_groups_cannot_be_made_by_hand():
    from pygenx import groupby

    it = groupby("a")
    kind = type(next(it)[1])
    with pytest.raises(TypeError, match="cannot create"):
        kind()
    with pytest.raises(TypeError, match="cannot create"):
        kind(it, "a")


def by_letter(item):
    raise ZeroDivisionError


def test_notes_name_the_key_and_show_the_item():
    from pygenx import groupby

    with pytest.raises(ZeroDivisionError) as caught:
        next(groupby(["abc"], by_letter))
    assert caught.value.__notes__ == ["pygenx: groupby(key=by_letter), item 0: 'abc'"]
