"""Several devices: a network in stages, micro-batches that go through them, ADA-GP on top (paper, section 3.8)."""
