"""Generator tools for Python, written natively in C."""

from pygenx._pygenx import ReentrancyError, chain

__version__ = "0.1.0"

__all__ = ["ReentrancyError", "chain"]
