"""How the shipped sentence embedder is made: weights, vocabulary, model folder."""
