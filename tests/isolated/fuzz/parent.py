"""The loop over seeds. Rounds run in children: one that dies or hangs is found, made
small and reported, and the loop goes on with the next seed."""

import faulthandler
import os
import subprocess
import sys
import tempfile
import time
import traceback

HANGS = 60  # seconds for a round, under a sanitizer and on a busy machine
FOUND = 3  # exit status of a child that has something to say
FEWER = 90  # seconds that the search for fewer steps may take


def kinds():
    """name -> function that plays a round."""
    from fuzz import chaos, compared

    return {
        "chaos": chaos.play,
        "threads": chaos.play_threads,
        "compared": compared.play,
        "trial": play_trial,
    }


def play_trial(seed, only, verbose, report):
    """Does it find what there is to find? Some seeds die, of their steps 3 and 5."""
    done = set()
    for step in range(9):
        if only is None or step in only:
            report(step)
            done.add(step)
        if {3, 5} <= done and seed % 4 == 2:
            os.abort()


# in the child ------------------------------------------------------------------------


def be_child(kind, seed, rounds, seconds, status, only=None, verbose=False):
    """Plays rounds; `status` says where it is, for when it dies."""
    play = kinds()[kind]
    file = os.open(status, os.O_WRONLY | os.O_CREAT)
    end = time.monotonic() + seconds
    os.pwrite(file, f"{seed:>12}{-1:>6}\n".encode(), 0)
    for number in range(seed, seed + rounds):
        faulthandler.dump_traceback_later(HANGS, exit=True)

        def report(step, number=number):
            os.pwrite(file, f"{number:>12}{step:>6}\n".encode(), 0)

        try:
            play(number, only, verbose, report)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(FOUND)
        if time.monotonic() > end:
            break
    faulthandler.cancel_dump_traceback_later()


# in the parent -----------------------------------------------------------------------


class Death:
    """How a child ended, where there is something to report."""

    def __init__(self, kind, seed, step, status, output):
        self.kind = kind
        self.seed = seed
        self.step = step
        self.status = status
        self.output = output

    def sort(self):
        """Equal for the same bug, as far as one can tell."""
        lines = [line for line in self.output.splitlines() if "SUMMARY" in line]
        if self.status == FOUND:
            lines = [line for line in self.output.splitlines() if "Finding:" in line]
        return self.status, (lines[-1][:60] if lines else "")


def run(kind, seed, rounds, seconds, only=None, verbose=False):
    """(last seed, Death or None)"""
    with tempfile.TemporaryDirectory() as folder:
        status = os.path.join(folder, "status")
        command = [sys.executable, "-X", "faulthandler", "-m", "fuzz", kind]
        command += [f"--child={status}", f"--seed={seed}", f"--rounds={rounds}"]
        command += [f"--seconds={seconds}"]
        if only is not None:
            command.append("--only=" + ",".join(map(str, only)))
        if verbose:
            command.append("--verbose")
        child = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        output = child.communicate()[1]
        with open(status) as file:
            last, step = map(int, file.read().split())
    if child.returncode == 0:
        return last, None
    return last, Death(kind, last, step, child.returncode, output)


def steps_that_matter(death):
    """Leaves out whatever steps can be left out, for a while."""
    end = time.monotonic() + FEWER
    only = list(range(death.step + 1))
    size = len(only) // 2
    while size and time.monotonic() < end:
        for start in range(0, len(only), size):
            fewer = only[:start] + only[start + size :]
            again = run(death.kind, death.seed, 1, 0, fewer)[1]
            if again is not None and again.sort() == death.sort():
                only = fewer
                break
            if time.monotonic() > end:
                break
        else:
            size //= 2
    return only


def tell(death, small=True):
    print(f"\n{death.kind} seed {death.seed}: died in step {death.step}", flush=True)
    print(f"exit status {death.status}\n{death.output[-6000:]}", flush=True)
    command = f"python -m fuzz {death.kind} --seed {death.seed}"
    again = run(death.kind, death.seed, 1, 0)[1]
    if again is None:
        print(f"It does not do so alone: {command} --rounds 1", flush=True)
    elif small and death.kind in ("chaos", "trial"):
        only = ",".join(map(str, steps_that_matter(death)))
        print(f"again, with all acts: {command} --only {only} -v", flush=True)
    else:
        print(f"again: {command} --rounds 1 -v", flush=True)


def loop(kind, seed, rounds, seconds, small=True):
    """How many rounds died."""
    end = time.monotonic() + seconds
    first, died = seed, 0
    while time.monotonic() < end and seed < first + rounds:
        left = max(end - time.monotonic(), 0)
        last, death = run(kind, seed, first + rounds - seed, min(left, 120))
        seed = last + 1
        if death is not None:
            died += 1
            tell(death, small)
    print(f"{kind}: seeds {first} to {seed - 1}, {died} died", flush=True)
    return died
