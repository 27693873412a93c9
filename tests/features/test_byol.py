"""Learning from images without labels: it helps, it goes on exactly, and it says what is wrong."""

import json
import sys
from concurrent.futures import CancelledError
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import astronomaly_widgets as aw
from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.exceptions import MeasurementError, MissingDependencyError
from astronomaly_widgets.features import BYOLFeatures, _training, measure
from astronomaly_widgets.features._augment import Views
from astronomaly_widgets.sources import FeatureTable, ImageFolder, ImageStack

GALAXIES = aw.simulation.make_galaxies(n=96, size=32).images
SEEN = ImageStack(GALAXIES[:64])
NEW = ImageStack(GALAXIES[64:])


def small(network="small", **options):
    """A network that learns quickly, and from little."""
    given = {"size": 32, "batch_size": 16, "learning_rate": 0.02}
    heads = {"hidden_size": 64, "projection_size": 16}
    return BYOLFeatures(network, **given | heads | options)


def values_of(extractor, source=NEW):
    return measure(source, extractor, n_jobs=1, progress=False).values


@pytest.fixture(scope="module")
def trained():
    return small().fit(SEEN, epochs=8, progress=False)


@pytest.fixture(scope="module")
def once():
    """Return what one epoch teaches."""
    return small().fit(SEEN, epochs=1, progress=False)


def same(first, second):
    """Whether two extractors have learned the same, to the last bit."""
    return first.settings()["learned"] == second.settings()["learned"]


# -- what is learned ---------------------------------------------------------------------------


def against_turning(extractor):
    """Distance to oneself, turned, in units of the median distance to others; one per galaxy."""
    turned = ImageStack(np.ascontiguousarray(np.rot90(GALAXIES[64:], axes=(1, 2))))
    here, there = values_of(extractor), values_of(extractor, turned)
    here, there = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (here, there))
    distance = np.linalg.norm(here[:, None] - there, axis=2)
    return np.diagonal(distance) / np.median(distance, axis=1)


def test_a_turned_galaxy_is_nearer_than_another_one(trained):
    untrained = small(learning_rate=1e-12).fit(SEEN, epochs=1, progress=False)
    before, after = np.median(against_turning(untrained)), np.median(against_turning(trained))
    assert after < 0.7
    assert after < 0.75 * before


def test_the_history_tells_how_it_went(trained):
    history = trained.history_
    assert history.index.tolist() == list(range(1, 9))
    assert history.columns.tolist() == ["loss", "spread", "seconds"]
    assert history["loss"].iloc[-1] < 0.6 * history["loss"].iloc[0]
    assert history["loss"].between(0, 4).all()
    assert history["spread"].between(0.01, 1).all()
    assert trained.left_out_ == {}


def test_the_loss_is_that_of_the_paper():
    features = small(jitter=0.0)
    recipe = features._recipe()
    recipe.modules.eval()
    pictures = torch.rand(5, 3, 32, 32)
    got = recipe.loss(pictures, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    views = Views(features._seen, jitter=0.0)
    v, other = views(pictures, generator), views(pictures, generator)
    network, projector = recipe.modules["target"]

    def one_order(online, target):
        q = recipe.modules["network"](online)
        q = recipe.modules["predictor"](recipe.modules["projector"](q))
        z = projector(network(target))
        q, z = (rows / rows.norm(dim=1, keepdim=True) for rows in (q, z))
        return (q - z).square().sum(dim=1).mean()  # eq. 2 of Grill et al. 2020

    expected = (one_order(v, other) + one_order(other, v)) / 2
    torch.testing.assert_close(got, expected)


def test_the_target_follows_slowly_and_is_not_trained():
    recipe = small(decay=0.9)._recipe()
    mean, now = recipe.modules["target"][0][1][0].weight, recipe.modules["network"][1][0].weight
    before = mean.clone()
    torch.testing.assert_close(mean, now)  # they begin as one
    with torch.no_grad():
        now += 1
    recipe.follow()
    torch.testing.assert_close(mean, before + 0.1)
    assert not any(each.requires_grad for each in recipe.modules["target"].parameters())


def test_the_pretrained_network_learns_too():
    features = BYOLFeatures(size=48, batch_size=3, hidden_size=8, projection_size=4)
    values = values_of(features.fit(ImageStack(GALAXIES[:3]), epochs=1, progress=False))
    assert values.shape == (32, 1280)
    before = aw.features.CNNFeatures(size=41).extract(GALAXIES[0])
    assert not np.array_equal(features.extract(GALAXIES[0]), before)


def test_a_network_of_ones_own_is_copied_and_trained_whole():
    own = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3, stride=2), torch.nn.BatchNorm2d(6))
    own[0].requires_grad_(requires_grad=False)  # as people freeze what they have trained before
    before = own[0].weight.clone()
    features = small(own).fit(SEEN, epochs=1, progress=False)
    assert values_of(features).shape == (32, 6)
    torch.testing.assert_close(own[0].weight, before, rtol=0, atol=0)
    assert not torch.equal(features._learned.modules["network"][1][0].weight, before)


# -- the same again ----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_features_and_another_seed_others(once):
    twin = small().fit(SEEN, epochs=1, progress=False, n_jobs=1)
    np.testing.assert_array_equal(values_of(twin), values_of(once))
    assert same(twin, once)
    assert not same(small(random_state=1).fit(SEEN, epochs=1, progress=False), once)


def test_torch_draws_the_numbers_that_it_would_have_drawn():
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    small().fit(SEEN, epochs=1, progress=False)
    torch.testing.assert_close(torch.rand(4), expected, rtol=0, atol=0)


class Killed(Exception):  # noqa: N818 - it is no error
    pass


@pytest.fixture
def saved_at_each_step(monkeypatch):
    monkeypatch.setattr(_training, "_SAVE_SECONDS", -1.0)


@pytest.mark.parametrize("network", ["small", "of one's own"])
@pytest.mark.usefixtures("saved_at_each_step")
def test_killed_at_any_step_it_goes_on_to_the_same_network(tmp_path, monkeypatch, network):
    def fresh():
        if network == "small":
            return small()
        torch.manual_seed(0)
        layers = [torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.BatchNorm2d(8)]
        return small(torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Dropout()))

    whole = fresh().fit(SEEN, epochs=3, progress=False)
    make_step = _training.Training._make_step
    for k in range(13):  # twelve steps, all in all

        def step(training, k=k):
            if training.step == k:
                raise Killed
            return make_step(training)

        monkeypatch.setattr(_training.Training, "_make_step", step)
        if k < 12:
            with pytest.raises(Killed):
                fresh().fit(SEEN, epochs=3, checkpoint=tmp_path, progress=False)
    resumed = fresh().fit(SEEN, epochs=3, checkpoint=tmp_path, progress=False)
    assert same(resumed, whole)
    columns = ["loss", "spread"]
    np.testing.assert_array_equal(resumed.history_[columns], whole.history_[columns])


def test_more_epochs_go_on_from_the_end(tmp_path):
    small().fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)
    longer = small().fit(SEEN, epochs=3, checkpoint=tmp_path, progress=False)
    assert same(longer, small().fit(SEEN, epochs=3, progress=False))
    assert same(small().fit(SEEN, epochs=2, checkpoint=tmp_path, progress=False), longer)


def test_a_cancelled_training_keeps_what_it_has_learned(tmp_path):
    seen = []
    cancel = Event()

    def progressed(fraction):
        seen.append(fraction)
        if fraction == 0.5 and 1.0 in seen:  # all images have been read
            cancel.set()

    with running(Task(on_progress=progressed, cancel=cancel)), pytest.raises(CancelledError):
        small().fit(SEEN, epochs=2, checkpoint=tmp_path, progress=False)
    _, metadata = _training.read_tensors(tmp_path / "training.safetensors")
    assert json.loads(metadata["state"])["step"] == 5  # half of eight were made, and one more
    resumed = small().fit(SEEN, epochs=2, checkpoint=tmp_path, progress=False)
    assert same(resumed, small().fit(SEEN, epochs=2, progress=False))


def test_while_it_learns_its_features_can_be_looked_at():
    looks = []
    features = small()
    features.fit(SEEN, epochs=2, progress=False, on_epoch=lambda b: looks.append(values_of(b)))
    assert len(looks) == 2
    assert not np.array_equal(*looks)
    np.testing.assert_array_equal(looks[1], values_of(features))


def test_the_bar_shows_the_loss(capsys):
    small().fit(SEEN, epochs=1)
    shown = capsys.readouterr().err
    assert "Training byol: 100%" in shown
    assert "loss=" in shown


# -- on disk -----------------------------------------------------------------------------------


def test_what_was_saved_measures_the_same(tmp_path, trained):
    trained.save(tmp_path / "byol")
    loaded = BYOLFeatures.load(tmp_path / "byol")
    np.testing.assert_array_equal(values_of(loaded), values_of(trained))
    assert loaded.settings() == trained.settings()
    assert loaded.history_.equals(trained.history_)
    assert sorted(path.name for path in (tmp_path / "byol").iterdir()) == [
        "settings.json",
        "weights.safetensors",
    ]


def test_a_network_of_ones_own_is_wanted_again(tmp_path):
    own = torch.nn.Conv2d(3, 4, 3)
    features = small(own).fit(SEEN, epochs=1, progress=False)
    features.save(tmp_path)
    with pytest.raises(ValueError, match=r"network of your own, Conv2d: give it, as load\(folder,"):
        BYOLFeatures.load(tmp_path)
    loaded = BYOLFeatures.load(tmp_path, network=torch.nn.Conv2d(3, 4, 3))
    np.testing.assert_array_equal(values_of(loaded), values_of(features))


class Boom:
    def __reduce__(self):
        return (print, ("boom",))


def test_weights_that_are_a_pickle_or_of_another_shape_are_refused(tmp_path, trained, capsys):
    trained.save(tmp_path)
    path = tmp_path / "weights.safetensors"
    weights = {name: tensor.clone() for name, tensor in load_file(path).items()}
    torch.save(Boom(), path)
    with pytest.raises(ValueError, match="does not hold weights that can be read safely"):
        BYOLFeatures.load(tmp_path)
    assert "boom" not in capsys.readouterr().out
    weights["network.1.0.weight"] = torch.zeros(7)
    save_file(weights, path)
    with pytest.raises(ValueError, match=r"network\.1\.0\.weight \(7,\) instead of \(32, 3, 3, 3"):
        BYOLFeatures.load(tmp_path)


def test_settings_that_are_none_are_refused(tmp_path, trained):
    trained.save(tmp_path)
    path = tmp_path / "settings.json"
    said = json.loads(path.read_text())
    for changes, message in [
        ({"features": "autoencoder"}, "is of autoencoder features, not of byol"),
        ({"format": 9}, "has format 9; this version reads 1"),
        ({"settings": {"depth": 3}}, "holds settings of another version: .*depth"),
        ({"settings": 3}, "does not hold settings of features"),
    ]:
        path.write_text(json.dumps(said | changes))
        with pytest.raises(ValueError, match=message):
            BYOLFeatures.load(tmp_path)
    path.write_text("not JSON")
    with pytest.raises(ValueError, match="does not hold settings of features"):
        BYOLFeatures.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no features were saved in"):
        BYOLFeatures.load(tmp_path / "elsewhere")


def test_the_checkpoint_of_another_training_is_refused(tmp_path):
    small().fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)
    with pytest.raises(ValueError, match=r"of another training: jitter 0\.5 instead of 0\.1; go"):
        small(jitter=0.1).fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)
    with pytest.raises(ValueError, match="of another training: images "):
        small().fit(NEW, epochs=1, checkpoint=tmp_path, progress=False)
    path = tmp_path / "training.safetensors"
    torch.save(Boom(), path)
    with pytest.raises(ValueError, match="does not hold tensors as safetensors"):
        small().fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="is not the state of a training; remove it"):
        small().fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)


def test_the_state_of_a_network_of_another_shape_is_refused(tmp_path):
    small(torch.nn.Conv2d(3, 4, 3)).fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)
    other = small(torch.nn.Conv2d(3, 5, 3))
    with pytest.raises(ValueError, match=r"(?s)is of another network: .*size mismatch"):
        other.fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)


# -- collapse ----------------------------------------------------------------------------------


class Same(torch.nn.Module):
    """Says the same of all images once it has learned it: of directions, whatever the lengths."""

    def __init__(self, value):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(4))
        self.value = value

    def forward(self, x):
        return self.weight * (self.value + x.mean(dim=(1, 2, 3))[:, None])


@pytest.mark.parametrize("value", [10.0, 0.0])
def test_a_network_that_says_the_same_of_all_images_has_collapsed(value):
    with pytest.raises(RuntimeError, match=r"collapsed.*smaller learning_rate.*set crop to"):
        small(Same(value), learning_rate=0.1).fit(SEEN, epochs=1, progress=False)


def test_a_network_that_collapses_as_it_learns_is_stopped(monkeypatch):
    def towards_one_number(self, pictures, generator):
        return (self.modules["network"](pictures) - 1).square().mean()

    monkeypatch.setattr("astronomaly_widgets.features.byol._BYOL.loss", towards_one_number)
    torch.manual_seed(0)
    features = small(torch.nn.Conv2d(3, 8, 3, stride=4), learning_rate=1.0)
    with pytest.raises(RuntimeError, match=r"the network has collapsed: .*\(spread 0\.00"):
        features.fit(SEEN, epochs=200, progress=False)
    assert 1 < len(features.history_) < 200
    assert features.history_["spread"].iloc[0] > 0.05


def test_a_loss_that_is_no_number_is_said():
    class Overflowing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4))

        def forward(self, x):
            return x.mean(dim=(1, 2, 3))[:, None] * self.weight + (self.weight - 1) * float("inf")

    with pytest.raises(ValueError, match=r"the loss is nan after 0 steps; give a learning_rate be"):
        small(Overflowing()).fit(SEEN, epochs=1, progress=False)


# -- what people bring -------------------------------------------------------------------------


def test_three_images_are_enough_and_one_is_not():
    few = ImageStack(GALAXIES[:3])
    features = small().fit(few, epochs=2, progress=False)
    assert np.isfinite(values_of(features, few)).all()
    with pytest.raises(ValueError, match="images that can be read: 1; a network learns from 2 at"):
        small().fit(few, ["object-0"], epochs=1, progress=False)


def test_grey_and_images_of_different_sizes_are_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    for k, shape in enumerate([(40, 40), (31, 50, 3), (64, 20), (32, 32, 3)]):
        Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / f"{k}.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "3.png").read_bytes()[:60])
    folder = ImageFolder(tmp_path)
    features = small().fit(folder, epochs=1, progress=False)
    assert list(features.left_out_) == ["torn"]
    assert "damaged or not readable" in features.left_out_["torn"]
    measured = measure(folder, features, n_jobs=1, progress=False)
    assert measured.values.shape == (4, 256)
    assert measured.set_aside.index.tolist() == ["torn"]


def test_images_without_data_are_left_out_and_set_aside():
    images = GALAXIES[:4].astype(np.float32)
    images[2] = np.nan
    stack = ImageStack(images)
    features = small().fit(stack, epochs=1, progress=False)
    assert features.left_out_ == {"object-2": "no pixel has a finite value"}
    with pytest.raises(MeasurementError, match="no pixel has data"):
        features.extract(images[2])


def test_it_learns_from_those_alone_that_are_named():
    named = [f"object-{k:02d}" for k in range(10, 20)]
    part = small().fit(SEEN, named, epochs=1, progress=False)
    assert same(
        part, small().fit(ImageStack(GALAXIES[10:20], object_ids=named), epochs=1, progress=False)
    )
    with pytest.raises(ValueError, match="1 ids are not in the source, such as 'x'"):
        small().fit(SEEN, ["object-12", "x"], progress=False)


def test_it_sees_the_middle_of_what_a_pretrained_network_sees(tmp_path):
    options = {"size": 64, "crop": "source", "sigma": 3, "color": "grey"}
    image = np.random.default_rng(0).normal(10, 1, (90, 80, 3))
    image[35:60, 30:50] += 30
    seen = aw.features.CNNFeatures(**options).prepare(image)
    extractor = small(**options)
    np.testing.assert_array_equal(extractor.prepare(image), seen[4:59, 4:59])  # 55 = 110 / 128
    extractor.fit(ImageStack(np.stack([image, image[::-1]])), epochs=1, progress=False)
    extractor.save(tmp_path)
    np.testing.assert_array_equal(BYOLFeatures.load(tmp_path).prepare(image), seen[4:59, 4:59])


def test_pictures_beyond_the_memory_lie_in_a_file(monkeypatch, once):
    monkeypatch.setattr("astronomaly_widgets.features._pictures._MOST_IN_MEMORY", 10)
    assert same(small().fit(SEEN, epochs=1, progress=False), once)


def test_a_table_has_no_images_to_learn_from():
    table = FeatureTable(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="learns from image sources, not from table sources"):
        small().fit(table, progress=False)


def test_by_name_it_says_that_it_has_to_learn_first(tmp_path):
    message = r"byol features have to learn from your images first: .*BYOLFeatures\(\)\.fit\(source"
    with pytest.raises(ValueError, match=message):
        aw.explore(SEEN, features="byol", progress=False)
    with pytest.raises(ValueError, match=message):
        BYOLFeatures().save(tmp_path / "byol")
    assert not (tmp_path / "byol").exists()


def test_a_search_takes_what_has_learned(trained):
    session = aw.explore(NEW, features=["ellipse", trained], progress=False, n_jobs=1)
    names = session.feature_names
    session.close()
    assert sum(name.startswith("byol_") for name in names) == 30
    assert "residual_90" in names


@pytest.mark.parametrize("missing", ["torch", "safetensors"])
def test_without_the_packages_the_message_says_what_brings_them(monkeypatch, tmp_path, missing):
    for name in [each for each in sys.modules if each.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError, match=rf"{missing}.*astronomaly-widgets\[deep\]"):
        small().fit(SEEN, epochs=1, checkpoint=tmp_path, progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jitter": 2}, "jitter is 2; wanted 0 to 1"),
        ({"decay": -0.1}, r"decay is -0\.1; wanted 0 to 1"),
        ({"hidden_size": 0}, "hidden_size is 0; wanted at least 1"),
        ({"batch_size": 1}, "batch_size is 1; wanted at least 2"),
        ({"learning_rate": 0}, "learning_rate is 0; wanted more than 0"),
        ({"size": 0}, "size is 0; wanted at least 1"),
        ({"color": "blue"}, "color is 'blue'; wanted one of rgb, grey"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        BYOLFeatures(**options)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match=r"no network 'smal' to train; wanted .*'small'"):
        BYOLFeatures("smal").fit(SEEN, progress=False)
    with pytest.raises(ValueError, match=r"no network 'zoobot\.onnx' to train"):
        BYOLFeatures("zoobot.onnx").fit(SEEN, progress=False)
    with pytest.raises(TypeError, match="a network of type int"):
        BYOLFeatures(3).fit(SEEN, progress=False)
    with pytest.raises(ValueError, match="epochs is 0; wanted at least 1"):
        small().fit(SEEN, epochs=0)
    maps_of_maps = torch.nn.Unflatten(1, (1, 3))
    with pytest.raises(ValueError, match=r"the network returns shape \(2, 1, 3, 28, 28\) for 2"):
        small(maps_of_maps).fit(SEEN, progress=False)


def test_a_gpu_without_room_says_what_to_do(monkeypatch):
    def full(self, pictures, generator):
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr("astronomaly_widgets.features.byol._BYOL.loss", full)
    with pytest.raises(MemoryError, match="to train on 16 pictures at once; give a smaller batch"):
        small().fit(SEEN, epochs=1, progress=False)
