"""What a network sees in an image that has learned from images like it, with no label (ML24)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from . import _torch
from ._augment import Views
from ._learned import own_network
from ._networks import as_rows, head, plain, scaled, small_network
from ._self_trained import SelfTrained

if TYPE_CHECKING:
    from ._training import Recipe

SMALL = "small"
# of ML24: the middle 110 of 128 pixels are seen
_SEEN = 110 / 128
_RATE_FOR = 256  # images at once


class BYOLFeatures(SelfTrained):
    """The numbers of a network that has learned from your own images, without labels (ML24).

    *Bootstrap your own latent*: the network is shown two random views of an image, turned,
    mirrored, cropped, blurred and colored, and learns to predict from one what a slowly moving
    average of itself says of the other. What remains is what makes two images differ apart from
    how they were taken. ::

        byol = BYOLFeatures().fit(source, epochs=100, checkpoint="byol-training")
        byol.save("byol")                              # BYOLFeatures.load("byol") brings it back
        session = aw.explore(source, features=byol)    # or ["ellipse", byol]

    Parameters
    ----------
    network : str or torch.nn.Module
        What is trained on: ``"efficientnet_lite0"``, with ImageNet's weights to begin with (1280
        numbers); ``"small"``, four convolutions that begin with nothing (256 numbers), for small
        images or little time; ``"timm:"`` and a name of timm's; or a module of your own, as for
        :class:`CNNFeatures`, which is copied.
    size : int
        Images are resized to this many pixels, squared; the network sees their middle 86 %, so
        that views can be turned.
    crop, color, sigma
        As for :class:`CNNFeatures`: `crop` to the object.
    batch_size : int
        Images in a step; also how many are measured at once.
    learning_rate : float
        Of Adam, for 256 images in a step; for fewer it is less in proportion. That of ML24 suits a
        network that has learned before; ``"small"`` wants about 0.01.
    jitter : float
        How much views differ in color, 0..1, see Notes. Where color or brightness is what makes an
        object rare, give less.
    projection_size, hidden_size : int
        Numbers that are predicted, and the width of the layer before them.
    decay : float
        How slowly the average moves: its fraction that is kept in each step.
    random_state : int
        The same number gives the same network on the same machine; on a GPU, but for rounding.
    device : str, optional
        As torch has them, ``"cuda"`` or ``"cpu"``; by default a GPU if there is one.
    keep_components : int, float or None
        As for :class:`CNNFeatures`.

    Attributes
    ----------
    history_ : DataFrame
        One row per epoch: ``loss`` (0..4, mean of both views), ``spread`` (root of the total
        variance of the features' directions, 0..1; near 0 the network has collapsed, and
        :meth:`fit` stops) and ``seconds``.
    left_out_ : dict
        Why, by object id, for those from which :meth:`fit` could not learn.

    Notes
    -----
    A view is turned by any angle, mirrored or not, cropped to 80-100 % of the area; blurred (1 in
    10); and changed (8 in 10) in brightness, contrast and saturation by a factor of up to
    1 +- `jitter`, and in hue by up to `jitter` / 4 of the circle. The loss is that of the paper
    (eq. 2), ``2 - 2 cos``, for both orders of the views.

    Normalization layers of EfficientNet are merged into its convolutions and not trained apart, so
    that small batches do no harm.

    References
    ----------
    Grill et al. 2020, arXiv:2006.07733. Mohale & Lochner 2024, MNRAS 530, 1274.
    """

    name = "byol"
    _parts = ("network",)
    _least_of_first = 0.1
    _against_collapse: ClassVar[str] = (
        "Train with a smaller learning_rate, a decay nearer to 1, or larger batches."
    )

    def __init__(
        self,
        network: Any = _torch.LITE0,
        *,
        size: int = 128,
        crop: int | Literal["source"] | None = None,
        color: Literal["rgb", "grey"] = "rgb",
        sigma: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 5e-4,
        jitter: float = 0.5,
        projection_size: int = 256,
        hidden_size: int = 4096,
        decay: float = 0.99,
        random_state: int = 0,
        device: str | None = None,
        keep_components: float | None = 30,
    ) -> None:
        for name, value in (("jitter", jitter), ("decay", decay)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}; wanted 0 to 1")
        for name, size_ in (("projection_size", projection_size), ("hidden_size", hidden_size)):
            if size_ < 1:
                raise ValueError(f"{name} is {size_}; wanted at least 1")
        super().__init__(
            size=size,
            seen=max(1, round(_SEEN * size)),
            crop=crop,
            color=color,
            sigma=sigma,
            batch_size=batch_size,
            learning_rate=learning_rate,
            random_state=random_state,
            device=device,
            keep_components=keep_components,
        )
        self.network = network
        self.jitter = jitter
        self.projection_size = projection_size
        self.hidden_size = hidden_size
        self.decay = decay

    def _arguments(self) -> dict[str, Any]:
        return {
            **super()._arguments(),
            "network": own_network(self.network),
            "jitter": self.jitter,
            "projection_size": self.projection_size,
            "hidden_size": self.hidden_size,
            "decay": self.decay,
        }

    def _adam_rate(self) -> float:
        return self.learning_rate * self.batch_size / _RATE_FOR

    def _recipe(self) -> Recipe:
        named, network = isinstance(self.network, str), self.network
        if named and network not in {SMALL, _torch.LITE0} and not network.startswith(_torch.TIMM):
            raise ValueError(
                f"there is no network {network!r} to train; wanted {_torch.LITE0!r}, {SMALL!r}, "
                f"{_torch.TIMM!r} and one of timm's names, or a torch.nn.Module"
            )
        trained = small_network() if network == SMALL else _torch.build(network)
        return _BYOL(self, scaled(trained), Views(self._seen, jitter=self.jitter))

    def _measuring(self, modules: Any) -> _torch.Trained:
        return plain(modules["network"])


class _BYOL:
    """Online network, projector and predictor, and the target that follows the first two."""

    def __init__(self, settings: BYOLFeatures, network: Any, views: Views) -> None:
        library = _torch.torch()
        self._views = views
        self._decay = settings.decay
        for parameter in network[1].parameters():
            parameter.requires_grad_(requires_grad=True)
        black = np.zeros((2, views.seen, views.seen, 3), np.float32)
        n_features = _torch.Runner(plain(network), "cpu")(black, 2).shape[
            1
        ]  # or says what is wrong
        width, n_projected = settings.hidden_size, settings.projection_size
        projector = head(n_features, width, n_projected)
        predictor = head(n_projected, width, n_projected)
        target = library.nn.ModuleList([deepcopy(network), deepcopy(projector)])
        target.requires_grad_(requires_grad=False)
        self.modules = library.nn.ModuleDict(
            {"network": network, "projector": projector, "predictor": predictor, "target": target}
        )

    def loss(self, pictures: Any, generator: Any) -> Any:
        library = _torch.torch()
        views = [self._views(pictures, generator) for _ in range(2)]
        both = library.cat(views).contiguous(memory_format=library.channels_last)
        modules = self.modules
        predicted = modules["predictor"](modules["projector"](as_rows(modules["network"](both))))
        with library.no_grad():
            network, projector = modules["target"]
            wanted = projector(as_rows(network(both)))
        wanted = wanted.roll(len(pictures), dims=0)  # what the target says of the other view
        cosine = library.nn.functional.cosine_similarity(predicted.float(), wanted.float())
        return (2 - 2 * cosine).mean()  # of two views, each as in eq. 2

    def follow(self) -> None:
        library = _torch.torch()
        online = [*self.modules["network"].parameters(), *self.modules["projector"].parameters()]
        with library.no_grad():
            for mean, now in zip(self.modules["target"].parameters(), online, strict=True):
                mean.lerp_(now, 1 - self._decay)
