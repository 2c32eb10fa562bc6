"""Honest programs, made mechanically: the reference's text as other good hands would write it, none to be rejected."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from graders.harness.exercise import Exercise, Function
from graders.harness.rewriting import called, definition, is_check, reached, rebuilt

Plain = np.ndarray[Any, Any]
Total = Callable[[Plain], Plain]
"""Adds up an array along its last axis, in some order."""


@dataclass(frozen=True)
class Honest:
    """A program that computes what the reference does, in a way that is no worse."""

    name: str
    function: Function


def variants(exercise: Exercise) -> Iterator[Honest]:
    """Yield the variants of an exercise; some of them may do the very same."""
    function = exercise.reference
    assert isinstance(function, FunctionType)
    texts = {f: _explicit(f) for f in reached(function)}
    plain = {f: tree for f, tree in texts.items() if tree is not None}
    for name, total in ORDERS.items():
        yield Honest(name, rebuilt(function, plain, functools.partial(_with_sums, total=total)))
    for name, rewrite in REWRITES.items():
        changed = {f: _rewritten(tree, rewrite) for f, tree in plain.items()}
        yield Honest(name, rebuilt(function, changed, functools.partial(_with_sums, total=_as_numpy_does)))
    yield Honest("in_float64_throughout", _widened(rebuilt(function, plain)))


# ---------------------------------------------------------------- sums in another order


def _from_the_end(x: Plain) -> Plain:
    total: Plain = np.zeros(x.shape[:-1], x.dtype)
    for i in reversed(range(x.shape[-1])):
        total = total + x[..., i]
    return total


def _from_the_start(x: Plain) -> Plain:
    return _from_the_end(x[..., ::-1])


def _by_halves(x: Plain) -> Plain:
    while x.shape[-1] > 1:
        even = x.shape[-1] // 2 * 2
        x = np.concatenate([x[..., 0:even:2] + x[..., 1:even:2], x[..., even:]], axis=-1)
    return np.asarray(x[..., 0]) if x.shape[-1] else np.zeros(x.shape[:-1], x.dtype)


def _by_four_lanes(x: Plain) -> Plain:
    lanes = [_from_the_start(x[..., lane::4]) for lane in range(4)]
    return np.asarray((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))


def _in_longer_numbers(x: Plain) -> Plain:
    wider = np.longdouble if x.dtype == np.float64 else np.float64
    return np.asarray(_from_the_start(x.astype(wider)), x.dtype)


def _as_numpy_does(x: Plain) -> Plain:
    return np.asarray(np.sum(x, axis=-1))


ORDERS: dict[str, Total] = {
    "adds_from_the_end": _from_the_end,
    "adds_one_after_the_other": _from_the_start,
    "adds_neighbours_first": _by_halves,
    "adds_in_four_lanes": _by_four_lanes,
    "adds_in_longer_numbers": _in_longer_numbers,
}


def _with_sums(module: ModuleType, total: Total) -> Any:
    return _Library(total) if module is np else module


class _Library:
    """NumPy, but for the order in which it adds."""

    def __init__(self, total: Total) -> None:
        self.total = total

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False, **others: Any) -> Any:
        if others or not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return np.sum(x, axis=axis, keepdims=keepdims, **others)
        axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(a % x.ndim for a in axes) if x.ndim else ()
        kept = [a for a in range(x.ndim) if a not in axes]
        made = self.total(x.transpose(*kept, *axes).reshape(*(x.shape[a] for a in kept), -1))
        return np.expand_dims(made, axes) if keepdims else made[()]

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False, **others: Any) -> Any:
        if others or not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return np.mean(x, axis=axis, keepdims=keepdims, **others)
        made = self.sum(x, axis, keepdims)
        return made / x.dtype.type(x.size // max(1, np.size(made)))

    def matmul(self, one: Any, two: Any) -> Any:
        if not (
            isinstance(one, np.ndarray) and isinstance(two, np.ndarray) and one.dtype.kind == two.dtype.kind == "f"
        ):
            return np.matmul(one, two)
        rows = one if one.ndim > 1 else one[None, :]
        columns = two if two.ndim > 1 else two[:, None]
        made = self.total(rows[..., :, None, :] * np.swapaxes(columns, -1, -2)[..., None, :, :])
        made = made if one.ndim > 1 else made[..., 0, :]
        return made if two.ndim > 1 else made[..., 0]

    dot = matmul

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once, as many processors do."""
        made = a * b + c
        if not isinstance(made, (np.ndarray, np.generic)) or made.dtype.kind != "f":
            return made
        wider = np.longdouble if made.dtype == np.float64 else np.float64
        return (np.asarray(a, wider) * b + c).astype(made.dtype)[()]


# ---------------------------------------------------------------- other ways to write one step


@functools.cache
def _explicit(function: FunctionType) -> ast.FunctionDef | None:
    """Return a text in which every sum, mean and product of matrices is a call of NumPy's function.

    Without what only checks the arguments: another dtype on the way is no fault of a program.
    """
    tree = definition(function)
    if tree is None:
        return None
    made = _rewritten(tree, _called_by_name)
    for node in ast.walk(made):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                kept = [s for s in block if not (isinstance(s, ast.Expr) and is_check(called(s.value)))]
                setattr(node, field, kept or [ast.Pass()] if block else [])
    return made


def _called_by_name(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(left, ast.MatMult(), right):
            return _np("matmul", left, right)
        case ast.Call(ast.Attribute(value, "sum" | "mean" as name), arguments, keywords) if not _is_module(value):
            return ast.Call(_np(name, value).func, [value, *arguments], keywords)
    return node


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "np"


def _np(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), list(arguments), [])


def _by_the_reciprocal(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(left, ast.Div(), right) if not _is_whole(left):
            return ast.BinOp(left, ast.Mult(), ast.BinOp(ast.Constant(1.0), ast.Div(), right))
    return node


def _powers_as_products(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
            return ast.BinOp(left, ast.Mult(), copy.deepcopy(left))
        case ast.BinOp(left, ast.Pow(), ast.Constant(3)):
            return ast.BinOp(ast.BinOp(left, ast.Mult(), copy.deepcopy(left)), ast.Mult(), copy.deepcopy(left))
    return node


def _roots_as_powers(node: ast.expr) -> ast.expr:
    match node:
        case ast.Call(ast.Attribute(ast.Name("np"), "sqrt"), [argument], []):
            return ast.BinOp(argument, ast.Pow(), ast.Constant(0.5))
    return node


def _products_from_the_right(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(ast.BinOp(a, ast.Mult(), b), ast.Mult(), c):
            return ast.BinOp(a, ast.Mult(), ast.BinOp(b, ast.Mult(), c))
        case ast.BinOp(ast.BinOp(a, ast.Mult(), b), ast.Div(), c):
            return ast.BinOp(a, ast.Mult(), ast.BinOp(b, ast.Div(), c))
    return node


def _sums_from_the_right(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(ast.BinOp(a, ast.Add(), b), ast.Add(), c):
            return ast.BinOp(a, ast.Add(), ast.BinOp(b, ast.Add(), c))
    return node


def _fused(node: ast.expr) -> ast.expr:
    match node:
        case ast.BinOp(ast.BinOp(a, ast.Mult(), b), ast.Add(), c):
            return _np("fused", a, b, c)
    return node


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and abs(node.value) == 1


REWRITES: dict[str, Callable[[ast.expr], ast.expr]] = {
    "multiplies_by_the_reciprocal": _by_the_reciprocal,
    "writes_powers_as_products": _powers_as_products,
    "writes_roots_as_powers": _roots_as_powers,
    "multiplies_from_the_right": _products_from_the_right,
    "adds_from_the_right": _sums_from_the_right,
    "multiplies_and_adds_with_one_rounding": _fused,
}


class _Rewriter(ast.NodeTransformer):
    def __init__(self, rewrite: Callable[[ast.expr], ast.expr]) -> None:
        self.rewrite = rewrite

    def visit(self, node: ast.AST) -> ast.AST:
        inner = self.generic_visit(node)
        return self.rewrite(inner) if isinstance(inner, ast.expr) else inner


def _rewritten(tree: ast.FunctionDef, rewrite: Callable[[ast.expr], ast.expr]) -> ast.FunctionDef:
    made = _Rewriter(rewrite).visit(copy.deepcopy(tree))
    assert isinstance(made, ast.FunctionDef)
    return made


# ---------------------------------------------------------------- in longer numbers


def _widened(function: Function) -> Function:
    """Return a function that computes in float64 whatever it is given, and returns what it was given."""

    def wide(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            return value.astype(np.float64)
        return _mapped(wide, value)

    def narrow(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype == np.float64:
            return value.astype(np.float32)
        return _mapped(narrow, value)

    def in_float64_throughout(*arguments: Any, **keywords: Any) -> Any:
        single = any(leaf == np.float32 for argument in arguments for leaf in _dtypes(argument))
        try:
            made = function(*map(wide, arguments), **keywords)
        except ValueError:  # rows of float32 have the sum one in float32
            return function(*arguments, **keywords)
        return narrow(made) if single else made

    return in_float64_throughout


def _mapped(change: Callable[[Any], Any], value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    made = [change(item) for item in value]
    return type(value)(*made) if hasattr(value, "_fields") else tuple(made)


def _dtypes(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield value.dtype
    elif isinstance(value, tuple):
        for item in value:
            yield from _dtypes(item)
