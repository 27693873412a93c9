"""Pictures of many points, and what a pointer or a lasso means among them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astronomaly_widgets import density
from astronomaly_widgets.density import PointIndex, Window


def cloud(n=5000, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)


def brute_inside(points, polygon):
    """Winding by signed angles: another method than the one under test."""
    a = np.asarray(polygon, float)[None] - points.astype(float)[:, None]
    b = np.roll(a, -1, axis=1)
    turn = np.arctan2(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], (a * b).sum(-1)).sum(1)
    return np.flatnonzero(np.abs(turn) > np.pi)


def test_frame_holds_every_finite_point_with_a_margin():
    points = np.array([[0, 10], [4, 20], [np.nan, 99]])
    assert density.frame(points, margin=0.25) == Window(-1, 5, 7.5, 22.5)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.full((3, 2), np.nan), np.ones((4, 2))])
def test_frame_has_an_area_whatever_the_points(points):
    window = density.frame(points)
    assert window.x_max > window.x_min
    assert window.y_max > window.y_min


def test_bins_count_like_histogram2d_with_the_top_row_first():
    points = cloud()
    window = Window(-2, 2, -1, 3)
    counts, _ = density.bin_points(points, None, window, 40, 30)
    want, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=(30, 40), range=((-1, 3), (-2, 2)))
    assert np.abs(counts - want[::-1]).sum() <= 4  # float32 points on the edge of a bin
    assert counts.sum() < len(points)


def test_bin_means_leave_unknown_values_out():
    points = np.array([[0.5, 0.5], [0.5, 0.5], [1.5, 0.5], [0.5, 1.5]])
    values = np.array([1.0, 3.0, np.nan, 4.0])
    counts, means = density.bin_points(points, values, Window(0, 2, 0, 2), 2, 2)
    assert counts.tolist() == [[1, 0], [2, 1]]
    np.testing.assert_array_equal(means, [[4, np.nan], [2, np.nan]])


def test_painting_is_transparent_where_there_is_no_point():
    counts = np.array([[0, 1], [9, 0]])
    means = np.array([[np.nan, 0.0], [5.0, np.nan]])
    picture = density.paint(counts, means, (0, 5)).rgba
    assert (picture[..., 3] > 0).tolist() == [[False, True], [True, False]]
    assert picture[1, 0, 3] == 255
    assert tuple(picture[0, 1, :3]) == (0x3B, 0x52, 0x8B)
    assert tuple(picture[1, 0, :3]) == (0xFD, 0xE7, 0x25)


def test_a_point_without_a_value_is_painted_neutral():
    picture = density.paint(np.array([[2]]), np.array([[np.nan]]), (0, 5)).rgba
    assert tuple(picture[0, 0, :3]) == (0x87, 0x95, 0xA3)


def test_painting_with_a_radius_draws_discs():
    counts = np.zeros((9, 9), int)
    counts[4, 4] = 1
    means = np.where(counts > 0, 2.5, np.nan)
    opaque = density.paint(counts, means, (0, 5), radius=2).pixels > 0
    assert opaque[4, 2:7].all()
    assert opaque[2:7, 4].all()
    assert not opaque[2, 2]
    assert opaque.sum() == 21


def test_an_empty_picture_can_be_painted():
    counts, means = density.bin_points(cloud(10), np.ones(10), Window(90, 91, 90, 91), 8, 8)
    assert not density.paint(counts, means, (0, 5)).pixels.any()


def test_shades_run_through_the_palette():
    assert density.shades(6) == density.PALETTE
    assert density.shades(16)[0] == density.PALETTE[0]
    assert len(set(density.shades(16))) == 16


def test_discs_shrink_as_points_crowd():
    radii = [density.disc_radius(n, 400_000) for n in (0, 6_000, 200_000, 4_000_000)]
    assert radii == [2, 2, 1, 0]


@pytest.mark.parametrize("window", [Window(-9, 9, -9, 9), Window(-0.3, 0.7, 0.1, 0.9)])
def test_the_index_bins_as_the_plain_way_does(window):
    rng = np.random.default_rng(1)
    points = cloud().astype(float)  # in float32 a point may be on either side of an edge
    points[7] = np.nan
    index = PointIndex(points)
    values = rng.uniform(0, 5, len(points)).astype(np.float32)
    values[::9] = np.nan
    kinds = rng.integers(-1, 12, len(points)).astype(np.int32)
    for shown in (values, None):
        counts, means = index.bin_points(shown, window, 40, 30)
        want_counts, want_means = density.bin_points(points, shown, window, 40, 30)
        np.testing.assert_array_equal(counts, want_counts)
        np.testing.assert_allclose(means, want_means, rtol=1e-6)
    want = density.bin_kinds(points, kinds, window, 40, 30)
    np.testing.assert_array_equal(index.bin_kinds(kinds, window, 40, 30), want)
    assert want.sum() == counts.sum() > 0


def test_the_index_bins_new_values_after_others():
    points, window = cloud(100), Window(-9, 9, -9, 9)
    index = PointIndex(points)
    for value in (1.0, 4.0):
        _, means = index.bin_points(np.full(100, value), window, 4, 4)
        assert np.nanmax(means) == value


def test_a_window_beside_the_map_is_empty():
    counts, means = PointIndex(cloud(100)).bin_points(None, Window(90, 91, 90, 91), 4, 4)
    assert not counts.any()
    assert np.isnan(means).all()


def test_a_byte_tells_all_colors_of_a_picture():
    counts, means = np.meshgrid(np.arange(1, 1001), np.linspace(0, 5, 100))
    pixels, palette = density.paint(counts, means, (0, 5))
    assert 200 < len(np.unique(pixels)) < len(palette) <= 256


@given(st.integers(0, 1000), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.01, 2))
@settings(max_examples=60)
def test_the_nearest_point_is_the_one_brute_force_finds(seed, x, y, reach):
    points = cloud(300, seed)
    distance = ((points[:, 0] - x) / reach) ** 2 + ((points[:, 1] - y) / (2 * reach)) ** 2
    best = int(distance.argmin())
    found = PointIndex(points).nearest(x, y, reach, 2 * reach)
    if distance[best] > 1.0001:
        assert found is None
    elif distance[best] < 0.9999:
        assert found is not None
        assert distance[found] == pytest.approx(distance[best], rel=1e-4)


@pytest.mark.parametrize("where", [(50, 0), (-50, 0), (0, 50), (0, -50)])
def test_nothing_is_near_far_outside(where):
    assert PointIndex(cloud(100)).nearest(*where, 0.5, 0.5) is None


def test_window_finds_what_a_mask_finds():
    points = cloud()
    rows = PointIndex(points).in_window(Window(-0.3, 0.7, 0.1, 0.9))
    inside = (points[:, 0] >= -0.3) & (points[:, 0] <= 0.7)
    inside &= (points[:, 1] >= 0.1) & (points[:, 1] <= 0.9)
    assert rows.tolist() == np.flatnonzero(inside).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_polygon_finds_what_the_winding_number_finds(seed):
    rng = np.random.default_rng(seed)
    points = cloud(20_000, seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
    radius = rng.uniform(0.3, 2.5, 40)
    star = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1) + rng.normal(size=2)
    if np.diff(angle).max() > 3 or angle[0] + 2 * np.pi - angle[-1] > 3:
        pytest.fail("the test polygon is not a star")
    assert PointIndex(points).in_polygon(star).tolist() == brute_inside(points, star).tolist()


def test_polygon_larger_than_the_map_takes_all():
    points = cloud(1000)
    huge = [(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)]
    assert len(PointIndex(points).in_polygon(huge)) == 1000


def test_points_with_nan_are_never_found():
    points = cloud(50)
    points[7] = np.nan
    index = PointIndex(points)
    assert 7 not in index.in_polygon([(-9, -9), (9, -9), (9, 9), (-9, 9)])
    assert index.nearest(0, 0, 99, 99) != 7


@pytest.mark.parametrize(
    "bad", [[(0, 0), (1, 1)], [1, 2, 3], [(0, 0), (1, 1), (np.nan, 2)], [(0, 0, 0)] * 4]
)
def test_a_polygon_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="polygon"):
        PointIndex(cloud(10)).in_polygon(bad)


def test_typical_is_robust_to_outliers_and_never_zero():
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [rng.normal(3, 2, 50_000), np.full(50_000, 7.0), np.r_[1e9, np.zeros(49_999)]]
    )
    median, spread = density.typical(X)
    assert median == pytest.approx([3, 7, 0], abs=0.1)
    assert spread[0] == pytest.approx(2, rel=0.05)
    assert spread[1] == 1
    assert (spread > 0).all()


def test_a_pixel_has_the_color_of_the_kind_that_most_around_it_are_of():
    window = Window(0, 10, 0, 10)
    points = np.array([[2.5, 7.5]] * 3 + [[2.5, 7.5]] * 2 + [[7.5, 2.5], [5.5, 5.5], [50, 50]])
    kinds = np.array([1, 1, 1, 0, 0, 12, -1, 0], dtype=np.int32)
    counts = density.bin_kinds(points, kinds, window, 1000, 1000)
    picture = density.paint_kinds(counts, radius=2).rgba
    colors = [int(c[k : k + 2], 16) for c in density.KIND_COLORS for k in (1, 3, 5)]
    colors = np.array(colors).reshape(-1, 3)
    assert picture[250, 250, :3].tolist() == colors[1].tolist()
    assert picture[750, 750, :3].tolist() == colors[12 % len(colors)].tolist()
    neutral = [int(density.NEUTRAL[k : k + 2], 16) for k in (1, 3, 5)]
    assert picture[450, 550, :3].tolist() == neutral
    assert picture[900, 100, 3] == 0
    assert (picture[..., 3] > 0).any(axis=1).sum() <= 3 * 5, "and nowhere else"


def test_a_few_odd_values_do_not_stretch_the_scale():
    rng = np.random.default_rng(0)
    redshift = np.concatenate([rng.uniform(0.1, 0.9, 900), np.full(90, -999.0), [1e6, np.nan]])
    low, high = density.robust_range(redshift)
    assert 0.1 <= low < 0.15
    assert 0.85 < high <= 0.9


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([3, 5], (3, 5)),
        ([7, 7, np.nan], (7, 7)),
        ([0] * 999 + [4], (0, 4)),  # nearly all are the same
        (range(50), (0, 49)),
        ([np.nan, np.nan], None),
        ([], None),
    ],
)
def test_the_scale_spans_what_there_is(values, wanted):
    assert density.robust_range(list(values)) == wanted


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pd.Series([1, 2], dtype="int8"), [1, 2]),
        (pd.Series([1, None], dtype="Int64"), [1, np.nan]),
        (pd.Series([1, None, 2.5], dtype=object), [1, np.nan, 2.5]),
        (pd.Series([1.0, np.inf]), [1, np.nan]),
        (pd.Series(pd.to_datetime(["1970-01-02", None])), [86400, np.nan]),
        (pd.Series(pd.to_datetime(["1970-01-02"])).dt.tz_localize("UTC"), [86400]),
        (pd.Series([True, False]), None),
        (pd.Series([True, None], dtype="boolean"), None),
        (pd.Series(["1", "2"]), None),
        (pd.Series(["a", None], dtype="category"), None),
        (pd.Series([1j]), None),
    ],
    ids=lambda given: str(getattr(given, "dtype", "")),
)
def test_numbers_and_times_are_a_scale_and_the_rest_is_not(column, wanted):
    found = density.as_numbers(column)
    if wanted is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found, wanted)


def test_the_most_frequent_kinds_are_told_apart_and_the_rest_is_one():
    column = pd.Series(["b"] * 3 + ["a"] * 5 + ["c", "d", None, "", "  "])
    kinds = density.most_frequent(column, 2)
    assert kinds.names == ("a", "b")
    assert kinds.numbers.tolist() == [1] * 3 + [0] * 5 + [2, 2, -1, -1, -1]
    assert density.most_frequent(column, 9).names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("column", "names", "numbers"),
    [
        (pd.Series([True, None, False, False], dtype="boolean"), (False, True), [1, -1, 0, 0]),
        (pd.Series([[1, 2], [1, 2], None]), ("[1, 2]",), [0, 0, -1]),
        (pd.Series(["x", None], dtype="category"), ("x",), [0, -1]),
        (pd.Series([None, None], dtype=object), (), [-1, -1]),
    ],
    ids=["boolean", "lists", "category", "nothing"],
)
def test_kinds_of_any_type_are_told_apart(column, names, numbers):
    kinds = density.most_frequent(column, 7)
    assert kinds.names == names
    assert kinds.numbers.tolist() == numbers


def test_on_a_scale_what_lies_outside_is_at_its_ends():
    places = density.on_scale([-999.0, 1.0, 2.0, 3.0, np.inf, np.nan], 1.0, 3.0)
    np.testing.assert_array_equal(places, np.array([0, 0, 0.5, 1, 1, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(density.on_scale([2.0, 2.0], 2.0, 2.0), [0, 0])


def test_sizes_count_what_is_missing_of_each_kind_and_of_others():
    column = pd.Series(["a", "b", None, "a", "c", "", "d"])
    assert density.most_frequent(column, 2).sizes() == [2, 2, 1, 2]
