"""May a replay be trusted: does it order the learners as real searches would.

    python benchmarks/replay.py [FOLDER] [--seeds 0 1] [--batch 20] [--labels 300]

On every bed each learner searches in earnest, and the search of the first is then played again
with all of them. Prints the area under each curve, how many of the pairs that differ by at least
.05 in earnest come in the same order in the replay, and how much of the difference is left there.
"""

import argparse
from itertools import combinations

import numpy as np
from discovery import ERROR, beds_in, generated

import astronomaly_widgets as aw
from astronomaly_widgets.simulation import Oracle, label_with, replay

LEARNERS = ("auto", "neighbor_score", "direct_regression", "aad_forest", "anomaly_score")
DIFFERENT = 0.05


def search(bed, learner, seed, batch, n_labels):
    """Session after a search, and the mean over all labels of the fraction found."""
    X, interesting, score, S = bed
    session = aw.Session(X, anomaly_score=S[seed % len(S)], learner=learner, random_state=seed)
    session.batch_size = batch
    if learner == "anomaly_score":
        session.strategy = "top"
    oracle = Oracle(dict(zip(session.object_ids, score, strict=True)), ERROR, seed)
    given = label_with(session, oracle, n_labels, batch)
    found = np.cumsum(interesting[session.rows_of(given["object_id"])]) / interesting.sum()
    return session, found.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--labels", type=int, default=300)
    options = parser.parse_args()
    beds = beds_in(options.folder) if options.folder else generated(max(options.seeds) + 1)
    pairs = []
    print(f"{'':18s}{'':8s}" + "".join(f"{name:>20s}" for name in LEARNERS))
    for name, bed in beds:
        for seed in options.seeds:
            runs = [search(bed, each, seed, options.batch, options.labels) for each in LEARNERS]
            real = np.array([area for _, area in runs])
            played = replay(runs[0][0], LEARNERS, options.batch, progress=False)
            for session, _ in runs:
                session.close()
            curves = played.curves[list(LEARNERS)] / max(played.n_interesting, 1)
            again = curves.iloc[1:].mean().to_numpy()
            for word, areas in (("earnest", real), ("replay", again)):
                print(f"{name:18s}{word:8s}" + "".join(f"{area:20.3f}" for area in areas))
            pairs += [
                (real[a] - real[b], again[a] - again[b])
                for a, b in combinations(range(len(LEARNERS)), 2)
            ]
    earnest, replayed = np.array(pairs).T
    clear = np.abs(earnest) >= DIFFERENT
    print(f"{clear.sum()} of {len(clear)} pairs differ by {DIFFERENT} or more in earnest")
    if clear.any():
        left = replayed[clear] / earnest[clear]
        print(f"in the same order in the replay: {(left > 0).mean():.0%}")
        print(f"difference left there: {np.median(left):.0%}")


if __name__ == "__main__":
    main()
