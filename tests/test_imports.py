"""Who may import whom: the contracts in pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_import_contracts_hold() -> None:
    pytest.importorskip("importlinter", reason="import-linter is a tool of development and is not installed")
    command = Path(sysconfig.get_path("scripts"), "lint-imports")

    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("module", ["reference", "graders", "gradproof"])
def test_nothing_heavy_is_imported_at_the_door(module: str) -> None:
    heavy = ("numpy", "sympy", "mpmath", "torch", "hypothesis", "rich", "click", "jinja2", "msgspec")
    program = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
