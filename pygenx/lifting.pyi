"""What pygenx runs natively: which functions, why not others, how often."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["disabled", "native", "stats", "why_not"]

def disabled() -> AbstractContextManager[None]: ...
def native(func: _F, /) -> _F: ...
def stats() -> dict[str, int]: ...
def why_not(func: Callable[..., Any] | CodeType, /) -> str | None: ...
