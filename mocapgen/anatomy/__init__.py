"""Which joint is which in a skeleton: roles, the profiles of known rigs, and the avatars."""
