"""The player: a page that shows what is in a file, and the same to put into other pages."""

from mocapgen.store.joint_tree import JointTree
from mocapgen.store.matching import MatchedPrediction
from mocapgen.view.notebook import notebook_html
from mocapgen.view.page import PlayerParts, Start, page_of, player_page, player_parts
from mocapgen.view.player_sequence import PlayerSequence, player_sequences

__all__ = [
    "JointTree",
    "MatchedPrediction",
    "PlayerParts",
    "PlayerSequence",
    "Start",
    "notebook_html",
    "page_of",
    "player_page",
    "player_parts",
    "player_sequences",
]
