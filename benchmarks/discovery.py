"""Which learner finds the interesting objects with the fewest labels, on which bed.

    python benchmarks/discovery.py [FOLDER] [--seeds 0 1 2] [--batch 50] [--labels 500]
                                   [--learners ...] [--only NAME ...] [--plot discovery.svg]

FOLDER holds beds: .npz with X (n, d), y (3 = interesting), score (the person's, 0..5) and S, the
anomaly scores 0..5 of several seeds. Without a folder: simulated curves, simulated galaxies
(ellipse features) and scikit-learn's digits with a rare class. The person errs by one point on
10 % of the objects. Prints the fraction found after 100, 200 and all labels and the mean over all
labels (the area under the discovery curve); writes the curves as an SVG.

"neighbor score", "direct regression" and coniferest's forests are as published, from the top of
the anomaly score; what has "+ batches" is shown what `astronomaly_widgets.batches` chooses. The
forests need coniferest (extra `forests`). "told everything" is no learner but what the features are
good for: each fifth of the survey, ranked by trees that were told the truth about the others.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from astronomaly_widgets import batches, detectors, features, learners
from astronomaly_widgets.simulation import make_curves, make_galaxies

ERROR = 0.1
INTERESTING = 3
CEILING = "told everything"
METHODS = {  # learner, and whether its batches are chosen or simply the top
    "random": ("random", False),
    "anomaly score": (None, False),
    "anomaly score + batches": (None, True),
    "neighbor score": ("neighbor_score", False),
    "direct regression": ("direct_regression", False),
    "direct regression + batches": ("direct_regression", True),
    "AAD forest": ("aad_forest", False),
    "pine forest": ("pine_forest", False),
    "auto": ("auto", True),
    CEILING: (None, False),
}
COLORS = (
    *("#d9d9d9", "#9a9a9a", "#4d4d4d", "#e69f00", "#56b4e9", "#0072b2"),
    *("#009e73", "#cc79a7", "#d55e00", "#000000"),
)


def beds_in(folder):
    for path in sorted(Path(folder).glob("*.npz")):
        bed = np.load(path)
        yield path.stem, (bed["X"], bed["y"] == INTERESTING, bed["score"].astype(float), bed["S"])


def generated(n_seeds):
    """Beds that need no file."""

    def bed(X, interesting, score):
        X = np.ascontiguousarray(X, dtype=np.float32)
        S = [detectors.anomaly_score(X, random_state=seed) for seed in range(n_seeds)]
        return X, interesting, np.asarray(score, dtype=float), np.array(S)

    curves = make_curves(0)
    common = np.flatnonzero(np.isin(curves.classes, ["sine", "parabola"]))[::10]
    kept = np.union1d(common, np.flatnonzero(~np.isin(curves.classes, ["sine", "parabola"])))
    liked = curves.classes[kept] == "five_sines"
    yield "curves", bed(curves.values[kept], liked, curves.scores[kept])

    galaxies = make_galaxies(2000, random_state=0)
    measured = features.measure(galaxies, features.by_name("ellipse"), progress=False)
    score = galaxies.catalog["score"].reindex(measured.object_ids).to_numpy(dtype=float)
    yield "galaxies", bed(measured.values, score >= 4, score)

    images, digit = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    rare = np.flatnonzero(digit == 8)[:30]
    blots = rng.permuted(images[:60], axis=1)  # digits whose pixels are shuffled: artefacts
    X = np.concatenate([images[(digit != 8)], images[rare], blots])
    n_common = int((digit != 8).sum())
    score = np.r_[rng.integers(1, 3, n_common), np.full(len(rare), 5), np.zeros(len(blots))]
    liked = np.r_[np.zeros(n_common, bool), np.ones(len(rare), bool), np.zeros(len(blots), bool)]
    yield "digits", bed(PCA(20, random_state=0).fit_transform(X), liked, score)


def person(score, rows, rng):
    slip = (rng.random(len(rows)) < ERROR) * rng.choice([-1, 1], len(rows))
    return np.clip(score[rows] + slip, 0, 5)


def discovery_curve(bed, method, seed, batch, n_labels):
    """Fraction of the interesting objects found after each label, and seconds per retrain."""
    if method == CEILING:
        return ceiling(bed, seed)[:n_labels], 0.0
    X, interesting, score, S = bed
    name, chosen = METHODS[method]
    S = S[seed % len(S)].astype(np.float32)
    strategy = "auto" if chosen else "top"
    rng = np.random.default_rng(seed + 99)
    n_labels = min(n_labels, len(X))
    rows, given, seconds = np.empty(0, dtype=np.intp), np.empty(0), []
    while len(rows) < n_labels:
        started = time.perf_counter()
        worth = wide = S
        if name:
            said = learners.by_name(name, seed).fit(X, rows, given, S).score(X, S)
            worth, wide = said.acquisition, said.exploration
        new = batches.suggest(
            X, worth, rows, given, batch, exploration=wide, strategy=strategy, random_state=seed
        ).rows
        if len(rows):
            seconds.append(time.perf_counter() - started)
        rows, given = np.r_[rows, new], np.r_[given, person(score, new, rng)]
    found = np.cumsum(interesting[rows[:n_labels]]) / interesting.sum()
    return found, float(np.median(seconds)) if seconds else 0.0


def ceiling(bed, seed):
    """Fraction found by who looks at the objects as a classifier ranks them, blind to each."""
    X, interesting, _, S = bed
    trees = ExtraTreesClassifier(300, class_weight="balanced", random_state=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    inputs = np.column_stack([X, S[seed % len(S)]])
    chance = cross_val_predict(trees, inputs, interesting, cv=folds, method="predict_proba")[:, 1]
    return np.cumsum(interesting[np.argsort(-chance, kind="stable")]) / interesting.sum()


def plot(curves, path):
    """Write a small picture per bed: fraction found against labels given."""
    side, gap, across = 200, 46, 4
    cells = []
    for k, (name, by_method) in enumerate(curves.items()):
        x, y = (k % across) * (side + gap) + gap, (k // across) * (side + gap) + gap
        cells.append(
            f'<g transform="translate({x},{y})"><rect width="{side}" height="{side}" fill="none" '
            f'stroke="#ccc"/><text y="-6">{name}</text>'
        )
        for method, found in by_method.items():
            points = " ".join(
                f"{side * i / (len(found) - 1):.1f},{side * (1 - f):.1f}"
                for i, f in enumerate(found)
            )
            color = COLORS[list(METHODS).index(method)]
            cells.append(f'<polyline points="{points}" fill="none" stroke="{color}"/>')
        cells.append("</g>")
    height = (-(-len(curves) // across)) * (side + gap) + gap
    for i, (method, color) in enumerate(zip(METHODS, COLORS, strict=True)):
        cells.append(f'<text x="{gap + 170 * i}" y="{height}" fill="{color}">{method}</text>')
    size = f'width="{across * (side + gap) + 2 * gap}" height="{height + gap}"'
    style = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    Path(path).write_text(head + "".join(cells) + "</svg>\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--learners", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--only", nargs="+", default=[], help="beds whose name has one of these")
    parser.add_argument("--plot", help="file for the curves, .svg")
    options = parser.parse_args()
    beds = beds_in(options.folder) if options.folder else generated(max(options.seeds) + 1)
    curves = {}
    for name, bed in beds:
        if options.only and not any(part in name for part in options.only):
            continue
        curves[name] = {}
        for method in options.learners:
            runs = [
                discovery_curve(bed, method, seed, options.batch, options.labels)
                for seed in options.seeds
            ]
            curves[name][method] = found = np.mean([curve for curve, _ in runs], axis=0)
            shown = sorted({k for k in (100, 200) if k < len(found)} | {len(found)})
            at = "  ".join(f"@{k} {found[k - 1]:.2f}" for k in shown)
            retrain = np.mean([seconds for _, seconds in runs])
            print(f"{name:18s} {method:28s} {at}  area {found.mean():.3f}  retrain {retrain:.2f} s")
            sys.stdout.flush()
    for method in options.learners:
        areas = [by_method[method].mean() for by_method in curves.values()]
        print(f"mean of {len(areas)} beds: {method:28s} area {np.mean(areas):.3f}")
    if options.plot:
        plot(curves, options.plot)


if __name__ == "__main__":
    main()
