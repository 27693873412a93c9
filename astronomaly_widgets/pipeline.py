"""From a survey to a session: the one place where the defaults are wired together."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import compute, detectors, reduction, sources
from .exceptions import SourceError
from .features import PreparedFeatures, by_name, measure
from .preprocess import PreparedSource
from .project import Project
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ._protocols import Detector, FeatureExtractor, Learner
    from .features import Measurements
    from .preprocess import Chain

_DEFAULT_FEATURES: dict[str, Any] = {
    "image": "ellipse",
    "light_curve": "light_curve",
    "spectrum": ["spectrum", "spectrum_pca"],
    "table": "raw",
}


def explore(
    source: Any,
    *,
    features: str | FeatureExtractor | Callable[..., Any] | Sequence[Any] | None = None,
    preprocess: Chain | str | Sequence[Any] | None = None,
    display: Chain | str | Sequence[Any] | None = None,
    n_components: float | None = None,
    whiten: bool = False,
    detector: str | Detector = "isolation_forest",
    learner: str | Learner = "auto",
    project: str | Path | None = None,
    catalog: Any = None,
    annotator: str | None = None,
    random_state: int = 0,
    truth: Any = None,
    title: str | None = None,
    n_jobs: int | None = None,
    client: Any = None,
    progress: bool = True,
) -> Session:
    """Measure a survey, score it, and return the session in which to search it.

    The chain is that of LB21 section 2: features, standard scaling, principal components if asked
    for, anomaly detector. The numbers of a network are reduced to principal components in any case.

    Parameters
    ----------
    source : Source, path, array or table
        A folder of images, or a list of image files; FITS mosaics (a file or address, a list of
        these, a mapping of band to file, or a folder of them and a `catalog` of positions); a stack
        of images (.npy, .h5, .zarr, array); ``.tar`` files of images, see
        :class:`~astronomaly_widgets.sources.TarShards`; light curves, see
        :class:`~astronomaly_widgets.sources.LightCurves`; spectra, see
        :class:`~astronomaly_widgets.sources.Spectra`; a table of features (.csv or other text,
        .parquet, .fits, .ecsv, .vot, .npy, a list of these, DataFrame, astropy Table, array); or
        any Source. A pattern such as ``"cutouts/*.png"`` is as good as the list of files that it
        fits. The session's status says what it was taken for.
    features : str, extractor or list of these, optional
        What to measure: by default "ellipse" for images, "light_curve" for light curves, "spectrum"
        and "spectrum_pca" for spectra, "raw" for tables. A function of one object or a scikit-learn
        transformer is an extractor, too, and several make one.
    preprocess : Chain, one or several of its steps, optional
        What happens to each image before it is measured, as ``["sigma_clip", "grey"]``; see
        :class:`~astronomaly_widgets.preprocess.Chain`.
    display : Chain, one or several of its steps, optional
        What happens to each image before it is shown, as ``["lupton_rgb"]``.
    n_components : int or float, optional
        Reduce the features to so many principal components, or to as many as explain this
        fraction of their variance (E24: 0.95).
    whiten : bool
        Whether all principal components that are kept weigh the same; else as much as they vary.
    detector : str or object
        "isolation_forest", "local_outlier_factor", or anything with `fit` and `score_samples`.
    learner : str or object
        "auto", another of ``aw.learners.NAMES``, or anything with `fit` and `score`.
    project : str or Path, optional
        Folder in which everything is kept: running again continues where it stopped, and
        measures only what is new or has changed.
    catalog : DataFrame, Table, path or str, optional
        What is known of the objects, for a source that has no catalog of its own; with mosaics,
        their positions.
    annotator : str, optional
        Who labels.
    random_state : int
    truth : str, array or mapping, optional
        Which objects are interesting, where it is known; see :class:`Session`. A column of a table
        of features that is named here is no feature.
    title : str, optional
        Shown above the gallery.
    n_jobs : int, optional
        Processes that measure; all cores by default.
    client : distributed.Client, optional
        Measure, score and retrain on the workers of this Dask cluster instead, which must find the
        files of the source under the same path. The result is the same. It is kept as
        ``session.client``.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Session

    Raises
    ------
    SourceError
        If the source is not recognized, or cannot be opened.
    ProjectError
        If the project cannot be used.
    ConnectionError
        If the Dask client is closed, or loses all its workers. With `project`, what was measured is
        kept.

    Examples
    --------
    A folder is as good as an array of features; ``project=`` keeps the labels.

    >>> import numpy as np
    >>> features = np.random.default_rng(0).normal(size=(100, 3))
    >>> features[7] += 9  # one of them is far out
    >>> session = explore(features, progress=False)
    >>> session.ranking("anomaly_score")[:1]
    array(['object-7'], dtype=object)
    """
    origin = sources.open_source(source, catalog=catalog)
    if isinstance(truth, str) and isinstance(origin, sources.FeatureTable):
        origin = origin.without(truth)  # a feature that says it all would find it all
    if features is None:
        features = _DEFAULT_FEATURES[origin.kind]
    checkpoint = None
    if project is not None:
        folder = Project(project)
        project = folder.path
        checkpoint = None if folder.read_only else project / "measurements"
    extractor = by_name(features)
    if preprocess is not None:
        extractor = PreparedFeatures(extractor, preprocess)
    shown = origin if display is None else PreparedSource(origin, display)
    measured = measure(
        origin,
        extractor,
        checkpoint=checkpoint,
        n_jobs=n_jobs,
        client=client,
        progress=progress,
        meanwhile=partial(detectors.load, detector),
    )
    if not len(measured.object_ids):
        advice = "; leave out columns without values" if origin.kind == "table" else ""
        raise SourceError(
            f"none of the {len(measured.set_aside)} objects could be measured; "
            f"{_most_often(measured)}{advice}"
        )
    X, names = _made_comparable(measured, n_components, whiten=whiten)
    table = _with_periods(origin.catalog, measured)
    table = None if table is None else table.reindex(measured.object_ids)
    with compute.elsewhere(client):
        session = Session(
            pd.DataFrame(X, columns=pd.Index(names), index=measured.object_ids),
            source=shown,
            catalog=table,
            detector=detector,
            learner=learner,
            project=project,
            annotator=annotator,
            random_state=random_state,
            set_aside=measured.set_aside,
            truth=truth,
            title=title or _title(source),
        )
    session.client = client
    session.status = session.status or f"opened {origin!r}"
    if table is not None and origin.kind != "table":
        n_unknown = int(table.isna().all(axis=1).sum())
        if n_unknown:
            session.status += f"; the catalog says nothing of {n_unknown} of {len(table)} objects"
    if len(measured.set_aside) > len(measured.object_ids):
        session.status += f"; {len(measured.set_aside)} objects set aside, {_most_often(measured)}"
    return session


def _most_often(measured: Measurements) -> str:
    reasons = measured.set_aside["reason"].value_counts()
    return f"most often: {reasons.index[0]!r} ({reasons.iloc[0]} times)"


def _made_comparable(
    measured: Measurements, n_components: float | None, *, whiten: bool
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Features as detector and learner see them, each of variance 1 or, in a group, on average."""
    groups = measured.groups
    if all(group.keep_components is None for group in groups):
        if n_components is None:
            if whiten:
                raise ValueError("there are no components to whiten; give n_components, as 0.95")
            return reduction.scale(measured.values), measured.names
        components = reduction.pca(measured.values, n_components, standardize=True, whiten=whiten)
        return components.scores, components.names
    parts: list[NDArray[Any]] = []
    names: list[str] = []
    namesakes = Counter(group.name for group in groups)
    for k, group in enumerate(groups):
        values = np.asanyarray(measured.values)[:, group.columns]
        if group.keep_components is None:
            parts.append(reduction.scale(values))
            names += measured.names[group.columns]
            continue
        keep = n_components if n_components is not None and len(groups) == 1 else None
        keep = group.keep_components if keep is None else keep
        components = reduction.pca(values, keep, whiten=whiten)
        spread = np.sqrt(np.mean(components.scores**2, dtype=np.float64))
        parts.append(components.scores / np.float32(spread if spread > 0 else 1))
        prefix = group.name if namesakes[group.name] == 1 else f"{group.name}{k}"
        names += [f"{prefix}_{name}" for name in components.names]
    X = np.concatenate(parts, axis=1)
    if n_components is None or len(groups) == 1:
        return X, tuple(names)
    components = reduction.pca(X, n_components, whiten=whiten)
    return components.scores, components.names


def _with_periods(catalog: pd.DataFrame | None, measured: Measurements) -> pd.DataFrame | None:
    """Add the periods that were found to the catalog, in days, unless it has some."""
    if catalog is None or "log_period" not in measured.names or "period" in catalog.columns:
        return catalog
    table = pd.DataFrame(measured.values, measured.object_ids, pd.Index(measured.names))
    return catalog.assign(period=10.0 ** table["log_period"].astype(float))


def _title(source: Any) -> str | None:
    if isinstance(source, str | Path):
        whole = Path(source).absolute()
        names = [path.name for path in (whole, *whole.parents) if not set("*?") & set(path.name)]
        return names[0].partition(".")[0]  # of a pattern, its folder
    title = getattr(source, "title", None)
    return title if isinstance(title, str) else None
