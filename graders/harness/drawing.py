"""Where the numbers of a case come from: a seed and a regime, or Hypothesis looking for a smallest witness.

Both answer the same questions (which sizes, which numbers, which of several), so that a signature, or an exercise whose
arguments hang together, says once what is drawn. What the draws see to: axis sizes differ, hyperparameters are off
their defaults, mantissas are full, one regime a case.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

Array = np.ndarray[Any, Any]
Value = TypeVar("Value")

ORDINARY = ("normal", "wide", "small", "negative", "sparse", "mixed rows", "one row", "halves", "many", "alike")
EXTREME = ("offset rows", "far apart", "any size")
AT_DEFAULTS = ("sparse", "halves", "alike")
"""Regimes in which every other hyperparameter is at its default, so that an option is also asked by itself."""
ANY_AXIS = tuple(name for name in (*ORDINARY, *EXTREME) if name != "alike")
"""Regimes in which an axis is drawn. Where sizes are alike or odd it is the last: of a square another looks alike."""
LONG, SHORT = "long axis ", "short axis "
"""Begin the regimes in which one axis, the first or the second …, is long, or of length one."""
ALL_SHORT = "all axes short"
FORM = ", form "
"""Ends the name of such a regime, or of "alike", where arguments come in several forms: each is asked."""
ALONE = "one row, "
"""Begins the regimes of one row, one for each of the options that a function has: they go wrong together."""
MANY, MANY_ROWS = 9, 17  # beyond what a formula written out by hand, or unrolled by eight or sixteen, would cover
LENGTH, LENGTH_OF_IMAGES = 67, 18  # beyond a tile of 64, or of 16 where every entry costs many products
STRONG, WEAK = 40.0, 1e-4  # times a normal number: who clips a gradient on its way does so at 1, 5 or 10
MAPS, KERNELS = ("h", "v", "w"), ("kh", "kw")
"""Axes of images, which must hold a kernel, and those of the kernel."""


class Source(ABC):
    """What a case is drawn from."""

    @abstractmethod
    def sizes(self, axes: Sequence[str]) -> dict[str, int]:
        """Return a size for each of these axes, all different where they can be."""

    @abstractmethod
    def integer(self, low: int, high: int) -> int:
        """Return an integer, both ends among them."""

    @abstractmethod
    def one_of(self, options: Sequence[Value]) -> Value:
        """Return one of these."""

    def option(self, options: Sequence[Value]) -> Value:
        """Return one of the words that a hyperparameter may be."""
        return self.one_of(options)

    def form(self, forms: Sequence[Value]) -> Value:
        """Return one of the forms in which an argument may come, such as a table or images."""
        return self.option(forms)

    @abstractmethod
    def real(self, shape: tuple[int, ...], calm: bool = False) -> Array:
        """Return an array of numbers; calm ones are ordinary in every regime."""

    @abstractmethod
    def number(self, word: str) -> Any:
        """Return a hyperparameter of this domain."""

    def gradient(self, shape: tuple[int, ...]) -> Array:
        """Return what comes from above, a cotangent or a gradient."""
        return self.real(shape, calm=True)

    def steps(self) -> int:
        """Return how many steps a trajectory has."""
        return self.integer(1, 5)

    def keeps_the_default(self) -> bool:
        """Return whether a hyperparameter that has a default stays there, while others do not."""
        return False

    @abstractmethod
    def array(self, shape: tuple[int, ...], domain: str = "real", classes: int = 0, calm: bool = False) -> Array:
        """Return an array of this domain, a word of `reference._types`."""

    def _bounded(self, x: Array, domain: str) -> Array:
        """Return real numbers moved into a domain that only bounds them."""
        match domain:
            case "real":
                return x
            case "nonnegative":
                return np.abs(x)
            case "positive":
                return np.abs(x) + 0.05
            case "signs":
                return np.where(x > 0, 1.0, -1.0)
            case "mask":
                return np.where(x > -0.5, 1.0, 0.0)
        raise TypeError(f"no numbers are known for the domain {domain!r}")


ALL_ALIKE: Mapping[str, tuple[float, ...]] = {"classes": (), "signs": (-1.0, 1.0), "mask": (1.0,), "unit": (0.0, 1.0)}
"""Domains of labels and masks, all of which may say the same, and what then."""
CHOICES = ("signs", "mask")
"""Domains of which only the sign of a number is kept, which extreme rows would make all alike."""

COUNTS: Mapping[str, tuple[Any, ...]] = {
    "counts": (1, 2, 3, 4, (1, 2), (2, 1), (3, 2), (2, 3), (2, 2), (1, 4)),
    "padding": (0, 1, 2, 3, (0, 1), (1, 0), (2, 1), (1, 1), (0, 3)),
}
"""A number for both axes of an image, or one for each."""


class Seeded(Source):
    """Numbers of a seed, in a regime."""

    def __init__(self, seed: int, regime: str) -> None:
        self.regime, _, form = regime.partition(FORM)
        self.which_form = int(form) if form else None
        self.regime = "one row" if self.regime.startswith(ALONE) else self.regime
        self.turn = int(regime.removeprefix(ALONE)) if regime.startswith(ALONE) else -1
        self.random = np.random.default_rng([seed, *regime.encode()])

    def option(self, options: Sequence[Value]) -> Value:
        if self.turn < 0:
            return self.one_of(options)
        self.turn, which = divmod(self.turn, len(options))
        return options[which]

    def form(self, forms: Sequence[Value]) -> Value:
        return self.option(forms) if self.which_form is None else forms[self.which_form % len(forms)]

    def sizes(self, axes: Sequence[str]) -> dict[str, int]:
        images = any(axis in MAPS for axis in axes)  # of which every axis more costs a factor
        if self.regime == ALL_SHORT:
            return dict.fromkeys(axes, 1)
        if self.regime == "alike":
            return dict.fromkeys(axes, 4 if images else self.integer(2, 4)) | {k: 3 for k in KERNELS if k in axes}
        plain = [axis for axis in axes if axis not in MAPS + KERNELS]
        smallest = MANY if self.regime == "many" and not images else 2
        among = self.random.permutation(np.arange(smallest, smallest + max(len(plain) if images else 4, len(plain))))
        sizes = dict(zip(plain, map(int, among), strict=False))
        larger = 3 if self.regime == "many" and any(axis in KERNELS for axis in axes) else 0
        for group, least in ((MAPS, 4 + larger), (KERNELS, 1 + larger)):
            chosen = self.random.permutation(np.arange(least, least + 3))
            sizes |= {a: int(n) for a, n in zip([axis for axis in axes if axis in group], chosen, strict=False)}
        if self.regime in ("one row", "many") and "n" in sizes:
            sizes["n"] = 1 if self.regime == "one row" else MANY_ROWS if not images else MANY
        for prefix in (LONG, SHORT):
            if self.regime.startswith(prefix):
                others = [axis for axis in axes if axis not in KERNELS]
                chosen_axis = others[int(self.regime.removeprefix(prefix)) % len(others)]
                long = self.integer(0, 3) + (LENGTH_OF_IMAGES if images else LENGTH)
                sizes[chosen_axis] = long if prefix == LONG else 1
        return sizes

    def steps(self) -> int:
        return self.integer(11, 13) if self.regime == "many" else self.integer(1, 5)

    def keeps_the_default(self) -> bool:
        return self.regime in AT_DEFAULTS and self.random.random() < 0.5

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def one_of(self, options: Sequence[Value]) -> Value:
        return options[self.integer(0, len(options) - 1)]

    def number(self, word: str) -> Any:
        random = self.random
        far = self.regime not in EXTREME and random.random() < 0.25  # of its range, where a formula may end
        match word:
            case "positive":
                return float(10 ** (random.uniform(0.3, 1.5) if far else random.uniform(-1, 0.3)))
            case "nonnegative":
                return self.one_of((0.0, 0.01, 4.3)) if far else float(random.uniform(0.05, 0.9))
            case "number":
                return float(random.uniform(-3, 3))
            case "fraction":
                return self.one_of((0.0, 0.01, 0.99)) if far else float(random.uniform(0.2, 0.95))
            case "fractions":
                pair = [random.uniform(0.3, 0.6), random.uniform(0.65, 0.95)]
                one, other = (float(x) for x in random.permutation(pair))
                return self.one_of(((0.0, other), (one, 0.0), (0.99, 0.999))) if far else (one, other)
            case "axis":
                return 0 if self.regime in ANY_AXIS and random.random() < 0.3 else -1
            case "count":
                return self.integer(1, 4) + 4 * far
            case "size":
                return self.integer(41, 999) if far else self.integer(1, 40)
            case "steps" | "whole":
                return self.integer(10, 99) if far else self.integer(0, 9)
            case "layers":
                return tuple(self.integer(1, 4) for _ in range(3))
            case "counts" | "padding":
                return self.one_of(COUNTS[word])
        raise TypeError(f"no numbers are known for the domain {word!r}")

    def real(self, shape: tuple[int, ...], calm: bool = False) -> Array:
        random = self.random
        x: Array = random.standard_normal(shape)
        rows = (shape[0], *(1,) * (len(shape) - 1)) if shape else ()
        match "normal" if calm else self.regime:
            case "wide":
                return 2.5 * x
            case "small":
                return 0.03 * x
            case "negative":
                return -np.abs(x) - 0.1
            case "sparse":
                kept = random.random(shape) < 0.5
                for axis in range(min(2, len(shape))):  # of a table a whole row and a whole column are zero
                    if shape[axis] > 2:
                        np.moveaxis(kept, axis, 0)[self.integer(0, shape[axis] - 1)] = False
                return np.where(kept, x, 0.0)
            case "alike":
                return np.abs(x) + 0.1
            case "mixed rows":
                return x * 10.0 ** random.uniform(-2, 0.5, rows)
            case "halves":  # ties and zeros, off the numbers that half precision knows
                return np.round(2 * x) / 2 * 1.1 + 0.0  # no zero is negative: that is for edges to ask
            case "offset rows":
                return x + random.uniform(-1000, 1000, rows)
            case "far apart":
                return 300.0 * x
            case "any size":
                return np.copysign(10.0 ** random.uniform(-12, 1, shape), x)
        return x

    def gradient(self, shape: tuple[int, ...]) -> Array:
        # an extreme input is one that a formula must survive; a cotangent of thousands would only scale it
        scales = {"wide": STRONG, "small": WEAK}
        if self.regime in scales:
            return np.asarray(scales[self.regime] * self.random.standard_normal(shape))
        return self.real(shape, calm=self.regime in (*EXTREME, "alike"))

    def array(self, shape: tuple[int, ...], domain: str = "real", classes: int = 0, calm: bool = False) -> Array:
        random = self.random
        if self.regime == "alike" and domain in ALL_ALIKE:
            return np.full(
                shape, self.integer(0, classes - 1) if domain == "classes" else self.one_of(ALL_ALIKE[domain])
            )
        if domain == "classes":
            return random.integers(0, classes, shape)
        if domain == "simplex":
            weights: Array = random.gamma(1.0, size=shape) + 1e-3
            if self.regime == "sparse" and shape[-1] > 1:
                left_out = random.integers(0, shape[-1], (*shape[:-1], 1))
                np.put_along_axis(weights, left_out, 0.0, axis=-1)
            return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
        if domain == "open unit":
            return np.asarray(0.02 + 0.96 * random.random(shape))
        if domain == "unit":
            soft: Array = random.random(shape)
            return np.round(soft) if self.regime in ("normal", "halves", *EXTREME) else soft
        return self._bounded(self.real(shape, calm or domain in CHOICES), domain)


class Redrawn(Seeded):
    """The question of a seed and a regime once more, sizes and hyperparameters alike, with other numbers in its arrays.

    What keeps its first answer for every input of the same shape is right about the first.
    """

    def __init__(self, seed: int, regime: str) -> None:
        super().__init__(seed, regime)
        self.others = np.random.default_rng([seed, *regime.encode(), 1])

    def real(self, shape: tuple[int, ...], calm: bool = False) -> Array:
        super().real(shape, calm)  # so that what is drawn after it is as it was
        with self._of_others():
            return super().real(shape, calm)

    def gradient(self, shape: tuple[int, ...]) -> Array:
        super().gradient(shape)
        with self._of_others():
            return super().gradient(shape)

    def array(self, shape: tuple[int, ...], domain: str = "real", classes: int = 0, calm: bool = False) -> Array:
        super().array(shape, domain, classes, calm)
        with self._of_others():
            return super().array(shape, domain, classes, calm)

    @contextlib.contextmanager
    def _of_others(self) -> Iterator[None]:
        own, self.random = self.random, self.others
        try:
            yield
        finally:
            self.random = own


SIMPLE = (0.0, 1.0, 2.0, -1.0, 0.5, 3.0, -2.0, 0.1, -0.3)
STEEP = (0.0, 1000.0, -1000.0, 1.0, 100.0, -100.0, 30.0, -30.0, 700.0)
SMALL: Mapping[str, tuple[Any, ...]] = {
    "positive": (0.5, 0.1, 1.0, 2.0), "nonnegative": (0.5, 0.0, 0.1), "fraction": (0.5, 0.25, 0.0, 0.9),
    "fractions": ((0.5, 0.75), (0.9, 0.5), (0.25, 0.9)), "axis": (-1, 0), "number": (0.0, 1.0, -1.0, 0.5),
    "count": (1, 2, 3), "size": (2, 3, 5), "steps": (0, 1, 2, 3), "whole": (0, 1, 2, 3),
    "layers": ((1, 2), (2, 1), (1,), (3, 2)), "counts": (1, 2, (1, 2), (2, 1)), "padding": (0, 1, (0, 1)),
}  # fmt: skip


TOGETHER = 6
"""Elements that are drawn as one number, the digits of which they are."""


class Shrinking(Source):
    """Few simple numbers, of which Hypothesis finds the simplest that do."""

    def __init__(self, draw: Callable[..., Any], steep: bool) -> None:
        self.draw = draw
        self.options = STEEP if steep else SIMPLE

    def sizes(self, axes: Sequence[str]) -> dict[str, int]:
        return {axis: self.integer(1, 3) for axis in axes}

    def integer(self, low: int, high: int) -> int:
        from hypothesis import strategies as st

        return int(self.draw(st.integers(low, high)))

    def one_of(self, options: Sequence[Value]) -> Value:
        from hypothesis import strategies as st

        chosen: Value = self.draw(st.sampled_from(options))
        return chosen

    def number(self, word: str) -> Any:
        return self.one_of(SMALL[word])

    def real(self, shape: tuple[int, ...], calm: bool = False) -> Array:
        return self._of(shape, SIMPLE[1:] + SIMPLE[:1] if calm else self.options)

    def array(self, shape: tuple[int, ...], domain: str = "real", classes: int = 0, calm: bool = False) -> Array:
        if domain == "classes":
            return self._of(shape, tuple(range(classes))).astype(np.int64)
        if domain == "simplex":
            weights = self._of(shape, (0.0, 1.0, 2.0, 3.0))
            weights[..., 0] += weights.sum(axis=-1) == 0
            return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
        if domain == "unit":
            return self._of(shape, (0.0, 1.0, 0.5, 0.3))
        if domain == "open unit":
            return self._of(shape, (0.5, 0.25, 0.9, 0.1))
        return self._bounded(self.real(shape, calm), domain)

    def _of(self, shape: tuple[int, ...], options: tuple[Any, ...]) -> Array:
        from hypothesis import strategies as st

        count, base = int(np.prod(shape)), len(options)
        chosen: list[Any] = []
        for start in range(0, count, TOGETHER):  # the fewer choices, the faster they are made smaller
            places = range(min(TOGETHER, count - start))
            number = int(self.draw(st.integers(0, base ** len(places) - 1)))
            chosen += [options[number // base**place % base] for place in reversed(places)]
        return np.array(chosen, dtype=float).reshape(shape)
