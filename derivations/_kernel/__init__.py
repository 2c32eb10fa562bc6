"""The kernel: a small trusted prover for formulas with sums over indices of symbolic size, and its evaluator.

What a proof rests on, in the order to read it: terms, calculus, sign, claim, verify. What must refuse lies, and shares
no rule with those: evaluate, agreement, mutants. The rest shows (render, abbreviation) or computes (numeric).
"""

from __future__ import annotations

from .agreement import Witness, sample
from .calculus import TooMuchWork, limited
from .claim import (
    Argument,
    Claim,
    Erratum,
    Induction,
    Lemma,
    Line,
    Measured,
    Number,
    Part,
    Quantity,
    Scalar,
    Space,
    State,
    Statement,
    covers,
)  # fmt: skip
from .evaluate import DIGITS, FLOATS, FRACTIONS, INTERVALS, Arithmetic, evaluate
from .render import as_latex, as_text
from .verification import Checked, Verification
from .verify import verify

__all__ = [
    "Argument", "Claim", "Erratum", "Induction", "Lemma", "Line", "Measured", "Number", "Part", "Quantity", "Scalar",
    "Space", "State", "Statement", "covers", "verify", "Verification", "Checked", "Witness", "evaluate", "Arithmetic",
    "DIGITS", "FLOATS", "FRACTIONS", "INTERVALS", "sample", "limited", "TooMuchWork", "as_text", "as_latex",
]  # fmt: skip
