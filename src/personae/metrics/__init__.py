"""Agreement of a clustering with the truth: metrics, their registry, and scores on hand labels."""
