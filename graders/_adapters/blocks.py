"""CS231n's layers with a dictionary of settings: normalization, convolution, max pooling and dropout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graders._adapters.objects import Ask, last
from graders.harness.cases import Case
from graders.harness.exercise import Exercise
from graders.harness.plans import Binding, Outputs, Typed, WrongKind, output_names
from graders.harness.sandbox.codec import Kept
from graders.harness.sandbox.contract import Call, Path, Raised, Returned
from graders.harness.sandbox.contract import Function as Found

Settings = Callable[[Case], dict[str, Any]]


@dataclass(frozen=True)
class Block:
    """`forward(arrays…, settings) -> (out, cache)`, or with `backward` the gradients that it makes of that cache."""

    exercise: str
    forward: str
    arguments: tuple[str, ...]
    settings: Settings
    backward: bool = False
    fits: Callable[[Case], bool] = lambda case: True
    held: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    """Arguments that come as (1, c, 1, 1), as do their gradients."""
    left_in: tuple[str, ...] = ()
    """Keys of the settings in which the answer is left."""
    note: str = ""


def _dims(count: int) -> Callable[[Case], bool]:
    return lambda case: bool(np.ndim(case.arguments["x"]) == count)


def _training(case: Case) -> dict[str, Any]:
    return {"mode": "train", "eps": case.hyperparameters["eps"], "momentum": 0.9}


def _evaluating(case: Case) -> dict[str, Any]:
    return {**_training(case), "mode": "test", **{k: case.arguments[k] for k in ("running_mean", "running_var")}}


def _running(case: Case) -> dict[str, Any]:
    statistics = {k: case.arguments[k] for k in ("running_mean", "running_var")}
    return {"mode": "train", "eps": 1e-5, "momentum": 1 - case.hyperparameters["momentum"], **statistics}


def heavy(case: Case) -> bool:
    """Return whether 1 − (1 − m) is m but for a rounding: the course asks for the weight of the old statistic."""
    momentum = case.hyperparameters["momentum"]
    return bool(momentum == 0 or momentum >= 0.1)


def _one(value: Any) -> int | None:
    """Return what holds for both axes, or None if they differ."""
    first, second = value if isinstance(value, tuple) else (value, value)
    return int(first) if first == second else None


def _convolving(case: Case) -> dict[str, Any]:
    return {"stride": _one(case.hyperparameters["stride"]), "pad": _one(case.hyperparameters["padding"])}


def _even(case: Case) -> bool:
    return None not in _convolving(case).values()


def _pooling(case: Case) -> dict[str, Any]:
    kernel, stride = case.hyperparameters["kernel_size"], case.hyperparameters["stride"]
    rows, columns = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return {"pool_height": rows, "pool_width": columns, "stride": _one(kernel if stride is None else stride)}


def _square(case: Case) -> bool:
    return _pooling(case)["stride"] is not None


def ends_whole(case: Case) -> bool:
    """Return whether a case's windows end where its images do, as the course lets its students assume."""
    pools = "kernel_size" in case.hyperparameters
    if not (_square(case) if pools else _even(case)):
        return False
    given = _pooling(case) if pools else _convolving(case)
    windows = (given["pool_height"], given["pool_width"]) if pools else case.arguments["w"].shape[2:]
    sizes = [size + 2 * given.get("pad", 0) for size in case.arguments["x"].shape[2:]]
    return all((size - window) % given["stride"] == 0 for size, window in zip(sizes, windows, strict=True))


def _tiles(case: Case) -> bool:
    """Return whether square windows lie side by side and cover the image, as the way by reshaping asserts."""
    given = _pooling(case)
    return given["pool_height"] == given["pool_width"] == given["stride"] and ends_whole(case)


OTHER_KEYS = {"padding": "pad", "pool_stride": "stride"}
"""Keys that some have their settings under, and the course's own."""


def _keyed(block: Block, forward: str, ask: Ask) -> Block:
    """Return the block with the keys of the function's own, where it says that it lacks one of those known."""
    small = {"x": np.ones((1, 1, 2, 2)), "w": np.ones((1, 1, 2, 2)), "b": np.ones(1)}
    if not set(block.arguments) <= set(small) or block.left_in:
        return block
    given = {"pool_height": 2, "pool_width": 2, "stride": 2, "pad": 0}
    refused = last(ask([Call(forward, (*(small[name] for name in block.arguments), given), read=())]))
    if not isinstance(refused, Raised) or refused.kind != "KeyError" or refused.message.strip("'") not in OTHER_KEYS:
        return block

    def settings(case: Case) -> dict[str, Any]:
        made = block.settings(case)
        return made | {key: made[ours] for key, ours in OTHER_KEYS.items() if ours in made}

    said = f"its settings are under {' and '.join(map(repr, OTHER_KEYS))}, the course's under other keys"
    return replace(block, settings=settings, note="; ".join(filter(None, [block.note, said])))


_NORM = ("x", "gamma", "beta")
_WHOLE = "judged only where the windows end where the image does, as the course has it"


def _sliding(back: bool, forward: str, pools: bool) -> tuple[Block, ...]:
    """Return convolution or pooling, on every case, and on those that need no rounding of a size."""
    if pools:
        every = Block("pooling.max_pool2d" + "_vjp" * back, forward, ("x",), _pooling, back, _square)
        every = replace(every, held=frozenset({"padding"}))
    else:
        every = Block("convolution.conv2d" + "_vjp" * back, forward, ("x", "w", "b"), _convolving, back, _even)
        every = replace(every, held=frozenset({"dilation", "groups"}))
    if forward.endswith("_reshape"):
        return (replace(every, fits=_tiles, note="judged only where square windows tile the image, as it asserts"),)
    return every, replace(every, fits=ends_whole, note=_WHOLE)


_CONVOLVED, _POOLED = ("naive", "im2col", "strides", "fast"), ("naive", "reshape", "im2col", "fast")


def _both(stem: str, ways: Sequence[str]) -> list[tuple[str, str]]:
    """Return the names of a forward and its backward, in all the ways that the course has them written."""
    return [(f"{stem}_forward_{way}", f"{stem}_backward_{way}") for way in ways]


def _batch_norm(dims: int) -> dict[str, tuple[tuple[Block, ...], ...]]:
    prefix = "batchnorm" if dims == 2 else "spatial_batchnorm"
    forward, fits = f"{prefix}_forward", _dims(dims)
    back = ((Block("normalization.batch_norm_vjp", forward, _NORM, _training, True, fits),),)
    statistics = Block(
        "normalization.running_statistics", forward, ("x",), _running, left_in=("running_mean", "running_var"),
        fits=lambda case: fits(case) and heavy(case), note="momentum is the weight of the old statistic",
    )  # fmt: skip
    return {
        forward: (
            (Block("normalization.batch_norm", forward, _NORM, _training, fits=fits),),
            (Block("normalization.batch_norm_when_evaluating", forward, _NORM, _evaluating, fits=fits),),
            (statistics,),
        ),
        f"{prefix}_backward": back,
        f"{prefix}_backward_alt": back,
    }


def _group_norm(backward: bool) -> tuple[Block, ...]:
    name = "normalization.group_norm" + ("_vjp" if backward else "")
    wide = Block(
        name, "spatial_groupnorm_forward", (*_NORM, "num_groups"), lambda case: {"eps": case.hyperparameters["eps"]},
        backward, _dims(4), wide=frozenset({"gamma", "beta"}), note="gamma and beta are of shape (1, c, 1, 1)",
    )  # fmt: skip
    return wide, replace(wide, wide=frozenset(), note="gamma and beta are of shape (c,)")


def _layer_norm(backward: bool) -> tuple[Block, ...]:
    name = "normalization.layer_norm" + ("_vjp" if backward else "")
    return (
        Block(name, "layernorm_forward", _NORM, lambda case: {"eps": case.hyperparameters["eps"]}, backward, _dims(2)),
    )


BLOCKS: Mapping[str, tuple[tuple[Block, ...], ...]] = {
    **_batch_norm(2),
    **_batch_norm(4),
    "layernorm_forward": (_layer_norm(False),),
    "layernorm_backward": (_layer_norm(True),),
    "spatial_groupnorm_forward": (_group_norm(False),),
    "spatial_groupnorm_backward": (_group_norm(True),),
    **{
        name: (_sliding(back, pair[0], pools),)
        for stem, ways, pools in (("conv", _CONVOLVED, False), ("max_pool", _POOLED, True))
        for pair in _both(stem, ways)
        for name, back in zip(pair, (False, True), strict=True)
    },
}  # fmt: skip
"""The course's functions by name: for every exercise that one of them answers, how it may be read."""


def fits(found: Found) -> bool:
    """Return whether a function has a course name and, by its parameters, the course's call shape."""
    if found.tail not in BLOCKS or found.parameters is None:
        return False
    first = BLOCKS[found.tail][0][0]
    expected = 2 if first.backward else len(first.arguments) + 1
    required = sum(must for _, kind, must in found.parameters if kind == "positional")
    return required <= expected <= len(found.names("positional"))


def bind(
    found: Found, exercises: Mapping[str, Exercise], others: Mapping[str, Found], ask: Ask
) -> tuple[list[Binding], str]:
    """Bind a course function to the exercises it answers; a backward without its forward is a note instead."""
    bindings = []
    for readings in BLOCKS[found.tail]:
        if readings[0].exercise not in exercises:
            continue
        made = []
        for block in readings:
            forward = found.name.removesuffix(found.tail) + block.forward
            if forward not in others:
                return [], f"{found.name} needs the cache of {block.forward}, which is not there: not judged"
            made.append(_bound(exercises[block.exercise], _keyed(block, forward, ask), found, forward))
        bindings.append(replace(made[0], others=tuple(made[1:])))
    return bindings, ""


def _given(case: Case, block: Block) -> list[Any]:
    every = {"gamma": None, "beta": None, **case.arguments, **case.hyperparameters}
    if block.left_in:  # what the output is, does not matter
        width = len(case.arguments["running_mean"])
        return [every["x"], np.ones(width, case.dtype), np.zeros(width, case.dtype)]
    return [every[name].reshape(1, -1, 1, 1) if name in block.wide else every[name] for name in block.arguments]


def _bound(exercise: Exercise, block: Block, found: Found, forward: str) -> Binding:
    names = output_names(exercise)
    parts: tuple[Path, ...] = ((),) if names == ("",) else tuple((i,) for i in range(len(names)))

    def plan(case: Case) -> tuple[Call, ...]:
        arrays, settings = _given(case, block), block.settings(case)
        if block.left_in:
            return (
                Call("=own", (settings,), read=(), keep="settings"),
                Call(forward, (*arrays, Kept("settings")), read=()),
                Call("=", (Kept("settings"),), read=tuple((key,) for key in block.left_in)),
            )
        first = Call(forward, (*arrays, settings), read=() if block.backward else ((0,),), keep="forward")
        if not block.backward:
            return (replace(first, keep=""),)
        return first, Call(found.name, (case.arguments["cotangent"], Kept("forward", (1,))), read=parts)

    def outputs(case: Case, returned: Sequence[Returned]) -> Outputs:
        made = dict(zip(names, returned[-1].values, strict=True))
        for name in block.wide:
            if block.backward:
                made[f"d{name}"] = _narrowed(made[f"d{name}"], f"d{name}", len(case.arguments[name]))
        return made

    def typed(case: Case) -> Typed:
        settings = {key: value for key, value in block.settings(case).items() if not isinstance(value, np.ndarray)}
        arrays = ", ".join(f"'{k}': {k}" for k, v in block.settings(case).items() if isinstance(v, np.ndarray))
        written = repr(settings)[:-1] + (f", {arrays}" if arrays else "") + "}"
        given = ", ".join(
            f"{n}.reshape(1, -1, 1, 1)" if n in block.wide
            else n if n in case.arguments else repr(case.hyperparameters[n]) for n in block.arguments
        )  # fmt: skip
        call = f"{forward.rpartition('.')[2]}({given}, {written})"
        if block.left_in:
            ones = "np.ones(x.shape[1]), np.zeros(x.shape[1])"
            return Typed(f"{found.tail}(x, {ones}, settings), settings", before=f"settings = {written}")
        return Typed(f"{found.tail}(cotangent, {call}[1])" if block.backward else f"{call}[0]")

    return Binding(
        exercise, found.name, plan, outputs, accepts=block.fits, held=block.held, note=block.note,
        typed=None if block.left_in else typed,
    )  # fmt: skip


def _narrowed(value: Any, name: str, width: int) -> Any:
    """Return a gradient of shape (1, c, 1, 1) as (c,)."""
    if isinstance(value, np.ndarray) and value.ndim == 4:
        if value.shape != (1, width, 1, 1):
            raise WrongKind(f"`{name}` is of shape {value.shape}, expected {(1, width, 1, 1)}")
        return value.reshape(-1)
    return value
