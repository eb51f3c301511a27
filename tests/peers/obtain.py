"""Where the peers' tests come from: their source distributions, at fixed versions.

None of their code is kept here. A source distribution is looked for in the directory
PYGENX_PEERS (default: one of the user's cache), unpacked as NAME-VERSION, and
downloaded by pip into it where it is not there yet.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = {
    "iteration_utilities": "0.13.0",
    "more_itertools": "11.2.1",
    "toolz": "1.2.0",
}


def directory():
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PYGENX_PEERS") or Path(cache, "pygenx-peers"))


def download(peer, into):
    """None, or why it could not be: pip's last words."""
    command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    command += ["--dest", into, f"{peer}=={VERSIONS[peer]}"]
    words = ""
    # A venv may be without pip; the interpreter it was made from then has one.
    for python in dict.fromkeys((sys.executable, sys._base_executable)):
        done = subprocess.run([python, *command], capture_output=True, text=True)
        if done.returncode == 0:
            return None
        words = words or done.stderr.strip()
    return words.splitlines()[-1] if words else "pip failed"


def source_of(peer):
    """(unpacked source distribution, None) or (None, why there is none)"""
    name = f"{peer}-{VERSIONS[peer]}"
    wanted = directory() / name
    if not wanted.is_dir():
        try:
            directory().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=directory()) as fresh:
                why = download(peer, fresh)
                if why is not None:
                    return None, f"no source distribution of {name}: {why}"
                shutil.unpack_archive(Path(fresh, name + ".tar.gz"), fresh)
                # Another process may have been faster.
                if not wanted.is_dir():
                    os.replace(Path(fresh, name), wanted)
        except OSError as error:
            if not wanted.is_dir():
                return None, f"no source distribution of {name}: {error}"
    return wanted, None
