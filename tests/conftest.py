"""What holds for every test."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

import cloudpickle
import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# threads that wait for each other in a loop take the time of those that are waited for
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# no test asserts how long something took, and a busy machine is no counterexample
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send functions of test modules to other processes by value.

    Those processes see what is installed; the folder of the tests is on nobody's path.
    """
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        cloudpickle.register_pickle_by_value(module)


@pytest.fixture(scope="session", autouse=True)
def _labels_of_sessions_without_a_project(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Keep what sessions leave for the person to find among the files of the test run."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("scratch"))
    yield
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a client of a Dask cluster of two processes, with a thread each."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
        distributed.Client(cluster) as made,
    ):
        yield made
