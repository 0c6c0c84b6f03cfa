"""Run many independent jobs: over processes, over machines, with time limits, and each result kept."""
