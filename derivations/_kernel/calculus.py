"""The prover: derivative `D`, normal form, and the test for zero.

A normal form is a polynomial with rational coefficients in *atoms*, {monomial: coefficient}. An atom is an array entry,
a scalar, exp or log of something normal, a sum that cannot be split any further, or, with a negative or broken exponent
only, a whole polynomial (a denominator, a root). Two expressions are proved equal when their difference, multiplied by
all its denominators, is the polynomial without terms. That is sound: every rule below is an identity of real numbers
(denominators are nonzero wherever the expression has a value). It is complete only for identities that follow by
rational arithmetic from these rules; what is not proved is never called false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, islice, permutations, product
from math import factorial, floor, prod
from typing import Any

from sympy import Add, Dummy, E, Integer, Mul, Pow, Rational, factorint, oo, pi, sympify

from .terms import Abs, Delta, Entry, Held, Index, Opaque, Step, Sum, Symbol, exp, free, fresh, log, mentions, put

__all__ = ["D", "Rule", "TooMuchWork", "limited", "matches", "normal", "rewritten", "rules_from", "zero"]

Monomial = tuple[tuple[Any, Fraction], ...]
Polynomial = dict[Monomial, Fraction]
ONE = Fraction(1)


class TooMuchWork(ArithmeticError):
    """A normal form would have more products than were allowed."""


_products_left: ContextVar[list[int] | None] = ContextVar("_products_left", default=None)


@contextmanager
def limited(products: int) -> Iterator[None]:
    """Within this block at most so many products of monomials are made; then TooMuchWork is raised."""
    token = _products_left.set([products])
    try:
        yield
    finally:
        _products_left.reset(token)


def _spend(products: int) -> None:
    left = _products_left.get()
    if left is not None:
        left[0] -= products
        if left[0] < 0:
            raise TooMuchWork("the normal form has too many terms")


def D(e: Any, x: Entry) -> Any:
    """The derivative of e by one array entry, whose indices may be any free ones."""
    if str(x.name) not in mentions(e):
        return Integer(0)
    if isinstance(e, Entry):
        return Mul(*(Delta(a, b) for a, b in zip(e.at, x.at, strict=True)))
    if isinstance(e, Sum):
        # The bound index must not be one of x's: Σ_j z[j] by z[j] is 1, not n.
        index = fresh(e.index.label, e.index.size, {i.label for i in free(x) | (free(e.body) - {e.index})})
        return Sum(D(put(e.body, {e.index: index}), x), index)
    if isinstance(e, Add):
        return Add(*(D(a, x) for a in e.args))
    if isinstance(e, Mul):
        return Add(*(Mul(*e.args[:n], D(a, x), *e.args[n + 1 :]) for n, a in enumerate(e.args)))
    if isinstance(e, Pow):
        base, power = e.args
        return power * base ** (power - 1) * D(base, x) + log(base) * e * D(power, x)
    if isinstance(e, exp):
        return e * D(e.args[0], x)
    if isinstance(e, log):
        return D(e.args[0], x) / e.args[0]
    if isinstance(e, Opaque):
        name, order, argument = e.args
        return Opaque(name, order + 1, argument) * D(argument, x)
    if isinstance(e, Step):
        return Integer(0)  # off the kink; at the kink a claim states its convention
    if isinstance(e, Abs):
        return (2 * Step(e.args[0]) - 1) * D(e.args[0], x)
    if isinstance(e, Held):
        return D(e.unfolded, x)
    raise TypeError(f"the derivative of {type(e).__name__} is not defined")


@dataclass(frozen=True)
class Rule:
    """A given equation read from left to right; its free indices stand for any index of their type."""

    pattern: Any
    replacement: Any


def rules_from(given: Iterable[tuple[Any, Any]]) -> tuple[Rule, ...]:
    """Turn given equations into rewriting rules; the left side of each must be one atom."""
    rules = []
    for left, right in given:
        ((monomial, coefficient),) = normal(left).items()
        ((atom, power),) = monomial
        if coefficient != 1 or power != 1:
            raise ValueError(f"the given equation must start with a single sum or entry (got {left})")
        rules.append(Rule(atom, sympify(right)))
    return tuple(rules)


def zero(e: Any, rules: tuple[Rule, ...] = ()) -> bool:
    """Whether e is proved to be zero."""
    p = _merged(normal(e, rules), rules)
    return not p or not _merged(_identified(_without_denominators(_identified(p, rules), rules)[0], rules), rules)


def rewritten(e: Any, rules: tuple[Rule, ...] = ()) -> Any:
    """The expression written as its normal form."""
    return _expression(normal(e, rules))


@lru_cache(maxsize=100_000)
def normal(e: Any, rules: tuple[Rule, ...] = ()) -> Polynomial:
    """The normal form (do not change the dictionary: it is shared)."""
    if isinstance(e, Rational):
        return {(): Fraction(int(e.p), int(e.q))} if e else {}
    if isinstance(e, Add):
        return _add(*(normal(a, rules) for a in e.args))
    if isinstance(e, Mul):
        product: Polynomial = {(): ONE}
        for a in e.args:
            product = _multiply(product, normal(a, rules), rules)
        return product
    if isinstance(e, exp):
        return _exponential(_merged(normal(e.args[0], rules), rules), rules)
    if isinstance(e, Pow):
        return _general_power(e, rules)
    if isinstance(e, log):
        return _logarithm(_merged(normal(e.args[0], rules), rules), rules)
    if isinstance(e, Sum):
        return _sum(e, rules)
    if isinstance(e, Entry):
        return _atom(Entry(e.name, *(i if isinstance(i, Index) or i.is_Integer else _named(i) for i in e.at)), rules)
    if isinstance(e, Delta):
        return _delta(e, rules)
    if isinstance(e, Symbol | Index):
        return _atom(e, rules)
    if isinstance(e, Step | Abs):
        return _signed(e.func, _merged(normal(e.args[0], rules), rules), rules)
    if isinstance(e, Opaque):
        name, order, argument = e.args
        return _atom(Opaque(name, order, _named(argument, rules)), rules)
    if isinstance(e, Held):
        return normal(e.unfolded, rules)
    if e is E or e is pi:
        return _atom(e, ())
    if e.is_number:
        raise ArithmeticError(f"{e} is not a real number that has a normal form")
    raise TypeError(f"no normal form for {type(e).__name__}")


def _named(e: Any, rules: tuple[Rule, ...] = ()) -> Any:
    """The normal form as an expression, to stand inside an atom."""
    return _expression(_merged(normal(e, rules), rules))


# --- polynomials -----------------------------------------------------------------------------------------------------


def _atom(e: Any, rules: tuple[Rule, ...]) -> Polynomial:
    if e.is_Rational:
        return normal(e)
    for rule in rules:
        bound: dict[Any, Any] = {}
        if matches(rule.pattern, e, free(rule.pattern), bound):
            return normal(put(rule.replacement, bound), rules)
    return {((e, ONE),): ONE}


def _delta(e: Delta, rules: tuple[Rule, ...]) -> Polynomial:
    """A delta of integers other than two indices is known by their difference, written with one sign."""
    a, b = e.args
    if all(isinstance(i, Index) or i.is_Integer for i in (a, b)):
        return _atom(e, rules)
    difference = normal(a - b)
    if not difference or set(difference) == {()}:
        return {} if difference else {(): ONE}
    if difference[min(difference, key=_order)] < 0:
        difference = _scale(difference, -ONE)
    return _atom(Delta(_expression(difference), 0), rules)


def _identified(p: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """Beside δ[i, j] it does not matter which of the two an index is: everywhere it becomes the first."""
    made: list[Polynomial] = []
    for monomial, c in p.items():
        for factor in monomial:
            if isinstance(factor[0], Delta) and (pair := _one_for_another(factor[0])):
                others = _product(f for f in monomial if f is not factor)
                if pair[1] in free(others):
                    rest = normal(put(others, {pair[1]: pair[0]}), rules)
                    made.append(_identified(_scale(_multiply({(factor,): ONE}, rest, rules), c), rules))
                    break
        else:
            made.append({monomial: c})
    return _add(*made)


def _one_for_another(delta: Delta) -> tuple[Any, Index] | None:
    """What an index may be replaced by where this delta is a factor: a number, or an index of its type."""
    a, b = sorted(delta.args, key=lambda i: (isinstance(i, Index), str(i)))
    if not isinstance(b, Index) or not (a.is_Integer or (isinstance(a, Index) and a.size == b.size)):
        return None
    return a, b


def _signed(function: Any, p: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """Step or Abs of a product: what is positive does not matter to the one and leaves the other."""
    if not p:
        return {}
    c, common, rest = _primitive(p)
    outside = tuple((atom, power) for atom, power in common if atom.is_positive)
    inside = tuple((atom, power) for atom, power in common if not atom.is_positive)
    if function is Step:
        argument = _expression(_scale(_multiply({inside: ONE}, rest, rules), ONE if c > 0 else -ONE))
        if argument.is_positive or argument.is_nonpositive:
            return {(): ONE} if argument.is_positive else {}
        return _atom(Step(argument), rules)
    product = {outside: abs(c)}
    for atom, power in inside:
        even = power.denominator == 1 and power % 2 == 0
        product = _multiply(product, {((atom if even else Abs(atom), power),): ONE}, rules)
    left = _expression(rest)
    if left.is_nonnegative or left.is_nonpositive:
        return _multiply(product, rest if left.is_nonnegative else _scale(rest, -ONE), rules)
    return _multiply(product, _atom(Abs(left), rules), rules)


def matches(pattern: Any, e: Any, wild: frozenset[Index], bound: dict[Any, Any]) -> bool:
    """Whether e is the pattern with something of its type for each wild index, which `bound` then tells."""
    if pattern in wild:
        fits = e.is_integer if pattern.size is oo else isinstance(e, Index) and e.size == pattern.size
        return bool(fits) and bound.setdefault(pattern, e) == e
    if isinstance(pattern, Index) or not pattern.args:
        return bool(pattern == e)
    if type(pattern) is not type(e):
        return False
    alike = len(pattern.args) == len(e.args) and all(
        matches(p, a, wild, bound) for p, a in zip(pattern.args, e.args, strict=True)
    )
    # "Every row sums to one" says nothing of the diagonal: a bound index is no value for the row.
    return alike and not (isinstance(e, Sum) and any(e.index in free(value) for value in bound.values()))


def _add(*polynomials: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for p in polynomials:
        for monomial, c in p.items():
            total[monomial] = total.get(monomial, Fraction(0)) + c
    return {monomial: c for monomial, c in total.items() if c}


def _scale(p: Polynomial, c: Fraction) -> Polynomial:
    return {monomial: c * k for monomial, k in p.items()}


def _multiply(p: Polynomial, q: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    _spend(len(p) * len(q))
    return _add(*(_scale(_join((*a, *b), rules), ca * cb) for a, ca in p.items() for b, cb in q.items()))


def _join(factors: Iterable[tuple[Any, Fraction]], rules: tuple[Rule, ...]) -> Polynomial:
    """One monomial from factors; a compound (a root times itself) that reaches exponent 1 is multiplied out again."""
    powers: dict[Any, Fraction] = {}
    for atom, power in factors:
        powers[atom] = powers.get(atom, Fraction(0)) + power
    whole: list[tuple[Any, int]] = []
    coefficient = ONE
    for atom, power in list(powers.items()):
        if atom.is_Rational:  # of 2^(3/2) and 2^(−1/2) the roots are √2, the rest is a number
            coefficient *= Fraction(int(atom.p), int(atom.q)) ** floor(power)
            powers[atom] = power - floor(power)
        elif isinstance(atom, Step | Delta) and power >= 1:
            powers[atom] = ONE  # their values are 0 and 1
        elif isinstance(atom, Abs) and abs(power) >= 2:
            squares = int(power / 2)  # |x|² is x²
            whole.append((atom.args[0] ** (2 if squares > 0 else -2), abs(squares)))
            powers[atom] = power - 2 * squares
        elif power >= 1 and _compound(atom):
            whole.append((atom, floor(power)))
            powers[atom] = power - floor(power)
    kept = sorted(((atom, power) for atom, power in powers.items() if power), key=_rank)
    product: Polynomial = {tuple(kept): coefficient}
    for atom, n in whole:
        for _ in range(n):
            product = _multiply(product, normal(atom, rules), rules)
    return product


def _compound(atom: Any) -> bool:
    return isinstance(atom, Add | Mul | Rational) or (isinstance(atom, Pow) and atom.args[1].is_Rational)


@lru_cache(maxsize=200_000)
def _name(atom: Any) -> str:
    # Indices of one label and different sizes must not be confused in the order of atoms.
    return str(atom) + "".join(sorted(f" {i.label}:{i.size}" for i in free(atom)))


def _rank(factor: tuple[Any, Fraction]) -> tuple[str, Fraction]:
    return _name(factor[0]), factor[1]


def _order(monomial: Monomial) -> tuple[tuple[str, Fraction], ...]:
    return tuple(map(_rank, monomial))


def _expression(p: Polynomial) -> Any:
    return Add(*(Rational(c.numerator, c.denominator) * _product(m) for m, c in p.items()))


def _product(monomial: Iterable[tuple[Any, Fraction]]) -> Any:
    return Mul(*(Pow(atom, Rational(power.numerator, power.denominator)) for atom, power in monomial))


# --- denominators and powers -----------------------------------------------------------------------------------------


def _without_denominators(p: Polynomial, rules: tuple[Rule, ...]) -> tuple[Polynomial, Monomial]:
    """(q, d) with p = q/d: compounds with a negative exponent are multiplied away until none is left."""
    denominator: list[tuple[Any, Fraction]] = []
    while True:
        lowest: dict[Any, Fraction] = {}
        for monomial in p:
            for atom, power in monomial:
                if power < 0 and _compound(atom):
                    lowest[atom] = min(power, lowest.get(atom, Fraction(0)))
        if not lowest:
            return p, tuple(denominator)
        # The outermost first: multiplying a polynomial out may bring the denominators inside it to light.
        atom = max(lowest, key=_name)
        factor = (atom, Fraction(-floor(lowest[atom])))
        denominator.append(factor)
        p = _add(*(_scale(_join((*monomial, factor), rules), c) for monomial, c in p.items()))


def _primitive(p: Polynomial) -> tuple[Fraction, Monomial, Polynomial]:
    """Write p = c · (common monomial) · rest, where the constant of the rest, or its first coefficient, is 1."""
    lowest: dict[Any, Fraction] = dict(next(iter(p)))
    for monomial in p:
        powers = dict(monomial)
        for atom in {*lowest, *powers}:
            lowest[atom] = min(lowest.get(atom, Fraction(0)), powers.get(atom, Fraction(0)))
    common = tuple(sorted(((atom, power) for atom, power in lowest.items() if power), key=_rank))
    less = tuple((atom, -power) for atom, power in common)
    rest = {_lean((*monomial, *less)): c for monomial, c in p.items()}
    c = rest[()] if () in rest else rest[min(rest, key=_order)]
    return c, common, {monomial: k / c for monomial, k in rest.items()}


def _lean(factors: Iterable[tuple[Any, Fraction]]) -> Monomial:
    powers: dict[Any, Fraction] = {}
    for atom, power in factors:
        powers[atom] = powers.get(atom, Fraction(0)) + power
    return tuple(sorted(((atom, power) for atom, power in powers.items() if power), key=_rank))


def _power(p: Polynomial, n: Fraction, rules: tuple[Rule, ...]) -> Polynomial:
    if n == 0:
        return {(): ONE}
    if not p:
        if n < 0:
            raise ZeroDivisionError("a denominator is zero")
        return {}
    if n.denominator == 1 and n > 0:
        product: Polynomial = {(): ONE}
        for _ in range(int(n)):
            product = _multiply(product, p, rules)
        return product
    if n.denominator == 1:
        top, bottom = _without_denominators(p, rules)
        if not top:
            raise ZeroDivisionError("a denominator is zero")
        c, common, rest = _primitive(top)
        factors = [(atom, power * n) for atom, power in common] + [(atom, -power * n) for atom, power in bottom]
        if rest != {(): ONE}:
            factors.append((_expression(rest), n))
        return _scale(_join(factors, rules), c ** int(n))
    c, common, rest = _primitive(_cancelled(p, rules))
    # √(a b) = √a √b needs positive factors, or squares, whose root is |x|; the others stay under one root.
    out = [(atom, power * n) for atom, power in common if atom.is_positive]
    out += [(Abs(atom), power * n) for atom, power in common if not atom.is_positive and power % 2 == 0]
    mixed = tuple((atom, power) for atom, power in common if not atom.is_positive and power % 2 != 0)
    under = _expression(_multiply({mixed: ONE}, rest, rules))
    if c > 0:
        out += [(Integer(p), k * n) for p, k in _primes(c.numerator).items()]
        out += [(Integer(p), -k * n) for p, k in _primes(c.denominator).items()]
    else:
        under = Rational(c.numerator, c.denominator) * under
    if under != 1:
        out.append((under, n))
    return _join(out, rules)


def _general_power(e: Any, rules: tuple[Rule, ...]) -> Polynomial:
    base, power = e.args
    if power.is_Rational:
        n = Fraction(int(power.p), int(power.q))
        whole = n.denominator == 1 and n > 0
        return _power(normal(base, rules) if whole else _merged(normal(base, rules), rules), n, rules)
    below = _merged(normal(base, rules), rules)
    product: Polynomial = {(): ONE}
    factors = _positive_factors(below, rules)
    if factors is not None:  # (a b)^n = a^n b^n needs positive factors
        for factor, times in factors:
            product = _multiply(product, _power_of_name(factor, normal(times * power, rules), rules), rules)
        return product
    name, exponent = _expression(below), normal(power, rules)
    # α^(a + b) = α^a α^b needs α > 0, or whole exponents (and α ≠ 0 where one of them is negative).
    if power.is_integer and all(c.denominator == 1 for c in exponent.values()):
        return _power_of_name(name, exponent, rules)
    return _atom(Pow(name, _expression(exponent)), rules)


def _positive_factors(p: Polynomial, rules: tuple[Rule, ...]) -> list[tuple[Any, Any]] | None:
    """Names above 0 and their exponents, with p as their product; None where p is not seen to be above 0."""
    top, bottom = _without_denominators(p, rules)
    if not top:
        return None
    c, common, rest = _primitive(top)
    factors = [(atom, k) for atom, k in (*common, *((atom, -k) for atom, k in bottom))]
    factors += [(Integer(prime), Fraction(k)) for prime, k in _primes(c.numerator).items()] if c > 0 else []
    factors += [(Integer(prime), Fraction(-k)) for prime, k in _primes(c.denominator).items()]
    factors += [(_expression(rest), ONE)] if rest != {(): ONE} else []
    if c < 0 or not all(atom.is_positive for atom, _ in factors):
        return None
    return [(atom, Rational(k.numerator, k.denominator)) for atom, k in factors]


def _power_of_name(name: Any, exponent: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    product: Polynomial = {(): ONE}
    for monomial, c in exponent.items():
        if monomial == ():
            factor = _power(normal(name, rules), c, rules)
        else:
            factor = _join([(Pow(name, _product(monomial)), c)], rules)
        product = _multiply(product, factor, rules)
    return product


def _exponential(u: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """exp of a sum is a product of atoms exp(monomial), each to its rational coefficient; exp(c m log a) = a^(c m)."""
    product: Polynomial = {(): ONE}
    for monomial, c in u.items():
        logs = [atom for atom, power in monomial if isinstance(atom, log) and power == 1]
        if len(logs) == 1 and len(monomial) == 1:
            factor = _power(normal(logs[0].args[0], rules), c, rules)
        elif len(logs) == 1 and logs[0].args[0].is_positive:
            rest = tuple(f for f in monomial if f[0] != logs[0])
            factor = _power_of_name(logs[0].args[0], {rest: c}, rules)
        else:
            factor = {((exp(_product(monomial)), c),): ONE}
        product = _multiply(product, factor, rules)
    return product


def _primes(number: int) -> dict[int, int]:
    """The prime factors of a whole number; of a very large one the rest beyond the small primes may stay whole."""
    return {int(p): int(k) for p, k in factorint(number, limit=100_000).items()} if number > 1 else {}


def _logarithm(u: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """The log of a product is the sum of logs, for the factors that are positive."""
    top, bottom = _without_denominators(u, rules)
    if not top:
        raise ZeroDivisionError("the logarithm of zero")
    c, common, rest = _primitive(top)
    factors = [*common, *((atom, -power) for atom, power in bottom)]
    if rest != {(): ONE}:
        factors.append((_expression(rest if c > 0 else _scale(rest, -ONE)), ONE))
        c = abs(c)
    total: Polynomial = {}
    left: list[tuple[Any, Fraction]] = []
    for atom, power in factors:
        if isinstance(atom, exp) or atom is E:
            exponent = normal(atom.args[0] if atom.args else Integer(1), rules)
            total = _add(total, _scale(exponent, power))
        elif isinstance(atom, Pow) and atom.args[0].is_positive:
            total = _add(total, _scale(normal(atom.args[1] * log(atom.args[0]), rules), power))
        elif atom.is_positive:
            total = _add(total, {((log(atom), ONE),): power})
        elif power.denominator == 1 and power % 2 == 0:  # log x² is 2 log |x|
            total = _add(total, {((log(Abs(atom)), ONE),): power})
        else:
            left.append((atom, power))
    if left or c < 0:
        argument = _product(left) * (1 if c > 0 else -1)
        total = _add(total, {((log(argument, evaluate=False), ONE),): ONE})
        c = abs(c)
    for number, sign in ((c.numerator, 1), (c.denominator, -1)):
        primes = _primes(number)
        total = _add(total, {((log(Integer(p)), ONE),): Fraction(sign * k) for p, k in primes.items()})
    return total


def _merged(p: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """Sums of fractions that are simple only together, as Σ 1/(1 + e^z) + Σ e^z/(1 + e^z) = n."""
    alike: dict[Any, list[Any]] = {}
    for monomial in p:
        for atom, power in monomial:
            if isinstance(atom, Sum) and power >= 1 and power.denominator == 1 and _denominators(atom):
                over, body = _opened(atom)
                rest = _lean((*monomial, (atom, -ONE)))
                key = (rest, tuple(i.size for i in over), _denominators(atom))
                alike.setdefault(key, []).append((monomial, rest, over, body))
    for members in alike.values():
        for chosen in (members, *combinations(members, 2)) if len(members) > 2 else (members,):
            if 2 <= len(chosen) <= 12 and (whole := _summed_together(p, chosen, rules)) is not None:
                return _merged(whole, rules)
    return p


@lru_cache(maxsize=100_000)
def _denominators(atom: Any) -> frozenset[Any]:
    """The compounds in the body of a sum, in names that do not depend on what else is in it."""
    over, body = _opened(atom)
    names = {index: Index(f"#{n}", index.size) for n, index in enumerate(over)}
    return frozenset(put(a, names) for monomial in normal(body) for a, _ in monomial if _compound(a))


def _opened(atom: Any) -> tuple[tuple[Index, ...], Any]:
    over = []
    while isinstance(atom, Sum):
        over.append(atom.index)
        atom = atom.body
    return tuple(over), atom


def _summed_together(p: Polynomial, members: Iterable[Any], rules: tuple[Rule, ...]) -> Polynomial | None:
    """The polynomial with the given sums made one, where a denominator of theirs then cancels."""
    members = list(members)
    _, rest, over, _ = members[0]
    taken = {i.label for _, _, names, body in members for i in free(body) - set(names)}
    renamed = []
    for index in over:
        renamed.append(fresh(index.label, index.size, taken))
        taken.add(renamed[-1].label)
    over = tuple(renamed)
    bodies = [
        Rational(p[monomial].numerator, p[monomial].denominator) * put(body, dict(zip(names, over, strict=True)))
        for monomial, _, names, body in members
    ]
    top, left, simpler = _reduced(normal(Add(*bodies), rules), rules)
    if not simpler:
        return None
    body = _expression(top) * _product(left)
    for index in reversed(over):
        body = Sum(body, index)
    others = {m: c for m, c in p.items() if m not in {member[0] for member in members}}
    return _add(others, _multiply({rest: ONE}, normal(body, rules), rules))


def _reduced(p: Polynomial, rules: tuple[Rule, ...]) -> tuple[Polynomial, Monomial, bool]:
    """(top, left, simpler) with p = top · left, where denominators that divide the numerator have been cancelled."""
    top, bottom = _without_denominators(p, rules)
    left: list[tuple[Any, Fraction]] = []
    for atom, power in bottom:
        while power >= 1 and top and (quotient := _quotient(top, normal(atom, rules), rules)) is not None:
            top, power = quotient, power - 1
        left.append((atom, -power))
    simpler = not top or sum(power for _, power in left) > -sum(power for _, power in bottom)
    return top, tuple(factor for factor in left if factor[1]), simpler


def _cancelled(p: Polynomial, rules: tuple[Rule, ...]) -> Polynomial:
    """The same, with denominators that divide the numerator cancelled."""
    if not any(power < 0 and _compound(atom) for monomial in p for atom, power in monomial):
        return p
    top, left, simpler = _reduced(p, rules)
    return _multiply(top, _join(left, rules), rules) if simpler else p


def _quotient(p: Polynomial, q: Polynomial, rules: tuple[Rule, ...]) -> Polynomial | None:
    """p/q where the division leaves nothing."""
    atoms = sorted({atom for monomial in (*p, *q) for atom, _ in monomial}, key=_name)

    def height(monomial: Monomial) -> list[Fraction]:
        powers = dict(monomial)
        return [powers.get(atom, Fraction(0)) for atom in atoms]

    lead = max(q, key=height)
    inverse = tuple((atom, -power) for atom, power in lead)
    rest, quotient = dict(p), dict[Monomial, Fraction]()
    for _ in range(2 * len(p) + 2):
        if not rest:
            return quotient if _add(_multiply(quotient, q, rules), _scale(p, -ONE)) == {} else None
        highest = max(rest, key=height)
        term, c = _lean((*highest, *inverse)), rest[highest] / q[lead]
        quotient = _add(quotient, {term: c})
        rest = _add(rest, {_lean((*term, *monomial)): -c * k for monomial, k in q.items()})
    return None


# --- sums ------------------------------------------------------------------------------------------------------------


def _sum(e: Sum, rules: tuple[Rule, ...]) -> Polynomial:
    index, size = e.index, e.index.size
    if size.is_nonpositive:
        return {}
    if _can_lose_its_top(size):
        shorter = fresh(index.label, size - 1, {i.label for i in free(e)})
        rest = Sum(put(e.body, {index: shorter}), shorter)
        return _add(normal(rest, rules), normal(put(e.body, {index: size - 1}), rules))
    body = normal(e.body, rules)
    return _add(*(_scale(_sum_of_product(monomial, index, rules), c) for monomial, c in body.items()))


def _can_lose_its_top(size: Any) -> bool:
    if size.is_Integer:
        return bool(size > 0)
    return bool(size.is_Add and size.as_coeff_Add()[0] >= 1 and _never_negative(size - 1))


def _sum_of_product(monomial: Monomial, index: Index, rules: tuple[Rule, ...]) -> Polynomial:
    outside = tuple(f for f in monomial if index not in free(f[0]))
    inside = [f for f in monomial if index in free(f[0])]
    for factor in inside:
        other = _equal_index(factor, index)
        if other is not None:
            rest = _product(f for f in monomial if f is not factor)
            return normal(put(rest, {index: other}), rules)
    if not inside:
        if index.size is oo:
            raise ArithmeticError("a sum over all integers of what does not depend on the index")
        if not _never_negative(index.size):  # a range that may end before it starts has no terms then
            return _multiply({outside: ONE}, {((_canonical([index], []), ONE),): ONE}, rules)
        return _multiply({outside: ONE}, normal(index.size, rules), rules)
    over, factors, c = _flattened(index, inside)
    return _multiply({outside: c}, _sum_atom(over, factors, rules), rules)


def _never_negative(size: Any) -> bool:
    """Whether a size is seen to be at least 0; an index i of size T is at most T - 1, so that T - i is."""
    if size.is_nonnegative:
        return True
    least = size
    for index in size.atoms(Index):
        if index.size is not oo:
            least = least.xreplace({index: index.size - 1 - Dummy(integer=True, nonnegative=True)})
    return bool(least.expand().is_nonnegative)


def _equal_index(factor: tuple[Any, Fraction], index: Index) -> Any:
    """What a delta makes of the index: another index of its type or, where it is any integer, what the delta says."""
    atom, power = factor
    if not isinstance(atom, Delta) or power < 1:
        return None
    if index.size is oo:
        return _solved(atom.args[0] - atom.args[1], index)
    if index not in atom.args:
        return None
    (other,) = (a for a in atom.args if a != index)
    return other if isinstance(other, Index) and other.size == index.size else None


def _solved(difference: Any, index: Index) -> Any:
    """The integer at which a difference ±index + rest is zero."""
    p = dict(normal(difference))
    c = p.pop(((index, ONE),), None)
    if c not in (1, -1) or any(index in free(atom) for monomial in p for atom, _ in monomial):
        return None
    at = _expression(_scale(p, -c))
    return at if at.is_integer else None


def _flattened(
    index: Index, inside: list[tuple[Any, Fraction]]
) -> tuple[list[Index], list[tuple[Any, Fraction]], Fraction]:
    """Sums among the factors become further indices, so that Σ_i a_i Σ_j b_ij and Σ_j Σ_i a_i b_ij are one atom."""
    over, factors, number = [index], list[tuple[Any, Fraction]](), ONE
    taken = {i.label for atom, _ in inside for i in free(atom)} | {index.label}
    for atom, power in inside:
        copies = int(power) if isinstance(atom, Sum) and power.denominator == 1 and 0 < power <= 3 else 0
        if not copies:
            factors.append((atom, power))
            continue
        for _ in range(copies):
            body = atom
            while isinstance(body, Sum):
                if free(body.index.size) & set(over):
                    break  # a size that depends on another index: these sums cannot be exchanged
                # Never a canonical name: those must stay free for the sums that are made of these factors.
                inner = fresh(body.index.label + "'", body.index.size, taken)
                body = put(body.body, {body.index: inner})
                over.append(inner)
                taken.add(inner.label)
            ((monomial, coefficient),) = normal(body).items()
            number *= coefficient  # not 1 where another name made another term of a root the first
            factors.extend(monomial)
    return over, list(_lean(factors)), number


def _sum_atom(over: list[Index], factors: list[tuple[Any, Fraction]], rules: tuple[Rule, ...]) -> Polynomial:
    for index in over if rules else ():
        touched = [f for f in factors if index in free(f[0])]
        atom = _canonical([index], touched)
        value = _atom(atom, rules)
        if value != {((atom, ONE),): ONE}:
            rest = _expression(value) * _product(f for f in factors if f not in touched)
            for other in over:
                rest = rest if other is index else Sum(rest, other)
            return normal(rest, rules)
    return {((_canonical(over, factors), ONE),): ONE}


def _canonical(over: list[Index], factors: list[tuple[Any, Fraction]]) -> Sum:
    """One name for a sum: bound labels by height, and the smallest text over the orders that are equally good."""
    body = _product(factors)
    height = 1 + _height(body)
    taken = {i.label for i in free(body) - set(over)}
    best: tuple[str, Any] | None = None
    for moved in _moved(body, [index for index in over if index.size is oo]):
        for order in _orders(moved, over):
            names: dict[Any, Any] = {}
            for n, index in enumerate(order):
                names[index] = fresh(f"_{height}{chr(97 + n)}", index.size, taken)
            candidate = rewritten(put(moved, names)) if moved is not body else put(body, names)
            for index in reversed(order):
                candidate = Sum(candidate, names[index])
            key = _name(candidate) + "".join(f" {index.size}" for index in order)
            if best is None or key < best[0]:
                best = key, candidate
    assert best is not None
    return best[1]  # type: ignore[no-any-return]


MOST_ORDERS = 120


def _orders(body: Any, over: list[Index]) -> Iterator[tuple[Index, ...]]:
    """The orders of bound indices that their roles leave open: an index's role is what stands around it."""
    if len(over) == 1:
        yield tuple(over)
        return
    role = {index: str(index.size) for index in over}
    factors = Mul.make_args(body)
    for _ in over:
        ranks = {r: n for n, r in enumerate(sorted(set(role.values())))}
        marks = {index: Index(f"#{ranks[role[index]]}", index.size) for index in over}
        seen = {}
        for index in over:
            here = {**marks, index: Index("@", index.size)}
            around = sorted(str(put(f, here)) for f in factors if index in free(f))
            seen[index] = " ".join([str(ranks[role[index]]), *around])
        settled = len(set(seen.values())) == len(ranks)
        role = seen
        if settled:
            break
    groups = [[index for index in over if role[index] == r] for r in sorted(set(role.values()))]
    count = prod(factorial(len(group)) for group in groups)
    for chosen in islice(product(*map(permutations, groups)), MOST_ORDERS if count > MOST_ORDERS else None):
        yield tuple(index for group in chosen for index in group)


def _moved(body: Any, over: list[Index]) -> Iterator[Any]:
    """Sums over all integers may be shifted and reflected: an index then stands alone where it stood in a sum."""
    bodies = {body: None}
    new = fresh("new", oo, {i.label for i in body.atoms(Index)})
    for index in over if len(over) <= 2 else ():
        aligned: dict[Any, None] = {}
        for e in bodies:
            for at in {i: None for entry in sorted(e.atoms(Entry), key=_name) for i in entry.at if index in free(i)}:
                # The new index is at = ±index + rest, so the old one is ±(new − rest).
                back = _solved(at - new, index)
                if back is not None and free(at) <= free(body):
                    aligned[e if at == index else put(put(e, {index: back}), {new: index})] = None
        bodies = aligned or bodies
    yield from bodies


@lru_cache(maxsize=200_000)
def _height(e: Any) -> int:
    inner = max(map(_height, e.args), default=0) if e.args else 0
    return inner + 1 if isinstance(e, Sum) else inner
