"""One table of calls: what every function of the reference is called with, for the laws that all of them obey."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.blocks import activation_block, batch_norm_block, chain, dense_block, dropout_block
from reference.bounds import SampleMeanState
from reference.layers import InceptionParams
from reference.networks import Layer, mlp_forward
from reference.optimizers import (
    AdagradState,
    AdamaxState,
    AdamState,
    LionState,
    MomentumState,
    RmspropState,
)


@dataclass(frozen=True)
class Seed:
    """A generator that is made anew for every call."""

    value: int


@dataclass(frozen=True)
class Call:
    """What a function is called with."""

    arguments: tuple[Any, ...]
    hyper: dict[str, Any]


def of(*arguments: Any, **hyper: Any) -> Call:
    return Call(arguments, hyper)


RNG = np.random.default_rng(7)
ANY = Seed(5)
Z, G = RNG.standard_normal((2, 4, 3))
X, W, B, DY = (RNG.standard_normal(shape) for shape in ((4, 5), (5, 3), (3,), (4, 3)))
V = RNG.standard_normal((3, 5))
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
Y = np.roll(P, 1, axis=0)
T = (G > 0).astype(float)
S = np.where(G > 0, 1.0, -1.0)
VARIANCE = 0.5 + RNG.random((4, 3))
K = np.array([2, 0, 1, 1])
THETA, GRAD, SQUARES = RNG.standard_normal(6), RNG.standard_normal(6), RNG.random(6)
MAP, KERNEL = RNG.standard_normal((5, 6)), RNG.standard_normal((2, 3))
IMAGES, PIXELS = RNG.standard_normal((2, 3, 4, 6, 5))
GROUPED, GROUPED_BIAS = RNG.standard_normal((6, 2, 3, 2)), RNG.standard_normal(6)
GAIN, SHIFT, MEAN, SPREAD = RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal(4), 0.5 + RNG.random(4)
MATRIX = RNG.standard_normal((2, 4))
FEATURES = RNG.standard_normal((3, 4))
CONVOLVED = {"stride": (1, 2), "padding": (1, 0), "dilation": (2, 1), "groups": 2}
POOLED = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
ADAM = {"lr": 0.3, "betas": (0.7, 0.5), "eps": 0.2}
INCEPTION = InceptionParams(
    *(
        RNG.standard_normal(shape)
        for out, inner, k in ((2, 4, 0), (3, 4, 0), (2, 3, 3), (1, 4, 0), (3, 1, 5), (2, 4, 0))
        for shape in ((out, inner, k, k) if k else (out, inner), (out,))
    )
)
LAYERS = (
    Layer(W, B),
    Layer(V, RNG.standard_normal(5)),
    Layer(RNG.standard_normal((5, 3)), RNG.standard_normal(3)),
)
CACHE = mlp_forward(X, LAYERS, activation="tanh")
NETWORK = chain(
    dense_block(5, 4, np.random.default_rng(1)),
    batch_norm_block(4, momentum=0.4, eps=0.1),
    activation_block("tanh"),
    dropout_block(p=0.25),
    dense_block(4, 3, np.random.default_rng(2)),
)

CALLS: dict[str, Call] = {
    "activations.sigmoid": of(Z),
    "activations.sigmoid_vjp": of(Z, G),
    "activations.tanh": of(Z),
    "activations.tanh_vjp": of(Z, G),
    "activations.relu": of(Z),
    "activations.relu_vjp": of(Z, G),
    "activations.softmax": of(Z, temperature=0.7),
    "activations.softmax_vjp": of(Z, G, temperature=0.7),
    "activations.log_softmax": of(Z),
    "activations.log_softmax_vjp": of(Z, G),
    "activations.logsumexp": of(Z),
    "activations.logsumexp_vjp": of(Z, G[:, 0]),
    "activations.leaky_relu": of(Z, negative_slope=0.3),
    "activations.leaky_relu_vjp": of(Z, G, negative_slope=0.3),
    "activations.softplus": of(Z),
    "activations.softplus_vjp": of(Z, G),
    "activations.silu": of(Z),
    "activations.silu_vjp": of(Z, G),
    "activations.gelu": of(Z, approximate="tanh"),
    "activations.gelu_vjp": of(Z, G),
    "activations.softmax_jacobian": of(Z, temperature=0.7),
    "losses.cross_entropy": of(Y, P),
    "losses.softmax_cross_entropy": of(Z, Y, label_smoothing=0.3),
    "losses.softmax_cross_entropy_grad": of(Z, K, reduction="sum", label_smoothing=0.3),
    "losses.bce_with_logits": of(Z, T),
    "losses.bce_with_logits_grad": of(Z, T, reduction="sum"),
    "losses.half_squared_error": of(Z, G),
    "losses.half_squared_error_grad": of(Z, G, reduction="sum"),
    "losses.entropy": of(P, reduction="sum"),
    "losses.kl_divergence": of(P, Y),
    "losses.sigmoid_bce": of(P, T),
    "losses.sigmoid_bce_grad": of(P, T, reduction="sum"),
    "losses.logistic_loss": of(Z, S),
    "losses.logistic_loss_grad": of(Z, S, reduction="sum"),
    "losses.squared_error": of(Z, G, reduction="mean"),
    "losses.squared_error_grad": of(Z, G),
    "losses.mse": of(Z, G),
    "losses.mse_grad": of(Z, G),
    "losses.gaussian_nll": of(Z, G, VARIANCE, full=True),
    "losses.gaussian_nll_grad": of(Z, G, VARIANCE, reduction="sum"),
    "losses.predict_label": of(Z),
    "losses.accuracy": of(Z, K),
    "layers.affine": of(X, W, B),
    "layers.affine_vjp": of(X, W, B, DY),
    "layers.flatten": of(IMAGES),
    "layers.flatten_vjp": of(IMAGES, RNG.standard_normal((3, 120))),
    "layers.residual": of(Z, lambda x: x**3),
    "layers.residual_vjp": of(Z, lambda x, g: 3 * x**2 * g, G),
    "layers.residual_unit": of(X, W, V, activation="tanh"),
    "layers.residual_unit_vjp": of(X, W, V, RNG.standard_normal((4, 5)), activation="tanh"),
    "layers.concatenate_channels": of(IMAGES, PIXELS[:, :2]),
    "layers.concatenate_channels_vjp": of(IMAGES, PIXELS[:, :2], RNG.standard_normal((3, 6, 6, 5))),
    "layers.inception": of(IMAGES, INCEPTION),
    "layers.inception_vjp": of(IMAGES, INCEPTION, RNG.standard_normal((3, 9, 6, 5))),
    "layers.n_inception_parameters": of(in_channels=4, ch1x1=2, ch3x3red=3, ch3x3=2, ch5x5red=1, ch5x5=3, pool_proj=2),
    "convolution.cross_correlate2d": of(MAP, KERNEL),
    "convolution.convolve2d": of(MAP, KERNEL),
    "convolution.conv2d": of(IMAGES, GROUPED, GROUPED_BIAS, **CONVOLVED),
    "convolution.conv2d_vjp": of(IMAGES, GROUPED, GROUPED_BIAS, RNG.standard_normal((3, 6, 4, 2)), **CONVOLVED),
    "convolution.pointwise_conv2d": of(IMAGES, MATRIX, B[:2]),
    "convolution.pointwise_conv2d_vjp": of(IMAGES, MATRIX, B[:2], PIXELS[:, :2]),
    "convolution.output_size": of(size=9, kernel_size=3, stride=2, padding=1, dilation=2),
    "convolution.n_parameters": of(in_channels=4, out_channels=6, kernel_size=(3, 2), groups=2),
    "convolution.n_flops": of(in_channels=4, out_channels=6, kernel_size=(3, 2), output_size=(4, 2), groups=2),
    "convolution.receptive_field": of(kernel_sizes=(3, 2, 3), strides=(1, 2, 1), dilations=(2, 1, 1)),
    "pooling.max_pool2d": of(IMAGES, **POOLED),
    "pooling.max_pool2d_vjp": of(IMAGES, RNG.standard_normal((3, 4, 3, 4)), **POOLED),
    "pooling.avg_pool2d": of(IMAGES, **POOLED, count_include_pad=False),
    "pooling.avg_pool2d_vjp": of(IMAGES, RNG.standard_normal((3, 4, 3, 4)), **POOLED, count_include_pad=False),
    "pooling.global_avg_pool": of(IMAGES),
    "pooling.global_avg_pool_vjp": of(IMAGES, FEATURES),
    "normalization.batch_norm": of(IMAGES, GAIN, SHIFT, eps=0.1),
    "normalization.batch_norm_vjp": of(IMAGES, GAIN, SHIFT, PIXELS, eps=0.1),
    "normalization.batch_norm_when_evaluating": of(IMAGES, GAIN, SHIFT, MEAN, SPREAD, eps=0.1),
    "normalization.batch_norm_when_evaluating_vjp": of(IMAGES, GAIN, SHIFT, MEAN, SPREAD, PIXELS, eps=0.1),
    "normalization.running_statistics": of(IMAGES, MEAN, SPREAD, momentum=0.3),
    "normalization.layer_norm": of(FEATURES, GAIN, SHIFT, eps=0.1),
    "normalization.layer_norm_vjp": of(FEATURES, GAIN, SHIFT, FEATURES[::-1], eps=0.1),
    "normalization.rms_norm": of(FEATURES, GAIN, eps=0.1),
    "normalization.rms_norm_vjp": of(FEATURES, GAIN, FEATURES[::-1], eps=0.1),
    "normalization.group_norm": of(IMAGES, GAIN, SHIFT, num_groups=2, eps=0.1),
    "normalization.group_norm_vjp": of(IMAGES, GAIN, SHIFT, PIXELS, num_groups=2, eps=0.1),
    "regularization.l2_penalty": of(THETA),
    "regularization.l2_penalty_grad": of(THETA),
    "regularization.l1_penalty": of(THETA),
    "regularization.l1_penalty_grad": of(THETA),
    "regularization.weight_decay_step": of(THETA, GRAD, lr=0.3, l2=0.2),
    "regularization.ridge_objective": of(W, X, DY, l2=0.2),
    "regularization.ridge_objective_grad": of(W, X, DY, l2=0.2),
    "regularization.dropout_mask": of(X, ANY, p=0.3),
    "regularization.dropout": of(Z, T, p=0.3),
    "regularization.dropout_vjp": of(Z, T, G, p=0.3),
    "regularization.early_stopping": of(((0.9, THETA), (0.5, GRAD), (0.7, SQUARES)), patience=2),
    "regularization.max_norm": of(W, max_norm=1.5),
    "regularization.clip_by_global_norm": of((W, B), max_norm=1.5),
    "optimizers.sgd": of(THETA, GRAD, lr=0.3),
    "optimizers.momentum": of(THETA, GRAD, MomentumState(SQUARES), lr=0.3, momentum=0.7),
    "optimizers.nesterov": of(THETA, GRAD, MomentumState(SQUARES), lr=0.3, momentum=0.7),
    "optimizers.adagrad": of(THETA, GRAD, AdagradState(SQUARES), lr=0.3, eps=0.2),
    "optimizers.rmsprop": of(THETA, GRAD, RmspropState(SQUARES), lr=0.3, alpha=0.7, eps=0.2),
    "optimizers.adam": of(THETA, GRAD, AdamState(3, GRAD, SQUARES), **ADAM),
    "optimizers.adamw": of(THETA, GRAD, AdamState(3, GRAD, SQUARES), **ADAM, weight_decay=0.4),
    "optimizers.adamax": of(THETA, GRAD, AdamaxState(3, GRAD, SQUARES), **ADAM),
    "optimizers.lion": of(THETA, GRAD, LionState(SQUARES), lr=0.3, betas=(0.7, 0.5), weight_decay=0.4),
    "optimizers.step_lr": of(5, lr=0.3, step_size=2, gamma=0.5),
    "optimizers.exponential_lr": of(5, lr=0.3, gamma=0.5),
    "optimizers.cosine_lr": of(5, lr=0.3, T_max=7, eta_min=0.1),
    "optimizers.warmup_lr": of(2, lr=0.3, total_iters=7, start_factor=0.2),
    "optimizers.momentum_decay": of(2, momentum=0.7, total_iters=7),
    "initialization.fans": of((6, 2, 3, 2)),
    "initialization.normal_fan_in": of((6, 2, 3, 2), ANY, dtype=np.float64),
    "initialization.glorot_normal": of((6, 2, 3, 2), ANY, dtype=np.float64),
    "initialization.glorot_uniform": of((6, 2, 3, 2), ANY, dtype=np.float64),
    "initialization.he_normal": of((6, 2, 3, 2), ANY, dtype=np.float64),
    "initialization.he_uniform": of((6, 2, 3, 2), ANY, dtype=np.float64),
    "initialization.orthogonal": of((6, 2, 3, 2), ANY, gain=1.5, dtype=np.float64),
    "preprocessing.feature_statistics": of(X),
    "preprocessing.channel_statistics": of(IMAGES),
    "preprocessing.mean_image": of(IMAGES),
    "preprocessing.center": of(IMAGES, MEAN),
    "preprocessing.standardize": of(IMAGES, MEAN, SPREAD),
    "preprocessing.feature_range": of(X),
    "preprocessing.minmax": of(FEATURES, MEAN, MEAN + SPREAD),
    "preprocessing.polar_features": of(Z[:, :2]),
    "preprocessing.one_hot": of(K, num_classes=5, dtype=np.float64),
    "preprocessing.random_flip": of(IMAGES, ANY, p=0.6),
    "preprocessing.random_crop": of(IMAGES, ANY, padding=2),
    "preprocessing.add_noise": of(X, ANY, std=0.7),
    "preprocessing.cutout": of(IMAGES, ANY, size=3),
    "preprocessing.mixup": of(X, P, ANY, alpha=0.7),
    "preprocessing.train_validation_test_split": of(20, ANY, validation=0.2, test=0.3),
    "preprocessing.k_fold": of(10, ANY, k=3),
    "ensembles.bootstrap_sample": of(10, ANY, size=7),
    "ensembles.out_of_bag": of(K, n=6),
    "ensembles.bagging": of(10, 5, ANY, n_members=3, max_features=2),
    "ensembles.average_probabilities": of(np.stack([P, Y])),
    "ensembles.majority_vote": of(np.stack([K, K[::-1], K]), num_classes=4),
    "bounds.sample_mean": of(X, SampleMeanState(3, RNG.standard_normal(5))),
    "bounds.hoeffding_bound": of(n=50, t=0.3, low=-1.0, high=2.0),
    "bounds.hoeffding_sample_size": of(t=0.3, delta=0.1, low=-1.0, high=2.0),
    "bounds.hoeffding_interval": of(B, n=50, delta=0.1, low=-1.0, high=2.0),
    "networks.mlp": of(X, LAYERS, activation="tanh"),
    "networks.mlp_forward": of(X, LAYERS, activation="tanh"),
    "networks.mlp_errors": of(LAYERS, CACHE, DY, activation="tanh"),
    "networks.mlp_backward": of(LAYERS, CACHE, DY, activation="tanh"),
    "networks.mlp_vjp": of(X, LAYERS, DY, activation="tanh"),
    "networks.mlp_loss": of(X, LAYERS, T, activation="tanh", head="sigmoid"),
    "networks.mlp_loss_grad": of(X, LAYERS, T, activation="tanh", head="sigmoid"),
    "networks.jacobian_product": of(X, LAYERS, activation="tanh"),
    "networks.gradient_norms": of(X, LAYERS, DY, activation="tanh"),
    "differences.numerical_gradient": of(lambda x: np.sum(x**3), THETA, method="complex"),
    "differences.gradient_check": of(lambda x: np.sum(x**3), 3 * THETA**2, THETA),
    "blocks.predict": of(NETWORK, X),
    "blocks.chain": of(NETWORK, dropout_block(p=0.25)),
    "blocks.residual_block": of(NETWORK),
    "blocks.dense_block": of(5, 3, ANY, dtype=np.float64),
    "blocks.conv_block": of(4, 2, ANY, kernel_size=5, stride=2, padding=1, dtype=np.float64),
    "blocks.batch_norm_block": of(4, momentum=0.4, eps=0.1, dtype=np.float64),
    "blocks.dropout_block": of(p=0.25),
    "blocks.inception_block": of(
        4, ANY, ch1x1=2, ch3x3red=3, ch3x3=2, ch5x5red=1, ch5x5=3, pool_proj=2, dtype=np.float64
    ),
    "blocks.activation_block": of("tanh"),
    "blocks.max_pool_block": of(kernel_size=3),
    "blocks.global_avg_pool_block": of(),
    "blocks.flatten_block": of(),
    "training.softmax_regression": of(W, X, K, l2=0.2),
    "training.softmax_regression_grad": of(W, X, Y, l2=0.2),
    "training.logistic_regression": of(W[:, 0], X, T[:, 0], l2=0.2),
    "training.logistic_regression_grad": of(W[:, 0], X, T[:, 0], l2=0.2),
    "training.linear_classifier": of(X, W, B),
    "training.confusion_matrix": of(K, K[::-1], num_classes=4),
    "training.minibatches": of(10, ANY, batch_size=4),
    "training.random_search": of(lambda x: np.sum(x**2), lambda rng: rng.standard_normal(3), ANY, trials=4),
    "training.gradient_descent": of(lambda x: np.sum(x**2), lambda x: 2 * x, THETA, lr=0.3, steps=3),
    "training.loss_and_grads": of(NETWORK, X, K, ANY, l2=0.2),
    "training.updates": of(NETWORK, X, K, ANY, lr=0.3, epochs=2, batch_size=2, optimizer="momentum", momentum=0.7),
    "training.fit": of(NETWORK, X, K, ANY, lr=0.3, epochs=3, batch_size=2, l2=0.2, validation=(X[::-1], K), patience=2),
}

CALLS |= {  # the same functions on their other ways
    "activations.gelu exact": of(Z),
    "activations.gelu_vjp tanh": of(Z, G, approximate="tanh"),
    "activations.softmax axis": of(Z, axis=0),
    "losses.softmax_cross_entropy classes": of(Z, K, reduction="none"),
    "losses.softmax_cross_entropy_grad mean": of(Z, Y),
    "losses.bce_with_logits none": of(Z, T, reduction="none"),
    "losses.gaussian_nll none": of(Z, G, VARIANCE, reduction="none"),
    "convolution.conv2d plain": of(IMAGES, RNG.standard_normal((2, 4, 1, 1)), B[:2]),
    "pooling.max_pool2d plain": of(IMAGES, kernel_size=1),
    "pooling.avg_pool2d plain": of(IMAGES, kernel_size=1),
    "normalization.batch_norm_vjp table": of(FEATURES, GAIN, SHIFT, FEATURES[::-1], eps=0.1),
    "preprocessing.center image": of(IMAGES, PIXELS[0]),
    "regularization.dropout in use": of(Z, T, p=0.3, training=False),
    "regularization.dropout_vjp in use": of(Z, T, G, p=0.3, training=False),
    "networks.mlp_loss_grad identity": of(X, LAYERS, DY, activation="tanh", head="identity"),
    "networks.mlp_loss_grad softmax": of(X, LAYERS, K, activation="tanh"),
    "networks.jacobian_product of one layer": of(X, LAYERS[:1]),
    "training.updates with Adam": of(NETWORK, X, K, ANY, lr=0.3, epochs=2, optimizer="adam", betas=(0.7, 0.5), eps=0.2),
}


def plain(name: str) -> str:
    """Return the name of the function; in the table a word after it may tell one call from another."""
    return name.partition(" ")[0]


def function(name: str) -> Callable[..., Any]:
    topic, _, tail = plain(name).partition(".")
    return getattr(importlib.import_module(f"reference.{topic}"), tail)  # type: ignore[no-any-return]


def run(name: str, call: Call) -> Any:
    """Call a function with new generators; an iterator is read to its end."""
    result = function(name)(
        *(np.random.default_rng(a.value) if isinstance(a, Seed) else a for a in call.arguments), **call.hyper
    )
    return tuple(result) if isinstance(result, Iterator) else result
