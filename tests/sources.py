"""The zoo: one small animal for each way in which a source can behave or fail.

A source with a `log` writes down what is done to it and when, one word or one tuple for
each event. Most derive from `Source`, which counts what it is asked.
"""

import threading
import weakref


class Source:
    """A plain iterator over `items` that counts; it cannot be sent to or closed."""

    def __init__(self, items=(), log=None):
        self.items = list(items)
        self.log = [] if log is None else log
        self.iters = 0
        self.pulls = 0  # how often it was asked
        self.given = 0  # how many items it gave

    def __iter__(self):
        self.iters += 1
        return self

    def __next__(self):
        self.pulls += 1
        if self.given == len(self.items):
            raise StopIteration
        self.given += 1
        return self.items[self.given - 1]


class Closable(Source):
    closes = 0

    def close(self):
        self.closes += 1
        self.log.append("close")


class Talker(Closable):
    """The whole generator protocol, each part written down; it answers throw()."""

    def send(self, value):
        self.log.append(("send", value))
        return next(self)

    def throw(self, error):
        self.log.append(("throw", repr(error)))
        return next(self)


def generator(items, log=None, result=None):
    """A generator that says when its end has come."""
    try:
        yield from items
    finally:
        if log is not None:
            log.append("finally")
    return result


def listener(log, items, result=None):
    """A generator that writes down what it is sent and answers a ValueError."""
    try:
        for item in items:
            try:
                sent = yield item
                while sent is not None:
                    log.append(("sent", sent))
                    sent = yield ("answer", sent)
            except ValueError as error:
                log.append(("caught", str(error)))
    finally:
        log.append("finally")
    return result


class Failing(Closable):
    """Raises instead of giving its items number `at`, then goes on behind them."""

    def __init__(self, items, *at, error=None, log=None):
        super().__init__(items, log)
        self.at = at
        self.error = error

    def __next__(self):
        item = super().__next__()
        if self.given - 1 in self.at:
            raise self.error or ZeroDivisionError(item)
        return item


class FailingIter:
    """Its __iter__ raises."""

    def __init__(self, error):
        self.error = error

    def __iter__(self):
        raise self.error


class NotIterable:
    pass


class WrongIter:
    """Its __iter__ gives something that is no iterator."""

    def __iter__(self):
        return NotIterable()


class GetItem:
    """The old sequence protocol, and nothing else."""

    def __init__(self, items):
        self.items = list(items)

    def __getitem__(self, index):
        return self.items[index]


class Hinted(Source):
    """Its __length_hint__ gives, or raises, whatever it is told to."""

    def __init__(self, items, hint):
        super().__init__(items)
        self.hint = hint

    def __length_hint__(self):
        if isinstance(self.hint, BaseException):
            raise self.hint
        return self.hint


class Calling(Closable):
    """Calls `action()` from inside its item number `at`, once; keeps what came out."""

    def __init__(self, items, action=None, at=0):
        super().__init__(items)
        self.action = action
        self.at = at
        self.outcome = None

    def __next__(self):
        if self.given == self.at and self.action is not None:
            action, self.action = self.action, None
            try:
                self.outcome = action()
            except BaseException as error:
                self.outcome = error
        return super().__next__()


class Blocking(Source):
    """Stands still inside its first item until it is released."""

    def __init__(self, items):
        super().__init__(items)
        self.entered = threading.Event()
        self.release = threading.Event()

    def __next__(self):
        self.entered.set()
        assert self.release.wait(30)
        return super().__next__()


class Revenant(Closable):
    """Comes back: after its end it gives items again."""

    def __next__(self):
        self.pulls += 1
        if self.pulls == len(self.items) + 1:
            raise StopIteration
        self.given += 1
        return self.items[(self.pulls - 1) % len(self.items)]


class EndSignal(StopIteration):
    """A subclass of StopIteration."""


class Ending(Source):
    """Ends with the StopIteration it is given."""

    def __init__(self, items, stop):
        super().__init__(items)
        self.stop = stop

    def __next__(self):
        try:
            return super().__next__()
        except StopIteration:
            raise self.stop from None


class BadClose(Source):
    """Its close() raises."""

    def __init__(self, items, error, log=None):
        super().__init__(items, log)
        self.error = error

    def close(self):
        self.log.append(("close", str(self.error)))
        raise self.error


class BadLookup(Source):
    """Looking for its close, send or throw raises."""

    def __init__(self, items, error):
        super().__init__(items)
        self.error = error

    @property
    def close(self):
        raise self.error

    send = throw = close


class Growing(list):
    """A list whose items, being asked for, add another one, up to `most`."""

    def __init__(self, items, most):
        super().__init__(items)
        self.most = most

    def __iter__(self):
        for item in super().__iter__():
            if len(self) < self.most:
                self.append(item)
            yield item


class Item:
    """An item that is no built-in: it can be watched dying, and has no free list."""

    def __init__(self, number, log=None):
        self.number = number
        self.log = log

    def __del__(self):
        if self.log is not None:
            self.log.append(self.number)


class Secretive:
    """An item whose repr must not be asked for."""

    def __repr__(self):
        raise AssertionError("somebody asked for my repr")

    __str__ = __repr__


class FailingEq:
    """A key that cannot be compared."""

    def __init__(self, error):
        self.error = error

    def __eq__(self, other):
        raise self.error

    __hash__ = None


class FailingBool:
    """An answer that is neither true nor false."""

    def __init__(self, error):
        self.error = error

    def __bool__(self):
        raise self.error


def proxy_of_dead():
    """A weakref.proxy whose iterator is gone."""
    return weakref.proxy(Source())


def endless():
    """Items without end, each of them new."""
    number = 0
    while True:
        yield Item(number)
        number += 1


HUGE = range(10**18)
