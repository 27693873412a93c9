"""The seams of the package: whatever has these methods can be plugged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@runtime_checkable
class Source(Protocol):
    """Where objects come from. One object is read on demand; nothing is held.

    A source must survive pickling, because features are measured in other processes.

    Attributes
    ----------
    kind : str
        What :meth:`read` returns: ``"image"``, ``"light_curve"``, ``"spectrum"`` or ``"table"``.
    object_ids : ndarray, shape (n,), dtype object
        Unique names (str). They are what labels belong to, so they must not depend on
        the order or the number of the other objects.
    fingerprints : ndarray, shape (n,), dtype object
        One str per object that changes when the object's data change. Cheap: file size and
        time, not file content.
    catalog : DataFrame or None
        Columns known of each object, indexed by object id, or None.

    A source may also have a `spec`, a JSON-ready dict ``{"room": "sources", "name": class,
    "arguments": {...}}`` by which a project finds it again; without one, or with None, the
    pictures of a re-opened project need ``Session.open(project, source=...)``. And it may have
    ``position(object_id)``, which is asked where the catalog does not say: right ascension and
    declination in ICRS degrees, or None.
    """

    kind: str

    @property
    def object_ids(self) -> NDArray[Any]: ...
    @property
    def fingerprints(self) -> NDArray[Any]: ...
    @property
    def catalog(self) -> pd.DataFrame | None: ...

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one object.

        Returns
        -------
        ndarray
            For ``kind == "image"``: (height, width) or (height, width, bands), uint8 or floating,
            row 0 at the top as shown on a screen, NaN where there are no data. For
            ``kind == "table"``: (d,) floating. For ``kind == "light_curve"``: (points,) structured,
            with ``time`` (days), ``magnitude`` or ``flux``, ``error`` and ``band`` (text). For
            ``kind == "spectrum"``: (wavelengths,) structured, with ``wavelength`` (increasing),
            ``flux`` and ``error``. Errors are NaN where they are not known.

        Raises
        ------
        ReadError
            The object exists but cannot be read; the message is the reason.
        KeyError
            There is no such object.
        """
        ...


@runtime_checkable
class FeatureExtractor(Protocol):
    """Turns one object into numbers.

    Attributes
    ----------
    name : str
        Short, for file names and the manifest.
    kinds : tuple of str
        Kinds of source it understands.
    """

    name: str
    kinds: tuple[str, ...]

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names of the d numbers that :meth:`extract` returns for this source."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """JSON-ready settings; features measured with other settings are measured again."""
        ...

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one object, as the source's `read` returned it; (d,) finite floats.

        Raises
        ------
        MeasurementError
            The object cannot be measured; the message is the reason it is set aside.
        """
        ...


@runtime_checkable
class Detector(Protocol):
    """An anomaly detector in scikit-learn's manner: a low score means anomalous."""

    def fit(self, X: NDArray[Any]) -> Any:
        """Learn what is ordinary from features, shape (n, d)."""
        ...

    def score_samples(self, X: NDArray[Any]) -> NDArray[Any]:
        """Score objects, shape (n,); low = anomalous."""
        ...


@dataclass(frozen=True, slots=True)
class LearnerScores:
    """What a learner says of n objects; every array is (n,) float32 where nothing else is said.

    Attributes
    ----------
    trained_score : ndarray
        The learner's overall score, 0..5, larger = show it earlier.
    relevance : ndarray
        Predicted score of the person, 0..5; NaN where the learner cannot predict it.
    uncertainty : ndarray
        Standard deviation of the relevance, in score units; NaN where there is none.
    acquisition : ndarray
        Worth of labeling the object next, in any unit, larger = more worth.
    exploration : ndarray or None
        Likewise, while what is labeled is not liked; None = as `acquisition`.
    left_out : ndarray, shape (m,), or None
        Trained score of each labeled object, in the order in which they were given, as it would be
        without its label; NaN where that is not known.
    """

    trained_score: NDArray[Any]
    relevance: NDArray[Any]
    uncertainty: NDArray[Any]
    acquisition: NDArray[Any]
    exploration: NDArray[Any] | None = None
    left_out: NDArray[Any] | None = None

    def __repr__(self) -> str:
        return f"<LearnerScores: {len(self.trained_score)} objects>"


@runtime_checkable
class Learner(Protocol):
    """Labels, features and anomaly score become a ranking."""

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Learn from the labeled objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects, possibly memory-mapped.
        rows : array of int, shape (m,)
            Which rows are labeled. A session gives them rising, whatever the order of labeling,
            so that the same labels teach the same.
        y : array, shape (m,)
            Their scores, 0..5.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.
        """
        ...

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects; with no label learned from, the trained score is the anomaly score."""
        ...


@runtime_checkable
class EarlyLearner(Learner, Protocol):
    """A learner that can be asked of a few objects before it is asked of all.

    Of millions, those that may come first are scored first, and shown while the rest is scored.
    """

    def score_some(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores | None:
        """Score some of the objects as `score` would among all, as nearly as can be.

        Parameters
        ----------
        X : array, shape (k, d)
            Their features; rows are not those of `fit`.
        anomaly_score : array, shape (k,)

        Returns
        -------
        LearnerScores or None
            Of these k; without `left_out`, if that takes all. None: there is nothing to say yet.
        """
        ...
