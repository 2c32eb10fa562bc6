"""Fifteen functions, most with a mistake that real submissions make; the report should say which."""

import numpy as np


def sigmoid(z):  # overflows on one side
    return np.exp(z) / (1 + np.exp(z))


def softmax(z, axis=-1, temperature=1.0):  # no shift by the maximum
    e = np.exp(z / temperature)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_vjp(z, cotangent, axis=-1, temperature=1.0):  # only the diagonal of the Jacobian
    s = np.exp(z / temperature) / np.exp(z / temperature).sum(axis=axis, keepdims=True)
    return s * (1 - s) * cotangent / temperature


def relu_vjp(z, cotangent):  # the mask is taken from the wrong array
    return np.where(cotangent > 0, cotangent, 0)


def cross_entropy(p, q, reduction="mean"):  # prediction and truth exchanged
    losses = -(q * np.log(np.where(q > 0, p, 1.0))).sum(axis=1)
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](losses)


def softmax_cross_entropy(logits, labels):  # a logarithm that is kept from zero by a constant
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return -(labels * np.log(e / e.sum(axis=1, keepdims=True) + 1e-7)).sum(axis=1).mean()


def softmax_cross_entropy_grad(logits, labels):  # divides by the classes
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - labels) / logits.shape[1]


def bce_with_logits(logits, labels):  # the sum for the mean: a convention
    return (np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))).sum()


def half_squared_error_grad(predictions, targets):  # the factor of a square that was halved
    return 2 * (predictions - targets) / len(predictions)


def affine(x, W, b):  # computed in float32 inside
    return (x.astype(np.float32) @ W.astype(np.float32) + b).astype(x.dtype)


def affine_vjp(x, W, b, cotangent):  # the bias's gradient is not summed over the rows
    return cotangent @ W.T, x.T @ cotangent, cotangent


def momentum(params, grad, state, lr, momentum=0.9):  # climbs
    (v,) = state
    v = momentum * v + lr * grad
    return params + v, (v,)


def rmsprop(params, grad, state, lr, alpha, eps):  # a hyperparameter that is not read
    (average,) = state
    average = 0.9 * average + 0.1 * grad**2
    return params - lr * grad / (np.sqrt(average) + eps), (average,)


def adam(params, grad, state, lr, betas, eps):  # no bias correction
    t, m, v = state
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    return params - lr * m / (np.sqrt(v) + eps), (t + 1, m, v)


def sgd(params, grad, lr):  # not written yet
    pass


def softmax_regresion(W, x, labels, l2=0.0):  # a name misspelt
    return 0.0
