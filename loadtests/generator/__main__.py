"""`python -m loadtests.generator ORDER.json`: prints `ready`, reads the Unix time of t = 0, asks."""

# gevent must have taken the place of sockets and threads before anything else is imported, and gRPC must know of it.
from gevent import monkey

monkey.patch_all()

import grpc.experimental.gevent as grpc_gevent  # noqa: E402

grpc_gevent.init_gevent()

from loadtests.generator.program import main  # noqa: E402

if __name__ == "__main__":
    main()
