"""Submissions on a GPU: whether there is one, which functions ran there, and PyTorch's own on it beside them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders import _doctor
from graders._elsewhere import elsewhere
from graders.harness import grade as grading
from graders.harness.answers import Answer
from graders.harness.cases import Case
from graders.harness.certify import library, rival_function
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise
from graders.harness.grade import Bound
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding, run_plain
from graders.harness.report import Device
from graders.harness.report.words import number, one_line
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.visible import device_files

DEVICES = ("cpu", "cuda")
MEND = {
    "PyTorch is not installed": "install it with CUDA, as https://pytorch.org says",
    "built for CPUs only": "install one that is built for CUDA, as https://pytorch.org says",
}
"""What to do, by what stands in the reason why there is no GPU."""


class NoDevice(RuntimeError):
    """There is no such device for submissions here; the message says why, and what to do."""


def found(device: str) -> Device:
    """Return what a device is called; raise `NoDevice` where there is none that submissions can use."""
    if device == "cpu":
        return Device()
    if device not in DEVICES:
        raise ValueError(f"device: expected one of {', '.join(DEVICES)}, got {device!r}")
    name, why = _doctor.gpu()
    if not why and not device_files():
        why = "PyTorch finds one, but the sandbox would not: /dev has no file nvidia0, nvidia1 …"
    if why:
        mend = next((f"{how}, or " for part, how in MEND.items() if part in why), "")
        raise NoDevice(f"there is no GPU to grade on: {why}; {mend}leave --device out to grade on the CPU")
    return Device("cuda", one_line(name))


def versions(device: Device) -> dict[str, str]:
    """Return the versions that what a GPU computes depends on besides."""
    if device.kind == "cpu":
        return {}
    torch = importlib.import_module("torch")
    return {"torch": str(torch.__version__), "cuda": str(torch.version.cuda or torch.version.hip)}


# ---------------------------------------------------------------- PyTorch's own functions there


def rival_comparisons(exercise: Exercise, cases: Sequence[Case], key: AnswerKey, device: str) -> Iterator[Comparison]:
    """Yield how PyTorch's own function does on a device, case by case; what it raises is a problem of the case."""
    torch = library("torch")
    function = rival_function(exercise.rivals["torch"], torch)
    for case in cases:
        answer = key.find(exercise, case)
        assert isinstance(answer, Answer)
        try:
            with elsewhere(torch, device, case.dtype):
                outputs = {name: np.asarray(value) for name, value in run_plain(exercise, function, case).items()}
        except Exception as error:  # whatever a kernel raises that is not there for this dtype
            yield Comparison(case, answer, {}, np.inf, problem=one_line(f"raised {type(error).__name__}: {error}"))
        else:
            yield compare(case, answer, outputs)


# ---------------------------------------------------------------- in a report


class Beside:
    """PyTorch's own errors on a device, found once for each exercise and the hyperparameters that are held."""

    def __init__(self, device: str, key: AnswerKey) -> None:
        self._device, self._key = device, key
        self._known: dict[tuple[str, frozenset[str]], str] = {}

    def said(self, binding: Binding) -> str:
        """Return how PyTorch's own function does where a submission's is judged; nothing if it has none."""
        at = binding.exercise.name, binding.held
        if "torch" not in binding.exercise.rivals or library("torch") is None:
            return ""
        if at not in self._known:
            asked = self._key.cases(binding.exercise, binding.held)
            worst = max(rival_comparisons(binding.exercise, asked, self._key, self._device), key=lambda c: c.ratio)
            self._known[at] = worst.problem or f"{number(worst.ratio, 2)} of the allowed error"
        return f"PyTorch on this device: {self._known[at]}"


def noting(binder: Callable[[Any], Bound], device: str, key: AnswerKey, beside: Beside) -> grading.Binder:
    """Return a binder that says of each function whether it computes on the device, PyTorch's own error beside it."""

    def bound(functions: Any) -> Bound:
        made = binder(functions)
        bindings = tuple(_noted(binding, device, key, beside) for binding in made.bindings)
        return replace(made, bindings=bindings)

    return bound


def _noted(binding: Binding, device: str, key: AnswerKey, beside: Beside) -> Binding:
    asked = (case for case in key.cases(binding.exercise, binding.held) if binding.accepts(case))
    case = next(asked, None)
    if case is None:
        return binding
    there = any(_has_tensors((call.arguments, call.keywords)) for call in binding.plan(case))
    said = [f"computed on {device}", beside.said(binding)] if there else ["takes no tensors: computed on the CPU"]
    return replace(binding, note="; ".join(filter(None, [binding.note, *said])))


def _has_tensors(value: Any) -> bool:
    if isinstance(value, Record):
        return value.name == "torch.Tensor" or _has_tensors(value.fields)
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return isinstance(value, (tuple, list)) and any(map(_has_tensors, value))
