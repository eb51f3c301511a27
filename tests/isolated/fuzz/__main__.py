"""The command line: python -m fuzz --help"""

import argparse
import random
import sys

from fuzz import parent


def main():
    parser = argparse.ArgumentParser(prog="fuzz", description="Fuzzes pygenx.")
    parser.add_argument("kind", nargs="?", choices=parent.kinds(), help="default: all")
    parser.add_argument("--seconds", type=float, help="how long, in all; 60")
    parser.add_argument("--seed", type=int, help="the first seed; default: at random")
    parser.add_argument("--rounds", type=int, help="how many seeds of a kind at most")
    parser.add_argument("--only", help="the steps of a round to be done: 3,4,17")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the acts")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    one = options.seed is not None and options.rounds is None
    options.rounds = options.rounds or (1 if one and options.kind else 10**9)
    options.seconds = 60 if options.seconds is None else options.seconds
    only = options.only and [int(step) for step in options.only.split(",")]
    if options.child or options.verbose or only:
        status = options.child or "/dev/null"
        limits = options.rounds, options.seconds
        seed = options.seed or 0
        parent.be_child(options.kind, seed, *limits, status, only, options.verbose)
        return
    if options.seed is None:
        options.seed = random.randrange(10**8)
    names = [options.kind] if options.kind else ["chaos", "threads", "compared"]
    died = 0
    for name in names:
        seconds = options.seconds / len(names)
        died += parent.loop(name, options.seed, options.rounds, seconds)
    sys.exit(died > 0)


main()
