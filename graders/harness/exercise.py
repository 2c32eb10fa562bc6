"""What a topic declares: one `Exercise` for each public name, its misconceptions and the edges of its domain."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from graders.harness.drawing import Source

Function = Callable[..., Any]


@dataclass(frozen=True)
class Edge:
    """One hand-chosen case: arguments by name, and why it is there.

    An `extreme` edge asks for stability: a formula that is right on paper may break there. Every other edge is an
    ordinary input, and failing it is failing the exercise. A `special` one has an answer so simple (zeros, ones) that
    it alone would let a lie pass; it is there for what divides by zero, or is off by a hidden constant.
    """

    why: str
    arguments: Mapping[str, Any]
    kind: Literal["ordinary", "extreme", "special"] = "ordinary"


def edge(why: str, **arguments: Any) -> Edge:
    """Return an ordinary input that random ones would miss."""
    return Edge(why, arguments)


def extreme(why: str, **arguments: Any) -> Edge:
    """Return an input on which only a stable formula survives."""
    return Edge(why, arguments, "extreme")


def special(why: str, **arguments: Any) -> Edge:
    """Return an ordinary input with an answer of zeros or ones, which formulas with a hole or a fudge miss."""
    return Edge(why, arguments, "special")


def with_signature_of(f: Function, wrong: Function) -> Function:
    """Give a mistake, which may take anything, the signature of the function that it is made in."""
    wrong.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
    return wrong


@dataclass(frozen=True, eq=False)
class Exercise:
    """Ties what belongs to one name, and repeats nothing.

    The name, the arguments, their shapes and domains come from the annotated signature of `reference`; what a student
    is told comes from the docstring of the misconception that fits. The claim that proves it bears the same name.

    Every function here has the signature of `reference`.
    """

    reference: Function
    misconceptions: tuple[Function, ...] = ()
    """Known mistakes: a verb phrase as name, as docstring what the student is told."""
    conventions: tuple[Function, ...] = ()
    """Right answers under another documented definition."""
    programs: tuple[Function, ...] = ()
    """Other formulations that a good engineer would write: they widen the allowed error and must be accepted."""
    edges: tuple[Edge, ...] = ()
    rivals: Mapping[str, Function] = field(default_factory=dict)
    """Other libraries' own functions, by the library's name: called with the library's module first."""
    draw: Callable[[Source, Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Draws the arguments, given the hyperparameters, where they hang together by more than the names of their axes."""
    lifted: Function | None = None
    """The reference once more in plain NumPy, where its own text cannot run on the harness's arrays."""
    unrolled: bool = False
    """The function is one step (params, grad, state) -> (params, state), and is judged on whole trajectories."""

    @property
    def text(self) -> Function:
        """Return the text that runs in every arithmetic."""
        return self.lifted or self.reference

    @functools.cached_property
    def topic(self) -> str:
        """Return the file in which the reference stands, `losses` for `losses.cross_entropy`."""
        module = self.reference.__module__.rpartition(".")[2]
        return "mine" if module == "__main__" else module

    @functools.cached_property
    def name(self) -> str:
        """Return the identity of the exercise everywhere: `losses.cross_entropy`."""
        return f"{self.topic}.{self.reference.__name__}"

    @property
    def forward(self) -> str | None:
        """Return the name whose gradient this is, or None if this is not a gradient."""
        for ending in ("_vjp", "_grad"):
            if self.name.endswith(ending):
                return self.name.removesuffix(ending)
        return None
