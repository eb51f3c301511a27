"""primed: a generator that takes values at once, without a first next()."""

from collections.abc import Generator

from pygenx import primed


@primed
def average() -> Generator[float, float, None]:
    total, count, mean = 0.0, 0, 0.0
    while True:
        total += yield mean
        count += 1
        mean = total / count


running = average()
for value in (10, 20, 60):
    print(f"sent {value}, average {running.send(value)}")


@primed
def greeter(greeting: str) -> Generator[str, str, None]:
    """Says hello."""
    answer = ""
    while True:
        answer = f"{greeting}, {(yield answer)}!"


print(greeter("Hello").send("Alice"))
print(greeter.__name__, "-", greeter.__doc__)


@primed
def too_short() -> Generator[None, None, str]:
    return "nothing to wait for"
    yield


try:
    too_short()
except RuntimeError as error:
    print("RuntimeError:", error)
