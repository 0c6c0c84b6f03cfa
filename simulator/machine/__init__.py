"""The accelerator: every parameter, and how files and settings give it."""
