"""The language of the claims: real arrays, indices that carry their size, sums over them, and safe substitution.

An index of size n runs over 0 … n − 1, one of size ∞ over all integers, and the size is the index's type: a Kronecker
delta is contracted only between indices of one type, or where a sum over all integers meets any integer. SymPy supplies
numbers, +, ·, powers, exp and log; the nodes below are opaque to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Abs, Expr, Integer, Symbol, exp, log, oo, pi, sqrt, sympify
from sympy.core.symbol import Str
from sympy.printing.precedence import PRECEDENCE

__all__ = [
    "Abs",
    "Array",
    "Delta",
    "Entry",
    "Expr",
    "Held",
    "Index",
    "Integer",
    "Opaque",
    "Step",
    "Sum",
    "Symbol",
    "array",
    "exp",
    "free",
    "indices",
    "log",
    "mentions",
    "oo",
    "pi",
    "put",
    "scalars",
    "sizes",
    "sqrt",
    "steps",
    "Σ",
    "δ",
]


class Index(Expr):  # type: ignore[misc]
    """An index with a label and a size: it runs over 0 … size − 1, or over all integers where the size is ∞."""

    is_commutative = True
    is_integer = True

    def __new__(cls, label: Any, size: Any) -> Index:
        name = label if isinstance(label, Str) else Str(str(label))
        return Expr.__new__(cls, name, sympify(size))  # type: ignore[no-any-return]

    def _eval_is_nonnegative(self) -> bool | None:
        return None if self.size is oo else True

    @property
    def label(self) -> str:
        """The name, without the size."""
        return str(self.args[0].name)

    @property
    def size(self) -> Any:
        """How many values the index takes."""
        return self.args[1]

    def _sympystr(self, printer: Any) -> str:
        return self.label

    def _latex(self, printer: Any) -> str:
        label, primes = self.label.rstrip("'"), self.label.count("'")
        return (f"k_{{{label[1:]}}}" if label.startswith("_") else label) + "'" * primes


class Entry(Expr):  # type: ignore[misc]
    """One element of a real array, z[i, j]; it is positive where the array was declared so."""

    is_commutative = True
    is_real = True

    def __new__(cls, name: Any, *at: Any) -> Entry:
        return Expr.__new__(cls, name, *map(sympify, at))  # type: ignore[no-any-return]

    @property
    def name(self) -> Any:
        """The array's name, a symbol that carries the sign."""
        return self.args[0]

    @property
    def at(self) -> tuple[Any, ...]:
        """The indices."""
        return tuple(self.args[1:])

    def _eval_is_positive(self) -> bool | None:
        return True if self.name.is_positive else None

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}[{', '.join(printer.doprint(i) for i in self.at)}]" if self.at else str(self.name)

    def _latex(self, printer: Any) -> str:
        if not self.at:
            return str(printer._print(self.name))
        return f"{printer._print(self.name)}_{{{','.join(printer._print(i) for i in self.at)}}}"


class Sum(Expr):  # type: ignore[misc]
    """The sum of a body over one typed index."""

    is_commutative = True
    is_real = True
    precedence = PRECEDENCE["Pow"]  # printed in parentheses where it is the base of a power

    def __new__(cls, body: Any, index: Index) -> Sum:
        return Expr.__new__(cls, sympify(body), index)  # type: ignore[no-any-return]

    @property
    def body(self) -> Any:
        """What is summed."""
        return self.args[0]

    @property
    def index(self) -> Index:
        """The bound index."""
        return self.args[1]  # type: ignore[no-any-return]

    def _eval_is_positive(self) -> bool | None:
        return True if self.body.is_positive and self.index.size.is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.body.is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        over = "∈ℤ" if self.index.size is oo else f"<{printer.doprint(self.index.size)}"
        return f"Σ_{{{self.index.label}{over}}}({printer.doprint(self.body)})"

    def _latex(self, printer: Any) -> str:
        if self.index.size is oo:
            return rf"\sum_{{{printer._print(self.index)}\in\mathbb{{Z}}}} \left({printer._print(self.body)}\right)"
        top = printer._print(self.index.size - 1)
        return rf"\sum_{{{printer._print(self.index)}=0}}^{{{top}}} \left({printer._print(self.body)}\right)"


class Delta(Expr):  # type: ignore[misc]
    """Kronecker's delta: 1 where its two indices are equal, else 0."""

    is_commutative = True
    is_real = True
    is_nonnegative = True

    def __new__(cls, a: Any, b: Any) -> Any:
        a, b = sorted((sympify(a), sympify(b)), key=str)
        if a == b:
            return Integer(1)
        if (a - b).is_number:
            return Integer(0)
        return Expr.__new__(cls, a, b)

    def _sympystr(self, printer: Any) -> str:
        return f"δ[{', '.join(printer.doprint(i) for i in self.args)}]"

    def _latex(self, printer: Any) -> str:
        return rf"\delta_{{{','.join(printer._print(i) for i in self.args)}}}"


class Step(Expr):  # type: ignore[misc]
    """1 where the argument is above 0, else 0; its derivative off the kink is 0, its value at the kink a convention."""

    is_commutative = True
    is_real = True
    is_nonnegative = True

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer.doprint(self.args[0])} > 0]"

    def _latex(self, printer: Any) -> str:
        return rf"\left[{printer._print(self.args[0])} > 0\right]"


class Opaque(Expr):  # type: ignore[misc]
    """Any smooth function of one argument, known by its name and the order of its derivative."""

    is_commutative = True
    is_real = True

    def __new__(cls, name: Any, order: Any, argument: Any) -> Opaque:
        label = name if isinstance(name, Str) else Str(str(name))
        return Expr.__new__(cls, label, sympify(order), sympify(argument))  # type: ignore[no-any-return]

    def _sympystr(self, printer: Any) -> str:
        return f"{self.args[0].name}{chr(39) * int(self.args[1])}({printer.doprint(self.args[2])})"

    def _latex(self, printer: Any) -> str:
        return rf"{self.args[0].name}{chr(39) * int(self.args[1])}\left({printer._print(self.args[2])}\right)"


class Held(Expr):  # type: ignore[misc]
    """What a lemma says is nowhere negative: the lemma's expression with a value put for its variable.

    For the prover it is that expression; only the test of signs looks at the lemma's name.
    """

    is_commutative = True
    is_real = True

    def __new__(cls, lemma: Any, unfolded: Any, value: Any) -> Held:
        name = lemma if isinstance(lemma, Str) else Str(str(lemma))
        return Expr.__new__(cls, name, sympify(unfolded), sympify(value))  # type: ignore[no-any-return]

    @property
    def unfolded(self) -> Any:
        """The expression itself."""
        return self.args[1]

    def _sympystr(self, printer: Any) -> str:
        return f"({printer.doprint(self.unfolded)})"

    def _latex(self, printer: Any) -> str:
        return rf"\left({printer._print(self.unfolded)}\right)"


@dataclass(frozen=True)
class Array:
    """A real array; z[i, j] is one entry."""

    name: str
    positive: bool = False

    def __getitem__(self, at: Any) -> Entry:
        symbol = Symbol(self.name, positive=True) if self.positive else Symbol(self.name, real=True)
        return Entry(symbol, *(at if isinstance(at, tuple) else (at,)))


def array(name: str, *, positive: bool = False) -> Array:
    """Declare a real array."""
    return Array(name, positive)


def sizes(names: str) -> Any:
    """Symbolic sizes: whole numbers of at least 1."""
    return _one_or_all(tuple(Symbol(name, integer=True, positive=True) for name in names.split()))


def steps(names: str) -> Any:
    """Symbolic numbers of steps: whole numbers of at least 0."""
    return _one_or_all(tuple(Symbol(name, integer=True, nonnegative=True) for name in names.split()))


def scalars(names: str, *, positive: bool = False) -> Any:
    """Real numbers, the hyperparameters."""
    made = (Symbol(name, positive=True) if positive else Symbol(name, real=True) for name in names.split())
    return _one_or_all(tuple(made))


def indices(names: str, size: Any) -> Any:
    """Indices of one size."""
    return _one_or_all(tuple(Index(name, size) for name in names.split()))


def _one_or_all(made: tuple[Any, ...]) -> Any:
    return made[0] if len(made) == 1 else made


def Σ(body: Any, *over: Index) -> Any:
    """Sum over typed indices, the first one outermost."""
    for index in reversed(over):
        body = Sum(body, index)
    return body


δ = Delta


@lru_cache(maxsize=200_000)
def free(e: Any) -> frozenset[Index]:
    """The indices on which an expression depends."""
    if isinstance(e, Index):
        return frozenset((e,))
    if isinstance(e, Sum):
        return (free(e.body) - {e.index}) | free(e.index.size)
    return frozenset().union(*map(free, e.args)) if e.args else frozenset()


@lru_cache(maxsize=200_000)
def mentions(e: Any) -> frozenset[str]:
    """The names of the arrays and scalars on whose values an expression depends."""
    if isinstance(e, Index):
        return frozenset()  # its size is its type, not its value
    if isinstance(e, Sum):
        return mentions(e.body) | mentions(e.index.size)
    if isinstance(e, Symbol):
        return frozenset((str(e.name),))
    if isinstance(e, Entry):
        return frozenset((str(e.name),)).union(*map(mentions, e.at))
    return frozenset().union(*map(mentions, e.args)) if e.args else frozenset()


def put(e: Any, values: Mapping[Any, Any]) -> Any:
    """Replace free indices and symbols; a bound index that would capture one is renamed (SymPy's subs captures)."""
    if e in values:
        return values[e]
    if not e.args or isinstance(e, Index):
        return e
    if isinstance(e, Entry):
        return Entry(e.name, *(put(i, values) for i in e.at))
    if not isinstance(e, Sum):
        return e.func(*(put(a, values) for a in e.args))
    inner = {old: new for old, new in values.items() if e.index not in free(old)}
    if all(isinstance(old, Index) and old not in free(e) for old in inner):
        return e
    taken = {i.label for i in free(e.body) - {e.index}}.union(*({i.label for i in free(v)} for v in inner.values()))
    index = fresh(e.index.label, put(e.index.size, inner), taken)
    return Sum(put(e.body, {**inner, e.index: index}), index)


def fresh(label: str, size: Any, taken: set[str]) -> Index:
    """An index like the given one whose label is not taken."""
    while label in taken:
        label += "'"
    return Index(label, size)
