"""What a reader sees of a claim."""

from __future__ import annotations

from derivations._catalogue import claims
from derivations._kernel import Argument, Claim, Part, as_latex, as_text
from derivations._kernel.terms import Σ, array, indices, sizes

CLAIMS = claims()


def test_a_chain_has_its_reasons() -> None:
    lines = as_text(CLAIMS["activations.log_softmax"]).splitlines()

    assert lines == [
        CLAIMS["activations.log_softmax"].statement,
        "log(exp(z[r, j])/Σ_{k<c}(exp(z[r, k])))",
        "    = -log(Σ_{k<c}(exp(z[r, k]))) + z[r, j]   (the claim)",
    ]


def test_an_induction_shows_its_base_and_its_step() -> None:
    lines = as_text(CLAIMS["optimizers.sgd"]).splitlines()

    assert lines == [
        CLAIMS["optimizers.sgd"].statement,
        "params[j] ← -lr*grads[T, j] + params[j]",
        "    after T steps = -lr*Σ_{i<T}(grads[i, j]) + params[j]",
        "    T = 0: -lr*Σ_{i<0}(grads[i, j]) + params[j] = params[j]   (no step taken)",
        "    T → T + 1: -lr*Σ_{i<T + 1}(grads[i, j]) + params[j]   (one more step)",
    ]


def test_the_power_of_a_sum_is_not_the_sum_of_powers() -> None:
    n = sizes("n")
    i = indices("i", n)
    z = array("z")
    claim = Claim("x.y", "A square.", (Part(Σ(z[i], i) ** 2, Σ(z[i], i) ** 2),), (Argument("z", (n,)),))

    assert r"\left(\sum_{i=0}^{n - 1} \left(z_{i}\right)\right)^{2}" in as_latex(claim)


def test_words_are_upright_and_letters_are_letters() -> None:
    tex = as_latex(CLAIMS["optimizers.adam"])

    assert r"\beta_{0}" in tex
    assert r"\mathrm{grads}_{T,j}" in tex
