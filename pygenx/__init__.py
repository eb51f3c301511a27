"""Generator tools for Python, written natively in C."""

from pygenx._pygenx import (
    Failure,
    Pipeline,
    Reducer,
    ReentrancyError,
    borrow,
    chain,
    feed,
    fold,
    groupby,
    grouping,
    iterate,
    own,
    peekable,
    pipe,
    primed,
    read_lines,
    spy,
    tee,
    timing,
)

__version__ = "0.1.0"

__all__ = [
    "Failure",
    "Pipeline",
    "Reducer",
    "ReentrancyError",
    "borrow",
    "chain",
    "feed",
    "fold",
    "groupby",
    "grouping",
    "iterate",
    "own",
    "peekable",
    "pipe",
    "primed",
    "read_lines",
    "spy",
    "tee",
    "timing",
]
