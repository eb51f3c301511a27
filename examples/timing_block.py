"""Time a block, its laps, and a function."""

from pygenx import timing

with timing():
    total = sum(range(100_000))

with timing("two halves") as t:
    total = sum(range(50_000))
    first = t.lap()
    total += sum(range(50_000, 100_000))
    second = t.lap()
print("laps recorded:", t.laps == [first, second])
print("the whole is no less than its parts:", t.elapsed >= first + second)


@timing
def squares(n: int) -> int:
    return sum(i * i for i in range(n))


for n in (10, 1000, 10_000):
    squares(n)
uses = squares.timing
print("calls:", uses.count)
print("in order:", 0 < uses.min <= uses.mean <= uses.max <= uses.total)

try:
    with timing("failed", report=lambda text: print(text, repr(text.error))):
        raise KeyError("x")
except KeyError as error:
    print("passed on:", repr(error))
