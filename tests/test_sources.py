"""Sources beside read_lines and iterate: iter_except, always_iterable, with_iter,
buffer."""

import array
import contextlib
import ctypes
import gc
import importlib
import struct
import sys
import weakref

import more_itertools
import pytest
from sources import BadClose, Closable, Failing, FailingIter, listener


def pygenx():
    return importlib.import_module("pygenx")


def notes(error):
    return getattr(error, "__notes__", [])


class Fails:
    """A function that answers with each of `outcomes`, raising what is an exception."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


# iter_except -------------------------------------------------------------------------


def test_iter_except_calls_until_the_exception(impl):
    function = Fails(1, None, 3, KeyError("end"), 5)
    p = impl.iter_except(function, KeyError)
    assert function.calls == 0
    assert next(p) == 1
    assert function.calls == 1
    assert list(p) == [None, 3]
    assert list(p) == []
    assert function.calls == 4
    assert p.result is None


def test_iter_except_is_as_in_more_itertools(impl):
    for exceptions in (IndexError, (KeyError, IndexError), LookupError):
        for first in (None, lambda: "first"):
            ours = impl.iter_except([1, 2].pop, exceptions, first).list()
            assert ours == [*more_itertools.iter_except([1, 2].pop, exceptions, first)]


def test_iter_except_takes_its_arguments_by_name(impl):
    p = impl.iter_except(function=[].pop, exception=IndexError, first=lambda: 1)
    assert list(p) == [1]


def test_first_is_called_once_and_may_end_it(impl):
    function = Fails(KeyError())
    first = Fails(KeyError())
    assert impl.iter_except(function, KeyError, first).list() == []
    assert (first.calls, function.calls) == (1, 0)
    first = Fails(1)
    assert impl.iter_except(function, KeyError, first).list() == [1]
    assert (first.calls, function.calls) == (1, 1)


def test_other_errors_pass_and_the_next_call_tries_again(impl):
    error = ValueError("other")
    p = impl.iter_except(Fails(1, error, 2, KeyError()), KeyError, Fails(error))
    for _ in range(2):
        with pytest.raises(ValueError, match="other") as caught:
            list(p)
        assert caught.value is error
    assert list(p) == [2]


def test_stop_iteration_is_an_exception_like_others(impl):
    assert impl.iter_except(iter("ab").__next__, StopIteration).list() == ["a", "b"]
    stop = StopIteration("why")
    p = impl.iter_except(Fails(1, stop, 2, KeyError()), KeyError)
    assert next(p) == 1
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        next(p)
    assert caught.value.__cause__ is stop
    assert list(p) == [2]


def test_iter_except_refuses_wrong_arguments(impl):
    for args in [(5, KeyError), (len, KeyError, 5), (len, 5), (len, (KeyError, 5))]:
        with pytest.raises(TypeError):
            impl.iter_except(*args)
    with pytest.raises(TypeError, match="exception class"):
        impl.iter_except(len, int)
    with pytest.raises(TypeError, match="exception class"):
        impl.iter_except(len, KeyError("an instance"))


def test_no_exceptions_at_all_is_allowed(impl):
    with pytest.raises(KeyError):
        impl.iter_except(Fails(1, KeyError()), ()).list()


def test_iter_except_is_named_in_notes():
    with pytest.raises(IndexError) as caught:
        pygenx().iter_except([].pop, KeyError).list()
    assert notes(caught.value) == ["pygenx: iter_except(list.pop)"]


def test_iter_except_lets_go_at_its_end(impl):
    function = Fails(1, KeyError())
    alive = weakref.ref(function)
    p = impl.iter_except(function, KeyError)
    del function
    assert list(p) == [1]
    gc.collect()
    assert alive() is None


def test_a_call_from_inside_the_function_is_refused(impl):
    def function():
        with pytest.raises(impl.ReentrancyError):
            next(p)
        raise KeyError

    p = impl.iter_except(function, KeyError)
    assert list(p) == []


def test_throw_ends_iter_except(impl):
    p = impl.iter_except(Fails(1, 2), KeyError)
    next(p)
    with pytest.raises(ValueError, match="hello"):
        p.throw(ValueError("hello"))
    assert list(p) == []


# always_iterable ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "obj", [None, "ab", b"ab", 5, [1, 2], (), {"a": 1}, range(3), {1}, int, 1.5]
)
def test_always_iterable_is_as_in_more_itertools(impl, obj):
    for args in [(), (None,), (str,), ((str, bytes),), (dict,), (list | int,), ((),)]:
        wanted = list(more_itertools.always_iterable(obj, *args))
        assert impl.always_iterable(obj, *args).list() == wanted
        assert list(impl.always_iterable(obj, *args)) == wanted


def test_always_iterable_gives_a_pipe_and_not_the_object(impl):
    it = iter("abc")
    p = impl.always_iterable(it)
    assert type(p) is impl.pipe
    assert p.map(str.upper).list() == ["A", "B", "C"]
    assert impl.always_iterable(obj="ab", base_type=None).list() == ["a", "b"]
    q = impl.pipe("ab")
    assert impl.always_iterable(q) is not q


def test_subclasses_of_str_stay_whole(impl):
    class Text(str):
        __slots__ = ()

    assert impl.always_iterable(Text("ab")).list() == ["ab"]


def test_errors_of_iter_and_isinstance_pass(impl):
    with pytest.raises(KeyError):
        impl.always_iterable(FailingIter(KeyError("no")))
    bad = FailingIter(TypeError("no"))
    assert impl.always_iterable(bad).list() == [bad]
    with pytest.raises(TypeError):
        impl.always_iterable([], 5)

    class Meta(type):
        def __instancecheck__(cls, instance):
            raise KeyError

    with pytest.raises(KeyError):
        impl.always_iterable([], Meta("Kind", (), {}))


# with_iter ---------------------------------------------------------------------------


class Manager:
    """Gives `items`, keeps a log; `swallow` or raises `error` when it is left."""

    def __init__(self, items, swallow=False, error=None):
        self.items = items
        self.swallow = swallow
        self.error = error
        self.log = []

    def __enter__(self):
        self.log.append("enter")
        if isinstance(self.items, BaseException):
            raise self.items
        return self.items

    def __exit__(self, kind, value, traceback):
        assert kind is (None if value is None else type(value))
        self.log.append(kind)
        self.handled = sys.exc_info()[1]
        if self.error is not None:
            raise self.error
        return self.swallow


def test_it_is_entered_at_the_first_next_and_left_at_the_end(impl):
    manager = Manager([1, 2])
    p = impl.with_iter(manager)
    assert manager.log == []
    assert next(p) == 1
    assert manager.log == ["enter"]
    assert list(p) == [2]
    assert manager.log == ["enter", None]
    assert list(p) == []
    p.close()
    assert manager.log == ["enter", None]


def test_it_is_never_entered_if_never_started(impl):
    manager = Manager([1])
    impl.with_iter(manager)
    impl.with_iter(manager).close()
    with impl.with_iter(manager):
        pass
    with pytest.raises(KeyError):
        impl.with_iter(manager).throw(KeyError)
    gc.collect()
    assert manager.log == []


@pytest.mark.parametrize("swallow", [False, True])
@pytest.mark.parametrize("end", ["close", "with", "drop", "take", "fail"])
def test_it_is_left_however_it_ends(impl, end, swallow):
    manager = Manager(iter("abc"), swallow)
    p = impl.with_iter(context_manager=manager)
    if end == "close":
        next(p)
        p.close()
        p.close()
    elif end == "with":
        with p:
            next(p)
            assert manager.log == ["enter"]
    elif end == "drop":
        next(p)
        del p
        gc.collect()
    elif end == "take":
        assert p.take(1).list() == ["a"]
    else:
        with pytest.raises(ZeroDivisionError):
            p.map(lambda item: 1 // 0).list()
    assert manager.log == ["enter", GeneratorExit]


def test_an_error_of_the_items_is_handed_to_exit(impl):
    error = ZeroDivisionError("items")
    manager = Manager(Failing("abc", 1, error=error))
    p = impl.with_iter(manager)
    assert next(p) == "a"
    with pytest.raises(ZeroDivisionError) as caught:
        next(p)
    assert caught.value is error
    assert manager.handled is error
    assert manager.log == ["enter", ZeroDivisionError]
    assert list(p) == []


def test_an_error_that_exit_swallows_is_the_end(impl):
    manager = Manager(Failing("abc", 1), swallow=True)
    assert impl.with_iter(manager).list() == ["a"]
    assert manager.log == ["enter", ZeroDivisionError]


def test_an_error_of_exit_passes(impl):
    error = KeyError("exit")
    first = ZeroDivisionError("items")
    p = impl.with_iter(Manager("a", error=error))
    assert next(p) == "a"
    with pytest.raises(KeyError) as caught:
        next(p)
    assert caught.value is error
    assert list(p) == []

    error = KeyError("exit")
    with pytest.raises(KeyError) as caught:
        impl.with_iter(Manager(Failing("a", 0, error=first), error=error)).list()
    assert caught.value is error
    assert error.__context__ is first

    error = KeyError("exit")
    p = impl.with_iter(Manager("ab", error=error))
    next(p)
    with pytest.raises(KeyError):
        p.close()
    assert list(p) == []


def test_an_error_of_closing_the_items_is_handed_to_exit(impl):
    error = KeyError("close")
    for swallow in (False, True):
        manager = Manager(BadClose("ab", error), swallow)
        p = impl.with_iter(manager)
        next(p)
        with pytest.raises(KeyError) if not swallow else contextlib.nullcontext():
            p.close()
        assert manager.log == ["enter", KeyError]


def test_an_error_of_enter_is_the_end_and_nothing_is_left(impl):
    manager = Manager(KeyError("enter"))
    p = impl.with_iter(manager)
    with pytest.raises(KeyError):
        next(p)
    assert list(p) == []
    assert manager.log == ["enter"]


def test_what_was_entered_must_be_iterable(impl):
    manager = Manager(5)
    with pytest.raises(TypeError, match="not iterable"):
        impl.with_iter(manager).list()
    assert manager.log == ["enter", TypeError]


def test_stop_iteration_of_enter_exit_and_iter_is_a_runtime_error(impl):
    for manager in (
        Manager(StopIteration("enter")),
        Manager("a", error=StopIteration("exit")),
        Manager(FailingIter(StopIteration("iter"))),
    ):
        with pytest.raises(RuntimeError) as caught:
            impl.with_iter(manager).list()
        assert isinstance(caught.value.__cause__, StopIteration)


def test_send_throw_and_result_go_through(impl):
    log = []
    manager = Manager(listener(log, [1, 2, 3], "returned"))
    p = impl.with_iter(manager)
    next(p)
    p.send("hello")
    p.throw(ValueError("there"))
    assert log == [("sent", "hello"), ("caught", "there")]
    assert manager.log == ["enter"]
    [*_] = p
    assert p.result == "returned"
    assert manager.log == ["enter", None]


def test_an_error_thrown_is_handed_to_exit(impl):
    for swallow in (False, True):
        manager = Manager(iter("abc"), swallow)
        p = impl.with_iter(manager)
        next(p)
        with pytest.raises(StopIteration if swallow else KeyError):
            p.throw(KeyError("hello"))
        assert manager.log == ["enter", KeyError]
        assert list(p) == []


def test_a_context_manager_of_contextlib(impl):
    log = []

    @contextlib.contextmanager
    def numbers():
        log.append("enter")
        try:
            yield iter([1, 2, 3])
        except BaseException as error:
            log.append(type(error))
            raise
        finally:
            log.append("exit")

    assert impl.with_iter(numbers()).list() == [1, 2, 3]
    assert impl.with_iter(numbers()).take(1).list() == [1]
    p = impl.with_iter(numbers())
    next(p)
    with pytest.raises(ZeroDivisionError):
        p.throw(ZeroDivisionError)
    assert log == [
        *("enter", "exit"),
        *("enter", GeneratorExit, "exit"),
        *("enter", ZeroDivisionError, "exit"),
    ]


def test_the_lines_of_a_file(impl, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("one\ntwo\n")
    file = path.open()
    assert impl.with_iter(file).list() == ["one\n", "two\n"]
    assert file.closed


def test_only_context_managers_are_taken(impl):
    class Half:
        def __enter__(self):
            return ()

    for thing in (5, [], Half()):
        with pytest.raises(TypeError, match="context manager protocol"):
            impl.with_iter(thing)
    thing = Half()
    thing.__exit__ = lambda *args: None  # looked for on the type, as `with` does
    with pytest.raises(TypeError, match="context manager protocol"):
        impl.with_iter(thing)


def test_the_exception_being_handled_is_left_as_it_was(impl):
    def swallowed():
        assert impl.with_iter(Manager(Failing("a", 0), swallow=True)).list() == []
        yield sys.exc_info()[1]
        yield sys.exc_info()[1]

    outer = KeyError("outer")
    inner = swallowed()
    seen = []
    try:
        raise outer
    except KeyError:
        seen.extend(swallowed())
        seen.append(sys.exc_info()[1])
        seen.append(next(inner))
    seen.append(next(inner))
    seen.append(sys.exc_info()[1])
    assert seen == [outer, outer, outer, outer, None, None]


def test_a_call_from_enter_or_exit_is_refused(impl):
    class Calls(Manager):
        def __enter__(self):
            with pytest.raises(impl.ReentrancyError):
                next(p)
            return super().__enter__()

        def __exit__(self, *args):
            with pytest.raises(impl.ReentrancyError):
                p.close()
            return super().__exit__(*args)

    manager = Calls("a")
    p = impl.with_iter(manager)
    assert list(p) == ["a"]
    assert manager.log == ["enter", None]


def test_an_error_of_exit_when_dropped_is_unraisable(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_type))
    p = pygenx().with_iter(Manager("ab", error=KeyError("exit")))
    next(p)
    del p
    gc.collect()
    assert seen == [KeyError]


def test_a_cycle_through_the_manager_is_collected():
    manager = Manager("ab")
    manager.pipe = pygenx().with_iter(manager)
    next(manager.pipe)
    log, alive = manager.log, weakref.ref(manager)
    del manager
    gc.collect()
    assert alive() is None
    assert log == ["enter", GeneratorExit]


def test_with_iter_closes_the_items_when_closed(impl):
    source = Closable("abc")
    with impl.with_iter(Manager(source)) as p:
        next(p)
    assert source.closes == 1


# buffer ------------------------------------------------------------------------------


def ndarray(items, shape, *, format="B", **options):
    """An exporter of whatever layout, from CPython's own tests."""
    testbuffer = pytest.importorskip("_testbuffer")
    return testbuffer.ndarray(items, shape=shape, format=format, **options)


INTEGERS = [0, 1, 2, 127]


@pytest.mark.parametrize("code", "bBhHiIlLqQ")
def test_buffer_of_arrays_of_int(impl, code):
    size = array.array(code).itemsize * 8
    least, most = (0, 2**size - 1) if code.isupper() else (-(2 ** (size - 1)), None)
    items = array.array(code, [*INTEGERS, least, most or -least - 1])
    assert impl.buffer(items).list() == items.tolist()
    assert [type(item) for item in impl.buffer(items)] == [int] * 6


def test_buffer_of_arrays_of_float_and_str(impl):
    for code in "fd":
        items = array.array(code, [0.5, -0.0, float("inf"), 1e30])
        assert [*map(repr, impl.buffer(items))] == [*map(repr, items)]
    with pytest.warns() if sys.version_info >= (3, 13) else contextlib.nullcontext():
        items = array.array("u", "h\xe9llo \U0001f600")
    assert impl.buffer(items).list() == list(items)


@pytest.mark.parametrize("order", ["", "@", "=", "<", ">", "!"])
@pytest.mark.parametrize("code", [*"cbB?hHiIlLqQnNefdP", "5s", "5p", "xxh", "s", "1i"])
def test_buffer_of_every_format_of_one_item(impl, order, code):
    if code in "nNP" and order not in ("", "@"):
        pytest.skip("of the machine's order only")
    values = [b"a", b"z"] if code[-1] in "csp" else [1, 0]
    layout = struct.Struct(order + code)
    wanted = [layout.unpack(layout.pack(value))[0] for value in values]
    exporter = ndarray(wanted, [2], format=layout.format)
    items = list(impl.buffer(exporter))
    assert items == wanted
    assert [*map(type, items)] == [*map(type, wanted)]


def test_buffer_of_bytes_and_views(impl):
    data = bytes(range(256)) * 20
    for exporter in (data, bytearray(data), memoryview(data)):
        assert impl.buffer(exporter).list() == list(data)
    view = memoryview(data)
    for part in (view[::2], view[::-1], view[5:5], view[100:-100:7], view[-1:0:-3]):
        assert impl.buffer(part).list() == list(part)
    assert impl.buffer(b"").list() == []


def test_a_buffer_of_more_dimensions_is_read_in_the_order_of_c(impl):
    view = memoryview(bytes(range(24))).cast("B", [2, 3, 4])
    assert impl.buffer(view).list() == list(range(24))
    for strides in ([4, 1], [1, 2], [-3, 1]):
        offset = 9 if strides[0] < 0 else 0
        part = ndarray(list(range(12)), [2, 3], strides=strides, offset=offset)
        with pytest.raises(TypeError, match="C-contiguous"):
            impl.buffer(part)


def test_buffer_of_ctypes(impl):
    assert impl.buffer((ctypes.c_long * 3)(1, -2, 3)).list() == [1, -2, 3]
    assert impl.buffer((ctypes.c_double * 2)(1, 2)).list() == [1.0, 2.0]
    assert impl.buffer((ctypes.c_int16.__ctype_be__ * 2)(1, 2)).list() == [1, 2]
    assert impl.buffer(ctypes.c_int(7)).list() == [7]
    assert impl.buffer((ctypes.c_int * 2 * 2)((1, 2), (3, 4))).list() == [1, 2, 3, 4]


def test_what_cannot_be_read_is_refused_at_once(impl):
    class Point(ctypes.Structure):
        _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))

    for thing in (5, "text", [1], None):
        with pytest.raises(TypeError, match="bytes-like"):
            impl.buffer(thing)
    with pytest.raises(TypeError, match="cannot read items of"):
        impl.buffer((Point * 2)())
    with pytest.raises(TypeError, match="cannot read items of"):
        impl.buffer(ndarray([(1, 2)], [1], format="ii"))


@pytest.mark.c
@pytest.mark.parametrize("answer", [(), (1, 2), 5, None])
def test_a_struct_module_that_lies(monkeypatch, answer):
    class Struct(struct.Struct):
        calls = 0

        def unpack(self, data):
            Struct.calls += 1
            return super().unpack(data) if Struct.calls == 1 else answer

    monkeypatch.setattr(struct, "Struct", Struct)
    with pytest.raises(TypeError, match="tuple of one item"):
        pygenx().buffer(ndarray([b"ab"], [1], format="2s")).list()


def test_buffer_of_numpy(impl):
    np = pytest.importorskip("numpy")
    for kind in ("i1", "u2", "<i4", ">i4", "<u8", ">i8", "f2", ">f2", "f4", ">f8", "?"):
        data = np.array([0, 1, 1, 0, 1], dtype=kind)
        for part in (data, data[::2], data[::-1], data[1:1]):
            items = impl.buffer(part).list()
            assert items == part.tolist()
            assert [*map(type, items)] == [*map(type, part.tolist())]
    data = np.arange(600).reshape(20, 30)
    assert impl.buffer(data).list() == data.ravel().tolist()
    assert impl.buffer(data[:, 3]).list() == data[:, 3].tolist()
    assert impl.buffer(np.array(5)).list() == [5]
    assert impl.buffer(np.broadcast_to(np.int64(5), 3)).list() == [5, 5, 5]
    for bad in (data.T, data[:, ::2]):
        with pytest.raises(TypeError, match="C-contiguous"):
            impl.buffer(bad)
    if sys.version_info >= (3, 15):  # its struct module knows NumPy's complex, "Zd"
        assert impl.buffer(np.array([1, 2j])).list() == [1, 2j]
    refused = ("U3", "i4,f8") if sys.version_info >= (3, 15) else ("c16", "U3", "i4,f8")
    for kind in refused:
        with pytest.raises(TypeError, match="cannot read items of"):
            impl.buffer(np.zeros(3, kind))


def test_nothing_is_held_between_two_calls(impl):
    """While a memoryview is held, neither of these could change its size."""
    for exporter in (array.array("b", range(100)), bytearray(range(100))):
        p = impl.buffer(exporter)
        assert next(p) == 0
        exporter.append(100)
        assert next(p) == 1
        del exporter[50:]
        exporter.extend(exporter)
        p.close()
        exporter.append(1)


def test_a_drain_holds_nothing_while_callbacks_run(impl):
    items = array.array("i", range(3))

    def add(item):
        if len(items) < 1000:
            items.append(len(items))
        return item

    assert impl.buffer(items).map(add).list() == list(range(1000))


def test_a_buffer_that_shrinks_ends_early(impl):
    items = bytearray(10_000)
    p = impl.buffer(items)
    next(p)
    del items[:]
    assert p.count() < 64
    assert list(impl.buffer(items)) == []


def test_a_view_that_is_released_is_an_error(impl):
    view = memoryview(bytes(1000))
    p = impl.buffer(view)
    next(p)
    view.release()
    with pytest.raises(ValueError, match="released"):
        p.list()


def test_a_buffer_lets_go_at_its_end(impl):
    class Bytes(bytearray):
        pass

    data = Bytes(b"ab")
    alive = weakref.ref(data)
    p = impl.buffer(data)
    del data
    assert list(p) == [97, 98]
    gc.collect()
    assert alive() is None


def test_items_larger_than_a_block(impl):
    items = [bytes([65 + i]) * 5000 for i in range(3)]
    assert impl.buffer(ndarray(items, [3], format="5000s")).list() == items


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is new in 3.12")
def test_a_buffer_of_python(impl):
    class Exporter:
        def __init__(self, *results):
            self.results = list(results)
            self.released = 0

        def __buffer__(self, flags):
            result = self.results.pop(0)
            if isinstance(result, BaseException):
                raise result
            return memoryview(result)

        def __release_buffer__(self, view):
            self.released += 1

    exporter = Exporter(b"ab", b"ab", b"abc", b"")
    assert impl.buffer(exporter).list() == [97, 98, 99]
    assert exporter.released == 4
    p = impl.buffer(Exporter(b"ab", KeyError("once"), b"ab", StopIteration("no"), b""))
    with pytest.raises(KeyError):
        next(p)
    assert next(p) == 97
    assert next(p) == 98
    with pytest.raises(RuntimeError) as caught:
        next(p)
    assert isinstance(caught.value.__cause__, StopIteration)
    assert list(p) == []
    other = array.array("h", [1, 2, 3, 4])
    with pytest.raises(RuntimeError, match="format of a buffer was changed"):
        impl.buffer(Exporter(b"ab", other)).list()


def test_throw_ends_a_buffer(impl):
    p = impl.buffer(b"abc")
    next(p)
    with pytest.raises(KeyError):
        p.throw(KeyError("hello"))
    assert list(p) == []


# all of them -------------------------------------------------------------------------

MAKERS = {
    "iter_except": lambda px: px.iter_except(iter("abc").__next__, StopIteration),
    "always_iterable": lambda px: px.always_iterable(list("abc")),
    "with_iter": lambda px: px.with_iter(Manager("abc")),
    "buffer": lambda px: px.buffer(b"abc").map(chr),
}


@pytest.mark.parametrize("name", MAKERS)
def test_they_are_pipes(impl, name):
    assert MAKERS[name](impl).map(str.upper).list() == ["A", "B", "C"]
    with MAKERS[name](impl) as p:
        assert next(p) == "a"
    assert list(p) == []
    p = impl.pipe(MAKERS[name](impl)).batched(2)
    assert p.list() == [("a", "b"), ("c",)]
    assert impl.chain(MAKERS[name](impl), "d").__next__() == "a"
    first, second = impl.tee(MAKERS[name](impl))
    assert list(first) == list(second) == ["a", "b", "c"]


@pytest.mark.parametrize("name", MAKERS)
def test_they_cannot_be_pickled(name):
    px = pygenx()
    with pytest.raises(TypeError, match="cannot pickle"):
        MAKERS[name](px).__reduce__()
