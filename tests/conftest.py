"""What holds for every test."""

from __future__ import annotations

import cloudpickle
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send functions of test modules to other processes by value.

    Those processes see what is installed; the folder of the tests is on nobody's path.
    """
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        cloudpickle.register_pickle_by_value(module)
