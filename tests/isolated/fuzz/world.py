"""What a round of chaos has: the objects under attack, the data that they read, the
functions that they call, and the random numbers that decide."""

import random
import sys
import threading

from fuzz import judge

MOST_LIVE = 25
DEEPEST = 3
FUEL = 400  # calls back in one step; then all callbacks are well-behaved


class World:
    def __init__(self):
        self.reset(0)

    def reset(self, seed, verbose=False):
        self.seed = seed
        self.verbose = verbose
        self.live = []  # objects of pygenx, programs, awaitables
        self.data = []  # lists, dicts, arrays ... that sources read
        self.functions = []  # made from text: their code can be exchanged
        self.names = {}  # the globals of these functions
        self.cells = []  # the cells of these functions
        self.running = []  # (object, thread) whose next() is on our stack
        self.finalizers = 0  # how many __del__, handlers ... are on the stack
        self.threaded = False  # two threads act: what we count is not exact
        self.waiting = []  # threads that somebody's lock holds up
        self.off = 0  # how often lifting has been switched off
        self.eager = 0
        self.step = 0
        self.start(0)

    def start(self, step):
        """Each step draws from its own generator: others can be left out."""
        self.step = step
        self.chance = random.Random(f"{self.seed}/{step}")
        self.depth = 0
        self.fuel = FUEL

    # random choices

    def maybe(self, probability):
        return self.chance.random() < probability

    def pick(self, options):
        return options[self.chance.randrange(len(options))]

    def below(self, n):
        return self.chance.randrange(n)

    def keep(self, made):
        self.live.append(made)
        self.crowd(self.live, MOST_LIVE)
        return made

    def keep_data(self, made):
        self.data.append(made)
        self.crowd(self.data, 10)
        return made

    def crowd(self, kept, most):
        while len(kept) > most:
            try:
                del kept[self.chance.randrange(len(kept))]
            except (IndexError, ValueError):  # a finaliser took others away
                return

    def some_live(self):
        """A live object, or None."""
        live = self.live
        try:
            return live[self.chance.randrange(len(live))]
        except (IndexError, ValueError):
            return None

    # calls back

    def spend(self):
        """Is there fuel for one more call back?"""
        self.fuel -= 1
        return self.fuel > 0

    def do(self, likely=0.5):
        """One random act, from inside somebody's callback."""
        if self.depth >= DEEPEST or not self.spend() or not self.maybe(likely):
            return
        self.depth += 1
        try:
            self.act()
        finally:
            self.depth -= 1

    def do_late(self, likely=0.5):
        """The same where it does not prove that anything runs: when an object dies or a
        signal comes, the calls that we know of may be over."""
        self.finalizers += 1
        try:
            self.do(likely)
        finally:
            self.finalizers -= 1

    def act(self):
        """One random act; what it raises is judged and forgotten."""
        from fuzz import acts

        made = self.some_live()
        action = self.pick(acts.ACTS)
        self.say(action, made)
        try:
            action(made)
        except judge.Finding:
            raise
        except BaseException as error:
            judge.check_error(error, action.__name__)
            self.say_raised(error)

    # what -v shows

    def say(self, action, made):
        if self.verbose:
            indent = "  " * (self.depth + 1)
            text = f"{indent}{action.__name__} {type(made).__name__}"
            if threading.current_thread() is not threading.main_thread():
                text += "   (in a thread)"
            print(text, file=sys.stderr, flush=True)

    def say_raised(self, error):
        if self.verbose:
            indent = "  " * (self.depth + 2)
            print(f"{indent}! {type(error).__name__}", file=sys.stderr, flush=True)


world = World()
