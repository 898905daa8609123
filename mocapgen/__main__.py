"""Run the command line as ``python -m mocapgen``."""

from mocapgen.cli.main import main

if __name__ == "__main__":
    main()
