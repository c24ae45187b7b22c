"""Counts of the observers as a `ModelStatistics` message. What is not measured apart stays zero."""

from collections.abc import Mapping

from stepdown.adapters.observers.model_statistics import Duration, ModelCounts
from stepdown.api.oip import statistics_pb2 as pb
from stepdown.transport.oip.models import ServedModel

_MS_PER_S = 1_000


def statistics_of(model: ServedModel, counted: Mapping[tuple[str, str], ModelCounts]) -> pb.ModelStatistics:
    """One model since the server started."""
    message = pb.ModelStatistics(name=model.name, version=model.version)
    counts = counted.get((model.pathway, model.tier))
    if counts is None:
        return message
    message.last_inference = round((counts.last_answer_time_s or 0.0) * _MS_PER_S)
    message.inference_count = counts.rows
    message.execution_count = counts.runs
    stats = message.inference_stats
    stats.success.CopyFrom(_duration(counts.success))
    stats.fail.CopyFrom(_duration(counts.failure))
    stats.queue.CopyFrom(_duration(counts.queue))
    stats.compute_infer.CopyFrom(_duration(counts.compute))
    for batch in counts.batches:
        message.batch_stats.add(batch_size=batch.rows, compute_infer=_duration(batch.compute))
    return message


def _duration(span: Duration) -> pb.StatisticDuration:
    return pb.StatisticDuration(count=span.count, ns=span.ns)
