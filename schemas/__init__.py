"""The contract shared by ``mocapgen`` and ``trainer``: names, conventions, file layout, configuration.

Only pydantic and the standard library are imported here, so that both sides can afford to depend on it.
"""

__distribution__ = "mocapgen"
