"""The benchmarks run, rivals agree, the README is written; no time is asserted."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks import machine, readme_table, registry, results, run, texts
from benchmarks.cases import PYGENX, Case
from benchmarks.measure import Effort, Times, measure

TINY = 24
EVERY = [
    pytest.param(case, id=registry.key_of(family, case.name))
    for family, case in registry.select()
]
TABLE = "<!-- benchmark table -->\nold\n<!-- /benchmark table -->"


@pytest.fixture(autouse=True)
def small_text(tmp_path, monkeypatch):
    """The word cases read a few lines."""
    file = tmp_path / "small.txt"
    file.write_text("The cat\n  sat, the CAT\n\nsat\n" * 3, encoding="utf-8")
    monkeypatch.setattr(texts, "_chosen", [file])
    return file


@pytest.fixture(scope="module")
def result():
    """A real result of two tiny cases, one of them a headline."""
    jobs = [
        (family, case)
        for family, case in registry.select(family="chain")
        if case.name in ("lists", "tuples")
    ]
    return run.run(jobs, Effort(seconds=0, rounds=2, sample_ns=1))


# -- the cases ---------------------------------------------------------------------


@pytest.mark.parametrize("case", EVERY)
def test_rivals_agree(case: Case):
    data = case.setup(TINY)
    assert case.rivals
    wanted = case.value(case.plain()[0], data)
    for rival in case.rivals:
        assert case.value(rival, data) == wanted, rival


@pytest.mark.parametrize("case", EVERY)
def test_timed_form_runs(case: Case):
    data = case.setup(TINY)
    assert case.items(data, TINY) > 0
    for rival in case.rivals:
        case.runner(rival, data)()


@pytest.mark.parametrize("case", EVERY)
def test_case_is_well_formed(case: Case):
    assert PYGENX in case.rivals
    assert case.plain()
    assert PYGENX not in case.baseline
    assert set(case.goals) <= set(case.rivals)


def test_keys_are_unique():
    keys = [param.id for param in EVERY]
    assert len(set(keys)) == len(keys)


def test_every_family_is_found():
    files = Path(registry.__file__).parent.glob("bench_*.py")
    assert set(registry.families()) == {
        file.stem.removeprefix("bench_") for file in files
    }


# -- the measuring -------------------------------------------------------------------


def test_measure_gives_a_figure_for_every_rival():
    _, case = next(registry.select("chain", "chain/lists"))
    measured = measure(case, Effort(seconds=0, rounds=3, sample_ns=1))
    assert set(measured.times) == set(case.rivals)
    assert all(
        times.rounds == 3 and 0 < times.best <= times.median
        for times in measured.times.values()
    )


def test_minimum_and_spread():
    times = Times.of([10.0, 12.0, 11.0, 15.0])
    assert (times.best, times.median, times.rounds) == (10.0, 11.5, 4)
    assert times.spread == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("ratio", "word"), [(0.9, "slower"), (0.98, "same"), (1.0, "same"), (1.2, "faster")]
)
def test_verdict(ratio, word):
    assert results.verdict(ratio) == word


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ({"pgo": True, "lto": True}, "PGO and LTO"),
        ({"pgo": True, "lto": False}, "PGO, no LTO"),
        ({"pgo": False, "lto": False}, "no PGO, no LTO"),
        ({"pgo": None, "lto": None}, "PGO and LTO not known"),
        ({"pgo": None, "lto": None, "build": "PGO only"}, "PGO only"),
    ],
)
def test_build_words(python, words):
    assert machine.build_words(python) == words


# -- the command ----------------------------------------------------------------------


def test_command_writes_json_and_table(tmp_path, capsys):
    file = tmp_path / "result.json"
    assert (
        run.main(
            ["--quick", "--seconds", "0", "--case", "chain/lists", "--json", str(file)]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert printed.startswith("What these figures do not show")
    assert "itertools.chain" in printed
    written = json.loads(file.read_text())
    assert {
        "machine",
        "python",
        "packages",
        "date",
        "cases",
        "failed",
        "left_out",
    } <= set(written)
    assert set(written["python"]) >= {"version", "pgo", "lto"}


def test_chart_is_drawn(tmp_path, result):
    pytest.importorskip("matplotlib")
    from benchmarks import chart

    for name in ("ratios.png", "ratios.svg"):
        chart.draw(result, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000


def test_unknown_case_is_refused():
    with pytest.raises(SystemExit, match="no case has that name"):
        run.main(["--case", "no such thing"])


def test_missing_text_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="--text"):
        run.main(["--text", str(tmp_path / "none.txt")])


def test_failing_case_is_reported():
    def fail(size):
        raise ValueError("rubbish")

    broken = Case("broken", fail, {PYGENX: list, "list": list}, ("list",))
    outcome = run.run([("chain", broken)], Effort(seconds=0, rounds=1))
    assert outcome["failed"] == [
        {"key": "chain/broken", "error": "ValueError: rubbish"}
    ]
    assert outcome["cases"] == []


# -- the README ------------------------------------------------------------------------


def test_table_names_machine_and_cases(result):
    text = readme_table.table(result)
    assert machine.sentence(result) in text
    assert "`chain` over lists" in text
    assert result["python"]["version"] in text


def test_losses_are_in_the_table(result):
    lost = {**result["cases"][1], "headline": "", "ratio": 0.5}
    text = readme_table.table({**result, "cases": [result["cases"][0], lost]})
    assert "chain: tuples" in text
    assert "slower" in text


def test_readme_round_trip(tmp_path, result):
    readme, file = tmp_path / "README.md", tmp_path / "result.json"
    file.write_text(json.dumps(result))
    readme.write_text(
        f"# x\n{TABLE}\n"
        "<!-- fig:chain/lists.ratio -->?<!-- /fig -->"
        " <!-- fig:chain/lists.ns[itertools.chain] -->?<!-- /fig -->"
        " <!-- fig:chain/lists.ms --><!-- /fig -->"
        " <!-- fig:date --><!-- /fig -->\nend\n"
    )
    arguments = [str(file), "--readme", str(readme)]
    assert readme_table.main([*arguments, "--check"]) == 1
    assert readme_table.main(arguments) == 0
    once = readme.read_text()
    assert readme_table.main([*arguments, "--check"]) == 0
    assert readme_table.main(arguments) == 0
    assert readme.read_text() == once
    assert once.startswith("# x\n")
    assert once.endswith("\nend\n")
    assert "old" not in once
    assert "?" not in once
    assert f"-->{result['date']}<!--" in once


@pytest.mark.parametrize(
    "name", ["nonsense", "chain/none.ratio", "chain/lists.ratio[nobody]"]
)
def test_unknown_figure_is_refused(result, name):
    with pytest.raises(LookupError, match="fig:"):
        readme_table.rewritten(f"{TABLE}<!-- fig:{name} --><!-- /fig -->", result)


def test_readme_without_table_is_refused(result):
    with pytest.raises(LookupError, match="benchmark table"):
        readme_table.rewritten("# x\n", result)
