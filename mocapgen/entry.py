"""Where the installed commands begin: ``mocapgen`` and ``trainer``.

A file or another distribution with the name of one of our packages may come first on the path, so ``trainer`` begins here too, in the one
package whose name nobody else has, and is then loaded from beside it. This is the start of two programs, not an import: nothing of
``mocapgen`` uses ``trainer``.
"""

from __future__ import annotations

from mocapgen.cli.main import main as mocapgen
from mocapgen.shared.command import EXIT_USAGE, fail
from mocapgen.shared.distribution import ForeignPackageError, own_packages_first, require_own_packages
from mocapgen.shared.facade import load

__all__ = ["mocapgen", "trainer"]


def trainer() -> None:
    """Run the command line of ``trainer`` and end the process with its exit status."""
    with own_packages_first():
        try:
            require_own_packages(("schemas", "trainer"))
        except ForeignPackageError as error:
            fail("trainer", [str(error)], EXIT_USAGE)
        load("trainer.cli.main:main")()
