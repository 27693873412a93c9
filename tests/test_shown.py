"""What stands last in a cell is shown in a line or a few, never as pages of numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets import features
from astronomaly_widgets.exchange import ImportedLabels
from astronomaly_widgets.learners import LearnerScores

N = 5000


@pytest.fixture(scope="module")
def galaxies():
    return aw.simulation.make_galaxies(n=30, size=48)


def test_a_simulated_survey_is_shown_by_what_is_in_it(galaxies):
    n = galaxies.interesting.sum()
    assert repr(galaxies) == f"<SimulatedGalaxies: 30 pictures of (48, 48, 3), {n} interesting>"
    curves = aw.simulation.make_curves(random_state=0)
    assert repr(curves) == f"<SimulatedCurves: {len(curves.object_ids)} curves of 100 points>"


def test_measurements_are_shown_by_how_many_there_are(galaxies):
    measured = features.measure(galaxies, "flux_histogram", progress=False)
    n, d = len(measured.object_ids), len(measured.names)
    assert repr(measured) == f"<Measurements: {n} objects, {d} features, {30 - n} set aside>"


def test_principal_components_are_shown_by_what_they_explain():
    X = np.diag([2.0, 1.0, 0.0])
    shown = repr(aw.reduction.pca(X, 2))
    assert shown == "<PCAResult: 3 objects, 2 components of 3 features, 100.0 % of the variance>"


def test_clusters_are_shown_by_their_sizes():
    labels = np.array([0, 0, 0, 1, -1], np.int32)
    found = aw.clustering.Clusters(labels, np.ones(5, np.float32), "hdbscan")
    assert repr(found) == "<Clusters: 2 by hdbscan, of 3, 1 objects; 1 in none>"
    many = aw.clustering.Clusters(np.arange(N, dtype=np.int32), np.ones(N, np.float32), "kmeans")
    assert len(repr(many)) < 120


def test_scores_curves_and_imported_labels_are_shown_in_a_line():
    score = np.linspace(0, 5, N, dtype=np.float32)
    assert repr(LearnerScores(score, score, score, score)) == f"<LearnerScores: {N} objects>"
    ids = [f"o{k}" for k in range(N)]
    curves = aw.evaluation.discovery_curves(ids, score, ids)
    n = (score >= 4).sum()
    assert repr(curves) == f"<DiscoveryCurves: {n} of {n} known found with {N} labels>"
    assert repr(ImportedLabels(tuple(ids), (), ("x",))) == (
        f"<ImportedLabels: {N} stored, 0 kept, 1 absent>"
    )


def test_a_simulated_person_and_a_project_say_who_they_are(tmp_path):
    oracle = aw.simulation.Oracle(pd.Series(np.zeros(N)), error=0.1)
    assert repr(oracle) == f"<Oracle: knows {N} objects, errs in 10 %>"
    session = aw.Session(np.eye(4), project=tmp_path / "my-search")
    try:
        assert repr(session.project) == f"<Project {str(tmp_path / 'my-search')!r}>"
    finally:
        session.close()


def test_an_extractor_is_shown_as_the_call_that_makes_it():
    each = [
        "EllipseFeatures(sigma=2.0)",
        "FluxHistogramFeatures(edges=(0, 1))",
        "LightCurveFeatures(bands=['g'])",
        "MorphologyFeatures(sigma=2.0)",
        "PhotometryFeatures(radius=5.0)",
        "PowerSpectrumFeatures(n_bins=6)",
        "RawFeatures(size=8)",
        "ResampledSpectrumFeatures(n_bins=50)",
        "SpectrumFeatures(n_bins=50, width=0.02)",
        "SpectrumPCAFeatures(n_components=5)",
        "WaveletFeatures(n_levels=3)",
        "CombinedFeatures(extractors=(EllipseFeatures(), RawFeatures(size=8)))",
        "PreparedFeatures(extractor=RawFeatures(), chain=Chain('grey'))",
        "CNNFeatures(size=128)",
        "BYOLFeatures(network='small', size=64)",
        "AutoencoderFeatures(n_features=8)",
    ]
    names = vars(features) | {"Chain": aw.preprocess.Chain}
    for call in each:
        assert repr(eval(call, names)) == call  # noqa: S307 - our own words


def test_an_extractor_that_wraps_something_large_is_shown_in_a_line():
    class Large:
        def __repr__(self):
            return "Large(\n" + "layer,\n" * 1000

    assert len(repr(features.CNNFeatures(Large()))) < 120


def test_a_function_is_shown_by_its_name():
    def color(image):
        return image.mean()

    shown = repr(features.CombinedFeatures([features.FunctionFeatures(color)]))
    assert shown == "CombinedFeatures(extractors=(FunctionFeatures(function=color, name='color'),))"
