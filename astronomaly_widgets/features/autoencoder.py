"""How an image is described by a network that must draw it again, and how badly that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from . import _torch
from ._networks import convolutions, growing_convolutions, plain
from ._self_trained import SelfTrained

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._protocols import Source
    from ._training import Recipe

_STRIDE = 16  # pixels of an image per pixel of the smallest map
_LEAST_ERROR = 1e-8  # far below what 8 bits can show


class AutoencoderFeatures(SelfTrained):
    """The few numbers from which a network can draw an image again, and its error.

    Four convolutions lead to `n_features` numbers, four back to the image; they learn from your own
    images. What most images have in common is drawn well; what is rare is not, and the last
    feature, the logarithm of the error, is an anomaly score by itself. ::

        autoencoder = AutoencoderFeatures().fit(source, epochs=50)
        session = aw.explore(source, features=autoencoder, detector=autoencoder.detector())

    Parameters
    ----------
    n_features : int
        How many numbers describe an image.
    size : int
        Images are resized to this many pixels, squared; a multiple of 16.
    crop, color, sigma
        As for :class:`CNNFeatures`: `crop` to the object.
    batch_size : int
        Images in a step; also how many are measured at once.
    learning_rate : float
        Of Adam.
    random_state : int
        The same number gives the same network on the same machine; on a GPU, but for rounding.
    device : str, optional
        As torch has them, ``"cuda"`` or ``"cpu"``; by default a GPU if there is one.

    Attributes
    ----------
    history_ : DataFrame
        One row per epoch: ``loss`` (mean squared error of pixels in 0..1), ``spread`` (root of the
        total variance of the directions of the `n_features` numbers, 0..1; near 0 the network has
        collapsed, and :meth:`fit` stops) and ``seconds``.
    left_out_ : dict
        Why, by object id, for those from which :meth:`fit` could not learn.

    References
    ----------
    Hinton & Salakhutdinov 2006, Science 313, 504. Wu & He 2018, arXiv:1803.08494.
    """

    name = "autoencoder"
    _parts = ("encoder", "decoder")
    _least_of_first = 0.0  # at first, all may be drawn as the mean image
    _against_collapse: ClassVar[str] = "Train with a smaller learning_rate."

    def __init__(
        self,
        n_features: int = 32,
        *,
        size: int = 64,
        crop: int | Literal["source"] | None = None,
        color: Literal["rgb", "grey"] = "rgb",
        sigma: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        random_state: int = 0,
        device: str | None = None,
    ) -> None:
        if n_features < 1:
            raise ValueError(f"n_features is {n_features}; wanted at least 1")
        if size < _STRIDE or size % _STRIDE:
            raise ValueError(f"size is {size}; wanted a multiple of {_STRIDE}")
        super().__init__(
            size=size,
            seen=size,
            crop=crop,
            color=color,
            sigma=sigma,
            batch_size=batch_size,
            learning_rate=learning_rate,
            random_state=random_state,
            device=device,
            keep_components=None,  # each number counts, the error too
        )
        self.n_features = n_features

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names like ``autoencoder_0``, and ``autoencoder_log_error``.

        The last is the logarithm, to base 10, of the mean squared error of the pixels, in 0..1.

        Raises
        ------
        ValueError
            The network has not been trained.
        MissingDependencyError
            A package is not installed; the message says what brings it.
        """
        return (*super().feature_names(source)[:-1], f"{self.name}_log_error")

    def detector(self) -> ErrorDetector:
        """Return a detector to which an object is anomalous if it is badly drawn.

        It wants this extractor's features and no others, as
        :func:`~astronomaly_widgets.explore` scales them, without `n_components`.
        """
        return ErrorDetector(self.n_features)

    def _arguments(self) -> dict[str, Any]:
        common = super()._arguments()
        del common["keep_components"]
        return {**common, "n_features": self.n_features}

    def _telling(self, rows: NDArray[Any]) -> NDArray[Any]:
        return rows[:, : self.n_features]

    def _recipe(self) -> Recipe:
        return _Autoencoder(self.n_features, self._seen)

    def _measuring(self, modules: Any) -> _torch.Trained:
        return plain(_with_error(modules))


class ErrorDetector:
    """A detector to which an object is anomalous if an autoencoder draws it badly.

    Parameters
    ----------
    n_features : int
        How many features stand before the error.
    """

    def __init__(self, n_features: int) -> None:
        self.n_features = n_features

    def fit(self, X: ArrayLike) -> Self:
        """Learn nothing, but see that these are an autoencoder's features.

        Parameters
        ----------
        X : array, shape (n, n_features + 1)

        Raises
        ------
        ValueError
            They are not.
        """
        shape = np.shape(X)
        if len(shape) != 2 or shape[1] != self.n_features + 1:
            raise ValueError(
                f"the features have shape {shape}; the detector of an autoencoder wants its "
                f"{self.n_features} numbers and the error, and nothing else: leave out "
                "n_components and other features, or choose another detector"
            )
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[Any]:
        """Return the error with its sign changed, so that low = anomalous; (n,)."""
        self.fit(X)
        return -np.asanyarray(X)[:, -1]


class _Autoencoder:
    """Two networks, one after the other, and the error of what comes out."""

    def __init__(self, n_features: int, size: int) -> None:
        nn = _torch.torch().nn
        side = size // _STRIDE
        deep = (256, side, side)
        encoder = [*convolutions(), nn.Flatten(), nn.Linear(256 * side**2, n_features)]
        decoder = [nn.Linear(n_features, 256 * side**2), nn.Unflatten(1, deep), nn.ReLU()]
        self.modules = nn.ModuleDict(
            {
                "encoder": nn.Sequential(*encoder),
                "decoder": nn.Sequential(*decoder, *growing_convolutions()),
            }
        )

    def loss(self, pictures: Any, generator: Any) -> Any:  # noqa: ARG002 - nothing is random
        drawn = self.modules["decoder"](self.modules["encoder"](pictures))
        return _torch.torch().nn.functional.mse_loss(drawn.float(), pictures)

    def follow(self) -> None:
        """Change nothing."""


def _with_error(modules: Any) -> Any:
    """Return a network that says the numbers and the logarithm of the error, (m, d + 1)."""
    library = _torch.torch()

    class WithError(library.nn.Module):  # type: ignore[name-defined,misc]  # torch is imported late
        def __init__(self) -> None:
            super().__init__()
            self.parts = modules

        def forward(self, pictures: Any) -> Any:
            numbers = self.parts["encoder"](pictures)
            difference = self.parts["decoder"](numbers).float() - pictures
            error = difference.square().mean(dim=(1, 2, 3))[:, None]
            return library.cat([numbers.float(), error.clamp(min=_LEAST_ERROR).log10()], dim=1)

    return WithError()
