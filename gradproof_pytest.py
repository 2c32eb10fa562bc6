"""The pytest plugin's doorstep: its options and hooks, and nothing else until `--gradproof` is given.

pytest loads every installed plugin in every run. A project's own `reference` or `graders` must not be hidden by that:
so the rooms of gradproof are taken only in a run that asks for them; `graders/_plugin.py` does the work then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest


class Hooks:
    """What a library's conftest.py may define."""

    @pytest.hookspec
    def pytest_gradproof_functions(self, library: str) -> Mapping[str, Callable[..., Any] | None]:  # type: ignore[empty-body]
        """Return functions of a library by the names of exercises, dotted or bare; None leaves one out."""

    @pytest.hookspec(firstresult=True)
    def pytest_gradproof_to_array(self, array: Any, dtype: str) -> Any:
        """Return a NumPy array as the library takes it, on the device it should compute on; None leaves it as it is.

        `dtype` is what the library is asked in, float64, float32, float16 or bfloat16, or that of integers, int64. It
        is the array's own but for bfloat16, which NumPy does not know: those come rounded to it, in float32.
        """

    @pytest.hookspec(firstresult=True)
    def pytest_gradproof_from_array(self, array: Any, dtype: str) -> Any:
        """Return a library's array as one of NumPy; None leaves it to `__array__` or DLPack.

        `dtype` is that of the floats which the function was given. A narrow result may come widened.
        """


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the hooks known, whether or not this run asks for them: a conftest.py may define them in any case."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("gradproof", "gradproof: a library's functions against a proved reference")
    group.addoption(
        "--gradproof", action="append", default=[], metavar="LIB",
        help="Grade this module's functions, found by the names of `gradproof list`.",
    )  # fmt: skip
    group.addoption(
        "--gradproof-seed", type=int, default=0, metavar="N",
        help="Draw the cases from this seed (0, the same for everybody).",
    )  # fmt: skip
    group.addoption(
        "--gradproof-max-examples", type=int, metavar="N",
        help="Draw this many cases for each function, beside the hand-chosen ones.",
    )  # fmt: skip
    group.addoption(  # a library's known defects do not hide its new ones
        "--gradproof-xfails", type=Path, metavar="FILE",
        help="Functions that are known to fall short: a pattern on each line, and its reason after #. Strict.",
    )  # fmt: skip
    group.addoption(
        "--gradproof-dtypes", default="float64,float32", metavar="DTYPES",
        help="Ask in these dtypes only (float64,float32); float16 and bfloat16 may be among them.",
    )  # fmt: skip
    group.addoption(
        "--gradproof-hints", action="store_true",
        help="Tell where a function goes wrong, not what would be right: see docs/hints.md.",
    )  # fmt: skip
    group.addoption(
        "--gradproof-exercises", action="append", default=[], metavar="FILE.py",
        help="Exercises of your own, from this file.",
    )  # fmt: skip


@pytest.fixture
def gradproof_benchmark(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Time a function of yours by pytest-benchmark, if it is right: `gradproof_benchmark("losses.mse", mylib.mse)`.

    Keywords: `size` ("small", "medium" or "large"), `dtype` ("float64" or "float32"), `seconds`. The verdict, the ulps
    and the ratios to the reference and to PyTorch are in the benchmark's `extra_info` (docs/pytest.md).
    """
    try:
        benchmark = request.getfixturevalue("benchmark")
    except pytest.FixtureLookupError:
        raise pytest.UsageError("gradproof_benchmark needs pytest-benchmark: pip install pytest-benchmark") from None
    import gradproof  # noqa: F401
    from graders import _benchmarked

    return functools.partial(_benchmarked.benchmarked, benchmark, request.config.hook)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the rooms before a conftest.py could import something else under their names."""
    if early_config.known_args_namespace.gradproof:
        try:
            import gradproof  # noqa: F401
        except ImportError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the plugin itself in a run that asks for it."""
    if config.option.gradproof:
        import gradproof  # noqa: F401
        from graders import _plugin

        config.pluginmanager.register(_plugin.Plugin(config), "gradproof-grading")
