"""Cues: evidence on whether two tracks show the same person.

Each cue has a module: `face` (the base model's embeddings), `learned_score` (the metric that the
adaptation learned), and the pair cues of the `registry`. `joint_calibration` calibrates all of them
to log-odds of one person on the film itself, and `evidence` adds these up.
"""
