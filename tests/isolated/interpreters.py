# ruff: noqa: SIM105 (children are short and rude)
"""Children of test_interpreters.py: what is done in other interpreters, at the exit of
one, after a fork. `python -m interpreters NAME` runs the function of that name; it
passes if the exit status is 0 and nothing is written."""

import atexit
import builtins
import gc
import itertools
import os
import sys
import threading
import time

try:
    import _interpreters
except ImportError:  # before 3.13
    import _xxsubinterpreters as _interpreters

OWN_GIL = sys.version_info >= (3, 12)

# ctypes cannot be imported with a GIL of one's own on 3.12, and leaks on 3.11.
BEGIN = f"""
import sys, types
sys.path[:] = {sys.path!r}
number = types.SimpleNamespace(__ctype_be__=3)
sys.modules["ctypes"] = types.SimpleNamespace(
    c_int16=number, c_int=number, Structure=object)
import array, atexit, builtins, collections, contextlib, functools, io, itertools
import operator, os, pickle, tempfile
"""
EVERYTHING = """
import programs, pygenx.lifting
def everything():
    programs.write_path()
    for make in programs.iterator_makers().values():
        list(make(programs.things(3)))
    for name, use in programs.DRIVERS.items():
        if "buffer" not in name:
            use()
    for name in programs.TERMINALS:
        programs.drained(name, programs.Source())
    double = pygenx.Pipeline().map(lambda x: x * 2)
    again = pickle.loads(pickle.dumps(double.map(pygenx.this + 1).sum()))
    assert again(range(1000)) == sum(x * 2 + 1 for x in range(1000))
    assert pygenx.lifting.stats()["items_lifted"] > 0
def keep():
    kept = []
    for make in programs.iterator_makers().values():
        kept += [made := make(programs.things(3)), make(programs.things(3))]
        next(made, None)
    kept.append(p := pygenx.pipe(range(10**6)).map(lambda x: x + 1).filter(None))
    for _ in itertools.islice(p, 1000): pass
    kept.append(p := pygenx.pipe(x + 1 for x in list(range(9999))))
    for _ in itertools.islice(p, 1000): pass
    builtins.kept = kept
everything()
keep()
"""


def run(code):
    interpreter = _interpreters.create()
    try:
        failed = _interpreters.run_string(interpreter, code)
        assert failed is None, failed
    finally:
        _interpreters.destroy(interpreter)


def in_another():
    for _ in range(3):
        run(BEGIN + EVERYTHING)
    main()


def main():
    import programs

    for make in programs.iterator_makers().values():
        list(make(programs.things(3)))


def in_parallel():
    """Each thread has an interpreter, with a GIL of its own from 3.12 on."""
    errors = []

    def work():
        try:
            for _ in range(3):
                run(BEGIN + EVERYTHING)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        main()
    for thread in threads:
        thread.join()
    assert not errors, errors


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def many_times():
    """CPython 3.12 and 3.13 themselves lose megabytes with each interpreter."""
    leaks = (3, 12) <= sys.version_info < (3, 14)
    growth = []
    for _ in range(4):
        blocks = sys.getallocatedblocks()
        memory = resident()
        for _ in range(4 if leaks else 12):
            run(BEGIN + EVERYTHING)
        gc.collect()
        growth.append((sys.getallocatedblocks() - blocks, resident() - memory))
    if not leaks:
        assert min(blocks for blocks, memory in growth[1:]) < 200, growth
        if os.environ.get("PYTHONMALLOC") != "malloc":  # ASan keeps what is freed
            assert min(memory for blocks, memory in growth[1:]) < 2**20, growth


SHARED_CODE = """
import gc, pygenx.lifting
def type_of_native(func):
    natives = gc.get_referents(pygenx.lifting.native(func))
    return next(type(x) for x in natives if type(x).__name__ == "_native")
def check():
    assert type_of_native(os.path.normcase) is type_of_native(lambda x: x)
    assert pygenx.pipe(["a"] * 500).map(os.path.normcase).count() == 500
check()
"""


def shared_code_objects():
    """Code objects of frozen modules belong to all interpreters of 3.11 and 3.12."""
    exec(BEGIN + SHARED_CODE, {})
    for _ in range(2):
        run(BEGIN + SHARED_CODE)
    exec(BEGIN + SHARED_CODE, {})


def state_of_its_own():
    import pygenx.lifting

    code = (
        "import pygenx.lifting as l; l._switch(1); assert not l.stats()['items_called']"
    )
    with pygenx.lifting.disabled():
        pygenx.pipe([1] * 999).map(lambda x: x + 1).list()
        run(BEGIN + code.replace("l._switch(1); ", ""))
    run(BEGIN + code)
    before = pygenx.lifting.stats()["items_lifted"]
    pygenx.pipe([1] * 999).map(lambda x: x + 1).list()
    assert pygenx.lifting.stats()["items_lifted"] - before == 999


# -- the exit --------------------------------------------------------------------


def suspended():
    """Every iterator, driver and program, new and begun."""
    import programs

    import pygenx

    kept = []
    for make in programs.iterator_makers().values():
        kept += [made := make(programs.things(3)), make(programs.generator())]
        next(made, None)
    for made in (
        pygenx.fold(max, 0),
        pygenx.grouping(len),
        pygenx.Pipeline().map(len).batched(2).into(print),
        pygenx.Pipeline().list().push(),
        pygenx.broadcast(programs.nothing),
        pygenx.route(programs.same, {}),
        pygenx.timing(),
        pygenx.timing(len),
        pygenx.primed(programs.generator),
        programs.primed_async(),
        programs.timed_async(),
        pygenx.this["a"].b(1) + 1,
        pygenx.func(pygenx.this + 1),
        pygenx.lifting.native(lambda x: x + 1),
        pygenx.Failure(KeyError(), 1, 0, "map"),
    ):
        kept.append(made)
    lifted = pygenx.pipe(range(10**6)).map(lambda x: x + 1).filter(None)
    taken = pygenx.pipe(x + 1 for x in list(range(9999)))
    for started in (lifted, taken):
        for _ in itertools.islice(started, 1000):
            pass
        kept.append(started)
    generator = (x for x in pygenx.pipe(y for y in pygenx.chain(range(9), range(9))))
    next(generator)
    kept.append(generator)
    return kept


def use(kept):
    """Again, wherever this is called; errors are all right."""
    for found in kept:
        for call in (repr, next, iter, hash, bool, len, lambda x: x.close()):
            try:
                call(found)
            except Exception:
                pass
    try:
        import pygenx

        pygenx.pipe(range(500)).map(lambda x: x + 1).sum()
    except ImportError:
        pass


class UsesWhenCollected:
    def __init__(self, kept):
        self.kept = kept
        self.cycle = self

    def __del__(self, use=use):
        use(self.kept)


class UsesWhenCleared(str):
    """Not known to the collector, so its finaliser runs in the middle of clearing."""

    __slots__ = ()

    def __del__(self, use=use, kept=[]):  # noqa: B006
        use(kept)


def exit_globals():
    globals()["kept"] = suspended()


def exit_builtins():
    builtins.kept = suspended()


def exit_sys():
    sys.kept = suspended()


def exit_types():
    type("Holder", (), {"kept": suspended()}).itself = object


def exit_atexit():
    kept = suspended()
    atexit.register(use, kept)
    atexit.register(kept.clear)
    atexit.register(use, kept)


def exit_threading():
    kept = suspended()
    threading._register_atexit(use, kept)
    builtins.kept = kept
    thread = threading.Thread(target=lambda: (time.sleep(0.1), use(kept)))
    thread.start()


def exit_finalisers():
    builtins.kept = UsesWhenCollected(suspended())
    sys.kept = UsesWhenCollected(suspended())
    globals()["kept"] = UsesWhenCollected(suspended())
    UsesWhenCollected(suspended())


def exit_clearing():
    kept = UsesWhenCleared.__del__.__defaults__[1]
    kept += suspended()
    builtins.text = globals()["text"] = sys.text = UsesWhenCleared("text")
    kept.append(UsesWhenCleared("another"))
    kept.append([UsesWhenCleared("a third")])


def exit_without_modules():
    builtins.kept = UsesWhenCollected(suspended())
    for name in list(sys.modules):
        if name.split(".")[0] == "pygenx":
            del sys.modules[name]


def exit_in_cycle_with_module():
    import pygenx

    pygenx.kept = suspended()
    pygenx.kept += [pygenx, UsesWhenCollected(pygenx.kept)]
    for name in list(sys.modules):
        if name.split(".")[0] == "pygenx":
            del sys.modules[name]


def sleep(item=None):
    time.sleep(0.001)


def busy_drains():
    import pygenx

    endless = itertools.count
    yield lambda: pygenx.pipe(endless()).map(lambda x: x + 1).filter(None).last()
    yield lambda: pygenx.pipe(endless()).filter(pygenx.this < 0).first()
    yield lambda: pygenx.pipe(range(10**12)).map(lambda x: x * 3).sum()
    yield lambda: pygenx.pipe(itertools.repeat("a b")).flat_map(str.split).frequencies()
    yield lambda: next(pygenx.pipe(x for x in endless() if x < 0))
    yield lambda: next(pygenx.chain.from_iterable(itertools.repeat(())))
    yield lambda: pygenx.feed(endless(), pygenx.fold(max, 0))
    yield lambda: pygenx.pipe(endless()).map(sleep).count()
    shared = pygenx.serialize(iter(sleep, 0))
    yield lambda: next(shared)
    yield lambda: next(shared)
    first, second = pygenx.tee(iter(sleep, 0), lock=True)
    for branch in (first, second):
        yield lambda branch=branch: pygenx.pipe(branch).map(id).count()


def exit_daemons():
    """Threads in the middle of what never ends."""

    def sleepy():
        while True:
            yield sleep()

    import pygenx

    drains = [*busy_drains(), *(lambda: pygenx.pipe(sleepy()).tap(id).count(),) * 2]
    for drain in drains:
        threading.Thread(target=drain, daemon=True).start()
    time.sleep(0.5)
    builtins.kept = suspended()


INTERPRETERS = (
    "in_another",
    "in_parallel",
    "many_times",
    "shared_code_objects",
    "state_of_its_own",
)
EXITS = sorted(name for name in globals() if name.startswith("exit_"))

if __name__ == "__main__":
    globals()[sys.argv[1]]()
