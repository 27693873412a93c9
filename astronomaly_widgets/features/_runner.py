"""Run a network over any number of images, as many at once as there is memory for."""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Runner(ABC):
    """A network on its device.

    Attributes
    ----------
    on_cpu : bool
        Whether that is the processor.
    fixed_batch : int or None
        How many images the network takes at once, if it takes no other number.
    """

    on_cpu: bool = True
    fixed_batch: int | None = None
    _most: int = sys.maxsize  # images at once, as far as is known

    @abstractmethod
    def _outputs(self, images: NDArray[Any]) -> NDArray[Any] | None:
        """Return what the network makes of one batch, float32; None if it finds no room for it."""

    def __call__(self, images: NDArray[Any], at_once: int) -> NDArray[Any]:
        """Run the network over images.

        Parameters
        ----------
        images : ndarray, shape (m, height, width, 3), float32
            In 0..1.
        at_once : int
            A batch has this many images, the last with zeros for those that lack: so the numbers of
            an image do not depend, not even by rounding, on the images beside it.

        Returns
        -------
        ndarray, shape (m, d), float32
            Maps of features are averaged.

        Raises
        ------
        MemoryError
            Not even one image fits onto the device.
        TypeError, ValueError
            The network does not return one row of numbers per image.
        """
        at_once = self.fixed_batch or min(at_once, self._most)
        parts = []
        for start in range(0, len(images), at_once):
            part = images[start : start + at_once]
            missing = at_once - len(part)
            rows = self._run(np.pad(part, [(0, missing)] + [(0, 0)] * 3) if missing else part)
            parts.append(self(part, self._most) if rows is None else rows[: len(part)])
        return np.concatenate(parts)

    def _run(self, images: NDArray[Any]) -> NDArray[Any] | None:
        """Run one batch; None if it does not fit, and from then on batches are smaller."""
        y = self._outputs(images)
        if y is not None:
            return _rows(y, len(images))
        message = f"{self} has too little memory free for {len(images)} images at once"
        if len(images) == 1 or self.fixed_batch:
            raise MemoryError(f"{message}; give a smaller size, or device='cpu'")
        self._most = len(images) // 2
        warnings.warn(f"{message}; going on with {self._most}", RuntimeWarning, stacklevel=3)
        return None


def _rows(y: NDArray[Any], n_images: int) -> NDArray[Any]:
    if y.ndim not in {2, 4} or len(y) != n_images:
        raise ValueError(
            f"the network returns shape {y.shape} for {n_images} images; wanted "
            f"({n_images}, d), or maps ({n_images}, d, height, width)"
        )
    return y.mean(axis=(2, 3)) if y.ndim == 4 else y
