"""read_lines: the lines of files, one file open at a time."""

import gc
import io
import os
import sys
from pathlib import Path

import pytest


class Opener:
    """open(), which remembers every file it opened."""

    def __init__(self):
        self.files = []
        self.most = 0

    def __call__(self, *args, **kwargs):
        file = open(*args, **kwargs)  # noqa: SIM115
        self.files.append(file)
        self.most = max(self.most, self.still_open())
        return file

    def still_open(self):
        return sum(not file.closed for file in self.files)


@pytest.fixture
def opener():
    return Opener()


@pytest.fixture
def file(tmp_path):
    def make(name, content):
        path = tmp_path / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return str(path)

    return make


def test_the_lines_of_all_files_in_order(impl, file):
    paths = [file("a", "one\ntwo\n"), file("b", ""), file("c", "three")]
    assert impl.read_lines(*paths).list() == ["one", "two", "three"]
    assert list(impl.read_lines(*paths)) == ["one", "two", "three"]
    assert impl.read_lines().list() == []


def test_line_ends(impl, file):
    path = file("a", "one\r\ntwo\rthree\n\nlast  \n")
    assert impl.read_lines(path).list() == ["one", "two", "three", "", "last  "]
    assert impl.read_lines(path, keepends=True).list() == [
        "one\n",
        "two\n",
        "three\n",
        "\n",
        "last  \n",
    ]
    assert impl.read_lines(file("b", "x"), keepends=True).list() == ["x"]


class Held:
    """Passes for an open file, over lines that others hold."""

    def __init__(self, lines):
        self.lines = iter(lines)

    def __iter__(self):
        return self.lines

    def readline(self):
        return next(self.lines, "")

    read = readline


def test_lines_that_others_hold_stay_what_they_are(impl):
    lines = ["\n", "a\n", "\u00e9\n", "ab\n", "\u0416x\n", "\U0001f600\n", "ab"]
    before = ["".join(list(line)) for line in lines]
    given = [line.removesuffix("\n") for line in lines]
    assert impl.read_lines(Held(lines)).list() == given
    assert lines == before
    made = impl.read_lines(Held(map("".join, map(list, lines)))).list()
    assert made == given
    assert list(map(hash, made)) == list(map(hash, given))
    assert all(one is other for one, other in zip(made[:2], given[:2], strict=True))


def test_paths_of_every_kind(impl, file):
    path = file("a", "x\n")
    for kind in (str, Path, os.fsencode):
        assert impl.read_lines(kind(path)).list() == ["x"]


def test_nothing_is_opened_before_it_is_needed(impl, file, opener):
    p = impl.read_lines(file("a", "1\n"), file("b", "2\n"), opener=opener)
    assert opener.files == []
    assert next(p) == "1"
    assert len(opener.files) == 1
    assert next(p) == "2"
    assert len(opener.files) == 2


def test_one_file_is_open_at_a_time(impl, file, opener):
    paths = [file(str(number), "x\ny\n") for number in range(5)]
    assert impl.read_lines(*paths, opener=opener).count() == 10
    assert opener.most == 1
    assert opener.still_open() == 0


@pytest.mark.parametrize("end", ["close", "with", "drop", "take", "fail"])
def test_files_are_closed_however_it_ends(impl, file, opener, end):
    p = impl.read_lines(file("a", "1\n2\n3\n"), file("b", "4\n"), opener=opener)
    if end == "close":
        next(p)
        p.close()
    elif end == "with":
        with p:
            next(p)
            assert opener.still_open() == 1
    elif end == "drop":
        next(p)
        del p
        gc.collect()
    elif end == "take":
        assert p.take(1).list() == ["1"]
    else:
        with pytest.raises(ZeroDivisionError):
            p.map(lambda line: 1 // 0).list()
    assert len(opener.files) == 1
    assert opener.still_open() == 0


def test_where_the_reading_stands(impl, file):
    a, b = file("a", "1\n2\n"), file("b", "3\n")
    p = impl.read_lines(a, b)
    places = []
    for _ in p:
        places.append((p.path, p.lineno))
    assert places == [(a, 1), (a, 2), (b, 1)]


def test_a_missing_file_is_an_error_that_names_it(impl, file, tmp_path):
    missing = str(tmp_path / "missing")
    p = impl.read_lines(file("a", "1\n"), missing)
    assert next(p) == "1"
    with pytest.raises(FileNotFoundError) as caught:
        next(p)
    assert caught.value.filename == missing


def test_a_missing_file_may_be_skipped(impl, file, tmp_path):
    paths = [str(tmp_path / "none"), file("a", "1\n"), str(tmp_path / "no")]
    assert impl.read_lines(*paths, missing="skip").list() == ["1"]
    with pytest.raises(ValueError, match="missing"):
        impl.read_lines(missing="ignore")


def test_a_directory_is_no_file_to_skip(impl, tmp_path):
    for missing in ("raise", "skip"):
        with pytest.raises((IsADirectoryError, PermissionError)):
            impl.read_lines(str(tmp_path), missing=missing).list()


def test_encoding_and_errors(impl, file):
    path = file("a", "grün\n".encode("latin-1"))
    assert impl.read_lines(path, encoding="latin-1").list() == ["grün"]
    assert impl.read_lines(path, errors="replace").list() == ["gr\ufffdn"]
    with pytest.raises(LookupError):
        impl.read_lines(path, encoding="no such encoding").list()


def test_text_that_is_not_utf_8_is_an_error_and_closes_the_file(impl, file, opener):
    p = impl.read_lines(file("a", b"good\nbad \xff\n"), opener=opener)
    with pytest.raises(UnicodeDecodeError):
        p.list()
    assert opener.still_open() == 0


def test_a_file_object_is_read_and_left_open(impl):
    text = io.StringIO("1\n2\n3")
    assert impl.read_lines(text).take(2).list() == ["1", "2"]
    assert not text.closed
    assert text.read() == "3"


def test_a_dash_is_standard_input(impl, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n"))
    assert impl.read_lines("-").list() == ["1", "2"]
    assert not sys.stdin.closed


def test_what_is_no_path_is_a_type_error(impl):
    for wrong in (None, 1.5, [], object()):
        with pytest.raises(TypeError):
            impl.read_lines(wrong).list()


def test_it_is_a_pipe(impl, file):
    path = file("a", "b a\nc\n")
    words = impl.read_lines(path).map(str.strip).flat_map(str.split)
    assert isinstance(impl.read_lines(path), impl.pipe)
    assert words.frequencies() == {"b": 1, "a": 1, "c": 1}


def test_notes_name_file_and_line(file):
    from pygenx import read_lines

    with pytest.raises(UnicodeDecodeError) as caught:
        read_lines(file("access.log", b"bad \xff\n")).list()
    (note,) = caught.value.__notes__
    assert note.startswith("pygenx: source ")
    assert "access.log" in note
    with pytest.raises(ZeroDivisionError) as caught:
        read_lines(file("a.log", "1\n0\n")).map(lambda line: 1 // int(line)).list()
    (note,) = caught.value.__notes__
    assert "map(<lambda" in note
    assert "'0'" in note
