"""Word frequencies of a text, and the reading of its lines."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.texts import line_count, text_file, word_count
from pygenx import read_lines


def by_pygenx(path: Path) -> dict[str, int]:
    return (
        read_lines(path).map(str.strip).map(str.lower).flat_map(str.split).frequencies()
    )


def by_counter(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8") as lines:
        return Counter(
            chain.from_iterable(map(str.split, map(str.lower, map(str.strip, lines))))
        )


def lines_of(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.strip()


def by_dict(path: Path) -> dict[str, int]:
    """Generators and a dict: how it is written when one is taught generators."""
    lowered = (line.lower() for line in lines_of(path))
    words = (word for line in lowered for word in line.split())
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def lines_by_file(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)


def lengths_by_file(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(map(len, (line.rstrip("\n") for line in lines)))


CASES = [
    Case(
        "frequencies",
        text_file,
        {"pygenx": by_pygenx, "Counter": by_counter, "dict loop": by_dict},
        ("Counter", "dict loop"),
        unit="word",
        goals={"Counter": 2.8, "dict loop": 4.0},
        headline="word frequencies of a text",
        count=word_count,
    ),
    Case(
        "lines counted",
        text_file,
        {"pygenx": lambda path: read_lines(path).count(), "file": lines_by_file},
        ("file",),
        unit="line",
        count=line_count,
    ),
    Case(
        "length of all lines",
        text_file,
        {
            "pygenx": lambda path: read_lines(path).map(len).sum(),
            "file": lengths_by_file,
        },
        ("file",),
        unit="line",
        count=line_count,
    ),
]
