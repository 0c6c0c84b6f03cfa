"""One batch on one machine: what each pass consists of, and where its tensors lie."""
