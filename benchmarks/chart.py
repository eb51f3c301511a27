"""A bar chart of the ratios (matplotlib: the `bench` extra)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.machine import sentence
from benchmarks.results import few, short_ratio, verdict

COLOURS = {"faster": "#2a7f62", "same": "#8a8a8a", "slower": "#b5442e"}
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)


def require_matplotlib() -> None:
    """Fail before the measuring, not after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise SystemExit(
            "--chart needs matplotlib: pip install 'pygenx[bench]'"
        ) from None


def label_of(row: dict[str, Any]) -> str:
    return f"{row['family']}: {row['name']}\nagainst {row['best']}, {row['unit']}s"


def draw(result: dict[str, Any], file: Path) -> None:
    """Write the chart; the file's suffix (.png, .svg, .pdf) chooses the format."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    rows = few(result["cases"])[::-1]
    ratios = [row["ratio"] for row in rows]
    figure = Figure(figsize=(9, 1.6 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(
        range(len(rows)),
        [ratio - 1 for ratio in ratios],
        left=1,
        color=[COLOURS[verdict(ratio)] for ratio in ratios],
    )
    axes.bar_label(
        bars,
        [
            short_ratio(ratio) + (" ?" if row["unsteady"] else "")
            for row, ratio in zip(rows, ratios, strict=True)
        ],
        padding=3,
    )
    axes.set_yticks(range(len(rows)), [label_of(row) for row in rows], fontsize=7)
    axes.set_xscale("log")
    low, high = min([*ratios, 0.8]) / 1.7, max([*ratios, 2]) * 1.7
    axes.set_xlim(low, high)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xticks(
        [tick for tick in TICKS if low < tick < high],
        [f"{tick}x" for tick in TICKS if low < tick < high],
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel(
        "against the best plain Python or stdlib (> 1x: pygenx is faster; ?: unsteady)"
    )
    figure.suptitle(sentence(result), fontsize=7)
    figure.savefig(file, dpi=150)
