"""tinygrad's own functions, layers and optimizers, and its gradients of them, on the device that it chooses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders._conform import Documented, Function, Unusable, reduced, units_in_rows, with_gradients

DISTRIBUTIONS = ("tinygrad",)
URL = "https://docs.tinygrad.org/{}/#tinygrad.{}"


def functions() -> dict[str, Documented]:
    """Return tinygrad's functions by exercise; raise `Unusable` where none of its devices computes."""
    import tinygrad

    tinygrad.helpers.PARALLEL.value = 0  # compilers in other processes pay for large kernels, and outlive their work
    tinygrad.helpers.NOOPT.value = 1  # sums in order: to lay out a kernel for speed takes longer than to run it here
    _must_compute(tinygrad)
    raw = {**_elementwise(), **_arrays(), **_losses(), **_normalizations(tinygrad)}
    made = with_gradients(raw, *_gradients(tinygrad))
    taking = functools.partial(_taking_arrays, tinygrad)
    made |= {name: replace(there, function=taking(there.function)) for name, there in raw.items()}
    plain = {name: replace(there, function=taking(there.function)) for name, there in _plain().items()}
    return made | plain | _running(tinygrad) | _optimizers(tinygrad) | _initializations(tinygrad)


def _must_compute(tinygrad: Any) -> None:
    try:
        (tinygrad.Tensor([1.0]) + 1).numpy()
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Unusable(
            f"none of its devices computes here ({said}); its CPU device compiles with clang: "
            "install that, or set the environment variable DEV=PYTHON"
        ) from None


def environment() -> dict[str, str]:
    """Return what its numbers hang on beside its version."""
    import tinygrad

    default = tinygrad.Device.DEFAULT
    return {"tinygrad's device": f"{default} ({type(tinygrad.Device[default].renderer).__name__})"}


def _numpy(value: Any) -> Any:
    return tuple(map(_numpy, value)) if isinstance(value, (tuple, list)) else value.numpy()


def _taking_arrays(tinygrad: Any, function: Function) -> Function:
    def taking(*arrays: Any, **keywords: Any) -> Any:
        return _numpy(function(*(tinygrad.Tensor(np.ascontiguousarray(a)) for a in arrays), **keywords))

    return functools.wraps(function)(taking)


def _gradients(tinygrad: Any) -> tuple[Any, Any]:
    def vjp(function: Function, count: int) -> Function:
        def pulled(*arguments: Any, **keywords: Any) -> Any:
            *inputs, cotangent = (tinygrad.Tensor(np.ascontiguousarray(a)) for a in arguments)
            value = function(*inputs, **keywords)
            found = value.gradient(*inputs[:count], gradient=cotangent.cast(value.dtype).reshape(value.shape))
            return _numpy(found[0] if count == 1 else found)

        return pulled

    def grad(function: Function, count: int) -> Function:
        def derived(*arguments: Any, **keywords: Any) -> Any:
            inputs = [tinygrad.Tensor(np.ascontiguousarray(a)) for a in arguments]
            found = function(*inputs, **keywords).gradient(*inputs[:count])
            return _numpy(found[0] if count == 1 else found)

        return derived

    return vjp, grad


def _documented(page: str, table: dict[str, tuple[str, Function]]) -> dict[str, Documented]:
    return {
        name: Documented(f"tinygrad.{called}", URL.format(page, called), function)
        for name, (called, function) in table.items()
    }


def _elementwise() -> dict[str, Documented]:
    table: dict[str, tuple[str, Function]] = {
        "activations.sigmoid": ("Tensor.sigmoid", lambda z: z.sigmoid()),
        "activations.tanh": ("Tensor.tanh", lambda z: z.tanh()),
        "activations.relu": ("Tensor.relu", lambda z: z.relu()),
        "activations.leaky_relu": (
            "Tensor.leaky_relu", lambda z, *, negative_slope: z.leaky_relu(neg_slope=negative_slope),
        ),
        "activations.silu": ("Tensor.silu", lambda z: z.silu()),
        "activations.softplus": ("Tensor.softplus", lambda z: z.softplus()),
        "activations.gelu": ("Tensor.gelu", lambda z, *, approximate: z.gelu(approximate)),
    }  # fmt: skip
    return _documented("tensor/elementwise", table)


def _arrays() -> dict[str, Documented]:
    def conv2d(x: Any, w: Any, b: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
        return x.conv2d(w, b, groups, stride, dilation, padding)

    def max_pool2d(x: Any, *, kernel_size: Any, stride: Any, padding: Any) -> Any:
        return x.max_pool2d(kernel_size, stride, padding=padding)

    def avg_pool2d(x: Any, *, kernel_size: Any, stride: Any, padding: Any, count_include_pad: bool) -> Any:
        return x.avg_pool2d(kernel_size, stride, padding=padding, count_include_pad=count_include_pad)

    ops: dict[str, tuple[str, Function]] = {
        "activations.softmax": ("Tensor.softmax", lambda z, *, axis: z.softmax(axis)),
        "activations.log_softmax": ("Tensor.log_softmax", lambda z, *, axis: z.log_softmax(axis)),
        "activations.logsumexp": ("Tensor.logsumexp", lambda z, *, axis: z.logsumexp(axis)),
        "layers.affine": ("Tensor.linear", lambda x, W, b: x.linear(W, b)),
        "convolution.conv2d": ("Tensor.conv2d", conv2d),
        "convolution.cross_correlate2d": ("Tensor.conv2d", lambda x, w: x[None, None].conv2d(w[None, None])[0, 0]),
        "convolution.pointwise_conv2d": ("Tensor.conv2d", lambda x, w, b: x.conv2d(w[:, :, None, None], b)),
        "pooling.max_pool2d": ("Tensor.max_pool2d", max_pool2d),
        "pooling.avg_pool2d": ("Tensor.avg_pool2d", avg_pool2d),
        "pooling.global_avg_pool": ("Tensor.mean", lambda x: x.mean((2, 3))),
    }  # fmt: skip
    movement: dict[str, tuple[str, Function]] = {
        "layers.flatten": ("Tensor.flatten", lambda x: x.flatten(1)),
        "layers.concatenate_channels": ("Tensor.cat", lambda a, b: a.cat(b, dim=1)),
    }
    return _documented("tensor/ops", ops) | _documented("tensor/movement", movement)


def _losses() -> dict[str, Documented]:
    def softmax_cross_entropy(logits: Any, labels: Any, *, reduction: str, label_smoothing: float) -> Any:
        return logits.cross_entropy(labels, reduction, label_smoothing)

    table: dict[str, tuple[str, Function]] = {
        "losses.softmax_cross_entropy": ("Tensor.cross_entropy", softmax_cross_entropy),
        "losses.bce_with_logits": (
            "Tensor.binary_crossentropy_logits",
            lambda logits, labels, *, reduction: logits.binary_crossentropy_logits(labels, reduction),
        ),
        "losses.sigmoid_bce": (
            "Tensor.binary_crossentropy",
            lambda probabilities, labels, *, reduction: probabilities.binary_crossentropy(labels, reduction),
        ),
        "losses.logistic_loss": (
            "Tensor.logsigmoid",
            lambda logits, signs, *, reduction: reduced(-(signs * logits).logsigmoid(), reduction),
        ),
    }
    return _documented("tensor/ops", table)


def _plain() -> dict[str, Documented]:
    """Return what the catalogue has no gradient of."""
    table: dict[str, tuple[str, Function]] = {
        "losses.predict_label": ("Tensor.argmax", lambda logits: logits.argmax(1)),
        "preprocessing.mean_image": ("Tensor.mean", lambda x: x.mean(0)),
        "preprocessing.feature_statistics": ("Tensor.std_mean", lambda x: _mean_first(x.std_mean(0, correction=0))),
        "preprocessing.channel_statistics": (
            "Tensor.std_mean", lambda x: _mean_first(x.std_mean((0, 2, 3), correction=0)),
        ),
        "preprocessing.one_hot": ("Tensor.one_hot", lambda labels, *, num_classes: labels.one_hot(num_classes)),
        "ensembles.average_probabilities": ("Tensor.mean", lambda probabilities: probabilities.mean(0)),
    }  # fmt: skip
    return _documented("tensor/ops", table)


def _mean_first(found: Sequence[Any]) -> Sequence[Any]:
    return found[1], found[0]


def _normalizations(tinygrad: Any) -> dict[str, Documented]:
    nn = tinygrad.nn

    def having(layer: Any, **parts: Any) -> Any:
        for name, value in parts.items():
            setattr(layer, name, value)
        return layer

    def batch_norm(x: Any, gamma: Any, beta: Any, *, eps: float) -> Any:
        layer = having(nn.BatchNorm(x.shape[1], eps, track_running_stats=False), weight=gamma, bias=beta)
        return layer(x)

    def batch_norm_when_evaluating(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, *, eps: float) -> Any:
        layer = nn.BatchNorm(x.shape[1], eps)
        with tinygrad.Context(TRAINING=0):
            return having(layer, weight=gamma, bias=beta, running_mean=mean, running_var=var)(x)

    table: dict[str, tuple[str, Function]] = {
        "normalization.batch_norm": ("nn.BatchNorm", batch_norm),
        "normalization.batch_norm_when_evaluating": ("nn.BatchNorm", batch_norm_when_evaluating),
        "normalization.layer_norm": (
            "nn.LayerNorm",
            lambda x, gamma, beta, *, eps: having(nn.LayerNorm(x.shape[-1], eps), weight=gamma, bias=beta)(x),
        ),
        "normalization.rms_norm": (
            "nn.RMSNorm", lambda x, gamma, *, eps: having(nn.RMSNorm(x.shape[-1], eps), weight=gamma)(x),
        ),
        "normalization.group_norm": (
            "nn.GroupNorm",
            lambda x, gamma, beta, *, num_groups, eps: having(
                nn.GroupNorm(num_groups, x.shape[1], eps), weight=gamma, bias=beta
            )(x),
        ),
    }  # fmt: skip
    return _documented("nn", table)


def _running(tinygrad: Any) -> dict[str, Documented]:
    def running_statistics(x: Any, running_mean: Any, running_var: Any, *, momentum: float) -> Any:
        layer = tinygrad.nn.BatchNorm(x.shape[1], affine=False, momentum=momentum)
        layer.running_mean, layer.running_var = (tinygrad.Tensor(a) for a in (running_mean, running_var))
        with tinygrad.Context(TRAINING=1):
            layer(tinygrad.Tensor(np.ascontiguousarray(x)))
        return _numpy((layer.running_mean, layer.running_var))

    return _documented("nn", {"normalization.running_statistics": ("nn.BatchNorm", running_statistics)})


def _optimizers(tinygrad: Any) -> dict[str, Documented]:
    Tensor, optim = tinygrad.Tensor, tinygrad.nn.optim

    def stepped(params: Any, grad: Any, make: Function, given: Function = lambda optimizer: None) -> tuple[Any, Any]:
        """Return the parameters after a step, and the optimizer; `given` puts the state into it before."""
        with tinygrad.Context(DEFAULT_FLOAT=params.dtype.name, TRAINING=1):  # the learning rate has that dtype
            theta = Tensor(params)
            theta.grad = Tensor(grad)
            optimizer = make([theta])
            given(optimizer)
            optimizer.step()
            return theta.numpy(), optimizer

    def sgd(params: Any, grad: Any, *, lr: float) -> Any:
        return stepped(params, grad, lambda thetas: optim.SGD(thetas, lr))[0]

    def weight_decay_step(params: Any, grad: Any, *, lr: float, l2: float) -> Any:
        return stepped(params, grad, lambda thetas: optim.SGD(thetas, lr, weight_decay=2 * l2))[0]

    def with_velocity(nesterov: bool) -> Function:
        def step(params: Any, grad: Any, state: Any, *, lr: float, momentum: float) -> Any:
            def given(optimizer: Any) -> None:
                optimizer.b = [Tensor(-state.velocity)]

            def make(thetas: Any) -> Any:
                return optim.SGD(thetas, lr, momentum, nesterov=nesterov, classic=True)

            after, optimizer = stepped(params, grad, make, given)
            kept = optimizer.b[0].numpy() if momentum else lr * grad  # without momentum it keeps none
            return after, {"velocity": -kept}

        return step

    def adaptive(params: Any, grad: Any, state: Any, betas: tuple[float, float], make: Function) -> Any:
        def given(optimizer: Any) -> None:
            optimizer.m, optimizer.v = [Tensor(state.m)], [Tensor(state.v)]
            optimizer.b1_t, optimizer.b2_t = (
                Tensor(np.array([beta**state.t], np.float32)).is_param_(False) for beta in betas
            )

        after, optimizer = stepped(params, grad, make, given)
        return after, {"t": state.t + 1, "m": optimizer.m[0].numpy(), "v": optimizer.v[0].numpy()}

    def adam(params: Any, grad: Any, state: Any, *, lr: float, betas: tuple[float, float], eps: float) -> Any:
        return adaptive(params, grad, state, betas, lambda thetas: optim.Adam(thetas, lr, *betas, eps))

    def adamw(
        params: Any, grad: Any, state: Any, *, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
    ) -> Any:
        return adaptive(params, grad, state, betas, lambda thetas: optim.AdamW(thetas, lr, *betas, eps, weight_decay))

    table: dict[str, tuple[str, Function]] = {
        "optimizers.sgd": ("nn.optim.SGD", sgd),
        "optimizers.momentum": ("nn.optim.SGD", with_velocity(nesterov=False)),
        "optimizers.nesterov": ("nn.optim.SGD", with_velocity(nesterov=True)),
        "optimizers.adam": ("nn.optim.Adam", adam),
        "optimizers.adamw": ("nn.optim.AdamW", adamw),
        "regularization.weight_decay_step": ("nn.optim.SGD", weight_decay_step),
    }
    return _documented("nn", table)


def _initializations(tinygrad: Any) -> dict[str, Documented]:
    """Return what draws weights: tinygrad counts a row of W for a unit."""

    def drawn(initializer: str, **options: float) -> Function:
        def draw(shape: Any, generator: Any, *, dtype: Any = np.float64) -> Any:
            tinygrad.Tensor.manual_seed(int(generator.integers(2**31)))
            make = getattr(tinygrad.Tensor, initializer)
            kind = getattr(tinygrad.dtypes, np.dtype(dtype).name)
            return units_in_rows(lambda rows: make(*rows, dtype=kind, **options).numpy(), shape)

        return draw

    table: dict[str, tuple[str, Function]] = {
        "initialization.he_normal": ("Tensor.kaiming_normal", drawn("kaiming_normal", a=0.0)),
        "initialization.he_uniform": ("Tensor.kaiming_uniform", drawn("kaiming_uniform", a=0.0)),
        "initialization.glorot_uniform": ("Tensor.glorot_uniform", drawn("glorot_uniform")),
    }
    return _documented("tensor/creation", table)
