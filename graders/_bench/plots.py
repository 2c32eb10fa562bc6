"""Plots of a benchmark as plain SVG: what a function reaches of what the machine can do, and how it grows."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 44
COLOURS = ("#0b6e99", "#b3261e", "#3a7d34", "#8a5a00", "#6a3fa0", "#00696f", "#a03a6a", "#555555")

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Points with a name: dots, or a line through them."""

    name: str
    points: tuple[Point, ...]
    line: bool = False
    dashed: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scale:
    """A logarithmic axis between two powers of ten."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def _scale(values: Iterable[float], start: float, end: float) -> _Scale:
    logs = [math.log10(value) for value in values if value > 0]
    low, high = math.floor(min(logs, default=0)), math.ceil(max(logs, default=1))
    return _Scale(low, max(high, low + 1), start, end)


def plot(title: str, across: str, up: str, series: Sequence[Series]) -> str:
    """Return a plot with two logarithmic axes; points that are not above 0 are left out."""
    say = html.escape
    kept = [(s, [p for p in s.points if min(p) > 0 and all(map(math.isfinite, p))]) for s in series]
    points = [p for _, found in kept for p in found]
    x = _scale([p[0] for p in points], LEFT, WIDTH - RIGHT)
    y = _scale([p[1] for p in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{say(title)}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{say(title)}</title>",
    ]
    for power in range(round(x.low), round(x.high) + 1):
        at = x.at(10.0**power)
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_power(power)}</text>')
    for power in range(round(y.low), round(y.high) + 1):
        at = y.at(10.0**power)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_power(power)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{say(across)}</text>')
    high = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text transform="translate(13 {high}) rotate(-90)" text-anchor="middle">{say(up)}</text>')
    for number, (one, found) in enumerate(kept):
        colour = COLOURS[number % len(COLOURS)]
        parts += _drawn(one, [(x.at(a), y.at(b)) for a, b in found], colour)
    return "\n".join([*parts, "</svg>", _key(series)])


@dataclass(frozen=True)
class Bar:
    """A ratio with its interval, at one of several places."""

    at: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Trend:
    """Ratios with a name, in the order of their places."""

    name: str
    bars: tuple[Bar, ...]


def trend(title: str, up: str, places: Sequence[str], trends: Sequence[Trend]) -> str:
    """Return a plot of ratios over named places, each with its interval; the axis of ratios is logarithmic."""
    say = html.escape
    values = [value for one in trends for bar in one.bars for value in (bar.low, bar.high, 1.0)]
    y = _Scale(math.log10(min(values) / 1.1), math.log10(max(values) * 1.1), HEIGHT - BOTTOM, TOP)
    step = (WIDTH - RIGHT - LEFT) / len(places)
    across = [LEFT + (at + 0.5) * step for at in range(len(places))]
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{say(title)}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{say(title)}</title>",
    ]
    for value in _between(10**y.low, 10**y.high):
        at = y.at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    shown = max(1, math.ceil(len(places) / 8))  # so many labels find room
    for at, place in list(enumerate(places))[::shown]:
        parts.append(f'<text x="{across[at]:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{say(place)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{say(up)}</text>')
    for number, one in enumerate(trends):
        colour = COLOURS[number % len(COLOURS)]
        beside = (number - (len(trends) - 1) / 2) * min(6.0, step / (len(trends) + 1))  # so that bars do not overlap
        points = [(across[bar.at] + beside, y.at(bar.ratio)) for bar in one.bars]
        for bar, (x, _) in zip(one.bars, points, strict=True):
            low, high = y.at(bar.low), y.at(bar.high)
            parts.append(f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="{colour}"/>')
        told = tuple(f"{places[b.at]}: {b.ratio:.2f} [{b.low:.2f}, {b.high:.2f}]" for b in one.bars)
        parts += _drawn(Series(one.name, (), line=True, labels=told), points, colour)
    return "\n".join([*parts, "</svg>", _key([Series(one.name, ()) for one in trends])])


def _between(low: float, high: float) -> list[float]:
    """Return round numbers within bounds: a few for each power of ten, and more where there would be none."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), tuple(s / 20 for s in range(20, 200))):
        found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(found) > 2:
            break
    return found[:: max(1, len(found) // 8)]


def _drawn(series: Series, found: Sequence[Point], colour: str) -> list[str]:
    parts = []
    if series.line and len(found) > 1:
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in found)
        dash = ' stroke-dasharray="6 4"' if series.dashed else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    if not series.dashed:
        names = series.labels or (series.name,) * len(found)
        for (a, b), name in zip(found, names, strict=False):
            parts.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"><title>{html.escape(name)}</title></circle>'
            )
    return parts


def _key(series: Sequence[Series]) -> str:
    """Return the names of the series, each beside its colour."""
    names = [
        f'<span><i style="background: {COLOURS[n % len(COLOURS)]}"></i>{html.escape(s.name)}</span>'
        for n, s in enumerate(series)
    ]
    return f'<p class="key">{" ".join(names)}</p>'


def _power(power: int) -> str:
    known = {-9: "1 n", -8: "10 n", -7: "100 n", -6: "1 µ", -5: "10 µ", -4: "100 µ", -3: "1 m", -2: "10 m", -1: "0.1",
             0: "1", 1: "10", 2: "100", 3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M", 8: "100 M", 9: "1 G",
             10: "10 G", 11: "100 G", 12: "1 T"}  # fmt: skip
    return known.get(power, f"1e{power}")
