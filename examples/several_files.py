"""Read several files as one, with never more than one open: here is the proof.

python examples/several_files.py [FILE ...]
"""

import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from pygenx import read_lines


class Opener:
    """open(), which remembers the files."""

    def __init__(self) -> None:
        self.files: list[IO[str]] = []
        self.most = 0

    def still_open(self) -> int:
        return sum(not file.closed for file in self.files)

    def __call__(self, *args: Any, **kwargs: Any) -> IO[str]:
        self.files.append(open(*args, **kwargs))  # noqa: SIM115
        self.most = max(self.most, self.still_open())
        return self.files[-1]


def read(files: list[str]) -> None:
    opener = Opener()
    lines = read_lines(*files, opener=opener)
    for line in lines:
        print(f"{Path(str(lines.path)).name}:{lines.lineno}: {line[:60]}")
    print(f"opened {len(opener.files)}, at most {opener.most} at the same time,")
    print(f"still open {opener.still_open()}")


def three_logs(folder: Path) -> list[str]:
    texts = {"mon.log": "start\nstop\n", "tue.log": "", "wed.log": "start\ncrash"}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / name) for name in texts]


def main(files: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            read(files or three_logs(Path(folder)))
        except (OSError, UnicodeDecodeError) as error:
            place = "; ".join(getattr(error, "__notes__", []))
            sys.exit(f"several_files.py: {error} ({place})")


if __name__ == "__main__":
    main(sys.argv[1:])
