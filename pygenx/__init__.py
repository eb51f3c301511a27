"""Generator tools for Python, written natively in C."""

from pygenx._pygenx import (
    Pipeline,
    ReentrancyError,
    chain,
    feed,
    fold,
    grouping,
    iterate,
    pipe,
    tee,
)

__version__ = "0.1.0"

__all__ = [
    "Pipeline",
    "ReentrancyError",
    "chain",
    "feed",
    "fold",
    "grouping",
    "iterate",
    "pipe",
    "tee",
]
