"""Products and training steps with real numbers on the stepped arrays."""
