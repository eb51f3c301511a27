"""A pytest plugin for the child: ours in the peer's place, outcomes as JSON lines."""

import json
import os
from pathlib import Path

from peers import adapters


def pytest_configure(config):
    adapters.install(os.environ["PEER"], Path(os.environ["PEER_SOURCE"]))


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    name = report.nodeid.partition("::")[2].replace("::", ".")
    path = report.nodeid.partition("::")[0]
    text = "\n".join(str(report.longrepr or "").splitlines()[-12:])
    with open(os.environ["PEER_RESULTS"], "a") as file:
        line = [Path(path).stem, name, report.outcome, text]
        file.write(json.dumps(line) + "\n")
