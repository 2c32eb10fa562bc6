"""PyTorch's own functions as a submission: they earn full marks, or the grader is unfair.

Run: gradproof grade examples/pytorch.py (PyTorch must be installed).
"""

import numpy as np
import torch
import torch.nn.functional as F


def tensor(array):
    return torch.from_numpy(np.array(array))


def vjp(function, arguments, cotangent=None):
    leaves = [tensor(a).requires_grad_() for a in arguments]
    function(*leaves).backward(None if cotangent is None else tensor(cotangent))
    return tuple(leaf.grad.numpy() for leaf in leaves)


def sigmoid(z):
    return torch.sigmoid(tensor(z)).numpy()


def sigmoid_vjp(z, cotangent):
    return vjp(torch.sigmoid, (z,), cotangent)[0]


def tanh(z):
    return torch.tanh(tensor(z)).numpy()


def tanh_vjp(z, cotangent):
    return vjp(torch.tanh, (z,), cotangent)[0]


def relu(z):
    return F.relu(tensor(z)).numpy()


def relu_vjp(z, cotangent):
    return vjp(F.relu, (z,), cotangent)[0]


def softmax(z, *, axis=-1, temperature=1.0):
    return F.softmax(tensor(z) / temperature, axis).numpy()


def softmax_vjp(z, cotangent, *, axis=-1, temperature=1.0):
    return vjp(lambda t: F.softmax(t / temperature, axis), (z,), cotangent)[0]


def log_softmax(z, *, axis=-1):
    return F.log_softmax(tensor(z), axis).numpy()


def log_softmax_vjp(z, cotangent, *, axis=-1):
    return vjp(lambda t: F.log_softmax(t, axis), (z,), cotangent)[0]


def logsumexp(z, *, axis=-1):
    return torch.logsumexp(tensor(z), axis).numpy()


def logsumexp_vjp(z, cotangent, *, axis=-1):
    return vjp(lambda t: torch.logsumexp(t, axis), (z,), cotangent)[0]


def softmax_cross_entropy(logits, labels, *, reduction="mean", label_smoothing=0.0):
    return F.cross_entropy(tensor(logits), tensor(labels), reduction=reduction, label_smoothing=label_smoothing).numpy()


def softmax_cross_entropy_grad(logits, labels, *, reduction="mean", label_smoothing=0.0):
    return vjp(
        lambda t: F.cross_entropy(t, tensor(labels), reduction=reduction, label_smoothing=label_smoothing), (logits,)
    )[0]


def bce_with_logits(logits, labels, *, reduction="mean"):
    return F.binary_cross_entropy_with_logits(tensor(logits), tensor(labels), reduction=reduction).numpy()


def bce_with_logits_grad(logits, labels, *, reduction="mean"):
    return vjp(lambda t: F.binary_cross_entropy_with_logits(t, tensor(labels), reduction=reduction), (logits,))[0]


def half_squared_error(predictions, targets):
    return (F.mse_loss(tensor(predictions), tensor(targets), reduction="sum") / 2 / len(predictions)).item()


def affine(x, W, b):
    return F.linear(tensor(x), tensor(W).T, tensor(b))


def affine_vjp(x, W, b, cotangent):
    return vjp(lambda x, W, b: F.linear(x, W.T, b), (x, W, b), cotangent)


def step(optimizer, params, grad, before, **hyperparameters):
    p = torch.nn.Parameter(tensor(params))
    p.grad = tensor(grad)
    made = optimizer([p], **hyperparameters)
    made.state[p] = {k: torch.tensor(float(v)) if k == "step" else tensor(v) for k, v in before.items()}
    made.step()
    return p.detach().numpy(), made.state[p]


def sgd(params, grad, *, lr):
    return step(torch.optim.SGD, params, grad, {}, lr=lr)[0]


def adagrad(params, grad, state, *, lr, eps):
    before = {"step": 0, "sum": state.sum}
    params, after = step(torch.optim.Adagrad, params, grad, before, lr=lr, eps=eps)
    return params, {"sum": after["sum"]}


def rmsprop(params, grad, state, *, lr, alpha, eps):
    before = {"step": 0, "square_avg": state.square_avg}
    params, after = step(torch.optim.RMSprop, params, grad, before, lr=lr, alpha=alpha, eps=eps)
    return params, {"square_avg": after["square_avg"]}


def adam(params, grad, state, *, lr, betas, eps):
    before = {"step": state.t, "exp_avg": state.m, "exp_avg_sq": state.v}
    params, after = step(torch.optim.Adam, params, grad, before, lr=lr, betas=betas, eps=eps)
    return params, {"t": int(after["step"]), "m": after["exp_avg"], "v": after["exp_avg_sq"]}
