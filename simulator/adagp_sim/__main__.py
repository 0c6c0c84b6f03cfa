"""``python -m adagp_sim``: the command line."""

from simulator.cli.main import main

main()
