"""The reference against PyTorch on one CPU thread: CPU time, the two sides in turn in one process.

Run: python benchmarks/reference_speed.py [--rounds N] [--only TEXT] [--output FILE.json]. Each row runs ours and theirs
once to warm up and then in turn; its ratio is the median over the rounds of ours / theirs, with the middle half of the
rounds beside it. `goal` is what we aim at, not a condition. PyTorch computes the same results, gradients by autograd.
"""

from __future__ import annotations

import os

# Before NumPy starts its threads.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import gradproof  # noqa: F401  (takes the rooms)
from reference import convolution, layers, losses, networks, normalization, optimizers, pooling, training

torch.set_num_threads(1)
F = torch.nn.functional
RNG = np.random.default_rng(0)
Run = Callable[[], Any]


class Row(NamedTuple):
    """Two sides of one workload."""

    name: str
    goal: float
    ours: Run
    theirs: Run


def normal(*shape: int, dtype: str = "float32") -> Any:
    return RNG.standard_normal(shape).astype(dtype)


def tensor(x: Any, grad: bool = False) -> Any:
    return torch.tensor(x, requires_grad=grad)


def backward(loss: Any, *inputs: Any) -> Any:
    return torch.autograd.grad(loss, inputs)


def loss_rows() -> Iterator[Row]:
    z, labels = normal(100_000, 10), RNG.integers(0, 10, 100_000)
    zt, lt = tensor(z, True), tensor(labels)
    yield Row(
        "softmax cross-entropy, value and gradient, 100,000 × 10", 0.8,
        lambda: (losses.softmax_cross_entropy(z, labels), losses.softmax_cross_entropy_grad(z, labels)),
        lambda: backward(F.cross_entropy(zt, lt), zt),
    )  # fmt: skip
    logits, y = normal(1_000_000), RNG.integers(0, 2, 1_000_000).astype("float32")
    bt, yt = tensor(logits, True), tensor(y)
    yield Row(
        "binary cross-entropy, value and gradient, 1,000,000", 1.5,
        lambda: (losses.bce_with_logits(logits, y), losses.bce_with_logits_grad(logits, y)),
        lambda: backward(F.binary_cross_entropy_with_logits(bt, yt), bt),
    )  # fmt: skip


def layer_rows() -> Iterator[Row]:
    x, w, b = normal(1024, 1024), normal(1024, 1024), normal(1024)
    xt, wt, bt = tensor(x), tensor(w), tensor(b)
    yield Row("affine, 1024³", 1.15, lambda: layers.affine(x, w, b), lambda: torch.addmm(bt, xt, wt))
    for dtype, goal in (("float64", 0.7), ("float32", 2.2)):
        yield convolution_row(dtype, goal)
    yield pooling_row()
    yield batch_norm_row()


def convolution_row(dtype: str, goal: float) -> Row:
    x, w, b = normal(32, 16, 32, 32, dtype=dtype), normal(32, 16, 3, 3, dtype=dtype), normal(32, dtype=dtype)
    g = normal(32, 32, 32, 32, dtype=dtype)
    xt, wt, bt, gt = tensor(x, True), tensor(w, True), tensor(b, True), tensor(g)
    return Row(
        f"conv2d and its gradients, 32×16×32×32, 32 filters, k 3, {dtype}", goal,
        lambda: (convolution.conv2d(x, w, b, padding=1), convolution.conv2d_vjp(x, w, b, g, padding=1)),
        lambda: torch.autograd.grad(F.conv2d(xt, wt, bt, padding=1), (xt, wt, bt), gt),
    )  # fmt: skip


def pooling_row() -> Row:
    x, g = normal(32, 32, 64, 64), normal(32, 32, 32, 32)
    xt, gt = tensor(x, True), tensor(g)
    return Row(
        "max pool 2×2 and its gradient, 32×32×64×64", 0.7,
        lambda: (pooling.max_pool2d(x, kernel_size=2), pooling.max_pool2d_vjp(x, g, kernel_size=2)),
        lambda: torch.autograd.grad(F.max_pool2d(xt, 2), xt, gt),
    )  # fmt: skip


def batch_norm_row() -> Row:
    x, gamma, beta, g = normal(64, 64, 32, 32), normal(64), normal(64), normal(64, 64, 32, 32)
    xt, ct, bt, gt = tensor(x, True), tensor(gamma, True), tensor(beta, True), tensor(g)
    return Row(
        "batch norm and its gradients, 64×64×32×32", 1.0,
        lambda: (normalization.batch_norm(x, gamma, beta), normalization.batch_norm_vjp(x, gamma, beta, g)),
        lambda: torch.autograd.grad(F.batch_norm(xt, None, None, ct, bt, training=True), (xt, ct, bt), gt),
    )  # fmt: skip


def optimizer_rows() -> Iterator[Row]:
    params, grad = normal(1_000_000), normal(1_000_000)
    zeros = np.zeros_like(params)
    small: dict[str, Any] = {"lr": 1e-3}
    ours: dict[str, Run] = {
        "momentum": lambda: optimizers.momentum(params, grad, optimizers.MomentumState(zeros), momentum=0.9, **small),
        "AdaGrad": lambda: optimizers.adagrad(params, grad, optimizers.AdagradState(zeros), **small),
        "RMSProp": lambda: optimizers.rmsprop(params, grad, optimizers.RmspropState(zeros), **small),
        "Adam": lambda: optimizers.adam(params, grad, optimizers.AdamState(3, zeros, zeros), **small),
    }
    theirs: dict[str, Any] = {
        "momentum": lambda p: torch.optim.SGD(p, momentum=0.9, **small),
        "AdaGrad": lambda p: torch.optim.Adagrad(p, **small),
        "RMSProp": lambda p: torch.optim.RMSprop(p, **small),
        "Adam": lambda p: torch.optim.Adam(p, **small),
    }
    for name, run in ours.items():
        weights = torch.nn.Parameter(tensor(params))
        weights.grad = tensor(grad)
        yield Row(f"{name}, 1,000,000 parameters", 1.4, run, theirs[name]([weights]).step)


def epoch_row() -> Row:
    x, labels = normal(100_000, 784), RNG.integers(0, 10, 100_000)
    shapes = ((784, 100), (100, 10))
    start = tuple(networks.Layer(normal(*s) * np.float32(0.05), np.zeros(s[1], "float32")) for s in shapes)
    network = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimizer, xt, lt = torch.optim.SGD(network.parameters(), lr=0.1), tensor(x), tensor(labels)

    def ours() -> None:
        weights = start
        for batch in training.minibatches(len(x), np.random.default_rng(1), batch_size=1_000):
            grads = networks.mlp_loss_grad(x[batch], weights, labels[batch])
            rate = np.float32(0.1)
            weights = tuple(
                networks.Layer(w.W - rate * g.W, w.b - rate * g.b) for w, g in zip(weights, grads, strict=True)
            )

    def theirs() -> None:
        for batch in torch.randperm(len(xt)).split(1_000):
            optimizer.zero_grad()
            F.cross_entropy(network(xt[batch]), lt[batch]).backward()
            optimizer.step()

    return Row("an SGD epoch, 100,000 × batch 1,000 on 784-100-10", 0.9, ours, theirs)


def cpu_seconds(run: Run) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def measured(row: Row, rounds: int) -> dict[str, Any]:
    row.ours(), row.theirs()
    pairs = [(cpu_seconds(row.ours), cpu_seconds(row.theirs)) for _ in range(rounds)]
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    low, ratio, high = statistics.quantiles(ratios, n=4)
    return {
        "name": row.name, "goal": row.goal, "ratio": round(ratio, 2), "middle_half": [round(low, 2), round(high, 2)],
        "ours_ms": round(1000 * min(o for o, _ in pairs), 2), "torch_ms": round(1000 * min(t for _, t in pairs), 2),
    }  # fmt: skip


def copy_bandwidth() -> float:
    """Gigabytes a second that a copy of 256 MB moves: read and written."""
    x = np.zeros(32_000_000)
    y = np.empty_like(x)
    seconds = min(cpu_seconds(lambda: np.copyto(y, x)) for _ in range(5))
    return round(2 * x.nbytes / seconds / 1e9, 1)


def matrix_product() -> float:
    """Gigaflops of a float32 product of two 1024 × 1024 matrices."""
    x = normal(1024, 1024)
    seconds = min(cpu_seconds(lambda: x @ x) for _ in range(5))
    return round(2 * 1024**3 / seconds / 1e9, 1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--only", default="", help="rows whose name holds this text")
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    chosen = options.parse_args()
    rows = []
    for row in (*loss_rows(), *layer_rows(), *optimizer_rows(), epoch_row()):
        if chosen.only not in row.name:
            continue
        rows.append(measured(row, max(2, chosen.rounds)))
        r = rows[-1]
        met = "" if r["ratio"] <= r["goal"] else "  above the goal"
        print(f"{r['name']:66} {r['ratio']:5.2f}  (goal {r['goal']}){met}", flush=True)
    machine = {
        "cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(),
        "numpy": np.__version__, "torch": torch.__version__, "threads": 1,
        "copy_gb_per_second": copy_bandwidth(), "matrix_gflops_float32": matrix_product(),
    }  # fmt: skip
    print(f"a copy moves {machine['copy_gb_per_second']} GB/s, a matrix product makes "
          f"{machine['matrix_gflops_float32']} Gflop/s")  # fmt: skip
    if chosen.output:
        document = {"machine": machine, "rows": rows}
        chosen.output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
