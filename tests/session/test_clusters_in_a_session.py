"""Clusters of a session: found in the background, kept, and an order of their own."""

from __future__ import annotations

import numpy as np
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.session._grouping import _kind_by_kind


@pytest.fixture(name="X")
def three_groups():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype("float32")
    X[:180] += 9
    X[180:280] -= 9
    return X


def test_the_order_of_clusters_begins_with_the_typical_and_the_extreme_of_each():
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, -1, -1], dtype=np.int32)
    oddity = np.array([3, 1, 2, 5, 4, 0.5, 9, 1, np.nan, np.nan], dtype=np.float32)
    assert _kind_by_kind(labels, oddity).tolist() == [1, 5, 3, 6, 2, 7, 4, 0, 8, 9]


def test_without_clusters_there_is_no_such_order(X):
    session = aw.Session(X)
    assert session.clusters is None
    assert "cluster" not in session.orders
    with pytest.raises(ValueError, match="no order 'cluster'"):
        session.ranking("cluster")


def test_clusters_make_an_order_and_are_announced(X):
    session = aw.Session(X)
    told = []
    session.observe(lambda change: told.append(change["new"]), "cluster_revision")
    found = session.find_clusters("gaussian_mixture", n_clusters=2).result(60)
    session._threads[-1].join()
    assert told
    assert session.clusters is found
    assert "cluster" in session.orders
    first = session.rows_of(session.ranking("cluster")[:4])
    assert found.labels[first].tolist() == [0, 1, 0, 1]
    assert found.oddity[first[0]] < found.oddity[first[2]]


def test_new_clusters_make_a_new_order(X):
    session = aw.Session(X)
    for n in (2, 3):
        session.find_clusters("kmeans", n_clusters=n).result(60)
        first = session.rows_of(session.ranking("cluster")[:n])
        assert session.clusters.labels[first].tolist() == list(range(n))


def test_a_project_keeps_its_clusters_but_not_for_other_features(X, tmp_path):
    session = aw.Session(X, project=tmp_path / "p")
    found = session.find_clusters("kmeans", n_clusters=3).result(60)
    session.close()
    again = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(again.clusters.labels, found.labels)
    assert again.clusters.method == "kmeans"
    assert "cluster" in again.orders
    again.close()
    assert aw.Session(X[:, :2], project=tmp_path / "p").clusters is None


def test_a_wrong_method_is_told_by_the_future_and_the_session(X):
    session = aw.Session(X)
    with pytest.raises(ValueError, match="fuzzy"):
        session.find_clusters("fuzzy").result(60)
    assert "fuzzy" in str(session.last_error)
    session.find_clusters("kmeans", n_clusters=2).result(60)
