"""What our packages see of Python on Windows, for processes that start with this folder on their path; the system below stays Linux.

Our modules, and they alone, get ``os``, ``signal``, ``select``, ``socket``, ``time`` and ``sys`` without what CPython lacks on Windows
("Availability: Unix" in its documentation), and cannot import the modules that are missing there. Files behave as Windows' do: one that
is open, or mapped into memory, can be neither removed, renamed nor replaced; nothing is renamed onto what is there; and names that
Windows reserves or forbids cannot be made. What this does not show: the console, paths with a drive letter, the speed of starting processes.
"""

# ruff: noqa: PTH110, PTH115, PTH119, PTH208 (pathlib stands on what is changed here)

from __future__ import annotations

import builtins
import errno
import fnmatch
import os
import re
import select
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = ("mocapgen", "trainer", "schemas")
NO_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix", "readline", "crypt", "spwd", "nis")
LACKING = {
    os: """pread* pwrite* readv writev posix_* sendfile splice copy_file_range fork* fdatasync sync fch* chown lch* chroot chflags
        get?id geteuid getegid getgroups getpgid getpgrp getpriority getres?id getsid getloadavg getrandom get_blocking set_blocking
        initgroups set?id sete?id setgroups setpgid setpgrp setpriority setre* setsid nice sched_* SCHED_* sysconf* confstr* pathconf* fpathconf
        statvfs fstatvfs mkfifo mknod uname ctermid ttyname openpty login_tty killpg wait wait3 wait4 waitid W[A-Z]* P_* CLD_* EX_* F_* RTLD_*
        POSIX_* PRIO_* GRND_* MFD_* EFD_* PIDFD_* SEEK_DATA SEEK_HOLE SPLICE_* RWF_* ST_* XATTR_* *xattr memfd_create eventfd* pidfd_open
        register_at_fork lockf tcgetpgrp tcsetpgrp major minor makedev environb getenvb fwalk unshare CLONE_* pipe2 TFD_* timerfd_*
        O_NONBLOCK O_NOFOLLOW O_CLOEXEC O_DIRECTORY O_SYNC O_DSYNC O_RSYNC O_NDELAY O_NOCTTY O_TMPFILE O_PATH O_DIRECT O_NOATIME O_ASYNC
        O_LARGEFILE O_ACCMODE O_FSYNC""",
    signal: """SIG[A-Z]* SIG_BLOCK SIG_UNBLOCK SIG_SETMASK ITIMER_* pthread_* sigpending sigwait* sigtimedwait setitimer getitimer alarm pause
        siginterrupt pidfd_* Sigmasks ItimerError""",
    select: "poll epoll kqueue kevent devpoll POLL* EPOLL* PIPE_BUF",
    socket: "AF_UNIX SO_REUSEPORT* sethostname CMSG_* SCM_* send_fds recv_fds sendmsg recvmsg*",
    time: "clock_* CLOCK_* tzset pthread_getcpuclockid",
    sys: "abiflags getdlopenflags setdlopenflags",
}
SIGNALS = ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN")
FORBIDDEN = re.compile(r"""[<>:"|?*\x00-\x1f\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)""", re.IGNORECASE)


class View(ModuleType):
    """A module without some of its names, and with others."""

    def __init__(self, module: ModuleType, lacking: str, **other: Any) -> None:
        super().__init__(module.__name__)
        patterns = re.compile("|".join(fnmatch.translate(pattern) for pattern in lacking.split()))
        hidden = frozenset(name for name in dir(module) if patterns.match(name) and name not in SIGNALS)
        self.__dict__.update(_module=module, _hidden=hidden, **other)

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} (on Windows)")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)


def _open(path: Any, flags: int, *more: Any, **others: Any) -> int:
    """Return a handle: opened as binary, or never read nor written, as Windows changes line ends of all others."""
    if not flags & _O_BINARY and os.fspath(path) != os.devnull and not str(path).endswith(".lock"):
        raise AssertionError(f"{path} is opened as text, which damages its line ends on Windows")
    return os.open(path, flags & ~_O_BINARY, *more, **others)


def _select(*waiting: Any) -> Any:
    if not all(isinstance(each, socket.socket) for group in waiting[:3] for each in group):
        raise OSError(10038, "An operation was attempted on something that is not a socket")
    return select.select(*waiting)


_O_BINARY = 1 << 30
_VIEWS: dict[str, View] = {
    module.__name__: View(module, names, **others)
    for (module, names), others in zip(
        LACKING.items(),
        ({"name": "nt", "O_BINARY": _O_BINARY, "open": _open}, {"SIGBREAK": 21}, {"select": _select}, {}, {}, {"platform": "win32"}),
        strict=True,
    )
}
_import = builtins.__import__


def _import_as_there(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if level == 0 and (globals or {}).get("__name__", "").partition(".")[0] in OURS:
        if name in NO_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} (on Windows)", name=name)
        if name in _VIEWS:
            return _VIEWS[name]
    return _import(name, globals, locals, fromlist, level)


def _in_use(path: str) -> bool:
    """Return whether this process, or one that it has started, has a file open or mapped."""
    real = os.path.realpath(path)
    for process in (os.getpid(), *_children(os.getpid())):
        try:
            handles = os.listdir(f"/proc/{process}/fd")
        except OSError:
            continue
        for handle in handles:
            try:
                if os.readlink(f"/proc/{process}/fd/{handle}") == real:
                    return True
            except OSError:
                continue
        if f" {real}\n" in Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace"):
            return True
    return False


def _children(process: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{process}/task").glob("*/children") for child in task.read_text(encoding="ascii").split()]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what Windows refuses."""
    if event in ("os.rename", "os.remove"):
        for path in arguments[: 2 if event == "os.rename" else 1]:
            if _in_use(os.fsdecode(path)):
                raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used by another process", str(path))
    makes = event in ("os.mkdir", "os.rename", "os.link") or (event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT)
    if makes:
        path = arguments[1] if event in ("os.rename", "os.link") else arguments[0]
        if not isinstance(path, int) and FORBIDDEN.search(os.path.basename(os.fsdecode(path))):
            raise OSError(errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect", str(path))


def _rename(source: Any, target: Any, **more: Any) -> None:
    if os.path.exists(target):
        raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", str(target))
    _real_rename(source, target, **more)


_real_rename, os.rename = os.rename, _rename
builtins.__import__ = _import_as_there
sys.addaudithook(_watch)
warnings.filterwarnings("error", category=EncodingWarning, module=rf"({'|'.join(OURS)})(\.|$)")
