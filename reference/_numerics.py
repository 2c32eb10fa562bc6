"""What the topics share: checks of the arguments that say what to do, and numbers that must not cancel.

A check reads an array's dtype and values only if it is NumPy's own; the array-likes on which the harness runs the same
text (50 digits, running error, random rounding) are asked for their shape alone.
"""

from __future__ import annotations

from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt

from reference._types import Array, IntArray, Reduction


def one_minus_power(beta: float, t: int) -> Array:
    """1 − βᵗ for t ≥ 1, without the cancellation of `1 - beta**t` at β near one.

    >>> float(one_minus_power(0.5, 3))
    0.875
    >>> float(one_minus_power(0.0, 3))
    1.0
    """
    some = np.where(beta > 0, beta, 0.5)  # log 0 is not needed, since 0ᵗ = 0
    power: Array = np.where(beta > 0, -np.expm1(t * np.log1p(some - 1)), 1.0)
    return power


def reduced(losses: Array, reduction: str) -> Array:
    """Return the mean, the sum, or the losses as they are."""
    if reduction == "none":
        return losses
    return cast(Array, np.mean(losses) if reduction == "mean" else np.sum(losses))


def require_floats(**arrays: Array | IntArray) -> None:
    """Raise TypeError unless all arrays are of one floating dtype, float32 or float64."""
    for name, x in arrays.items():
        if not (is_numpy(x) or hasattr(x, "__array_ufunc__")):
            raise TypeError(
                f"{name}: expected a NumPy array of float32 or float64, got {type(x).__name__}; "
                f"write np.asarray({name}, dtype=np.float64)"
            )
        if is_numpy(x) and x.dtype not in (np.float32, np.float64):
            raise TypeError(
                f"{name}: expected dtype float32 or float64, got {x.dtype}; write {name}.astype(np.float64)"
            )
    dtypes = {name: x.dtype for name, x in arrays.items() if is_numpy(x)}
    if len(set(dtypes.values())) > 1:
        got = ", ".join(f"{name} {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"expected one dtype for all arrays, got {got}; convert them with .astype")


def require_shape(shape: tuple[int | str, ...], **arrays: Array | IntArray) -> None:
    """Raise ValueError unless every array has this shape, in which a name stands for any size."""
    for name, x in arrays.items():
        fits = len(x.shape) == len(shape) and all(
            isinstance(want, str) or want == got for want, got in zip(shape, x.shape, strict=True)
        )
        if not fits:
            want = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
            raise ValueError(f"{name}: expected shape ({want}), got {x.shape}")


def require_same_shape(**arrays: Array) -> None:
    """Raise ValueError unless all arrays have the shape of the first."""
    (first, x), *others = arrays.items()
    for name, y in others:
        if y.shape != x.shape:
            raise ValueError(f"{name}: expected the shape of {first}, {x.shape}, got {y.shape}")


def require_rows(**arrays: Array | IntArray) -> None:
    """Raise ValueError if a batch is empty: its mean is not defined."""
    for name, x in arrays.items():
        if 0 in x.shape:
            raise ValueError(f"{name}: expected at least one row and one column, got shape {x.shape}")


def require_axis(x: Array, axis: int) -> None:
    """Raise unless `axis` is an axis of x, and not an empty one."""
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"axis: expected an int, got {type(axis).__name__}")
    if not -len(x.shape) <= axis < len(x.shape):
        raise ValueError(f"axis: expected an axis of an array of shape {x.shape}, got {axis}")
    if x.shape[axis] == 0:
        raise ValueError(f"axis: expected at least one entry along axis {axis}, got shape {x.shape}")


def require_classes(labels: Array | IntArray, n: int, c: int) -> None:
    """Raise unless labels are n integers in 0..c-1."""
    require_shape((n,), labels=labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(
            f"labels: expected integer classes of shape ({n},) or distributions of shape ({n}, {c}), "
            f"got {labels.dtype} of shape {labels.shape}; write labels.astype(np.int64) for classes"
        )
    if is_numpy(labels) and (wrong := (labels < 0) | (labels >= c)).any():
        i = int(np.argmax(wrong))
        raise ValueError(f"labels[{i}]: expected a class in 0..{c - 1}, got {labels[i]}; classes count from zero")


def require_distributions(**arrays: Array) -> None:
    """Raise ValueError unless every row is nonnegative with sum one, up to the dtype's rounding."""
    for name, p in arrays.items():
        if not is_numpy(p):
            continue
        if not (p >= 0).all():  # NaN too
            i, j = (int(k) for k in np.argwhere(~(p >= 0))[0])
            raise ValueError(f"{name}[{i}, {j}]: expected a probability, got {p[i, j]}")
        off = np.abs(np.sum(p, axis=-1, dtype=np.float64) - 1)
        if (off > 8 * p.shape[-1] * np.finfo(p.dtype).eps).any():
            i = int(np.argmax(off))
            total = np.sum(p[i], dtype=np.float64)
            raise ValueError(f"{name}[{i}]: expected probabilities with sum 1, got sum {total:.12g}; divide by the sum")


def require_unit(**arrays: Array) -> None:
    """Raise ValueError unless every entry is in [0, 1]."""
    for name, x in arrays.items():
        if is_numpy(x) and not ((x >= 0) & (x <= 1)).all():
            wrong = x[~((x >= 0) & (x <= 1))].flat[0] if x.shape else x
            raise ValueError(f"{name}: expected values in [0, 1], got {wrong}")


def require_nonnegative(**values: Any) -> None:
    """Raise ValueError unless every entry is at least zero (and not NaN)."""
    for name, x in values.items():
        if is_plain(x) and not np.all(x >= 0):
            raise ValueError(f"{name}: expected values of at least 0, got {np.min(x)}")


def require_positive(**values: float) -> None:
    """Raise ValueError unless every hyperparameter is positive and finite."""
    for name, x in values.items():
        if is_plain(x) and not 0 < x < np.inf:
            raise ValueError(f"{name}: expected a positive finite number, got {x}")


def require_fraction(**values: float) -> None:
    """Raise ValueError unless every hyperparameter is in [0, 1)."""
    for name, x in values.items():
        if is_plain(x) and not 0 <= x < 1:
            raise ValueError(f"{name}: expected a number in [0, 1), got {x}")


def require_counts(least: int = 1, **values: int) -> None:
    """Raise unless every value is an integer of at least `least`."""
    for name, x in values.items():
        if isinstance(x, bool) or not isinstance(x, int | np.integer):
            raise TypeError(f"{name}: expected an int, got {type(x).__name__}")
        if x < least:
            raise ValueError(f"{name}: expected at least {least}, got {x}")


def require_probabilities(**values: float) -> None:
    """Raise ValueError unless every hyperparameter is in [0, 1]."""
    for name, x in values.items():
        if is_plain(x) and not 0 <= x <= 1:
            raise ValueError(f"{name}: expected a number in [0, 1], got {x}")


def require_generator(generator: np.random.Generator) -> None:
    """Raise TypeError unless this is a NumPy generator, which is all that a random function may draw from."""
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"generator: expected a numpy.random.Generator, got {type(generator).__name__}; "
            "write np.random.default_rng(seed)"
        )


def floating(dtype: npt.DTypeLike) -> np.dtype[np.floating[Any]]:
    """Return the dtype that is asked for, float32 or float64; raise TypeError on another."""
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise TypeError(f"dtype: expected float32 or float64, got {kind}")
    return cast("np.dtype[np.floating[Any]]", kind)


def require_numbers(**arrays: Array) -> None:
    """Raise ValueError if an array holds NaN."""
    for name, x in arrays.items():
        if is_numpy(x) and (wrong := np.isnan(x)).any():
            raise ValueError(f"{_first(name, wrong)}: expected a number, got nan")


def require_finite(**arrays: Array) -> None:
    """Raise ValueError if an array holds NaN or an infinity."""
    for name, x in arrays.items():
        if is_numpy(x) and (wrong := ~np.isfinite(x)).any():
            raise ValueError(f"{_first(name, wrong)}: expected a finite number, got {x[wrong].flat[0]}")


def _first(name: str, wrong: npt.NDArray[np.bool_]) -> str:
    return f"{name}[{', '.join(map(str, np.argwhere(wrong)[0]))}]"


def require_reduction(reduction: str, allowed: Any = Reduction) -> None:
    """Raise ValueError unless `reduction` is one of the allowed words."""
    if reduction not in get_args(allowed):
        *words, last = (f'"{word}"' for word in get_args(allowed))
        raise ValueError(f"reduction: expected {', '.join(words)} or {last}, got {reduction!r}")


def is_numpy(x: Any) -> bool:
    """Tell NumPy's own arrays and scalars from other array-likes."""
    return isinstance(x, np.ndarray | np.generic)


def is_plain(x: Any) -> bool:
    """Tell numbers and NumPy's arrays from the array-likes of another arithmetic."""
    return is_numpy(x) or isinstance(x, int | float)
