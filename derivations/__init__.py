"""Why it is right: every gradient and identity proved for symbolic sizes and steps."""
