"""Builds sdist and wheel from a clean clone: the right things are in them and work.

python3 .ci/dist_check.py               the contract tests, of what was installed
python3 .ci/dist_check.py --suite       the whole suite
python3 .ci/dist_check.py -- ARGS       what these ARGS of pytest choose

What is committed is built. The interpreter that runs this has the test extra; pip and a
package index give the rest.
"""

import email
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE_BY_SETUPTOOLS = r"PKG-INFO|setup\.cfg|pygenx\.egg-info/.*"


def run(*command, cwd, **env):
    command = [str(part) for part in command]
    print("+", *command, flush=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=cwd, check=True, text=True, env=clean | env, stdout=subprocess.PIPE
    ).stdout


def expect(what, found, wanted):
    missing, more = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    if missing or more:
        sys.exit(f"dist_check: {what}: missing {missing}, too many {more}")


def check_sdist(path, tracked, version):
    """All that is tracked, nothing else."""
    top = f"pygenx-{version}/"
    with tarfile.open(path) as archive:
        files = [member.name for member in archive if member.isfile()]
    inside = [name.removeprefix(top) for name in files]
    own = [name for name in inside if not re.fullmatch(MADE_BY_SETUPTOOLS, name)]
    expect(path.name, own, tracked - {".gitignore"})


def check_wheel(path, tracked, version, readme):
    """The package, its types and its licence: no tests, no C, no junk."""
    package = [name for name in tracked if re.fullmatch(r"pygenx/[^/]+", name)]
    info = f"pygenx-{version}.dist-info/"
    meta = ["METADATA", "RECORD", "WHEEL", "licenses/LICENSE", "top_level.txt"]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        text = archive.read(f"{info}METADATA").decode()
    metadata, description = email.message_from_string(text), text.split("\n\n", 1)[1]
    built = [name for name in names if re.fullmatch(r"pygenx/_pygenx\.\S+\.\w+", name)]
    if len(built) != 1 or "pygenx/py.typed" not in names:
        sys.exit(f"dist_check: {path.name}: {built}")
    expect(path.name, names, [*package, *built, *(info + name for name in meta)])
    for field, wanted in {
        "Name": "pygenx",
        "Version": version,
        "Requires-Python": ">=3.11",
        "License-Expression": "MIT",
        "Description-Content-Type": "text/markdown",
    }.items():
        if metadata[field] != wanted:
            sys.exit(f"dist_check: {field} is {metadata[field]!r}, not {wanted!r}")
    if description.split() != readme.split():
        sys.exit("dist_check: the description is not the README")


def try_out(artifact, source, venv, version, tests):
    """Installed alone; the tools of the tests are those of this interpreter."""
    run(sys.executable, "-m", "venv", venv, cwd=venv.parent)
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "-q", "--no-deps", artifact, cwd=venv.parent)
    show = "import pygenx, pygenx._pygenx as c; print(pygenx.__version__, c.__file__)"
    shown, place = run(python, "-c", show, cwd=venv).split(maxsplit=1)
    if shown != version or not Path(place.strip()).is_relative_to(venv):
        sys.exit(f"dist_check: {artifact.name} gives {shown} in {place}")
    tools = [path for path in sys.path if path.endswith("-packages")]
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=venv)
    Path(site.strip(), "tools.pth").write_text("\n".join(tools), encoding="utf-8")
    # Without the current directory on the path: the sources there are not imported.
    command = [python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    print(run(*command, cwd=source, PYTHONSAFEPATH="1")[-400:], flush=True)


def main(*args):
    tests = ["tests/test_contract.py"]
    if args[:1] == ("--suite",):
        tests = ["-n", "auto", "--dist", "loadgroup"]
    elif args[:1] == ("--",):
        tests = args[1:]
    elif args:
        sys.exit(__doc__.strip())
    with tempfile.TemporaryDirectory() as place:
        place = Path(place).resolve()
        clone, dist = place / "clone", place / "dist"
        run("git", "clone", "-q", ROOT, clone, cwd=place)
        tracked = {*run("git", "ls-files", cwd=clone).split("\n")} - {""}
        text = (clone / "pygenx/__init__.py").read_text(encoding="utf-8")
        version = re.search(r'__version__ = "(.+)"', text)[1]
        run(sys.executable, "-m", "venv", place / "build", cwd=place)
        python = place / "build" / ("Scripts" if os.name == "nt" else "bin") / "python"
        run(python, "-m", "pip", "install", "-q", "build", cwd=place)
        run(python, "-m", "build", "--outdir", dist, clone, cwd=place)
        (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
        check_sdist(sdist, tracked, version)
        readme = (clone / "README.md").read_text(encoding="utf-8")
        check_wheel(wheel, tracked, version, readme)
        with tarfile.open(sdist) as archive:
            archive.extractall(place / "unpacked", filter="data")
        source = place / "unpacked" / f"pygenx-{version}"
        try_out(wheel, source, place / "wheel", version, tests)
        try_out(sdist, source, place / "sdist", version, ["--co", "-qq", *tests[:1]])
    print(f"dist_check: {sdist.name} and {wheel.name} are right")


if __name__ == "__main__":
    main(*sys.argv[1:])
