"""What judges a part: the checks that the project's own tests and extension packages' tests call."""
