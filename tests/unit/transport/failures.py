"""What a client reads from a call that failed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A status with its details unpacked; empty where there are none."""

    code: grpc.StatusCode
    text: str
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    retry_after_s: float | None = None
    unmet: tuple[str, ...] = ()
    trailing: dict[str, str] = field(default_factory=dict)


def failure_of(call: Callable[[], object]) -> Failure:
    """Make the call, which must fail."""
    try:
        call()
    except grpc.RpcError as error:
        return read_failure(error)
    raise AssertionError("the call succeeded")


def read_failure(error: grpc.RpcError) -> Failure:
    """The failure behind an exception."""
    call = cast("grpc.Call", error)
    trailing = {key: value for key, value in call.trailing_metadata() or () if isinstance(value, str)}
    return _unpacked(call.code(), call.details() or "", rpc_status.from_call(call), trailing)


def item_failure(status: Status) -> Failure:
    """The failure of one item of a batch or a stream."""
    code = next(each for each in grpc.StatusCode if each.value[0] == status.code)
    return _unpacked(code, status.message, status, {})


def _unpacked(code: grpc.StatusCode, text: str, status: Status | None, trailing: dict[str, str]) -> Failure:
    info, request, retry, precondition = ErrorInfo(), BadRequest(), RetryInfo(), PreconditionFailure()
    found = {
        type(kind): detail.Unpack(kind)
        for detail in _details(status)
        for kind in (info, request, retry, precondition)
        if detail.Is(kind.DESCRIPTOR)
    }
    return Failure(
        code=code,
        text=text,
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(each.field for each in request.field_violations),
        retry_after_s=retry.retry_delay.ToMilliseconds() / 1000 if RetryInfo in found else None,
        unmet=tuple(each.type for each in precondition.violations),
        trailing=trailing,
    )


def _details(status: Status | None) -> Iterable[AnyMessage]:
    return () if status is None else status.details
