"""Writes docs/attacks.md: every attack, what CPython's own tools did on it (from
rivals.json, which isolated/rivals.py writes), and the planted bugs it fails on.

    python tests/attack_page.py
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "isolated")]
import planted  # noqa: E402
from attacks import catalogue  # noqa: E402

PAGE = HERE.parent / "docs" / "attacks.md"
RIVALS = HERE / "rivals.json"
INTRODUCTION = """# The attacks

What C extensions that hand out iterators have died of, as tests. Each number is one or
several functions of `tests/isolated/attacks/` that begin with it, or a test of another
file; they run in child processes, over tables of all types and stages, in every run of
the suite. This page is written by `python tests/attack_page.py`.

The shortest of them, R6: a function that asks its own pipe for more.

```python
from pygenx import ReentrancyError, pipe

def greedy(item):
    return item + next(numbers)

numbers = pipe([1, 2, 3]).map(greedy)
try:
    next(numbers)
except ReentrancyError as error:
    assert str(error) == "pipe is already running"
```

Two columns tell how it is known that a test can fail. *CPython's own* is what the same
attack did to the tool of the standard library that comes nearest (`python
tests/isolated/rivals.py`): **right**, **wrong** (a lost, doubled or wrong item, or no
error where there should be one), **crash** or **hang**. *Planted* are bugs put into a
copy of the sources, one at a time, on which the attack has to fail (`make planted`).
Where neither column has a failure, that the test can fail has not been shown this way.

A crash that needs freed memory to be overwritten may look right on a release build.
"""


def rivals():
    return json.loads(RIVALS.read_text()) if RIVALS.exists() else {}


def verdicts(number, results):
    """`pairwise: crash (3.11, 3.13), right (3.14)` for each rival of that attack."""
    lines = []
    names = {n for table in results.values() for n in table}
    for name in sorted(n for n in names if catalogue.number_of(n) == number):
        by_verdict = {}
        for version, table in results.items():
            if name in table:
                by_verdict.setdefault(table[name], []).append(version)
        found = ", ".join(f"{v} ({', '.join(by)})" for v, by in by_verdict.items())
        lines.append(f"{name.partition('_')[2].replace('_', ' ')}: {found}")
    return "; ".join(lines)


def page():
    parts = [INTRODUCTION]
    results = rivals()
    plants = {}
    for plant in planted.plants():
        number = plant.number or catalogue.number_of(plant.attack)
        plants.setdefault(number, []).append(plant.what)
    for letter, family in catalogue.FAMILIES.items():
        parts.append(f"\n## {family}\n")
        parts.append(
            "| | the attack | CPython's own | planted |\n| --- | --- | --- | --- |"
        )
        for number in catalogue.numbers():
            if number[0] != letter:
                continue
            reason = catalogue.REASONS.get(number)
            what = catalogue.WHAT.get(number, "")
            text = "; ".join(filter(None, (what, reason and f"not tested: {reason}")))
            row = (number, text, verdicts(number, results))
            parts.append(f"| {' | '.join((*row, '; '.join(plants.get(number, ()))))} |")
    parts.append("\n## Bugs that others had\n\n| bug | caught by |\n| --- | --- |")
    parts += [f"| {bug} | {by} |" for bug, by in catalogue.KNOWN_BUGS.items()]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
