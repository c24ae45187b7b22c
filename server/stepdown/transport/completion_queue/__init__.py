"""Answers the calls that come in floods on a completion queue of their own: one thread, everything ready at a time.

gRPC's public server spends more on handing a call to a thread than the rules need for its answer, and a thread that is
given to a call does not ask whether it can be answered in time. Here a call is looked at before its message is read;
what is begun goes straight to the chain, and what cannot be answered in time is refused at once. Everything else, the
port, TLS, streams, health, stays with the public server, of whose core this is another queue.

Refuses to stand on anything but the release of gRPC whose private parts it was written against (`surface`).
"""
