"""close, raise and finally: what a generator in a pipe sees."""

from collections.abc import Generator

from pygenx import borrow, pipe


def numbers() -> Generator[int, None, None]:
    try:
        yield from (1, 2, 3)
    finally:
        print("    finally")


def patient() -> Generator[str, None, None]:
    """Answers an exception with an item."""
    while True:
        try:
            yield "item"
        except KeyError as error:
            yield f"caught {error!r}"


def failing() -> Generator[int, None, None]:
    yield 1
    raise OSError("disk gone")


print("given away: over when the pipe is")
print(pipe(numbers()).take(2).list())

print("kept: still open")
kept = numbers()
print(pipe(kept).take(2).list(), next(kept))
kept.close()

print("with: closed in any case")
with pipe(numbers()).map(str) as texts:
    print(next(texts))

print("borrow: never")
kept = numbers()
with pipe(borrow(kept)) as items:
    print(next(items))
print(next(kept))
kept.close()

print("throw: the source may answer")
answering = pipe(patient()).map(str.upper)
print(next(answering), "-", answering.throw(KeyError("x")), "-", next(answering))
answering.close()

print("raise: passes, and says where it came from")
try:
    pipe(failing()).map(str).list()
except OSError as error:
    print(repr(error), error.__notes__)
