"""A hundred thousand stages of all kinds in one pipeline; a long stream in constant
memory. In children, which may die and whose memory is their own.
"""

import gc
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from pygenx import pipe

pytestmark = pytest.mark.c

ROOT = Path(__file__).resolve().parent.parent
STAGES = 100_000
ITEMS = [1, 2, 3]
MOST_LEFT = 200 * 1024  # bytes


def second(a, b):
    return b


def more_one(item):
    return item + 1


def same(item):
    return item


def true(item):
    return True


def false(*items):
    return False


# Every stage, with others that make it leave ITEMS as they are.
SAME = {
    "accumulate": lambda p: p.accumulate(second),
    "batched": lambda p: p.batched(2).flatten(),
    "catch": lambda p: p.catch(ValueError),
    "chain": lambda p: p.chain([]),
    "chunked": lambda p: p.chunked(2).flatten(),
    "collapse": lambda p: p.collapse(),
    "drop": lambda p: p.drop(0),
    "dropwhile": lambda p: p.dropwhile(false),
    "enumerate": lambda p: p.enumerate().starmap(second),
    "filter": lambda p: p.filter(None),
    "filter_map": lambda p: p.filter_map(same),
    "filterfalse": lambda p: p.filterfalse(false),
    "flat_map": lambda p: p.batched(1).flat_map(same),
    "flatten": lambda p: p.map(lambda item: [item]).flatten(),
    "groupby": lambda p: p.groupby().starmap(second).flatten(),
    "intersperse": lambda p: p.intersperse(0).filter(None),
    "islice": lambda p: p.islice(9),
    "locate": lambda p: p.locate().map(more_one),
    "map": lambda p: p.map(same),
    "map_except": lambda p: p.map_except(same, ValueError),
    "on_close": lambda p: p.on_close(false),
    "pairwise": lambda p: p.prepend([1]).pairwise().pluck(1),
    "pluck": lambda p: p.enumerate().pluck(1),
    "prepend": lambda p: p.prepend([]),
    "progress": lambda p: p.progress(disable=True),
    "sliding_window": lambda p: p.sliding_window(1).flatten(),
    "split_after": lambda p: p.split_after(false).flatten(),
    "split_at": lambda p: p.split_at(false).flatten(),
    "split_before": lambda p: p.split_before(false).flatten(),
    "split_when": lambda p: p.split_when(false).flatten(),
    "starmap": lambda p: p.enumerate().starmap(second),
    "tail": lambda p: p.tail(9),
    "take": lambda p: p.take(9),
    "takewhile": lambda p: p.takewhile(true),
    "takewhile_inclusive": lambda p: p.takewhile_inclusive(true),
    "tap": lambda p: p.tap(false),
    "unique_everseen": lambda p: p.unique_everseen(),
    "unique_justseen": lambda p: p.unique_justseen(),
    "windowed": lambda p: p.windowed(1).flatten(),
    "zip": lambda p: p.zip([0] * 3).pluck(0),
}
# What nests the user's own iterators: each is a call inside a call. And tqdm takes
# longer for each bar that there is already.
NESTED = {"through", "progress"}


def stages():
    listed = (ROOT / "src" / "stages.def").read_text()
    return set(re.findall(r"^GX_STAGE\((\w+)\)", listed, re.MULTILINE))


def bad(item):
    if item == ITEMS[1]:
        raise LookupError
    return item


def mixture(p, size):
    """(p with all kinds of stages behind it, `size` or some more; how many they are)"""
    table = [SAME[name] for name in sorted(stages() - NESTED)]
    sizes = [repr(add(pipe([]))).count(" -> ") for add in table]
    count = 0
    while count < size:
        for add, length in zip(table, sizes, strict=True):
            p = add(p)
            count += length
    return p, count


def notes_of(use, *args):
    try:
        use(*args)
    except LookupError as error:
        return error.__notes__
    raise AssertionError("it did not fail")


# -- what runs in the children --------------------------------------------------------


def check_mixture():
    """Build, run in each way, fail in the middle, be dropped."""
    for add in (SAME[name] for name in sorted(stages() - NESTED)):
        assert add(pipe(ITEMS)).list() == ITEMS, add(pipe([]))
    for use in (list, pipe.list, lambda p: [next(p), next(p), next(p)]):
        p, _ = mixture(pipe(ITEMS), STAGES)
        assert use(p) == ITEMS
        del p
    mixture(pipe(ITEMS), STAGES)  # never run
    p, _ = mixture(pipe(ITEMS), STAGES)
    next(p)
    p.close()
    for use in (list, pipe.list):
        p, before = mixture(pipe(ITEMS), STAGES // 2)
        p, after = mixture(p.map(bad), STAGES // 2)
        (note,) = notes_of(use, p)
        place = f"pygenx: stage {before + 1}/{before + 1 + after} map(bad), item "
        assert note.startswith(place), note


def check_memory():
    """All that a pipe took is given back, whether it ran, failed or neither."""
    tracemalloc.start()
    kept = []
    for _ in range(3):
        for end in (None, list, pipe.consume):
            p, _ = mixture(pipe(ITEMS), STAGES // 10)
            if end is not None:
                end(p)
            p, _ = mixture(pipe(ITEMS).map(bad), STAGES // 10)
            if end is not None:
                notes_of(end, p)
            most = tracemalloc.get_traced_memory()[0]
            del p
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])
    assert most - kept[-1] > 10 * MOST_LEFT
    assert kept[-1] - kept[0] < MOST_LEFT, kept


def child(*command):
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT), *filter(None, sys.path)])
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", *command],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


# -- the tests ------------------------------------------------------------------------


def test_every_stage_is_in_the_mixture():
    assert stages() - NESTED <= set(SAME)


@pytest.mark.parametrize("check", [check_mixture, check_memory])
def test_a_hundred_thousand_stages_of_all_kinds(check):
    child("-c", f"import test_scale; test_scale.{check.__name__}()")


@pytest.mark.skipif(sys.platform == "win32", reason="it asks getrusage() for the peak")
def test_a_million_items_take_no_memory():
    output = child(str(ROOT / "benchmarks" / "scale.py"))
    growth = re.findall(r"(\w+): 1,000,000 items .* peak memory \+(\d+) KiB", output)
    assert [name for name, _ in growth] == ["drain", "pull"]
    assert all(int(kib) < 1024 for _, kib in growth), output
