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

STEEP_SIGMOID = "σ(z) (1 − σ(z)) is 0 in float64 from z = 37 on, where the slope is e⁻ᶻ"
TORCH_DEFECTS: Mapping[str, str] = {
    "layers.residual_unit_vjp": STEEP_SIGMOID,
    "networks.mlp_vjp": STEEP_SIGMOID,
    "networks.gradient_norms": "vector_norm squares its entries: that of 1e-26 is 0 in float32, that of 1e22 inf",
}
"""Functions whose counterpart in PyTorch does not get full marks, with the smallest input that shows it."""

LESS_EXACT: Mapping[str, str] = {}
"""Functions that miss a goal of the certificate: more than half of the allowed error, or worse than PyTorch by more
than 2 ulp and twice its share."""
