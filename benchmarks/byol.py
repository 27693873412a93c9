"""What BYOL learns from a set of images alone, beside what needs no learning from them.

    python benchmarks/byol.py FOLDER --classes COLUMN [--only CLASS CLASS ...]
    python benchmarks/byol.py FOLDER --interesting COLUMN [COLUMN ...]

FOLDER holds ``images/`` and ``labels.csv`` with a column ``id``. With classes: how often few labels
tell them apart (mean of the accuracies of the classes, with 95 % interval, 30 draws); target: BYOL
above PCA of the same pixels by more than the intervals. With columns of what is interesting (1):
how many of them 300 labels find, 20 at a time, with the default learner. Beside BYOL: PCA of the
same pixels, the small network before it has learned anything, CNN features, and CNN with BYOL.

Training takes as long as ``--epochs`` say; give ``--keep`` a folder and it goes on where it was.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import astronomaly_widgets as aw
from astronomaly_widgets import reduction
from astronomaly_widgets.features import BYOLFeatures, CNNFeatures, measure
from astronomaly_widgets.features._networks import small_network
from astronomaly_widgets.sources import ImageFolder

N_COMPONENTS = 30  # of each set, as explore keeps


def pixels(source, extractor):
    """Return what the network sees of each image, in grey; (n, pixels)."""
    seen = [extractor.prepare(source.read(each)).mean(axis=2).ravel() for each in source.object_ids]
    return np.array(seen)


def components(rows, ids):
    """Return the leading principal components, all of one mean square."""
    scores = reduction.pca(np.asarray(rows), min(N_COMPONENTS, *np.shape(rows))).scores
    return pd.DataFrame(scores / np.sqrt(np.mean(np.square(scores))), index=ids)


def measured(source, extractor):
    started = time.perf_counter()
    result = measure(source, extractor, progress=False)
    print(f"{len(result.object_ids)} measured in {time.perf_counter() - started:.0f} s")
    return components(result.values, result.object_ids)


def train(source, arguments):
    """Train, or go on from where it was; and say how it went."""
    extractor = BYOLFeatures(
        arguments.network,
        size=arguments.size,
        crop=arguments.crop,
        sigma=arguments.sigma,
        jitter=arguments.jitter,
        learning_rate=arguments.learning_rate,
        hidden_size=arguments.hidden_size,
    )
    started, busy = time.perf_counter(), time.process_time()
    extractor.fit(source, epochs=arguments.epochs, checkpoint=arguments.keep, progress=False)
    wall, cpu = time.perf_counter() - started, time.process_time() - busy
    print(f"trained to epoch {len(extractor.history_)}: {wall:.0f} s, {cpu:.0f} s of CPU")
    print(extractor.history_.iloc[[0, len(extractor.history_) // 2, -1]].round(3).to_string())
    return extractor


def few_labels(sets, classes):
    """Print how well few labels tell classes apart with each set of features."""
    table = aw.validation.compare_features(sets, classes, (10, 30, 100)).table
    print(table.round(3).to_string(index=False))


def found(features, interesting, n_labels, seeds):
    """How many of the interesting objects 300 labels find, for each seed."""
    ids = features.index
    oracle = aw.simulation.Oracle(pd.Series(np.where(interesting.loc[ids], 5.0, 1.0), index=ids))
    counts = []
    for seed in seeds:
        session = aw.Session(features, random_state=seed)
        labeled = aw.simulation.label_with(session, oracle, n_labels, 20)
        counts.append(int(labeled["found"].iloc[-1]))
        session.close()
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", help="column of classes")
    parser.add_argument("--only", nargs="+", help="these classes alone are told apart")
    parser.add_argument("--interesting", nargs="+", default=[], help="columns of 0 and 1")
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--network", default="small")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--crop", type=int)
    parser.add_argument("--sigma", type=float)
    parser.add_argument("--jitter", type=float, default=0.5)
    parser.add_argument("--learning-rate", type=float, default=1e-2)
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--threads", type=int, help="of torch; on a busy machine 1 is quickest")
    parser.add_argument("--keep", type=Path, help="folder for the state of the training")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    source = ImageFolder(arguments.folder / "images")
    labels = pd.read_csv(arguments.folder / "labels.csv", dtype={"id": str}).set_index("id")
    byol = train(source, arguments)
    torch.manual_seed(0)
    view = {"crop": arguments.crop, "sigma": arguments.sigma}
    sets = {
        "pixels": components(pixels(source, byol), source.object_ids),
        "untrained": measured(
            source, CNNFeatures(small_network().network, size=arguments.size, **view)
        ),
        "cnn": measured(source, CNNFeatures(size=128, **view)),
        "byol": measured(source, byol),
    }
    sets["cnn + byol"] = pd.concat([sets["cnn"], sets["byol"]], axis=1).set_axis(
        range(2 * N_COMPONENTS), axis=1
    )
    if arguments.classes:
        classes = labels[arguments.classes]
        few_labels(sets, classes[classes.isin(arguments.only)] if arguments.only else classes)
    for column in arguments.interesting:
        interesting = labels[column] > 0
        print(f"{column}: {arguments.labels} labels find of {interesting.sum()}")
        for name, features in sets.items():
            counts = found(features, interesting, arguments.labels, arguments.seeds)
            print(f"  {name:12s}{np.mean(counts):6.1f}  {counts}", flush=True)


if __name__ == "__main__":
    main()
