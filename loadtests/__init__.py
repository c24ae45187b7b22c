"""Load tests of degraded capacity: open-loop callers, failures on a time line, one report against objectives.

`python -m loadtests` plays scenarios; `loadtests.generator` is the separate process that asks. Refuses to blame the
server for what the generator itself was too slow to send.
"""
