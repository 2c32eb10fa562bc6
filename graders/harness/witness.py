"""A failing case as a person sees it: the input, yours, what it should be, and code to paste."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Any

import numpy as np

from graders.harness.compare import Comparison
from graders.harness.plans import Binding, literal
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


def imported(path: str, function: str, call: str) -> list[str]:
    """Return the lines that bring a function in: an import, or for a file whose name is none, a run of the file."""
    name = function.rpartition(".")[2]
    name = ", ".join(dict.fromkeys([name, *re.findall(r"\b(\w+_forward)\(", call)]))
    file = Path(path)
    if not path or file.suffix == ".ipynb":
        return [f"# in the notebook or session that defines {name}:"]
    inner = function.rpartition(".")[0]
    module = _dotted(file) + (f".{inner}" if inner else "")
    if all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split(".")):
        return [f"from {module} import {name}"]
    return [f"import runpy; globals().update(runpy.run_path({file.name!r}))"]


def _dotted(file: Path) -> str:
    """Return the name under which a file or package is imported from the folder that its outermost package lies in."""
    parts = [file.stem if file.suffix == ".py" else file.name]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.resolve().name)
        folder = folder.parent
    return ".".join(parts)


def code_of(binding: Binding, comparison: Comparison, path: str) -> str:
    """Return at most eight lines that show the failure, needing NumPy and the student's file only."""
    case, output = comparison.case, comparison.output
    if binding.typed is None:
        return ""
    typed = binding.typed(case)
    arrays = {name: literal(value) for name, value in case.arguments.items()}
    lines = ["import collections, numpy as np" if typed.before else "import numpy as np"]
    if not comparison.problem and comparison.closeness < 1e-6:
        lines[0] += "; np.set_printoptions(precision=17)"
    lines += imported(path, binding.function, typed.call)
    if not typed.state:
        lines += [typed.before] if typed.before else []
        lines += [f"{name} = {value}" for name, value in arrays.items() if re.search(rf"\b{name}\b", typed.call)]
        lines.append(f"result = {typed.call}")
        shown = "result"
    else:
        lines += [typed.before] if typed.before else []
        lines += [
            f"params, {typed.state} = {arrays['params']}, {typed.start}",
            f"for grad in {literal(case.arguments['grads'])}:",
            f"    params, {typed.state} = {typed.call}",
        ]
        lines += [f"    {typed.again}"] if typed.again else []
        shown = "params" if output in ("params", "") else typed.field(output)
    what = f"{output} " if shown == "result" and output else ""
    lines.append(f"print({shown})  # {what}should be {_should(comparison, last=bool(typed.state))}")
    return "\n".join(lines)


def _should(comparison: Comparison, last: bool) -> str:
    """Return the true value of what the code prints: of a trajectory, where it ends."""
    outputs = comparison.answer.outputs
    output = comparison.output or ("params" if "params" in outputs else next(iter(outputs)))
    value = outputs[output].hi
    close = not comparison.problem and comparison.closeness < 1e-6
    if not np.any(outputs[output].allowed) and np.all(np.isfinite(value) & (value == np.round(value))):
        value = value.astype(np.int64)
    text = np.array2string(
        np.asarray(value[-1] if last and output == "params" else value),
        precision=17 if close else 8,
        threshold=12,
        separator=", ",
    )
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
