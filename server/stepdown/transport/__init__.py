"""Speaks gRPC and HTTP: turns bytes into requests and outcomes into bytes, and errors into statuses.

Refuses to decide anything about a patient or a tier, and to let a call in that no table entry permits. Importing this
package imports no gRPC: the TLS floor has to be laid first (`tls_floor`).
"""
