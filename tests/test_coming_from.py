"""docs/coming-from.md: every name in its tables exists, theirs and ours, and every
public name of ours is on the page.
"""

import re
import sys
from pathlib import Path

import pytest

import pygenx

PAGE = Path(__file__).resolve().parent.parent / "docs" / "coming-from.md"
TEXT = PAGE.read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")
# Where the left column's names come from, where they are not spelled out.
MODULES = {"mi": "more_itertools"}
BUILTINS = {"list", "map", "filter", "enumerate", "zip", "sum", "str"}
# What a pipe has because it is an iterator and a generator.
PROTOCOL = {"send", "throw", "close", "result", "path", "lineno"}
# Named on pages of their own.
ELSEWHERE = {
    "Expression",
    "Failure",
    "ReentrancyError",
    "all_of",
    "any_of",
    "call",
    "none_of",
}


def cells():
    """(there, here) of every row of every table"""
    for line in TEXT.splitlines():
        if line.startswith("| ") and not line.startswith("| there"):
            there, here = re.split(r" \| ", line.strip("| "))[:2]
            yield CODE.findall(there), CODE.findall(here)


THERE = [spelling for there, _ in cells() for spelling in there]
HERE = sorted({spelling for _, here in cells() for spelling in here})


@pytest.mark.c
@pytest.mark.parametrize("spelling", HERE)
def test_our_spelling(spelling):
    methods = re.findall(r"\.(\w+)", spelling) if spelling[0] == "." else []
    if methods:
        assert all(hasattr(pygenx.pipe, name) for name in methods)
    else:
        assert hasattr(pygenx, spelling)


@pytest.mark.parametrize("spelling", [s for s in THERE if re.match(r"\w+[.(]", s)])
def test_their_spelling(spelling):
    name = re.match(r"[\w.]+", spelling)[0]
    module, _, attributes = name.partition(".")
    if module in (*BUILTINS, "stream", "s"):
        return
    if name == "itertools.batched" and sys.version_info < (3, 12):
        return
    thing = pytest.importorskip(MODULES.get(module, module))
    for attribute in attributes.split("."):
        thing = getattr(thing, attribute)


@pytest.mark.c
def test_every_name_is_on_the_page():
    methods = {name for name in dir(pygenx.pipe) if name[0] != "_"} - PROTOCOL
    functions = set(pygenx.__all__) - ELSEWHERE
    missing = {f".{name}" for name in methods if f"`.{name}(" not in TEXT}
    missing |= {name for name in functions if f"`{name}`" not in TEXT}
    chained = {f".{name}" for name in re.findall(r"`\.[^`]*\.(\w+)\(", TEXT)}
    assert not missing - chained
