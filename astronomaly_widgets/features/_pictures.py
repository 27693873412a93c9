"""The images that a network learns from, as it sees them, all at hand."""

from __future__ import annotations

import hashlib
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..compute import map_objects
from ._batches import Ahead
from ._one import MeasureOne, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .._protocols import Source
    from .cnn import CNNFeatures

# pictures beyond this many bytes are kept in a file
_MOST_IN_MEMORY = 2**30


class Pictures(NamedTuple):
    """Images to learn from.

    Attributes
    ----------
    images : ndarray, shape (n, size, size, 3), uint8
        Memory-mapped if they are large.
    left_out : dict
        Why, by object id, for those that could not be read or have no data.
    digest : str
        Tells other objects, or other data of them, apart.
    """

    images: NDArray[Any]
    left_out: dict[str, str]
    digest: str


def read_pictures(
    source: Source,
    object_ids: Sequence[str] | None,
    eye: CNNFeatures,
    n_jobs: int | None,
    progress: bool,
) -> Pictures:
    """Read images and prepare them, by several threads.

    Parameters
    ----------
    source : Source
    object_ids : sequence of str, optional
        By default all.
    eye : CNNFeatures
        Prepares them.
    n_jobs : int, optional
        Threads; one per core by default.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError
        The source has no images, an id is not its own, or fewer than two images are left.
    """
    if source.kind != "image":
        raise ValueError(f"a network learns from image sources, not from {source.kind} sources")
    rows = {object_id: row for row, object_id in enumerate(source.object_ids.tolist())}
    wanted = list(rows) if object_ids is None else [str(each) for each in object_ids]
    unknown = [each for each in wanted if each not in rows]
    if unknown:
        raise ValueError(f"{len(unknown)} ids are not in the source, such as {unknown[0]!r}")
    from joblib import effective_n_jobs

    n_threads = effective_n_jobs(-1 if n_jobs is None else n_jobs)
    images = _empty((len(wanted), eye.size, eye.size, 3))
    digest, left_out, n_good = hashlib.sha256(), {}, 0
    read = MeasureOne(source, eye, 0).prepared
    with Ahead(read, wanted, n_threads, 4 * n_threads) as ahead:
        text = "Reading" if progress else None
        taken = map_objects(lambda _: ahead.take(1)[0], wanted, n_jobs=1, progress=text)
        for object_id, outcome in zip(wanted, taken, strict=True):
            if isinstance(outcome, Outcome):
                left_out[object_id] = outcome.reason
                continue
            images[n_good] = np.rint(255 * outcome[0])
            digest.update(f"{object_id}\n{source.fingerprints[rows[object_id]]}\n".encode())
            n_good += 1
    if n_good < 2:
        said = f"; {next(iter(left_out.values()))}" if left_out else ""
        raise ValueError(
            f"images that can be read: {n_good}; a network learns from 2 at least{said}"
        )
    return Pictures(images[:n_good], left_out, digest.hexdigest()[:16])


def _empty(shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array in memory, or in a file that lasts as long as the array."""
    if np.prod(shape, dtype=float) <= _MOST_IN_MEMORY:
        return np.empty(shape, np.uint8)
    with TemporaryFile(prefix="astronomaly-") as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)
