"""The machinery of grading, in the order in which a datum travels; it knows no topic."""
