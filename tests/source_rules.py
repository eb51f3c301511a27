"""The rules of the C sources, as functions from sources to what breaks the rule.

What is looked at is the text without comments and strings, except where a comment is
the point: that of a field says who owns it. `test_source_rules.py` holds them against
src/ and against sources that break them.
"""

import itertools
import re
from functools import cached_property
from typing import NamedTuple

MOST_LINES = 600
MOST_FUNCTION_LINES = 70
LEAST_COMMENTS, MOST_COMMENTS = 0.05, 0.25  # of the lines of all files together


class Field(NamedTuple):
    struct: str
    type: str  # without stars
    name: str
    stars: int
    array: bool
    comment: str


def blank(match):
    """Comments and strings become spaces, so that lines and columns stay."""
    text = match[0]
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[-1]
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank,
        text,
        flags=re.S,
    )


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class File:
    def __init__(self, name, text):
        self.name, self.text = name, text

    @cached_property
    def code(self):
        return without_comments(self.text)

    @cached_property
    def lines(self):
        return self.text.splitlines()

    @cached_property
    def bodies(self):
        """[(name, line, text)] of the functions: what begins in the first column."""
        lines, found = self.code.splitlines(), []
        for start, line in enumerate(lines):
            name = re.match(r"(\w+)\(", line)
            if not name:
                continue
            end = start
            while end < len(lines) and not re.search(r"[;{}]|\)$", lines[end]):
                end += 1
            if lines[end + 1 : end + 2] == ["{"] and lines[end].endswith(")"):
                last = lines.index("}", end) if "}" in lines[end:] else len(lines)
                text = "\n".join(lines[start : last + 1])
                found.append((name[1], start + 1, text))
        return found

    @cached_property
    def functions(self):
        """{name: text}; of one that is there for several versions, all of them."""
        table = {}
        for name, _, text in self.bodies:
            table[name] = f"{table.get(name, '')}{text}\n"
        return table

    @cached_property
    def macros(self):
        pattern = r"^ *# *define (\w+)\((?:.*\\\n)*.*"
        return {m[1]: m[0] for m in re.finditer(pattern, self.code, re.M)}

    @cached_property
    def structs(self):
        """{name: fields}; those of a struct or union without a name are its owner's."""
        pattern = r"^(?:typedef )?(?:struct|union)(?: (\w+))? \{\n(.*?)^\}( \w+)?;"
        table = {}
        for match in re.finditer(pattern, self.code, re.M | re.S):
            name = (match[3] or match[1]).strip()
            table[name] = list(self.fields(name, *match.span(2)))
        return table

    def fields(self, struct, start, end):
        for match in re.finditer(r"[^;{}]+[;{}]", self.code[start:end]):
            heads = r"\s*(?:GX_ITERATOR_HEAD|PyObject_(?:VAR_)?HEAD)?\s*"
            begins = start + match.start() + re.match(heads, match[0]).end()
            declaration = self.code[begins : start + match.end() - 1]
            words = re.match(r"(?:const |struct |unsigned )*(\w+)\b", declaration)
            if not words or "(" in declaration or match[0][-1] != ";":
                continue
            comment = self.comment(begins, start + match.end())
            for part in declaration[words.end() :].split(","):
                found = re.match(r"((?:[\s*]|const\b)*)(\w+)(\[)?", part)
                if found:
                    kind = "const" if "const " in words[0] else words[1]
                    stars, array = found[1].count("*"), bool(found[3])
                    yield Field(struct, kind, found[2], stars, array, comment)

    def comment(self, start, end):
        """What stands behind a declaration or, in lines of its own, above it."""
        above = re.search(
            r"(?:^ *(/\*(?:(?!\*/).)*\*/)\n)? *\Z", self.text[:start], re.M | re.S
        )
        behind = re.match(r"[ \t]*(/\*.*?\*/)", self.text[end:], re.S)
        return f"{above[1] or ''} {behind[1] if behind else ''}"


class Sources:
    """Files by name: {"chain.c": text}."""

    def __init__(self, texts):
        self.memo = {}  # of looked_after
        self.all = [File(name, text) for name, text in sorted(texts.items())]
        self.files = [file for file in self.all if file.name.endswith((".c", ".h"))]
        self.c_files = [file for file in self.all if file.name.endswith(".c")]
        self.defs = [file for file in self.all if file.name.endswith(".def")]

    @classmethod
    def read(cls, folder):
        return cls(
            {
                path.name: path.read_text(encoding="utf-8")
                for path in folder.iterdir()
                if path.suffix in (".c", ".h", ".def")
            }
        )

    def changed(self, name, text):
        """The same with one file otherwise; what is known of the others is kept."""
        new = Sources({})
        for kind in ("all", "files", "c_files", "defs"):
            files = [file for file in getattr(self, kind) if file.name != name]
            setattr(new, kind, files)
        file = File(name, text)
        new.all.append(file)
        kinds = {".c": ["files", "c_files"], ".h": ["files"], "def": ["defs"]}
        for kind in kinds[name[-2:] if name[-2] == "." else "def"]:
            getattr(new, kind).append(file)
        return new

    def __getitem__(self, name):
        return next(file for file in self.all if file.name == name)

    @cached_property
    def structs(self):
        return {
            name: (file, fields)
            for file in self.files
            for name, fields in file.structs.items()
        }

    def found(self, pattern, files=None):
        """["file.c:12: text", ...]"""
        hits = []
        for file in self.files if files is None else files:
            for match in re.finditer(pattern, file.code, re.M):
                line = line_of(file.code, match.start())
                text = file.code.splitlines()[line - 1].strip()
                hits.append(f"{file.name}:{line}: {text}")
        return hits


def reached(names, table):
    """The text of these functions and of what they call in the same file."""
    seen, todo = set(), set(names)
    while todo:
        name = todo.pop()
        seen.add(name)
        if name in table:
            called = set(re.findall(r"\b(\w+)\b(?=[(,;)])", table[name]))
            todo |= (called & table.keys()) - seen
    return "\n".join(table[name] for name in sorted(seen & table.keys()))


# -- sizes and order -----------------------------------------------------------

LONG_FILES = {
    "run.c": "the loop and its helpers are one unit, inlined into each other",
    "primed.c": "two types, one of which the other makes",
}


def files_are_short(sources):
    return [
        f"{file.name}: {len(file.lines)} lines"
        for file in sources.files
        if len(file.lines) > MOST_LINES and file.name not in LONG_FILES
    ]


def functions_are_short(sources):
    """Macros, too; and every brace in the first column is one that is understood."""
    for file in sources.files:
        for name, line, text in file.bodies:
            if text.split("\n{\n", 1)[1].count("\n") >= MOST_FUNCTION_LINES:
                yield f"{file.name}:{line}: {name}"
        for match in re.finditer(r"(?:^.*\\\n)+", file.code, re.M):
            if match[0].count("\n") > MOST_FUNCTION_LINES:
                yield f"{file.name}:{line_of(file.code, match.start())}: a macro"
        known = len(re.findall(r"^\{$", file.code, re.M))
        if known != len(file.bodies):
            yield f"{file.name}: {known} bodies, {len(file.bodies)} are understood"


def lists_are_sorted(sources):
    for file in sources.defs:
        names = re.findall(r"^GX_\w+\((\w+)\)$", file.text, re.M)
        if not names or names != sorted(names, key=str.lower):
            yield f"{file.name}: {names}"


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


def types_have_five_parts(sources):
    for file in sources.c_files:
        if "PyType_Spec" not in file.code:
            continue
        found = re.findall(r"^/\* -- (.*?) -+ \*/$", file.text, re.M)
        for banner in {*found} - {*BANNERS} - OTHER_BANNERS.get(file.name, set()):
            yield f"{file.name}: a part {banner!r}"
        order = [BANNERS.index(name) for name in found if name in BANNERS]
        # A family repeats the parts for each of its types.
        for before, after in itertools.pairwise(order):
            if 0 != after <= before:
                yield f"{file.name}: {BANNERS[after]} behind {BANNERS[before]}"
        if order[-1:] != [BANNERS.index("type")]:
            yield f"{file.name}: does not end in the type"


def files_say_what_they_are_for(sources):
    return [file.name for file in sources.all if not file.text.startswith("/* ")]


def comments_are_neither_few_nor_many(sources):
    lines = sum(len(file.lines) for file in sources.files)
    comments = re.compile(r"/\*.*?\*/", re.S)
    found = sum(
        match[0].count("\n") + 1
        for file in sources.files
        for match in comments.finditer(file.text)
    )
    if not LEAST_COMMENTS <= found / lines <= MOST_COMMENTS:
        yield f"{found / lines:.1%} of {lines} lines have comments"


def lines_are_clean(sources):
    for file in sources.all:
        for i, line in enumerate(file.lines, 1):
            if line != line.rstrip() or "\t" in line:
                yield f"{file.name}:{i}: {line!r}"


# -- who owns what -------------------------------------------------------------

# Structs whose references end with the function that made them.
SHORT_LIVED = {
    "anatomy": "on the C stack",
    "feeding": "on the C stack",
    "generator_lifter": "on the C stack",
    "gx_builder": "on the C stack",
    "gx_lifter": "on the C stack",
    "gx_operation": "on the C stack; in expression.h constant",
    "gx_outside": "on the C stack",
    "gx_node": "in a gx_reader",
    "gx_reader": "as long as a text is made",
    "gx_lane_result": "on the C stack",
    "reading": "on the C stack",
    "way": "on the C stack",
    "writer": "on the C stack",
    "piece": "in a writer",
}
# Held, and yet not visited: what it holds cannot be part of a cycle.
NOT_VISITED = {
    ("gx_state", "names"): "interned strings",
    ("gx_state", "one"): "an int",
    ("gx_native", "names"): "strings",
    ("buffer_object", "block"): "numbers, bytes or tuples of them",
    ("gx_lane", "held"): "globals for one block, in which no user code runs",
    ("gx_lane_global", "value"): "see gx_lane.held",
    ("gx_run", "lane"): "of objects it holds only those globals",
    ("gx_state", "spare_lane"): "holds no objects between two uses",
    ("tee_buffer", "spare"): "its items have been given away",
}
PYTHON = {"PyObject", "PyTypeObject", "PyCodeObject", "PyFrameObject"}
# What a base type looks after.
BASES = {("gx_seekable", "base"): "gx_lookahead_traverse, gx_lookahead_clear"}
NUMBERS = {
    "Py_ssize_t",
    "uint8_t",
    "uint32_t",
    "int32_t",
    "int64_t",
    "double",
    "size_t",
}


def said(field, word):
    return re.search(rf"\b{word}\b", field.comment) is not None


def holds(sources, struct, seen=()):
    """Does it own objects of Python, itself or in what it owns?"""
    if struct in seen or struct in SHORT_LIVED:
        return False
    if struct not in sources.structs:
        return struct in PYTHON
    return any(
        (not field.stars or said(field, "owned"))
        and holds(sources, field.type, (*seen, struct))
        for field in sources.structs[struct][1]
    )


def pointers_say_who_owns(sources):
    """In the comment of the field: owned or borrowed."""
    for struct, (file, fields) in sources.structs.items():
        for field in fields:
            if (
                field.stars
                and field.type in PYTHON | NUMBERS | sources.structs.keys()
                and field.name != "weakrefs"
                and not (struct in SHORT_LIVED and not field.comment.strip())
                and said(field, "owned") + said(field, "borrowed") == 0
            ):
                yield f"{file.name}: {struct}.{field.name}"


def looked_after(sources, struct, pattern):
    """What the functions with such names do, and what they call in their files:
    those that name the struct, if any does."""
    if (struct, pattern) in sources.memo:
        return sources.memo[struct, pattern]
    file, _ = sources.structs[struct]
    some, named = [], []
    users = [file]
    if file.name.endswith(".h"):
        users += [
            user
            for user in sources.c_files
            if f'"{file.name}"' in user.text or struct in user.code
        ]
    for user in users:
        own = user.functions | user.macros
        table = file.functions | own
        for name in own:
            if re.search(pattern, name, re.I):
                text = reached([name], table)
                some.append(text)
                its = rf"\b({struct}|{struct[:-7]}_CAST)\b"
                if name in file.macros or re.search(its, text):
                    named.append(text)
    if not struct.endswith("_object"):
        named = some  # reached through others
    sources.memo[struct, pattern] = "\n".join(named or some)
    return sources.memo[struct, pattern]


def kept(sources):
    for struct, (file, fields) in sources.structs.items():
        if struct not in SHORT_LIVED:
            for field in fields:
                owned = said(field, "owned") if field.stars else True
                owned = owned and (struct, field.name) not in BASES
                if owned and (field.stars or holds(sources, field.type)):
                    yield file, struct, field


def references_are_visited(sources):
    for file, struct, field in kept(sources):
        if (struct, field.name) in NOT_VISITED or not holds(sources, field.type):
            continue
        visits = r"\w*(?:VISIT|visit|traverse)\w*\([^;]*"
        if field.array or field.stars > 1 or not field.type.startswith("Py"):
            visits = ""  # in a loop, or by a function of its own
        text = looked_after(sources, struct, "traverse|visit")
        if not re.search(rf"{visits}\b{field.name}\b", text):
            yield f"{file.name}: {struct}.{field.name} is not visited"


RELEASES = (
    "CLEAR|DECREF|SETREF|[Ff]ree|drop|clear|close|finish|release|forget|discard|swap"
)


def references_are_released(sources):
    ends = "clear|dealloc|free|forget|release|detach|drop|discard|end|close|leave"
    for file, struct, field in kept(sources):
        text = looked_after(sources, struct, ends)
        # Given to what ends it, in a loop over it, or moved out first.
        ended = rf"\b\w*(?:{RELEASES})\w*\([^;]*\b{field.name}\b"
        part = r"(?:\[[^;\]]*\])?" if field.type in PYTHON else ""
        moved = rf"=[^=;]*(?:->|\.){field.name}{part}[,;}}]"
        if not re.search(f"{ended}|{moved}", text):
            yield f"{file.name}: {struct}.{field.name} is not released"


def types_are_visited_and_released(sources):
    """An object of a heap type owns its type."""
    visits = r"Py_VISIT\(Py_TYPE\(|\bGX_VISIT_ITERATOR\(|\bgx_\w+_traverse\("
    for file in sources.c_files:
        table = file.functions | file.macros
        for slot, want in (("traverse", visits), ("dealloc", r"\bPy_DECREF\(type\)")):
            for name in re.findall(rf"\{{Py_tp_{slot}, (\w+)\}}", file.code):
                text = reached([name], table)
                if name in table and not re.search(want, text):
                    yield f"{file.name}: {name}"


def weak_references_are_cleared(sources):
    for struct, (file, fields) in sources.structs.items():
        if any(field.name == "weakrefs" for field in fields):
            text = looked_after(sources, struct, "dealloc")
            if "PyObject_ClearWeakRefs(" not in text:
                yield f"{file.name}: {struct}"


# -- what may be written -------------------------------------------------------


def no_way_out_of_a_critical_section(sources):
    for file in sources.files:
        for name, line, text in file.bodies:
            here = f"{file.name}:{line}: {name}"
            begin = r"\bPy_BEGIN_CRITICAL_SECTION\w*\("
            end = r"\bPy_END_CRITICAL_SECTION\w*\("
            if len(re.findall(begin, text)) != len(re.findall(end, text)):
                yield f"{here} has a section without an end, or the other way round"
            for part in re.findall(f"{begin}.*?{end}", text, re.S):
                left = re.search(r"\b(return|goto|break|continue)\b", part)
                if left:
                    yield f"{here} leaves a section by {left[1]}"
                if len(re.findall(begin, part)) > 1:
                    yield f"{here} has a section inside a section"


# -- without a GIL -------------------------------------------------------------
# What has to be so before the module may say that it needs none. Named with "not yet":
# where it is not, and the module does not say so.


def for_all_builds(code):
    """Without what is compiled only where there is a GIL; lines stay."""
    lines, only = [], []  # one for each open #if: is this part for a GIL alone?
    for line in code.splitlines():
        directive = "".join(line.split())
        if directive.startswith("#if"):
            only.append(directive == "#ifndefPy_GIL_DISABLED")
            other = directive == "#ifdefPy_GIL_DISABLED"
            only[-1] = only[-1] or (None if other else False)
        elif directive.startswith("#else") and only:
            only[-1] = only[-1] is None
        elif directive.startswith("#endif") and only:
            only.pop()
        lines.append("" if any(only) else line)
    return "\n".join(lines)


def found_in_all_builds(sources, pattern):
    for file in sources.files:
        for i, line in enumerate(for_all_builds(file.code).splitlines(), 1):
            if re.search(pattern, line):
                yield file.name, f"{file.name}:{i}: {line.strip()}"


# Whose lists are read in place.
OWN_LISTS = {
    "errors.c": "not yet: the notes of an exception",
    "expression_pickle.c": "of the reader",
    "expression_tree.c": "not yet: a display that the user made",
    "grouping.c": "groups that wait",
    "lane_source.c": "lists have no lanes without a GIL",
    "lift.c": "of the builder",
    "lift_callable.c": "of the builder",
    "lift_operators.c": "of the builder",
    "native_builder.c": "of the builder",
    "route.c": "copied from the user's dict",
    "run_state.c": "of the step",
    "source.h": "the macro of a prefetch",
    "stage_group.c": "of the step",
    "stage_pick.c": "of the arguments, checked and copied",
    "stage_slice.c": "of the step",
    "stage_split.c": "of the step",
    "stage_window.c": "of the step",
    "stats.c": "made for one answer",
    "stats_row.c": "made for one answer",
    "take_apart.c": "generators are left whole without a GIL",
    "words.c": "what split() made",
}


def lists_of_others_are_not_read_in_place(sources):
    for name, hit in found_in_all_builds(sources, r"\bPyList_GET_ITEM\("):
        if name not in OWN_LISTS:
            yield hit


def refcounts_prove_nothing(sources):
    """PyUnstable_Object_IsUniquelyReferenced is what may be asked."""
    for _, hit in found_in_all_builds(sources, r"\bPy_REFCNT\("):
        if not hit.startswith("compat.h") and "< 0x030D0000" not in hit:
            yield hit


BORROWS = (
    "PyDict_GetItemWithError|PyDict_Next|PyDict_SetDefault|PyList_GetItem"
    "|PyWeakref_GetObject|PyWeakref_GET_OBJECT|PyImport_AddModule|PyCell_GET"
)
# Whose dicts are read by references that they own.
OWN_DICTS = {
    "args.c": "keywords of a call",
    "compat.h": "where there is always a GIL",
    "expression.c": "keywords of a call",
    "expression_tree.c": "not yet: a display that the user made",
    "lift_callable.c": "keywords of a partial",
    "pipeline_pickle.c": "not yet: names of a module",
    "route.c": "of the object",
    "terminal_group.c": "of the step",
    "words.h": "of the step",
}


def no_borrowed_references(sources):
    for name, hit in found_in_all_builds(sources, rf"\b({BORROWS})\("):
        if name not in OWN_DICTS:
            yield hit


ENTERED = (
    r"\{Py_(?:tp_iternext|am_send|tp_repr|tp_call|sq_\w+|mp_\w+|nb_bool), "
    r"(?:\(void \*\))?(\w+)\}"
)
ENTERED_BY_NAME = r"\{\"[^\"]*\", (?:GX_FASTCALL\()?(\w+)\)?,"
FACES = r"\bgx_(iterator_\w+|resume|lookahead_\w+|through_\w+)\("
LOCKS = rf"\bPy_BEGIN_CRITICAL_SECTION|{FACES}"
# Entered without a lock: nothing there changes, or not yet.
UNLOCKED = {
    "chain.c": "not yet: repr and hint; a constructor",
    "broadcast.c": "not yet: repr and close",
    "expression.c": "immutable",
    "expression_function.c": "immutable",
    "groupby_group.c": "not yet: repr",
    "lifted.c": "immutable",
    "lines.c": "not yet: path and lineno",
    "native_function.c": "immutable",
    "pipe.c": "not yet: hint",
    "pipeline.c": "immutable",
    "primed.c": "immutable",
    "primed_start.c": "not yet: repr",
    "push.c": "not yet: repr",
    "route.c": "not yet: close",
    "stats.c": "not yet: counts of a run",
    "stats_row.c": "not yet: counts of a run",
    "timed.c": "immutable",
    "timed_run.c": "not yet: repr and async generators",
    "timing.c": "the label is immutable",
    "traveller.c": "immutable",
}


def fields_are_reached_under_a_lock(sources):
    """Slots and methods that read fields take the section of their object."""
    for file in sources.c_files:
        entered = re.findall(ENTERED, file.code)
        tables = r"static Py(?:MethodDef|GetSetDef) \w+\[\] = \{(.*?)\n\};"
        for table in re.findall(tables, file.text, re.S):
            entered += re.findall(ENTERED_BY_NAME, table)
        for name in entered:
            text = reached([name], file.functions)
            locked = re.search(LOCKS, text) or file.name in UNLOCKED
            if "->" in text and not locked:
                yield f"{file.name}: {name} takes no lock"


def the_module_asks_for_a_GIL(sources):
    """As long as there is a "not yet" above and nobody has run it without."""
    yield from sources.found(r"\bPy_MOD_GIL_NOT_USED\b")


RAISES_STOP = {"errors.c", "iterator.c", "fold.c"}


def stop_iteration_is_made_in_one_place(sources):
    """No slot makes one by hand: tuples and exceptions as values would be torn."""
    pattern = r"PyErr_Set\w+\(\s*(\(PyObject \*\))?PyExc_StopIteration\b"
    for hit in sources.found(pattern):
        if hit.split(":")[0] not in RAISES_STOP:
            yield hit
    for file in sources.c_files:
        for slot in re.findall(r"\{Py_tp_iternext, (\w+)\}", file.code):
            text = reached([slot], file.functions)
            if "SetNone(PyExc_StopIteration" in text:
                yield f"{file.name}: {slot} sets StopIteration"


TABLES = "Py(MethodDef|Type_Slot|Type_Spec|GetSetDef|MemberDef|ModuleDef(_Slot)?)"


def nothing_static_is_mutable(sources):
    for file in sources.files:
        for match in re.finditer(r"^ *static ([^;={]*?)([=;{])", file.code, re.M):
            text = " ".join(match[1].split())
            if re.search(rf"\b({TABLES})\b", text) or "(" in text:
                continue
            # A pointer to constants can itself be changed.
            free = "*" in text and not re.search(r"\* ?const\b", text)
            if "const" not in text or free:
                yield f"{file.name}: static {text}"
    static = "static|extern|typedef|struct|const|enum|union"
    for end in (" = ", r"(?:\[\w*\])?;"):
        pattern = rf"^(?!{static})\w[\w ]*[ *]\w+{end}"
        yield from sources.found(pattern, sources.c_files)


# The memory of code objects, public from 3.12 on under other names.
PRIVATE_ON_311 = {
    "_PyEval_RequestCodeExtraIndex",
    "_PyCode_GetExtra",
    "_PyCode_SetExtra",
}
PRIVATE = (
    r"\b_Py\w+|\bpycore_|\bPy_BUILD_CORE|\bPyGenObject\b|\bgi_frame_state\b"
    r"|\bPy_LIMITED_API\b"
)


def no_private_names(sources):
    for hit in sources.found(PRIVATE):
        if not (hit.startswith("compat.h") and hit.split()[-1] in PRIVATE_ON_311):
            yield hit
    for file in sources.files:
        for match in re.finditer(r"#include .*(internal/|pycore_).*", file.text):
            yield f"{file.name}: {match[0]}"


def no_casts_of_functions(sources):
    """But the one in the macro for tables of methods."""
    casts = (
        r"\((PyCFunction\w*|getter|setter|destructor|inquiry|visitproc|traverseproc"
        r"|[a-z]+func)\)|\(\w[\w *]*\(\*\)\("
    )
    for hit in sources.found(casts):
        if not hit.split(": ", 1)[1].startswith("#define GX_FASTCALL"):
            yield hit


GNU = (
    r"__attribute__|__builtin_|\b__(typeof|extension|asm|int128|label|auto_type)\w*"
    r"|\btypeof\b|\(\{|\?:|\bcase [^:;?]*\.\.\.|\bgoto \*|\balloca\b|#pragma GCC"
    r"|\bssize_t\b|\bstr(n?casecmp|dup)\b|#include <(unistd|sys/|pthread|alloca)"
)


def only_compat_speaks_to_a_compiler(sources):
    """Extensions of GNU C and names of POSIX, which MSVC does not know."""
    for hit in sources.found(GNU):
        if not hit.startswith("compat.h:"):
            yield hit


def no_arrays_of_variable_length(sources):
    """C11 need not have them and MSVC has not."""
    types = "char|bool|int|double|Py_ssize_t|size_t|u?int\\d+_t|PyObject|gx_\\w+"
    declared = rf"^ +(?:const )?(?:{types}) \**\w+\[([^\]\n]*[a-z][^\]\n]*)\](?= =|;|,)"
    for file in sources.c_files:
        for name, line, text in file.bodies:
            for match in re.finditer(declared, text, re.M):
                if "sizeof" not in match[1]:
                    yield f"{file.name}:{line}: {name} has an array of {match[1]}"


HIDES_ERRORS = "PyDict_GetItem|PyDict_GetItemString|PyObject_HasAttr(String)?"


def nothing_hides_errors(sources):
    """PyObject_HasAttr swallows what __getattr__ raises, PyDict_GetItem too."""
    for hit in sources.found(rf"\b({HIDES_ERRORS})\("):
        if not hit.startswith("lines.c:"):
            yield hit


def attribute_names_are_interned(sources):
    """A name made anew for each look-up stays in CPython's cache of types."""
    once_per_module = {"module.c", "timing.c"}
    pattern = r"\bPyObject_(GetAttrString|SetAttrString|CallMethod)\("
    for hit in sources.found(pattern, sources.c_files):
        if hit.split(":")[0] not in once_per_module:
            yield hit


def errors_are_compared_with_less_than(sources):
    return sources.found(r"\w+\([^;\n]*\) == -1\b(?! &&)", sources.c_files)


def clearing_an_error_has_a_reason(sources):
    """In a comment near it."""
    for file in sources.files:
        for i, line in enumerate(file.lines):
            around = " ".join(file.lines[max(0, i - 24) : i + 1])
            if "PyErr_Clear();" in line and "/*" not in around:
                yield f"{file.name}:{i + 1}: {line.strip()}"


def labels_are_few(sources):
    for hit in sources.found(r"^\w+:(?!:)", sources.c_files):
        if hit.rsplit(" ", 1)[1].strip(":;") not in {
            "error",
            "done",
            "ended",
            "default",
        }:
            yield hit


# -- lists ---------------------------------------------------------------------


def every_type_is_listed(sources):
    """types.def against the gx_typedefs, and these against the specs."""
    listed = re.findall(r"^GX_TYPE\((\w+)\)$", sources["types.def"].text, re.M)
    defined, specs, used = [], [], []
    for file in sources.c_files:
        defined += re.findall(r"^const gx_typedef gx_(\w+)_typedef\b", file.code, re.M)
        specs += re.findall(r"^static PyType_Spec (\w+) =", file.code, re.M)
        used += re.findall(r"\bgx_typedef\b[^;]*?&(\w+_spec)\b", file.code)
        made = re.findall(r"^TIMED_SPEC\((\w+)\);", file.code, re.M)
        defined += made
        specs += made
        used += made
    for name in {*listed} ^ {*defined}:
        yield f"{name} is {'defined' if name in defined else 'listed'} only"
    for name in {*specs} ^ {*used}:
        yield f"{name} is no type of the list"
    if len(listed) != len(specs):
        yield f"{len(listed)} types, {len(specs)} specs"
