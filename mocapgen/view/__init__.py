"""The player: a page that shows what is in a file, and the same to put into other pages."""

from mocapgen.view.notebook import notebook_html
from mocapgen.view.page import PlayerParts, Start, page_of, player_page, player_parts
from mocapgen.view.player_sequence import Figure, PlayerSequence, Prediction, player_sequences

__all__ = [
    "Figure",
    "PlayerParts",
    "PlayerSequence",
    "Prediction",
    "Start",
    "notebook_html",
    "page_of",
    "player_page",
    "player_parts",
    "player_sequences",
]
