"""Attention: its gradients for any numbers of queries, keys and features; embeddings, unit vectors, rotary positions.

Beyond the lectures; built from the softmax's Jacobian and the affine layer's gradients.
"""

from __future__ import annotations

from typing import Any

from sympy import Mul, Pow, Rational

from .._kernel import Argument, Claim, Line, Part
from .._kernel.terms import Σ, Integer, array, exp, indices, sizes, sqrt, δ

n, m, d, width = sizes("n m d width")
r, a, r_ = indices("r a r_", n)
s, u, t, b = indices("s u t b", m)
f, p = indices("f p", d)
e, q = indices("e q", width)
query, key, value, cotangent, shift = map(array, ("query", "key", "value", "cotangent", "shift"))

QUERY, KEY, VALUE = Argument("query", (n, d)), Argument("key", (m, d)), Argument("value", (m, width))
COTANGENT = Argument("cotangent", (n, width))


def score(r: Any, s: Any) -> Any:
    """How well query r and key s agree, over √d."""
    return Σ(query[r, f] * key[s, f], f) / sqrt(d)


def weight(r: Any, s: Any) -> Any:
    """The softmax of the scores of query r."""
    return exp(score(r, s)) / Σ(exp(score(r, t)), t)


def attended(r: Any, e: Any) -> Any:
    """Entry (r, e) of the output: the average of the values, by the weights of query r."""
    return Σ(weight(r, s) * value[s, e], s)


def wanted(r: Any, s: Any) -> Any:
    """The derivative by a weight: the cotangent times the value."""
    return Σ(cotangent[r, e] * value[s, e], e)


def score_error(r: Any, s: Any) -> Any:
    """The derivative by a score: the softmax's Jacobian times the derivatives by the weights."""
    return weight(r, s) * (wanted(r, s) - Σ(weight(r, u) * wanted(r, u), u))


PULLED = Σ(cotangent[r, e] * attended(r, e), r, e)

NAMES = (
    (array("S")[r, s], score(r, s)),
    (array("A")[r, s], weight(r, s)),
    (array("y")[r, e], attended(r, e)),
    (array("G")[r, s], wanted(r, s)),
    (array("E")[r, s], score_error(r, s)),
    (array("L")[()], PULLED),
)

scaled_dot_product_attention = Claim(
    name="attention.scaled_dot_product_attention",
    statement="Attention does not change when a number, such as the maximum, is subtracted from a query's scores.",
    parts=(
        Part(
            left=Σ(exp(score(r, s) - shift[r]) * value[s, e], s) / Σ(exp(score(r, t) - shift[r]), t),
            right=attended(r, e),
            axes=(r, e),
        ),
    ),
    arguments=(QUERY, KEY, VALUE, Argument("shift", (n,))),
    where=NAMES,
    ids=("A01",),
    source="softmax(QKᵀ/√d) V",
    note="Not in the lectures; no mask.",
)

attention_weights_sum_to_one = Claim(
    name="attention.attention_weights_sum_to_one",
    statement="A query's weights sum to one: adding a vector to all values adds it to every output.",
    parts=(
        Part(left=Σ(weight(r, s), s), right=Integer(1), axes=(r,), output="sum"),
        Part(
            left=Σ(weight(r, s) * (value[s, e] + shift[e]), s),
            right=attended(r, e) + shift[e],
            axes=(r, e),
            output="output",
        ),
    ),
    arguments=(QUERY, KEY, VALUE, Argument("shift", (width,))),
    where=NAMES,
    ids=("A01",),
    source="Σ softmax = 1",
)

scaled_dot_product_attention_vjp = Claim(
    name="attention.scaled_dot_product_attention_vjp",
    statement="With A the weights and G = g Vᵀ, S = A(G − Σ A G)/√d: the gradients are S K, Sᵀ Q and Aᵀ g.",
    parts=(
        Part(
            left=PULLED,
            by=query[a, p],
            axes=(a, p),
            right=Σ(score_error(a, s) * key[s, p], s) / sqrt(d),
            lines=(
                Line(
                    Σ(wanted(a, s) * weight(a, u) * (δ(s, u) - weight(a, s)) * key[u, p] / sqrt(d), s, u),
                    "by the weights, by the scores (the softmax's Jacobian), by the query; only row a depends on it",
                ),
            ),
            output="dquery",
        ),
        Part(
            left=PULLED,
            by=key[b, p],
            axes=(b, p),
            right=Σ(score_error(r, b) * query[r, p], r) / sqrt(d),
            lines=(
                Line(
                    Σ(wanted(r, s) * weight(r, s) * (δ(s, b) - weight(r, b)) * query[r, p] / sqrt(d), r, s),
                    "every query depends on key b, through its score and through the sum of the exponentials",
                ),
            ),
            output="dkey",
        ),
        Part(
            left=PULLED,
            by=value[b, q],
            axes=(b, q),
            right=Σ(weight(r, b) * cotangent[r, q], r),
            output="dvalue",
        ),
    ),
    arguments=(QUERY, KEY, VALUE, COTANGENT),
    where=NAMES,
    ids=("A16", "B14"),
    source="the chain rule through QKᵀ/√d, softmax and AV",
    note="Not in the lectures; no mask.",
)

attention_scores_have_gradients_that_sum_to_zero = Claim(
    name="attention.attention_scores_have_gradients_that_sum_to_zero",
    statement="Adding one vector to all keys moves all scores of a query alike, so the keys' gradients sum to zero.",
    parts=(
        Part(left=Σ(score_error(r, s), s), right=Integer(0), axes=(r,), output="scores"),
        Part(
            left=Σ(exp(Σ(query[r, f] * (key[s, f] + shift[f]), f) / sqrt(d)) * value[s, e], s)
            / Σ(exp(Σ(query[r, f] * (key[t, f] + shift[f]), f) / sqrt(d)), t),
            right=attended(r, e),
            axes=(r, e),
            output="output",
        ),
    ),
    arguments=(QUERY, KEY, VALUE, COTANGENT, Argument("shift", (d,))),
    where=NAMES,
    ids=("A01", "B14"),
    source="Σ_s ∂L/∂score_s = 0",
)

# --- embeddings ------------------------------------------------------------------------------------------------------

vocabulary = sizes("vocabulary")
word, word_ = indices("word word_", vocabulary)
chosen, table = array("indices"), array("table")
embedded = Σ(chosen[r, word] * table[word, f], word)

embedding_vjp = Claim(
    name="attention.embedding_vjp",
    statement="A row of the table gets the sum of the cotangents of all places where its word stands.",
    parts=(
        Part(
            left=Σ(cotangent[r, f] * embedded, r, f),
            by=table[word_, p],
            axes=(word_, p),
            right=Σ(chosen[r, word_] * cotangent[r, p], r),
        ),
    ),
    arguments=(
        Argument("table", (vocabulary, d)),
        Argument("indices", (n, vocabulary), "labels"),
        Argument("cotangent", (n, d)),
    ),
    where=((array("y")[r, f], embedded),),
    ids=("D21",),
    source="a look-up is a one-hot row times the table",
    note="The indices are read as one-hot rows; a word that stands twice is counted twice.",
)

# --- unit vectors ----------------------------------------------------------------------------------------------------

x, y = array("x"), array("y")
VECTORS = Argument("x", (n, d))


def norm(x: Any, r: Any) -> Any:
    """The length of row r."""
    return sqrt(Σ(x[r, f] ** 2, f))


def unit(x: Any, r: Any, j: Any) -> Any:
    """Entry j of row r, divided by the row's length."""
    return x[r, j] / norm(x, r)


j, k = indices("j k", d)
NORMALIZED = Σ(cotangent[r, j] * unit(x, r, j), r, j)

UNIT_NAMES = (
    (array("‖x‖")[r], norm(x, r)),
    (array("u")[r, j], unit(x, r, j)),
    (array("L")[()], NORMALIZED),
)

unit_vectors = Claim(
    name="attention.unit_vectors",
    statement="u = x/‖x‖ has length one, and its gradient (g − u (u·g))/‖x‖ is orthogonal to x.",
    parts=(
        Part(left=Σ(unit(x, r, j) ** 2, j), right=Integer(1), axes=(r,), output="length"),
        Part(
            left=NORMALIZED,
            by=x[a, k],
            axes=(a, k),
            right=(cotangent[a, k] - unit(x, a, k) * Σ(cotangent[a, j] * unit(x, a, j), j)) / norm(x, a),
            lines=(
                Line(
                    cotangent[a, k] / norm(x, a) - Σ(cotangent[a, j] * x[a, j], j) * x[a, k] / norm(x, a) ** 3,
                    "directly, and through 1/‖x‖, whose derivative is −x/‖x‖³",
                ),
            ),
            output="gradient",
        ),
        Part(
            left=Σ(
                (cotangent[a, k] - unit(x, a, k) * Σ(cotangent[a, j] * unit(x, a, j), j)) / norm(x, a) * x[a, k],
                k,
            ),
            right=Integer(0),
            axes=(a,),
            output="orthogonal",
        ),
        Part(
            left=unit(x, r, j),
            right=Mul(x[r, j] / sqrt(d), Pow(Σ(x[r, f] ** 2, f) / d, Rational(-1, 2), evaluate=False), evaluate=False),
            axes=(r, j),
            output="as RMS norm",
        ),
    ),
    arguments=(VECTORS, Argument("cotangent", (n, d))),
    where=UNIT_NAMES,
    ids=("A16",),
    source="u = x/‖x‖",
    note="Needs x ≠ 0.",
)


def cosine(r: Any) -> Any:
    """The cosine between row r of x and row r of y."""
    return Σ(x[r, f] * y[r, f], f) / (norm(x, r) * norm(y, r))


COSINES = Σ(cotangent[r] * cosine(r), r)

COSINE_NAMES = (
    *UNIT_NAMES[:2],
    (array("‖y‖")[r], norm(y, r)),
    (array("v")[r, j], unit(y, r, j)),
    (array("cos")[r], cosine(r)),
    (array("L")[()], COSINES),
)

cosine_similarity_gradients = Claim(
    name="attention.cosine_similarity_gradients",
    statement="The gradient of the cosine by x is (y/‖y‖ − cos · x/‖x‖)/‖x‖, and by y the same with x and y exchanged.",
    parts=(
        Part(
            left=COSINES,
            by=x[a, k],
            axes=(a, k),
            right=cotangent[a] * (unit(y, a, k) - cosine(a) * unit(x, a, k)) / norm(x, a),
            output="dx",
        ),
        Part(
            left=COSINES,
            by=y[a, k],
            axes=(a, k),
            right=cotangent[a] * (unit(x, a, k) - cosine(a) * unit(y, a, k)) / norm(y, a),
            output="dy",
        ),
    ),
    arguments=(VECTORS, Argument("y", (n, d)), Argument("cotangent", (n,))),
    where=COSINE_NAMES,
    ids=("A16",),
    source="cos = x·y/(‖x‖‖y‖)",
    note="Needs x ≠ 0 and y ≠ 0.",
)

# --- rotary positions ------------------------------------------------------------------------------------------------

pairs = sizes("pairs")
i = indices("i", pairs)
qs, ks, at, to = map(array, ("query", "key", "here", "there"))


def cos(h: Any) -> Any:
    """The cosine of the angle whose half has the tangent h."""
    return (1 - h**2) / (1 + h**2)


def sin(h: Any) -> Any:
    """The sine of the angle whose half has the tangent h."""
    return 2 * h / (1 + h**2)


def rotated(v: Any, h: Any, half: int) -> Any:
    """Pair i of a vector, turned by the angle whose half has the tangent h."""
    if half == 0:
        return v[i, 0] * cos(h) - v[i, 1] * sin(h)
    return v[i, 0] * sin(h) + v[i, 1] * cos(h)


BETWEEN = (to[i] - at[i]) / (1 + at[i] * to[i])
TWO = Integer(2)

TURNS = (("", at[i]), ("'", to[i]), ("''", BETWEEN))
ROTARY_NAMES = (
    (array("between")[i], BETWEEN),
    *((array(f"c{primes}")[i], cos(h)) for primes, h in TURNS),
    *((array(f"s{primes}")[i], sin(h)) for primes, h in TURNS),
)

rotary_positions = Claim(
    name="attention.rotary_positions",
    statement="Turning a pair of features keeps its inner products; with different turns only the difference counts.",
    parts=(
        Part(
            left=rotated(qs, at[i], 0) * rotated(ks, at[i], 0) + rotated(qs, at[i], 1) * rotated(ks, at[i], 1),
            right=qs[i, 0] * ks[i, 0] + qs[i, 1] * ks[i, 1],
            axes=(i,),
            output="same turn",
        ),
        Part(
            left=rotated(qs, at[i], 0) * rotated(ks, to[i], 0) + rotated(qs, at[i], 1) * rotated(ks, to[i], 1),
            right=qs[i, 0] * rotated(ks, BETWEEN, 0) + qs[i, 1] * rotated(ks, BETWEEN, 1),
            axes=(i,),
            output="different turns",
        ),
    ),
    arguments=(
        Argument("query", (pairs, TWO)),
        Argument("key", (pairs, TWO)),
        Argument("here", (pairs,)),
        Argument("there", (pairs,)),
    ),
    where=ROTARY_NAMES,
    ids=("A01",),
    source="R(α)ᵀR(β) = R(β − α)",
    note="An angle is given by h = tan(angle/2): cos = (1 − h²)/(1 + h²), sin = 2h/(1 + h²), every angle but half a "
    "turn; the half of the difference has the tangent (h' − h)/(1 + h h').",
)
