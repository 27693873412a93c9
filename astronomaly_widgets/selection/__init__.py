"""From a survey's catalog to the objects worth a look: cuts, sizes, queries, cross-matches."""

from ._conditions import Condition, Expression, all_of, any_of, column, cone
from ._matching import cross_match
from ._selection import Selection, etsebeth_2024
from ._services import known_classes, query
from ._sizes import cutout_side, effective_area

__all__ = [
    "Condition",
    "Expression",
    "Selection",
    "all_of",
    "any_of",
    "column",
    "cone",
    "cross_match",
    "cutout_side",
    "effective_area",
    "etsebeth_2024",
    "known_classes",
    "query",
]
