"""Does the interval of how many interesting objects are left hold the truth as often as it says.

    python benchmarks/remaining.py [FOLDER] [--seeds 0 1 2] [--batch 50] [--labels 500]

Beds and person as in `discovery.py`; the default learner. Wanted: 85 to 95 % for 90 % intervals,
over all beds, seeds and numbers of labels. Prints where it fails.
"""

import argparse

import numpy as np
import pandas as pd
from discovery import beds_in, generated, person

from astronomaly_widgets import batches, evaluation, learners

FIRST = 100  # labels before which nobody should ask
LIKED = 4.0


def states(bed, seed, batch, n_labels):
    """Labeled rows, their scores and what the learner says, after every retrain."""
    X, _, score, S = bed
    S = S[seed % len(S)].astype(np.float32)
    rng = np.random.default_rng(seed + 99)
    rows = batches.suggest(X, S, [], [], batch, random_state=seed).rows
    given = person(score, rows, rng)
    while True:
        said = learners.by_name("auto", seed).fit(X, rows, given, S).score(X, S)
        yield rows, given, said
        if len(rows) >= min(n_labels, len(X)):
            return
        new = batches.suggest(
            X,
            said.acquisition,
            rows,
            given,
            batch,
            exploration=said.exploration,
            random_state=seed,
        ).rows
        rows, given = np.r_[rows, new], np.r_[given, person(score, new, rng)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--labels", type=int, default=500)
    options = parser.parse_args()
    table = []
    beds = beds_in(options.folder) if options.folder else generated(max(options.seeds) + 1)
    for name, bed in beds:
        for seed in options.seeds:
            for rows, given, said in states(bed, seed, options.batch, options.labels):
                if len(rows) < FIRST:
                    continue
                left = int(np.delete(bed[1], rows).sum())
                guess = evaluation.estimate_remaining(
                    given >= LIKED, said.left_out, np.delete(said.trained_score, rows)
                )
                held = guess.low <= left <= guess.high
                width = guess.high - guess.low
                table.append((name, seed, len(rows), left, guess.expected, width, held))
    columns = ["bed", "seed", "labels", "left", "expected", "width", "held"]
    table = pd.DataFrame(table, columns=columns)
    print(table.groupby("labels")[["left", "expected", "width", "held"]].mean().round(2))
    print(table.groupby("bed")["held"].mean().round(2).to_string())
    print(f"all {len(table)} cases: the 90 % interval holds {table['held'].mean():.1%}")


if __name__ == "__main__":
    main()
