"""Pipelines and Reducers in other processes: a process pool, a Dask cluster."""

import operator
import os
import pickle
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cloudpickle
import distributed
import pytest
from dask import bag

from pygenx import Pipeline, pipe

pytestmark = pytest.mark.c

LINES = ["To be or", "not to be", "", "that is", "the question"] * 20
WORDS = Pipeline().map(str.lower).flat_map(str.split).frequencies()
EXPECTED = Counter(word for line in LINES for word in line.lower().split())


def parts(items, size=13):
    return pipe(items).batched(size).list()


def process_of(lines):
    return os.getpid()


def upper(program, lines):
    """A Pipeline gives an iterator, which does not travel: its items do."""
    return program(lines).list()


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as made:
        yield made


def test_a_reducer_works_in_a_process_pool(pool):
    counts = list(pool.map(WORDS, parts(LINES)))
    assert sum(counts, Counter()) == EXPECTED
    assert os.getpid() not in set(pool.map(process_of, parts(LINES)))


def test_a_pipeline_works_in_a_process_pool(pool):
    program = Pipeline().flat_map(str.split).map(str.upper).take(3)
    futures = [pool.submit(upper, program, part) for part in parts(LINES)]
    assert [future.result() for future in futures] == [
        program(part).list() for part in parts(LINES)
    ]


def test_several_reducers_in_one_pass(pool):
    both = Pipeline().map(len).collect(Pipeline().sum(), Pipeline().max())
    sums, longest = zip(*pool.map(both, parts(LINES)), strict=True)
    assert sum(sums) == sum(map(len, LINES))
    assert max(longest) == max(map(len, LINES))


def test_an_error_in_a_worker_says_where(pool):
    numbers = Pipeline().map(int).sum()
    with pytest.raises(ValueError, match="invalid literal") as caught:
        list(pool.map(numbers, [["1", "x"]]))
    # notes are part of the exception's state from 3.11 on
    assert caught.value.__notes__ == ["pygenx: stage 1/1 map(int), item 1: 'x'"]


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as made,
        distributed.Client(made),
    ):
        yield made


@pytest.mark.filterwarnings("ignore")
def test_map_partitions_of_a_dask_bag(cluster):
    lines = bag.from_sequence(LINES, npartitions=4)
    counts = lines.map_partitions(lambda part: [WORDS(part)]).compute()
    assert len(counts) == 4
    assert sum(counts, Counter()) == EXPECTED
    shouted = Pipeline().flat_map(str.split).map(str.upper)
    wanted = sorted(word.upper() for line in LINES for word in line.split())
    assert sorted(lines.map_partitions(shouted.list()).compute()) == wanted
    # an iterator is fine where the bag goes on with it in the same task
    assert lines.map_partitions(shouted).count().compute() == len(wanted)


@pytest.mark.filterwarnings("ignore")
def test_lambdas_travel_through_cloudpickle(cluster):
    least = 3
    program = (
        Pipeline()
        .flat_map(str.split)
        .filter(lambda word: [char for char in word][least:])
    )
    with pytest.raises((pickle.PicklingError, AttributeError)):
        program.check_pickle()
    assert program.check_pickle(cloudpickle.dumps) is None
    lines = bag.from_sequence(LINES, npartitions=3)
    words = lines.map_partitions(program).frequencies().compute()
    assert dict(words) == {"that": 20, "question": 20}
    longest = Pipeline().max(key=lambda word: (len(word), word))
    best = lines.map_partitions(lambda part: [longest(program(part))]).compute()
    assert set(best) == {"question"}


def test_reducers_survive_every_pickle_protocol():
    program = Pipeline().map(abs).take(3)
    for reducer in (
        program.list(),
        program.reduce(operator.add),
        program.reduce(operator.add, 10),
        program.first(),
        program.last(None),
        program.min(key=operator.neg, default=0),
        program.to(sorted, reverse=True),
        program.collect(program.sum(), Pipeline().count()),
    ):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(reducer, protocol))
            assert repr(again) == repr(reducer)
            assert again([3, -1, 2, 5]) == reducer([3, -1, 2, 5])
