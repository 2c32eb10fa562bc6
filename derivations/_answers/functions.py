"""The functions of the grammar, as terms of the kernel that are not simplified: exp(log(x)) stays as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, Mul, Pow, Rational

from derivations._kernel.terms import Abs, Integer, Step, exp, log

HALF = Rational(1, 2)


def plus(*terms: Any) -> Any:
    """A sum that is not simplified."""
    return Add(*terms, evaluate=False)


def times(*factors: Any) -> Any:
    """A product that is not simplified."""
    return Mul(*factors, evaluate=False)


def power(base: Any, exponent: Any) -> Any:
    """A power that is not simplified."""
    return Pow(base, exponent, evaluate=False)


def negative(x: Any) -> Any:
    """−x."""
    return times(Integer(-1), x)


def over(a: Any, b: Any) -> Any:
    """a/b."""
    return times(a, power(b, Integer(-1)))


def exp_(x: Any) -> Any:
    """e^x."""
    return exp(x, evaluate=False)


def log_(x: Any) -> Any:
    """The natural logarithm."""
    return log(x, evaluate=False)


def abs_(x: Any) -> Any:
    """|x|."""
    return Abs(x, evaluate=False)


def sigmoid(x: Any) -> Any:
    """1/(1 + e^−x)."""
    return over(Integer(1), plus(Integer(1), exp_(negative(x))))


def tanh(x: Any) -> Any:
    """(e^x − e^−x)/(e^x + e^−x)."""
    return over(plus(exp_(x), negative(exp_(negative(x)))), plus(exp_(x), exp_(negative(x))))


def max_(x: Any, y: Any) -> Any:
    """The larger one."""
    return times(HALF, plus(x, y, abs_(plus(x, negative(y)))))


def min_(x: Any, y: Any) -> Any:
    """The smaller one."""
    return times(HALF, plus(x, y, negative(abs_(plus(x, negative(y))))))


ONE_ARGUMENT: dict[str, Callable[[Any], Any]] = {
    "exp": exp_,
    "log": log_,
    "ln": log_,
    "sqrt": lambda x: power(x, HALF),
    "abs": abs_,
    "sigmoid": sigmoid,
    "sigma": sigmoid,
    "σ": sigmoid,
    "tanh": tanh,
    "sinh": lambda x: times(HALF, plus(exp_(x), negative(exp_(negative(x))))),
    "cosh": lambda x: times(HALF, plus(exp_(x), exp_(negative(x)))),
    "softplus": lambda x: log_(plus(Integer(1), exp_(x))),
    "silu": lambda x: times(x, sigmoid(x)),
    "relu": lambda x: times(x, Step(x)),
    "step": Step,
    "sign": lambda x: plus(Step(x), negative(Step(negative(x)))),
}
TWO_ARGUMENTS: dict[str, Callable[[Any, Any], Any]] = {"max": max_, "min": min_}
OF_A_ROW = ("softmax", "log_softmax", "logsumexp")
SUM, DELTA = ("sum", "Σ"), ("delta", "δ")
KNOWN = (*ONE_ARGUMENT, *TWO_ARGUMENTS, *OF_A_ROW, *SUM, *DELTA)
DERIVATIVES = ("d", "diff", "D", "derivative", "grad", "partial", "Derivative", "gradient")
