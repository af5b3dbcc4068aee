"""Figures: how well a clustering, or a whole run over a film, agrees with hand labels."""
