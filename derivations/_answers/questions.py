"""The questions: one for each derivative and each closed form among the claims, with the names that an answer may use.

A claim whose left side could be written in the grammar is no question: it would be answered by quoting it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sympy import Pow, sstr, sympify

from derivations._catalogue import claims, errata
from derivations._kernel import Claim, Induction, Part, State
from derivations._kernel.terms import Entry, Held, Index, Opaque, Step, Sum, Symbol, oo

from .confusions import CONFUSIONS, Mistake
from .grammar import MAX_NODES, MAX_SUMS, Array, Macro, Names, parse
from .tokens import Row
from .vocabulary import ALIASES, MACROS, Shorthand
from .written import written

__all__ = ["Question", "find", "questions"]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, what is right, and in which words it may be answered."""

    name: str
    claim: Claim | Induction
    part: Part | State
    truth: Any
    axes: tuple[Index, ...]
    closed: bool  # the answer must have no sum

    @property
    def prompt(self) -> str:
        """What is asked, in the words of an answer."""
        part, claim = self.part, self.claim
        if isinstance(part, State):
            assert isinstance(claim, Induction)
            loop = "; ".join(f"{written(s.entry)} ← {written(s.update)}" for s in claim.states)
            steps = f"({claim.inputs} of step {claim.step}, counted from 0)"
            return f"{written(part.entry)} after {claim.step} steps of {loop} {steps}"
        left = written(sympify(part.left))
        return f"{left}, without a sum" if part.by is None else f"the derivative by {written(part.by)} of {left}"

    @property
    def names(self) -> Names:
        """The names that an answer may use."""
        return _names(self)

    @property
    def has_kinks(self) -> bool:
        """Whether a derivative is asked for that jumps: at the jump any value is accepted."""
        return isinstance(self.part, Part) and self.part.by is not None and self.truth.has(Step)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Wrong answers that have a name."""
        return CONFUSIONS.get(self.name, ())

    @property
    def errata(self) -> tuple[tuple[str, Any, str], ...]:
        """What the lectures write wrongly in this place: id, right-hand side, note."""
        return _errata(self)

    def read(self, text: str) -> Any:
        """An expression in the words of this question."""
        return parse((Row(1, 1, text),), self.names)


@lru_cache
def questions() -> dict[str, Question]:
    """Every question by its name: the claim's, and the part's where there are several."""
    made: dict[str, Question] = {}
    for name, claim in claims().items():
        if not isinstance(claim, Claim | Induction) or not _askable(claim):
            continue
        found = list(_of_claim(name, claim) if isinstance(claim, Claim) else _of_loop(name, claim))
        alone = len(found) == 1
        made |= {name if alone else f"{name} {tail}": Question(name if alone else f"{name} {tail}", *rest)
                 for tail, *rest in found if _fits(rest[2])}  # fmt: skip
    return made


def find(name: str) -> Question | str:
    """The question of a name, or what to say where there is none; the topic may be left out."""
    wanted = re.sub(r"[ .]+", " ", name.strip())
    spellings: dict[str, list[Question]] = {}
    for question in questions().values():
        spelled = question.name.replace(".", " ")
        for spelling in (spelled, spelled.partition(" ")[2]):  # the topic may be left out
            spellings.setdefault(spelling, []).append(question)
    match = spellings.get(wanted, [])
    if len(match) == 1:
        return match[0]
    parts = [q.name for spelling, found in spellings.items() if spelling.startswith(f"{wanted} ") for q in found]
    if match or parts:
        several = " or ".join(repr(n) for n in dict.fromkeys([q.name for q in match] + parts))
        return f"the question {name.strip()[:80]!r} has parts: write {several}"
    if any(wanted == n.replace(".", " ") for n in claims()):
        return (
            f"{name.strip()} is no question: its left side could be quoted, or what is right is too long to be written"
        )
    near = difflib.get_close_matches(wanted, spellings, 1, 0.6)
    hint = f"; did you mean {spellings[near[0]][0].name!r}?" if near else "; `gradproof prove --questions` lists them"
    return f"no question is called {name.strip()[:80]!r}{hint}"


def _askable(claim: Claim | Induction) -> bool:
    """Whether the claim speaks of arguments that can be any numbers of their domains, at exact points."""
    spaces = claim.spaces if isinstance(claim, Claim) else ()
    return not spaces and not any(a.domain == "given" or a.padded for a in claim.arguments)


def _fits(truth: Any) -> bool:
    """Whether what is right can be written within the limits of an answer."""
    return _nodes(truth) <= MAX_NODES and _depth_of_sums(truth) <= MAX_SUMS


@lru_cache(maxsize=100_000)
def _nodes(e: Any) -> int:
    return 1 + sum(map(_nodes, e.args)) if not isinstance(e, Index) else 1


@lru_cache(maxsize=100_000)
def _depth_of_sums(e: Any) -> int:
    return max(map(_depth_of_sums, e.args), default=0) + isinstance(e, Sum)


def _of_claim(name: str, claim: Claim) -> Iterator[tuple[Any, ...]]:
    for part in claim.parts:
        left, right = sympify(part.left), sympify(part.right)
        tail = part.output or (str(part.by.name) if part.by is not None else "value")
        if part.relation != "=" or right.has(oo) or right.has(Held):
            continue
        if part.by is not None:
            yield tail, claim, part, right, part.axes, False
        elif left.has(Sum) and not right.has(Sum) and not right.is_number and claim.by_steps:
            yield tail, claim, part, right, part.axes, True


def _of_loop(name: str, claim: Induction) -> Iterator[tuple[Any, ...]]:
    for state in claim.states:
        if state.axes:
            yield state.name, claim, state, sympify(state.closed), state.axes, False


def _expressions(claim: Claim | Induction) -> list[Any]:
    if isinstance(claim, Claim):
        found = [e for part in claim.parts for e in (part.left, part.right, *(line.value for line in part.lines))]
        found += [part.by for part in claim.parts if part.by is not None]
    else:
        found = [e for state in claim.states for e in (state.entry, state.update, state.closed)]
    return [sympify(e) for e in [*found, *(side for given in claim.given for side in given)]]


@lru_cache(maxsize=1_000)
def _names(question: Question) -> Names:
    claim = question.claim
    spoken = _expressions(claim)
    entries = {str(e.name): e.name for x in spoken for e in x.atoms(Entry)}
    found = {s for x in spoken for s in x.atoms(Symbol)} | {
        s for a in claim.arguments for z in a.shape for s in z.free_symbols
    }
    symbols = {str(s): s for s in sorted(found, key=str) if str(s) not in entries}
    indices = sorted(
        {i for x in spoken for i in x.atoms(Index)} | set(question.axes), key=lambda i: (i.label, str(i.size))
    )
    if isinstance(claim, Induction):
        symbols[str(claim.step)] = claim.step
    arrays: dict[str, Array | Macro] = {}
    scalars: dict[str, Any] = {}
    for argument in claim.arguments:
        plain = argument.name
        if argument.shape:
            symbol = entries.get(
                plain, Symbol(plain, positive=True) if argument.domain == "positive" else Symbol(plain, real=True)
            )
            arrays[plain] = Array(symbol, argument.shape)
        else:
            symbol = symbols.get(plain, Symbol(plain, real=True))
            scalars[plain] = Entry(entries[plain]) if plain in entries else symbol
    scalars |= {name: s for name, s in symbols.items() if s.is_integer and name not in arrays}
    letters: dict[str, Any] = {}
    for index in indices:
        letters[index.label] = index.size if letters.get(index.label, index.size) == index.size else None
    opaque = frozenset(str(o.args[0].name) for x in spoken for o in x.atoms(Opaque))
    taken = {*arrays, *scalars, *letters, *opaque}
    _alias(arrays, scalars, taken)
    powers = any(not p.args[1].is_Rational for x in spoken for p in x.atoms(Pow))
    names = Names(arrays, scalars, opaque, question.axes, {k: v for k, v in letters.items() if v is not None}, powers,
                  not question.closed)  # fmt: skip
    _with_macros(names, arrays, question)
    return names


def _alias(arrays: dict[str, Any], scalars: dict[str, Any], taken: set[str]) -> None:
    """Other names for the arguments, where they mean one thing and are no letter of the claim."""
    wanted: dict[str, list[Any]] = {}
    for own, others in ALIASES.items():
        name, _, at = own.partition("[")
        if at and name in arrays:
            found: Any = arrays[name].at((int(at[:-1]),))
        else:
            found = arrays.get(own, scalars.get(own)) if not at else None
        for other in others if found is not None else ():
            wanted.setdefault(other, []).append(found)
    for other, meant in wanted.items():
        if other not in taken and len(meant) == 1:
            (arrays if isinstance(meant[0], Array) else scalars)[other] = meant[0]


def _with_macros(names: Names, arrays: dict[str, Array | Macro], question: Question) -> None:
    for macro in _shorthands(question, {*arrays, *names.scalars}, arrays):
        if macro.name in arrays or macro.name in names.scalars or macro.name in names.functions:
            continue
        typed = tuple(Index(letter, _axis(arrays, where)) for letter, where in macro.letters.items())
        inner = replace(names, arrays=dict(arrays), axes=typed, symbolic_powers=True, sums=True)
        arrays[macro.name] = Macro(typed, parse((Row(1, 1, macro.text),), inner), macro.text)


def _shorthands(question: Question, known: set[str], arrays: Mapping[str, Array | Macro]) -> Iterator[Shorthand]:
    for macro in MACROS:
        if (
            re.fullmatch(macro.claims, question.claim.name)
            and set(macro.needs) <= known
            and all(_axis(arrays, where) is not None for where in macro.letters.values())
        ):
            known = known | {macro.name}
            yield macro


def _axis(arrays: Mapping[str, Array | Macro], where: str) -> Any:
    """The size of x.1, axis 1 of x; of x.1/2 only if x has two axes."""
    name, _, rest = where.partition(".")
    n, _, axes = rest.partition("/")
    shape = arrays[name].shape if name in arrays else ()
    return shape[int(n)] if len(shape) > int(n) and axes in ("", str(len(shape))) else None


@lru_cache(maxsize=1_000)
def _errata(question: Question) -> tuple[tuple[str, Any, str], ...]:
    """Of the same left side, with the same indices."""
    asked = question.part
    if isinstance(asked, State):
        return ()
    return tuple(
        (erratum.id, part.right, erratum.note)
        for erratum in errata()
        if isinstance(erratum.as_written, Claim)
        for part in erratum.as_written.parts
        if part.by is not None and (part.left, part.by, part.axes) == (asked.left, asked.by, asked.axes)
    )


def words_of(question: Question) -> list[str]:
    """The names of a question as they are shown: with their axes, other names, and what a shorthand stands for."""
    names = question.names
    own = [a.name for a in question.claim.arguments]
    said: list[str] = []
    for name, array in names.arrays.items():
        if isinstance(array, Array) and name in own:
            others = [o for o, a in names.arrays.items() if a is array and o != name]
            others += [
                f"{o} for {sstr(v)}" for o, v in names.scalars.items() if isinstance(v, Entry) and str(v.name) == name
            ]
            said.append(_said(f"{name}[{', '.join(map(str, array.shape))}]", others))
    for name, value in names.scalars.items():
        if name == str(value):
            said.append(_said(name, [o for o, v in names.scalars.items() if v is value and o != name]))
    said += [f"{f}(…), {f}'(…)" for f in sorted(names.functions)]
    for name, macro in names.arrays.items():
        if isinstance(macro, Macro):
            said.append(f"{name}[{', '.join(i.label for i in macro.letters)}] = {macro.text}")
    return said


def _said(name: str, others: list[str]) -> str:
    return f"{name} (also {', '.join(others)})" if others else name
