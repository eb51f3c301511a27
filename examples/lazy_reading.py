"""Find the first lines with a word; no more of the file is read than that takes.

python examples/lazy_reading.py [FILE [WORD]]
"""

import sys
from pathlib import Path

from pygenx import pipe, read_lines

SHIPPED = Path(__file__).with_name("data") / "genesis.txt"


def show(found: pipe[str], wanted: int) -> int:
    shown = 0
    for line in found:
        shown += 1
        print(f"{found.lineno:5}  {line}")
        if shown == wanted:
            break
    read = found.lineno  # None after the end
    print(f"{shown} found,", f"{read} lines read" if read else "the whole file read")
    return 0 if shown else 1


def main(file: str = str(SHIPPED), word: str = "Eden") -> int:
    try:
        with read_lines(file).map(str.strip).filter(lambda text: word in text) as found:
            return show(found, 3)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"lazy_reading.py: cannot read {file}: {error}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
