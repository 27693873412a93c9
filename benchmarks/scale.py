"""What each step of a search costs, how that grows, and beside the plain way to do it.

Run ``python benchmarks/scale.py [--n 1000000]``. Every step is a process of its own: imports and
compiling come before the clock starts, and the memory is what is taken beside the features. The
plain way is scikit-learn and scipy as one writes them at first; since that takes long, the ratio is
taken at ``--plain-n`` objects, where both are timed in the same run. On a machine that does other
work besides, CPU seconds tell more than seconds; the exponent is the slope of their logarithm
against that of n, from 100,000 objects on: below, other things than n take the time.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from astronomaly_widgets import detectors, learners, reduction
from astronomaly_widgets.compute import PackedTrees, largest, npy_writer
from astronomaly_widgets.learners._nearest import NearestLabeled

D, WIDE = 26, 1280  # components that are searched, and features before PCA (Etsebeth et al. 2024)
WIDE_SHARE = 0.4  # of the objects, for which the many features are written to disk
E24 = 3_884_404  # objects in that survey
SMALL, LARGE = 10_000, 100_000  # objects of the smallest survey, and from where cost is linear
WARM = 40_000  # objects for which everything is compiled that ever is


class Survey:
    """Features, anomaly scores and labels of so many objects, all known beforehand."""

    def __init__(self, folder, n):
        self.folder, self.n = folder, n
        self.X = np.array(np.load(folder / "X.npy", mmap_mode="r")[:n])
        rng = np.random.default_rng(1)
        self.S = (5 * rng.random(n) ** 3).astype(np.float32)
        self.order = rng.permutation(n)

    def labels(self, m):
        """Rows and scores of m labeled objects."""
        rows = self.order[:m]
        near = np.linalg.norm(self.X[rows, :5] - 2, axis=1)
        return rows, np.clip(np.round(5 - near), 0, 5)


def plain_scale(survey):
    from sklearn.preprocessing import StandardScaler

    return lambda: StandardScaler().fit_transform(survey.X)


def our_pca(survey):
    return lambda: reduction.pca(survey.folder / f"wide-{survey.n}.npy", D, standardize=True)


def plain_pca(survey):
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    X = np.load(survey.folder / f"wide-{survey.n}.npy")
    # a fraction, as Etsebeth et al. give it, which makes scikit-learn take all singular values
    return lambda: PCA(0.95).fit_transform(StandardScaler().fit_transform(X))


def plain_forest(survey):
    from sklearn.ensemble import IsolationForest

    def score():
        raw = (
            -IsolationForest(n_estimators=100, random_state=0).fit(survey.X).score_samples(survey.X)
        )
        return 5 * (raw - raw.min()) / np.ptp(raw)

    return score


def our_distances(m_known, m_all):
    def prepare(survey):
        rows, _ = survey.labels(m_all)
        kept = NearestLabeled(survey.X)
        kept.update(rows[:m_known])
        return lambda: kept.update(rows)

    return prepare


def plain_distances(m):
    def prepare(survey):
        from scipy.spatial import KDTree

        rows, _ = survey.labels(m)
        return lambda: KDTree(survey.X[rows]).query(survey.X)[0]

    return prepare


def our_prediction(m):
    def prepare(survey):
        trees = PackedTrees.of(grown(survey, m).estimators_)
        return lambda: trees.total(survey.X)

    return prepare


def plain_prediction(m):
    def prepare(survey):
        forest = grown(survey, m)
        return lambda: forest.predict(survey.X)

    return prepare


def grown(survey, m):
    from sklearn.ensemble import RandomForestRegressor

    rows, y = survey.labels(m)
    return RandomForestRegressor(random_state=0).fit(survey.X[rows], y)


def our_retrain(name, m):
    def prepare(survey):
        rows, y = survey.labels(m)
        learner = learners.by_name(name)
        X, S = survey.X, survey.S
        return lambda: learner.fit(X, rows, y, S).score(X, S)

    return prepare


def plain_neighbor_score(m):
    """Lochner & Bassett 2021, equations 1 to 3."""

    def prepare(survey):
        from scipy.spatial import KDTree

        X, rows = survey.X, survey.labels(m)[0]

        def retrain():
            relevance = grown(survey, m).predict(X).clip(0, 5)
            distance = KDTree(X[rows]).query(X)[0]
            weight = np.arctanh(0.1 + 0.85 * relevance / 5)
            return survey.S * np.tanh(np.expm1(distance / distance.mean()) + weight)

        return retrain

    return prepare


def plain_regression(m):
    """Gaussian process and expected improvement, as in Walmsley et al. 2022."""

    def prepare(survey):
        from scipy.stats import norm
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern, WhiteKernel

        rows, y = survey.labels(m)

        def retrain():
            process = GaussianProcessRegressor(Matern() + WhiteKernel(), normalize_y=True)
            mean, std = process.fit(survey.X[rows], y).predict(survey.X, return_std=True)
            gain = mean - y.max() - 0.5
            return gain * norm.cdf(gain / std) + std * norm.pdf(gain / std)

        return retrain

    return prepare


# name: (ours, plain or None, seconds wanted for Etsebeth's survey or None)
STEPS = {
    "PCA, 1280 to 26, from disk": (our_pca, plain_pca, 360),
    "standard scaling": (lambda s: lambda: reduction.scale(s.X), plain_scale, None),
    "isolation forest, fit and score": (
        lambda s: lambda: detectors.anomaly_score(s.X),
        plain_forest,
        12,
    ),
    "distances to 50 new labels of 2,050": (our_distances(2000, 2050), plain_distances(2050), None),
    "distances to 2,000 labels": (our_distances(0, 2000), plain_distances(2000), None),
    "100 trees of 500 labels": (our_prediction(500), plain_prediction(500), None),
    "100 trees of 2,000 labels": (our_prediction(2000), plain_prediction(2000), None),
    "first 1,000 of a ranking": (
        lambda s: lambda: largest(s.S, 1000),
        lambda s: lambda: np.argsort(-s.S, kind="stable")[:1000],
        None,
    ),
    "all of a ranking": (
        lambda s: lambda: largest(s.S),
        lambda s: lambda: np.argsort(-s.S, kind="stable"),
        None,
    ),
    "retrain, neighbor score, 200 labels": (
        our_retrain("neighbor_score", 200),
        plain_neighbor_score(200),
        5,
    ),
    "retrain, neighbor score, 2,000 labels": (
        our_retrain("neighbor_score", 2000),
        plain_neighbor_score(2000),
        10,
    ),
    "retrain, neighbor score, 10,000 labels": (our_retrain("neighbor_score", 10_000), None, 30),
    "retrain, direct regression, 1,000 labels": (
        our_retrain("direct_regression", 1000),
        plain_regression(1000),
        90,
    ),
    "retrain, default learner, 500 labels": (our_retrain("auto", 500), None, 10),
}


def measure(folder, step, sizes, *, plain):
    """Do one step for all sizes, and print seconds, CPU seconds and megabytes of each, as JSON."""
    make = STEPS[step][1 if plain else 0]
    if "PCA" not in step:
        make(Survey(folder, min(*sizes, 12_000) if plain else WARM))()  # imports, compiles
    costs = []
    for n in sorted(sizes, reverse=True):  # the largest while the memory is still in order
        work = make(Survey(folder, n))
        if "PCA" in step:
            forget(folder / f"wide-{n}.npy")
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
        before = memory("VmRSS")
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        costs.append([n, wall, cpu, memory("VmHWM") - before])
        del work, result
    print(json.dumps(costs))


def memory(what):
    """Megabytes of this process, as Linux counts them."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) / 1024


def in_a_process(folder, step, sizes, *, plain=False):
    """Return seconds, CPU seconds and megabytes by size."""
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    command += ["--sizes", *map(str, sizes), *(["--plain"] if plain else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {n: costs for n, *costs in json.loads(done.stdout.splitlines()[-1])}


def forget(path):
    """Have the system drop a file from its memory, so that it is read from disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write_survey(folder, sizes, *, wide_too):
    """Components of galaxies and a few odd ones, and a correlated 1280 for some of them."""
    rng = np.random.default_rng(0)
    spread = np.linspace(3, 0.3, D, dtype=np.float32)
    with npy_writer(folder / "X.npy", (max(sizes), D), "f4") as write:
        for start in range(0, max(sizes), 50_000):
            k = min(50_000, max(sizes) - start)
            write(rng.standard_t(6, (k, D)).astype(np.float32) * spread)
    base = rng.normal(size=(D, WIDE)).astype(np.float32)
    for size in sizes if wide_too else ():
        wide = int(WIDE_SHARE * size)
        with npy_writer(folder / f"wide-{wide}.npy", (wide, WIDE), "f4") as write:
            for start in range(0, wide, 5000):
                k = min(5000, wide - start)
                noise = rng.standard_normal((k, WIDE), dtype=np.float32)
                write(rng.standard_normal((k, D), dtype=np.float32) * spread @ base + noise + 3)


def report(folder, steps, sizes, plain_n, plot):
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load", end=" ")
    print(f"{os.getloadavg()[0]:.1f} at the start, Python {sys.version.split()[0]}\n")
    print(f"| step | n | s | CPU s | MB | exponent | CPU s for {E24:,} | goal | ", end="")
    print(f"plain, {plain_n:,} | times ours | CPU, times ours |", "|" + " --- |" * 11, sep="\n")
    costs = {}
    for step in steps:
        share = WIDE_SHARE if "PCA" in step else 1.0
        *ns, at = (int(share * size) for size in [*sizes, plain_n])
        ours = in_a_process(folder, step, sorted({*ns, at}))
        costs[step] = [(n, *ours[n]) for n in ns]
        n, seconds, cpu, megabytes = costs[step][-1]
        slope = exponent(costs[step], share)
        cells = [step, f"{n:,}", f"{seconds:.2f}", f"{cpu:.2f}", f"{megabytes:.0f}", f"{slope:.2f}"]
        fewer, half = costs[step][-2][0], costs[step][-2][2]
        whole = cpu + (E24 - n) * (cpu - half) / (n - fewer)  # what is learned is learned once
        cells += [f"{whole:.1f}", str(STEPS[step][2] or "-")]
        if STEPS[step][1] is None:
            cells += ["-"] * 3
        else:
            plain = in_a_process(folder, step, [at], plain=True)[at]
            cells += [f"{plain[0]:.2f} s", *(f"{plain[k] / ours[at][k]:.1f}" for k in (0, 1))]
        print("|", " | ".join(cells), "|", flush=True)
    if plot is not None:
        draw(costs, plot)


def exponent(costs, share):
    """Slope of the logarithm of CPU seconds against that of n, from 100,000 objects on."""
    points = np.log([(n, cpu) for n, _, cpu, _ in costs])
    large = points[points[:, 0] >= np.log(LARGE * share)]
    return np.polyfit(*(large if len(large) > 1 else points).T, 1)[0]


def sizes_up_to(n):
    """From 10,000 objects on, two for each power of ten."""
    return np.geomspace(SMALL, n, round(2 * np.log10(n / SMALL)) + 1).round().astype(int).tolist()


def draw(costs, path):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for step, points in costs.items():
        n, seconds, *_ = zip(*points, strict=True)
        axes.loglog(n, seconds, "o-", label=step)
    axes.set(xlabel="objects", ylabel="seconds")
    axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="objects (default 1,000,000)")
    parser.add_argument("--plain-n", type=int, default=50_000, help="objects for the plain way")
    parser.add_argument("--only", default="", help="steps whose name has this in it")
    parser.add_argument("--plot", type=Path, help="draw seconds against n to this file")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where to keep the survey (default: temporary)")
    parser.add_argument("--sizes", type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        measure(arguments.folder, arguments.step, arguments.sizes, plain=arguments.plain)
        return
    steps = [step for step in STEPS if arguments.only in step]
    sizes = sizes_up_to(arguments.n)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        wide_too = any("PCA" in step for step in steps)
        write_survey(folder, [*sizes, arguments.plain_n, WARM], wide_too=wide_too)
        report(folder, steps, sizes, arguments.plain_n, arguments.plot)


if __name__ == "__main__":
    main()
