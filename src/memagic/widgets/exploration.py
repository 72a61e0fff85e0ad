"""What the start-grid explorer asks of a model: values and functions, handed in from above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol

__all__ = ["Axis", "Component", "Estimated", "Exploration", "Node", "Search", "Step", "Texts"]


class Estimated(Protocol):
    """A fitted model, as far as it is shown here."""

    @property
    def converged(self) -> bool: ...

    @property
    def llf(self) -> float: ...

    def to_html(self) -> str: ...

    def to_text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Component:
    """A variance, covariance or residual variance that a grid may vary.

    Attributes
    ----------
    name : str
        As `startgrid()` writes it: ``_cons[district]``, ``1.urban[district]*_cons[district]``.
    address : str
        As `_b[]` and `from()` write it: ``/var(_cons[district])``.
    covariance : bool
    start : float
        Where the model starts without a grid.
    """

    name: str
    address: str
    covariance: bool
    start: float


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that a grid tries for the component at one place."""

    component: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the grid, numbered as in the iteration log; node 0 is the start itself.

    Attributes
    ----------
    number : int
    values : tuple of float
        Of all components, in their order.
    """

    number: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One iteration of the maximizer.

    Attributes
    ----------
    number : int
    log_likelihood : float
    values : tuple of float
        Of all components there.
    remark : str
        "not concave", "backed up" or nothing.
    """

    number: int
    log_likelihood: float
    values: tuple[float, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """What to type for the same grid, and for a start at one of its nodes.

    Attributes
    ----------
    startgrid, from_ : str
        The options alone.
    with_startgrid, with_from : str
        The whole command with each.
    """

    startgrid: str
    from_: str
    with_startgrid: str
    with_from: str


@dataclass(frozen=True, slots=True)
class Exploration:
    """A model whose start can be explored.

    Attributes
    ----------
    command : str
        Without what is said of the start.
    components : tuple of Component
    axes : tuple of Axis
        To begin with.
    nodes : callable
        All nodes of a grid with these axes, node 0 first.
    value : callable
        The log likelihood at a node, nan where it is not feasible.
    fit : callable
        Maximizes from a node. Given the node, a function that takes each line of the iteration log
        and one that takes each step. Where these raise KeyboardInterrupt it ends in `Break`, with the
        estimates so far.
    texts : callable
        What to type for a grid and a node.
    keep : callable or None
        Makes a result the last estimates; None where nothing remembers any.
    """

    command: str
    components: tuple[Component, ...]
    axes: tuple[Axis, ...]
    nodes: Callable[[Sequence[Axis]], tuple[Node, ...]]
    value: Callable[[Node], float]
    fit: Callable[[Node, Callable[[str], None], Callable[[Step], None]], Estimated]
    texts: Callable[[Sequence[Axis], Node], Texts]
    keep: Callable[[Estimated], None] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What is known so far of a grid.

    Attributes
    ----------
    components : tuple of Component
    axes : tuple of Axis
    nodes : tuple of Node
    values : mapping of int to float
        The log likelihood by the node's number, nan where it is not feasible; of the nodes so far.
    steps : tuple of Step
        The maximizer's path.
    """

    components: tuple[Component, ...]
    axes: tuple[Axis, ...] = ()
    nodes: tuple[Node, ...] = ()
    values: Mapping[int, float] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @property
    def best(self) -> int | None:
        """The number of the node with the largest log likelihood, the first of equals."""
        feasible = {number: value for number, value in self.values.items() if isfinite(value)}
        return max(feasible, key=lambda number: (feasible[number], -number)) if feasible else None
