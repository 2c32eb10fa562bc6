"""Our derivations, verified: each claim proved, held against numbers, its mutants refused; each erratum refuted."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from derivations import _kernel as kernel
from derivations._catalogue import claims, errata
from graders.harness.report import SCHEMA


class ClaimReport(Struct, frozen=True):
    """What is known of one claim."""

    name: str
    ids: list[str]
    status: str
    scope: str
    trust: str
    source: str
    seconds: float
    numeric_digits: int
    mutants: int
    mutants_proved: int
    first_wrong: str | None
    witness: str | None


class ErratumReport(Struct, frozen=True):
    """A statement that is false as the lectures write it, and the claim that corrects it."""

    id: str
    as_written: str
    witness: str
    corrected_by: str


class Proofs(Struct, frozen=True):
    """The verification of many claims."""

    schema: int
    claims: list[ClaimReport]
    errata: list[ErratumReport]

    @property
    def sound(self) -> bool:
        """Return whether every claim is proved, none of its mutants is, and every erratum is refuted."""
        return all(c.status == "proved" and not c.mutants_proved for c in self.claims) and all(
            e.as_written == "refuted" for e in self.errata
        )


def said(witness: kernel.Witness | None) -> str:
    """Return a point at which two sides differ, in words."""
    if witness is None:
        return ""
    sizes = ", ".join(f"{name} = {size}" for name, size in dict(witness.sizes).items())
    where = f" at {list(witness.at)}" if witness.at else ""
    given = "; ".join(f"{name} = {_plainly(value)}" for name, value in witness.arguments.items())
    facts = ", ".join(fact for fact in (sizes, given) if fact)
    return f"{witness.left} against {witness.right}{where}" + (f", for {facts}" if facts else "")


def _plainly(value: Any) -> str:
    """Return nested fractions as a person writes them."""
    return f"[{', '.join(map(_plainly, value))}]" if isinstance(value, (list, tuple)) else str(value)


def select(patterns: Sequence[str]) -> Mapping[str, Any]:
    """Return the claims whose dotted or bare name fits one of the patterns; raise LookupError, with the nearest."""
    every = claims()
    chosen: dict[str, Any] = {}
    for pattern in patterns or ("*",):
        fitting = {
            name: claim
            for name, claim in every.items()
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.partition(".")[2], pattern)
        }
        if not fitting:
            names = [*every, *(name.partition(".")[2] for name in every)]
            near = difflib.get_close_matches(pattern, names, 1)
            raise LookupError(f"no claim is called {pattern!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        chosen |= fitting
    return chosen


def prove(
    names: str | Sequence[str] = (), *, mutants: int = 8, progress: Callable[[str], None] = lambda name: None
) -> Proofs:
    """Verify the claims that the names or patterns fit, all of them and the errata without any.

    Raises LookupError for a pattern that fits no claim.
    """
    names = (names,) if isinstance(names, str) else names
    made = []
    for name, claim in select(names).items():
        progress(name)
        v = kernel.verify(claim, mutants=mutants)
        made.append(
            ClaimReport(
                name, list(v.ids), v.status, v.scope, v.trust, v.source, round(v.seconds, 4), v.numeric_digits,
                v.mutants, v.mutants_proved,
                None if v.first_wrong is None else v.first_wrong.equation,
                None if v.witness is None else said(v.witness),
            )
        )  # fmt: skip
    refuted = []
    for erratum in () if names else errata():
        v = kernel.verify(erratum.as_written, mutants=0)
        refuted.append(ErratumReport(erratum.id, v.status, said(v.witness), erratum.corrected_by))
    return Proofs(SCHEMA, made, refuted)
