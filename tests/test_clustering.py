"""Clusters: as many as there are, of every object, the same each time."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from astronomaly_widgets.clustering import _cluster, cluster

METHODS = pytest.mark.parametrize("method", ["auto", "hdbscan", "gaussian_mixture", "kmeans"])


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs([500, 300, 200, 100], n_features=6, cluster_std=0.8, random_state=1)
    return X.astype(np.float32), y


@METHODS
def test_separate_clusters_are_found_and_counted(blobs, method):
    X, y = blobs
    found = cluster(X, method)
    assert found.labels.dtype == np.int32
    assert adjusted_rand_score(y, found.labels) > 0.98
    np.testing.assert_allclose(found.sizes, [500, 300, 200, 100], atol=8)
    assert (np.diff(found.sizes) < 0).all()


def test_density_finds_shapes_that_are_no_ellipsoids():
    X, y = make_moons(1000, noise=0.06, random_state=0)
    found = cluster(X)
    assert found.method == "hdbscan"
    assert adjusted_rand_score(y, found.labels) > 0.98


def test_where_there_are_no_gaps_a_mixture_says_how_many_there_are():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(1000, 5))
    found = cluster(one)
    assert found.method == "gaussian_mixture"
    assert list(found.sizes) == [1000]
    crossed = np.concatenate([one[:500] * [9, 1, 1, 1, 1], one[500:] * [1, 9, 1, 1, 1]])
    assert len(cluster(crossed, "gaussian_mixture").sizes) == 2


def test_objects_between_the_clusters_belong_to_none(blobs):
    X, _ = blobs
    far = np.full((3, 6), 60, np.float32) + np.arange(3)[:, None] * 20
    found = cluster(np.concatenate([X, far]), "hdbscan")
    assert list(found.labels[-3:]) == [-1, -1, -1]
    assert np.isnan(found.oddity[-3:]).all()
    assert set(np.flatnonzero(found.labels == -1)) == set(found.members(-1))


@pytest.mark.parametrize("method", ["gaussian_mixture", "kmeans", "auto"])
def test_the_number_may_be_given(blobs, method):
    assert len(cluster(blobs[0], method, n_clusters=3).sizes) == 3


def test_oddity_of_means_is_the_distance_to_the_center(blobs):
    X, _ = blobs
    found = cluster(X, "kmeans")
    for k in range(4):
        members = X[found.labels == k].astype(float)
        apart = np.linalg.norm(members - members.mean(axis=0), axis=1)
        np.testing.assert_allclose(
            found.oddity[found.labels == k], apart / np.median(apart), rtol=1e-3
        )


def test_oddity_in_a_mixture_is_the_mahalanobis_distance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3)) @ [[3, 1, 0], [0, 1, 2], [0, 0, 0.5]]
    found = cluster(X, "gaussian_mixture", n_clusters=1)
    apart = X - X.mean(axis=0)
    distance = np.sqrt(np.einsum("ij,jk,ik->i", apart, np.linalg.inv(np.cov(X.T)), apart))
    np.testing.assert_allclose(found.oddity, distance / np.median(distance), rtol=1e-2)


def test_oddity_in_a_dense_region_is_the_distance_to_the_tenth_neighbor(blobs):
    X = blobs[0].astype(float)
    found = cluster(X, "hdbscan")
    tenth = np.sort(np.linalg.norm(X[:, None] - X[None], axis=2), axis=1)[:, 10]
    for k in range(4):
        members = found.labels == k
        expected = tenth[members] / np.median(tenth[members])
        np.testing.assert_allclose(found.oddity[members], expected, rtol=1e-5)


@METHODS
def test_typical_members_come_first_or_those_at_the_edge(blobs, method):
    found = cluster(blobs[0], method)
    typical = found.members(1)
    assert set(found.labels[typical]) == {1}
    assert len(typical) == found.sizes[1]
    assert (np.diff(found.oddity[typical]) >= 0).all()
    assert (np.diff(found.oddity[found.members(1, "extreme")]) <= 0).all()


@METHODS
def test_all_objects_are_given_to_the_clusters_of_some(blobs, method, tmp_path, monkeypatch):
    X, y = blobs
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, X.shape)
    mapped[:] = X
    found = cluster(mapped, method, n_fit=400)
    in_one = found.labels >= 0
    assert in_one.mean() > 0.9
    assert adjusted_rand_score(y[in_one], found.labels[in_one]) > 0.98
    monkeypatch.setattr(_cluster, "_NUMBERS_PER_CHUNK", 1000)
    again = cluster(X, method, n_fit=400)
    np.testing.assert_array_equal(again.labels, found.labels)
    np.testing.assert_allclose(again.oddity, found.oddity, rtol=1e-6)


def test_to_be_among_the_fitted_makes_no_member_more_likely():
    X, _ = make_blobs(4000, centers=4, n_features=10, cluster_std=1.5, random_state=3)
    whole = cluster(X, "hdbscan")
    some = cluster(X, "hdbscan", n_fit=1000)
    assert (some.labels == -1).mean() == pytest.approx((whole.labels == -1).mean(), abs=0.1)


@METHODS
def test_the_same_number_gives_the_same_clusters(blobs, method):
    X = blobs[0]
    first, second = (cluster(X, method, n_fit=500, random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.oddity, second.oddity)


def test_clusters_of_one_size_are_numbered_as_they_come():
    X = np.repeat([[9.0], [0.0], [5.0]], 20, axis=0) + np.tile([[0.1], [-0.1]], (30, 1))
    assert list(cluster(X, "kmeans", n_clusters=3).labels[::20]) == [0, 1, 2]


@METHODS
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_few_objects_are_one_cluster_or_none(method, n):
    found = cluster(np.arange(2.0 * n).reshape(n, 2), method)
    assert set(found.labels) == {-1 if method == "hdbscan" else 0}


@METHODS
def test_objects_that_are_all_alike_are_one_cluster_or_none(method):
    found = cluster(np.ones((50, 3)), method)
    assert len(set(found.labels)) == 1
    assert np.isnan(found.oddity).all() == (found.labels[0] == -1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "dbscan"}, "no method 'dbscan'; there are: auto, hdbscan"),
        ({"method": "hdbscan", "n_clusters": 3}, "leave out n_clusters"),
        ({"n_clusters": 0}, "n_clusters is 0; wanted at least 1"),
        ({"n_clusters": 30}, "n_clusters is 30, but 20 objects are different"),
        ({"min_size": 1}, "min_size is 1; wanted at least 2"),
        ({"max_clusters": 0}, "max_clusters is 0"),
        ({"n_fit": 0}, "n_fit is 0"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cluster(np.arange(40.0).reshape(20, 2), **options)


def test_features_that_are_not_numbers_are_refused():
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[17, 1] = np.nan
    for n_fit in (50, 5):
        with pytest.raises(ValueError, match="NaN or infinite; set it aside"):
            cluster(X, n_fit=n_fit)
    with pytest.raises(ValueError, match=r"have shape \(3,\); give a matrix"):
        cluster(np.zeros(3))


def test_there_is_no_cluster_beyond_the_last(blobs):
    found = cluster(blobs[0], "kmeans")
    with pytest.raises(ValueError, match="no cluster 4; there are 4, from 0"):
        found.members(4)
    with pytest.raises(ValueError, match="wanted 'representative' or 'extreme'"):
        found.members(0, "edge")
