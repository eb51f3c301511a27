"""The attacks on the C types (isolated/attacks/), each a test by its name.

They run in children with faulthandler, many to a child, since what they look for is
a crash. When a child dies, the attack it died in has failed and the rest goes to the
next.
"""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ISOLATED = Path(__file__).parent / "isolated"
sys.path.insert(0, str(ISOLATED))
import attacks  # noqa: E402

# Many run in the first test: the child itself ends each that takes too long.
pytestmark = [pytest.mark.c, pytest.mark.timeout(1200)]

SMALL_STACK = 1024 * 1024
# Deep nests in a small stack are the quick version of very deep ones in a large one.
DEEP = {
    "D3_deep_nests_are_deallocated",
    "D4_next_of_a_deep_nest",
    "D5_empty_inputs_are_a_loop",
}


def limit_stack():
    """Later versions trust in a stack of 8 MB themselves."""
    if sys.version_info >= (3, 12):
        return
    import resource

    resource.setrlimit(resource.RLIMIT_STACK, (SMALL_STACK, SMALL_STACK))


def run(names, preexec_fn=None):
    """(output, name of the attack it died in or None)"""
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "attacks",
        *names,
    ]
    path = os.pathsep.join(filter(None, sys.path))
    child = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        preexec_fn=preexec_fn,
    )
    died = last_begun(child.stdout) if child.returncode else None
    return child.stdout, died, f"exit status {child.returncode}\n{child.stderr[-3000:]}"


def last_begun(output):
    return [line for line in output.splitlines() if line.startswith("begin ")][-1][6:]


def parse(output, results):
    current = None
    for line in output.splitlines():
        word, _, name = line.partition(" ")
        if word in ("begin", "ok", "fail") and name in attacks.attacks():
            current = name
            results[name] = {"begin": "did not end", "ok": "", "fail": "failed"}[word]
        elif results.get(current):
            results[current] += "\n" + line


@functools.cache
def results_of(deep):
    names = [name for name in attacks.attacks() if (name in DEEP) == deep]
    results = {}
    while names:
        output, died, why = run(names, limit_stack if deep else None)
        parse(output, results)
        if died is None:
            break
        results[died] += "\n" + why
        names = names[names.index(died) + 1 :]
    return results


def as_test(name, attack):
    def test():
        result = results_of(name in DEEP).get(name, "did not run")
        assert not result, result

    test.__name__ = "test_" + name
    test.__doc__ = attack.__doc__
    return test


for _name, _attack in attacks.attacks().items():
    globals()["test_" + _name] = as_test(_name, _attack)
