"""What exhibits ask to be simulated; one kind of job a file."""
