"""PyTorch's own functions: those that the exercises name as rivals, and that PyTorch documents as one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graders import _catalogue
from graders._conform import Documented, Function, units_in_rows
from graders.harness.certify import rival_function

DISTRIBUTIONS = ("torch",)
URL = "https://docs.pytorch.org/docs/stable/generated/{}.html"
INIT = "https://docs.pytorch.org/docs/stable/nn.init.html"
DATA = "https://docs.pytorch.org/docs/stable/data.html"

_NN, _SCHEDULER = "torch.nn.functional.", "torch.optim.lr_scheduler."
DOCUMENTED: Mapping[str, str] = {
    "activations.gelu": _NN + "gelu", "activations.leaky_relu": _NN + "leaky_relu", "activations.silu": _NN + "silu",
    "activations.softplus": _NN + "softplus", "activations.sigmoid": "torch.sigmoid", "activations.tanh": "torch.tanh",
    "activations.relu": "torch.relu", "activations.softmax": "torch.softmax",
    "activations.log_softmax": _NN + "log_softmax", "activations.logsumexp": "torch.logsumexp",
    "losses.logistic_loss": _NN + "logsigmoid", "losses.sigmoid_bce": _NN + "binary_cross_entropy",
    "losses.entropy": "torch.special.entr", "losses.kl_divergence": _NN + "kl_div",
    "losses.gaussian_nll": _NN + "gaussian_nll_loss", "losses.mse": _NN + "mse_loss",
    "losses.squared_error": _NN + "mse_loss", "losses.cross_entropy": "torch.xlogy",
    "losses.softmax_cross_entropy": _NN + "cross_entropy",
    "losses.bce_with_logits": _NN + "binary_cross_entropy_with_logits",
    "losses.half_squared_error": _NN + "mse_loss", "losses.predict_label": "torch.argmax",
    "layers.affine": _NN + "linear", "layers.flatten": "torch.flatten", "layers.concatenate_channels": "torch.cat",
    "convolution.cross_correlate2d": _NN + "conv2d", "convolution.conv2d": _NN + "conv2d",
    "pooling.max_pool2d": _NN + "max_pool2d", "pooling.avg_pool2d": _NN + "avg_pool2d",
    "pooling.global_avg_pool": _NN + "adaptive_avg_pool2d", "normalization.batch_norm": _NN + "batch_norm",
    "normalization.batch_norm_when_evaluating": _NN + "batch_norm",
    "normalization.running_statistics": _NN + "batch_norm", "normalization.layer_norm": _NN + "layer_norm",
    "normalization.rms_norm": _NN + "rms_norm", "normalization.group_norm": _NN + "group_norm",
    "regularization.l1_penalty": "torch.linalg.vector_norm", "regularization.max_norm": "torch.renorm",
    "regularization.weight_decay_step": "torch.optim.SGD",
    "regularization.clip_by_global_norm": "torch.nn.utils.clip_grad_norm_",
    "optimizers.adamax": "torch.optim.Adamax", "optimizers.adamw": "torch.optim.AdamW",
    "optimizers.nesterov": "torch.optim.SGD", "optimizers.sgd": "torch.optim.SGD",
    "optimizers.momentum": "torch.optim.SGD", "optimizers.adagrad": "torch.optim.Adagrad",
    "optimizers.rmsprop": "torch.optim.RMSprop", "optimizers.adam": "torch.optim.Adam",
    "optimizers.cosine_lr": _SCHEDULER + "CosineAnnealingLR", "optimizers.step_lr": _SCHEDULER + "StepLR",
    "optimizers.exponential_lr": _SCHEDULER + "ExponentialLR", "optimizers.warmup_lr": _SCHEDULER + "LinearLR",
    "convolution.pointwise_conv2d": _NN + "conv2d", "preprocessing.feature_statistics": "torch.std_mean",
    "preprocessing.channel_statistics": "torch.std_mean", "ensembles.average_probabilities": "torch.mean",
    "preprocessing.feature_range": "torch.aminmax", "preprocessing.mean_image": "torch.mean",
    "preprocessing.one_hot": _NN + "one_hot", "ensembles.majority_vote": "torch.mode",
    "networks.gradient_norms": "torch.linalg.vector_norm",
}  # fmt: skip
"""By exercise, what PyTorch calls its function; a gradient is the one that PyTorch derives from it."""


def functions() -> dict[str, Documented]:
    """Return PyTorch's functions by exercise."""
    import torch

    made = {}
    for name, exercise in _catalogue.exercises().items():
        called = DOCUMENTED.get(name) or DOCUMENTED.get(exercise.forward or "")
        if called and "torch" in exercise.rivals:
            function = rival_function(exercise.rivals["torch"], torch)
            made[name] = Documented(called, URL.format(called), function)
    return made | _drawn(torch)


def _drawn(torch: Any) -> dict[str, Documented]:
    """Return what draws at random: torch.nn.init, where a row of W is a unit, and the loader of batches."""

    def source(generator: Any) -> Any:
        return torch.Generator().manual_seed(int(generator.integers(2**31)))

    def weights(initializer: str, **options: Any) -> Function:
        def draw(shape: Any, generator: Any, *, dtype: Any = np.float64) -> Any:
            return filled(initializer, shape, generator, dtype, **options)

        return draw

    def filled(initializer: str, shape: Any, generator: Any, dtype: Any, **options: Any) -> Any:
        make, kind = getattr(torch.nn.init, initializer), getattr(torch, np.dtype(dtype).name)
        given = source(generator)
        return units_in_rows(
            lambda rows: make(torch.empty(rows, dtype=kind), generator=given, **options).numpy(), shape
        )

    def orthogonal(shape: Any, generator: Any, *, gain: float = 1.0, dtype: Any = np.float64) -> Any:
        return filled("orthogonal_", shape, generator, dtype, gain=gain)

    def minibatches(n: int, generator: Any, *, batch_size: int) -> Any:
        loader = torch.utils.data.DataLoader(range(n), batch_size, shuffle=True, generator=source(generator))
        return tuple(batch.numpy() for batch in loader)

    relu = {"nonlinearity": "relu"}
    table: dict[str, tuple[str, str, Function]] = {
        "initialization.he_normal": (INIT, "torch.nn.init.kaiming_normal_", weights("kaiming_normal_", **relu)),
        "initialization.he_uniform": (INIT, "torch.nn.init.kaiming_uniform_", weights("kaiming_uniform_", **relu)),
        "initialization.normal_fan_in": (
            INIT, "torch.nn.init.kaiming_normal_", weights("kaiming_normal_", nonlinearity="linear"),
        ),
        "initialization.glorot_normal": (INIT, "torch.nn.init.xavier_normal_", weights("xavier_normal_")),
        "initialization.glorot_uniform": (INIT, "torch.nn.init.xavier_uniform_", weights("xavier_uniform_")),
        "initialization.orthogonal": (INIT, "torch.nn.init.orthogonal_", orthogonal),
        "training.minibatches": (DATA, "torch.utils.data.DataLoader", minibatches),
    }  # fmt: skip
    return {name: Documented(called, f"{page}#{called}", function) for name, (page, called, function) in table.items()}
