"""The process that asks: locust users with gRPC connections of their own, on a schedule decided beforehand.

A process of its own, because gevent replaces Python's sockets and threads. Refuses to read an answer before the load
has ended: what reading costs would be taken from the server under test.
"""
