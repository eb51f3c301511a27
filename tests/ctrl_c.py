"""Ctrl-C that comes inside one action and nowhere else, on a slow machine, too."""

import contextlib
import signal
import threading
import time

ALARM = getattr(signal, "SIGALRM", signal.SIGINT)


@contextlib.contextmanager
def ringing(seconds):
    """Every `seconds` the signal is sent. A timer reaches loops that keep the GIL."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return
    stop = threading.Event()

    def ring():
        while not stop.wait(seconds):
            signal.raise_signal(ALARM)

    thread = threading.Thread(target=ring)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def interrupted(action, after=0.1, error=KeyboardInterrupt, again=False):
    """Run `action`, which never ends by itself, until the `error` that a signal raised
    in it has come out: how many seconds late. With `again` the signals after the first
    raise, too.

    A signal that comes before the action begins or after it has ended raises nothing.
    """
    armed = came = False

    def handler(number, frame):
        nonlocal armed
        if armed:
            armed = again
            raise error

    before = signal.signal(ALARM, handler)
    try:
        with ringing(after):
            start = time.perf_counter()
            try:
                armed = True
                action()
            except error:  # no call in here, where `again` could raise
                came = True
            finally:
                armed = False
            late = time.perf_counter() - start - after
    finally:
        signal.signal(ALARM, before)
    assert came, "it has ended"
    return late
