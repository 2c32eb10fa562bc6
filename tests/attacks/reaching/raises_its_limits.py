"""Asks for more memory, time, files and processes than it was given."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
import resource

for name in ("AS", "CPU", "FSIZE", "NOFILE", "CORE", "MEMLOCK"):
    which = getattr(resource, "RLIMIT_" + name)
    _, most = resource.getrlimit(which)
    for wanted in ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), (most, most + 1)):
        try:
            if most != resource.RLIM_INFINITY:
                resource.setrlimit(which, wanted)
                relu = lambda z: np.maximum(z, 0)
        except (OSError, ValueError):
            pass
# end of trick
# verdict: wrong
