"""What a misspelt name may have been meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(pattern: str, names: Sequence[str]) -> str:
    """Return up to three names that may have been meant, written alike or longer: "'a', 'b' or 'c'", or nothing."""
    tails = {name.partition(".")[2]: name for name in names}
    sure = difflib.get_close_matches(pattern, [*names, *tails], 1, 0.9)
    if sure:
        return repr(tails.get(sure[0], sure[0]))
    alike = difflib.get_close_matches(pattern, names, 3, 0.7)
    alike += [tails[tail] for tail in difflib.get_close_matches(pattern.rpartition(".")[2], tails, 3, 0.7)]
    longer = [name for name in names if pattern.strip("*.") and pattern.strip("*.") in name]
    *others, last = [repr(name) for name in dict.fromkeys([*alike, *longer])][:3] or [""]
    return f"{', '.join(others)} or {last}" if others else last
