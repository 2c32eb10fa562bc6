"""The kernel: a small trusted prover for formulas with sums over indices of symbolic size, and its evaluator."""

from __future__ import annotations

from .agreement import Witness, sample
from .claim import Argument, Claim, Erratum, Induction, Line, Part, State, covers
from .evaluate import evaluate
from .render import as_latex, as_text
from .verify import Checked, Verification, verify

__all__ = [
    "Argument",
    "Claim",
    "Erratum",
    "Induction",
    "Line",
    "Part",
    "State",
    "covers",
    "verify",
    "Verification",
    "Checked",
    "Witness",
    "evaluate",
    "sample",
    "as_text",
    "as_latex",
]
