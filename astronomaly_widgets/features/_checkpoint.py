"""What has been measured so far, on disk, so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray


class Part(NamedTuple):
    """Some measured objects.

    Attributes
    ----------
    object_ids, fingerprints : ndarray, shape (m,), str
    features : ndarray, shape (m, d), float32
        NaN where there is a reason.
    reasons : ndarray, shape (m,), str
        Why the object cannot be measured, or "".
    """

    object_ids: NDArray[Any]
    fingerprints: NDArray[Any]
    features: NDArray[Any]
    reasons: NDArray[Any]


class Checkpoint:
    """A folder of small files, each written whole and never changed.

    A killed run loses what was not yet written, and nothing else; two runs at once may share a
    folder, at the price of measuring an object twice.

    Parameters
    ----------
    folder : Path
        Kept for all extractors; those with other settings have a folder of their own inside.
    name : str
        The extractor's name.
    key : mapping
        All that the values depend on besides the object itself; JSON-ready.
    """

    def __init__(self, folder: Path, name: str, key: Mapping[str, Any]) -> None:
        text = json.dumps(key, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        safe = "".join(c if c.isalnum() or c in "-+" else "_" for c in name)[:60]
        self._folder = folder / f"{safe}-{digest}"

    def parts(self) -> Iterator[Part]:
        """Yield what earlier runs have stored; a damaged file counts as not stored."""
        for path in sorted(self._folder.glob("part-*.npz")):
            try:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    part = Part(*(arrays[name] for name in Part._fields))
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue
            if len({len(column) for column in part}) == 1:
                yield part

    def write(self, part: Part) -> None:
        """Store a part: under another name first, so that it is there whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"part-{uuid4().hex}.npz"
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                np.savez(
                    file,
                    object_ids=part.object_ids.astype(str),  # objects would be pickled
                    fingerprints=part.fingerprints.astype(str),
                    features=part.features,
                    reasons=part.reasons.astype(str),
                )
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
