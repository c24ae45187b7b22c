"""Replay one seed: `python -m tests.simulation SEED`."""

import sys

from tests.simulation.schedule import run_schedule

if __name__ == "__main__":
    world = run_schedule(int(sys.argv[1]))
    sys.stdout.write(f"seed {sys.argv[1]} holds: {world.ledger.answers}, {world.ledger.moves} moves\n")
