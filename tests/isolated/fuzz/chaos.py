"""Rounds of random acts: nothing is expected but that all stays in order."""

import faulthandler
import gc
import sys
import threading
import warnings

from fuzz import acts, judge
from fuzz.world import world

STEPS = 40


def play(seed, only=None, verbose=False, report=None):
    """One round; `report(step)` is told before each step. Raises a Finding."""
    warnings.simplefilter("ignore")
    judge.clean()
    world.reset(seed, verbose)
    try:
        for step in range(STEPS):
            if only is None or step in only:
                report(step)
                play_step(step)
    finally:
        clean_up()
    judge.check_found()


def play_step(step):
    world.start(step)
    if world.verbose:
        print(f"step {step}", file=sys.stderr, flush=True)
    for _ in range(2):
        world.act()  # judges
    judge.check_found()


def clean_up():
    """Nothing is left of the round but what it leaks."""
    acts.untrace()
    gc.set_threshold(700, 10, 10)
    world.fuel = 0  # callbacks behave from here on
    for thread in world.waiting:
        thread.join(20)
        if thread.is_alive():
            faulthandler.dump_traceback()
            raise judge.Finding("a thread waits for ever")
    for kept in (world.live, world.data, world.functions, world.cells):
        kept.clear()
    world.names.clear()
    gc.collect()
    acts.restore_lifting()
    acts.restore_classes()


def play_threads(seed, only=None, verbose=False, report=None):
    """The same with two threads, each doing the half of the steps."""
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    warnings.simplefilter("ignore")
    judge.clean()
    world.reset(seed, verbose)
    world.threaded = True
    report(0)
    try:
        threads = [threading.Thread(target=act_often) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(old)
        clean_up()
    judge.check_found()


def act_often():
    try:
        for _ in range(STEPS):
            world.depth = 0
            world.fuel = 300
            world.act()
    except judge.Finding as finding:
        judge.FOUND.append(finding)
