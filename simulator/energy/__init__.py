"""Energy from action counts."""
