"""Words in front of frequencies(): str.strip, str.lower and str.split as one program.

Plain Python says what comes out, in which order. A word that is all of its line shows
which way it went: split() gives the line itself, the program a str of its own.
"""

import gc
import itertools
import operator
import pickle
import random
import sys
import time
import unicodedata
from collections import Counter

import pytest
from ctrl_c import interrupted
from hypothesis import example, given
from hypothesis import strategies as st

from pygenx import Pipeline, lifting, pipe, read_lines

pytestmark = pytest.mark.c

METHODS = {"strip": str.strip, "lower": str.lower}


class Text(str):
    """A subclass whose own methods are not those of the stages."""

    __slots__ = ()

    def lower(self):
        return "LOWER"

    def strip(self):
        return "STRIP"

    def split(self):
        return ["SPLIT"]


def with_stages(p, before, after):
    for name in before:
        p = p.map(METHODS[name])
    p = p.flat_map(str.split)
    for name in after:
        p = p.map(METHODS[name])
    return p


def plain_words(lines, before, after):
    for line in lines:
        for name in before:
            line = METHODS[name](line)
        for word in str.split(line):
            for name in after:
                word = METHODS[name](word)
            yield word


def outcome(call):
    """What is the same of two runs: the items of the result, or the error."""
    try:
        counter = call()
    except Exception as error:
        return type(error), str(error), getattr(error, "__notes__", None)
    assert type(counter) is Counter
    assert {type(word) for word in counter} <= {str}
    assert {type(count) for count in counter.values()} <= {int}
    return list(counter.items())


def watched(p):
    """The same pipe, each step by itself: its items are counted."""
    p.stats()
    return p


def check(lines, before=(), after=()):
    expected = Counter(plain_words(lines, before, after))
    for source in (lines, iter(lines), (line for line in lines)):
        counter = with_stages(pipe(source), before, after).frequencies()
        assert outcome(lambda counter=counter: counter) == list(expected.items())
    apart = watched(with_stages(pipe(lines), before, after)).frequencies()
    assert list(apart.items()) == list(expected.items())


# the same as plain Python -----------------------------------------------------------

SPACES = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace())
ALPHABET = (
    "abzABZ@[`{09._\x00\x08\x0e\x1b\x7f!"
    "\t\n\v\f\r\x1c\x1d\x1e\x1f  "
    "\x85\xa0\xc4\xe4\xdf\xff\u0130\u0131\u03a3\u03c3\u03c2\u0391\u0345\u00b7\u1e9e"
    "\u2003\u2028\u200b\u180e\u3000\ufeff\ud800\udfff\U0001d400\U00010400\U0001f600"
)
LINES = st.lists(
    st.one_of(
        st.text(ALPHABET, max_size=40),
        st.text("ab AB\n", max_size=40),
        st.text(max_size=20),
        st.text(st.characters(codec="ascii"), max_size=60),
    ),
    max_size=8,
)
MAPS = st.lists(st.sampled_from(sorted(METHODS)), max_size=3)


@given(LINES, MAPS, MAPS)
@example(["\u0391\u03a3 \u0391\u03a3\u0391 \u03a3", "\u0130 I"], ["lower"], [])
@example(["\u0391\u03a3\x1c\u0391 \u03a3\u00a0\u0391"], [], ["lower", "strip"])
def test_any_text(lines, before, after):
    check(lines, before, after)


@pytest.mark.parametrize("before", [(), ("lower",), ("strip", "lower")])
@pytest.mark.parametrize("after", [(), ("lower",), ("strip",)])
def test_words_of_each_length_at_each_place(before, after):
    for size in range(30):
        word = "Abcdefghijklmnopqrstuvwxyz0123"[:size]
        check([" " * pad + word + "\t" * gap for pad in range(10) for gap in range(3)])
        check([f"{word} {word}\n{word}x", word, word + "\n" * size], before, after)
        check([f"{word}\xe9 {word}\n{word}x", word, "\u0394" + word], before, after)


def test_words_that_differ_in_one_character():
    words = ["q" * size for size in range(1, 26)]
    lines = [
        word[:i] + other + word[i + 1 :]
        for word in words
        for i in range(len(word))
        for other in "abQ0\x00\x7f"
    ]
    check(lines)
    check([" ".join(lines)] * 2, ["lower"])


def test_words_that_have_the_same_bytes_are_not_the_same():
    """ "\\u6161" is two bytes "a", in memory; a short word is padded with zeros."""
    check(["aa \u6161 \U00016161 aa\x00 aa\x00\x00 \u6161", "\x00 \x00\x00", "a\x00 a"])


@pytest.mark.parametrize("character", ["x", "\xe9", "\u0416", "\U0001f600"])
def test_long_words_and_many_spaces(character):
    for size in (65535, 65536, 65537, 300_000):
        word = character * size
        check([f"a {word} b", word, f"{word}{word} a"])
        check([character + " " * size + "a b", "\n" * size])
        check([f"{character} a " * (size // 4)])


@pytest.mark.parametrize("seed", range(3))
def test_many_words(seed):
    rng = random.Random(seed)
    words = [
        "".join(rng.choices("abcdeABCDE\xe9", (*[9] * 10, 0.2), k=rng.randint(1, 14)))
        for _ in range(5000)
    ]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    lines = [" ".join(rng.choices(words, weights, k=10)) for _ in range(5000)]
    check(lines, ["strip"], ["lower"])


def test_where_nearly_all_words_are_new():
    numbers = list(map(str, range(150_000)))
    lines = [" ".join(numbers[i : i + 50]) for i in range(0, len(numbers), 50)]
    check(lines + lines[::-1] + ["\xe9 1 2", "one", "1"])


def test_no_whitespace_is_made_or_lost_by_lower():
    """That the order of the methods does not matter rests on this, and on white space
    being nothing that the lower case of its neighbours depends on."""
    for character in map(chr, range(sys.maxunicode + 1)):
        low = character.lower()
        assert low.lower() == low
        assert character.isspace() or not any(map(str.isspace, low)), character
        assert (character.strip() == "") == character.isspace(), character
    for space in SPACES:
        assert space.lower() == space
        assert unicodedata.category(space) in ("Cc", "Zs", "Zl", "Zp")
        for text in (
            "\u0391\u03a3%s\u0391",
            "\u0391%s\u03a3",
            "\u03a3\xb7%s\xb7\u0391",
        ):
            one, other = text.split("%s")
            assert (text % space).lower() == one.lower() + space + other.lower()


# what is no exact str -----------------------------------------------------------------

ITEMS = st.lists(
    st.one_of(
        st.text(ALPHABET, max_size=12),
        st.text(ALPHABET, max_size=12).map(Text),
        st.sampled_from(["to be", "be"]),
        st.sampled_from([None, 3, b"to be", 2.5, Text("To  Be"), Text("be")]),
    ),
    max_size=8,
)


@given(ITEMS, MAPS, MAPS, st.booleans())
def test_mixed_items(items, before, after, fails):
    def source():
        yield from items
        if fails:
            raise LookupError("source")

    def make():
        return with_stages(pipe(source()), before, after)

    apart = outcome(watched(make()).frequencies)
    assert outcome(make().frequencies) == apart
    if not fails and all(isinstance(item, str) for item in items):
        assert apart == list(Counter(plain_words(items, before, after)).items())


def test_the_note_of_an_error_names_stage_and_item():
    p = pipe(["to be", "be", 7, "or"]).filter(None).map(str.lower).flat_map(str.split)
    with pytest.raises(TypeError, match=r"'lower'.* for 'str' .* 'int'") as caught:
        p.frequencies()
    assert caught.value.__notes__ == ["pygenx: stage 2/3 map(str.lower), item 2: 7"]
    p = pipe(["to be", b"be"]).flat_map(str.split).map(str.strip)
    with pytest.raises(TypeError) as caught:
        p.frequencies()
    note = "pygenx: stage 1/2 flat_map(str.split), item 1: b'be'"
    assert caught.value.__notes__ == [note]


def test_an_error_of_the_source():
    def source():
        yield "to be"
        raise LookupError

    with pytest.raises(LookupError) as caught:
        pipe(source()).flat_map(str.split).frequencies()
    assert caught.value.__notes__ == ["pygenx: source <generator>, item 1"]


def test_an_error_that_is_caught_before():
    def line(item):
        return {1: "to be", 2: 2, 3: "be\xe9 to"}[item]

    p = pipe([1, 5, 3]).map(line).catch(KeyError).flat_map(str.split)
    assert list(p.frequencies().items()) == [("to", 2), ("be", 1), ("be\xe9", 1)]
    p = pipe([1, 2, 3]).map(line).flat_map(str.split).catch(TypeError)
    assert p.frequencies() == {"to": 2, "be": 1, "be\xe9": 1}


# which way it goes -----------------------------------------------------------------


def is_fused(make, line="tobeornot"):
    (word,) = make(pipe([line])).frequencies()
    assert word == line
    return word is not line


def test_which_programs_are_fused():
    assert is_fused(lambda p: p.flat_map(str.split))
    assert is_fused(lambda p: p.map(str.strip).flat_map(str.split).map(str.strip))
    assert is_fused(lambda p: p.filter(None).flat_map(str.split))
    assert is_fused(lambda p: p.take(1).map(str.strip).flat_map(str.split))
    assert is_fused(lambda p: p.map(str.strip) | Pipeline().flat_map(str.split))


def test_which_programs_are_not_fused():
    assert not is_fused(lambda p: p.map(str.strip))
    assert not is_fused(lambda p: p.map(str.split).flatten())
    assert not is_fused(lambda p: p.flat_map(str.split).filter(None))
    assert not is_fused(lambda p: p.flat_map(str.split).tap(len))
    assert not is_fused(lambda p: p.flat_map(str.split).catch(TypeError))
    assert not is_fused(lambda p: p.flat_map(str.splitlines))
    assert not is_fused(lambda p: watched(p.flat_map(str.split)))


def test_a_drain_that_is_counted_counts_each_step():
    p = pipe(["to be", "Be"]).map(str.lower).flat_map(str.split)
    stats = p.stats()
    assert p.frequencies() == {"to": 1, "be": 2}
    assert [(row.items_in, row.items_out) for row in stats] == [
        *((0, 2), (2, 2), (2, 3), (3, 0))
    ]


def test_the_lines_of_files(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("To be\r\nor\n\nnot to", encoding="utf-8")
    two.write_text("\u00c9t\u00e9 to\n", encoding="utf-8")
    lines = read_lines(one, two, missing="skip")
    words = lines.map(str.strip).map(str.lower).flat_map(str.split).frequencies()
    assert list(words.items()) == [
        *(("to", 3), ("be", 1), ("or", 1), ("not", 1), ("\u00e9t\u00e9", 1))
    ]
    assert (
        words == read_lines(one, two).flat_map(str.split).map(str.lower).frequencies()
    )


def test_what_is_left_in_the_source():
    def lines():
        yield from ["to be", "or", "not"]

    source = lines()
    p = pipe(source).take(2).flat_map(str.split)
    assert p.frequencies() == {"to": 1, "be": 1, "or": 1}
    assert next(source) == "not"


def test_a_started_pipe_counts_the_rest():
    p = pipe(["to be", "or be"]).map(str.lower).flat_map(str.split)
    assert next(p) == "to"
    assert list(p.frequencies().items()) == [("be", 2), ("or", 1)]


# lifted functions ---------------------------------------------------------------------


def lambdas(p):
    return (
        p.map(lambda line: line.strip())
        .flat_map(lambda line: line.split())
        .map(lambda word: word.strip())
    )


def is_fused_later(make, source=iter):
    """Once the functions have been called often enough to be lifted."""
    line = "tobeornot"
    counter = make(pipe(source(["to be"] * 2000 + [line]))).frequencies()
    assert counter == {"to": 2000, "be": 2000, line: 1}
    return list(counter)[-1] is not line


def test_which_functions_are_fused():
    assert is_fused_later(lambdas)
    assert is_fused_later(lambdas, list)
    assert is_fused_later(lambda p: p.flat_map(lambda line: line.split()))
    assert is_fused_later(lambda p: p.flat_map(operator.methodcaller("split")))
    assert is_fused_later(lambda p: p.map(lambda x: x.strip()).flat_map(str.split))


def test_which_functions_are_not_fused():
    assert not is_fused_later(lambda p: p.flat_map(lambda line: line.split(" ")))
    assert not is_fused_later(lambda p: p.flat_map(lambda line: line.split(maxsplit=9)))
    assert not is_fused_later(lambda p: p.flat_map(lambda line: str.split(line)))
    assert not is_fused_later(lambda p: p.flat_map(lambda line: line.split()[:9]))
    assert not is_fused_later(
        lambda p: p.flat_map(str.split).map(lambda word: word.strip("."))
    )
    with lifting.disabled():
        assert not is_fused_later(lambdas)
        assert not is_fused(lambda p: p.flat_map(str.split))


def test_functions_are_called_while_somebody_watches():
    sys.setprofile(lambda *event: None)
    try:
        assert not is_fused_later(lambdas)
    finally:
        sys.setprofile(None)


FUNCTIONS = {
    "strip": lambda line: line.strip(),
    "lower": lambda line: line.lower(),
    "split": lambda line: line.split(),
}


def with_functions(p, before, after, lambdas):
    """Those stages are lambdas whose number is in `lambdas`."""
    names = [*before, "split", *after]
    for i, name in enumerate(names):
        function = FUNCTIONS[name] if i in lambdas else getattr(str, name)
        p = p.flat_map(function) if name == "split" else p.map(function)
    return p


@pytest.mark.parametrize("before", [("lower",), ("strip", "lower"), ()])
@pytest.mark.parametrize("after", [("lower",), ("lower", "strip"), ()])
@pytest.mark.parametrize("lambdas", [(), range(9), (0,), (1,), (0, 2), (1, 3)], ids=str)
def test_lifting_that_comes_and_goes(before, after, lambdas):
    """In the middle of a run: whoever counts, it is in the order of the lines."""
    rng = random.Random(1)
    words = [f"W{rng.randrange(4000)}\xe9"[: rng.randint(2, 6)] for _ in range(9000)]
    lines = [" ".join(words[i : i + 3]) for i in range(0, len(words), 3)]
    lines[1500:1510] = map(Text, lines[1500:1510])

    def source():
        for i, line in enumerate(lines):
            if i % 300 == 0:
                time.sleep(0.0005)  # longer than between two looks for tracers
                sys.setprofile((lambda *event: None) if i % 600 else None)
            yield line

    try:
        counter = with_functions(pipe(source()), before, after, lambdas).frequencies()
    finally:
        sys.setprofile(None)
    apart = watched(with_functions(pipe(lines), before, after, lambdas)).frequencies()
    assert list(counter.items()) == list(apart.items())


# reducers ----------------------------------------------------------------------------

REDUCER = Pipeline().map(str.lower).flat_map(str.split).frequencies()


def test_a_reducer():
    lines = ["To be", Text("to"), "\u00c9t\u00e9 to", "be"]
    expected = [("to", 3), ("be", 2), ("\u00e9t\u00e9", 1)]
    assert list(REDUCER(lines).items()) == expected
    assert list(pickle.loads(pickle.dumps(REDUCER))(lines).items()) == expected
    counts, number = pipe(lines).collect(REDUCER, Pipeline().count())
    assert (list(counts.items()), number) == (expected, 4)
    push = REDUCER.push()
    for line in lines:
        push.send(line)
    assert list(push.close().items()) == expected


def test_a_push_goes_on_after_an_error():
    push = REDUCER.push()
    push.send("to be")
    with pytest.raises(TypeError):
        push.send(1)
    push.send("or be")
    assert list(push.close().items()) == [("to", 1), ("be", 2), ("or", 1)]


def test_one_that_is_dropped_half_way():
    push = REDUCER.push()
    push.send("to be")
    del push
    gc.collect()


# the good neighbour -----------------------------------------------------------------


class Rang(Exception):
    pass


def ascii_id(line):
    return "ascii" if line.isascii() else "other"


@pytest.mark.parametrize(
    "line", ["to be or not " * 2_000_000, "to be \xe9 or not " * 200_000], ids=ascii_id
)
def test_signals_come_through_inside_a_long_text(line):
    """The note says so: it was raised in the stage, neither before nor after."""

    def rung():
        try:
            pipe(itertools.repeat(line)).flat_map(str.split).frequencies()
        except Rang as error:
            notes.extend(error.__notes__)
            raise

    notes = []
    interrupted(rung, 0.03, Rang)
    assert notes[0].startswith("pygenx: stage 1/1 flat_map(str.split)")


def test_a_function_whose_code_is_replaced_meanwhile():
    def words(line):
        return line.split()

    def one_word(line):
        return ["Z"]

    def source():
        yield from ["a b"] * 2000
        words.__code__ = one_word.__code__
        yield from ["a b"] * 2000

    found = pipe(source()).flat_map(words).frequencies()
    assert list(found.items()) == [("a", 2000), ("b", 2000), ("Z", 2000)]
