"""personae: who appears in a film, and where."""
