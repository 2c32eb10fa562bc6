"""The door: check a live function, grade submissions, score one answer, prove a claim.

>>> import gradproof
>>> gradproof.check("losses.softmax_cross_entropy_grad", my_function)  # doctest: +SKIP

The rooms behind it are the packages `reference`, `derivations` and `graders` beside this file. Other files may bear
such common names, a student's own `reference.py` among them: so the rooms are taken from here, before anything else
is imported, or this module refuses to load.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graders._api import Check as Check
    from graders._api import check as check
    from graders._api import grade as grade
    from graders._api import score as score
    from graders._proofs import prove as prove

__all__ = ["check", "grade", "prove", "score"]

_HERE = Path(__file__).resolve().parent


def _take_rooms() -> None:
    for room in ("reference", "derivations", "graders"):
        home = _HERE / room / "__init__.py"
        loaded = sys.modules.get(room)
        if loaded is not None:
            origin = getattr(loaded, "__file__", None)
            if origin is None or Path(origin).resolve() != home:
                raise ImportError(
                    f"gradproof needs its own package {room!r}, but another module of that name is loaded already, "
                    f"from {origin or 'an unknown place'}. Import gradproof first, or rename that file."
                )
            continue
        spec = importlib.util.spec_from_file_location(room, home, submodule_search_locations=[str(home.parent)])
        if spec is None or spec.loader is None or not home.is_file():
            raise ImportError(f"gradproof is not installed whole: {home} is missing. Install it again.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[room] = module
        spec.loader.exec_module(module)


_take_rooms()


def __getattr__(name: str) -> Any:
    if name == "prove":  # no verdict on code needs the derivations, and SymPy, once its answers are kept
        from graders import _proofs

        return _proofs.prove
    if name in __all__ or name == "Check":
        from graders import _api

        return getattr(_api, name)
    raise AttributeError(f"module 'gradproof' has no attribute {name!r}")


def main() -> None:
    """Run the command line."""
    from graders._cli import main

    main()
