"""Folders and zips are listed alike, read in place, and everything that goes wrong is one line."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mocapgen.sources import file_tree as tree_module
from mocapgen.sources.file_tree import FolderTree, Tree, ZipTree, open_tree
from schemas.errors import FormatError, SourceError

FILES = {"a.amc": b"one", "b/c/d.AMC": b"two", "b/e f (ü).asf": b"three" * 100, "b.amc": b""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def pack(folder: Path, target: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def problems(tree: Tree) -> list[tuple[str, str, str]]:
    return [(problem.file, problem.reason, problem.detail) for problem in tree.contents().problems]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_folder_and_zip_hold_the_same(folder: Path, tmp_path: Path, compression: int) -> None:
    with open_tree(folder) as from_folder, open_tree(pack(folder, tmp_path / "x.zip", compression)) as from_zip:
        assert isinstance(from_folder, FolderTree)
        assert isinstance(from_zip, ZipTree)
        for tree in (from_folder, from_zip):
            contents = tree.contents()
            assert {entry.path: entry.size for entry in contents.files} == {path: len(data) for path, data in FILES.items()}
            assert list(contents.files) == sorted(contents.files)
            assert contents.folders == ("b", "b/c")
            assert contents.problems == ()
            assert {path: tree.read(path) for path in FILES} == FILES


def test_a_zip_is_known_by_its_content_not_its_name(folder: Path, tmp_path: Path) -> None:
    assert open_tree(pack(folder, tmp_path / "HDM05.download")).read("a.amc") == b"one"


def test_order_of_the_directory_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = FolderTree(folder).contents()
    real = os.scandir

    @contextmanager
    def reversed_order(path: Path) -> Iterator[list[os.DirEntry[str]]]:
        with real(path) as entries:
            yield sorted(entries, key=lambda entry: entry.name, reverse=True)

    monkeypatch.setattr(tree_module.os, "scandir", reversed_order)
    assert FolderTree(folder).contents() == expected


def test_trees_travel_to_other_processes(folder: Path, tmp_path: Path) -> None:
    tree = open_tree(pack(folder, tmp_path / "x.zip"))
    before = pickle.dumps(tree)
    assert tree.read("a.amc") == b"one"
    assert pickle.dumps(tree) == before  # a path, no handle and no directory
    copy = pickle.loads(pickle.dumps(tree))
    assert copy.read("b/c/d.AMC") == b"two"
    copy.close()
    tree.close()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to count open files")
def test_zip_is_closed(folder: Path, tmp_path: Path) -> None:
    target = pack(folder, tmp_path / "x.zip")

    def is_open() -> bool:
        return any(Path(f"/proc/self/fd/{fd}").resolve() == target for fd in os.listdir("/proc/self/fd"))  # noqa: PTH208

    with ZipTree(target) as tree:
        tree.read("a.amc")
        kept = tree._handle  # so that it is not closed for want of references
        assert is_open()
    assert kept is not None
    assert not is_open()
    assert tree.read("a.amc") == b"one"  # opened anew
    del tree
    assert not is_open()  # closed when the tree is gone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_its_own_handle(folder: Path, tmp_path: Path) -> None:
    tree = ZipTree(pack(folder, tmp_path / "x.zip"))
    tree.read("a.amc")
    assert tree._handle is not None
    parent = tree._handle.archive
    pid = os.fork()
    if pid == 0:
        tree.read("a.amc")
        os._exit(0 if tree._handle.archive is not parent else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    tree.close()


# What cannot be listed ----------------------------------------------------------------------------


def test_links_are_followed_but_not_in_circles(folder: Path) -> None:
    (folder / "b/loop").symlink_to(folder, target_is_directory=True)
    (folder / "b/self").symlink_to("self")
    (folder / "gone.amc").symlink_to("nowhere")
    (folder / "again").symlink_to("b/c", target_is_directory=True)
    (folder / "linked.amc").symlink_to("a.amc")
    tree = FolderTree(folder)
    paths = [entry.path for entry in tree.contents().files]
    assert paths == sorted([*FILES, "again/d.AMC", "linked.amc"])
    loop, itself, gone = problems(tree)
    assert loop[:2] == ("b/loop/", "not a clip")
    assert "not followed" in loop[2]
    assert itself[:2] == ("b/self", "unreadable")
    assert gone[:2] == ("gone.amc", "unreadable")
    assert "broken symbolic link" in gone[2]


def test_two_folders_linking_to_each_other(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "other").symlink_to(tmp_path / other, target_is_directory=True)
    assert [file for file, *_ in problems(FolderTree(tmp_path))] == ["a/other/other/", "b/other/other/"]


def test_pipes_are_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.amc")
    assert problems(FolderTree(folder)) == [("pipe.amc", "not a clip", "pipe.amc: expected a regular file, found a device or pipe")]
    with pytest.raises(SourceError, match="expected a folder or a zip file, found a device, pipe or socket"):
        open_tree(folder / "pipe.amc")


def test_unreadable_folder_is_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "b/c").chmod(0)
    if os.access(folder / "b/c", os.R_OK):  # permissions do not bind the superuser
        real = os.scandir

        def refuse(path: Path) -> object:
            if Path(path) == folder / "b/c":
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(tree_module.os, "scandir", refuse)
    tree = FolderTree(folder)
    assert problems(tree) == [("b/c/", "unreadable", "b/c/: expected a readable folder, found: Permission denied; check its permissions")]
    assert "a.amc" in [entry.path for entry in tree.contents().files]
    (folder / "b/c").chmod(0o755)


def test_names_that_no_message_can_show(folder: Path) -> None:
    os.close(os.open(os.fsencode(folder) + b"/bad\xff\n\x1b[31m.amc", os.O_CREAT | os.O_WRONLY))
    found = problems(FolderTree(folder))
    assert found[0][:2] == (r"bad\udcff\n\x1b[31m.amc", "unreadable")
    assert found[0][2].isprintable()


def test_hidden_files_are_no_data(folder: Path, tmp_path: Path) -> None:
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX/a.amc").write_bytes(b"x")
    (folder / "._a.amc").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git/a.amc").write_bytes(b"x")
    for tree in (FolderTree(folder), ZipTree(pack(folder, tmp_path / "x.zip"))):
        assert [entry.path for entry in tree.contents().files] == sorted(FILES)
        assert problems(tree) == []


def test_far_too_many_files(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = pack(folder, tmp_path / "x.zip")
    monkeypatch.setattr(tree_module, "MAX_ENTRIES", 3)
    for tree in (FolderTree(folder), ZipTree(target)):
        with pytest.raises(SourceError, match="at most 3 files and folders"):
            tree.contents()


# Roots and files that cannot be read ----------------------------------------------------------------


def test_root_that_is_neither(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    for path, text in [("nowhere", "found nothing"), ("x.txt", "another kind of file"), ("null\0", "null"), ("x" * 5000, "too long")]:
        with pytest.raises(SourceError, match=text) as error:
            open_tree(tmp_path / path)
        one_line(error)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_file_that_only_claims_to_be_a_zip(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(SourceError, match="found a broken one") as error:
        open_tree(tmp_path / "x.zip").contents()
    one_line(error)


def test_zip_cut_short_at_any_place(folder: Path, tmp_path: Path) -> None:
    whole = pack(folder, tmp_path / "x.zip").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(SourceError):
            open_tree(tmp_path / "cut.zip").contents()


def read_all(path: Path) -> str:
    """Return what came of reading every file of a zip: its data, or the message of an error of ours."""
    with ZipTree(path) as tree:
        try:
            data = [tree.read(entry.path) for entry in tree.contents().files]
        except (SourceError, FormatError) as error:
            return f"{type(error).__name__}: {error}"
    assert set(data) <= set(FILES.values())
    return "data"


def test_any_flipped_byte_in_a_zip_gives_data_or_one_of_our_errors(folder: Path, tmp_path: Path) -> None:
    whole = pack(folder, tmp_path / "x.zip").read_bytes()
    outcomes = set()
    for place in range(len(whole)):
        for flip in (0x01, 0xFF):
            (tmp_path / "x.zip").write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            outcomes.add(read_all(tmp_path / "x.zip"))
    assert {outcome.split(":")[0] for outcome in outcomes} == {"data", "SourceError", "FormatError"}
    assert not any("\n" in outcome for outcome in outcomes)


def test_wrong_checksum(folder: Path, tmp_path: Path) -> None:
    target = pack(folder, tmp_path / "x.zip", zipfile.ZIP_STORED)
    target.write_bytes(target.read_bytes().replace(b"threethree", b"threeTHREE", 1))
    tree = ZipTree(target)
    assert tree.read("a.amc") == b"one"
    with pytest.raises(FormatError, match=r"b/e f \(ü\)\.asf: expected a whole member of the zip, found: Bad CRC-32") as error:
        tree.read("b/e f (ü).asf")
    assert str(tmp_path) not in one_line(error)  # messages go into the dataset, which must be the same on every machine


def test_encrypted_member(folder: Path, tmp_path: Path) -> None:
    data = bytearray(pack(folder, tmp_path / "x.zip").read_bytes())
    position = data.index(b"PK\x01\x02")
    while position >= 0:
        data[position + 8] |= 1  # the flag in the central directory
        position = data.find(b"PK\x01\x02", position + 4)
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(FormatError, match="found an encrypted one"):
        ZipTree(tmp_path / "x.zip").read("a.amc")


def test_absurd_size(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(pack(folder, tmp_path / "x.zip").read_bytes())
    position = data.rindex(b"PK\x01\x02", 0, data.rindex(b"a.amc"))
    data[position + 24 : position + 28] = (2**32 - 2).to_bytes(4, "little")  # size when unpacked
    (tmp_path / "bomb.zip").write_bytes(data)
    with pytest.raises(FormatError, match=r"a\.amc: expected a motion-capture file of at most 805\.3 MB, found 4\.3 GB"):
        ZipTree(tmp_path / "bomb.zip").read("a.amc")
    monkeypatch.setattr(tree_module, "MAX_BYTES", 2)
    with pytest.raises(FormatError, match="expected a motion-capture file of at most 2 B, found 3 B"):
        FolderTree(folder).read("a.amc")


def test_what_is_no_file_any_more_when_it_is_read(folder: Path) -> None:
    tree = FolderTree(folder)
    (folder / "a.amc").unlink()
    os.mkfifo(folder / "a.amc")
    for read in (tree.read, lambda path: tree.read_head(path, 4)):
        with pytest.raises(FormatError, match=r"^a\.amc: expected a motion-capture file, found a device, pipe or socket") as error:
            read("a.amc")
        one_line(error)


def test_paths_without_an_end(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a/" * 30_000 + "b.amc", b"deep")
        archive.writestr("c" * 2_000 + ".amc", b"long")
        archive.writestr("d.amc", b"sound")
    contents = ZipTree(tmp_path / "x.zip").contents()
    assert [entry.path for entry in contents.files] == ["d.amc"]
    assert contents.folders == ()
    assert [problem.reason for problem in contents.problems] == ["unreadable", "unreadable"]
    assert all(len(problem.detail) <= 300 for problem in contents.problems)


def test_reading_what_is_not_there(folder: Path, tmp_path: Path) -> None:
    for tree in (FolderTree(folder), ZipTree(pack(folder, tmp_path / "x.zip"))):
        for path in ("gone.amc", "b", "b/c", "null\0"):
            with pytest.raises(FormatError) as error:
                tree.read(path)
            assert path[:4] in one_line(error)


def test_zip_with_odd_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("twice.amc", b"old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("twice.amc", b"new")
        archive.writestr(r"windows\style.amc", b"w")
        archive.writestr("./dot.amc", b"d")
        archive.writestr("/absolute.amc", b"a")
        archive.writestr("../above.amc", b"u")
        archive.writestr("folder.amc/", b"")
        link = zipfile.ZipInfo("link.amc")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, b"twice.amc")
    tree = ZipTree(tmp_path / "x.zip")
    contents = tree.contents()
    assert [entry.path for entry in contents.files] == ["../above.amc", "absolute.amc", "dot.amc", "twice.amc", "windows/style.amc"]
    assert contents.folders == ("..", "folder.amc", "windows")
    assert [(problem.file, problem.reason) for problem in contents.problems] == [("link.amc", "not a clip"), ("twice.amc", "duplicate")]
    assert tree.read("twice.amc") == b"new"
    assert tree.read("windows/style.amc") == b"w"
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]


def test_a_member_that_grows_a_hundred_times_in_unpacking(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("bomb.bvh", bytes(80_000_000))
    with pytest.raises(FormatError, match=r"^bomb\.bvh: expected a motion-capture file, found one that grows \d+ times in unpacking"):
        ZipTree(tmp_path / "x.zip").read("bomb.bvh")


def test_a_member_without_a_name_is_none(folder: Path, tmp_path: Path) -> None:
    data = bytearray(pack(folder, tmp_path / "x.zip").read_bytes())
    data[data.rindex(b"a.amc")] = 0  # where the name ends
    (tmp_path / "x.zip").write_bytes(data)
    with ZipTree(tmp_path / "x.zip") as tree:
        assert "b.amc" in [entry.path for entry in tree.contents().files]
        assert tree.read("b.amc") == b""
