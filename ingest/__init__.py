"""A statute's way: source -> Statute -> chunks -> vectors -> store."""
