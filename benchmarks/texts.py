"""The text of the word benchmarks: the one given, the one shipped, or one made up."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("examples/data/*.txt", "pygenx/**/*.txt", "examples/**/*.txt")

_chosen: list[Path] = []  # at most one: set by the command line
_made: list[tempfile.TemporaryDirectory[str]] = []  # lives as long as the process


def use(path: Path) -> None:
    """Read `path` from now on. OSError or UnicodeDecodeError if it cannot be read."""
    path.read_text(encoding="utf-8")
    _chosen[:] = [path]


def shipped() -> Path | None:
    """The largest text in the repository."""
    found = [path for pattern in SHIPPED for path in ROOT.glob(pattern)]
    return max(found, key=lambda path: path.stat().st_size, default=None)


def made_up(words: int = 100_000) -> Path:
    """A file of invented words, few frequent and most rare; the same each time."""
    rng = random.Random(1)
    vocabulary = [
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))
        for _ in range(5000)
    ]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    drawn = rng.choices(vocabulary, weights, k=words)
    _made.append(tempfile.TemporaryDirectory(prefix="pygenx-bench-"))
    path = Path(_made[-1].name, "made-up.txt")
    lines = (
        " ".join(drawn[start : start + 10]).capitalize() + "\n"
        for start in range(0, words, 10)
    )
    path.write_text("".join(lines), encoding="utf-8")
    return path


def text_file(_size: int = 0) -> Path:
    """Setup of the word cases. No use for a size: a text is as long as it is."""
    if not _chosen:
        _chosen.append(shipped() or made_up())
    return _chosen[0]


def word_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").split())


def line_count(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)
