"""What a trained convolutional network sees in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from . import _onnx, _torch
from ._by_network import ByNetwork
from ._shown import ShownAsCall

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .._protocols import Source
    from ._runner import Runner

SOURCE: Final = "source"
_COLORS = ("rgb", "grey")
_AROUND = 1.5  # times the reach of the source: its surroundings tell a merger, too
_LEAST = 16  # pixels, below which there is nothing to see
# a processor gains nothing from more
_AT_ONCE_ON_CPU = 16
_AT_ONCE_ON_GPU = 128


class CNNFeatures(ShownAsCall, ByNetwork):
    """The numbers before the last layer of a network that was trained on other images (E24 3.1).

    By default EfficientNet-Lite0 with the weights of ImageNet, which come with the package's extra
    ``deep``: 1280 numbers, and nothing is downloaded. What is seen, and at which scale, matters
    more than the network: `crop` to the object. The numbers say much the same many times over, and
    the least of them are noise: :func:`~astronomaly_widgets.explore` keeps the leading principal
    components, which beside others weigh as much as so many features. With shapes, they find more
    than either alone: ``features=["ellipse", CNNFeatures(crop=128)]``.

    Parameters
    ----------
    network : str, path-like or torch.nn.Module
        ``"efficientnet_lite0"``; ``"timm:"`` and a name of timm's, as
        ``"timm:hf_hub:mwalmsley/zoobot-encoder-convnext_nano"``, where timm is installed and may
        download; an ``.onnx`` file, run by ONNX Runtime (extra ``onnx``; torch is not needed); or
        any module. It takes (m, 3, size, size) and returns (m, d), or maps of features (m, d,
        height, width), which are averaged. A module is copied, not changed.
    weights : path-like, optional
        Weights of one's own for this network: ``.safetensors``, or what ``torch.save`` wrote of a
        `state_dict`. Files that hold more than tensors are refused. An ONNX file has its own.
    size : int
        Images are resized to this many pixels, squared.
    crop : int or "source", optional
        Cut out the middle first, this many pixels squared; or with ``"source"`` a square half as
        wide again as the source at the center reaches, at 3 standard deviations of the noise, so
        that near and far galaxies look alike. Without it, and if an image is smaller or has
        nothing at its center, the largest square.
    color : {"rgb", "grey"}
        ``"grey"`` averages the bands (E24). With ``"rgb"``, the bands become red, green and blue
        in their order: three as they are, one three times, others as means of thirds.
    sigma : float, optional
        Blacken all pixels that are not this many standard deviations above the noise of the whole
        image (E24: 3).
    mean, std : tuple of 3 floats, optional
        What is taken off red, green and blue, which go from 0 to 1, and what they are then divided
        by. By default as the network was trained, where that is known, and else as for ImageNet.
    batch_size : int, optional
        How many images the network sees at once; by default 16 on a processor, 128 on a GPU. With
        too little memory on the GPU, fewer; a warning says so.
    device : str, optional
        As torch has them, ``"cuda"`` or ``"cpu"``; by default a GPU if there is one, where numbers
        have half precision inside the network.
    keep_components : int, float or None
        How many principal components :func:`~astronomaly_widgets.explore` keeps of the numbers, or
        which fraction of their variance (E24: 0.95); it does not change what is measured. With
        None, each number counts for itself.

    Notes
    -----
    As in E24: ``CNNFeatures(color="grey", sigma=3)``.

    8-bit pixels are used as they are. Others are brought to 0..1 from the 1st to the 99.5th
    percentile of the image along an asinh curve, all bands alike; what has no data becomes black.

    The same image gives the same numbers, to the last bit, whatever is measured beside it. Another
    number of threads, or another machine, may round otherwise.

    References
    ----------
    Etsebeth et al. 2024, MNRAS 529, 732, section 3.1. Tan & Le 2019, arXiv:1905.11946.
    """

    name = "cnn"

    def __init__(
        self,
        network: Any = _torch.LITE0,
        *,
        weights: str | os.PathLike[str] | None = None,
        size: int = 224,
        crop: int | Literal["source"] | None = None,
        color: Literal["rgb", "grey"] = "rgb",
        sigma: float | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        batch_size: int | None = None,
        device: str | None = None,
        keep_components: float | None = 30,
    ) -> None:
        if color not in _COLORS:
            raise ValueError(f"color is {color!r}; wanted one of {', '.join(_COLORS)}")
        for name, value in (
            ("size", size),
            ("crop", None if crop == SOURCE else crop),
            ("batch_size", batch_size),
        ):
            if value is not None and (isinstance(value, str) or value < 1):
                raise ValueError(f"{name} is {value!r}; wanted at least 1")
        _check_keep_components(keep_components)
        if _onnx.is_onnx(network) and weights is not None:
            raise ValueError(f"{network} has weights of its own; leave out weights={weights!r}")
        super().__init__()
        self.network = network
        self.weights = weights
        self.size = size
        self.crop = crop
        self.color = color
        self.sigma = sigma
        self.mean = _three("mean", mean)
        self.std = _three("std", std)
        self.device = device
        self.keep_components = keep_components
        self._batch_size = batch_size

    @property
    def batch_size(self) -> int:
        """How many images the network sees at once."""
        if self._batch_size is not None:
            return self._batch_size
        return _AT_ONCE_ON_CPU if self._ready().on_cpu else _AT_ONCE_ON_GPU

    def feature_names(self, source: Source) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """Names like ``cnn_0``.

        Raises
        ------
        MissingDependencyError
            torch or another package is not installed; the message says what brings it.
        ValueError, TypeError
            There is no such network, the weights are not its own, or it cannot be run on images of
            this size.
        """
        black = np.zeros((self.size, self.size, 3), np.float32)
        return tuple(f"{self.name}_{k}" for k in range(self.extract_batch([black]).shape[1]))

    def settings(self) -> Mapping[str, Any]:
        """Return all that the numbers depend on, with a digest of weights that are one's own."""
        colors = {"mean": self.mean, "std": self.std}
        return {
            **(
                {"network": _onnx.fingerprint(self.network)}
                if _onnx.is_onnx(self.network)
                else _torch.fingerprint(self.network, self.weights)
            ),
            **{name: list(value) for name, value in colors.items() if value is not None},
            "size": self.size,
            "crop": self.crop,
            "color": self.color,
            "sigma": self.sigma,
            "version": 1,
        }

    def prepare(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return what the network sees of an image; (size, size, 3) float32, in 0..1.

        Raises
        ------
        MeasurementError
            See :meth:`extract`.
        """
        if data.ndim not in {2, 3} or not data.size:
            raise MeasurementError(f"an array of shape {data.shape} is not an image")
        stands_out = None if self.sigma is None else self._standing_out(data, self.sigma)
        side = self._side(data)
        image = _to_unit(preprocess.center_crop(data, side))
        if stands_out is not None:
            image[~preprocess.center_crop(stands_out, side)] = 0
        small = preprocess.resize(image, self.size)
        bands = small.reshape(self.size, self.size, -1)
        if self.color == "grey":
            bands = preprocess.grey(bands)[..., None]
        return np.ascontiguousarray(bands @ _thirds(bands.shape[2]))

    def extract_batch(self, prepared: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Measure images that are prepared; (m, d) float32.

        Raises
        ------
        MemoryError
            Not even one image fits onto the device.
        """
        return self._ready()(np.stack(prepared), self.batch_size)

    def _ready(self) -> Runner:
        with self._lock:
            if self._runner is None:
                if _onnx.is_onnx(self.network):
                    mean, std = self.mean or _torch.MEAN, self.std or _torch.STD
                    self._runner = _onnx.Runner(self.network, self.size, mean, std, self.device)
                else:
                    network, mean, std = _torch.build(self.network, self.weights)
                    trained = _torch.Trained(network, self.mean or mean, self.std or std)
                    self._runner = _torch.Runner(trained, self.device)
            return self._runner

    def _side(self, image: NDArray[Any]) -> int:
        """How many pixels of the middle are seen, across."""
        largest = int(min(image.shape[:2]))
        if self.crop == SOURCE:
            return min(largest, _side_of_source(image) or largest)
        return largest if self.crop is None else min(largest, self.crop)

    def _standing_out(self, data: NDArray[Any], sigma: float) -> NDArray[Any]:
        mask = preprocess.source_mask(data, sigma, central=False)
        if not preprocess.center_crop(mask, self._side(data)).any():
            raise MeasurementError(f"nothing above {sigma:g} sigma")
        return mask


def _check_keep_components(keep: float | None) -> None:
    """Refuse what is neither a number of principal components nor a fraction of the variance."""
    is_count = isinstance(keep, int | np.integer) and keep >= 1
    if keep is not None and not (is_count or 0 < keep < 1):
        raise ValueError(
            f"keep_components is {keep}; wanted a number of components, a fraction of the variance "
            "below 1, or None for the numbers themselves"
        )


def _side_of_source(image: NDArray[Any]) -> int:
    """Pixels across a square around the middle that holds the source there; 0 if none does."""
    rows, columns = np.nonzero(preprocess.source_mask(image))
    if not len(rows):
        return 0
    middle = [(n - 1) / 2 for n in image.shape[:2]]
    reach = max(np.abs(rows - middle[0]).max(), np.abs(columns - middle[1]).max()) + 0.5
    return max(_LEAST, int(np.ceil(2 * _AROUND * reach)))


def _three(name: str, values: Sequence[float] | None) -> tuple[float, ...] | None:
    if values is None:
        return None
    colors = tuple(map(float, values))
    if len(colors) != 3 or not np.isfinite(colors).all() or (name == "std" and min(colors) <= 0):
        raise ValueError(f"{name} is {values}; wanted three numbers, for red, green and blue")
    return colors


def _to_unit(image: NDArray[Any]) -> NDArray[Any]:
    """Bring pixels to 0..1, float32; no data becomes 0."""
    if image.dtype == np.uint8:
        return image.astype(np.float32) / np.float32(255)
    finite = np.isfinite(image)
    if not finite.any():
        raise MeasurementError("no pixel has data")
    low, high = preprocess.percentile_limits(image)
    return np.where(finite, preprocess.stretch(image, "asinh", low, high), np.float32(0))


def _thirds(n_bands: int) -> NDArray[Any]:
    """Weights (n_bands, 3) of the bands in red, green and blue: each is the mean of a third."""
    edges = np.arange(4)[None] * n_bands / 3
    band = np.arange(n_bands)[:, None]
    shared = np.minimum(edges[:, 1:], band + 1) - np.maximum(edges[:, :-1], band)
    return (shared.clip(0) / (n_bands / 3)).astype(np.float32)
