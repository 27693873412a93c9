"""Conditions on the columns of a catalog: for a table at hand, and as ADQL for a service.

Both follow the same logic of three values: a comparison with what is missing is neither true nor
false, and only what is true is selected. So a cut removes here what it removes there.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError
from ._adql import literal, quoted
from ._columns import read_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    _Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]  # where it is true, where it is false

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_CALCULATE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, eq=False, repr=False)
class _Written:
    """What can be written as ADQL, and worked out for a table from its parts."""

    text: str
    columns: tuple[str, ...]
    _parts: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.text}>"


class Expression(_Written):
    """A column, a number, or what is calculated of them; comparing it gives a condition.

    Attributes
    ----------
    text : str
        As ADQL.
    columns : tuple of str
        The columns that it needs.
    """

    def values(self, table: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Calculate it for each row: values (n,), and which of them are missing (n,)."""
        kind, *parts = self._parts
        if kind == "column":
            return read_column(table, parts[0])
        if kind == "constant":
            return np.asarray(parts[0]), np.asarray(False)
        (left, missing), (right, also) = (part.values(table) for part in parts)
        left, right = _wide(left), _wide(right)
        with np.errstate(divide="ignore", invalid="ignore"):
            result = np.asarray(_CALCULATE[kind](left, right))
        lost = np.isnan(result) if result.dtype.kind == "f" else False
        return result, missing | also | lost

    def _calculated(self, sign: str, other: Any, *, turned: bool = False) -> Expression:
        pair = (_as_expression(other), self) if turned else (self, _as_expression(other))
        text = f"({pair[0].text} {sign} {pair[1].text})"
        return Expression(text, _merged(pair), (sign, *pair))

    def __add__(self, other: Any) -> Expression:
        return self._calculated("+", other)

    def __radd__(self, other: Any) -> Expression:
        return self._calculated("+", other, turned=True)

    def __sub__(self, other: Any) -> Expression:
        return self._calculated("-", other)

    def __rsub__(self, other: Any) -> Expression:
        return self._calculated("-", other, turned=True)

    def __mul__(self, other: Any) -> Expression:
        return self._calculated("*", other)

    def __rmul__(self, other: Any) -> Expression:
        return self._calculated("*", other, turned=True)

    def __truediv__(self, other: Any) -> Expression:
        return self._calculated("/", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return self._calculated("/", other, turned=True)

    def _compared(self, sign: str, other: Any) -> Condition:
        pair = self, _as_expression(other)
        text = f"{self.text} {sign} {pair[1].text}"
        return Condition(text, _merged(pair), ("compare", sign, *pair))

    def __lt__(self, other: Any) -> Condition:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Condition:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Condition:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Condition:
        return self._compared(">=", other)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compared("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compared("!=", other)

    __hash__ = None  # type: ignore[assignment]

    def between(self, low: Any, high: Any) -> Condition:
        """Whether it lies between two values, both included."""
        return all_of([self._compared(">=", low), self._compared("<=", high)])

    def is_in(self, values: Iterable[Any]) -> Condition:
        """Whether it is one of several values."""
        options = [_as_expression(value) for value in values]
        if not options:
            raise ValueError("is_in needs at least one value")
        text = f"{self.text} IN ({', '.join(option.text for option in options)})"
        parts = [self._compared("=", option) for option in options]
        return Condition(text, _merged(parts), ("any", *parts))

    def is_known(self) -> Condition:
        """Whether there is a value at all."""
        return Condition(f"{self.text} IS NOT NULL", self.columns, ("known", self))


@dataclass(frozen=True, eq=False, repr=False)
class Condition(_Written):
    """What a row must fulfil; conditions combine by ``&``, ``|`` and ``~``.

    Attributes
    ----------
    text : str
        As ADQL.
    columns : tuple of str
        The columns that it needs.
    """

    _loose: bool = False  # whether the text needs brackets where it is combined

    def mask(self, table: Any) -> NDArray[np.bool_]:
        """Return for which rows of a table it is true, (n,) bool.

        Parameters
        ----------
        table : DataFrame, Table or structured array
            A row in which a value it needs is missing (NaN, masked, NA) is not selected.

        Raises
        ------
        SourceError
            The table lacks a column, or texts are compared with numbers.
        """
        return self.evaluate(table)[0]

    def evaluate(self, table: Any) -> _Truth:
        """Return where it is true, and where it is false; neither where values are missing."""
        kind, *parts = self._parts
        if kind == "compare":
            return _compare(table, *parts)
        if kind == "known":
            missing = parts[0].values(table)[1]
            return ~missing, missing
        if kind == "not":
            true, false = parts[0].evaluate(table)
            return false, true
        if kind == "within":
            inside: _Truth = parts[0](table)
            return inside
        found = [part.evaluate(table) for part in parts]
        trues, falses = [true for true, _ in found], [false for _, false in found]
        if kind == "all":
            return _every(trues), _some(falses)
        return _some(trues), _every(falses)

    def __and__(self, other: Condition) -> Condition:
        return all_of([self, other])

    def __or__(self, other: Condition) -> Condition:
        return any_of([self, other])

    def __invert__(self) -> Condition:
        return Condition(f"NOT ({self.text})", self.columns, ("not", self))

    def __bool__(self) -> bool:
        raise TypeError("a condition has no truth of its own; combine conditions by &, | and ~")


def _every(masks: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce(masks))


def _some(masks: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce(masks))


def column(name: str) -> Expression:
    """Return a column of a catalog, to calculate with and to compare.

    Examples
    --------
    >>> column("flux_r") > 7
    <Condition: flux_r > 7>
    >>> (column("g") - column("r") > 0.8) & (column("type") != "PSF")
    <Condition: (g - r) > 0.8 AND type != 'PSF'>
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"the name of a column is text, not {name!r}")
    return Expression(quoted(name), (name,), ("column", name))


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all of these hold."""
    return _joined(list(conditions), "all", " AND ")


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that at least one of these holds."""
    return _joined(list(conditions), "any", " OR ")


def _joined(conditions: list[Condition], kind: str, word: str) -> Condition:
    wrong = [each for each in conditions if not isinstance(each, Condition)]
    if wrong or not conditions:
        what = f"{wrong[0]!r} is no condition" if wrong else "no condition was given"
        raise TypeError(f"{what}; make conditions by comparing columns: column('flux') > 7")
    if len(conditions) == 1:
        return conditions[0]
    loose = kind == "any"
    texts = [f"({each.text})" if each._loose else each.text for each in conditions]  # noqa: SLF001 - its own kind
    return Condition(word.join(texts), _merged(conditions), (kind, *conditions), _loose=loose)


def cone(
    ra: float, dec: float, radius: float, *, columns: tuple[str, str] = ("ra", "dec")
) -> Condition:
    """Return the condition that a position lies in a circle on the sky.

    Parameters
    ----------
    ra, dec, radius : float
        Middle and radius, in degrees.
    columns : (str, str)
        The columns of right ascension and declination, in degrees.
    """
    if not (np.isfinite(ra) and -90 <= dec <= 90 and 0 < radius <= 180):
        raise ValueError(f"({ra}, {dec}) with a radius of {radius} degrees is no circle on the sky")
    names = ", ".join(map(quoted, columns))
    center = ", ".join(repr(float(value)) for value in (ra % 360, dec, radius))
    text = f"1 = CONTAINS(POINT('ICRS', {names}), CIRCLE('ICRS', {center}))"

    def within(table: Any) -> _Truth:
        from astropy.coordinates import angular_separation

        (lon, missing), (lat, also) = (read_column(table, name) for name in columns)
        places = np.radians(np.asarray(lon, float)), np.radians(np.asarray(lat, float))
        separation = angular_separation(*places, np.radians(ra), np.radians(dec))
        known = ~(missing | also)
        inside = separation <= np.radians(radius)
        return known & inside, known & ~inside

    return Condition(text, tuple(columns), ("within", within))


def _as_expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, str):
        return Expression(literal(value), (), ("constant", value))
    if isinstance(value, bool | np.bool_):
        raise TypeError("ADQL has no true and false; compare with 0 or 1")
    if isinstance(value, int | float | np.integer | np.floating):
        number = value.item() if isinstance(value, np.generic) else value
        if not np.isfinite(number):
            raise ValueError(f"{number} cannot be compared with; ask is_known() of the column")
        return Expression(literal(number), (), ("constant", number))
    raise TypeError(f"{value!r} is neither a column nor a number nor text")


def _merged(parts: Iterable[Expression | Condition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.columns))


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    """Give whole numbers room, for 1 - 3 is no uint8."""
    narrow = values.dtype.kind in "bui" and values.dtype.itemsize < 8
    return values.astype(np.int64) if narrow else values


def _compare(table: Any, sign: str, first: Expression, second: Expression) -> _Truth:
    (left, missing), (right, also) = first.values(table), second.values(table)
    if (left.dtype.kind in "OUS") != (right.dtype.kind in "OUS"):
        raise SourceError(f"{first.text} {sign} {second.text} compares text with numbers")
    known = ~(missing | also)
    true = np.asarray(_COMPARE[sign](left, right), bool) & known
    return true, known & ~true
