"""Single changes of the code; some test must notice each: `python -m tests.mutation --help`."""
