"""The pytest plugin: one item for each exercise that a library has a function for; a self-check, never a grade."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders import _catalogue, _expected, _live
from graders._api import Key, versions
from graders.harness import cases
from graders.harness.cases import Case
from graders.harness.certify import proved
from graders.harness.exercise import Exercise
from graders.harness.narrow import ASKED, Undecided
from graders.harness.precision import NARROW
from graders.harness.report import SHORT, ExerciseReport, hinted
from graders.harness.report.text import one_function
from graders.harness.trials import Trial

Function = Callable[..., Any]
FOLDER = "gradproof"
"""Stands before a library's name in the ids of its items, as the folder of a test file would."""


class FellShort(Exception):
    """A function fell short; the message is the diagnosis."""


class Drawn(Key):
    """The answer key with so many drawn cases for each function, beside the edges."""

    def __init__(self, seed: int, most: int, dtypes: Sequence[str]) -> None:
        super().__init__(seed, proved, dtypes)
        self.most = most
        self._drawn: dict[tuple[str, frozenset[str]], list[Case]] = {}

    def wide(self, exercise: Exercise, held: frozenset[str]) -> list[Case]:
        """Return the edges, and so many drawn cases."""
        if (exercise.name, held) not in self._drawn:
            once = cases.seeded(exercise, self.seed, held)
            rounds = -(-self.most // len(once))
            names = {case.id for case in once}
            edges = [case for case in super().wide(exercise, held) if case.id not in names]
            drawn = cases.seeded(exercise, self.seed, held, rounds)[: self.most]
            self._drawn[exercise.name, held] = edges + [case for case in drawn if self._is_case(exercise, case)]
        return self._drawn[exercise.name, held]

    def drawn(self, exercise: Exercise, held: frozenset[str]) -> list[Case]:
        """Return so many drawn cases in float64, of which narrow ones are made."""
        rounds = -(-self.most // len(cases.regimes(exercise)))
        every = cases.seeded(exercise, self.seed, held, rounds)
        return [case for case in every if case.dtype == "float64"][: self.most]


# ---------------------------------------------------------------- what is graded


def functions_of(library: str) -> dict[str, Function]:
    """Return a module's functions by the names of the exercises they are for: found by name, there or in the topic's.

    Raises `pytest.UsageError` if there is no such module.
    """
    try:
        module = importlib.import_module(library)
    except ImportError as error:
        raise pytest.UsageError(
            f"--gradproof={library}: it cannot be imported ({error}); install it, or set pytest's `pythonpath`"
        ) from None
    found: dict[str, Function] = {}
    for name in _catalogue.names():
        topic, _, bare = name.partition(".")
        for home in (module, _part(module, topic)):
            value = getattr(home, bare, None)
            if callable(value) and not inspect.ismodule(value):
                found.setdefault(name, value)
    return found


def _part(module: Any, topic: str) -> Any:
    """Return a module's part of that name, imported if need be, or None."""
    if not hasattr(module, topic) and hasattr(module, "__path__"):
        wanted = f"{module.__name__}.{topic}"
        try:
            return importlib.import_module(wanted)
        except ModuleNotFoundError as error:
            if error.name != wanted:
                raise
    return getattr(module, topic, None)


def expected_failures(path: Path) -> list[_expected.Expected]:
    """Return the lines of a file of expected failures; raise `pytest.UsageError` for one that says nothing."""
    try:
        return _expected.read(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    except _expected.Unusable as error:
        raise pytest.UsageError(str(error)) from None


# ---------------------------------------------------------------- arrays on their way there and back


def converted(function: Function, hook: Any, narrow: str = "") -> Function:
    """Return a function that is called with the library's arrays, and whose results are NumPy's again.

    With a `narrow` dtype it is given arrays that carry it, and the library those of that dtype.
    """

    def there(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return _live.inside(value, there)
        dtype = narrow if narrow and value.dtype.kind == "f" else value.dtype.name
        plain = value.astype(np.float16) if dtype == "float16" else value
        made = hook.pytest_gradproof_to_array(array=plain, dtype=dtype)
        if made is None and dtype == "bfloat16":
            return value.astype(_live.bfloat16())
        return plain if made is None else made

    @functools.wraps(function)
    def called(*arguments: Any, **keywords: Any) -> Any:
        floats = (a.dtype.name for a in _arrays((arguments, keywords)) if a.dtype.kind == "f")
        dtype = narrow or next(floats, "float64")

        def back(value: Any) -> Any:
            if isinstance(value, (tuple, list, Mapping)):
                return _live.inside(value, back)
            if value is None or isinstance(value, (np.ndarray, np.generic, bool, int, float, str)):
                return _live.as_numpy(value)
            made = hook.pytest_gradproof_from_array(array=value, dtype=dtype)
            return _live.as_numpy(value if made is None else made)

        return back(function(*there(arguments), **there(keywords)))

    return called


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray):
        yield value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (tuple, list)) else ()
    for item in items:
        yield from _arrays(item)


# ---------------------------------------------------------------- pytest's side


class Item(pytest.Item):
    """One exercise for one function of a library."""

    def __init__(
        self, *, plugin: Plugin, functions: Mapping[str, Function], exercise: Exercise | Trial, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.plugin, self.functions, self.exercise = plugin, functions, exercise

    def runtest(self) -> None:
        """Judge the function; raise `FellShort`, with the diagnosis, if it falls short.

        It is skipped where its dtypes decide nothing of it: what was not judged has not passed.
        """
        report = self._on_trial(self.exercise) if isinstance(self.exercise, Trial) else self._on_cases(self.exercise)
        if self.config.option.gradproof_hints:
            report = hinted.one_function(report)
        self.user_properties.append(("verdict", report.verdict))
        if report.diagnosis:
            told = (d.message if d.kind == "hint" else d.name for d in report.diagnosis)
            self.user_properties.append(("diagnosis", ", ".join(told)))
        if report.max_ulp is not None:
            self.user_properties.append(("max_ulp", f"{report.max_ulp:.3g}"))
        if report.verdict in (*SHORT, "unscored"):
            raise FellShort(_text(report, "" if self.plugin.hands_over else self._imported()))

    def _on_cases(self, exercise: Exercise) -> ExerciseReport:
        try:
            judged = self.plugin.judged(self.functions, exercise)
        except _live.Undecidable as error:
            self.user_properties += [(f"{d} decides", said.counted) for d, said in error.undecided.items()]
            # the reason is the error's text: too few cases decide in this dtype, so it has neither passed nor failed
            pytest.skip(str(error))
        self.user_properties += [(f"{d} decides", said.counted) for d, said in judged.undecided.items()]
        return judged.report

    def _on_trial(self, trial: Trial) -> ExerciseReport:
        function = converted(self.functions[trial.name], self.config.hook)
        try:
            return _live.judge_trial(trial, function, self.plugin.key.seed)
        except TypeError as error:
            # the reason is the error's text: which of its parameters is not known, so that it could not be called
            pytest.skip(str(error))

    def _imported(self) -> str:
        """Return a line that imports the function under the exercise's name, if there is one."""
        function, bare = self.functions[self.exercise.name], self.exercise.name.partition(".")[2]
        module, name = getattr(function, "__module__", None), getattr(function, "__name__", "")
        if not module or getattr(sys.modules.get(module), name, None) is not function:
            return ""
        return f"from {module} import {name}" + (f" as {bare}" if name != bare else "")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the diagnosis alone: where in the harness it was raised helps nobody."""
        return str(excinfo.value) if isinstance(excinfo.value, FellShort) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return what stands above a failure."""
        return self.path, None, self.name


def _text(report: ExerciseReport, imported: str) -> str:
    """Return the harness's own words; its code imports the function, and no replay is offered: the case is there."""
    text = re.sub(r"\n +again: gradproof replay \S+", "", one_function(report))
    return re.sub(r"(?m)^# in the notebook or session that defines \w+:$", lambda m: imported or m[0], text)


class Library(pytest.Collector):
    """A library, whose items are the exercises it has functions for, in the catalogue's order."""

    def __init__(self, *, plugin: Plugin, functions: Mapping[str, Function], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.plugin, self.functions = plugin, functions

    def collect(self) -> list[Item]:
        """Return an item for each exercise."""
        made = []
        for name in self.functions:
            exercise = _catalogue.exercises().get(name) or _catalogue.trials()[name]
            item = Item.from_parent(
                self, name=name, plugin=self.plugin, functions=self.functions, exercise=exercise
            )  # fmt: skip
            expected = _expected.first(self.plugin.expected, name)
            if expected is not None:
                # the user's own list of what falls short, each with its reason: strict, so that a mended one fails
                item.add_marker(pytest.mark.xfail(reason=expected.reason, strict=True, raises=FellShort))
            made.append(item)
        return made


class Plugin:
    """What is registered in a run that asks for it."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self.config = config
        self._judged: dict[tuple[int, str], _live.Judged] = {}
        self.hands_over = bool(config.hook.pytest_gradproof_to_array.get_hookimpls())
        self.dtypes = tuple(option.gradproof_dtypes.split(","))
        if not set(self.dtypes) <= set(ASKED):
            raise pytest.UsageError(f"--gradproof-dtypes: expected some of {', '.join(ASKED)}, comma between")
        if "bfloat16" in self.dtypes and not self.hands_over:
            try:
                _live.bfloat16()
            except LookupError as error:
                raise pytest.UsageError(f"--gradproof-dtypes: {error}") from None
        most = option.gradproof_max_examples
        if most is not None and most < 1:
            raise pytest.UsageError("--gradproof-max-examples: expected 1 or more")
        if option.gradproof_seed < 0:
            raise pytest.UsageError("--gradproof-seed: expected 0 or more")
        seed = option.gradproof_seed
        self.key = Key(seed, proved, self.dtypes, True) if most is None else Drawn(seed, most, self.dtypes)
        stack = ExitStack()
        config.add_cleanup(stack.close)
        try:
            stack.enter_context(_catalogue.including(option.gradproof_exercises))
            self.libraries = {library: self._found(library) for library in option.gradproof}
        except _catalogue.UnusableExercises as error:
            raise pytest.UsageError(error.args[0]) from None
        listed = option.gradproof_xfails  # a file of the user's, as array-api-tests has one; often there is none
        self.expected = [] if listed is None else expected_failures(listed)

    def _found(self, library: str) -> dict[str, Function]:
        """Return a library's functions in the catalogue's order, with what its conftest.py says about them."""
        found: dict[str, Function | None] = {**functions_of(library)}
        for given in reversed(self.config.hook.pytest_gradproof_functions(library=library)):
            for name, function in (given or {}).items():
                try:
                    (full,) = _catalogue.chosen_names([name])
                except (_catalogue.UnknownName, ValueError) as error:
                    said = error.args[0] if isinstance(error, LookupError) else f"{name!r} is a pattern"
                    raise pytest.UsageError(f"pytest_gradproof_functions: {said}") from None
                if function is not None and not callable(function):
                    raise pytest.UsageError(f"pytest_gradproof_functions: {name} is {function!r}, and no function")
                found[full] = function
        made = {name: f for name in _catalogue.names() if (f := found.get(name)) is not None}
        if not made:
            raise pytest.UsageError(
                f"--gradproof={library}: it has no function of a name that `gradproof list` shows; "
                "say which are meant in the hook pytest_gradproof_functions"
            )
        return made

    def judged(self, functions: Mapping[str, Function], exercise: Exercise) -> _live.Judged:
        """Return the verdict on a function; that on its forward is made first, for a gradient to be held against."""
        at = id(functions), exercise.name
        if at not in self._judged:
            ahead = exercise.forward or ""
            forward = None
            if ahead in functions:
                with suppress(_live.Undecidable):
                    forward = self.judged(functions, _catalogue.exercises()[ahead])
            function, hook = functions[exercise.name], self.config.hook
            self._judged[at] = _live.judge(
                exercise, converted(function, hook), self.key, self.dtypes, forward,
                lambda _, dtype: converted(function, hook, dtype),
            )  # fmt: skip
        return self._judged[at]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Let a session collect the libraries after its files."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            report.result = [
                *report.result,
                *(
                    Library.from_parent(
                        collector, name=library, nodeid=f"{FOLDER}/{library}", plugin=self, functions=functions,
                        path=self.config.rootpath / FOLDER / library,
                    )
                    for library, functions in self.libraries.items()
                ),
            ]  # fmt: skip
        return report

    def pytest_report_header(self) -> list[str]:
        """Return what was asked, of what."""
        of = len(_catalogue.names())
        return [
            f"gradproof {versions()['gradproof']}: {library} has {len(functions)} of {of} functions; "
            f"seed {self.key.seed}; {', '.join(self.dtypes)}; a self-check, not a grade"
            for library, functions in self.libraries.items()
        ]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many verdicts there are of each kind, which conventions were accepted, and what was expected."""
        verdicts: Counter[str] = Counter()
        conventions = []
        decided: dict[str, dict[str, Undecided]] = {dtype: {} for dtype in self.dtypes if dtype in NARROW}
        for reports in terminalreporter.stats.values():
            for report in reports:
                told = dict(getattr(report, "user_properties", ()))
                if getattr(report, "when", "") != "call" or not report.nodeid.startswith(f"{FOLDER}/"):
                    continue
                verdicts[told.get("verdict", "")] += 1
                for dtype, known in decided.items():
                    if counted := told.get(f"{dtype} decides"):
                        known[report.nodeid.partition("::")[2]] = Undecided.of(counted)
                if told.get("verdict") == "convention":
                    of = report.nodeid.partition("::")[2]
                    conventions.append(f"{of}: {told['diagnosis']}" if "diagnosis" in told else of)
        del verdicts[""]
        if verdicts or any(decided.values()):
            terminalreporter.section("gradproof", sep="-")
            if verdicts:
                terminalreporter.line(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))
            for dtype, known in decided.items():
                terminalreporter.line(f"{dtype}: {sum(known.values(), Undecided())}")
                for name, said in sorted(known.items()):
                    if said.cases:
                        terminalreporter.line(f"  {name}: {said}")
            for line in sorted(conventions):
                terminalreporter.line(f"another documented definition, accepted: {line}")
        names = [name for functions in self.libraries.values() for name in functions]
        for expected in self.expected:
            if not any(map(expected.fits, names)):
                # a line that fits nothing is a slip of the pen, or stands for what is gone
                where = f"{self.config.option.gradproof_xfails}, line {expected.line}"
                found = " and ".join(self.libraries)
                terminalreporter.line(
                    f"{where}: {expected.pattern} is expected to fall short, and in {found} there is no such function; "
                    "take the line out, or say in the hook pytest_gradproof_functions which function it is"
                )
