"""Each allocation of each program fails in turn: MemoryError or the right result, no
SystemError, nothing leaked. In a child: a NULL that is not looked at kills it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ISOLATED = Path(__file__).parent / "isolated"
sys.path.insert(0, str(ISOLATED))
import programs  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def testcapi():
    pytest.importorskip("_testcapi", reason="this Python has no _testcapi.set_nomemory")


def run(*names):
    # An allocator that fails needs the usual one below it: no faulthandler, no -X dev.
    return subprocess.run(
        [sys.executable, str(ISOLATED / "oom.py"), *names],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.c
def test_every_row_is_there():
    assert programs.missing() == []


PARTS = 6


@pytest.mark.c
@pytest.mark.parametrize("part", range(PARTS))
def test_memory_error_or_the_right_result(part):
    child = run(f"{part}/{PARTS}")
    lines = child.stdout.splitlines()
    faults = [line for line in lines if not line.endswith(" ok")]
    assert (child.returncode, faults) == (0, ["done"]), (
        child.stdout[-500:] + child.stderr
    )
    assert len(lines) > 500 // PARTS


@pytest.mark.c
@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="CPython 3.13 crashes in its own dict.setdefault while it makes a type",
)
def test_import():
    """The module itself, imported while memory is short, then again."""
    code = """
import sys, _testcapi, importlib, collections, functools
import importlib.machinery, importlib.util
spec = importlib.util.find_spec("pygenx._pygenx")
def load():
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
load()
failed = clean = start = 0
while clean < 40:  # some failures are of caches that can do without
    start += 1
    try:
        _testcapi.set_nomemory(start, start + 1)
        try:
            module = load()
        finally:
            _testcapi.remove_mem_hooks()
    except (MemoryError, ImportError):
        failed += 1
        clean = 0
    except SystemError as error:  # CPython 3.11: a type's name that cannot be copied
        assert "without setting an exception" in str(error)
        clean = 0
    else:
        clean += 1
        assert list(module.chain([1], [2])) == [1, 2]
print(failed)
"""
    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) > 100
