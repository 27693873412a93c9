"""What holds for the tests of features."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_small_networks():
    """Keep torch's threads from waiting for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
