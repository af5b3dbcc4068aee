"""Cues: evidence on whether two tracks show the same person.

Each cue has a module: `face` (the base model's embeddings), `learned_score` (the metric that the
adaptation learned) and `shot_threads` (recurring camera set-ups). `score_mixture` calibrates scores
to log-odds, and `evidence` combines the cues.
"""
