"""Verification of many claims: the same in one process and in several, in the order of the catalogue."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from derivations import bounds, losses
from derivations._kernel import Erratum
from graders import _proofs
from graders._nearest import nearest

NAMES = ["bounds.cauchy_schwarz", "activations.relu", "studies.dropout_keeps_the_mean", "worked.loss_*"]


@pytest.mark.parametrize(
    "name, said",
    [
        ("foo", "a claim bears the name of its function, as `gradproof list` shows them; `gradproof prove` proves"),
        ("losses.mse_grd", "did you mean 'losses.mse_grad'?"),
        ("relo", "did you mean 'activations.relu'?"),
        ("hoeffding_sample_size", "bounds.hoeffding_sample_size is judged without one: `gradproof show"),
        ("*schwar", "did you mean 'bounds.cauchy_schwarz'?"),
    ],
)
def test_a_name_that_no_claim_has_says_what_to_do(name: str, said: str) -> None:
    with pytest.raises(LookupError) as refused:
        _proofs.select([name])

    assert refused.value.args[0].startswith(f"no claim is called {name!r}; {said}")


@pytest.mark.parametrize(
    "name, said",
    [
        ("soft", "'losses.softmax' or 'losses.softmax_grad'"), ("dropout", "'nets.dropout_mean'"),
        ("moment", "'optimizers.momentum'"), ("*", ""), ("zzz", ""),
    ],
)  # fmt: skip
def test_the_nearest_names_are_alike_or_longer(name: str, said: str) -> None:
    names = ["losses.softmax", "losses.softmax_grad", "nets.dropout_mean", "optimizers.momentum"]

    assert nearest(name, names) == said


def test_several_processes_say_what_one_says() -> None:
    seen: list[str] = []
    one, two = _proofs.prove(NAMES), _proofs.prove(NAMES, jobs=2, progress=seen.append)

    assert [replace(c, seconds=0.0) for c in one.claims] == [replace(c, seconds=0.0) for c in two.claims]
    assert seen == [claim.name for claim in two.claims]
    assert one.sound


def test_a_claim_on_a_named_theorem_says_so() -> None:
    (claim,) = _proofs.prove("bounds.hoeffding").claims

    assert claim.status == "proved"
    assert claim.scope == "moments"
    assert any("Markov" in axiom for axiom in claim.axioms)


def test_a_measured_claim_says_what_was_measured() -> None:
    (claim,) = _proofs.prove("studies.dropout_keeps_the_mean").claims

    assert (claim.status, claim.trust) == ("measured", "measured")
    assert all("±" in said for said in claim.measured)
    assert claim.measured


def test_what_is_false_is_not_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    right = next(e for e in losses.errata if e.id == "A07")
    monkeypatch.setattr(_proofs, "claims", lambda: {"losses.A07": right.as_written})
    false = _proofs.prove("losses.A07")
    monkeypatch.setattr(_proofs, "claims", dict)
    monkeypatch.setattr(_proofs, "errata", lambda: (Erratum("A07", bounds.cauchy_schwarz, "x", "this one is true"),))
    monkeypatch.setattr(_proofs, "select", lambda names: {})
    true_erratum = _proofs.prove()

    assert [c.status for c in false.claims] == ["refuted"]
    assert false.claims[0].witness
    assert not false.sound
    assert [e.as_written for e in true_erratum.errata] == ["proved"]
    assert not true_erratum.sound
