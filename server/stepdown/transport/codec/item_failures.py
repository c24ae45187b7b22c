"""A status as the wire's `ItemFailure`, which is `google.rpc.Status` field for field."""

from google.rpc.status_pb2 import Status

from stepdown.api.v1.assessment_service_pb2 import ItemFailure


def encode_failure(status: Status) -> ItemFailure:
    """The same code, text and details."""
    return ItemFailure(code=status.code, message=status.message, details=status.details)
