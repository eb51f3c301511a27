"""Sequences without an end: only what is asked for is computed."""

from collections.abc import Iterator
from itertools import count

from pygenx import iterate, pipe


def fibonacci() -> Iterator[int]:
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def is_prime(n: int) -> bool:
    return n > 1 and all(n % divisor for divisor in range(2, int(n**0.5) + 1))


print("powers of 2:", iterate(lambda n: 2 * n, 1).take(10).list())
print("fibonacci:", pipe(fibonacci()).takewhile(lambda n: n < 100).list())
print("primes:", pipe(count()).filter(is_prime).take(10).list())
print("the 1000th prime:", pipe(count()).filter(is_prime).drop(999).first())

numbers = fibonacci()
print("three:", pipe(numbers).take(3).list())
print("the next:", next(numbers))  # nothing was taken that was not asked for
