"""Chunks of an iterable: each is there as soon as it is full."""

from pygenx import pipe, read_lines

for chunk in pipe(range(10)).batched(4):
    print(chunk)

print("sums:", pipe(range(10)).batched(4).map(sum).list())

numbers = iter(range(10))
print("first chunk:", pipe(numbers).batched(4).first())
print("taken so far: 4, next is", next(numbers))


def stored(rows: tuple[str, ...]) -> None:
    """Stands for a database: it wants few calls with many rows."""
    print(f"stored {len(rows)} rows, last {rows[-1]!r}")


read_lines(__file__).filter(None).batched(10).for_each(stored)

try:
    pipe(range(10)).batched(4, strict=True).for_each(print)
except ValueError as error:
    print("ValueError:", error)
