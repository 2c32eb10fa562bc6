"""Early stopping as a class: an object that is told the losses one by one, and says when to stop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graders._adapters.objects import IT, Klass, got
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Function, Returned
from graders.harness.trials import Setting, Trial, TrialBinding

TRIAL = "regularization.early_stopping"
_NAME = re.compile(r"^_*early_?(stopping|stopper|stop)\w*$", re.IGNORECASE)
_METHODS = ("__call__", "step", "update", "check", "should_stop", "on_epoch_end", "check_early_stop", "stop")
_FLAGS = re.compile(r"^_*(early_?stop(ped)?|(should|must|to|do|is)_?stop(ped)?|stop(ped|_training)?|done|finished)$")
_PATIENCE = re.compile(r"^((max_)?patience|tolerance|wait|n_patience)$", re.IGNORECASE)
_LOSS = re.compile(r"^(\w*loss|metric|value|score|current|val_?\w*|validation_?\w*)$", re.IGNORECASE)
_WEIGHTS = re.compile(r"^(params|parameters|weights|w|theta|state)$", re.IGNORECASE)
_EPOCH = re.compile(r"^(epoch|step|i|t|iteration)$", re.IGNORECASE)
_DELTA = re.compile(r"^((min_)?delta|threshold|tol|eps|epsilon)$", re.IGNORECASE)
NOTE = "told the losses one by one: judged by when it stops"


def bind(klass: Klass, among: Mapping[str, Trial]) -> TrialBinding | None:
    """Bind a class that is told losses; None for any other, and where how it is called is not understood."""
    method = klass.method(*_METHODS)
    if TRIAL not in among or not klass.found.own or not _NAME.match(klass.found.tail) or method is None:
        return None
    roles = _roles(method)
    patience = next((name for name, _ in klass.takes if _PATIENCE.match(name)), "")
    if (
        roles is None
        or not patience
        or any(must and name != patience and not _DELTA.match(name) for name, must in klass.takes)
    ):
        return None
    deltas = {name: 0.0 for name, _ in klass.takes if _DELTA.match(name)}

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        keywords = {patience: setting.arguments["patience"], **deltas}
        calls = [Call(klass.name, (), keywords, read=(), keep=IT)]
        for epoch, loss in enumerate(setting.arguments["history"].fields["losses"]):
            given = {"loss": float(loss), "epoch": epoch, "weights": np.full(2, float(epoch))}
            calls.append(Call(f"{klass.name}.{method.tail}", (Kept(IT), *(given[role] for role in roles))))
            calls.append(got(("__dict__",)))
        return tuple(calls)

    return TrialBinding(among[TRIAL], klass.name, plan, _draw, seeded=False, note=NOTE)


def _roles(method: Function) -> list[str] | None:
    """Return what each argument that must be given is; None if one is not known, or none of them is a loss."""
    roles = []
    for name, kind, must in method.parameters or ():
        if kind == "positional" and must:
            kinds = (("loss", _LOSS), ("epoch", _EPOCH), ("weights", _WEIGHTS))
            role = next((role for role, pattern in kinds if pattern.match(name)), "")
            if not role:
                return None
            roles.append(role)
    return roles if "loss" in roles else None


def _draw(setting: Setting, returned: Sequence[Returned]) -> Any:
    """Return after how many epochs it says to stop: by a flag among its attributes, or by what it returns."""
    answers = [answer.values[0] for answer in returned[1::2]]
    held = [answer.values[0] for answer in returned[2::2]]
    flags = [name for name, value in (held[0] if isinstance(held[0], Mapping) else {}).items()
             if _FLAGS.match(name) and isinstance(value, bool)]  # fmt: skip
    says = [attributes.get(flags[0]) for attributes in held] if flags else answers
    if not all(isinstance(one, (bool, np.bool_)) for one in says):
        odd = next(one for one in says if not isinstance(one, (bool, np.bool_)))
        raise WrongKind(f"what it says after an epoch is {said(odd)}, expected whether to stop: True or False")
    stopped = next((epoch for epoch, stop in enumerate(says) if stop), len(says) - 1)
    return {"epochs": stopped + 1}
