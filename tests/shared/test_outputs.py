"""What may be written onto, and that it still may when the work is done."""

import os
import shutil
from pathlib import Path

import pytest

from mocapgen.shared.files import new_file, new_files, write_file
from mocapgen.shared.outputs import check_folder, check_target, protected, writing
from schemas.errors import ConfigError, DatasetError, MocapError

READ = "than one that is read"


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text("HIERARCHY")
    return path


def test_what_is_read_is_protected_within_the_block_only(clip):
    with protected(clip, None, "average_man"), pytest.raises(ConfigError, match=READ):
        write_file(clip, "new")
    assert clip.read_text() == "HIERARCHY"
    write_file(clip, "new")
    assert clip.read_text() == "new"


def test_blocks_add_up(clip, tmp_path):
    with writing(tmp_path / "a", overwrite=True, inputs=[clip]), writing(tmp_path / "b", overwrite=True), pytest.raises(ConfigError, match=READ):
        write_file(clip, "new")


@pytest.mark.parametrize("how", ["symbolic link", "hard link"])
def test_a_file_that_becomes_what_is_read_while_it_is_written(clip, tmp_path, how):
    out = tmp_path / "out.h5"
    out.write_text("older")

    def work():
        with protected(clip), new_file(out, overwrite=True) as partial:
            partial.write_text("new")
            out.unlink()
            (out.symlink_to if how == "symbolic link" else out.hardlink_to)(clip)

    with pytest.raises(ConfigError, match=READ):
        work()
    assert clip.read_text() == "HIERARCHY"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.bvh", "out.h5"]


def test_a_device_that_appears_while_a_file_is_written(tmp_path):
    out = tmp_path / "out.h5"

    def work():
        with new_file(out, overwrite=True) as partial:
            partial.write_text("new")
            os.mkfifo(out)

    with pytest.raises(DatasetError, match="found a device, pipe or socket"):
        work()
    assert out.is_fifo()


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "clip.bvh/x", "none/x", "loop", "."])
def test_names_that_cannot_be(clip, tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DatasetError) as caught:
        check_target(tmp_path / name, overwrite=True)
    assert len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


def test_a_folder_to_write_to(clip, tmp_path):
    for name in ("new", ".", "new/inner"):
        check_folder(tmp_path / name)
    (tmp_path / "loop").symlink_to("loop")
    for wrong in (clip, Path("/dev/null"), tmp_path / "loop"):
        with pytest.raises(DatasetError, match="expected a folder to write to, found"):
            check_folder(wrong)


# Files that belong together -----------------------------------------------------------------------


def test_a_new_folder_appears_in_one_step(tmp_path):
    with new_files(tmp_path / "new", "", overwrite=False) as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "a").write_text("a")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "inner" / "a").read_text() == "a"
    assert oct((tmp_path / "new").stat().st_mode) == oct((tmp_path / "new" / "inner").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_links_in_a_folder_stay_and_lead_to_what_is_written(tmp_path):
    (tmp_path / "elsewhere").write_text("older")
    (tmp_path / "a").symlink_to("elsewhere")
    with new_files(tmp_path, "a", overwrite=True) as draft:
        (draft / "a").write_text("new")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "new"


@pytest.mark.parametrize("last", ["what is read", "twice", "a folder"])
def test_files_that_belong_together_come_back_together(clip, tmp_path, last):
    """Whatever stands in the way of the last: the first ones hold what they held."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("older")
    match last:
        case "what is read":
            (folder / "z").hardlink_to(clip)
        case "twice":
            (folder / "z").symlink_to("a")
        case _:
            (folder / "z").mkdir()

    def work():
        with protected(clip), new_files(folder, "z", overwrite=True) as draft:
            for name in ("a", "b", "inner/c", "z"):
                (draft / name).parent.mkdir(exist_ok=True)
                (draft / name).write_text("new")

    with pytest.raises(MocapError):
        work()
    assert (folder / "a").read_text() == "older"
    assert clip.read_text() == "HIERARCHY"
    assert sorted(path.name for path in folder.iterdir()) == ["a", "z"]


def test_another_file_system(tmp_path):
    """Where a link leads to one, a name cannot be given in one step from here."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other file system")
    place = other / f"mocapgen-{os.getpid()}"
    place.mkdir()
    try:
        for number, name in enumerate(("a", "b")):
            (tmp_path / name).symlink_to(place / name)
            (place / "a").write_text("older")
            with new_files(tmp_path, "b", overwrite=True) as draft:
                (draft / name).write_text(f"new {number}")
            assert (place / name).read_text() == f"new {number}"
        write_file(tmp_path / "a", "one file")
        assert (place / "a").read_text() == "one file"
        assert sorted(path.name for path in place.iterdir()) == ["a", "b"]
    finally:
        shutil.rmtree(place)


def test_a_folder_that_may_only_be_read_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, mode: not (mode == os.W_OK and Path(folder) == tmp_path))  # root may write anywhere
    (tmp_path / "old.h5").touch()
    (tmp_path / "open").mkdir()
    for name, overwrite in (("new.h5", False), ("old.h5", True)):
        with pytest.raises(DatasetError, match=rf"{name}: expected a folder that may be written to, found one that may only be read"):
            check_target(tmp_path / name, overwrite)
    for folder in (tmp_path, tmp_path / "new" / "runs"):
        with pytest.raises(DatasetError, match="found one that may only be read; choose another name"):
            check_folder(folder)
    check_folder(tmp_path / "open" / "runs")
    assert check_target(tmp_path / "open" / "new.h5", False) == (tmp_path / "open" / "new.h5").resolve()
