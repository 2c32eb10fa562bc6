"""Every name of the catalogue, as a careful student writes it: no formula here is the reference's own."""

import numpy as np


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_vjp(z, cotangent):
    return cotangent * sigmoid(z) * sigmoid(-z)


def tanh(z):
    return np.tanh(z)


def tanh_vjp(z, cotangent):
    return cotangent * 4 * sigmoid(2 * z) * sigmoid(-2 * z)


def relu(z):
    return np.where(z > 0, z, 0)


def relu_vjp(z, cotangent):
    return np.where(z > 0, cotangent, 0)


def softmax(z, axis=-1, temperature=1.0):
    e = np.exp((z - z.max(axis=axis, keepdims=True)) / temperature)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_vjp(z, cotangent, axis=-1, temperature=1.0):
    s = softmax(z, axis, temperature)
    return s * (cotangent - (s * cotangent).sum(axis=axis, keepdims=True)) / temperature


def logsumexp(z, axis=-1):
    top = z.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(z - top).sum(axis=axis))


def logsumexp_vjp(z, cotangent, axis=-1):
    return np.expand_dims(cotangent, axis) * softmax(z, axis)


def log_softmax(z, axis=-1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def log_softmax_vjp(z, cotangent, axis=-1):
    return cotangent - softmax(z, axis) * cotangent.sum(axis=axis, keepdims=True)


def reduced(losses, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda each: each}[reduction](losses)


def distribution(logits, labels, label_smoothing):
    n, c = logits.shape
    if labels.ndim == 1:
        hot = np.zeros((n, c), logits.dtype)
        hot[np.arange(n), labels] = 1
        labels = hot
    return (1 - label_smoothing) * labels + label_smoothing / c


def cross_entropy(p, q, reduction="mean"):
    terms = np.where(p > 0, p * np.log(np.where(p > 0, q, 1)), 0)
    return reduced(-terms.sum(axis=1), reduction)


def softmax_cross_entropy(logits, labels, reduction="mean", label_smoothing=0.0):
    y = distribution(logits, labels, label_smoothing)
    return reduced(-(y * log_softmax(logits)).sum(axis=1), reduction)


def softmax_cross_entropy_grad(logits, labels, reduction="mean", label_smoothing=0.0):
    error = softmax(logits) - distribution(logits, labels, label_smoothing)
    return error / len(logits) if reduction == "mean" else error


def bce_with_logits(logits, labels, reduction="mean"):
    losses = np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))
    return reduced(losses, reduction)


def bce_with_logits_grad(logits, labels, reduction="mean"):
    error = sigmoid(logits) - labels
    return error / error.size if reduction == "mean" else error


def half_squared_error(predictions, targets, reduction="mean"):
    return reduced(((predictions - targets) ** 2).sum(axis=1) / 2, reduction)


def half_squared_error_grad(predictions, targets, reduction="mean"):
    error = predictions - targets
    return error / len(error) if reduction == "mean" else error


def affine(x, W, b):
    return x @ W + b


def affine_vjp(x, W, b, cotangent):
    return cotangent @ W.T, x.T @ cotangent, cotangent.sum(axis=0)


def softmax_regression(W, x, labels, l2=0.0):
    return softmax_cross_entropy(x @ W, labels) + l2 * (W**2).sum()


def softmax_regression_grad(W, x, labels, l2=0.0):
    return x.T @ softmax_cross_entropy_grad(x @ W, labels) + 2 * l2 * W


def sgd(params, grad, lr):
    return params - lr * grad


def momentum(params, grad, state, lr, momentum=0.9):
    (v,) = state
    v = momentum * v - lr * grad
    return params + v, (v,)


def adagrad(params, grad, state, lr=0.01, eps=1e-10):
    (total,) = state
    total = total + grad**2
    return params - lr * grad / (np.sqrt(total) + eps), (total,)


def rmsprop(params, grad, state, lr=0.01, alpha=0.99, eps=1e-8):
    (average,) = state
    average = alpha * average + (1 - alpha) * grad**2
    return params - lr * grad / (np.sqrt(average) + eps), (average,)


def adam(params, grad, state, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    t, m, v = state
    t = t + 1
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    m_hat = m / (1 - betas[0] ** t)
    v_hat = v / (1 - betas[1] ** t)
    return params - lr * m_hat / (np.sqrt(v_hat) + eps), (t, m, v)
