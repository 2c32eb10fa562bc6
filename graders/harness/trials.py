"""Functions that have no one right answer: those that draw at random, and those that are given functions.

A trial calls a function in some settings, several times where that matters, each time with another seed, and observes
what comes back: what must hold for every draw, and what may be as far off as chance explains (`observations`). The same
observations of a known mistake, run by the grader, diagnose a function that falls short.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from graders.harness.compare import as_array
from graders.harness.diagnose import told
from graders.harness.exercise import Function
from graders.harness.judge import Session, returned_nothing, said_of
from graders.harness.observations import Misshapen, Observation, agree, every, joined
from graders.harness.plans import WrongKind, by_name, said
from graders.harness.report import Diagnosis, Verdict
from graders.harness.sandbox.child import plain
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.contract import Call, Killed, Outcome, Raised, Returned, TimedOut
from graders.harness.sandbox.given import GIVEN
from graders.harness.verdict import UNFILLED, incompatible

LARGEST = 1 << 21
"""Bytes that are read of a draw."""
GENERATOR = "generator"
"""What the reference calls the source of its random numbers."""
TOLD = 3
"""Observations that a reason names."""


@dataclass(frozen=True)
class Setting:
    """A way of calling: arguments by name, without the generator, and how many draws are made with them."""

    why: str
    arguments: Mapping[str, Any]
    draws: int = 1
    extreme: bool = False
    """Whether a function that is right otherwise may break here: then it is unstable, and not wrong."""
    optional: bool = False
    """Whether a function may refuse it by raising, as one for dense layers refuses a kernel."""


Observe = Callable[[Setting, Sequence[Any]], Iterable[Observation]]
"""Says what is seen of the draws of a setting; raises `Misshapen` or `WrongKind` for what is no draw."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Ties what belongs to one name, for a function that is judged by its properties: see `Exercise`.

    Every function here has the signature of `reference`.
    """

    reference: Function
    settings: tuple[Setting, ...]
    observe: Observe
    misconceptions: tuple[Function, ...] = ()
    conventions: tuple[Function, ...] = ()
    programs: tuple[Function, ...] = ()

    @functools.cached_property
    def topic(self) -> str:
        """Return the file in which the reference stands."""
        return self.reference.__module__.rpartition(".")[2]

    @functools.cached_property
    def name(self) -> str:
        """Return the identity of the trial everywhere: `initialization.he_normal`."""
        return f"{self.topic}.{self.reference.__name__}"

    @functools.cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Return what the reference takes."""
        return inspect.signature(self.reference).parameters

    @property
    def random(self) -> bool:
        """Return whether it draws at random."""
        return GENERATOR in self.parameters


@dataclass(frozen=True)
class TrialBinding:
    """A function of a submission, and the trial it is to be judged by."""

    trial: Trial
    function: str
    """What the report calls it: the submission's own name."""
    plan: Callable[[Setting, int], tuple[Call, ...]]
    """The calls of one draw, with that seed."""
    draw: Callable[[Setting, Sequence[Returned]], Any]
    """What the reference would have returned, of what came back."""
    accepts: Callable[[Setting], bool] = lambda setting: True
    seeded: bool = True
    """Whether it is given a generator or a seed."""
    note: str = ""
    typed: Callable[[Setting, int], str] | None = None
    """A draw as a person would type it."""
    others: tuple[TrialBinding, ...] = ()
    """Other ways in which it may want to be called: it is judged by the first that returns something."""


# ---------------------------------------------------------------- forms


def array(draw: Any, shape: tuple[int, ...] | None = None, what: str = "the result") -> np.ndarray[Any, Any]:
    """Return what was drawn as an array of floats; raise `WrongKind` or `Misshapen` for anything else."""
    made = as_array(draw.astype(np.int8) if isinstance(draw, np.ndarray) and draw.dtype == bool else draw)
    if made is None:
        raise WrongKind(f"{what} is {said(draw)}, expected an array")
    if shape is not None and made.shape != shape:
        raise Misshapen(f"{what} has shape {made.shape}, expected {shape}")
    return made.astype(float)


def indices(draw: Any, what: str = "the result") -> np.ndarray[Any, Any]:
    """Return what was drawn as a row of indices; raise `WrongKind` or `Misshapen` for anything else."""
    draw = np.zeros(0) if isinstance(draw, (list, tuple)) and not draw else draw
    made = array(list(draw) if isinstance(draw, tuple) else draw, None, what)
    if made.ndim != 1:
        raise Misshapen(f"{what} has shape {made.shape}, expected a row of indices")
    if not np.array_equal(made, np.round(made)):
        raise Misshapen(f"{what} holds {made[made != np.round(made)][0]:.4g}, expected indices")
    return made.astype(np.int64)


def parts(draw: Any, names: tuple[str, ...], what: str = "the result") -> list[Any]:
    """Return the parts of what was drawn, by name or in this order; raise `WrongKind` or `Misshapen`."""
    if isinstance(draw, Mapping):
        return list(by_name(draw, names, what).values())
    if not isinstance(draw, (tuple, list)):
        raise WrongKind(f"{what} is {said(draw)}, expected {len(names)} values: {', '.join(names)}")
    if len(draw) != len(names):
        raise Misshapen(f"{what} holds {len(draw)} values, expected {len(names)}: {', '.join(names)}")
    return list(draw)


def sequence(draw: Any, what: str = "the result") -> list[Any]:
    """Return the items of what was drawn; raise `WrongKind` for what has none."""
    if isinstance(draw, (tuple, list)):
        return list(draw)
    if isinstance(draw, np.ndarray) and draw.ndim > 1:
        return list(draw)
    raise WrongKind(f"{what} is {said(draw)}, expected a sequence")


OFTEN = 50


def enough(setting: Setting, draws: Sequence[Any]) -> bool:
    """Return whether draws are many enough to ask how often something happens, though all of one draw hangs together.

    So it is asked of a single draw only where there is no other: where a function seeds itself.
    """
    return len(draws) >= OFTEN or len(draws) < setting.draws


# ---------------------------------------------------------------- draws


@dataclass(frozen=True)
class Drawn:
    """What a function drew, by the number of the setting, or what ended it early."""

    draws: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)
    failed: Outcome | None = None
    """The first call that did not return."""
    failed_in: int = 0
    untouched: bool = False
    always_the_same: bool = False
    """Whether another seed makes no difference."""
    repeatable: bool = True
    mutates: bool = False
    refused: tuple[str, ...] = ()
    """The optional settings in which it raises."""
    dtype: str = ""
    """How the dtype of the arrays that are given is changed, if it is."""


def seed_of(seed: int, setting: int, draw: int) -> int:
    """Return the seed of one draw: as random as the run's, and the same in every run of that seed."""
    digest = hashlib.blake2b(f"{seed}/{setting}/{draw}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") >> 1  # what a signed integer of 32 bits holds, as old generators want


def global_seed(seed: int) -> int:
    """Return what global sources are seeded with in a draw: other numbers than those of the generator that is given."""
    return seed ^ 0x5EED


def ask(session: Session, binding: TrialBinding, seed: int) -> Drawn:
    """Make all draws with a submission; the first one twice, with the same seed."""
    asked = [
        (at, setting, draw)
        for at, setting in enumerate(binding.trial.settings)
        if binding.accepts(setting)
        for draw in range(setting.draws)
    ]
    if not asked:
        return Drawn(failed=Raised("unreadable", "there is no setting that this call shape can express"))
    plans = [(at, setting, binding.plan(setting, seed_of(seed, at, draw))) for at, setting, draw in [*asked, asked[0]]]
    calls = [call for _, _, plan in plans for call in plan]
    outcomes = session.call(calls)
    for _ in range(2):  # a crash is retried in a fresh sandbox: a submission's own crash comes again
        if outcomes and isinstance(outcomes[-1], Killed):
            outcomes = session.call(calls)
    return _gathered(binding, plans, outcomes)


RAISES = "raises"
"""What is seen of a draw that was none: two programs with one mistake may raise different exceptions."""


def _gathered(
    binding: TrialBinding, plans: Sequence[tuple[int, Setting, tuple[Call, ...]]], outcomes: Sequence[Outcome]
) -> Drawn:
    made: dict[int, list[Any]] = {}
    last: Any = None
    mutates, dtype, done = False, "", 0
    raised: tuple[Raised, int] | None = None
    refused: dict[str, None] = {}
    for at, setting, plan in plans:
        part = list(outcomes[done : done + len(plan)])
        done += len(plan)
        failed = next((o for o in part if not isinstance(o, Returned)), None)
        if failed is None and len(part) < len(plan):
            failed = next(
                (o for o in reversed(outcomes) if not isinstance(o, Returned)), Killed("it stopped answering")
            )
        if isinstance(failed, Raised) and setting.optional and made and not failed.not_done:
            refused[setting.why] = None
            continue
        blank = not made and failed is not None and returned_nothing([failed])
        if failed is not None and (blank or not isinstance(failed, Raised)):
            return Drawn(failed=failed, failed_in=at, untouched=blank)
        if isinstance(failed, Raised):  # it falls short; the other draws tell which mistake it is
            raised = raised or (failed, at)
            last = WrongKind(RAISES)
            made.setdefault(at, []).append(last)
            continue
        returned = [o for o in part if isinstance(o, Returned)]
        mutates = mutates or any(o.mutated for o in returned)
        try:
            last = binding.draw(setting, returned)
        except (WrongKind, Misshapen) as error:
            last = error
        dtype = dtype or _changed(setting, last)
        made.setdefault(at, []).append(last)
    first = made[plans[0][0]]
    again = first.pop()
    if not made[plans[0][0]]:
        first.append(again)
    fixed = _fixed(made.values())
    return Drawn(
        {at: tuple(draws[:1] if fixed else draws) for at, draws in made.items()},
        failed=raised and raised[0],
        failed_in=raised[1] if raised else 0,
        untouched=all(_blank(draw) for draws in made.values() for draw in draws),
        always_the_same=fixed and binding.trial.random,
        repeatable=_same(first[0], again),
        mutates=mutates,
        dtype=dtype,
        refused=tuple(refused),
    )


def _blank(draw: Any) -> bool:
    """Return whether a draw is the starter's None or zeros."""
    return draw is None or (isinstance(draw, np.ndarray) and draw.size > 0 and not draw.any())


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Exception):
        return type(one) is type(other) and str(one) == str(other)
    return type(one) is type(other) and bool(one == other or (one != one and other != other))


def _changed(setting: Setting, draw: Any) -> str:
    given = {v.dtype.name for v in setting.arguments.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    made = draw.dtype.name if isinstance(draw, np.ndarray) and draw.dtype.kind == "f" else ""
    return f"{min(given)} to {made}" if made and given and made not in given else ""


def drawn_by(trial: Trial, function: Function, at: int, seed: int = 1) -> tuple[Any, ...]:
    """Return the draws of a trusted function in one setting, as they would come back of a submission."""
    setting = trial.settings[at]
    made: list[Any] = []
    for draw in range(setting.draws):
        given = {name: built(value) for name, value in setting.arguments.items()}
        if trial.random:
            given[GENERATOR] = np.random.default_rng(seed_of(seed, at, draw))
        keywords = {name: given.pop(name) for name, p in trial.parameters.items()
                    if p.kind is p.KEYWORD_ONLY and name in given}  # fmt: skip
        try:
            made.append(plain(function(*(given[name] for name in trial.parameters if name in given), **keywords)))
        except Exception:  # a mistake may raise, as the student's own does
            made.append(WrongKind(RAISES))
    return tuple(made)


def built(value: Any) -> Any:
    """Return an argument of one's own: an array that may be written to, or what a record stands for."""
    if isinstance(value, Record):
        return GIVEN[value.name](**value.fields)
    return copy.deepcopy(value)


# ---------------------------------------------------------------- observations and verdict


Observed = Mapping[tuple[int, str], Observation]
"""By the number of the setting, and what was observed."""


KIND, FORM = "kind", "form"
"""What a setting is observed to be where what was drawn is no draw: of another type, or of another shape."""


def observed(trial: Trial, at: int, draws: Sequence[Any]) -> Iterator[tuple[tuple[int, str], Observation]]:
    """Yield what is seen of the draws of a setting; of what is no draw, the reason."""
    problem = next((draw for draw in draws if isinstance(draw, Exception)), None)
    try:
        if problem is not None:
            raise problem
        with np.errstate(all="ignore"):
            seen = tuple(trial.observe(trial.settings[at], draws))
        yield from (((at, observation.what), observation) for observation in seen)
    except (WrongKind, Misshapen) as error:
        kind = KIND if isinstance(error, WrongKind) else FORM
        yield (at, kind), replace(every("", [False]), what=kind, problem=str(error))


ANOTHER_SEED = "another seed gives other numbers"
SEEDS_ITSELF = "gives the same numbers for every generator or seed: it seeds itself, or does not draw at all"


def observations(trial: Trial, drawn: Drawn, seeded: bool = True) -> Observed:
    """Return all that is seen of a function's draws."""
    found = {key: o for at, draws in drawn.draws.items() for key, o in observed(trial, at, draws)}
    if trial.random and seeded:
        problem = SEEDS_ITSELF if drawn.always_the_same else ""
        found[ALL, ANOTHER_SEED] = replace(every(ANOTHER_SEED, [not problem]), problem=problem)
    return found


ALL = -1
"""The number under which stands what is seen of all settings together."""


def draws_of(trial: Trial, function: Function, seed: int = 1) -> Drawn:
    """Return what a trusted function of the reference's signature draws, called in this process."""
    made = {at: drawn_by(trial, function, at, seed) for at in range(len(trial.settings))}
    fixed = _fixed(made.values())
    return Drawn({at: draws[:1] if fixed else draws for at, draws in made.items()}, always_the_same=fixed)


def _fixed(made: Iterable[Sequence[Any]]) -> bool:
    several = [draws for draws in made if len(draws) > 1 and not isinstance(draws[0], Exception)]
    return bool(several) and all(_same(draws[0], draw) for draws in several for draw in draws[1:])


@dataclass(frozen=True)
class TrialDecision:
    """A verdict, in words, with what explains it."""

    verdict: Verdict
    reason: str = ""
    diagnosis: tuple[Diagnosis, ...] = ()
    setting: int = 0
    decisive: Observation | None = None


def decide(trial: Trial, drawn: Drawn, seeded: bool = True) -> tuple[TrialDecision, Observed]:
    """Return the verdict on what was drawn, and all that was observed."""
    seen = observations(trial, drawn, seeded)
    failing = {key: o for key, o in seen.items() if not o.passed}
    if not failing:
        return TrialDecision("correct"), seen
    fits = [f for f in (*trial.conventions, *trial.misconceptions) if like(trial, f, seen, drawn.always_the_same)]
    if not fits:  # a second mistake, which shows at extremes only, may hide the first
        usual = {key: o for key, o in seen.items() if key[0] == ALL or not trial.settings[key[0]].extreme}
        fits = [f for f in trial.misconceptions if like(trial, f, usual, drawn.always_the_same)]
    random = (ALL, ANOTHER_SEED) not in failing
    if fits and fits[0] in trial.conventions and (random or _is_fixed(trial, fits[0])):
        found = named("convention", fits[0], trial)
        return TrialDecision("convention", "right under another documented definition", (found,)), seen
    wrong = [f for f in fits if f in trial.misconceptions]
    diagnosis = tuple(named("misconception", f, trial) for f in wrong)
    if not random and not any(_is_fixed(trial, f) for f in wrong):
        diagnosis += (Diagnosis("pattern", "another_seed", SEEDS_ITSELF),)
    ordinary = {key: o for key, o in failing.items() if key[0] == ALL or not trial.settings[key[0]].extreme}
    kinds = {key: o for key, o in ordinary.items() if key[1] == KIND}
    failing = ordinary or failing
    (at, _), decisive = next(iter((kinds or failing).items()))
    reasons = list(dict.fromkeys(o.said for o in (kinds or failing).values()))
    more = f" (and {len(reasons) - TOLD} more)" if len(reasons) > TOLD else ""
    reason = "; ".join(reasons[:TOLD]) + more
    if not ordinary:
        reason = f"right for ordinary inputs, but {reason}"
    verdict: Verdict = "error" if kinds else "wrong" if ordinary else "unstable"
    return TrialDecision(verdict, reason, diagnosis, at, decisive), seen


def like(trial: Trial, function: Function, seen: Observed, once: bool) -> bool:
    """Return whether a known function gives what was observed, in every setting, and falls short where it did.

    It is looked at in the settings that failed first; only its first draw is where the submission's are all the same.
    """
    strictly = function in trial.conventions  # which pays
    common = once and _is_fixed(trial, function)
    for at in dict.fromkeys(at for at, _ in sorted(seen, key=lambda key: seen[key].passed) if at != ALL):
        theirs = _run(trial, function, at, once, 1)
        both = [(o, theirs[key]) for key, o in seen.items() if key in theirs]
        if not both:
            return False
        if not all(
            agree(*pair, strictly) for pair in both
        ):  # one run's own noise is too small where its entries hang together
            theirs = _expected(trial, function, at, once)
            both = [(o, theirs[key]) for key, o in seen.items() if key in theirs]
            if not all(agree(*pair, strictly) for pair in both):
                return False
        common = common or any(not one.passed and not other.passed for one, other in both)
    return common


@functools.lru_cache(maxsize=4096)
def _is_fixed(trial: Trial, function: Function) -> bool:
    """Return whether a trusted function draws the same numbers whatever the seed."""
    return draws_of(trial, function).always_the_same


@functools.lru_cache(maxsize=4096)
def _run(trial: Trial, function: Function, at: int, once: bool, seed: int) -> Observed:
    """Return what is seen of one run of a trusted function in a setting."""
    draws = drawn_by(trial, function, at, seed)
    return dict(observed(trial, at, draws[:1] if once else draws))


RUNS = 4


def _expected(trial: Trial, function: Function, at: int, once: bool) -> Observed:
    """Return what is seen of a trusted function in a setting, in the mean of several runs."""
    runs = [_run(trial, function, at, once, seed) for seed in range(1, RUNS + 1)]
    return {key: joined([run[key] for run in runs if key in run]) for key in runs[0]}


def _raising(trial: Trial, drawn: Drawn, seeded: bool) -> tuple[Diagnosis, ...]:
    """Return the known mistakes that draw as a function does where it returns, and fall short where it raises, too.

    Where nothing is left to be drawn some programs raise, and others begin anew: it is the same mistake.
    """
    raising = {at for at, draws in drawn.draws.items() if any(isinstance(draw, Exception) for draw in draws)}
    seen = {key: o for key, o in observations(trial, drawn, seeded).items() if key[0] not in raising}
    once = drawn.always_the_same

    def falls_short_there(function: Function) -> bool:
        return any(not o.passed for at in raising for o in _run(trial, function, at, once, 1).values())

    return tuple(
        named("misconception", f, trial, "where it returns")
        for f in trial.misconceptions
        if like(trial, f, seen, once) and falls_short_there(f)
    )


def named(kind: Literal["misconception", "convention"], function: Function, trial: Trial, gives: str = "") -> Diagnosis:
    """Return what is told of a known mistake or convention that does as a function does."""
    return Diagnosis(kind, function.__name__, told(function), gives, "draws" if trial.random else "behaviour")


def judged(trial: Trial, drawn: Drawn, seeded: bool) -> tuple[TrialDecision, Observed]:
    """Return the verdict on what a submission's function did, and all that was observed."""
    if drawn.untouched:
        return TrialDecision("unfilled", UNFILLED), {}
    match drawn.failed:
        case None:
            return decide(trial, drawn, seeded)
        case Raised() as raised:
            unfit = incompatible(raised)
            if unfit:
                return TrialDecision("incompatible", unfit, setting=drawn.failed_in), {}
            return TrialDecision("error", said_of(raised), _raising(trial, drawn, seeded), drawn.failed_in), {}
        case TimedOut() as late:
            return TrialDecision("timeout", said_of(late)), {}
        case Killed() as dead:
            return TrialDecision("killed", said_of(dead)), {}
        case Returned():
            raise AssertionError("a call that returned did not fail")


def verdict_on(trial: Trial, function: Function, seed: int = 0) -> TrialDecision:
    """Return the verdict on a trusted function of the reference's signature, called in this process."""
    return decide(trial, draws_of(trial, function, seed))[0]


def falls_short(trial: Trial, function: Function, seed: int = 0) -> bool:
    """Return whether a trusted function is neither right nor follows a convention; why is not asked."""
    drawn = draws_of(trial, function, seed)
    seen = observations(trial, drawn)
    return any(not o.passed for o in seen.values()) and not any(
        like(trial, convention, seen, drawn.always_the_same) for convention in trial.conventions
    )


def failing_settings(trial: Trial, function: Function) -> set[int]:
    """Return the numbers of the settings in which a trusted function falls short."""
    return {at for (at, _), seen in observations(trial, draws_of(trial, function)).items() if not seen.passed}


def same_draws(one: Drawn, other: Drawn) -> bool:
    """Return whether two functions drew the very same numbers."""
    return _same(one.draws, other.draws)
