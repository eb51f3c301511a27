# ruff: noqa: C417, SIM105 (attacks are short and rude)
"""Some of the attacks on what CPython itself offers: does it crash, hang, go wrong?

    python tests/isolated/rivals.py [--write]   each in a child, on all of PYTHONS
    python tests/isolated/rivals.py NAME        one, in this process

With --write the verdicts go to tests/rivals.json, from which docs/attacks.md is made.
"""

import collections
import functools
import gc
import itertools
import json
import operator
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

TIMEOUT = 60
TABLE = Path(__file__).resolve().parent.parent / "rivals.json"
PYTHONS = os.environ.get("PYTHONS", "3.11 3.12 3.13 3.14 3.15").split()


class Thing:
    def __init__(self, value):
        self.value = value
        self.payload = bytearray(200)


class Source:
    """Runs `trap(reader)` inside item number `when`, and once."""

    def __init__(self, n=10, when=-1, trap=None):
        self.n, self.when, self.trap, self.i, self.reader = n, when, trap, 0, None

    def __iter__(self):
        return self

    def __next__(self):
        if self.i == self.when and self.reader is not None:
            reader, self.reader = self.reader, None
            try:
                self.trap(reader)
            except (RuntimeError, ValueError, StopIteration):
                pass
        self.i += 1
        if self.i > self.n:
            raise StopIteration
        return Thing(self.i - 1)


def trapped(make, when=3):
    """What comes out, inside the trap and outside."""
    got = []
    source = Source(10, when, got.extend)
    source.reader = reader = make(source)
    for _ in range(100):
        if (item := next(reader, None)) is None:
            return got
        got.append(item)
    raise AssertionError("no end in sight")


def in_order(things):
    assert sorted(thing.value for thing in things) == list(range(10))


def R1_tee():
    source = Source(10, 3, next)
    source.reader, other = itertools.tee(source)
    in_order(other)


def R2_tee():
    entered, release = threading.Event(), threading.Event()

    class Blocking(Source):
        def __next__(self):
            if self.i == 2:
                entered.set()
                release.wait(10)
            return super().__next__()

    one, two = itertools.tee(Blocking())
    got = []
    worker = threading.Thread(target=lambda: got.extend(one))
    worker.start()
    entered.wait(10)
    next(two), next(two)
    try:
        next(two)
    except RuntimeError:
        pass
    else:
        raise AssertionError
    finally:
        release.set()
        worker.join()
    in_order(got)


def R3_chain():
    in_order(trapped(itertools.chain))


def R3_from_iterable():
    in_order(trapped(lambda s: itertools.chain.from_iterable(iter([s, []]))))


def R4_from_iterable_of_itself():
    parts = [[1]]
    chain = itertools.chain.from_iterable(parts)
    parts.append(chain)
    try:
        list(chain)
    except (RecursionError, RuntimeError, ValueError):
        pass


def R5_pairwise():
    def generator():
        while True:
            try:
                yield next(reader)
            except (ValueError, RuntimeError):
                yield Thing(1)

    reader = itertools.pairwise(generator())
    for _ in range(10_000):
        next(reader)


def R6_accumulate():
    def add(total, item):
        if len(calls) == 3:
            calls.append(None)
            try:
                next(reader)
            except RuntimeError:
                pass
        calls.append(item)
        return total + item

    calls = []
    reader = itertools.accumulate(range(10), add)
    assert list(reader)[-1] == 45, "an item is lost"


def R7_islice():
    in_order(trapped(lambda s: itertools.islice(s, 10)))


def R7_batched():
    got = trapped(lambda s: itertools.batched(s, 3))
    in_order([thing for batch in got for thing in batch])


def R7_zip_longest():
    got = trapped(lambda s: itertools.zip_longest(s, range(3)))
    in_order([row[0] for row in got if row[0] is not None])


def R8_pairwise():
    source = Source(10, 1, next)
    source.reader = reader = itertools.pairwise(source)
    for one, two in reader:
        assert one.value < two.value


def R14_callable_iterator():
    reader = iter(lambda: next(reader, None), None)
    try:
        list(reader)
    except RecursionError:
        pass


def R15_count():
    class Step(float):
        def __radd__(self, other):
            if len(calls) < 1:
                calls.append(1)
                calls.append(next(reader))
            return Thing(0)

    calls = []
    reader = itertools.count(0, Step(1.5))
    for _ in range(3):
        try:
            next(reader)
        except TypeError:
            return


class Key:
    def __init__(self, value):
        self.payload = bytearray(200)
        self.value = value

    def __eq__(self, other):
        for step in Key.steps:
            try:
                step()
            except RuntimeError:
                pass
        return NotImplemented


def K1_groupby():
    reader = itertools.groupby(Key(i) for i in range(30))
    Key.steps = [lambda: next(reader, None), gc.collect]
    sum(1 for _ in reader)


def K1_groupby_group():
    reader = itertools.groupby(Key(i) for i in range(30))
    _, group = next(reader)
    Key.steps = [lambda: next(group, None), lambda: next(reader, None)]
    list(group)


def K2_groupby():
    def key(item):
        list(group[0])
        return item // 3

    group = [()]
    for _, group[0] in itertools.groupby(range(9), key):
        list(group[0])


def K7_map():
    def stop(item):
        raise StopIteration

    try:
        list(map(stop, [1, 2]))
    except RuntimeError:
        return
    raise AssertionError("it passes for the end")


def K8_map():
    def drop(item):
        box.clear()
        gc.collect()
        return item

    box = [map(drop, [1, 2])]
    assert next(box[0]) == 1


def K10_partial():
    partial = functools.partial(print)
    partial.__setstate__((print, (partial,), {}, {}))
    repr(partial)


def K13_chain():
    source = {1, 2}
    chain = itertools.chain(source)
    next(chain)
    source.add(99)
    try:
        list(chain)
    except RuntimeError:
        return
    raise AssertionError


def K14_chain():
    source = Source()
    proxy = weakref.proxy(source)
    del source
    try:
        list(itertools.chain(proxy))
    except (ReferenceError, TypeError):
        pass


def N6_tee():
    for n, error in ((-1, ValueError), (2**80, OverflowError), (1.0, TypeError)):
        try:
            itertools.tee([], n)
        except error:
            continue
        raise AssertionError(n)


def N8_batched():
    assert len(list(itertools.batched([1, 2], 2**62))) == 1


def N9_count():
    count = itertools.count(sys.maxsize - 1)
    assert [next(count) for _ in range(3)][-1] == sys.maxsize + 1


def N13_product():
    product = itertools.product((1, 2), (3,))
    if not hasattr(product, "__setstate__"):
        return
    product.__setstate__((-100, 100))
    next(product, None)


def M7_groupby():
    class Failing(Source):
        def __next__(self):
            if self.i == 2:
                self.i += 1
                raise ArithmeticError
            return super().__next__()

    reader = itertools.chain(Failing(5))
    next(reader), next(reader)
    try:
        next(reader)
    except ArithmeticError:
        assert [thing.value for thing in reader] == [3, 4]


def M10_zip():
    pairs = []
    for i, pair in enumerate(zip(map(Thing, range(50)), itertools.count())):
        if i % 7 == 0:
            gc.collect()
            pairs.append(pair)
        assert i % 7 or gc.is_tracked(pair)


def nested(make, depth=1_000_000):
    reader = iter([1])
    for _ in range(depth):
        reader = make(reader)
    return reader


def D3_islice():
    del_me = nested(lambda r: itertools.islice(r, 5))
    del del_me


def D3_chain():
    del_me = nested(itertools.chain)
    del del_me


def D4_chain():
    reader = nested(itertools.chain)
    try:
        next(reader)
    except RecursionError:
        os._exit(0)


def D5_from_iterable():
    assert list(itertools.chain.from_iterable(() for _ in range(3_000_000))) == []


def D6_tee():
    one, two = itertools.tee(iter(range(1_000_000)))
    collections.deque(one, 0)
    del two


def D7_tee():
    alive = []

    def items():
        for i in range(100):
            thing = Thing(i)
            alive.append(weakref.ref(thing))
            yield thing
            del thing

    one, two = itertools.tee(items())
    for _ in range(50):
        next(one), next(two)
    kept = sum(weak() is not None for weak in alive)
    assert kept <= 1, f"{kept} items kept that both have passed"


def D12_tee():
    class Item(Thing):
        def __del__(self):
            for reader in readers:
                try:
                    next(reader, None)
                except RuntimeError:
                    pass

    readers = []
    one, two = itertools.tee(map(Item, range(300)))
    readers[:] = [one]
    for _ in range(100):
        next(two, None)
    readers.clear()


def G13_chain():
    class Reviving(Source):
        def __next__(self):
            self.i += 1
            if self.i == 3:
                raise StopIteration
            return self.i

    for make in (itertools.chain, lambda s: map(abs, s), lambda s: filter(None, s)):
        reader = make(Reviving())
        list(reader)
        try:
            next(reader)
        except StopIteration:
            continue
        raise AssertionError("it goes on after its end")


def interrupted(loop):
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        timer.start()
        loop()
    except KeyboardInterrupt:
        return


def H5_from_iterable():
    interrupted(lambda: next(itertools.chain.from_iterable(itertools.repeat(()))))


def H5_filter():
    interrupted(lambda: next(filter(operator.not_, itertools.count(1))))


def H11_map():
    reader = map(lambda item: next(reader), itertools.count())
    try:
        next(reader)
    except RecursionError:
        return
    raise AssertionError


RIVALS = {name: f for name, f in list(globals().items()) if name[1:2].isdigit()}


def verdict_of(python, name):
    try:
        child = subprocess.run(
            [python, __file__, name], capture_output=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return "hang"
    if child.returncode < 0:
        return "crash"
    if b"has no attribute" in child.stderr and b"itertools" in child.stderr:
        return None  # not in that version
    return "wrong" if child.returncode else "right"


def main():
    results = {}
    for version in PYTHONS:
        python = f"python{version}"
        try:
            subprocess.run([python, "-c", ""], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            print(f"{python}: not here")
            continue
        found = {name: verdict_of(python, name) for name in RIVALS}
        results[version] = {name: v for name, v in found.items() if v}
        for name, verdict in results[version].items():
            print(version, name, verdict, flush=True)
    if "--write" in sys.argv and results:
        TABLE.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in RIVALS:
        RIVALS[sys.argv[1]]()
    else:
        main()
