"""A failing case as a person sees it: the input, yours, what it should be, and code to paste."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from graders.harness.compare import Comparison
from graders.harness.plans import Binding
from graders.harness.report import Witness
from graders.harness.sandbox.codec import Record


def listed(value: Any) -> Any:
    """Return arrays as nested lists of Python numbers, as JSON carries them."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Record):
        return {name: listed(item) for name, item in value.fields.items()}
    if isinstance(value, tuple):
        return [listed(item) for item in value]
    return value


def literal(value: Any) -> str:
    """Return Python text for a value, to the last digit, in float64 without saying so."""
    if isinstance(value, np.ndarray):
        dtype = "" if value.dtype in (np.float64, np.int64) else f", np.{value.dtype}"
        return f"np.array({value.tolist()!r}{dtype})"
    return repr(value)


def imported(path: str, function: str) -> str:
    """Return the line that brings a function of a file in: an import, or for a name that is none, a run of the file."""
    name = function.rpartition(".")[2]
    file = Path(path)
    if not path or file.suffix == ".ipynb":
        return f"# in the notebook or session that defines {name}:"
    module = function.rpartition(".")[0] if file.suffix != ".py" else file.stem
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", module or ""):
        return f"from {module} import {name}"
    return f"import runpy; {name} = runpy.run_path({file.name!r})[{name!r}]"


def code_of(binding: Binding, comparison: Comparison, path: str) -> str:
    """Return at most eight lines that show the failure, needing NumPy and the student's file only."""
    case = comparison.case
    lines = ["import numpy as np", imported(path, binding.function)]
    call = binding.call_code(case) if binding.call_code else ""
    if not call:
        return ""
    arguments = dict(case.arguments)
    state = arguments.pop("state", None)
    grads = arguments.pop("grads", None)
    if isinstance(state, Record):
        fields = ", ".join(literal(value) for value in state.fields.values())
        names = " ".join(state.fields)
        lines[0] = "import collections, numpy as np"
        lines.append(f"state = collections.namedtuple({state.name!r}, {names!r})({fields})")
    lines += [f"{name} = {literal(value)}" for name, value in arguments.items() if name in call or name == "params"]
    if grads is not None:
        lines += [f"for grad in {literal(grads)}:", f"    params, state = {call}"]
        shown = "params" if comparison.output in ("params", "") else f"state.{comparison.output}"
        should = _should(comparison, whole=False)
    else:
        lines.append(f"result = {call}")
        position = list(comparison.answer.outputs).index(comparison.output) if comparison.output else None
        shown = "result" if position is None else f"result[{position}]"
        should = _should(comparison, whole=True)
    lines.append(f"print({shown})  # should be {should}")
    return "\n".join(lines)


def _should(comparison: Comparison, whole: bool) -> str:
    expected = comparison.answer.outputs[comparison.output or next(iter(comparison.answer.outputs))]
    value = expected.hi if whole or comparison.output not in ("params", "") else expected.hi[-1]
    text = np.array2string(np.asarray(value), precision=8, threshold=12, separator=", ")
    return re.sub(r"\s+", " ", text)


def witness_of(binding: Binding, comparison: Comparison, path: str) -> Witness:
    """Return the witness of a failing comparison."""
    case = comparison.case
    inputs = {name: listed(value) for name, value in {**case.arguments, **case.hyperparameters}.items()}
    element = not comparison.problem
    return Witness(
        inputs=inputs | ({"dtype": case.dtype} if case.dtype != "float64" else {}),
        output=comparison.output,
        index=list(comparison.index),
        got=comparison.got if element else None,
        expected=comparison.expected if element else None,
        allowed=comparison.allowed if element else None,
        problem=comparison.problem,
        code=code_of(binding, comparison, path),
    )
