"""Random views of pictures, from which a network learns what does not matter (ML24)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ._torch import torch

_GREY = (0.299, 0.587, 0.114)
_BLUR_RADIUS = 4  # pixels; two standard deviations of the widest
_BLUR_SIGMA = (0.5, 2.0)


@dataclass(frozen=True)
class Views:
    """Turn, mirror, crop, blur and color pictures at random, each one differently.

    Turning, mirroring and cropping are one interpolation, so that nothing is blurred twice.

    Parameters
    ----------
    seen : int
        Side of a view, in pixels: the middle of a picture, less what the random crop cuts off.
    area : float
        The random crop keeps this fraction of the area at least, of the same shape.
    blur : float
        Fraction of the views that are blurred, by a Gaussian of 0.5 to 2 pixels.
    jitter : float
        How far brightness, contrast and saturation may change, as a fraction; the hue, by a quarter
        of that of a full circle.
    jittered : float
        Fraction of the views whose colors change.
    """

    seen: int
    area: float = 0.8
    blur: float = 0.1
    jitter: float = 0.5
    jittered: float = 0.8

    def __call__(self, pictures: Any, generator: Any) -> Any:
        """Return one view of each picture.

        Parameters
        ----------
        pictures : Tensor, shape (m, 3, size, size)
            In 0..1.
        generator : torch.Generator
            Of the processor, so that a GPU draws the same views.

        Returns
        -------
        Tensor, shape (m, 3, seen, seen)
            In 0..1; black where a view reaches beyond its picture.
        """
        views = self._framed(pictures, generator)
        views = self._blurred(views, generator)
        return self._colored(views, generator)

    def _framed(self, pictures: Any, generator: Any) -> Any:
        library = torch()
        m, _, size, _ = pictures.shape
        turn, side, right, down, mirror = library.rand((5, m), generator=generator)
        turn = 2 * math.pi * turn
        scale = (self.area + (1 - self.area) * side).sqrt()
        mirrored = library.where(mirror < 0.5, -1.0, 1.0)
        # a view's pixel at (x, y) in -1..1 shows the picture at turned(frame * (x, y) + shift)
        frame = scale * self.seen / size
        slack = (1 - scale) * self.seen / size
        across, along = slack * (2 * right - 1), slack * (2 * down - 1)
        cos, sin = turn.cos(), turn.sin()
        rows = [
            library.stack([mirrored * cos * frame, -sin * frame, cos * across - sin * along], 1),
            library.stack([mirrored * sin * frame, cos * frame, sin * across + cos * along], 1),
        ]
        functional = library.nn.functional
        where = library.stack(rows, dim=1).to(pictures.device)
        grid = functional.affine_grid(where, [m, 3, self.seen, self.seen], align_corners=False)
        return functional.grid_sample(pictures, grid, align_corners=False)

    def _blurred(self, views: Any, generator: Any) -> Any:
        library = torch()
        low, high = _BLUR_SIGMA
        chance, width = library.rand((2, len(views)), generator=generator)
        chosen = library.nonzero(chance < self.blur)[:, 0]
        if not len(chosen):
            return views
        sigma = low + (high - low) * width[chosen, None]
        x = library.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1)
        kernel = library.exp(-0.5 * (x / sigma) ** 2)
        kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(views.device)
        kernel = kernel.repeat_interleave(3, dim=0)[:, None]  # (3 m, 1, x)
        chosen = chosen.to(views.device)
        _, _, height, width = views.shape
        planes = views[chosen].reshape(1, -1, height, width)
        pad, conv2d = library.nn.functional.pad, library.nn.functional.conv2d
        planes = pad(planes, (_BLUR_RADIUS,) * 4, mode="replicate")
        planes = conv2d(planes, kernel[:, :, None, :], groups=len(kernel))
        planes = conv2d(planes, kernel[:, :, :, None], groups=len(kernel))
        return views.index_copy(0, chosen, planes.reshape(-1, 3, height, width))

    def _colored(self, views: Any, generator: Any) -> Any:
        library = torch()
        chance, *factors = library.rand((5, len(views), 1, 1, 1), generator=generator)
        strength = library.where(chance < self.jittered, self.jitter, 0.0)
        brightness, contrast, saturation = (
            (1 + strength * (2 * each - 1)).to(views.device) for each in factors[:3]
        )
        turn = (0.25 * strength * (2 * factors[3] - 1)).flatten() * 2 * math.pi
        grey = library.tensor(_GREY, device=views.device).view(3, 1, 1)
        views = (views * brightness).clamp(0, 1)
        mean = (views * grey).sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
        views = (mean + contrast * (views - mean)).clamp(0, 1)
        luminance = (views * grey).sum(dim=1, keepdim=True)
        views = luminance + saturation * (views - luminance)
        turned = library.einsum("mij,mjhw->mihw", _hue_turns(turn).to(views.device), views)
        return turned.clamp(0, 1)


def _hue_turns(angles: Any) -> Any:
    """Matrices (m, 3, 3) that turn colors about the grey axis (Rodrigues' formula)."""
    library = torch()
    cos, sin = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    cross = library.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    return cos * library.eye(3) + sin * cross + (1 - cos) / 3
