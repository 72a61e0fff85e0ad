"""Options intmethod() and intpoints(): what they ask of the engine, and where they are allowed."""

from __future__ import annotations

from typing import cast, get_args

from memagic.engine.crossed.nested import dimensions, nested_problem
from memagic.engine.fit import Settings
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.engine.quadrature import affordable
from memagic.errors import CommandError
from memagic.models import ModelKind
from memagic.spec.tree import Command

__all__ = [
    "check_integration",
    "check_nodes",
    "crossed_notes",
    "integration_method",
    "is_crossed",
    "too_many_nodes",
]

# Modes and curvatures come from eliminating the lowest level first, cluster by cluster, which is the
# hierarchical decomposition of Pinheiro and Chao (2006), whatever the method is called.
_PINHEIRO_CHAO: dict[str, Method] = {"pcaghermite": "mcaghermite", "pclaplace": "laplace"}

_IMPLIED = (
    "note: crossed random-effects model specified; option intmethod(laplace)",
    "      implied.",
)

# Columns of indicators are not made for more.
_MOST_DIMENSIONS = 500

# The models that have them: manual [ME] meglm, Options, 'intmethod()'.
_ALLOWED = {("bernoulli", "logit"), ("binomial", "logit"), ("poisson", "log")}


def is_crossed(command: Command) -> bool:
    """Whether any of the random-effects equations is R.varname."""
    return any(equation.factor is not None for equation in command.random)


def integration_method(command: Command) -> Method:
    """The engine's method for a command; without the option it depends on whether effects are crossed."""
    option = command.options.get("intmethod")
    if option is None:
        return "laplace" if is_crossed(command) else "mvaghermite"
    word = str(option.value)
    method = _PINHEIRO_CHAO.get(word, word)
    assert method in get_args(Method)
    return cast("Method", method)


def check_integration(command: Command, kind: ModelKind) -> None:
    """Refuse the methods of Pinheiro and Chao where the model does not have them.

    Raises
    ------
    CommandError
        r(198), with the family, and the link where that is at fault.
    """
    option = command.options.get("intmethod")
    if option is None or option.value not in _PINHEIRO_CHAO or (kind.family, kind.link) in _ALLOWED:
        return
    family = f"family({kind.family})"
    if kind.family in {allowed for allowed, _ in _ALLOWED}:
        family = f"{family} link({kind.link})"
    raise CommandError(
        198,
        f"intmethod({option.value}) is not allowed with {family}",
        span=option.span,
        hint=f"intmethod({_PINHEIRO_CHAO[str(option.value)]}) is the same computation, for every family",
    )


def crossed_notes(command: Command, settings: Settings, problem: Problem) -> tuple[str, ...]:
    """What is said of crossed effects before the fit: the method implied, or the nodes of quadrature."""
    if not is_crossed(command):
        return ()
    if "intmethod" not in command.options:
        return _IMPLIED
    if problem.family.closed_form or settings.method == "laplace":
        return ()
    q, points = dimensions(problem), settings.n_points
    nodes = _shown(points**q)
    return (f"note: {points} points in each of {q} dimensions make {nodes} nodes an observation.",)


def check_nodes(command: Command, settings: Settings, problem: Problem) -> None:
    """Refuse rules that ask for more time or memory than there is, before starting.

    Raises
    ------
    CommandError
        r(198), with the number of nodes.
    """
    if problem.structure is None or problem.family.closed_form or settings.method == "laplace":
        return
    q, points = dimensions(problem), settings.n_points
    if q > _MOST_DIMENSIONS or not affordable(nested_problem(problem), points):
        raise too_many_nodes(command, q, points)


def too_many_nodes(command: Command, q: int, points: int) -> CommandError:
    """So many points in each of q dimensions ask for too much."""
    option = command.options.get("intpoints")
    return CommandError(
        198,
        f"{points} points in each of {q} dimensions make {_shown(points**q)} nodes an observation",
        span=command.random[0].span if option is None else option.span,
        hint="fewer points with intpoints(), or intmethod(laplace)",
    )


def _shown(count: int) -> str:
    """A count with commas, or as a power of ten where it is long."""
    return f"{count:,}" if count < 10**15 else f"10^{len(str(count)) - 1}"
