"""The joint sets in every file: the joints of other projects, by name and by index."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.conventions import H36M17, H36M17_GROUPS, H36M17_PARENTS, JOINT_PARENTS, mirrored


@dataclass(frozen=True)
class JointSet:
    """Names and what they stand for, in the set's own order.

    Parameters
    ----------
    name : str
    joints : dict of str to str
        Name within the set to joint of the file.
    parents : dict of str to (str or None)
    groups : dict of str to tuple of str
        Groups for reports.
    """

    name: str
    joints: dict[str, str]
    parents: dict[str, str | None]
    groups: dict[str, tuple[str, ...]]

    @property
    def symmetric_pairs(self) -> list[tuple[str, str]]:
        """Left and right name of each pair."""
        by_joint = {joint: name for name, joint in self.joints.items()}
        return [(name, by_joint[mirrored(joint)]) for name, joint in self.joints.items() if joint.startswith("Left")]

    def group_of(self, name: str) -> str:
        """Return the group of a name, empty if it is in none."""
        return next((group for group, names in self.groups.items() if name in names), "")


JOINT_SETS = (
    JointSet("h36m17", H36M17, H36M17_PARENTS, H36M17_GROUPS),
    JointSet("all", {name: name for name in JOINT_PARENTS}, JOINT_PARENTS, {}),
)
