"""From embeddings to characters: similarity, linkage, first neighbours, constraints."""
