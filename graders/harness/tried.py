"""From a binding of a trial to its report: asked, judged, and shown by a draw to be repeated."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graders.harness import again
from graders.harness.judge import Session
from graders.harness.key import cache_folder, store, stored
from graders.harness.observations import FALSE_REJECTS, Observation
from graders.harness.report import Aspect, ExerciseReport, Verdict, Witness
from graders.harness.sandbox import given
from graders.harness.sandbox.codec import Record
from graders.harness.sandbox.contract import Killed, Raised, TimedOut
from graders.harness.sandbox.parent import CannotStart
from graders.harness.trials import (
    Drawn,
    Observed,
    Setting,
    Trial,
    TrialBinding,
    TrialDecision,
    ask,
    global_seed,
    judged,
    seed_of,
)
from graders.harness.witness import imported, listed

_BEST = ("correct", "convention", "unstable", "wrong", "unfilled", "error")
MAIN_SHARE = 0.8
"""What the values count where stability counts the rest, as for exercises."""
SELF_SEEDED = "seeds itself: judged by the one draw that it gives in each setting"
UNREPEATABLE = "two calls with the same seed differ: a run cannot be repeated"


def settled(binding: TrialBinding, session: Session, seed: int) -> TrialBinding:
    """Return the way of calling that a function is to be judged by: the first under which it is right, or returns.

    It is judged once more in earnest afterwards, on other draws; nothing that is found here pays.
    """
    best = replace(binding, others=())
    try:
        return _settled(best, binding.others, session, seed) if binding.others else best
    except CannotStart:
        raise
    except Exception:  # ours: where it fails again in earnest, this function is unscored, and no other
        return best


def _settled(best: TrialBinding, others: Sequence[TrialBinding], session: Session, seed: int) -> TrialBinding:
    least = (len(_BEST) + 1, 1.0)
    for reading in (best, *others):
        drawn = ask(session, reading, seed)
        decision, seen = judged(reading.trial, drawn, reading.seeded)
        rank = _BEST.index(decision.verdict) if decision.verdict in _BEST else len(_BEST)
        worth = (rank, _lost(drawn) if decision.verdict == "error" else _failing(seen))
        if worth < least:
            best, least = reading, worth
        if rank == 0 or isinstance(drawn.failed, (TimedOut, Killed)):
            break  # what does not return, or dies, does so however it is called
    return best


def _failing(seen: Observed) -> float:
    return sum(not o.passed for o in seen.values()) / max(len(seen), 1)


def _lost(drawn: Drawn) -> float:
    """Return the share of draws that were none, because it raised or they cannot be read."""
    draws = [draw for made in drawn.draws.values() for draw in made]
    return sum(isinstance(draw, Exception) for draw in draws) / len(draws) if draws else 1.0


def grade(session: Session, binding: TrialBinding, seed: int, path: str) -> ExerciseReport:
    """Return the verdict on a function that is judged by its properties."""
    began = time.monotonic()
    trial = binding.trial
    drawn = ask(session, binding, seed)
    decision, seen = judged(trial, drawn, binding.seeded)
    right = decision.verdict in ("correct", "convention")
    aspects = _aspects(trial, decision.verdict, not (drawn.mutates or drawn.dtype) if seen else None)
    shown = not right and (decision.decisive is not None or isinstance(drawn.failed, Raised))
    at = max(decision.setting, 0)
    replay = f"{trial.name}@{identity(at, seed)}" if shown else ""
    if shown:
        record = {"at": at, "seed": seed, "path": path}
        store(cache_folder() / "trials" / trial.name / identity(at, seed), record)
        again.keep(trial.name, identity(at, seed), path, binding.function, binding.note)
    return ExerciseReport(
        name=trial.name,
        function=binding.function,
        verdict=decision.verdict,
        reason=decision.reason,
        score=round(sum(aspect.score for aspect in aspects.values()), 12),
        max_score=1.0,
        aspects=aspects,
        diagnosis=list(decision.diagnosis),
        witness=_witness(binding, decision, seed, path) if shown else None,
        bits=None,
        max_ulp=None,
        truth=None,
        replay=replay,
        cases=len(seen),
        failed_cases=sum(not o.passed for o in seen.values()),
        notes=_notes(binding, drawn, seen),
        seconds=round(time.monotonic() - began, 3),
    )


def _aspects(trial: Trial, verdict: Verdict, clean: bool | None) -> dict[str, Aspect]:
    """Return the marks by aspect: stability counts where a setting asks for it."""
    stable, right = verdict in ("correct", "convention"), verdict in ("correct", "convention", "unstable")
    share = MAIN_SHARE if any(setting.extreme for setting in trial.settings) else 1.0
    made = {"values": Aspect(share * right, share, right)}
    if share < 1:
        made["stability"] = Aspect(round((1 - share) * stable, 12), round(1 - share, 12), stable)
    return made | {"hygiene": Aspect(0.0, 0.0, clean)}


def identity(at: int, seed: int) -> str:
    """Return the name under which a setting of a run can be replayed; it does not tell the seed."""
    return hashlib.blake2b(f"{seed}/{at}".encode(), digest_size=6).hexdigest()


def restored(trial: Trial, name: str, seed: int | None) -> tuple[int, int, str] | None:
    """Return the setting and the seed that `identity` names, and the path that it was found on; None if unknown."""
    kept = stored(cache_folder() / "trials" / trial.name / name) if name.isalnum() else None
    if isinstance(kept, dict):
        return kept["at"], kept["seed"], kept["path"]
    found = (at for at in range(len(trial.settings)) if seed is not None and identity(at, seed) == name)
    at = next(found, None)
    return None if at is None or seed is None else (at, seed, "")


def _notes(binding: TrialBinding, drawn: Drawn, seen: Observed) -> list[str]:
    notes = [binding.note] if binding.note else []
    if binding.trial.random and seen:
        rate = f"{1 / FALSE_REJECTS:,.0f}"
        notes.append(
            f"judged by {len(seen)} properties of its draws; chance fails an honest one at most once in {rate} times"
        )
        notes += [SELF_SEEDED] if drawn.always_the_same and not binding.seeded else []
        notes += [] if drawn.repeatable else [UNREPEATABLE]
    notes += [f"raises for {why}: not judged by it" for why in drawn.refused]
    notes += ["writes to an argument"] if drawn.mutates else []
    return notes + ([f"changes the dtype: {drawn.dtype}"] if drawn.dtype else [])


def _witness(binding: TrialBinding, decision: TrialDecision, seed: int, path: str) -> Witness:
    at = max(decision.setting, 0)
    setting = binding.trial.settings[at]
    seen = decision.decisive
    counted = seen is not None and not seen.problem and np.isfinite(seen.value)
    problem = "" if counted else decision.reason
    inputs = {name: shown(value) for name, value in setting.arguments.items()}
    if binding.seeded and binding.trial.random:
        inputs["seed"] = seed_of(seed, at, 0)
    return Witness(
        inputs=inputs,
        output="",
        index=[],
        got=float(seen.value) if seen is not None and counted else None,
        expected=float(seen.expected) if seen is not None and counted else None,
        allowed=float(seen.allowed) if seen is not None and counted else None,
        problem=problem,
        code=_code(binding, setting, seen, seed_of(seed, at, 0), path),
    )


def shown(value: Any) -> Any:
    """Return an argument as a report shows it: a large array by its shape, a function by what it is and its numbers."""
    if isinstance(value, Record):
        made = getattr(given, value.name.removeprefix("given."), None) if value.name.startswith("given.") else None
        numbers = {name: shown(part) for name, part in value.fields.items()}
        return {"is": _what(made)} | numbers if made else numbers
    if isinstance(value, np.ndarray) and value.size > 40:
        return f"an array of shape {value.shape}, {value.dtype}"
    return listed(value)


def _what(maker: Callable[..., Any]) -> str:
    """Return what something makes, by the first line of its text: "f(x) = tanh(x W), rows being samples"."""
    line = (maker.__doc__ or "").split("\n")[0].rstrip(".")
    return line.partition(" ")[2]  # without the verb


def _code(binding: TrialBinding, setting: Setting, seen: Observation | None, seed: int, path: str) -> str:
    """Return lines that make the draw again, needing NumPy and the student's file only."""
    given = any(isinstance(v, Record) for v in setting.arguments.values())
    if binding.typed is None or given:
        return ""
    call = binding.typed(setting, seed)
    lines = ["import numpy as np", *imported(path, binding.function, call)]
    lines += [] if binding.seeded else [f"np.random.seed({global_seed(seed)})"]
    comment = f"  # {seen.what} should be {seen.expected:.6g}" if seen is not None and not seen.problem else ""
    return "\n".join([*lines, f"drawn = {call}", f"print(drawn){comment}"])
