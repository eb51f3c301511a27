"""The peers' names spelled with pygenx, one line each.

What is not here is the peer's own. A stage is a method and takes its iterable first.
"""

import functools
import sys
import types

import pygenx
from pygenx import pipe


def stage(name):
    """f(iterable, *args) from pipe(iterable).name(*args)"""

    def adapter(iterable, *args, **kwargs):
        return getattr(pipe(iterable), name)(*args, **kwargs)

    return adapter


def stage_last(name):
    """f(arg, iterable) from pipe(iterable).name(arg)"""

    def adapter(arg, iterable, *args, **kwargs):
        return getattr(pipe(iterable), name)(arg, *args, **kwargs)

    return adapter


def first_item(iterable, *default, **named):
    return pipe(iterable).first(*default, *named.values())


def last_item(iterable, *default, **named):
    return pipe(iterable).last(*default, *named.values())


def take(n, iterable):
    return pipe(iterable).take(n).list()


def prepend(value, iterable):
    return pipe(iterable).prepend([value])


def map_reduce(iterable, *args, **kwargs):
    return pipe(iterable).map_reduce(*args, **kwargs)


def ours(name):
    """The object or function of that name, looked up when it is called."""
    return getattr(pygenx, name)


def more_itertools():
    same = (
        *("always_iterable", "iter_except", "iter_suppress", "iterate", "map_except"),
        *("partition", "peekable", "roundrobin", "seekable", "serialize"),
        *("side_effect", "spy", "with_iter"),
    )
    stages = (
        *("batched", "chunked", "collapse", "consume", "first_true", "flatten"),
        *("locate", "map_reduce", "nth", "one", "only", "sliding_window"),
        *("split_after", "split_at", "split_before", "split_when", "unique_everseen"),
        *("unique_justseen", "windowed"),
    )
    return {
        **{name: ours(name) for name in same},
        **{name: stage(name) for name in stages},
        "concurrent_tee": functools.partial(pygenx.tee, lock=True),
        "consumer": pygenx.primed,
        "filter_map": stage_last("filter_map"),
        "first": first_item,
        "ilen": stage("count"),
        "intersperse": stage_last("intersperse"),
        "last": last_item,
        "prepend": prepend,
        "tail": stage_last("tail"),
        "take": take,
        "takewhile_inclusive": stage_last("takewhile_inclusive"),
    }


# -- toolz ----------------------------------------------------------------------------


def by(key):
    """toolz takes an index or a list of them for a key function."""
    if callable(key):
        return key
    if isinstance(key, list):
        return lambda item: tuple(item[k] for k in key)
    return lambda item: item[key]


def given(values):
    """One text stands for nothing."""
    return bool(values) and values[0] != "__no__default__"


def toolz_accumulate(binop, seq, *initial):
    if not given(initial):
        return pipe(seq).accumulate(binop)
    return pipe(seq).accumulate(binop, initial=initial[0])


def toolz_reduceby(key, binop, seq, *init):
    """There init is a value or a factory."""
    if not given(init):
        return pipe(seq).reduceby(by(key), binop)
    named = {"factory" if callable(init[0]) else "init": init[0]}
    return pipe(seq).reduceby(by(key), binop, **named)


def toolz_pluck(ind, seqs, *default):
    return pipe(seqs).pluck(ind, *(default if given(default) else ()))


def toolz_unique(seq, key=None):
    return pipe(seq).unique_everseen(key if key is None else by(key))


def toolz_merge_sorted(*seqs, **key):
    return pygenx.merge(*seqs, **key)


def toolz_peekn(n, seq):
    seen, items = pygenx.spy(seq, n)
    return tuple(seen), items


def toolz_peek(seq):
    items = pygenx.peekable(seq)
    return items.peek(), items


def toolz():
    return {
        "accumulate": toolz_accumulate,
        "concat": pygenx.chain.from_iterable,
        "concatv": pygenx.chain,
        "cons": prepend,
        "count": stage("count"),
        "drop": stage_last("drop"),
        "first": first_item,
        "frequencies": stage("frequencies"),
        "groupby": lambda key, seq: map_reduce(seq, by(key)),
        "interleave": lambda seqs: pygenx.roundrobin(*seqs),
        "interpose": stage_last("intersperse"),
        "iterate": pygenx.iterate,
        "last": last_item,
        "mapcat": stage_last("flat_map"),
        "merge_sorted": toolz_merge_sorted,
        "nth": stage_last("nth"),
        "partition_all": stage_last("batched"),
        "peek": toolz_peek,
        "peekn": toolz_peekn,
        "pluck": toolz_pluck,
        "reduceby": toolz_reduceby,
        "remove": stage_last("filterfalse"),
        "rest": lambda seq: pipe(seq).drop(1),
        "sliding_window": lambda n, seq: pipe(seq).sliding_window(n),
        "tail": stage_last("tail"),
        "take": stage_last("take"),
        "unique": toolz_unique,
    }


# -- iteration_utilities --------------------------------------------------------------


def deepflatten(iterable, depth=-1, types=None, ignore=None, isinstance=isinstance):
    """types= (what alone is flattened) has no spelling of ours."""
    return pipe(iterable).collapse(ignore, None if depth < 0 else depth)


def grouper(iterable, n, fillvalue=None, truncate=False):
    """fillvalue= and truncate= have no spelling of ours."""
    return pipe(iterable).batched(n)


def successive(iterable, times=2):
    return pipe(iterable).sliding_window(times)


def split(iterable, key, maxsplit=-1, keep=False, eq=False, **where):
    """keep_before: the separator stays with the list before it, as in split_after."""
    before, after = where.pop("keep_before", False), where.pop("keep_after", False)
    if where or keep + before + after > 1:
        raise ValueError("only one or none of keep, keep_before, keep_after")
    pred = (lambda item: item == key) if eq else key
    if before:
        return pipe(iterable).split_after(pred, maxsplit)
    if after:
        return pipe(iterable).split_before(pred, maxsplit)
    return pipe(iterable).split_at(pred, maxsplit, keep)


def sideeffects(iterable, func, times=0):
    """There func gets a tuple."""
    if times:
        return pipe(iterable).tap(lambda chunk: func(tuple(chunk)), times)
    return pipe(iterable).tap(func)


def always_iterable(item, excluded_types=(str, bytes), empty_if_none=False):
    """There None is an item, if nothing else is said."""
    if item is None and not empty_if_none:
        return iter([None])
    return pygenx.always_iterable(item, excluded_types)


def partition(iterable, func=None):
    """There two lists."""
    falses, trues = pygenx.partition(func, iterable)
    return list(falses), list(trues)


def iteration_utilities():
    return {
        "accumulate": lambda items, func=None, *initial: pipe(items).accumulate(
            func, **dict(zip(["initial"], initial, strict=False))
        ),
        "always_iterable": always_iterable,
        "deepflatten": deepflatten,
        "flatten": stage("flatten"),
        "grouper": grouper,
        "intersperse": lambda items, e: pipe(items).intersperse(e),
        "iter_except": ours("iter_except"),
        "merge": ours("merge"),
        "one": stage("one"),
        "partition": partition,
        "roundrobin": ours("roundrobin"),
        "sideeffects": sideeffects,
        "split": split,
        "successive": successive,
        "unique_everseen": stage("unique_everseen"),
        "unique_justseen": stage("unique_justseen"),
    }


# -- in their place -------------------------------------------------------------------


def install(peer, source):
    """Before the peer's tests are imported."""
    if peer == "iteration_utilities":
        module = sys.modules[peer] = types.ModuleType(peer)
        flags = types.ModuleType(peer + "._utils")
        flags.IS_CPYTHON_PY_3_12 = False
        flags.IS_PYPY = False
        flags.USES_VECTORCALL = False
        sys.modules[flags.__name__] = flags
        module.return_True = lambda *args: True
        module.return_False = lambda *args: False
        module.return_identity = lambda item: item
        module.return_None = lambda *args: None
        module.Seen = module.ItemIdxKey = object
        module.__dict__.update(iteration_utilities())
        sys.path.insert(0, str(source / "tests"))
        return
    sys.path.insert(0, str(source))
    if peer == "toolz":
        import toolz.itertoolz as module
    else:
        import more_itertools as module
    vars(module).update(globals()[peer]())
