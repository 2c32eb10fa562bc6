"""Which of a function's parameters is which: arrays by order, hyperparameters by the names the field gives them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from graders._adapters.objects import SETTINGS
from graders.harness.cases import signature
from graders.harness.exercise import Exercise
from graders.harness.sandbox.contract import Function as Found


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^_*({pattern})$", re.IGNORECASE)


ALIASES: Mapping[str, re.Pattern[str]] = {
    **SETTINGS,
    "lr": _words(r"learning_?rate|eta|step_?size|(base|initial|init|max|start|peak)_?lr|lr_?(0|base|init|max)|alpha"),
    "axis": _words(r"dim|ax"),
    "temperature": _words(r"t|temp|tau"),
    "num_classes": _words(r"(n|nb|num|n_?of)_?(classes|labels|class|outputs?|cats?)|classes|depth|c|k|n|size|dim"),
    "num_groups": _words(r"g|n?_?groups|group"),
    "momentum": _words(r"mu|beta_?1?|rho|mom|gamma"),
    "alpha": _words(r"rho|decay(_?rate)?|beta_?2?|gamma|smoothing"),
    "weight_decay": _words(r"wd|decay|lambda_?|lam|lmbda|l2"),
    "l2": _words(r"reg(_?(strength|lambda|param))?|lambda_?|lam\w*|lmbda|lambd|alpha|weight_decay|l2_\w+"),
    "p": _words(r"(drop(out)?_?)?(prob(ability)?|rate|ratio|p)|drop(out)?|p_?drop(out)?"),
    "training": _words(r"(is_?)?train(ing)?(_?(mode|flg|flag))?"),
    "max_norm": _words(r"c|clip\w*|threshold|max_?(value|val)|maxnorm|limit"),
    "T_max": _words(r"t_?max|(total|max|n|num)_?(steps|iters|iterations|epochs)|total|epochs|steps|t"),
    "eta_min": _words(r"(min|end|final)_?lr|lr_?(min|end)"),
    "gamma": _words(r"decay(_?(rate|factor))?|factor|drop(_?(rate|factor))?|rate"),
    "step_size": _words(r"(drop_?every|every|decay_?steps|step_?every|epochs_?drop|decay_?every|interval)"),
    "total_iters": _words(r"warm_?up(_?(steps|iters|epochs))?|(total|max|n)_?(steps|iters|epochs)"),
    "n": _words(r"(n|num)_?samples|samples|m|size|n_?total"),
    "t": _words(r"eps|epsilon|tol(erance)?"),
    "delta": _words(r"alpha|failure|p"),
    "low": _words(r"a|lo|lower|min|b_?min"),
    "high": _words(r"b|hi|upper|max|b_?max"),
    "size": _words(r"n|w|h|in(put)?_?(size|dim|width|height)?|i|n_?in"),
    "in_channels": _words(r"(c|ch|channels|n)_?(in|prev)|in_?(c|ch|chan)?|d|depth|input_channels"),
    "out_channels": _words(r"(c|ch|channels|n)_?out|out_?(c|ch|chan)?|k|n_?(filters|kernels)|filters|output_channels"),
    "output_size": _words(r"out_?(size|dim|hw|shape)"),
}  # fmt: skip
"""By the exercise's hyperparameter: the other names by which it goes."""


STEP = _words(r"t|i|k|it|(cur(rent)?_?|global_?)?(steps?|epochs?|iter(ation)?s?)(_?(num|idx|index|count|number|i))?")
"""Other names of the step that a schedule is asked for; the learning rate may come before it."""
COUNTED = "num_classes"
KEEPS_AXES = _words(r"keep_?(dims?|dimensions?|axis|axes)")
STATE = re.compile(r"state|cache|config|memory|slots|buffers?$|^(s|st|opt)$", re.IGNORECASE)
"""Names of a state that an optimizer is given as one value."""


@dataclass(frozen=True)
class Shape:
    """How a function takes what an exercise gives."""

    arrays: tuple[str, ...]
    """Its own parameters for the exercise's arrays, in the exercise's order."""
    keywords: Mapping[str, str]
    """Hyperparameter of the exercise → its own parameter."""
    by_name: bool
    """Whether the arrays are given by name, as something else stands between them."""
    switched_off: tuple[str, ...] = ()
    """Its own parameters that would have it keep the axes over which the exercise's result has none."""
    untold: tuple[str, ...] = ()
    """Hyperparameters without a default that it finds in its arguments: the number of classes, by the largest."""


def shape_of(exercise: Exercise, found: Found) -> Shape | str:
    """Return how a function takes what the exercise gives, or why it does not."""
    read = signature(exercise.reference)
    wanted, settings = tuple(read.arguments), read.hyperparameters
    own = [(name, kind, must) for name, kind, must in found.parameters or () if kind in ("positional", "keyword")]
    keywords = {name: name for name, _, _ in own if name in settings}
    names = [name for name, kind, _ in own if kind == "positional"]
    first = wanted if set(wanted) <= set(names) else tuple(names[: len(wanted)])
    if any(name in wanted for name in names[len(wanted) :]):  # scale and shift by their names, after a setting
        unnamed = (name for name in names if name not in wanted and name not in settings)
        first = tuple(name if name in names else next(unnamed, name) for name in wanted)
    if wanted == ("step",) and first != wanted:
        first = tuple(name for name in names if STEP.match(name))[:1] or first
    for name, _, _ in own:
        leading = name in first
        if name in settings or leading:
            continue
        role = next((s for s in settings if s not in keywords and s in ALIASES and ALIASES[s].match(name)), None)
        if role is not None:
            keywords[role] = name
    off = tuple(name for name, _, _ in own if KEEPS_AXES.match(name) and name not in settings)
    told = {*keywords.values(), *off}
    if exercise.unrolled and len(names) > 2 and not STATE.search(names[2]):
        return f"what its `{names[2]}` is, is not known"
    left = [(name, kind, must) for name, kind, must in own if name not in told]
    arrays = [name for name, kind, _ in left if kind == "positional"]
    arrays.sort(key=lambda name: first.index(name) if name in first else len(first))
    unknown = [name for name, kind, must in left if must and name not in arrays[: len(wanted)]]
    needed = [s for s, (_, default) in settings.items() if default is inspect.Parameter.empty and s not in keywords]
    untold = tuple(s for s in needed if s == COUNTED)
    if len(unknown) == len(needed) == 1:
        keywords[needed[0]] = unknown[0]
        arrays = [name for name in arrays if name != unknown[0]]
        unknown, needed = [], []
    if len(arrays) < len(wanted):
        return f"it takes {_counted(len(arrays))}, and the exercise gives {_counted(len(wanted))}: {', '.join(wanted)}"
    if unknown:
        return f"what its `{unknown[0]}` is, is not known"
    if set(needed) - set(untold):
        return f"it takes no {needed[0]}"
    chosen = tuple(arrays[: len(wanted)])
    return Shape(chosen, keywords, list(chosen) != names[: len(wanted)], off, untold)


def _counted(count: int) -> str:
    return "1 array" if count == 1 else f"{count} arrays"
