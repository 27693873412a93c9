"""What a comparison of feature sets found, as numbers and as a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _display

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FeatureComparison:
    """How well few labels tell classes apart with each feature set; drawn at the end of a cell.

    Attributes
    ----------
    table : DataFrame
        One row per feature set, classifier and number of labels: ``features``, ``classifier``,
        ``n_labels``, ``accuracy`` (mean over the draws), ``low`` and ``high`` (the middle 95 % of
        the draws: what one person's choice of labels may give), ``chance`` (without any
        features), and ``gain``, ``gain_low``, ``gain_high``: the same for the difference to the
        first feature set, draw by draw.
    n_objects, n_classes : int
        How many objects have a class, and how many classes there are.
    balanced : bool
        Whether accuracy is the mean of those of the classes, so that rare ones count.
    n_draws : int
        How often objects were drawn.
    """

    table: pd.DataFrame
    n_objects: int
    n_classes: int
    balanced: bool
    n_draws: int

    @property
    def caption(self) -> str:
        """What the numbers are, in words."""
        kind = "Accuracy, the mean of all classes," if self.balanced else "Fraction that is right"
        return (
            f"{kind} on the objects that were not labeled: mean of {self.n_draws} draws of labels "
            "among the same objects for all features, and the middle 95% of the draws."
        )

    def __repr__(self) -> str:
        wide = self.table.pivot_table(
            index=["classifier", "features"], columns="n_labels", values="accuracy", sort=False
        )
        wide = wide.sort_index(axis=1).rename(columns="{} labels".format)
        return (
            f"{self.n_objects} objects of {self.n_classes} classes; chance "
            f"{self.table['chance'].iloc[0]:.2f}\n{wide.to_string(float_format='%.3f')}\n"
            f"{self.caption}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if _display.make_comparison_panel is None:
            return {"text/plain": repr(self)}
        return _display.make_comparison_panel(self)._repr_mimebundle_(**kwargs)
