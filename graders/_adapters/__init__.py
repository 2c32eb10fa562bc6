"""Call shapes of the wild: each adapter binds a submission's functions to exercises."""
