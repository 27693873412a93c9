"""What a Dask cluster costs beside one process: the price of sending, in CPU time.

Run ``python benchmarks/cluster.py [--n 100000]``. CPU seconds of all processes together, which tell
the same on a machine that does other work besides: of this one alone, and of this one with the
scheduler in it and one worker per core. The ratio is what every cluster pays; the seconds per
object are what a plan for more machines is made of.
"""

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from astronomaly_widgets import detectors, learners, reduction
from astronomaly_widgets.compute import elsewhere
from astronomaly_widgets.features import measure
from astronomaly_widgets.sources import ImageStack

D, WIDE, LABELS = 26, 1280, 500
SIDE = 64  # pixels
N_IMAGES, N_WIDE = 1000, 10_000


def measuring(folder):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    shape = (N_IMAGES, 1, 1)
    axis, width = rng.uniform(0.3, 1, shape), rng.uniform(3, 9, shape)
    images = 100 * np.exp(-np.hypot(x, y / axis) / width) + rng.normal(size=(N_IMAGES, SIDE, SIDE))
    np.save(folder / "images.npy", images.astype(np.float32))
    source = ImageStack(folder / "images.npy")

    def work(client=None):
        return measure(source, "ellipse", client=client, n_jobs=1, progress=False).values

    return N_IMAGES, work


def components(folder):
    rng = np.random.default_rng(0)
    np.save(folder / "wide.npy", rng.normal(size=(N_WIDE, WIDE)).astype(np.float32))

    def work(client=None):
        return reduction.pca(folder / "wide.npy", D, client=client).scores

    return N_WIDE, work


def scoring(n):
    X = np.random.default_rng(0).normal(size=(n, D)).astype(np.float32)

    def work(client=None):
        with elsewhere(client):
            return detectors.anomaly_score(X)

    return n, work


def retraining(n):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, D)).astype(np.float32)
    S = (5 * rng.random(n) ** 3).astype(np.float32)
    rows = rng.permutation(n)[:LABELS]
    y = np.clip(np.round(5 - np.linalg.norm(X[rows, :5] - 1, axis=1)), 0, 5)

    def work(client=None):
        with elsewhere(client):
            return learners.by_name("auto").fit(X, rows, y, S).score(X, S).trained_score

    return n, work


def cpu_seconds(client):
    """Return the CPU seconds of all processes so far."""
    return time.process_time() + sum(client.run(time.process_time).values())


def timed(work, client, *, alone):
    before = cpu_seconds(client)
    result = work() if alone else work(client=client)
    return cpu_seconds(client) - before, result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="objects that are scored")
    n = parser.parse_args().n
    import distributed

    with (
        tempfile.TemporaryDirectory() as name,
        distributed.Client(
            threads_per_worker=1, dashboard_address=":0", local_directory=name
        ) as client,
    ):
        folder = Path(name)
        steps = {
            f"ellipse features, {SIDE} x {SIDE} pixels": measuring(folder),
            f"PCA {WIDE} -> {D}, from disk": components(folder),
            "isolation forest, fit and score": scoring(n),
            f"default learner, {LABELS} labels": retraining(n),
        }
        print(f"{platform.processor() or platform.machine()}, {len(client.nthreads())} workers")
        heads = f"{'objects':>9}{'alone':>9}{'cluster':>9}{'ratio':>7}"
        print(f"{'CPU microseconds per object':36}{heads}")
        for step, (count, work) in steps.items():
            work()  # imports and compiling, here and there
            work(client=client)
            alone, one = timed(work, client, alone=True)
            spread, other = timed(work, client, alone=False)
            print(
                f"{step:36}{count:9}{1e6 * alone / count:9.1f}{1e6 * spread / count:9.1f}"
                f"{spread / alone:7.2f}{'' if np.array_equal(one, other) else '   not the same!'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
