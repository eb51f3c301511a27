"""Runs the attacks of the command line, or all."""

import faulthandler
import gc
import sys
import traceback

import programs

import pygenx
from attacks import attacks

TOO_LONG = 120  # seconds, also on a busy machine: it hangs, and a traceback shows where


def main(names):
    table = attacks()
    programs.write_path()
    pygenx.lifting._eager(1)  # generator expressions are taken apart, however short
    for name in names or table:
        print("begin", name, flush=True)
        faulthandler.dump_traceback_later(TOO_LONG, exit=True)
        try:
            table[name]()
        except BaseException:
            print("fail", name, flush=True)
            print(traceback.format_exc().strip().replace("\n", "\n    "), flush=True)
        else:
            print("ok", name, flush=True)
        gc.collect()
    faulthandler.cancel_dump_traceback_later()
    programs.remove_path()


main(sys.argv[1:])
