"""A claim as a chain of equations with reasons, as text and as LaTeX; the first line is the statement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Integer, Mul, Pow, sstr

from .calculus import matches
from .claim import Claim, Induction, Measured, Number, Part, Scalar, Statement
from .terms import Entry, Index, Sum, Symbol, free, put

__all__ = ["as_latex", "as_text"]

RELATIONS = {"=": "=", "≥": r"\geq", ">": ">", "≤": r"\leq"}
LETTERS = {"alpha": r"\alpha", "rho": r"\rho", "betas": r"\beta", "eps": r"\epsilon"}


def as_text(claim: Statement) -> str:
    """The chain as text."""
    lines = [claim.statement]
    if isinstance(claim, Claim | Induction) and claim.given:
        lines.append("given " + ", ".join(f"{sstr(a)} = {sstr(b)}" for a, b in claim.given))
    if isinstance(claim, Claim) and claim.positive:
        lines.append("with " + ", ".join(f"{sstr(e)} > 0" for e in claim.positive))
    if isinstance(claim, Number):
        given = ", ".join(f"{name} = {_plain(value)}" for name, value in claim.arguments.items())
        lines.append(f"{sstr(claim.value)}{' with ' + given if given else ''}")
        lines.append(
            f"    {claim.relation} {claim.printed}   ({'every digit printed' if claim.relation == '=' else 'its side'})"
        )
    elif isinstance(claim, Scalar):
        lines.append(_operation_text(claim))
        lines.append(f"    = {sstr(claim.right)}   (SymPy's {claim.operation})")
    elif isinstance(claim, Measured):
        lines.append(str(claim.measure.__doc__ or "measured by simulation").strip())
    elif isinstance(claim, Claim):
        lines += [f"where {sstr(name)} = {sstr(e)}" for name, e in _abbreviations(claim)]
        for part in claim.parts:
            lines.append(_named(part) + _left_text(claim, part))
            lines += [f"    {sign} {sstr(value)}   ({because})" for sign, value, because in _chain(claim, part)]
    else:
        for state in claim.states:
            first, step = {claim.step: Integer(0)}, {claim.step: claim.step + 1}
            lines.append(f"{sstr(state.entry)} ← {sstr(state.update)}")
            lines.append(f"    after {claim.step} steps = {sstr(state.closed)}")
            lines.append(
                f"    {claim.step} = 0: {sstr(put(state.closed, first))} = {sstr(state.entry)}   (no step taken)"
            )
            lines.append(f"    {claim.step} → {claim.step} + 1: {sstr(put(state.closed, step))}   (one more step)")
    if claim.note:
        lines.append(claim.note)
    return "\n".join(lines)


def as_latex(claim: Statement) -> str:
    """The chain as LaTeX: the statement, then one aligned block for each equation."""
    blocks = [_escaped(claim.statement)]
    if isinstance(claim, Number):
        sign = RELATIONS[claim.relation] if claim.relation != "=" else r"\approx"
        blocks.append(_aligned([rf"{_latex(claim.value)} &{sign} {claim.printed}"]))
    elif isinstance(claim, Scalar):
        blocks.append(_aligned([rf"{_operation_latex(claim)} &= {_latex(claim.right)}"]))
    elif isinstance(claim, Measured):
        blocks.append(_aligned([rf"&\text{{{_escaped('measured by simulation')}}}"]))
    elif isinstance(claim, Claim):
        if claim.where:
            rows = [rf"{_latex(name)} &= {_latex(e)}" for name, e in _abbreviations(claim)]
            blocks.append(r"\text{where}" + "\n" + _aligned(rows))
        for part in claim.parts:
            rows = [
                rf"&{RELATIONS[sign]} {_latex(v)} && \text{{{_escaped(why)}}}" for sign, v, why in _chain(claim, part)
            ]
            blocks.append(_aligned([_left_latex(claim, part) + " " + rows[0], *rows[1:]]))
    else:
        for state in claim.states:
            step = _latex(put(state.closed, {claim.step: claim.step + 1}))
            blocks.append(
                _aligned(
                    [
                        rf"{_latex(state.entry)} &\leftarrow {_latex(state.update)} && \text{{one step}}",
                        rf"{_latex(state.entry)}^{{({claim.step})}} &= {_latex(state.closed)} && \text{{the claim}}",
                        rf"{_latex(state.entry)}^{{({claim.step}+1)}} &= {step} && \text{{one more step}}",
                    ]
                )
            )
    return "\n\n".join(blocks)


def _chain(claim: Claim, part: Part) -> list[tuple[str, Any, str]]:
    last = "by induction" if claim.by_steps else "by cases" if claim.cases or claim.regions else "the claim"
    if part.relation != "=":
        seen = "" if part.certificate is None else f": {sstr(_short(claim, part.certificate))}"
        last = part.axiom or f"the difference is seen to be {'above' if part.relation == '>' else 'at least'} 0{seen}"
    lines = [("=", line.value, line.because) for line in part.lines] + [(part.relation, part.right, last)]
    return [(sign, _short(claim, value), why) for sign, value, why in lines]


def _short(claim: Claim, e: Any) -> Any:
    """The expression with the claim's abbreviations, the longest first."""
    for name, meaning in sorted(claim.where, key=lambda named: -len(str(named[1]))):
        e = _abbreviated(sympy.sympify(e), name, meaning)
    return e


def _abbreviated(e: Any, name: Entry, meaning: Any) -> Any:
    """The expression with the name for every part that is its meaning, or a product that contains it."""
    bound: dict[Any, Any] = {}
    if matches(meaning, e, free(name), bound):
        return put(name, bound)
    if isinstance(e, Entry | Index) or not e.args or not hasattr(e, "is_commutative"):
        return e
    if isinstance(e, Sum):
        return Sum(_abbreviated(e.body, name, meaning), e.index)
    if isinstance(e, Mul) and isinstance(meaning, Mul):
        pulled = _pulled(Mul.make_args(meaning), _single_factors(e), free(name), {})
        if pulled is not None:
            rest, bound = pulled
            return put(name, bound) * _abbreviated(Mul(*rest), name, meaning)
    return e.func(*(_abbreviated(a, name, meaning) if hasattr(a, "is_commutative") else a for a in e.args))


def _single_factors(e: Any) -> list[Any]:
    """The factors of a product, its squares and cubes as that many factors."""
    factors = []
    for factor in Mul.make_args(e):
        whole = isinstance(factor, Pow) and factor.args[1].is_Integer and 2 <= abs(factor.args[1]) <= 4
        times = abs(int(factor.args[1])) if whole else 1
        factors += [Pow(factor.args[0], factor.args[1] / times)] * times if whole else [factor]
    return factors


def _pulled(
    wanted: tuple[Any, ...], factors: list[Any], wild: frozenset[Index], bound: dict[Any, Any]
) -> tuple[list[Any], dict[Any, Any]] | None:
    """What is left of the factors when the wanted ones are taken out, and what their indices are."""
    if not wanted:
        return factors, bound
    for n, factor in enumerate(factors):
        tried = dict(bound)
        if matches(wanted[0], factor, wild, tried):
            found = _pulled(wanted[1:], [*factors[:n], *factors[n + 1 :]], wild, tried)
            if found is not None:
                return found
    return None


def _abbreviations(claim: Claim) -> list[tuple[Entry, Any]]:
    """Each name, and its meaning in terms of the shorter names."""
    rows = []
    for name, meaning in claim.where:
        shorter = tuple(w for w in claim.where if len(str(w[1])) < len(str(meaning)))
        rows.append((name, _short(replace(claim, where=shorter), meaning)))
    return rows


def _plain(given: Any) -> str:
    return f"[{', '.join(map(_plain, given))}]" if isinstance(given, tuple) else str(given)


def _operation_text(claim: Scalar) -> str:
    if claim.operation == "limit":
        return f"lim {claim.variable} → {sstr(claim.to)} of {sstr(claim.expression)}"
    return f"∫ {sstr(claim.expression)} d{claim.variable} from {sstr(claim.start)} to {sstr(claim.to)}"


def _operation_latex(claim: Scalar) -> str:
    x, to = _latex(claim.variable), _latex(claim.to)
    if claim.operation == "limit":
        return rf"\lim_{{{x} \to {to}}} {_latex(claim.expression)}"
    return rf"\int_{{{_latex(claim.start)}}}^{{{to}}} {_latex(claim.expression)} \, d{x}"


def _named(part: Part) -> str:
    return f"{part.output}: " if part.output else ""


def _left_text(claim: Claim, part: Part) -> str:
    left = sstr(_short(claim, part.left))
    return left if part.by is None else f"∂/∂{sstr(part.by)} {left}"


def _left_latex(claim: Claim, part: Part) -> str:
    by = "" if part.by is None else rf"\frac{{\partial}}{{\partial {_latex(part.by)}}} "
    return by + _latex(_short(claim, part.left))


def _latex(e: Any) -> str:
    e = sympy.sympify(e)
    symbols = e.atoms(Symbol) | {entry.name for entry in e.atoms(Entry)}
    words = {s: LETTERS.get(s.name, rf"\mathrm{{{_escaped(s.name)}}}") for s in symbols if len(s.name) > 1}
    return str(sympy.latex(e, symbol_names=words))


def _aligned(rows: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _escaped(text: str) -> str:
    for character in "\\&%$#_{}":
        text = text.replace(character, {"\\": r"\textbackslash "}.get(character, "\\" + character))
    return text
