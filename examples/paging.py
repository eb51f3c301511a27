"""A dialogue: whoever reads the pages says how large the next one should be."""

from collections.abc import Callable, Generator

from pygenx import pipe

Page = list[int]


def pages(
    fetch: Callable[[int, int], Page], size: int = 2
) -> Generator[Page, int | None, str]:
    """Yield page after page; what is sent is the size of the next."""
    position = 0
    while page := fetch(position, size):
        position += len(page)
        try:
            size = (yield page) or size
        except TimeoutError:  # thrown in by a reader that cannot keep up
            size = 1
            yield []
    return f"{position} items read"


def fetch(position: int, size: int) -> Page:
    print(f"    fetch {size} from {position}")
    return list(range(12))[position : position + size]


dialogue = pipe(pages(fetch)).map(lambda page: [f"#{n}" for n in page])
print(next(dialogue))
print(dialogue.send(5))  # the reader is quick: a larger page
print(next(dialogue))  # as before

# throw() takes the same way, and the source answers it: nothing is lost.
slow = pipe(pages(fetch)).enumerate()
print(next(slow))
print(slow.throw(TimeoutError()))
print(next(slow))
slow.close()

for page in dialogue:
    print(page)
print(dialogue.result)
