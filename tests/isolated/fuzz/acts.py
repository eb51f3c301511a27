"""What is done to the objects of a round: from outside, and by what they call."""

import array
import gc
import itertools
import operator
import pickle
import signal
import sys
import threading
import weakref

import pygenx
from fuzz import build, judge
from fuzz.evil import Evil, Record, callback, function, hostile, item, source
from fuzz.world import world

# reading -----------------------------------------------------------------------------


def pull(made):
    """next(). What has ended stays ended, what is running gives nothing."""
    me = (id(made), threading.get_ident())
    known = not world.finalizers and not world.threaded
    inside = known and me in world.running
    world.running.append(me)
    try:
        got = next(made)
    except StopIteration:
        world.running.remove(me)
        if not inside and judge.is_sticky(made):
            judge.check_ended(made, type(made).__name__)
        return None
    except BaseException:
        world.running.remove(me)
        raise
    world.running.remove(me)
    if inside and judge.is_sticky(made):
        raise judge.Finding(f"{type(made).__name__} gave an item while it was running")
    return got


def several(made):
    for _ in range(world.below(6)):
        got = pull(made)
        if type(got) is tuple and len(got) == 2 and hasattr(got[1], "close"):
            world.keep(got[1])  # a group
        del got


def drain_some(made):
    for _ in itertools.islice(made, 200):
        pass


def finish(made):
    drain(made)


def finish_long(made):
    """More stages, then a terminal: the drains that lift at once."""
    drain(build.add_stages(made))


def new_drain(made):
    """A program that nobody else sees, from source to result."""
    drain(build.add_stages(pygenx.pipe(source()), 5))


def drain(made):
    """A terminal. No callback's StopIteration comes out of it."""
    name, args, keywords = build.terminal()
    terminal = getattr(made, name)
    try:
        terminal(*args, **keywords)
    except StopIteration as error:
        if is_ours(made):
            raise judge.Finding(f"{name}: StopIteration came out") from error
        raise


def listed(made):
    list(itertools.islice(iter(made), 50))


def leave(made):
    with made:
        several(made)


def leave_by_error(made):
    with made:
        raise judge.error_to_raise(world.chance)


def close(made):
    made.close()


def send(made):
    made.send(item())


def send_none(made):
    made.send(None)


def send_many(made):
    for _ in range(world.below(40)):
        made.send(item())


def throw(made):
    error = judge.error_to_raise(world.chance)
    if isinstance(error, StopIteration) and hasattr(sys, "gettotalrefcount"):
        error = LookupError(judge.INJECTED)  # an assertion of CPython 3.14 fails
    made.throw(error)


def throw_kind(made):
    made.throw(world.pick((LookupError, ValueError, GeneratorExit)))


def throw_wrongly(made):
    made.throw(world.pick((1, int, Evil(), (ValueError,))), item(), None)


def look_at(made):
    """All that shows an object."""
    world.pick((repr, str, dir, operator.length_hint, sys.getsizeof, bool))(made)


def ask_attributes(made):
    names = ("result", "path", "lineno", "current", "error", "item", "laps", "elapsed")
    getattr(made, world.pick(names))


def explain(made):
    made.explain()


def call_it(made):
    """A program over a source, a reducer, a native function."""
    got = made(source())
    if type(got).__module__.startswith("pygenx"):
        world.keep(got)


def travel(made):
    world.keep(build.travelled(made))


def check_pickle(made):
    world.pick((lambda: pickle.dumps(made), lambda: made.check_pickle(callback)))()


def peek(made):
    made.peek(None)


def index(made):
    made[world.below(12) - 3]


def cut(made):
    made[world.below(12) - 3 : world.below(12) - 3]


def seek(made):
    world.pick((made.seek, made.relative_seek))(world.below(9) - 3)


def elements(made):
    world.keep(made.elements())


def prepend(made):
    made.prepend(item(), Evil(8))


def feed(made):
    pygenx.feed(source(), made)


def join_programs(made):
    world.keep(made | world.some_live())


def compare(made):
    made == world.some_live()  # noqa: B015
    hash(made)


def drive_async(made):
    """An awaitable, or what an async generator gives, by hand."""
    kind = world.chance.random()
    if hasattr(made, "__anext__"):
        steps = (made.__anext__, lambda: made.asend(item()), made.aclose)
        step = world.pick((*steps, lambda: made.athrow(LookupError("x"))))()
        world.keep(step)
    else:
        step = iter(made.__await__())
    for _ in range(world.below(4)):
        step.send(None)
    if kind < 0.3:
        step.throw(LookupError("thrown"))
    elif kind < 0.4:
        step.close()


# building ----------------------------------------------------------------------------


def wrap(made):
    """A new object, over this one or over something else."""
    new = build.made(made if made is not None and world.maybe(0.5) else source())
    if type(new).__module__.startswith("pygenx"):
        world.keep(new)


def add_stage(made):
    world.keep(build.add_stage(made))


# what callbacks should not do --------------------------------------------------------


def drop(made):
    """The last reference, maybe."""
    if made in [*world.live]:
        world.live.remove(made)


def drop_any(made):
    if world.live:
        world.live.pop(world.below(len(world.live)))


def drop_all(made):
    del made
    world.live.clear()
    world.data.clear()


def make_cycle(made):
    world.live.append(world.live)


def change_data(made):
    """Append to, shorten, refill, sort what somebody may be reading."""
    if not world.data:
        return
    data = world.pick(world.data)
    kind = world.below(7)
    number = isinstance(data, (array.array, bytearray))
    new = world.below(100) if number else item()
    if kind == 0:
        getattr(data, "append" if hasattr(data, "append") else "add")(new)
    elif kind == 1:
        data.pop()
    elif kind == 2:
        data.clear() if hasattr(data, "clear") else data.__delitem__(slice(None))
    elif kind == 3:
        del data[world.below(3) :]
    elif kind == 4:
        data[world.below(len(data) + 1)] = new
    elif kind == 5:
        data.extend([new] * world.below(50))
    else:
        data.reverse() if hasattr(data, "reverse") else data.update({new: new})


def change_a_function(made):
    """Its code, defaults or keyword defaults."""
    if not world.functions:
        return
    func = world.pick(world.functions)
    kind = world.below(4)
    if kind == 0:
        func.__code__ = world.pick((callback, function(), unlike)).__code__
    elif kind == 1:
        func.__defaults__ = world.pick((None, (item(),), (item(), item())))
    elif kind == 2:
        func.__kwdefaults__ = world.pick((None, {}, {"k": item()}))
    elif func.__kwdefaults__:
        func.__kwdefaults__.clear()


def unlike(x):
    hostile()
    return [y for y in (x, x) if y]


def change_names(made):
    """Globals and cells of functions that may be running natively."""
    kind = world.below(5)
    if kind == 0:
        world.names["g"] = item()
    elif kind == 1:
        world.names.pop("g", None)
    elif kind == 2:
        world.names[world.pick(("len", "str", "abs", "isinstance"))] = callback
    elif kind == 3:
        for name in ("len", "str", "abs", "isinstance"):
            world.names.pop(name, None)
    elif world.cells:
        cell = world.pick(world.cells)
        if world.maybe(0.3):
            del cell.cell_contents
        else:
            cell.cell_contents = item()


def change_a_class(made):
    """Where Record's attributes are found."""
    kind = world.below(6)
    if kind == 0:
        Record.text = world.pick(("other", Evil(5), property(callback)))
    elif kind == 1:
        Record.number = world.pick((property(lambda self: 3), 7, callback))
    elif kind == 2:
        for name in ("number", "__getattr__", "__getattribute__"):
            if name in Record.__dict__:
                delattr(Record, name)
    elif kind == 3:
        Record.__getattr__ = lambda self, name: callback(name)
    elif kind == 4:
        Record.method = world.pick((METHOD, callback, None))
    else:
        Record.__getattribute__ = slow_lookup


METHOD = Record.method
ORIGINAL = {name: Record.__dict__[name] for name in ("text", "method", "counted")}


def slow_lookup(self, name):
    hostile(0.2)
    return object.__getattribute__(self, name)


def restore_classes():
    for name in ("number", "__getattr__", "__getattribute__"):
        if name in Record.__dict__:
            delattr(Record, name)
    for name, value in ORIGINAL.items():
        setattr(Record, name, value)


def change_kind(made):
    """The class of an item that somebody holds."""
    for found in [*world.data][:3]:
        if isinstance(found, list) and found and type(found[0]) is Record:
            found[0].__dict__.clear()
            found[0].__class__ = world.pick((OtherRecord, Record))


class OtherRecord(Record):
    @property
    def number(self):
        hostile()
        return 2


def trace(made):
    """A tracer or profiler from now on, until it goes again."""
    setter = world.pick((sys.settrace, sys.setprofile))
    setter(world.pick((None, tracer, tracer)))


def tracer(frame, event, argument):
    if frame.f_code.co_filename in ("<string>", "<case>"):
        hostile(0.3, 0.01)
    return tracer


def untrace(made=None):
    sys.settrace(None)
    sys.setprofile(None)


def switch_lifting(made):
    by = world.pick((1, -1)) if world.off else 1
    pygenx.lifting._switch(by)
    world.off += by


def be_eager(made):
    """Lift at once, however short the source."""
    by = world.pick((1, -1)) if world.eager else 1
    pygenx.lifting._eager(by)
    world.eager += by


def restore_lifting():
    pygenx.lifting._switch(-world.off)
    pygenx.lifting._eager(-world.eager)
    world.off = world.eager = 0


def collect(made):
    gc.collect(world.below(3))


def collect_often(made):
    gc.set_threshold(world.pick((1, 7, 700)), 10, 10)


def peep(made):
    """Objects that nobody was given: half made, inner, on their way."""
    found = gc.get_referrers(made) + gc.get_referents(made)
    found += [x for x in gc.get_objects()[-60:] if is_ours(x)]
    for inner in found[:40]:
        if is_ours(inner):
            repr(inner)
            if world.maybe(0.3):
                world.keep(inner)


def is_ours(thing):
    return getattr(type(thing), "__module__", "").startswith("pygenx")


def watch_death(made):
    """A weak reference whose callback is hostile."""
    world.data.append(weakref.ref(made, lambda reference: world.do_late()))


def other_thread(made):
    """The same world, from another thread, while this one waits."""
    thread = threading.Thread(target=act_quietly, daemon=True)
    thread.start()
    thread.join(1)
    if thread.is_alive():  # for a lock that this one holds: serialize(), tee(lock=True)
        world.waiting.append(thread)


def act_quietly():
    try:
        world.do(1)
    except judge.Finding as finding:
        judge.FOUND.append(finding)


def signalled(made):
    """A handler that acts, wherever signals are looked at next."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, lambda *args: world.do_late())
        signal.raise_signal(signal.SIGINT)


def recurse(made):
    """The same act where there is hardly any stack left. The limit is that of all
    threads: one that deals with an error beyond it is a fatal error of CPython's."""
    if world.threaded:
        return
    old = sys.getrecursionlimit()
    depth = 0
    frame = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    try:
        sys.setrecursionlimit(depth + 8 + world.below(40))
        action = world.pick((pull, listed, finish, several, close, new_drain))
        action(made)
    finally:
        sys.setrecursionlimit(old)


def nest(made):
    """The object deep inside others of its kind."""
    wrapper = world.pick((pygenx.chain, pygenx.own, pygenx.pipe, pygenx.peekable))
    for _ in range(world.pick((20, 300))):
        made = wrapper(made)
    world.keep(made)


ACTS = (
    *[pull] * 5,
    *[several] * 5,
    *[wrap] * 5,
    *[new_drain] * 5,
    *[finish] * 3,
    *[finish_long] * 3,
    *[add_stage] * 3,
    *[change_data] * 4,
    *[call_it] * 2,
    *[send] * 2,
    *[throw] * 2,
    *[close] * 2,
    *[drop] * 2,
    *[drop_any] * 2,
    *[change_a_function] * 2,
    *[change_names] * 2,
    *[change_a_class] * 2,
    *[be_eager] * 2,
    *[untrace] * 2,
    *(drain_some, listed, leave, leave_by_error, send_none, send_many, throw_kind),
    *(throw_wrongly, look_at, ask_attributes, explain, travel, check_pickle, peek),
    *(index, cut, seek, elements, prepend, feed, join_programs, compare, drive_async),
    *(drop_all, make_cycle, change_kind, trace, switch_lifting, collect),
    *(collect_often, peep, watch_death, other_thread, signalled, recurse, nest),
)
