"""What is settled once per worker, before any process: mailbox layout, known answers, output bounds, files.

Only a verified bundle comes in, and of it only what a child needs goes out. Refuses a bundle that no worker could load.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stepdown.adapters.worker_pool.limits import ACCELERATOR_OOM_SCORE, CPU_OOM_SCORE
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.process import ProcessPlan, worker_environment
from stepdown.adapters.worker_pool.validation import OutputValidator
from stepdown.domain.bundles import ModelSpec
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerShare
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.datatypes import tensor_format
from stepdown.worker.known_answers import FILE as KNOWN_ANSWERS
from stepdown.worker.known_answers import KnownAnswers, parse_known_answers
from stepdown.worker.mailbox import Layout, layout
from stepdown.worker.order import DrillTerms, load_order, order_to_json
from stepdown.worker.parcel import DelayedContent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preparation:
    """Everything about a worker that does not depend on the provider it runs on."""

    model: ModelSpec
    files: Mapping[str, bytes]
    layout: Layout
    known: KnownAnswers
    validator: OutputValidator
    share: WorkerShare


def prepare(order: SpawnWorker, options: WorkerPoolOptions) -> Preparation:
    """Settle it.

    Raises:
        WorkerError: the bundle holds no model, lacks a file, has tensors that fit no mailbox, or malformed known
        answers.
    """
    model = order.bundle.manifest.model
    if model is None:
        raise _unloadable("the bundle holds no model")
    given = options.resources_of(order.pathway, order.tier)
    files = {name: _file(order.bundle.files, name) for name in (model.file, *model.external_data, KNOWN_ANSWERS)}
    inputs, outputs = tuple(map(tensor_format, model.inputs)), tuple(map(tensor_format, model.outputs))
    plan = layout(inputs, outputs, maximum_rows=model.maximum_batch)
    if plan.total_bytes > options.maximum_mailbox_bytes:
        raise _unloadable(
            f"batches of {model.maximum_batch} rows need {plan.total_bytes} bytes of shared memory, "
            f"{options.maximum_mailbox_bytes} are allowed: lower maximum_batch"
        )
    return Preparation(
        model=model,
        files=files,
        layout=plan,
        known=parse_known_answers(files[KNOWN_ANSWERS], inputs=inputs, outputs=outputs),
        validator=OutputValidator(model),
        share=WorkerShare(threads=given.threads, cores=given.cores, memory_bytes=given.memory_bytes),
    )


def process_plan(
    prepared: Preparation,
    order: SpawnWorker,
    providers: tuple[ExecutionProvider, ...],
    *,
    options: WorkerPoolOptions,
    drills: DrillTerms,
    working_directory: Path,
    opened: Mapping[str, DelayedContent] = MappingProxyType({}),
) -> ProcessPlan:
    """The process that tries the first of these providers that it can try at all. `opened`: what sealed files hold."""
    resources = options.resources_of(order.pathway, order.tier)
    told = load_order(
        prepared.model,
        providers=providers,
        resources=resources,
        warm_up_s=options.warm_up_s,
        drills=drills,
        stays_out_of_swap=bool(opened),
    )
    return ProcessPlan(
        program=options.program,
        working_directory=working_directory,
        environment=worker_environment(os.environ, options.environment),
        order=order_to_json(told),
        files={**prepared.files, **opened},
        layout=prepared.layout,
        label=f"{order.pathway}/{order.tier} {order.bundle.manifest.name}@{order.bundle.manifest.version}",
        memory_bytes=resources.memory_bytes,
        oom_score=CPU_OOM_SCORE if set(providers) == {ExecutionProvider.CPU} else ACCELERATOR_OOM_SCORE,
    )


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise _unloadable(f"the bundle lacks {name}")
    return files[name]


def _unloadable(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=detail)
