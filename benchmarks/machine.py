"""Where a figure was measured: processor, interpreter and how it was built, versions of the rivals."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("pygenx", "more-itertools", "toolz", "cytoolz", "iteration-utilities")


def cpu_model() -> str:
    """The processor's name as its maker spells it, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def built_with(*flags: str) -> bool | None:
    """Whether the interpreter was configured or compiled with one of the flags; None where it does not say.

    Debian and its kin build the program with PGO and LTO but ship the settings of another, plain build: no answer.
    """
    names = ("CONFIG_ARGS", "PY_CORE_CFLAGS", "PY_CORE_LDFLAGS")
    said = " ".join(str(sysconfig.get_config_var(name) or "") for name in names)
    if any(flag in said for flag in flags):
        return True
    return None if not said.strip() or "/usr/share/python-wheels" in said else False


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def describe(build: str = "") -> dict[str, Any]:
    """All of it, as it is written to the JSON; `build` says how the interpreter was built where it cannot tell."""
    return {
        "machine": {"cpu": cpu_model(), "cores": os.cpu_count(), "system": platform.system(), "architecture": platform.machine()},
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
            "pgo": built_with("--enable-optimizations", "-fprofile-use"),
            "lto": built_with("--with-lto", "-flto"),
            "build": build,
            "debug": hasattr(sys, "gettotalrefcount"),
        },
        "packages": {package: version_of(package) for package in PACKAGES},
    }


def build_words(python: dict[str, Any]) -> str:
    """`PGO and LTO`, `no PGO, no LTO`, ...: how the interpreter was built, or what the user said of it."""
    if python.get("build"):
        return str(python["build"])
    if python["pgo"] is None or python["lto"] is None:
        return "PGO and LTO not known"
    if python["pgo"] and python["lto"]:
        return "PGO and LTO"
    return ", ".join(name.upper() if python[name] else f"no {name.upper()}" for name in ("pgo", "lto"))


def sentence(result: dict[str, Any]) -> str:
    """One line that names machine, versions and day of a result."""
    machine, python = result["machine"], result["python"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; {python['implementation']} {python['version']}"
        f" ({build_words(python)}); pygenx {result['packages']['pygenx'] or 'from the source tree'}; {result['date']}"
    )
