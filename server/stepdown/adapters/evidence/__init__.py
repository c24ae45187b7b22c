"""Evidence of the machine: collected from its TPM and GPUs by their makers' programs, judged by `trust`.

The programs run as child processes that can be killed. Refuses to call what is absent proven: it says "not available".
"""
