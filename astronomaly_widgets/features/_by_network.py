"""What extractors have in common that show images to a network, many at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ._runner import Runner


class ByNetwork:
    """Images to numbers, by a network that is built when it is first asked.

    A subclass prepares images, and measures those that are prepared.
    """

    kinds: tuple[str, ...] = ("image",)

    def __init__(self) -> None:
        self._runner: Runner | None = None
        self._lock = threading.Lock()

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image; (d,) float32. Many at once are quicker, see :func:`measure`.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Raises
        ------
        MeasurementError
            The image has no data, or nothing in it stands out of the noise.
        ValueError
            The network is one that has to be trained, and has not been.
        """
        row: NDArray[Any] = self.extract_batch([self.prepare(data)])[0]
        return row

    def prepare(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return what the network sees of an image."""
        raise NotImplementedError

    def extract_batch(self, prepared: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Measure images that are prepared; (m, d) float32."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be built again, and what no other process could use."""
        return self.__dict__ | {"_runner": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())
