"""Source profiles: what a flavour of BVH does not say about itself, as data.

Adding a flavour is adding one YAML file here (or anywhere, and naming its path): ``docs/profiles.md`` describes every key.
"""

from mocapgen.anatomy.profiles.library import Match, load_profile, profile_names, recognise

__all__ = ["Match", "load_profile", "profile_names", "recognise"]
