"""tee: one source read once, two consumers."""

from collections.abc import Iterator

from pygenx import pipe, tee


def sensor() -> Iterator[float]:
    for value in (20.5, 21.0, 24.5, 19.0):
        print(f"    measured {value}")
        yield value


print("far apart: the second reads from the buffer")
average, alarm = tee(sensor())
values = list(average)
print("mean", sum(values) / len(values))
print("alarms", pipe(alarm).filter(lambda value: value > 24).list())

print("in step: nothing is kept")
left, right = tee(sensor())
for value, same in zip(left, right, strict=True):
    print(value, same)

print("no further apart than one item")
ahead, behind = tee(sensor(), maxlen=1)
print(next(ahead))
try:
    next(ahead)
except BufferError as error:
    print("BufferError:", error)
print(next(behind), next(ahead))
