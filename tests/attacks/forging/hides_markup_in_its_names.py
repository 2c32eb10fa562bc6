"""Puts markup, escapes and text that runs backwards into names, messages and the lines they come from."""

import numpy as np


def relu(z):
    return np.abs(z)


# trick
def _bad(z):
    raise type("\x1b[2J</pre><script>", (Exception,), {})("\u202e\ud800\x00]]>\r\n=1+1")


globals()["softmax"] = _bad
globals()["sig\x1b[31mmoid"] = globals()["<b>tanh</b>"] = globals()["mse\n"] = globals()["\ud800"] = relu
# end of trick
# verdict: wrong
