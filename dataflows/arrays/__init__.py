"""The arrays, one file each: cycles and counts of jobs, and stepped models of every register.

docs/microarchitecture.md says what each does in which cycle.
"""
