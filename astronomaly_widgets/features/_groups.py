"""Which features belong together, and how many numbers would do for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import preprocess
from .combined import CombinedFeatures
from .prepared import PreparedFeatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._protocols import FeatureExtractor, Source


class Group(NamedTuple):
    """Features of one extractor.

    Attributes
    ----------
    name : str
        The extractor's.
    columns : slice
        Where they stand among all.
    keep_components : int, float or None
        How many principal components stand for them all, which share one unit, or which fraction
        of their variance; or None, if each of them counts for itself. It is the extractor's
        attribute of this name, if it has one.
    """

    name: str
    columns: slice
    keep_components: float | None


def groups_of(extractor: FeatureExtractor, source: Source, n_features: int) -> tuple[Group, ...]:
    """Return the groups of the features that an extractor measures, in order.

    Where each feature counts for itself, there is one group, since to ask each extractor for its
    number of features may cost a look at the data.
    """
    *others, (last, _) = parts = list(_parts(extractor, source))
    keep = [getattr(part, "keep_components", None) for part, _ in parts]
    if all(each is None for each in keep):
        return (Group(extractor.name, slice(0, n_features), None),)
    groups: list[Group] = []
    start = 0
    for k, (part, seen) in enumerate(others):
        stop = start + len(part.feature_names(seen))
        groups.append(Group(part.name, slice(start, stop), keep[k]))
        start = stop
    return (*groups, Group(last.name, slice(start, n_features), keep[-1]))


def _parts(
    extractor: FeatureExtractor, source: Source
) -> Iterator[tuple[FeatureExtractor, Source]]:
    """Yield extractors that are no more than one, each with the source that it sees."""
    if isinstance(extractor, CombinedFeatures):
        for each in extractor.extractors:
            yield from _parts(each, source)
    elif isinstance(extractor, PreparedFeatures):
        seen = preprocess.PreparedSource(source, extractor.chain)
        yield from _parts(extractor.extractor, seen)
    else:
        yield extractor, source
