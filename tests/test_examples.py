"""The examples: each script runs by itself and prints exactly what it should.

Times are masked. Bad files give one line and an exit status, no traceback.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import pygenx

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TEXT = EXAMPLES / "data" / "genesis.txt"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))

PRINTED = {
    "bidirectional": """\
sent 1, so far 1
sent 2, so far 3
sent 3, so far 6
sent 4, so far 10
sent 5, so far 15
by a generator: 15
Final result: 15
68 F 77 F 59 F 59 F
""",
    "changing_items": """\
filter: [21.5, 19.0, -99.0, 23.0, 18.5]
remove: [21.5, 19.0, -99.0, 23.0, 18.5]
modify: [68.0, 77.0]
add before and after: abcde
one into many: ['a', 'b', 'c']
number: [(1, 'a'), (2, 'b'), (3, 'c')]
slice: [2, 5, 8]
add and remove: [1, 2, 3, None, 5, 6, None, 7, 9, None]
all in one, reusable: ['21.5', '19.0', '23.0', '18.5'] ['1.2']
""",
    "chunking": """\
(0, 1, 2, 3)
(4, 5, 6, 7)
(8, 9)
sums: [6, 22, 17]
first chunk: (0, 1, 2, 3)
taken so far: 4, next is 4
stored 500 rows, the first 'Genesis 1'
stored 500 rows, the first 'him.'
stored 244 rows, the first 'roof.'
(0, 1, 2, 3)
(4, 5, 6, 7)
ValueError: batched(): incomplete batch
""",
    "countdown": """\
3
2
1
lift-off
10 9 8 7 6 5 4 3 2 1 lift-off
""",
    "generator_methods": """\
given away: over when the pipe is
    finally
[1, 2]
kept: still open
[1, 2] 3
    finally
with: closed in any case
1
    finally
borrow: never
1
2
    finally
throw: the source may answer
ITEM - CAUGHT KEYERROR('X') - ITEM
raise: passes, and says where it came from
OSError('disk gone') ['pygenx: source <generator>, item 1']
""",
    "grouping_coroutine": """\
30 Alice
25 Bob
30 Charlie
25 David
30 Eve
30 to 39: Alice
20 to 29: Bob
30 to 39: Charlie
20 to 29: David
30 to 39: Eve
""",
    "infinite": """\
powers of 2: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
fibonacci: [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
primes: [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
the 1000th prime: 7919
three: [0, 1, 1]
the next: 2
""",
    "lazy_reading": """\
   90  8 And the LORD God planted a garden eastward in Eden; and there he put the
   95  10 And a river went out of Eden to water the garden; and from thence it was
  104  15 And the LORD God took the man, and put him into the garden of Eden to
3 found, 104 lines read
""",
    "paging": """\
    fetch 2 from 0
['#0', '#1']
    fetch 5 from 2
['#2', '#3', '#4', '#5', '#6']
    fetch 5 from 7
['#7', '#8', '#9', '#10', '#11']
    fetch 2 from 0
(0, [0, 1])
(1, [])
    fetch 1 from 2
(2, [2])
    fetch 5 from 12
12 items read
""",
    "primed_generator": """\
sent 10, average 10.0
sent 20, average 15.0
sent 60, average 30.0
Hello, Alice!
greeter - Says hello.
RuntimeError: too_short() ended before its first yield
""",
    "pushed_orders": """\
stored (('ann', 3), ('bob', 5))
left out ''
left out 'eve 0'
stored (('ann', 4), ('bob', 2))
total 14
by customer {'ann': 7, 'bob': 7}
took ('eve', 1)
pygenx: stage 1/1 map(parse), item 1: 'eve one'
took ('eve', 2)
""",
    "several_files": """\
mon.log:1: start
mon.log:2: stop
wed.log:1: start
wed.log:2: crash
opened 3, at most 1 at the same time,
still open 0
""",
    "timing_block": """\
Elapsed time: #.#### seconds
two halves: #.#### seconds
laps recorded: True
the whole is no less than its parts: True
calls: 3
in order: True
failed: #.#### seconds KeyError('x')
passed on: KeyError('x')
""",
    "two_consumers": """\
far apart: the second reads from the buffer
    measured 20.5
    measured 21.0
    measured 24.5
    measured 19.0
mean 21.25
alarms [24.5]
in step: nothing is kept
    measured 20.5
20.5 20.5
    measured 21.0
21.0 21.0
    measured 24.5
24.5 24.5
    measured 19.0
19.0 19.0
no further apart than one item
    measured 20.5
20.5
BufferError: a branch of tee lags 1 behind: maxlen is 1
    measured 21.0
20.5 21.0
""",
    "word_frequencies": """\
Elapsed time: #.#### seconds
14423 words, 2178 different; 144 times or more:
and          1405
the          1076
of            539
in            214
he            195
unto          185
that          182
his           180
to            175
i             154
""",
}


def run(script, *arguments, stdin=""):
    """The script in a process of its own, on the pygenx that is tested here.

    Every warning counts: an unclosed file would be printed on stderr.
    """
    package = str(Path(pygenx.__file__).resolve().parent.parent)
    path = [package, os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [
            sys.executable,
            *("-X", "dev", "-W", "error"),
            str(EXAMPLES / f"{script}.py"),
            *map(str, arguments),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def masked(text):
    return re.sub(r"\d+\.\d{4} seconds", "#.#### seconds", text)


def test_every_example_is_tested():
    assert sorted(PRINTED) == SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_example(script):
    process = run(script)
    assert (process.returncode, process.stderr) == (0, "")
    assert masked(process.stdout) == PRINTED[script]


# -- word_frequencies --------------------------------------------------------------


def test_word_frequencies_of_a_given_file(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("The cat\n  sat on THE mat,\n\nthe end", encoding="utf-8")
    process = run("word_frequencies", file, "--at-least", "2")
    assert process.returncode == 0
    assert masked(process.stdout) == (
        "Elapsed time: #.#### seconds\n8 words, 6 different; 2 times or more:\n"
        "the             3\n"
    )


def test_word_frequencies_are_those_of_plain_python():
    words = Counter(TEXT.read_text(encoding="utf-8").lower().split())
    process = run("word_frequencies", "--at-least", "1")
    rows = (line.split() for line in process.stdout.splitlines()[2:])
    assert {word: int(count) for word, count in rows} == words


def test_word_frequencies_of_standard_input():
    process = run("word_frequencies", "-", stdin="one two\ntwo\n")
    assert process.stdout.endswith("two             2\none             1\n")


# -- files that cannot be read -----------------------------------------------------


def unreadable(path):
    path.write_text("secret", encoding="utf-8")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("nothing is unreadable here")


BAD = {
    "missing": (lambda path: None, "No such file"),
    "directory": (Path.mkdir, "Is a directory|Permission denied"),
    "unreadable": (unreadable, "Permission denied"),
    "invalid UTF-8": (lambda path: path.write_bytes(b"ok\n\xff\xfe\n"), "utf-8"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("script", ["word_frequencies", "lazy_reading"])
def test_a_bad_file(script, kind, tmp_path):
    make, words = BAD[kind]
    make(tmp_path / "bad.txt")
    process = run(script, tmp_path / "bad.txt")
    assert process.returncode == 1
    assert re.fullmatch(rf"{script}\.py: .*bad\.txt.*({words}).*\n", process.stderr)
    assert "words" not in process.stdout


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_among_several(kind, tmp_path):
    make, words = BAD[kind]
    make(tmp_path / "bad.txt")
    (tmp_path / "good.txt").write_text("good\n", encoding="utf-8")
    process = run("several_files", tmp_path / "good.txt", tmp_path / "bad.txt")
    assert process.returncode == 1
    assert process.stdout == "good.txt:1: good\n"
    assert re.fullmatch(
        rf"several_files\.py: .*({words}).*bad\.txt.*\n", process.stderr
    )


def test_an_empty_file(tmp_path):
    file = tmp_path / "empty.txt"
    file.touch()
    process = run("word_frequencies", file)
    assert process.returncode == 1
    assert process.stderr == f"word_frequencies.py: no words in {file}\n"
    process = run("lazy_reading", file)
    assert (process.returncode, process.stderr) == (1, "")
    assert process.stdout == "0 found, the whole file read\n"
    process = run("several_files", file)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("opened 1, at most 1")
