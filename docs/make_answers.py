"""Fill the list of questions in docs/answers.md: what is asked, the free indices, and the names for an answer.

Run: python docs/make_answers.py. With --check it changes nothing and fails if the list is out of date.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import gradproof  # noqa: F401  (takes the rooms)
from derivations._answers import Question, questions
from derivations._answers.questions import words_of

PAGE = Path(__file__).with_name("answers.md")
START, END = "<!-- questions -->", "<!-- end -->"
LONGEST = 700


def block(question: Question) -> str:
    """Return what stands in the page on one question."""
    letters = ", ".join(f"{axis.label} < {axis.size}" for axis in question.axes) or "none"
    names = "; ".join(f"`{word}`" for word in words_of(question))
    facts = f"Free indices: {letters}. Names: {names}."
    asked = (
        question.prompt if len(question.prompt) <= LONGEST else f"see `gradproof prove {question.claim.name} --show`"
    )
    return f"#### `{question.name}`\n\n```text\n{asked}\n```\n{facts}"


def listed() -> str:
    """Return the list of all questions, by topic."""
    topics = groupby(questions().values(), key=lambda q: q.name.partition(".")[0])
    return "\n\n".join(f"### {topic}\n\n" + "\n\n".join(map(block, found)) for topic, found in topics)


def main() -> None:
    """Write the list, or check it."""
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.split(START)[0], text.split(END)[1]
    made = f"{head}{START}\n{len(questions())} questions.\n\n{listed()}\n{END}{tail}"
    if "--check" in sys.argv:
        sys.exit("docs/answers.md is out of date: run python docs/make_answers.py" if made != text else 0)
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
