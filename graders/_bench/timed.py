"""What is timed, and beside what: functions of submissions, of libraries and of the reference, those that are right.

`--against` names another implementation of the same functions: a file, or another revision of what is timed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import Struct

from graders import _api, _catalogue, _conform
from graders._bench import revisions
from graders._bench.revisions import Tree, Unavailable
from graders._bench.sides import HOME, of_tree, submitted, trusted
from graders._conform import LIBRARIES
from graders.harness import grade as grading
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.exercise import Exercise
from graders.harness.grade import Bound
from graders.harness.judge import Opener, Session, said_of
from graders.harness.plans import Outputs, WrongKind
from graders.harness.report import ExerciseReport
from graders.harness.sandbox.contract import Function, Limits, Loaded, Returned
from graders.harness.speed.rig import Side
from graders.harness.speed.workloads import Workload
from graders.harness.submissions import Unusable, found_at

Chosen = Mapping[str, Exercise]
Start = Callable[[Workload], Side]


@dataclass(frozen=True)
class Timed:
    """A function to be timed: one of a submission or a library, or the reference itself."""

    exercise: Exercise
    submission: str = ""
    function: str = ""
    start: Start | None = None
    """None for the reference."""
    verdict: str = ""
    """Why it is not timed: it is not right, or what it is held against is not."""
    against: Start | None = None
    """What it is held against, if not the reference and PyTorch."""
    trees: tuple[Tree, Tree] | None = None
    """Where both references stand, if it is ours that is held against another revision's."""


class Beside(Struct, frozen=True):
    """What `--against` named."""

    name: str
    commit: str
    """Of a revision; else empty."""
    changed: bool
    """Whether what is timed, in the repository of that revision, has changes that are not committed."""
    numpy: str
    """The version with which the reference of a revision runs; else empty."""


def of_paths(paths: Iterable[str | Path], chosen: Chosen, seed: int, problems: list[str]) -> Iterator[Timed]:
    """Yield the functions at paths that bear names of the catalogue, and those of libraries that are named so."""
    for path in paths:
        if str(path) in LIBRARIES and not Path(path).exists():
            yield from _of_library(str(path), chosen, problems)
        else:
            yield from _submitted(Path(path), chosen, seed, problems)


# ---------------------------------------------------------------- submissions


def _submitted(path: Path, chosen: Chosen, seed: int, problems: list[str]) -> Iterator[Timed]:
    """Yield the functions of submissions that bear names of the catalogue, each with how it is started again."""
    for found in found_at(path):
        if isinstance(found, Unusable):
            problems.append(str(found))
            continue
        report = _api.grade(found.path, only=list(chosen), seed=seed).submissions[0]
        reports = {e.name: e for e in report.exercises}
        bindings = _bound(_api.opener_of(found, _api.ALLOWED), chosen).bindings
        if not bindings:
            problems.append(f"{found.id}: {report.reason or 'no function of it is among the names that are asked for'}")
        for binding in bindings:
            start = functools.partial(submitted, binding, found)
            why = _why_not(reports.get(binding.exercise.name))
            yield Timed(binding.exercise, found.id, binding.function, start, why)


def _why_not(report: ExerciseReport | None) -> str:
    if report is None:
        return "it was not graded"
    return "" if report.verdict == "correct" else f"it is {report.verdict}: {report.reason}"


def _bound(opener: Opener, chosen: Chosen) -> Bound:
    with contextlib.closing(opener(Limits())) as box:
        functions: tuple[Function, ...] = box.loaded.functions if isinstance(box.loaded, Loaded) else ()
        return _catalogue.bind(functions, dict(chosen), box.call)


# ---------------------------------------------------------------- trusted processes


def why_not(exercise: Exercise, start: Start, key: _api.Key) -> str:
    """Return why a function of a trusted process is not right, or "": judged in such a process as it is timed in."""
    side = start(Workload(exercise, "small"))
    session = Session(lambda limits: side.open(), Limits())
    try:
        session.box = side.open()
        if not isinstance(session.box.loaded, Loaded):
            return f"it {said_of(session.box.loaded)}"
        return _why_not(grading.grade_function(session, side.bind(session.box), key, (), ""))
    finally:
        session.close()


@contextlib.contextmanager
def outputs_of(exercise: Exercise, start: Start) -> Iterator[Callable[[Case], Outputs]]:
    """Yield what a function of a trusted process makes of cases; where it fails, that raises `WrongKind`."""
    side = start(Workload(exercise, "small"))
    with contextlib.closing(side.open()) as box:
        binding = side.bind(box)

        def outputs(case: Case) -> Outputs:
            outcomes = box.call(binding.plan(case))
            failed = next((outcome for outcome in outcomes if not isinstance(outcome, Returned)), None)
            if failed is not None:
                raise WrongKind(said_of(failed))
            return binding.outputs(case, [outcome for outcome in outcomes if isinstance(outcome, Returned)])

        yield outputs


def _key() -> _api.Key:
    return _api.Key(_api.PUBLIC_SEED, proved, keeps_seeded=True)


def _of_library(library: str, chosen: Chosen, problems: list[str]) -> Iterator[Timed]:
    """Yield a library's own functions, as `conform` knows them."""
    module = LIBRARIES[library]
    if importlib.util.find_spec(module) is None:
        problems.append(f"{library} is not installed: pip install {library}")
        return
    try:
        functions = importlib.import_module(f"graders._conform._{module}").functions()
    except (_conform.Unusable, ImportError) as error:
        problems.append(f"{library}: {error}")
        return
    there = {name: exercise for name, exercise in chosen.items() if name in functions}
    if not there:
        problems.append(f"{library} has no function for what is asked for; `gradproof conform {library}` shows which")
    key = _key()
    for name, exercise in there.items():
        start = functools.partial(trusted, what=module)
        yield Timed(exercise, library, functions[name].called, start, why_not(exercise, start, key))


# ---------------------------------------------------------------- against another implementation


def against(
    named: str,
    paths: Sequence[str | Path],
    chosen: Chosen,
    seed: int,
    problems: list[str],
    stack: contextlib.ExitStack,
) -> tuple[Iterator[Timed], Beside]:
    """Return what is timed, each function with the one of the same name that it is held against; and what that is.

    A path that exists is another implementation, anything else a revision of the repository in which that stands which
    is timed. Raises `revisions.Unavailable`; what is made for a revision goes with the `stack`.
    """
    if Path(named).exists():
        theirs = list(_submitted(Path(named), chosen, seed, problems))
        there = {t.exercise.name: t.exercise for t in theirs}
        ours = of_paths(paths, chosen, seed, problems) if paths else map(Timed, there.values())
        return _paired(ours, theirs, Path(named).name, problems), Beside(named, "", False, "")
    if paths:
        root = _one_repository(paths)
        tree = stack.enter_context(revisions.taken_out(root, named, _under(root, paths)))
        was = [tree.home / Path(path).resolve().relative_to(root) for path in paths]
        _all_there(tree, was)
        theirs = [one for path in was for one in _submitted(path, chosen, seed, problems)]
        made = _paired(of_paths(paths, chosen, seed, problems), theirs, tree.name, problems)
        return made, Beside(tree.name, tree.commit, revisions.is_changed(root), "")
    tree = revision_of_ours(named, chosen, stack)
    return _of_trees(tree, chosen), beside(tree)


def _paired(ours: Iterable[Timed], theirs: Sequence[Timed], name: str, problems: list[str]) -> Iterator[Timed]:
    """Yield each function of ours that has one of the same name on the other side, with that."""
    of_the_same = {(t.submission, t.exercise.name): t for t in theirs}
    of_any = {t.exercise.name: t for t in reversed(theirs)}
    found = False
    for one in ours:
        other = of_the_same.get((one.submission, one.exercise.name), of_any.get(one.exercise.name))
        if other is None:
            yield replace(one, verdict=f"{name} has no {one.exercise.name}")
            continue
        found = True
        verdict = one.verdict or (other.verdict and f"that of {name} is not right: {other.verdict}")
        yield replace(one, verdict=verdict, against=other.start)
    if not found:
        problems.append(f"{name}: no function of it bears the name of one that is timed")


def _one_repository(paths: Sequence[str | Path]) -> Path:
    for path in paths:
        if not Path(path).exists():
            library = str(path) in LIBRARIES
            what = f"the library {path} has no other revision here; hold it against a FILE" if library else None
            raise Unavailable(what or f"{path}: there is no such file or folder")
    roots = {revisions.repository(Path(path)): path for path in paths}
    if len(roots) > 1:
        found = ", ".join(map(str, roots))
        raise Unavailable(f"expected all paths in one git repository, got {found}: time them one by one")
    return next(iter(roots)).resolve()


def _under(root: Path, paths: Sequence[str | Path]) -> list[str]:
    """Return the entries of the repository's root in which these paths stand; none for the whole of it."""
    parts = [Path(path).resolve().relative_to(root).parts for path in paths]
    return sorted({part[0] for part in parts}) if all(parts) else []


def _all_there(tree: Tree, paths: Iterable[Path]) -> None:
    absent = [os.path.relpath(path, tree.home) for path in paths if not path.exists()]
    if absent:
        raise Unavailable(f"{tree.name} ({tree.commit[:9]}) has no {', '.join(absent)}")


def revision_of_ours(revision: str, chosen: Chosen, stack: contextlib.ExitStack) -> Tree:
    """Return a revision of our own reference, with the Python for it and the chosen names that it has.

    Raises `revisions.Unavailable`; what is made goes with the `stack`.
    """
    try:
        root = revisions.repository(HOME.home)
    except Unavailable:
        raise Unavailable(
            f"{revision!r} is no file, and gradproof is not run from its git repository, so there is no other "
            "revision of the reference; give PATH of your own repository, or --against FILE"
        ) from None
    tree = stack.enter_context(revisions.taken_out(root, revision, ("reference", "pyproject.toml")))
    tree = stack.enter_context(revisions.with_python(tree, HOME.home))
    return revisions.with_names(tree, list(chosen))


def of_revision(exercise: Exercise, tree: Tree | None) -> Start | None:
    """Return how the function of another revision of the reference is started; None if that has none."""
    return functools.partial(of_tree, tree=tree) if tree is not None and exercise.name in tree.names else None


def beside(tree: Tree) -> Beside:
    """Return what a report says of another revision of the reference."""
    return Beside(tree.name, tree.commit, revisions.is_changed(HOME.home), tree.numpy)


def _of_trees(theirs: Tree, chosen: Chosen) -> Iterator[Timed]:
    """Yield our reference's functions with those of another revision, both judged before."""
    key = _key()
    for name, exercise in chosen.items():
        one, other = (functools.partial(of_tree, tree=tree) for tree in (HOME, theirs))
        why = "" if name in theirs.names else f"{theirs.name} has no {name}"
        for tree, start in ((HOME, one), (theirs, other)):
            wrong = "" if why else why_not(exercise, start, key)
            why = why or (wrong and f"that of {tree.name} is not right: {wrong}")
        yield Timed(exercise, "", "", one, why, other, (HOME, theirs))


__all__ = [
    "HOME", "Beside", "Timed", "Unavailable", "against", "of_paths", "beside", "of_revision", "outputs_of",
    "revision_of_ours", "why_not",
]  # fmt: skip
