"""What a file or folder is, by its first bytes: for the line that says what somebody has named in place of what a command reads."""

from __future__ import annotations

import codecs
import re
import shlex
from pathlib import Path

from mocapgen.shared.inputs import open_regular
from schemas.errors import DatasetError

NOTHING = "nothing"
FOLDER = "a folder"
RUN = "the folder of a trained model"
MODEL = "a trained model"
HDF5 = "an HDF5 file"
JSON = "JSON"
TEXT = "text"
OTHER = "something else"

MARKS: tuple[tuple[int, bytes, str], ...] = (
    *(
        (4, b"ftyp", "a video (MP4)"),
        (0, b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
        (8, b"AVI ", "a video (AVI)"),
        (0, b"\x00\x00\x01\xba", "a video (MPEG)"),
    ),
    *((4, b"moov", "a video (QuickTime)"), (4, b"mdat", "a video (QuickTime)"), (4, b"wide", "a video (QuickTime)"), (0, b"FLV", "a video (FLV)")),
    *(
        (0, b"\x89PNG", "a picture (PNG)"),
        (0, b"\xff\xd8\xff", "a picture (JPEG)"),
        (0, b"GIF8", "a picture (GIF)"),
        (8, b"WEBP", "a picture (WebP)"),
    ),
    *((0, b"BM", "a picture (BMP)"), (0, b"II*\x00", "a picture (TIFF)"), (0, b"MM\x00*", "a picture (TIFF)"), (0, b"%PDF", "a PDF")),
    (0, b"PAR1", "a table (Parquet)"),
    *(
        (0, b"HIERARCHY", "motion capture (BVH)"),
        (0, b"Kaydara FBX", "motion capture (FBX)"),
        (0, b"glTF", "a glTF model"),
        (0, b":FULLY-SPECIFIED", "motion capture (AMC)"),
        (0, b"#!OML:ASF", "motion capture (ASF or AMC)"),
    ),
)
"""What a file begins with: at which byte, with what, and what it is then."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAD = 512


def what_reads(path: str | Path, kind: str) -> str:
    """Return the end of a message about a file that is of another kind than the one that was expected: the command that reads it."""
    file = shlex.quote(str(path))
    if "capture" in kind:
        return f"; `mocapgen build --source folder --root {file} --out data.h5` makes a dataset of it"
    if "video" in kind:
        return f"; `trainer predict default {file} --out pred.h5` finds the person in it"
    return "; check the path"


def kind_of_bytes(head: bytes) -> str | None:
    """Return what a file is that is known by its first bytes: a video, a picture, motion capture, ...; None if it is none of these."""
    plain = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for place, mark, kind in MARKS:
        if head[place : place + len(mark)] == mark or (place == 0 and plain.startswith(mark)):
            return kind
    if len(head) > 1 and head[1] == 0x50 and 1 < head[0] < 20 and head[:2] != b"BP":
        return "motion capture (C3D)"
    return None


def kind_of(path: str | Path) -> str:
    """Return what a path names, as a message says it: one of the constants of this module, or of :data:`MARKS`.

    Only the first bytes are read: what an HDF5 file holds is for those to say who read all of it with care.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return RUN if any(path.glob("*.safetensors")) else FOLDER
        if not path.exists():
            return NOTHING
        with open_regular(path, "a file") as file:
            head = file.read(_HEAD)
    except (DatasetError, OSError, ValueError):
        return OTHER
    return kind_of_bytes(head) or _of_others(head)


def _of_others(head: bytes) -> str:
    if head.startswith(_HDF5):
        return HDF5
    if re.match(rb".{5}\0\0\0\{", head, re.DOTALL):  # safetensors: the size of a JSON header, and the header
        return MODEL
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head).strip()  # its last character may be cut
    except UnicodeDecodeError:
        return OTHER
    if text[:1] in ("{", "["):
        return JSON
    return TEXT if text and not re.search(r"[\x00-\x08\x0e-\x1f]", text) else OTHER
