"""Print the most frequent words of a text, and how long the counting took.

python examples/word_frequencies.py [FILE] [--at-least N]

FILE is UTF-8, "-" is standard input; without it the shipped text is read. Without N, a
word has to be one in a hundred to be printed.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from pygenx import pipe, read_lines, timing

SHIPPED = Path(__file__).with_name("data") / "genesis.txt"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", default=str(SHIPPED))
    parser.add_argument("--at-least", type=int, metavar="N")
    return parser.parse_args()


def frequencies(file: str) -> Counter[str]:
    return (
        read_lines(file).map(str.strip).map(str.lower).flat_map(str.split).frequencies()
    )


def main() -> None:
    options = arguments()
    try:
        with timing():
            counts = frequencies(options.file)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"word_frequencies.py: cannot read {options.file}: {error}")
    if not counts:
        sys.exit(f"word_frequencies.py: no words in {options.file}")

    total = counts.total()
    threshold = total // 100 if options.at_least is None else options.at_least
    print(f"{total} words, {len(counts)} different; {threshold} times or more:")
    (
        pipe(counts.most_common())
        .filter(lambda pair: pair[1] >= threshold)
        .starmap("{:10} {:6}".format)
        .for_each(print)
    )


if __name__ == "__main__":
    main()
