"""What is right: every function in NumPy, pure, stable, in float32 and float64."""
