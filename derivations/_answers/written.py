"""A term of the kernel in the words of an answer: a question is shown in the grammar in which it is answered."""

from __future__ import annotations

from typing import Any

from sympy import Add, E, Mul, Pow

from derivations._kernel.terms import Abs, Delta, Entry, Index, Opaque, Step, Sum, Symbol, exp, free, log, pi, put

__all__ = ["written"]

SUM, PRODUCT, POWER, ATOM = range(4)


def written(e: Any) -> str:
    """The text of a term."""
    return _text(e)[0]


def _in(e: Any, least: int) -> str:
    text, rank = _text(e)
    return text if rank >= least else f"({text})"


def _text(e: Any) -> tuple[str, int]:
    if e.is_Rational:
        return str(e), ATOM if e.is_Integer and e >= 0 else SUM if e < 0 else PRODUCT
    if isinstance(e, Symbol):
        return str(e), ATOM
    if isinstance(e, Index):
        return e.label.replace("'", "_"), ATOM
    if isinstance(e, Entry):
        return f"{e.name}[{', '.join(map(written, e.at))}]" if e.at else str(e.name), ATOM
    if isinstance(e, Sum):
        inner = e.index.label.replace("'", "_")
        clash = {i.label for i in free(e)}
        while inner in clash:  # one letter for two indices would be read as one
            inner += "2"
        index = Index(inner, e.index.size)
        return f"sum({written(put(e.body, {e.index: index}))}, {_range(put(e.body, {e.index: index}), index)})", ATOM
    if isinstance(e, Add):
        terms = [
            _in(a, PRODUCT) if not _negative(a) else f"-{_in(-a, POWER if _negative(-a) else PRODUCT)}" for a in e.args
        ]
        return " + ".join(terms).replace(" + -", " - "), SUM
    if isinstance(e, Mul):
        return _product(e)
    if isinstance(e, Pow):
        base, exponent = e.args
        if exponent == -1:
            return f"1/{_in(base, POWER)}", PRODUCT
        if exponent.is_Rational and exponent.q == 2 and exponent.p == 1:
            return f"sqrt({written(base)})", ATOM
        if exponent.is_Rational and exponent < 0:
            return f"1/{_in(Pow(base, -exponent), POWER)}", PRODUCT
        return f"{_in(base, ATOM)}**{_in(exponent, ATOM)}", POWER
    if isinstance(e, exp | log | Abs | Step):
        name = {exp: "exp", log: "log", Abs: "abs", Step: "step"}[e.func]
        return f"{name}({written(e.args[0])})", ATOM
    if isinstance(e, Delta):
        return f"delta({', '.join(map(written, e.args))})", ATOM
    if isinstance(e, Opaque):
        return f"{e.args[0].name}{chr(39) * int(e.args[1])}({written(e.args[2])})", ATOM
    if e is E:
        return "exp(1)", ATOM
    if e is pi:
        return "pi", ATOM
    return str(e), SUM


def _negative(e: Any) -> bool:
    return bool(e.is_Rational and e < 0) or (isinstance(e, Mul) and bool(e.args[0].is_Rational and e.args[0] < 0))


def _product(e: Any) -> tuple[str, int]:
    if _negative(e):
        return f"-{_in(-e, PRODUCT)}", SUM
    above, below = list[str](), list[str]()
    for factor in e.args:
        if isinstance(factor, Pow) and factor.args[1].is_Rational and factor.args[1] < 0:
            below.append(_in(Pow(factor.args[0], -factor.args[1]), POWER))
        elif factor.is_Rational and not factor.is_Integer:
            below.append(str(factor.q))
            if factor.p != 1:
                above.insert(0, str(factor.p))
        else:
            above.append(_in(factor, POWER))
    text = "*".join(above) or "1"
    if not below:
        return text, PRODUCT
    return f"{text}/{below[0] if len(below) == 1 else '(' + '*'.join(below) + ')'}", PRODUCT


def _range(body: Any, index: Index) -> str:
    plain = any(index in entry.at for entry in body.atoms(Entry))
    return index.label if plain and index.size.is_Symbol else f"{index.label} < {written(index.size)}"
