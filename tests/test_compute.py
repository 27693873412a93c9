"""Work in chunks: watched, cancelled, spread over processes."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from astronomaly_widgets.compute import (
    Task,
    _compiled,
    chunks,
    compiled,
    evenly,
    map_chunks,
    map_objects,
    report,
    running,
)

JOBS = pytest.mark.parametrize("n_jobs", [1, 2])


def square(x):
    return x * x


@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (9, 3), (10, 3)])
def test_chunks_cover_everything_once(n, size):
    covered = [k for part in chunks(n, size) for k in range(n)[part]]
    assert covered == list(range(n))


def test_chunks_report_and_can_be_cancelled():
    seen = []
    task = Task(on_progress=seen.append)
    with running(task):
        for part in chunks(10, 4):
            if part.start == 4:
                task.cancel.set()
                break
        with pytest.raises(CancelledError):
            report(0.5)
    assert seen == [0, 0.4]
    report(0.7)  # to nobody
    assert seen == [0, 0.4]


@JOBS
def test_results_come_in_order(n_jobs):
    assert list(map_objects(square, range(300), n_jobs=n_jobs)) == [x * x for x in range(300)]


@JOBS
def test_nothing_to_do_is_done_at_once(n_jobs):
    assert list(map_objects(square, [], n_jobs=n_jobs)) == []


@pytest.mark.parametrize(("n_jobs", "called"), [(1, 0), (2, 1)])
def test_what_is_done_meanwhile_is_done_once_and_before_the_first_result(n_jobs, called):
    calls = []
    results = map_objects(square, range(50), n_jobs=n_jobs, meanwhile=lambda: calls.append(1))
    assert next(results) == 0
    assert len(calls) == called
    assert list(results) == [x * x for x in range(1, 50)]
    assert len(calls) == called


def test_a_function_of_a_notebook_reaches_other_processes():
    shift = 3

    def local(x):
        return x + shift, os.getpid()

    results = list(map_objects(local, range(20), n_jobs=2))
    assert [value for value, _ in results] == list(range(3, 23))
    assert os.getpid() not in {pid for _, pid in results}


def test_large_arrays_are_mapped_not_copied():
    data = np.arange(100_000.0)
    empty = np.empty(0)

    def look(k):
        kind = data
        while isinstance(kind, np.ndarray) and kind.base is not None:
            kind = kind.base
        return float(data[k]), len(empty), type(kind).__name__

    assert list(map_objects(look, [7, 99_999], n_jobs=2)) == [
        (7, 0, "memoryview"),
        (99_999, 0, "memoryview"),
    ]


def test_workers_use_one_thread_each():
    def threads(_):
        import cv2

        return cv2.getNumThreads(), os.environ["OMP_NUM_THREADS"]

    assert list(map_objects(threads, range(2), n_jobs=2)) == [(1, "1"), (1, "1")]


@JOBS
def test_the_running_task_hears_of_progress(n_jobs):
    seen = []
    with running(Task(on_progress=seen.append)):
        list(map_objects(square, range(10), n_jobs=n_jobs))
    assert seen[0] == 0
    assert seen[-1] == 1
    assert seen == sorted(seen)


@JOBS
def test_a_cancelled_task_stops_even_while_it_waits(n_jobs):
    task = Task()
    timer = threading.Timer(0.3, task.cancel.set)
    timer.start()
    start = time.monotonic()
    with running(task), pytest.raises(CancelledError):
        for _ in map_objects(
            lambda _: time.sleep(0.1 if n_jobs == 1 else 30), range(4), n_jobs=n_jobs
        ):
            pass
    timer.join()
    assert time.monotonic() - start < 20


@JOBS
def test_an_error_of_the_function_reaches_the_caller(n_jobs):
    with pytest.raises(ZeroDivisionError):
        list(map_objects(lambda x: 1 / (5 - x), range(20), n_jobs=n_jobs))


def kill_at(*places):
    def function(x):
        if x in places:
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    return function


def test_an_item_that_kills_its_worker_is_found_and_the_others_are_done():
    results = list(map_objects(kill_at(5, 60), range(80), n_jobs=2, on_crash=lambda x: -x))
    assert results == [-x if x in (5, 60) else x for x in range(80)]


def test_without_a_way_to_go_on_a_dead_worker_is_an_error():
    with pytest.raises(BrokenProcessPool):
        list(map_objects(kill_at(3), range(8), n_jobs=2))


def is_gone(kill, pid):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_workers_are_gone_when_nobody_asks_for_more():
    results = map_objects(lambda _: os.getpid(), range(1000), n_jobs=2)
    pid = next(results)
    results.close()
    assert is_gone(os.kill, pid)


@pytest.mark.parametrize(("n_jobs", "wanted"), [(-1, False), (3, False), (1, True)])
def test_one_job_works_in_this_process(n_jobs, wanted):
    (pid, _) = map_objects(lambda _: os.getpid(), range(2), n_jobs=n_jobs)
    assert (pid == os.getpid()) is (wanted or os.cpu_count() == 1)


def test_no_jobs_are_refused():
    with pytest.raises(ValueError, match="n_jobs is 0"):
        list(map_objects(square, [1], n_jobs=0))


def slowly(x):
    time.sleep(0.15)  # longer than a bar waits before it is drawn again
    return x


def test_the_bar_shows_rate_and_what_is_left(capsys):
    list(map_objects(slowly, range(5), n_jobs=1, progress="Squaring", unit="numbers"))
    shown = capsys.readouterr().err
    assert re.search(r"Squaring: +\d+%.* [1-5]/5 \[.*numbers/s", shown)


KILLED = """
    import os, time
    from astronomaly_widgets.compute import map_objects
    for pid in map_objects(lambda k: (time.sleep(0.01), os.getpid())[1], range(10**6), n_jobs=2):
        print(pid, flush=True)
"""


def test_workers_end_with_a_parent_that_was_killed():
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid = int(child.stdout.readline())
    child.kill()
    child.communicate()
    assert is_gone(os.kill, pid)


SCRIPT = """
    import signal
    from astronomaly_widgets.compute import map_objects
    # a shell in the background has its children ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for k in map_objects(lambda k: k, range(10**9), n_jobs=2):
            if k == 100:
                print("running", flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def test_ctrl_c_ends_the_workers_without_a_word():
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout.readline() == "running\n"
    os.killpg(child.pid, signal.SIGINT)  # to all, as a terminal and Jupyter do
    out, err = child.communicate(timeout=60)
    assert out == "stopped\n"
    assert err == ""
    assert is_gone(os.killpg, child.pid)


THREADS = pytest.mark.parametrize("n_jobs", [1, 3])


@THREADS
@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (9, 3), (100, 7)])
def test_chunks_on_threads_come_in_order_and_cover_everything(n, size, n_jobs):
    def work(part):
        time.sleep(0.002 * (part.start % 3))  # so that they would end in another order
        return list(range(n))[part]

    found = list(map_chunks(work, n, size, n_jobs=n_jobs))
    assert [part for part, _ in found] == list(chunks(n, size))
    assert [k for _, numbers in found for k in numbers] == list(range(n))


def test_chunks_run_at_the_same_time_but_not_all_at_once():
    meeting, started = threading.Barrier(2, timeout=60), []

    def work(part):
        started.append(part.start)
        meeting.wait()
        return part.start

    results = map_chunks(work, 100, 1, n_jobs=2)
    assert next(results)[1] == 0
    assert len(started) <= 6
    assert [start for _, start in results] == list(range(1, 100))


@THREADS
def test_chunks_on_threads_report_and_can_be_cancelled(n_jobs):
    seen, done = [], []
    task = Task(on_progress=lambda fraction: seen.append(fraction) or len(seen) < 11 or stop())
    stop = task.cancel.set
    with running(task), pytest.raises(CancelledError):
        list(map_chunks(lambda part: done.append(part.start), 100, 1, n_jobs=n_jobs))
    assert seen == [k / 100 for k in range(11)]
    assert len(done) <= 11 + 2 * n_jobs


@THREADS
def test_an_error_on_a_thread_reaches_the_caller(n_jobs):
    with pytest.raises(ZeroDivisionError):
        list(map_chunks(lambda part: 1 // (part.start - 7), 100, 1, n_jobs=n_jobs))


def test_threads_are_gone_when_nobody_asks_for_more():
    before = threading.active_count()
    results = map_chunks(lambda part: part.start, 1000, 1, n_jobs=3)
    next(results)
    assert threading.active_count() > before
    results.close()
    assert threading.active_count() == before


def total(numbers):
    result = 0.0
    for number in numbers:
        result += number
    return result


def test_a_compiled_loop_is_the_loop():
    numbers = np.random.default_rng(0).normal(size=1000)
    assert compiled(total)(numbers) == total(numbers)
    assert compiled(total).__name__ == "total"


def test_a_loop_is_compiled_once_also_when_threads_meet_at_it(monkeypatch):
    calls = []

    def slowly(function):
        calls.append(function)
        time.sleep(0.05)
        return function

    monkeypatch.setattr(_compiled, "_compile", slowly)
    loop = compiled(total)
    assert calls == []
    sums = [result for _, result in map_chunks(lambda _: loop(np.ones(3)), 8, 1, n_jobs=4)]
    assert sums == [3.0] * 8
    assert calls == [total]


def test_machine_code_that_cannot_be_kept_is_made_again(monkeypatch):
    import numba

    def njit(*, nogil, cache=False):
        if cache:
            raise RuntimeError("cannot cache function 'total': no locator available")
        return original(nogil=nogil)

    original = numba.njit
    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(total)(np.arange(4.0)) == 6


@pytest.mark.parametrize(("n", "most", "rows"), [(9, 3, [0, 4, 8]), (3, 9, [0, 1, 2]), (0, 5, [])])
def test_rows_are_spread_evenly_from_the_first_to_the_last(n, most, rows):
    assert evenly(n, most).tolist() == rows
