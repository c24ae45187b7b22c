"""TLS 1.3 and nothing below it, laid before gRPC is imported.

gRPC's Python interface has no minimum version (grpc issue 37305). It does read the TLS 1.2 cipher list from the
environment when its library loads, and TLS 1.3 suites are not governed by that list: so the list names one suite that
needs a pre-shared key, which gRPC can never negotiate, and TLS 1.2 has nothing left. That is behaviour, not contract:
`tls_self_test` proves it at every start, and `authorization` checks the version of every call.

Refuses to import grpc, or anything that does.
"""

import os
import sys

CIPHER_VARIABLE = "GRPC_SSL_CIPHER_SUITES"
UNUSABLE_CIPHER = "ECDHE-PSK-AES256-CBC-SHA"


def require_tls_1_3() -> None:
    """Leave TLS 1.2 without a cipher, in this process and its children. Call before anything imports grpc.

    Raises: RuntimeError if gRPC was loaded before without this floor, when it is too late.
    """
    # gRPC writes a line of its own format on every failed handshake, into a log that is JSON and knows of it already.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if os.environ.get(CIPHER_VARIABLE) == UNUSABLE_CIPHER:
        return
    if "grpc" in sys.modules:
        raise RuntimeError("grpc was imported before the TLS floor was laid: TLS 1.2 would be accepted")
    os.environ[CIPHER_VARIABLE] = UNUSABLE_CIPHER
