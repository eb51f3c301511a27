"""What pygenx runs natively: which functions, why not others, how often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pygenx._pygenx import lifting_eager as _eager  # noqa: F401 (for tests)
from pygenx._pygenx import lifting_native as native
from pygenx._pygenx import lifting_stats as stats
from pygenx._pygenx import lifting_switch as _switch
from pygenx._pygenx import lifting_why_not as why_not

__all__ = ["disabled", "native", "stats", "why_not"]


@contextmanager
def disabled() -> Iterator[None]:
    """disabled()

    Call every Python function as it is inside the block, in all threads.
    """
    _switch(1)
    try:
        yield
    finally:
        _switch(-1)
