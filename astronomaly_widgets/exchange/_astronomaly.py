"""A search of Astronomaly, from the files it leaves in its output folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import detectors, reduction
from ..exceptions import SourceError
from ..session import Session
from ..sources import FeatureTable, open_source
from ._labels import import_labels

if TYPE_CHECKING:
    import os

    from .._protocols import Detector, Learner

LABELS = "ml_scores.csv"
_OUTPUT = "_output"
# Astronomaly calls a file by the class that wrote it; these write no features
_NO_FEATURES = {
    *("IforestAlgorithm", "LOF_Algorithm", "ScoreConverter", "NeighbourScore", "GaussianProcess"),
    *("TSNE_Plot", "UMAP_Plot"),
}
_SCALED = {"FeatureScaler", "PCA_Decomposer", "Truncated_SVD_Decomposer"}
_NOT_A_FEATURE = {"score", "human_label"}


def from_astronomaly(
    folder: str | os.PathLike[str],
    *,
    source: Any = None,
    catalog: Any = None,
    features: str | os.PathLike[str] | None = None,
    detector: str | Detector | None = None,
    learner: str | Learner = "auto",
    project: str | Path | None = None,
    annotator: str | None = None,
    random_state: int = 0,
    title: str | None = None,
) -> Session:
    """Go on with a search that was begun in Astronomaly.

    Features, anomaly scores and labels are taken from its output folder; nothing in there is
    changed. The objects keep the names they have there.

    Parameters
    ----------
    folder : path-like
        What Astronomaly calls ``output_dir``.
    source : Source, path or array, optional
        Where the pictures are: anything that :func:`astronomaly_widgets.explore` takes, such as
        the folder of cut-outs. Its objects must be called as in Astronomaly, which calls an
        image by its file name without suffix, as we do. By default features are shown as a line.
    catalog : DataFrame, Table, path or str, optional
        What is known of the objects, for a `source` that has no catalog of its own.
    features : path-like, optional
        Which file holds the features, a name in `folder` or a path: Parquet or CSV, one row per
        object. By default ``FeatureScaler_output``, or the only file of features there is.
        Features that Astronomaly did not scale are scaled here.
    detector : str or Detector, optional
        Score the objects anew. By default the anomaly scores of Astronomaly are taken, and
        "isolation_forest" does it where there are none.
    learner : str or Learner
        "neighbor_score" is what Astronomaly does (LB21 eq. 1-3).
    project : str or Path, optional
        Folder in which everything is kept. Running again takes new labels from the file, and
        leaves alone what has been decided on since.
    annotator : str, optional
        Who gave the labels, and goes on to.
    random_state : int
    title : str, optional

    Returns
    -------
    Session
        Its `set_aside` has the objects that Astronomaly did not score, and its `status` says how
        many labels were taken, and of how many objects there is no picture.

    Raises
    ------
    SourceError
        If the folder has no features or several; if labels and features do not belong together;
        if `source` has none of the objects; if scores or labels are not understood.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise SourceError(f"there is no folder {str(folder)!r}")
    path = _find_features(folder, features)
    table = _read_features(path)
    scores = _read_scores(folder) if detector is None else None
    ids = pd.Index(table.object_ids, dtype=object)
    reasons = _without_score(ids, scores)
    kept = ~ids.isin(reasons.index)
    if not kept.any():
        raise SourceError(
            f"no object of {path.name} has a score in {folder}: those are called like "
            f"{ids[0]!r}, these like {_first(scores)!r}; do both come from one run?"
        )
    X = np.asarray(table.values)[kept]
    if path.name.partition(_OUTPUT)[0] not in _SCALED:
        finite = np.isfinite(X).all(axis=1)
        X[finite] = reduction.scale(X[finite])
    origin = table if source is None else open_source(source, catalog=catalog)
    _check_names(origin.object_ids, ids)
    session = Session(
        pd.DataFrame(X, columns=pd.Index(table.column_names), index=ids[kept]),
        anomaly_score=None if scores is None else _on_our_scale(scores[ids[kept]], folder),
        source=origin,
        catalog=origin.catalog,
        detector=detector or "isolation_forest",
        learner=learner,
        project=project,
        annotator=annotator,
        random_state=random_state,
        set_aside=reasons,
        title=title or folder.name,
    )
    words = []
    if (folder / LABELS).is_file() and _has_labels(folder / LABELS):
        done = import_labels(session, folder / LABELS)
        words.append(f"{len(done.stored)} labels of Astronomaly taken")
        if done.kept:
            words.append(f"{len(done.kept)} objects had been decided on here")
        if done.absent:
            words.append(f"{len(done.absent)} are labels of objects without features or score")
    unseen = int((~pd.Index(session.object_ids).isin(origin.object_ids)).sum())
    if unseen:
        words.append(f"{unseen} objects have no picture in the source")
    session.status = "; ".join(filter(None, [session.status, *words]))
    return session


def _find_features(folder: Path, features: str | os.PathLike[str] | None) -> Path:
    files = {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.suffix in {".parquet", ".csv"} and path.stem.endswith(_OUTPUT)
    }
    if features is not None:
        path = Path(features).expanduser()
        inside = folder / path
        if not inside.is_file() and not path.is_file():
            there = ", ".join(files) or "none"
            raise SourceError(f"there is no file of features {str(path)!r}; in the folder: {there}")
        return inside if inside.is_file() else path
    candidates = {
        name: path
        for name, path in files.items()
        if path.stem.removesuffix(_OUTPUT) not in _NO_FEATURES
    }
    # scaled features are what Astronomaly's detector saw; but components may come before or after
    components = [name for name in candidates if "_Decomposer" in name]
    scaled = [path for name, path in candidates.items() if name.startswith("FeatureScaler")]
    if scaled and not components:
        return scaled[0]
    if len(candidates) == 1:
        return next(iter(candidates.values()))
    if not candidates:
        raise SourceError(
            f"{str(folder)!r} has no features of Astronomaly (wanted a file such as "
            "FeatureScaler_output.parquet); is it the output_dir of its pipeline?"
        )
    raise SourceError(
        f"{str(folder)!r} has several files of features: {', '.join(candidates)}; say which with "
        "features='...' (the one that was given to the anomaly detector)"
    )


def _read_features(path: Path) -> FeatureTable:
    if path.suffix == ".csv":
        columns = list(pd.read_csv(path, nrows=0).columns)
        wanted = [name for name in columns[1:] if name not in _NOT_A_FEATURE]
        return FeatureTable(path, id_column=columns[0], columns=wanted)
    frame = pd.read_parquet(path)
    wanted = [name for name in frame.columns if name not in _NOT_A_FEATURE]
    if pd.api.types.is_numeric_dtype(frame.index):
        # a table calls such rows object-0, ...; Astronomaly calls them by the number alone
        return FeatureTable(frame.set_axis(frame.index.astype(str), axis=0), columns=wanted)
    return FeatureTable(path, columns=wanted)


def _read_scores(folder: Path) -> pd.Series[float] | None:
    """Return Astronomaly's anomaly scores by object id, or None if there are none."""
    for path in (folder / LABELS, *sorted(folder.glob(f"ScoreConverter{_OUTPUT}.*"))):
        if not path.is_file():
            continue
        if path.suffix == ".csv":
            first = pd.read_csv(path, nrows=0).columns[0]
            frame = pd.read_csv(path, dtype={first: str}).set_index(first)
        else:
            frame = pd.read_parquet(path)
        if "score" not in frame:
            continue
        scores: pd.Series[float] = frame["score"].astype(float).dropna()
        scores.index = pd.Index(scores.index.astype(str), dtype=object)
        if not scores.index.is_unique:
            twice = scores.index[scores.index.duplicated()][0]
            raise SourceError(f"{path.name} has two rows for {twice!r}")
        return scores
    return None


def _without_score(ids: pd.Index[Any], scores: pd.Series[float] | None) -> pd.DataFrame:
    """Return what cannot be ranked, as Session wants it: stage and reason by object id."""
    columns = pd.Index(["stage", "reason"])
    if scores is None:
        return pd.DataFrame(columns=columns, dtype=object)
    unscored = ids.difference(scores.index, sort=False)
    unmeasured = scores.index.difference(ids, sort=False)
    return pd.DataFrame(
        [("detector", "Astronomaly has no anomaly score of it")] * len(unscored)
        + [("features", "Astronomaly has no features of it")] * len(unmeasured),
        columns=columns,
        index=unscored.append(unmeasured),
    )


def _on_our_scale(scores: pd.Series[float], folder: Path) -> Any:
    """Return anomaly scores, 0..5, large = anomalous; (n,) float32."""
    low, high = scores.min(), scores.max()
    if low >= 0 and high <= 5 + 1e-6:  # its arithmetic often ends at 5.000000000000001
        return scores.to_numpy(dtype=np.float32).clip(max=5)
    if high <= 0:  # not converted yet: scikit-learn's sign, low = anomalous
        return detectors.rescale(scores.to_numpy())
    raise SourceError(
        f"the scores in {str(folder)!r} span {low:g}..{high:g}; wanted 0..5 (Astronomaly's "
        "ScoreConverter), or scikit-learn's negative ones; give detector='isolation_forest' to "
        "score the objects anew"
    )


def _check_names(there: Any, ids: pd.Index[Any]) -> None:
    if not ids.isin(there).any():
        raise SourceError(
            f"the source has none of the objects of Astronomaly: it calls them like {there[0]!r}, "
            f"Astronomaly like {ids[0]!r}"
        )


def _has_labels(path: Path) -> bool:
    return "human_label" in pd.read_csv(path, nrows=0).columns


def _first(scores: pd.Series[float] | None) -> Any:
    return None if scores is None or scores.empty else scores.index[0]
