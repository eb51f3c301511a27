"""Builds the extension module; everything else is declared in pyproject.toml.

PYGENX_DEV=1                        warnings are errors
PYGENX_SANITIZE=address,undefined   instrumented code, assertions on
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Werror",
    "-Wno-unused-parameter",  # CPython fixes the signatures of slots and methods
    "-Wno-missing-field-initializers",  # its tables end in {0} or {NULL}
]


class BuildExt(build_ext):
    """Chooses the flags once the compiler is known."""

    def build_extensions(self) -> None:
        msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            if msvc:
                extension.extra_compile_args += ["/std:c11"]
            else:
                add_unix_flags(extension)
        if not msvc:  # it looks for its own parts at the first call
            self.compiler.compile = in_parallel(self.compiler.compile)
        super().build_extensions()


def in_parallel(compile: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """As many files at once as there are cores; the first failure ends it."""

    def compile_each(sources: list[str], **options: Any) -> list[str]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = pool.map(lambda source: compile([source], **options), sources)
            return [name for part in parts for name in part]

    return compile_each


def add_unix_flags(extension: Extension) -> None:
    """-std=c11, unlike gnu11, also forbids to fuse a*b+c: floats are Python's."""
    flags = ["-std=c11", "-O3", "-fvisibility=hidden"]
    if os.environ.get("PYGENX_DEV", "0") not in ("", "0"):
        flags += WARNINGS
    if sanitizers := os.environ.get("PYGENX_SANITIZE"):
        sanitize = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
        flags += [*sanitize, "-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG"]
        extension.extra_link_args += sanitize
    extension.extra_compile_args += flags


setup(
    cmdclass={"build_ext": BuildExt},
    ext_modules=[
        Extension(
            "pygenx._pygenx",
            sources=sorted(glob("src/*.c")),
            depends=sorted(glob("src/*.h") + glob("src/*.def")),
        )
    ],
)
