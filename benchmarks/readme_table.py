"""Write the README's benchmark table and figures from what `run.py --json` wrote.

    python benchmarks/readme_table.py result.json            rewrites README.md
    python benchmarks/readme_table.py result.json --check    says if it would change

So no figure is ever typed. The table goes between `<!-- benchmark table -->` and
`<!-- /benchmark table -->`, a single figure between `<!-- fig:NAME -->` and
`<!-- /fig -->`; NAME is one of

    machine, date, version, tally, text   where, when and what was measured
    KEY.ratio   KEY.ratio[RIVAL]    `1.8x`: against the best plain Python, or RIVAL
    KEY.ns      KEY.ns[RIVAL]       `2.4 ns`: time for an item, pygenx' or RIVAL's
    KEY.ms      KEY.ms[RIVAL]       `31 ms`: time for all the items
    KEY.items   KEY.best            `823,156`; `itertools.chain`

with KEY as `run.py --list` prints it: `<!-- fig:chain/lists.ratio -->`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # started as a script
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import PYGENX
from benchmarks.machine import sentence
from benchmarks.results import (
    Row,
    headlines,
    missed,
    short_ns,
    short_ratio,
    tally,
    verdict,
)

TABLE = re.compile(
    r"(<!-- benchmark table -->\n).*?(<!-- /benchmark table -->)", re.DOTALL
)
FIGURE = re.compile(r"(<!-- fig:(?P<name>[^>]+?) -->).*?(<!-- /fig -->)", re.DOTALL)
FIELD = re.compile(
    r"(?P<key>[^.]+)\.(?P<field>ratio|ns|ms|items|best)(\[(?P<rival>.+)\])?"
)

# -- the table -----------------------------------------------------------------------


def cells(row: Row) -> tuple[str, ...]:
    mark = "**" if verdict(row["ratio"]) == "faster" else ""
    remarks = ["slower"] if verdict(row["ratio"]) == "slower" else []
    remarks += [
        f"goal {short_ratio(goal['goal'])} of {goal['rival']} missed"
        for goal in missed(row)
    ]
    remarks += ["unsteady"] if row["unsteady"] else []
    return (
        row["headline"] or f"{row['family']}: {row['name']}",
        f"{short_ns(row['times'][PYGENX]['ns'])} ns/{row['unit']}",
        f"{short_ns(row['times'][row['best']]['ns'])} ns ({row['best']})",
        f"{mark}{short_ratio(row['ratio'])}{mark}",
        "; ".join(remarks),
    )


def table(result: dict[str, Any]) -> str:
    """Markdown: machine, the headline cases, every other loss, the tally of all."""
    heads = ("work", "pygenx", "best plain Python", "ratio", "remarks")
    lines = [
        heads,
        ("---", "---:", "---:", "---:", "---"),
        *map(cells, headlines(result["cases"])),
    ]
    rows = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return (
        f"Measured on {sentence(result)}.\n\n{rows}\n"
        f"{tally(result['cases'])}."
        " The table has the headline cases, then all losses.\n"
    )


# -- single figures --------------------------------------------------------------------


def text_words(result: dict[str, Any]) -> str:
    text = result["text"]
    return f"{text['name']} ({text['bytes'] / 1e6:.1f} MB)" if text else "no text"


GENERAL: dict[str, Callable[[dict[str, Any]], str]] = {
    "machine": sentence,
    "date": lambda result: str(result["date"]),
    "version": lambda result: str(result["packages"]["pygenx"]),
    "tally": lambda result: tally(result["cases"]),
    "text": text_words,
}


def milliseconds(row: Row, rival: str) -> str:
    ms = row["times"][rival]["ns"] * row["items"] / 1e6
    return f"{ms:.{0 if ms >= 10 else 1 if ms >= 1 else 3}f} ms"


FIELDS: dict[str, Callable[[Row, str | None], str]] = {
    "ratio": lambda row, rival: short_ratio(
        row["ratios"][rival] if rival else row["ratio"]
    ),
    "ns": lambda row, rival: f"{short_ns(row['times'][rival or PYGENX]['ns'])} ns",
    "ms": lambda row, rival: milliseconds(row, rival or PYGENX),
    "items": lambda row, _: f"{row['items']:,}",
    "best": lambda row, _: str(row["best"]),
}


def figure(result: dict[str, Any], name: str) -> str:
    """The text of one figure. LookupError, with the reason, for an unknown name."""
    if name in GENERAL:
        return GENERAL[name](result)
    match = FIELD.fullmatch(name)
    if match is None:
        raise LookupError(f"fig:{name}: not of the form KEY.ratio, KEY.ns[RIVAL], ...")
    row = next((row for row in result["cases"] if row["key"] == match["key"]), None)
    if row is None:
        raise LookupError(f"fig:{name}: the result has no case {match['key']!r}")
    if match["rival"] and match["rival"] not in row["times"]:
        raise LookupError(
            f"fig:{name}: the case has no rival {match['rival']!r},"
            f" only {', '.join(row['times'])}"
        )
    return FIELDS[match["field"]](row, match["rival"])


# -- the README ------------------------------------------------------------------------


def rewritten(readme: str, result: dict[str, Any]) -> str:
    """The README with table and figures. LookupError: no table or an unknown figure."""
    if TABLE.search(readme) is None:
        raise LookupError(
            "no <!-- benchmark table --> and <!-- /benchmark table --> in the README"
        )
    with_table = TABLE.sub(lambda match: f"{match[1]}{table(result)}{match[2]}", readme)
    return FIGURE.sub(
        lambda match: f"{match[1]}{figure(result, match['name'])}{match[3]}", with_table
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("result", type=Path, help="what run.py --json wrote")
    parser.add_argument(
        "--readme",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "README.md",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; status 1 if the README would change",
    )
    options = parser.parse_args(arguments)
    before = options.readme.read_text(encoding="utf-8")
    try:
        after = rewritten(
            before, json.loads(options.result.read_text(encoding="utf-8"))
        )
    except LookupError as error:
        raise SystemExit(f"{options.readme.name}: {error.args[0]}") from None
    if not options.check:
        options.readme.write_text(after, encoding="utf-8")
    changed = "changes" if after != before else "is as the result says"
    figures = len(FIGURE.findall(after))
    print(f"{options.readme.name} {changed}: the table and {figures} figures")
    return 1 if options.check and after != before else 0


if __name__ == "__main__":
    sys.exit(main())
