"""What a class has found, and how far its members agree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import mode
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..exceptions import ProjectError
from ._records import read_folder
from ._truth import true_scores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class ClassReport:
    """Everybody's work on one exercise, side by side.

    Attributes
    ----------
    students : DataFrame
        A row per person: ``n_labels``; ``found``, truly interesting objects that were scored so,
        and ``recall``, their share; ``missed``, seen but scored low; ``false_alarms``;
        ``gold_right``, the share of the gold objects; ``n_hints``; ``seconds``, the median per
        object; ``minutes``, all together. NaN where it is not known.
    found : DataFrame
        A column per person: interesting objects found after each label, from 0; NaN beyond.
    kappa : DataFrame
        Cohen's kappa of each pair, on whether an object is interesting, over the objects that
        both have labeled; 1 is perfect agreement, 0 that of chance; NaN where it is not defined.
    n_common : DataFrame
        How many objects that are.
    fleiss : float
        Fleiss' kappa of all, over the objects that all of them have labeled; NaN if undefined.
    disputed : DataFrame
        The objects that at least two labeled, those with the widest range of scores first:
        ``n``, ``mean``, ``range``.
    """

    students: pd.DataFrame
    found: pd.DataFrame
    kappa: pd.DataFrame
    n_common: pd.DataFrame
    fleiss: float
    disputed: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"{len(self.students)} people, Fleiss' kappa {self.fleiss:.2f}\n"
            f"{self.students.to_string(float_format='%.2f')}"
        )


def compare(
    folder: str | Path, scores: Mapping[str, float] | pd.Series[Any] | None = None
) -> ClassReport:
    """Compare the hand-ins (.json) and projects of a folder.

    A hand-in says whose it is. Where several say the same, and no file is called so, the names of
    the files stand: on a server, everybody may be called ``jovyan``.

    Parameters
    ----------
    folder : str or Path
    scores : mapping or Series, optional
        The true scores, by object id, as :class:`Exercise` takes them; an object without one is
        neither found nor a false alarm. Without them what is true is known only of hand-ins, and
        of these only the count.

    Returns
    -------
    ClassReport

    Raises
    ------
    ProjectError
        If the folder holds no hand-in and no project, or two of the same name.
    ValueError
        If a true score is not in 0..5, or there is none of any object that was labeled.
    """
    records = _called_apart(list(read_folder(folder)))
    names = [record["name"] for record in records]
    if not records:
        raise ProjectError(f"{folder} holds no hand-in (.json) and no project")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        files = " and ".join(record["file"] for record in records if record["name"] == twice[0])
        raise ProjectError(
            f"{twice[0]!r} has handed in more than once: {files}; leave one file of each person, "
            "or call each file by whose it is, and none by a name that several have"
        )
    given = pd.DataFrame({record["name"]: _scores_of(record) for record in records})
    truth = None if scores is None else _truth_of(given, scores)
    # whoever labels decides by the threshold of their exercise; a class has one: that of most
    threshold = mode(float(record["interesting_from"]) for record in records)
    liked = given.ge(threshold).where(given.notna())
    kappa, common = _pairwise(liked)
    everyone = liked.dropna()
    return ClassReport(
        students=pd.DataFrame([_row(record, truth, threshold) for record in records], index=names),
        found=_curves(records, truth, threshold),
        kappa=kappa,
        n_common=common,
        fleiss=fleiss_kappa(everyone.to_numpy(dtype=int)) if len(names) > 1 else np.nan,
        disputed=_disputed(given),
    )


def cohen_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Return Cohen's kappa of two people's yes and no, (m,) each; NaN if chance agrees always."""
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if not len(a):
        return np.nan
    agreed = (a == b).mean()
    by_chance = a.mean() * b.mean() + (~a).mean() * (~b).mean()
    return float((agreed - by_chance) / (1 - by_chance)) if by_chance < 1 else np.nan


def fleiss_kappa(votes: NDArray[np.int_]) -> float:
    """Return Fleiss' kappa of yes (1) and no (0), an object per row and a person per column.

    NaN if there is no object or all votes are the same.
    """
    m, people = votes.shape
    if not m or people < 2:
        return np.nan
    yes = votes.sum(axis=1)
    counts = np.column_stack([yes, people - yes])
    agreed = ((counts * (counts - 1)).sum(axis=1) / (people * (people - 1))).mean()
    by_chance = ((counts.sum(axis=0) / (m * people)) ** 2).sum()
    return float((agreed - by_chance) / (1 - by_chance)) if by_chance < 1 else np.nan


def _scores_of(record: dict[str, Any]) -> pd.Series[float]:
    labels = record["labels"]
    return pd.Series({label["object_id"]: label["score"] for label in labels}, dtype=float)


def _called_apart(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records, named by their files where none of these bears the name of several.

    On a server, everybody may be called ``jovyan``.
    """
    files: dict[str, list[str]] = {}
    for record in records:
        files.setdefault(record["name"], []).append(record["file"])
    shared = {
        name
        for name, these in files.items()
        if len(these) > 1 and not any(file.startswith(name) for file in these)
    }
    return [
        record | {"name": record["file"].removesuffix(".json")}
        if record["name"] in shared
        else record
        for record in records
    ]


def _truth_of(
    given: pd.DataFrame, scores: Mapping[str, float] | pd.Series[Any]
) -> pd.Series[float]:
    truth = true_scores(scores).dropna()
    if len(given) and not given.index.isin(truth.index).any():
        raise ValueError(
            f"no object that was labeled, such as {given.index[0]!r}, has a true score: these are "
            f"of {', '.join(map(repr, truth.index[:3]))}; index the scores by object id"
        )
    return truth


def _row(
    record: dict[str, Any], truth: pd.Series[float] | None, threshold: float
) -> dict[str, Any]:
    seconds = np.array([label["seconds"] or np.nan for label in record["labels"]], dtype=float)
    known = seconds[np.isfinite(seconds)]
    gold = record.get("gold", {})
    row = {
        "n_labels": len(record["labels"]),
        "found": np.nan,
        "recall": np.nan,
        "missed": np.nan,
        "false_alarms": np.nan,
        "gold_right": gold["right"] / gold["answered"] if gold.get("answered") else np.nan,
        "n_hints": record.get("n_hints", np.nan),
        "seconds": float(np.median(known)) if len(known) else np.nan,
        "minutes": float(known.sum() / 60) if len(known) else np.nan,
    }
    if truth is not None:
        given = _scores_of(record)
        known = given.index.isin(truth.index)
        real = truth.reindex(given.index) >= threshold
        row["found"] = int((real & (given >= threshold)).sum())
        row["recall"] = row["found"] / max(int((truth >= threshold).sum()), 1)
        row["missed"] = int((real & (given < threshold)).sum())
        row["false_alarms"] = int((known & ~real & (given >= threshold)).sum())
    elif record.get("found"):
        row["found"] = record["found"][-1]
        row["recall"] = row["found"] / record["n_interesting"]
    return row


def _curves(
    records: list[dict[str, Any]], truth: pd.Series[float] | None, threshold: float
) -> pd.DataFrame:
    curves = {}
    for record in records:
        if truth is not None:
            given = _scores_of(record)
            real = truth.reindex(given.index) >= threshold
            found = np.cumsum((real & (given >= threshold)).to_numpy())
        else:
            found = np.asarray(record.get("found", []), dtype=float)
        if len(found) or not record["labels"]:
            curves[record["name"]] = pd.Series(np.append(0, found), dtype=float)
    return pd.DataFrame(curves).rename_axis("n_labels")


def _pairwise(liked: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = list(liked.columns)
    kappa = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    common = pd.DataFrame(0, index=names, columns=names)
    for name in names:
        common.loc[name, name] = int(liked[name].notna().sum())
    for one, other in combinations(names, 2):
        both = liked[[one, other]].dropna()
        value = cohen_kappa(both[one].astype(bool), both[other].astype(bool))
        kappa.loc[one, other] = kappa.loc[other, one] = value
        common.loc[one, other] = common.loc[other, one] = len(both)
    return kappa, common


def _disputed(given: pd.DataFrame) -> pd.DataFrame:
    several = given[given.notna().sum(axis=1) >= 2]
    table = pd.DataFrame(
        {
            "n": several.notna().sum(axis=1),
            "mean": several.mean(axis=1),
            "range": several.max(axis=1) - several.min(axis=1),
        }
    )
    ordered = table.sort_values("range", ascending=False, kind="stable")
    return ordered.rename_axis("object_id")
