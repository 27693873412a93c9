"""What a project says in words, made again: sources and learners, by their public names alone.

A project from somebody else can open files, not run code.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import learners

if TYPE_CHECKING:
    from .._protocols import Learner, Source


def spec_of_learner(learner: str | Learner) -> Any:
    """Return what a project says of a learner, JSON-ready.

    Its name if it is known by one; of a learner of ours class and arguments, as a dict; of any
    other, and if an argument is no plain value, only what it is called.
    """
    if isinstance(learner, str):
        return learner
    made = type(learner)
    if _ours(made.__name__) is not made:
        return {"name": f"{made.__module__}.{made.__qualname__}"}
    arguments = {one.name: _plain(getattr(learner, one.name)) for one in fields(made) if one.init}
    odd = [f"{name}=..." for name, value in arguments.items() if not _is_plain(value)]
    if odd:
        return {"name": f"{made.__name__}({', '.join(odd)})"}
    return {"name": made.__name__, "arguments": arguments}


def restore_learner(spec: Any) -> str | Learner | None:
    """Make the learner that a project names, or return None if it cannot be made of that."""
    if isinstance(spec, str):
        return spec if spec in learners.NAMES else None
    if not isinstance(spec, dict) or not isinstance(spec.get("arguments"), dict):
        return None
    made = _ours(spec.get("name"))
    try:
        learner: Learner | None = None if made is None else made(**spec["arguments"])
    except TypeError:
        return None
    return learner


def restore_source(spec: Any) -> Source | None:
    """Open the source that a project names, or return None if it is not where it was.

    Only public names of the rooms that hold sources are called, with plain JSON values. A source
    that prepares another names it.
    """
    if not isinstance(spec, dict) or spec.get("room") not in ("sources", "demos", "preprocess"):
        return None
    room = import_module(f"..{spec['room']}", __package__)
    name, arguments = str(spec.get("name")), dict(spec.get("arguments", {}))
    if name not in room.__all__ or (spec["room"] == "preprocess" and name != "PreparedSource"):
        return None
    if "source" in arguments and spec["room"] == "preprocess":
        arguments["source"] = restore_source(arguments["source"])
        if arguments["source"] is None:
            return None
    try:
        source: Source = getattr(room, name)(**arguments)
    except (OSError, ValueError, TypeError):
        return None
    return source


def origin_of(spec: dict[str, Any]) -> str:
    """Return the kind of a source that a project names, and what it was made of."""
    arguments = dict(spec.get("arguments", {}))
    if isinstance(arguments.get("source"), dict):
        return origin_of(arguments["source"])
    return f"{spec.get('name')} {next(iter(arguments.values()), '')!r}"


def _ours(name: Any) -> Any:
    """Return the class of a public learner, or None."""
    made = getattr(learners, name) if name in learners.__all__ else None
    is_ours = isinstance(made, type) and is_dataclass(made) and issubclass(made, learners.Learner)
    return made if is_ours else None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
