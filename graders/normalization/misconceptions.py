"""Known mistakes in every norm; the docstring of each is what the student is told.

What goes wrong in x̂ or in its gradient is written once, for any means along any axes: `in_x_hat` and `in_dx` make it
a mistake in a batch, layer or group norm.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graders.harness.exercise import with_signature_of
from graders.normalization._programs import Axes, all_at_once, count, grouped, last, leading, of_features, others
from reference import normalization as reference
from reference._types import Array
from reference.normalization import NormGrads

Function = Callable[..., Any]
Hat = Callable[[Array, Axes, float], Array]
"""From x, the axes of its means and eps: x̂."""
Step = Callable[[Array, Array, Axes, float], tuple[Array, Array]]
"""From x, the gradient h by x̂, the axes of the means and eps: x̂ and the gradient by x."""


@dataclass(frozen=True)
class Norm:
    """What tells batch, layer and group norm apart: which numbers share a mean, and where gain and bias belong."""

    seen: Callable[..., Array]
    axes: Callable[[Array], Axes]
    spread: Callable[[Array, Array], Array]
    summed: Callable[[Array], Axes]


_BATCH = Norm(lambda x: x, others, of_features, others)
_LAYER = Norm(lambda x: x, last, lambda feature, x: feature, leading)
_GROUP = Norm(grouped, lambda x: (2,), of_features, others)
NORMS = {
    reference.batch_norm: _BATCH,
    reference.batch_norm_vjp: _BATCH,
    reference.batch_norm_when_evaluating: _BATCH,
    reference.batch_norm_when_evaluating_vjp: _BATCH,
    reference.layer_norm: _LAYER,
    reference.layer_norm_vjp: _LAYER,
    reference.rms_norm_vjp: _LAYER,
    reference.group_norm: _GROUP,
    reference.group_norm_vjp: _GROUP,
}


def told_as(told: Function, wrong: Function, f: Function) -> Function:
    """Give a mistake the name and the words of one function, and the signature of another."""
    wrong.__name__, wrong.__doc__ = told.__name__, told.__doc__
    return with_signature_of(f, wrong)


def in_x_hat(f: Function, *hats: Hat) -> tuple[Function, ...]:
    """Make mistakes in x̂ mistakes in a norm, with the right gain and bias."""
    return tuple(_with_gain_and_bias(f, hat) for hat in hats)


def _with_gain_and_bias(f: Function, hat: Hat) -> Function:
    norm = NORMS[f]

    def wrong(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5, **groups: Any) -> Array:
        seen = norm.seen(x, **groups)
        x_hat = np.reshape(hat(seen, norm.axes(seen), eps), x.shape)
        return norm.spread(gamma, x) * x_hat + norm.spread(beta, x)

    return told_as(hat, wrong, f)


def in_dx(f: Function, *steps: Step) -> tuple[Function, ...]:
    """Make mistakes in the gradient of x̂ mistakes in that of a norm, with the right sums for gain and bias."""
    return tuple(_with_sums(f, step) for step in steps)


def _with_sums(f: Function, step: Step) -> Function:
    norm = NORMS[f]

    def wrong(x: Array, gamma: Array, beta: Array, cotangent: Array, *, eps: float = 1e-5, **groups: Any) -> NormGrads:
        seen, h = norm.seen(x, **groups), norm.seen(cotangent * norm.spread(gamma, x), **groups)
        x_hat, dx = (np.reshape(made, x.shape) for made in step(seen, h, norm.axes(seen), eps))
        axes = norm.summed(x)
        return NormGrads(dx, np.sum(cotangent * x_hat, axis=axes), np.sum(cotangent, axis=axes))

    return told_as(step, wrong, f)


# --- mistakes in x̂ ----------------------------------------------------------------------------------------------------
def puts_eps_outside_the_root(x: Array, axes: Axes, eps: float) -> Array:
    """You added ε to the root, √σ² + ε. It belongs under it: √(σ² + ε)."""
    c, variance = moments(x, axes)
    return c / (np.sqrt(variance) + eps)


def leaves_eps_out(x: Array, axes: Axes, eps: float) -> Array:
    """You left ε out. Divide by √(σ² + ε), which is not 0 even where all values are equal."""
    c, variance = moments(x, axes)
    return c / np.sqrt(variance)


def hard_codes_eps(x: Array, axes: Axes, eps: float) -> Array:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    return standardized(x, axes, 1e-5)


def uses_the_unbiased_variance(x: Array, axes: Axes, eps: float) -> Array:
    """You divided the squares by N − 1. The variance that normalizes is their mean: divide by N, as np.var does."""
    c, variance = moments(x, axes)
    return c / np.sqrt(unbiased(variance, count(x, axes)) + eps)


def takes_the_mean_of_squares(x: Array, axes: Axes, eps: float) -> Array:
    """You took E[x²] − E[x]² for the variance, which loses its digits far from zero. Average (x − μ)² instead."""
    average = np.mean(x, axis=axes, keepdims=True)
    variance = np.mean(x**2, axis=axes, keepdims=True) - average**2
    return (x - average) / np.sqrt(variance + eps)


def divides_by_the_variance(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by σ² + ε itself. Divide by its root, √(σ² + ε)."""
    c, variance = moments(x, axes)
    return c / (variance + eps)


def takes_the_root_twice(x: Array, axes: Axes, eps: float) -> Array:
    """You took the root of σ, which is a root already. Under the root stands the variance: √(σ² + ε)."""
    c, variance = moments(x, axes)
    return c / np.sqrt(np.sqrt(variance) + eps)


def squares_the_variance(x: Array, axes: Axes, eps: float) -> Array:
    """You squared the variance. The mean of (x − μ)² is σ² already: √(σ² + ε) (001_85d2a45f19410a02.txt)."""
    c, variance = moments(x, axes)
    return c / np.sqrt(variance**2 + eps)


def forgets_to_average_the_squares(x: Array, axes: Axes, eps: float) -> Array:
    """You summed the squares of x − μ and did not divide by N. The variance is their mean."""
    c, variance = moments(x, axes)
    return c / np.sqrt(variance * count(x, axes) + eps)


def forgets_to_subtract_the_mean(x: Array, axes: Axes, eps: float) -> Array:
    """You divided x itself by √(σ² + ε). Subtract the mean from it first."""
    return x / np.sqrt(moments(x, axes)[1] + eps)


def only_subtracts_the_mean(x: Array, axes: Axes, eps: float) -> Array:
    """You subtracted the mean and stopped there. Divide by √(σ² + ε) too."""
    return moments(x, axes)[0]


def takes_the_mean_square_for_the_variance(x: Array, axes: Axes, eps: float) -> Array:
    """You averaged x². The variance is the mean of (x − μ)²: subtract the mean before squaring."""
    return moments(x, axes)[0] / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps)


def leaves_the_mean_out_altogether(x: Array, axes: Axes, eps: float) -> Array:
    """You computed x / √(mean x² + ε), which is RMS norm. Subtract the mean, above and below."""
    return x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps)


def takes_the_mean_absolute_deviation(x: Array, axes: Axes, eps: float) -> Array:
    """You divided by the mean of |x − μ|, plus ε. Divide by the root of the mean of (x − μ)², plus ε: √(σ² + ε)."""
    c = moments(x, axes)[0]
    return c / (np.mean(np.abs(c), axis=axes, keepdims=True) + eps)


def normalizes_over_everything(x: Array, axes: Axes, eps: float) -> Array:
    """You took one mean and one variance for all of x. Give the axes that share them: axis=…, keepdims=True."""
    return standardized(x, tuple(range(x.ndim)), eps)


# --- mistakes in the gradient by x ------------------------------------------------------------------------------------
def treats_the_statistics_as_constants(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """For dx you took μ and σ² for constants: g γ / √(σ² + ε). They depend on every x, so two more terms follow."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, h * r


def forgets_the_path_through_the_mean(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Your dx leaves out the path through μ. With h = g γ, subtract mean h as well, so that dx sums to 0."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h - x_hat * mean(h * x_hat, axes)) * r


def forgets_the_path_through_the_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Your dx leaves out the path through σ². With h = g γ, subtract x̂ mean(h x̂) as well."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h - mean(h, axes)) * r


def halves_the_path_through_the_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your term of the variance is half of what it should be. The derivative of (x − μ)² has a factor 2."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h - mean(h, axes) - 0.5 * x_hat * mean(h * x_hat, axes)) * r


def doubles_the_path_through_the_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your term of the variance is twice what it should be. The derivative of v^(−½) has a factor ½."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h - mean(h, axes) - 2 * x_hat * mean(h * x_hat, axes)) * r


def reverses_the_path_through_the_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your term of the variance has the wrong sign. x̂ shrinks as σ² grows: subtract x̂ mean(h x̂), h = g γ."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h - mean(h, axes) + x_hat * mean(h * x_hat, axes)) * r


def reverses_the_path_through_the_mean(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your term of the mean has the wrong sign. x̂ falls as μ grows: subtract mean h, h = g γ."""
    x_hat, r = scaled(x, axes, eps)
    return x_hat, (h + mean(h, axes) - x_hat * mean(h * x_hat, axes)) * r


def puts_the_deviation_for_x_hat(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx your term of the variance holds x − μ where x̂ belongs. It is x̂ mean(h x̂), both divided by √(σ² + ε)."""
    x_hat, r = scaled(x, axes, eps)
    c = moments(x, axes)[0]
    return x_hat, (h - mean(h, axes) - c * mean(h * c, axes)) * r


def sums_where_means_belong(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """In dx you subtracted sums. μ and σ² are means, each x has a share of 1/N: subtract mean h and x̂ mean(h x̂)."""
    x_hat, r = scaled(x, axes, eps)
    n = count(x, axes)
    return x_hat, (h - n * mean(h, axes) - n * x_hat * mean(h * x_hat, axes)) * r


def leaves_eps_out_of_x_hat(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Your x̂ has no ε. Use the x̂ of the forward pass, (x − μ) / √(σ² + ε), in dx and dγ."""
    c, variance = moments(x, axes)
    x_hat = c / np.sqrt(variance)
    return x_hat, (h - mean(h, axes) - x_hat * mean(h * x_hat, axes)) / np.sqrt(variance + eps)


def hard_codes_eps_in_the_gradient(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You used an ε of 1e-5 whatever was asked for. Use the argument."""
    return all_at_once(x, h, axes, 1e-5)


def divides_by_the_deviation_plus_eps(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You divided by √σ² + ε. The ε belongs under the root: √(σ² + ε)."""
    c, variance = moments(x, axes)
    r = 1 / (np.sqrt(variance) + eps)
    return c * r, (h - mean(h, axes) - c * r * mean(h * c * r, axes)) * r


def differentiates_eps_outside_the_root(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """This is the gradient of (x − μ) / (√σ² + ε). The ε belongs under the root: (x − μ) / √(σ² + ε)."""
    c, variance = moments(x, axes)
    root = np.sqrt(variance)
    r = 1 / (root + eps)
    return c * r, (h - mean(h, axes)) * r - c * mean(h * c, axes) * r * r / root


def divides_by_the_unbiased_deviation(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Your variance divides by N − 1. The one that normalizes divides by N, as np.var does."""
    c, variance = moments(x, axes)
    r = 1 / np.sqrt(unbiased(variance, count(x, axes)) + eps)
    return c * r, (h - mean(h, axes) - c * r * mean(h * c * r, axes)) * r


def differentiates_the_unbiased_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """This is the gradient with a variance over N − 1. The one that normalizes divides by N, as np.var does."""
    c, variance = moments(x, axes)
    n = count(x, axes)
    r = 1 / np.sqrt(unbiased(variance, n) + eps)
    return c * r, (h - mean(h, axes) - unbiased(c * r * mean(h * c * r, axes), n)) * r


def cancels_in_the_variance(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You took E[x²] − E[x]² for the variance, which loses its digits far from zero. Average (x − μ)² instead."""
    average = np.mean(x, axis=axes, keepdims=True)
    r = 1 / np.sqrt(np.mean(x**2, axis=axes, keepdims=True) - average**2 + eps)
    x_hat = (x - average) * r
    return x_hat, (h - mean(h, axes) - x_hat * mean(h * x_hat, axes)) * r


def differentiates_over_everything(x: Array, h: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """You took one mean and one variance for all of x. Give the axes that share them: axis=…, keepdims=True."""
    return all_at_once(x, h, tuple(range(x.ndim)), eps)


EVERY_HAT = (
    puts_eps_outside_the_root, leaves_eps_out, hard_codes_eps, uses_the_unbiased_variance, takes_the_mean_of_squares,
    divides_by_the_variance, takes_the_root_twice, squares_the_variance, forgets_to_average_the_squares,
    forgets_to_subtract_the_mean, only_subtracts_the_mean, takes_the_mean_square_for_the_variance,
    leaves_the_mean_out_altogether, takes_the_mean_absolute_deviation, normalizes_over_everything,
)  # fmt: skip
"""The mistakes in x̂ that every norm knows."""

EVERY_STEP = (
    treats_the_statistics_as_constants, forgets_the_path_through_the_mean, forgets_the_path_through_the_variance,
    halves_the_path_through_the_variance, doubles_the_path_through_the_variance,
    reverses_the_path_through_the_variance, reverses_the_path_through_the_mean, puts_the_deviation_for_x_hat,
    sums_where_means_belong, leaves_eps_out_of_x_hat, hard_codes_eps_in_the_gradient,
    divides_by_the_deviation_plus_eps, differentiates_eps_outside_the_root, divides_by_the_unbiased_deviation,
    differentiates_the_unbiased_variance, cancels_in_the_variance, differentiates_over_everything,
)  # fmt: skip
"""The mistakes in the gradient by x that every norm knows."""


# --- mistakes in gain and bias: each takes the function that is misunderstood -----------------------------------------
def forgets_gamma_and_beta(f: Function) -> Function:
    """Make the mistake for a norm."""

    def forgets_gamma_and_beta(x: Array, gamma: Array, beta: Array, *rest: Array, **hyper: Any) -> Array:
        """You returned x̂ itself. Multiply it by γ and add β, in training and in evaluation alike."""
        return f(x, np.ones_like(gamma), np.zeros_like(beta), *rest, **hyper)

    return with_signature_of(f, forgets_gamma_and_beta)


def forgets_beta(f: Function) -> Function:
    """Make the mistake for a norm."""

    def forgets_beta(x: Array, gamma: Array, beta: Array, *rest: Array, **hyper: Any) -> Array:
        """You left β out. Add it to γ x̂."""
        return f(x, gamma, np.zeros_like(beta), *rest, **hyper)

    return with_signature_of(f, forgets_beta)


def forgets_gamma(f: Function) -> Function:
    """Make the mistake for a norm."""

    def forgets_gamma(x: Array, gamma: Array, *rest: Array, **hyper: Any) -> Array:
        """You left γ out. Multiply x̂ by it."""
        return f(x, np.ones_like(gamma), *rest, **hyper)

    return with_signature_of(f, forgets_gamma)


def swaps_gamma_and_beta(f: Function) -> Function:
    """Make the mistake for a norm."""

    def swaps_gamma_and_beta(x: Array, gamma: Array, beta: Array, *rest: Array, **hyper: Any) -> Array:
        """You multiplied by β and added γ. γ is the gain and β the bias: γ x̂ + β."""
        return f(x, beta, gamma, *rest, **hyper)

    return with_signature_of(f, swaps_gamma_and_beta)


def multiplies_beta_too(f: Function) -> Function:
    """Make the mistake for a norm."""

    def multiplies_beta_too(x: Array, gamma: Array, beta: Array, *rest: Array, **hyper: Any) -> Array:
        """You multiplied the sum, γ (x̂ + β). Multiply x̂ alone and add β after it: γ x̂ + β."""
        return f(x, gamma, gamma * beta, *rest, **hyper)

    return with_signature_of(f, multiplies_beta_too)


def leaves_gamma_out_of_dx(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""

    def leaves_gamma_out_of_dx(x: Array, gamma: Array, *rest: Array, **hyper: Any) -> Any:
        """Your dx does not depend on γ. The gradient by x̂ is g γ: start from it."""
        return f(x, np.ones_like(gamma), *rest, **hyper)

    return with_signature_of(f, leaves_gamma_out_of_dx)


def multiplies_by_x_for_gamma(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""
    norm = NORMS[f]

    def multiplies_by_x_for_gamma(x: Array, *arrays: Array, **hyper: Any) -> Any:
        """For dγ you multiplied g by x. What γ multiplies is x̂, so dγ = Σ g x̂."""
        dgamma = np.sum(arrays[-1] * x, axis=norm.summed(x))
        return f(x, *arrays, **hyper)._replace(dgamma=dgamma)

    return with_signature_of(f, multiplies_by_x_for_gamma)


def averages_the_gradients_of_the_parameters(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""

    def averages_the_gradients_of_the_parameters(x: Array, gamma: Array, *rest: Array, **hyper: Any) -> Any:
        """You took means for the gradients of the parameters. Many values share each of them, so they are sums."""
        dx, *sums = f(x, gamma, *rest, **hyper)
        return (dx, *(total * (gamma.size / x.size) for total in sums))

    return with_signature_of(f, averages_the_gradients_of_the_parameters)


def swaps_the_gradients_of_gain_and_bias(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""

    def swaps_the_gradients_of_gain_and_bias(*arrays: Array, **hyper: Any) -> NormGrads:
        """You returned dβ where dγ belongs, and dγ for dβ. The order is that of the arguments: dx, dγ, dβ."""
        dx, dgamma, dbeta = f(*arrays, **hyper)
        return NormGrads(dx, dbeta, dgamma)

    return with_signature_of(f, swaps_the_gradients_of_gain_and_bias)


def sums_the_gradient_of_x_hat(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""

    def sums_the_gradient_of_x_hat(x: Array, gamma: Array, *rest: Array, **hyper: Any) -> Any:
        """You multiplied the gradients of the parameters by γ. Sum with g, the gradient of the output, not g γ."""
        dx, *sums = f(x, gamma, *rest, **hyper)
        return (dx, *(total * gamma for total in sums))

    return with_signature_of(f, sums_the_gradient_of_x_hat)


def reverses_the_sign(f: Function) -> Function:
    """Make the mistake for the gradients of a norm."""

    def reverses_the_sign(*arrays: Array, **hyper: Any) -> Any:
        """Your gradients point the other way. Leave the minus sign to the optimizer."""
        return tuple(-grad for grad in f(*arrays, **hyper))

    return with_signature_of(f, reverses_the_sign)


def every_mistake_in_gain_and_bias(f: Function) -> tuple[Function, ...]:
    """Return the mistakes in γ and β, for a norm with both."""
    makers = (forgets_gamma_and_beta, forgets_beta, forgets_gamma, swaps_gamma_and_beta, multiplies_beta_too)
    return tuple(make(f) for make in makers)


def every_mistake_in_sums(f: Function) -> tuple[Function, ...]:
    """Return the mistakes in dγ and dβ, and in what they and dx share, for the gradients of a norm."""
    makers = (
        leaves_gamma_out_of_dx, multiplies_by_x_for_gamma, averages_the_gradients_of_the_parameters,
        swaps_the_gradients_of_gain_and_bias, sums_the_gradient_of_x_hat, reverses_the_sign,
    )  # fmt: skip
    return tuple(make(f) for make in makers)


# --- what they are made of --------------------------------------------------------------------------------------------
def mean(x: Array, axes: Axes) -> Array:
    """Return the means, in axes that meet x."""
    return np.mean(x, axis=axes, keepdims=True)


def moments(x: Array, axes: Axes) -> tuple[Array, Array]:
    """Return x − μ and σ²."""
    c = x - mean(x, axes)
    return c, mean(c * c, axes)


def scaled(x: Array, axes: Axes, eps: float) -> tuple[Array, Array]:
    """Return x̂ and 1 / √(σ² + ε)."""
    c, variance = moments(x, axes)
    r = 1 / np.sqrt(variance + eps)
    return c * r, r


def standardized(x: Array, axes: Axes, eps: float) -> Array:
    """Return x̂."""
    return scaled(x, axes, eps)[0]


def unbiased(variance: Array, n: int) -> Array:
    """Return what N − 1 in the place of N makes of a mean: infinite or NaN for a single number."""
    return variance * n / (np.zeros_like(variance) + n - 1)
