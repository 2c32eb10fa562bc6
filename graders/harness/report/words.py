"""Words and numbers that all renderings share."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from graders.harness.report import Diagnosis, ExerciseReport, Witness

HINTS = "Hints only: where it goes wrong, not what would be right."
VERDICTS = {
    "unscored": "the harness failed; nothing is recorded",
    "missing": "asked for, but the submission has no function of this name",
    "unfilled": "not attempted",
    "incompatible": "cannot run here",
    "error": "raised, or returned the wrong type",
    "timeout": "took too long",
    "killed": "stopped",
    "wrong": "gives wrong values",
    "inexact": "close to the truth, but not by rounding alone",
    "unstable": "right on paper, breaks where numbers get large or small",
    "review": "slightly beyond what rounding explains: a person decides",
    "convention": "right under another documented definition",
    "correct": "within rounding of the truth everywhere",
}


LETTERS = {
    "unscored": "?", "missing": "M", "unfilled": "N", "incompatible": "P", "error": "E", "timeout": "T", "killed": "K",
    "wrong": "W", "inexact": "I", "unstable": "U", "review": "R", "convention": "C", "correct": "✓",
}  # fmt: skip
"""A verdict in a cell of a table: no colour alone says it."""


def why(exercise: ExerciseReport) -> str:
    """Return the reason of a verdict without what the words for the verdict have said already."""
    said = VERDICTS[exercise.verdict]
    reason = exercise.reason.removeprefix(f"{said}: ").removesuffix(HELD_FOR_A_PERSON)
    return "" if reason == said else reason


HELD_FOR_A_PERSON = ": held for a person to look at"


def together(exercises: Iterable[ExerciseReport]) -> list[list[ExerciseReport]]:
    """Return verdicts in groups: those of which there is the same to say, and nothing else, are told at once."""
    groups: dict[Any, list[ExerciseReport]] = {}
    for at, e in enumerate(exercises):
        more = e.diagnosis or e.witness or e.notes or e.replay or e.cases
        groups.setdefault(at if more else (e.verdict, e.reason), []).append(e)
    return list(groups.values())


def number(value: Any, digits: int = 6) -> str:
    """Return a number as a person reads it."""
    if not isinstance(value, (int, float)):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return f"{value:.{digits}g}"


def apart(one: Any, two: Any, digits: int = 6) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ."""
    while number(one, digits) == number(two, digits) and digits < 17 and one != two:
        digits += 1
    return number(one, digits), number(two, digits)


def part_of(output: str) -> str:
    """Return how a part of a result is written behind its name: `.dW`, `[0].W`."""
    return output if not output or output.startswith("[") else f".{output}"


def evidence(diagnosis: Diagnosis) -> str:
    """Say what speaks for a mistake or convention: the numbers it gives, or what it does; nothing for a pattern."""
    if diagnosis.kind != "misconception" and not (diagnosis.kind == "convention" and diagnosis.gives):
        return ""
    what = "mistake" if diagnosis.kind == "misconception" else "convention"
    does = {
        "numbers": f"gives exactly {diagnosis.gives or 'your numbers'}",
        "draws": " ".join(filter(None, ["draws as yours does", diagnosis.gives])),
        "behaviour": " ".join(filter(None, ["does as yours does", diagnosis.gives])),
    }
    return f"the {what} known as {diagnosis.name} {does[diagnosis.by]}"


def given(witness: Witness) -> str:
    """Say for which input it falls short, where there is no code that does; a long one is at the end, and cut."""
    inputs = [f"{name}{' is' if _is_made(value) else ' ='} {brief(value)}" for name, value in witness.inputs.items()]
    said = ", ".join(sorted(inputs, key=lambda one: len(one) > SHORT_INPUT))
    return "" if witness.code or not said else f"for {said[:MOST_SHOWN]}{'…' * (len(said) > MOST_SHOWN)}"


MOST_SHOWN = 400
MOST_NUMBERS = 12
SHORT_INPUT = 40


def brief(value: Any) -> str:
    """Return an input as a person reads it: six digits, of many numbers how many, of a function what it is."""
    if isinstance(value, dict):
        fields = ", ".join(f"{name} = {brief(part)}" for name, part in value.items() if name != "is")
        return f"{value['is']} ({fields})" if _is_made(value) else f"({fields})"
    if isinstance(value, (list, tuple)):
        count = _counted(value)
        return f"{count} numbers" if count > MOST_NUMBERS else f"[{', '.join(map(brief, value))}]"
    return str(value) if len(str(value)) <= 8 else number(value)


def _is_made(value: Any) -> bool:
    """Return whether an input is a function or another thing that is made of numbers, and says what it is."""
    return isinstance(value, dict) and "is" in value


def _counted(value: Any) -> int:
    return sum(map(_counted, value)) if isinstance(value, (list, tuple)) else 1


def one_line(text: str) -> str:
    """Return text from a stranger on one line, without control characters: it cannot move the cursor or fake a line."""
    line = re.sub(r"\s*\n\s*", " ", text)
    line = re.sub(r"(?:^|(?<=\s))(::|##(?=\[|vso))", "\ufffd", line)  # what build services take for their commands
    return "".join("\ufffd" if _hidden(character) else character for character in line)


def _hidden(character: str) -> bool:
    """Return whether a character is no text to be seen: control, direction, half a pair, what is reserved."""
    if " " <= character <= "~" or character == "\t":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def kept_apart(tier: str, missing: Mapping[str, str]) -> str:
    """Say how far submissions are kept from everything else, and what is missing: "reduced (without landlock: …)"."""
    if tier == "none":
        return "none (no code of a submission was run)"
    layers: dict[str, list[str]] = {}
    for layer, reason in missing.items():
        layers.setdefault(plain_reason(layer, reason), []).append(layer)
    said = "; ".join(f"without {', '.join(names)}: {reason}" for reason, names in layers.items())
    return f"{tier} ({said})" if said else tier


def computed_on(kind: str, name: str) -> str:
    """Say what functions of tensors computed on, where that is not the CPU."""
    return "" if kind == "cpu" else f"device: {kind} ({one_line(name)})"


def plain_reason(layer: str, reason: str) -> str:
    """Return the kernel's reason for refusing a layer without its number and the layer's own name."""
    return one_line(re.sub(r"^\[Errno \d+\] ", "", reason).removeprefix(f"{layer}: "))


def finite(value: Any) -> Any:
    """Return data with non-finite numbers as the strings "nan", "inf" and "-inf": JSON knows no others."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
