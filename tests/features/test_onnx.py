"""Networks in ONNX files: the same numbers as by hand, and whatever comes as a file."""

import pickle
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from astronomaly_widgets.exceptions import MissingDependencyError
from astronomaly_widgets.features import CNNFeatures, measure
from astronomaly_widgets.features import _onnx as module
from astronomaly_widgets.sources import ImageStack

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGES = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), dtype=np.uint8)


def written(path, shape=("m", 3, 8, 8), what="means", kind=TensorProto.FLOAT, n_inputs=1):
    """Write a network whose features are the means of the colors, or simply its input."""
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    nodes = {
        "means": [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)],
        "maps": [helper.make_node("Identity", ["x"], ["y"])],
    }
    graph = helper.make_graph(
        nodes[what],
        "network",
        [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "z")[:n_inputs]],
        [helper.make_tensor_value_info("y", kind, None)],
        [helper.make_tensor("axes", TensorProto.INT64, [2], axes)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path


def standard(values):
    return (values / 255 - np.array(MEAN)) / np.array(STD)


@pytest.mark.parametrize(
    "shape", [("m", 3, 8, 8), ("m", 8, 8, 3), (2, 3, 8, 8), (None, 3, "h", "w")]
)
def test_a_network_in_a_file_says_what_it_would_say_by_hand(tmp_path, shape):
    path = written(tmp_path / "network.onnx", shape)
    measured = measure(ImageStack(IMAGES), CNNFeatures(path, size=8), progress=False)
    assert measured.names == ("cnn_0", "cnn_1", "cnn_2")
    np.testing.assert_allclose(measured.values, standard(IMAGES.mean(axis=(1, 2))), atol=1e-5)


def test_maps_of_features_are_averaged(tmp_path):
    path = written(tmp_path / "network.onnx", what="maps")
    features = CNNFeatures(path, size=8).extract(IMAGES[0])
    np.testing.assert_allclose(features, standard(IMAGES[0].mean(axis=(0, 1))), atol=1e-5)


def test_colors_may_be_scaled_as_the_network_was_trained(tmp_path):
    path = str(written(tmp_path / "network.onnx"))
    extractor = CNNFeatures(path, size=8, mean=(0, 0, 0), std=(1, 0.5, 1))
    expected = IMAGES[0].mean(axis=(0, 1)) / 255 * [1, 2, 1]
    np.testing.assert_allclose(extractor.extract(IMAGES[0]), expected, atol=1e-5)
    assert extractor.settings() != CNNFeatures(path, size=8).settings()


def test_torch_is_not_needed(tmp_path):
    path = written(tmp_path / "network.onnx")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from astronomaly_widgets.features import CNNFeatures\n"
        f"print(*CNNFeatures({str(path)!r}, size=8).extract(np.zeros((9, 9), np.uint8)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    np.testing.assert_allclose([float(x) for x in said.stdout.split()], standard(0), rtol=1e-5)


def test_another_file_is_measured_again_and_the_same_is_not(tmp_path):
    path = written(tmp_path / "network.onnx")

    def n_reused():
        extractor = CNNFeatures(path, size=8)
        source = ImageStack(IMAGES)
        return measure(source, extractor, checkpoint=tmp_path / "kept", progress=False).n_reused

    assert n_reused() == 0
    assert n_reused() == 5
    written(path, what="maps")
    assert n_reused() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": ("m", 3, 16, 16)}, r"takes x \['m', 3, 16, 16\].*wanted one input \(m, 3, 8, 8"),
        ({"shape": ("m", 1, 8, 8)}, "wanted one input"),
        ({"kind": TensorProto.DOUBLE}, r"tensor\(double\); wanted one input"),
        ({"n_inputs": 2}, "z .*wanted one input"),
    ],
)
def test_a_network_that_takes_something_else_is_refused(tmp_path, options, message):
    path = written(tmp_path / "network.onnx", **options)
    with pytest.raises(ValueError, match=message):
        CNNFeatures(path, size=8).feature_names(None)


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps({"weights": [1, 2]})])
def test_what_is_no_network_is_refused(tmp_path, content):
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"network\.onnx does not hold a network that can be run"):
        CNNFeatures(path).feature_names(None)
    with pytest.raises(FileNotFoundError, match="there is no network at"):
        CNNFeatures(tmp_path / "other.onnx").feature_names(None)


def test_a_file_has_its_own_weights(tmp_path):
    with pytest.raises(ValueError, match="has weights of its own"):
        CNNFeatures(tmp_path / "network.onnx", weights="weights.pt")


def test_without_onnx_runtime_the_message_says_what_brings_it(tmp_path, monkeypatch):
    path = written(tmp_path / "network.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"astronomaly-widgets\[onnx\]"):
        CNNFeatures(path).feature_names(None)


def test_a_device_that_is_not_there_is_told(tmp_path):
    path = written(tmp_path / "network.onnx")
    with pytest.raises(ValueError, match="'mps'; wanted 'cpu' or 'cuda'"):
        CNNFeatures(path, size=8, device="mps").feature_names(None)
    assert module._provider("cpu", [module._GPU]) == module._PROCESSOR
    assert module._provider(None, [module._GPU]) == module._GPU
    with pytest.raises(ValueError, match="pip install onnxruntime-gpu"):
        module._provider("cuda", [module._PROCESSOR])


class Crowded:
    """A session that has room for so many images at once."""

    def __init__(self, session, room, words="Failed to allocate memory for requested buffer"):
        self._session, self._room, self._words = session, room, words

    def run(self, names, inputs):
        if len(inputs["x"]) > self._room:
            raise Exception(self._words)  # noqa: TRY002 - as ONNX Runtime does
        return self._session.run(names, inputs)


def crowded(path, *given):
    extractor = CNNFeatures(path, size=8, batch_size=5)
    runner = extractor._ready()
    runner._session = Crowded(runner._session, *given)
    return extractor


def test_with_too_little_memory_fewer_are_seen_at_once(tmp_path):
    path = written(tmp_path / "network.onnx")
    with pytest.warns(RuntimeWarning, match="free for 5 images at once; going on with 2"):
        measured = measure(ImageStack(IMAGES), crowded(path, 2), n_jobs=1, progress=False)
    np.testing.assert_allclose(measured.values, standard(IMAGES.mean(axis=(1, 2))), atol=1e-5)
    seen = [np.zeros((8, 8, 3), np.float32)] * 5
    with (
        pytest.warns(RuntimeWarning, match="too little memory"),
        pytest.raises(MemoryError, match="smaller size"),
    ):
        crowded(path, 0).extract_batch(seen)
    with pytest.raises(Exception, match="the node is odd"):
        crowded(path, 0, "the node is odd").extract_batch(seen)
    only = written(tmp_path / "five.onnx", (5, 3, 8, 8))
    with pytest.raises(MemoryError, match="for 5 images at once; give a smaller size"):
        crowded(only, 2).extract_batch(seen)
