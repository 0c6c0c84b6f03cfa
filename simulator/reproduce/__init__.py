"""Every table and figure of the paper's hardware side from the shipped traces, beside the paper's numbers."""
