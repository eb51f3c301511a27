"""What the peers' tests ask and pygenx does not do, test by test, with the reason.

{peer: {group: {reason: names of the tests}}}. A name is short of that of its group, and
stands for all parameters if it has none. A test that is listed here and passes is a
failure.
"""

NO_PICKLE = "iterators are neither pickled nor copied; itertools has stopped it too"
NO_SETSTATE = "as it is not pickled there is no __setstate__"
NO_ATTRIBUTES = "arguments and inner state are no attributes"
NO_HINT = "a source's own __length_hint__ may lie and is not asked"

DEVIATIONS = {
    "more_itertools": {
        "IterSuppressTests": {
            "iter() is called when it is made, and its error passes": (
                "test_early_suppression"
            ),
        },
        "LocateTests": {
            "no window_size=: use .windowed(n) and .locate(pred)": (
                "test_window_size test_window_size_large test_window_size_zero"
            ),
        },
        "PeekableTests": {
            "it looks at the private _cache": "test_slicing_error",
        },
        "SeekableTest": {
            "positions are absolute with maxlen too": (
                "test_getitem_maxlen test_maxlen"
            ),
        },
        "TestSerialize": {
            "it looks at the private _lock and sets _iterator": (
                "test_serialize_generator_methods_locking"
            ),
            "throw() and close() work over any source, as of every object here": (
                "test_serialize_methods_attribute_error"
            ),
        },
        "TestConcurrentTee": {
            "a branch shows no .lock": "test_concurrent_consumers",
        },
    },
    "toolz": {
        "test_nth": {
            "an input too short gives the default, as in more-itertools": "test_nth",
        },
        "test_partition_all": {
            "a list is read, whatever its __len__ says": "test_partition_all",
        },
    },
    "iteration_utilities": {
        "test_accumulate": {
            "initial= is the first item, as in itertools": "initial1",
            NO_ATTRIBUTES: "attributes1 attributes2",
            NO_HINT: "lengthhint_failure1 lengthhint_failure2",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4",
        },
        "test_always_iterable": {
            "subclasses of str and bytes are texts too": "str_subclass",
        },
        "test_deepflatten": {
            "base_type is tried when it is given": "failure10",
            "collapse() has no types=": "types2 failure6 failure9",
            "texts are never split, as in more-itertools": (
                "containing_strings1 containing_strings2 containing_strings3"
            ),
            NO_ATTRIBUTES: "attributes1",
            NO_PICKLE: "copy1 pickle1 pickle2",
            NO_SETSTATE: (
                "failure_setstate1 failure_setstate2 failure_setstate3 "
                "failure_setstate4 failure_setstate5 failure_setstate6 "
                "reduce1 setstate1"
            ),
        },
        "test_grouper": {
            NO_ATTRIBUTES: "attributes1 attributes2",
            NO_HINT: "lengthhint_failure1 lengthhint_failure2",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3",
            NO_SETSTATE: "failure_setstate1 failure_setstate2",
            "batched() has no fillvalue=": "fill1 fill2 fill4 fill5",
            "batched() has no truncate=": (
                "failure1 truncate1 truncate2 truncate4 truncate5 lengthhint1[2-it0]"
            ),
        },
        "test_intersperse": {
            NO_ATTRIBUTES: "attributes1",
            NO_HINT: "lengthhint_failure1 lengthhint_failure2 lengthhint_failure3",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4",
            NO_SETSTATE: "failure_setstate1 failure_setstate2 failure_setstate3",
        },
        "test_iter_except": {
            NO_ATTRIBUTES: "attributes1 attributes2",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4",
        },
        "test_merge": {
            "an input is asked again when its item is needed, as by heapq": "failure13",
            NO_ATTRIBUTES: "attributes1",
            NO_HINT: (
                "lengthhint_failure1 lengthhint_failure2 lengthhint_failure3 "
                "lengthhint_failure4 lengthhint_failure5"
            ),
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4 pickle5",
            NO_SETSTATE: (
                "failure_setstate1 failure_setstate10 failure_setstate2 "
                "failure_setstate3 failure_setstate4 failure_setstate5 "
                "failure_setstate6 failure_setstate7 failure_setstate8 "
                "failure_setstate9 reduce1 setstate1"
            ),
        },
        "test_one": {
            "the texts of the errors are those of more-itertools": "failure3",
        },
        "test_roundrobin": {
            NO_HINT: "failure_lengthhint1 failure_lengthhint2 failure_lengthhint3",
            NO_PICKLE: "copy1 pickle1 pickle2",
            NO_SETSTATE: (
                "failure_setstate1 failure_setstate2 failure_setstate3 "
                "failure_setstate4 failure_setstate5 failure_setstate6 "
                "failure_setstate7 failure_setstate8"
            ),
        },
        "test_sideeffects": {
            NO_ATTRIBUTES: "attribute1",
            NO_HINT: "failure_lengthhint1 failure_lengthhint2",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4 pickle5 pickle6",
            NO_SETSTATE: (
                "failure_setstate1 failure_setstate2 failure_setstate3 "
                "failure_setstate4 failure_setstate5 failure_setstate6 "
                "failure_setstate7 failure_setstate8 failure_setstate9"
            ),
        },
        "test_split": {
            "a separator at the end leaves an empty list, as in more-itertools": (
                "empty1 keep2 normal2"
            ),
            "keep_before= and keep_after= are stages of their own": (
                "failure4 failure5 failure6 failure7"
            ),
            "any maxsplit below zero means: no bound": "failure11",
            NO_ATTRIBUTES: "attributes1",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4 pickle5",
            NO_SETSTATE: "failure_setstate1 failure_setstate2",
        },
        "test_successive": {
            NO_HINT: "failure_lengthhint1 failure_lengthhint2",
            NO_PICKLE: "copy1 pickle1 pickle2",
            NO_SETSTATE: (
                "failure_setstate1 failure_setstate2 failure_setstate3 "
                "failure_setstate4 failure_setstate5"
            ),
        },
        "test_unique_everseen": {
            "keys have to be hashable, as in more-itertools 11": (
                "failure5 unhashable1 unhashable2"
            ),
            NO_ATTRIBUTES: "getter1 getter2",
            NO_PICKLE: "copy1 pickle1",
            NO_SETSTATE: "failure_setstate1 failure_setstate2 failure_setstate3",
        },
        "test_unique_justseen": {
            NO_ATTRIBUTES: "attributes1",
            NO_PICKLE: "copy1 pickle1 pickle2 pickle3 pickle4",
            NO_SETSTATE: "failure_setstate1 failure_setstate2",
        },
    },
}


def listed(peer, group):
    """The names of the tests of a group that deviate."""
    groups = DEVIATIONS[peer].get(group, {})
    return [name for names in groups.values() for name in names.split()]
