"""Conditions on the columns of a catalog: for a table at hand, and as ADQL for a service.

Both follow the same logic of three values: a comparison with what is missing is neither true nor
false, and only what is true is selected. So a cut removes here what it removes there.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    _Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]  # where it is true, where it is false

_REGULAR = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# words of ADQL 2.1 that a catalog might use as a name of a column
_RESERVED = frozenset(
    """abs action add all and any area as asc at avg between bit box by case cast ceiling center
    centroid char character check circle close column constraint contains coord1 coord2 coordsys
    count cross current cursor date day desc distance distinct domain double else end exists exp
    external first float floor for found from full go group having hour identity in index inner
    input int integer intersects interval into is join key language last left level like local log
    log10 lower match max min minute mod module month names natural next no not null number offset
    on only open option or order outer output partial pi point polygon position power prior public
    rand read real references region relative right round rows schema scroll second section select
    session set sign sin size smallint some space sqrt sum table tan temporary then time timestamp
    to top trailing transaction translation trim truncate union unique unknown update upper usage
    user using value values view when where with work write year zone""".split()  # noqa: SIM905 - a word a line would fill a file
)
_NUMBERS = {"integer", "floating", "mixed-integer-float"}
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


@dataclass(frozen=True, eq=False)
class Expression:
    """A column, a number, or what is calculated of them; comparing it gives a condition.

    Attributes
    ----------
    text : str
        As ADQL.
    columns : tuple of str
        The columns that it needs.
    """

    text: str
    columns: tuple[str, ...]
    _parts: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<Expression: {self.text}>"

    def values(self, table: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Calculate it for each row: values (n,), and which of them are missing (n,)."""
        kind, *parts = self._parts
        if kind == "column":
            return _read(table, parts[0])
        if kind == "constant":
            return np.asarray(parts[0]), np.asarray(False)
        (left, missing), (right, also) = (part.values(table) for part in parts)
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


@dataclass(frozen=True, eq=False)
class Condition:
    """What a row must fulfil; conditions combine by ``&``, ``|`` and ``~``.

    Attributes
    ----------
    text : str
        As ADQL.
    columns : tuple of str
        The columns that it needs.
    """

    text: str
    columns: tuple[str, ...]
    _parts: tuple[Any, ...]
    _loose: bool = False  # whether the text needs brackets where it is combined

    def __repr__(self) -> str:
        return f"<Condition: {self.text}>"

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


def _decoded(values: NDArray[Any]) -> NDArray[Any]:
    """Turn bytes among the values into text."""
    decode = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values.tolist()]
    return np.array(decode, dtype=object)


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

        (lon, missing), (lat, also) = (_read(table, name) for name in columns)
        places = np.radians(np.asarray(lon, float)), np.radians(np.asarray(lat, float))
        separation = angular_separation(*places, np.radians(ra), np.radians(dec))
        known = ~(missing | also)
        inside = separation <= np.radians(radius)
        return known & inside, known & ~inside

    return Condition(text, tuple(columns), ("within", within))


def quoted(name: str) -> str:
    """Write a name as ADQL does: in double quotes if it is no ordinary word, or a reserved one."""
    if _REGULAR.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _as_expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, str):
        return Expression("'" + value.replace("'", "''") + "'", (), ("constant", value))
    if isinstance(value, bool | np.bool_):
        raise TypeError("ADQL has no true and false; compare with 0 or 1")
    if isinstance(value, int | float | np.integer | np.floating):
        number = value.item() if isinstance(value, np.generic) else value
        if not np.isfinite(number):
            raise ValueError(f"{number} cannot be compared with; ask is_known() of the column")
        text = repr(number)
        return Expression(f"({text})" if number < 0 else text, (), ("constant", number))
    raise TypeError(f"{value!r} is neither a column nor a number nor text")


def _merged(parts: Iterable[Expression | Condition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.columns))


def _compare(table: Any, sign: str, first: Expression, second: Expression) -> _Truth:
    (left, missing), (right, also) = first.values(table), second.values(table)
    if (left.dtype.kind in "OUS") != (right.dtype.kind in "OUS"):
        raise SourceError(f"{first.text} {sign} {second.text} compares text with numbers")
    known = ~(missing | also)
    true = np.asarray(_COMPARE[sign](left, right), bool) & known
    return true, known & ~true


def _read(table: Any, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a column's values and which of them are missing."""
    import pandas as pd

    names = getattr(table, "colnames", None) or getattr(table, "columns", None)
    if names is None:
        names = getattr(getattr(table, "dtype", None), "names", None) or ()
    if name not in list(names):
        there = ", ".join(map(str, names)) or "no columns"
        raise SourceError(f"the table has no column {name!r}; it has {there}")
    found = table[name]
    if isinstance(found, pd.Series):
        missing = found.isna().to_numpy()
        numeric = found.dtype.kind in "iufb"
        if numeric and isinstance(found.dtype, pd.api.extensions.ExtensionDtype):
            values = found.fillna(0).to_numpy()
        else:
            values = found.to_numpy() if numeric else found.astype(object).to_numpy()
    else:
        missing = np.array(np.ma.getmaskarray(found))
        values = np.asarray(np.ma.getdata(found))
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    if values.dtype.kind == "O":
        numbers = pd.api.types.infer_dtype(values[~missing]) in _NUMBERS
        values = np.where(missing, 0.0 if numbers else "", values)
        values = values.astype(np.float64) if numbers else _decoded(values)
    return values, missing
