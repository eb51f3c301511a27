"""Writes operators.md beside it: every public name with its docstring.

python3 docs/reference.py          # write it
python3 docs/reference.py --check  # is it what the docstrings say?
"""

import inspect
import re
import sys
from pathlib import Path

import pygenx

PAGE = Path(__file__).with_name("operators.md")
SOURCES = PAGE.parent.parent / "src"


def rows(file):
    """The names that a list of the C sources has."""
    return re.findall(r"^GX_\w+\((\w+)\)", (SOURCES / file).read_text("utf-8"), re.M)


STAGES, TERMINALS = rows("stages.def"), rows("terminals.def")
HEAD = """\
# Every operator

Written from the docstrings by `python3 docs/reference.py`: what each takes, gives and
raises, with an example. Stages are methods of `pipe` and of `Pipeline`; a terminal ends
a `pipe` and makes a `Reducer` of a `Pipeline`.

```python
>>> from pygenx import *
>>> import collections, functools, itertools, math, operator
```
"""


def methods(kind):
    """The public methods of a type, by name."""
    return {
        name: method
        for name, method in sorted(vars(kind).items())
        if not name.startswith("_") and callable(method)
    }


def signature(thing, name):
    """'take(n)', without the self of methods."""
    written = thing.__text_signature__
    if written is None:
        return None
    inside = re.sub(r"^\(\$?(self|module|cls)(, /)?(, )?", "(", written)
    return name + inside


def body(doc):
    """A docstring as Markdown: its examples become blocks."""
    text = inspect.cleandoc(doc)
    paragraphs = text.split("\n\n")
    for at, paragraph in enumerate(paragraphs):
        if paragraph.startswith(">>>"):
            example = "\n\n".join(paragraphs[at:])
            return "\n\n".join([*paragraphs[:at], f"```python\n{example}\n```"])
    return text


def entry(thing, name):
    title = signature(thing, name)
    if title is None:  # an exception, or a type that cannot be called
        return f"### {name}\n\n{body(thing.__doc__)}\n"
    return f"### `{title}`\n\n{body(thing.__doc__)}\n"


def section(title, things):
    parts = [f"## {title}\n"]
    parts += [entry(thing, name) for name, thing in things.items()]
    return "\n".join(parts)


def page():
    pipes = methods(pygenx.pipe)
    stages = {name: pipes[name] for name in pipes if name in STAGES}
    terminals = {name: pipes[name] for name in pipes if name in TERMINALS}
    public = {
        name: getattr(pygenx, name)
        for name in sorted({*pygenx.__all__, "zip"} - {"this"})
    }
    rest = {
        f"{kind}.{name}": method
        for kind in ("pipe", "Pipeline", "Reducer")
        for name, method in methods(getattr(pygenx, kind)).items()
        if name not in stages and name not in terminals
    }
    return "\n".join(
        [
            HEAD,
            section("Stages", stages),
            section("Terminals", terminals),
            section("Other methods", rest),
            section("Types and functions", public),
        ]
    )


def main():
    text = page()
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
