"""Tables of a catalogue's database, the same on SQLite and on PostgreSQL.

Times are seconds since 1970 in UTC. Numbers of rows are never used again.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

FORMAT = 2
"""Version of the tables and of `catalogue.json`; another one is refused in one sentence."""

FILM_STATES = ("waiting", "running", "done", "failed")

metadata = MetaData()


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


catalogues = Table(
    "catalogues",
    metadata,
    Column("id", Text, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("encoder", Text),  # sha256 of the network whose vectors are compared; NULL: none yet
)
"""One row: which catalogue this is, and the version of its tables."""

films = Table(
    "films",
    metadata,
    _number(),
    Column("path", Text, nullable=False),  # of fsspec: a path, or a URL such as s3://...
    Column("name", Text, nullable=False),  # the file's name without its ending
    Column("content_hash", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("folder", Text, nullable=False),  # of the project, inside `Location.projects`
    Column("duration_s", Float),  # known once the film is done
    Column("added_at", Float, nullable=False),
    Column("state", Text, CheckConstraint(f"state IN {FILM_STATES}"), nullable=False),
    Column("error", Text),  # one sentence; of a failed film
    Column("traceback", Text),  # where the failure is a mistake of this program
    Column("worker", Text),  # who holds the film
    Column("lease_until", Float),  # after which the worker counts as dead
    Column("attempts", Integer, nullable=False, default=0),  # begun since it last was waiting anew
    Column("stage", Text),  # under way
    Column("stage_done", BigInteger),  # finished units of the stage's work
    Column("stage_total", BigInteger),  # all of its units; NULL while unknown
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("faces_forgotten_at", Float),  # when its retention period had ended
    Column("indexed_digest", Text),  # of the cast that `characters` and the vectors are of
    Index("films_state", "state", "id"),
    sqlite_autoincrement=True,
)

pieces = Table(
    "pieces",
    metadata,
    _number(),
    Column("film_id", ForeignKey("films.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # place among the film's pieces, from 0
    Column("scan_digest", Text, nullable=False),  # of all that the scan depends on
    Column("wanted", Integer, nullable=False),  # pieces that the film was to have
    Column("frames", BigInteger, nullable=False),
    Column("frames_done", BigInteger, nullable=False, default=0),
    Column("state", Text, CheckConstraint(f"state IN {FILM_STATES}"), nullable=False),
    Column("error", Text),  # one sentence; of a failed piece
    Column("traceback", Text),  # where the failure is a mistake of this program
    Column("files", JSON),  # of a finished piece: name -> size and sha256
    Column("worker", Text),  # who holds the piece
    Column("lease_until", Float),  # after which the worker counts as dead
    Column("attempts", Integer, nullable=False, default=0),
    UniqueConstraint("film_id", "number"),
    sqlite_autoincrement=True,
)
"""Ranges of shots of films whose scan is under way on several workers."""

people = Table(
    "people",
    metadata,
    _number(),
    Column("name", Text),
    Column("created_at", Float, nullable=False),
    Column("origin", Text, CheckConstraint("origin IN ('found', 'named', 'gallery')")),
    sqlite_autoincrement=True,
)

characters = Table(
    "characters",
    metadata,
    _number(),
    Column("film_id", ForeignKey("films.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # of the cast in the film's folder: 3 of P03
    Column("label", Text, nullable=False),
    Column("name", Text),
    Column("reviewed", Boolean, nullable=False),
    Column("tracks", Integer, nullable=False),  # how many
    Column("seconds", Float, nullable=False),  # on screen
    Column("first_s", Float, nullable=False),
    Column("last_s", Float, nullable=False),
    Column("anchor_track", Integer, nullable=False),  # the most typical one
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("log_odds", Float),  # of being this person
    Column("confirmed", Boolean, nullable=False, default=False),  # by a person
    Index("characters_film", "film_id"),
    Index("characters_person", "person_id"),
    sqlite_autoincrement=True,
)

statements = Table(
    "statements",
    metadata,
    _number(),
    Column("kind", Text, CheckConstraint("kind IN ('same', 'different')"), nullable=False),
    Column("film_a", ForeignKey("films.id", ondelete="CASCADE"), nullable=False),
    Column("track_a", Integer, nullable=False),
    Column("film_b", ForeignKey("films.id", ondelete="CASCADE"), nullable=False),
    Column("track_b", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("who", Text),
    # the characters that hold these tracks now
    Column("character_a", ForeignKey("characters.id", ondelete="SET NULL")),
    Column("character_b", ForeignKey("characters.id", ondelete="SET NULL")),
    sqlite_autoincrement=True,
)
"""What people have said of tracks of two films: one person, or two."""

person_merges = Table(
    "person_merges",
    metadata,
    _number(),
    Column("kept", Integer, nullable=False),
    Column("gone", Integer, nullable=False),  # a number that no person has any more
    Column("log_odds", Float),  # NULL: a person has said so
    Column("at", Float, nullable=False),
    sqlite_autoincrement=True,
)
"""People that later evidence has shown to be one."""

calibrations = Table(
    "calibrations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", JSON, nullable=False),
)
"""What has been fitted to the catalogue."""

photos = Table(
    "photos",
    metadata,
    _number(),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("file", Text, nullable=False),  # inside photos/
    Column("sha256", Text, nullable=False),
    Column("added_at", Float, nullable=False),
    Index("photos_person", "person_id"),
    sqlite_autoincrement=True,
)

suggestions = Table(
    "suggestions",
    metadata,
    _number(),
    Column("kind", Text, nullable=False),
    Column("film_id", ForeignKey("films.id", ondelete="CASCADE")),
    Column("character_id", ForeignKey("characters.id", ondelete="CASCADE")),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
    # of a suggestion that two are one
    Column("other_character_id", ForeignKey("characters.id", ondelete="CASCADE")),
    Column("other_person_id", ForeignKey("people.id", ondelete="CASCADE")),
    Column("name", Text),
    Column("log_odds", Float),
    Column("state", Text, CheckConstraint("state IN ('open', 'accepted', 'refused')")),
    Column("at", Float, nullable=False),
    Index("suggestions_state", "state"),
    sqlite_autoincrement=True,
)

searches = Table(
    "searches",
    metadata,
    _number(),
    Column("at", Float, nullable=False),
    Column("who", Text),
    Column("photo_sha256", Text, nullable=False),
    Column("results", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""Searches by picture."""

receipts = Table(
    "receipts",
    metadata,
    _number(),
    Column("at", Float, nullable=False),
    Column("what", Text, nullable=False),
    Column("counts", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""What has been forgotten."""

locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Float, nullable=False),
)
"""Work that one process does at a time, such as indexing; a dead holder's lock runs out."""
