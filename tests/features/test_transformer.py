"""Functions and scikit-learn transformers of one's own as extractors."""

import functools
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import (
    CombinedFeatures,
    FunctionFeatures,
    RawFeatures,
    TransformerFeatures,
    by_name,
    measure,
)
from astronomaly_widgets.sources import FeatureTable, ImageStack

rng = np.random.default_rng(0)
STACK = ImageStack(rng.normal(size=(30, 6, 5)))


def extent(image):
    return {"low": image.min(), "high": image.max()}


def test_a_function_of_an_image_is_a_feature():
    def brightness(image):
        return image.mean()

    result = measure(STACK, brightness, progress=False, n_jobs=1)
    assert result.names == ("brightness",)
    np.testing.assert_allclose(result.values[:, 0], STACK.stack.mean(axis=(1, 2)), rtol=1e-5)


def test_a_function_may_name_what_it_returns():
    result = measure(STACK, extent, progress=False, n_jobs=1)
    assert result.names == ("low", "high")
    np.testing.assert_allclose(result.values[:, 1], STACK.stack.max(axis=(1, 2)), rtol=1e-6)


def test_names_hold_for_all_objects_in_whatever_order_they_come():
    def shuffled(image):
        pairs = [("low", image.min()), ("high", image.max())]
        return dict(pairs if image[0, 0] > 0 else pairs[::-1])

    def fickle(image):
        return {"low" if image[0, 0] > 0 else "lowest": image.min()}

    result = measure(STACK, shuffled, progress=False, n_jobs=1)
    wanted = measure(STACK, FunctionFeatures(extent, result.names), progress=False, n_jobs=1)
    np.testing.assert_array_equal(result.values, wanted.values)
    first, *_ = (result := measure(STACK, fickle, progress=False, n_jobs=1)).names
    assert len(result.object_ids) == ((STACK.stack[:, 0, 0] > 0) == (first == "low")).sum()
    assert result.set_aside["reason"].str.contains("gives .*; wanted ").all()


def test_what_has_no_name_is_numbered():
    assert by_name(lambda image: image[0]).feature_names(STACK) == tuple(
        f"function_{k}" for k in range(5)
    )
    rows = functools.partial(np.mean, axis=1)
    assert FunctionFeatures(rows, name="rows").feature_names(STACK)[-1] == "rows_5"
    assert FunctionFeatures(rows, ["a", "b"]).feature_names(STACK) == ("a", "b")


def test_a_function_is_combined_with_others():
    names = by_name(["ellipse", extent]).feature_names(STACK)
    assert names[0] == "residual_90"
    assert names[-2:] == ("low", "high")


def test_a_function_works_in_other_processes():
    result = measure(STACK, lambda image: float(image[0, 0]), progress=False, n_jobs=2)
    np.testing.assert_allclose(result.values[:, 0], STACK.stack[:, 0, 0], rtol=1e-6)


def test_a_function_cannot_spoil_the_object_for_others():
    def careless(image):
        image[...] = 0
        return 1

    both = CombinedFeatures([FunctionFeatures(careless), RawFeatures()])
    assert both.extract(np.ones((2, 2))).tolist() == [1, 1, 1, 1, 1]


def test_what_a_function_cannot_measure_is_set_aside():
    def picky(image):
        if image[0, 0] > 1:
            raise MeasurementError("too bright a corner")
        return np.nan if image[0, 0] < -1 else 1 / (image[0, 0] > 0.5)

    with np.errstate(divide="ignore"):
        result = measure(STACK, picky, progress=False, n_jobs=1)
    corner = STACK.stack[:, 0, 0]
    reasons = result.set_aside["reason"]
    assert (reasons == "too bright a corner").sum() == (corner > 1).sum()
    assert (reasons == "1 of 1 values are missing or infinite").sum() == (corner <= 0.5).sum()
    assert len(result.object_ids) == ((corner > 0.5) & (corner <= 1)).sum()


@pytest.mark.parametrize(
    ("function", "names", "reason"),
    [
        (lambda _: np.ones((2, 2)), None, r"gives an array of shape \(2, 2\); wanted \(d,\)"),
        (lambda _: [1, np.inf], None, "1 of 2 values are missing or infinite"),
        (lambda _: 1e300, None, "1 of 1 values are missing or infinite"),
        (extent, ("low", "up"), "extent gives low, high; wanted low, up"),
    ],
)
def test_what_is_not_a_row_of_numbers_has_a_reason(function, names, reason):
    with pytest.raises(MeasurementError, match=reason):
        FunctionFeatures(function, names).extract(np.ones((3, 3)))


def test_a_function_that_measures_nothing_has_a_reason():
    def never(image):
        raise MeasurementError("never")

    with pytest.raises(MeasurementError, match="never could measure none of 30 objects"):
        FunctionFeatures(never).feature_names(STACK)
    with pytest.raises(TypeError, match="function is 3; wanted something that can be called"):
        FunctionFeatures(3)


def of_colors(image):
    red, _, blue = image.reshape(-1, 3).sum(axis=0)
    return {"redness": red - blue}


def test_a_function_that_fails_for_the_first_object_is_measured_for_the_others():
    class FirstIsGrey(ImageStack):
        def read(self, object_id):
            image = super().read(object_id)
            return image[:5, :5, 0] if object_id == "object-0" else image

    result = measure(FirstIsGrey(rng.normal(size=(12, 6, 5, 3))), of_colors, progress=False)
    assert result.names == ("redness",)
    assert result.set_aside["reason"].to_dict() == {
        "object-0": "ValueError: cannot reshape array of size 25 into shape (3)"
    }


def test_a_function_that_fails_for_nine_objects_is_at_fault_itself():
    asked = []

    def mistyped(image):
        asked.append(image)
        return image.maen()

    with pytest.raises(AttributeError, match="maen"):
        measure(STACK, mistyped, progress=False, n_jobs=1)
    assert len(asked) == 9


def test_a_source_that_fails_for_some_does_not_keep_a_transformer_from_being_fitted():
    class Flaky(ImageStack):
        def read(self, object_id):
            if object_id in ("object-0", "object-3"):
                raise RuntimeError("the disk is gone")
            return super().read(object_id)

    result = measure(Flaky(STACK.stack), PCA(2), progress=False, n_jobs=1)
    assert len(result.object_ids) == 28
    assert set(result.set_aside["reason"]) == {"RuntimeError: the disk is gone"}


def settings_of(source, **context):
    """Settings of the function `f` that some lines of code define, as a cell of a notebook does."""
    exec(source, context)  # noqa: S102 - a fresh definition each time
    return FunctionFeatures(context["f"]).settings()


def test_a_function_is_known_by_its_code():
    same = settings_of("def f(x): return x.mean() + 1")
    assert settings_of("\n\ndef f(x):\n    return x.mean() + 1  # a comment") == same
    for other in (
        "def f(x): return x.mean() + 2",
        "def f(x): return x.max() + 1",
        "def f(x, k=1): return x.mean() + k",
        "def f(x): return (lambda y: y.mean() + 1)(x)",
    ):
        assert settings_of(other) != same
    assert settings_of("def f(x, k=1): return k") != settings_of("def f(x, k=2): return k")
    inner = "def f(x): return [y + {} for y in x]"
    assert settings_of(inner.format(1)) != settings_of(inner.format(2))


def above(level):
    def share(image):
        return float((image > level).mean())

    return share


def test_a_function_is_known_by_what_it_has_captured():
    digests = [FunctionFeatures(above(level)).settings()["code"] for level in (0.0, 1.0, 0.0)]
    assert digests[0] == digests[2] != digests[1]

    def twice(function):
        @functools.wraps(function)
        def wrapper(image):
            return 2 * function(image)

        return wrapper

    one, two = (FunctionFeatures(twice(above(level))).settings() for level in (0.0, 1.0))
    assert one != two


class Level:
    def __init__(self, level):
        self.level = level

    def share(self, image):
        return float((image > self.level).mean())

    def __call__(self, image):
        return self.share(image)


@pytest.mark.parametrize(
    "made",
    [
        lambda level: Level(level).share,
        Level,
        lambda level: functools.partial(above(level)),
        lambda level: functools.lru_cache(above(level)),
    ],
    ids=["method", "object", "partial", "cache"],
)
def test_a_callable_is_known_by_what_it_holds(made):
    one, two, again = (FunctionFeatures(made(level)).settings()["code"] for level in (0, 1, 0))
    assert one == again != two


def test_an_object_that_is_called_is_known_by_the_code_of_the_call():
    source = "class F:\n    def __call__(self, x): return x.{}()\nf = F()"
    same = settings_of(source.format("mean"))
    assert settings_of(source.format("mean")) == same != settings_of(source.format("max"))


def test_every_element_of_an_array_counts():
    table = np.arange(5000.0)
    other = table.copy()
    other[2500] = 7
    one, two = (
        settings_of("def f(x, table=table): return table[0]", table=t) for t in (table, other)
    )
    assert one != two


def test_a_function_that_calls_itself_has_a_digest():
    def halvings(n):
        return 0 if n < 1 else 1 + halvings(n / 2)

    digest = FunctionFeatures(halvings).settings()
    assert digest == FunctionFeatures(halvings).settings()


def test_a_function_is_the_same_in_every_run_of_python():
    code = """
import torch
from astronomaly_widgets.features import FunctionFeatures
names = frozenset(("u", "g", "r", "i", "z"))
layer = torch.nn.Linear(2, 2)
with torch.no_grad():
    layer.weight.fill_(1), layer.bias.fill_(0)
def f(x, known=names): return x in {"uint8", "float32", "float64", "int16"} or names
def outer(names=names, layer=layer):
    import math
    return lambda x: math.sqrt(x) if x in names else f(layer(x))
print(FunctionFeatures(f).settings()["code"], FunctionFeatures(outer()).settings()["code"])
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


def test_what_cannot_be_told_apart_is_refused_before_anything_is_reused(tmp_path):
    lock = threading.Lock()

    def guarded(image):
        with lock:
            return image.mean()

    with pytest.raises(TypeError, match=r"of type _thread\.lock has changed .*version="):
        measure(STACK, guarded, checkpoint=tmp_path, progress=False, n_jobs=1)
    assert len(measure(STACK, guarded, progress=False, n_jobs=1).object_ids) == 30


def test_another_version_is_another_function():
    assert FunctionFeatures(extent).settings() != FunctionFeatures(extent, version=2).settings()
    one, two = (functools.partial(np.mean, axis=k) for k in (0, 1))
    assert FunctionFeatures(one).settings() != FunctionFeatures(two).settings()
    assert FunctionFeatures(one).settings() == FunctionFeatures(one).settings()


def test_a_function_that_changed_is_measured_again(tmp_path):
    def run(function):
        return measure(STACK, function, checkpoint=tmp_path, progress=False, n_jobs=1).n_reused

    assert run(FunctionFeatures(lambda x: x.mean(), name="f")) == 0
    assert run(FunctionFeatures(lambda x: x.mean(), name="f")) == 30
    assert run(FunctionFeatures(lambda x: x.std(), name="f")) == 0
    assert [run(above(level)) for level in (0.0, 0.0, 1.0)] == [0, 30, 0]


def test_principal_components_of_the_pixels():
    result = measure(STACK, PCA(4), progress=False, n_jobs=1)
    assert result.names == ("pca_0", "pca_1", "pca_2", "pca_3")
    wanted = PCA(4).fit_transform(STACK.stack.reshape(30, -1).astype(np.float32))
    np.testing.assert_allclose(np.abs(result.values), np.abs(wanted), atol=1e-3)


def test_a_transformer_of_the_columns_of_a_table():
    table = FeatureTable(rng.normal(5, 3, (40, 3)))
    result = measure(table, StandardScaler(), progress=False, n_jobs=1)
    np.testing.assert_allclose(result.values.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(result.values.std(axis=0), 1, atol=1e-5)


def test_a_transformer_of_the_features_of_another_extractor():
    chain = make_pipeline(FunctionTransformer(np.exp), PCA(2))
    extractor = TransformerFeatures(chain, FunctionFeatures(extent))
    assert extractor.kinds == FunctionFeatures(extent).kinds
    assert extractor.feature_names(STACK) == ("pipeline_0", "pipeline_1")
    lows = np.stack([STACK.stack.min(axis=(1, 2)), STACK.stack.max(axis=(1, 2))], axis=1)
    wanted = PCA(2).fit_transform(np.exp(lows))
    found = np.stack([extractor.extract(image) for image in STACK.stack])
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), rtol=1e-3, atol=1e-4)


def test_a_fitted_transformer_is_taken_as_it_is():
    fitted = PCA(2).fit(rng.normal(size=(50, 30)))
    extractor = TransformerFeatures(fitted)
    extractor.feature_names(STACK)
    assert extractor.transformer_ is fitted
    row = STACK.stack[3].reshape(1, -1).astype(np.float32)
    np.testing.assert_allclose(extractor.extract(STACK.stack[3]), fitted.transform(row)[0])
    np.testing.assert_allclose(
        TransformerFeatures(fitted).extract(STACK.stack[3]), fitted.transform(row)[0]
    )


def test_the_transformer_that_was_given_is_left_alone():
    given = PCA(2)
    TransformerFeatures(given).fit(STACK)
    assert not hasattr(given, "components_")
    with pytest.raises(NotFittedError, match=r"pca_raw is not fitted; call fit\(source\) first"):
        TransformerFeatures(given).extract(STACK.stack[0])


def test_it_is_fitted_to_a_part_that_is_spread_over_the_source():
    seen = []

    class Recorder(RawFeatures):
        def extract(self, data):
            seen.append(data[0, 0])
            return super().extract(data)

    TransformerFeatures(PCA(2), Recorder(), n_fit=4).fit(STACK)
    assert seen == STACK.stack[[0, 9, 19, 29], 0, 0].tolist()


def test_objects_that_cannot_be_measured_are_not_fitted_to():
    stack = STACK.stack.copy()
    stack[3, 2, 2] = np.nan
    extractor = TransformerFeatures(PCA(2)).fit(ImageStack(stack))
    assert extractor.transformer_.n_samples_ == 29
    with pytest.raises(MeasurementError, match="1 of 30 values are missing"):
        extractor.extract(stack[3])
    stack[:, 0, 0] = np.nan
    with pytest.raises(MeasurementError, match="raw could measure none of the 30 objects to which"):
        TransformerFeatures(PCA(2)).fit(ImageStack(stack))


def test_what_is_fitted_is_part_of_the_settings():
    one, two = TransformerFeatures(PCA(2)), TransformerFeatures(PCA(2))
    assert one.settings() == two.settings() != TransformerFeatures(PCA(3)).settings()
    one.fit(STACK)
    assert one.settings() != two.settings()
    assert one.settings() == two.fit(STACK).settings()


def test_a_function_inside_a_transformer_is_known_by_its_code():
    one, two, again = (
        TransformerFeatures(make_pipeline(FunctionTransformer(above(k)), PCA(2))).settings()
        for k in (0, 1, 0)
    )
    assert one == again != two


def test_a_transformer_is_measured_again_only_if_it_is_another(tmp_path):
    def run(transformer, source=STACK):
        return measure(source, transformer, checkpoint=tmp_path, progress=False, n_jobs=1).n_reused

    assert [run(PCA(2)), run(PCA(2)), run(PCA(3))] == [0, 30, 0]
    assert run(PCA(2), ImageStack(STACK.stack[:20])) == 0  # it is fitted to other objects


def test_a_transformer_works_in_other_processes():
    one, two = (measure(STACK, PCA(2), progress=False, n_jobs=n).values for n in (1, 2))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wrong", [PCA, 3, extent])
def test_what_is_no_transformer_is_refused(wrong):
    with pytest.raises(TypeError, match="wanted an object with fit and transform"):
        TransformerFeatures(wrong)


def test_fitting_to_nothing_is_refused():
    with pytest.raises(ValueError, match="n_fit is 0"):
        TransformerFeatures(PCA(2), n_fit=0)
