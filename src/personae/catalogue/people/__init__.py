"""People across films: which characters of several films are one person."""
