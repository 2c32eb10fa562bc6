"""Which adapter a class of a submission belongs to, by its name."""

from __future__ import annotations

from collections.abc import Mapping

from graders._adapters import criteria, layers, lists, random_masks, schedules, steppers
from graders._adapters.objects import Ask, Klass, kind_of
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding


def bind(
    klass: Klass, exercises: Mapping[str, Exercise], undemanded: Mapping[str, Exercise], ask: Ask
) -> tuple[list[Binding], str] | None:
    """Bind a class to the exercises that it answers, or say why not; None if its name says nothing.

    What nobody asked for by name may follow another definition.
    """
    layer = kind_of(klass.found.tail, layers.KINDS)
    if layer is not None and klass.method(*layers.FORWARD) is not None:
        return layers.bind(klass, layers.KINDS[layer], exercises, ask)
    if kind_of(klass.found.tail, random_masks.KINDS) is not None and klass.method(*layers.FORWARD) is not None:
        made, note = random_masks.bind_layer(klass, exercises, ask)
        names = [name for name, _ in klass.takes]
        return [random_masks.also(b, names) if b.exercise.name in undemanded else b for b in made], note
    loss = kind_of(klass.found.tail, criteria.KINDS)
    if loss is not None and klass.method(*criteria.FORWARD) is not None:
        made, note = criteria.bind(klass, loss, exercises, ask)
        return [lists.also(b, klass.found, ask) if b.exercise.name in undemanded else b for b in made], note
    optimizer = kind_of(klass.found.tail, steppers.KINDS)
    if optimizer is not None and klass.method(*steppers.METHODS) is not None:
        return steppers.bind(klass, optimizer, exercises, ask)
    return schedules.bind(klass, undemanded) if klass.found.own else None
