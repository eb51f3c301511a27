"""Lifting of what was made by hand, of what stands in the place of something else, and
of what is interrupted while it is looked up."""

import builtins
import functools
import opcode
import operator
import sys
import types

import pytest

from pygenx import Pipeline, lifting, pipe

pytestmark = pytest.mark.c


def test_something_else_in_the_place_of_functools_partial(monkeypatch):
    """operator.methodcaller says with it how it is made again."""

    class Partial(functools.partial):
        pass

    monkeypatch.setattr(functools, "partial", Partial)
    split = operator.methodcaller("split", sep=",")
    replace = operator.methodcaller("replace", "a", "b")
    texts = ["a,b"] * 3000
    assert pipe(texts).map(split).list() == [*map(split, texts)]
    assert pipe(texts).map(replace).list() == [*map(replace, texts)]


def interrupting(at, value):
    """A function with a global whose look-up number `at` is interrupted."""

    class Key(str):
        seen = 0
        __hash__ = str.__hash__

        def __eq__(self, other):
            Key.seen += 1
            if Key.seen == at:
                raise KeyboardInterrupt
            return str.__eq__(self, other)

    names = {Key("STEP"): value, "__builtins__": builtins}
    return types.FunctionType((lambda x: x + STEP).__code__, names), Key  # noqa: F821


class Number(int):
    """Not remembered from one look-up to the next."""


@pytest.mark.parametrize("value", [3, Number(3), 3.5])
@pytest.mark.parametrize("make", [list, iter], ids=["list", "iterator"])
def test_an_interrupt_is_never_lost(value, make):
    for at in (*range(1, 12), 30, 63, 64, 65, 66, 67, 68, 90, 129, 500):
        function, key = interrupting(at, value)
        try:
            pipe(make(list(range(3000)))).map(function).sum()
        except KeyboardInterrupt:
            assert key.seen == at
        else:
            assert key.seen < at
    for ask in (lifting.why_not, lambda f: Pipeline().map(f).explain()):
        with pytest.raises(KeyboardInterrupt):
            ask(interrupting(1, value)[0])


def assembled(*operations):
    """A function of one argument made of operations, with their caches."""
    caches = {"BINARY_SUBSCR": 4, "CALL": 4 if sys.version_info < (3, 12) else 3}
    bytecode = b"".join(
        bytes([opcode.opmap[name], arg]) + bytes(2 * caches.get(name, 0))
        for name, arg in operations
    )
    code = (lambda x: x).__code__
    code = code.replace(co_code=bytecode, co_stacksize=20, co_consts=(None, ("a", "b")))
    return types.FunctionType(code, {})


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="BINARY_SUBSCR")
def test_the_text_of_what_doubles_again_and_again_is_short():
    doubled = [("COPY", 1), ("BUILD_TUPLE", 2)] * 60
    item = [("LOAD_FAST", 0), ("SWAP", 2), ("BINARY_SUBSCR", 0), ("RETURN_VALUE", 0)]
    function = assembled(("RESUME", 0), ("LOAD_FAST", 0), *doubled, *item)
    assert len(Pipeline().map(function).explain()) < 2000


@pytest.mark.skipif(
    "KW_NAMES" not in opcode.opmap or "PRECALL" in opcode.opmap, reason="3.12"
)
def test_more_names_than_arguments_are_no_call():
    function = assembled(
        ("RESUME", 0),
        ("PUSH_NULL", 0),
        ("LOAD_FAST", 0),
        ("LOAD_FAST", 0),
        ("KW_NAMES", 1),
        ("CALL", 1),
        ("RETURN_VALUE", 0),
    )
    assert lifting.why_not(function) == "its bytecode is not that of an expression"
