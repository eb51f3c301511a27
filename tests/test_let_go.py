"""What is called, found or read, and let go of meanwhile; names that are none.

The programs run in children with CPython's debugging allocator, which overwrites what
has been freed.
"""

import functools
import operator
import os
import subprocess
import sys

import pytest

from pygenx import func, peekable, pipe, this

pytestmark = pytest.mark.c

PROGRAMS = {
    "timing": """
        from collections import defaultdict
        make = lambda: setattr(d, "default_factory", None)
        d = defaultdict(timing(report=None)(make))
        del make
        assert d[1] is None
    """,
    "primed": """
        def ends():
            let_go()
            return
            yield
        p = functools.partial(primed(ends))
        del ends
        try:
            p()
        except RuntimeError as error:
            assert "before its first yield" in str(error)
    """,
    "Pipeline": """
        p = functools.partial(Pipeline().map(lambda x: x + 1))
        assert p(Letting()).list() == [2, 3]
    """,
    "Reducer": """
        p = functools.partial(Pipeline().map(lambda x: x + 1).list())
        assert p(Letting()) == [2, 3]
    """,
    "native": """
        p = functools.partial(lifting.native(lambda x: x.go()))
        assert p(Letting()) == 1
    """,
    "lifted": """
        program = pickle.loads(pickle.dumps(Pipeline().map(lambda x: x.go())))
        row = program.__reduce__()[1]
        lifted = [o for o in gc.get_objects() if type(o).__name__ == "_lifted"]
        p = functools.partial(lifted.pop())
        del program, row, lifted
        assert p(Letting()) == 1
    """,
    "bases": """
        class Key(str):
            __hash__ = str.__hash__
            def __eq__(self, other):
                X.__bases__ = (Base,)  # the old __mro__ is freed
                return False
        class Base: pass
        bases = Base
        for _ in range(30):
            bases = type("Between", (bases,), {})
        X = type("X", (bases,), {Key("go"): 1})
        try:
            lifting.native(lambda x: x.go())(X())
        except AttributeError:
            pass
    """,
    "half made expression": """
        def meanwhile():
            found.extend(o + 1 for o in gc.get_objects() if type(o) is Expression)
        for k in range(1, 16):
            found = []
            call = this.go
            collect_after(k)
            call([this] * 30, [this] * 30, [this] * 30)
            gc.disable()
            for expression in found:
                func(expression)
    """,
    "tower of pipes": """
        def meanwhile():
            for o in gc.get_objects():
                if type(o) is pipe:
                    try:
                        o.close()
                    except ReentrancyError:
                        pass
        def through(items):
            yield from items
        for k in range(40):
            p = pipe(pipe(pipe([1, 2]).map(str)).through(through)).map(str)
            collect_after(k)
            next(p, None)
            gc.disable()
    """,
    "keywords that grow": """
        def meanwhile():
            for o in gc.get_objects():
                if type(o) is dict and "a29" in o:
                    o.update((f"k{i}", 1) for i in range(300))
        sys.unraisablehook = lambda *args: None
        for k in range(1, 40):
            atexit.register(this.go, **{f"a{i}": [] for i in range(30)})
            collect_after(k)
            atexit._run_exitfuncs()  # with the dict that register() was given
            gc.disable()
    """,
    "half made slice": """
        again = []
        def meanwhile():
            for o in gc.get_objects():
                if type(o) is list and len(o) == 37:
                    list(o)
            if again:
                again.pop()
                next(s)
                lists.append([[] for _ in range(200)])
                Garbage()
                gc.set_threshold(1)
        for k in range(1, 12):
            s = seekable(range(1000))
            s.seek(37)
            lists = [[] for _ in range(200)]  # none are free for use
            again = [1]
            get, everything = s.__getitem__, slice(None)
            collect_after(k)
            get(everything)
            gc.disable()
    """,
}

BEGIN = """
import atexit, functools, gc, pickle, sys
from pygenx import *
from pygenx import Expression, lifting
p = None
def let_go():
    p.__setstate__((len, (), {}, None))
    gc.collect()
class Letting:
    def __iter__(self):
        let_go()
        return iter([1, 2])
    def go(self):
        let_go()
        return 1
def meanwhile():
    pass
class Garbage:
    def __init__(self):
        self.me = self
    def __del__(self):
        meanwhile()
def collect_after(k):
    gc.disable()
    gc.collect()
    Garbage()
    gc.set_threshold(gc.get_count()[0] + k)
    gc.enable()
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_let_go_of_meanwhile(name):
    lines = PROGRAMS[name].split("\n")
    text = "\n".join([BEGIN, *(line[8:] for line in lines)])
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", text],
        env={
            **os.environ,
            "PYTHONMALLOC": "debug",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr[-2000:]


def test_keywords_of_an_expression_are_strings():
    with pytest.raises(TypeError, match="keywords must be strings"):
        this(**{1: 2})
    assert func(this(a=2))(dict) == {"a": 2}


class Has:
    go = peekable


@pytest.mark.parametrize(
    "call",
    [functools.partial(peekable, **{1: 2}), operator.methodcaller("go", **{1: 2})],
    ids=["partial", "methodcaller"],
)
def test_keywords_that_are_no_strings_are_refused_natively_too(call):
    """CPython checks them where a call begins, and a native program is one itself; the
    methodcaller of later versions does not."""
    with pytest.raises(TypeError, match="keywords must be strings"):
        call(*[Has()] * isinstance(call, operator.methodcaller))
    with pytest.raises(TypeError, match="keywords must be strings"):
        pipe([Has()] * 3000).map(call).list()
