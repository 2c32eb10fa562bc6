"""Functions that draw at random, under the names and call shapes of courses and libraries.

Other names are bound by name and call shape both: data and labels that are split or cut into batches, whose values say
which sample they are of, and dictionaries of parameters, of which one layer's weights are looked at.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders._adapters import descents, draws, lists, loops, stoppers
from graders._adapters.objects import Ask, last
from graders.harness.compare import as_array
from graders.harness.observations import Misshapen
from graders.harness.plans import WrongKind, said
from graders.harness.sandbox.contract import Call, Raised, Returned
from graders.harness.sandbox.contract import Function as Found
from graders.harness.trials import LARGEST, Setting, Trial, TrialBinding, global_seed

OTHER_NAMES: Mapping[str, str] = {
    "differences.numerical_gradient": r"eval_numerical_gradient|(compute_|calc\w*_)?num(eric(al)?)?_?grad(ient)?s?|"
    r"(finite|central)_differences?(_grad(ient)?)?",
    "initialization.he_normal": r"(he|kaiming)_(normal_)?init(ializ\w+)?|kaiming_normal_?|init\w*_he(_normal)?",
    "initialization.he_uniform": r"kaiming_uniform_?|(he|kaiming)_uniform_init(ializ\w+)?|init\w*_he_uniform",
    "initialization.glorot_normal": r"(xavier|glorot)_normal_?(init(ializ\w+)?)?",
    "initialization.glorot_uniform": r"(xavier|glorot)_uniform_?(init(ializ\w+)?)?",
    "initialization.orthogonal": r"orthogonal_?init(ializ\w+)?|init\w*_orthogonal",
    "preprocessing.random_flip": r"random_(horizontal_|h)flip|random_flip_(horizontal(ly)?|lr|left_right)",
    "preprocessing.random_crop": r"random_crop_(with|and)_pad(ding)?|pad_and_(random_)?crop|random_shift_crop",
    "preprocessing.add_noise": r"add_gaussian_noise|gaussian_noise|random_noise|add_random_noise",
    "preprocessing.cutout": r"random_cutout|apply_cutout|cut_out",
    "preprocessing.train_validation_test_split": r"(train_)?(val_|valid_|validation_)?test_split|"
    r"split_(data|dataset|train_test|train_val_test)(_\w+)?|my_train_test_split|train_test_split_(?!dict)\w+",
    "preprocessing.k_fold": r"k_?folds?(_split|_indices|_index|_cv)?|(make|get|create)_(k_?)?folds",
    "ensembles.bootstrap_sample": r"bootstrap(_indices|_samples?|_idx)?|(get|draw|make)_bootstrap(_samples?)?",
    "training.minibatches": r"random_mini_?batches|(get|make|create|iterate|generate)_(mini_?)?batches|"
    r"iterate_(mini_?)?batch|mini_?batches|batch_iterator|data_iter",
    "regularization.dropout_mask": r"(make|create|get|generate|draw)_(dropout_)?mask|dropout_masks?",
}  # fmt: skip
_SIZE = re.compile(r"^(shape|size|n\w*|dims?|length|rows)$", re.IGNORECASE)
"""The first parameter of what draws noise alone, and adds it to nothing."""
_LAYERS = re.compile(
    r"^initiali[sz]e_parameters_(he|xavier|glorot)$|^(he|xavier|glorot)_initiali[sz]e(_(parameters|weights))?$"
)
_LAYER_RULES = {"he": "initialization.he_normal"}
_GLOROT = re.compile(r"(xavier|glorot)(_?init(ializ\w+)?)?|init\w*_(xavier|glorot)(_weights)?")
_WIDTHS = (400, 100)
"""Of the layer by which it is found out what such a function draws."""
_NEAR = 0.05
"""How near the variance of 40,000 draws must come: seven standard deviations."""
_FLAT = 2.4
"""Between the kurtosis of a uniform distribution, 1.8, and that of a normal one, 3."""
_OF_GLOROT: Mapping[tuple[bool, bool], str] = {
    (False, False): "initialization.glorot_normal", (True, False): "initialization.glorot_uniform",
    (False, True): "initialization.normal_fan_in",
}  # fmt: skip
"""What is meant by Glorot's rule, by whether the draws are uniform, and whether the variance is 1 / n_in."""
_X = re.compile(r"^(x|data|features?|inputs?|samples|dataset|images?|x_\w+)$", re.IGNORECASE)
_Y = re.compile(r"^(y|labels?|targets?|t|y_\w+)$", re.IGNORECASE)
_PAIR = re.compile(r"^(data|dataset)$", re.IGNORECASE)
WIDTH = 3
"""Features of the data that stand for samples: each is the number of the sample, shifted."""


def meant(found: Found, trials: Mapping[str, Trial], ask: Ask) -> str:
    """Return the dotted name of the trial that a function of another name is meant for, or ""."""
    tail = found.tail.lower()
    if _GLOROT.fullmatch(tail):
        return _drawn_as(found, trials, ask)
    if _LAYERS.match(tail):
        return _LAYER_RULES.get("he" if "_he" in f"_{tail}" else "xavier", "")
    if loops.fits(found):
        return loops.TRIAL
    if descents.fits(found):
        return descents.TRIAL
    name = next((name for name, pattern in OTHER_NAMES.items() if re.fullmatch(pattern, tail)), "")
    noise_alone = name == "preprocessing.add_noise" and _SIZE.match(next(iter(found.names("positional")), ""))
    return "" if noise_alone else name


def _drawn_as(found: Found, trials: Mapping[str, Trial], ask: Ask) -> str:
    """Return the trial whose rule a function under Glorot's name draws by, as three go by it; "" if by none."""
    trial = trials.get("initialization.glorot_normal")
    try:
        made = draws.bind(trial, found) if trial is not None else None
    except draws.CannotBind:
        return ""
    setting = Setting("tried", {"shape": _WIDTHS})
    if made is None or not made.accepts(setting):
        return ""
    drawn: Any = None
    calls = made.plan(setting, 0)
    outcomes = [outcome for outcome in ask(calls) if isinstance(outcome, Returned)]
    with contextlib.suppress(WrongKind, Misshapen):
        drawn = made.draw(setting, outcomes) if len(outcomes) == len(calls) else None
    if not isinstance(drawn, np.ndarray) or drawn.shape != _WIDTHS or drawn.dtype.kind != "f" or not np.all(drawn):
        return ""
    variance = float(np.var(drawn))
    rules = {1 / _WIDTHS[0]: True, 2 / sum(_WIDTHS): False}
    near = [rule for rule, of_inputs in rules.items() if abs(variance / rule - 1) < _NEAR]
    uniform = bool(np.mean(drawn**4) < _FLAT * variance**2)
    return _OF_GLOROT.get((uniform, rules[near[0]]), "") if near else ""


def bind(found: Found, trial: Trial, ask: Ask = lambda calls: []) -> tuple[TrialBinding | None, str]:
    """Bind a function to a trial, or say why not; what `ask` is needed for is not bound without it."""
    try:
        made = (
            loops.bind(trial, found, ask)
            if trial.name == loops.TRIAL
            else descents.bind(trial, found, ask)
            if trial.name == descents.TRIAL and descents.fits(found)
            else _of_layers(trial, found) or _of_data(trial, found) or lists.drawn(draws.bind(trial, found))
        )
    except draws.CannotBind as error:
        return None, f"{found.name} is not judged: {error}"
    if not any(way.accepts(setting) for way in (made, *made.others) for setting in trial.settings):
        return None, f"{found.name} is not judged: nothing that {trial.name} is asked can be told to it"
    if trial.name == "differences.numerical_gradient":
        made = _of_points(made, ask)
    if found.tail != trial.name.partition(".")[2]:
        note = f"taken for {trial.name}"
        made = _noted(made, note)
    return made, ""


def _of_points(binding: TrialBinding, ask: Ask) -> TrialBinding:
    """Return the binding with the reading of what takes x as a row, and rows of x as so many points, if it is such."""

    def is_row(setting: Setting) -> bool:
        return np.ndim(setting.arguments["x"]) == 1

    tables = (setting for setting in binding.trial.settings if binding.accepts(setting) and not is_row(setting))
    table = next(tables, None)
    if table is None or not isinstance(last(ask(binding.plan(table, 0))), Raised):
        return binding
    note = "; ".join(filter(None, [binding.note, "takes x as a row of numbers: judged on those"]))
    rows = replace(binding, accepts=lambda s: binding.accepts(s) and is_row(s), note=note, others=())
    return replace(binding, others=(*binding.others, rows))


_OWN = re.compile(r"^'(?:numpy\.ndarray|function|int|float|Block)' object has no attribute '(\w+)'")
_LIST = re.compile(r"^'generator' object is not subscriptable|^object of type 'generator' has no len\(\)")
_LOSSES = re.compile(
    r"^'[<>]=?' not supported between instances of .*'tuple'|^unsupported operand type\(s\) for -: .*'tuple'"
)
_DATA = re.compile(r"^object of type 'int' has no len\(\)|^'int' object is not (iterable|subscriptable)")


def takes_its_own(binding: TrialBinding, ask: Ask) -> str:
    """Return what a function wants in place of what it is given, and that no reading of it gives, or "".

    So does `gradient_check(model, x, y)`, of an attribute that none of it has; what is merely misspelt is a mistake.
    """
    asked = ""
    for way in (replace(binding, others=()), *binding.others):
        setting = next((setting for setting in way.trial.settings if way.accepts(setting)), None)
        outcome = last(ask(way.plan(setting, 0))) if setting is not None else None
        message = outcome.message if isinstance(outcome, Raised) else ""
        if _LIST.match(message):
            return "a list, and not what gives one after the other"
        if _LOSSES.match(message) and binding.trial.name == stoppers.TRIAL:
            return "losses, and not pairs of a loss and parameters"
        if _DATA.match(message) and binding.note.startswith("taken for"):
            return "the data, and not how many there are"
        found = _OWN.match(message)
        if found is None:
            return ""
        asked = asked or found.group(1)
        if difflib.get_close_matches(asked, dir(np.ndarray), 1, 0.8):
            return ""
    return f"objects of its own, with `.{asked}`" if asked else ""


def _noted(binding: TrialBinding, note: str) -> TrialBinding:
    others = tuple(_noted(other, note) for other in binding.others)
    return replace(binding, note="; ".join(filter(None, (note, binding.note))), others=others)


# ---------------------------------------------------------------- dictionaries of parameters


def _of_layers(trial: Trial, found: Found) -> TrialBinding | None:
    """Bind a function of the widths of all layers, which returns {"W1": (n_out, n_in), "b1": …}, or a list of W."""
    must = [name for name, kind, must in found.parameters or () if must and kind == "positional"]
    if not _LAYERS.match(found.tail.lower()) or len(must) != 1 or not re.match(r"(n_?)?layers?|dims|sizes", must[0]):
        return None

    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        widths = [*setting.arguments["shape"], 2]
        return Call(draws.SEED, (global_seed(seed),), read=()), Call(found.name, (widths,), largest=LARGEST)

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        made = returned[-1].values[0]
        if made is None:
            return None
        if isinstance(made, (list, tuple)) and made:
            made = {"W1": made[0]}
        if not isinstance(made, Mapping) or "W1" not in made:
            raise WrongKind(f"the result is {said(made)}, expected a dictionary with W1, b1 and so on")
        bias = made.get("b1")
        if isinstance(bias, np.ndarray) and np.any(bias):
            raise Misshapen("b1 is not zero: biases start at zero")
        W = made["W1"]
        n_in, n_out = setting.arguments["shape"]
        if not isinstance(W, np.ndarray) or W.shape not in ((n_out, n_in), (n_in, n_out)):
            raise Misshapen(f"W1 is {said(W)}, expected shape {(n_out, n_in)} for layers of {n_in} and {n_out} units")
        return np.ascontiguousarray(W.T) if W.shape == (n_out, n_in) else W

    def accepts(setting: Setting) -> bool:
        return len(setting.arguments["shape"]) == 2

    return TrialBinding(trial, found.name, plan, draw, accepts, seeded=False, note="takes the widths of all layers")


# ---------------------------------------------------------------- data whose values say which sample they are of


@dataclass(frozen=True)
class Data:
    """How a function takes data: samples as rows or columns, with labels or without."""

    columns: bool = False
    labels: bool = True
    paired: bool = False
    """Whether both come as one pair, (X, y)."""

    def arguments(self, n: int) -> tuple[Any, ...]:
        """Return data of n samples: the features of sample i are i, i + n and i + 2n, its label is −i − 1."""
        x = np.arange(n, dtype=float)[:, None] + n * np.arange(WIDTH)
        y = -np.arange(n, dtype=float) - 1
        if self.columns:
            return (np.ascontiguousarray(x.T), y[None, :]) if self.labels else (np.ascontiguousarray(x.T),)
        if self.paired:
            return ((x, y),)
        return (x, y) if self.labels else (x,)

    def samples(self, n: int, part: Any, what: str) -> np.ndarray[Any, Any]:
        """Return which samples a part of the data holds; raise `Misshapen` where a sample has come apart."""
        numbers = _numbers(part, what)
        rows = numbers.T if self.columns and numbers.ndim == 2 and numbers.shape[0] == WIDTH else numbers
        if rows.size == 0:
            return np.zeros(0)
        if rows.ndim != 2 or rows.shape[1] != WIDTH:
            raise Misshapen(f"{what} has shape {numbers.shape}, expected samples of {WIDTH} features")
        if np.any(rows != rows[:, :1] + n * np.arange(WIDTH)):
            raise Misshapen(f"{what} holds samples that have come apart: their features are of different ones")
        return rows[:, 0].astype(float)

    def labelled(self, n: int, part: Any, what: str) -> np.ndarray[Any, Any]:
        """Return which samples labels are of."""
        return -_numbers(part, what).astype(float).ravel() - 1


def _numbers(part: Any, what: str) -> np.ndarray[Any, Any]:
    """Return samples or labels as an array; they may come as lists, as of `X[start:stop].tolist()`."""
    made = as_array(part)
    if made is None or made.dtype.kind not in "fiu":
        raise WrongKind(f"{what} is {said(part)}, expected an array")
    return made


def _matched(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    if not np.array_equal(x, y):
        raise Misshapen(f"the labels of {what} are not those of its samples")
    return x


Parse = Callable[[Data, int, Any, Setting], Any]


def _of_data(trial: Trial, found: Found) -> TrialBinding | None:
    """Bind a function that is given the data, and their labels, where the reference is given how many there are."""
    parse = PARSERS.get(trial.name)
    positional = found.names("positional")
    if parse is None or not positional or not _X.match(positional[0]):
        return None
    labels = len(positional) > 1 and bool(_Y.match(positional[1]))
    first = 2 if labels else 1
    rest = Found(found.name, tuple(p for p in found.parameters or () if p[0] not in positional[:first]), found.own)
    roles = draws.roles_of(_without_n(trial), rest)
    sources = next((draws.KINDS[kind] for kind in draws.KINDS if any(r == f"source {kind}" for *_, r in roles)), ("",))
    readings = [draws.Reading(roles, rest.names("positional"), source) for source in sources]
    layouts = [Data(columns=False, labels=labels), Data(columns=True, labels=labels)]
    layouts += [Data(paired=True)] * bool(not labels and _PAIR.match(positional[0]))
    made = [_given_data(trial, found, reading, data, parse) for data in layouts for reading in readings]
    return replace(made[0], others=tuple(made[1:]))


def _without_n(trial: Trial) -> Trial:
    """Return the trial of a function that counts its samples itself."""

    def counts(*arguments: Any, **keywords: Any) -> Any:
        return trial.reference(*arguments, **keywords)

    kept = [p for name, p in trial.parameters.items() if name != "n"]
    counts.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    counts.__module__, counts.__name__ = trial.reference.__module__, trial.reference.__name__
    return replace(trial, reference=counts)


def _given_data(trial: Trial, found: Found, reading: draws.Reading, data: Data, parse: Parse) -> TrialBinding:
    def plan(setting: Setting, seed: int) -> tuple[Call, ...]:
        n = setting.arguments["n"]
        positional, keywords = draws.arguments(reading, setting, seed)
        return draws.drawing(trial, found.name, (*data.arguments(n), *positional), keywords, seed)

    def draw(setting: Setting, returned: Sequence[Returned]) -> Any:
        value = returned[-1].values[0]
        return None if _is_blank(value) else parse(data, setting.arguments["n"], value, setting)

    def accepts(setting: Setting) -> bool:
        without = {name: value for name, value in setting.arguments.items() if name != "n"}
        two_parts = (
            trial.name != SPLIT or "validation" in _told(reading) or not setting.arguments.get("validation", 0.1)
        )
        known = {name: v for name, v in without.items() if not (name == "validation" and two_parts and not v)}
        return two_parts and draws.accepts(trial, reading, replace(setting, arguments=known))

    seeded = any(role.startswith("source") for _, _, role in reading.roles)
    laid = "features x samples" if data.columns else "samples x features" + ", as a pair (X, y)" * data.paired
    return TrialBinding(trial, found.name, plan, draw, accepts, seeded, f"given data laid out {laid}")


def _is_blank(value: Any) -> bool:
    """Return whether a value is the starter's None, or a list of parts that are all left blank."""
    return value is None or (isinstance(value, (list, tuple)) and bool(value) and all(map(_is_blank, value)))


def _told(reading: draws.Reading) -> set[str]:
    return {role for _, _, role in reading.roles}


def _batches(data: Data, n: int, value: Any, setting: Setting) -> Any:
    """Return the batches of an epoch as rows of indices."""
    if not isinstance(value, (list, tuple)):
        raise WrongKind(f"the result is {said(value)}, expected a list of batches")
    if not data.labels:
        return [data.samples(n, batch, "a batch") for batch in value]
    made = []
    for batch in value:
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise WrongKind(f"a batch is {said(batch)}, expected samples and their labels")
        made.append(_matched(data.samples(n, batch[0], "a batch"), data.labelled(n, batch[1], "a batch"), "a batch"))
    return made


def _parts(data: Data, n: int, value: Any, setting: Setting) -> Any:
    """Return the parts of a split as rows of indices: training first, the last part for tests."""
    parts = _of_lists(value)
    nested = parts if isinstance(parts, (list, tuple)) else []
    flat = [item for part in nested for item in (part if isinstance(part, (list, tuple)) else [part])]
    arrays = [item for item in flat if isinstance(item, np.ndarray)]
    if not arrays or len(arrays) != len(flat):
        raise WrongKind(f"the result is {said(value)}, expected the parts of the data")
    arrays = _with_empty_parts(data, arrays)
    xs = [data.samples(n, a, "a part") for a in arrays if _is_data(data, a)]
    if data.labels:
        ys = [data.labelled(n, a, "a part") for a in arrays if not _is_data(data, a)]
        if len(xs) != len(ys):
            raise Misshapen(f"the result holds {len(xs)} parts of the samples and {len(ys)} of the labels")
        xs = [_matched(x, y, "a part") for x, y in zip(xs, ys, strict=True)]
    if len(xs) not in (2, 3):
        raise Misshapen(f"the result holds {len(xs)} parts, expected training, validation and test")
    return {"train": xs[0], "validation": xs[1] if len(xs) == 3 else np.zeros(0), "test": xs[-1]}


_EMPTY = np.zeros(0)


def _with_empty_parts(data: Data, arrays: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Return parts in which an empty list holds samples, or labels, by its place among the others."""
    half = len(arrays) // 2
    orders = ([True] * half + [False] * half, [True, False] * half) if data.labels else ([True] * len(arrays),)
    for order in orders:
        held = zip(arrays, order, strict=False)
        if len(order) == len(arrays) and all(a is _EMPTY or _is_data(data, a) == samples for a, samples in held):
            empty = {True: np.zeros((WIDTH, 0) if data.columns else (0, WIDTH)), False: np.zeros(0)}
            return [empty[samples] if a is _EMPTY else a for a, samples in zip(arrays, order, strict=True)]
    return list(arrays)


def _of_lists(value: Any) -> Any:
    """Return parts with lists of numbers, and of samples, as arrays: `[X[i] for i in chosen]`."""
    if not isinstance(value, (list, tuple)):
        return value
    if not value:
        return _EMPTY
    if all(isinstance(one, (int, float, np.ndarray)) and np.ndim(one) == 0 for one in value):
        return np.array(value)
    if all(isinstance(one, np.ndarray) and one.shape == (WIDTH,) and np.all(one >= 0) for one in value):
        return np.stack(value)
    return [_of_lists(one) for one in value]


def _is_data(data: Data, array: np.ndarray[Any, Any]) -> bool:
    """Return whether an array holds samples, and no labels, which are below zero."""
    return array.ndim == 2 and bool(np.all(array >= 0)) and (array.shape[0 if data.columns else 1] == WIDTH)


def _folds(data: Data, n: int, value: Any, setting: Setting) -> Any:
    """Return folds as pairs of indices, or as the indices of what is held out, where there are no pairs."""
    folds = list(value) if isinstance(value, np.ndarray) and value.ndim > 1 else value
    if not isinstance(folds, (list, tuple)):
        raise WrongKind(f"the result is {said(value)}, expected a list of folds")
    if data.labels and len(folds) == 2 and all(isinstance(side, (list, tuple)) for side in folds):
        samples, labels = folds
        if len(samples) == len(labels) and all(map(_are_labels, labels)):  # the parts of x, and those of y
            folds = list(zip(samples, labels, strict=True))
    return [_fold(data, n, fold, setting) for fold in folds]


def _fold(data: Data, n: int, fold: Any, setting: Setting) -> Any:
    """Return a fold of indices or of data as a pair of indices, or as those of what is held out."""
    if isinstance(fold, np.ndarray):
        return data.samples(n, fold, "a fold") if fold.ndim == 2 else fold
    items = fold if isinstance(fold, (list, tuple)) else []
    flat = [part for item in items for part in (item if isinstance(item, (list, tuple)) else [item])]
    if items and not any(isinstance(part, np.ndarray) and part.ndim for part in flat):
        return fold  # a row of numbers
    if len(flat) == 4 and data.labels and all(isinstance(part, np.ndarray) for part in flat):
        split = _parts(data, n, flat, setting)
        return split["train"], split["test"]
    if len(flat) == 2 and data.labels and _are_labels(flat[1]):
        return _matched(data.samples(n, flat[0], "a fold"), data.labelled(n, flat[1], "a fold"), "a fold")
    if len(items) == 2 and all(isinstance(part, np.ndarray) for part in items):
        return tuple(data.samples(n, part, "a part") if part.ndim == 2 else part for part in items)
    if not items:
        raise WrongKind(f"a fold is {said(fold)}, expected what is trained on and what is held out")
    return fold


def _are_labels(part: Any) -> bool:
    """Return whether a part of the data holds labels: they alone are below zero."""
    return isinstance(part, np.ndarray) and part.dtype.kind in "fi" and part.size > 0 and bool(np.all(part < 0))


def _sample(data: Data, n: int, value: Any, setting: Setting) -> Any:
    """Return a sample of the data as a row of indices."""
    if data.labels:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise WrongKind(f"the result is {said(value)}, expected samples and their labels")
        x, y = data.samples(n, value[0], "the sample"), data.labelled(n, value[1], "the sample")
        return _matched(x, y, "the sample")
    return data.samples(n, value, "the sample")


SPLIT = "preprocessing.train_validation_test_split"
PARSERS: Mapping[str, Parse] = {
    "training.minibatches": _batches,
    SPLIT: _parts,
    "preprocessing.k_fold": _folds,
    "ensembles.bootstrap_sample": _sample,
}
"""How what such a function returns is read, by the trial."""
