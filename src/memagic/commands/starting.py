"""`startvalues()`, `from()` and `startgrid()`: names of parameters to the engine's positions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from memagic.commands.define import as_matrix, find_value
from memagic.engine.start import GridAxis, StartSettings
from memagic.errors import CommandError, closest
from memagic.results import MEResults
from memagic.results.addresses import COMPONENT, EFFECT, addresses_of
from memagic.results.estimates import Parameter
from memagic.spec.tree import Command, GridSearch, GridTarget, InitialValues, StartMethod

if TYPE_CHECKING:
    from memagic.spec.tree import Span

Index = NDArray[np.intp]

__all__ = ["DEFAULT_GRID", "grid_axes", "grid_name", "start_settings"]

DEFAULT_GRID = (0.1, 1.0, 10.0)
# Nodes of a grid that take minutes where one takes a hundredth of a second.
_MOST_NODES = 10_000

# The signs of e(b) for bases and for what is omitted: 1b.g, 1bn.g, 3o.g, 2bL.g, o.x, c.x#co.z.
_SIGN = re.compile(r"(?P<level>[0-9]+|c?)(?P<sign>bn|b|o)(?=[LFDS0-9]*\.)")


def start_settings(
    command: Command,
    parameters: Sequence[Parameter],
    positions: Index,
    matrices: Mapping[str, object],
) -> StartSettings:
    """Where the fit of a command starts.

    Parameters
    ----------
    command : Command
    parameters : sequence of Parameter
        In the order of `e(b)`.
    positions : ndarray of int
        Where the engine has each of them.
    matrices : mapping
        Results, Series, DataFrames with one row, or mappings of names to values, that `from()` may name.

    Raises
    ------
    CommandError
        A parameter or a matrix that is not found, r(111); a matrix of another length, r(503); a grid
        that no variance could take or that is too large, r(198).
    """
    options = command.options
    method = StartMethod()
    if "startvalues" in options:
        method = cast("StartMethod", options["startvalues"].value)
    names = [parameter.name for parameter in parameters]
    return StartSettings(
        method=method.name,
        iterations=method.iterations,
        constant=int(positions[names.index("_cons")]) if "_cons" in names else None,
        given=_given(command, parameters, positions, matrices),
        grid=grid_axes(command, parameters, positions),
    )


def _given(
    command: Command, parameters: Sequence[Parameter], positions: Index, matrices: Mapping[str, object]
) -> tuple[tuple[int, float], ...]:
    """The values of `from()` by the engine's position."""
    option = command.options.get("from")
    if option is None:
        return ()
    initial = cast("InitialValues", option.value)
    if initial.matrix:
        found = _matrix(initial.matrix, matrices, option.argument_span)
        if initial.copy:
            found = _renamed(found, parameters, option.argument_span)
        pairs = [(name, value, option.argument_span) for name, value in found.items()]
    else:
        pairs = [(item.name, item.value, item.span) for item in initial.values]
    addresses = addresses_of(parameters)
    values: dict[int, float] = {}
    for name, value, span in pairs:
        bare, held = _unsigned(_bare(name, command.depvar.variable))
        k = addresses.get(bare)
        if k is None and (initial.skip or held):
            continue
        if k is None:
            hint = closest(name, addresses) or "option skip ignores values of other parameters"
            # Names in a matrix or in estimates are no slips of the pen.
            if initial.matrix:
                known = any(_known(name, command, addresses) for name, _, _ in pairs)
                hint = _matrix_hint(initial.matrix, known, len(parameters))
            raise CommandError(111, f"parameter {name} not found", span=span, hint=hint)
        _check_sign(parameters[k], value, span)
        values[int(positions[k])] = value
    return tuple(values.items())


def _matrix_hint(matrix: str, known: bool, wanted: int) -> str:
    """What to type where a matrix has a name that is no parameter's, or none that is."""
    if known:
        return f"type from({matrix}, skip) to leave out what this model does not have"
    order = f"takes its values in the order of e(b), {wanted} of them"
    return f"none of its names is a parameter's: from({matrix}, copy) {order}"


def _known(name: str, command: Command, addresses: Mapping[str, int]) -> bool:
    """Whether a name of e(b) is that of a parameter, or of a coefficient held at zero."""
    bare, held = _unsigned(_bare(name, command.depvar.variable))
    return held or bare in addresses


def _check_sign(parameter: Parameter, value: float, span: Span) -> None:
    least = "zero or greater" if parameter.role == "variance" else "greater than zero"
    wrong = (parameter.role == "variance" and value < 0.0) or (parameter.role == "residual" and value <= 0.0)
    if wrong:
        hint = f"{parameter.label} has to be {least}"
        raise CommandError(1400, "initial values not feasible", span=span, hint=hint)


def _renamed(found: Mapping[str, float], parameters: Sequence[Parameter], span: Span) -> dict[str, float]:
    """The values of a matrix for the parameters at the same positions, whatever its own names."""
    if len(found) != len(parameters):
        found = {name: value for name, value in found.items() if not _unsigned(name)[1]}
    if len(found) != len(parameters):
        raise CommandError(
            503,
            "conformability error",
            span=span,
            hint=f"the matrix has {len(found)} values, the model {len(parameters)} parameters",
        )
    names = [parameter.name for parameter in parameters]
    return dict(zip(names, found.values(), strict=True))


def _matrix(name: str, matrices: Mapping[str, object], span: Span) -> dict[str, float]:
    """The values of a matrix by its columns' names."""
    matrix = find_value(name, matrices, span)
    items: Mapping[object, object]
    if isinstance(matrix, MEResults):
        matrix = matrix.params
    if isinstance(matrix, Mapping):
        items = matrix
    else:
        import pandas as pd

        if isinstance(matrix, np.ndarray | list | tuple):
            matrix = np.atleast_2d(as_matrix(name, [matrix] if np.ndim(matrix) == 1 else matrix, span))
            # Columns that have no names are c1, c2 and so on.
            matrix = pd.DataFrame(matrix, columns=[f"c{k + 1}" for k in range(matrix.shape[1])])
        if isinstance(matrix, pd.DataFrame) and len(matrix) == 1:
            matrix = matrix.iloc[0]
        if not isinstance(matrix, pd.Series) or not matrix.index.is_unique:
            hint = "it has to be a result, a Series or a DataFrame of one row, such as e(b), or a dict"
            raise CommandError(109, f"{name} is not a vector of values with names", span=span, hint=hint)
        items = dict(zip(matrix.index, matrix.to_numpy(), strict=True))
    values: dict[str, float] = {}
    for key, item in items.items():
        try:
            values[str(key)] = float(cast("float", item))
        except (TypeError, ValueError):
            raise CommandError(109, f"{key} of {name} is not a number", span=span) from None
        if not np.isfinite(values[str(key)]):
            raise CommandError(504, f"matrix {name} has missing values", span=span)
    return values


def _bare(name: str, depvar: str) -> str:
    """A name without its equation, where that is the model's first one: ``y:x`` is ``x``."""
    return name.removeprefix(f"{depvar}:").replace(", ", ",")


def _unsigned(name: str) -> tuple[str, bool]:
    """A name of e(b) without its signs for bases, and whether it is that of a coefficient held at zero."""
    if name.startswith("/"):
        return name, False
    plain, signs = [], []
    for operand in name.split("#"):
        match = _SIGN.match(operand)
        signs.append(match["sign"] if match else "")
        text = operand if match is None else f"{match['level']}{operand[match.end() :]}"
        plain.append(text.removeprefix("."))
    return "#".join(plain), "o" in signs or all(sign == "b" for sign in signs)


def grid_axes(command: Command, parameters: Sequence[Parameter], positions: Index) -> tuple[GridAxis, ...]:
    """The axes of all `startgrid()` together; values for one parameter are put together.

    Raises
    ------
    CommandError
        A parameter that is not found, r(111); a grid that no variance could take or that is too
        large, r(198).
    """
    option = command.options.get("startgrid")
    if option is None:
        return ()
    addresses = addresses_of(parameters)
    axes: dict[int, dict[float, None]] = {}
    for search in cast("tuple[GridSearch, ...]", option.value):
        wanted = [_target(target, addresses) for target in search.targets]
        if not wanted:
            wanted = [k for k, p in enumerate(parameters) if p.role in ("variance", "residual")]
        for k in wanted:
            values = search.values or DEFAULT_GRID
            if parameters[k].role != "covariance" and max(values) < 0.0:
                raise CommandError(198, f"{parameters[k].label} may not be negative", span=search.span)
            axes.setdefault(k, {}).update(dict.fromkeys(values))
    if not axes:
        hint = "the model has no random effects"
        raise CommandError(198, "option startgrid() not allowed", span=option.span, hint=hint)
    nodes = 1
    for tried in axes.values():
        nodes *= len(tried)
    if nodes > _MOST_NODES:
        hint = "name the variances to search, startgrid(_cons[id]), or give fewer values"
        raise CommandError(198, f"startgrid() asks for {nodes:,} nodes", span=option.span, hint=hint)
    return tuple(GridAxis(int(positions[k]), tuple(tried)) for k, tried in axes.items())


def _target(target: GridTarget, addresses: Mapping[str, int]) -> int:
    if target.residual:
        name, shown = f"/var(e.{target.residual})", f"e.{target.residual}"
    else:
        words = [f"{effect}[{level}]" for effect, level in target.effects]
        same = len(words) == 2 and words[0] == words[1]
        name = f"/cov({words[0]},{words[1]})" if len(words) == 2 and not same else f"/var({words[0]})"
        shown = "*".join(words)
    if name not in addresses:
        known = [_as_target(address) for address in addresses if address.startswith(("/var", "/cov"))]
        raise CommandError(111, f"{shown} not found", span=target.span, hint=closest(shown, known))
    return addresses[name]


def _as_target(address: str) -> str:
    """``/cov(x[id],_cons[id])`` as a grid has it, ``x[id]*_cons[id]``."""
    return address[len("/var(") : -1].replace("],", "]*")


def grid_name(parameter: Parameter) -> str:
    """A variance, covariance or residual variance as `startgrid()` names it: ``x[id]*_cons[id]``.

    One that several effects share has the name of the first ones.
    """
    match = COMPONENT.fullmatch(parameter.name)
    assert match is not None
    if parameter.role == "residual":
        return match["inside"]
    effects = [(e["names"].strip(",").split(), e["path"]) for e in EFFECT.finditer(match["inside"])]
    if match["what"] == "cov" and len(effects) == 1:
        (first, second, *_), path = effects[0]
        return f"{first}[{path}]*{second}[{path}]"
    return "*".join(f"{names[0]}[{path}]" for names, path in effects)
