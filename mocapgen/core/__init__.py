"""Motion as arrays: skeletons, rotations, forward kinematics, resampling."""
