"""The primer's tasks. Each module draws training sentences and held-out items from the same templates."""
