"""What a batch does in each phase, and how a design lays it on the machine."""
