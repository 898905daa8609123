"""Ship the checksum of an official archive: ``python -m tools.record_checksum PATH...``.

The archive is one that ``mocapgen fetch`` downloaded from where it is published; ``mocapgen fetch`` of every later version of the program
refuses another content. Compare the checksum with that of a download from elsewhere, on another day, before it is committed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from mocapgen.sources.archives import ARCHIVES

CHECKSUMS = Path(__file__).parents[1] / "mocapgen" / "sources" / "data" / "checksums.txt"


def record(archives: list[Path], checksums: Path = CHECKSUMS) -> list[str]:
    """Add the lines of archives, in place of earlier ones; return them."""
    known = {archive.file for archive in ARCHIVES}
    if unknown := [path.name for path in archives if path.name not in known]:
        raise SystemExit(f"expected official archives ({', '.join(sorted(known))}), found {', '.join(unknown)}")
    added = []
    for path in archives:
        with path.open("rb") as file:
            added.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}")
    replaced = {path.name for path in archives}
    kept = [line for line in checksums.read_text(encoding="utf-8").splitlines() if line.startswith("#") or line.split()[1] not in replaced]
    checksums.write_text("\n".join([*kept, *added]) + "\n", encoding="utf-8")
    return added


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="+", type=Path, metavar="PATH")
    sys.stdout.write("\n".join(record(parser.parse_args().archives)) + "\n")
