"""From words to the kernel's terms. Python's own parser sees placeholders only, and every node must be on a list.

Terms are built as they are written, without SymPy's simplification: exp(log(x)) stays, for it has no value at x < 0.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sympy import Rational

from derivations._kernel.terms import Delta, Entry, Index, Integer, Opaque, Step, Sum, Symbol, exp, log, pi, put

from .functions import (
    DELTA,
    DERIVATIVES,
    KNOWN,
    OF_A_ROW,
    ONE_ARGUMENT,
    SUM,
    TWO_ARGUMENTS,
    exp_,
    log_,
    negative,
    over,
    plus,
    power,
    times,
)  # fmt: skip
from .tokens import Place, Rejected, Row, Token, tokens_of, value_of

__all__ = ["Array", "Macro", "Names", "WrongAxis", "parse"]

MAX_NODES, MAX_DEPTH, MAX_SUMS, MAX_POWER, MAX_NESTED_POWER, MAX_OVER = 300, 30, 6, 8, 16, 4


@dataclass(frozen=True)
class Array:
    """An array that an answer may use: its name as the claim declares it, and the sizes of its axes."""

    symbol: Any
    shape: tuple[Any, ...]

    def at(self, where: tuple[Any, ...]) -> Any:
        """One entry."""
        return Entry(self.symbol, *where)


@dataclass(frozen=True)
class Macro:
    """A name for an expression with indices, s[r, j] for an entry of the softmax."""

    letters: tuple[Index, ...]
    body: Any
    text: str = ""

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes of its indices."""
        return tuple(letter.size for letter in self.letters)

    def at(self, where: tuple[Any, ...]) -> Any:
        """The expression at given indices."""
        return put(self.body, dict(zip(self.letters, where, strict=True)))


@dataclass(frozen=True)
class Names:
    """What an answer to one question may speak of."""

    arrays: Mapping[str, Array | Macro]
    scalars: Mapping[str, Any]
    functions: frozenset[str]  # opaque: g, whose derivatives are g' and g''
    axes: tuple[Index, ...]
    letters: Mapping[str, Any]  # what a letter runs over where nothing else says so
    symbolic_powers: bool
    sums: bool = True


class WrongAxis(Rejected):
    """An index in an axis of another size than its own: at some sizes that entry does not exist."""

    def __init__(self, message: str, place: Place, letter: str, own: Any, other: Any) -> None:
        super().__init__(message, place)
        self.letter, self.own, self.other = letter, own, other


@dataclass
class Cell:
    """What is known of the size of an index while an expression is read."""

    label: str
    size: Any = None
    place: Place | None = None
    why: str = ""
    ranged: bool = False  # sum(e, i < T) says its size itself
    first: Any = 0
    at_most: Any = None  # the size of an axis in which it stands, of which its own may be a part (c1 of c1 + c2)


@dataclass
class Limits:
    """What has been used up."""

    nodes: int = 0
    sums: dict[int, list[Cell]] = field(default_factory=dict)


def parse(rows: tuple[Row, ...], names: Names) -> Any:
    """The expression that the rows of an answer hold; raises Rejected."""
    found = tokens_of(rows)
    return Reader(found, names).read()


class Reader:
    """One expression: its words, the names that it may use, and the sizes of its indices."""

    def __init__(self, found: list[Token], names: Names) -> None:
        self.found, self.names, self.limits = found, names, Limits()
        self.free = {axis.label: Cell(axis.label, axis.size, None, "the question") for axis in names.axes}
        starts, source = [], ""
        for n, token in enumerate(found):
            starts.append(len(source))
            source += (f"v{n}" if token.kind != "sign" else token.text) + " "
        self.starts, self.source = starts, source

    def read(self) -> Any:
        """The term."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python would warn that a number is not callable
                tree = ast.parse(self.source.strip(), mode="eval").body
        except (SyntaxError, RecursionError, MemoryError) as error:
            token = self._token((getattr(error, "offset", None) or 1) - 1)
            why = f"the expression cannot be read at {token.text!r}: something is missing or too much before it"
            raise Rejected(why, token.place) from None
        self._check(tree, 1)
        self._infer(tree, {})
        return self._term(tree, {}, Fraction(1))

    # --- places and errors

    def _token(self, offset: int) -> Token:
        return self.found[max((n for n, start in enumerate(self.starts) if start <= offset), default=0)]

    def _refused(self, node: ast.AST, message: str) -> Rejected:
        return Rejected(message, self._token(getattr(node, "col_offset", 0)).place)

    def _word(self, node: ast.AST) -> Token:
        assert isinstance(node, ast.Name)
        return self.found[int(node.id[1:])]

    def _name(self, node: ast.AST) -> str | None:
        """The name that a node is, None for everything else."""
        if isinstance(node, ast.Name) and self._word(node).kind == "name":
            return self._word(node).text
        return None

    def _unknown(self, node: ast.AST, name: str, what: str) -> Rejected:
        words = [*self.names.arrays, *self.names.scalars, *KNOWN]
        near = difflib.get_close_matches(name, words, 1, 0.6)
        say = f"; did you mean {near[0]!r}?" if near else f"; this question knows {', '.join(self._own())}"
        return self._refused(node, f"{what} is called {name!r}{say}")

    def _own(self) -> list[str]:
        return [*self.names.arrays, *self.names.scalars]

    # --- limits and allowed nodes

    def _check(self, node: ast.AST, depth: int) -> None:
        self.limits.nodes += 1
        if self.limits.nodes > MAX_NODES:
            raise self._refused(node, f"more than {MAX_NODES} numbers, names and operations; write it shorter")
        if depth > MAX_DEPTH:
            raise self._refused(node, f"operations inside each other more than {MAX_DEPTH} deep; write it flatter")
        for child in self._parts(node):
            # A long sum or product is one operation with many parts, not a deep one.
            same = isinstance(node, ast.BinOp) and child is node.left and _rank(child) == _rank(node) != 0
            self._check(child, depth if same else depth + 1)

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        match node:
            case ast.Name():
                return
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right):
                yield from (left, right)
            case ast.UnaryOp(ast.UAdd() | ast.USub(), operand):
                yield operand
            case ast.Call(function, arguments, []):
                yield from (function, *arguments)
            case ast.Subscript(value, ast.Tuple(elts)):
                yield from (value, *elts)
            case ast.Subscript(value, at):
                yield from (value, at)
            case ast.Compare(left, operators, others) if all(isinstance(o, ORDER) for o in operators):
                yield from (left, *others)
            case ast.List([ast.Compare() as test]):
                yield test
            case _:
                what = NOT_ALLOWED.get(type(node).__name__, "this")
                raise self._refused(node, f"{what} is not part of the grammar: expected + - * / **, calls and indices")

    # --- sizes of indices: what each letter runs over follows from the slots in which it stands

    def _infer(self, node: ast.AST, bound: Mapping[str, Cell]) -> None:
        if isinstance(node, ast.Call):
            called = self._name(node.func)
            if called in SUM and called not in bound:
                self._infer_sum(node, bound)
                return
            if called in DELTA:
                self._infer_delta(node, bound)
                return
            for argument in node.args:
                if not self._array_of(argument, bound):
                    self._infer(argument, bound)
            return
        if isinstance(node, ast.Subscript):
            self._infer_slots(node, bound)
            return
        for part in self._parts(node):
            self._infer(part, bound)

    def _settled(self, cell: Cell) -> Any:
        """The size of an index when all is read: the claim's own letters mean what they mean there."""
        if cell.size is None:
            cell.size = self.names.letters.get(cell.label, cell.at_most)
        return cell.size

    def _infer_sum(self, node: ast.Call, bound: Mapping[str, Cell]) -> None:
        if not self.names.sums:
            raise self._refused(node, "a closed form without sum(...) is asked for")
        if not 2 <= len(node.args) <= 1 + MAX_OVER:
            raise self._refused(node, "a sum is written sum(expression, index) or sum(expression, i, j)")
        cells: list[Cell] = []
        inner = dict(bound)
        for over_ in node.args[1:]:
            cell = self._range(over_, inner)
            cells.append(cell)
            inner[cell.label] = cell
        nested = sum(c.place is not None for c in inner.values())
        if nested > MAX_SUMS:
            raise self._refused(node, f"sums over more than {MAX_SUMS} indices inside each other")
        self.limits.sums[id(node)] = cells
        self._infer(node.args[0], inner)
        for cell in cells:
            if self._settled(cell) is None:
                raise self._refused(node, f"what {cell.label} runs over cannot be known: no array is indexed by it; "
                                   f"write sum(e, {cell.label} < n) with the size")  # fmt: skip

    def _range(self, node: ast.AST, bound: Mapping[str, Cell]) -> Cell:
        """The bound index of a sum, `i`, or with its range, `i < T` or `1 <= i <= T`."""
        if isinstance(node, ast.Compare):
            ends = [node.left, *node.comparators]
            at = len(ends) - 2
            letter = self._name(ends[at])
            if letter is not None and len(ends) <= 3:
                first: Any = Integer(0)
                if at == 1:
                    first = self._size(ends[0], bound) + (1 if isinstance(node.ops[0], ast.Lt) else 0)
                last = self._size(ends[-1], bound) + (1 if isinstance(node.ops[-1], ast.LtE) else 0)
                size = last - first
                if size.is_negative:
                    raise self._refused(node, f"the range of {letter} ends before it starts")
                self._check_letter(ends[at], letter)
                return Cell(letter, size, self._word(ends[at]).place, "its range", True, first)
        letter = self._name(node)
        if letter is None:
            raise self._refused(
                node, "expected the index of the sum: a letter, or a range such as i < T or 1 <= i <= T"
            )
        self._check_letter(node, letter)
        return Cell(letter, None, self._word(node).place)

    def _check_letter(self, node: ast.AST, letter: str) -> None:
        if len(letter) > 8 or "'" in letter:
            raise self._refused(node, f"{letter!r} is no index: expected a short name such as i")

    def _infer_delta(self, node: ast.Call, bound: Mapping[str, Cell]) -> None:
        if len(node.args) != 2:
            raise self._refused(node, "delta takes two indices: delta(i, j)")
        cells = [self._cell(argument, bound) for argument in node.args]
        known = [c for c in cells if c is not None and c.size is not None]
        for cell, argument in zip(cells, node.args, strict=True):
            if cell is not None and known and not cell.ranged and not known[0].ranged:
                self._unify(cell, known[0].size, argument, f"delta with {known[0].label}")

    def _cell(self, node: ast.AST, bound: Mapping[str, Cell]) -> Cell | None:
        """What is known of an index letter; None for a node that is no single letter."""
        letter = self._name(node)
        if letter is None:
            return None
        if letter in bound:
            return bound[letter]
        if letter in self.free:
            return self.free[letter]
        if letter in self.names.scalars or letter in self.names.arrays:
            return None
        self._check_letter(node, letter)
        return self.free.setdefault(letter, Cell(letter, None, None))

    def _unify(self, cell: Cell, size: Any, node: ast.AST, where: str) -> None:
        if size.is_Add and not _is_steps(size) and (cell.size is None or (size - cell.size).is_nonnegative):
            cell.at_most = size
        elif cell.size is None:
            cell.size, cell.why = size, where
        elif cell.size != size and not (cell.ranged and not size.is_Integer and _is_steps(size)):
            message = f"the index {cell.label} runs over {cell.size} in {cell.why} and over {size} in {where}"
            raise WrongAxis(message, self._token(getattr(node, "col_offset", 0)).place, cell.label, cell.size, size)

    def _infer_slots(self, node: ast.Subscript, bound: Mapping[str, Cell]) -> None:
        shape, where = self._shape(node, bound)
        slots = self._slots(node, shape)
        for slot, size in slots:
            cell = self._cell(slot, bound)
            if cell is not None:
                self._unify(cell, size, slot, where)
            else:
                self._infer_offset(slot, size, bound)

    def _infer_offset(self, slot: ast.AST, size: Any, bound: Mapping[str, Cell]) -> None:
        """An index such as 0, T − 1 or i − 1."""
        for part in ast.walk(slot):
            letter = self._name(part)
            if letter is None:
                continue
            cell = self._cell(part, bound)
            if cell is None and not (letter in self.names.scalars and self.names.scalars[letter].is_integer):
                raise self._refused(part, f"{letter!r} is no index: expected a letter, a number or a number of steps")
            if cell is not None and not _is_steps(size) and not size.is_Add:
                raise self._refused(slot, "nothing may be added to this index")
            if cell is not None and cell.size is None and _is_steps(size):
                self._unify(cell, size, slot, "a row of steps")

    def _slots(self, node: ast.Subscript, shape: tuple[Any, ...]) -> list[tuple[ast.AST, Any]]:
        at = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(at) == len(shape):
            return list(zip(at, shape, strict=True))
        rows = [axis for axis in self.names.axes if axis.size == shape[0]] if shape else []
        if len(at) == 1 and len(shape) == 2 and len(rows) == 1:
            return [(at[0], shape[1])]  # one row is spoken of: its index goes without saying
        sizes = ", ".join(map(str, shape))
        raise self._refused(node, f"{self._said(node.value)} has {len(shape)} axes ({sizes}), got {len(at)} indices")

    def _said(self, node: ast.AST) -> str:
        if isinstance(node, ast.Call):
            return f"{self._said(node.func)}({', '.join(self._said(a) for a in node.args)})"
        return self._word(node).text if isinstance(node, ast.Name) else "this"

    def _array_of(self, node: ast.AST, bound: Mapping[str, Cell]) -> Array | Macro | None:
        name = self._name(node)
        return self.names.arrays.get(name) if name is not None and name not in bound else None

    def _shape(self, node: ast.Subscript, bound: Mapping[str, Cell]) -> tuple[tuple[Any, ...], str]:
        """The shape of what is indexed: an array, a macro, or a function of a whole array."""
        value = node.value
        array = self._array_of(value, bound)
        if array is not None:
            return array.shape, f"{self._said(value)}[…]"
        if isinstance(value, ast.Call) and len(value.args) == 1:
            called, inner = self._name(value.func), self._array_of(value.args[0], bound)
            if inner is not None and called in OF_A_ROW and inner.shape:
                return inner.shape[: -1 if called == "logsumexp" else None], f"{self._said(value)}[…]"
            if inner is not None and called in ONE_ARGUMENT:
                return inner.shape, f"{self._said(value)}[…]"
        name = self._name(value)
        if name is not None and (name in self.names.scalars or name in bound):
            raise self._refused(node, f"{name} is a number and has no index")
        if name is not None:
            raise self._unknown(value, name, "no array")
        raise self._refused(node, "only an array has an index: x[i], softmax(x)[i, j]")

    # --- terms

    def _term(self, node: ast.AST, bound: Mapping[str, Cell], raised: Fraction) -> Any:
        match node:
            case ast.Name():
                return self._named(node, bound)
            case ast.BinOp(left, ast.Pow(), right):
                return self._power(node, left, right, bound, raised)
            case ast.BinOp(left, operator, right):
                a, b = self._term(left, bound, raised), self._term(right, bound, raised)
                if isinstance(operator, ast.Div):
                    if b == 0 or self._rational(right) == 0:
                        raise self._refused(right, "a division by zero")
                    return over(a, b)
                if isinstance(operator, ast.Mult):
                    return times(a, b)
                return plus(a, b if isinstance(operator, ast.Add) else negative(b))
            case ast.UnaryOp(operator, operand):
                inside = self._term(operand, bound, raised)
                return negative(inside) if isinstance(operator, ast.USub) else inside
            case ast.Subscript():
                return self._entry(node, bound)
            case ast.List([ast.Compare() as test]):
                return self._test(test, bound, raised)
            case ast.Compare():
                return self._test(node, bound, raised)
            case ast.Call():
                return self._call(node, bound, raised)
        raise self._refused(node, "this is not part of the grammar")

    def _index(self, cell: Cell) -> Index:
        return Index(cell.label, cell.size)

    def _letter(self, node: ast.AST, cell: Cell) -> Any:
        """The value of an index letter: it starts where its range says."""
        if self._settled(cell) is None:
            raise self._unknown(node, cell.label, "nothing")
        return self._index(cell) + cell.first

    def _named(self, node: ast.Name, bound: Mapping[str, Cell]) -> Any:
        token = self._word(node)
        if token.kind == "number":
            value = value_of(token)
            return Rational(value.numerator, value.denominator)
        name = token.text
        if name in bound:
            return self._letter(node, bound[name])
        if name in self.names.scalars:
            return self.names.scalars[name]
        if name in self.names.arrays:
            axes = ", ".join(map(str, self.names.arrays[name].shape))
            raise self._refused(
                node, f"{name} is an array with the axes ({axes}): write {name}[…] with an index for each"
            )
        if name in self.free:
            return self._letter(node, self.free[name])
        if name in ("pi", "π"):
            return pi
        if name in KNOWN:
            raise self._refused(node, f"{name} is a function: write {name}(…)")
        raise self._unknown(node, name, "nothing")

    def _rational(self, node: ast.AST) -> Fraction | None:
        """The value of an expression of numbers only."""
        match node:
            case ast.Name() if self._word(node).kind == "number":
                return value_of(self._word(node))
            case ast.UnaryOp(ast.USub(), operand):
                inside = self._rational(operand)
                return None if inside is None else -inside
            case ast.UnaryOp(ast.UAdd(), operand):
                return self._rational(operand)
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() as operator, right):
                a, b = self._rational(left), self._rational(right)
                if a is None or b is None or (isinstance(operator, ast.Div) and b == 0):
                    return None
                if isinstance(operator, ast.Div):
                    return a / b
                return a * b if isinstance(operator, ast.Mult) else a + b if isinstance(operator, ast.Add) else a - b
        return None

    def _power(self, node: ast.AST, left: ast.AST, right: ast.AST, bound: Mapping[str, Cell], raised: Fraction) -> Any:
        exponent = self._rational(right)
        if exponent is not None:
            if abs(exponent) > MAX_POWER:
                raise self._refused(right, f"the exponent {exponent} is beyond ±{MAX_POWER}")
            raised = raised * max(Fraction(1), abs(exponent))
            if raised > MAX_NESTED_POWER:
                raise self._refused(right, f"powers of powers: exponents whose product is above {MAX_NESTED_POWER}")
            base = self._term(left, bound, raised)
            if base == 0 and exponent < 0:
                raise self._refused(right, "a division by zero")
            return power(base, Rational(exponent.numerator, exponent.denominator))
        if not self.names.symbolic_powers:
            raise self._refused(right, "an exponent must be a number here; write exp(x * log(a)) for a**x")
        exponent_ = self._term(right, bound, raised)
        if exponent_.has(Entry, exp, log, Sum):
            raise self._refused(right, "an exponent is made of numbers, indices and numbers of steps; write exp(…)")
        return power(self._term(left, bound, Fraction(MAX_NESTED_POWER)), _plain(exponent_))

    def _size(self, node: ast.AST, bound: Mapping[str, Cell]) -> Any:
        """The end of a range: sizes, numbers of steps, indices and whole numbers."""
        for part in ast.walk(node):
            if isinstance(part, (ast.Subscript, ast.Call, ast.Div, ast.Pow, ast.Compare)):
                raise self._refused(part, "the end of a range is made of whole numbers, sizes and indices")
        size = _plain(self._term(node, bound, Fraction(1)))
        if not size.is_integer or size.has(Entry):
            raise self._refused(node, "the end of a range is a whole number, a size or an index")
        if size.is_Integer and size > 64:
            raise self._refused(node, "a range of at most 64 numbers")
        return size

    def _entry(self, node: ast.Subscript, bound: Mapping[str, Cell]) -> Any:
        shape, _ = self._shape(node, bound)
        slots = self._slots(node, shape)
        at = [self._slot(slot, size, bound) for slot, size in slots]
        if len(at) < len(shape):
            at.insert(0, next(axis for axis in self.names.axes if axis.size == shape[0]))
        array = self._array_of(node.value, bound)
        if array is not None:
            return array.at(tuple(at))
        assert isinstance(node.value, ast.Call)
        array, called = self._array_of(node.value.args[0], bound), self._name(node.value.func)
        assert array is not None
        assert called is not None
        if called not in OF_A_ROW:
            return ONE_ARGUMENT[called](array.at(tuple(at)))
        rows = tuple(at if called == "logsumexp" else at[:-1])
        k = Index("k'", array.shape[-1])  # no answer can write this letter
        total = Sum(exp_(array.at((*rows, k))), k)
        if called == "logsumexp":
            return log_(total)
        one = over(exp_(array.at(tuple(at))), total)
        return one if called == "softmax" else log_(one)

    def _slot(self, node: ast.AST, size: Any, bound: Mapping[str, Cell]) -> Any:
        cell = self._cell(node, bound)
        if cell is not None:
            return self._letter(node, cell)
        at = _plain(self._term(node, bound, Fraction(1)))
        if not at.is_integer or at.is_negative or (at.is_Integer and size.is_Integer and at >= size):
            raise self._refused(node, f"an index of this axis runs from 0 below {size}, got {at}")
        if at.is_Integer and not size.is_Integer and at > 0 and not _is_steps(size):
            raise self._refused(node, f"the axis has {size} entries, and {size} may be 1: only entry 0 is always there")
        return at

    def _test(self, node: ast.Compare, bound: Mapping[str, Cell], raised: Fraction) -> Any:
        """[x > 0]: 1 where it holds, else 0."""
        if len(node.ops) != 1:
            raise self._refused(node, "expected one comparison, such as [x > 0]")
        a, b = self._term(node.left, bound, raised), self._term(node.comparators[0], bound, raised)
        gap = plus(a, negative(b)) if b != 0 else a
        back = plus(b, negative(a)) if a != 0 and b != 0 else (b if a == 0 else negative(a))
        match node.ops[0]:
            case ast.Gt():
                return Step(gap)
            case ast.Lt():
                return Step(back)
            case ast.GtE():
                return plus(Integer(1), negative(Step(back)))
        return plus(Integer(1), negative(Step(gap)))

    def _call(self, node: ast.Call, bound: Mapping[str, Cell], raised: Fraction) -> Any:
        name = self._name(node.func)
        if name is None:
            raise self._refused(node, "only a function can be called: write a product with *")
        if name in SUM:
            return self._sum(node, bound, raised)
        if name in DELTA:
            return Delta(*(self._delta_slot(argument, bound) for argument in node.args))
        plain = name.rstrip("'")
        orders = len(name) - len(plain)
        if plain in self.names.functions and orders <= 3:
            self._check_arguments(node, name, 1)
            return Opaque(plain, orders, self._term(node.args[0], bound, raised))
        if name in DERIVATIVES:
            raise self._refused(node, "there is no derivative in the grammar: write out what the derivative is")
        if name in self.names.arrays or name in self.names.scalars or name in bound:
            raise self._refused(node, f"{name!r} is no function: write an index as {name}[…] and a product with *")
        if name in ONE_ARGUMENT:
            self._check_arguments(node, name, 1)
            return ONE_ARGUMENT[name](self._term(node.args[0], bound, raised))
        if name in TWO_ARGUMENTS:
            self._check_arguments(node, name, 2)
            a, b = (self._term(argument, bound, raised) for argument in node.args)
            return TWO_ARGUMENTS[name](a, b)
        if name in OF_A_ROW:
            raise self._refused(node, f"{name} is taken of a whole array, then indexed: {name}(x)[i, j]")
        raise self._unknown(node, name, "no function")

    def _check_arguments(self, node: ast.Call, name: str, count: int) -> None:
        if len(node.args) != count:
            raise self._refused(node, f"{name} takes {count} argument{'s' * (count > 1)}, got {len(node.args)}")

    def _sum(self, node: ast.Call, bound: Mapping[str, Cell], raised: Fraction) -> Any:
        cells = self.limits.sums[id(node)]
        body = self._term(node.args[0], {**bound, **{c.label: c for c in cells}}, raised)
        for cell in reversed(cells):
            body = Sum(body, self._index(cell))
        return body

    def _delta_slot(self, node: ast.AST, bound: Mapping[str, Cell]) -> Any:
        cell = self._cell(node, bound)
        if cell is not None:
            return self._letter(node, cell)
        at = _plain(self._term(node, bound, Fraction(1)))
        if not at.is_integer or at.has(Entry):
            raise self._refused(node, "delta takes two indices: letters, whole numbers, sizes or numbers of steps")
        return at


ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
NOT_ALLOWED = {
    "Starred": "a star before an argument",
    "Tuple": "a list of expressions",
    "List": "a list",
    "Compare": "this comparison",
}


def _rank(node: ast.AST) -> int:
    if isinstance(node, ast.BinOp):
        return 1 if isinstance(node.op, (ast.Add, ast.Sub)) else 2 if isinstance(node.op, (ast.Mult, ast.Div)) else 0
    return 0


def _is_steps(size: Any) -> bool:
    """Whether a size is a number of steps, which may be 0."""
    return any(symbol.is_nonnegative and not symbol.is_positive for symbol in size.free_symbols)


def _plain(e: Any) -> Any:
    """An expression of numbers, sizes and indices, simplified."""
    if isinstance(e, Index | Symbol) or not e.args:
        return e
    return e.func(*map(_plain, e.args))
