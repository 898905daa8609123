"""Named training settings, one YAML file each."""
