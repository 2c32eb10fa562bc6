"""Trials on ensembles: samples are drawn with replacement, and each member has its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graders.ensembles import misconceptions_drawn as wrong
from graders.harness.observations import Misshapen, Observation, every, exactly, pairs, share, tells
from graders.harness.trials import Setting, Trial, enough, indices, parts, sequence
from reference import ensembles as reference

Array = np.ndarray[Any, Any]


# --- bootstrap_sample -------------------------------------------------------------------------------------------------
def samples(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether indices are drawn with replacement, each by itself and all as likely.

    A sample may come in any order, so it is asked how often indices come, and not what follows what.
    """
    n, size = setting.arguments["n"], setting.arguments.get("size") or setting.arguments["n"]
    made = [indices(draw, "the sample") for draw in draws]
    lengths = np.array([len(draw) for draw in made])
    drawn = np.concatenate(made)
    yield every(f"the indices are in 0..{n - 1}", (drawn >= 0) & (drawn < n))
    yield exactly("the size of the sample", float(lengths.mean()), size, 0.0, float(lengths.std()))
    counts = np.array([np.bincount(draw[(draw >= 0) & (draw < n)], minlength=n) for draw in made])
    yield tells("the share of indices that come", counts > 0)
    yield tells("the share of pairs that are alike", np.concatenate([np.equal(*pairs(d, 0)) for d in made]))
    if len(made) == 1:  # indices are drawn by themselves, so that each draw of an index is one of n
        yield share("how often the first index comes", drawn == 0, 1 / n)
        yield share("how often the last index comes", drawn == n - 1, 1 / n)
        yield share("how often an index of the lower half comes", drawn < n // 2, n // 2 / n)
    if enough(setting, draws):
        never = (1 - 1 / n) ** size
        yield share("how often the first index does not come", counts[:, 0] == 0, never)
        yield share("how often the last index does not come", counts[:, -1] == 0, never)
        once = size / n * (1 - 1 / n) ** (size - 1)
        yield share("how often the first index comes once", counts[:, 0] == 1, once)
        middle = (1 - 2 / n) ** size
        yield share("how often neither of the first two indices comes", ~counts[:, :2].any(axis=1), middle)
        distinct = math.prod(1 - i / n for i in range(size)) if size <= n else 0.0
        yield share("how often no index comes twice", counts.max(axis=1) <= 1, distinct)


bootstrap_sample = Trial(
    reference.bootstrap_sample,
    settings=(
        Setting("as many as there are", {"n": 5}, draws=250),
        Setting("fewer", {"n": 12, "size": 4}, draws=250),
        Setting("more than there are", {"n": 4, "size": 9}, draws=250),
        Setting("many", {"n": 40, "size": 20000}),
        Setting("as many of many", {"n": 3000}),
    ),
    observe=samples,
    misconceptions=(
        wrong.draws_without_replacement,
        wrong.never_draws_the_last,
        wrong.counts_from_one,
        wrong.never_draws_the_first,
        wrong.returns_each_index_once,
        wrong.returns_those_left_out,
        wrong.draws_two_thirds,
        wrong.ignores_the_size,
        wrong.returns_counts,
        wrong.draws_one_index_for_all,
        wrong.rounds_a_uniform_number,
    ),
    programs=(wrong.sample_by_a_choice, wrong.sample_of_whole_parts, wrong.sorts_the_sample),
)


# --- bagging ----------------------------------------------------------------------------------------------------------
def members(setting: Setting, draws: Sequence[Any]) -> Iterator[Observation]:
    """Observe whether each member has samples, features and a generator of its own."""
    n, d = setting.arguments["n"], setting.arguments["d"]
    number, size = setting.arguments["n_members"], setting.arguments.get("max_features") or d
    made = [[_member(member) for member in sequence(draw, "the result")] for draw in draws]
    yield exactly("the number of members", float(np.mean([len(draw) for draw in made])), number)
    if not any(made):
        raise Misshapen(f"the result has no members, expected {number}")
    every_sample = [s for draw in made for s, _, _ in draw]
    every_features = [f for draw in made for _, f, _ in draw]
    drawn, chosen = np.concatenate(every_sample), np.concatenate(every_features)
    yield every(f"the samples are in 0..{n - 1}", (drawn >= 0) & (drawn < n))
    yield exactly("the size of a sample", float(np.mean([len(s) for s in every_sample])), n)
    yield every(f"the features are in 0..{d - 1}", (chosen >= 0) & (chosen < d))
    yield every("no member has a feature twice", [len(set(f.tolist())) == len(f) for f in every_features])
    yield exactly("the number of features", float(np.mean([len(f) for f in every_features])), size)
    if any(len(draw) < 2 for draw in made):
        return
    tokens = [[token for _, _, token in draw] for draw in made]
    yield every(
        "each member has a generator of its own", [len(set(t)) == len(t) for t in tokens if "" not in t] or [True]
    )
    if enough(setting, draws):
        counts = [[np.bincount(s[(s >= 0) & (s < n)], minlength=n) for s, _, _ in draw[:2]] for draw in made]
        never = (1 - 1 / n) ** n
        absent = np.array([[one[0] == 0, two[0] == 0, two[-1] == 0] for one, two in counts])
        yield share("how often the first sample is not the first member's", absent[:, 0], never)
        yield share("how often the last sample is not the second member's", absent[:, 2], never)
        yield share("how often the first sample is neither of the first two's", absent[:, 0] & absent[:, 1], never**2)
        alike = np.array([np.array_equal(np.sort(a[0]), np.sort(b[0])) for a, b, *_ in made])
        yield tells("how often the first two members have the same samples", alike)
        has = np.array([[0 in a[1], d - 1 in a[1], 0 in b[1]] for a, b, *_ in made])
        yield share("how often the first member has the first feature", has[:, 0], size / d)
        yield share("how often the first member has the last feature", has[:, 1], size / d)
        yield share("how often the first two members have the first feature", has[:, 0] & has[:, 2], (size / d) ** 2)
        both = [0 in features and 1 in features for draw in made for _, features, _ in draw]
        pairs = size * (size - 1) / (d * (d - 1))
        yield share("how often a member has the first two features", both, pairs)


def _member(member: Any) -> tuple[Array, Array, str]:
    """Return a member's samples and features, and what tells its generator from others, if it has one."""
    given = list(member.values()) if isinstance(member, Mapping) else member
    if isinstance(given, (tuple, list)) and len(given) == 2:
        chosen, token = parts(given, ("samples", "features"), "a member"), ""
    else:
        *chosen, source = parts(member, ("samples", "features", "generator"), "a member")
        told = source.get("next") if isinstance(source, Mapping) else source
        token = repr(told.tolist()) if isinstance(told, np.ndarray) else repr(told) if isinstance(told, int) else ""
    samples, features = (
        indices(p, f"a member's {name}") for p, name in zip(chosen, ("samples", "features"), strict=True)
    )
    if not samples.size:
        raise Misshapen("a member has no samples")
    return samples, features, token


bagging = Trial(
    reference.bagging,
    settings=(
        Setting("some features", {"n": 6, "d": 5, "n_members": 3, "max_features": 2}, draws=250),
        Setting("all features", {"n": 9, "d": 4, "n_members": 2}, draws=250),
    ),
    observe=members,
    misconceptions=(
        wrong.gives_all_the_same_sample,
        wrong.draws_samples_without_replacement,
        wrong.draws_features_with_replacement,
        wrong.gives_all_the_same_features,
        wrong.takes_the_first_features,
        wrong.ignores_max_features,
        wrong.gives_all_the_same_generator,
        wrong.makes_one_member_too_few,
        wrong.draws_too_few_samples,
        wrong.draws_features_from_one,
        wrong.splits_the_samples_among_them,
    ),
    programs=(wrong.members_by_a_loop,),
)
