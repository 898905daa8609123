"""Networks, the lifter around them, losses, metrics and checkpoints."""
