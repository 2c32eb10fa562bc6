"""A student's own derivation: read without running it, then proved, refuted at a point, or left undecided."""

from __future__ import annotations

from .files import Asked, read
from .judging import Judgement, judge
from .questions import Question, questions

__all__ = ["Asked", "Judgement", "Question", "judge", "questions", "read"]
