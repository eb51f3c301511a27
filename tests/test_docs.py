"""README, docs and docstrings: every example runs and prints what it says.

In Markdown, Python blocks with `>>>` are doctests and the others are run; the blocks of
a page share their names. Times and addresses are written as `...`.
"""

import collections
import contextlib
import doctest
import functools
import inspect
import io
import itertools
import math
import operator
import re
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import pygenx

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)#:]+)(#[^)]*)?\)")

OPTIONS = doctest.ELLIPSIS

PUBLIC = {name: getattr(pygenx, name) for name in [*pygenx.__all__, "zip"]}
METHODS = {
    f"{name}.{method}": getattr(public, method)
    for name, public in PUBLIC.items()
    if inspect.isclass(public) and not issubclass(public, Exception)
    for method in vars(public)
    if not method.startswith("_") and callable(getattr(public, method))
}
CALLABLES = PUBLIC | METHODS
del CALLABLES["this"]  # an object; its type has the docstring
# Methods whose docstring says what they do; the example is on a page of docs/.
SHOWN_IN_DOCS = {"send", "throw", "close", "lap"}


def run_doctest(source, name, globs, path=None, line=0):
    """Run the examples of a text; what went wrong is the text of the failure."""
    test = doctest.DocTestParser().get_doctest(source, globs, name, path, line)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test, out=report.write, clear_globs=False)
    globs.update(test.globs)  # it ran in a copy
    assert runner.failures == 0, report.getvalue()
    return len(test.examples)


# -- pages -------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with the files that the pages read, as the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "data" / "genesis.txt", "book.txt")
    Path("prices.txt").write_text("1.5\n2\nfree\n3\n", encoding="utf-8")


def named_by_the_reader():
    """What the first program of the README leaves to its reader."""
    return {"save": lambda items: None, "server": SimpleNamespace()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, files):
    text = page.read_text(encoding="utf-8")
    globs = named_by_the_reader() if page.name == "README.md" else {}
    blocks = list(FENCED.finditer(text))
    assert blocks
    for block in blocks:
        line = text.count("\n", 0, block.start("code"))
        if ">>>" in block["code"]:
            run_doctest(block["code"], page.name, globs, str(page), line)
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                code = compile("\n" * line + block["code"], page, "exec")
                exec(code, globs)


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("[AC]*.md")], ids=lambda p: p.name)
def test_links_lead_to_files(page):
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        assert (page.parent / link["target"]).exists(), link["target"]


def test_first_program_of_the_readme_does_what_it_says(files):
    saved = []
    server = SimpleNamespace()
    globs = {"save": saved.append, "server": server}
    code = FENCED.search((ROOT / "README.md").read_text(encoding="utf-8"))["code"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, globs)
    assert re.fullmatch(r"Elapsed time: \d+\.\d{4} seconds\n", output.getvalue())
    assert globs["words"]["the"] > 1000
    assert saved == [(1.5, 2.0, 3.0)]
    (failure,) = globs["bad"]
    assert isinstance(failure.error, ValueError)
    assert (failure.item, failure.index, failure.stage) == ("free", 2, "map(float)")
    for user in "aab":
        server.on_request({"user": user})
    assert saved[1:] == [("a", [{"user": "a"}, {"user": "a"}])]


def test_the_readme_lists_every_public_name():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = text.partition("\n## Tour")[2].partition("\n## ")[0]
    missing = [
        name
        for name in {each.rpartition(".")[2] for each in CALLABLES}
        if not re.search(rf"\b{name}\b", tour)
    ]
    assert not missing


def test_the_tables_of_the_readme_have_every_name_once():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text.partition("\n## Tour")[2], re.MULTILINE)
    stages, terminals, rest = (
        re.findall(r"`(\w+)`", table.split("|---|---|")[1]) for table in tables[:3]
    )
    both = {name for name in vars(pygenx.pipe) if hasattr(pygenx.Pipeline, name)}
    helpers = {name for name in both if name[0] == "_"} | {"explain"}
    assert sorted(stages + terminals) == sorted(both - helpers)
    assert sorted(rest) == sorted(PUBLIC)


def test_every_page_is_in_the_index():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    index = text.partition("\n### All pages")[2].partition("\n## ")[0]
    pages = re.findall(r"\(docs/([\w-]+\.md)\)", index)
    assert sorted(pages) == sorted(page.name for page in PAGES[1:])


def test_the_operator_page_is_what_the_docstrings_say():
    reference = runpy.run_path(str(ROOT / "docs" / "reference.py"))
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page == reference["page"](), "run python3 docs/reference.py"


# -- docstrings --------------------------------------------------------------------


def for_docstrings():
    modules = (collections, functools, itertools, math, operator)
    return {
        **{module.__name__: module for module in modules},
        **PUBLIC,
    }


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring(name):
    thing = CALLABLES[name]
    own = name.rpartition(".")[2]
    doc = thing.__doc__
    assert doc
    if isinstance(thing, type) and issubclass(thing, Exception):
        return
    if isinstance(thing, type) and thing.__flags__ & 1 << 7:  # cannot be called
        return
    # A signature for inspect, or two of them written out.
    assert thing.__text_signature__ or doc.startswith(f"{own}(")
    if thing.__text_signature__:
        inspect.signature(thing)
    count = run_doctest(doc, name, for_docstrings())
    assert count or own in SHOWN_IN_DOCS, "no example"


def test_what_docstrings_do_not_show_is_shown_in_docs():
    blocks = [
        block["code"]
        for page in PAGES
        for block in FENCED.finditer(page.read_text(encoding="utf-8"))
    ]
    for name in SHOWN_IN_DOCS:
        assert any(f".{name}(" in block for block in blocks), name


def test_attributes_say_what_they_are():
    for name, public in PUBLIC.items():
        if inspect.isclass(public):
            for attribute, value in vars(public).items():
                if not attribute.startswith("_"):
                    assert inspect.getdoc(value), f"{name}.{attribute}"
