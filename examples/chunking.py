"""Chunks of an iterable: each is there as soon as it is full."""

from pathlib import Path

from pygenx import pipe, read_lines

SHIPPED = Path(__file__).with_name("data") / "genesis.txt"

for chunk in pipe(range(10)).batched(4):
    print(chunk)

print("sums:", pipe(range(10)).batched(4).map(sum).list())

numbers = iter(range(10))
print("first chunk:", pipe(numbers).batched(4).first())
print("taken so far: 4, next is", next(numbers))


def stored(rows: tuple[str, ...]) -> None:
    """Stands for a database: it wants few calls with many rows."""
    print(f"stored {len(rows)} rows, the first {rows[0].strip()[:30]!r}")


read_lines(SHIPPED).filter(None).batched(500).for_each(stored)

try:
    pipe(range(10)).batched(4, strict=True).for_each(print)
except ValueError as error:
    print("ValueError:", error)
