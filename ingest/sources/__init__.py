"""One module per kind of input, each yielding `Statute`."""
