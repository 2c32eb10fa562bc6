"""Fill the README's blocks with real files and real output: nothing there is typed by hand.

Run: python docs/make_readme.py. With --check it changes nothing and fails if a block is out of date; a test does that.
A block stands between `<!-- file: PATH -->` or `<!-- output: COMMAND -->` and `<!-- end -->`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"<!-- (file|output): (.+?) -->\n.*?<!-- end -->", re.DOTALL)


def output_of(command: str) -> str:
    """Return what a command prints, run from the folder of the examples with this interpreter."""
    program, *arguments = shlex.split(command)
    start = {"gradproof": [sys.executable, "-c", "import gradproof; gradproof.main()"], "python": [sys.executable]}
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [*start[program], *arguments],
            cwd=ROOT / "examples",
            env=os.environ | {"XDG_CACHE_HOME": cache, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.strip("\n")


def filled(match: re.Match[str]) -> str:
    """Return a block with its content made anew."""
    kind, what = match.groups()
    content = (ROOT / what).read_text(encoding="utf-8").strip("\n") if kind == "file" else output_of(what)
    language = "python" if what.endswith(".py") and kind == "file" else "text"
    return f"<!-- {kind}: {what} -->\n```{language}\n{content}\n```\n<!-- end -->"


def main() -> None:
    """Write the README, or check it."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    made = BLOCK.sub(filled, text)
    if "--check" in sys.argv:
        sys.exit("README.md is out of date: run python docs/make_readme.py" if made != text else 0)
    readme.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
