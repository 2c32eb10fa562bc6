"""What a reader sees of a claim."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sympy import Add, Mul, Pow, sympify

from derivations._catalogue import claims
from derivations._kernel import Argument, Claim, Induction, Part, State, as_latex, as_text
from derivations._kernel.abbreviation import abbreviated, unfolded
from derivations._kernel.calculus import zero
from derivations._kernel.terms import Σ, Opaque, Step, array, exp, indices, log, scalars, sizes, sqrt, steps, δ

CLAIMS = claims()
NAMED = {name: claim for name, claim in CLAIMS.items() if isinstance(claim, Claim | Induction) and claim.where}

n, c = sizes("n c")
r, a = indices("r a", n)
i, j, k = indices("i j k", c)
x, y, z, w, s, u, μ = map(array, ("x", "y", "z", "w", "s", "u", "μ"))
p = scalars("p", positive=True)


def softmax(r: Any, j: Any) -> Any:
    """Entry (r, j) of the softmax."""
    return exp(z[r, j]) / Σ(exp(z[r, k]), k)


SOFTMAX = ((s[r, j], softmax(r, j)),)


def shown(formula: Any, where: tuple[tuple[Any, Any], ...] = ()) -> str:
    """How a formula is printed."""
    claim = Claim("x.y", "A claim.", (Part(left=formula, right=formula),), (Argument("z", (n, c)),), where=where)
    return as_text(claim).splitlines()[-2]


def formulas(claim: Claim | Induction) -> list[Any]:
    """All formulas of a claim, and the meanings of its names."""
    if isinstance(claim, Induction):
        stated = [e for state in claim.states for e in (state.update, state.closed)]
    else:
        stated = [e for part in claim.parts for e in (part.left, *(line.value for line in part.lines), part.right)]
    return [sympify(e) for e in (*stated, *(meaning for _, meaning in claim.where))]


# --- the page --------------------------------------------------------------------------------------------------------


def test_a_chain_has_its_reasons() -> None:
    lines = as_text(CLAIMS["activations.log_softmax"]).splitlines()

    assert lines == [
        CLAIMS["activations.log_softmax"].statement,
        "log(exp(z[r, j])/Σ_{k<c} exp(z[r, k]))",
        "    = z[r, j] - log(Σ_{k<c} exp(z[r, k]))   (the claim)",
    ]


def test_names_are_explained_and_derivatives_are_of_something() -> None:
    lines = as_text(CLAIMS["activations.softmax_vjp"]).splitlines()

    assert lines[1:] == [
        "where s[r, j] = exp(z[r, j]/temperature)/Σ_{k<c} exp(z[r, k]/temperature)",
        "∂/∂z[a, i] of Σ_{r<n, j<c} cotangent[r, j]·s[r, j]",
        "    = Σ_{j<c} cotangent[a, j]·s[a, j]·(δ[i, j] - s[a, i])/temperature   (the Jacobian, row a alone)",
        "    = s[a, i]·(cotangent[a, i] - Σ_{k<c} cotangent[a, k]·s[a, k])/temperature   (the claim)",
    ]


def test_an_induction_shows_its_base_and_its_step() -> None:
    lines = as_text(CLAIMS["optimizers.sgd"]).splitlines()

    assert lines == [
        CLAIMS["optimizers.sgd"].statement,
        "params[j] ← params[j] - lr·grads[T, j]",
        "    after T steps = params[j] - lr·Σ_{i<T} grads[i, j]",
        "    T = 0: params[j] - lr·Σ_{i<0} grads[i, j] = params[j]   (no step taken)",
        "    T → T + 1: params[j] - lr·Σ_{i<T} grads[i, j] - lr·grads[T, j]",
        "        = params[j] - lr·Σ_{i<T + 1} grads[i, j]   (one more step)",
    ]


def test_what_a_loop_has_reached_has_a_name_after_every_number_of_steps() -> None:
    lines = as_text(CLAIMS["optimizers.momentum_as_a_buffer"]).splitlines()

    assert "    after T steps buffer[T, j] = Σ_{i<T} momentum^(T - i - 1)·grads[i, j] + momentum^T·buffer[j]" in lines
    assert "    after T steps = params[j] - Σ_{s<T} lr·buffer[s + 1, j]" in lines
    assert not [line for line in lines if line.startswith("where")]  # it is told where the loop reaches it


def test_assumptions_are_said_in_the_same_names() -> None:
    lines = as_text(CLAIMS["normalization.normalized_without_epsilon"]).splitlines()

    assert lines[1].startswith("with ")
    assert lines[1].endswith("² > 0")
    assert "Σ" not in lines[1]


def test_an_inequality_shows_its_certificate() -> None:
    lines = as_text(CLAIMS["normalization.variance_of_a_normalized_batch"]).splitlines()

    assert "    > v[j]/(v[j] + eps)   (the difference is seen to be above 0: eps/(v[j] + eps))" in lines


def test_names_that_nobody_needs_are_not_explained() -> None:
    claim = CLAIMS["attention.attention_weights_sum_to_one"]
    assert isinstance(claim, Claim)
    assert len(claim.where) == 6

    legend = [line for line in as_text(claim).splitlines() if line.startswith("where")]

    assert [line.split("[")[0] for line in legend] == ["where S", "where A", "where y"]


def test_a_line_that_reads_like_the_claim_is_not_said_twice() -> None:
    lines = as_text(CLAIMS["normalization.variance_of_a_normalized_batch"]).splitlines()

    assert "    = v[j]/(v[j] + eps)   (x̂ has mean 0)" in lines
    assert "    = v[j]/(v[j] + eps)   (the claim)" not in lines


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", NAMED)
def test_formulas_with_names_are_the_formulas(name: str) -> None:
    claim = NAMED[name]

    for formula in formulas(claim):
        back = unfolded(abbreviated(formula, claim.where), claim.where)
        assert back == formula or zero(back - formula)


@pytest.mark.parametrize("name", NAMED)
def test_every_name_means_one_thing_and_is_no_argument(name: str) -> None:
    claim = NAMED[name]
    taken = {(argument.name, len(argument.shape)) for argument in claim.arguments}
    names = [(str(entry.name), len(entry.at)) for entry, _ in claim.where]

    assert len(set(names)) == len(names)
    assert not taken & set(names)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", NAMED)
def test_a_formula_with_names_fits_on_a_page(name: str) -> None:
    for line in as_text(replace(NAMED[name], note="")).splitlines()[1:]:
        formula = line.split("   (")[0]
        assert len(formula) <= 300


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CLAIMS)
def test_latex_is_balanced(name: str) -> None:
    tex = as_latex(CLAIMS[name])
    plain = tex.replace(r"\{", "").replace(r"\}", "")

    assert tex.count(r"\begin{aligned}") == tex.count(r"\end{aligned}") >= 1
    assert plain.count("{") == plain.count("}")
    assert len(re.findall(r"\\left[(\[|.]", tex)) == len(re.findall(r"\\right[)\]|.]", tex))
    assert not re.search(r"(?<!\\)[#%]|\\text\{[^}]*(?<!\\)[\^_]", tex)


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_name_stands_for_every_entry() -> None:
    assert shown(softmax(a, i) * softmax(a, j), SOFTMAX) == "s[a, i]·s[a, j]"


def test_a_meaning_is_found_among_other_factors_and_in_powers() -> None:
    assert shown(p * y[r] * softmax(r, j) ** 3 / 2, SOFTMAX) == "p·y[r]·s[r, j]³/2"
    assert shown(log(p / softmax(r, j)), SOFTMAX) == "log(p/s[r, j])"


def test_a_root_and_its_powers_have_one_name() -> None:
    norm = sqrt(Σ(x[i] ** 2, i))
    where = ((array("norm")[()], norm),)

    assert shown(y[j] / norm**3, where) == "y[j]/norm³"
    assert shown(y[j] * norm, where) == "norm·y[j]"
    assert shown((1 / (1 + exp(-x[j]))) ** p, ((s[j], 1 / (1 + exp(-x[j]))),)) == "s[j]^p"


def test_half_powers_are_shared_out() -> None:
    mean = Σ(x[j], j) / c
    scaled = (x[i] - mean) / sqrt(p + mean)
    where = ((μ[()], mean), (u[i], scaled))

    assert shown((x[i] - mean) ** 2 / (p + mean), where) == "u[i]²"
    assert shown((x[i] - mean) / (p + mean) ** sympify("3/2"), where) == "u[i]/(μ + p)"


def test_a_meaning_is_found_among_other_terms_with_either_sign() -> None:
    smooth = (1 - p) * y[j] + p / c
    where = ((s[j], smooth),)

    assert shown(x[j] + smooth, where) == "s[j] + x[j]"
    assert shown(x[j] - smooth, where) == "x[j] - s[j]"


def test_a_longer_meaning_contains_a_shorter_one() -> None:
    mean = Σ(x[j], j) / c
    spread = Σ((x[i] - mean) ** 2, i) / c
    claim = Claim("x.y", "A.", (Part(spread - mean, spread - mean),), (), where=((μ[()], mean), (u[()], spread)))

    assert as_text(claim).splitlines()[1:4] == [
        "where μ = Σ_{j<c} x[j]/c",
        "where u = Σ_{i<c} (x[i] - μ)²/c",
        "u - μ",
    ]


def test_bound_names_do_not_matter() -> None:
    renamed = exp(z[a, k]) / Σ(exp(z[a, i]), i)

    assert shown(Σ(renamed * w[k], k), SOFTMAX) == "Σ_{k<c} w[k]·s[a, k]"


def test_a_bound_index_is_no_value_for_a_free_one() -> None:
    where = ((s[j], Σ(x[j] * y[k], k)),)

    assert shown(Σ(x[i] * y[i], i), where) == "Σ_{i<c} x[i]·y[i]"
    assert shown(Σ(x[k] * Σ(y[i], i), k), where) == "Σ_{k<c} x[k]·Σ_{i<c} y[i]"


def test_an_index_of_another_size_is_another_index() -> None:
    where = ((s[i], exp(x[i])),)

    assert shown(exp(x[i]) + exp(x[r]), where) == "exp(x[r]) + s[i]"


def test_a_name_of_the_wrong_rows_is_not_given() -> None:
    assert "s[" not in shown(exp(z[r, j]) / Σ(exp(z[a, k]), k), SOFTMAX)
    assert "s[" not in shown(exp(z[r, j]) / Σ(exp(2 * z[r, k]), k), SOFTMAX)
    assert "s[" not in shown(exp(z[r, j]) / Σ(exp(z[r, k]) * w[k], k), SOFTMAX)


def test_a_line_that_shows_a_quotient_keeps_it() -> None:
    quotient = Mul(Pow(softmax(r, j), -1, evaluate=False), y[j], softmax(r, j), evaluate=False)

    assert shown(quotient, SOFTMAX) == "y[j]·s[r, j]/s[r, j]"


def test_terms_that_become_alike_stay_apart() -> None:
    square = Σ(x[i], i) * Σ(x[j], j) - 2 * Σ(x[j], j) ** 2

    assert shown(square, ((u[()], Σ(x[k], k)),)) == "u² - 2·u²"


def test_a_number_of_steps_may_be_any() -> None:
    T = steps("T")
    t, s_ = indices("t s", T)
    later = Σ(p ** (T - 1 - t) * x[t], t)
    where = ((u[T], later),)
    inner = indices("i", s_ + 1)

    assert shown(Σ(Σ(p ** (s_ - inner) * x[inner], inner), s_), where) == "Σ_{s<T} u[s + 1]"
    assert "u[" not in shown(Σ(p ** (T - t) * x[t], t), where)


def test_names_do_not_reach_the_proof() -> None:
    claim = CLAIMS["activations.softmax_jacobian"]
    assert isinstance(claim, Claim)

    assert replace(claim, where=()).parts == claim.parts


# --- formulas --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (-x[i] + y[i], "y[i] - x[i]"),
        (exp(x[i]) + 1, "1 + exp(x[i])"),
        (steps("T") + 1, "T + 1"),
        (2 * x[i] - 2 * y[i], "2·(x[i] - y[i])"),
        (Σ(x[i], i) * p, "p·Σ_{i<c} x[i]"),
        (Σ(x[i], i) * Σ(y[i], i), "(Σ_{i<c} x[i])·Σ_{i<c} y[i]"),
        (Σ(x[i], i) ** 2 / n, "(Σ_{i<c} x[i])²/n"),
        (x[i] / Σ(x[k] * y[k], k), "x[i]/(Σ_{k<c} x[k]·y[k])"),
        (Σ(x[i] / y[i], i) / n, "(Σ_{i<c} x[i]/y[i])/n"),
        (Σ(-x[i] * y[i], i), "-Σ_{i<c} x[i]·y[i]"),
        (Σ(x[i] + y[i], i), "Σ_{i<c} (x[i] + y[i])"),
        (x[i] / (y[i] * p), "x[i]/(p·y[i])"),
        (-x[i] / 2, "-x[i]/2"),
        (1 / sqrt(n * p + 1), "1/√(n·p + 1)"),
        (x[i] ** 2 * x[j] ** 7, "x[i]²·x[j]^7"),
        (p ** (n - 1) / (1 - p), "p^(n - 1)/(1 - p)"),
        (Step(x[i] - y[i]) * δ(i, j), "δ[i, j]·[x[i] > y[i]]"),
        (Step(-x[i]), "[x[i] < 0]"),
        (Opaque("g", 1, x[i]) * x[i], "x[i]·g'(x[i])"),
        (Add(x[i], -x[i], evaluate=False), "x[i] - x[i]"),
    ],
)
def test_formulas_are_printed_for_readers(formula: Any, text: str) -> None:
    assert shown(formula) == text


def test_the_power_of_a_sum_is_not_the_sum_of_powers() -> None:
    claim = Claim("x.y", "A square.", (Part(Σ(x[i], i) ** 2, Σ(x[i], i) ** 2),), (Argument("x", (c,)),))

    assert r"\left(\sum_{i=0}^{c - 1} x_{i}\right)^{2}" in as_latex(claim)


def test_a_factor_after_a_sum_is_not_in_it() -> None:
    claim = Claim("x.y", "A product.", (Part(Σ(x[i], i) * Σ(y[i], i), Σ(x[i], i)),), (Argument("x", (c,)),))

    assert r"\left(\sum_{i=0}^{c - 1} x_{i}\right) \sum_{i=0}^{c - 1} y_{i}" in as_latex(claim)


def test_words_are_upright_and_letters_are_letters() -> None:
    tex = as_latex(CLAIMS["optimizers.adam"])

    assert r"\beta_{0}" in tex
    assert r"\mathrm{grads}_{T,j}" in tex


def test_names_of_layers_can_be_squared() -> None:
    first, primed = array("W1"), array("δ'")
    claim = Claim("x.y", "A.", (Part(first[i] ** 2, primed[i] ** 2),), (Argument("W1", (c,)),))

    assert r"{W^{(1)}}_{i}^{2} &= {\delta'}_{i}^{2}" in as_latex(claim)


def test_indices_are_letters_with_numbers_and_primes() -> None:
    o1, row_, other = indices("o1", n), indices("row_", n), indices("k'", n)
    over = indices("o1", sizes("d1"))
    wide = Σ(x[over], over)
    claim = Claim("x.y", "A.", (Part(x[o1] + x[row_] + x[other], x[o1]),), (Argument("x", (n,)),))
    tex = as_latex(claim)

    assert r"x_{o_{1}}" in tex
    assert r"\sum_{o_{1}=0}^{d_{1} - 1}" in as_latex(replace(claim, parts=(Part(wide, wide),)))
    assert r"x_{\mathrm{row}'}" in tex
    assert r"x_{k'}" in tex


def test_functions_and_steps_in_latex() -> None:
    formula = Opaque("δ3", 1, x[i]) * Opaque("tanh", 0, x[i]) * Step(x[i] - x[j])
    claim = Claim("x.y", "A.", (Part(formula, formula),), (Argument("x", (c,)),))
    tex = as_latex(claim)

    assert r"\delta_{3}'\left(x_{i}\right)" in tex
    assert r"\mathrm{tanh}\left(x_{i}\right)" in tex
    assert r"\left[x_{i} > x_{j}\right]" in tex


def test_smoothing_is_an_epsilon_and_words_are_safe_in_text() -> None:
    tex = as_latex(CLAIMS["losses.softmax_cross_entropy_grad"])

    assert r"\varepsilon" in tex
    assert r"s\_j" in tex


def test_an_induction_in_latex_names_what_is_reached() -> None:
    T = steps("T")
    t = indices("t", T)
    total = array("total")
    after = Σ(x[t], t) + total[()]
    state = State(total[()], total[()] + x[T], after)
    claim = Induction("x.y", "A sum.", T, (state,), (Argument("x", (T,)),), inputs="x", where=((u[T], after),))

    assert r"u_{T} &= \sum_{t=0}^{T - 1} x_{t} + \mathrm{total}" in as_latex(claim)
    assert r"u_{T} + x_{T} &= " in as_latex(claim)
