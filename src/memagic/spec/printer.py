"""A syntax tree back to text, in one canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.spec.expression import BINARY_PRECEDENCE
from memagic.spec.tree import (
    Binary,
    Call,
    Covariance,
    Estimated,
    GridSearch,
    GridTarget,
    Indexed,
    InitialValues,
    Name,
    Number,
    StartMethod,
    String,
    Technique,
    Unary,
    VarianceEstimator,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memagic.spec.tree import Command, Expression, Factor, Option, Term

__all__ = ["expression_text", "term_text", "unparse"]

_SIGN, _ATOM = 6, 8


def unparse(command: Command) -> str:
    """The command in full words on one line; reading it again gives an equal tree.

    Parameters
    ----------
    command : Command
        The syntax tree.

    Returns
    -------
    str
        Options of the whole command come last.
    """
    fixed = command.fixed
    words = [command.name, command.depvar.variable, *map(term_text, fixed.terms)]
    if fixed.condition is not None:
        words += ["if", expression_text(fixed.condition)]
    if fixed.rows is not None:
        words += ["in", f"{fixed.rows.first}/{fixed.rows.last}"]
    if fixed.weight is not None:
        words.append(f"[{fixed.weight.kind}={expression_text(fixed.weight.expression)}]")
    parts = [" ".join(words)]
    options = [[*fixed.options.values()]]
    for equation in command.random:
        inside = [f"R.{equation.factor}"] if equation.factor else [*map(term_text, equation.terms)]
        parts.append(" ".join([f"{equation.level}:", *inside]))
        options.append([*equation.options.values()])
    options[-1] += command.options.values()
    return " || ".join(_with_options(part, own) for part, own in zip(parts, options, strict=True))


def _with_options(part: str, options: list[Option]) -> str:
    return f"{part}, {' '.join(map(_option_text, options))}" if options else part


def _option_text(option: Option) -> str:
    if option.value is True:
        return option.name
    if option.name == "startgrid" and isinstance(option.value, tuple):
        return " ".join(map(_grid_text, option.value))
    return f"{option.name}({_value_text(option.value)})"


def _grid_text(grid: GridSearch) -> str:
    inside = [*map(_number_text, grid.values), *map(_target_text, grid.targets)]
    return f"startgrid({' '.join(inside)})" if inside else "startgrid"


def _target_text(target: GridTarget) -> str:
    if target.residual:
        return f"e.{target.residual}"
    return "*".join(f"{effect}[{level}]" for effect, level in target.effects)


def _initial_text(initial: InitialValues) -> str:
    pairs = [f"{item.name} = {_number_text(item.value)}" for item in initial.values]
    tail = [word for word, given in (("skip", initial.skip), ("copy", initial.copy)) if given]
    return " ".join(pairs or [initial.matrix]) + (f", {' '.join(tail)}" if tail else "")


def _start_text(start: StartMethod) -> str:
    return start.name if start.iterations is None else f"{start.name}, iterate({start.iterations})"


def _value_text(value: object) -> str:
    match value:
        case Covariance():
            return value.kind if value.matrix is None else f"{value.kind}({value.matrix})"
        case VarianceEstimator():
            return value.kind if value.cluster is None else f"{value.kind} {value.cluster}"
        case Technique():
            return f"{value.name} {value.iterations}"
        case StartMethod():
            return _start_text(value)
        case InitialValues():
            return _initial_text(value)
        case tuple():
            return " ".join(map(_value_text, value))
        case float():
            return _number_text(value)
        case _:
            return str(value)


def term_text(term: Term) -> str:
    """A term with the operators that a reader needs: `age`, `i.urban`, `i.a#c.x`, `L2.x`."""
    if len(term.operands) == 1 and term.operands[0].kind == "c" and term.operands[0].omitted is None:
        return term.operands[0].variable
    return "#".join(map(_factor_text, term.operands))


def _factor_text(factor: Factor) -> str:
    return f"{_operator_text(factor)}{factor.time}.{factor.name}"


def _operator_text(factor: Factor) -> str:
    """The factor-variable operator without its period."""
    if factor.kind == "c":
        return "c" if factor.omitted is None else "co"
    if factor.omitted is not None:
        return f"io({_numbers_text(factor.omitted)})"
    if factor.levels is not None:
        levels = _numbers_text(factor.levels)
        return levels if len(factor.levels) == 1 else f"i({levels})"
    match factor.base:
        case None:
            return "i"
        case "none":
            return "ibn"
        case ("order", position):
            return f"ib(#{position})"
        case float():
            return f"ib{_number_text(factor.base)}"
        case _:
            return f"ib({factor.base})"


def _numbers_text(numbers: Iterable[float]) -> str:
    return " ".join(map(_number_text, numbers))


def _number_text(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def expression_text(tree: Expression, lowest: int = 1) -> str:
    """An expression with the parentheses it needs where an operator of precedence `lowest` is due."""
    match tree:
        case Number():
            return tree.missing if tree.missing is not None else _number_text(tree.value)
        case String():
            return f'`"{tree.value}"\'' if '"' in tree.value else f'"{tree.value}"'
        case Name():
            return tree.name
        case Indexed():
            return f"{tree.name}[{expression_text(tree.index)}]"
        case Estimated():
            return f"e({tree.name})" if tree.kind == "e" else f"{tree.kind}[{tree.name}]"
        case Call():
            return f"{tree.function}({', '.join(map(expression_text, tree.arguments))})"
        case Unary():
            if tree.operator == "!":
                return f"!{expression_text(tree.operand, _ATOM)}"
            text = f"{tree.operator}{expression_text(tree.operand, _SIGN)}"
            return text if lowest <= _SIGN else f"({text})"
        case Binary():
            text = _binary_text(tree)
            return text if lowest <= BINARY_PRECEDENCE[tree.operator] else f"({text})"


def _binary_text(tree: Binary) -> str:
    """A chain such as a + b + c leans left and may be long, so it is walked, not recursed into."""
    pieces: list[str] = []
    left: Expression = tree
    lowest = BINARY_PRECEDENCE[tree.operator]
    while isinstance(left, Binary) and BINARY_PRECEDENCE[left.operator] >= lowest:
        lowest = BINARY_PRECEDENCE[left.operator]
        pieces += [expression_text(left.right, lowest + 1), left.operator]
        left = left.left
    pieces.append(expression_text(left, lowest))
    return " ".join(reversed(pieces))
