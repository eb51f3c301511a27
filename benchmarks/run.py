"""Time pygenx against the standard library, plain Python and its peers.

What the figures do not show: how your program will do (the output says why). All rivals
of a case run in one process, in turns; see measure.py for the reasons. Ratios are
against the fastest plain-Python or stdlib spelling, above 1 where pygenx is faster;
losses are shown as losses.

    python benchmarks/run.py --quick                      all cases in under a minute
    python benchmarks/run.py --family chain               one family, carefully
    python benchmarks/run.py --json result.json           for readme_table.py
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __package__ in (
    None,
    "",
):  # started as a script: after what is installed, look into the repository
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks import chart, machine, registry, texts
from benchmarks.cases import MISSING, Case
from benchmarks.measure import Effort, measure, quick
from benchmarks.results import CAVEAT, lines_of, row_of, summary

Job = tuple[str, Case]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], epilog=CAVEAT
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="all cases in under a minute; rougher figures",
    )
    parser.add_argument(
        "--family",
        default="",
        choices=["", *registry.families()],
        help="only this family",
        metavar="NAME",
    )
    parser.add_argument(
        "--case",
        default="",
        metavar="TEXT",
        help="only cases with TEXT in their key, such as chain/lists",
    )
    parser.add_argument(
        "--headlines", action="store_true", help="only the cases of the README's table"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the keys of the cases and stop"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="time for each case (default 2; --quick shares out 36)",
    )
    parser.add_argument(
        "--text",
        type=Path,
        metavar="FILE",
        help="the text of the word benchmarks (UTF-8)",
    )
    parser.add_argument(
        "--build",
        default="",
        metavar="WORDS",
        help="how the interpreter was built, where it does not tell: 'PGO and LTO'",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result for readme_table.py"
    )
    parser.add_argument(
        "--chart",
        type=Path,
        metavar="FILE",
        help="draw the ratios (.png, .svg; needs matplotlib)",
    )
    return parser


def selected(options: argparse.Namespace) -> list[Job]:
    try:
        jobs = list(registry.select(options.family, options.case, options.headlines))
    except ImportError as error:
        raise SystemExit(f"{error}; build pygenx: pip install -e '.[bench]'") from None
    if not jobs:
        raise SystemExit("no case has that name; --list prints them all")
    return jobs


def effort_of(options: argparse.Namespace, cases: int) -> Effort:
    effort = quick(cases) if options.quick else Effort()
    if options.seconds is None:
        return effort
    return Effort(options.seconds, effort.rounds, effort.sample_ns)


def progress(jobs: list[Job]) -> Iterable[Job]:
    """The jobs, with a bar on a terminal's stderr if tqdm is there."""
    if sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm  # type: ignore[import-untyped]

            bar: Iterable[Job] = tqdm(jobs, unit="case", file=sys.stderr, leave=False)
            return bar
    return jobs


def run(jobs: list[Job], effort: Effort, build: str = "") -> dict[str, Any]:
    """Measure; a case that raises is reported as failed and the others go on."""
    rows, failed = [], []
    for family, case in progress(jobs):
        try:
            rows.append(row_of(family, case, measure(case, effort)))
        except Exception as error:
            failed.append(
                {
                    "key": registry.key_of(family, case.name),
                    "error": f"{type(error).__name__}: {error}",
                }
            )
    return {
        "date": datetime.now(UTC).date().isoformat(),
        **machine.describe(build),
        "text": text_of(jobs),
        "effort": {"seconds": effort.seconds, "rounds": effort.rounds},
        "cases": rows,
        "failed": failed,
        "left_out": sorted(MISSING),
    }


def text_of(jobs: list[Job]) -> dict[str, Any] | None:
    """Name and size of the text that was read, if one was."""
    if not any(case.setup is texts.text_file for _, case in jobs):
        return None
    file = texts.text_file()
    return {"name": file.name, "bytes": file.stat().st_size}


def report(result: dict[str, Any]) -> None:
    print(CAVEAT)
    print(f"\n{machine.sentence(result)}")
    if result["text"]:
        print(f"Text: {result['text']['name']}, {result['text']['bytes']} bytes")
    print("Nanoseconds an item (or call, block, word, ...); minimum of the rounds.")
    for line in lines_of(result["cases"]):
        print(line)
    print()
    for line in summary(result):
        print(line)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.chart:
        chart.require_matplotlib()
    if options.text:
        try:
            texts.use(options.text)
        except (OSError, UnicodeDecodeError) as error:
            raise SystemExit(f"--text: {error}") from None
    jobs = selected(options)
    if options.list:
        print(*(registry.key_of(family, case.name) for family, case in jobs), sep="\n")
        return 0
    result = run(jobs, effort_of(options, len(jobs)), options.build)
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.chart and result["cases"]:
        chart.draw(result, options.chart)
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
