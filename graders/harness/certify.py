"""Where proof meets code: the proved expression's value as the truth, and the reference held against it."""

from __future__ import annotations

import importlib
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from graders.harness import arithmetic
from graders.harness.answers import AGREEMENT, Answer, agree, exact_outputs, plain_outputs
from graders.harness.cases import Case, dtypes, signature
from graders.harness.compare import compare
from graders.harness.exercise import Exercise, Function
from graders.harness.key import AnswerKey, Proved
from graders.harness.plans import Outputs, WrongKind, run_plain
from graders.harness.sandbox.codec import Record

WORSE_BY_ULP, WORSE_BY_SHARE = 0.5, 1.1
"""How much larger the largest error must be than another revision's, in ulps and as a share of what is allowed."""

_evaluating = threading.Lock()
"""The evaluator computes in mpmath's one global context."""


class Certificate(Struct, frozen=True):
    """How exact a reference is in one dtype, PyTorch's own function beside it (None where there is none)."""

    name: str
    dtype: str
    max_ulp: float
    max_error_over_allowed: float
    torch_max_ulp: float | None
    torch_max_error_over_allowed: float | None
    cases: int
    proved_cases: int
    """Cases on which the proved expression and the reference text agree to 25 digits and more."""
    against_max_ulp: float | None = None
    """Of another revision's reference, on the same cases; None where it has no such function, or none is asked for."""
    against_max_error_over_allowed: float | None = None

    @property
    def is_worse(self) -> bool:
        """Return whether the reference is less exact than the other revision's.

        The last bits of a sum hang on its order, and the largest of many errors moves a little with them; so both the
        ulps and the share of what is allowed must have grown by more than that.
        """
        if self.against_max_ulp is None or self.against_max_error_over_allowed is None:
            return False
        ulp, share = self.max_ulp - self.against_max_ulp, self.max_error_over_allowed
        return ulp > WORSE_BY_ULP and share > WORSE_BY_SHARE * self.against_max_error_over_allowed


class Disagreement(ArithmeticError):
    """The proved expression and the reference text have different values: one of them is not what it says."""


def _nested(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _arguments(case: Case) -> dict[str, Any]:
    """Return what a claim's evaluator takes: nested lists, labels as distributions, a state's fields beside them."""
    given: dict[str, Any] = {}
    for name, value in case.arguments.items():
        if isinstance(value, Record):
            given |= {field: _nested(part) for field, part in value.fields.items()}
        elif isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            width = next(v.shape[-1] for k, v in case.arguments.items() if k != name and isinstance(v, np.ndarray))
            classes = case.arguments["W"].shape[-1] if "W" in case.arguments else width
            given[name] = np.eye(classes)[value].tolist()
        else:
            given[name] = _nested(value)
    if "grad" in given:  # a claim about a loop speaks of all its gradients: here there is one
        given["grads"] = [given["grad"]]
    return given | dict(case.hyperparameters)


def _as_array(nested: Any, digits: int) -> Any:
    if isinstance(nested, int):
        return nested
    context = arithmetic.context(digits)
    shape: list[int] = []
    probe = nested
    while isinstance(probe, (list, tuple)):
        shape.append(len(probe))
        probe = probe[0] if probe else 0
    flat: list[Any] = [nested]
    for _ in shape:
        flat = [item for row in flat for item in row]
    return arithmetic.objects([context.make_mpf(context.convert(x)._mpf_) for x in flat], tuple(shape))


def proved(exercise: Exercise) -> Proved | None:
    """Return the evaluator of the claims that back a function: of a case, by the first that covers it.

    One of them bears the exercise's name; None if there is none.
    """
    from derivations import _kernel as kernel
    from derivations._catalogue import claims

    known = claims()
    if not isinstance(known.get(exercise.name), kernel.Claim | kernel.Induction):
        return None
    others = (claim for name, claim in known.items() if name != exercise.name)
    backing = [known[exercise.name], *(c for c in others if isinstance(c, kernel.Claim) and c.backs == exercise.name)]
    values = [_value(exercise, claim) for claim in backing]

    def first(case: Case, digits: int) -> Outputs | None:
        return next((found for value in values if (found := value(case, digits)) is not None), None)

    return first


def _value(exercise: Exercise, claim: Any) -> Proved:
    """Return the evaluator of one claim: None where it does not cover a case, or its formula divides by zero there."""
    from derivations import _kernel as kernel

    ranks = {argument.name: len(argument.shape) for argument in claim.arguments}
    defaults = {name: default for name, (_, default) in signature(exercise.reference).hyperparameters.items()}
    one_step = exercise.unrolled and isinstance(claim, kernel.Claim)

    def value(case: Case, digits: int) -> Outputs | None:
        arguments = _arguments(case)
        # what a claim does not speak of must be as if it were not there: at its default
        spoken = {k: v for k, v in case.hyperparameters.items() if k in claim.covers or k in ranks}
        silent = {k: v for k, v in case.hyperparameters.items() if k not in spoken}
        if any(v != defaults[k] for k, v in silent.items()) or not kernel.covers(claim, spoken):
            return None
        shapes = {np.shape(v) for v in case.arguments.values()}
        elementwise = len(shapes) == 1 and max(ranks.values()) == 1 and not exercise.unrolled
        if elementwise:  # proved for a vector of any length, so for the entries of any array
            arguments |= {name: np.ravel(v).tolist() for name, v in case.arguments.items()}
        if any(np.ndim(arguments[name]) != rank for name, rank in ranks.items() if name in arguments):
            return None
        try:
            with _evaluating:
                made = (_stepped if one_step else kernel.evaluate)(claim, arguments, digits)
        except ZeroDivisionError:
            return None
        arrays = {name: _as_array(nested, digits) for name, nested in made.items()}
        if set(arrays) == {"params"} and not exercise.unrolled:
            arrays = {"": arrays["params"][0]}
        if elementwise:
            (shape,) = shapes
            arrays = {name: a.reshape(shape) if np.ndim(a) else a for name, a in arrays.items()}
        return arrays

    return value


def _stepped(claim: Any, arguments: dict[str, Any], digits: int) -> dict[str, Any]:
    """Return what a claim about one step makes of all gradients: the parameters after each, the state at the end."""
    from derivations import _kernel as kernel

    state, params = arguments, []
    for grad in arguments["grads"]:
        state = state | kernel.evaluate(claim, state | {"grad": grad}, digits)
        params.append(state["params"])
    return {part.output: state[part.output] for part in claim.parts} | {"params": params}


def confirm(exercise: Exercise, case: Case, value: Proved) -> bool:
    """Return whether a claim covers a case; raise `Disagreement` if its value there is not the reference text's."""
    digits = 100
    truth = value(case, digits)
    if truth is None:
        return False
    text = exact_outputs(exercise, exercise.text, case, digits)
    context = arithmetic.context(digits)
    for name, expected in text.items():
        one, two = np.ravel(np.asarray(truth[name], dtype=object)), np.ravel(np.asarray(expected, dtype=object))
        scale = max((abs(x) for x in two), default=0) or 1  # where all is zero, one text may round on its way there
        small = scale * context.mpf(10) ** (AGREEMENT - digits)
        if np.shape(truth[name]) != np.shape(expected) or not all(
            agree(a, b, context) or abs(a - b) <= small for a, b in zip(one, two, strict=True)
        ):
            raise Disagreement(f"{exercise.name} on case {case.id} ({case.origin}): output {name!r}")
    return True


Other = Callable[[Case], Outputs]


def certificates(
    exercise: Exercise, key: AnswerKey, value: Proved | None, against: Other | None = None
) -> list[Certificate]:
    """Return the exactness of a reference in each dtype, over all its cases; beside `against`, another's outputs."""
    torch = library("torch") if "torch" in exercise.rivals else None
    made = []
    for dtype in dtypes(exercise):
        cases = [case for case in key.cases(exercise) if case.dtype == dtype]
        ours = _worst(exercise, cases, key, lambda case: plain_outputs(exercise, exercise.reference, case))
        rival = exercise.rivals.get("torch")
        theirs: tuple[float | None, float | None] = (None, None)
        if torch is not None and rival is not None:
            theirs = _worst(exercise, cases, key, lambda case: _rival_outputs(exercise, rival, torch, case))  # noqa: B023
        confirmed = 0 if value is None else sum(confirm(exercise, case, value) for case in cases)
        other: tuple[float | None, float | None] = (None, None)
        if against is not None:
            other = _worst_of_another(exercise, cases, key, against)
        made.append(Certificate(exercise.name, dtype, *ours, *theirs, len(cases), confirmed, *other))
    return made


def _worst_of_another(exercise: Exercise, cases: Sequence[Case], key: AnswerKey, outputs: Other) -> tuple[float, float]:
    """Return how exact another program is: one that fails, or returns what is not of the right kind, is not at all."""
    try:
        return _worst(exercise, cases, key, outputs)
    except (Disagreement, WrongKind):
        return math.inf, math.inf


def library(name: str) -> Any:
    """Return a library that a rival is written for, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def rival_function(rival: Function, library: Any) -> Function:
    """Return a library's own function in the signature of the reference."""
    return lambda *arguments, **keywords: rival(library, *arguments, **keywords)


def _rival_outputs(exercise: Exercise, rival: Function, library: Any, case: Case) -> Outputs:
    return {k: np.asarray(v) for k, v in run_plain(exercise, rival_function(rival, library), case).items()}


def _worst(
    exercise: Exercise, cases: Sequence[Case], key: AnswerKey, outputs: Callable[[Case], Outputs]
) -> tuple[float, float]:
    ulp = ratio = 0.0
    for case in cases:
        answer = key.find(exercise, case)
        assert isinstance(answer, Answer)
        result = compare(case, answer, outputs(case))
        if result.problem:
            raise Disagreement(f"{exercise.name} on case {case.id} ({case.origin}): {result.problem}")
        ulp, ratio = max(ulp, result.worst_ulp), max(ratio, result.ratio)
    return ulp, ratio
