"""What most objects of a source have in common, as a few of them show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..compute import evenly
from ..exceptions import MeasurementError, ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from .._protocols import Source

_N_ASKED = 9

Answer = TypeVar("Answer", bound="Hashable")


def of_most(source: Source, ask: Callable[[NDArray[Any]], Answer], who: str = "") -> Answer:
    """Return what is true of most of nine objects, spread evenly over a source.

    Not of the first alone: if that is the odd one, all others would be set aside. What cannot be
    read or measured has no say, and others are asked in its place.

    Parameters
    ----------
    source : Source
    ask : callable
        Takes the data of one object.
    who : str, optional
        Who measures, for the message, if it takes more than reading.

    Raises
    ------
    MeasurementError
        No object has an answer.
    Exception
        Whatever `ask` raised, if it did so for each of the first nine: it is at fault, not they.
    """
    ids = source.object_ids
    spread = evenly(len(ids), _N_ASKED)
    answers: Counter[Answer] = Counter()
    faults: list[Exception] = []
    for object_id in (*ids[spread], *np.delete(ids, spread)):
        try:
            answers[ask(source.read(object_id))] += 1
        except (MeasurementError, ReadError):
            continue
        except Exception as error:  # noqa: BLE001 - a function of one's own may raise anything
            faults.append(error)
        if answers.total() == _N_ASKED or (len(faults) == _N_ASKED and not answers):
            break
    if answers:
        return answers.most_common(1)[0][0]
    if faults:
        raise faults[0]
    if who:
        raise MeasurementError(f"{who} could measure none of {len(ids)} objects")
    raise MeasurementError(f"not one of {len(ids)} objects can be read")
