"""A source whose images come out of a chain."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ReadError
from ._brightness import to_uint8
from ._chain import Chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .._protocols import Source


class PreparedSource:
    """What a chain makes of the images of a source.

    For what is shown: a session that is given this draws its pictures from it. What a chain has
    brought to 0..1 by ``stretch`` or ``normalize`` becomes uint8, and is shown as it is; what is
    floating without these gets the usual stretch.

    Parameters
    ----------
    source : Source
        Of images.
    chain : Chain, one or several of its steps

    Raises
    ------
    ValueError
        The source is not one of images.
    """

    def __init__(self, source: Source, chain: Chain | str | Sequence[Any]) -> None:
        if source.kind != "image":
            raise ValueError(f"a chain prepares images, not a source of kind {source.kind!r}")
        self.source = source
        self.chain = Chain.of(chain)
        self.kind = source.kind
        self._scaled = any(name in {"stretch", "normalize"} for name, _ in self.chain.steps)
        inner = getattr(source, "spec", None)
        arguments = {"source": inner, "chain": self.chain.settings()}
        #: How a project finds it again, see `Source`; None if it cannot find the source.
        self.spec = inner and {
            "room": "preprocess",
            "name": "PreparedSource",
            "arguments": arguments,
        }

    @property
    def object_ids(self) -> NDArray[Any]:
        """Those of the source."""
        return self.source.object_ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Those of the source, with one of the chain."""
        settings = json.dumps(self.chain.settings(), sort_keys=True)
        digest = hashlib.sha256(settings.encode()).hexdigest()[:16]
        return np.array([f"{each} {digest}" for each in self.source.fingerprints], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame | None:
        """That of the source."""
        return self.source.catalog

    def position(self, object_id: str) -> tuple[float, float] | None:
        """Return where the source says that an object is on the sky; None if it says nothing."""
        ask = getattr(self.source, "position", None)
        return None if ask is None else ask(object_id)

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one object and send it through the chain.

        Raises
        ------
        ReadError
            The object cannot be read, or a step cannot be done with it.
        KeyError
            There is no such object.
        """
        image = self.source.read(object_id)
        try:
            prepared = self.chain(image)
        except ValueError as error:
            raise ReadError(f"cannot be prepared: {error}") from error
        is_unit = self._scaled and prepared.dtype != np.uint8
        return to_uint8(prepared, 0, 1) if is_unit else prepared
