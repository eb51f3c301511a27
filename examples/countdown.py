"""A countdown: a generator, and the same as a pipe."""

from collections.abc import Iterator

from pygenx import iterate


def countdown(start: int) -> Iterator[int]:
    while start > 0:
        yield start
        start -= 1


for number in countdown(3):
    print(number)
print("lift-off")

line = iterate(lambda n: n - 1, 10).takewhile(bool).map(str).join(" ")
print(line, "lift-off")
