"""The pages of a catalogue: its films, the people across them, and each film's review."""
