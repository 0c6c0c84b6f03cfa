"""The multiply-accumulates of hundreds of models that no one here wrote, beside torch's own count of them."""
