"""What is not as the laws would have it, each with its reason: the laws and the documentation read it here."""

from __future__ import annotations

from collections.abc import Mapping

RANDOM = "draws from a generator: it has properties, and no truth to be held against"
PARTS = "puts other functions together, each with a row of its own"

WITHOUT_EXERCISE: Mapping[str, str] = {
    "training.loss_and_grads": PARTS,
    "training.updates": RANDOM,
    **dict.fromkeys(
        (
            "blocks.predict", "blocks.chain", "blocks.residual_block", "blocks.dense_block", "blocks.conv_block",
            "blocks.batch_norm_block", "blocks.dropout_block", "blocks.inception_block", "blocks.activation_block",
            "blocks.max_pool_block", "blocks.global_avg_pool_block", "blocks.flatten_block",
        ),
        PARTS,
    ),
}  # fmt: skip
"""Public functions of the reference that are no exercise, and so have no row in the certificate."""

CUT_SOFTPLUS = "above 20 it is cut: at 20.01 it gives {} in float64, and right is {}"
TORCH_DEFECTS: Mapping[str, str] = {
    "activations.softplus": CUT_SOFTPLUS.format("20.01", "20.01000000204"),
    "activations.softplus_vjp": CUT_SOFTPLUS.format("1", "0.99999999796"),
    "losses.kl_divergence": "of p = q = [[0, 1]] it is NaN",
    "losses.sigmoid_bce": "the logarithm is cut at -100: of p = 1e-44 and t = 1 it gives 100, and right is 101.31",
    "losses.sigmoid_bce_grad": "p (1 - p) is kept from 0: of p = 1e-13 and t = 1 it gives -1e12, and right is -1e13",
    "normalization.rms_norm_vjp": "of [[1e15, 1e15]] and [[1, 0]] in float32 it is 2.99e-16 and -7.01e-16, not ±5e-16",
    "regularization.max_norm": "renorm divides by the norm + 1e-7: [[2.0]], at most 1, becomes 0.99999995 in float64",
    "regularization.clip_by_global_norm": "get_total_norm of [1e20, 1e20] is inf in float32, so the gradients become 0",
    "networks.gradient_norms": "vector_norm squares its entries: that of 1e-26 is 0 in float32, that of 1e22 inf",
}
"""Functions whose counterpart in PyTorch does not get full marks, with the smallest input that shows it."""

SLOPE = "two terms cancel where the slope is 0, at z = {}; elsewhere it is within {} ulp"
LESS_EXACT: Mapping[str, str] = {
    "activations.silu_vjp": SLOPE.format("-1.278", "4.5"),
    "activations.gelu_vjp": SLOPE.format("-0.752", "12"),
}
"""Functions that miss a goal of the certificate, as docs/make_certificate.py states them."""

SIGNS = "it follows the convention that leaves the signs as they come"
STEPS = "another step of the differences is as good"
ALLOWED = "how much is allowed is not asked: gradients are right, or far off"
ALIKE: Mapping[str, Mapping[str, str]] = {
    "initialization.orthogonal": {
        "another constant: np.diagonal(r) < 0 → np.diagonal(r) < 1": SIGNS,
        "another constant: np.diagonal(r) < 0 → np.diagonal(r) < -1": SIGNS,
        "no sign: -1 → 1": SIGNS,
    },
    "preprocessing.add_noise": {
        "another operator: x + std * generator.standard_normal(x.shape).astype(x.dtype) → "
        "x - std * generator.standard_normal(x.shape).astype(x.dtype)": "normal noise is as often below zero as above",
    },
    "differences.numerical_gradient": {
        "another constant: _central(f, x, 1.0) → _central(f, x, 2.0)": STEPS,
        "another constant: _central(f, x, 1.0) → _central(f, x, 0.5)": STEPS,
    },
    "differences.gradient_check": {
        "another constant: _central(f, x, 1.0) → _central(f, x, 2.0)": STEPS,
        "another constant: _central(f, x, 1.0) → _central(f, x, 0.5)": STEPS,
        "another constant: _central(f, x, 0.5) → _central(f, x, 1.5)": STEPS,
        "another constant: _central(f, x, 0.5) → _central(f, x, 0.25)": STEPS,
        "another operator: 64 * eps * max(1.0, abs(float(_scalar(f(x))))) → "
        "64 * eps / max(1.0, abs(float(_scalar(f(x)))))": ALLOWED,
        "another constant: 64 * eps → 65 * eps": ALLOWED,
        "another constant: 64 * eps → 63 * eps": ALLOWED,
        "min for max: max(1.0, abs(float(_scalar(f(x))))) → min(1.0, abs(float(_scalar(f(x)))))": ALLOWED,
        "another constant: 0.5 * _steps(x) → 1.5 * _steps(x)": ALLOWED,
        "another constant: 0.5 * _steps(x) → 0.25 * _steps(x)": ALLOWED,
    },
}
"""Mechanical mutants of a function that draws which are as right."""

EQUIVALENT: Mapping[str, Mapping[str, str]] = {
    "activations.gelu_vjp": {
        "_steep_slope: a dropped call: special.constant(z, SCALE) → SCALE":
            "its first part is the constant to the last digit of float64; the others matter where more are kept",
    },
    "optimizers.cosine_lr": {
        "another operator: T_max - step % (2 * T_max) → T_max + step % (2 * T_max)":
            "the square of a sine is symmetric about a quarter turn",
        "a dropped term: step % (2 * T_max) → step":
            "the square of a sine comes again after half a turn; the remainder only keeps the angle small",
    },
}  # fmt: skip
"""Mechanical mutants of the reference that compute the same, where neither bits nor digits show it by themselves."""
