"""What members of zip files hold, unpacked block by block: what an archive says of itself is held against what comes out of it."""

from __future__ import annotations

import bz2
import copy
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, struct.error)
"""What :mod:`zipfile` and this module raise for damaged archives."""
_BLOCK = 2**20
_MOST_DICTIONARY = 2**26
"""Bytes that an LZMA decoder may keep: those of the strongest preset."""
_Unpacker = Callable[[bytes], Iterator[bytes]]


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files in a zip; those without a name are none."""
    return [member for member in archive.infolist() if member.filename and not is_folder(member)]


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a folder; `ZipInfo.is_dir` fails where it has no name."""
    return member.filename.endswith("/")


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return what a member holds.

    Parameters
    ----------
    archive : ZipFile
    member : ZipInfo
        Its size is to be checked before: no more than a block beyond it is unpacked.

    Raises
    ------
    FAULTS
        If it is damaged, locked away, or of another size or checksum than the archive says.
    """
    out, checksum, size = io.BytesIO(), 0, 0
    for block in _blocks(archive, member):
        size += len(block)
        if size > member.file_size:
            raise zipfile.BadZipFile(f"more than the {member.file_size} bytes that it states")
        checksum = zlib.crc32(block, checksum)
        out.write(block)
    if size != member.file_size:
        raise zipfile.BadZipFile(f"{size} bytes in place of {member.file_size}")
    if checksum != member.CRC:
        raise zipfile.BadZipFile("Bad CRC-32")
    return out.getvalue()


def unpack_head(archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> bytes:
    """Return the first bytes of a member: as many, or all of a shorter one.

    Raises
    ------
    FAULTS
        If it is damaged there, or locked away.
    """
    head = b""
    for block in _blocks(archive, member):
        head += block[: size - len(head)]
        if len(head) >= size:
            break
    return head


def _blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a member holds in blocks of limited size, which `zipfile` does not: it may unpack gigabytes before it looks at their number."""
    raw = copy.copy(member)  # read as it is stored, its checksum being that of what is unpacked
    raw.compress_type, raw.file_size, raw.CRC = zipfile.ZIP_STORED, member.compress_size, None  # type: ignore[assignment]
    unpacker: _Unpacker | None = None
    with archive.open(raw) as file:
        while stored := file.read(_BLOCK):
            unpacker = unpacker or _unpacker(member, stored)
            yield from unpacker(stored)


def _unpacker(member: zipfile.ZipInfo, start: bytes) -> _Unpacker:
    """Return what turns the blocks of a member, the first of them begins with `start`, into what they hold."""
    if member.compress_type == zipfile.ZIP_STORED:
        return lambda data: iter((data,))
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return _inflated(zlib.decompressobj(-zlib.MAX_WBITS))
    if member.compress_type == zipfile.ZIP_BZIP2:
        return _decompressed(bz2.BZ2Decompressor())
    if member.compress_type == zipfile.ZIP_LZMA:
        return _lzma(start)
    raise NotImplementedError("a member that is compressed in another way than zip files usually are")


def _inflated(decompressor: zlib._Decompress) -> _Unpacker:
    def unpacker(data: bytes) -> Iterator[bytes]:
        while block := decompressor.decompress(data, _BLOCK):
            yield block
            data = decompressor.unconsumed_tail

    return unpacker


def _decompressed(decompressor: bz2.BZ2Decompressor | lzma.LZMADecompressor, skip: int = 0) -> _Unpacker:
    """Return the unpacker of bzip2 or LZMA; the first bytes are passed over."""
    waiting = skip

    def unpacker(data: bytes) -> Iterator[bytes]:
        nonlocal waiting
        data, waiting = data[waiting:], 0
        while not decompressor.eof:
            if block := decompressor.decompress(data, _BLOCK):
                yield block
            if decompressor.needs_input:
                return
            data = b""

    return unpacker


def _lzma(start: bytes) -> _Unpacker:
    """Return the unpacker of LZMA by its header: two bytes of version, two of the length of the properties (5), and these."""
    _, length, packed, dictionary = struct.unpack_from("<HHBI", start)
    if length != 5 or packed >= 9 * 5 * 5 or dictionary > _MOST_DICTIONARY:
        raise zipfile.BadZipFile(f"LZMA with a dictionary of {dictionary} bytes" if dictionary > _MOST_DICTIONARY else "LZMA without its properties")
    rest, lc = divmod(packed, 9)
    pb, lp = divmod(rest, 5)
    properties = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": lc, "lp": lp, "pb": pb}
    return _decompressed(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[properties]), skip=9)
