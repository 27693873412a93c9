"""An autoencoder describes images in a few numbers, and says which it cannot draw again."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import AutoencoderFeatures, _training, measure
from astronomaly_widgets.features.autoencoder import ErrorDetector
from astronomaly_widgets.sources import ImageStack

GALAXIES = aw.simulation.make_galaxies(n=64, size=32).images
SEEN = ImageStack(GALAXIES)


def small(n_features=4, **options):
    return AutoencoderFeatures(n_features, **{"size": 32, "learning_rate": 0.005} | options)


def with_stripes():
    """The galaxies, and one image that is like none of them."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[::4] = 255
    return ImageStack(np.concatenate([GALAXIES, stripes[None]]))


@pytest.fixture(scope="module")
def trained():
    return small().fit(SEEN, epochs=12, progress=False)


def same(first, second):
    """Whether two extractors have learned the same, to the last bit."""
    return first.settings()["learned"] == second.settings()["learned"]


def test_it_learns_to_draw_its_images_again(trained):
    loss = trained.history_["loss"]
    assert len(loss) == 12
    assert loss.iloc[-1] < 0.3 * loss.iloc[0]
    assert trained.history_["spread"].between(1e-5, 1).all()
    values = measure(SEEN, trained, n_jobs=1, progress=False).values
    assert values.shape == (64, 5)
    assert trained.feature_names(SEEN)[3:] == ("autoencoder_3", "autoencoder_log_error")


def test_the_error_is_that_of_the_pixels(trained):
    seen = torch.from_numpy(trained.prepare(GALAXIES[3])).permute(2, 0, 1)[None]
    with torch.inference_mode():
        numbers = trained._learned.modules["encoder"](seen)
        drawn = trained._learned.modules["decoder"](numbers)
    assert drawn.shape == seen.shape
    expected = np.log10(np.mean(np.square(drawn.numpy() - seen.numpy()), dtype=float))
    values = trained.extract(GALAXIES[3])
    np.testing.assert_allclose(values[-1], expected, rtol=1e-4)
    np.testing.assert_allclose(values[:-1], numbers[0].numpy(), rtol=1e-3, atol=1e-4)


def test_what_is_like_no_other_image_is_drawn_worst_and_shown_first(trained):
    session = aw.explore(
        with_stripes(), features=trained, detector=trained.detector(), progress=False, n_jobs=1
    )
    first = session.ranking("anomaly_score")[0]
    log_error = session.features[:, list(session.feature_names).index("autoencoder_log_error")]
    score = session.anomaly_score
    session.close()
    assert first == "object-64"
    np.testing.assert_array_equal(np.argsort(score, kind="stable"), np.argsort(log_error))


def test_the_detector_wants_the_error_and_says_so():
    detector = ErrorDetector(4)
    rows = np.arange(15.0).reshape(3, 5)
    np.testing.assert_array_equal(detector.fit(rows).score_samples(rows), [-4, -9, -14])
    for wrong in (rows[:, :4], rows[0], np.zeros((3, 26))):
        with pytest.raises(ValueError, match=r"wants its 4 numbers and the error, and nothing"):
            detector.fit(wrong)


def test_the_same_seed_gives_the_same_features_and_another_seed_others():
    first, twin, other = (
        small(random_state=seed).fit(SEEN, epochs=1, progress=False) for seed in (0, 0, 1)
    )
    assert same(first, twin)
    assert not same(first, other)


def test_killed_at_any_step_it_goes_on_to_the_same_network(tmp_path, monkeypatch):
    class Killed(Exception):  # noqa: N818 - it is no error
        pass

    whole = small().fit(SEEN, epochs=2, progress=False)
    make_step = _training.Training._make_step
    monkeypatch.setattr(_training, "_SAVE_SECONDS", -1.0)
    for k in range(4):  # all steps

        def step(training, k=k):
            if training.step == k:
                raise Killed
            return make_step(training)

        monkeypatch.setattr(_training.Training, "_make_step", step)
        with pytest.raises(Killed):
            small().fit(SEEN, epochs=2, checkpoint=tmp_path, progress=False)
    monkeypatch.setattr(_training.Training, "_make_step", make_step)
    assert same(small().fit(SEEN, epochs=2, checkpoint=tmp_path, progress=False), whole)


def test_what_was_saved_measures_the_same(tmp_path, trained):
    trained.save(tmp_path)
    loaded = AutoencoderFeatures.load(tmp_path)
    np.testing.assert_array_equal(loaded.extract(GALAXIES[5]), trained.extract(GALAXIES[5]))
    assert loaded.settings() == trained.settings()
    with pytest.raises(ValueError, match="is of autoencoder features, not of byol features"):
        aw.features.BYOLFeatures.load(tmp_path)
    path = tmp_path / "weights.safetensors"
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    save_file({name: t for name, t in weights.items() if name.startswith("encoder")}, path)
    with pytest.raises(ValueError, match=r"another network: .*decoder\.0\.weight missing"):
        AutoencoderFeatures.load(tmp_path)
    path.write_bytes(b"garbage")
    with pytest.raises(ValueError, match="does not hold weights that can be read safely"):
        AutoencoderFeatures.load(tmp_path)


def test_a_network_that_says_the_same_of_all_images_has_collapsed():
    flat = ImageStack(np.full((9, 32, 32, 3), 77, np.uint8))
    with pytest.raises(RuntimeError, match=r"collapsed.*smaller learning_rate.*differ too little"):
        small().fit(flat, epochs=1, progress=False)


def test_three_grey_images_of_another_size_are_enough():
    rng = np.random.default_rng(0)
    few = ImageStack(rng.normal(20, 1, (3, 45, 40)).astype(np.float32))
    values = measure(few, small().fit(few, epochs=2, progress=False), progress=False).values
    assert values.shape == (3, 5)
    assert np.isfinite(values).all()


def test_an_image_without_data_cannot_be_measured(trained):
    with pytest.raises(MeasurementError, match="no pixel has data"):
        trained.extract(np.full((32, 32), np.nan))


def test_an_image_that_is_drawn_without_error_has_a_number_too():
    extractor = small().fit(SEEN, epochs=1, progress=False)
    with torch.no_grad():
        last = extractor._learned.modules["decoder"][-2]
        last.weight.zero_()
        last.bias.fill_(-1e4)  # black, whatever comes
    assert extractor.extract(np.zeros((32, 32), np.uint8))[-1] == pytest.approx(-8)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="n_features is 0; wanted at least 1"):
        AutoencoderFeatures(0)
    for size in (0, 8, 100):
        with pytest.raises(ValueError, match=f"size is {size}; wanted a multiple of 16"):
            AutoencoderFeatures(size=size)


def test_by_name_it_says_that_it_has_to_learn_first():
    with pytest.raises(ValueError, match="autoencoder features have to learn from your images fir"):
        aw.explore(SEEN, features="autoencoder", progress=False)


def test_its_settings_tell_what_it_has_learned(trained):
    settings = trained.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["learned"]
    assert small().settings() == settings | {"learned": ""}
