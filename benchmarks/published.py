"""How the published learners depend on what they leave open: trade-off, cold start, regressor.

    python benchmarks/published.py [FOLDER] [--seeds 0 1] [--batch 50] [--labels 500] [--only NAME]

Beds and person as in `discovery.py`. Prints the area under the discovery curve, averaged over beds
and seeds, from the top of each learner's own order and with the batches of
`astronomaly_widgets.batches`, and the seconds of a retrain.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from discovery import beds_in, generated, person

from astronomaly_widgets import batches
from astronomaly_widgets.learners import (
    AADForest,
    AnomalyScore,
    DirectRegression,
    NeighborScore,
    PineForest,
    RandomOrder,
)
from astronomaly_widgets.learners.direct_regression import COLD_STARTS

OPTIONS = {
    **{f"direct regression, xi {xi}": DirectRegression(xi=xi) for xi in (0.0, 0.1, 0.5, 1, 2, 3)},
    **{
        f"direct regression, start: {start}": DirectRegression(cold_start=start)
        for start in COLD_STARTS
    },
    **{
        f"neighbor score, {regressor}": NeighborScore(regressor=regressor)
        for regressor in ("random_forest", "extra_trees", "k_neighbors", "support_vector")
    },
    "AAD forest": AADForest(),
    "pine forest": PineForest(),
    "anomaly score": AnomalyScore(),
    "random": RandomOrder(),
}


def area(bed, learner, seed, batch, *, n_labels, strategy):
    """Mean over all labels of the fraction found, and seconds per retrain."""
    X, interesting, score, S = bed
    S = S[seed % len(S)].astype(np.float32)
    rng = np.random.default_rng(seed + 99)
    n_labels = min(n_labels, len(X))
    if hasattr(learner, "random_state"):
        learner = replace(learner, random_state=seed)
    rows, given, seconds = np.empty(0, dtype=np.intp), np.empty(0), []
    while len(rows) < n_labels:
        started = time.perf_counter()
        said = learner.fit(X, rows, given, S).score(X, S)
        seconds.append(time.perf_counter() - started)
        new = batches.suggest(
            X,
            said.acquisition,
            rows,
            given,
            batch,
            exploration=said.exploration,
            strategy=strategy,
            random_state=seed,
        ).rows
        rows, given = np.r_[rows, new], np.r_[given, person(score, new, rng)]
    found = np.cumsum(interesting[rows[:n_labels]]) / interesting.sum()
    return found.mean(), np.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument(
        "--only", nargs="+", default=[""], help="options whose name has one of these"
    )
    options = parser.parse_args()
    beds = beds_in(options.folder) if options.folder else generated(max(options.seeds) + 1)
    beds = [bed for _, bed in beds]
    print(f"{len(beds)} beds, seeds {options.seeds}, batches of {options.batch}")
    print(f"{'':42s}{'top':>8s}{'batches':>9s}{'retrain':>10s}")
    for name, learner in OPTIONS.items():
        if not any(part in name for part in options.only):
            continue
        runs = np.array(
            [
                [
                    area(
                        bed,
                        learner,
                        seed,
                        options.batch,
                        n_labels=options.labels,
                        strategy=strategy,
                    )
                    for bed in beds
                    for seed in options.seeds
                ]
                for strategy in ("top", "auto")
            ]
        )
        top, chosen = runs[:, :, 0].mean(axis=1)
        print(f"{name:42s}{top:8.3f}{chosen:9.3f}{np.median(runs[..., 1]):8.2f} s", flush=True)


if __name__ == "__main__":
    main()
