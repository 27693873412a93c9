"""Text on a canvas: also the letters of units, which the font at hand lacks."""

import numpy as np
import pytest

from astronomaly_widgets.render._drawing import GROUND
from astronomaly_widgets.render._words import put

SIZES = [9, 13, 14, 28]


def written(text, size, *, at=(5, 5), align="left"):
    canvas = np.full((3 * size, 12 * size, 3), GROUND, np.uint8)
    width = put(canvas, text, *at, size, align=align)
    return (canvas != GROUND).any(axis=2), width


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("angstrom", ["Å", "\N{ANGSTROM SIGN}"])
def test_an_angstrom_is_an_a_with_a_ring_over_its_middle(angstrom, size):
    plain, width = written("A", size)
    ringed, width_ringed = written(angstrom, size)
    assert width_ringed == width
    assert ringed[plain].all()
    rows, columns = np.nonzero(ringed & ~plain)
    top = np.nonzero(plain)[0].min()
    assert rows.max() <= top
    assert np.ptp(rows) >= 2  # a ring has a height, a dash has none
    assert abs(columns.mean() - np.nonzero(plain)[1].mean()) < 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("micro", ["\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"])
def test_a_micro_is_a_u_whose_left_stroke_goes_on_below(micro, size):
    plain, _ = written("u", size)
    tailed, _ = written(micro, size)
    assert tailed[plain].all()
    rows, columns = np.nonzero(tailed & ~plain)
    bottom, middle = np.nonzero(plain)[0].max(), np.nonzero(plain)[1].mean()
    assert rows.max() > bottom
    assert (columns < middle).all()


def test_a_letter_with_a_mark_stands_where_it_would_without():
    plain, _ = written("3800 - 9200 A", 13)
    ringed, _ = written("3800 - 9200 Å", 13)
    before = int(0.8 * np.nonzero(plain)[1].max())
    np.testing.assert_array_equal(ringed[:, :before], plain[:, :before])
    assert ringed[plain].all()
    assert ringed.sum() > plain.sum()


def test_what_the_font_lacks_is_a_question_mark():
    np.testing.assert_array_equal(written("a ☃", 13)[0], written("a ?", 13)[0])


def test_text_that_is_aligned_right_ends_there_and_may_leave_the_canvas():
    ink, width = written("Å", 14, at=(40, 5), align="right")
    columns = np.nonzero(ink)[1]
    assert 40 - width <= columns.min()
    assert columns.max() < 40
    ink, _ = written("Å", 14, at=(5, -5), align="right")
    assert 0 <= np.nonzero(ink)[1].max() < 5
