#!/usr/bin/env python3
"""Sets pygenx up in .venv/ and runs it; needs CPython 3.11, pip and a C compiler.

python3 run.py demo [FILE]      word frequencies of the shipped text (or of FILE),
                                then the quick benchmark table
python3 run.py test [ARGS]      the test suite; ARGS go to pytest

The interpreter that runs this file is the one that is used.
"""

import importlib.util
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VERSION = "{}.{}{}".format(*sys.version_info[:2], getattr(sys, "abiflags", ""))
VENV = os.path.join(".venv", VERSION)
PYTHON = os.path.join(VENV, "Scripts\\python.exe" if os.name == "nt" else "bin/python")

HINT = """\
run.py: the installation failed. It needs a package index, a C compiler and the
headers of this Python (Debian, Ubuntu: gcc and python3-dev; Fedora: gcc and
python3-devel; macOS: xcode-select --install; Windows: Visual Studio Build Tools)."""


def run(*command):
    print("+", shlex.join(command), flush=True)
    return subprocess.run(command, cwd=ROOT).returncode


def made_by_us():
    """Is there a venv, made by this very interpreter?"""
    home = os.path.dirname(os.path.abspath(sys._base_executable))
    try:
        with open(os.path.join(ROOT, VENV, "pyvenv.cfg"), encoding="utf-8") as file:
            return f"home = {home}\n" in file.read()
    except OSError:
        return False


def install(extra):
    """Some systems split ensurepip off: there, our own pip works on the venv."""
    venv, pip = ["-m", "venv", "--clear"], [PYTHON, "-m", "pip"]
    if importlib.util.find_spec("ensurepip") is None:
        venv += ["--without-pip"]
        pip = [sys.executable, "-m", "pip", "--python", PYTHON]
    code = 0 if made_by_us() else run(sys.executable, *venv, VENV)
    if code or run(*pip, "install", "--quiet", "--editable", f".[{extra}]"):
        sys.exit(HINT)


def demo(*args):
    install("bench")
    code = run(PYTHON, os.path.join("examples", "word_frequencies.py"), *args)
    return code or run(PYTHON, os.path.join("benchmarks", "run.py"), "--quick")


def test(*args):
    install("test")
    return run(PYTHON, "-m", "pytest", *args)


def main(name="", *args):
    if sys.version_info < (3, 11) or sys.implementation.name != "cpython":
        sys.exit(
            "run.py: pygenx needs CPython 3.11 or newer; this is "
            f"{sys.implementation.name} {sys.version.split()[0]} ({sys.executable})."
        )
    command = {"demo": demo, "test": test}.get(name)
    if command is None:
        sys.exit(__doc__.strip())
    sys.exit(command(*args))


if __name__ == "__main__":
    main(*sys.argv[1:])
