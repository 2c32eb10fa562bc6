"""Whether yours is right: exercises by topic, and the harness that judges them."""
