"""Filter, modify, add and remove items on their way."""

from pygenx import Pipeline, pipe

temperatures = [21.5, None, 19.0, -99.0, 23.0, None, 18.5]

print("filter:", pipe(temperatures).filter(None).list())
print("remove:", pipe(temperatures).filterfalse(lambda t: t is None).list())
print("modify:", pipe([20, 25]).map(lambda c: c * 9 / 5 + 32).list())
print("add before and after:", pipe("bc").prepend("a").chain("de").join())
print("one into many:", pipe(["a b", "c"]).flat_map(str.split).list())
print("number:", pipe("abc").enumerate(1).list())
print("slice:", pipe(range(10)).drop(2).islice(0, None, 3).list())


def separated(number: int) -> list[int | None]:
    """Adds an item after each multiple of 3, removes those of 4."""
    if number % 4 == 0:
        return []
    return [number, None] if number % 3 == 0 else [number]


print("add and remove:", pipe(range(1, 10)).flat_map(separated).list())

clean = (
    Pipeline()
    .filterfalse(lambda t: t is None)
    .filter(lambda t: t > -50)
    .map("{:.1f}".format)
)
print("all in one, reusable:", clean(temperatures).list(), clean([1.25]).list())
