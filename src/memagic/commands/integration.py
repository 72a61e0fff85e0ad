"""Option intmethod(): what each of its words asks of the engine, and where it is allowed."""

from __future__ import annotations

from typing import cast, get_args

from memagic.engine.nodes import Method
from memagic.errors import CommandError
from memagic.models import ModelKind
from memagic.spec.tree import Command

__all__ = ["check_integration", "integration_method", "is_crossed"]

# Modes and curvatures come from eliminating the lowest level first, cluster by cluster, which is the
# hierarchical decomposition of Pinheiro and Chao (2006), whatever the method is called.
_PINHEIRO_CHAO: dict[str, Method] = {"pcaghermite": "mcaghermite", "pclaplace": "laplace"}

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
