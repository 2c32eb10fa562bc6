"""The file of answers: questions, each with one expression or a chain of lines that start with an equals sign."""

from __future__ import annotations

from dataclasses import dataclass

from .tokens import Place, Rejected, Row

__all__ = ["Asked", "read"]

MAX_BYTES, MAX_QUESTIONS, MAX_LINES = 1_000_000, 1_000, 20
HEAD = "question:"


@dataclass(frozen=True)
class Asked:
    """One question and its answer as they stand in the file: the rows of each line of the chain."""

    question: str
    place: Place
    lines: tuple[tuple[Row, ...], ...]
    is_chain: bool
    problem: str = ""


def read(data: bytes) -> list[Asked]:
    """The questions of a file; raises Rejected, with what to do, where it is no file of answers."""
    if len(data) > MAX_BYTES:
        raise Rejected(f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Rejected(
            f"the file is not UTF-8 (byte {error.start} is {data[error.start]:#04x}); save it as UTF-8"
        ) from None
    asked: list[Asked] = []
    name, place, rows, started = "", Place(1, 1), list[Row](), False
    raws = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, raw in enumerate([*raws, HEAD], start=1):
        line = raw.split("#")[0].rstrip()
        bare = line.strip()
        if bare[: len(HEAD)].lower() != HEAD:
            if bare:
                rows.append(Row(number, 1 + len(line) - len(line.lstrip()), bare))
            continue
        if started:
            asked.append(_asked(name, place, rows))
        elif rows:
            at = Place(rows[0].line, rows[0].column)
            raise Rejected("a file of answers starts with 'question: NAME', and its answer on the lines below", at)
        started = True
        name, place, rows = bare[len(HEAD) :].strip(), Place(number, 1), []
        if len(asked) >= MAX_QUESTIONS and number <= len(raws):
            raise Rejected(f"more than {MAX_QUESTIONS:,} questions in one file; split it", place)
    return asked


def _asked(name: str, place: Place, rows: list[Row]) -> Asked:
    if not name:
        return Asked("", place, (), False, "the name of the question is missing: write 'question: NAME'")
    if not rows:
        return Asked(name, place, (), False, "there is no answer below the question: write an expression")
    lines: list[list[Row]] = []
    chain = rows[0].text.startswith("=")
    for row in rows:
        if row.text.startswith("="):
            rest = row.text[1:].lstrip()
            lines.append([Row(row.line, row.column + len(row.text) - len(rest), rest)])
        elif lines:
            lines[-1].append(row)  # a long expression goes on
        else:
            lines.append([row])
    problem = "" if len(lines) <= MAX_LINES else f"a chain of {len(lines)} lines; at most {MAX_LINES} are judged"
    return Asked(name, place, tuple(map(tuple, lines)), chain, problem)
