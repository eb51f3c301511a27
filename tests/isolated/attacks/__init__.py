"""The attacks of the list, each one function named after its letter and number.

A module is a family; every function in it named like `N13_copy_and_pickle` is an
attack and needs no entry anywhere. They run in a child (`python -m attacks NAME ...`)
started by test_attacks.py, since what they look for is a crash.

An attack keeps the list's rules: items and keys are instances of a Python class, every
reference is dropped as soon as it can be, the object under attack is the only owner of
its source, and what comes out is compared too.
"""

import importlib
import pkgutil
import re

NAME = re.compile("[A-Z][0-9]")


def attacks():
    """Every attack by its name, in the order of the modules and of their lines."""
    table = {}
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        if module in ("__main__", "catalogue"):
            continue
        for name, value in vars(importlib.import_module("attacks." + module)).items():
            if NAME.match(name) and callable(value):
                assert name not in table, f"two attacks are called {name}"
                table[name] = value
    return table
