"""Where a figure was measured: processor, interpreter and its build, rivals."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

PEERS = ("more-itertools", "toolz", "cytoolz", "iteration-utilities")


def cpu_model() -> str:
    """The processor's name as its maker spells it, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(
            command, capture_output=True, text=True, check=False
        ).stdout.strip()
    return platform.processor() or platform.machine()


def flags() -> str:
    """What the interpreter tells of the options it was configured and compiled with."""
    names = ("CONFIG_ARGS", "PY_CORE_CFLAGS", "PY_CORE_LDFLAGS")
    return " ".join(str(sysconfig.get_config_var(name) or "") for name in names)


def built_with(*options: str) -> bool | None:
    """Whether the interpreter was built with one of the options; None: it does not say.

    Debian and its kin build the program with PGO and LTO but ship the settings of
    another, plain build: no answer.
    """
    said = flags()
    if any(option in said for option in options):
        return True
    return None if not said.strip() or "/usr/share/python-wheels" in said else False


def optimisation() -> str | None:
    """The -O option that the interpreter was compiled with: the last one counts."""
    found = [option for option in flags().split() if option.startswith("-O")]
    return found[-1] if found else None


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def describe(build: str = "") -> dict[str, Any]:
    """All of it, for the JSON; `build` is the user's word on how Python was built."""
    import pygenx  # not at the top: a result can be read without it

    return {
        "machine": {
            "cpu": cpu_model(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
        },
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
            "pgo": built_with("--enable-optimizations", "-fprofile-use"),
            "lto": built_with("--with-lto", "-flto"),
            "optimised": optimisation(),
            "build": build,
            "debug": hasattr(sys, "gettotalrefcount"),
        },
        "packages": {
            "pygenx": pygenx.__version__,
            **{package: version_of(package) for package in PEERS},
        },
    }


def build_words(python: dict[str, Any]) -> str:
    """`PGO and LTO`, `no PGO, no LTO`, ...: the interpreter's build."""
    if python.get("build"):
        return str(python["build"])
    if python["pgo"] is None or python["lto"] is None:
        return "PGO and LTO not known"
    if python["pgo"] and python["lto"]:
        return "PGO and LTO"
    return ", ".join(
        name.upper() if python[name] else f"no {name.upper()}"
        for name in ("pgo", "lto")
    )


def sentence(result: dict[str, Any]) -> str:
    """One line that names machine, versions and day of a result."""
    machine, python = result["machine"], result["python"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']};"
        f" {python['implementation']} {python['version']} ({build_words(python)});"
        f" pygenx {result['packages']['pygenx']}; {result['date']}"
    )
