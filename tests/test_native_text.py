"""The source text of native programs: it computes what the function does."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygenx import lifting

pytestmark = pytest.mark.c

SAME = """
x
x + 1
(x + 1) * 2 - -x
-x ** 2
(-x) ** 2
(-1) ** x
2 ** x ** 3
~+-x
x @ K // 3 % 2 << 1 >> 2 & 3 | x ^ 5
x['age'] >= 30
x[1:3]
x[::2]
x[:, 1]
x[1:x, 3]
x[x[0]]
x[1,]
x.name.upper()
x.get('a', K)
x.f(1, a=2, b=x)
x()()(1)[2].a
(x + 1).real
(1).real + x
len(x)
max(x, key=len)
x and x.a
x or 1
not x
not x and K
(not x) + 1
not (x and K)
not (x or K)
x is None
x is not None
x in (1, 2)
x not in {1, 2}
x == Ellipsis
1 < x < 5
1 < x < K < 9
1 < x.a <= x.b and x.c
1 < x.a < 5 or x.d
(x < 1) == (2 < x)
(x < 1) < 2
x and 1 or 2
(x or 1) and 2
x.a and x.b or x.c and x.d
(x.a or x.b) and (x.c or x.d)
x if x > 1 else -x
x if x is not None else 0
x.a if x.b and x.c else x.d
x.a if x.b or x.c else x.d
x.a if not x.b else x.d
x.a if x.b and not x.c else x.d
x.a if not x.b or x.c else x.d
x.a if x.b else x.c if x.d else x.e
(x.a if x.b else x.c) if x.d else x.e
len(x.a if x.b else 1, x.b and 2)
x.a if 1 < x.b < 5 else x.c
(x, 1, x)
(x,)
()
[x, [1, 2, 3]]
[1, 2, 3, 4, 5]
{x, 1}
{'a': x, 'b': [x]}
{}
f'{x}'
f'a{x!r:>3}b{x + 1}'
f"{x['a']}"
f"{x}'s"
f'{x:>{K}}{{}}'
'%s' % x
b'x' in x
x.real == 1.5 or x.imag == 2j
None
""".strip().splitlines()
K = 5


def text_of(function):
    return repr(lifting.native(function))[:-1].partition(">: ")[2]


def function_of(text):
    return eval(f"lambda x: {text}", {"K": K, "inf": math.inf})


@pytest.mark.parametrize("text", SAME)
def test_a_lambda_is_shown_as_it_was_written(text):
    assert text_of(function_of(text)) == text


def test_names_of_parameters_cells_and_functions():
    k = 1

    def add(left, right=2):
        return left + right * k

    assert repr(lifting.native(add)).endswith("add: left + right * k>")


def test_what_is_too_long_or_too_tangled_is_cut():
    name = "attribute" * 20
    long = " + ".join(f"x.{name}_{n}" for n in range(10))
    shown = text_of(function_of(f"[{long}]"))
    assert "..." in shown
    assert len(shown) < 1100
    tangled = " and ".join(f"(x.a{n} or x.b{n})" for n in range(12))
    assert len(text_of(function_of(f"1 if {tangled} else 2"))) < 1100


@pytest.mark.parametrize(
    "text",
    [
        "f'{x}\\n' + \"it's\"",
        "f'''{x}' {x!r:\"^9}'''",
        "f'{x!s}{x!a:<3}'",
        "f'{x:{K}.{K}}'",
        "f'{ {1: x}[1] }'",
    ],
)
def test_strings_with_any_quotes(text):
    function = function_of(text)
    shown = text_of(function)
    for item in (1.5, "a'b", 'c"d', "\n"):
        assert outcome(function_of(shown), item) == outcome(function, item), shown


# -- any lambda ------------------------------------------------------------------------


class Probe:
    """Notes down what is asked of it; its answers depend on the name alone."""

    def __init__(self, log, seed):
        self.log = log
        self.seed = seed

    def __getattr__(self, name):
        if name[0] == "_":
            raise AttributeError(name)
        self.log.append(name)
        number = (ord(name[0]) * 7919 + self.seed) % 7
        if number == 6:
            raise KeyError(name)
        return [0, 1, 2, None, "", "s"][number]


def grow(parts):
    return st.one_of(
        st.builds("({} and {})".format, parts, parts),
        st.builds("({} or {})".format, parts, parts),
        st.builds("(not {})".format, parts),
        st.builds("({} if {} else {})".format, parts, parts, parts),
        st.builds("({} < {} <= {})".format, parts, parts, parts),
        st.builds("({} is not None)".format, parts),
        st.builds("[{}, {}]".format, parts, parts),
        st.builds("({} == {})".format, parts, parts),
        st.builds("(-{} ** {})".format, parts, parts),
        st.builds("f'{{{}}}'".format, parts.filter(lambda text: "'" not in text)),
    )


LAMBDAS = st.recursive(
    st.sampled_from(["x.a", "x.b", "x.c", "x.d", "x.e", "x.f == 1", "0 < x.g"]),
    grow,
    max_leaves=9,
)


def outcome(function, item):
    try:
        return repr(function(item))
    except Exception as error:
        return type(error), str(error)


@settings(max_examples=400, deadline=None)
@given(LAMBDAS, st.integers(0, 6))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_the_text_of_any_lambda_computes_the_same(text, seed):
    function = function_of(text)
    if lifting.why_not(function) is not None:
        return
    shown = text_of(function)
    if "..." in shown:
        return
    logs = [], []
    values = [
        outcome(each, Probe(log, seed))
        for each, log in zip((function, function_of(shown)), logs, strict=True)
    ]
    assert values[0] == values[1], shown
    # From 3.12 on a way out of a test is copied: what was tested is shown in each copy.
    assert list(dict.fromkeys(logs[0])) == list(dict.fromkeys(logs[1])), shown
