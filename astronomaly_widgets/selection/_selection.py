"""Named cuts, what each of them removes, and the query that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ._adql import quoted
from ._conditions import Condition, all_of, any_of, column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray


class Selection(Mapping[str, Condition]):
    """Cuts with names, all of which a row must pass.

    Parameters
    ----------
    cuts : mapping of str to Condition
        In the order in which they are counted.

    Examples
    --------
    >>> bright = Selection({"flux": column("flux_r") > 7, "resolved": column("type") != "PSF"})
    >>> bright.adql("ls_dr8.tractor", columns=["ra", "dec"], limit=100)
    "SELECT TOP 100 ra, dec FROM ls_dr8.tractor WHERE flux_r > 7 AND type != 'PSF'"
    """

    def __init__(self, cuts: Mapping[str, Condition]) -> None:
        self._cuts = dict(cuts)
        for name, condition in self._cuts.items():
            if not isinstance(condition, Condition):
                raise TypeError(f"the cut {name!r} is {condition!r}, not a condition")
        if not self._cuts:
            raise ValueError("a selection needs at least one cut")

    def __getitem__(self, name: str) -> Condition:
        return self._cuts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cuts)

    def __len__(self) -> int:
        return len(self._cuts)

    def __repr__(self) -> str:
        return f"<Selection: {self.condition.text}>"

    def __and__(self, other: Mapping[str, Condition]) -> Selection:
        """Return a selection with the cuts of both; those of one name must not differ."""
        twice = [name for name in other if name in self and other[name] is not self[name]]
        if twice:
            raise ValueError(f"both selections have a cut called {twice[0]!r}; name one otherwise")
        return Selection(self._cuts | dict(other))

    def without(self, *names: str) -> Selection:
        """Return a selection with fewer cuts; KeyError if there is none of that name."""
        missing = [name for name in names if name not in self]
        if missing:
            raise KeyError(f"there is no cut {missing[0]!r}; there are {', '.join(self)}")
        return Selection({name: cut for name, cut in self.items() if name not in names})

    @property
    def condition(self) -> Condition:
        """All cuts as one condition."""
        return all_of(self._cuts.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the cuts need."""
        return self.condition.columns

    def mask(self, table: Any) -> NDArray[np.bool_]:
        """Return which rows pass all cuts, (n,) bool; see :meth:`Condition.mask`."""
        return self.condition.mask(table)

    def apply(self, table: Any) -> Any:
        """Return the rows that pass all cuts, as the kind of table that was given."""
        return table[self.mask(table)]

    def removals(self, table: Any) -> pd.DataFrame:
        """Count what each cut removes (E24 table 1).

        Parameters
        ----------
        table : DataFrame, Table or structured array
            All that could be selected.

        Returns
        -------
        DataFrame
            One row per cut: ``condition`` (ADQL), ``removed`` (rows that fail this cut, whatever
            the others say: E24's column), ``missing`` (how many of these because a value is
            missing), ``only_this`` (rows that fail no other cut), ``left`` (rows that pass this
            cut and all above it).
        """
        import pandas as pd

        found = [cut.evaluate(table) for cut in self._cuts.values()]
        passed = np.stack([true for true, _ in found])
        n_failed = (~passed).sum(axis=0)
        rows = {
            "condition": [cut.text for cut in self._cuts.values()],
            "removed": (~passed).sum(axis=1),
            "missing": [int((~(true | false)).sum()) for true, false in found],
            "only_this": (~passed & (n_failed == 1)).sum(axis=1),
            "left": np.logical_and.accumulate(passed, axis=0).sum(axis=1),
        }
        return pd.DataFrame(rows, index=pd.Index(list(self), name="cut", dtype=object))

    def adql(
        self, table: str, *, columns: Sequence[str] | None = None, limit: int | None = None
    ) -> str:
        """Write the selection as a query for a TAP service.

        Parameters
        ----------
        table : str
            Name of the table at the service, such as ``"ls_dr8.tractor"``.
        columns : sequence of str, optional
            What to fetch, by default everything.
        limit : int, optional
            At most so many rows.
        """
        if columns is not None and (isinstance(columns, str) or not len(columns)):
            raise TypeError(f"columns is {columns!r}; wanted a list of names")
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}; wanted at least 1")
        top = "" if limit is None else f"TOP {limit} "
        what = "*" if columns is None else ", ".join(map(quoted, columns))
        where = ".".join(map(quoted, table.split(".")))
        # names and values are quoted where they are written
        return f"SELECT {top}{what} FROM {where} WHERE {self.condition.text}"  # noqa: S608


def etsebeth_2024(
    bands: str | Sequence[str] = "grz", *, min_flux: float = 7.0, min_radius: float = 3.0
) -> Selection:
    """Return the cuts of E24 (section 2.1, appendix B) on the Legacy Surveys' catalog.

    Parameters
    ----------
    bands : sequence of str
        The bands that the columns are called after.
    min_flux : float
        In nanomaggies, reached in at least one band.
    min_radius : float
        Half-light radius in arcsec, exceeded by the de Vaucouleurs or the exponential model.

    Returns
    -------
    Selection
        Cuts ``type``, ``allmask``, ``reduced chi-square``, ``snr``, ``flux`` and ``shape``, in the
        order of E24's table 1.

    References
    ----------
    Etsebeth et al. 2024, MNRAS 529, 732.
    """
    if not len(bands):
        raise ValueError("bands is empty; wanted at least one")

    def each(name: str) -> list[Any]:
        return [column(f"{name}_{band}") for band in bands]

    return Selection(
        {
            "type": column("type") != "PSF",
            "allmask": all_of([mask == 0 for mask in each("allmask")]),
            "reduced chi-square": any_of([chi > 1 for chi in each("rchisq")]),
            "snr": all_of([snr > 0 for snr in each("snr")]),
            "flux": any_of([flux > min_flux for flux in each("flux")]),
            "shape": (column("shapedev_r") > min_radius) | (column("shapeexp_r") > min_radius),
        }
    )
