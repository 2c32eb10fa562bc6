"""Attacks on the prover: random expressions with shadowed names against naive expansion at concrete sizes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from mpmath import mp
from sympy import Add, E, Integer, Mul, Pow, Rational, log, sqrt

from derivations._kernel import Argument, Claim, Induction, Part, State, verify
from derivations._kernel.calculus import D, TooMuchWork, limited, rewritten, rules_from, zero
from derivations._kernel.evaluate import Padded, Scope, value
from derivations._kernel.mutants import variants
from derivations._kernel.terms import (
    Σ,
    Abs,
    Array,
    Delta,
    Entry,
    Index,
    Step,
    Sum,
    Symbol,
    array,
    exp,
    free,
    indices,
    oo,
    put,
    sizes,
    steps,
)
from derivations._kernel.verify import equal

n, m = sizes("n m")
i, j, k = indices("i j k", n)
p, q = indices("p q", m)
z, y, A = array("z"), array("y"), array("A")
EXTENT = {n: 2, m: 3}
WIDE = 6  # farther than this from 0 there are but zeros, in the sums over all integers that are tried here
FREE = (i, j, p)


# --- naive expansion -------------------------------------------------------------------------------------------------


def expand(e: Any, at: Mapping[Any, int], values: Mapping[str, Any]) -> Any:
    """The value, by the definition of each node and nothing else."""
    if isinstance(e, Index):
        return at[e]
    if isinstance(e, Sum):
        every = range(-WIDE, WIDE + 1) if e.index.size is oo else range(EXTENT.get(e.index.size) or int(e.index.size))
        return sum((expand(e.body, {**at, e.index: v}, values) for v in every), mp.mpf(0))
    if isinstance(e, Entry):
        found = values[str(e.name)]
        for index in e.at:
            n = int(expand(index, at, values))
            if isinstance(found, Padded) and not 0 <= n < len(found):
                return mp.mpf(0)
            found = found[n]
        return found
    if isinstance(e, Delta):
        return mp.mpf(expand(e.args[0], at, values) == expand(e.args[1], at, values))
    if e in EXTENT:
        return mp.mpf(EXTENT[e])
    if e.is_Rational:
        return mp.mpf(int(e.p)) / int(e.q)
    if e is E:
        return +mp.e
    args = [expand(a, at, values) for a in e.args]
    if isinstance(e, Step):
        return mp.mpf(args[0] > 0)
    if isinstance(e, Abs):
        return abs(args[0])
    if isinstance(e, Add):
        return sum(args, mp.mpf(0))
    if isinstance(e, Mul):
        return mp.fprod(args)
    if isinstance(e, Pow):
        return args[0] ** args[1]
    return mp.exp(args[0]) if isinstance(e, exp) else mp.log(args[0])


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311


def point(rng: random.Random) -> dict[str, Any]:
    def rows(*shape: int) -> Any:
        if not shape:
            return mp.mpf(rng.randint(-2000, 2000)) / 997
        return [rows(*shape[1:]) for _ in range(shape[0])]

    return {"z": rows(2), "y": rows(2), "A": rows(2, 3)}


def settings() -> list[dict[Any, int]]:
    return [dict(zip(FREE, at, strict=True)) for at in product(range(2), range(2), range(3))]


# --- random expressions: few labels, so that names are shadowed and captured wherever they can be --------------------


def expression(rng: random.Random, depth: int, scope: tuple[Index, ...] = FREE) -> Any:
    if depth == 0:
        return leaf(rng, scope)
    kind = rng.choice("+++***ΣΣΣΣ^e/lrqsdab")
    if kind == "Σ":
        index = rng.choice((i, j, k, p, q))
        return Sum(expression(rng, depth - 1, (*scope, index)), index)
    a = expression(rng, depth - 1, scope)
    if kind in "+*":
        b = expression(rng, depth - 1, scope)
        return a + b if kind == "+" else a * b
    return {
        "^": lambda: a**2,
        "e": lambda: exp(leaf(rng, scope) + leaf(rng, scope) / 2),
        "/": lambda: a / (1 + exp(leaf(rng, scope))),
        "l": lambda: log(1 + exp(leaf(rng, scope))) * leaf(rng, scope),
        "r": lambda: a / sqrt(1 + leaf(rng, scope) ** 2),
        "q": lambda: a * root_with_a_common_factor(leaf(rng, scope), leaf(rng, scope)),
        "s": lambda: a * Step(leaf(rng, scope)),
        "d": lambda: a * delta(rng, scope),
        "a": lambda: a * Abs(leaf(rng, scope) * leaf(rng, scope) - leaf(rng, scope)),
        "b": lambda: a * Step(leaf(rng, scope) * leaf(rng, scope) + leaf(rng, scope)),
    }[kind]()


def root_with_a_common_factor(x: Any, y: Any) -> Any:
    return sqrt((x * y) ** 2 + x**2)


def leaf(rng: random.Random, scope: tuple[Index, ...]) -> Any:
    rows, columns = [s for s in scope if s.size == n], [s for s in scope if s.size == m]
    choices = (
        z[rng.choice(rows)],
        y[rng.choice(rows)],
        A[rng.choice(rows), rng.choice(columns)],
        Rational(rng.randint(-3, 3), 2),
        n,
    )
    return rng.choice(choices)


def delta(rng: random.Random, scope: tuple[Index, ...]) -> Any:
    size = rng.choice((n, m))
    alike = [s for s in scope if s.size == size]
    return Delta(rng.choice(alike), rng.choice(alike if rng.random() < 0.7 else scope))


def close(a: Any, b: Any, digits: int = 30) -> bool:
    return bool(abs(a - b) <= mp.mpf(10) ** -digits * (1 + abs(a) + abs(b)))


def same_everywhere(a: Any, b: Any, values: Mapping[str, Any]) -> bool:
    return all(close(expand(a, at, values), expand(b, at, values)) for at in settings())


def attack_normal_form(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, rng.randint(2, 4))
    with mp.workdps(50):
        assert same_everywhere(e, rewritten(e), point(rng)), e


def attack_derivative(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, rng.randint(2, 4))
    by = rng.choice((z[i], z[j], A[j, p]))
    values, h = point(rng), mp.mpf(10) ** -25
    with mp.workdps(80):
        for at in rng.sample(settings(), 3):
            ends = [expand(e, at, moved(values, by, at, step)) for step in (h, -h)]
            assert close((ends[0] - ends[1]) / (2 * h), expand(D(e, by), at, values)), (e, by)


def moved(values: Mapping[str, Any], by: Entry, at: Mapping[Any, int], step: Any) -> dict[str, Any]:
    name, where = str(by.name), [at[index] for index in by.at]
    if len(where) == 1:
        return {**values, name: [v + step * (a == where[0]) for a, v in enumerate(values[name])]}
    return {
        **values,
        name: [[v + step * ([a, b] == where) for b, v in enumerate(row)] for a, row in enumerate(values[name])],
    }


def attack_zero_test(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, 3)
    values = point(rng)
    with mp.workdps(50):
        for variant in rng.sample(list(variants(e, FREE)), 2):
            try:
                proved = zero(e - variant)
            except ArithmeticError:
                continue
            assert not proved or same_everywhere(e, variant, values), (e, variant)


def attack_evaluator(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, rng.randint(2, 4))
    values = point(rng)
    with mp.workdps(50):
        for at in rng.sample(settings(), 2):
            here = Scope({**values, "n": 2, "m": 3}, dict(at), {})
            assert close(value(e, here), expand(e, at, values)), e


def attack_substitution(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, rng.randint(2, 4))
    old, new = rng.choice(((i, j), (j, i), (i, k)))
    values = point(rng)
    with mp.workdps(50):
        for at in settings():
            at[k] = rng.randrange(2)
            assert close(expand(put(e, {old: new}), at, values), expand(e, {**at, old: at[new]}, values)), (e, old, new)


def stepwise(rng: random.Random, depth: int, scope: tuple[Index, ...]) -> Any:
    """Like what a loop computes: sums of as many terms as steps, some over indices whose size is another index."""
    w, α = array("z"), Symbol("alpha", positive=True)
    if depth == 0:
        at = rng.choice((*scope, T))
        return rng.choice((w[at], w[at], α ** (T - at), α**T, α ** (at + 1), Integer(2), exp(w[at])))
    kind = rng.choice("+*ΣΣΣΣr//")
    if kind == "Σ":
        index = Index(rng.choice("st"), rng.choice((T, T + 1, *(s + 1 for s in scope))))
        return Sum(stepwise(rng, depth - 1, (*scope, index)), index)
    if kind == "/" and len(scope) > 1:
        return 1 / (1 + (w[scope[0]] * w[scope[-1]]) ** 2)  # sums over both cannot be taken apart
    a, b = (stepwise(rng, depth - 1, scope) for _ in range(2))
    if kind == "r":
        return a / sqrt(1 + b**2)
    if kind == "/":
        return a / (1 + b**2)
    return a + b if kind == "+" else a * b


T = steps("T")


def attack_sums_over_steps(seed: int) -> None:
    rng = seeded(seed)
    e = stepwise(rng, rng.choice((2, 3, 3, 3, 3, 4)), ())
    values = {"z": [mp.mpf(rng.randint(-900, 900)) / 997 for _ in range(6)]}
    with mp.workdps(50):
        α = mp.mpf(rng.randint(100, 900)) / 997
        one_more, restored = put(e, {T: T + 1}), rewritten(put(e, {T: T + 1}))
        for t in range(3):
            here = Scope({**values, "T": t, "alpha": α}, {}, {})
            more = Scope({**values, "T": t + 1, "alpha": α}, {}, {})
            assert close(value(rewritten(e), here), value(e, here)), e
            assert close(value(one_more, here), value(e, more)), e
            assert close(value(restored, here), value(e, more)), e


def reach(rng: random.Random, over: tuple[Index, ...], depth: int = 2) -> Any:
    """A product of entries of padded arrays at ±index + …, with a delta now and then."""
    factors = [Array(rng.choice("zy"))[rng.choice((1, -1)) * index + rng.randint(-2, 2)] for index in over]
    for _ in range(depth):
        a, b = rng.choice(over), rng.choice((*over, i))
        factors.append(
            Array(rng.choice("zy"))[rng.choice((1, -1)) * a + rng.choice((0, 1, 2)) * b + rng.randint(-2, 2)]
        )
    if rng.random() < 0.5:
        factors.append(Delta(rng.choice(over) + rng.randint(-1, 2), rng.choice((1, 2)) * rng.choice((*over, i, j))))
    return Mul(*factors)


u, v = indices("u v", oo)


def attack_sums_over_all_integers(seed: int) -> None:
    rng = seeded(seed)
    over = rng.choice(((u,), (u,), (u, v), (v, u)))
    e = Σ(reach(rng, over, rng.randint(0, 2)), *over)
    moved = Σ(put(put(e.body, {e.index: rng.choice((1, -1)) * k + rng.randint(-2, 2)}), {k: e.index}), e.index)
    values = {name: Padded(mp.mpf(rng.randint(-900, 900)) / 997 for _ in range(3)) for name in "zy"}
    with mp.workdps(40):
        for at in ({i: a, j: b} for a, b in product(range(2), repeat=2)):
            truth = expand(e, at, values)
            here = Scope({**values, "n": 2}, dict(at), {})
            assert close(truth, expand(rewritten(e), at, values)), e
            assert close(truth, value(e, here)), e
            assert close(truth, value(moved, here)), (e, moved)


def attack_merged_fractions(seed: int) -> None:
    rng = seeded(seed)
    below = 1 + exp(leaf(rng, (k, p))) * rng.randint(1, 3)
    over, scope = ((k,), (k, j, p)) if rng.random() < 0.6 else ((k, q), (k, j, q))
    f, g = (expression(rng, rng.randint(0, 1), scope) for _ in range(2))
    parts = [Σ(f / below, *over), Σ((g * below - f) / below, *over)]
    extra = Σ(leaf(rng, scope) / below ** rng.randint(1, 2), *over)
    assert zero(sum(parts) + extra - extra - Σ(g, *over)), (f, g, below)
    assert not zero(sum(parts) - Σ(g, *over) - 1)
    values = point(rng)
    with mp.workdps(50):
        merged = rewritten(exp((sum(parts) + extra) / 50))
        for at in rng.sample(settings(), 2):
            assert close(mp.exp(expand(sum(parts) + extra, at, values) / 50), expand(merged, at, values)), (f, g, below)


def attack_deltas_of_free_indices(seed: int) -> None:
    rng = seeded(seed)
    e = expression(rng, rng.randint(1, 3))
    assert zero(Delta(i, j) * e - Delta(i, j) * put(e, {j: i})), e
    other = expression(rng, 1)
    if zero(Delta(i, j) * (e - other)):
        values = point(rng)
        with mp.workdps(50):
            assert all(close(expand(e, at, values), expand(other, at, values)) for at in settings() if at[i] == at[j])


ATTACKS = [
    attack_sums_over_all_integers,
    attack_merged_fractions,
    attack_deltas_of_free_indices,
    attack_normal_form,
    attack_derivative,
    attack_zero_test,
    attack_evaluator,
    attack_substitution,
    attack_sums_over_steps,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_random_expressions_find_no_error(attack: Any) -> None:
    for seed in range(100):
        attack(seed)


@pytest.mark.deep
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_many_random_expressions_find_no_error(attack: Any) -> None:
    for seed in range(1_000, 9_000):
        attack(seed)


def scrambled(e: Any, rng: random.Random, depth: int = 0) -> Any:
    """The same value, written otherwise: bound names changed, neighbouring sums exchanged, products expanded."""
    if isinstance(e, Sum):
        index = Index(f"b{depth}", e.index.size)
        body = put(e.body, {e.index: index})
        if isinstance(body, Sum) and rng.random() < 0.5:
            inner = Index(f"c{depth}", body.index.size)
            return Sum(Sum(scrambled(put(body.body, {body.index: inner}), rng, depth + 1), index), inner)
        return Sum(scrambled(body, rng, depth + 1), index)
    if isinstance(e, Entry | Index) or not e.args or isinstance(e, Delta):
        return e
    args = [scrambled(a, rng, depth) for a in e.args]
    if isinstance(e, Mul) and rng.random() < 0.5:
        for n, a in enumerate(args):
            if isinstance(a, Add):
                return Add(*(Mul(*args[:n], term, *args[n + 1 :]) for term in a.args))
    return e.func(*args)


def test_an_expression_is_proved_equal_to_its_scrambled_copy() -> None:
    for seed in range(150):
        rng = seeded(seed)
        e = expression(rng, 4)
        assert zero(e - scrambled(e, rng)), e


# --- traps in which SymPy's own calculus goes wrong ------------------------------------------------------------------


def test_the_derivative_by_an_entry_with_the_bound_name_is_not_captured() -> None:
    assert zero(D(Σ(z[j], j), z[j]) - 1)
    assert zero(D(Σ(z[j], j), z[i]) - 1)
    assert zero(D(Σ(z[i] * z[j], i), z[j]) - Σ(z[i], i) - z[j])


def test_substitution_renames_a_bound_index_that_would_capture() -> None:
    replaced = put(Σ(z[k] * z[j], k), {j: k})

    assert free(replaced) == {k}
    assert zero(replaced - z[k] * Σ(z[i], i))


def test_the_gradient_of_logsumexp_is_not_zero() -> None:
    gradient = D(log(Σ(exp(z[k]), k)), z[i])

    assert zero(gradient - exp(z[i]) / Σ(exp(z[k]), k))
    assert not zero(gradient)


def test_a_sum_of_squares_of_a_matrix_has_a_gradient() -> None:
    assert zero(D(Σ(A[i, p] ** 2, i, p), A[j, q]) - 2 * A[j, q])


def test_the_norm_has_a_gradient() -> None:
    assert zero(D(sqrt(Σ(z[k] ** 2, k)), z[i]) - z[i] / sqrt(Σ(z[k] ** 2, k)))


def test_roots_and_logs_of_squares_keep_their_signs() -> None:
    assert not zero(sqrt(z[i] ** 2) - z[i])
    assert not zero(log(z[i] ** 2) - 2 * log(z[i]))
    assert not zero(sqrt(z[i] ** 2 + (z[i] * y[i]) ** 2) - z[i] * sqrt(1 + y[i] ** 2))
    assert zero(sqrt(z[i] ** 2) ** 2 - z[i] ** 2)
    assert zero(log(exp(2 * z[i])) - 2 * z[i])


def test_a_root_times_itself_is_multiplied_out_once() -> None:
    base = 1 + z[i] ** 2

    assert zero(base ** Rational(3, 2) - sqrt(base) - z[i] ** 2 * sqrt(base))
    assert not zero(base ** Rational(3, 2) - base)


def test_powers_of_what_may_be_negative_are_not_split() -> None:
    T = steps("T")

    assert not zero(sqrt(z[i] ** T) - z[i] ** (T / 2))
    assert zero(z[i] ** (2 * T + T) - z[i] ** (3 * T))


def test_an_exponent_has_a_derivative() -> None:
    assert zero(D(Integer(2) ** z[i], z[i]) - log(2) * 2 ** z[i])


def test_sums_are_one_expression_whatever_their_names_and_order() -> None:
    assert zero(Σ(z[i] * A[i, p], i, p) - Σ(z[j] * A[j, q], q, j))
    assert zero(Σ(z[i], i) ** 2 - Σ(z[i] * z[j], i, j))
    assert zero(Σ(Integer(1), i, p) - n * m)


def test_a_delta_is_contracted_between_indices_of_one_type_only() -> None:
    assert zero(Σ(Delta(i, j) * z[i], i) - z[j])
    assert not zero(Σ(Delta(i, p) * z[i], i) - z[p])


def test_indices_of_one_label_and_different_sizes_are_different() -> None:
    wide = Index("i", m)

    assert not zero(Σ(A[i, wide], i) - Σ(A[i, wide], wide))


def test_the_top_leaves_a_sum_of_one_more_term() -> None:
    T = steps("T")
    s = Index("s", T + 1)
    t = Index("t", T)

    assert zero(Σ(z[s], s) - Σ(z[t], t) - z[T])
    assert not zero(Σ(z[s], s) - Σ(z[t], t))
    assert zero(Σ(z[Index("s", 0)], Index("s", 0)))


def test_sums_of_a_size_that_is_an_index_keep_their_order() -> None:
    T = steps("T")
    s, t = Index("s", T), Index("t", T)
    u = Index("u", t + 1)
    e = Σ(1 / (1 + (z[s] * z[u]) ** 2), s, t, u)
    here = Scope({"z": [mp.mpf(v) for v in (1, 2, 3)], "T": 3}, {}, {})

    assert close(value(rewritten(e), here), value(e, here), 14)
    assert zero(e - Σ(1 / (1 + (z[s] * z[u]) ** 2), t, s, u))


def test_a_given_equation_holds_for_every_row() -> None:
    rows = rules_from([(Σ(A[i, p], p), 1)])

    assert zero(Σ(y[k] * Σ(A[k, q], q), k) - Σ(y[k], k), rows)
    assert zero(Σ(y[k] * A[k, q], q, k) - Σ(y[k], k), rows)
    assert zero(Σ(A[i, p], p) - 1, rows)
    assert not zero(Σ(A[i, p], i) - 1, rows)
    assert not zero(Σ(A[i, p] ** 2, p) - 1, rows)


def test_an_index_that_stands_twice_in_a_given_equation_stands_for_one_value() -> None:
    square = array("S")
    diagonal = rules_from([(square[i, i], 1)])

    assert zero(square[j, j] - 1, diagonal)
    assert not zero(square[j, k] - 1, diagonal)


def test_what_is_given_of_every_row_is_not_given_of_the_diagonal() -> None:
    square = array("S")
    rows = rules_from([(Σ(square[i, j], j), 1)])

    assert zero(Σ(square[k, j], j) - 1, rows)
    assert not zero(Σ(square[j, j], j) - 1, rows)
    assert not zero(Σ(square[j, i], j) - 1, rows)


def test_a_given_equation_must_start_with_one_atom() -> None:
    with pytest.raises(ValueError, match="must start with a single sum or entry"):
        rules_from([(2 * z[i], 1)])


# --- what an attacker found ------------------------------------------------------------------------------------------


def test_a_range_that_may_end_before_it_starts_is_no_number_of_terms() -> None:
    T = steps("T")
    s = Index("s", T)

    assert not zero(Σ(Integer(1), Index("s", Integer(-1))) + 1)
    assert not zero(Σ(Integer(1), Index("s", 4 - n)) - (4 - n))
    assert not zero(Σ(Integer(1), Index("s", T - 1)) - (T - 1))
    assert zero(Σ(Integer(1), Index("s", Integer(-1))))
    assert zero(Σ(Integer(1), Index("s", n - 1)) - (n - 1))  # a size is at least 1
    assert zero(Σ(Σ(Integer(1), Index("t", T - s)) - (T - s), s))


def test_an_index_over_all_integers_is_not_taken_for_the_name_used_in_a_shift() -> None:
    new = Index("new", oo)
    every = Index("every", oo)
    a, b = array("a"), array("b")
    e = Σ(a[every] * b[every + new] * exp(every * new), every)

    assert not zero(e - Σ(a[every] * b[every + new], every))


def test_merged_sums_do_not_capture_a_canonical_name() -> None:
    w, q_ = array("w"), Index("_1a", n)
    below = 1 + exp(z[i])

    assert not zero(Σ(w[i, i] / below, i) + Σ(w[i, q_] * exp(z[i]) / below, i) - Σ(w[i, i], i))


def test_a_delta_over_all_integers_is_met_at_integers_only() -> None:
    every, a = Index("every", oo), Symbol("a", real=True)

    assert not zero(Σ(Delta(every, n / 2) * z[2 * every], every) - z[n])
    assert not zero(Σ(Delta(every, a), every) - 1)
    assert zero(Σ(Delta(every, n), every) - 1)


def test_a_power_written_with_exp_and_log_is_that_power() -> None:
    γ = Symbol("gamma", positive=True)
    below = 1 + exp(z[i])

    assert zero(exp(γ * log(1 - 1 / below)) - (1 - 1 / below) ** γ)
    assert not zero(exp(γ * log(z[i])) - z[i] ** γ)  # z may be negative


def claim_by_steps(left: Any, right: Any, ratio: Any, **more: Any) -> Claim:
    T = steps("T")
    return Claim("t.t", "T.", (Part(left, right),), (Argument("T", (), "natural"),), by_steps=(T, ratio), **more)


@pytest.mark.parametrize("case", ["a pole", "a log", "an index below T", "a given that speaks of T"])
def test_an_induction_needs_a_ratio_at_every_step_and_nothing_else_that_speaks_of_it(case: str) -> None:
    T = steps("T")
    a, w = Symbol("a", real=True), array("w")
    s, r = Index("s", T), Index("u", T)
    pole = claim_by_steps(T * (T - 1) * (T - 2) * (T - 3) * (T - 4) * a, Integer(0), (T + 1) / (T - 4))
    logged = claim_by_steps(T * a, Integer(0), log(1 + T) / log(1 + T) * (T + 1) / T)
    below = claim_by_steps(Σ(Delta(r, s), r), Integer(0), 1 + Delta(s, T))
    given = claim_by_steps(Σ(w[s], s), T * a, (a + w[T] - a * T - a) / (a - a * T), given=((Σ(w[s], s), a),))
    claim = {"a pole": pole, "a log": logged, "an index below T": below, "a given that speaks of T": given}[case]

    assert not equal(claim, claim.parts[0].left - claim.parts[0].right, rules_from(claim.given))


def test_an_update_reads_the_variables_at_its_own_index() -> None:
    T, params = steps("T"), array("params")
    state = State(params[i], params[i] + params[0], params[i] + T * params[0], (i,))
    loop = Induction("t.t", "T.", T, (state,), (Argument("params", (n,)), Argument("grads", (T, n))))

    with pytest.raises(ValueError, match="at its own index"):
        verify(loop, mutants=0)


def test_the_sizes_of_a_split_are_names_of_their_own() -> None:
    x, size = array("x"), Symbol("size0", positive=True)
    claim = Claim("t.t", "T.", (Part(x[0] * Abs(x[0]), x[0] * size),), (Argument("x", (n,)),), cases=(x[0],))

    assert not equal(claim, x[0] * Abs(x[0]) - x[0] * size, ())


def test_what_is_padded_is_not_positive() -> None:
    with pytest.raises(ValueError, match="is 0 outside of its axes"):
        Argument("p", (n,), "positive", padded=True)


def test_a_normal_form_makes_no_more_terms_than_it_may() -> None:
    e = (1 + z[i] + y[i] + n) ** 8

    with limited(10_000):
        assert zero(e - e * y[j] / y[j])
    with pytest.raises(TooMuchWork), limited(500):
        zero(e**3 - (1 + z[j]) ** 7)
