"""Which map a session shows: the one that was asked for."""

import numpy as np
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets import embedding

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def computed(monkeypatch):
    """Names of the maps that were computed; each takes other columns of the features."""
    names = []

    def compute(X, method, **_):
        names.append(method)
        return X[:, :2] if method == "umap" else X[:, 1:]

    monkeypatch.setattr(embedding, "compute", compute)
    return names


def test_the_positions_are_those_of_the_map_that_was_asked_for(computed):
    session = aw.Session(X)
    session.start_embedding("tsne").result(10)
    np.testing.assert_array_equal(session.embedding, X[:, 1:])
    assert session.embedding_name == "t-SNE"
    assert computed == ["tsne"]


def test_a_dashboard_does_not_change_the_map(computed):
    session = aw.Session(X)
    session.start_embedding("tsne").result(10)
    shown = aw.FeatureMap(session)
    shown._on_hello()
    shown._embedding.result(10)
    assert session.embedding_name == "t-SNE"
    assert computed == ["tsne"]
    shown.close()


def test_a_project_opens_with_the_map_it_was_left_with(tmp_path, computed):
    with_map = aw.Session(X, project=tmp_path / "p")
    with_map.start_embedding("tsne").result(10)
    for thread in with_map._threads:
        thread.join()
    with_map.close()
    again = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(again.embedding, X[:, 1:])
    assert computed == ["tsne"]
    again.start_embedding("umap").result(10)
    np.testing.assert_array_equal(again.embedding, X[:, :2])
    again.close()


def test_without_a_wish_the_map_is_umap(computed):
    np.testing.assert_array_equal(aw.Session(X).embedding, X[:, :2])
    assert computed == ["umap"]
