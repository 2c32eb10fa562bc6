import numpy as np
def adam(params, grad, state, *, lr, betas, eps):
    t, m, v = state
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    return params - lr * m / (np.sqrt(v) + eps), (t + 1, m, v)
