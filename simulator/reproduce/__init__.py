"""Every table and figure of the paper's hardware side from the shipped traces, held against the paper's numbers."""
