"""The differential test of lifting for as long as one likes:

python tests/long_lifting.py --cases 200000 [--seed 1]
"""

import argparse
import random
import sys
import time
import warnings
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
import lifted  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="Lifted and plain functions compared.")
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = random.Random(options.seed)
    start, refused, differ = time.time(), 0, []
    done = 0
    while done < options.cases:
        case = lifted.random_case(rng)
        if case is None:
            continue
        done += 1
        with lifted.little_memory():
            found = lifted.difference(case)
        refused += found is False
        if found:
            differ.append(found)
            print(found, flush=True)
            if len(differ) == 20:
                break
    print(
        f"Python {sys.version.split()[0]}, seed {options.seed}: {done} cases,"
        f" {refused} not lifted, {len(differ)} differ, {time.time() - start:.0f} s"
    )
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
