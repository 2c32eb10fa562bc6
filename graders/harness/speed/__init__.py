"""How fast a function is: two sides timed in turn, by a clock that neither can reach, and what may be said of it."""
