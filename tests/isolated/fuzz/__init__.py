"""A fuzzer that knows what pygenx is made of.

    make fuzz SECONDS=60                    random seeds, in children
    python -m fuzz chaos --seed 17 -v       one seed again, every act of it printed
    python -m fuzz chaos --seed 17 --only 3,8,9     these steps of it only

A *round* plays one seed. There are three kinds:

chaos     Random objects (every type, stage, terminal, source, driver) are put into a
          small world, and random acts are done to them. Whatever calls back - items,
          sources, functions, finalisers, a tracer, a signal, the collector - does acts
          as well. Nothing is expected of the results; the round fails if the process
          dies, hangs, or if something is raised that nobody can have raised (judge.py).
threads   The same acts, by two threads at once. A seed is not the same twice.
compared  A random program with lifted functions and lanes is played on pygenx and on
          tests/reference.py, the specification in plain Python. Callbacks do their
          mischief at the same places in both: what comes out must be the same.

A round is a list of *steps*. Each draws from a generator of its own, so that those
that do not matter can be left out: this is how a failure is made small (parent.py).

world.py     what a round of chaos has: live objects, data, functions, chances
evil.py      items, iterators and functions that call back
build.py     random sources, programs and objects of pygenx
acts.py      what is done to them
judge.py     which exceptions are findings; the end that must stay an end
chaos.py     the rounds of chaos and threads
compared.py  the rounds against the reference
parent.py    children, the search for the steps that matter
"""
