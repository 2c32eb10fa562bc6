"""The characters and words of an answer: what may stand in it, and limits before anything is parsed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

__all__ = ["Place", "Rejected", "Row", "Token", "tokens_of", "value_of"]

MAX_CHARACTERS, MAX_TOKENS, MAX_BRACKETS, MAX_SIGNS = 2_000, 900, 30, 6
MAX_NUMBER, MAX_DECIMALS = 10**6, 100

GREEK = "αβγδεζηθκλμνπρστφψωΔΣΩℓ"
SAME = {
    "−": "-",
    "·": "*",
    "⋅": "*",
    "×": "*",
    "∑": "Σ",
    "µ": "μ",
    "ϵ": "ε",
    "ϕ": "φ",
    "′": "'",
    "^": "**",
    "≤": "<=",
    "²": "**2",
    "³": "**3",
    "\t": " ",
    "\u00a0": " ",
    **{chr(0x2080 + digit): str(digit) for digit in range(10)},
}
"""Characters that are another way to write the ones of the grammar."""

WORD = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[A-Za-z{GREEK}][A-Za-z0-9_{GREEK}]*'*)"
    r"|(?P<sign>\*\*|<=|>=|[-+*/()\[\],<>])|(?P<space> +)"
)
INSTEAD = {
    "=": "'=' may only start a line of a chain",
    ".": "names have no attributes, and a number needs a digit beside its point",
    "_": "a name starts with a letter, and a number is written without underscores",
    '"': "there is no text in an expression",
    "'": "there is no text in an expression",
    ":": "there is no colon in an expression",
    "{": "use ( and )",
    "}": "use ( and )",
    "|": "write abs(x) for |x|",
    "!": "there is no factorial",
    "%": "there is no remainder",
}


@dataclass(frozen=True)
class Place:
    """Where something stands in the file, from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Rejected(ValueError):
    """An answer that cannot be judged; the message says where, what is wrong and what to do."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message)


@dataclass(frozen=True)
class Row:
    """A line of the file without its indentation, and where it starts."""

    line: int
    column: int
    text: str


@dataclass(frozen=True)
class Token:
    """A number, a name or a sign."""

    kind: str
    text: str
    place: Place


def tokens_of(rows: tuple[Row, ...]) -> list[Token]:
    """The words of an expression, checked against the limits that keep its parsing cheap."""
    length = sum(len(row.text) for row in rows)
    if length > MAX_CHARACTERS:
        raise Rejected(f"an expression of {length:,} characters; at most {MAX_CHARACTERS:,} are read", _start(rows))
    found = [token for row in rows for token in _words(row)]
    if not found:
        raise Rejected("an expression is missing", _start(rows))
    if len(found) > MAX_TOKENS:
        raise Rejected(f"an expression of {len(found)} words and signs; at most {MAX_TOKENS} are read", _start(rows))
    _check_brackets(found)
    _check_neighbours(found)
    return found


def value_of(token: Token) -> Fraction:
    """The exact value of a number: 0.1 is 1/10, 1e-12 is 1/10**12."""
    mantissa, _, exponent = token.text.lower().partition("e")
    power = int(exponent or 0) if len(exponent) <= 5 else 10**5
    digits = len(mantissa.partition(".")[2]) - power
    if digits > MAX_DECIMALS or len(mantissa) > MAX_DECIMALS + 8:
        raise Rejected(f"the number {_cut(token.text)} has more than {MAX_DECIMALS} decimals", token.place)
    whole = Fraction(mantissa) * Fraction(10) ** power if power <= MAX_DECIMALS else Fraction(MAX_NUMBER + 1)
    if whole > MAX_NUMBER:
        raise Rejected(f"the number {_cut(token.text)} is above {MAX_NUMBER:,}", token.place)
    return whole


def _start(rows: tuple[Row, ...]) -> Place:
    return Place(rows[0].line, rows[0].column)


def _cut(text: str) -> str:
    return text if len(text) <= 24 else text[:20] + "…"


def _words(row: Row) -> list[Token]:
    text, columns = "", list[int]()
    for column, character in enumerate(row.text, start=row.column):
        written = SAME.get(character, character)
        if not (written in GREEK or written[0] in GREEK or (written.isascii() and written.isprintable())):
            raise Rejected(_foreign(character), Place(row.line, column))
        text += written
        columns += [column] * len(written)
    found, at = [], 0
    while at < len(text):
        place = Place(row.line, columns[at])
        word = WORD.match(text, at)
        if word is None:
            why = INSTEAD.get(text[at], "expected numbers, names and + - * / ** ( ) [ ] ,")
            raise Rejected(f"{text[at]!r} is not part of an expression: {why}", place)
        if word.lastgroup != "space":
            found.append(Token(str(word.lastgroup), word.group(), place))
        at = word.end()
    return found


def _foreign(character: str) -> str:
    name = unicodedata.name(character, "a control character").lower()
    plain = unicodedata.normalize("NFKC", character)
    latin = LOOK_ALIKE.get(character) or (plain if plain != character and plain.isascii() else "")
    like = (
        f"; it looks like {latin!r}, type that" if latin else "; type Latin letters, digits or the Greek ones allowed"
    )
    shown = character if character.isprintable() else ascii(character).strip("'")
    return f"the character {shown} (U+{ord(character):04X}, {name}) is not part of an expression{like}"


LOOK_ALIKE = dict(
    zip(
        "аеорсухіјѕһԁԛԝвкмнтАВЕКМНОРСТХІЈЅοινυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ–—",
        "aeopcyxijshdqwbkmhtABEKMHOPCTXIJSoivuABEZHIKMNOPTYX--",
        strict=True,
    )
)


def _check_brackets(found: list[Token]) -> None:
    opened: list[Token] = []
    for token in found:
        if token.text in ("(", "["):
            opened.append(token)
            if len(opened) > MAX_BRACKETS:
                raise Rejected(
                    f"more than {MAX_BRACKETS} brackets inside each other; name parts less deeply", token.place
                )
        elif token.text in (")", "]"):
            expected = {"(": ")", "[": "]"}[opened[-1].text] if opened else None
            if token.text != expected:
                closing = f"expected {expected!r}" if expected else "no bracket is open"
                raise Rejected(f"{token.text!r} closes nothing here: {closing}", token.place)
            opened.pop()
    if opened:
        raise Rejected(f"the bracket {opened[-1].text!r} is not closed", opened[-1].place)


def _check_neighbours(found: list[Token]) -> None:
    signs = 0
    for before, after in pairwise(found):
        signs = signs + 1 if before.text in "+-" and after.text in "+-" else 0
        if signs > MAX_SIGNS:
            raise Rejected(f"more than {MAX_SIGNS} signs in a row", after.place)
        ends = before.kind != "sign" or before.text in (")", "]")
        begins = after.kind != "sign" or (after.text == "(" and before.kind == "number")
        if (ends and begins) or (before.text == ")" and after.text == "("):
            raise Rejected(
                f"there is no sign between {before.text!r} and {after.text!r}: write a product with *", after.place
            )
