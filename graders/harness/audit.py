"""The grader graded: does it catch every known mistake and name it, and does it let every honest program pass?"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import textwrap
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from graders.harness import cases
from graders.harness.answers import plain_outputs
from graders.harness.compare import Comparison, compare
from graders.harness.exercise import Exercise, Function
from graders.harness.judge import Judged
from graders.harness.key import AnswerKey
from graders.harness.plans import Binding
from graders.harness.verdict import Decision, decide


class Audit(Struct, frozen=True):
    """The power and the fairness of one exercise."""

    name: str
    misconceptions: int
    caught: int
    named: int
    conventions: int
    accepted: int
    mutants: int
    killed: int
    equivalent: int
    honest: int
    rejected: int
    vacuous_cases: int
    not_caught: list[str]
    not_named: list[str]
    survivors: list[str]
    rejects: list[str]
    vacuous: list[str]

    @property
    def sound(self) -> bool:
        """Return whether nothing here needs mending."""
        lost = self.not_caught or self.not_named or self.rejects or self.vacuous
        return not lost and self.accepted == self.conventions


def verdict_on(exercise: Exercise, function: Function, key: AnswerKey) -> Decision:
    """Return the verdict on a trusted function of the reference's signature, called in this process."""
    comparisons = []
    for case in key.cases(exercise):
        answer = key.find(exercise, case)
        assert answer is not None
        try:
            outputs = plain_outputs(exercise, function, case)
        except Exception as error:
            comparisons.append(Comparison(case, answer, {}, np.inf, problem=f"raised {error!r}", raised=True))
        else:
            comparisons.append(compare(case, answer, outputs))
    held = frozenset(cases.signature(exercise.reference).hyperparameters)
    binding = Binding(exercise, function.__name__, lambda case: (), lambda case, returned: {}, held=held)
    return decide(binding, key, Judged(tuple(comparisons)))


def audit(exercise: Exercise, key: AnswerKey) -> Audit:
    """Return how an exercise fares on its own lies, conventions, honest programs and mechanical mutants."""
    not_caught, not_named = [], []
    for wrong in exercise.misconceptions:
        decision = verdict_on(exercise, wrong, key)
        if decision.verdict in ("correct", "convention"):
            not_caught.append(wrong.__name__)
        if wrong.__name__ not in [d.name for d in decision.diagnosis]:
            not_named.append(f"{wrong.__name__}: {decision.verdict}")
    accepted = 0
    for convention in exercise.conventions:
        decision = verdict_on(exercise, convention, key)
        accepted += decision.verdict == "convention" and convention.__name__ == decision.diagnosis[0].name
    rejects = [
        f"{program.__name__}: {decision.verdict}, {decision.reason}"
        for program in (exercise.reference, *exercise.programs)
        if (decision := verdict_on(exercise, program, key)).verdict != "correct"
    ]
    decided = {case.id for case in key.cases(exercise)}
    vacuous = [
        edge.why
        for edge in exercise.edges
        if not any(cases.from_edge(exercise, edge, dtype).id in decided for dtype in cases.dtypes(exercise))
    ]
    mutants = killed = equivalent = 0
    survivors = []
    for described, mutant in mechanical_mutants(exercise.reference):
        mutants += 1
        if verdict_on(exercise, mutant, key).verdict not in ("correct", "convention"):
            killed += 1
        elif _same(exercise, mutant, key):
            equivalent += 1
        else:
            survivors.append(described)
    count = len(exercise.misconceptions)
    return Audit(
        exercise.name, count, count - len(not_caught), count - len(not_named), len(exercise.conventions), accepted,
        mutants, killed, equivalent, 1 + len(exercise.programs), len(rejects), len(vacuous),
        not_caught, not_named, survivors, rejects, vacuous,
    )  # fmt: skip


# ---------------------------------------------------------------- mechanical mutants

_SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a slip of the hand could make of one node."""
    if isinstance(node, ast.BinOp) and type(node.op) in _SWAPS:
        swapped = copy.deepcopy(node)
        swapped.op = _SWAPS[type(node.op)]()
        yield "another operator", swapped
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "no minus", node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        yield "another constant", ast.copy_location(ast.Constant(node.value + 1), node)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
        other = {"log1p": "log", "expm1": "exp", "maximum": "minimum", "max": "min", "sum": "mean", "tanh": "sin"}
        if node.attr in other:
            yield f"{other[node.attr]} for {node.attr}", ast.Attribute(node.value, other[node.attr], node.ctx)


def mechanical_mutants(function: Function) -> Iterator[tuple[str, Function]]:
    """Yield mutants of a function's own text, each with one change; checks of arguments are left alone."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    body = [s for s in definition.body if not isinstance(s, (ast.Expr, ast.Raise))]
    places = [
        (parent, field, index, node)
        for statement in body
        for parent in ast.walk(statement)
        for field, value in ast.iter_fields(parent)
        for index, node in (enumerate(value) if isinstance(value, list) else [(None, value)])
        if isinstance(node, ast.AST) and field != "annotation"
    ]
    for parent, field, index, node in places:
        for described, changed in _changes(node):
            _put(parent, field, index, changed)
            text = f"line {getattr(node, 'lineno', 0)}: {described}: {ast.unparse(parent)[:80]}"
            module = ast.fix_missing_locations(ast.Module([_bare(definition)], []))
            scope = dict(vars(sys.modules[function.__module__]))
            exec(compile(module, f"<mutant of {function.__name__}>", "exec"), scope)  # noqa: S102
            yield text, scope[function.__name__]
            _put(parent, field, index, node)


def _bare(definition: ast.FunctionDef) -> ast.FunctionDef:
    """Return the definition without annotations: they name types that only the checker needs."""
    bare = copy.deepcopy(definition)
    for argument in (*bare.args.args, *bare.args.kwonlyargs, *bare.args.posonlyargs):
        argument.annotation = None
    bare.returns = None
    return bare


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _same(exercise: Exercise, mutant: Function, key: AnswerKey) -> bool:
    """Return whether a mutant returns the very bits of the reference in every case."""
    for case in key.cases(exercise):
        right, other = (plain_outputs(exercise, f, case) for f in (exercise.reference, mutant))
        if any(right[name].tobytes() != other[name].tobytes() for name in right):
            return False
    return True
