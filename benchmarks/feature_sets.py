"""Which features find what is sought: shapes, light, and what networks see, alone and together.

    python benchmarks/feature_sets.py FOLDER [--only SURVEY ...] [--sets SET ...] [--keep FOLDER]
                                      [--byol FOLDER] [--seeds 0 1 2 3 4] [--batch 50]
                                      [--rankings]

FOLDER holds one folder per survey, each with ``images/`` and ``labels.csv``: galaxies of Galaxy Zoo
(gz1_sdss), candidates of strong lenses (lens_cfhtls) and radio galaxies (radio_mirabest); what is
not there is left out. A set is written ``ellipse+cnn_middle``; its parts weigh as in
`astronomaly_widgets.explore`. With ``--keep``, what was measured is kept, one .npz per part; remove
it to measure again. With ``--byol``, a trained network that was saved there is a part, too.

Printed per set and target: how many are found in so many labels by the default learner, mean and
95 % interval of the mean over the seeds, then each seed; what the anomaly score alone finds; and
for each the average precision of the whole ranking after the last label. The person is an oracle:
5 for what is sought, 1 for the rest. What a set could not measure counts as not found.

With ``--rankings``, instead: the precision at several recalls of what was predicted after the last
label of the first seed, beside a classifier that was told everything (Etsebeth et al. 2024, table
5); of all objects, and of those that had no label.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import average_precision_score

import astronomaly_widgets as aw
from astronomaly_widgets import reduction
from astronomaly_widgets.features import BYOLFeatures, CNNFeatures, measure
from astronomaly_widgets.simulation import Oracle, label_with
from astronomaly_widgets.sources import ImageFolder

PARTS = {
    "ellipse": lambda: "ellipse",
    "morphology": lambda: "morphology",
    "photometry": lambda: "photometry",
    "power_spectrum": lambda: "power_spectrum",
    "cnn_whole": lambda: CNNFeatures(size=128),
    "cnn_middle": lambda: CNNFeatures(size=128, crop=128),
    "cnn_large": lambda: CNNFeatures(crop=128),
    "cnn_source": lambda: CNNFeatures(size=128, crop="source"),
    "cnn_grey": lambda: CNNFeatures(size=128, crop=128, color="grey", sigma=3),
    "cnn_clipped": lambda: CNNFeatures(size=128, sigma=3),
}
KEPT_COMPONENTS = 30  # of the numbers of a network, as explore keeps
# labels to give, labels between retrains, targets, and the sets that make sense of such images
SURVEYS = {
    "gz1_sdss": (
        300,
        50,  # as a session has them
        {
            "mergers and don't know": lambda table: table["anomaly_any"] > 0,
            "mergers": lambda table: table["anomaly_merger"] > 0,
        },
        (
            "ellipse",
            "morphology",
            "photometry",
            "cnn_whole",
            "cnn_middle",
            "cnn_large",
            "cnn_source",
            "cnn_grey",
            "byol",
            "ellipse+morphology",
            "ellipse+cnn_whole",
            "ellipse+cnn_middle",
            "ellipse+cnn_large",
            "ellipse+cnn_source",
            "ellipse+cnn_grey",
            "ellipse+byol",
            "cnn_middle+byol",
            "morphology+cnn_middle",
            "ellipse+cnn_middle+byol",
            "ellipse+morphology+cnn_middle",
            "ellipse+morphology+photometry+cnn_middle",
        ),
    ),
    "lens_cfhtls": (
        100,
        20,
        {"grade of 2 and more": lambda table: table["grade"] >= 2},
        (
            "ellipse",
            "photometry",
            "cnn_whole",
            "cnn_source",
            "ellipse+cnn_whole",
            "photometry+cnn_whole",
            "ellipse+photometry+cnn_whole",
        ),
    ),
    "radio_mirabest": (
        100,
        20,
        {
            "hybrids": lambda table: table["anomaly_hybrid"] > 0,
            "rare": lambda table: table["anomaly_rare"] > 0,
        },
        (
            "morphology",
            "power_spectrum",
            "cnn_whole",
            "cnn_clipped",
            "morphology+power_spectrum",
            "morphology+cnn_clipped",
            "morphology+power_spectrum+cnn_clipped",
        ),
    ),
}


class Survey:
    """Images, what is known of them, and features that are measured when they are asked for."""

    def __init__(self, folder, options):
        self.table = pd.read_csv(folder / "labels.csv", dtype={"id": str}).set_index("id")
        self._source = ImageFolder(folder / "images")
        self._keep = options.keep and options.keep / folder.name
        self._byol = options.byol
        self._parts = {}

    def has(self, name):
        """Whether all parts of a set can be had; BYOL has to be trained first."""
        return "byol" not in name.split("+") or self._byol is not None

    def part(self, name):
        """Features of one extractor as a learner sees them; DataFrame by object id."""
        if name not in self._parts:
            ids, values = self._measured(name)
            if name.startswith("cnn") or name == "byol":
                X = reduction.pca(values, KEPT_COMPONENTS).scores
                X = X / np.sqrt(np.mean(X**2))
            else:
                X = reduction.scale(values)
            self._parts[name] = pd.DataFrame(X, index=ids)
        return self._parts[name]

    def features(self, name):
        """Features of a set, side by side, of the objects that all parts could measure."""
        return pd.concat(map(self.part, name.split("+")), axis=1, join="inner").set_axis(
            range(sum(self.part(each).shape[1] for each in name.split("+"))), axis=1
        )

    def _measured(self, name):
        kept = self._keep and self._keep / f"{name}.npz"
        if kept and kept.is_file():
            file = np.load(kept)
            return file["ids"], file["values"]
        extractor = BYOLFeatures.load(self._byol) if name == "byol" else PARTS[name]()
        started = time.perf_counter()
        measured = measure(self._source, extractor, progress=False)
        print(
            f"  ({name}: {len(measured.object_ids)} measured, {len(measured.set_aside)} set aside, "
            f"{time.perf_counter() - started:.0f} s)"
        )
        ids = np.array(measured.object_ids, dtype=str)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, ids=ids, values=measured.values)
        return ids, np.asarray(measured.values)


def interval(values):
    """Mean and 95 % interval of the mean, by Student's t."""
    if len(values) < 2:
        return f"{np.mean(values):5.1f}"
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{np.mean(values):5.1f} +- {half:3.1f}"


def search(features, sought, n_labels, batch, seeds):
    """How many are found, how many by the anomaly score alone, and the average precision."""
    here = sought.reindex(features.index).to_numpy(bool)
    oracle = Oracle(pd.Series(np.where(here, 5.0, 1.0), index=features.index))
    found, alone, precision = [], [], []
    for seed in seeds:
        session = aw.Session(features, random_state=seed)
        top = np.argsort(-session.anomaly_score, kind="stable")[:n_labels]
        alone.append(int(here[top].sum()))
        given = label_with(session, oracle, n_labels, batch)
        found.append(int(given["found"].iloc[-1]))
        precision.append(average_precision_score(here, session.trained_score))
        session.close()
    return found, alone, precision


def rankings(features, sought, n_labels, batch, seed):
    """Print table 5 of Etsebeth et al. 2024."""
    here = sought.reindex(features.index).to_numpy(bool)
    oracle = Oracle(pd.Series(np.where(here, 5.0, 1.0), index=features.index))
    session = aw.Session(features, random_state=seed)
    given = label_with(session, oracle, n_labels, batch)["object_id"]
    scores = {
        "trained score": session.trained_score,
        "relevance": session.relevance,
        "anomaly score": session.anomaly_score,
    }
    labeled = features.index.isin(given)
    session.close()
    for words, exclude in (("all", None), ("without a label", labeled)):
        # what the classifier was told does not depend on what had a label
        X = features if exclude is None else None
        table = aw.validation.compare_rankings(scores, here, X, exclude=exclude)
        n = here.sum() if exclude is None else here[~exclude].sum()
        print(f"    {words}: {n} sought")
        for name, rows in table.groupby("ranking", sort=False):
            cells = (
                f"{row.precision:.2f} ({row.low:.2f} to {row.high:.2f})"
                for row in rows.itertuples()
            )
            print(f"      {name:16s}{'  '.join(cells)}", flush=True)


def report(survey, name, options):
    n_labels, batch, targets, sets = SURVEYS[name]
    batch = options.batch or batch
    sets = [each for each in options.sets or sets if survey.has(each)]
    for words, is_sought in targets.items():
        sought = is_sought(survey.table)
        chance = n_labels * sought.mean()
        print(
            f"{name}, {words}: {sought.sum()} of {len(sought)}; at random {n_labels} labels find "
            f"{chance:.1f}"
        )
        if not options.rankings:
            print(f"  {'':44s}{'found':>13s}{'score alone':>13s}{'AP':>6s}  each seed")
        for each in sets:
            if options.rankings:
                print(f"  {each}, precision at recalls {aw.validation.RECALLS}")
                rankings(survey.features(each), sought, n_labels, batch, options.seeds[0])
                continue
            found, alone, precision = search(
                survey.features(each), sought, n_labels, batch, options.seeds
            )
            print(
                f"  {each:44s}{interval(found):>13s}{np.mean(alone):13.1f}"
                f"{np.mean(precision):6.2f}  {found}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--only", nargs="+", choices=SURVEYS, default=list(SURVEYS))
    parser.add_argument("--sets", nargs="+", help="other sets than those of the survey")
    parser.add_argument("--keep", type=Path, help="folder for what was measured")
    parser.add_argument("--byol", type=Path, help="folder of a network that BYOL trained")
    parser.add_argument("--rankings", action="store_true", help="precision at several recalls")
    parser.add_argument(
        "--batch", type=int, help="labels between retrains, instead of the survey's"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    if options.folder is None:
        print("no folder of surveys was given, so there is nothing to measure")
        return
    for name in options.only:
        if (options.folder / name).is_dir():
            report(Survey(options.folder / name, options), name, options)


if __name__ == "__main__":
    main()
