"""The two legs of the tests, the header of the report, the profile of Hypothesis."""

import importlib
import os
import signal
import sys

os.environ["TQDM_DISABLE"] = "1"  # before it is imported: bars where a test wants one

import pytest
import tqdm
from hypothesis import HealthCheck, settings

settings.register_profile(
    "pygenx",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("pygenx")

tqdm.tqdm.monitor_interval = 0  # no thread of its own

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started by nohup or with "&":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children inherit it

SPREAD = {"test_contract"}
LEGS = {"c": "pygenx", "reference": "reference"}


def pytest_configure(config):
    config.addinivalue_line("markers", "c: a test of the C types")
    config.addinivalue_line("markers", "reference: a test of their specification")
    config.addinivalue_line("markers", "xdist_group(name): known without xdist, too")


def pytest_collection_modifyitems(items):
    """For -n auto --dist loadgroup: a file stays in one process, which shares what its
    children found, but the longest may be spread."""
    for item in items:
        if item.path.stem not in SPREAD:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_report_header():
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    try:
        version = importlib.import_module("pygenx").__version__
    except ImportError as error:
        version = f"cannot be imported: {error}"
    return (
        f"pygenx {version}, GIL {'on' if gil else 'off'}, "
        f"debug build {'yes' if hasattr(sys, 'gettotalrefcount') else 'no'}"
    )


@pytest.fixture(
    params=[pytest.param(leg, marks=getattr(pytest.mark, leg)) for leg in LEGS]
)
def impl(request):
    """The module under test: pygenx, then its reference."""
    return importlib.import_module(LEGS[request.param])
