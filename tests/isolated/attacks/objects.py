# ruff: noqa: B905, E501, PT018 (attacks are short and rude)
"""Types: classes, subclasses, attributes and what else an object has."""

import gc
import inspect
import operator
import os
import pickle
import subprocess
import sys
import weakref

import programs
from programs import Source, things, value_of

import pygenx
from attacks.common import (
    MAKERS,
    OF_THINGS,
    PLAIN,
    all_types,
    in_threads,
    raises,
    values,
)
from pygenx import Pipeline, pipe


def S1_types_are_immutable():
    for found in all_types():
        if found.__name__ == "ReentrancyError":  # of a copy of the module, perhaps
            continue
        raises(TypeError, setattr, found, "foo", 1)
        raises(TypeError, setattr, found, "__next__", None)


def S2_overrides_of_a_subclass_are_honoured():
    class Sub(pygenx.chain):
        def __next__(self):
            return (super().__next__(), "mine")

    for make in (
        pipe,
        pygenx.chain,
        lambda s: pygenx.tee(s)[0],
        pygenx.own,
        lambda s: pipe(s).map(programs.same),
    ):
        assert list(make(Sub([1, 2]))) == [(1, "mine"), (2, "mine")]

    class Other(pygenx.chain):
        def __iter__(self):
            return iter("xy")

    assert list(pygenx.chain(Other([1]))) == ["x", "y"] and pipe(Other([1])).list() == [
        "x",
        "y",
    ]

    class List(list):
        def __iter__(self):
            return iter("xy")

    for name, make in PLAIN.items():
        if name not in OF_THINGS:
            assert list(make(List([1, 2]))) == ["x", "y"], name


def S3_layouts_do_not_mix():
    for bases in (
        (pygenx.chain, pygenx.groupby),
        (pygenx.chain, list),
        (pygenx.groupby, Exception),
        (pygenx.chain, int),
    ):
        raises(TypeError, type, "Mixed", bases, {})


def S4_class_is_not_assigned():
    class Sub(pygenx.chain):
        pass

    class Same(pygenx.chain):
        __slots__ = ()

    raises(TypeError, setattr, Same(), "__class__", pygenx.chain)
    chain = pygenx.chain(())
    for found in (Sub, pygenx.groupby, pipe, pygenx.own):
        raises(TypeError, setattr, chain, "__class__", found)
    raises(TypeError, setattr, Sub(), "__class__", pygenx.chain)


def S5_unbound_slots():
    for found in all_types():
        for name in (
            "__next__",
            "__iter__",
            "__repr__",
            "send",
            "close",
            "throw",
            "__call__",
            "__or__",
        ):
            if name in vars(found):
                for wrong in (
                    5,
                    None,
                    pygenx.fold(max, 0) if found is not pygenx.fold else 1,
                    found,
                ):
                    try:
                        vars(found)[name].__get__(wrong, type(wrong))()
                    except (TypeError, StopIteration):
                        continue
                    if not isinstance(wrong, found) and wrong is not None:
                        raise AssertionError((found, name, wrong))


def S6_type_dies_with_its_last_instance():
    for base in (pygenx.chain, pygenx.groupby):
        for _ in range(50):

            class Sub(base):
                pass

            made = Sub(things(2))
            weak = weakref.ref(Sub)
            del Sub
            gc.collect()
            next(made)
            del made
            gc.collect()
            assert weak() is None


def S7_pipes_and_the_bar():
    class Reflected:
        def __ror__(self, other):
            return "reflected"

        __or__ = __ror__

    class Raising:
        def __ror__(self, other):
            raise ArithmeticError

    for left in (pipe(()), Pipeline()):
        for wrong in (None, 1, programs.same, [], "x"):
            raises(TypeError, operator.or_, left, wrong)
            raises(TypeError, operator.or_, wrong, left)
        assert left | Reflected() == "reflected" == Reflected() | left
        raises(ArithmeticError, operator.or_, left, Raising())
    program = Pipeline().map(value_of)
    assert (program | program).__reduce__() != program.__reduce__()
    base = program
    base |= Pipeline().take(1)
    assert base is not program and program(things(3)).list() == [0, 1, 2]
    one = pipe(things(2))
    raises(TypeError, operator.or_, one, one)


def S8_one_program_many_runs():
    program = (
        Pipeline().map(value_of).enumerate().batched(2).take(2).tap(programs.nothing, 1)
    )
    first, second = program(things(9)), program(things(9))
    got = [[], []]
    for a, b in zip(first, second):
        got[0].append(a), got[1].append(b)
        assert len(program(things(5)).list()) == 2
    assert got[0] == got[1] and len(got[0]) == 2
    sys.setswitchinterval(1e-6)
    in_threads(lambda: [program(things(20)).list() for _ in range(50)], 8)
    sys.setswitchinterval(0.005)


def S9_many_stages():
    program = Pipeline()
    one = pipe(things(3))
    for _ in range(20_000):
        program = program.map(programs.same)
        one = one.take(5)
    assert values(program(things(3))) == [0, 1, 2]
    assert values(one) == [0, 1, 2]
    assert len(repr(program)) > 20_000 and program.explain()
    again = pickle.loads(pickle.dumps(Pipeline().take(5) | Pipeline().take(4)))
    assert again(range(9)).count() == 4
    assert Pipeline()(things(2)).map(value_of).list() == [0, 1]
    del program, one


def S10_calls_and_their_order():
    log = []

    def told(name, result):
        def call(item):
            log.append((name, getattr(item, "value", item)))
            return result(item)

        return call

    source = Source(20)
    got = (
        pipe(source)
        .map(told("map", value_of))
        .filter(told("filter", lambda v: v % 2))
        .take(2)
        .list()
    )
    assert got == [1, 3] and source.i == 4
    assert log == [(name, i) for i in range(4) for name in ("map", "filter")]


def S11_exact_pulls():
    for name, pulls in (
        ("take", 3),
        ("first", 1),
        ("any", 1),
        ("islice", 4),
        ("consume", 3),
    ):
        source = Source(9)
        made = getattr(pipe(source), name)(
            *{**programs.STAGES, **programs.TERMINALS}[name]
        )
        if name in programs.STAGES:
            values(made)
        assert source.i == pulls, (name, source.i)
        assert source.closes == 0
    source = Source(9)
    given = pipe(source).take(3)
    next(given)
    with given:
        assert values(given) == [1, 2]
        assert source.closes == 1


def S12_abstract_classes():
    from collections.abc import Generator, Iterable, Iterator

    for name, make in MAKERS.items():
        reader = make(things(1))
        assert isinstance(reader, Iterator) and isinstance(reader, Iterable), name
        assert isinstance(reader, Generator) == all(
            hasattr(reader, m) for m in ("send", "throw", "close")
        )


def S14_documentation():
    for found in all_types():
        assert found.__doc__, found
        for name, value in vars(found).items():
            if callable(value) and name[0] != "_":
                assert value.__doc__, (found, name)
                inspect.signature(value)
        dir(found)
    import pydoc

    assert pydoc.render_doc(pygenx)


def S15_modes_of_the_interpreter():
    code = "import programs; programs.write_path(); print([use() for use in programs.DRIVERS.values()]); programs.remove_path()"
    outputs = set()
    for options in (["-X", "dev"], ["-W", "error"], ["-O"], ["-bb"], ["-X", "utf8"]):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONHASHSEED": str(len(outputs)),
        }
        child = subprocess.run(
            [sys.executable, *options, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert child.returncode == 0, (options, child.stderr)
        outputs.add(child.stdout)
    assert len(outputs) == 1
