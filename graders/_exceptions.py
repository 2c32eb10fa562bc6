"""What is not as the laws would have it, each with its reason: the laws and the documentation read it here."""

from __future__ import annotations

from collections.abc import Mapping

RANDOM = "draws from a generator: it has properties, and no truth to be held against"
FUNCTIONS = "takes functions: it is as exact as they are"
PARTS = "puts other functions together, each with a row of its own"

WITHOUT_EXERCISE: Mapping[str, str] = {
    "layers.residual": f"{FUNCTIONS}; layers.residual_unit has a row",
    "layers.residual_vjp": f"{FUNCTIONS}; layers.residual_unit_vjp has a row",
    "regularization.dropout_mask": RANDOM,
    "regularization.early_stopping": "returns what it was given, unchanged",
    "initialization.normal_fan_in": RANDOM,
    "initialization.glorot_normal": RANDOM,
    "initialization.glorot_uniform": RANDOM,
    "initialization.he_normal": RANDOM,
    "initialization.he_uniform": RANDOM,
    "initialization.orthogonal": RANDOM,
    "preprocessing.random_flip": RANDOM,
    "preprocessing.random_crop": RANDOM,
    "preprocessing.add_noise": RANDOM,
    "preprocessing.cutout": RANDOM,
    "preprocessing.mixup": RANDOM,
    "preprocessing.train_validation_test_split": RANDOM,
    "preprocessing.k_fold": RANDOM,
    "ensembles.bootstrap_sample": RANDOM,
    "ensembles.bagging": RANDOM,
    "differences.numerical_gradient": FUNCTIONS,
    "differences.gradient_check": FUNCTIONS,
    "training.minibatches": RANDOM,
    "training.random_search": RANDOM,
    "training.gradient_descent": f"{FUNCTIONS}; optimizers.sgd is its step",
    "training.loss_and_grads": PARTS,
    "training.updates": RANDOM,
    "training.fit": RANDOM,
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
