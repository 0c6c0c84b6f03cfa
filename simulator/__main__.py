"""``python -m simulator``: the command line."""

from simulator.cli.main import main

main()
