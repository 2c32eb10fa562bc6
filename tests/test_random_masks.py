"""Dropout that is given a probability and draws its own mask, in the ways in which it is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import gradproof

pytestmark = pytest.mark.skipif(os.name != "posix", reason="submissions are graded in processes apart under POSIX only")

RIGHT = {
    "p": "def dropout(x, p=0.5, training=True):\n    if not training:\n        return x\n"
    "    return x * (np.random.rand(*x.shape) > p) / (1 - p)\n",
    "p is kept": "def dropout(x, p):\n    return x * (np.random.rand(*x.shape) < p) / p\n",
    "with its mask": "def dropout(X, drop_prob):\n    mask = np.random.uniform(0, 1, X.shape) < 1 - drop_prob\n"
    "    return mask * X / (1 - drop_prob), mask\n",
    "keep_prob": "def dropout(a, keep_prob, is_training=True):\n    kept = np.random.rand(*a.shape) < keep_prob\n"
    "    return a * kept / keep_prob if is_training else a\n",
    "a seed": "def dropout(x, rate=0.5, seed=0, training=False):\n    if not training:\n        return x\n"
    "    np.random.seed(seed)\n    return x * (np.random.rand(*x.shape) >= rate) / (1 - rate)\n",
    "a generator": "def dropout_forward(x, p_dropout, rng, inference=False):\n    if inference:\n"
    "        return x, None\n    mask = (rng.random(x.shape) >= p_dropout) / (1 - p_dropout)\n"
    "    return x * mask, mask\n",
    "in place": "def dropout_layer(x, dropout):\n    x *= np.random.binomial(1, 1 - dropout, x.shape) / (1 - dropout)\n"
    "    return x\n",
}
WRONG = {
    "keeps by the wrong p": RIGHT["p"].replace("> p", "< p"),
    "is not scaled": RIGHT["p"].replace(" / (1 - p)", ""),
    "keeps what is to be dropped": RIGHT["with its mask"].replace("1 - drop_prob", "drop_prob"),
    "drops what is to be kept": RIGHT["keep_prob"].replace("keep_prob\n    return", "1 - keep_prob\n    return"),
    "drops always alike": RIGHT["a seed"].replace("seed(seed)", "seed(0)"),
    "drops when it does not train": RIGHT["p"].replace("if not training", "if p < 0"),
    "drops the same of every row": RIGHT["p"].replace("rand(*x.shape)", "rand(*x.shape[1:])"),
    "draws by a normal": RIGHT["p"].replace("rand(", "randn("),
    "drops whole rows": RIGHT["p"].replace("rand(*x.shape)", "rand(x.shape[0], *[1] * (x.ndim - 1))"),
}
UNKNOWN = {
    "a parameter that nobody knows": "def dropout(x, p, shape):\n    return x\n",
    "no probability": "def dropout(x):\n    return x\n",
}


def judged(texts: Mapping[str, str], folder: Path, *names: str) -> dict[str, str]:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(f"import numpy as np\n{text}")
    report = gradproof.grade(folder, seed=0, only=names)
    found = {s.id.removesuffix(".py"): [e.verdict for e in s.exercises] for s in report.submissions}
    return {name: verdicts[0] if verdicts else "" for name, verdicts in found.items()}


def test_dropout_is_judged_by_what_it_drops_and_keeps(tmp_path: Path) -> None:
    verdicts = judged(RIGHT | WRONG, tmp_path, "regularization.dropout")

    assert verdicts == dict.fromkeys(RIGHT, "correct") | dict.fromkeys(WRONG, "wrong")


def test_what_cannot_be_called_is_not_judged(tmp_path: Path) -> None:
    assert judged(UNKNOWN, tmp_path) == dict.fromkeys(UNKNOWN, "")


def test_the_gradient_takes_what_the_function_kept(tmp_path: Path) -> None:
    right = RIGHT["a generator"] + "def dropout_backward(dout, mask):\n    return dout * mask\n"
    wrong = right.replace("dout * mask", "dout")
    verdicts = judged({"right": right, "wrong": wrong}, tmp_path, "regularization.dropout_vjp")

    assert verdicts == {"right": "correct", "wrong": "wrong"}


LAYER = """
class Dropout:
    def __init__(self, p=0.5):
        self.p = p
    def forward(self, x, train=True):
        if not train:
            return x
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask
    def backward(self, dout):
        return dout * self.mask
"""
CLASSIC = """
class Dropout:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio
    def forward(self, x, train_flg=True):
        if train_flg:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1.0 - self.dropout_ratio)
    def backward(self, dout):
        return dout * self.mask
"""
LEAVES = """
class Layer_Dropout:
    def __init__(self, rate):
        self.rate = 1 - rate
    def forward(self, inputs, training):
        if not training:
            self.output = inputs.copy()
            return
        self.binary_mask = np.random.binomial(1, self.rate, size=inputs.shape) / self.rate
        self.output = inputs * self.binary_mask
    def backward(self, dvalues):
        self.dinputs = dvalues * self.binary_mask
"""
ATTRIBUTE = """
class InvertedDropout:
    def __init__(self, keep_prob=0.5, seed=None):
        self.keep_prob, self.training, self.rng = keep_prob, True, np.random.default_rng(seed)
    def __call__(self, x):
        if not self.training:
            return x
        return x * (self.rng.random(x.shape) < self.keep_prob) / self.keep_prob
"""
METHODS = """
class Dropout:
    def __init__(self, prob):
        self.prob, self.on = prob, True
    def train(self):
        self.on = True
    def eval(self):
        self.on = False
    def forward(self, x):
        self.kept = np.random.rand(*x.shape) >= self.prob if self.on else np.ones_like(x)
        return x * self.kept / (1 - self.prob if self.on else 1)
    def backward(self, grad):
        return grad * self.kept / (1 - self.prob)
"""
BOTH = {"dropout": "correct", "dropout_vjp": "correct"}
FORWARDS, NEITHER = BOTH | {"dropout_vjp": "wrong"}, dict.fromkeys(BOTH, "wrong")
LAYERS = {
    "layer": (LAYER, BOTH),
    "classic": (CLASSIC, BOTH),
    "leaves": (LEAVES, BOTH),
    "attribute": (ATTRIBUTE, {"dropout": "correct"}),
    "methods": (METHODS, BOTH),
    "unscaled": (LAYER.replace("(1 - self.p)", "1"), NEITHER),
    "half_classic": (LAYER.replace("return dout * self.mask", "return dout * (self.mask > 0)"), FORWARDS),
    "classic_in_use": (CLASSIC.replace("x * (1.0 - self", "x * (self"), NEITHER),
    "always": (ATTRIBUTE.replace("not self.training", "False"), {"dropout": "wrong"}),
    "swapped": (METHODS.replace(">= self", "< self"), NEITHER),
    "input": (LEAVES.replace("dvalues * self.binary_mask", "self.output"), FORWARDS),
    "rows": (LAYER.replace("rand(*x.shape)", "rand(len(x), *[1] * (x.ndim - 1))"), NEITHER),
}  # fmt: skip


def test_a_layer_of_dropout_is_judged_in_training_and_in_use(tmp_path: Path) -> None:
    for name, (text, _) in LAYERS.items():
        (tmp_path / f"{name}.py").write_text(f"import numpy as np\n{text}")
    report = gradproof.grade(tmp_path, seed=0)

    assert {
        s.id.removesuffix(".py"): {e.name.partition(".")[2]: e.verdict for e in s.exercises} for s in report.submissions
    } == {name: expected for name, (_, expected) in LAYERS.items()}


def test_classic_dropout_is_a_mistake_where_dropout_is_asked_for_by_name(tmp_path: Path) -> None:
    """Then the catalogue's, the inverted one, is the task."""
    (tmp_path / "theirs.py").write_text(f"import numpy as np\n{CLASSIC}")
    (submission,) = gradproof.grade(tmp_path / "theirs.py", seed=0, only=["regularization.dropout"]).submissions

    assert [(e.verdict, [d.name for d in e.diagnosis]) for e in submission.exercises] == [("wrong", ["scales_in_use"])]


def test_a_module_of_torch_drops_too(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = (
        "import torch\nclass MyDropout(torch.nn.Module):\n    def __init__(self, p=0.5):\n        super().__init__()\n"
        "        self.p = p\n    def forward(self, x):\n        if not self.training:\n            return x\n"
        "        return x * (torch.rand_like(x) > self.p) / (1 - self.p)\n"
    )
    for name, says in (("right", text), ("wrong", text.replace(" / (1 - self.p)", ""))):
        (tmp_path / f"{name}.py").write_text(says)
    report = gradproof.grade(tmp_path, seed=0)

    assert {s.id: [e.verdict for e in s.exercises] for s in report.submissions} == {
        "right.py": ["correct"], "wrong.py": ["wrong"],
    }  # fmt: skip
