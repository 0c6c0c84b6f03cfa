"""Single changes of the code, each of which some test must notice: `python -m tests.mutation --help`."""
