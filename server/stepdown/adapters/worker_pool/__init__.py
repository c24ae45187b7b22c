"""The worker pool: spawns, watches and kills worker processes, and carries batches to them. Decides nothing."""
