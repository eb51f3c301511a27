"""The test suites of more-itertools, toolz and iteration_utilities, run on pygenx.

Their tests of the operators both have run in a child, with the peer's names replaced
by ours (peers/adapters.py). What deviates is listed one by one in peers/deviations.py,
and has to deviate.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from peers import deviations, obtain
from peers.shared import ENDLESS, SHARED

import pygenx

pytestmark = pytest.mark.c

HERE = Path(__file__).parent
TIMEOUT = 150


def node_ids(peer, source):
    if peer == "iteration_utilities":
        return [f"tests/{name}.py" for name in SHARED[peer]]
    if peer == "toolz":
        return [f"toolz/tests/test_itertoolz.py::{name}" for name in SHARED[peer]]
    texts = {path: path.read_text() for path in sorted(source.glob("tests/test_*.py"))}
    return [
        f"tests/{path.name}::{name}"
        for name in SHARED[peer]
        for path, text in texts.items()
        if f"class {name}(" in text
    ]


@functools.cache
def outcomes(peer, tmp):
    """{group: {test: None, or the text of its failure}}, output of the child"""
    source, why = obtain.source_of(peer)
    if source is None:
        pytest.skip(why)
    results = Path(tmp, "results")
    results.touch()
    empty = Path(tmp, "pytest.ini")
    empty.write_text("[pytest]\n")
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q"]
    command += ["-c", str(empty), "--rootdir", str(source), "-p", "no:cacheprovider"]
    command += [
        "-p",
        "peers.plugin",
        "-W",
        "ignore",
        "--tb=native",
        *node_ids(peer, source),
    ]
    command += [f"--deselect={test}" for test in ENDLESS]
    child = subprocess.run(
        command,
        cwd=source,
        env={
            **os.environ,
            "PEER": peer,
            "PEER_RESULTS": str(results),
            "PEER_SOURCE": str(source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    found = {}
    for line in results.read_text().splitlines():
        module, test, outcome, text = json.loads(line)
        group = module if peer == "iteration_utilities" else test.partition(".")[0]
        if outcome != "skipped":
            tests = found.setdefault(group.partition("[")[0], {})
            # With sub-tests a test reports more than once.
            tests[test] = tests.get(test) or (text if outcome == "failed" else None)
    return found, child.stdout[-3000:] + child.stderr[-3000:]


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("peers")


def stands_for(name, group, test):
    """A name is short of its group, and stands for all parameters if it has none."""
    file = "test_" + group.removeprefix("test_").replace("_", "")
    whole = (name, f"{group}.{name}", f"{group}_{name}", f"{file}_{name}")
    return test in whole or test.partition("[")[0] in whole


def expected(peer, group, tests):
    """{name that is listed: the tests it stands for}"""
    return {
        name: {test for test in tests if stands_for(name, group, test)}
        for name in deviations.listed(peer, group)
    }


@pytest.mark.parametrize(
    ("peer", "group"), [(peer, group) for peer in SHARED for group in SHARED[peer]]
)
def test_peer(peer, group, directory):
    for name in SHARED[peer][group].split():
        assert hasattr(pygenx, name) or hasattr(pygenx.pipe, name)
    place = directory / peer
    place.mkdir(exist_ok=True)
    found, output = outcomes(peer, str(place))
    tests = found.get(group)
    assert tests, output
    failed = {test for test, text in tests.items() if text}
    deviating = expected(peer, group, tests)
    unknown = [name for name, found in deviating.items() if not found]
    assert not unknown, f"listed as deviations, but there are no such tests: {unknown}"
    listed = set().union(*deviating.values())
    wrong = failed - listed
    assert not wrong, "\n\n".join(f"{test}\n{tests[test]}" for test in sorted(wrong))
    passed = listed - failed
    assert not passed, f"listed as deviations, but they pass: {sorted(passed)}"


def test_every_deviation_is_of_a_shared_test():
    for peer, groups in deviations.DEVIATIONS.items():
        assert set(groups) <= set(SHARED[peer])
