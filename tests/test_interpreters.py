"""Interpreters beside the main one, the exit of an interpreter, forks and signals.

What can end in a crash is done in children: the functions of isolated/interpreters.py
and isolated/interruptions.py.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ISOLATED = Path(__file__).parent / "isolated"
sys.path.insert(0, str(ISOLATED))
import interpreters  # noqa: E402
import interruptions  # noqa: E402

pytestmark = pytest.mark.c

TIMEOUT = 120


def child(name, module="interpreters"):
    """Run a function of that module: not a word, and exit status 0."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", module, name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert (done.returncode, done.stdout, done.stderr[-3000:]) == (0, "", "")


@pytest.mark.parametrize("name", interpreters.INTERPRETERS)
def test_interpreters(name):
    child(name)


@pytest.mark.parametrize("name", interpreters.EXITS)
def test_exits(name):
    child(name)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no setitimer")
@pytest.mark.parametrize("name", interruptions.SIGNALS)
def test_signals(name):
    child(name, "interruptions")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("name", interruptions.FORKS)
def test_forks(name):
    child(name, "interruptions")
