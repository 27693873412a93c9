"""What every extractor must keep to."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from astronomaly_widgets import features
from astronomaly_widgets._protocols import FeatureExtractor
from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import (
    AutoencoderFeatures,
    BYOLFeatures,
    CNNFeatures,
    CombinedFeatures,
    EllipseFeatures,
    FluxHistogramFeatures,
    FunctionFeatures,
    LightCurveFeatures,
    MorphologyFeatures,
    PhotometryFeatures,
    PowerSpectrumFeatures,
    PreparedFeatures,
    RawFeatures,
    ResampledSpectrumFeatures,
    SpectrumFeatures,
    SpectrumPCAFeatures,
    TransformerFeatures,
    WaveletFeatures,
    _registry,
    by_name,
    measure,
)
from astronomaly_widgets.features._batches import works_in_batches
from astronomaly_widgets.sources import FeatureTable, ImageStack, LightCurves, Spectra

rng = np.random.default_rng(0)


def galaxies(bands=None, dtype=np.float32):
    y, x = np.mgrid[:40, :40]
    image = 200 * np.exp(-np.hypot(x - 20, 2 * (y - 20)) / 5)
    noise = rng.normal(20, 1, (5, *image.shape))
    stack = (image + noise).clip(0, 255).astype(dtype)
    return ImageStack(stack if bands is None else np.stack([stack] * bands, axis=-1))


def light_curves():
    table = pd.DataFrame(
        {
            "id": np.repeat([f"object-{k}" for k in range(5)], 20),
            "mjd": rng.uniform(0, 90, 100),
            "mag": rng.normal(18, 1, 100),
            "magerr": 0.1,
            "band": ["g", "r"] * 50,
        }
    )
    return LightCurves(table)


def spectra():
    axis = np.linspace(4000, 7000, 300)
    flux = axis / 5000 + rng.uniform(0, 0.3, (5, 300))
    return Spectra(flux, axis, error=0.1 * flux)


def without_data(data):
    """The same object with nothing but NaN in it."""
    if data.dtype.names is None:
        return np.full(data.shape, np.nan)
    data = data.copy()
    for name in data.dtype.names:
        if data.dtype[name].kind == "f" and name not in {"time", "wavelength"}:
            data[name] = np.nan
    return data


SOURCES = {
    "grey": galaxies(),
    "rgb": galaxies(3, np.uint8),
    "five bands": galaxies(5),
    "light curves": light_curves(),
    "spectra": spectra(),
    "table": FeatureTable(pd.DataFrame(rng.normal(size=(5, 4)), columns=list("abcd"))),
}
NETWORK = {"size": 32, "batch_size": 2}
HEADS = {"hidden_size": 8, "projection_size": 4}
ONCE = {"epochs": 1, "progress": False}
EXTRACTORS = {
    "autoencoder": AutoencoderFeatures(3, **NETWORK).fit(SOURCES["rgb"], **ONCE),
    "byol": BYOLFeatures("small", **NETWORK, **HEADS).fit(SOURCES["rgb"], **ONCE),
    "cnn": CNNFeatures(size=32, batch_size=2),
    "ellipse and cnn": CombinedFeatures([EllipseFeatures(), CNNFeatures(size=32, batch_size=3)]),
    "ellipse": EllipseFeatures(),
    "flux histogram": FluxHistogramFeatures(),
    "function": FunctionFeatures(np.mean, kinds=("image", "table")),
    "light curve": LightCurveFeatures(),
    "light curve by band": LightCurveFeatures(["r", "g"], period=False),
    "morphology": MorphologyFeatures(),
    "photometry": PhotometryFeatures(),
    "photometry in a circle": PhotometryFeatures(radius=9, zero_point=22.5),
    "power spectrum": PowerSpectrumFeatures(),
    "prepared": PreparedFeatures(PowerSpectrumFeatures(4), ["grey", "stretch"]),
    "raw": RawFeatures(),
    "raw resized": RawFeatures(size=5),
    "spectrum": SpectrumFeatures(50).fit(SOURCES["spectra"]),
    "spectrum components": SpectrumPCAFeatures(3, n_bins=50).fit(SOURCES["spectra"]),
    "spectrum resampled": ResampledSpectrumFeatures(50).fit(SOURCES["spectra"]),
    "transformer": TransformerFeatures(
        StandardScaler().fit(rng.normal(size=(9, 21))), EllipseFeatures()
    ),
    "wavelet": WaveletFeatures(),
    "wavelet of PyWavelets": WaveletFeatures("sym4", n_levels=3),
    "combined": CombinedFeatures([EllipseFeatures(), RawFeatures(size=3)]),
}


EVERY = pytest.mark.parametrize("extractor", EXTRACTORS.values(), ids=EXTRACTORS)
FITTING = pytest.mark.parametrize(
    ("extractor", "source"),
    [
        pytest.param(extractor, source, id=f"{name} of {what}")
        for name, extractor in EXTRACTORS.items()
        for what, source in SOURCES.items()
        if source.kind in extractor.kinds
    ],
)


def test_every_public_extractor_is_held_to_the_contract():
    public = {name for name in features.__all__ if name.endswith("Features")}
    assert public == {type(extractor).__name__ for extractor in EXTRACTORS.values()}
    assert features.__all__ == sorted(features.__all__)


@EVERY
def test_it_is_an_extractor(extractor):
    assert isinstance(extractor, FeatureExtractor)
    assert extractor.name
    assert set(extractor.kinds) <= {"image", "light_curve", "spectrum", "table"}


@FITTING
def test_there_is_a_unique_name_for_each_number(extractor, source):
    names = extractor.feature_names(source)
    values = extractor.extract(source.read("object-1"))
    assert values.shape == (len(names),)
    assert len(set(names)) == len(names)
    assert all(type(name) is str for name in names)


@FITTING
def test_numbers_are_finite_float32_and_always_the_same(extractor, source):
    data = source.read("object-1")
    before = data.copy()
    values = extractor.extract(data)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(extractor.extract(data), values)
    np.testing.assert_array_equal(data, before)


@FITTING
def test_what_has_no_data_cannot_be_measured(extractor, source):
    data = without_data(source.read("object-1"))
    with pytest.raises(MeasurementError):
        extractor.extract(data)


@EVERY
def test_settings_can_be_written_as_json(extractor):
    assert json.loads(json.dumps(extractor.settings())) == extractor.settings()


@FITTING
def test_it_survives_pickling(extractor, source):
    other = pickle.loads(pickle.dumps(extractor))  # noqa: S301 - our own
    data = source.read("object-2")
    np.testing.assert_array_equal(other.extract(data), extractor.extract(data))


@FITTING
def test_it_measures_a_whole_source(extractor, source):
    result = measure(source, extractor, n_jobs=1, progress=False)
    assert list(result.object_ids) == list(source.object_ids)
    # where an image stands in a batch may change how torch rounds
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if works_in_batches(extractor) else {"rtol": 0}
    for object_id, row in zip(result.object_ids, result.values, strict=True):
        alone = extractor.extract(source.read(object_id))
        np.testing.assert_allclose(row, alone, **tolerance)


def test_extractors_are_found_by_name():
    assert isinstance(by_name("ellipse"), EllipseFeatures)
    assert isinstance(by_name("raw"), RawFeatures)
    own = RawFeatures(size=7)
    assert by_name(own) is own
    assert by_name([own]) is own
    assert by_name(["ellipse", own]).extractors[1] is own
    assert isinstance(by_name(np.mean), FunctionFeatures)
    assert isinstance(by_name(StandardScaler()), TransformerFeatures)


@pytest.mark.parametrize("name", _registry._EXTRACTORS)
def test_every_name_is_the_name_of_its_extractor(name):
    assert by_name(name).name == name


@pytest.mark.parametrize("wrong", [3, None, RawFeatures])
def test_what_is_no_extractor_is_refused(wrong):
    with pytest.raises(TypeError, match=r"'ellipse'.*'raw'"):
        by_name(wrong)


def test_an_unknown_name_says_what_is_known():
    with pytest.raises(ValueError, match=r"no features 'elipse'; wanted .*'ellipse'.*'raw'"):
        by_name("elipse")
    with pytest.raises(ValueError, match="name at least one"):
        by_name([])


class OnTables(RawFeatures):
    kinds = ("table",)


def test_names_that_two_extractors_use_are_prefixed():
    stack = SOURCES["grey"]
    other = RawFeatures(size=2)
    other.name = "small"
    names = CombinedFeatures([RawFeatures(size=1), other, EllipseFeatures()]).feature_names(stack)
    assert names[:3] == ("raw_pixel_0_0", "small_pixel_0_0", "pixel_0_1")
    assert "residual_90" in names
    twins = CombinedFeatures([RawFeatures(size=1), RawFeatures(size=1)]).feature_names(stack)
    assert twins == ("raw0_pixel_0_0", "raw1_pixel_0_0")


def test_extractors_without_a_common_kind_are_not_combined():
    with pytest.raises(ValueError, match=r"no source suits all of ellipse\+raw"):
        CombinedFeatures([EllipseFeatures(), OnTables()])


def test_a_combined_reason_says_whose_it_is():
    with pytest.raises(MeasurementError, match="ellipse: no source above"):
        EXTRACTORS["combined"].extract(np.zeros((9, 9)))
