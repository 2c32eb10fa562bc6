"""Autograd's own functions, and its gradients of them."""

from __future__ import annotations

from typing import Any

from graders._conform import Documented, Function, with_gradients

DISTRIBUTIONS = ("autograd",)
URL = "https://github.com/HIPS/autograd/blob/master/{}"


def functions() -> dict[str, Documented]:
    """Return Autograd's functions by exercise."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy import signal, special

    def vjp(function: Function, count: int) -> Function:
        def pulled(*arguments: Any, **keywords: Any) -> Any:
            *inputs, cotangent = arguments
            back, _ = autograd.make_vjp(lambda z: function(*z, *inputs[count:], **keywords))(tuple(inputs[:count]))
            found = back(cotangent)
            return found[0] if count == 1 else found

        return pulled

    def grad(function: Function, count: int) -> Function:
        def derived(*arguments: Any, **keywords: Any) -> Any:
            found = autograd.grad(lambda z: function(*z, *arguments[count:], **keywords))(tuple(arguments[:count]))
            return found[0] if count == 1 else found

        return derived

    def conv(x: Any, w: Any) -> Any:
        return signal.convolve(x, w, mode="valid")

    numpy, scipy = "autograd/numpy/numpy_vjps.py", "autograd/scipy/special.py"
    convolution = "autograd/scipy/signal.py"
    table: dict[str, tuple[str, str, Function]] = {
        "activations.sigmoid": ("autograd.scipy.special.expit", scipy, lambda z: special.expit(z)),
        "activations.logsumexp": (
            "autograd.scipy.special.logsumexp", scipy, lambda z, *, axis: special.logsumexp(z, axis=axis),
        ),
        "activations.tanh": ("autograd.numpy.tanh", numpy, lambda z: anp.tanh(z)),
        "activations.relu": ("autograd.numpy.maximum", numpy, lambda z: anp.maximum(z, 0.0)),
        "activations.softplus": ("autograd.numpy.logaddexp", numpy, lambda z: anp.logaddexp(0.0, z)),
        "layers.affine": ("autograd.numpy.dot", numpy, lambda x, W, b: anp.dot(x, W) + b),
        "layers.flatten": ("autograd.numpy.reshape", numpy, lambda x: anp.reshape(x, (x.shape[0], -1))),
        "layers.concatenate_channels": (
            "autograd.numpy.concatenate", numpy, lambda a, b: anp.concatenate((a, b), axis=1),
        ),
        "pooling.global_avg_pool": ("autograd.numpy.mean", numpy, lambda x: anp.mean(x, axis=(2, 3))),
        "convolution.convolve2d": ("autograd.scipy.signal.convolve", convolution, conv),
        "convolution.cross_correlate2d": (
            "autograd.scipy.signal.convolve", convolution, lambda x, w: conv(x, w[::-1, ::-1]),
        ),
        "losses.mse": (
            "autograd.numpy.mean", numpy, lambda predictions, targets: anp.mean((predictions - targets) ** 2),
        ),
    }  # fmt: skip
    forwards = {name: Documented(called, URL.format(file), f) for name, (called, file, f) in table.items()}
    return with_gradients(forwards, vjp, grad)
