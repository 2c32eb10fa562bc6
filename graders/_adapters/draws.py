"""Functions that draw at random, under the catalogue's names: what each parameter is, and where the numbers come from.

A generator is given as NumPy's Generator, as the older RandomState or as an integer, whichever the function takes. One
that asks for none draws from a global source, which the grader seeds before each call.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders._adapters.objects import AS_IT_IS, Turn
from graders.harness.compare import as_array
from graders.harness.observations import Misshapen
from graders.harness.plans import WrongKind, literal, said
from graders.harness.sandbox.codec import Kept, Record
from graders.harness.sandbox.contract import Call, Returned
from graders.harness.sandbox.contract import Function as Found
from graders.harness.trials import GENERATOR, LARGEST, Setting, Trial, TrialBinding, global_seed

SEED = "=seed"
_SOURCES: Mapping[str, re.Pattern[str]] = {
    "generator": re.compile(r"^(rng|generator|gen|prng|(np_|numpy_)?random_(generator|gen)|rand_gen|np_rng)$"),
    "state": re.compile(r"^(random_?state|rand_?state|rs|rstate|r_state)$"),
    "seed": re.compile(r"^(seed|(random|rand|rng|np)_?seed)$"),
}
KINDS: Mapping[str, tuple[str, ...]] = {
    "generator": ("Generator", "RandomState", "int"),
    "state": ("int", "RandomState", "Generator"),
    "seed": ("int", "Generator"),
}
"""What a parameter of such a name may want, the likeliest first."""

ALIASES: Mapping[str, str] = {
    "x": r"x|images?|imgs?|im|inputs?|input_data|data|batch|arr(ay)?|features|x_batch|x_train|a|z|h",
    "labels": r"labels?|y|targets?|t|y_batch|y_train|one_hot",
    "shape": r"shape|size|dims?|w_shape|weight_shape|kernel_shape|tensor_shape",
    "p": r"p|prob(ability)?|rate|(drop(out)?|flip)_?(prob(ability)?|rate|p|ratio)|p_drop(out)?|p_flip|ratio",
    "padding": r"padding|pad|pad_size|pad_width|crop_padding",
    "std": r"std|sigma|stddev|std_dev|scale|noise_?(std|level|scale|factor|stddev|sigma)|s",
    "size": r"size|length|(mask|patch|hole|cut|square|box)_?(size|length)|n_samples|num_samples|sample_size|k|side",
    "alpha": r"alpha|a|beta|mixup_alpha",
    "n": r"n|n_samples|num_samples|n_examples|num_examples|n_data|n_rows|m|num|length|total|dataset_size|data_size",
    "d": r"d|n_features|num_features|dim|n_dims",
    "k": r"k|n_?splits|num_splits|n_?folds|num_folds|folds|k_?folds",
    "batch_size": r"batch_?size|mini_?batch_?size|bs|batchsize|b",
    "validation": r"val(id(ation)?)?(_?(size|ratio|frac(tion)?|share|split|pct|percent|prop(ortion)?))?",
    "test": r"test(_?(size|ratio|frac(tion)?|share|split|pct|percent|prop(ortion)?))?",
    "n_members": r"n_members|n_?estimators|n_?models|num_(models|estimators|members|bags)|n_bags|b",
    "max_features": r"max_features|n_sub_features|feature_subset_size|m",
    "patience": r"patience|max_patience|wait|n_patience",
    "history": r"history|losses|epochs|pairs|iterator|steps",
    "gain": r"gain|scale",
    "trials": r"trials|n_trials|n_iter(ations)?|num_trials|iterations|budget|n",
    "draw": r"draw|sample(r)?|sample_params|sampler_fn|distribution",
    "f": r"f|fn|func(tion)?|loss(_fn|_f)?|objective|cost(_fn)?|forward|layer|block|module",
    "grad": r"grad(ient)?s?(_fn|_f|_func(tion)?)?|df|f_grad|fprime|jac|analytic_grad",
    "f_vjp": r"f_vjp|vjp|backward|f_backward",
    "cotangent": r"cotangent|dout|grad_out(put)?|dy|dz|upstream|d_?out",
    "lr": r"lr|learning_rate|eta|step_size|alpha|rate",
    "steps": r"steps|n_steps|num_steps|iterations|n_iter(ations)?|num_iter(ations|s)?|max_iter(s|ations)?|epochs",
}
"""Names under which the parameters of the reference go elsewhere, whatever their case."""
KEEPS = re.compile(r"^(keep(_?prob(ability)?|_?rate|_?p|_?ratio)?|p_keep|prob_keep|retain_prob)$", re.IGNORECASE)
LEFT = re.compile(r"^train(ing)?(_?(size|ratio|frac(tion)?|share|split|pct|percent|prop(ortion)?))?$", re.IGNORECASE)
"""The share of the samples that tests, and validation, leave."""
_IN = re.compile(r"^(fan_?in|n_?in(puts?)?|d_?in|in_?(features|dim|size|units|channels)|input_(dim|size)|n_x)$", re.I)
_OUT = re.compile(
    r"^(fan_?out|n_?out(puts?)?|d_?out|out_?(features|dim|size|units|channels)|output_(dim|size)|n_h)$", re.I
)
_ONE_IMAGE = re.compile(r"^(image|img|im|pic(ture)?)$", re.IGNORECASE)
_MASK = "regularization.dropout_mask"
_IMAGES = ("preprocessing.random_flip", "preprocessing.random_crop", "preprocessing.cutout")


class CannotBind(LookupError):
    """A function whose parameters are not understood; the message says which."""


@dataclass(frozen=True)
class Reading:
    """What each parameter of a function is: a name of the reference's, a source, or the probability to keep."""

    roles: tuple[tuple[str, str, str], ...]
    """Its name, "positional", "keyword" or "rest" (`*shape`), and its role: a name of the reference, or one of ours."""
    positions: tuple[str, ...] = ()
    """The names of all that it takes by position, in order."""
    source: str = ""
    """What is given for the generator: "Generator", "RandomState", "int" or nothing."""
    turn: Turn = AS_IT_IS
    """How images are laid out."""
    one: bool = False
    """Whether it takes one image at a time."""


def bind(trial: Trial, found: Found) -> TrialBinding:
    """Bind a function that bears the trial's name; raise `CannotBind` where a parameter is not understood."""
    roles = roles_of(trial, found)
    sources = [kind for kind in KINDS if any(role == f"source {kind}" for _, _, role in roles)]
    given = KINDS[sources[0]] if sources else ("",)
    positions = found.names("positional") or tuple(name for name, kind, _ in roles if kind == "positional")
    readings = [Reading(roles, positions, source) for source in given]
    ours = {*found.names("positional", "keyword")} == {*trial.parameters}
    if trial.name in _IMAGES and not ours:  # what is called as the reference is takes images as it does
        readings = [replace(r, turn=turn, one=one) for turn, one in _layouts(roles) for r in readings]
    first, *others = (_bound(trial, found, reading) for reading in readings)
    return replace(first, others=tuple(others))


def _layouts(roles: Sequence[tuple[str, str, str]]) -> list[tuple[Turn, bool]]:
    """Return how images may be wanted: the likeliest first; one at a time where the name says so."""
    batches = [(AS_IT_IS, False), (Turn((0, 2, 3, 1)), False)]
    one = any(_ONE_IMAGE.match(name) and role == "x" for name, _, role in roles)
    singles = [(AS_IT_IS, True), (Turn((1, 2, 0)), True)]
    return [*singles, *batches] if one else batches


def source_of(name: str) -> str:
    """Return which kind of source of random numbers a parameter's name says that it is, if any."""
    return next((kind for kind, pattern in _SOURCES.items() if pattern.match(name.lower())), "")


def roles_of(trial: Trial, found: Found) -> tuple[tuple[str, str, str], ...]:
    """Return what each parameter is; raise `CannotBind`."""
    wanted = [name for name in trial.parameters if name != GENERATOR]
    if found.parameters is None:
        return tuple((name, "positional" if p.kind is not p.KEYWORD_ONLY else "keyword",
                      "source generator" if name == GENERATOR else name)
                     for name, p in trial.parameters.items() if p.default is p.empty)  # fmt: skip
    theirs = [(name, kind, must) for name, kind, must in found.parameters if kind in ("positional", "keyword")]
    roles: dict[str, str] = {}
    for name, _, _ in theirs:
        if source_of(name):
            roles[name] = f"source {source_of(name)}"
        elif name in wanted:
            roles[name] = name
        elif trial.name == _MASK and KEEPS.match(name):
            roles[name] = "keep"
        elif "test" in wanted and LEFT.match(name):
            roles[name] = "left"
        elif trial.name == _MASK and re.fullmatch(ALIASES["shape"], name, re.IGNORECASE):
            roles[name] = "shape of x"
        elif "shape" in wanted and (_IN.match(name) or _OUT.match(name)):
            roles[name] = "fan in" if _IN.match(name) else "fan out"
    for name, _, _ in theirs:
        if name not in roles:
            free = (w for w in wanted if w not in roles.values())
            role = next((w for w in free if re.fullmatch(ALIASES.get(w, w), name, re.IGNORECASE)), "")
            roles |= {name: role} if role else {}
    for name, _, must in theirs:
        if name not in roles and must:
            needed = [w for w in wanted if w not in roles.values() and trial.parameters[w].default is inspect._empty]
            if not needed:
                raise CannotBind(f"what its parameter `{name}` is, is not known")
            roles[name] = needed[0]
    covered = set(roles.values()) | ({"shape"} if "fan in" in roles.values() else set())
    covered |= {"p"} if "keep" in roles.values() else set()
    covered |= {"test"} if "left" in roles.values() else set()
    covered |= {"x"} if "shape of x" in roles.values() else set()
    anything = any(kind == "others" for _, kind, _ in found.parameters)
    lacking = [w for w in wanted if w not in covered and trial.parameters[w].default is inspect._empty]
    spread = [name for name, kind, _ in found.parameters if kind == "rest"]
    if lacking == ["shape"] and spread:
        roles[spread[0]], lacking = "shape", []
        theirs.append((spread[0], "rest", False))
    if lacking and not anything:
        raise CannotBind(f"it has no parameter for `{lacking[0]}`")
    made = [(name, kind, roles[name]) for name, kind, _ in theirs if name in roles]
    made += [(w, "keyword", w) for w in wanted if anything and w not in covered]
    if anything and not any(role.startswith("source") for _, _, role in made) and trial.random:
        made.append((GENERATOR, "keyword", "source generator"))
    return tuple(made)


def _source(kind: str, seed: int) -> Any:
    return seed if kind == "int" else Record(f"numpy.random.{kind}", {"seed": seed})


def _value(reading: Reading, role: str, setting: Setting, seed: int) -> Any:
    given = setting.arguments
    if role.startswith("source"):
        return _source(reading.source, seed)
    if role == "keep":
        return round(1 - given["p"], 12)
    if role == "left":
        return round(1 - given["test"] - given.get("validation", 0.0), 12)  # int(0.7 n), and not 0.69… n
    if role == "shape of x":
        return given["x"].shape
    if role.startswith("fan"):
        return given["shape"][role == "fan out"]
    return given[role]


def accepts(trial: Trial, reading: Reading, setting: Setting) -> bool:
    """Return whether a function that takes no more than that can be called in a setting."""
    roles = {role for _, _, role in reading.roles}
    roles |= {"p"} if "keep" in roles else set()
    roles |= {"test"} if "left" in roles else set()
    roles |= {"x"} if "shape of x" in roles else set()
    if {"fan in", "fan out"} & roles:
        roles.add("shape")
        if len(setting.arguments["shape"]) != 2:
            return False
    return all(name in roles or _is_default(trial, name, value) for name, value in setting.arguments.items())


def _is_default(trial: Trial, name: str, value: Any) -> bool:
    default = trial.parameters[name].default
    return not isinstance(value, np.ndarray) and bool(value == default)


def arguments(reading: Reading, setting: Setting, seed: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what is given by position and by name."""
    told = {"keep", "left", "shape of x", "fan in", "fan out", *setting.arguments}
    known = [one for one in reading.roles if one[2] in told or one[2].startswith("source")]
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, kind, role in known:
        value = _value(reading, role, setting, seed)
        if kind == "rest":
            positional += value
        elif reading.positions[len(positional) : len(positional) + 1] == (name,):
            positional.append(value)
        else:
            keywords[name] = value
    return tuple(positional), keywords


ITERATED = ("training.minibatches", "preprocessing.k_fold")
"""What is often given one by one, by a generator of Python's."""


def drawing(
    trial: Trial, function: str, positional: tuple[Any, ...], keywords: Mapping[str, Any], seed: int
) -> tuple[Call, ...]:
    """Return the calls of one draw: global sources are seeded first, and what is iterated over is gathered."""
    seeds = Call(SEED, (global_seed(seed),), read=())
    if trial.name not in ITERATED:
        return seeds, Call(function, positional, keywords, largest=LARGEST)
    kept = Call(function, positional, keywords, read=(), keep="drawn")
    return seeds, kept, Call("=items", (Kept("drawn"),), largest=LARGEST)


def _bound(trial: Trial, found: Found, reading: Reading) -> TrialBinding:
    told_fans = any(role.startswith("fan") for _, _, role in reading.roles)
    settings = (
        {id(setting): _laid_out(setting, reading.turn) for setting in trial.settings}
        if reading.turn.axes and not reading.one
        else {}
    )

    def laid(setting: Setting) -> Setting:
        return settings.get(id(setting), setting)

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        if reading.one:
            return tuple(call for at, image in enumerate(setting.arguments["x"])
                         for call in one(replace(setting, arguments={**setting.arguments, "x": reading.turn.to(image)}),
                                         seed + at))  # fmt: skip
        return one(laid(setting), seed)

    def one(setting: Setting, seed: int) -> tuple[Call, ...]:
        positional, keywords = arguments(reading, setting, seed)
        return drawing(trial, found.name, positional, keywords, seed)

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        if not reading.turn.axes and not reading.one:
            value = returned[-1].values[0]
            made = as_array(value) if told_fans else None
            columns = made is not None and made.shape == setting.arguments["shape"][::-1]
            return made.T if made is not None and columns else value  # some keep weights as (n_out, n_in)
        values = [answer.values[0] for answer in returned[1::2]]
        shapes = {value.shape if isinstance(value, np.ndarray) else None for value in values}
        if None in shapes or len(shapes) > 1:
            wrong = next((v for v in values if not isinstance(v, np.ndarray)), values[0])
            raise WrongKind(f"the result is {said(wrong)}, expected an image of the shape that it was given")
        made = np.stack(values) if reading.one else values[0]
        axes = tuple(a + 1 for a in reading.turn.axes) if reading.one and reading.turn.axes else reading.turn.axes
        axes = (0, *axes) if reading.one and axes else axes
        if axes and len(axes) != made.ndim:
            raise Misshapen(f"the result has shape {made.shape}, expected {setting.arguments['x'].shape}")
        return np.ascontiguousarray(made.transpose(np.argsort(axes))) if axes else made

    def typed(setting: Setting, seed: int) -> str:
        positional, keywords = arguments(reading, laid(setting), seed)
        return (
            f"{found.tail}({', '.join([*map(_typed, positional), *(f'{k}={_typed(v)}' for k, v in keywords.items())])})"
        )

    held = [name for name, p in trial.parameters.items()
            if p.default is not p.empty and not any(name == role for _, _, role in reading.roles)
            and any(name in setting.arguments for setting in trial.settings)]  # fmt: skip
    held = [name for name in held if not (name == "p" and any(role == "keep" for _, _, role in reading.roles))]
    notes = [f"takes no {', '.join(held)}: judged at the default"] if held else []
    notes += ["takes one image at a time"] if reading.one else []
    notes += ["channels come last"] if reading.turn.axes else []
    seeded = any(role.startswith("source") for _, _, role in reading.roles)
    return TrialBinding(
        trial, found.name, plan, draw, lambda setting: accepts(trial, reading, setting), seeded, "; ".join(notes),
        None if reading.one else typed,
    )  # fmt: skip


def _laid_out(setting: Setting, turn: Turn) -> Setting:
    return replace(setting, arguments={**setting.arguments, "x": turn.to(setting.arguments["x"])})


def _typed(value: Any) -> str:
    """Return an argument as a person would type it; a large array by how another like it is made."""
    if isinstance(value, Record) and value.name.startswith("numpy.random"):
        maker = "default_rng" if value.name.endswith("Generator") else "RandomState"
        return f"np.random.{maker}({value.fields['seed']})"
    if isinstance(value, np.ndarray) and value.size > 40:
        dtype = "" if value.dtype == np.float64 else f".astype(np.{value.dtype})"
        return f"np.random.default_rng(0).standard_normal({value.shape}){dtype}"
    return literal(value)
