"""Orders that arrive one by one, sent through a program into several targets."""

from collections import defaultdict
from operator import itemgetter
from typing import Any

from pygenx import Pipeline, Reducer, broadcast, route

Order = tuple[str, int]

LINES = ["ann 3", "bob 5", "", "ann 4", "eve 0", "bob 2"]


def parse(line: str) -> Order:
    name, amount = line.split()
    return name, int(amount)


amounts = Pipeline[Order]().map(itemgetter(1))
total: Reducer[Order, int] = amounts.sum()

# One pass, three answers: all amounts, those of each customer, and pairs for a store.
targets = broadcast(
    total,
    route(itemgetter(0), defaultdict[str, Any](lambda: total)),
    Pipeline().batched(2).into(lambda pair: print("stored", pair)),
)
orders = Pipeline().filter(None).map(parse).filter(itemgetter(1)).into(targets)

for line in LINES:  # a server would do this in a callback: on_line = orders.send
    if not orders.send(line):
        print(f"left out {line!r}")
everything, by_customer, _ = orders.close()
print("total", everything)
print("by customer", by_customer)

# An error is told to whoever sent the item; the next one may be sent.
with Pipeline().map(parse).into(lambda order: print("took", order)) as strict:
    for line in ["eve 1", "eve one", "eve 2"]:
        try:
            strict.send(line)
        except ValueError as error:
            print(*error.__notes__)
