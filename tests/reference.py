"""What the tools do, in plain Python: the specification that runs.

The tests put these classes and pygenx's C types through the same cases and compare
items, exceptions, pulls, callbacks and cleanup. Nothing here is fast, and what has no
meaning beside the C types is left out: notes on errors, `repr`, length hints, pickling.

A tool is a short line of *nodes*. `node.pull()` gives the node's next item, asking the
node before it (`node.up`) for what it needs, or raises `End`. All state is kept in
attributes, so that a node can be pulled again after an error: a generator could not. At
the head of a line stands an `Input`, the only place where somebody else's iterator is
asked, sent to, thrown into, closed and let go. At its tail stands a `Tool`, the face
that users see, which keeps the promises common to all: sticky end, send and throw,
ownership, the guard against re-entry.
"""

import functools
import inspect
import itertools
import operator
import struct
import sys
import threading
import time
import weakref
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from itertools import islice

MISSING = object()  # "not given", where None is data


class ReentrancyError(ValueError, RuntimeError):
    """A tool was called from inside its own source or callback."""


class Failure:
    """An error that catch() has caught, and where it happened."""

    def __init__(self, error, item, index, stage):
        self.error = error
        self.item = item
        self.index = index
        self.stage = stage


class End(Exception):
    """A stream is over; `value` is what its source returned."""

    def __init__(self, value=None):
        self.value = value


# nodes -------------------------------------------------------------------------------


class Run:
    """What the nodes of one tool share."""

    _owned = False
    running = False
    above = None  # the run of the pipe that a through() reads

    @property
    def owned(self):
        """Does the tool close its inputs when it lets go of them?"""
        return self._owned

    @owned.setter
    def owned(self, owned):
        self._owned = owned
        if self.above is not None:
            self.above.owned = owned


class Node:
    one_to_one = True  # at most one item out for each one in: send() passes through
    returns = True  # the source's return value is the tool's

    def __init__(self, up):
        self.up = up
        self.run = up.run

    def pull(self):
        return self.up.pull()

    def entry(self):
        """The input that the next pull asks first: where send and throw go."""
        return self.up.entry()

    def leave(self, close):
        """Nothing more is asked: let go of what this node holds, `close` it first."""


class Input(Node):
    """The head of a line: an iterator of somebody else."""

    def __init__(self, iterable, run=None):
        self.iterator = iter(iterable)
        self.run = run or Run()
        self.up = None
        self.request = next  # how the iterator is asked the next time, and only then
        self.answers = deque()  # to throw(), on their way out
        self.value = None

    def pull(self):
        if self.answers:
            return self.answers.popleft()
        if self.iterator is None:
            raise End(self.value)
        request, self.request = self.request, next
        try:
            return request(self.iterator)
        except StopIteration as stop:
            self.value = stop.value
        self.end()
        raise End(self.value)

    def throw(self, error):
        throw = getattr(self.iterator, "throw", None)
        if throw is None or isinstance(error, GeneratorExit):
            self.leave(True)
            raise error
        try:
            self.answers.append(throw(error))
        except StopIteration as stop:
            self.value = stop.value
            self.end()

    def end(self):
        self.leave(False)

    def entry(self):
        return self

    def leave(self, close):
        iterator, self.iterator = self.iterator, None
        if iterator is not None and (close or self.run.owned):
            close_iterator(iterator)


def close_iterator(iterator):
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


def leave(node, close=False):
    """Leave a node and all before it, nearest first."""
    actions = []
    while node is not None:
        actions.append(functools.partial(node.leave, close))
        node = node.up
    do_all(actions)


def do_all(actions):
    """Do them all, whatever fails; an error is the context of the next one."""
    if actions:
        try:
            actions[0]()
        except StopIteration as stop:
            raise RuntimeError("a callback raised StopIteration") from stop
        finally:
            do_all(actions[1:])


# the face ----------------------------------------------------------------------------


def exception(typ, val=None, tb=None):
    """The exception that throw(typ, val, tb) means."""
    if isinstance(typ, BaseException):
        if val is not None:
            raise TypeError("instance exception may not have a separate value")
        error = typ
    elif isinstance(typ, type) and issubclass(typ, BaseException):
        if isinstance(val, typ):
            error = val
        elif isinstance(val, tuple):
            error = typ(*val)
        else:
            error = typ() if val is None else typ(val)
    else:
        raise TypeError(
            "exceptions must be classes or instances deriving from BaseException, "
            f"not {type(typ).__name__}"
        )
    return error if tb is None else error.with_traceback(tb)


class Tool:
    _tail = None  # the last node, None once the tool has ended
    started = False
    result = None

    def __init__(self, tail):
        self._tail = tail
        self.run = tail.run

    def __iter__(self):
        return self

    def __next__(self):
        with self.guard():
            if self._tail is None:
                raise StopIteration
            self.started = True
            try:
                return self._tail.pull()
            except End:
                value = self.returned()
            except StopIteration as stop:
                raise RuntimeError("a callback raised StopIteration") from stop
            self.result = value
            self.finish()
        raise StopIteration if value is None else StopIteration(value)

    def send(self, value, /):
        if value is None or self._tail is None:
            return next(self)
        with self.guard():
            if not self.started:
                raise TypeError("can't send non-None value to a just-started tool")
            self.check_send()
        self._tail.entry().request = lambda iterator: iterator.send(value)
        return next(self)

    def throw(self, typ, val=None, tb=None, /):
        error = exception(typ, val, tb)
        with self.guard():
            if self._tail is None:
                raise error
            self.started = True
            try:
                self.throw_in(error)
            except BaseException:
                self.finish()
                raise
        return next(self)

    def throw_in(self, error):
        """To whom it concerns; an error that comes back may be caught on its way."""
        entry = self._tail.entry()
        way = [node for node in self.line() if node.entry() is entry]
        try:
            entry.throw(error)
        except BaseException as raised:
            self.rescue(
                raised, [node for node in reversed(way) if isinstance(node, Catch)]
            )

    def rescue(self, error, nodes):
        """The nearest takes it, a later one the error of its handler."""
        for number, node in enumerate(nodes, 1):
            if node.wants(error):
                try:
                    return node.handle(error)
                except BaseException as raised:
                    return self.rescue(raised, nodes[number:])
        try:
            raise error
        finally:
            del error  # or it would keep this frame

    def close(self):
        with self.guard():
            self.finish(close=True)

    def __enter__(self):
        self.run.owned = True
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        self.finish()

    @contextmanager
    def guard(self):
        if self.run.running:
            raise ReentrancyError(f"{type(self).__name__} is already running")
        self.run.running = True
        try:
            yield
        finally:
            self.run.running = False

    def line(self):
        node = self._tail
        while node is not None:
            yield node
            node = node.up

    def returned(self):
        """What the source returned, if it has come to its end."""
        *stages, source = self.line()
        return source.value if all(node.returns for node in stages) else None

    def check_send(self):
        for node in self.line():
            if not node.one_to_one:
                raise TypeError(f"send() cannot pass through {type(node).__name__}")

    def finish(self, close=False):
        tail, self._tail = self._tail, None
        leave(tail, close)


# stages ------------------------------------------------------------------------------


def check_callable(func):
    if not callable(func):
        raise TypeError(f"{type(func).__name__!r} object is not callable")
    return func


def check_count(number, least, message):
    number = operator.index(number)
    if number < least:
        raise ValueError(message)
    if number > sys.maxsize:
        raise OverflowError("Python int too large to convert to C ssize_t")
    return number


class Map(Node):
    def __init__(self, up, func, /):
        super().__init__(up)
        self.func = check_callable(func)

    def pull(self):
        return self.func(self.up.pull())


class Starmap(Map):
    def pull(self):
        return self.func(*tuple(self.up.pull()))


class Filter(Node):
    wanted = True

    def __init__(self, up, pred, /):
        super().__init__(up)
        self.pred = bool if pred is None else check_callable(pred)

    def pull(self):
        while True:
            item = self.up.pull()
            if bool(self.pred(item)) is self.wanted:
                return item


class Filterfalse(Filter):
    wanted = False


class FilterMap(Map):
    def pull(self):
        while True:
            item = self.func(self.up.pull())
            if item is not None:
                return item


class Takewhile(Filter):
    over = False

    def pull(self):
        if self.over:
            raise End
        item = self.up.pull()
        if self.pred(item):
            return item
        self.over = True
        leave(self.up)
        raise End


class TakewhileInclusive(Filter):
    over = False

    def pull(self):
        if self.over:
            leave(self.up)
            raise End
        item = self.up.pull()
        self.over = not self.pred(item)
        return item


class Dropwhile(Filter):
    open = False

    def pull(self):
        while True:
            item = self.up.pull()
            if self.open:
                return item
            if not self.pred(item):
                self.open = True
                return item


class Enumerate(Node):
    def __init__(self, up, start=0):
        super().__init__(up)
        self.number = operator.index(start)

    def pull(self):
        item = self.up.pull()
        self.number += 1
        return self.number - 1, item


class Progress(Node):
    """Only what it does with the items; the bar is tested with the C type."""

    def __init__(self, up, *, total=None, **tqdm_kwargs):
        super().__init__(up)
        if total is not None:
            check_count(total, 0, "total must be at least 0")


class Islice(Node):
    def __init__(self, up, /, *args):
        super().__init__(up)
        cut = slice(*args)
        for number in (cut.start, cut.stop, cut.step):
            if number is not None and not 0 <= operator.index(number) <= sys.maxsize:
                raise ValueError("islice() takes None or an integer 0 <= x <= maxsize")
        if cut.step == 0:
            raise ValueError("Step for islice() must be a positive integer or None.")
        self.seen = 0
        self.wanted = cut.start or 0  # the place of the next item to hand out
        self.stop = cut.stop
        self.step = cut.step or 1

    def pull(self):
        while self.seen < self.wanted:
            self.skip()
        if self.stop is not None and self.seen >= self.stop:
            leave(self.up)
            raise End
        item = self.skip()
        self.wanted += self.step
        if self.stop is not None:
            self.wanted = min(self.wanted, self.stop)
        return item

    def skip(self):
        item = self.up.pull()
        self.seen += 1
        return item


class Take(Islice):
    def __init__(self, up, n):
        super().__init__(up, check_count(n, 0, "n must be at least 0"))


class Drop(Islice):
    def __init__(self, up, n):
        super().__init__(up, check_count(n, 0, "n must be at least 0"), None)


class Tail(Node):
    one_to_one = False

    def __init__(self, up, n):
        super().__init__(up)
        self.last = deque(maxlen=check_count(n, 0, "n must be at least 0"))
        self.over = False

    def pull(self):
        while not self.over:
            try:
                self.last.append(self.up.pull())
            except End:
                self.over = True
        if not self.last:
            raise End(self.up.entry().value)
        return self.last.popleft()


class Pluck(Node):
    def __init__(self, up, ind, default=MISSING):
        super().__init__(up)
        self.ind = list(ind) if isinstance(ind, list) else ind
        self.default = default

    def pull(self):
        item = self.up.pull()
        if isinstance(self.ind, list):
            return tuple([self.pick(item, each) for each in self.ind])
        return self.pick(item, self.ind)

    def pick(self, item, ind):
        try:
            return item[ind]
        except (KeyError, IndexError):
            if self.default is MISSING:
                raise
            return self.default


class Locate(Filter):
    def __init__(self, up, pred=bool):
        super().__init__(up, check_callable(pred))
        self.seen = 0

    def pull(self):
        while True:
            item = self.up.pull()
            self.seen += 1
            if self.pred(item):
                return self.seen - 1


class Accumulate(Node):
    total = MISSING

    def __init__(self, up, func=None, *, initial=None):
        super().__init__(up)
        self.func = operator.add if func is None else check_callable(func)
        self.first = initial is not None
        if self.first:
            self.total = initial
            self.one_to_one = False

    def pull(self):
        if self.first:
            self.first = False
            return self.total
        item = self.up.pull()
        self.total = item if self.total is MISSING else self.func(self.total, item)
        return self.total


class Intersperse(Node):
    one_to_one = False

    def __init__(self, up, e, n=1):
        super().__init__(up)
        self.e = e
        self.n = check_count(n, 1, "n must be > 0")
        self.passed = 0  # items since the last e
        self.held = []  # the item behind it

    def pull(self):
        if self.held:
            return self.held.pop()
        item = self.up.pull()
        if self.passed < self.n:
            self.passed += 1
            return item
        self.passed = 1
        self.held.append(item)
        return self.e


class UniqueEverseen(Node):
    def __init__(self, up, key=None, *, maxlen=None):
        super().__init__(up)
        self.key = check_callable(key or (lambda item: item))
        if maxlen is not None:
            maxlen = check_count(maxlen, 1, "maxlen must be >= 1")
        self.maxlen = maxlen
        self.seen = {}  # from the key not met for longest to the latest

    def pull(self):
        while True:
            item = self.up.pull()
            key = self.key(item)
            known = key in self.seen
            self.seen[key] = self.seen.pop(key, None)
            if self.maxlen is not None and len(self.seen) > self.maxlen:
                del self.seen[next(iter(self.seen))]
            if not known:
                return item


class UniqueJustseen(Node):
    def __init__(self, up, key=None):
        super().__init__(up)
        self.key = check_callable(key or (lambda item: item))
        self.last = []  # the key of the item handed out last

    def pull(self):
        while True:
            item = self.up.pull()
            key = self.key(item)
            if self.last != [key]:  # identity or equality
                self.last = [key]
                return item


class Batched(Node):
    one_to_one = False

    def __init__(self, up, n, *, strict=False):
        super().__init__(up)
        self.n = check_count(n, 1, "n must be at least one")
        self.strict = strict
        self.part = []  # kept over an error: the next pull goes on filling it

    def pull(self):
        while len(self.part) < self.n:
            try:
                self.part.append(self.up.pull())
            except End:
                if not self.part:
                    raise
                break
        batch, self.part = tuple(self.part), []
        if self.strict and len(batch) < self.n:
            raise ValueError("batched(): incomplete batch")
        return batch


class Chunked(Node):
    one_to_one = False

    def __init__(self, up, n, strict=False):
        super().__init__(up)
        if n is not None and check_count(n, 0, "n must be at least 0") == 0:
            raise ValueError("n must be at least one")
        if strict and n is None:
            raise ValueError("n must not be None when using strict mode.")
        self.n = n
        self.strict = strict
        self.part = []

    def pull(self):
        while self.n is None or len(self.part) < self.n:
            try:
                self.part.append(self.up.pull())
            except End:
                if not self.part:
                    raise
                break
        chunk, self.part = self.part, []
        if self.strict and len(chunk) < self.n:
            raise ValueError("iterable is not divisible by n.")
        return chunk


class Groups(Node):
    """`groupby` as a stage."""

    one_to_one = False
    group = None  # the open one, None before the first and after the last

    def __init__(self, up, key=None):
        super().__init__(up)
        self.key_func = key if key is None else check_callable(key)

    def pull(self):
        while True:
            try:
                item = self.up.pull()
            except End:
                if self.group is None:
                    raise
                group, self.group = self.group, None
                return self.key, group
            key = item if self.key_func is None else self.key_func(item)
            if self.group is not None and same(self.key, key):
                self.group.append(item)
                continue
            ended = None if self.group is None else (self.key, self.group)
            self.key, self.group = key, [item]
            if ended is not None:
                return ended


def same(first, second):
    return first is second or bool(first == second)


class Windowed(Node):
    one_to_one = False
    padded = True

    def __init__(self, up, n, fillvalue=None, step=1):
        super().__init__(up)
        self.n = check_count(n, 1, "n must be > 0")
        self.step = check_count(step, 1, "step must be >= 1")
        self.fillvalue = fillvalue
        self.part = []
        self.old = 0  # of the part, have been in a window before
        self.skip = 0

    def pull(self):
        while len(self.part) < self.n:
            try:
                item = self.up.pull()
            except End:
                if not self.padded or len(self.part) <= self.old:
                    raise
                self.part += [self.fillvalue] * (self.n - len(self.part))
                break
            if self.skip:
                self.skip -= 1
            else:
                self.part.append(item)
        window, self.part = tuple(self.part), self.part[self.step :]
        self.old = len(self.part)
        self.skip = max(self.step - self.n, 0)
        return window


class SlidingWindow(Windowed):
    padded = False

    def __init__(self, up, n):
        number = operator.index(n)
        check_count(number, 1, f"n should be at least one, not {number}")
        super().__init__(up, number)


class Pairwise(SlidingWindow):
    def __init__(self, up):
        super().__init__(up, 2)


class Split(Node):
    """A stage that cuts where a predicate says."""

    one_to_one = False

    def __init__(self, up, pred, maxsplit=-1):
        super().__init__(up)
        self.pred = check_callable(pred)
        if operator.index(maxsplit) > sys.maxsize:
            raise OverflowError("Python int too large to convert to C ssize_t")
        self.left = operator.index(maxsplit)  # below 0: no limit
        self.part = []

    def pull(self):
        while True:
            try:
                item = self.up.pull()
            except End:
                if not self.part:
                    raise
                return self.end([])
            if self.left == 0:
                self.part.append(item)
                continue
            part = self.place(item)
            if part is not None:
                self.left -= 1
                return part

    def end(self, part):
        ended, self.part = self.part, part
        return ended


class SplitBefore(Split):
    def place(self, item):
        if self.pred(item) and self.part:
            return self.end([item])
        self.part.append(item)
        return None


class SplitAfter(Split):
    def place(self, item):
        ends = self.pred(item)
        self.part.append(item)
        return self.end([]) if ends else None


class SplitWhen(Split):
    previous = MISSING

    def place(self, item):
        ends = self.previous is not MISSING and self.pred(self.previous, item)
        self.previous = item
        if ends:
            return self.end([item])
        self.part.append(item)
        return None


class SplitAt(Split):
    over = False

    def __init__(self, up, pred, maxsplit=-1, keep_separator=False):
        super().__init__(up, pred, maxsplit)
        self.keep_separator = bool(keep_separator)
        self.waiting = deque()

    def pull(self):
        while not self.waiting or self.up.entry().answers:  # these do not wait
            try:
                item = self.up.pull()
            except End:
                if self.over:
                    raise
                self.over = True
                return self.end([])
            if self.left == 0 or not self.pred(item):
                self.part.append(item)
                continue
            self.left -= 1
            self.waiting.append(self.end([]))
            if self.keep_separator:
                self.waiting.append([item])
        return self.waiting.popleft()


class Nested(Node):
    """A stage that reads inner iterators, one after the other."""

    one_to_one = False
    returns = False
    inner = None

    def entry(self):
        return self.inner if self.is_open() else self.up.entry()

    def is_open(self):
        return self.inner is not None and self.inner.iterator is not None

    def leave(self, close):
        if self.inner is not None:
            self.inner.leave(close)


class FlatMap(Nested):
    def __init__(self, up, func, /):
        super().__init__(up)
        self.func = check_callable(func)

    def pull(self):
        while True:
            if not self.is_open():
                self.inner = Input(self.func(self.up.pull()), self.run)
            try:
                return self.inner.pull()
            except End:
                self.inner = None


class Flatten(FlatMap):
    def __init__(self, up):
        super().__init__(up, lambda item: item)


class Collapse(Nested):
    def __init__(self, up, base_type=None, levels=None):
        super().__init__(up)
        isinstance(None, base_type or ())
        if levels is not None:
            levels = check_count(levels, 0, "levels must be at least 0")
        self.leaves = (str, bytes) if base_type is None else (str, bytes, base_type)
        self.levels = levels
        self.inners = []  # outermost first

    def entry(self):
        return self.inners[-1] if self.inners else self.up.entry()

    def pull(self):
        while True:
            try:
                item = (self.inners or [self.up])[-1].pull()
            except End:
                if not self.inners:
                    raise
                self.inners.pop()
                continue
            if len(self.inners) == self.levels or isinstance(item, self.leaves):
                return item
            try:
                self.inners.append(Input(item, self.run))
            except TypeError:
                return item

    def leave(self, close):
        inners, self.inners = self.inners, []
        do_all([functools.partial(inner.leave, close) for inner in reversed(inners)])


class Queued(Nested):
    """A stage with iterables of its own, each asked for its iterator when reached."""

    def __init__(self, up, /, *iterables):
        super().__init__(up)
        self.queue = deque(iterables)

    def advance(self):
        self.inner = Input(self.queue.popleft(), self.run)

    def leave(self, close):
        actions = [functools.partial(super().leave, close)]
        if close or self.run.owned:
            actions += [functools.partial(close_iterator, i) for i in self.queue]
        self.queue.clear()
        do_all(actions)


class Append(Queued):
    def pull(self):
        while True:
            try:
                return (self.inner or self.up).pull()
            except End:
                if not self.queue:
                    raise
            self.advance()


class Prepend(Queued):
    def pull(self):
        if not self.is_open() and self.up.entry().answers:
            try:
                return self.up.pull()  # an answer to throw() is not kept waiting
            except End:
                pass  # before it somebody has seen enough
        while True:
            if not self.is_open():
                if not self.queue:
                    return self.up.pull()
                self.advance()
            try:
                return self.inner.pull()
            except End:
                self.inner = None


class Member(Input):
    """An input of several that are let go of together, in order."""

    ended = False

    def pull(self):
        if self.ended:
            raise End
        return super().pull()

    def end(self):
        self.ended = True


class Zip(Node):
    """Each item with one of each of further iterables."""

    one_to_one = False
    returns = False
    inputs = None  # opened when the first item comes
    row = ()  # the row in progress, kept over an error
    checking = False  # the items are over, the others must be, too
    checked = 0
    over = False

    def __init__(self, up, /, *iterables, strict=False):
        super().__init__(up)
        for iterable in iterables:
            if not (callable(iterable) or is_iterable(iterable)):
                raise TypeError(f"{type(iterable).__name__!r} object is not iterable")
        self.queue = deque(iterables)
        self.strict = bool(strict)

    def pull(self):
        if not (self.over or self.checking or self.row):
            try:
                item = self.up.pull()
            except End:
                self.checking = True
            else:
                self.open()
                self.row = [item]
        if self.checking and not self.over and self.strict:
            self.open()
            self.check()
        if self.checking or self.over:
            self.over = True
            leave(self)
            raise End
        return self.fill()

    def open(self):
        if self.inputs is None:
            self.inputs = []
            self.over = True  # if one of them cannot be
            while self.queue:
                given = self.queue.popleft()
                made = given() if is_factory(given) else given
                self.inputs.append(Member(made, self.run))
            self.over = False

    def fill(self):
        while len(self.row) <= len(self.inputs):
            try:
                self.row.append(self.inputs[len(self.row) - 1].pull())
            except End:
                self.over = True
                if self.strict:
                    uneven(len(self.row), "shorter")
                leave(self)
                raise
        row, self.row = tuple(self.row), ()
        return row

    def check(self):
        while self.checked < len(self.inputs):
            try:
                self.inputs[self.checked].pull()
            except End:
                self.checked += 1
            else:
                self.over = True
                uneven(self.checked + 1, "longer")

    def leave(self, close):
        close = close or self.run.owned
        actions = [functools.partial(i.leave, close) for i in self.inputs or ()]
        if close:
            actions += [functools.partial(close_iterator, i) for i in self.queue]
        self.queue.clear()
        do_all(actions)


def is_iterable(thing):
    return hasattr(type(thing), "__iter__") or hasattr(type(thing), "__getitem__")


def uneven(number, how):
    others = "argument 1" if number == 1 else f"arguments 1-{number}"
    raise ValueError(f"zip() argument {number + 1} is {how} than {others}")


class Tap(Nested):
    returns = True
    started = over = False

    def __init__(self, up, func, chunk_size=None, before=None, after=None):
        super().__init__(up)
        self.func = check_callable(func)
        if chunk_size is not None:
            chunk_size = check_count(chunk_size, 1, "chunk_size must be at least one")
        self.chunk_size = chunk_size
        self.before = before
        self.after = after
        self.chunk = []  # which is read as an inner iterator once it is full
        self.one_to_one = chunk_size is None

    def pull(self):
        if not self.started:
            self.started = True
            if self.before is not None:
                self.before()
        try:
            if self.chunk_size is not None:
                return self.pull_chunked()
            item = self.up.pull()
        except End:
            self.leave(False)
            raise
        self.func(item)
        return item

    def pull_chunked(self):
        if self.is_open():
            try:
                return self.inner.pull()
            except End:
                self.inner = None
        while len(self.chunk) < self.chunk_size:
            try:
                self.chunk.append(self.up.pull())
            except End:
                if not self.chunk:
                    raise
                break
        chunk, self.chunk = self.chunk, []
        self.func(chunk)
        self.inner = Input(chunk)
        return self.inner.pull()

    def leave(self, close):
        if self.started and not self.over:
            self.over = True
            if self.after is not None:
                self.after()


def check_classes(exceptions):
    for kind in exceptions:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"no class of exceptions: {kind!r}")
    return exceptions


class Catch(Node):
    def __init__(self, up, *exceptions, do=None, replace=MISSING, stop=False):
        super().__init__(up)
        if not exceptions:
            raise TypeError("catch() needs the classes of the exceptions to catch")
        self.exceptions = check_classes(exceptions)
        self.do = None if do is None else check_callable(do)
        self.replace = replace if replace is MISSING else check_callable(replace)
        self.stop = stop
        self.over = False
        self.answers = deque()  # of replace(), on their way out

    def wants(self, error):
        if self.over or isinstance(error, (End, Starved)):
            return False
        if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
            named = [kind for kind in self.exceptions if kind is not BaseException]
            return isinstance(error, tuple(named))
        return isinstance(error, self.exceptions)

    def handle(self, error):
        try:
            failure = Failure(error, None, None, None)  # where, only pygenx knows
            if self.do is not None:
                self.do(failure)
            if self.replace is not MISSING:
                self.answers.append(self.replace(failure))
        except StopIteration as stop:
            raise RuntimeError("a callback raised StopIteration") from stop
        if self.stop:
            self.over = True
            if not self.answers:
                leave(self.up)

    def entry(self):
        return self if self.answers else self.up.entry()

    def pull(self):
        while not self.answers:
            if self.over:
                leave(self.up)
                raise End
            try:
                return self.up.pull()
            except End:
                self.over = True
                raise
            except BaseException as raised:
                error = raised
                if isinstance(raised, StopIteration):
                    error = RuntimeError("a callback raised StopIteration")
                    error.__cause__ = raised
                try:
                    if not self.wants(error):
                        raise error
                    self.handle(error)
                finally:
                    del error  # or it would keep this frame, and that all others
        return self.answers.popleft()


class MapExcept(Map):
    def __init__(self, up, func, /, *exceptions):
        super().__init__(up, func)
        self.exceptions = check_classes(exceptions)

    def pull(self):
        while True:
            item = self.up.pull()
            try:
                return self.func(item)
            except self.exceptions:
                pass


class OnClose(Node):
    over = False

    def __init__(self, up, func, /):
        super().__init__(up)
        self.func = check_callable(func)

    def pull(self):
        try:
            return self.up.pull()
        except End:
            self.leave(False)
            raise

    def leave(self, close):
        if not self.over:
            self.over = True
            self.func()


class Through(Input):
    """The head of a new line, over what a function makes of the line before it."""

    opened = False

    def __init__(self, up, func, /, *args, **kwargs):
        check_callable(func)
        super().__init__((), Run())
        self.iterator = None
        self.make = lambda items: func(items, *args, **kwargs)
        self.items = object.__new__(pipe)
        Tool.__init__(self.items, up)
        self.run.above = up.run
        self.run.owned = up.run.owned

    def open(self):
        if not self.opened:
            self.opened = True
            self.iterator = iter(self.make(self.items))
        if self.iterator is None:  # the function raised when it was called
            self.leave(False)

    def pull(self):
        self.open()
        return super().pull()

    def throw(self, error):
        try:
            self.open()
        except StopIteration as stop:
            raise RuntimeError("a callback raised StopIteration") from stop
        try:
            super().throw(error)
        except BaseException:
            self.leave(False)
            raise

    def leave(self, close):
        self.opened = True
        close = close or self.run.owned
        items, self.items = self.items, None
        actions = [functools.partial(super().leave, close)]
        if close and items is not None:
            actions.append(items.close)
        do_all(actions)


# pipe and Pipeline -------------------------------------------------------------------

STAGES = {
    "map": Map,
    "starmap": Starmap,
    "filter": Filter,
    "filterfalse": Filterfalse,
    "filter_map": FilterMap,
    "flat_map": FlatMap,
    "flatten": Flatten,
    "enumerate": Enumerate,
    "accumulate": Accumulate,
    "pluck": Pluck,
    "intersperse": Intersperse,
    "takewhile": Takewhile,
    "takewhile_inclusive": TakewhileInclusive,
    "dropwhile": Dropwhile,
    "unique_everseen": UniqueEverseen,
    "unique_justseen": UniqueJustseen,
    "locate": Locate,
    "take": Take,
    "drop": Drop,
    "tail": Tail,
    "islice": Islice,
    "batched": Batched,
    "chunked": Chunked,
    "windowed": Windowed,
    "sliding_window": SlidingWindow,
    "pairwise": Pairwise,
    "split_at": SplitAt,
    "split_before": SplitBefore,
    "split_after": SplitAfter,
    "split_when": SplitWhen,
    "collapse": Collapse,
    "groupby": Groups,
    "chain": Append,
    "prepend": Prepend,
    "progress": Progress,
    "tap": Tap,
    "catch": Catch,
    "map_except": MapExcept,
    "zip": Zip,
    "on_close": OnClose,
    "through": Through,
}


class pipe(Tool):
    taken_by = None  # the stage or terminal that has our source
    heir = None  # the pipe that has it
    entered = False

    def __init__(self, source, /, *stages):
        if stages:
            raise TypeError("pipe() takes one source; use .map(f) or .to(f)")
        super().__init__(Input(source))

    def stage(self, name, *args, **kwargs):
        self.check_new(name)
        return self.give_up(name, STAGES[name](self._tail, *args, **kwargs))

    def give_up(self, name, tail):
        """Let another pipe go on."""
        self._tail = None
        self.taken_by = name
        self.heir = object.__new__(pipe)
        Tool.__init__(self.heir, tail)
        return self.heir

    def tee(self, n=2, *, lock=False, maxlen=None):
        self.check_new("tee")
        n = check_count(n, 0, "n must be >= 0")
        branches = tee(self.give_up("tee", self._tail), n, lock=lock, maxlen=maxlen)
        return tuple(map(pipe, branches))

    def partition(self, pred, *, maxlen=None):
        self.check_new("partition")
        partition(pred, (), maxlen=maxlen)  # checks the arguments
        branches = partition(pred, self.give_up("partition", self._tail), maxlen=maxlen)
        return tuple(map(pipe, branches))

    def check_new(self, name):
        self.check_free()
        if self.started:
            raise RuntimeError(
                f"this pipe has started; add .{name}() before the first item is taken"
            )

    def drain(self, name, terminal):
        """All there is, for one terminal; however it ends, the pipe has ended."""
        self.check_free()
        self.taken_by = name
        with self.guard():
            items = self.items()
            try:
                return terminal(items)
            except StopIteration as stop:
                raise RuntimeError("a callback raised StopIteration") from stop
            finally:
                if self._tail is not None:
                    self.result = self.returned()
                items.close()
                self.finish()

    def items(self):
        while self._tail is not None:
            try:
                item = self._tail.pull()
            except End:
                self.result = self.returned()
                return
            yield item

    def check_free(self):
        if self.taken_by is not None:
            raise RuntimeError(
                f"this pipe was taken by .{self.taken_by}(); use Pipeline() for a "
                "program that can be reused, .tee() for branches"
            )

    def __next__(self):
        if self.heir is not None:
            self.check_free()
        return super().__next__()

    def send(self, value, /):
        if self.heir is not None:
            self.check_free()
        return super().send(value)

    def throw(self, typ, val=None, tb=None, /):
        if self.heir is not None:
            self.check_free()
        return super().throw(typ, val, tb)

    def __enter__(self):
        self.check_free()
        return super().__enter__()

    def __exit__(self, *error):
        last = self
        while last.heir is not None:
            last = last.heir
        last.close()

    def __or__(self, program):
        if not isinstance(program, Pipeline):
            return NotImplemented
        return program.extend(self)

    def list(self):
        return self.drain("list", list)

    def tuple(self):
        return self.drain("tuple", tuple)

    def set(self):
        return self.drain("set", set)

    def dict(self):
        return self.drain("dict", dict)

    def sum(self, start=0, /):
        return self.drain("sum", lambda items: sum(items, start))

    def min(self, **options):
        return self.drain("min", functools.partial(min, **options))

    def max(self, **options):
        return self.drain("max", functools.partial(max, **options))

    def any(self):
        return self.drain("any", any)

    def all(self):
        return self.drain("all", all)

    def count(self):
        return self.drain("count", lambda items: sum(1 for _ in items))

    def array(self, typecode, /):
        array(typecode)
        return self.drain("array", lambda items: array(typecode, items))

    def frequencies(self):
        return self.drain("frequencies", Counter)

    def join(self, sep="", /):
        return self.drain("join", lambda items: sep.join([*texts(items)]))

    def reduce(self, func, initial=MISSING, /):
        start = () if initial is MISSING else (initial,)
        return self.drain("reduce", lambda items: functools.reduce(func, items, *start))

    def first(self, default=MISSING, /):
        return self.drain("first", lambda items: one_of(items, default))

    def last(self, default=MISSING, /):
        return self.drain("last", lambda items: one_of(deque(items, 1), default))

    def nth(self, n, default=None):
        n = check_count(n, 0, "n must be at least 0")
        return self.drain("nth", lambda items: next(islice(items, n, None), default))

    def one(self, too_short=None, too_long=None):
        check_exception(too_short, "too_short")
        check_exception(too_long, "too_long")

        def run(items):
            item = only_one(items, too_long)
            if item is not MISSING:
                return item
            raise too_short or ValueError("too few items in iterable (expected 1)")

        return self.drain("one", run)

    def only(self, default=None, too_long=None):
        check_exception(too_long, "too_long")

        def run(items):
            item = only_one(items, too_long)
            return default if item is MISSING else item

        return self.drain("only", run)

    def first_true(self, default=None, pred=None):
        if pred is not None:
            check_callable(pred)

        def run(items):
            for item in items:
                if item if pred is None else pred(item):
                    return item
            return default

        return self.drain("first_true", run)

    def map_reduce(self, keyfunc, valuefunc=None, reducefunc=None):
        for func in (keyfunc, valuefunc or keyfunc, reducefunc or keyfunc):
            check_callable(func)

        def run(items):
            groups = {}
            for item in items:
                key = keyfunc(item)
                value = item if valuefunc is None else valuefunc(item)
                groups.setdefault(key, []).append(value)
            if reducefunc is not None:
                for key, values in groups.items():
                    groups[key] = reducefunc(values)
            return groups

        return self.drain("map_reduce", run)

    def reduceby(self, key, binop, init=MISSING, *, factory=None):
        for func in (key, binop, factory or key):
            check_callable(func)
        if factory is not None and init is not MISSING:
            raise TypeError("reduceby() takes init or factory, not both")

        def run(items):
            groups = {}
            for item in items:
                group = key(item)
                if group in groups:
                    value = groups[group]
                elif factory is not None:
                    value = factory()
                elif init is not MISSING:
                    value = init
                else:
                    groups[group] = item
                    continue
                groups[group] = binop(value, item)
            return groups

        return self.drain("reduceby", run)

    def for_each(self, func, /):
        check_callable(func)

        def run(items):
            for item in items:
                func(item)

        self.drain("for_each", run)

    def consume(self, n=None, /):
        if n is not None:
            n = check_count(n, 0, "n must be at least 0")

        def run(items):
            left = n
            while left != 0 and next(items, MISSING) is not MISSING:
                if left is not None:
                    left -= 1

        self.drain("consume", run)

    def to(self, func, /, *args, **kwargs):
        return func(self, *args, **kwargs)

    def collect(self, *reducers):
        check_reducers(reducers)
        return self.drain("collect", lambda items: collected(items, reducers))

    def into(self, target, /):
        check_sink(target)
        self.check_free()
        with self.guard():
            self.taken_by = "into"
            self.started = True
        try:
            return feed(self, target)
        finally:
            self.finish()


def texts(items):
    """The items, if each is a str: one that is not ends it when it comes."""
    for number, item in enumerate(items):
        if not isinstance(item, str):
            kind = type(item).__name__
            raise TypeError(
                f"sequence item {number}: expected str instance, {kind} found"
            )
        yield item


def only_one(items, too_long):
    """The only item, MISSING if there is none."""
    for first in items:
        for second in items:
            raise too_long or ValueError(
                f"Expected exactly one item in iterable, but got {first!r}, "
                f"{second!r}, and perhaps more."
            )
        return first
    return MISSING


def check_exception(error, name):
    kind = error if isinstance(error, type) else type(error)
    if error is not None and not issubclass(kind, BaseException):
        raise TypeError(
            f"{name} must be an exception class or instance, "
            f"not {type(error).__name__!r}"
        )


def one_of(items, default):
    for item in items:
        return item
    if default is MISSING:
        raise ValueError("the pipe is empty and no default was given")
    return default


class Pipeline:
    def __init__(self):
        self.rows = ()

    def stage(self, name, *args, **kwargs):
        if name in ("chain", "prepend"):
            for argument in args:
                if hasattr(argument, "__next__"):
                    raise TypeError(
                        f"{name}() would read an iterator only once; use an iterable "
                        "that can be read again or a function that makes one"
                    )
        STAGES[name](Input(()), *args, **kwargs)  # checks the arguments
        longer = Pipeline()
        longer.rows = (*self.rows, (name, args, kwargs))
        return longer

    def extend(self, upstream):
        for name, args, kwargs in self.rows:
            if name in ("chain", "prepend"):
                args = [arg() if is_factory(arg) else arg for arg in args]
            upstream = upstream.stage(name, *args, **kwargs)
        return upstream

    def __call__(self, source, /):
        return self.extend(pipe(source))

    def __or__(self, other):
        if isinstance(other, Reducer):
            return Reducer(self | other.program, *other.terminal)
        if not isinstance(other, Pipeline):
            return NotImplemented
        both = Pipeline()
        both.rows = self.rows + other.rows
        return both

    def into(self, sink, /):
        return Push(self, sink)


NOT_TERMINALS = {"into", "stage", "drain", "items", "check_free", "send", "throw"}
NOT_TERMINALS |= {"taken_by", "heir", "entered"}


def is_factory(argument):
    return callable(argument) and not hasattr(argument, "__iter__")


def add_stage_method(name):
    def method(self, /, *args, **kwargs):
        return self.stage(name, *args, **kwargs)

    setattr(pipe, name, method)
    setattr(Pipeline, name, method)


for stage_name in STAGES:
    add_stage_method(stage_name)


class Reducer:
    """A terminal behind a program."""

    def __init__(self, program, name, args, kwargs):
        self.program = program
        self.terminal = (name, args, kwargs)

    def __call__(self, source, /):
        name, args, kwargs = self.terminal
        return getattr(self.program(source), name)(*args, **kwargs)

    def push(self):
        if self.terminal[0] == "to":
            raise TypeError("to() asks for its items itself")
        return Push(self.program, None, self.terminal)


def add_terminal_method(name):
    def method(self, /, *args, **kwargs):
        return Reducer(self, name, args, kwargs)

    setattr(Pipeline, name, method)


for terminal_name in vars(pipe).keys() - vars(Pipeline).keys() - NOT_TERMINALS:
    if terminal_name[0] != "_":
        add_terminal_method(terminal_name)


def check_reducers(reducers):
    if not reducers:
        raise TypeError("collect() takes at least one Reducer")
    for reducer in reducers:
        if not isinstance(reducer, Reducer) or reducer.terminal[0] == "to":
            raise TypeError("collect() takes Reducers")


def collected(items, reducers):
    pushes = [reducer.push() for reducer in reducers]
    for item in items:
        for push in pushes:
            if not push.ended:
                with suppress(StopIteration):
                    push.send(item)
        if all(push.ended for push in pushes):
            break
    return tuple(push.close() for push in pushes)


# push --------------------------------------------------------------------------------


class Thrown:
    """An error in the place of an item."""

    def __init__(self, error):
        self.error = error


class Starved(BaseException):
    """A pushed program asks for an item that nobody has sent yet."""


class Inbox:
    """The source of a pushed program: what was sent, and Starved after it."""

    def __init__(self):
        self.items = deque()
        self.open = True

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise Starved if self.open else StopIteration
        item = self.items.popleft()
        if isinstance(item, Thrown):
            raise item.error
        return item


class Push:
    """Pipeline.into(sink): pulls what it is sent through the stages. They keep their
    state over an error, so running out of items is just one more of them."""

    result = None
    ended = running = False

    def __init__(self, program, sink, terminal=None):
        if terminal is None:
            check_sink(sink)
        self.inbox = Inbox()
        self.items = program(self.inbox)
        self.sink = sink.push() if isinstance(sink, Reducer) else sink
        self.terminal = terminal
        self.kept = []  # for a terminal

    @contextmanager
    def guard(self):
        if self.running:
            raise ReentrancyError("push is already running")
        self.running = True
        try:
            yield
        finally:
            self.running = False

    def send(self, item, /):
        with self.guard():
            if self.ended:
                raise StopIteration
            self.inbox.items.append(item)
            return self.pump()

    def pump(self):
        for count in itertools.count():
            try:
                item = next(self.items)
            except Starved:
                return count
            except StopIteration:
                self.complete()
            self.deliver(item)

    def deliver(self, item):
        if self.terminal is not None:
            self.kept.append(item)
            self.reduce(early=True)
        elif not hasattr(self.sink, "send"):
            try:
                self.sink(item)
            except StopIteration as stop:
                raise RuntimeError("a callback raised StopIteration") from stop
        else:
            if is_new(self.sink):
                next(self.sink)
            try:
                self.sink.send(item)
            except StopIteration as stop:
                self.sink = None
                self.finish(stop.value)

    def reduce(self, early):
        """The terminal over what has come so far: it may need no more."""
        name, args, kwargs = self.terminal
        rest = Inbox()
        rest.items.extend(self.kept)
        rest.open = early
        with suppress(Starved):
            value = getattr(pipe(rest), name)(*args, **kwargs)
            self.finish(value)

    def complete(self):
        self.ended = True
        if self.terminal is not None:
            self.reduce(early=False)
        self.finish(self.leave_sink())

    def leave_sink(self):
        sink, self.sink = self.sink, None
        if sink is not None and is_new(sink):
            next(sink)
        return None if sink is None else result_of(sink)

    def finish(self, value):
        self.ended = True
        self.items.finish()
        self.result = value
        raise StopIteration if value is None else StopIteration(value)

    def throw(self, typ, val=None, tb=None, /):
        error = exception(typ, val, tb)
        with self.guard():
            if self.catches():
                self.inbox.items.appendleft(Thrown(error))
                try:
                    return self.pump()
                except BaseException as raised:
                    if raised is not error:
                        raise
            if self.ended or not hasattr(self.sink, "throw"):
                self.ended = True
                self.items.finish()
                raise error
            try:
                self.sink.throw(error)
            except StopIteration as stop:
                self.sink = None
                self.finish(stop.value)
            except BaseException:
                self.ended = True
                self.items.finish()
                raise
            return 0

    def catches(self):
        line = () if self.ended else self.items.line()
        return any(isinstance(node, Catch) for node in line)

    def close(self):
        with self.guard():
            if not self.ended:
                with suppress(StopIteration):
                    self.flush()
        return self.result

    def flush(self):
        try:
            self.pump()
            self.inbox.open = False
            self.pump()
        except StopIteration:
            raise
        except BaseException:
            self.ended = True
            self.items.close()
            self.leave_sink()
            raise

    def __enter__(self):
        self.items.__enter__()
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.close()
            return
        try:
            self.throw(error)
        except BaseException as raised:
            if raised is not error:
                raise
        else:
            self.ended = True
            self.items.close()


class broadcast:
    """Sends every item to several sinks."""

    result = None
    ended = running = False
    guard = Push.guard

    def __init__(self, *targets):
        self.targets = {}
        for number, target in enumerate(targets):
            self.open(number, target)

    def open(self, key, target):
        check_sink(target)
        self.targets[key] = Push(Pipeline(), target)

    def results(self):
        return tuple(push.result for push in self.targets.values())

    def over(self):
        return all(push.ended for push in self.targets.values())

    def send(self, item, /):
        with self.guard():
            if self.ended:
                raise StopIteration
            count = self.take(item)
            if self.over():
                self.finish()
            return count

    def take(self, item):
        pushes = [push for push in self.targets.values() if not push.ended]
        do_all([functools.partial(self.give, push, item) for push in pushes])
        return len(pushes)

    def give(self, push, item):
        with suppress(StopIteration):
            push.send(item)

    def finish(self):
        self.ended = True
        self.result = self.results()
        raise StopIteration(self.result)

    def throw(self, typ, val=None, tb=None, /):
        error = exception(typ, val, tb)
        with self.guard():
            if self.ended or self.over():
                self.ended = True
                raise error
            raised = None
            for push in self.targets.values():
                if not push.ended:
                    try:
                        push.throw(error)
                    except StopIteration:
                        pass
                    except BaseException as other:
                        raised = raised if other is error and raised else other
            if raised is not None:
                self.ended = True
                raise raised
            if self.over():
                self.finish()
            return 0

    def close(self):
        with self.guard():
            if not self.ended:
                self.ended = True
                do_all([push.close for push in self.targets.values()])
                self.result = self.results()
        return self.result

    __enter__ = Tool.__iter__

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.close()
            return
        try:
            self.throw(error)
        except BaseException as raised:
            if raised is not error:
                raise
        else:
            self.close()


class route(broadcast):
    """Sends each item to the sink of its key."""

    def __init__(self, key, targets, /):
        self.targets = {}
        self.key = check_callable(key)
        self.mapping = targets
        if not hasattr(targets, "__getitem__") or isinstance(targets, (list, str)):
            raise TypeError("targets must be a mapping")
        if isinstance(targets, dict):
            for each in targets:
                self.open(each, targets[each])

    def results(self):
        return {key: push.result for key, push in self.targets.items()}

    def over(self):
        return type(self.mapping) is dict and super().over()

    def take(self, item):
        try:
            key = self.key(item)
        except StopIteration as stop:
            raise RuntimeError("a callback raised StopIteration") from stop
        if key not in self.targets:
            self.open(key, self.mapping[key])
        if self.targets[key].ended:
            return 0
        self.give(self.targets[key], item)
        return 1


def check_sink(sink):
    if isinstance(sink, type) or inspect.isgeneratorfunction(sink):
        raise TypeError("a sink is an object with send() or a function")
    if not (hasattr(sink, "send") or callable(sink) or isinstance(sink, Reducer)):
        raise TypeError("a sink must have send() or be callable")
    if isinstance(sink, Reducer) and sink.terminal[0] == "to":
        raise TypeError("to() asks for its items itself")


# stages as functions ------------------------------------------------------------------


def iter_suppress(iterable, *exceptions):
    items = pipe(iterable)
    return items.catch(*exceptions, stop=True) if exceptions else items


def map_except(function, iterable, *exceptions):
    return pipe(iterable).map_except(function, *exceptions)


def side_effect(func, iterable, chunk_size=None, before=None, after=None):
    return pipe(iterable).tap(func, chunk_size, before, after)


# chain, own, borrow ------------------------------------------------------------------


class chain(Tool):
    def __init__(self, *iterables):
        super().__init__(Prepend(Input(()), *iterables))

    @classmethod
    def from_iterable(cls, iterable, /):
        self = cls.__new__(cls)
        Tool.__init__(self, Flatten(Input(iterable)))
        return self

    def send(self, value, /):
        if self.started and self._tail is not None and not self._tail.is_open():
            return next(self)  # between two iterables nobody hears
        return super().send(value)

    def check_send(self):
        pass  # what is sent goes to the iterable in progress


# zip, roundrobin, merge -----------------------------------------------------------


class Several(Node):
    """The head of a line with several inputs; `index` is the one that is asked next."""

    one_to_one = False
    index = 0
    value = None

    def __init__(self, iterables, kind=Input):
        self.run = Run()
        self.up = None
        self.inputs = []
        for iterable in iterables:
            self.inputs.append(kind(iterable, self.run))

    def entry(self):
        return self.inputs[self.index] if self.inputs else Input(())

    def leave(self, close):
        close = close or self.run.owned
        do_all([functools.partial(i.leave, close) for i in self.inputs])


class Rows(Several):
    checking = over = failed = False

    def __init__(self, iterables, strict):
        super().__init__(iterables, Member)
        self.strict = bool(strict)
        self.over = not self.inputs
        self.row = []

    def pull(self):
        if self.over:
            raise End
        while self.index < len(self.inputs):
            self.ask()
            self.index += 1
        if self.checking:
            self.over = True
            raise End
        row, self.row, self.index = tuple(self.row), [], 0
        return row

    def ask(self):
        try:
            item = self.inputs[self.index].pull()
        except End:
            if not self.strict:
                self.over = True
                raise
            if self.index and not self.checking:
                self.fail("shorter")
            self.checking = True
        else:
            if self.checking:
                self.fail("longer")
            self.row.append(item)

    def fail(self, how):
        self.over = self.failed = True
        try:
            uneven(self.index, how)
        finally:
            self.leave(False)


class Turns(Several):
    def pull(self):
        while self.inputs:
            try:
                item = self.inputs[self.index].pull()
            except End:
                del self.inputs[self.index]
                self.index %= len(self.inputs) or 1
            else:
                self.index = (self.index + 1) % len(self.inputs)
                return item
        raise End


class Sorted(Several):
    asked = 0  # how many inputs have been asked for their first item

    def __init__(self, iterables, key, reverse):
        self.key = same_item if key is None else check_callable(key)
        self.before = operator.gt if reverse else operator.lt
        super().__init__(iterables)
        self.heads = [None] * len(self.inputs)

    def pull(self):
        if not self.inputs:
            raise End
        while True:
            try:
                item = self.inputs[self.index].pull()
                self.heads[self.index] = (self.key(item), item)
            except End:
                self.heads[self.index] = None
            self.asked = min(self.asked + 1, len(self.inputs))
            if self.asked == len(self.inputs):
                return self.take()
            self.index = self.asked

    def take(self):
        best = None
        for i, head in enumerate(self.heads):
            if head is None:
                continue
            if best is None or self.before(head[0], self.heads[best][0]):
                best = i
        if best is None:
            raise End
        self.index = best
        head, self.heads[best] = self.heads[best], None
        return head[1]


def same_item(item):
    return item


class Joined(Tool):
    """What reads several iterables."""

    def __del__(self):
        if self._tail is not None:
            self.run.owned = False  # dropping closes nothing
        super().__del__()


class zip(Joined):
    def __init__(self, *iterables, strict=False, closing=False):
        super().__init__(Rows(iterables, strict))
        self.run.owned = closing

    def __next__(self):
        try:
            return super().__next__()
        except ValueError:
            if self._tail is not None and self._tail.failed:
                self.finish()
            raise


class roundrobin(Joined):
    def __init__(self, *iterables):
        super().__init__(Turns(iterables))


class merge(Joined):
    def __init__(self, *iterables, key=None, reverse=False):
        super().__init__(Sorted(iterables, key, reverse))


class serialize(Tool):
    owner = None  # the thread inside

    def __init__(self, iterable, *, timeout=None):
        if timeout is not None and not timeout >= 0:
            raise ValueError("timeout must be at least 0")
        self.timeout = -1 if timeout is None else float(timeout)
        self.lock = threading.Lock()
        super().__init__(Input(iterable))

    @contextmanager
    def guard(self):
        if self.owner == threading.get_ident():
            raise ReentrancyError("serialize is already running")
        if not self.lock.acquire(timeout=self.timeout):
            raise TimeoutError(f"another thread was inside for {self.timeout} seconds")
        self.owner = threading.get_ident()
        try:
            yield
        finally:
            self.owner = None
            self.lock.release()


class own(Tool):
    def __init__(self, iterable, /):
        super().__init__(Input(iterable))
        self.run.owned = True
        self.nested = isinstance(self._tail.iterator, borrow)

    def __next__(self):
        try:
            return super().__next__()
        except (StopIteration, ReentrancyError):
            raise
        except BaseException:
            self.finish(close=True)
            raise

    def __enter__(self):
        return borrow(self._tail.iterator)

    def __exit__(self, *error):
        self.run.owned &= not self.nested  # a scope around this one closes
        self.finish()


class borrow(Tool):
    class Lent(Input):
        def leave(self, close):
            self.iterator = None

    def __init__(self, iterable, /):
        super().__init__(borrow.Lent(iterable))


# tee ---------------------------------------------------------------------------------


class Cell:
    """One place in the buffer: an item or an error, and the cell after it."""

    after = None


class Shared:
    """What the branches of a tee share."""

    def __init__(self, iterable, maxlen):
        self.input = Input(iterable)
        self.maxlen = maxlen
        self.read = 0
        self.cursors = weakref.WeakSet()

    def fill(self, cell):
        if self.maxlen is not None:
            slowest = min(cursor.position for cursor in self.cursors)
            if self.read - slowest >= self.maxlen:
                raise BufferError("a branch lags too far behind")
        try:
            cell.item, cell.error = self.input.pull(), None
        except End:
            raise  # which each branch will hear from the input when it is here
        except Exception as error:
            cell.error = error
        cell.after = Cell()
        self.read += 1


class Cursor(Node):
    one_to_one = False

    def __init__(self, shared, cell, position):
        super().__init__(shared.input)
        self.shared = shared
        self.cell = cell
        self.position = position
        shared.cursors.add(self)

    def pull(self):
        cell = self.cell
        if cell.after is None:
            self.shared.fill(cell)
        self.cell = cell.after
        self.position += 1
        if cell.error is not None:
            raise cell.error
        return cell.item

    def leave(self, close):
        self.shared.cursors.discard(self)
        if not self.shared.cursors:  # this was the last branch
            self.shared.input.leave(close)


class Branch(Tool):
    def __init__(self, iterable):
        super().__init__(self.split(iterable, None))

    @staticmethod
    def split(iterable, maxlen):
        if isinstance(iterable, Branch) and iterable._tail is not None:
            at = iterable._tail
            return Cursor(at.shared, at.cell, at.position)
        return Cursor(Shared(iterable, maxlen), Cell(), 0)

    def finish(self, close=False):
        tail, self._tail = self._tail, None
        if tail is not None:
            tail.leave(close)


def tee(iterable, n=2, *, lock=False, maxlen=None):
    n = check_count(n, 0, "n must be >= 0")
    if n == 0:
        return ()
    first = object.__new__(Branch)
    Tool.__init__(first, Branch.split(iterable, maxlen))
    return (first, *(Branch(first) for _ in range(n - 1)))


# partition ---------------------------------------------------------------------------


class Sorter:
    """What the two branches of a partition share."""

    def __init__(self, pred, iterable, maxlen):
        self.pred = bool if pred is None else check_callable(pred)
        self.input = Input(iterable)
        self.maxlen = maxlen
        self.sides = {}  # those that are still read

    def sort(self, asker):
        """Ask for an item and give it to the side that it belongs to."""
        other = self.sides.get(not asker)
        if None not in (self.maxlen, other) and len(other.queue) >= self.maxlen:
            raise BufferError("the other branch lags too far behind")
        try:
            item = self.input.pull()
        except End:
            raise  # which each branch will hear from the input when it is here
        except Exception as error:
            for side in self.sides.values():
                side.queue.append((None, error))
            return
        side = self.sides.get(bool(self.pred(item)))
        if side is not None:
            side.queue.append((item, None))


class Side(Node):
    one_to_one = False

    def __init__(self, sorter, name):
        super().__init__(sorter.input)
        self.sorter = sorter
        self.name = name
        self.queue = deque()
        sorter.sides[name] = self

    def pull(self):
        while not self.queue:
            self.sorter.sort(self.name)
        item, error = self.queue.popleft()
        if error is not None:
            raise error
        return item

    def leave(self, close):
        self.queue.clear()
        self.sorter.sides.pop(self.name, None)
        if not self.sorter.sides:  # this was the last branch
            self.sorter.input.leave(close)


class Part(Tool):
    def __init__(self, sorter, name):
        super().__init__(Side(sorter, name))

    finish = Branch.finish


def partition(pred, iterable, *, maxlen=None):
    if maxlen is not None:
        maxlen = check_count(maxlen, 1, "maxlen must be >= 1")
    sorter = Sorter(pred, iterable, maxlen)
    return Part(sorter, False), Part(sorter, True)


# peekable, spy -----------------------------------------------------------------------


class Ahead(Node):
    """The items that have been looked at or put back, before those of the source."""

    def __init__(self, up):
        super().__init__(up)
        self.queue = deque()

    def pull(self):
        if self.queue and not self.up.answers:
            return self.queue.popleft()
        return self.up.pull()

    def fill(self, n):
        """Let n items wait, or as many as there are."""
        try:
            while len(self.queue) < n:
                self.queue.append(self.up.pull())
        except End:
            pass

    def leave(self, close):
        self.queue.clear()


class peekable(Tool):
    def __init__(self, iterable):
        super().__init__(Ahead(Input(iterable)))
        self.source = self._tail.up

    def check_send(self):
        if self._tail.queue:
            raise TypeError("send() cannot pass items that wait in a peekable")

    def look(self, n):
        """The first n items, or more."""
        with self.guard():
            if self._tail is None:
                return []
            self.started |= n > len(self._tail.queue)
            self._tail.fill(n)
            return list(self._tail.queue)

    def peek(self, default=MISSING):
        for item in self.look(1):
            return item
        self.result = value = self.source.value
        if default is MISSING:
            raise StopIteration if value is None else StopIteration(value)
        return default

    def __bool__(self):
        return self.peek(nothing := object()) is not nothing

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.look(needed(index))[index]
        index = operator.index(index)
        return self.look(sys.maxsize if index < 0 else index + 1)[index]

    def prepend(self, *items):
        with self.guard():
            if items and self._tail is None:
                self._tail = Ahead(self.source)
            if items:
                self._tail.queue.extendleft(reversed(items))


def needed(cut):
    """How many items a slice has to see."""
    start, stop, step = cut.start, cut.stop, 1 if cut.step is None else cut.step
    if (start or 0) < 0 or (stop or 0) < 0:
        return sys.maxsize
    if step < 0:
        wanted = sys.maxsize if start is None else start + 1
        return wanted if stop is None or stop < wanted - 1 else 0
    if stop is None:
        return sys.maxsize
    return stop if (start or 0) < stop else 0


class Kept(Node):
    """The items of a seekable, from number `first` on; number `at` comes next."""

    first = at = 0

    def __init__(self, up, maxlen):
        super().__init__(up)
        self.queue = deque()
        self.maxlen = sys.maxsize if maxlen is None else maxlen

    def head(self):
        return self.first + len(self.queue)

    def pull(self):
        if self.up.answers and self.at < self.head():
            try:
                return self.up.pull()  # an answer to throw() is not kept waiting
            except End:
                pass  # before it somebody has seen enough
        item = self.look()
        self.at += 1
        self.evict()
        return item

    def look(self):
        if self.at == self.head():
            self.queue.append(self.up.pull())
            self.evict()
        return self.queue[self.at - self.first]

    def kept(self):
        """All but one that was looked at where none are kept."""
        return list(self.queue) if self.maxlen else []

    def evict(self):
        while len(self.queue) > self.maxlen and self.first < self.at:
            self.first += 1
            self.queue.popleft()

    def forget(self):
        self.first = self.at = self.head()
        self.queue.clear()

    def seek(self, index):
        self.at = min(index, self.head())
        try:
            while self.at < index:
                self.pull()
        except End:
            pass


class seekable(Tool):
    def __init__(self, iterable, maxlen=None):
        if maxlen is not None:
            maxlen = check_count(maxlen, 0, "maxlen must be >= 0")
        self.kept = Kept(Input(iterable), maxlen)
        super().__init__(self.kept)

    def check_send(self):
        if self.kept.at < self.kept.head():
            raise TypeError("send() cannot pass items that wait in a seekable")

    def close(self):
        try:
            super().close()
        finally:
            if not self.run.running:
                self.kept.forget()

    def peek(self, default=MISSING):
        with self.guard():
            if self._tail is not None:
                self.started |= self.kept.at == self.kept.head()
                try:
                    return self.kept.look()
                except End:
                    pass
        self.result = value = self.kept.up.value
        if default is MISSING:
            raise StopIteration if value is None else StopIteration(value)
        return default

    def __bool__(self):
        return self.peek(nothing := object()) is not nothing

    def seek(self, index):
        index = check_count(index, 0, "index must be at least 0")
        with self.guard():
            if index < self.kept.first:
                raise LookupError(f"position {index} is not kept any more")
            if index < self.kept.head():
                self._tail = self.kept
            if self._tail is None:
                index = min(index, self.kept.head())
            self.started |= index > self.kept.head()
            self.kept.seek(index)

    def relative_seek(self, count):
        self.seek(max(self.kept.at + operator.index(count), 0))

    def tell(self):
        return self.kept.at

    def __getitem__(self, index):
        places = range(self.kept.first + len(self.kept.kept()))[index]
        for place in [places] if isinstance(places, int) else places:
            if place < self.kept.first:
                raise LookupError(f"position {place} is not kept any more")
        if isinstance(places, int):
            return self.kept.queue[places - self.kept.first]
        return [self.kept.queue[place - self.kept.first] for place in places]

    def elements(self):
        return Elements(self.kept)


class Elements(Sequence):
    def __init__(self, kept):
        self.kept = kept

    def __len__(self):
        return len(self.kept.kept())

    def __getitem__(self, index):
        return self.kept.kept()[index]


def spy(iterable, n=1):
    n = check_count(n, 0, "n must be at least 0")
    items = iterable if isinstance(iterable, peekable) else peekable(iterable)
    return items.look(n)[:n], items


# groupby and grouping ----------------------------------------------------------------


class Runs(Node):
    """The items of a source with their keys, read by a groupby and its groups."""

    one_to_one = False
    group = 0  # the number of the last group handed out
    key = MISSING  # its key
    pending = None  # (key, item) that has been read but not handed out

    def __init__(self, up, key):
        super().__init__(up)
        self.key_of = (lambda item: item) if key is None else check_callable(key)

    def pull(self):
        self.group += 1  # from here on the group before is empty
        while not self.at_new_key():
            self.pending = None
        self.key = self.pending[0]
        return self.key, Group(GroupItems(self))

    def at_new_key(self):
        """Read an item unless one is pending; does its key begin a new group?"""
        if self.pending is None:
            item = self.up.pull()
            self.pending = (self.key_of(item), item)
        if self.key is MISSING:
            return True
        try:
            return not same(self.key, self.pending[0])
        except BaseException:
            self.pending = None  # the failing item is consumed
            raise

    def leave(self, close):
        self.pending = None


class GroupItems(Node):
    one_to_one = False
    returns = False

    def __init__(self, up):
        super().__init__(up)
        self.number = up.group

    def pull(self):
        runs = self.up
        if runs.group != self.number or runs.at_new_key():
            raise End
        item, runs.pending = runs.pending[1], None
        return item


class Group(Tool):
    """The items of one key, read from the source that all groups share."""

    def __enter__(self):
        return self

    def finish(self, close=False):
        tail, self._tail = self._tail, None
        try:
            while close and tail is not None:  # the groupby goes on behind this group
                tail.pull()
        except End:
            pass


class groupby(Tool):
    def __init__(self, iterable, key=None):
        super().__init__(Runs(Input(iterable), key))

    def __next__(self):
        key, group = super().__next__()
        group.parent = self  # which a group keeps alive
        return key, group


class grouping:
    """groupby as a coroutine: send it items, it returns each complete group."""

    def __init__(self, key=None, *, sink=None, keep=None):
        self.key_of = None if key is None else check_callable(key)
        self.sink = sink
        self.keep = sink is None if keep is None else keep
        self.ready = deque()
        self.current = None
        self.open = True
        self.primed = False

    def send(self, item, /):
        if not self.open:
            raise StopIteration
        key_of = self.key_of
        if key_of is None:
            item, key_of = item
        key = key_of(item)
        if self.current is not None and same(self.current[0], key):
            self.current[1].append(item)
            return None
        finished, self.current = self.current, (key, [item])
        return self.hand_out(finished)

    def hand_out(self, group):
        if group is not None:
            if self.keep:
                self.ready.append(group)
            if self.sink is not None:
                self.sink.send(group)
        return group

    def close(self):
        self.open = False
        finished, self.current = self.current, None
        group = self.hand_out(finished)
        if self.sink is not None:
            close_iterator(self.sink)
        return group

    def __iter__(self):
        return self

    def __next__(self):
        if self.open and not self.primed:
            self.primed = True
            return None
        if self.ready:
            return self.ready.popleft()
        if self.open:
            raise RuntimeError("still open")
        raise StopIteration


# the push kit ------------------------------------------------------------------------


def primed(func, /):
    """Call `func` and advance what it returns to its first yield."""
    check_callable(func)

    def ended(stop):
        error = RuntimeError(f"{func.__qualname__}() ended before its first yield")
        error.value = getattr(stop, "value", None)
        return error

    async def advance(generator):
        try:
            await anext(generator)
        except StopAsyncIteration as stop:
            raise ended(stop) from stop
        return generator

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        generator = func(*args, **kwargs)
        if inspect.isasyncgen(generator):
            return advance(generator)
        if not hasattr(generator, "__next__"):
            kind = type(generator).__name__
            raise TypeError(f"{func.__qualname__}() returned a {kind}, no generator")
        try:
            next(generator)
        except StopIteration as stop:
            raise ended(stop) from stop
        return generator

    return wrapper


class fold:
    """A sink that folds what it is sent into `.result`."""

    def __init__(self, func, initial, /):
        self.func = check_callable(func)
        self.result = initial
        self.open = True

    def send(self, item, /):
        if not self.open:
            raise StopIteration
        self.result = self.func(self.result, item)

    def throw(self, typ, val=None, tb=None, /):
        self.close()
        raise exception(typ, val, tb)

    def close(self):
        self.open = False


def feed(source, target, /):
    """Send all of `source` to `target`, close it, return its result."""
    check_sink(target)
    iterator = iter(source)
    if isinstance(target, Reducer):
        target = target.push()
    try:
        if is_new(target):
            next(target)
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                break
            except Exception as error:
                target.throw(error)
            else:
                target.send(item) if hasattr(target, "send") else target(item)
    except StopIteration as stop:  # the target has returned
        return stop.value
    return result_of(target)


def is_new(target):
    return (
        inspect.isgenerator(target)
        and inspect.getgeneratorstate(target) == inspect.GEN_CREATED
    )


def result_of(target):
    """Close a target; what it returns."""
    if not inspect.isgenerator(target):
        try:
            answer = target.close() if hasattr(target, "close") else None
            return getattr(target, "result", answer)
        except StopIteration as stop:
            raise RuntimeError("close() of the target raised StopIteration") from stop
    try:
        target.throw(GeneratorExit)
    except GeneratorExit:
        return None
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("generator ignored GeneratorExit")


class timing:
    """Time a block and report it: the `with` statement's part of pygenx.timing."""

    def __init__(self, label="Elapsed time", *, report=print):
        self.label = label
        self.report = report
        self.elapsed = None

    def __enter__(self):
        self.start = time.perf_counter_ns()
        return self

    def __exit__(self, *error):
        self.elapsed = (time.perf_counter_ns() - self.start) / 1e9
        if self.report is not None:
            self.report(f"{self.label}: {self.elapsed:.4f} seconds")


# sources -----------------------------------------------------------------------------


class iterate(pipe):
    """`start`, then `func` of the item before."""

    class Steps:
        def __init__(self, func, start):
            self.func, self.item, self.first = func, start, True

        def __iter__(self):
            return self

        def __next__(self):
            if not self.first:
                self.item = self.func(self.item)
            self.first = False
            return self.item

    def __init__(self, func, start, /):
        super().__init__(iterate.Steps(check_callable(func), start))


class iter_except(pipe):
    """What `function` returns, until it raises `exception`."""

    class Calls:
        def __init__(self, function, exception, first):
            self.function, self.exception, self.first = function, exception, first

        def __iter__(self):
            return self

        def __next__(self):
            call, self.first = self.first or self.function, None
            try:
                return call()
            except self.exception:
                pass
            except StopIteration as stop:
                raise RuntimeError("function raised StopIteration") from stop
            raise StopIteration

    def __init__(self, function, exception, first=None):
        check_callable(function)
        check_callable(first or function)
        kinds = exception if isinstance(exception, tuple) else (exception,)
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError("exception must be an exception class or a tuple")
        super().__init__(iter_except.Calls(function, exception, first))


def always_iterable(obj, base_type=(str, bytes)):
    """A pipe over `obj`, or over `obj` alone."""
    if obj is None:
        return pipe(())
    if base_type is not None and isinstance(obj, base_type):
        return pipe((obj,))
    try:
        return pipe(obj)
    except TypeError:
        return pipe((obj,))


class with_iter(pipe):
    """The items of what a context manager gives: a generator is all it takes."""

    def __init__(self, context_manager):
        for name in ("__enter__", "__exit__"):
            if not hasattr(type(context_manager), name):
                raise TypeError(
                    f"{type(context_manager).__name__!r} object does not support the "
                    "context manager protocol"
                )
        super().__init__(managed(context_manager))


def managed(context_manager):
    with context_manager as iterable:
        return (yield from iterable)


class buffer(pipe):
    """The items of a buffer, read in blocks: nothing is held between two of them."""

    class Items:
        def __init__(self, exporter):
            self.exporter, self.index, self.block = exporter, 0, deque()
            with memoryview(exporter) as view:
                self.format = view.format
                self.unpacked(view, 0)

        def unpacked(self, view, index):
            if view.ndim > 1 and not view.c_contiguous:
                raise TypeError("buffer() of more dimensions must be C-contiguous")
            if view.format != self.format:
                raise RuntimeError("the format of a buffer was changed")
            size = view.itemsize
            count = 64
            data = view.tobytes()[index * size : (index + count) * size]
            if view.format in ("u", "w"):
                return [*data.decode(f"utf-{size * 8}-{sys.byteorder[0]}e")]
            try:
                ((_,),) = struct.iter_unpack(view.format, bytes(size))
            except (struct.error, ValueError):
                raise TypeError(f"cannot read items of {view.format!r}") from None
            return [item for (item,) in struct.iter_unpack(view.format, data)]

        def __iter__(self):
            return self

        def __next__(self):
            if not self.block:
                try:
                    with memoryview(self.exporter) as view:
                        self.block.extend(self.unpacked(view, self.index))
                except StopIteration as stop:
                    raise RuntimeError("the buffer raised StopIteration") from stop
                self.index += len(self.block)
            if not self.block:
                raise StopIteration
            return self.block.popleft()

    def __init__(self, obj, /):
        super().__init__(buffer.Items(obj))


class read_lines(pipe):
    """The lines of files, one file open at a time."""

    class Opened(Input):
        def leave(self, close):
            super().leave(True)  # nobody else can close what we opened

    class Lines:
        path = file = None
        lineno = 0

        def __init__(self, paths, keepends, open_file, skip):
            self.paths, self.keepends = iter(paths), keepends
            self.open_file, self.skip = open_file, skip

        def __iter__(self):
            return self

        def __next__(self):
            while True:
                if self.file is None:
                    self.path, self.lineno = next(self.paths), 0
                    try:
                        self.file = self.open_file(self.path)
                    except FileNotFoundError:
                        if self.skip:
                            continue
                        raise
                try:
                    line = self.file.readline()
                except BaseException:
                    self.close()
                    raise
                if line:
                    self.lineno += 1
                    return line if self.keepends else line.removesuffix("\n")
                self.close()

        def close(self):
            file, self.file = self.file, None
            if file not in (None, self.path, sys.stdin):
                file.close()

    def __init__(
        self,
        *paths,
        encoding="utf-8",
        errors="strict",
        keepends=False,
        opener=open,
        missing="raise",
    ):
        if missing not in ("raise", "skip"):
            raise ValueError("missing must be 'raise' or 'skip'")

        def open_file(path):
            if hasattr(path, "read"):
                return path
            if path == "-":
                return sys.stdin
            return opener(path, encoding=encoding, errors=errors)

        self.lines = read_lines.Lines(paths, keepends, open_file, missing == "skip")
        Tool.__init__(self, read_lines.Opened(self.lines))

    path = property(lambda self: self.lines.path)
    lineno = property(lambda self: self.lines.lineno)


# this --------------------------------------------------------------------------------


class Expression:
    """What is built from `this`: `work(item)` is its value."""

    def __init__(self, work):
        self.work = work

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return build(lambda value: getattr(value, name), self)

    def __getitem__(self, key):
        return build(operator.getitem, self, key)

    def __call__(self, *args, **kwargs):
        return call(self, *args, **kwargs)

    __hash__ = None

    def __bool__(self):
        raise TypeError("an expression is neither true nor false")

    def __iter__(self):
        raise TypeError("an expression cannot be iterated over")


def work_out(operand, item):
    """What an operand is for this item."""
    if isinstance(operand, Expression):
        return operand.work(item)
    if type(operand) in (tuple, list):
        return type(operand)([work_out(part, item) for part in operand])
    if type(operand) is dict:
        return {key: work_out(value, item) for key, value in operand.items()}
    if type(operand) is slice:
        parts = (operand.start, operand.stop, operand.step)
        return slice(*[work_out(part, item) for part in parts])
    return operand


def build(function, *operands):
    return Expression(lambda item: function(*[work_out(o, item) for o in operands]))


def _add_operators():
    binary = "add sub mul matmul truediv floordiv mod pow lshift rshift and_ or_ xor"
    for name in binary.split():
        function = getattr(operator, name)
        plain = name.rstrip("_")
        setattr(Expression, f"__{plain}__", functools.partialmethod(build2, function))
        setattr(Expression, f"__r{plain}__", functools.partialmethod(rbuild2, function))
    for name in ("lt", "le", "eq", "ne", "gt", "ge"):
        function = getattr(operator, name)
        setattr(Expression, f"__{name}__", functools.partialmethod(build2, function))
    for name in ("neg", "pos", "invert"):
        function = getattr(operator, name)
        setattr(Expression, f"__{name}__", functools.partialmethod(build1, function))


def build1(self, function):
    return build(function, self)


def build2(self, function, other):
    return build(function, self, other)


def rbuild2(self, function, other):
    return build(function, other, self)


_add_operators()
this = Expression(lambda item: item)


def call(function, /, *args, **kwargs):
    names = list(kwargs)
    at = 1 + len(args)

    def apply(function, *values):
        return function(*values[: at - 1], **dict(zip(names, values[at - 1 :])))

    return build(apply, function, *args, *kwargs.values())


def all_of(*conditions):
    def work(item):
        for condition in conditions[:-1]:
            value = work_out(condition, item)
            if not value:
                return value
        return work_out(conditions[-1], item) if conditions else True

    return Expression(work)


def any_of(*conditions):
    def work(item):
        for condition in conditions[:-1]:
            value = work_out(condition, item)
            if value:
                return value
        return work_out(conditions[-1], item) if conditions else False

    return Expression(work)


def none_of(*conditions):
    return build(operator.not_, any_of(*conditions))


def func(expression, /):
    return expression.work
