"""One band of an image alone, in the inspector."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from astronomaly_widgets.session import Session
from astronomaly_widgets.sources import ImageStack
from astronomaly_widgets.widgets.inspector import Inspector

PICTURES = np.random.default_rng(0).integers(0, 255, (3, 20, 20, 3), dtype=np.uint8)


def opened(images):
    source = ImageStack(images)
    session = Session(np.arange(6.0).reshape(3, 2), list(source.object_ids), source=source)
    session.current_id = "object-0"
    return Inspector(session)


@pytest.fixture
def inspector():
    made = opened(PICTURES)
    made._refresher.flush()
    yield made
    made.close()
    made.session.close()


def shown(inspector):
    inspector._refresher.flush()
    return np.asarray(Image.open(BytesIO(inspector.record["picture"])))


def test_all_bands_are_shown_until_one_is_chosen_and_again(inspector, view_of):
    view = view_of(inspector)
    assert inspector.record["bands"] == ["R", "G", "B"]
    np.testing.assert_array_equal(shown(inspector), PICTURES[0])
    assert view.send("band", band=1).get("error") is None
    np.testing.assert_array_equal(shown(inspector), PICTURES[0, ..., 1])
    assert inspector.record["band"] == 1
    view.send("band", band=None)
    np.testing.assert_array_equal(shown(inspector), PICTURES[0])


def test_the_next_object_is_shown_in_the_same_band(inspector, view_of):
    view_of(inspector).send("band", band=2)
    inspector.session.current_id = "object-1"
    np.testing.assert_array_equal(shown(inspector), PICTURES[1, ..., 2])


def test_a_band_that_an_object_has_not_shows_them_all(inspector, view_of):
    view_of(inspector).send("band", band=7)
    np.testing.assert_array_equal(shown(inspector), PICTURES[0])
    assert inspector.record["band"] is None


def test_a_grey_image_has_no_bands_to_choose():
    grey = opened(PICTURES[..., 0])
    assert grey.record["bands"] == []
    grey.close()
    grey.session.close()
