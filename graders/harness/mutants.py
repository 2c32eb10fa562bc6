"""Mechanical mutants: what one slip of the hand makes of a function's text, and of its private helpers."""

from __future__ import annotations

import ast
import copy
import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from graders.harness.exercise import Function
from graders.harness.rewriting import called, definition, helpers, is_check, rebuilt


@dataclass(frozen=True)
class Mutant:
    """One change of a function's text. The name says what and where, whatever line that is."""

    name: str
    original: Function
    helper: FunctionType
    tree: ast.FunctionDef

    def function(self) -> Function:
        """Return the mutant, to be called."""
        return rebuilt(self.original, {self.helper: self.tree})


def mutants(function: Function) -> list[Mutant]:
    """Return every mutant of a function; those that read alike are one."""
    return [
        Mutant((f"{helper.__name__}: " if helper is not function else "") + described, function, helper, tree)
        for helper in helpers(function)
        for described, tree in _mutated(helper)
    ]


SLIPS = ("another operator", "another constant", "no sign")


def slips(function: Function) -> Iterator[tuple[str, Function]]:
    """Yield the commonest mutants of a function's own text: an operator, a constant, a sign or a function exchanged."""
    for mutant in mutants(function):
        kind = mutant.name.partition(": ")[0]
        if mutant.helper is function and (kind in SLIPS or " for " in kind):
            yield mutant.name, mutant.function()


SHOWN = 60


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2 - 1]}…{text[-SHOWN // 2 :]}"


@functools.cache
def _mutated(function: FunctionType) -> tuple[tuple[str, ast.FunctionDef], ...]:
    """Return a function's whole text with one change each, and what was changed."""
    tree = definition(function)
    if tree is None:
        return ()
    seen, names, made = {ast.unparse(tree)}, Counter[str](), []
    for path in _paths(tree):
        parent, node = _at(tree, path[:-1]), _at(tree, path)
        small = isinstance(node, (ast.Constant, ast.Slice)) and isinstance(parent, (ast.expr, ast.keyword))
        before = _shown(parent if small else node)
        for kind, changed in _changes(node):
            _put(tree, path, ast.fix_missing_locations(ast.copy_location(changed, node)))
            text = ast.unparse(tree)
            if text not in seen:
                seen.add(text)
                described = f"{kind}: {before} → {_shown(parent if small else changed)}"
                names[described] += 1
                again = f" ({names[described]})" if names[described] > 1 else ""
                made.append((described + again, copy.deepcopy(tree)))
            _put(tree, path, node)
    return tuple(made)


Path = tuple[tuple[str, int | None], ...]


def _at(node: ast.AST, path: Path) -> ast.AST:
    for field, index in path:
        value = getattr(node, field)
        node = value if index is None else value[index]
    return node


def _put(node: ast.AST, path: Path, new: ast.AST) -> None:
    parent = _at(node, path[:-1])
    field, index = path[-1]
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new


def _paths(tree: ast.FunctionDef) -> Iterator[Path]:
    for index, statement in enumerate(tree.body):
        if not _left_alone(statement):
            yield from _below(statement, (("body", index),))


UNTOUCHED_FIELDS = ("annotation", "args", "returns", "decorator_list", "items", "ctx", "op", "ops", "func")
"""Of a definition its head, of a `with` what it enters; what a call calls is changed with the call."""


def _below(node: ast.AST, path: Path) -> Iterator[Path]:
    yield path
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED_FIELDS and not (field == "args" and isinstance(node, ast.Call)):
            if field == "func" and isinstance(value, ast.Attribute):  # x.sum() → what x is
                yield from _below(value.value, (*path, (field, None), ("value", None)))
            continue
        for index, inner in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(inner, ast.AST) and not _left_alone(inner):
                yield from _below(inner, (*path, (field, index)))


def _left_alone(node: ast.AST) -> bool:
    """Return whether something only checks arguments, or says something."""
    if isinstance(node, (ast.Raise, ast.Assert, ast.Pass)):
        return True
    if isinstance(node, ast.If):
        return not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or is_check(called(node.value))
    return isinstance(node, ast.Assign) and is_check(called(node.value))


# ---------------------------------------------------------------- what may become of one node

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv,
}  # fmt: skip
ONE_WAY = (ast.Sub, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
FUNCTIONS = {
    "exp": "expm1", "expm1": "exp", "log": "log1p", "log1p": "log", "sqrt": "square", "square": "sqrt",
    "maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax",
    "sum": "mean", "mean": "sum", "prod": "sum", "var": "std", "std": "var", "tanh": "sin", "sin": "cos", "cos": "sin",
    "floor": "ceil", "ceil": "floor", "zeros_like": "ones_like", "ones_like": "zeros_like", "zeros": "ones",
    "ones": "zeros", "any": "all", "all": "any", "cumsum": "cumprod",
}  # fmt: skip
KEPT = (
    "isinstance",
    "getattr",
    "cast",
    "zip",
    "enumerate",
    "len",
    "slice",
    "dtype",
    "floating",
    "is_numpy",
    "is_plain",
)
"""Calls that ask for a type or a length, or arrange a loop: with other arguments, or none, a text only raises."""


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a slip of the hand could make of one node."""
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in OPERATORS:
                yield "another operator", ast.BinOp(left, OPERATORS[type(op)](), right)
            yield "a dropped term", left
            yield "a dropped term", right
            if isinstance(op, ONE_WAY):
                yield "the other way round", ast.BinOp(right, op, left)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield "no sign", operand
        case ast.Compare(left, [op], [right]):
            for other in COMPARISONS[type(op)]:
                yield "another comparison", ast.Compare(left, [other()], [right])
        case ast.BoolOp(op, values):
            yield "and for or", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from (("a dropped condition", value) for value in values)
        case ast.IfExp(test, body, orelse):
            yield "the other choice", ast.IfExp(test, orelse, body)
            yield "no choice", body
            yield "no choice", orelse
        case ast.Constant(bool(value)):
            yield "another constant", ast.Constant(not value)
        case ast.Constant(int(value)):
            yield "another constant", ast.Constant(value + 1)
            yield "another constant", _number(value - 1)
        case ast.Constant(float(value)):
            yield "another constant", ast.Constant(value + 1)
            yield "another constant", ast.Constant(value / 2)
        case ast.Attribute(value, "T"):
            yield "no transpose", value
        case ast.Slice():
            yield from (("another slice", changed) for changed in _slices(node))
        case ast.Tuple(elts) | ast.List(elts):
            yield from (("swapped", type(node)(swapped, node.ctx)) for swapped in _swaps(elts))
        case ast.Call():
            yield from _calls(node)
        case ast.stmt():
            yield from _statements(node)


def _number(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _swaps(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """Yield a list with two neighbours swapped."""
    for i in range(len(items) - 1):
        if not any(isinstance(item, ast.Starred) for item in items[i : i + 2]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _slices(node: ast.Slice) -> Iterator[ast.Slice]:
    one = ast.Constant(1)
    if node.lower is not None:
        yield ast.Slice(None, node.upper, node.step)
        yield ast.Slice(ast.BinOp(node.lower, ast.Add(), one), node.upper, node.step)
    if node.upper is not None:
        yield ast.Slice(node.lower, None, node.step)
        yield ast.Slice(node.lower, ast.BinOp(node.upper, ast.Sub(), one), node.step)
    if node.step is not None:
        yield ast.Slice(node.lower, node.upper, None)
    if node.lower is None and node.upper is None and node.step is None:
        yield ast.Slice(one, None, None)
        yield ast.Slice(None, ast.UnaryOp(ast.USub(), one), None)


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    func, arguments, keywords = node.func, node.args, node.keywords
    name = called(node)
    if name in KEPT:
        return
    if name in FUNCTIONS:
        other = FUNCTIONS[name]
        renamed = (
            ast.Attribute(func.value, other, func.ctx)
            if isinstance(func, ast.Attribute)
            else ast.Name(other, ast.Load())
        )
        yield f"{other} for {name}", ast.Call(renamed, arguments, keywords)
    plain = [argument for argument in arguments if not isinstance(argument, ast.Starred)]
    if name == "range":
        first, last = (ast.Constant(0), *plain) if len(plain) == 1 else plain[:2]
        step, one = plain[2:], ast.Constant(1)
        yield "another range", ast.Call(func, [ast.BinOp(first, ast.Add(), one), last, *step], [])
        yield "another range", ast.Call(func, [first, ast.BinOp(last, ast.Sub(), one), *step], [])
        yield "another range", ast.Call(ast.Name("reversed", ast.Load()), [node], [])
    else:
        yield from (("a dropped call", argument) for argument in plain[:3])
        if isinstance(func, ast.Attribute) and not (isinstance(func.value, ast.Name) and func.value.id in MODULES):
            yield "a dropped call", func.value
    yield from (("swapped", ast.Call(func, swapped, keywords)) for swapped in _swaps(arguments))
    for i, keyword in enumerate(keywords):
        if keyword.arg in ("axis", "keepdims", "mode", "where", "initial"):
            yield f"no {keyword.arg}", ast.Call(func, arguments, keywords[:i] + keywords[i + 1 :])
    for swapped in _swaps([keyword.value for keyword in keywords]):
        renamed_ = [ast.keyword(keyword.arg, value) for keyword, value in zip(keywords, swapped, strict=True)]
        yield "swapped", ast.Call(func, arguments, renamed_)


MODULES = ("np", "numerics", "special", "math")


def _statements(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield "another operator", ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield "= for an operator with =", ast.Assign([target], value)
            yield "a deleted statement", ast.Pass()
        case ast.Assign() | ast.Expr() | ast.For() | ast.AnnAssign():
            yield "a deleted statement", ast.Pass()
        case ast.If(test, body, orelse):
            yield "the other condition", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield "always", ast.If(ast.Constant(True), body, orelse)
            yield "never", ast.If(ast.Constant(False), body, orelse)
