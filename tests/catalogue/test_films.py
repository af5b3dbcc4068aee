"""Which files become films of a catalogue, and that each content does so once."""

from __future__ import annotations

import threading

import fsspec
import pytest

from personae.catalogue import open_catalogue
from personae.catalogue.films import find_films, get_film, read_film_list
from personae.catalogue.jobs import claim_film, fail_film
from personae.core.errors import CatalogueError


def test_a_folder_gives_its_films_and_nothing_else(tmp_path):
    for name in (
        "b.mp4",
        "season 1/a.MKV",
        "notes.txt",
        ".trash/c.mp4",
        "b.personae/reel.mp4",
        "season 1/._a.mkv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert find_films([str(tmp_path)]) == [
        str(tmp_path / "b.mp4"),
        str(tmp_path / "season 1/a.MKV"),
    ]


def test_a_named_file_is_a_film_whatever_its_ending(tmp_path):
    assert find_films([f"{tmp_path}/tape.bin"]) == [f"{tmp_path}/tape.bin"]


def test_a_folder_without_films_is_refused(tmp_path, on_sqlite):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogueError, match=r"no film in the folder .*empty: name another"):
        on_sqlite.add(tmp_path / "empty")
    assert on_sqlite.films() == []


def test_a_list_may_have_empty_lines_and_remarks():
    assert read_film_list("a.mp4\n\n# of 1948\n  b c.mkv \n") == ["a.mp4", "b c.mkv"]


def test_films_are_numbered_in_order_and_have_folders_of_their_names(catalogue, tmp_path):
    for name in ("Tom & Jerry: Nº 1.mp4", "?.mp4"):
        (tmp_path / name).write_text(name)
    added = catalogue.add(tmp_path / "Tom & Jerry: Nº 1.mp4", tmp_path / "?.mp4")
    assert added.added == (1, 2)
    folders = [film.folder for film in catalogue.films()]
    assert folders == [
        f"{tmp_path}/catalogue/projects/1-Tom_Jerry_Nº_1.personae",
        f"{tmp_path}/catalogue/projects/2-film.personae",
    ]


def test_the_same_content_is_one_film_whatever_its_name(catalogue, tmp_path):
    (tmp_path / "a.mp4").write_text("the film")
    (tmp_path / "b.mkv").write_text("the film")
    assert catalogue.add(tmp_path / "a.mp4").added == (1,)
    again = catalogue.add(tmp_path / "b.mkv")
    assert again.added == ()
    assert again.known == ((str(tmp_path / "b.mkv"), 1),)


def test_files_that_cannot_be_read_do_not_stop_the_others(catalogue, tmp_path):
    (tmp_path / "b.mp4").write_text("film")
    result = catalogue.add(tmp_path / "gone.mp4", tmp_path / "b.mp4")
    assert len(result.added) == 1
    assert result.refused == (f"There is no file {tmp_path}/gone.mp4.",)


def test_a_failed_film_that_is_added_again_waits_again_where_it_now_lies(catalogue, tmp_path):
    film = tmp_path / "a.mp4"
    film.write_text("film")
    catalogue.add(film)
    fail_film(catalogue.database, claim_film(catalogue, "me"), "It is broken.")
    moved = film.rename(tmp_path / "moved.mp4")
    assert catalogue.add(moved).again == (1,)
    found = get_film(catalogue, 1)
    assert (found.state, found.error, found.path) == ("waiting", None, str(moved))


def test_two_users_adding_at_once_make_one_row_a_film(catalogue, tmp_path):
    films = [tmp_path / f"{number}.mp4" for number in range(30)]
    for film in films:
        film.write_text(film.name)
    results = []
    start = threading.Barrier(4)

    def add():
        with open_catalogue(tmp_path / "catalogue") as own:
            start.wait()
            results.append(own.add(*films))

    users = [threading.Thread(target=add) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(catalogue.films()) == 30
    assert sorted(n for result in results for n in result.added) == [
        film.id for film in catalogue.films()
    ]
    assert all(len(result.added) + len(result.known) == 30 for result in results)
    assert all(film.folder.endswith(".personae") for film in catalogue.films())


def test_films_of_other_storages_are_known_by_the_same_content(on_sqlite, tmp_path):
    content = bytes(range(256)) * 20_000  # more than the three samples
    storage = fsspec.filesystem("memory")
    storage.pipe_file("/archive/reel.mp4", content)
    (tmp_path / "copy.mp4").write_bytes(content)
    assert on_sqlite.add("memory://archive").added == (1,)
    assert on_sqlite.films()[0].path == "memory:///archive/reel.mp4"
    assert on_sqlite.add(tmp_path / "copy.mp4").known[0][1] == 1
    assert on_sqlite.add(f"file://{tmp_path}/copy.mp4").known[0][1] == 1


@pytest.mark.parametrize("name", ["a::b.mp4", "50% #1 [x] *?.mp4", " spaces .mp4", "Ödön.mp4"])
def test_any_name_of_a_file_will_do(on_sqlite, tmp_path, name):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / name).write_text(name)
    assert on_sqlite.add(tmp_path / "films" / name).added == (1,)
    assert on_sqlite.add(tmp_path / "films").known == ((str(tmp_path / "films" / name), 1),)


def test_a_film_that_is_not_there_is_named(on_sqlite):
    with pytest.raises(CatalogueError, match="no film 7 in"):
        get_film(on_sqlite, 7)
