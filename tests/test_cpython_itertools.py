"""CPython's own tests of chain, tee and groupby, with pygenx's in their place."""

import ast
import inspect
import textwrap
import unittest

import pytest

import pygenx

upstream = pytest.importorskip(
    "test.test_itertools",
    reason="this Python was installed without its test suite",
    exc_type=ImportError,
)

OURS = {name: getattr(pygenx, name) for name in ("chain", "tee", "groupby")}

# Iterators of pygenx are neither copied nor pickled: statements that do it are left
# out, wherever they stand.
COPYING = {"copy", "pickle", "pickletest"}
# A tee of a branch gives new branches each time: `next()` on one never moves the other.
DROPPED = {"self.assertTrue(a is c)"}

REFUSED = {
    # __setstate__ is for pickling alone.
    "test_chain_setstate",
    # Whoever calls a groupby from inside its own key or comparison gets a
    # ReentrancyError, where itertools goes on in whatever state it is; that nothing
    # crashes is tested in test_groupby.py.
    "test_issue30347_1",
    "test_issue30347_2",
}


def is_dropped(statement):
    names = {
        getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(statement)
    }
    return bool(names & COPYING) or ast.unparse(statement) in DROPPED


class Drop(ast.NodeTransformer):
    """Take the statements out that do what our iterators refuse."""

    def generic_visit(self, node):
        super().generic_visit(node)
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                kept = [statement for statement in block if not is_dropped(statement)]
                setattr(node, field, kept or ([ast.Pass()] if block else []))
        return node


def adapted(method):
    """The test method without those statements, in the module it comes from."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    (function,) = tree.body
    function.decorator_list = []
    Drop().visit(function)
    names = {}
    code = compile(ast.fix_missing_locations(tree), upstream.__file__, "exec")
    exec(code, vars(upstream), names)
    return names[method.__name__]


def names_of(code):
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from names_of(constant)


def cases():
    """Every test that names one of the three, in whatever class it stands."""
    for kind in vars(upstream).values():
        if isinstance(kind, type) and issubclass(kind, unittest.TestCase):
            for name, method in vars(kind).items():
                if name in REFUSED:
                    continue
                if name.startswith("test") and inspect.isfunction(method):
                    code = inspect.unwrap(method).__code__
                    if OURS.keys() & set(names_of(code)):
                        yield pytest.param(kind, name, id=f"{kind.__name__}.{name}")


@pytest.mark.parametrize(("kind", "name"), list(cases()))
def test_upstream(kind, name, monkeypatch):
    for ours in OURS.items():
        monkeypatch.setattr(upstream, *ours)
    method = adapted(inspect.unwrap(getattr(kind, name)))
    result = unittest.TestResult()
    type(kind.__name__, (kind,), {name: method})(name).run(result)
    assert result.testsRun == 1
    assert not result.skipped
    problems = [text for _, text in result.failures + result.errors]
    assert not problems, "\n".join(problems)
