"""Transfer motion from one skeleton to another."""

from mocapgen.retarget.posed import Posed
from mocapgen.retarget.transfer import retarget, retarget_to_all

__all__ = ["Posed", "retarget", "retarget_to_all"]
