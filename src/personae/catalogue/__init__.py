"""Many films: a catalogue of a series or an archive, run on one machine or a cluster.

It needs the extra `catalogue`; what it installs is loaded when a catalogue is opened.
"""

from personae.catalogue.opening import create_catalogue, open_catalogue

__all__ = ["create_catalogue", "open_catalogue"]
