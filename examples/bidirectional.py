"""A source and a destination that talk to each other by yield and send."""

import operator
from collections.abc import Generator

from pygenx import feed, fold, pipe, primed


def source() -> Generator[int, None, None]:
    yield from range(1, 6)


@primed
def destination() -> Generator[int, int, int]:
    total = 0
    try:
        while True:
            total += yield total
    except GeneratorExit:
        return total


adding = destination()
for value in source():
    print(f"sent {value}, so far {adding.send(value)}")
adding.close()

# The same, without the loop: feed() closes the destination and fetches its result.
print("by a generator:", feed(source(), destination()))
print("Final result:", feed(source(), fold(operator.add, 0)))


def thermostat(degrees: float = 20.0) -> Generator[float, float | None, None]:
    while True:
        change = yield degrees
        degrees += change or 0


# What is sent into a pipe reaches its source.
fahrenheit = pipe(thermostat()).map(lambda c: c * 9 / 5 + 32).map("{:.0f} F".format)
print(next(fahrenheit), fahrenheit.send(5), fahrenheit.send(-10), next(fahrenheit))
