"""The words of the signatures: an array's axes, then its domain, so that cases can be made from a signature alone.

`Annotated[Array, "n c", "simplex"]` reads: n rows of c entries, positive and with sum one. The words for domains are
*simplex*, *unit* (in [0, 1]), *open unit* (in (0, 1)), *classes* (integers in 0..c-1), *signs* (-1 and 1), *mask* (0
and 1), *positive* and *nonnegative*; those for numbers are *positive*, *nonnegative*, *fraction* (in [0, 1)),
*fractions* (a pair of these), *number* (any), *count* (an integer from 1 on), *size* (one that may be large), *whole*
(one from 0 on), *axis*, *counts* and *padding* (one for both axes of an image, or a pair), *layers* (one for each
layer) and *size of c* (an axis of the arrays, the number of classes). An axis `c_in/groups` is divided by a number.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]

Positive = Annotated[float, "positive"]
Nonnegative = Annotated[float, "nonnegative"]
Fraction = Annotated[float, "fraction"]
Fractions = Annotated[tuple[float, float], "fractions"]
Count = Annotated[int, "count"]
Extent = Annotated[int, "size"]
Whole = Annotated[int, "whole"]
Axis = Annotated[int, "axis"]
Reduction: TypeAlias = Literal["mean", "sum", "none"]
ScalarReduction: TypeAlias = Literal["mean", "sum"]
