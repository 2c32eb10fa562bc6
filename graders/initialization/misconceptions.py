"""Known mistakes in counting fans; the docstring of each is what the student is told."""

from __future__ import annotations

import math

from reference import initialization as reference
from reference.initialization import Fans, Shape


def swaps_the_fans(shape: Shape) -> Fans:
    """You exchanged the two. fan_in is how many numbers a unit sums, fan_out into how many sums an input goes."""
    return Fans(*reference.fans(shape)[::-1])


def forgets_the_field(shape: Shape) -> Fans:
    """You left out the field. A convolution's unit sums in · kh · kw numbers, so multiply both fans by kh · kw."""
    return Fans(*shape) if len(shape) == 2 else Fans(shape[1], shape[0])


def swaps_the_fans_of_convolutions(shape: Shape) -> Fans:
    """You took a convolution's first axis for its inputs. Its shape is (out, in, kh, kw)."""
    return Fans(*(size * math.prod(shape[2:]) for size in shape[:2]))


def forgets_the_field_of_the_fan_out(shape: Shape) -> Fans:
    """You left the field out of fan_out. An input goes into out · kh · kw sums, one for every place of the kernel."""
    return Fans(reference.fans(shape).fan_in, shape[1] if len(shape) == 2 else shape[0])


def forgets_the_field_of_the_fan_in(shape: Shape) -> Fans:
    """You left the field out of fan_in. A convolution's unit sums in · kh · kw numbers."""
    return Fans(shape[0] if len(shape) == 2 else shape[1], reference.fans(shape).fan_out)


def multiplies_by_one_side(shape: Shape) -> Fans:
    """You multiplied by one side of the field. The field has kh · kw entries."""
    if len(shape) == 2:
        return Fans(*shape)
    return Fans(shape[1] * shape[2], shape[0] * shape[2])


def adds_the_sides(shape: Shape) -> Fans:
    """You added the sides of the field. The field has kh · kw entries."""
    if len(shape) == 2:
        return Fans(*shape)
    return Fans(shape[1] * sum(shape[2:]), shape[0] * sum(shape[2:]))


def counts_all_weights(shape: Shape) -> Fans:
    """You counted all weights. One unit of a layer sums only its own inputs, and has only their weights."""
    return Fans(math.prod(shape), math.prod(shape))


def counts_the_bias(shape: Shape) -> Fans:
    """You counted a bias among a unit's inputs. fan_in counts the weights only."""
    fan_in, fan_out = reference.fans(shape)
    return Fans(fan_in + 1, fan_out)


def flattens_all_but_the_last_axis(shape: Shape) -> Fans:
    """You took the last axis for the units and all others for inputs. A kernel's shape is (out, in, kh, kw)."""
    return Fans(math.prod(shape[:-1]), shape[-1])
