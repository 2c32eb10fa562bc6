"""A claim as a chain of equations with reasons, as text and as LaTeX; the first line is the statement."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer, sstr

from .claim import Claim, Induction, Part
from .terms import Entry, Symbol, put

__all__ = ["as_latex", "as_text"]

LETTERS = {"alpha": r"\alpha", "rho": r"\rho", "betas": r"\beta", "eps": r"\epsilon"}


def as_text(claim: Claim | Induction) -> str:
    """The chain as text."""
    lines = [claim.statement]
    if claim.given:
        lines.append("given " + ", ".join(f"{sstr(a)} = {sstr(b)}" for a, b in claim.given))
    if isinstance(claim, Claim):
        for part in claim.parts:
            lines.append(_named(part) + _left_text(part))
            lines += [f"    = {sstr(value)}   ({because})" for value, because in _chain(claim, part)]
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


def as_latex(claim: Claim | Induction) -> str:
    """The chain as LaTeX: the statement, then one aligned block for each equation."""
    blocks = [_escaped(claim.statement)]
    if isinstance(claim, Claim):
        for part in claim.parts:
            rows = [
                rf"{_left_latex(part)} &= {_latex(v)} && \text{{{_escaped(why)}}}" for v, why in _chain(claim, part)
            ]
            blocks.append(_aligned([rows[0], *(row[row.index("&=") :] for row in rows[1:])]))
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


def _chain(claim: Claim, part: Part) -> list[tuple[Any, str]]:
    last = "by induction" if claim.by_steps else "by cases" if claim.cases else "the claim"
    return [(line.value, line.because) for line in part.lines] + [(part.right, last)]


def _named(part: Part) -> str:
    return f"{part.output}: " if part.output else ""


def _left_text(part: Part) -> str:
    return sstr(part.left) if part.by is None else f"∂/∂{sstr(part.by)} {sstr(part.left)}"


def _left_latex(part: Part) -> str:
    by = "" if part.by is None else rf"\frac{{\partial}}{{\partial {_latex(part.by)}}} "
    return by + _latex(part.left)


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
