"""Where a call can be read in several documented ways: the reading under which a function is right, if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from graders._adapters.loosely import EPS_IS_SMALL, noted, where_eps_is_small
from graders._adapters.own_eps import with_usual_sizes
from graders._adapters.tensors import SINGLE
from graders.harness.cases import Case, signature
from graders.harness.judge import Judged, Session, judge
from graders.harness.key import AnswerKey
from graders.harness.patterns import rounded
from graders.harness.plans import Binding
from graders.harness.sandbox.contract import Killed, TimedOut
from graders.harness.sandbox.parent import CannotStart
from graders.harness.verdict import decide

_BEST = ("correct", "convention", "unstable", "review", "inexact")
"""Verdicts by which a reading is preferred to another; all others are alike."""
ANSWERED = ("convolution", "normalization", "pooling")
"""Topics in which what is not written for pairs, or for images, raises: an answer is meant as one."""
TWO_AXES, ONE_AXIS = "takes at most two axes: judged on those", "takes vectors alone: judged on those"


def settled(bindings: Sequence[Binding], session: Session, key: AnswerKey) -> tuple[list[Binding], list[str]]:
    """Return the readings that functions are to be judged by, and what is said of those that are not judged.

    A gradient is read as its own function is, where that is right: halves of two definitions are a mistake.
    """
    chosen: list[Binding] = []
    notes: list[str] = []
    senses: dict[str, str] = {}
    for binding in bindings:  # in the catalogue's order: a function comes before its gradient
        owner = binding.function.rpartition(".")[0]
        try:
            read = with_usual_sizes(_of_fewer_axes(binding))
            best, rank, note = _settled(_in_sense(read, senses.get(owner, "")), session, key)
        except CannotStart:
            raise
        except Exception:  # ours: where it fails again in earnest, this function is unscored, and no other
            best, rank, note = replace(binding, others=()), len(_BEST), ""
        notes += [note] if note else []
        chosen += [best] if best is not None else []
        if best is not None and best.sense and not best.exercise.forward and rank < len(_BEST):
            senses[owner] = best.sense
    return chosen, notes


def _of_fewer_axes(binding: Binding) -> Binding:
    """Return the binding of an activation that may have been written for tables, or a step for vectors, as such, too.

    An activation that is called as the catalogue's is asked of three axes, unless its axis is written into its text;
    where it raises for them, it is one of tables. Any other call shape was made for tables.
    """
    if binding.exercise.topic == "optimizers" and binding.typed is not None:
        return replace(binding, others=(*binding.others, noted(_at_most(binding, 1), ONE_AXIS)))
    if binding.exercise.topic != "activations":
        return binding
    made = [one if one.typed is not None and "axis" not in one.held else _at_most(one, 2)
            for one in (replace(binding, others=()), *binding.others)]  # fmt: skip
    if made[0].typed is not None and "axis" not in signature(binding.exercise.reference).hyperparameters:
        made.append(noted(_at_most(made[0], 2), TWO_AXES))
    return replace(made[0], others=tuple(made[1:]))


def _at_most(binding: Binding, axes: int) -> Binding:
    def fits(case: Case) -> bool:
        given = [case.arguments["params"]] if "params" in case.arguments else case.arguments.values()
        return binding.accepts(case) and all(np.ndim(value) <= axes for value in given)

    return replace(binding, accepts=fits, others=())


def _in_sense(binding: Binding, sense: str) -> Binding:
    """Return the readings of a gradient that are in the sense of its function: all, if none is, but for doubtful ones.

    Then its name means one thing only, and it is judged by that.
    """
    every = (replace(binding, others=()), *binding.others)
    sure = tuple(one for one in binding.others if not (one.doubtful and one.exercise.forward))
    meant = [one for one in every if one.exercise.forward and one.sense.startswith(sense)] if sense else []
    return replace(meant[0], others=tuple(meant[1:]), vague=False) if meant else replace(binding, others=sure)


def _settled(binding: Binding, session: Session, key: AnswerKey) -> tuple[Binding | None, int, str]:
    """Return the reading that the function is to be judged by: the first that is right on all cases, else the nearest.

    It is judged once more in earnest afterwards; nothing that is found here pays. An object whose eps is written into
    its text and is not ours cannot be told from one that is nearly right: it is a note instead.
    """
    own = "eps" in binding.held and "." in binding.function and binding.typed is None
    if not binding.others and not own and not binding.vague:
        return binding, 0, ""
    best, least = replace(binding, others=()), (len(_BEST) + 1, 2.0)
    whole: Judged | None = None
    for reading in (best, *binding.others):
        if whole is not None and reading.exercise is binding.exercise and _hides(reading, whole):
            continue
        judged = judge(session, reading, key)
        whole = whole or judged
        worth = _worth(reading, judged, key)
        if worth < least and (worth[0] < len(_BEST) or not reading.doubtful):
            best, least = reading, worth
        if least[0] == 0 or isinstance(judged.ended, (TimedOut, Killed)):
            break  # what does not return, or dies, does so however it is read
    blank = whole is not None and whole.untouched and all(c.problem for c in whole.comparisons)  # zeros are an answer
    if binding.vague and least[0] == len(_BEST) and not blank:
        names = " or ".join(dict.fromkeys(reading.exercise.name for reading in (binding, *binding.others)))
        why = f"{binding.function} is not judged: its name may mean many things, and it is not {names}"
        return None, least[0], why
    inexact = _BEST.index("inexact")
    if own and least[0] > inexact and not binding.exercise.name.startswith("activations."):
        small = where_eps_is_small(best)
        least = min(least, _worth(small, judge(session, small, key), key))
    own = own or best.note.endswith(EPS_IS_SMALL)
    if own and least[0] == inexact:
        return None, least[0], f"{binding.function} is not judged: its eps cannot be set, and is not ours"
    return best, least[0], ""


def _hides(reading: Binding, whole: Judged) -> bool:
    """Return whether a reading leaves out a kind of case of which the function gets most right: the rest are mistakes.

    What fails for a whole kind, such as images with a mean for each channel, it was not written for; but a layer that
    answers a whole kind, in the right shape, was: strides told as a pair of which it takes one, images that it
    normalizes as a table; an activation that gives anything at all for three axes, or a step that does for a matrix.
    """
    if reading.note.endswith((TWO_AXES, ONE_AXIS)):
        return any(not (c.raised or reading.accepts(c.case)) for c in whole.comparisons)
    kinds: dict[tuple[object, ...], list[tuple[bool, bool]]] = {}
    for c in whole.comparisons:
        if not (c.case.extreme or c.case.special or reading.accepts(c.case)):
            axes = (np.ndim(value) for value in c.case.arguments.values() if isinstance(value, np.ndarray))
            pairs = (isinstance(value, tuple) for value in c.case.hyperparameters.values())
            kinds.setdefault((*axes, *pairs), []).append((not c.failed, not c.problem))
    right = [[one for one, _ in kind] for kind in kinds.values()]
    answered = reading.exercise.topic in ANSWERED and "eps" not in reading.held and not reading.note.endswith(SINGLE)
    wrong = answered and any(2 * sum(taken for _, taken in kind) > len(kind) for kind in kinds.values())
    return wrong or any(len(kind) / 2 < sum(kind) < len(kind) for kind in right)


def _worth(reading: Binding, judged: Judged, key: AnswerKey) -> tuple[int, float]:
    """Return how far a reading is from right: the rank of its verdict, and the share of cases that fail."""
    ordinary = [c for c in judged.comparisons if not c.case.extreme]
    if judged.ended is not None or not ordinary:
        return len(_BEST), 1.5
    if judged.untouched:
        return len(_BEST), 0.99  # rather a starter than what cannot take these arguments at all
    failing = [c for c in ordinary if c.failed]
    share = sum(2.0 if c.raised else 1.0 for c in failing) / len(ordinary) / 2
    hopeless = failing and not reading.exercise.conventions and "eps" not in reading.held
    if any(c.problem for c in failing) or (hopeless and not rounded(ordinary)):
        return len(_BEST), share
    verdict = decide(reading, key, judged).verdict
    return _BEST.index(verdict) if verdict in _BEST else len(_BEST), share
