"""What the inspector sends of a light curve or a spectrum: its numbers, not a picture."""

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.session import Session
from astronomaly_widgets.sources import FeatureTable, LightCurves, Spectra
from astronomaly_widgets.widgets.inspector import Inspector

TABLE = pd.DataFrame(
    {
        "id": [*"aaab"],
        "mjd": [3.0, 1, 2, 1],
        "mag": [18.5, 17.25, 19, 20],
        "magerr": [0.1, np.nan, 0.25, 0.1],
        "band": [*"rgrg"],
    }
)


@pytest.fixture
def record_of():
    """Return what an inspector sends of the first object of a source."""
    opened = []

    def made(source, **options):
        X = np.arange(2.0 * len(source)).reshape(-1, 2)
        session = Session(X, list(source.object_ids), source=source, **options)
        inspector = Inspector(session)
        opened.extend([inspector, session])
        session.current_id = source.object_ids[0]
        inspector._refresher.flush()
        return inspector.record

    yield made
    for each in opened:
        each.close()


def test_a_light_curve_crosses_as_numbers_without_a_picture(record_of):
    record = record_of(LightCurves(TABLE))
    plot = record["plot"]
    assert record["picture"] is None
    assert np.frombuffer(plot["x"]).tolist() == [1, 2, 3]
    assert np.frombuffer(plot["y"]).tolist() == [17.25, 19, 18.5]
    np.testing.assert_array_equal(np.frombuffer(plot["error"]), [np.nan, 0.25, 0.1])
    assert np.frombuffer(plot["band"], np.uint8).tolist() == [0, 1, 1]
    assert plot["bands"] == ["g", "r"]
    assert (plot["kind"], plot["turned"], plot["folded"], plot["period"]) == (
        "light_curve",
        True,
        False,
        None,
    )


def test_it_is_folded_at_the_period_of_the_source(record_of):
    plot = record_of(LightCurves(TABLE, period={"a": 0.5}))["plot"]
    assert (plot["folded"], plot["period"]) == (True, 0.5)


@pytest.mark.parametrize(
    ("period", "wanted"), [(2.5, 2.5), (np.nan, None), (-1.0, None), ("unknown", None)]
)
def test_it_can_be_folded_at_the_period_of_the_catalog(record_of, period, wanted):
    catalog = pd.DataFrame({"period": [period, period]}, index=["a", "b"])
    plot = record_of(LightCurves(TABLE), catalog=catalog)["plot"]
    assert (plot["folded"], plot["period"]) == (False, wanted)


def test_a_spectrum_crosses_with_the_unit_of_its_axis(record_of):
    axis = np.array([4000.0, 5000, 6000])
    plot = record_of(Spectra({"a": (axis, [1, np.nan, 3]), "b": (axis, axis)}))["plot"]
    assert plot["kind"] == "spectrum"
    assert plot["x_label"] == "wavelength (Å)"
    np.testing.assert_array_equal(np.frombuffer(plot["y"]), [1, np.nan, 3])
    assert plot["period"] is None


def test_what_cannot_be_read_is_a_picture_that_says_so(record_of):
    record = record_of(LightCurves(TABLE.assign(magerr=-1.0)))
    assert record["plot"] is None
    assert record["mime"] == "image/jpeg"
    assert record["picture"].startswith(b"\xff\xd8")


def test_other_objects_have_a_picture_and_no_plot(record_of):
    record = record_of(FeatureTable(pd.DataFrame({"id": [*"ab"], "x": [1.0, 2]})))
    assert record["plot"] is None
    assert record["picture"].startswith(b"\xff\xd8")
