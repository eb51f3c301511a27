"""Every use of the leak tests, once: what `make valgrind` and the leak sanitizer run.

Those look at memory themselves, so nothing is repeated and nothing is gauged here.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
sys.unraisablehook = lambda _: None  # callbacks that fail in what is dropped

import programs  # noqa: E402
import test_leaks  # noqa: E402
import test_leaks_driven as driven  # noqa: E402


def uses():
    for name, make in programs.iterator_makers().items():
        for way in test_leaks.WAYS:
            yield f"{name} {way.__name__}", test_leaks.Use(way, make)
    for row in driven.ROWS.values():
        for way in test_leaks.WAYS:
            yield f"{row.name} {way.__name__}", test_leaks.Use(way, row_maker(row))
    for name, make in reducers():
        for way in driven.DRIVEN:
            yield f"{name} {way.__name__}", test_leaks.Use(way, make)
    for name in programs.TERMINALS:
        for what, use in test_leaks.terminal_uses(name):
            yield f"{name} {what}", use
    yield from programs.DRIVERS.items()


def row_maker(row):
    return lambda source: row.build(test_leaks.pygenx, map(row.wrap, source))


def reducers():
    for kind in (programs.STAGES, programs.FAILING):
        for name, arguments in kind.items():
            yield name, lambda args=(name, arguments): driven.of_stage(*args)
    for name in programs.TERMINALS:
        yield name, lambda name=name: driven.of_terminal(name)


def main():
    programs.write_path()
    done = 0
    for name, use in uses():
        if "-v" in sys.argv:
            print(name, flush=True)
        use()
        done += 1
    programs.remove_path()
    assert done > 2500
    print(done, "uses")


if __name__ == "__main__":
    main()
