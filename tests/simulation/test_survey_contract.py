"""What every simulated survey promises, whatever its objects are."""

import json
import pickle

import numpy as np
import pytest

from astronomaly_widgets import demos
from astronomaly_widgets._protocols import Source
from astronomaly_widgets.simulation import galaxies, light_curves, spectra

# how it is made, the person's score of each class, which classes are rare
SURVEYS = {
    "galaxies": (galaxies.make_galaxies, galaxies.SCORES, galaxies._RARE),
    "light_curves": (
        light_curves.make_light_curves,
        light_curves.LIGHT_CURVE_SCORES,
        light_curves._RARE,
    ),
    "spectra": (spectra.make_spectra, spectra.SPECTRUM_SCORES, spectra._RARE),
}
SMALL = {"galaxies": {"size": 32}, "light_curves": {"n_nights": 20}, "spectra": {}}


@pytest.fixture(scope="module", params=SURVEYS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def make(kind):
    return lambda n, **options: SURVEYS[kind][0](n, **SMALL[kind], **options)


@pytest.fixture(scope="module")
def survey(make):
    return make(300, random_state=3, rare_fraction=0.5)


def test_it_is_a_source_whose_catalog_has_every_object(survey):
    assert isinstance(survey, Source)
    assert list(survey.catalog.index) == list(survey.object_ids)
    assert len(set(survey.object_ids)) == len(set(survey.fingerprints)) == 300


def test_every_class_is_there_and_scored_by_its_name(kind, survey):
    _, scores, _ = SURVEYS[kind]
    rows = survey.catalog
    assert set(rows["class_name"]) == set(scores)
    assert rows["class_name"].value_counts().min() > 5
    assert rows["score"].tolist() == [scores[name] for name in rows["class_name"]]
    assert rows["interesting"].tolist() == (rows["score"] >= 4).tolist()


def test_the_rare_are_as_many_as_asked_for_from_the_start(kind, make, survey):
    _, _, rare = SURVEYS[kind]
    is_rare = survey.catalog["class_name"].isin(rare)
    for n in (50, 100, 300):
        assert is_rare[:n].sum() == pytest.approx(n / 2, abs=2)
    assert not make(50, rare_fraction=0).catalog["class_name"].isin(rare).any()


def test_an_object_does_not_depend_on_the_number_of_objects(make, survey):
    few = make(10, random_state=3, rare_fraction=0.5)
    assert list(few.fingerprints) == list(survey.fingerprints[:10])
    np.testing.assert_array_equal(few.read(few.object_ids[7]), survey.read(few.object_ids[7]))
    assert few.catalog.equals(survey.catalog[:10])
    other = make(10, random_state=4, rare_fraction=0.5)
    assert not set(few.fingerprints) & set(other.fingerprints)


def test_a_project_can_make_it_again_and_other_processes_can_have_it(make):
    survey = make(5)
    spec = json.loads(json.dumps(survey.spec))
    again = getattr(demos, spec["name"])(**spec["arguments"])
    sent = pickle.loads(pickle.dumps(survey))  # noqa: S301 - our own bytes
    assert list(again.fingerprints) == list(survey.fingerprints) == list(sent.fingerprints)
    assert sent.catalog.equals(survey.catalog)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"n": 0}, "positive"), ({"n": 3, "rare_fraction": 1.5}, "rare_fraction")],
)
def test_impossible_surveys_are_refused(make, options, word):
    with pytest.raises(ValueError, match=word):
        make(**options)
