"""own and borrow: who closes an iterator."""

import pytest
import sources
from sources import Closable, Failing


def test_own_closes_at_the_end(impl):
    source = Closable("ab")
    assert list(impl.own(source)) == ["a", "b"]
    assert source.closes == 1


def test_own_closes_when_dropped(impl):
    source = Closable("ab")
    it = impl.own(source)
    next(it)
    del it
    assert source.closes == 1


def test_own_closes_when_dropped_unread(impl):
    source = Closable("ab")
    impl.own(source)
    assert source.closes == 1


def test_own_closes_on_an_error_and_has_ended(impl):
    source = Failing("abc", 1)
    it = impl.own(source)
    next(it)
    with pytest.raises(ZeroDivisionError):
        next(it)
    assert source.closes == 1
    assert list(it) == []


def test_own_closes_once(impl):
    source = Closable("ab")
    it = impl.own(source)
    it.close()
    it.close()
    del it
    assert source.closes == 1


def test_own_passes_the_generator_protocol_on(impl):
    log = []
    it = impl.own(sources.listener(log, "ab", "result"))
    assert next(it) == "a"
    assert it.send("hello") == ("answer", "hello")
    assert it.throw(ValueError("caught")) == "b"
    assert list(it) == []
    assert it.result == "result"
    assert log == [("sent", "hello"), ("caught", "caught"), "finally"]


def test_as_a_context_own_lends_and_closes_at_the_exit(impl):
    source = Closable("abc")
    with impl.own(source) as lent:
        assert type(lent) is impl.borrow
        assert next(lent) == "a"
        lent.close()
        assert source.closes == 0
    assert source.closes == 1


def test_as_a_context_own_closes_when_the_block_raises(impl):
    source = Closable("abc")
    scope = impl.own(source)
    with pytest.raises(KeyError), scope:
        raise KeyError
    assert source.closes == 1


def test_nested_scopes_leave_closing_to_the_outermost(impl):
    source = Closable("abcd")
    with impl.own(source) as outer:
        with impl.own(outer) as inner:
            assert next(inner) == "a"
        assert source.closes == 0
        assert next(outer) == "b"
    assert source.closes == 1


def test_an_error_of_close_passes(impl):
    it = impl.own(sources.BadClose("a", KeyError("close")))
    next(it)
    with pytest.raises(KeyError, match="close"):
        next(it)
    assert next(it, "end") == "end"


def test_borrow_never_closes(impl):
    source = Closable("abc")
    it = impl.borrow(source)
    assert next(it) == "a"
    it.close()
    assert list(it) == []
    assert source.closes == 0
    del it
    assert next(source) == "b"
    with impl.borrow(source) as it:
        assert list(it) == ["c"]
    assert source.closes == 0


def test_a_borrow_that_was_closed_sends_and_throws_no_more(impl):
    log = []
    source = sources.listener(log, "abc")
    it = impl.borrow(source)
    assert next(it) == "a"
    assert it.send("hello") == ("answer", "hello")
    it.close()
    with pytest.raises(StopIteration):
        it.send("too late")
    with pytest.raises(ValueError, match="too late"):
        it.throw(ValueError("too late"))
    assert log == [("sent", "hello")]
    assert next(source) == "b"


def test_a_borrow_protects_from_a_pipe(impl):
    source = Closable("abcd")
    with impl.pipe(impl.borrow(source)) as p:
        assert p.take(2).list() == ["a", "b"]
    assert source.closes == 0
    assert list(source) == ["c", "d"]


def test_own_makes_a_pipe_close(impl):
    source = Closable("abcd")
    assert impl.pipe(impl.own(source)).take(2).list() == ["a", "b"]
    assert source.closes == 1


def test_notes_name_the_tool():
    import pygenx

    for kind in (pygenx.own, pygenx.borrow):
        with pytest.raises(ZeroDivisionError) as caught:
            next(kind(Failing("a", 0)))
        assert caught.value.__notes__ == [f"pygenx: {kind.__name__}"]
