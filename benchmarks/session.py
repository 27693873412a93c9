"""What a person waits for in a large session: opening it, a label, a page, an order, a search.

    python benchmarks/session.py [--n 1000000] [--d 26] [--learners auto neighbor_score]

A project of so many objects is written, then opened in a process of its own, which does what a
person would. Each figure stands beside the plain way in the same run: a data frame that is read
and sorted. On a machine that does other work besides, CPU seconds tell more than seconds; the last
column is their ratio. Then a person who knows the truth scores 50 suggested objects at a time: how
long until the first page of the new ranking can be scored, how long until all is ranked, and how
many of the first of all were on the first pages. Numbers that were measured stand in
docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__)
PAGE = 24
ROUNDS = 8  # of labels
KINDS, RARE = 40, 8  # of objects; the first three of the rare are what is looked for


def seconds(work, times=1):
    """Return the median seconds and CPU seconds of some calls, and what the last returned."""
    took, value = [], None
    for _ in range(times):
        start, cpu = time.perf_counter(), time.process_time()
        value = work()
        took.append((time.perf_counter() - start, time.process_time() - cpu))
    return np.median(took, axis=0).tolist(), value


def survey(rng, n, d):
    """Make kinds of objects with tails, and a few rare kinds more or less apart; true scores."""
    centers = 3 * rng.normal(size=(KINDS, d))
    kind = rng.choice(KINDS, n, p=rng.dirichlet(np.full(KINDS, 2.0)))
    X, truth = np.empty((n, d), dtype=np.float32), np.zeros(n)
    for k in range(KINDS):
        rows = np.flatnonzero(kind == k)
        tail = np.sqrt(rng.chisquare(6, len(rows)) / 6)[:, None]
        spread = np.exp(rng.normal(-0.3, 0.5, d))
        mixed = rng.normal(size=(len(rows), d)) / tail * spread
        X[rows] = centers[k] + mixed @ rng.normal(size=(d, d)) / np.sqrt(d)
    rare = rng.choice(n, (RARE, max(n // 4000, 5)), replace=False)
    for k, rows in enumerate(rare):
        apart = rng.normal(size=d) * (0.75, 1.5, 3, 0.75, 1.5, 3, 4.5, 4.5)[k]
        X[rows] = centers[rng.integers(KINDS)] + apart + 0.6 * rng.normal(size=(len(rows), d))
        truth[rows] = (5, 5, 5, 1, 1, 1, 0, 0)[k]
    return X, truth


def write(folder, options):
    """Write a project as a search leaves it: features, scores, a catalog, labels."""
    import astronomaly_widgets as aw

    rng, n = np.random.default_rng(0), options.n
    X, truth = survey(rng, n, options.d)
    np.save(folder / "truth.npy", truth)
    score = aw.detectors.anomaly_score(X, random_state=0)
    ids = np.char.add("J", np.arange(10**9, 10**9 + n).astype(str))
    catalog = pd.DataFrame({"redshift": rng.random(n)}, index=pd.Index(ids))
    session = aw.Session(X, ids, anomaly_score=score, catalog=catalog, project=folder / "project")
    for row in rng.choice(n, 200, replace=False):
        session.label(session.ids_of([row])[0], float(rng.integers(0, 6)))
    session.close()
    plain = catalog.assign(anomaly_score=score)
    plain.to_parquet(folder / "plain.parquet")


def ours(folder, options):
    """Open the project and use it; seconds by step."""
    start = time.perf_counter()
    import astronomaly_widgets as aw

    imported = time.perf_counter() - start
    import sklearn.cluster  # noqa: F401 - like what is compiled, imports come before the clock

    make_gallery = aw.Gallery
    rows = {}
    rows["open the project"], session = seconds(lambda: aw.Session.open(folder / "project"))
    name = session.ids_of([session.n_objects // 2])[0]
    rows["gallery, first page"], gallery = seconds(lambda: make_gallery(session))
    viewer = gallery._viewer  # noqa: SLF001 - what the browser would ask for

    def asked(action):
        action()
        viewer._worker.submit(int).result(120)  # noqa: SLF001 - until all that was asked is done

    turn = iter(range(1, 100))
    rows["next page"], _ = seconds(lambda: asked(lambda: viewer.turn("next", "x", next(turn))), 7)
    for order in ("anomaly_score", "redshift", "suggested"):
        rows[f"order: {order}"], _ = seconds(lambda o=order: asked(lambda: viewer.change(order=o)))
    rows["order seen before"], _ = seconds(
        lambda: asked(lambda: viewer.change(order="anomaly_score"))
    )
    some = iter(session.ids_of(np.arange(0, 200_000, 1000) % session.n_objects))
    rows["label"], _ = seconds(lambda: session.label(next(some), 3), 50)
    rows["find an id"], _ = seconds(lambda: asked(lambda: viewer.find(name)), 3)
    rows["find a part of an id"], _ = seconds(lambda: asked(lambda: viewer.find(name[-6:])))
    rows["filter by the catalog"], _ = seconds(
        lambda: session.ranking_rows("anomaly_score", where="redshift > 0.9 and anomaly_score > 2")
    )
    rows["neighbors of one object"], _ = seconds(lambda: session.similar_to(name, PAGE))
    session.retrain().result(600)  # what is compiled at the first
    searches = {name: search(session, viewer, folder, name) for name in options.learners}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": rows, "import": imported, "peak": peak, "searches": searches}


def search(session, viewer, folder, learner):
    """Score what is suggested, as a person who knows the truth; one dict per retrain."""
    truth = np.load(folder / "truth.npy")
    while session.can_undo:
        session.undo()
    session.learner = learner
    session.retrain().result(600)
    return [one_round(session, viewer, truth) for _ in range(ROUNDS)]


def one_round(session, viewer, truth):
    """Score 50 suggested objects, retrain, and take the first page as soon as it is offered."""
    rows = session.ranking_rows()[:50]
    for name, score in zip(session.ids_of(rows), truth[rows], strict=True):
        session.label(name, score)
    ready = threading.Event()
    said = {}

    def announce(_):
        if not ready.is_set():
            said["cpu"] = time.process_time()
            ready.set()

    def on_the_worker(work):
        return viewer._worker.submit(work).result(600)  # noqa: SLF001

    on_the_worker(int)
    before = on_the_worker(time.thread_time)
    session.observe(announce, ["early_revision", "score_revision"])
    start, cpu = time.perf_counter(), time.process_time()
    future = session.retrain()
    ready.wait(600)
    viewer.take()
    after = on_the_worker(time.thread_time)
    first = time.perf_counter() - start, said["cpu"] - cpu + after - before
    pages = session.ranking_rows()
    future.result(600)
    whole = time.perf_counter() - start, time.process_time() - cpu
    session.unobserve(announce, ["early_revision", "score_revision"])
    final = session.ranking_rows()
    kept = {f"of {n}": float(np.isin(final[:n], pages[:n]).mean()) for n in (50, 200)}
    counts = {"labels": session.n_labeled, "found": session.n_found}
    return {**counts, "first": first, "whole": whole, **kept}


def plain(folder, _options):
    """Do the same with a data frame, read and sorted."""
    rows = {}
    rows["open the project"], table = seconds(lambda: pd.read_parquet(folder / "plain.parquet"))
    (path,) = (folder / "project" / "data").glob("*/features.npy")
    features = np.load(path, mmap_mode="r")
    name = table.index[len(table) // 2]

    def page(column):
        return table.sort_values(column, ascending=False).index[:PAGE].tolist()

    rows["gallery, first page"], _ = seconds(lambda: page("anomaly_score"))
    rows["order: anomaly_score"] = rows["gallery, first page"]
    rows["order: redshift"], _ = seconds(lambda: page("redshift"))
    rows["find an id"], _ = seconds(lambda: table.index.get_loc(name))
    rows["find a part of an id"], _ = seconds(lambda: table.index[table.index.str.contains("777")])
    rows["filter by the catalog"], _ = seconds(
        lambda: table.query("redshift > 0.9 and anomaly_score > 2").sort_values("anomaly_score")
    )
    here = features[len(features) // 2]
    rows["neighbors of one object"], _ = seconds(
        lambda: np.argsort(np.linalg.norm(np.asarray(features) - here, axis=1))[:PAGE]
    )
    return {"seconds": rows, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def in_a_process(what, folder):
    """Run one part in a process of its own, so that its memory can be told."""
    command = [sys.executable, str(HERE), *sys.argv[1:], "--run", what, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Write a project, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--d", type=int, default=26)
    parser.add_argument("--learners", nargs="*", default=["auto", "neighbor_score"])
    parser.add_argument("--run", choices=("write", "ours", "plain"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        part = {"write": write, "ours": ours, "plain": plain}[options.run]
        sys.stdout.write(json.dumps(part(options.folder, options)) + "\n")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, mine, other = (in_a_process(part, folder) for part in ("write", "ours", "plain"))
    out = sys.stdout.write
    out(f"{options.n:,} objects, {options.d} features, import {mine['import']:.1f} s\n\n")
    out(f"{'':28}{'seconds':>10}{'CPU s':>10}{'plain':>10}{'CPU s':>10}{'plain / ours':>14}\n")
    for step, (wall, cpu) in mine["seconds"].items():
        out(f"{step:28}{wall:10.4f}{cpu:10.4f}")
        if step in other["seconds"]:
            beside, at_work = other["seconds"][step]
            out(f"{beside:10.4f}{at_work:10.4f}{at_work / max(cpu, 1e-6):14.1f}")
        out("\n")
    out(f"{'peak memory, GB':28}{mine['peak']:10.2f}{'':10}{other['peak']:10.2f}\n")
    for learner, retrains in mine["searches"].items():
        out(f"\n{learner:16}{'found':>6}{'first page, s':>15}{'CPU s':>8}{'all, s':>8}{'CPU s':>8}")
        out(f"{'of first 50':>14}{'of 200':>8}\n")
        for row in retrains:
            out(f"{row['labels']:>9} labels{row['found']:6}")
            out("".join(f"{value:{w}.2f}" for value, w in zip(row["first"], (15, 8), strict=True)))
            out("".join(f"{value:8.2f}" for value in row["whole"]))
            out(f"{row['of 50']:14.2f}{row['of 200']:8.2f}\n")


if __name__ == "__main__":
    main()
