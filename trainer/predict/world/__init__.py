"""A lifted person put into a world: y up, feet on the floor; one module a step."""
