"""What a checker must refuse. Never run; an ignore that is not needed is an error."""

from __future__ import annotations

from collections.abc import Generator

from pygenx import (
    Pipeline,
    broadcast,
    buffer,
    chain,
    fold,
    groupby,
    iter_except,
    merge,
    own,
    peekable,
    pipe,
    primed,
    read_lines,
    roundrobin,
    route,
    seekable,
    serialize,
    spy,
    tee,
    with_iter,
    zip,
)


def sources() -> None:
    pipe(5)  # type: ignore[arg-type]
    pipe([1], str)  # type: ignore[call-arg]
    pipe()  # type: ignore[call-arg]
    pipe(source=[1])  # type: ignore[call-arg]
    read_lines("a", missing="ignore")  # type: ignore[arg-type]
    chain(1)  # type: ignore[arg-type]
    own(5)  # type: ignore[arg-type]
    zip(1)  # type: ignore[call-overload]
    roundrobin(1)  # type: ignore[arg-type]
    merge([1], key=5)  # type: ignore[call-overload]
    merge([object()])  # type: ignore[type-var]
    serialize([1], timeout="1")  # type: ignore[arg-type]
    tee([1], "2")  # type: ignore[call-overload]
    groupby([1], 5)  # type: ignore[call-overload]
    peekable([1]).prepend("a")  # type: ignore[arg-type]
    seekable([1]).seek("0")  # type: ignore[arg-type]
    spy([1], "2")  # type: ignore[arg-type]


def stages() -> None:
    numbers = pipe([1, 2])
    numbers.map(len)  # type: ignore[arg-type]
    numbers.map(5)  # type: ignore[arg-type]
    numbers.map(func=str)  # type: ignore[call-arg]
    numbers.on_close(len)  # type: ignore[arg-type]
    numbers.through(5)  # type: ignore[arg-type]
    numbers.catch(5)  # type: ignore[call-overload]
    numbers.catch(ValueError, replace=5)  # type: ignore[call-overload]
    numbers.map_except(len, 5)  # type: ignore[arg-type]
    numbers.flatten()  # type: ignore[misc]
    numbers.filter(str.isalpha)  # type: ignore[arg-type]
    numbers.flat_map(abs)  # type: ignore[arg-type]
    numbers.starmap(divmod)  # type: ignore[misc, arg-type]
    numbers.enumerate().starmap(len)  # type: ignore[arg-type]
    numbers.filter_map(len)  # type: ignore[arg-type]
    numbers.accumulate(len)  # type: ignore[arg-type]
    numbers.intersperse()  # type: ignore[call-arg]
    numbers.unique_everseen(len)  # type: ignore[arg-type]
    numbers.unique_everseen(None, 5)  # type: ignore[call-arg]
    numbers.locate(None)  # type: ignore[arg-type]
    numbers.take("2")  # type: ignore[arg-type]
    numbers.batched()  # type: ignore[call-arg]
    numbers.windowed()  # type: ignore[call-overload]
    numbers.split_at(len)  # type: ignore[arg-type]
    numbers.split_when(len)  # type: ignore[arg-type]
    numbers.islice()  # type: ignore[call-overload]
    numbers.chain(3)  # type: ignore[arg-type]
    numbers.tap(str.upper)  # type: ignore[arg-type]


def made() -> None:
    iter_except([1].pop, 5)  # type: ignore[call-overload]
    with_iter([1])  # type: ignore[arg-type]
    buffer("text")  # type: ignore[call-overload]


def terminals() -> None:
    pipe([1]).join()  # type: ignore[misc]
    pipe([1]).dict()  # type: ignore[misc]
    pipe([object()]).sum()  # type: ignore[misc]
    pipe([object()]).min()  # type: ignore[call-overload]
    pipe([1]).reduce(len)  # type: ignore[arg-type]
    pipe([1]).to(len)  # type: ignore[arg-type]
    pipe([1]).nth("1")  # type: ignore[call-overload]
    pipe([1]).one("none")  # type: ignore[arg-type]
    pipe([1]).first_true(pred=str.upper)  # type: ignore[arg-type]
    pipe([1]).map_reduce(len)  # type: ignore[arg-type]
    pipe([1]).reduceby(str)  # type: ignore[call-overload]
    len(pipe([1]))  # type: ignore[arg-type]


def composition() -> None:
    texts = Pipeline[str]()
    texts([1])  # type: ignore[list-item]
    pipe([1]) | texts  # type: ignore[operator]
    texts.map(len) | texts  # type: ignore[operator]
    [1] | texts  # type: ignore[operator]
    narrower: pipe[int] = pipe([object()])  # type: ignore[list-item]
    print(narrower)


def tools() -> None:
    def plain() -> int:
        return 1

    def reader(count: int) -> Generator[int]:
        yield count

    primed(plain)  # type: ignore[type-var]
    primed(reader)("one")  # type: ignore[arg-type]
    fold(len, 0)  # type: ignore[arg-type]


def pushing() -> None:
    lengths = Pipeline[str]().map(len)
    lengths.sum()([1])  # type: ignore[list-item]
    lengths.sum().push().send(1)  # type: ignore[arg-type]
    lengths.list().map(str)  # type: ignore[attr-defined]
    lengths.into([])  # type: ignore[call-overload]
    lengths.into()  # type: ignore[call-overload]
    pipe([1]).into(lengths.sum())  # type: ignore[arg-type]
    pipe([1]).collect(lengths.sum())  # type: ignore[arg-type]
    pipe([1]).collect(sum)  # type: ignore[call-overload]
    lengths.collect(lengths.sum())  # type: ignore[arg-type]
    broadcast(5)  # type: ignore[call-overload]
    route(5, {})  # type: ignore[call-overload]
    route(len, [5])  # type: ignore[list-item]
    print(pipe([1]).stats()[0].taken)  # type: ignore[attr-defined]
    pipe([1]).stats()["a"]  # type: ignore[call-overload]
    pipe([1]).catch(ValueError, do=len)  # type: ignore[arg-type]
    wider: pipe[str] = pipe(list[object]())  # type: ignore[arg-type]
    print(wider)


class Piped(pipe[int]):  # type: ignore[misc]
    """`pipe` is final."""
