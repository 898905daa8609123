"""Damage to archives: forged sizes, odd names, members that unfold to gigabytes, arrays whose head lies."""

from __future__ import annotations

import gzip
import io
import re
import struct
import warnings
import zipfile
import zlib
from random import Random

INTEGERS = (0, 1, 8, 12, 99, 255, 65535, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
NAMES = (
    *(
        "../x.bvh",
        "/etc/x.bvh",
        "a//b.bvh",
        "C:\\x.bvh",
        "x" * 300 + ".bvh",
        "\x1b[31m.bvh",
        "<img src=x>.bvh",
        "a\nb.bvh",
        ".bvh",
        "a/",
        "\u202e.bvh",
    ),
    *("keypoints.npy", "keypoints", "__MACOSX/a.bvh", "a.zip", "CON.bvh", "a\x00b.bvh"),
)
SHAPES = (
    b"(1000000000,)",
    b"(99999999, 17, 3)",
    b"(-1, 3)",
    b"()",
    b"(0, 17, 3)",
    b"(1, 0, 3)",
    b"(5,) * 9",
    b"(1e3,)",
    b"(True, 3)",
    b"(4294967296, 4294967296)",
)
KINDS = (
    b"'|O'",
    b"'<f2'",
    b"'<c16'",
    b"'<U400000000'",
    b"'<M8[ns]'",
    b"'|b1'",
    b"'|V8'",
    b"'>i8'",
    b"'|S0'",
    b"'<f16'",
    b"[('a', '<f8')]",
    b"'x'",
    b"None",
)


def zeros(size: int) -> bytes:
    """Return a raw deflate stream of many zeros, a thousandth of their size, made in no time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + packer.flush()


def damage_zip(data: bytes, random: Random) -> bytes | None:
    """Return a zip archive, or npz file, with a forged record, or written anew with other members; None if it is none."""
    if random.random() < 0.5:
        return _forged(data, random)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        return None
    if not members:
        return None
    place, kind = random.randrange(len(members)), random.randrange(6)
    name, content = members[place]
    if kind == 0:
        return _with_bomb(members, place, random)
    if kind == 1:
        members[place] = (random.choice(NAMES), content)
    elif kind == 2:
        members.append((random.choice(NAMES), content))
    elif kind == 3:
        del members[place]
    elif kind == 4 and content[:6] == b"\x93NUMPY":
        members[place] = (name, damage_npy(content, random))
    else:
        cut = random.randrange(len(content) + 1)
        members[place] = (name, content[:cut] + random.randbytes(random.randrange(3)) + content[cut + random.randrange(3) :])
    return _zip(members, random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", method) as archive:  # two members of the same name are meant
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def _forged(data: bytes, random: Random) -> bytes | None:
    """Return an archive with another integer in a record: a local head, an entry of the directory, or its end."""
    places = [(match.start(), match[0]) for match in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    if not places:
        return None
    place, mark = random.choice(places)
    field = random.randrange(4, {b"PK\x01\x02": 46, b"PK\x03\x04": 30, b"PK\x05\x06": 22}[mark], 2)
    size = random.choice((2, 4))
    value = (random.choice(INTEGERS) % 2 ** (8 * size)).to_bytes(size, "little")
    return data[: place + field] + value + data[place + field + size :]


def _with_bomb(members: list[tuple[str, bytes]], place: int, random: Random) -> bytes:
    """Return an archive with a member that unfolds to 700 MB, at times with a small size in its records."""
    name, content = members[place]
    head = content[:128] if content[:6] == b"\x93NUMPY" else b""
    stream, size = zeros(700 << 20), 700 << 20
    said = random.choice((size, size, len(content), 0, 1000))
    if head:
        head = re.sub(rb"'shape': \([^)]*\)", b"'shape': (%d, 17, 3)" % (size // 408), head)[:128].rstrip(b"\n").ljust(127) + b"\n"
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        stream = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH) + stream
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(stream), said, len(name.encode()), 0) + name.encode()
    entry = (
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, 0, len(stream), said, len(name.encode()), 0, 0, 0, 0, 0, 0)
        + name.encode()
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local) + len(stream), 0)
    return local + stream + entry + end


def damage_npy(data: bytes, random: Random) -> bytes:
    """Return an npy file whose head says another shape or type, of any other file the beginning."""
    if data[:6] != b"\x93NUMPY":
        return data[: random.randrange(len(data) + 1)]
    end = data.find(b"\n")
    head, kind = data[10:end], random.randrange(3)
    if kind == 0:
        shape = random.choice(SHAPES)
        head = re.sub(rb"\([^)]*\)", lambda _: shape, head, count=1)
    elif kind == 1:
        dtype = random.choice(KINDS)
        head = re.sub(rb"'descr': [^,]*,", lambda _: b"'descr': " + dtype + b",", head, count=1)
    else:
        return data[:10] + head.replace(b"False", random.choice((b"True", b"None", b"x")), 1) + data[end + random.choice((0, 0, 0, 50)) :]
    head = head.rstrip()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return data[:8] + struct.pack("<H", len(head) % 65536) + head + data[end + 1 :]


def damage_gzip(data: bytes, random: Random) -> bytes | None:
    """Return a gzip file that unfolds to 700 MB, or is cut short inside; None if it is none."""
    if random.random() < 0.1:
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros(700 << 20) + bytes(8)
    try:
        content = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None
    return gzip.compress(content[: random.randrange(len(content) + 1)], mtime=0)
