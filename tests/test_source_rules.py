"""Rules of the C sources that a look at the text can check (CONTRIBUTING says why).

What is looked at is the text without comments and strings, one token of C at a time
where it matters; a rule that a line may break for a reason names the line here.
"""

import itertools
import re
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
FILES = sorted(path for path in SRC.iterdir() if path.suffix in (".c", ".h"))
C_FILES = [path for path in FILES if path.suffix == ".c"]
DEFS = sorted(SRC.glob("*.def"))

pytestmark = [
    pytest.mark.c,
    pytest.mark.skipif(not FILES, reason="an installation without the sources"),
]

MOST_LINES = 600
MOST_FUNCTION_LINES = 70

# Files over MOST_LINES, with the reason.
LONG_FILES = {
    "run.c": "the loop and its helpers are one unit, inlined into each other",
    "primed.c": "two types, one of which the other makes",
}


def blank(match):
    """Comments and strings become spaces, so that lines and columns stay."""
    text = match[0]
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[-1]
    return re.sub(r"[^\n]", " ", text)


@cache
def code(path):
    text = path.read_text(encoding="utf-8")
    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank,
        text,
        flags=re.S,
    )


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def found(paths, pattern, flags=re.M):
    """["file.c:12: text", ...]"""
    hits = []
    for path in paths:
        text = code(path)
        for match in re.finditer(pattern, text, flags):
            line = line_of(text, match.start())
            hits.append(f"{path.name}:{line}: {text.splitlines()[line - 1].strip()}")
    return hits


@cache
def functions(path):
    """{name: (first line, text with the braces)}: what begins in the first column."""
    text = code(path)
    table = {}
    for match in re.finditer(
        r"^(\w+)\((?:[^;{}]|\n)*?\)\n\{\n(.*?)^\}", text, re.M | re.S
    ):
        table[match[1]] = (line_of(text, match.start()), "{\n" + match[2] + "}")
    return table


@cache
def structs(path):
    """{name: body}"""
    pattern = r"(?:typedef )?struct(?: \w+)? \{\n(.*?)^\}( \w+)?;"
    return {
        (match[2] or match[0].split("\n")[0].split()[1]).strip(): match[1]
        for match in re.finditer(pattern, code(path), re.M | re.S)
    }


def objects_of(body):
    """Names of the fields that are references by their type."""
    types = r"PyObject|PyTypeObject|gx_program|groupby_object|tee_buffer"
    return re.findall(rf"^    (?:{types}) \*(\w+);", body, re.M)


# -- sizes and order -----------------------------------------------------------


def test_files_are_short():
    long = {
        path.name for path in FILES if len(path.read_text().splitlines()) > MOST_LINES
    }
    assert long - LONG_FILES.keys() == set()


def test_functions_are_short():
    long = [
        f"{path.name}:{line}: {name}"
        for path in C_FILES
        for name, (line, text) in functions(path).items()
        if text.count("\n") > MOST_FUNCTION_LINES
    ]
    assert long == []
    assert sum(len(functions(path)) for path in C_FILES) > 400


def test_lists_are_sorted_and_known():
    for path in DEFS:
        names = re.findall(r"^GX_\w+\((\w+)\)$", path.read_text(), re.M)
        assert names, path.name
        assert names == sorted(names, key=str.lower), path.name


BANNERS = ["struct", "construct", "iterate", "protocol", "type"]
# What else may stand between them, for what only some families have.
OTHER_BANNERS = {
    "expression.c": {
        "iterate: operators",
        "iterate: calls",
        "iterate: attributes",
        "iterate: what is refused",
    },
    "stage_through.c": {"stage"},
    "peekable.c": {"looking ahead"},
    "seekable.c": {"looking ahead and back"},
    "merge.c": {"iterate: the tree", "iterate: the items"},
    "pipe.c": {"start", "stages and terminals", "stages", "terminals"},
    "push.c": {"start"},
    "pipeline.c": {"describe", "compose", "pickle"},
    "stats.c": {"count", "attach", "methods of pipe"},
    "stats_row.c": {"table"},
    "primed.c": {"call", "shared"},
    "timed.c": {"call"},
    "timed_run.c": {"measure"},
    "timing.c": {"measure"},
    "tee_buffer.c": {"iterate: the tail", "iterate: the head"},
}


def is_type_file(path):
    return "PyType_Spec" in code(path)


def test_types_have_the_five_parts_in_order():
    for path in filter(is_type_file, C_FILES):
        found = re.findall(r"^/\* -- (.*?) -+ \*/$", path.read_text(), re.M)
        other = OTHER_BANNERS.get(path.name, set())
        assert set(found) <= {*BANNERS, *other}, path.name
        order = [BANNERS.index(name) for name in found if name in BANNERS]
        # A family repeats the parts for each of its types.
        for before, after in itertools.pairwise(order):
            assert after > before or after == 0, (path.name, found)
        assert order[-1] == BANNERS.index("type"), path.name


def test_files_say_what_they_are_for():
    for path in (*FILES, *DEFS):
        assert path.read_text().startswith("/* "), path.name


# -- rules of the code ---------------------------------------------------------


def test_no_way_out_of_a_critical_section():
    sections = 0
    for path in C_FILES:
        for name, (line, text) in functions(path).items():
            begins = len(re.findall(r"\bPy_BEGIN_CRITICAL_SECTION2?\(", text))
            ends = len(re.findall(r"\bPy_END_CRITICAL_SECTION2?\(", text))
            assert begins == ends, f"{path.name}:{line}: {name}"
            for part in re.findall(
                r"Py_BEGIN_CRITICAL_SECTION.*?Py_END_CRITICAL_SECTION", text, re.S
            ):
                sections += 1
                left = re.search(r"\b(return|goto|break|continue)\b", part)
                assert not left, (
                    f"{path.name}:{line}: {name} leaves a section by {left}"
                )
    assert sections > 30


def reached(names, table):
    """The text of these functions and of what they call in the same file."""
    seen, todo = set(), set(names)
    while todo:
        name = todo.pop()
        seen.add(name)
        if name in table:
            called = set(re.findall(r"\b(\w+)\b(?=[(,;)])", table[name][1]))
            todo |= (called & table.keys()) - seen
    return "\n".join(table[name][1] for name in seen if name in table)


def test_no_StopIteration_from_a_slot_by_hand():
    """It is made in one place, which keeps tuples and exceptions whole."""
    for path in C_FILES:
        table = functions(path)
        for slot in re.findall(r"\{Py_tp_iternext, (\w+)\}", code(path)):
            text = reached([slot], table)
            assert "SetNone(PyExc_StopIteration" not in text, (path.name, slot)
    raised = found(C_FILES, r"PyErr_Set\w+\((\(PyObject \*\))?PyExc_StopIteration\b")
    assert {hit.split(":")[0] for hit in raised} <= {"errors.c", "iterator.c", "fold.c"}


# Structs that no object of Python's is, or that have macros of their own.
NO_OBJECTS = {
    "gx_source": "GX_VISIT_SOURCE, gx_source_drop",
    "gx_sink": "GX_VISIT_SINK, gx_sink_drop",
    "feeding": "lives on the C stack",
    "gx_reader": "lives as long as the text is made",
    "gx_node": "lives in a gx_reader",
    "piece": "lives as long as a writer",
    "reading": "lives on the C stack",
    "writer": "lives on the C stack",
    "anatomy": "lives on the C stack",
    "generator_lifter": "lives on the C stack",
    "gx_builder": "lives on the C stack",
    "gx_lifter": "lives on the C stack",
    "gx_breath": "",
    "gx_outside": "lives on the C stack",
    "gx_lane_global": "held for one block",
    "gx_row": "constant",
    "gx_typedef": "constant",
    "gx_protocol": "constant",
}
# Not owned, as the comment at the field says.
BORROWED = {
    ("gx_known_global", "value"),
    ("gx_known_method", "type"),
    ("gx_step", "func"),
    ("gx_program", "through"),
    ("gx_vector", "object"),
    ("gx_state", "names"),
    ("groupby_object", "open"),
}


def sources_of(path):
    """The C files in which the structs of a file are looked after."""
    if path.suffix == ".c":
        return [path]
    users = [user for user in C_FILES if f'#include "{path.name}"' in user.read_text()]
    return users or C_FILES


def looked_after(path, pattern):
    """The text of the functions with such a name, and of what they call."""
    texts = []
    for user in sources_of(path):
        table = functions(user)
        texts.append(
            reached([name for name in table if re.search(pattern, name)], table)
        )
    return "\n".join(texts)


def object_structs():
    for path in FILES:
        for name, body in structs(path).items():
            if name not in NO_OBJECTS:
                yield path, name, body


def test_every_reference_is_visited_and_released():
    checked = 0
    for path, name, body in object_structs():
        for field in objects_of(body):
            if (name, field) in BORROWED or field == "weakrefs":
                continue
            checked += 1
            visited = rf"(Py_VISIT|GX_VISIT_ITERATOR)\([^;]*(->|\.){field}\b"
            assert re.search(visited, looked_after(path, "traverse")), (
                f"{path.name}: {name}.{field} is not visited"
            )
            released = looked_after(path, "clear|dealloc|free|forget|release|detach")
            assert re.search(rf"(->|\.){field}\b", released), (
                f"{path.name}: {name}.{field} is not released"
            )
    assert checked > 30


def test_every_source_is_visited_and_dropped():
    for path, name, body in object_structs():
        for kind, field in re.findall(r"^    gx_(source|sink) (\w+);", body, re.M):
            visited = rf"GX_VISIT_{kind.upper()}\([^;]*\b{field}\b"
            assert re.search(visited, looked_after(path, "traverse")), (
                path.name,
                name,
                field,
            )
            dropped = rf"gx_{kind}_(drop|close|finish)\([^;]*\b{field}\b"
            assert any(re.search(dropped, code(user)) for user in sources_of(path)), (
                path.name,
                field,
            )


TABLES = "Py(MethodDef|Type_Slot|Type_Spec|GetSetDef|MemberDef|ModuleDef(_Slot)?)"


def test_nothing_static_is_mutable():
    hits = []
    for path in FILES:
        for match in re.finditer(r"^ *static ([^;={]*?)([=;{])", code(path), re.M):
            text = " ".join(match[1].split())
            if re.search(rf"\b({TABLES})\b", text) or "(" in text:
                continue
            if "const" not in text:
                hits.append(f"{path.name}: static {text}")
            elif "*" in text and not re.search(r"\* ?const\b", text):
                # A pointer to constants that can itself be changed.
                hits.append(f"{path.name}: static {text}")
    assert hits == []
    mutable = r"^(?!static|extern|typedef|struct|const|enum|union)\w[\w ]*\*?\w+ = "
    assert found(C_FILES, mutable) == []


# The memory of code objects, public from 3.12 on under other names.
PRIVATE_ON_311 = {
    "_PyEval_RequestCodeExtraIndex",
    "_PyCode_GetExtra",
    "_PyCode_SetExtra",
}


def test_no_private_names():
    private = r"\b_Py\w+|\bpycore_|Py_BUILD_CORE|\bPyGenObject\b|\bgi_frame_state\b"
    hits = [
        hit
        for hit in found(FILES, private)
        if not (hit.startswith("compat.h") and hit.split()[-1] in PRIVATE_ON_311)
    ]
    assert hits == []


def test_no_cast_of_functions_but_in_the_tables():
    casts = (
        r"\((PyCFunction\w*|getter|setter|destructor|inquiry|visitproc|traverseproc"
        r"|[a-z]+func)\)"
    )
    hits = found(FILES, casts)
    hits = [hit for hit in hits if "GX_FASTCALL" not in hit]
    assert [hit for hit in hits if "#define" not in hit] == []
    assert [
        hit
        for hit in found(FILES, r"\(void \(\*\)\(void\)\)")
        if "GX_FASTCALL" not in hit
    ] == []


def test_functions_of_the_c_api_that_hide_errors():
    """PyObject_HasAttr swallows what __getattr__ raises, PyDict_GetItem too."""
    allowed = {"lines.c"}
    for name in (
        "PyDict_GetItem",
        "PyDict_GetItemString",
        "PyObject_HasAttrString",
        "PyObject_HasAttr",
    ):
        hits = found(FILES, rf"\b{name}\(")
        assert {hit.split(":")[0] for hit in hits} <= allowed, hits


def test_names_of_attributes_are_interned():
    """A name made anew for each look-up stays in CPython's cache of types."""
    allowed = {"module.c", "timing.c"}  # once per module
    hits = found(C_FILES, r"\bPyObject_(GetAttrString|SetAttrString|CallMethod)\(")
    assert {hit.split(":")[0] for hit in hits} <= allowed, "\n".join(hits)


def test_compare_errors_with_less_than():
    assert found(C_FILES, r"\w+\([^;\n]*\) == -1\b(?! &&)") == []


def test_errors_are_cleared_only_where_it_is_said():
    """Each PyErr_Clear has its reason near it, in a comment."""
    silent = []
    for path in C_FILES:
        lines = path.read_text().splitlines()
        for i, line in enumerate(lines):
            if "PyErr_Clear();" in line and "/*" not in " ".join(
                lines[max(0, i - 24) : i + 1]
            ):
                silent.append(f"{path.name}:{i + 1}: {line.strip()}")
    assert silent == []


def test_labels():
    labels = found(C_FILES, r"^\w+:(?!:)")
    names = {hit.rsplit(" ", 1)[1].strip(":;") for hit in labels}
    assert names <= {"error", "done", "ended", "default"}, labels


def test_lines_are_short_and_clean():
    long = []
    for path in (*FILES, *DEFS):
        for i, line in enumerate(path.read_text().splitlines(), 1):
            if line != line.rstrip() or "\t" in line:
                long.append(f"{path.name}:{i}: {line!r}")
    assert long == []
