"""From file objects to motions in metres, y up, with roles."""
