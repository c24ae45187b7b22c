"""Keys that live in a hardware security module, reached by PKCS#11 through a child process.

The module's library is its maker's code: it may hang, crash, or keep an old idea of a token that was replaced. So it is
loaded by an attendant that can be killed and started again, never by the server. Refuses to hand out a private key.
"""
