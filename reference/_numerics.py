"""What the topics share: large arrays block by block, numbers that must not cancel, and checks of the arguments.

A check reads an array's dtype and values only if it is NumPy's own; the array-likes on which the harness runs the same
text (50 digits, running error, random rounding) are asked for their shape alone. Every message names the argument, what
was expected and what was got: TypeError where the kind of value is wrong, ValueError where its size or value is.
"""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, cast, get_args

import numpy as np
import numpy.typing as npt

from reference._types import Array, IntArray, Reduction

Made = TypeVar("Made", bound=Array | tuple[Array, ...])

CACHED = 2**15
"""So many numbers at a time stay in a processor's cache."""

SHORT = 32
"""NumPy is slow at sums and maxima of rows up to this length, but fast at those of columns."""


def in_blocks(f: Callable[..., Made], *arrays: Array, axis: int = 0, entries: int | None = None) -> Made:
    """Return f(*arrays), made block by block along an axis, so that what f makes on its way stays in the cache.

    f returns an array or a tuple of arrays, whose blocks lie along the same axis; it makes so many `entries` on its
    way, as many as the first array has unless told otherwise. Other array-likes than NumPy's go through f whole.

    >>> in_blocks(lambda x, y: x + 2 * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([ 7., 10.])
    """
    cuts = blocks(arrays[0], axis, entries)
    if len(cuts) == 1:
        return f(*arrays)
    length = arrays[0].shape[axis]
    wholes: list[Array] = []
    for cut in cuts:
        at = (slice(None),) * axis + (cut,)
        made = f(*(array[at] for array in arrays))
        parts: tuple[Array, ...] = made if isinstance(made, tuple) else (made,)
        if not wholes:
            wholes = [np.empty((*p.shape[:axis], length, *p.shape[axis + 1 :]), p.dtype) for p in parts]
        for whole, part in zip(wholes, parts, strict=True):
            whole[at] = part
    return cast(Made, tuple(wholes) if isinstance(made, tuple) else wholes[0])


def blocks(x: Array, axis: int = 0, entries: int | None = None) -> list[slice]:
    """Return slices along an axis, each a share of at most so many of the entries as the cache holds.

    >>> blocks(np.zeros(2**15 + 1))
    [slice(0, 32768, None), slice(32768, 65536, None)]
    """
    entries = x.size if entries is None else entries
    if not is_numpy(x) or entries <= CACHED:
        return [slice(None)]
    length = x.shape[axis]
    step = max(1, CACHED * length // entries)
    return [slice(start, start + step) for start in range(0, length, step)]


def by_rows(f: Callable[[Array], Array], x: Array, axis: int = -1) -> Array:
    """Return f(x) for a function of each row by itself, where the rows lie along an axis.

    It sees tables (n, c), block by block; rows that are short are laid out in memory column by column.

    >>> by_rows(lambda rows: rows / np.sum(rows, axis=1, keepdims=True), np.array([[1.0, 3.0], [3.0, 1.0]]), axis=0)
    array([[0.25, 0.75],
           [0.75, 0.25]])
    """
    moved = np.moveaxis(x, axis, -1)
    rows = np.reshape(moved, (-1, moved.shape[-1]))
    if is_numpy(x) and rows.shape[1] <= SHORT:
        made = in_blocks(lambda block: f(np.asfortranarray(block)), rows)
    else:
        made = in_blocks(f, rows)
    return np.moveaxis(np.reshape(made, moved.shape), -1, axis)


def one_minus_power(beta: float, t: int) -> Array:
    """1 − βᵗ for t ≥ 1, without the cancellation of `1 - beta**t` at β near one.

    >>> float(one_minus_power(0.5, 3))
    0.875
    >>> float(one_minus_power(0.0, 3))
    1.0
    """
    some = np.where(beta > 0, beta, 0.5)  # log 0 is not needed, since 0ᵗ = 0
    power: Array = np.where(beta > 0, -np.expm1(t * np.log(some)), 1.0)
    return power


def reduced(losses: Array, reduction: str) -> Array:
    """Return the mean, the sum, or the losses as they are."""
    if reduction == "none":
        return losses
    return cast(Array, np.mean(losses) if reduction == "mean" else np.sum(losses))


def require_floats(**arrays: Array | IntArray) -> None:
    """Raise TypeError unless all are arrays, and of one floating dtype, float32 or float64."""
    for name, x in arrays.items():
        if not _is_array(x):
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


def require_integers(**arrays: Array | IntArray) -> None:
    """Raise TypeError unless these are arrays of integers."""
    for name, x in arrays.items():
        if not _is_array(x):
            raise TypeError(
                f"{name}: expected a NumPy array of integers, got {type(x).__name__}; write np.asarray({name})"
            )
        if not np.issubdtype(x.dtype, np.integer):
            raise TypeError(f"{name}: expected integers, got {x.dtype}; write {name}.astype(np.int64)")


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
    if not _is_array(labels):
        require_integers(labels=labels)
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


def require_nonnegative(**arrays: Array) -> None:
    """Raise ValueError unless every entry is at least zero and finite."""
    for name, x in arrays.items():
        if not is_numpy(x) or not x.size:
            continue
        least, largest = np.min(x), np.max(x)
        if not (least >= 0 and largest < np.inf):  # both are NaN if one entry is
            got = largest if least >= 0 else least
            raise ValueError(f"{name}: expected finite values of at least 0, got {got}")


def require_real(**values: Any) -> Any:
    """Return the hyperparameters, one or a tuple; raise TypeError on what is no number: an array, a text, a bool.

    NumPy's numbers become Python's, since an np.float64 would make float64 of a float32 array that it meets.

    >>> type(require_real(lr=np.float64(0.1)))
    <class 'float'>
    """
    for name, x in values.items():
        if isinstance(x, bool) or not (isinstance(x, int | float | np.integer | np.floating) or _is_other(x)):
            raise TypeError(f"{name}: expected a number, got {type(x).__name__}")
    plain = tuple(x.item() if isinstance(x, np.generic) else x for x in values.values())
    return plain if len(plain) > 1 else plain[0]


def require_positive(**values: float) -> Any:
    """Return the hyperparameters as `require_real` does; raise unless each is a positive and finite number."""
    plain = require_real(**values)
    for name, x in values.items():
        if is_plain(x) and not 0 < x < np.inf:
            raise ValueError(f"{name}: expected a positive finite number, got {x}")
    return plain


def require_at_least_zero(**values: float) -> Any:
    """Return the hyperparameters as `require_real` does; raise unless each is a finite number of at least zero."""
    plain = require_real(**values)
    for name, x in values.items():
        if is_plain(x) and not 0 <= x < np.inf:
            raise ValueError(f"{name}: expected a finite number of at least 0, got {x}")
    return plain


def require_fraction(**values: float) -> Any:
    """Return the hyperparameters as `require_real` does; raise unless each is a number in [0, 1)."""
    plain = require_real(**values)
    for name, x in values.items():
        if is_plain(x) and not 0 <= x < 1:
            raise ValueError(f"{name}: expected a number in [0, 1), got {x}")
    return plain


def require_counts(least: int = 1, **values: int) -> None:
    """Raise unless every value is an integer of at least `least`."""
    for name, x in values.items():
        if isinstance(x, bool) or not isinstance(x, int | np.integer):
            raise TypeError(f"{name}: expected an int, got {type(x).__name__}")
        if x < least:
            raise ValueError(f"{name}: expected at least {least}, got {x}")


def require_probabilities(**values: float) -> Any:
    """Return the hyperparameters as `require_real` does; raise unless each is a number in [0, 1]."""
    plain = require_real(**values)
    for name, x in values.items():
        if is_plain(x) and not 0 <= x <= 1:
            raise ValueError(f"{name}: expected a number in [0, 1], got {x}")
    return plain


def require_generator(generator: np.random.Generator) -> None:
    """Raise TypeError unless this is a NumPy generator, which is all that a random function may draw from."""
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"generator: expected a numpy.random.Generator, got {type(generator).__name__}; "
            "write np.random.default_rng(seed)"
        )


def floating(dtype: npt.DTypeLike) -> np.dtype[np.floating[Any]]:
    """Return the dtype that is asked for, float32 or float64; raise TypeError on another, and on None."""
    for kind in (np.dtype(np.float32), np.dtype(np.float64)):
        if dtype is not None and kind == dtype:
            return cast("np.dtype[np.floating[Any]]", kind)
    raise TypeError(f"dtype: expected float32 or float64, got {getattr(dtype, '__name__', dtype)}")


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
    require_word(allowed, reduction=reduction)


def require_word(allowed: Any, **words: str) -> None:
    """Raise ValueError unless every word is one of those that a Literal allows."""
    for name, word in words.items():
        if not (isinstance(word, str) and word in get_args(allowed)):
            *others, last = (f'"{word}"' for word in get_args(allowed))
            raise ValueError(f"{name}: expected {', '.join(others)} or {last}, got {word!r}")


def require_flag(**values: bool) -> None:
    """Raise TypeError unless every value is True or False."""
    for name, value in values.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}: expected True or False, got {value!r}")


def require_kind(kind: type | UnionType, **values: Any) -> None:
    """Raise TypeError unless every value is of this type, such as a state or a sequence."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name}: expected {_named(kind)}, got {type(value).__name__}")


def require_function(**values: Any) -> None:
    """Raise TypeError unless every value can be called."""
    for name, value in values.items():
        if not callable(value):
            raise TypeError(f"{name}: expected a function, got {type(value).__name__}")


def require_scalar(**values: Any) -> None:
    """Raise unless every value, such as a function's, is a real number or an array without axes."""
    for name, value in values.items():
        if not (isinstance(value, int | float) or _is_array(value)) or np.iscomplexobj(value):
            raise TypeError(f"{name}: expected a scalar, got {type(value).__name__}")
        if shape := getattr(value, "shape", ()):
            raise ValueError(f"{name}: expected a scalar, got shape {shape}; sum it, or take one entry")


def is_numpy(x: Any) -> bool:
    """Tell NumPy's own arrays and scalars from other array-likes."""
    return isinstance(x, np.ndarray | np.generic)


def is_plain(x: Any) -> bool:
    """Tell numbers and NumPy's arrays from the array-likes of another arithmetic."""
    return is_numpy(x) or isinstance(x, int | float)


def _is_other(x: Any) -> bool:
    """Tell the array-likes of another arithmetic."""
    return hasattr(x, "__array_ufunc__") and not is_numpy(x) and not isinstance(x, type)


def _is_array(x: Any) -> bool:
    """Tell arrays, but not NumPy's two kinds with rules of their own for products and sums (np.ma loads late)."""
    return (is_numpy(x) and type(x).__name__ not in ("matrix", "MaskedArray")) or _is_other(x)


def _named(kind: type | UnionType) -> str:
    return " or ".join(one.__name__ for one in (get_args(kind) or (kind,)))
