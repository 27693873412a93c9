"""A function or a scikit-learn transformer of one's own as feature extractor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._digest import digest
from ..compute import evenly
from ..exceptions import MeasurementError
from ._most import of_most
from ._shown import ShownAsCall
from .raw import RawFeatures, not_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .._protocols import FeatureExtractor, Source


class FunctionFeatures(ShownAsCall):
    """What a function of one's own makes of an object.

    Parameters
    ----------
    function : callable
        Takes the data of one object, as :meth:`~astronomaly_widgets.sources.Source.read` returns
        them (an image of shape (height, width) or (height, width, bands), a row of a table, a
        light curve, a spectrum), and returns a number, an array (d,), or a mapping of names to
        numbers: for every object the same d. It may raise
        :class:`~astronomaly_widgets.exceptions.MeasurementError` with a reason; an object for
        which it raises, or returns what is not finite, is set aside.
    names : sequence of str, optional
        Names of the d numbers; by default the names of the mapping, or ``<name>_0``, ``<name>_1``,
        ...
    name : str, optional
        Of the extractor; by default that of the function.
    kinds : tuple of str
        Kinds of source that it understands.
    version : int or str
        Say another one when something has changed that neither the function's own code nor what it
        has captured shows (what it calls, a global variable, a file it reads), so that everything
        is measured again.

    Attributes
    ----------
    names_ : tuple of str
        The names of the mapping that most objects give; all others must give the same.

    Examples
    --------
    >>> def brightness(image):
    ...     return {"mean": image.mean(), "peak": image.max()}
    >>> FunctionFeatures(brightness).extract(np.array([[1.0, 3.0]]))
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[[NDArray[Any]], Any],
        names: Sequence[str] | None = None,
        *,
        name: str | None = None,
        kinds: tuple[str, ...] = ("image", "table", "light_curve", "spectrum"),
        version: int | str = 1,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function is {function!r}; wanted something that can be called")
        self.function = function
        self.names = None if names is None else tuple(names)
        self.name = name or _name_of(function)
        self.kinds = kinds
        self.version = version

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names that were given, or that the function gives for most of a few objects.

        Raises
        ------
        MeasurementError
            No names were given, and no object can be read and measured.
        Exception
            Whatever the function raises, if it does so for each of the first nine objects.
        """
        if self.names is not None:
            return self.names
        is_mapping, names = of_most(source, self._names_of_result, self.name)
        if is_mapping:
            self.names_ = names
        return names

    def _names_of_result(self, data: NDArray[Any]) -> tuple[bool, tuple[str, ...]]:
        """Return whether the function gives a mapping, and the names of its numbers."""
        result = self.function(data.copy())
        if isinstance(result, Mapping):
            return True, tuple(map(str, result))
        return False, _numbered(self.name, np.size(result)) if np.ndim(result) else (self.name,)

    def settings(self) -> Mapping[str, Any]:
        """Return what identifies the function: its name, its code and what it holds, the version.

        Raises
        ------
        TypeError
            It has captured something of which nothing tells whether it has changed.
        """
        try:
            code = digest(self.function)
        except TypeError as error:
            raise TypeError(
                f"{error}, so that features made with it cannot be kept: make it inside of the "
                "function, or hold it in a global variable and say another version= of "
                "FunctionFeatures whenever it changes"
            ) from error
        return {
            "function": f"{getattr(self.function, '__module__', '')}.{self.name}",
            "code": code,
            "names": None if self.names is None else list(self.names),
            "version": self.version,
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one object.

        Returns
        -------
        ndarray, shape (d,), float32

        Raises
        ------
        MeasurementError
            The function says so, or what it returns is not finite, or not a row of numbers.
        """
        result = self.function(data.copy())  # other extractors measure the same object
        if isinstance(result, Mapping):
            values = {str(each): value for each, value in result.items()}
            wanted = self.names or getattr(self, "names_", None)
            if wanted is not None and set(values) != set(wanted):
                raise MeasurementError(
                    f"{self.name} gives {', '.join(values)}; wanted {', '.join(wanted)}"
                )
            result = list(values.values()) if wanted is None else [values[each] for each in wanted]
        return _row(result, self.name)


class TransformerFeatures(ShownAsCall):
    """What a scikit-learn transformer makes of an object's values or features.

    Parameters
    ----------
    transformer : object
        Has `fit` and `transform`, such as ``PCA(20)`` or a Pipeline. One that is fitted already is
        taken as it is, any other is fitted to objects of the source, and is itself left alone.
    base : extractor, optional
        Makes the rows (1, d) that it transforms; by default :class:`RawFeatures`, the pixels or
        columns as they are.
    n_fit : int
        Fit it to at most so many objects, spread evenly over the source.

    Attributes
    ----------
    transformer_ : object
        The fitted transformer.
    """

    def __init__(
        self, transformer: Any, base: FeatureExtractor | None = None, *, n_fit: int = 2000
    ) -> None:
        if isinstance(transformer, type) or not hasattr(transformer, "transform"):
            raise TypeError(
                f"transformer is {transformer!r}; wanted an object with fit and transform"
            )
        if n_fit < 1:
            raise ValueError(f"n_fit is {n_fit}; wanted at least 1")
        self.transformer = transformer
        self.base: FeatureExtractor = RawFeatures() if base is None else base
        self.n_fit = n_fit
        self.name = f"{type(transformer).__name__.lower()}_{self.base.name}"
        self.kinds = self.base.kinds

    def fit(self, source: Source) -> TransformerFeatures:
        """Fit the transformer to the objects of a source, unless it came fitted.

        Raises
        ------
        MeasurementError
            None of the objects that were chosen can be read and measured.
        """
        if _is_fitted(self.transformer):
            self.transformer_ = self.transformer
            return self
        from sklearn.base import clone

        ids = source.object_ids
        chosen = ids[evenly(len(ids), self.n_fit)]
        n_features = len(self.base.feature_names(source))
        rows = []
        problem: Exception | None = None
        for object_id in chosen:
            try:
                row = _row(self.base.extract(source.read(object_id)), self.base.name)
            except Exception as error:  # noqa: BLE001 - a source of one's own may raise anything
                problem = error
                continue
            if len(row) == n_features:
                rows.append(row)
        if not rows:
            raise MeasurementError(
                f"{self.base.name} could measure none of the {len(chosen)} objects to which "
                f"{type(self.transformer).__name__} was to be fitted"
            ) from problem
        self.transformer_ = clone(self.transformer, safe=False).fit(np.stack(rows))
        return self

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``<transformer>_0``, ``<transformer>_1``, ...

        How many there are shows in most of a few objects. A transformer that is not
        fitted yet is fitted to this source first.

        Raises
        ------
        MeasurementError
            No object can be read and measured.
        """
        if not hasattr(self, "transformer_"):
            self.fit(source)
        n = of_most(source, lambda data: len(self.extract(data)), self.name)
        return _numbered(type(self.transformer).__name__.lower(), n)

    def settings(self) -> Mapping[str, Any]:
        """Return what identifies the transformer, as far as it is fitted, and the base."""
        return {
            "transformer": type(self.transformer).__name__,
            "state": digest(getattr(self, "transformer_", self.transformer)),
            "base": {"name": self.base.name, "settings": dict(self.base.settings())},
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one object.

        Returns
        -------
        ndarray, shape (d,), float32

        Raises
        ------
        MeasurementError
            The base cannot measure it, or what comes out is not finite.
        sklearn.exceptions.NotFittedError
            Neither the transformer nor this has been fitted.
        """
        if not hasattr(self, "transformer_"):
            if not _is_fitted(self.transformer):
                from sklearn.exceptions import NotFittedError

                raise NotFittedError(f"{self.name} is not fitted; call fit(source) first")
            self.transformer_ = self.transformer
        row = np.asarray(self.base.extract(data), np.float32)
        return _row(self.transformer_.transform(row[None])[0], self.name)


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", type(function).__name__.lower())
    return name if name.isidentifier() else "function"  # a lambda has no name


def _numbered(name: str, n: int) -> tuple[str, ...]:
    return tuple(f"{name}_{k}" for k in range(n))


def _row(result: Any, name: str) -> NDArray[np.float32]:
    """Return finite numbers as (d,) float32, or say why not."""
    with np.errstate(over="ignore"):  # found below, as infinite
        row = np.atleast_1d(np.asarray(result, np.float32))
    if row.ndim != 1:
        raise MeasurementError(f"{name} gives an array of shape {row.shape}; wanted (d,)")
    n_bad = row.size - int(np.isfinite(row).sum())
    if n_bad:
        raise MeasurementError(not_finite(n_bad, row.size))
    return row


def _is_fitted(transformer: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not hasattr(transformer, "fit"):
        return True
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        return False
    return True
