"""Sections of the report of a run, a file each."""
