"""Word frequencies of a text, and the reading of its lines."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from benchmarks.cases import NEVER_SLOWER, Case
from benchmarks.texts import line_count, text_file, word_count
from pygenx import pipe, read_lines


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


def by_whole_text(path: Path) -> dict[str, int]:
    """What a program may do that has the memory: every word is there at once."""
    return Counter(path.read_text(encoding="utf-8").lower().split())


def lines_at_hand(_size: int = 0) -> list[str]:
    return text_file().read_text(encoding="utf-8").splitlines(keepends=True)


def accented_lines(_size: int = 0) -> list[str]:
    return [line.replace("e", "\u00e9") for line in lines_at_hand()]


def words_in(lines: list[str]) -> int:
    return sum(map(len, map(str.split, lines)))


def lines_by_pygenx(lines: list[str]) -> dict[str, int]:
    return pipe(lines).flat_map(str.split).map(str.lower).frequencies()


def lines_by_lambdas(lines: list[str]) -> dict[str, int]:
    return (
        pipe(lines)
        .map(lambda line: line.lower())
        .flat_map(lambda line: line.split())
        .frequencies()
    )


def lines_by_generator(lines: list[str]) -> dict[str, int]:
    return Counter(word for line in lines for word in line.lower().split())


def lines_by_counter(lines: list[str]) -> dict[str, int]:
    return Counter(chain.from_iterable(map(str.split, map(str.lower, lines))))


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
        {
            "pygenx": by_pygenx,
            "Counter": by_counter,
            "dict loop": by_dict,
            "whole text": by_whole_text,
        },
        ("Counter", "dict loop", "whole text"),
        unit="word",
        goals={"Counter": 2.8, "dict loop": 4.0},
        headline="word frequencies of a text",
        count=word_count,
    ),
    Case(
        "frequencies, lines in a list",
        lines_at_hand,
        {"pygenx": lines_by_pygenx, "Counter": lines_by_counter},
        ("Counter",),
        unit="word",
        goals={"Counter": 2.8},
        count=words_in,
    ),
    Case(
        "frequencies, lambdas",
        lines_at_hand,
        {
            "pygenx": lines_by_lambdas,
            "Counter": lines_by_counter,
            "genexpr": lines_by_generator,
        },
        ("Counter", "genexpr"),
        unit="word",
        goals={"Counter": 2.8, "genexpr": 2.8},
        count=words_in,
    ),
    Case(
        "frequencies, lines that are not ASCII",
        accented_lines,
        {"pygenx": lines_by_pygenx, "Counter": lines_by_counter},
        ("Counter",),
        unit="word",
        goals={"Counter": NEVER_SLOWER},
        count=words_in,
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
