"""The law of the size of a cut-out."""

import numpy as np
import pytest

from astronomaly_widgets.selection import cutout_side, effective_area


@pytest.mark.parametrize(
    ("r_half", "sigma", "wanted"),
    [
        (0.0, 2.0, 4 * np.pi * 4),  # a point source: the Gaussian's 4 pi sigma^2
        (3.0, 0.0, 8.91 * 9),  # no seeing: the exponential profile's
        (5.0, 2.0, ((16 * np.pi) ** (1 / 1.15) + 222.75 ** (1 / 1.15)) ** 1.15),
    ],
)
def test_the_effective_area_is_equation_1(r_half, sigma, wanted):
    np.testing.assert_allclose(effective_area(r_half, sigma), wanted, rtol=1e-12)


def test_the_side_is_its_root_in_whole_pixels():
    side = cutout_side([0.45, 30.0, np.nan], 0.5, pixel_scale=0.262, smallest=12, largest=300)
    area = effective_area(30 / 0.262, 0.5 / 0.262)
    assert side[:2].tolist() == [12, min(300, np.ceil(np.sqrt(area)))]
    assert np.isnan(side[2])
    assert cutout_side(30.0, 0.0) == np.ceil(30 * np.sqrt(8.91))


def test_negative_lengths_are_refused():
    for r_half, sigma in ((-1, 1), ([1, 2], [1, -2])):
        with pytest.raises(ValueError, match="none can be negative"):
            effective_area(r_half, sigma)
    with pytest.raises(ValueError, match="pixel_scale"):
        cutout_side(1, 1, pixel_scale=0)
