"""The arithmetic of a tamper-evident ledger: records in, digests, proofs and verdicts out.

It opens no file, holds no key and waits for no disk: where records are kept is an adapter's business.
"""
