"""The colours of the body's sides in everything that is drawn: pictures, the player, and the reports of both programs.

Blue and orange stay apart for every kind of colour vision (Okabe and Ito 2008, Color Universal Design). The style of all pages
(``mocapgen/shared/assets/page.css``) repeats them; a test holds the two together.
"""

LEFT = {"light": "#0072b2", "dark": "#56b4e9"}
"""By theme, as #rrggbb."""
RIGHT = {"light": "#d55e00", "dark": "#f0862a"}
