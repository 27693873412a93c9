"""Small networks, for small images and little time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from . import _torch

_WIDTHS = (32, 64, 128, 256)


def scaled(trained: _torch.Trained) -> Any:
    """Return a network of pixels in 0..1, in training mode: the scaling is its first layer."""
    library = _torch.torch()
    scale = library.nn.Conv2d(3, 3, 1, groups=3).requires_grad_(requires_grad=False)
    spread = library.tensor(trained.std)
    with library.no_grad():
        scale.weight.copy_((1 / spread).view(3, 1, 1, 1))
        scale.bias.copy_(-library.tensor(trained.mean) / spread)
    return library.nn.Sequential(scale, trained.network.cpu())


def plain(network: Any) -> _torch.Trained:
    """Return a network to run on pixels in 0..1 as they are."""
    return _torch.Trained(network, (0.0,) * 3, (1.0,) * 3)


def as_rows(features: Any) -> Any:
    """Average maps of features (m, d, height, width) to (m, d)."""
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features


def small_network() -> _torch.Trained:
    """Four convolutions, each of half the pixels and twice the width; (m, 256), averaged.

    Their norm is that of one image (Wu & He 2018), which does not mind batches of three, nor
    whether a training was too short for means over many batches.
    """
    nn = _torch.torch().nn
    return _torch.Trained(nn.Sequential(*convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def convolutions() -> list[Any]:
    """Layers from (m, 3, size, size) to (m, 256, size / 16, size / 16), rounded up."""
    nn = _torch.torch().nn
    layers: list[Any] = []
    for n_in, n_out in pairwise((3, *_WIDTHS)):
        layers += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1), nn.GroupNorm(8, n_out)]
        layers.append(nn.ReLU())
    return layers


def growing_convolutions() -> list[Any]:
    """Layers from (m, 256, size / 16, size / 16) to (m, 3, size, size), in 0..1."""
    nn = _torch.torch().nn
    layers: list[Any] = []
    widths = (*_WIDTHS[::-1], 3)
    for n_in, n_out in pairwise(widths):
        # doubled and then smoothed: a transposed convolution would leave a checkerboard
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(n_in, n_out, 3, padding=1)]
        layers += [nn.Sigmoid()] if n_out == 3 else [nn.GroupNorm(8, n_out), nn.ReLU()]
    return layers


def head(n_in: int, n_hidden: int, n_out: int) -> Any:
    """Two layers with a norm between them (Grill et al. 2020, section 3.2)."""
    nn = _torch.torch().nn
    return nn.Sequential(
        nn.Linear(n_in, n_hidden), nn.BatchNorm1d(n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_out)
    )
