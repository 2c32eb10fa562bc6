"""One text, several arithmetics: a reference function, unchanged, on numbers of other kinds.

The three kinds of array here answer NumPy's dispatch protocols, so that a function written for `numpy.ndarray` runs on
them as it stands:

- `Exact` computes with as many digits as asked for: the truth of the reference text.
- `Bounded` carries with each value a bound of what rounding can have done to it (running error analysis, Higham,
  Accuracy and Stability of Numerical Algorithms, section 3.3).
- `Rounded` rounds every operation at random, many samples at once: what rounding typically does.

From the last two comes the allowed error of every element (see `answers`). A library function is granted
`LIBRARY_ULPS` units of roundoff, what NumPy, PyTorch and JAX were measured to need with a margin of two.
"""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import mpmath
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from graders.harness.precision import PRECISIONS
from graders.harness.sandbox.codec import Record

Plain = np.ndarray[Any, Any]
LIBRARY_ULPS = 8.0
NARROW_LIBRARY_ULPS = 2.0  # in float16 and bfloat16 they compute in float32, and round once
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
LOGICAL = ("logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_or", "invert")
FUNCTIONS = ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sin", "cos", "hypot", "arctan2")
STEPS = ("floor", "ceil")


class Unsupported(TypeError):
    """A reference uses what no arithmetic here knows; it needs a rule, or the function another formulation."""


class Lifted(NDArrayOperatorsMixin, ABC):
    """An array-like made of one or more plain arrays of the same shape, its parts.

    `lead` counts hidden leading axes of the parts (the samples of `Rounded`). Whatever only moves elements is done to
    each part alike, here; each kind of arithmetic adds the rules of `apply`.
    """

    lead: ClassVar[int] = 0
    __slots__ = ("dtype", "parts")

    def __init__(self, parts: tuple[Plain, ...], dtype: np.dtype[Any]) -> None:
        self.parts = parts
        self.dtype = dtype

    # what NumPy code asks of an array

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.parts[0].shape[self.lead :]
        return shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def T(self) -> Self:
        return self._moved(lambda part: part.transpose(*range(self.lead), *reversed(range(self.lead, part.ndim))))

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        raise Unsupported("the truth of a lifted value is not known; write the choice with numpy.where")

    def __getitem__(self, key: Any) -> Self:
        key = key if isinstance(key, tuple) else (key,)
        return self._moved(lambda part: part[(slice(None),) * self.lead + key])

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        del copy
        return type(self)(tuple(self._number(part) for part in self.parts), np.dtype(dtype))

    def reshape(self, *shape: Any) -> Self:
        wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return self._moved(lambda part: part.reshape(part.shape[: self.lead] + wanted))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self._sum(axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self._mean(axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self._max(axis, keepdims)

    def copy(self) -> Self:
        return self

    # dispatch

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or keywords.get("out") is not None:
            raise Unsupported(f"numpy.{ufunc.__name__}.{method} has no rule here")
        return self.apply(ufunc.__name__, [self._lift(value) for value in inputs])

    def __array_function__(
        self, function: Callable[..., Any], types: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        del types
        rule = _STRUCTURE.get(function.__name__)
        if rule is None:
            raise Unsupported(f"numpy.{function.__name__} has no rule here")
        return rule(self, *arguments, **keywords)

    def apply(self, name: str, inputs: list[Self]) -> Self:
        """Return the elementwise function of that name of lifted inputs."""
        if name == "square":
            return self.apply("multiply", [inputs[0], inputs[0]])
        if name == "reciprocal":
            return self.apply("divide", [self._lift(1.0), inputs[0]])
        if name == "logaddexp":
            one, two = inputs
            return np.maximum(one, two) + np.log1p(np.exp(-np.abs(one - two)))  # type: ignore[no-any-return, call-overload]
        if name == "sign":
            return self.apply("subtract", [(inputs[0] > 0).astype(self.dtype), (inputs[0] < 0).astype(self.dtype)])
        raise Unsupported(f"numpy.{name} has no rule here")

    # what each kind fills in

    @abstractmethod
    def _lift(self, value: Any) -> Self: ...

    def _number(self, part: Plain) -> Plain:
        return part.astype(np.float64) if part.dtype == bool else part

    @abstractmethod
    def _sum(self, axis: Any, keepdims: bool) -> Self: ...

    @abstractmethod
    def _max(self, axis: Any, keepdims: bool) -> Self: ...

    @abstractmethod
    def _argmax(self, axis: Any, keepdims: bool) -> Self: ...

    @abstractmethod
    def _where(self, chosen: Self, other: Self) -> Self: ...

    def _mean(self, axis: Any, keepdims: bool) -> Self:
        total = self._sum(axis, keepdims)
        count = self.size // max(1, int(np.prod(self._sum(axis, False).shape)))
        return total / float(count)  # type: ignore[no-any-return]

    def _moved(self, move: Callable[[Plain], Plain]) -> Self:
        return type(self)(tuple(move(part) for part in self.parts), self.dtype)

    def _axis(self, axis: int) -> int:
        return axis + self.lead if axis >= 0 else axis

    def _axes(self, axis: Any) -> tuple[int, ...]:
        """Return the axes of a part that a visible axis, several of them, or None (all) stand for."""
        ndim = self.ndim
        if axis is None:
            axes: Sequence[int] = range(ndim)
        else:
            axes = axis if isinstance(axis, (tuple, list)) else (axis,)
        return tuple(sorted(a % ndim + self.lead for a in axes)) if ndim else ()


def _aligned(one: Lifted, two: Lifted) -> tuple[tuple[Plain, ...], tuple[Plain, ...]]:
    """Return the parts of two arrays with as many visible axes, so that hidden axes meet hidden axes."""
    if one.lead == 0 or one.ndim == two.ndim:
        return one.parts, two.parts
    ndim = max(one.ndim, two.ndim)

    def widened(array: Lifted) -> tuple[Plain, ...]:
        lead = array.lead
        return tuple(p.reshape(p.shape[:lead] + (1,) * (ndim - array.ndim) + p.shape[lead:]) for p in array.parts)

    return widened(one), widened(two)


def _structural(name: str) -> Callable[..., Any]:
    def rule(self: Lifted, array: Any, *arguments: Any, **keywords: Any) -> Any:
        array = self._lift(array)
        if name == "transpose":
            axes = arguments[0] if arguments else keywords.get("axes")
            if axes is None:
                return array.T
            order = tuple(range(self.lead)) + tuple(array._axis(a) for a in axes)
            return array._moved(lambda part: part.transpose(order))
        if name == "reshape":
            return array.reshape(*(arguments or (keywords["shape"],)))
        if name == "broadcast_to":
            shape = tuple(arguments[0] if arguments else keywords["shape"])
            widened = _aligned(array, self._lift(np.zeros(shape)))[0]
            return type(array)(tuple(np.broadcast_to(p, p.shape[: self.lead] + shape) for p in widened), array.dtype)
        if name in ("moveaxis", "swapaxes"):
            one, two = (array._axis(a) for a in arguments)
            return array._moved(lambda part: getattr(np, name)(part, one, two))
        if name in ("expand_dims", "squeeze"):
            axis = arguments[0] if arguments else keywords["axis"]
            moved = tuple(array._axis(a) for a in ((axis,) if isinstance(axis, int) else axis))
            return array._moved(lambda part: getattr(np, name)(part, moved))
        if name == "take_along_axis":
            indices, axis = arguments[0], arguments[1] if len(arguments) > 1 else keywords["axis"]
            wide = np.broadcast_to(indices, array.parts[0].shape[: self.lead] + np.shape(indices))
            return array._moved(lambda part: np.take_along_axis(part, wide, array._axis(axis)))
        if name == "flip":
            axis = arguments[0] if arguments else keywords.get("axis")
            return array._moved(lambda part: np.flip(part, array._axes(axis)))
        if name == "ravel":
            return array.reshape(-1)
        raise Unsupported(f"numpy.{name} has no rule here")

    return rule


def _joined(name: str) -> Callable[..., Any]:
    def rule(self: Lifted, arrays: Sequence[Any], axis: int = 0) -> Any:
        lifted = [self._lift(array) for array in arrays]
        at = axis + self.lead if axis >= 0 else axis
        columns = zip(*(array.parts for array in lifted), strict=True)
        return type(self)(tuple(getattr(np, name)(column, axis=at) for column in columns), self.dtype)

    return rule


def _reduction(name: str) -> Callable[..., Any]:
    def rule(self: Lifted, array: Any, axis: Any = None, keepdims: bool = False, **others: Any) -> Any:
        if others:
            raise Unsupported(f"numpy.{name} with {', '.join(others)} has no rule here")
        return getattr(self._lift(array), f"_{name}")(axis, keepdims)

    return rule


def _where(self: Lifted, condition: Any, chosen: Any, other: Any) -> Any:
    return self._lift(condition)._where(self._lift(chosen), self._lift(other))


def _filled(value: float) -> Callable[..., Any]:
    def rule(self: Lifted, array: Any, dtype: Any = None, shape: Any = None) -> Any:
        del dtype
        return self._lift(np.full(np.shape(array) if shape is None else shape, value))

    return rule


_STRUCTURE: dict[str, Callable[..., Any]] = {
    **{
        name: _structural(name)
        for name in (
            "transpose", "reshape", "broadcast_to", "moveaxis", "swapaxes", "expand_dims", "squeeze",
            "take_along_axis", "flip", "ravel",
        )
    },
    **{name: _joined(name) for name in ("concatenate", "stack")},
    **{name: _reduction(name) for name in ("sum", "mean")},
    "max": _reduction("max"),
    "argmax": _reduction("argmax"),
    "amax": _reduction("max"),
    "min": lambda self, array, axis=None, keepdims=False: -(-self._lift(array))._max(axis, keepdims),
    "where": _where,
    "zeros_like": _filled(0.0),
    "ones_like": _filled(1.0),
    "copy": lambda self, array: array,
    "shape": lambda self, array: array.shape,
    "ndim": lambda self, array: array.ndim,
    "size": lambda self, array: array.size,
    "clip": lambda self, array, low, high: np.minimum(np.maximum(self._lift(array), low), high),
    "dot": lambda self, one, two: self.apply("matmul", [self._lift(one), self._lift(two)]),
}  # fmt: skip


# ---------------------------------------------------------------- many digits


class _Contexts(threading.local):
    def __init__(self) -> None:
        self.by_digits: dict[int, Any] = {}


_contexts = _Contexts()


def context(digits: int) -> Any:
    """Return this thread's mpmath context of that many digits: the global one would be shared with others."""
    if digits not in _contexts.by_digits:
        made = mpmath.MPContext()
        made.dps = digits
        _contexts.by_digits[digits] = made
    return _contexts.by_digits[digits]


@functools.cache
def exact_kind(digits: int) -> type[Exact]:
    """Return the kind of array that computes with so many digits."""
    return type(f"Exact{digits}", (Exact,), {"digits": digits, "__slots__": ()})


class Exact(Lifted):
    """Elements of many digits."""

    digits: ClassVar[int] = 50
    __slots__ = ()

    @classmethod
    def of(cls, value: Any, dtype: Any, labels: bool = False) -> Exact:
        """Return the exact value of an array of floats."""
        del labels
        mpf = context(cls.digits).mpf
        plain = np.asarray(value)
        numbers = [mpf(float(x)) for x in plain.ravel()]
        return cls((objects(numbers, plain.shape),), np.dtype(dtype))

    def _lift(self, value: Any) -> Self:
        if isinstance(value, type(self)):
            return value
        if isinstance(value, np.ndarray) and value.dtype == bool:
            return type(self)((value,), self.dtype)
        return type(self).of(value, self.dtype)  # type: ignore[return-value]

    def _moved(self, move: Callable[[Plain], Plain]) -> Self:
        return type(self)(tuple(_as_objects(move(part)) for part in self.parts), self.dtype)

    def _number(self, part: Plain) -> Plain:
        if part.dtype != bool:
            return part
        mpf = context(self.digits).mpf
        return objects([mpf(int(x)) for x in part.ravel()], part.shape)

    def apply(self, name: str, inputs: list[Self]) -> Self:
        parts = [x.parts[0] for x in inputs]
        if name in COMPARISONS:
            return type(self)((np.asarray(getattr(np, name)(*parts), dtype=bool),), self.dtype)
        if name in LOGICAL:
            return type(self)((getattr(np, name)(*parts),), self.dtype)
        ctx = context(self.digits)
        elementwise = {
            "exp": ctx.exp, "expm1": ctx.expm1, "log": lambda x: ctx.log(x) if x > 0 else _log_edge(ctx, x),
            "log1p": lambda x: ctx.log1p(x) if x > -1 else _log_edge(ctx, x + 1), "tanh": ctx.tanh,
            "sqrt": lambda x: ctx.sqrt(x) if x >= 0 else ctx.nan,
            "divide": lambda a, b: a / b if b else (ctx.nan if not a else ctx.inf * ctx.sign(a)),
            "power": lambda a, b: a ** (int(b) if b == int(b) else b),
            "maximum": lambda a, b: a if a >= b else b, "minimum": lambda a, b: a if a <= b else b,
            "sin": ctx.sin, "cos": ctx.cos, "hypot": ctx.hypot, "arctan2": ctx.atan2,
            "floor": ctx.floor, "ceil": ctx.ceil,
        }.get(name)  # fmt: skip
        if elementwise is not None:
            made = np.frompyfunc(elementwise, len(parts), 1)(*parts)
        elif name in ("add", "subtract", "multiply", "negative", "absolute", "matmul"):
            made = getattr(np, name)(*parts)
        else:
            return super().apply(name, inputs)
        return type(self)((_as_objects(made),), self.dtype)

    def _sum(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)
        made = np.sum(self.parts[0], axis=axes, keepdims=keepdims) if axes else self.parts[0]
        return type(self)((_as_objects(made),), self.dtype)

    def _max(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)
        return type(self)((_as_objects(np.max(self.parts[0], axis=axes or None, keepdims=keepdims)),), self.dtype)

    def _argmax(self, axis: Any, keepdims: bool) -> Self:
        made = np.argmax(self.parts[0], axis=axis, keepdims=keepdims)
        return self._lift(np.asarray(made, float))

    def _where(self, chosen: Self, other: Self) -> Self:
        return type(self)((_as_objects(np.where(self.parts[0], chosen.parts[0], other.parts[0])),), self.dtype)


def _log_edge(ctx: Any, x: Any) -> Any:
    return -ctx.inf if x == 0 else ctx.nan


def objects(numbers: list[Any], shape: tuple[int, ...]) -> Plain:
    """Return an array of objects, which NumPy would otherwise try to look into."""
    made = np.empty(len(numbers), dtype=object)
    made[:] = numbers
    return made.reshape(shape)


def _as_objects(made: Any) -> Plain:
    """Return a 0-dimensional array where NumPy unwrapped one element."""
    return np.asarray(made) if isinstance(made, (np.ndarray, np.bool_)) else objects([made], ())


def _sure(plain: Plain, labels: bool) -> Plain | bool:
    """Return which inputs are exact in every program: labels of 0 and 1, or −1 and 1, are what they are."""
    return labels and (plain == np.round(plain))


# ---------------------------------------------------------------- running error


class Bounded(Lifted):
    """Parts (v, e): a program with this roundoff, in whatever order it sums, is within e of v."""

    unit: ClassVar[float] = 2.0**-53
    library: ClassVar[float] = LIBRARY_ULPS
    tiny: ClassVar[float] = float(np.finfo(np.float64).tiny)
    huge: ClassVar[float] = float(np.finfo(np.float64).max)
    __slots__ = ()

    @classmethod
    def of(cls, value: Any, dtype: Any, labels: bool = False) -> Bounded:
        """Return an uncertain input: each element may be off by half an ulp, but for labels that are whole."""
        plain = np.asarray(value, dtype=np.float64)
        return cls((plain, np.where(_sure(plain, labels), 0.0, cls.unit * np.abs(plain))), np.dtype(dtype))

    def _lift(self, value: Any) -> Self:
        if isinstance(value, type(self)):
            return value
        plain = np.asarray(value)
        plain = plain if plain.dtype == bool else plain.astype(np.float64)
        return type(self)((plain, np.zeros(plain.shape)), self.dtype)

    def apply(self, name: str, inputs: list[Self]) -> Self:
        u, tiny = self.unit, self.tiny
        a, ea = inputs[0].parts
        b, eb = inputs[1].parts if len(inputs) > 1 else (a, ea)
        if name in COMPARISONS:
            # an order that the errors could turn is undecided, and so is the choice that hangs on it
            with np.errstate(invalid="ignore"):  # equal infinities have no difference
                certain = np.abs(a - b) > ea + eb
            same = (ea == 0) & (eb == 0)
            return type(self)((getattr(np, name)(a, b), (~(certain | same)).astype(np.float64)), self.dtype)
        if name in LOGICAL:
            unary = name in ("logical_not", "invert")
            return type(self)(
                (getattr(np, name)(a) if unary else getattr(np, name)(a, b), ea if unary else np.maximum(ea, eb)),
                self.dtype,
            )
        if name == "negative":
            return type(self)((-a, ea), self.dtype)
        if name == "absolute":
            return type(self)((np.abs(a), ea), self.dtype)
        if name in ("maximum", "minimum"):
            sign = 1 if name == "maximum" else -1
            # Where one side wins for certain the error of the other does not matter; −∞ against −∞ has none.
            with np.errstate(invalid="ignore"):  # where nothing is known the answer is no
                first, second = sign * a - ea > sign * b + eb, sign * b - eb > sign * a + ea
            e = np.where(first, ea, np.where(second, eb, np.maximum(ea, eb)))
            return type(self)((getattr(np, name)(a, b), e), self.dtype)
        if name in ("add", "subtract"):
            v = getattr(np, name)(a, b)
            # adding an exact zero rounds nothing
            exact = ((a == 0) & (ea == 0)) | ((b == 0) & (eb == 0))
            return self._made(v, ea + eb + np.where(exact, 0.0, u * (np.abs(v) + ea + eb)))
        if name == "multiply":
            v = a * b
            exact = (np.abs(a) == 1) & (ea == 0) | (np.abs(b) == 1) & (eb == 0)
            exact = exact | ((a == 0) & (ea == 0)) | ((b == 0) & (eb == 0))
            e = np.abs(a) * eb + np.abs(b) * ea + ea * eb
            return self._made(v, e + np.where(exact, 0.0, u * (np.abs(v) + e) + tiny))
        if name == "divide":
            v, room = a / b, np.abs(b) - eb
            e = np.where(room > 0, (np.abs(b) * ea + np.abs(a) * eb) / (np.abs(b) * room), np.inf)
            zero = (a == 0) & (ea == 0) & (room > 0)
            return self._made(v, np.where(zero, 0.0, e + u * (np.abs(v) + e) + tiny))
        if name == "matmul":
            v, terms = a @ b, a.shape[-1]
            absolute = (np.abs(a) + ea) @ (np.abs(b) + eb)
            e = np.abs(a) @ eb + ea @ np.abs(b) + ea @ eb
            return self._made(v, e + terms * u * absolute + terms * tiny)
        if name == "power":
            v = a**b
            whole = (eb == 0) & (b == np.round(b)) & (b >= 0)
            with np.errstate(all="ignore"):
                e = np.where(b == 0, 0.0, np.abs(b) * (np.abs(a) + ea) ** np.maximum(b - 1, 0) * ea)
                corners = [np.abs((a + s * ea) ** (b + t * eb) - v) for s in (-1, 1) for t in (-1, 1)]
                positive = np.where(a > ea, np.max(corners, axis=0), np.inf)  # monotone in either argument there
            return self._made(v, np.where(whole, e, positive) + self.library * u * np.abs(v) + tiny)
        if name in STEPS:
            v, low, high = (getattr(np, name)(x) for x in (a, a - ea, a + ea))
            return self._made(v, np.where(low == high, 0.0, np.inf))
        if name in ("hypot", "arctan2"):
            v, off = getattr(np, name)(a, b), np.hypot(ea, eb)
            e = off if name == "hypot" else _turned(a, b, ea, off)
            return self._made(v, e + self.library * u * np.abs(v) + tiny * (v != 0))
        if name in FUNCTIONS:
            v = getattr(np, name)(a)
            e = self._propagated(name, a, ea, v) + self.library * u * np.abs(v) + tiny * (v != 0)
            return self._made(v, np.where((a == 0) & (ea == 0), 0.0, e))  # e⁰ is 1, and every library says so
        return super().apply(name, inputs)

    @staticmethod
    def _propagated(name: str, a: Plain, ea: Plain, v: Plain) -> Plain:
        """Return how far f(x) can be from f(a) for |x − a| ≤ ea, without cancellation."""
        if name == "exp":
            return v * np.expm1(ea) + np.where((v == 0) & (ea > 0), np.finfo(np.float64).tiny, 0.0)
        if name == "expm1":
            return (v + 1) * np.expm1(ea)
        if name == "log":
            return np.where(ea < a, -np.log1p(-np.minimum(ea / a, 1.0)), np.inf)
        if name == "log1p":
            return np.where(ea < 1 + a, -np.log1p(-np.minimum(ea / (1 + a), 1.0)), np.inf)
        if name == "sqrt":
            low = np.sqrt(np.maximum(a - ea, 0))
            return np.where(ea == 0, 0.0, np.where(ea < a, ea / (v + low), np.sqrt(a + ea)))
        if name in ("sin", "cos"):
            return ea
        nearest = np.maximum(np.abs(a) - ea, 0)  # tanh is steepest nearest to 0
        decay: Plain = np.exp(-2 * nearest)
        slope: Plain = 4 * decay / (1 + decay) ** 2
        return ea * slope

    def _made(self, v: Plain, e: Plain) -> Self:
        beyond = ~(np.abs(v) + e <= self.huge)
        return type(self)((np.asarray(v), np.where(beyond, np.inf, e)), self.dtype)

    def _sum(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)
        v, e = self.parts
        if not axes:
            return self
        total = np.abs(v) + e
        # adding zeros that are exact rounds nothing, so a sum over a one-hot row is exact
        terms = np.sum((total != 0).astype(np.float64), axis=axes, keepdims=keepdims)
        rounding = np.maximum(terms - 1, 0) * self.unit * np.sum(total, axis=axes, keepdims=keepdims)
        return self._made(np.sum(v, axis=axes, keepdims=keepdims), np.sum(e, axis=axes, keepdims=keepdims) + rounding)

    def _max(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis) or None
        v, e = self.parts
        with np.errstate(invalid="ignore"):
            surely = np.max(v - e, axis=axes, keepdims=True)
            e = np.where((e == np.inf) | (v + e >= surely), e, 0.0)  # what cannot be the largest does not matter
        return type(self)(
            (np.max(v, axis=axes, keepdims=keepdims), np.max(e, axis=axes, keepdims=keepdims)), self.dtype
        )

    def _argmax(self, axis: Any, keepdims: bool) -> Self:
        v, e = self.parts
        best = np.argmax(v, axis=axis, keepdims=True)
        rivals = np.array(v + e)
        np.put_along_axis(rivals, best, -np.inf, axis)
        surely = np.take_along_axis(v - e, best, axis)
        exact = (e == 0) & (np.take_along_axis(e, best, axis) == 0)  # of equal numbers the first
        beaten = (rivals < surely) | (exact & (rivals == surely)) | (rivals == -np.inf)
        doubt = np.where(np.all(beaten, axis=axis, keepdims=True), 0.0, np.inf)
        return self._made(*(part if keepdims else np.squeeze(part, axis) for part in (best.astype(float), doubt)))

    def _where(self, chosen: Self, other: Self) -> Self:
        condition, doubt = self.parts
        (a, ea), (b, eb) = chosen.parts, other.parts
        v, e = np.where(condition, a, b), np.where(condition, ea, eb)
        either = np.maximum(ea, eb) + np.abs(a - b)
        return self._made(v, np.where(doubt > 0, either, e))


def _turned(y: Plain, x: Plain, ey: Plain, off: Plain) -> Plain:
    """Return how far the angle of (x, y) turns if the point moves by `off`; any angle, where it crosses the cut."""
    share = off / np.hypot(x, y)
    crosses = (x < 0) & (np.abs(y) <= ey) & (ey > 0)
    return np.where(off == 0, 0.0, np.where((share < 1) & ~crosses, np.arcsin(np.minimum(share, 1.0)), np.inf))


class Bounded32(Bounded):
    """The same for float32."""

    unit = 2.0**-24
    tiny = float(np.finfo(np.float32).tiny)
    huge = float(np.finfo(np.float32).max)
    __slots__ = ()


class BoundedBrain(Bounded):
    """The same for bfloat16, whose range is that of float32."""

    unit = 2.0**-8
    library = NARROW_LIBRARY_ULPS
    tiny = float(np.finfo(np.float32).tiny)
    huge = PRECISIONS["bfloat16"].huge
    __slots__ = ()


class Bounded16(Bounded):
    """The same for float16: a narrow range, in which an eps of 1e-8 is 0, and below 6e-5 fewer digits."""

    unit = 2.0**-11
    library = NARROW_LIBRARY_ULPS
    tiny = 2.0**-24  # the distance of its smallest numbers, which are too many of all to be given up
    huge = PRECISIONS["float16"].huge
    __slots__ = ()

    @classmethod
    def of(cls, value: Any, dtype: Any, labels: bool = False) -> Bounded16:
        """Return an uncertain input, which may be too small for this dtype, or too large."""
        v, e = super().of(value, dtype, labels).parts
        small = (v != 0) & (np.abs(v) < PRECISIONS["float16"].least)
        return cls((v, e), np.dtype(dtype))._made(v, np.where(small, np.maximum(e, cls.tiny), e))


class BoundedTensorFloat(Bounded32):
    """The same for the significand of float16 in the range of float32: NVIDIA's TF32."""

    unit = 2.0**-11
    __slots__ = ()


# ---------------------------------------------------------------- random rounding

SAMPLES = 16


class Rounded(Lifted):
    """Samples of what a program with this roundoff may return, every operation rounded at random.

    For float64 the samples are drawn with roundoff 2^-40 in float64 itself, and what they show is scaled down: the
    effect of rounding is linear in the roundoff as long as it is small.
    """

    lead = 1
    unit: ClassVar[float] = 2.0**-40
    random: ClassVar[Any] = None
    __slots__ = ()

    @classmethod
    def of(cls, value: Any, dtype: Any, labels: bool = False) -> Rounded:
        """Return samples of an uncertain input: equal numbers stay equal, and labels that are whole are certain."""
        plain = np.asarray(value, dtype=np.float64)
        different, which = np.unique(plain, return_inverse=True)
        noisy = cls._noisy(np.broadcast_to(different, (SAMPLES, *different.shape)))
        noisy = noisy[:, which.ravel()].reshape(SAMPLES, *plain.shape)
        return cls((np.where(_sure(plain, labels), plain, noisy),), np.dtype(dtype))

    @classmethod
    def _noisy(cls, part: Plain) -> Plain:
        noise: Plain = part * (1.0 + cls.unit * cls.random.uniform(-1.0, 1.0, part.shape))
        return noise

    def _lift(self, value: Any) -> Self:
        if isinstance(value, Rounded):
            return value  # type: ignore[return-value]
        plain = np.asarray(value)
        plain = plain if plain.dtype == bool else plain.astype(np.float64)
        return type(self)((np.broadcast_to(plain, (SAMPLES, *plain.shape)),), self.dtype)

    def apply(self, name: str, inputs: list[Self]) -> Self:
        if name == "matmul":
            return self._matmul(*inputs)
        if len(inputs) == 2:
            (a,), (b,) = _aligned(*inputs)
            parts = [a, b]
        else:
            parts = [x.parts[0] for x in inputs]
        if name in COMPARISONS or name in LOGICAL:
            return type(self)((getattr(np, name)(*parts),), self.dtype)
        if name in ("negative", "absolute", "maximum", "minimum", *STEPS):
            return type(self)((getattr(np, name)(*parts),), self.dtype)
        if name in ("add", "subtract", "multiply", "divide", "power", *FUNCTIONS):
            return type(self)((self._noisy(getattr(np, name)(*parts)),), self.dtype)
        return super().apply(name, inputs)

    def _matmul(self, one: Self, two: Self) -> Self:
        rows = one if one.ndim > 1 else one[None, :]
        columns = two if two.ndim > 1 else two[:, None]
        (a,), (b,) = _aligned(rows, columns)
        made = type(self)((self._noisy(a[..., :, None] * b[..., None, :, :]),), self.dtype)._sum(-2, False)
        made = made if one.ndim > 1 else made[..., 0, :]
        return made if two.ndim > 1 else made[..., 0]

    def _sum(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)
        if not axes:
            return self
        part = self.parts[0]
        kept = [a for a in range(part.ndim) if a not in axes]
        rows = part.transpose(*kept, *axes).reshape(*(part.shape[a] for a in kept), -1)
        order = np.argsort(self.random.random((SAMPLES, rows.shape[-1])), axis=-1)
        order = order.reshape(SAMPLES, *(1,) * (rows.ndim - 2), -1)
        rows = np.take_along_axis(rows, np.broadcast_to(order, rows.shape), axis=-1)
        total = rows[..., 0]
        for term in range(1, rows.shape[-1]):
            total = self._noisy(total + rows[..., term])
        return type(self)((np.expand_dims(total, axes) if keepdims else total,), self.dtype)

    def _max(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)
        made = np.max(self.parts[0], axis=axes, keepdims=keepdims) if axes else self.parts[0]
        return type(self)((made,), self.dtype)

    def _argmax(self, axis: Any, keepdims: bool) -> Self:
        axes = self._axes(axis)[0] if axis is not None else None
        return type(self)((np.argmax(self.parts[0], axis=axes, keepdims=keepdims).astype(float),), self.dtype)

    def _where(self, chosen: Self, other: Self) -> Self:
        ndim = max(self.ndim, chosen.ndim, other.ndim)
        frame = self._lift(np.zeros((1,) * ndim))
        parts = [_aligned(x, frame)[0][0] for x in (self, chosen, other)]
        return type(self)((np.where(*parts),), self.dtype)


_BOUNDED: Mapping[str, type[Bounded]] = {
    "float64": Bounded, "float32": Bounded32, "float16": Bounded16, "bfloat16": BoundedBrain,
    "tf32": BoundedTensorFloat,
}  # fmt: skip


def rounded_kind(dtype: str, seed: int) -> type[Rounded]:
    """Return the kind of array that rounds at random for this dtype, from this seed."""
    unit = Rounded.unit if dtype == "float64" else _BOUNDED[dtype].unit
    return type("Rounded", (Rounded,), {"random": np.random.default_rng(seed), "unit": unit, "__slots__": ()})


def bounded_kind(dtype: str) -> type[Bounded]:
    """Return the kind of array that bounds rounding errors in this dtype."""
    return _BOUNDED[dtype]


def lift(kind: type[Exact] | type[Bounded] | type[Rounded], value: Any, dtype: str, labels: bool = False) -> Any:
    """Return an argument as an input of that kind; what is no float (integer labels, axes, names) stays as it is."""
    if isinstance(value, Record):
        return Record(value.name, {name: lift(kind, field, dtype) for name, field in value.fields.items()})
    if isinstance(value, tuple):
        return tuple(lift(kind, item, dtype) for item in value)
    if isinstance(value, float) or (isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f"):
        return kind.of(value, dtype, labels)
    return value
