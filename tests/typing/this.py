"""The types of expressions: what they compute is Any, the rest is known."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, assert_type

from pygenx import Expression, Pipeline, all_of, any_of, call, func, none_of, pipe, this

assert_type(this, Expression)
assert_type(this.name, Expression)
assert_type(this["age"] >= 30, Expression)
assert_type(3 * this - 1, Expression)
assert_type(-this, Expression)
assert_type(this[1:3], Expression)
assert_type(this.upper(), Any)
assert_type(this == 1, Expression)
assert_type(call(len, this), Expression)
assert_type(all_of(this > 1, any_of(this), none_of(this)), Expression)
assert_type(func(this + 1), Callable[[Any], Any])

people = [{"age": 40}, {"age": 20}]
assert_type(pipe(people).filter(this["age"] >= 30), pipe[dict[str, int]])
assert_type(pipe(people).filter(this["age"] >= 30).list(), list[dict[str, int]])
assert_type(pipe(people).map(this["age"]).list(), list[Any])
assert_type(pipe([3, 1]).min(key=-this), int)
assert_type(Pipeline[int]().filter(this % 2 == 1), Pipeline[int, int])
assert_type(pipe([3, 1]).groupby(this % 2).list(), list[tuple[Any, list[int]]])
print(sorted([3, 1], key=func(-this)), pipe([3]).map(call(operator.neg, this)).list())


def mistakes() -> None:
    func(3)  # type: ignore[arg-type]
    call(3)  # type: ignore[arg-type]
    all_of(x=this)  # type: ignore[call-arg]
    this.x = 1  # type: ignore[attr-defined]
