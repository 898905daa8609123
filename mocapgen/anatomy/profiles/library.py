"""The source profiles there are, one YAML file each, and which of them a set of joint names fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mocapgen.anatomy.names import plain_names
from mocapgen.shared.config import checked
from mocapgen.shared.documents import find_document, read_yaml
from schemas.profile import OPTIONAL_ROLES, REQUIRED_ROLES, Profile

_FOLDER = Path(__file__).parent
_ASF_ROOT = "root"
"""What an ASF file calls every figure's root: a figure that has been there has lost the name of its hips."""


@dataclass(frozen=True)
class Match:
    """How a profile fits a skeleton's joint names."""

    profile: Profile
    prefix: str
    """What stands before every joint's name."""
    joints: Mapping[str, str]
    """The joint (as the file spells it) of each role that is there."""
    drivers: Mapping[str, str]
    """Likewise, of each role whose bone another joint turns."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """The joint, as the file spells it, of each name without decoration; empty where the names fit as they are."""

    def joint(self, name: str) -> str:
        """Return the joint, as the file spells it, that the profile calls `name`."""
        hips = self.profile.joints["Hips"]
        lost = self.joints.get("Hips") == _ASF_ROOT and name in ((hips,) if isinstance(hips, str) else hips)
        return _ASF_ROOT if lost else self.spelled.get(self.prefix + name, self.prefix + name)

    @property
    def missing(self) -> tuple[str, ...]:
        """Indispensable roles that no joint has."""
        return tuple(role for role in REQUIRED_ROLES if role not in self.joints)

    @property
    def confidence(self) -> float:
        """1 for a profile all of whose roles are there, less by up to a tenth for optional ones that are not."""
        lacking = sum(role not in self.joints for role in self.profile.joints if role in OPTIONAL_ROLES)
        return 1.0 - 0.1 * lacking / len(OPTIONAL_ROLES)


def profile_names() -> tuple[str, ...]:
    """Return the names of the built-in profiles."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """Load a built-in profile by name, or anybody's by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is no such profile or file, or the file is not a valid profile; the message names the file and the first
        field that is wrong.
    """
    if str(name_or_path) in profile_names():
        return _built_in(str(name_or_path))
    return _read(find_document("profile", name_or_path, _FOLDER, profile_names()))


@lru_cache(maxsize=64)
def _built_in(name: str) -> Profile:
    return _read(_FOLDER / f"{name}.yaml")


def _read(path: Path) -> Profile:
    subject = f"profile {path}"
    return checked(Profile, read_yaml(path, "a profile", subject, required=True), subject, first=True)


def match(profile: Profile, names: Iterable[str]) -> Match:
    """Return which joint has which role in a skeleton by a profile, with the prefix that finds most roles.

    Where the names as they are do not suffice, they are tried without what decorates them (:func:`~mocapgen.anatomy.names.plain_names`).

    Parameters
    ----------
    profile : Profile
    names : iterable of str
        The joints of the skeleton.
    """
    names = frozenset(names)
    found = _match(profile, {name: name for name in names})
    if not found.missing:
        return found
    spelled: dict[str, str] = {}
    for name, plain in plain_names(names).items():
        spelled.setdefault(plain, name)
    undecorated = _match(profile, spelled)
    return undecorated if len(undecorated.missing) < len(found.missing) else found


def _match(profile: Profile, spelled: Mapping[str, str]) -> Match:
    matches = [_match_prefix(profile, spelled, prefix) for prefix in profile.prefixes]
    return max(matches, key=lambda found: len(found.joints))  # the first of equals


def _match_prefix(profile: Profile, spelled: Mapping[str, str], prefix: str) -> Match:
    def find(candidates: tuple[str, ...] | str) -> str | None:
        candidates = (candidates,) if isinstance(candidates, str) else candidates
        return next((spelled[prefix + name] for name in candidates if prefix + name in spelled), None)

    joints = {role: joint for role, candidates in profile.joints.items() if (joint := find(candidates)) is not None}
    if "Hips" not in joints and _ASF_ROOT in spelled:
        joints["Hips"] = spelled[_ASF_ROOT]
    drivers = {role: joint for role, candidates in profile.drivers.items() if (joint := find(candidates)) is not None}
    return Match(profile, prefix, joints, drivers, spelled)


def recognise(names: Iterable[str]) -> Match | None:
    """Return the match with the built-in profile that knows a skeleton's joints, None if there is none.

    Of several, the one that lists more joints to be recognised by.
    """
    return _recognised(frozenset(names))


@lru_cache(maxsize=64)
def _recognised(names: frozenset[str]) -> Match | None:
    """Do so once for all files of a rig."""
    matches = [match(load_profile(name), names) for name in profile_names()]
    fitting = [found for found in matches if not found.missing and all(found.joint(joint) in names for joint in found.profile.recognise)]
    return max(fitting, key=lambda found: (len(found.profile.recognise), found.profile.name), default=None)


def closest(names: Iterable[str]) -> Match:
    """Return the match with the built-in profile that lacks the fewest joints."""
    names = frozenset(names)
    return min((match(load_profile(name), names) for name in profile_names()), key=lambda found: len(found.missing))
