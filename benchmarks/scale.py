"""Memory of a long stream: items through five stages, drained and pulled.

python3 benchmarks/scale.py [ITEMS]     a million, if not given

Printed are the time for an item and by how much the peak memory of the process grew
meanwhile, which must not depend on the number of items.
"""

from __future__ import annotations

import operator
import resource
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pygenx import pipe

ITEMS = 1_000_000
SIZE = 100
WARM_UP = 10_000


def program(items: int) -> pipe[int]:
    """Five stages; every item is an object of its own."""
    return (
        pipe(range(items))
        .map(operator.neg)
        .filterfalse(operator.not_)
        .enumerate()
        .batched(SIZE)
        .map(len)
    )


def drain(items: int) -> int:
    return program(items).sum()


def pull(items: int) -> int:
    last = deque(enumerate(program(items), 1), maxlen=1)
    count, length = last[0]
    return (count - 1) * SIZE + length


DRIVERS: dict[str, Callable[[int], int]] = {"drain": drain, "pull": pull}


def peak() -> int:
    """The most memory that this process has had, in KiB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size // 1024 if sys.platform == "darwin" else size


def main(items: int = ITEMS) -> None:
    for name, driver in DRIVERS.items():
        driver(WARM_UP)
        before = peak()
        start = time.perf_counter()
        if driver(items) != items - 1:  # zero is left out
            sys.exit(f"{name}: items were lost")
        seconds = time.perf_counter() - start
        each = seconds / items * 1e9
        print(
            f"{name}: {items:,} items in {seconds:.1f} s, {each:.0f} ns an item, "
            f"peak memory +{peak() - before} KiB"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
