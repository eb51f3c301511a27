"""Results: a measured case as a dict (as in the JSON), its verdict, the text table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from benchmarks.cases import PYGENX, Case
from benchmarks.measure import UNSTEADY, Measured
from benchmarks.registry import key_of

Row = dict[str, Any]

CAVEAT = (
    "What these figures do not show: how your program will do. They time tiny pieces"
    " of work on warm caches, in one thread on one machine; in real work the callbacks,"
    " the memory and the files usually cost more than the iteration."
)
SAME = 0.03  # ratios within 3% of 1 are called the same
CLOCK = 0.01  # what two timings of the same code differ by: no goal is missed by less
MANY = 30  # a chart of more cases shows only the headlines and the losses

# -- rows -------------------------------------------------------------------------


def row_of(family: str, case: Case, measured: Measured) -> Row:
    ours = measured.times[PYGENX]
    best = min(case.plain(), key=lambda name: measured.times[name].best)
    ratios = {
        name: times.best / ours.best
        for name, times in measured.times.items()
        if name != PYGENX
    }
    return {
        "family": family,
        "name": case.name,
        "key": key_of(family, case.name),
        "headline": case.headline,
        "unit": case.unit,
        "items": measured.items,
        "plain": case.plain(),
        "best": best,
        "ratio": ratios[best],
        "ratios": ratios,
        "unsteady": max(ours.spread, measured.times[best].spread) > UNSTEADY,
        "goals": [
            {
                "rival": rival,
                "goal": goal,
                "ratio": ratios[rival],
                "met": ratios[rival] >= goal * (1 - CLOCK),
            }
            for rival, goal in case.goals.items()
            if rival in ratios
        ],
        "times": {
            name: {
                "ns": times.best,
                "median_ns": times.median,
                "spread": times.spread,
                "rounds": times.rounds,
            }
            for name, times in measured.times.items()
        },
    }


def verdict(ratio: float) -> str:
    if ratio < 1 - SAME:
        return "slower"
    return "faster" if ratio > 1 + SAME else "same"


def missed(row: Row) -> list[Row]:
    return [goal for goal in row["goals"] if not goal["met"]]


def losses(rows: Iterable[Row]) -> list[Row]:
    """The cases where the best plain Python is faster, the worst first."""
    return sorted(
        (row for row in rows if verdict(row["ratio"]) == "slower"),
        key=lambda row: row["ratio"],
    )


def headlines(rows: list[Row]) -> list[Row]:
    """The rows of a short table or chart: the headline cases, then all other losses."""
    chosen = [row for row in rows if row["headline"]]
    return chosen + [row for row in losses(rows) if not row["headline"]]


def few(rows: list[Row]) -> list[Row]:
    return rows if len(rows) <= MANY else headlines(rows)


def tally(rows: list[Row]) -> str:
    """`9 cases: 6 faster, 2 the same within 3%, 1 slower than the best ...`."""
    found = Counter(verdict(row["ratio"]) for row in rows)
    return (
        f"{len(rows)} cases: {found['faster']} faster,"
        f" {found['same']} the same within {SAME:.0%},"
        f" {found['slower']} slower than the best plain Python"
    )


# -- text ---------------------------------------------------------------------------


def short_ns(ns: float) -> str:
    """Three digits at least: `2.41`, `35.2`, `812`, `12345`."""
    return f"{ns:.{2 if ns < 10 else 1 if ns < 100 else 0}f}"


def short_ratio(ratio: float) -> str:
    return f"{ratio:.{2 if ratio < 10 else 1}f}x"


def notes(row: Row) -> str:
    words = ["SLOWER"] if verdict(row["ratio"]) == "slower" else []
    words += [
        f"goal missed: {short_ratio(goal['ratio'])} of {goal['rival']},"
        f" wanted {short_ratio(goal['goal'])}"
        for goal in missed(row)
    ]
    words += ["unsteady"] if row["unsteady"] else []
    others = [
        f"{name} {short_ratio(ratio)}"
        for name, ratio in row["ratios"].items()
        if name != row["best"]
    ]
    return (
        "; ".join(words)
        + (" " if words and others else "")
        + (f"({', '.join(others)})" if others else "")
    )


def lines_of(rows: Iterable[Row]) -> Iterator[str]:
    """One line a case, under a heading a family."""
    form = "  {:<36} {:>8} {:>9}  {:<24} {:>7}  {}"
    for family, members in groupby(rows, key=lambda row: row["family"]):
        yield ""
        yield form.format(
            "", "pygenx", "best", "which", "ratio", "notes (others' ratios)"
        ).replace(" " * len(family), family, 1)
        for row in members:
            yield form.format(
                row["name"],
                short_ns(row["times"][PYGENX]["ns"]),
                short_ns(row["times"][row["best"]]["ns"]),
                row["best"],
                short_ratio(row["ratio"]),
                notes(row),
            ).rstrip()


def summary(result: dict[str, Any]) -> Iterator[str]:
    rows: list[Row] = result["cases"]
    goals = [goal for row in rows for goal in row["goals"]]
    yield (
        tally(rows)
        + f"; goals: {sum(goal['met'] for goal in goals)} of {len(goals)} reached"
    )
    if lost := losses(rows):
        yield "Slower: " + ", ".join(
            f"{row['key']} {short_ratio(row['ratio'])}" for row in lost
        )
    if unsteady := [row["key"] for row in rows if row["unsteady"]]:
        yield (
            f"Unsteady (moved by more than {UNSTEADY:.0%} within the run: guesses): "
            + ", ".join(unsteady)
        )
    if result["left_out"]:
        yield "Left out, not there in this interpreter: " + ", ".join(
            result["left_out"]
        )
    for failure in result["failed"]:
        yield f"FAILED {failure['key']}: {failure['error']}"
