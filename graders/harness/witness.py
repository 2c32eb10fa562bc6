"""A failing case as a person sees it: the input, yours, what it should be, and code to paste."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Any

import numpy as np

from graders.harness.answers import plain_outputs
from graders.harness.compare import Comparison
from graders.harness.exercise import Exercise
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
    inner, _, name = function.rpartition(".")
    kind = inner.rpartition(".")[2]
    if kind and f"{kind}.{name}(" in call:  # a static method comes with its class
        inner, name = inner.rpartition(".")[0], kind
    name = ", ".join(dict.fromkeys([name, *re.findall(r"\b(\w+_forward)\(", call)]))
    file = Path(path)
    if not path or file.suffix == ".ipynb":
        return [f"# in the notebook or session that defines {name}:"]
    module = _dotted(file) + (f".{inner}" if inner else "")
    if file.suffix != ".py" and not file.name.isidentifier() and inner:  # a folder that is no package by its name
        module = inner
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
    arrays = {name: _literal(value, case.dtype) for name, value in case.arguments.items()}
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
        grads = _literal(case.arguments["grads"][: _steps(comparison)], case.dtype)
        lines += [typed.before] if typed.before else []
        lines += [
            f"params, {typed.state} = {arrays['params']}, {typed.start}",
            f"for grad in {grads}:",
            f"    params, {typed.state} = {typed.call}",
        ]
        lines += [f"    {typed.again}"] if typed.again else []
        shown = "params" if output in ("params", "") else typed.field(output)
    what = f"{output} " if shown == "result" and output else ""
    lines.append(f"print({shown})  # {what}should be {_should(binding.exercise, comparison, bool(typed.state))}")
    return "\n".join(lines)


def _steps(comparison: Comparison) -> int:
    """Return after how many steps of an optimizer the element is seen: after all of them, if it is of its state."""
    every = len(comparison.case.arguments["grads"])
    return comparison.index[0] + 1 if comparison.output in ("params", "") and comparison.index else every


def _literal(value: Any, dtype: str) -> str:
    """Return Python text for an argument, in the dtype that it is asked in: float16 is carried in float32."""
    text = literal(value)
    return text.replace("np.float32", "np.float16") if dtype == "float16" else text


def _should(exercise: Exercise, comparison: Comparison, unrolled: bool) -> str:
    """Return the true value of what the code prints, as NumPy prints it: of a trajectory, where the code ends."""
    outputs = comparison.answer.outputs
    output = comparison.output or ("params" if "params" in outputs else next(iter(outputs)))
    close = not comparison.problem and comparison.closeness < 1e-6
    with np.errstate(over="ignore"):
        value = outputs[output].hi.astype(plain_outputs(exercise, exercise.reference, comparison.case)[output].dtype)
    one = np.asarray(value[_steps(comparison) - 1] if unrolled and output == "params" else value)
    text = re.sub(r"\s+", " ", np.array2string(one, precision=17 if close else 8, threshold=12))
    return text if one.shape else re.sub(r"\.$", ".0", text.replace(".e", "e"))  # a number by itself is not an array


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
