"""What a user can do something about becomes a sentence, and no change is half made."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import insert, select, update

from personae.catalogue import create_catalogue, open_catalogue
from personae.catalogue.database import Database, now_s
from personae.catalogue.lock import try_to_lock
from personae.catalogue.schema import FORMAT, catalogues, films, locks, people
from personae.core.errors import CatalogueError, OutputError


def person(**values):
    return insert(people).values(created_at=now_s(), origin="found", **values)


def names(database):
    with database.read() as connection:
        return list(connection.execute(select(people.c.name).order_by(people.c.id)).scalars())


def test_a_change_that_fails_in_the_middle_is_not_made(catalogue):
    def change():
        with catalogue.database.begin() as connection:
            connection.execute(person(name="Hamlet"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert names(catalogue.database) == []


def test_a_reader_waits_for_no_writer_and_sees_nothing_half_made(catalogue):
    with catalogue.database.begin() as connection:
        connection.execute(person(name="Hamlet"))
        assert names(catalogue.database) == []
    assert names(catalogue.database) == ["Hamlet"]


def test_changes_at_once_wait_for_each_other(catalogue, tmp_path):
    def add(name):
        with open_catalogue(tmp_path / "catalogue") as own, own.database.begin() as connection:
            connection.execute(select(people)).all()  # a reader that then writes
            connection.execute(person(name=name))

    threads = [threading.Thread(target=add, args=[f"{number:02}"]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(catalogue.database)) == [f"{number:02}" for number in range(12)]


def test_numbers_of_deleted_rows_are_not_used_again(catalogue):
    with catalogue.database.begin() as connection:
        first = connection.execute(person()).inserted_primary_key[0]
        connection.execute(people.delete())
        assert connection.execute(person()).inserted_primary_key[0] > first


def test_a_database_that_another_program_locks_is_named(on_sqlite, tmp_path):
    path = tmp_path / "catalogue/catalogue.db"
    impatient = Database(f"sqlite:///{path}", busy_timeout_s=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogueError, match="has been locked by another program"):
        impatient.begin().__enter__()
    other.execute("COMMIT")
    with impatient.begin() as connection:
        connection.execute(person(name="Hamlet"))
    assert names(on_sqlite.database) == ["Hamlet"]


def test_a_full_disk_loses_nothing(on_sqlite, write_films):
    on_sqlite.add(*write_films("one"))

    def insert_much():
        with on_sqlite.database.begin() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")  # the disk's end
            for number in range(2000):
                connection.execute(person(name=f"person {number}"))

    with pytest.raises(OutputError, match="no space left for the database"):
        insert_much()
    assert names(on_sqlite.database) == []
    assert [film.state for film in on_sqlite.films()] == ["waiting"]


def test_a_database_that_is_gone_is_named(on_sqlite, tmp_path):
    on_sqlite.close()
    for file in (tmp_path / "catalogue").glob("catalogue.db*"):
        file.unlink()
    with pytest.raises(CatalogueError, match=r"catalogue.db is gone: put it back"):
        open_catalogue(tmp_path / "catalogue")
    assert not (tmp_path / "catalogue/catalogue.db").exists()


def test_a_damaged_database_is_named(on_sqlite, tmp_path):
    on_sqlite.close()
    (tmp_path / "catalogue/catalogue.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(CatalogueError, match="is damaged: put it back"):
        open_catalogue(tmp_path / "catalogue")


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path):
    with pytest.raises(CatalogueError) as error:
        create_catalogue(tmp_path / "c", database="postgresql://me:secret@127.0.0.1:9/films")
    assert "cannot be reached" in str(error.value)
    assert "secret" not in str(error.value)
    with pytest.raises(CatalogueError, match="is not a catalogue"):
        open_catalogue(tmp_path / "c")


@pytest.mark.parametrize("url", ["films.db", "oracle+nonsense://x/y", "postgresql//x"])
def test_what_is_no_address_of_a_database_is_refused(tmp_path, url):
    with pytest.raises(CatalogueError, match="is no address of a database"):
        create_catalogue(tmp_path / "c", database=url)


def test_a_catalogue_of_a_newer_version_is_refused(catalogue, tmp_path):
    path = tmp_path / "catalogue/catalogue.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format": FORMAT + 1, "novelty": True}))
    with pytest.raises(CatalogueError, match=rf"format {FORMAT + 1} and this personae reads"):
        open_catalogue(tmp_path / "catalogue")


def test_a_database_of_a_newer_version_is_refused(catalogue, tmp_path):
    with catalogue.database.begin() as connection:
        connection.execute(update(catalogues).values(format=FORMAT + 1))
    with pytest.raises(CatalogueError, match=rf"database .* format {FORMAT + 1}"):
        open_catalogue(tmp_path / "catalogue")


def test_the_database_of_another_catalogue_is_refused(catalogue, tmp_path):
    with catalogue.database.begin() as connection:
        connection.execute(update(catalogues).values(id="another"))
    with pytest.raises(CatalogueError, match="belongs to another catalogue"):
        open_catalogue(tmp_path / "catalogue")


def test_a_server_database_holds_one_catalogue(tmp_path, postgres_url):
    create_catalogue(tmp_path / "one", database=postgres_url).close()
    with pytest.raises(CatalogueError, match="holds a catalogue already"):
        create_catalogue(tmp_path / "two", database=postgres_url)
    open_catalogue(tmp_path / "one").close()


def test_a_server_that_stops_answering_in_between_is_met_again(tmp_path, postgres_url):
    import psycopg

    with create_catalogue(tmp_path / "c", database=postgres_url) as made:
        assert made.films() == []
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        assert made.films() == []


def test_compacting_removes_the_bytes_of_deleted_rows(on_sqlite, tmp_path):
    secret = "Ophelia" * 20
    with on_sqlite.database.begin() as connection:
        connection.execute(person(name=secret))
    with on_sqlite.database.begin() as connection:
        connection.execute(people.delete())
    on_sqlite.database.compact()
    files = list((tmp_path / "catalogue").glob("catalogue.db*"))
    assert files
    assert not any(secret.encode() in file.read_bytes() for file in files)


def test_a_lock_has_one_holder_at_a_time(catalogue):
    with try_to_lock(catalogue.database, "indexing") as first:
        with try_to_lock(catalogue.database, "indexing") as second:
            assert (first, second) == (True, False)
        with try_to_lock(catalogue.database, "indexing") as third:
            assert not third, "one that was refused must not let go for the holder"
    with try_to_lock(catalogue.database, "indexing") as fourth:
        assert fourth


def test_the_lock_of_a_killed_process_of_this_machine_is_free_at_once(catalogue, tmp_path):
    killed = (
        "import os, sys\n"
        "from personae.catalogue import open_catalogue\n"
        "from personae.catalogue.lock import try_to_lock\n"
        "with open_catalogue(sys.argv[1]) as own, try_to_lock(own.database, 'indexing') as held:\n"
        "    os._exit(7 if held else 1)\n"
    )
    ended = subprocess.run([sys.executable, "-c", killed, tmp_path / "catalogue"], check=False)
    assert ended.returncode == 7
    with catalogue.database.read() as connection:
        assert connection.execute(select(locks.c.name)).scalar() == "indexing", "it did not let go"
    with try_to_lock(catalogue.database, "indexing") as is_held:
        assert is_held


def test_a_holder_keeps_its_lock_for_as_long_as_it_lives(catalogue):
    with try_to_lock(catalogue.database, "indexing", lease_s=0.6) as first:
        assert first
        time.sleep(1.2)
        with try_to_lock(catalogue.database, "indexing") as second:
            assert not second


def test_the_lock_of_another_machine_runs_out(catalogue):
    held = {"name": "indexing", "holder": "x@elsewhere-0:1", "until": now_s() + 0.5}
    with catalogue.database.begin() as connection:
        connection.execute(insert(locks).values(held))
    with try_to_lock(catalogue.database, "indexing") as early:
        assert not early
    time.sleep(0.6)
    with try_to_lock(catalogue.database, "indexing") as late:
        assert late


def test_a_lock_that_was_given_to_another_is_not_taken_away_from_it(catalogue, caplog):
    with try_to_lock(catalogue.database, "indexing", lease_s=0.4):
        with catalogue.database.begin() as connection:
            connection.execute(update(locks).values(holder="x@elsewhere-0:1", until=now_s() + 60))
        time.sleep(0.5)
    assert "was given to another process" in caplog.text
    with try_to_lock(catalogue.database, "indexing") as is_held:
        assert not is_held


def test_the_clock_of_the_database_is_that_of_the_world(catalogue):
    with catalogue.database.read() as connection:
        assert connection.execute(select(now_s())).scalar() == pytest.approx(time.time(), abs=5)


def test_settings_of_runs_are_kept_and_checked(tmp_path):
    from personae.core.errors import SettingError

    with create_catalogue(tmp_path / "c", depth="head", seed=3):
        pass
    with open_catalogue(tmp_path / "c") as again:
        assert again.location.config.settings == {"depth": "head", "seed": 3}
    with pytest.raises(SettingError, match="colour"):
        create_catalogue(tmp_path / "d", colour="red")
    assert not (tmp_path / "d").exists()


def test_a_folder_that_is_in_use_is_not_taken(on_sqlite, tmp_path):
    with pytest.raises(CatalogueError, match="is a catalogue already"):
        create_catalogue(tmp_path / "catalogue")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("x")
    with pytest.raises(CatalogueError, match="holds other things"):
        create_catalogue(tmp_path / "other")


def test_a_catalogue_may_be_moved(on_sqlite, tmp_path, write_films):
    on_sqlite.add(*write_films("one"))
    on_sqlite.close()
    (tmp_path / "catalogue").rename(tmp_path / "moved")
    with open_catalogue(tmp_path / "moved") as again:
        assert again.films()[0].folder.startswith(str(tmp_path / "moved"))


def test_a_url_needs_a_server_for_its_database(tmp_path):
    with pytest.raises(CatalogueError, match="make the catalogue with --database postgresql"):
        create_catalogue("memory://somewhere")


def test_a_catalogue_may_lie_at_a_url(postgres_url):
    with create_catalogue("memory://elsewhere/c", database=postgres_url):
        pass
    with open_catalogue("memory://elsewhere/c") as again:
        assert again.location.projects == "memory://elsewhere/c/projects"


def test_films_of_unknown_states_are_refused_by_the_database(catalogue, write_films):
    catalogue.add(*write_films("one"))
    with pytest.raises(Exception, match=r"(?i)check"), catalogue.database.begin() as connection:
        connection.execute(update(films).values(state="lost"))
