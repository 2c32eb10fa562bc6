"""A claim as a chain of equations with reasons, as text and as LaTeX; the first line is the statement.

Formulas are printed for readers: sums last in a product, what is added before what is subtracted, and the claim's
abbreviations in place of what they stand for.
"""

from __future__ import annotations

import re
from typing import Any

from sympy import Add, Integer, Mul, Pow, Rational, exp, log, oo, pi, sympify
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from .abbreviation import Where, abbreviated, legend
from .claim import Claim, Induction, Measured, Number, Part, Scalar, State, Statement
from .terms import Delta, Entry, Expr, Index, Opaque, Step, Sum, Symbol, put

__all__ = ["as_latex", "as_text"]

RELATIONS = {"=": "=", "≥": r"\geq", ">": ">", "≤": r"\leq"}
LETTERS = {
    "alpha": r"\alpha", "rho": r"\rho", "betas": r"\beta", "beta": r"\beta", "gamma": r"\gamma", "eps": r"\epsilon",
    "label_smoothing": r"\varepsilon", "temperature": r"\tau", "momentum": r"\mu", "lr": r"\eta", "l2": r"\lambda",
    "weight_decay": r"\lambda", "delta": r"\Delta", "omega": r"\omega", "Omega": r"\Omega",
    "μ": r"\mu", "σ": r"\sigma", "δ": r"\delta", "α": r"\alpha", "β": r"\beta",
    "x̂": r"\hat{x}", "ŷ": r"\hat{y}", "ℓ": r"\ell",
    "‖x‖": r"\lVert x\rVert", "‖g‖": r"\lVert g\rVert", "‖y‖": r"\lVert y\rVert",
}  # fmt: skip
SUPERSCRIPTS = {2: "²", 3: "³", 4: "⁴"}

# --- the page --------------------------------------------------------------------------------------------------------


def as_text(claim: Statement) -> str:
    """The chain as text."""
    lines = [claim.statement]
    if isinstance(claim, Number):
        given = ", ".join(f"{name} = {_plain(value)}" for name, value in claim.arguments.items())
        lines.append(f"{_text(claim.value)}{' with ' + given if given else ''}")
        lines.append(
            f"    {claim.relation} {claim.printed}   ({'every digit printed' if claim.relation == '=' else 'its side'})"
        )
    elif isinstance(claim, Scalar):
        lines.append(_operation_text(claim))
        lines.append(f"    = {_text(claim.right)}   (SymPy's {claim.operation})")
    elif isinstance(claim, Measured):
        lines.append(str(claim.measure.__doc__ or "measured by simulation").strip())
    else:
        if claim.given:
            pairs = (map(_text, _short(pair, claim.where)) for pair in claim.given)
            lines.append("given " + ", ".join(f"{left} = {right}" for left, right in pairs))
        if isinstance(claim, Claim) and claim.positive:
            lines.append("with " + ", ".join(f"{_text(e)} > 0" for e in _short(claim.positive, claim.where)))
        lines += [f"where {_text(name)} = {_text(meaning)}" for name, meaning in _legend(claim)]
        lines += _parts_text(claim) if isinstance(claim, Claim) else _states_text(claim)
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
        blocks.append(_aligned([r"&\text{measured by simulation}"]))
    else:
        assumed = [_short(pair, claim.where) for pair in claim.given]
        rows = [rf"{_latex(left)} &= {_latex(right)} && \text{{given}}" for left, right in assumed]
        positive = _short(claim.positive, claim.where) if isinstance(claim, Claim) else []
        rows += [rf"{_latex(e)} &> 0 && \text{{given}}" for e in positive]
        rows += [rf"{_latex(name)} &= {_latex(meaning)} && \text{{by definition}}" for name, meaning in _legend(claim)]
        if rows:
            blocks.append(_aligned(rows))
        blocks += _parts_latex(claim) if isinstance(claim, Claim) else _states_latex(claim)
    return "\n\n".join(blocks)


def _short(formulas: Any, where: Where) -> list[Any]:
    return [abbreviated(sympify(e), where) for e in formulas]


def _legend(claim: Claim | Induction) -> list[tuple[Entry, Any]]:
    """The names that are used, and what they mean."""
    if isinstance(claim, Induction):
        own = {now for now in (_now(claim, state) for state in claim.states) if now is not None}
        shown = [e for state in claim.states for e in _induction(claim, state)]
        return [(name, meaning) for name, meaning in legend(shown, claim.where) if name not in own]
    lefts = [_short((part.left,), claim.where)[0] for part in claim.parts]
    rights = [value for part in claim.parts for _, value, _ in _chain(claim, part)]
    assumed = [e for pair in claim.given for e in _short(pair, claim.where)]
    certificates = _short((p.certificate for p in claim.parts if p.certificate is not None), claim.where)
    return legend([*lefts, *rights, *assumed, *_short(claim.positive, claim.where), *certificates], claim.where)


# --- the equations of a claim ----------------------------------------------------------------------------------------


def _parts_text(claim: Claim) -> list[str]:
    lines = []
    for part in claim.parts:
        lines.append((f"{part.output}: " if part.output else "") + _left_text(claim, part))
        lines += [f"    {sign} {_text(value)}   ({because})" for sign, value, because in _chain(claim, part)]
    return lines


def _parts_latex(claim: Claim) -> list[str]:
    blocks = []
    for part in claim.parts:
        rows = [rf"&{RELATIONS[sign]} {_latex(v)} && \text{{{_escaped(why)}}}" for sign, v, why in _chain(claim, part)]
        blocks.append(_aligned([_left_latex(claim, part) + " " + rows[0], *rows[1:]]))
    return blocks


def _chain(claim: Claim, part: Part) -> list[tuple[str, Any, str]]:
    last = "by induction" if claim.by_steps else "by cases" if claim.cases or claim.regions else "the claim"
    if part.relation != "=":
        seen = "" if part.certificate is None else f": {_text(*_short((part.certificate,), claim.where))}"
        last = part.axiom or f"the difference is seen to be {'above' if part.relation == '>' else 'at least'} 0{seen}"
    lines = [("=", line.value, line.because) for line in part.lines] + [(part.relation, part.right, last)]
    chain = [(sign, *_short((value,), claim.where), why) for sign, value, why in lines]
    said = len(chain) > 1 and part.relation == "=" and chain[-1][1] == chain[-2][1]  # with its names, the same
    return chain[:-1] if said else chain


def _left_text(claim: Claim, part: Part) -> str:
    (left,) = _short((part.left,), claim.where)
    if part.by is None:
        return _text(left)
    by, what = _text(part.by), _text(left)
    if isinstance(left, Entry):
        return f"∂{what}/∂{by}"
    return f"∂/∂{by} of {f'({what})' if _in_brackets(left) else what}"


def _left_latex(claim: Claim, part: Part) -> str:
    (left,) = _short((part.left,), claim.where)
    if part.by is None:
        return _latex(left)
    by = rf"\partial {_latex(part.by)}"
    if isinstance(left, Entry):
        return rf"\frac{{\partial {_latex(left)}}}{{{by}}}"
    return rf"\frac{{\partial}}{{{by}}} \left({_latex(left)}\right)"


# --- the steps of a loop ---------------------------------------------------------------------------------------------


def _states_text(claim: Induction) -> list[str]:
    lines, T = [], claim.step
    for state in claim.states:
        entry, now = _text(state.entry), _now(claim, state)
        update, closed, first, taken, after = map(_text, _induction(claim, state))
        lines.append(f"{entry} ← {update}")
        lines.append(f"    after {T} steps{'' if now is None else ' ' + _text(now)} = {closed}")
        lines.append(f"    {T} = 0: {first} = {entry}   (no step taken)")
        lines.append(f"    {T} → {T} + 1: {taken}")
        lines.append(f"        = {after}   (one more step)")
    return lines


def _states_latex(claim: Induction) -> list[str]:
    blocks = []
    for state in claim.states:
        entry = _latex(state.entry)
        update, closed, first, taken, after = map(_latex, _induction(claim, state))
        now = _now(claim, state)
        reached = entry + f"^{{({claim.step})}}" if now is None else _latex(now)
        rows = (
            rf"{entry} &\leftarrow {update} && \text{{one step}}",
            rf"{reached} &= {closed} && \text{{the claim}}",
            rf"{first} &= {entry} && \text{{no step taken}}",
            rf"{taken} &= {after} && \text{{one more step}}",
        )
        blocks.append(_aligned([*rows]))
    return blocks


def _now(claim: Induction, state: State) -> Entry | None:
    """The name, if there is one, of what the variable is after T steps."""
    return next((name for name, meaning in claim.where if meaning == state.closed), None)


def _induction(claim: Induction, state: State) -> list[Any]:
    """The update; what the variable is after T steps; that at T = 0; one step from there; that at T + 1."""
    others = tuple(named for named in claim.where if named[1] != state.closed)
    reached = {other.entry: other.closed for other in claim.states}
    (taken,) = _short((put(sympify(state.update), reached),), claim.where)
    closed = sympify(state.closed)
    first, after = (put(closed, {claim.step: at}) for at in (Integer(0), claim.step + 1))
    return [sympify(state.update), *_short((closed, first), others), taken, *_short((after,), others)]


# --- limits, integrals, words ----------------------------------------------------------------------------------------


def _plain(given: Any) -> str:
    return f"[{', '.join(map(_plain, given))}]" if isinstance(given, tuple) else str(given)


def _operation_text(claim: Scalar) -> str:
    if claim.operation == "limit":
        return f"lim {claim.variable} → {_text(claim.to)} of {_text(claim.expression)}"
    return f"∫ {_text(claim.expression)} d{claim.variable} from {_text(claim.start)} to {_text(claim.to)}"


def _operation_latex(claim: Scalar) -> str:
    x, to = _latex(claim.variable), _latex(claim.to)
    if claim.operation == "limit":
        return rf"\lim_{{{x} \to {to}}} {_latex(claim.expression)}"
    return rf"\int_{{{_latex(claim.start)}}}^{{{to}}} {_latex(claim.expression)} \, d{x}"


def _aligned(rows: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash ", "^": r"\textasciicircum ", "~": r"\textasciitilde "}
    return "".join(special.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)


# --- formulas --------------------------------------------------------------------------------------------------------


def _in_order(terms: list[Any]) -> list[Any]:
    """What is added before what is subtracted; a number first, but T + 1; sums before entries before scalars."""
    plain = all(term.is_number or not (term.has(Entry) or term.has(exp)) for term in terms)

    def rank(term: Any) -> tuple[bool, int]:
        kind = 1 if term.has(Sum) else 2 if term.has(Entry) or term.has(Opaque) else 3
        return term.could_extract_minus_sign(), (4 if plain else 0) if term.is_Rational else kind

    return sorted(terms, key=rank)


def _kind(factor: Any) -> int:
    """The place of a factor: numbers, scalars, entries, deltas and steps, brackets, functions, sums."""
    if isinstance(factor, Pow):
        return _kind(factor.args[0]) if factor.args[1].is_Rational else 1
    if factor.is_number and not isinstance(factor, log):
        return 0
    if isinstance(factor, Add | Entry) and not factor.has(Index, Sum, exp, Opaque):
        return 1
    kinds = ((Symbol | Index, 1), (Entry, 2), (Delta | Step, 3), (Add, 4), (Sum, 6))
    return next((place for kind, place in kinds if isinstance(factor, kind)), 5)


def _in_brackets(e: Any) -> bool:
    """Whether it is a sum of terms that is printed as one."""
    return isinstance(e, Add) and not (e.primitive()[0].is_Integer and e.primitive()[0] > 1)


class Text(StrPrinter):  # type: ignore[misc]
    """Formulas as plain text, with · for products and superscripts for small powers."""

    printmethod = "_for_readers"  # the nodes' own ways to print are for the machine

    def _print_Index(self, e: Any) -> str:
        return str(e.label)

    def _print_Entry(self, e: Any) -> str:
        return f"{e.name}[{', '.join(map(self._print, e.at))}]" if e.at else str(e.name)

    def _print_Sum(self, e: Any) -> str:
        over = []
        while isinstance(e, Sum):
            over.append(f"{e.index.label}{'∈ℤ' if e.index.size is oo else '<' + self._print(e.index.size)}")
            e = e.body
        bracketed = _in_brackets(e) or e.could_extract_minus_sign()
        return f"Σ_{{{', '.join(over)}}} {f'({self._print(e)})' if bracketed else self._print(e)}"

    def _print_Delta(self, e: Any) -> str:
        return f"δ[{', '.join(map(self._print, e.args))}]"

    def _print_Step(self, e: Any) -> str:
        more, relation, less = _sides(e)
        return f"[{self._print(more)} {relation} {self._print(less)}]"

    def _print_Infinity(self, e: Any) -> str:
        return "∞"

    def _print_Opaque(self, e: Any) -> str:
        return f"{e.args[0].name}{chr(39) * int(e.args[1])}({self._print(e.args[2])})"

    def _print_Held(self, e: Any) -> str:
        return f"({self._print(e.unfolded)})"

    def _print_Pi(self, e: Any) -> str:
        return "π"

    def _print_Abs(self, e: Any) -> str:
        return f"|{self._print(e.args[0])}|"

    def _print_Add(self, e: Any, order: Any = None) -> str:
        if not _in_brackets(e):
            return self._print_Mul(e)
        text = ""
        for term in _in_order(list(e.as_ordered_terms())):
            negative = term.could_extract_minus_sign() and not isinstance(term, Add)
            shown = self._print(-term if negative else term)
            text += (" - " if negative else " + ") + (f"({shown})" if isinstance(term, Add) else shown)
        return text[3:] if text.startswith(" + ") else "-" + text[3:]

    def _print_Mul(self, e: Any) -> str:
        sign, over, under = _fraction(e)
        bottom = self._product(under)
        top = self._product(over)
        if under and over and isinstance(over[-1], Sum) and "/" in re.sub(r"\(.*\)", "", top):
            top = f"({top})"
        return sign + top + (f"/{bottom}" if _is_one_thing(under) else f"/({bottom})" if under else "")

    def _product(self, factors: list[Any]) -> str:
        texts = [self.parenthesize(factor, PRECEDENCE["Mul"]) for factor in factors]
        texts = [
            f"({text})" if isinstance(f, Sum) else text for f, text in zip(factors[:-1], texts, strict=False)
        ] + texts[-1:]
        return "·".join(texts) or "1"

    def _print_Pow(self, e: Any, rational: bool = False) -> str:
        base, power = e.args
        if power.could_extract_minus_sign() and not isinstance(power, Add):
            return self._print_Mul(e)
        if power == Rational(1, 2):
            simple = isinstance(base, Symbol | Entry) or base.is_Integer or base == pi
            return f"√{self._print(base)}" if simple else f"√({self._print(base)})"
        shown = str(self.parenthesize(base, PRECEDENCE["Pow"]))
        if isinstance(base, Sum | Pow) or (base.is_Rational and not base.is_Integer):
            shown = f"({self._print(base)})"
        if power.is_Integer and int(power) in SUPERSCRIPTS:
            return shown + SUPERSCRIPTS[int(power)]
        return f"{shown}^{self.parenthesize(power, PRECEDENCE['Pow'])}"


class Latex(LatexPrinter):  # type: ignore[misc]
    """Formulas as LaTeX, in the same order; a word is upright, W1 is a W with the number of its layer."""

    def _print_Sum(self, e: Any) -> str:
        if e.index.size is oo:
            over = rf"\sum_{{{self._print(e.index)}\in\mathbb{{Z}}}}"
        else:
            over = rf"\sum_{{{self._print(e.index)}=0}}^{{{self._print(e.index.size - 1)}}}"
        bracketed = _in_brackets(e.body) or e.body.could_extract_minus_sign()
        return rf"{over} \left({self._print(e.body)}\right)" if bracketed else f"{over} {self._print(e.body)}"

    def _print(self, e: Any, **settings: Any) -> str:
        own = {Sum: self._print_Sum, Index: _index, Opaque: self._print_Opaque, Step: self._print_Step}
        return own[type(e)](e) if type(e) in own else str(super()._print(e, **settings))

    def _print_Opaque(self, e: Any) -> str:
        return rf"{_numbered(str(e.args[0].name))}{chr(39) * int(e.args[1])}\left({self._print(e.args[2])}\right)"

    def _print_Step(self, e: Any) -> str:
        more, relation, less = _sides(e)
        return rf"\left[{self._print(more)} {relation} {self._print(less)}\right]"

    def _print_Add(self, e: Any, order: Any = None) -> str:
        return str(super()._print_Add(e, order)) if _in_brackets(e) else self._print_Mul(e)

    def _as_ordered_terms(self, e: Any, order: Any = None) -> list[Any]:
        return _in_order(list(e.as_ordered_terms()))

    def _print_Mul(self, e: Any) -> str:
        sign, over, under = _fraction(e)
        top, bottom = self._product(over), self._product(under)
        return sign + (rf"\frac{{{top}}}{{{bottom}}}" if under else top)

    def _product(self, factors: list[Any]) -> str:
        text, alone = "", len(factors) == 1
        for n, factor in enumerate(factors):
            bracketed = (isinstance(factor, Add | Mul) and not alone) or (
                isinstance(factor, Sum) and factor is not factors[-1]
            )
            shown = rf"\left({self._print(factor)}\right)" if bracketed else self._print(factor)
            text += (r" \cdot " if n and shown[0].isdigit() else " " if n else "") + shown
        return text or "1"


def _fraction(e: Any) -> tuple[str, list[Any], list[Any]]:
    """A product's sign, the factors above the bar and those below it, each in the order in which they are printed."""
    sign, over, under = "", [], []
    for factor in _factors(e):
        if isinstance(factor, Rational):
            sign = ("" if sign else "-") if factor < 0 else sign
            over += [Integer(abs(factor.p))] if abs(factor.p) != 1 else []
            under += [Integer(factor.q)] if factor.q != 1 else []
        elif (
            isinstance(factor, Pow)
            and factor.args[1].could_extract_minus_sign()
            and not isinstance(factor.args[1], Add)
        ):
            base, power = factor.args
            under.append(base if power == -1 else Pow(base, -power, evaluate=False))
        else:
            over.append(factor)
    return sign, sorted(over, key=_kind), sorted(under, key=_kind)


def _is_one_thing(factors: list[Any]) -> bool:
    """Whether it can stand under a stroke without brackets."""
    return len(factors) == 1 and not (isinstance(factors[0], Sum) and isinstance(factors[0].body, Mul | Add | Sum))


def _factors(e: Any) -> list[Any]:
    """The factors, those of a product in a product too, in SymPy's order."""
    if isinstance(e, Add) and not _in_brackets(e):
        return list(e.primitive())
    if not isinstance(e, Mul):
        return [e]
    ordered = e.as_ordered_factors() if Mul(*e.args) == e else e.args
    return [factor for part in ordered for factor in _factors(part)]


def _signed(e: Any) -> Any:
    """Every sum of a product with a minus as minus a sum."""
    if not isinstance(e, Expr) or not e.has(Sum) or isinstance(e, Index | Entry):
        return e
    if isinstance(e, Sum):
        body = _signed(e.body)
        return -Sum(-body, e.index) if body.as_coeff_Mul()[0].is_negative else Sum(body, e.index)
    parts = [_signed(a) for a in e.args]
    if parts == list(e.args):
        return e
    return e.func(*parts, evaluate=False) if isinstance(e, Add | Mul | Pow) and e.func(*e.args) != e else e.func(*parts)


def _text(e: Any) -> str:
    return str(Text().doprint(_signed(sympify(e))))


def _latex(e: Any) -> str:
    e = _signed(sympify(e))
    arrays = {entry.name for entry in e.atoms(Entry)}
    words = {symbol: _numbered(symbol.name) for symbol in e.atoms(Symbol) - arrays}
    words |= {name: _word(name.name) for name in arrays}
    return str(Latex({"symbol_names": words}).doprint(e))


def _sides(step: Step) -> tuple[Any, str, Any]:
    """What is compared by a step: x > y for x − y, y < 0 for −y."""
    less = Add(*(-term for term in Add.make_args(step.args[0]) if term.could_extract_minus_sign()))
    more = step.args[0] + less
    return (less, "<", more) if more == 0 else (more, ">", less)


def _index(index: Index) -> str:
    if index.label.startswith("_"):
        return str(index._latex(None))
    name = index.label.rstrip("_'")
    return _numbered(name) + "'" * (len(index.label) - len(name))


def _numbered(name: str) -> str:
    """A letter, perhaps with a number below it, or an upright word."""
    letters = name.rstrip("0123456789")
    below = "" if name in LETTERS or letters == name else f"_{{{name[len(letters) :]}}}"
    return _word(letters) + below if below else _word(name)


def _word(name: str) -> str:
    if name in LETTERS:
        return LETTERS[name]
    if name.endswith("'"):
        return rf"{{{_word(name.rstrip(chr(39)))}{chr(39) * name.count(chr(39))}}}"
    if len(name) == 1:
        return name
    layered = re.fullmatch(r"(\D)(\d+)", name)
    if layered:
        return rf"{{{LETTERS.get(layered[1], layered[1])}^{{({layered[2]})}}}}"
    return rf"\mathrm{{{_escaped(name)}}}"
