"""Schedules of the learning rate as classes: the constructor takes the settings, and a method the step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from graders._adapters import known_as, named
from graders._adapters.objects import IT, Klass
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Typed
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call
from graders.harness.sandbox.contract import Function as Found

NAMES = ("optimizers.cosine_lr", "optimizers.exponential_lr", "optimizers.step_lr")
METHODS = ("get_lr", "get_learning_rate", "lr_at", "__call__")
_AFTER_A_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_AFFIX = re.compile(r"_?schedul(e|er)$|_?decay(er)?$")


def exercise_of(klass: Klass) -> str:
    """Return the schedule that a class's name stands for, as a function of that name would be read, or ""."""
    words = _AFTER_A_WORD.sub("_", klass.found.tail).lower()
    forms = (words, _AFFIX.sub("", words))
    known = ((name, known_as.RENAMED[name], name.partition(".")[2]) for name in NAMES)
    return next((name for name, p, tail in known if any(p.fullmatch(f) or f == tail for f in forms)), "")


def bind(klass: Klass, exercises: Mapping[str, Exercise]) -> tuple[list[Binding], str] | None:
    """Bind a schedule as a function of the step and of what its constructor takes, or say why not; None for others."""
    name, method = exercise_of(klass), klass.method(*METHODS)
    steps = [p for p in (method.parameters if method else None) or () if p[2] and p[1] == "positional"]
    if name not in exercises or method is None or len(steps) != 1:
        return None
    settings = tuple((setting, "keyword", must) for setting, must in klass.takes)
    fitting, note = named.fitted(exercises[name], Found(klass.name, (*steps, *settings), klass.found.own))
    if fitting is None:
        return [], note
    whole, typed = fitting, fitting.typed

    def plan(case: Case) -> tuple[Call, ...]:
        (call,) = whole.plan(case)
        step = call.keywords.get(steps[0][0], *call.arguments)
        told = {setting: value for setting, value in call.keywords.items() if setting != steps[0][0]}
        made = Call(klass.name, (), told, read=(), keep=IT)
        return made, Call(f"{klass.name}.{method.tail}", (Kept(IT), step))

    def as_typed(case: Case) -> Typed:
        assert typed is not None
        settings = typed(case).call.partition("(")[2].partition(", ")[2]
        return Typed(f"{klass.found.tail}({settings}.{method.tail}(step)")

    read = f"its name is read as {name}"
    return [
        replace(
            whole,
            plan=plan,
            outputs=lambda case, returned: whole.outputs(case, returned[1:]),
            typed=as_typed,
            note="; ".join(filter(None, [read, whole.note])),
            vague=True,
        )
    ], ""
