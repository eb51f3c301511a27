"""Group what is sent, one item at a time: a coroutine instead of an iterator."""

import pygenx

people = [
    {"name": "Alice", "age": 30},
    {"name": "Bob", "age": 25},
    {"name": "Charlie", "age": 30},
    {"name": "David", "age": 25},
    {"name": "Eve", "age": 30},
]


def key_func(person):
    return person["age"]


grouping = pygenx.grouping()
for item in people:
    grouping.send((item, key_func))
grouping.close()
for key, group in grouping:
    print(key, *(person["name"] for person in group))


# With its own key and a sink it is a stage of a push pipeline.
def show(decade):
    key, group = decade
    print(f"{key} to {key + 9}:", *(person["name"] for person in group))


decades = pygenx.grouping(lambda person: person["age"] // 10 * 10, sink=show)
for person in people:
    decades.send(person)
decades.close()
