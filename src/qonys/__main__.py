"""`python -m qonys` is the command line."""

from qonys.cli import main

main()
