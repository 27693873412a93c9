"""What a person waits for in a large session: opening it, a label, a page, an order, a search.

    python benchmarks/session.py [--n 1000000] [--d 26]

A project of so many objects is written, then opened in a process of its own, which does what a
person would. Each figure stands beside the plain way in the same run: a data frame that is read
and sorted. On a machine that does other work besides, CPU seconds tell more than seconds; the last
column is their ratio. Numbers that were measured stand in docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__)
PAGE = 24


def seconds(work, times=1):
    """Return the median seconds and CPU seconds of some calls, and what the last returned."""
    took, value = [], None
    for _ in range(times):
        start, cpu = time.perf_counter(), time.process_time()
        value = work()
        took.append((time.perf_counter() - start, time.process_time() - cpu))
    return np.median(took, axis=0).tolist(), value


def write(folder, n, d):
    """Write a project as a search leaves it: features, scores, a catalog, labels."""
    import astronomaly_widgets as aw

    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(np.float32)
    score = np.clip(rng.gamma(1, 0.6, n), 0, 5).astype(np.float32)
    ids = np.char.add("J", np.arange(10**9, 10**9 + n).astype(str))
    catalog = pd.DataFrame({"redshift": rng.random(n)}, index=pd.Index(ids))
    session = aw.Session(X, ids, anomaly_score=score, catalog=catalog, project=folder / "project")
    for row in rng.choice(n, 200, replace=False):
        session.label(session.ids_of([row])[0], float(rng.integers(0, 6)))
    session.close()
    plain = catalog.assign(anomaly_score=score)
    plain.to_parquet(folder / "plain.parquet")


def ours(folder):
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
    for name in session.ids_of(np.arange(7, 7 + 50 * 999, 999) % session.n_objects):
        session.label(name, 3)
    rows["retrain after 50 labels"], _ = seconds(lambda: session.retrain().result(600))
    rows["page of the new ranking"], _ = seconds(lambda: asked(viewer.take))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": rows, "import": imported, "peak": peak}


def plain(folder):
    """Do the same with a data frame, read and sorted."""
    rows = {}
    rows["open the project"], table = seconds(lambda: pd.read_parquet(folder / "plain.parquet"))
    features = np.load(folder / "project" / "features.npy", mmap_mode="r")
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
    """Run one side in a process of its own, so that its memory can be told."""
    command = [sys.executable, str(HERE), "--run", what, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Write a project, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--d", type=int, default=26)
    parser.add_argument("--run", choices=("ours", "plain"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side = {"ours": ours, "plain": plain}[options.run]
        sys.stdout.write(json.dumps(side(options.folder)) + "\n")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, options.n, options.d)
        mine, other = in_a_process("ours", folder), in_a_process("plain", folder)
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


if __name__ == "__main__":
    main()
