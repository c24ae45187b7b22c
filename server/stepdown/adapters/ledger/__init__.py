"""The ledger on disk: keys in files, records in SQLite, one thread that writes, and readers that never lock it.

Refuses to hold up an answer: whoever hands over a record is told when it is safe, and decides how long to wait.
"""
