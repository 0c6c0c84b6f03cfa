"""The kinds of array, a folder or file each: parameters, closed forms, and stepped models of every register.

docs/microarchitecture.md says what each does in which cycle. Kernels are in files of their own, imported when a job
is stepped, since numba takes a third of a second to import.
"""
