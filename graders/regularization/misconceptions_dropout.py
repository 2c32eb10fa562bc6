"""Known mistakes in dropout, forwards and backwards; the docstring of each is what the student is told.

Backwards, the cotangent goes through what x goes through forwards, so each mistake takes the function it is made in.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.normalization.misconceptions import Function
from reference._types import Array


def forgets_the_scale(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def forgets_the_scale(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You did not divide by 1 − p. What is kept in training is divided by 1 − p, forwards and backwards."""
        v, mask = _through(arrays)
        return v * mask if training else 1 * v

    return with_signature_of(f, forgets_the_scale)


def scales_in_use(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def scales_in_use(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You multiplied by 1 − p in use. Inverted dropout divides by 1 − p in training and does nothing in use."""
        v, mask = _through(arrays)
        return v * mask if training else v * (1 - p)

    return with_signature_of(f, scales_in_use)


def scales_in_use_by_p(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def scales_in_use_by_p(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You multiplied by p in use. Inverted dropout divides by 1 − p in training and does nothing in use."""
        v, mask = _through(arrays)
        return v * mask if training else v * p

    return with_signature_of(f, scales_in_use_by_p)


def scales_in_training_and_in_use(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def scales_in_training_and_in_use(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You scaled twice: by 1 / (1 − p) in training, and by 1 − p in use. In use nothing is left to do."""
        v, mask = _through(arrays)
        return v * mask / (1 - p) if training else v * (1 - p)

    return with_signature_of(f, scales_in_training_and_in_use)


def multiplies_by_the_share_kept(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def multiplies_by_the_share_kept(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You multiplied by 1 − p. What is kept must grow, to make up for what is dropped: divide by 1 − p."""
        v, mask = _through(arrays)
        return v * mask * (1 - p) if training else 1 * v

    return with_signature_of(f, multiplies_by_the_share_kept)


def multiplies_by_p(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def multiplies_by_p(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You multiplied by p. What is kept must grow, to make up for what is dropped: divide by 1 − p."""
        v, mask = _through(arrays)
        return v * mask * p if training else 1 * v

    return with_signature_of(f, multiplies_by_p)


def divides_by_the_mean_of_the_mask(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def divides_by_the_mean_of_the_mask(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You divided by the share that this mask happens to keep. Divide by the probability to keep, 1 − p."""
        v, mask = _through(arrays)
        return v * mask / np.mean(mask) if training else 1 * v

    return with_signature_of(f, divides_by_the_mean_of_the_mask)


def drops_what_is_kept(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def drops_what_is_kept(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You dropped the entries whose mask is 1. The mask is 1 where an entry is kept, and 0 where it is dropped."""
        v, mask = _through(arrays)
        return v * (1 - mask) / (1 - p) if training else 1 * v

    return with_signature_of(f, drops_what_is_kept)


def drops_in_use_too(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def drops_in_use_too(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You dropped entries whatever `training` says. In use nothing is dropped and nothing scaled."""
        v, mask = _through(arrays)
        return v * mask / (1 - p)

    return with_signature_of(f, drops_in_use_too)


def swaps_training_and_use(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def swaps_training_and_use(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You exchanged training and use. Entries are dropped where `training` is true."""
        v, mask = _through(arrays)
        return 1 * v if training else v * mask / (1 - p)

    return with_signature_of(f, swaps_training_and_use)


def hard_codes_p(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def hard_codes_p(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You used a p of 0.5 whatever was asked for. Use the argument."""
        v, mask = _through(arrays)
        return v * mask / 0.5 if training else 1 * v

    return with_signature_of(f, hard_codes_p)


def forgets_the_mask(f: Function) -> Function:
    """Make the mistake for dropout or its vjp."""

    def forgets_the_mask(*arrays: Array, p: float = 0.5, training: bool = True) -> Array:
        """You divided by 1 − p and dropped nothing. Multiply by the mask, forwards and backwards by the same one."""
        v, _ = _through(arrays)
        return v / (1 - p) if training else 1 * v

    return with_signature_of(f, forgets_the_mask)


# --- dropout_vjp alone ------------------------------------------------------------------------------------------------
def takes_the_mask_from_the_output(
    x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True
) -> Array:
    """You took for dropped whatever came out as zero. An input of 0 may be kept: keep the mask of the forward pass."""
    return np.where(x * mask != 0, cotangent / (1 - p), 0) if training else 1 * cotangent


def forgets_the_cotangent(x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """You returned the slope mask / (1 − p) alone. Multiply it by the cotangent, the gradient that comes from above."""
    return mask / (1 - p) if training else np.ones_like(cotangent)


def multiplies_by_the_input(x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """You multiplied by x as well. Dropout is linear, so its gradient is the cotangent · mask / (1 − p), without x."""
    return x * cotangent * mask / (1 - p) if training else x * cotangent


def drops_the_input_again(x: Array, mask: Array, cotangent: Array, *, p: float = 0.5, training: bool = True) -> Array:
    """You returned the forward pass once more. Put the cotangent, not x, through the mask and the scale."""
    return x * mask / (1 - p) if training else 1 * x


def _through(arrays: tuple[Array, ...]) -> tuple[Array, Array]:
    """Return what goes through the mask, x forwards and the cotangent backwards; and the mask."""
    return (arrays[2] if len(arrays) == 3 else arrays[0]), arrays[1]
