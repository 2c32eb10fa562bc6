"""The reference against PyTorch and the machine's limit on one CPU thread: CPU time, both sides in turn in a process.

Run: python benchmarks/reference_speed.py [--rounds N] [--only TEXT] [--output FILE.json]; from the committed file
`docs/make_speed.py` makes a page of the docs. Each row is measured in three fresh processes, where ours and theirs run
once to warm up and then in turn, and the limit after them. A ratio is the median over all rounds of ours / theirs, with
the middle half of the rounds beside it; `goal` is what we aim at, not a condition. PyTorch computes the same results,
gradients by autograd. The limit is a copy of as many bytes as a row must read and write at least, or a matrix product
of as many operations as it must make.
"""

from __future__ import annotations

import os

# Before NumPy starts its threads.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import gradproof  # noqa: F401  (takes the rooms)
from reference import _numerics as numerics
from reference import convolution, layers, losses, networks, normalization, optimizers, pooling, training

torch.set_num_threads(1)
F = torch.nn.functional
RNG = np.random.default_rng(0)
Run = Callable[[], Any]


ROOT = Path(__file__).resolve().parents[1]
PROCESSES = 3


class Limit(NamedTuple):
    """What no program can do without: `run` takes a known share of it."""

    kind: str
    run: Run
    share: float = 1.0


class Row(NamedTuple):
    """The sides of one workload, and why it is slower than its goal where it is."""

    name: str
    goal: float
    ours: Run
    theirs: Run
    limit: Limit
    reason: str = ""


class Faster(NamedTuple):
    """A faster program that stays out of the reference, and why."""

    name: str
    ours: Run
    faster: Run
    why: str


def copy(*arrays: Any) -> Limit:
    """The limit of what reads and writes these arrays once."""
    x = np.zeros(sum(array.nbytes for array in arrays) // 2, np.int8)
    y = np.zeros_like(x)
    return Limit("copy", lambda: np.copyto(y, x))


def product(operations: float, dtype: str = "float32") -> Limit:
    """The limit of so many additions and multiplications: a product of two 1024 × 1024 matrices is a share of them."""
    x = normal(1024, 1024, dtype=dtype)
    return Limit("product", lambda: x @ x, 2 * 1024**3 / operations)


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
        copy(z, labels, z),
    )  # fmt: skip
    logits, y = normal(1_000_000), RNG.integers(0, 2, 1_000_000).astype("float32")
    bt, yt = tensor(logits, True), tensor(y)
    yield Row(
        "binary cross-entropy, value and gradient, 1,000,000", 1.5,
        lambda: (losses.bce_with_logits(logits, y), losses.bce_with_logits_grad(logits, y)),
        lambda: backward(F.binary_cross_entropy_with_logits(bt, yt), bt),
        copy(logits, y, logits),
        "The gradient takes two exponentials, so that it does not cancel where the prediction is good, and both"
        " functions check that the labels are in [0, 1].",
    )  # fmt: skip


def layer_rows() -> Iterator[Row]:
    x, w, b = normal(1024, 1024), normal(1024, 1024), normal(1024)
    xt, wt, bt = tensor(x), tensor(w), tensor(b)
    yield Row(
        "affine, 1024³", 1.15, lambda: layers.affine(x, w, b), lambda: torch.addmm(bt, xt, wt), product(2 * 1024**3),
        "The bias is added in a pass of its own over what OpenBLAS has written.",
    )  # fmt: skip
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
        product(3 * 2 * g.size * w[0].size, dtype),
        "Every window is written out as a column for a product of matrices, and added back tap by tap; PyTorch's"
        " kernels read the image itself.",
    )  # fmt: skip


def pooling_row() -> Row:
    x, g = normal(32, 32, 64, 64), normal(32, 32, 32, 32)
    xt, gt = tensor(x, True), tensor(g)
    return Row(
        "max pool 2×2 and its gradient, 32×32×64×64", 0.7,
        lambda: (pooling.max_pool2d(x, kernel_size=2), pooling.max_pool2d_vjp(x, g, kernel_size=2)),
        lambda: torch.autograd.grad(F.max_pool2d(xt, 2), xt, gt),
        copy(x, g, g, x),
        "The gradient finds the largest entries again, where PyTorch has kept their places.",
    )  # fmt: skip


def batch_norm_row() -> Row:
    x, gamma, beta, g = normal(64, 64, 32, 32), normal(64), normal(64), normal(64, 64, 32, 32)
    xt, ct, bt, gt = tensor(x, True), tensor(gamma, True), tensor(beta, True), tensor(g)
    return Row(
        "batch norm and its gradients, 64×64×32×32", 1.0,
        lambda: (normalization.batch_norm(x, gamma, beta), normalization.batch_norm_vjp(x, gamma, beta, g)),
        lambda: torch.autograd.grad(F.batch_norm(xt, None, None, ct, bt, training=True), (xt, ct, bt), gt),
        copy(x, g, x, x),
        "The gradient computes mean and variance again, the values are centred twice so that a large mean does not"
        " cancel, and each operation is a pass of its own.",
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
    moved = {"momentum": 5, "AdaGrad": 5, "RMSProp": 5, "Adam": 7}  # arrays read and written
    for name, run in ours.items():
        weights = torch.nn.Parameter(tensor(params))
        weights.grad = tensor(grad)
        yield Row(
            f"{name}, 1,000,000 parameters", 1.4, run, theirs[name]([weights]).step, copy(*[params] * moved[name]),
            "A step is pure: it writes new parameters and a new state, and each operation an array of its own; PyTorch"
            " changes both in place.",
        )  # fmt: skip


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

    weights = sum(rows * columns for rows, columns in shapes)
    return Row(
        "an SGD epoch, 100,000 × batch 1,000 on 784-100-10", 0.9, ours, theirs,
        product(2 * len(x) * (2 * weights + 100 * 10)),
        "Gathering the batches and the product with the first weights take most of the time on both sides.",
    )  # fmt: skip


def left_out() -> Iterator[Faster]:
    """Faster programs of what the reference computes, which write into buffers of their own."""
    params, grad = normal(1_000_000), normal(1_000_000)
    zeros = np.zeros_like(params)
    yield Faster(
        "Adam into buffers, 1,000,000 parameters",
        lambda: optimizers.adam(params, grad, optimizers.AdamState(3, zeros, zeros)),
        lambda: adam_into_buffers(params, grad, zeros, zeros),
        "every operation writes into a buffer with `out=`: twenty lines for five formulas",
    )
    x, gamma, beta = normal(64, 64, 32, 32), normal(64), normal(64)
    yield Faster(
        "batch norm into buffers, without its gradients, 64×64×32×32",
        lambda: normalization.batch_norm(x, gamma, beta),
        lambda: batch_norm_into_buffers(x, gamma, beta),
        "the values are centred and scaled in a buffer, and again in the result, by index",
    )


def adam_into_buffers(params: Any, grad: Any, m: Any, v: Any, lr: float = 1e-3, eps: float = 1e-8) -> Any:
    beta1, beta2, t, block = 0.9, 0.999, 4, numerics.CACHED
    new_params, new_m, new_v = np.empty_like(params), np.empty_like(m), np.empty_like(v)
    buffer = np.empty(block, params.dtype)
    rate, shrink = lr / (1 - beta1**t), 1 / (1 - beta2**t)
    for start in range(0, len(params), block):
        at = slice(start, start + block)
        g, p, m_new, v_new = grad[at], new_params[at], new_m[at], new_v[at]
        some = buffer[: len(g)]
        np.multiply(m[at], beta1, out=m_new)
        np.multiply(g, 1 - beta1, out=some)
        np.add(m_new, some, out=m_new)
        np.multiply(v[at], beta2, out=v_new)
        np.multiply(g, g, out=some)
        np.multiply(some, 1 - beta2, out=some)
        np.add(v_new, some, out=v_new)
        np.multiply(v_new, shrink, out=some)
        np.sqrt(some, out=some)
        np.add(some, eps, out=some)
        np.divide(m_new, some, out=some)
        np.multiply(some, rate, out=some)
        np.subtract(params[at], some, out=p)
    return new_params, new_m, new_v


def batch_norm_into_buffers(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    y = np.empty_like(x)
    c = np.empty((x.shape[0], *x.shape[2:]), x.dtype)
    for channel in range(x.shape[1]):
        np.subtract(x[:, channel], np.mean(x[:, channel]), out=c)
        rest = np.mean(c)
        flat = c.ravel()
        r = gamma[channel] / np.sqrt(flat @ flat / flat.size - rest**2 + x.dtype.type(eps))
        np.multiply(c, r, out=c)
        np.add(c, beta[channel] - rest * r, out=y[:, channel])
    return y


def cpu_seconds(run: Run) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def in_turn(*runs: Run, rounds: int) -> list[list[float]]:
    """Return the CPU seconds of each, one list for each round."""
    for run in runs:
        run()
    return [[cpu_seconds(run) for run in runs] for _ in range(rounds)]


def rows() -> Iterator[Row]:
    yield from loss_rows()
    yield from layer_rows()
    yield from optimizer_rows()
    yield epoch_row()


def measured_here(name: str, rounds: int) -> dict[str, Any]:
    """Measure a row, or a faster program that is left out, in this process."""
    for row in rows():
        if row.name == name:
            sides, limit = in_turn(row.ours, row.theirs, rounds=rounds), in_turn(row.limit.run, rounds=rounds)
            return {"rounds": [[*both, *one] for both, one in zip(sides, limit, strict=True)]}
    other = next(faster for faster in left_out() if faster.name == name)
    return {"rounds": in_turn(other.ours, other.faster, rounds=rounds)}


def measured(name: str, rounds: int) -> list[list[float]]:
    """Measure it in fresh processes, and return all rounds."""
    each = max(2, rounds // PROCESSES)
    command = [sys.executable, __file__, "--here", name, "--rounds", str(each)]
    outputs = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout for _ in range(PROCESSES)]
    return [one for output in outputs for one in json.loads(output)["rounds"]]


def quartiles(values: Iterable[float]) -> tuple[float, list[float]]:
    low, middle, high = (round(value, 2) for value in statistics.quantiles(values, n=4))
    return middle, [low, high]


def row_figures(row: Row, rounds: int) -> dict[str, Any]:
    seconds = measured(row.name, rounds)
    ratio, middle_half = quartiles(ours / theirs for ours, theirs, _ in seconds)
    share, _ = quartiles(limit / row.limit.share / ours for ours, _, limit in seconds)
    ours_ms, torch_ms, _ = (round(1000 * statistics.median(side), 2) for side in zip(*seconds, strict=True))
    return {
        "name": row.name, "goal": row.goal, "ratio": ratio, "middle_half": middle_half, "ours_ms": ours_ms,
        "torch_ms": torch_ms, "limit": row.limit.kind, "share_of_limit": share,
        "reason": row.reason if ratio > row.goal else "",
    }  # fmt: skip


def faster_figures(faster: Faster, rounds: int) -> dict[str, Any]:
    ratio, middle_half = quartiles(other / ours for ours, other in measured(faster.name, rounds))
    return {"name": faster.name, "ratio": ratio, "middle_half": middle_half, "why": faster.why}


def cpu() -> str:
    """Return the model of the processor, as Linux knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine() -> dict[str, Any]:
    big, x, x64 = np.zeros(32_000_000), normal(1024, 1024), normal(1024, 1024, dtype="float64")
    other = np.zeros_like(big)
    ((copied, single, double),) = (
        [min(side) for side in zip(*in_turn(lambda: np.copyto(other, big), lambda: x @ x, lambda: x64 @ x64, rounds=7),
                                   strict=True)],
    )  # fmt: skip
    return {
        "cpu": cpu(), "cores": os.cpu_count(), "threads": 1, "python": platform.python_version(),
        "numpy": np.__version__, "torch": torch.__version__,
        "copy_gb_per_second": round(2 * big.nbytes / copied / 1e9, 1),
        "product_gflops_float32": round(2 * 1024**3 / single / 1e9, 1),
        "product_gflops_float64": round(2 * 1024**3 / double / 1e9, 1),
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=45)
    options.add_argument("--only", default="", help="rows whose name holds this text")
    options.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    options.add_argument("--here", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.here:
        print(json.dumps(measured_here(chosen.here, chosen.rounds)))
        return
    document: dict[str, Any] = {"schema": 1, "machine": machine(), "rows": [], "left_out": []}
    for row in rows():
        if chosen.only in row.name:
            figures = row_figures(row, chosen.rounds)
            document["rows"].append(figures)
            low, high = figures["middle_half"]
            print(
                f"{row.name:64} {figures['ratio']:5.2f} ({low:.2f} to {high:.2f}), goal {row.goal:.2f}"
                f"{'' if figures['ratio'] <= row.goal else ', missed'}; "
                f"{figures['share_of_limit']:.0%} of the {figures['limit']}",
                flush=True,
            )
    for faster in left_out():
        if chosen.only in faster.name:
            document["left_out"].append(faster_figures(faster, chosen.rounds))
            print(f"left out: {faster.name:54} {document['left_out'][-1]['ratio']:5.2f} of ours", flush=True)
    if chosen.output:
        chosen.output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
