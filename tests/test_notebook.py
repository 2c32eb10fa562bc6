"""What a notebook shows of a check: it survives a notebook that is not trusted, and is to be read on any ground."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from msgspec import structs

import gradproof
from graders._api import Check

TAGS = {"div", "p", "b", "span", "pre", "code", "br"}
NUMBER = r"-?[0-9.]+(px|em|%)?"
COLOUR = r"#[0-9a-f]{6}|rgba\([0-9]+, [0-9]+, [0-9]+, [0-9.]+\)"
STYLES = {
    "background-color": COLOUR, "color": f"{COLOUR}|inherit", "border-left": f"4px solid ({COLOUR})",
    "padding": f"({NUMBER} ?){{1,4}}", "margin": f"({NUMBER} ?){{1,4}}", "max-width": NUMBER, "border-radius": NUMBER,
    "opacity": r"0\.[0-9]+", "font-weight": "600", "font-family": "monospace", "overflow-x": "auto",
    "white-space": "pre",
}  # fmt: skip
"""Inline styles, with the forms of their values, that JupyterLab keeps where a notebook is not trusted."""


class Read(HTMLParser):
    """Reads a fragment, and holds what it is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.open += [] if tag == "br" else [tag]
        for name, value in attributes:
            assert name == "style"
            for style in re.split(r";\s*", value or ""):
                what, _, how = style.partition(": ")
                assert re.fullmatch(STYLES[what], how), style

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def adam_without_correction(params: Any, grad: Any, state: Any, *, lr: float, betas: Any, eps: float) -> Any:
    t, m, v = state
    m, v = betas[0] * m + (1 - betas[0]) * grad, betas[1] * v + (1 - betas[1]) * grad**2
    return params - lr * m / (np.sqrt(v) + eps), (t + 1, m, v)


def raises(z: Any) -> Any:
    raise ValueError("<script>alert(1)</script>")


@pytest.mark.parametrize(
    "name, function, said",
    [
        ("adam", adam_without_correction, "They start at zero, too small"),
        ("relu", lambda z: np.maximum(z, 0), "correct within rounding of the truth everywhere"),
        ("softplus", lambda z: np.log(1 + np.exp(z)), "unstable"),
        ("relu", raises, "raised ValueError: <script>alert(1)</script>"),
        ("relu", lambda z: "zero", "the result is a str, expected an array of shape"),
        ("relu", lambda z: None, "not attempted"),
    ],
)
def test_a_check_is_shown_with_what_an_untrusted_notebook_keeps(name: str, function: Any, said: str) -> None:
    check = gradproof.check(name, function)
    shown = Read(check._repr_html_())

    assert shown.open == []
    assert said in re.sub(r"\s+", " ", shown.text)
    assert "self-check, not a grade" in shown.text
    assert "http" not in check._repr_html_()


def test_nothing_that_a_stranger_wrote_becomes_a_tag() -> None:
    report = gradproof.check("relu", abs).report
    for field in ("name", "reason", "replay"):
        hostile = structs.replace(report, **{field: "<img src=x onerror=alert(1)>"})
        assert "<img src=x" in Read(Check(hostile)._repr_html_()).text
