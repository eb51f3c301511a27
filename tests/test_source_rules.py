"""The C sources keep the rules of `source_rules.py`, and each rule can be broken.

CONTRIBUTING says why they are there. The last tests are about the module as it was
built: what the text cannot show.
"""

import inspect
import itertools
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pygenx._pygenx
import pytest
import source_rules
from source_rules import Sources

import pygenx

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"

pytestmark = [
    pytest.mark.c,
    pytest.mark.skipif(not SRC.is_dir(), reason="an installation without the sources"),
]

RULES = {
    name: rule
    for name, rule in inspect.getmembers(source_rules, inspect.isfunction)
    if [*inspect.signature(rule).parameters] == ["sources"] and name != "kept"
}


@cache
def sources():
    return Sources.read(SRC)


@pytest.mark.parametrize("rule", RULES)
def test_sources_keep(rule):
    assert list(RULES[rule](sources())) == []


def test_sources_are_understood():
    """Enough is seen of them: a rule that looks at nothing is kept by all."""
    assert sum(len(file.bodies) for file in sources().c_files) > 2000
    assert len(sources().structs) > 90
    assert len(list(source_rules.kept(sources()))) > 180
    assert len(sources().found(r"\bPy_BEGIN_CRITICAL_SECTION")) > 30


def test_exceptions_are_needed():
    """What a rule passes over by name is there."""
    structs = sources().structs
    for struct in source_rules.SHORT_LIVED:
        assert struct in structs
    for struct, name in source_rules.NOT_VISITED.keys() | source_rules.BASES:
        assert name in [field.name for field in structs[struct][1]], (struct, name)
    by_file = (
        *(source_rules.LONG_FILES, source_rules.OTHER_BANNERS, source_rules.UNLOCKED),
        *(source_rules.OWN_LISTS, source_rules.OWN_DICTS),
    )
    for name in itertools.chain(*by_file):
        assert any(file.name == name for file in sources().files), name


# -- what breaks a rule --------------------------------------------------------

LONG = "int\nlong_one(void)\n{\n" + "    ++x;\n" * 71 + "}\n"
SECTION = (
    "static PyObject *\nf_next(PyObject *op)\n{{\n    Py_BEGIN_CRITICAL_SECTION(op);\n"
    "    {}\n    Py_END_CRITICAL_SECTION();\n    return NULL;\n}}\n"
)
SLOT = (
    "static PyObject *\nstop(PyObject *op)\n{\n"
    "    PyErr_SetNone(PyExc_StopIteration);\n    return NULL;\n}\n"
    "static PyObject *\nf_next(PyObject *op)\n{\n    return stop(op);\n}\n"
    "static PyType_Slot f_slots[] = {\n    {Py_tp_iternext, f_next},\n};\n"
)
STRUCT = "typedef struct {{\n    PyObject_HEAD\n    {}\n}} planted_object;\n"
PARTS = "static PyType_Spec f_spec;\n" + "".join(
    f"/* -- {part} -- */\n" for part in ["struct", "iterate", "construct", "type"]
)

# rule, file, what is added to it or (what is replaced, by what), what the rule says
PLANTS = [
    ("files_are_short", "new.c", "int x;\n" * 601, "new.c: 601 lines"),
    ("functions_are_short", "new.c", LONG, "long_one"),
    ("functions_are_short", "new.h", LONG, "long_one"),
    ("functions_are_short", "new.c", "#define M \\\n" + "  x; \\\n" * 71, "a macro"),
    ("functions_are_short", "new.c", "int f()\n\n{\n}\n", "1 bodies, 0 are"),
    ("lists_are_sorted", "types.def", "GX_TYPE(aaa)\n", "types.def"),
    ("lists_are_sorted", "new.def", "/* empty */\n", "new.def"),
    ("types_have_five_parts", "new.c", PARTS, "construct behind iterate"),
    ("types_have_five_parts", "chain.c", "/* -- more -- */\n", "'more'"),
    ("types_have_five_parts", "chain.c", ("/* -- type -", "/* - type -"), "end in"),
    ("files_say_what_they_are_for", "new.c", "int x;\n", "new.c"),
    ("comments_are_neither_few_nor_many", "new.c", "/* x */\n" * 20000, "comments"),
    ("comments_are_neither_few_nor_many", "new.c", "int x;\n" * 60000, "comments"),
    ("lines_are_clean", "new.c", "int x; \n", "new.c:1"),
    ("lines_are_clean", "new.c", "\tint x;\n", "new.c:1"),
    ("pointers_say_who_owns", "new.c", STRUCT.format("PyObject *it;"), "it"),
    ("pointers_say_who_owns", "new.c", STRUCT.format("gx_run *a, *b;"), "b"),
    ("pointers_say_who_owns", "new.h", STRUCT.format("PyObject **its;"), "its"),
    (
        "references_are_visited",
        "new.c",
        STRUCT.format("PyObject *it; /* owned */"),
        "it",
    ),
    ("references_are_visited", "new.c", STRUCT.format("gx_source from;"), "from"),
    ("references_are_visited", "new.c", STRUCT.format("gx_run *r; /* owned */"), "r"),
    (
        "references_are_visited",
        "module.c",
        ("    Py_VISIT(state->open);\n", ""),
        "open",
    ),
    (
        "references_are_visited",
        "chain.c",
        ("GX_VISIT_SOURCE(&self->outer);", ""),
        "outer",
    ),
    ("references_are_visited", "failure.c", ("Py_VISIT(self->item);", ""), "item"),
    (
        "references_are_visited",
        "pipe.c",
        ("Py_VISIT(self->successor);", ""),
        "successor",
    ),
    ("references_are_visited", "binding.c", ("Py_VISIT(b->regs[i]);", ""), "regs"),
    ("references_are_visited", "run_state.c", ("Py_VISIT(step->key);", ""), "key"),
    (
        "references_are_released",
        "new.c",
        STRUCT.format("PyObject *it; /* owned */"),
        "it",
    ),
    (
        "references_are_released",
        "new.c",
        STRUCT.format("char *it; int *n; /* owned */"),
        "n",
    ),
    (
        "references_are_released",
        "module.c",
        ("Py_CLEAR(state->counter);", ""),
        "counter",
    ),
    ("references_are_released", "failure.c", ("Py_CLEAR(self->item);", ""), "item"),
    ("references_are_released", "failure.c", ("Py_CLEAR(self->node);", ""), "node"),
    ("types_are_visited_and_released", "tee.c", ("GX_VISIT_ITERATOR(op);", ""), "tee"),
    ("types_are_visited_and_released", "failure.c", ("Py_VISIT(Py_TYPE(op));", ""), ""),
    (
        "types_are_visited_and_released",
        "failure.c",
        ("Py_DECREF(type);", ""),
        "dealloc",
    ),
    (
        "weak_references_are_cleared",
        "new.c",
        STRUCT.format("PyObject *weakrefs;"),
        "new.c",
    ),
    (
        "no_way_out_of_a_critical_section",
        "new.c",
        SECTION.format("return op;"),
        "return",
    ),
    ("no_way_out_of_a_critical_section", "new.c", SECTION.format("goto done;"), "goto"),
    (
        "no_way_out_of_a_critical_section",
        "new.c",
        SECTION.format("if (x) break;"),
        "break",
    ),
    (
        "no_way_out_of_a_critical_section",
        "new.c",
        SECTION.format("Py_BEGIN_CRITICAL_SECTION2(op, op);"),
        "without an end",
    ),
    (
        "no_way_out_of_a_critical_section",
        "new.c",
        SECTION.format(
            "Py_BEGIN_CRITICAL_SECTION(x); g(x); Py_END_CRITICAL_SECTION();"
        ),
        "inside a section",
    ),
    ("stop_iteration_is_made_in_one_place", "new.c", SLOT, "f_next sets StopIteration"),
    ("stop_iteration_is_made_in_one_place", "errors.c", SLOT, "f_next sets"),
    (
        "stop_iteration_is_made_in_one_place",
        "tee.c",
        "void\nf(void)\n{\n    PyErr_SetObject(PyExc_StopIteration, x);\n}\n",
        "tee.c",
    ),
    ("nothing_static_is_mutable", "new.c", "static int calls;\n", "static int calls"),
    ("nothing_static_is_mutable", "new.c", "static PyObject *cache = NULL;\n", "cache"),
    ("nothing_static_is_mutable", "new.c", "static const char *last[4];\n", "last"),
    (
        "nothing_static_is_mutable",
        "new.c",
        "int\nf(void)\n{\n    static bool on;\n}\n",
        "on",
    ),
    ("nothing_static_is_mutable", "new.c", "int calls = 0;\n", "int calls"),
    ("nothing_static_is_mutable", "new.c", "PyObject *cache;\n", "cache"),
    ("no_private_names", "new.c", "x = _PyLong_Sign(y);\n", "_PyLong_Sign"),
    ("no_private_names", "compat.h", "#define f _PyLong_Sign\n", "_PyLong_Sign"),
    ("no_private_names", "new.c", '#include "internal/pycore_frame.h"\n', "pycore_"),
    ("no_casts_of_functions", "new.c", "f = (destructor)g;\n", "destructor"),
    ("no_casts_of_functions", "new.c", "f = (PyCFunctionWithKeywords)g;\n", "PyCF"),
    ("no_casts_of_functions", "new.c", "f = (void (*)(void))g;\n", "void"),
    ("only_compat_speaks_to_a_compiler", "new.c", "int x = ({ 1; });\n", "new.c:1"),
    ("only_compat_speaks_to_a_compiler", "new.c", "y = x ?: z;\n", "new.c:1"),
    ("only_compat_speaks_to_a_compiler", "new.c", "    case 'a' ... 'z':\n", "new.c:1"),
    ("only_compat_speaks_to_a_compiler", "new.c", "x = __builtin_ctz(y);\n", "ctz"),
    ("only_compat_speaks_to_a_compiler", "new.c", "goto *table[op];\n", "table"),
    ("only_compat_speaks_to_a_compiler", "new.c", "#include <sys/time.h>\n", "sys"),
    (
        "no_arrays_of_variable_length",
        "new.c",
        "int\nf(int n)\n{\n    PyObject *args[n + 1];\n}\n",
        "an array of n + 1",
    ),
    ("nothing_hides_errors", "new.c", "x = PyDict_GetItem(d, k);\n", "new.c:1"),
    ("no_borrowed_references", "new.c", "x = PyDict_GetItemWithError(d, k);\n", "d"),
    (
        "no_borrowed_references",
        "new.c",
        "#ifdef Py_GIL_DISABLED\nx = PyCell_GET(c);\n#endif\n",
        "new.c:2",
    ),
    (
        "lists_of_others_are_not_read_in_place",
        "new.c",
        "#ifndef Py_GIL_DISABLED\nx;\n#else\nx = PyList_GET_ITEM(l, i);\n#endif\n",
        "new.c:4",
    ),
    (
        "lists_of_others_are_not_read_in_place",
        "inputs.h",
        ("#ifndef Py_GIL_DISABLED\n", "#if 1\n"),
        "inputs.h",
    ),
    ("refcounts_prove_nothing", "new.c", "if (Py_REFCNT(op) == 1) {\n", "new.c:1"),
    (
        "fields_are_reached_under_a_lock",
        "new.c",
        "static PyObject *\nf_get(PyObject *op)\n{\n    return x(op)->item;\n}\n"
        'static PyMethodDef f_methods[] = {\n    {"get", f_get, METH_NOARGS, f},\n};\n',
        "f_get",
    ),
    (
        "the_module_asks_for_a_GIL",
        "new.c",
        "{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n",
        "new.c:1",
    ),
    (
        "attribute_names_are_interned",
        "new.c",
        'PyObject_GetAttrString(x, "y");\n',
        "new",
    ),
    ("errors_are_compared_with_less_than", "new.c", "if (f(x) == -1) {\n", "new.c:1"),
    ("clearing_an_error_has_a_reason", "new.c", "    PyErr_Clear();\n", "new.c:1"),
    ("labels_are_few", "new.c", "again:\n", "again"),
    ("every_type_is_listed", "types.def", "GX_TYPE(zzz)\n", "zzz is listed only"),
    ("every_type_is_listed", "types.def", ("GX_TYPE(chain)\n", ""), "chain is defined"),
    ("every_type_is_listed", "new.c", "static PyType_Spec f_spec = {\n", "f_spec"),
]


def planted(name, change):
    known = [file.name for file in sources().all]
    text = sources()[name].text if name in known else ""
    if isinstance(change, str):
        return sources().changed(name, text + change)
    assert text.count(change[0]) == 1, (name, change)
    return sources().changed(name, text.replace(*change))


@pytest.mark.parametrize(("rule", "name", "change", "said"), PLANTS)
def test_rule_finds(rule, name, change, said):
    found = list(RULES[rule](planted(name, change)))
    assert any(said in hit for hit in found), found


def test_every_rule_is_seen_to_fail():
    assert {rule for rule, *_ in PLANTS} == RULES.keys()


# -- the module as it was built ------------------------------------------------

BUILT = Path(pygenx._pygenx.__file__)
ELF = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("objdump") is None,
    reason="needs objdump and an ELF file",
)


def symbols(*options):
    """[(flags, section, size, name)]"""
    command = ["objdump", *options, str(BUILT)]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pattern = r"^[0-9a-f]+ (.{7}) (\S+)\t([0-9a-f]+) +(?:\S+ +)?(\S+)$"
    return [
        (match[1], match[2], int(match[3], 16), match[4])
        for match in re.finditer(pattern, table, re.M)
    ]


# Written by CPython when the module is imported, never by us; all hold only constants.
CPYTHON_WRITES = r"\w+_(slots|methods|getset|members|spec|functions)(\.\d+)?|gx_module"
COMPILERS = r"completed\.\d+|__\w+|_DYNAMIC|_GLOBAL_OFFSET_TABLE_|\.\S+|_\w+_array_"


@ELF
def test_built_module_has_no_variables():
    """What nothing_static_is_mutable reads, seen in the sections that are written."""
    table = symbols("--syms")
    if not table:
        pytest.skip("stripped")
    if any("asan" in name for *_, name in table):
        pytest.skip("instrumented")
    written = {
        name
        for flags, section, size, name in table
        if section.startswith((".data", ".bss", ".tbss", ".tdata", "*COM*"))
        and not section.startswith(".data.rel.ro")
        and size > 0
        and not re.fullmatch(COMPILERS, name)
    }
    assert "gx_module" in written  # what is looked for can be seen
    assert {name for name in written if not re.fullmatch(CPYTHON_WRITES, name)} == set()


@ELF
def test_built_module_exports_and_imports_what_is_public():
    table = symbols("--dynamic-syms")
    exported = {name for _, section, _, name in table if section != "*UND*"}
    assert exported - {"_init", "_fini"} == {"PyInit__pygenx"}
    imported = {name for _, section, _, name in table if section == "*UND*"}
    assert "PyObject_GetIter" in imported
    private = {name for name in imported if re.match("_Py", name)}
    # What the macros and inline functions of the public headers are made of.
    assert private <= OF_PUBLIC_HEADERS | source_rules.PRIVATE_ON_311


OF_PUBLIC_HEADERS = {
    "_Py_Dealloc",  # Py_DECREF
    "_Py_NoneStruct",  # Py_None
    "_Py_TrueStruct",  # Py_True
    "_Py_FalseStruct",  # Py_False
    "_Py_NotImplementedStruct",  # Py_NotImplemented
    "_Py_EllipsisObject",  # Py_Ellipsis
    "_PyObject_GC_New",  # PyObject_GC_New
    "_PyObject_GC_NewVar",  # PyObject_GC_NewVar
    "_PyTrash_begin",  # Py_TRASHCAN_BEGIN, before 3.14
    "_PyTrash_cond",
    "_PyTrash_end",
    "_PyTrash_thread_deposit_object",
    "_PyTrash_thread_destroy_chain",
    "_PyThreadState_UncheckedGet",  # the same, 3.12
    # Py_INCREF, Py_DECREF and assertions of the headers in debug builds
    "_Py_FatalErrorFunc",
    "_Py_DECREF_DecRefTotal",
    "_Py_INCREF_IncRefTotal",
    "_Py_DecRefTotal_DO_NOT_USE_THIS",
    "_Py_IncRefTotal_DO_NOT_USE_THIS",
    "_Py_NegativeRefcount",
    "_Py_RefTotal",
}
