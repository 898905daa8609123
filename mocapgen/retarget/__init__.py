"""From one skeleton to another."""

from mocapgen.retarget.transfer import Posed, perform, retarget

__all__ = ["Posed", "perform", "retarget"]
