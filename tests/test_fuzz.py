"""A short run of the fuzzer (isolated/fuzz/), the same one each time. What longer ones
have found is tested where it belongs: seeds mean something else after each change.

    make fuzz SECONDS=600
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.c

ISOLATED = Path(__file__).parent / "isolated"


def fuzz(*args):
    path = [str(ISOLATED), str(ISOLATED.parent), *filter(None, sys.path)]
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *args],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=170,
    )


@pytest.mark.parametrize(
    ("kind", "rounds"), [("chaos", 60), ("threads", 60), ("compared", 40)]
)
def test_random_programs_under_attack(kind, rounds):
    child = fuzz(kind, "--seed=1", f"--rounds={rounds}", "--seconds=20")
    assert child.returncode == 0, child.stdout[-5000:] + child.stderr


def test_a_death_is_found_and_made_small():
    child = fuzz("trial", "--seed=1", "--rounds=3")
    assert child.returncode == 1
    assert "trial seed 2: died in step 5" in child.stdout, child.stderr
    assert "again, with all acts: python -m fuzz trial --seed 2 --only 3,5 -v" in (
        child.stdout
    )
    assert "trial: seeds 1 to 3, 1 died" in child.stdout
