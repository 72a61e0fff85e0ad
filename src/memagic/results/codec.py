"""Estimates as plain values and arrays, and back: what a file of saved estimates holds.

The classes that may occur are listed; nothing else is written, and nothing else is made from a file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design, DesignLevel, Grouping, RandomEffects
from memagic.data.origin import Origin
from memagic.data.sample import Dropped
from memagic.data.terms import Column
from memagic.data.weights import Weights
from memagic.display.report import Wrap
from memagic.engine import families, sandwich
from memagic.engine.constraints import LinearConstraints
from memagic.engine.covariance import INVERSES, CovarianceStructure
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.fit import Fit, Settings
from memagic.engine.maximize import Stopping
from memagic.engine.problem import Level, Problem
from memagic.engine.start import GridAxis, StartSettings
from memagic.engine.steps import Search
from memagic.models import ModelKind
from memagic.results.display_options import DisplayOptions
from memagic.results.estimates import Estimates, Parameter, SampleFacts
from memagic.results.index_codec import index_of, index_parts, is_index
from memagic.results.removed import Removed
from memagic.results.uncertainty import GroupCounts, SurveyFacts, Uncertainty
from memagic.spec import tree

__all__ = ["Malformed", "Packed", "pack", "unpack"]

Plain: TypeAlias = Any
"""What JSON has."""

_LISTED: tuple[type, ...] = (
    *(Design, DesignLevel, Grouping, RandomEffects, Origin, Dropped, Column, Weights, Wrap),
    *(LinearConstraints, CovarianceStructure, CrossedProblem, Fit, Settings, Stopping, Level, Problem),
    *(GridAxis, StartSettings, Search, sandwich.Variance, ModelKind, Estimates, Parameter, SampleFacts),
    *(DisplayOptions, GroupCounts, SurveyFacts, Uncertainty),
    *families.FAMILIES,
    *(getattr(tree, name) for name in tree.__all__ if is_dataclass(getattr(tree, name))),
)
_CLASSES: dict[str, type] = {listed.__name__: listed for listed in _LISTED} | {"FirstStage": sandwich.Design}
_TAGS = {listed: tag for tag, listed in _CLASSES.items()}

# What is left out with the data, by class: all that has an element for each row or group.
_DATA: dict[type, tuple[str, ...]] = {
    Design: ("sample", "y", "x", "offset", "trials", "clusters", "covariates", "index"),
    Grouping: ("codes", "sizes", "values"),
    RandomEffects: ("codes", "values"),
    DesignLevel: ("z",),
    Origin: ("index",),
    Weights: ("observations", "levels"),
    Problem: ("y", "x", "offset", "trials", "weight"),
    CrossedProblem: ("y", "x", "offset", "trials", "weight", "within"),
    Level: ("cluster", "z", "weight"),
    sandwich.Variance: ("groups", "copies"),
    sandwich.Design: ("stratum",),
    tree.Estimated: ("value",),
}


class Malformed(ValueError):
    """What was read is not what `pack` writes."""


@dataclass(slots=True)
class Packed:
    """Plain values that refer to arrays by number.

    Attributes
    ----------
    value : object
        Of JSON's types only.
    arrays : list of ndarray
        Of numbers, logicals, dates or words; none of objects.
    """

    value: Plain
    arrays: list[NDArray[Any]] = field(default_factory=list)


def pack(value: object, *, remove_data: bool = False) -> Packed:
    """Values as JSON has them, and arrays apart; an array that occurs twice is kept once.

    Parameters
    ----------
    value : object
        Of the listed classes, and tuples, lists and dicts of them.
    remove_data : bool
        Whether arrays over rows or groups are left out, of which shapes stay.

    Raises
    ------
    TypeError
        A value of another class.
    CommandError
        An index or array of Python objects, r(198).
    """
    packer = _Packer(remove_data)
    return Packed(packer.pack(value), packer.arrays)


def unpack(packed: Packed) -> Any:
    """What was packed.

    Raises
    ------
    Malformed
        The values are not as `pack` writes them.
    """
    try:
        return _unpack(packed.value, packed.arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Malformed(str(error)) from error


class _Packer:
    def __init__(self, remove_data: bool) -> None:
        self.remove_data = remove_data
        self.arrays: list[NDArray[Any]] = []
        self._numbers: dict[int, int] = {}

    def pack(self, value: object) -> Plain:
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | np.integer):
            return int(value)
        if isinstance(value, float | np.floating):
            return _number(float(value))
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, tuple):
            return [self.pack(item) for item in value]
        if isinstance(value, list):
            return {"list": [self.pack(item) for item in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.pack(key), self.pack(item)] for key, item in value.items()]}
        if type(value) in _TAGS:
            return self._fields(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, Removed):
            return {"removed": list(value.shape)}
        if callable(value):
            return self._inverse(value)
        if is_index(value):
            return self._labels(value)
        raise TypeError(f"{type(value).__name__} is not among what estimates consist of")

    def _fields(self, value: object) -> Plain:
        cls = type(value)
        data = _DATA.get(cls, ()) if self.remove_data else ()
        packed = {}
        # Most families have no state, and are no dataclasses.
        for one in fields(value) if is_dataclass(value) and not isinstance(value, type) else ():
            if one.init:
                held = getattr(value, one.name)
                packed[one.name] = self.pack(_without(held) if one.name in data else held)
        return {"class": _TAGS[cls], "fields": packed}

    def _array(self, array: NDArray[Any]) -> Plain:
        if array.dtype == object:
            return self._labels(array)
        number = self._numbers.get(id(array))
        if number is None:
            number = self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return {"array": number}

    def _labels(self, labels: Any) -> Plain:
        kind, parts = index_parts(labels)
        return {"index": kind, "parts": self.pack(parts)}

    def _inverse(self, function: Callable[..., Any]) -> Plain:
        """One of the functions that covariance structures are made with, by name."""
        bare, arguments = (function.func, function.args) if isinstance(function, partial) else (function, ())
        names = [name for name, known in INVERSES.items() if known is bare]
        if not names:
            raise TypeError("a function is not among what estimates consist of")
        return {"inverse": names[0], "arguments": self.pack(arguments)}


def _number(value: float) -> Plain:
    return value if math.isfinite(value) else {"float": repr(value)}


def _without(value: object) -> object:
    """The same without data: numbers and nothing stay as they are."""
    if isinstance(value, Mapping):
        return {name: _without(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_without(item) for item in value)
    shape = getattr(value, "shape", None)
    return value if shape is None or shape == () else Removed(tuple(int(n) for n in shape))


def _unpack(value: Plain, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return tuple(_unpack(item, arrays) for item in value)
    if not isinstance(value, dict):
        return value
    kind = next(iter(value))
    match kind:
        case "class":
            cls = _CLASSES[value["class"]]
            return cls(**{name: _unpack(item, arrays) for name, item in value["fields"].items()})
        case "array":
            return arrays[_natural(value["array"])]
        case "dict":
            return {_unpack(key, arrays): _unpack(item, arrays) for key, item in value["dict"]}
        case "list":
            return [_unpack(item, arrays) for item in value["list"]]
        case "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[value["float"]]
        case "removed":
            return Removed(tuple(_natural(n) for n in value["removed"]))
        case "index":
            return index_of(value["index"], _unpack(value["parts"], arrays))
        case "inverse":
            arguments = _unpack(value["arguments"], arrays)
            return (
                partial(INVERSES[value["inverse"]], *arguments) if arguments else INVERSES[value["inverse"]]
            )
    raise Malformed(f"{kind} is not known")


def _natural(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise Malformed("a count is not a natural number")
    return value
