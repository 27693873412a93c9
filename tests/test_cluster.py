"""Work on the workers of a Dask cluster: the same results, also when one dies."""

import os
import signal
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from astronomaly_widgets.compute import Task, _cluster, _map, map_objects, running

distributed = pytest.importorskip("distributed")


def roots(x):
    return np.sqrt(np.arange(x % 7 + 1) + x)


def test_results_are_those_of_one_process_to_the_last_bit_and_in_order(client):
    here = list(map_objects(roots, range(300), n_jobs=1))
    there = list(map_objects(roots, range(300), client=client))
    assert len(there) == 300
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_work_is_done_elsewhere_by_more_than_one(client):
    pids = set(map_objects(lambda _: os.getpid(), range(200), client=client))
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_nothing_to_do_is_done_at_once(client):
    assert list(map_objects(roots, [], client=client)) == []


def die_once(folder):
    """Kill the worker of item 40, but only the first time."""

    def function(x):
        if x == 40 and not (folder / "died").exists():
            (folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    return function


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets of the worker that was killed
def test_a_killed_workers_batch_runs_again(client, tmp_path):
    assert list(map_objects(die_once(tmp_path), range(80), client=client)) == list(range(80))
    assert (tmp_path / "died").exists()


def die(x):
    if x == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_item_that_kills_every_worker_has_its_say_and_the_others_are_done(client):
    # it takes the function with it, when both are gone before either is back
    done = list(map_objects(die, range(80), client=client, on_crash=lambda x: -x))
    assert done == [-x if x == 40 else x for x in range(80)]


def test_an_error_of_the_function_reaches_the_caller(client):
    with pytest.raises(ZeroDivisionError):
        list(map_objects(lambda x: 1 / (5 - x), range(20), client=client))


def test_a_cancelled_task_stops_while_it_waits(client):
    task = Task()
    timer = threading.Timer(0.3, task.cancel.set)
    timer.start()
    with running(task), pytest.raises(CancelledError):
        list(map_objects(lambda _: threading.Event().wait(2), range(40), client=client))
    timer.join()


def test_progress_is_reported(client):
    seen = []
    with running(Task(on_progress=seen.append)):
        list(map_objects(roots, range(10), client=client))
    assert seen == [k / 10 for k in range(11)]


def test_a_loop_too_busy_to_wait_is_asked_again():
    """Then distributed names a future that it has not made yet."""
    asked = []

    class Busy:
        status = "finished"

        def result(self, timeout):
            asked.append(timeout)
            if len(asked) == 1:
                raise UnboundLocalError
            return 7

    assert _map._wait(_cluster.ClusterFuture(Busy(), None)) == 7
    assert asked == [0.5, 0.5]


def test_a_name_that_a_function_lacks_is_its_own_error(client):
    def lacks(_item):
        if False:
            name = 1
        return name

    with pytest.raises(UnboundLocalError):
        list(map_objects(lacks, range(2), client=client))


def test_a_client_that_closes_meanwhile_is_an_error_not_a_cancellation(client):
    other = distributed.Client(client.scheduler.address)
    results = map_objects(lambda x: x, range(10_000), client=other)
    next(results)
    other.close()
    with pytest.raises(ConnectionError, match="connect again"):
        list(results)
    with pytest.raises(ConnectionError, match="the Dask client is closed"):
        list(map_objects(roots, range(3), client=other))


def test_a_cluster_that_loses_all_its_workers_is_waited_for_and_then_given_up(monkeypatch):
    monkeypatch.setattr(_cluster, "_PATIENCE", 1.0)
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        results = map_objects(lambda x: x, range(10_000), client=client)
        next(results)
        cluster.scale(0)
        with pytest.raises(ConnectionError, match="has lost its workers"):
            list(results)


def test_workers_that_come_later_are_given_work():
    def slowly(x):
        threading.Event().wait(0.05)
        return distributed.get_worker().address

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        seen = set()
        for k, address in enumerate(map_objects(slowly, range(100), client=client, at_once=1)):
            seen.add(address)
            if k == 5:
                assert len(seen) == 1
                cluster.scale(3)
        assert len(seen) == 3


def test_what_is_no_client_is_refused():
    with pytest.raises(TypeError, match=r"client is a str; wanted a distributed\.Client"):
        list(map_objects(roots, range(3), client="tcp://scheduler:8786"))


def test_a_cluster_without_workers_asks_for_some():
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(ConnectionError, match="wait_for_workers"),
    ):
        list(map_objects(roots, range(3), client=client))
