"""The services on gRPC's synchronous server: each method reads its context, asks a flow or a codec, and returns.

Refuses to hold logic: what another transport would need too lives outside this package.
"""
