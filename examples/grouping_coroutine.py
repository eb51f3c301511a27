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

# With its own key and a place to put the groups it is a stage of a push pipeline.
print("by decade:")
decades = pygenx.grouping(lambda person: person["age"] // 10 * 10, sink=print)
for person in sorted(people, key=key_func):
    decades.send(person)
decades.close()
