"""JAX's own functions, and Optax's; in float64 where that is asked."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graders._conform import Documented, Function, reduced, with_gradients

DISTRIBUTIONS = ("jax", "jaxlib", "optax")
JAX = "https://docs.jax.dev/en/latest/_autosummary/{}.html"
OPTAX = "https://optax.readthedocs.io/en/latest/api/{}.html#{}"


def functions() -> dict[str, Documented]:
    """Return JAX's functions by exercise."""
    import jax

    jax.config.update("jax_enable_x64", True)
    forwards, plain, rest = {**_activations(jax), **_arrays(jax), **_sums(jax)}, _counts(jax), _initializations(jax)
    try:
        import optax
    except ImportError:
        pass
    else:
        forwards |= _losses(jax, optax) | _penalties(optax)
        rest |= _optimizers(jax, optax) | _updates(optax) | _schedules(optax)
    arrays = with_gradients(forwards, *_gradients(jax)) | plain
    return {name: replace(there, function=_compiled(jax, there.function)) for name, there in arrays.items()} | rest


def _compiled(jax: Any, function: Function) -> Function:
    """Return a function that JAX compiles as a whole, as in use: operation by operation takes several times as long."""

    @functools.cache
    def having(hyperparameters: tuple[tuple[str, Any], ...]) -> Function:
        compiled: Function = jax.jit(lambda *arrays: function(*arrays, **dict(hyperparameters)))
        return compiled

    def called(*arguments: Any, **keywords: Any) -> Any:
        return having(tuple(keywords.items()))(*arguments)

    return functools.wraps(function)(called)


def _gradients(jax: Any) -> tuple[Any, Any]:
    def vjp(function: Function, count: int) -> Function:
        def pulled(*arguments: Any, **keywords: Any) -> Any:
            *inputs, cotangent = map(jax.numpy.asarray, arguments)
            value, back = jax.vjp(lambda *z: function(*z, *inputs[count:], **keywords), *inputs[:count])
            found = back(cotangent.astype(value.dtype))
            return found[0] if count == 1 else found

        return pulled

    def grad(function: Function, count: int) -> Function:
        def derived(*arguments: Any, **keywords: Any) -> Any:
            inputs = [jax.numpy.asarray(a) for a in arguments]
            found = jax.grad(lambda *z: function(*z, *inputs[count:], **keywords), tuple(range(count)))(*inputs[:count])
            return found[0] if count == 1 else found

        return derived

    return vjp, grad


def _documented(url: str, table: Mapping[str, tuple[str, Function]]) -> dict[str, Documented]:
    return {name: Documented(called, url.format(called), function) for name, (called, function) in table.items()}


def _activations(jax: Any) -> dict[str, Documented]:
    nn = jax.nn
    return _documented(JAX, {
        "activations.sigmoid": ("jax.nn.sigmoid", lambda z: nn.sigmoid(z)),
        "activations.tanh": ("jax.numpy.tanh", lambda z: jax.numpy.tanh(z)),
        "activations.relu": ("jax.nn.relu", lambda z: nn.relu(z)),
        "activations.leaky_relu": ("jax.nn.leaky_relu", lambda z, *, negative_slope: nn.leaky_relu(z, negative_slope)),
        "activations.silu": ("jax.nn.silu", lambda z: nn.silu(z)),
        "activations.softplus": ("jax.nn.softplus", lambda z: nn.softplus(z)),
        "activations.gelu": (
            "jax.nn.gelu", lambda z, *, approximate: nn.gelu(z, approximate=approximate == "tanh"),
        ),
        "activations.softmax": ("jax.nn.softmax", lambda z, *, axis: nn.softmax(z, axis)),
        "activations.log_softmax": ("jax.nn.log_softmax", lambda z, *, axis: nn.log_softmax(z, axis)),
        "activations.logsumexp": ("jax.nn.logsumexp", lambda z, *, axis: nn.logsumexp(z, axis)),
    })  # fmt: skip


def _arrays(jax: Any) -> dict[str, Documented]:
    def conv2d(x: Any, w: Any, b: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
        out = jax.lax.conv_general_dilated(
            x, w, _pair(stride), [(p, p) for p in _pair(padding)], rhs_dilation=_pair(dilation),
            feature_group_count=groups,
        )  # fmt: skip
        return out + b[:, None, None]

    def two_dimensional(function: Function) -> Function:
        return lambda x, w: function(x, w, mode="valid")

    def pointwise_conv2d(x: Any, w: Any, b: Any) -> Any:
        return jax.lax.conv_general_dilated(x, w[:, :, None, None], (1, 1), "VALID") + b[:, None, None]

    def max_pool2d(x: Any, *, kernel_size: Any, stride: Any, padding: Any) -> Any:
        strides = (1, 1, *_pair(kernel_size if stride is None else stride))
        around = ((0, 0), (0, 0), *((p, p) for p in _pair(padding)))
        return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 1, *_pair(kernel_size)), strides, around)

    signal, jnp = jax.scipy.signal, jax.numpy
    return _documented(JAX, {
        "layers.flatten": ("jax.numpy.reshape", lambda x: jnp.reshape(x, (x.shape[0], -1))),
        "layers.concatenate_channels": ("jax.numpy.concatenate", lambda a, b: jnp.concatenate((a, b), axis=1)),
        "convolution.conv2d": ("jax.lax.conv_general_dilated", conv2d),
        "convolution.pointwise_conv2d": ("jax.lax.conv_general_dilated", pointwise_conv2d),
        "convolution.cross_correlate2d": ("jax.scipy.signal.correlate2d", two_dimensional(signal.correlate2d)),
        "convolution.convolve2d": ("jax.scipy.signal.convolve2d", two_dimensional(signal.convolve2d)),
        "pooling.max_pool2d": ("jax.lax.reduce_window", max_pool2d),
        "pooling.global_avg_pool": ("jax.numpy.mean", lambda x: jnp.mean(x, axis=(2, 3))),
    })  # fmt: skip


def _sums(jax: Any) -> dict[str, Documented]:
    special = jax.scipy.special

    def logistic_loss(logits: Any, signs: Any, *, reduction: str) -> Any:
        return reduced(-jax.nn.log_sigmoid(signs * logits), reduction)

    def entropy(p: Any, *, reduction: str) -> Any:
        return reduced(special.entr(p).sum(axis=1), reduction)

    def cross_entropy(p: Any, q: Any, *, reduction: str) -> Any:
        return reduced(-special.xlogy(p, q).sum(axis=1), reduction)

    return _documented(JAX, {
        "losses.logistic_loss": ("jax.nn.log_sigmoid", logistic_loss),
        "losses.entropy": ("jax.scipy.special.entr", entropy),
        "losses.cross_entropy": ("jax.scipy.special.xlogy", cross_entropy),
    })  # fmt: skip


def _counts(jax: Any) -> dict[str, Documented]:
    """Return what the catalogue has no gradient of."""
    jnp = jax.numpy

    def feature_range(x: Any) -> Any:
        return jnp.min(x, axis=0), jnp.max(x, axis=0)

    return _documented(JAX, {
        "losses.predict_label": ("jax.numpy.argmax", lambda logits: jnp.argmax(logits, axis=1)),
        "preprocessing.mean_image": ("jax.numpy.mean", lambda x: jnp.mean(x, axis=0)),
        "preprocessing.feature_statistics": ("jax.numpy.std", lambda x: (jnp.mean(x, axis=0), jnp.std(x, axis=0))),
        "preprocessing.channel_statistics": (
            "jax.numpy.std", lambda x: (jnp.mean(x, axis=(0, 2, 3)), jnp.std(x, axis=(0, 2, 3))),
        ),
        "preprocessing.feature_range": ("jax.numpy.min", feature_range),
        "preprocessing.one_hot": (
            "jax.nn.one_hot", lambda labels, *, num_classes: jax.nn.one_hot(labels, num_classes, dtype="float64"),
        ),
        "ensembles.average_probabilities": ("jax.numpy.mean", lambda probabilities: jnp.mean(probabilities, axis=0)),
        "ensembles.majority_vote": (
            "jax.scipy.stats.mode", lambda labels, *, num_classes: jax.scipy.stats.mode(labels, axis=0).mode,
        ),
    })  # fmt: skip


def _initializations(jax: Any) -> dict[str, Documented]:
    """Return what draws weights: of a dense layer as ours are, (d_in, d_out), and of a convolution (out, in, ...)."""

    def drawn(initializer: str) -> Function:
        def draw(shape: Any, generator: Any, *, dtype: Any = np.float64) -> Any:
            key = jax.random.key(int(generator.integers(2**31)))
            in_axis, out_axis = (0, 1) if len(shape) == 2 else (1, 0)
            make = getattr(jax.nn.initializers, initializer)(in_axis=in_axis, out_axis=out_axis)
            return make(key, shape, np.dtype(dtype))

        return draw

    def orthogonal(shape: Any, generator: Any, *, gain: float = 1.0, dtype: Any = np.float64) -> Any:
        key = jax.random.key(int(generator.integers(2**31)))
        make = jax.nn.initializers.orthogonal(gain)
        return make(key, (shape[0], math.prod(shape[1:])), np.dtype(dtype)).reshape(shape)

    table = {
        "he_normal": "he_normal", "he_uniform": "he_uniform", "glorot_normal": "glorot_normal",
        "glorot_uniform": "glorot_uniform", "normal_fan_in": "lecun_normal",
    }  # fmt: skip
    made = {
        f"initialization.{name}": (f"jax.nn.initializers.{called}", drawn(called)) for name, called in table.items()
    }
    return _documented(JAX, made | {"initialization.orthogonal": ("jax.nn.initializers.orthogonal", orthogonal)})


def _pair(value: Any) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _losses(jax: Any, optax: Any) -> dict[str, Documented]:
    jnp = jax.numpy

    def softmax_cross_entropy(logits: Any, labels: Any, *, reduction: str, label_smoothing: float) -> Any:
        if labels.ndim == 1 and not label_smoothing:
            return reduced(optax.softmax_cross_entropy_with_integer_labels(logits, labels), reduction)
        labels = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype) if labels.ndim == 1 else labels
        return reduced(optax.softmax_cross_entropy(logits, optax.smooth_labels(labels, label_smoothing)), reduction)

    def bce_with_logits(logits: Any, labels: Any, *, reduction: str) -> Any:
        return reduced(optax.sigmoid_binary_cross_entropy(logits, labels), reduction)

    def half_squared_error(predictions: Any, targets: Any, *, reduction: str) -> Any:
        return reduced(jnp.sum(optax.l2_loss(predictions, targets), axis=1), reduction)

    def kl_divergence(p: Any, q: Any, *, reduction: str) -> Any:
        return reduced(optax.kl_divergence(jnp.log(q), p), reduction)

    table: dict[str, tuple[str, Function]] = {
        "losses.softmax_cross_entropy": ("softmax_cross_entropy", softmax_cross_entropy),
        "losses.bce_with_logits": ("sigmoid_binary_cross_entropy", bce_with_logits),
        "losses.mse": (
            "squared_error",
            lambda predictions, targets: jnp.mean(optax.squared_error(predictions, targets)),
        ),
        "losses.half_squared_error": ("l2_loss", half_squared_error),
        "losses.kl_divergence": ("kl_divergence", kl_divergence),
    }
    return {
        name: Documented(f"optax.losses.{called}", OPTAX.format("losses", f"optax.losses.{called}"), function)
        for name, (called, function) in table.items()
    }


def _penalties(optax: Any) -> dict[str, Documented]:
    table: dict[str, tuple[str, Function]] = {
        "regularization.l2_penalty": ("optax.tree.norm", lambda w: optax.tree.norm(w, squared=True)),
        "regularization.l1_penalty": ("optax.tree.norm", lambda w: optax.tree.norm(w, ord=1)),
    }
    return _of_optax("utilities", table)


def _of_optax(page: str, table: Mapping[str, tuple[str, Function]]) -> dict[str, Documented]:
    return {name: Documented(called, OPTAX.format(page, called), f) for name, (called, f) in table.items()}


def _optimizers(jax: Any, optax: Any) -> dict[str, Documented]:
    def stepped(make: Function, given: Function, kept: Function) -> Function:
        """Return a step: `given` puts the exercise's state into Optax's, `kept` takes it out again."""

        def step(params: Any, grad: Any, state: Any, **keywords: Any) -> Any:
            optimizer = make(**keywords)
            start = optimizer.init(params)
            updates, after = optimizer.update(grad, (given(start[0], state), *start[1:]), params)
            return optax.apply_updates(params, updates), kept(after[0])

        return step

    def adam_like(second: str) -> tuple[Function, Function]:
        def given(start: Any, state: Any) -> Any:
            return start._replace(count=np.int32(state.t), mu=state.m, nu=getattr(state, second))

        def kept(after: Any) -> Any:
            return {"t": int(after.count), "m": after.mu, second: after.nu}

        return given, kept

    def sgd(params: Any, grad: Any, *, lr: float) -> Any:
        updates, _ = optax.sgd(lr).update(grad, optax.sgd(lr).init(params), params)
        return optax.apply_updates(params, updates)

    def held(field: str, there: str) -> tuple[Function, Function]:
        return (
            lambda start, state: start._replace(**{there: getattr(state, field)}),
            lambda after: {field: getattr(after, there)},
        )

    def with_betas(make: Function) -> Function:
        return lambda *, lr, betas, **more: make(lr, betas[0], betas[1], **more)

    def typed(step: Function, taken: Function) -> Function:
        """Return a step with the keyword parameters of `taken`."""
        return functools.wraps(taken)(step)

    table: dict[str, tuple[str, Function]] = {
        "optimizers.sgd": ("optax.sgd", sgd),
        "optimizers.momentum": ("optax.sgd", typed(
            stepped(lambda *, lr, momentum: optax.sgd(lr, momentum), *held("velocity", "trace")),
            lambda params, grad, state, *, lr, momentum: None,
        )),
        "optimizers.nesterov": ("optax.sgd", typed(
            stepped(lambda *, lr, momentum: optax.sgd(lr, momentum, nesterov=True), *held("velocity", "trace")),
            lambda params, grad, state, *, lr, momentum: None,
        )),
        "optimizers.rmsprop": ("optax.rmsprop", typed(
            stepped(lambda *, lr, alpha, eps: optax.rmsprop(lr, alpha, eps), *held("square_avg", "nu")),
            lambda params, grad, state, *, lr, alpha, eps: None,
        )),
        "optimizers.adagrad": ("optax.adagrad", typed(
            stepped(lambda *, lr, eps: optax.adagrad(lr, 0.0, eps), *held("sum", "sum_of_squares")),
            lambda params, grad, state, *, lr, eps: None,
        )),
        "optimizers.adam": ("optax.adam", typed(
            stepped(with_betas(lambda lr, b1, b2, eps: optax.adam(lr, b1, b2, eps)), *adam_like("v")),
            lambda params, grad, state, *, lr, betas, eps: None,
        )),
        "optimizers.adamw": ("optax.adamw", typed(
            stepped(
                with_betas(lambda lr, b1, b2, eps, weight_decay: optax.adamw(lr, b1, b2, eps, 0.0, None, weight_decay)),
                *adam_like("v"),
            ),
            lambda params, grad, state, *, lr, betas, eps, weight_decay: None,
        )),
        "optimizers.adamax": ("optax.adamax", typed(
            stepped(with_betas(lambda lr, b1, b2, eps: optax.adamax(lr, b1, b2, eps)), *adam_like("u")),
            lambda params, grad, state, *, lr, betas, eps: None,
        )),
        "optimizers.lion": ("optax.lion", typed(
            stepped(
                with_betas(lambda lr, b1, b2, weight_decay: optax.lion(lr, b1, b2, weight_decay=weight_decay)),
                *held("m", "mu"),
            ),
            lambda params, grad, state, *, lr, betas, weight_decay: None,
        )),
    }  # fmt: skip
    return _of_optax("optimizers", table)


def _updates(optax: Any) -> dict[str, Documented]:
    def clip_by_global_norm(grads: Any, *, max_norm: float) -> Any:
        clipping = optax.clip_by_global_norm(max_norm)
        return clipping.update(list(grads), clipping.init(list(grads)))[0]

    def weight_decay_step(params: Any, grad: Any, *, lr: float, l2: float) -> Any:
        decaying = optax.chain(optax.add_decayed_weights(2 * l2), optax.sgd(lr))
        updates, _ = decaying.update(grad, decaying.init(params), params)
        return optax.apply_updates(params, updates)

    return _of_optax("transformations", {
        "regularization.clip_by_global_norm": ("optax.clip_by_global_norm", clip_by_global_norm),
        "regularization.weight_decay_step": ("optax.add_decayed_weights", weight_decay_step),
    })  # fmt: skip


def _schedules(optax: Any) -> dict[str, Documented]:
    def cosine(step: int, *, lr: float, T_max: int, eta_min: float) -> Any:
        return optax.cosine_decay_schedule(lr, T_max, alpha=eta_min / lr)(step)

    table: dict[str, tuple[str, Function]] = {
        "optimizers.cosine_lr": ("cosine_decay_schedule", cosine),
        "optimizers.exponential_lr": (
            "exponential_decay", lambda step, *, lr, gamma: optax.exponential_decay(lr, 1, gamma)(step),
        ),
        "optimizers.step_lr": (
            "exponential_decay",
            lambda step, *, lr, step_size, gamma: optax.exponential_decay(lr, step_size, gamma, staircase=True)(step),
        ),
        "optimizers.warmup_lr": (
            "linear_schedule",
            lambda step, *, lr, total_iters, start_factor: (
                optax.linear_schedule(lr * start_factor, lr, total_iters)(step)
            ),
        ),
    }  # fmt: skip
    return {
        name: Documented(f"optax.{called}", OPTAX.format("optimizer_schedules", f"optax.schedules.{called}"), function)
        for name, (called, function) in table.items()
    }
