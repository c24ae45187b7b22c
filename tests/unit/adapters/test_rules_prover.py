"""The prover asks the very rules that answer patients, condemns what fails, and loads afresh from verified bytes."""

from collections.abc import Iterator, Sequence
from queue import Queue

import pytest

from stepdown.adapters.rules_prover import ThreadedRulesProver
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import ProveRules
from stepdown.domain.engine_events import Event, RulesProved
from stepdown.domain.errors import RuleSetError
from stepdown.rules.golden import ProvenRules
from stepdown.rules.sum_rule import SumRule
from stepdown.serving.activation import proven_rules
from tests.fakes.clinical_pathways import clinical_pathway, rules_bundle
from tests.fakes.statuses import PATHWAY

PATIENCE_S = 30.0
NEWS2 = rules_bundle("news2")


class Bench:
    def __init__(self) -> None:
        self.told: Queue[RulesProved] = Queue()
        self.pathway = clinical_pathway()
        self.refusal = ""
        self.prover = ThreadedRulesProver({PATHWAY: self.pathway}, compose=self.compose, sink=self.take)

    def take(self, events: Sequence[Event]) -> None:
        (event,) = events
        assert isinstance(event, RulesProved)
        self.told.put(event)

    def compose(self, _: str, answering: VerifiedBundle) -> ProvenRules:
        if self.refusal:
            raise RuleSetError(self.refusal)
        return proven_rules(answering, rules_bundle("lactate"), (rules_bundle("qsofa"),))

    def proof(self, *, anew: bool = False) -> RulesProved:
        self.prover.prove(ProveRules(pathway=PATHWAY, tier="rules", sequence=7, bundle=NEWS2, anew=anew))
        return self.told.get(timeout=PATIENCE_S)

    def rules(self) -> ProvenRules | None:
        return self.pathway.rules(NEWS2.sha256)

    def damage(self, rows: object) -> None:
        rules = self.rules()
        assert rules is not None
        assert isinstance(rules.composite.answering.rule, SumRule)
        object.__setattr__(rules.composite.answering.rule, "rows", rows)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.prover.close()


def test_whole_rules_are_told_to_be_whole(bench: Bench) -> None:
    assert bench.proof() == RulesProved(pathway=PATHWAY, tier="rules", sequence=7, error="")


def test_changed_tables_are_condemned_before_anybody_is_told(bench: Bench) -> None:
    rules = bench.rules()
    assert rules is not None
    assert isinstance(rules.composite.answering.rule, SumRule)
    bench.damage(rules.composite.answering.rule.rows[1:])
    assert "not as proven" in bench.proof().error
    assert bench.rules() is None
    assert bench.proof().error == "not loaded"


def test_tables_that_raise_are_condemned_too(bench: Bench) -> None:
    bench.damage((None,))
    assert bench.proof().error == "AttributeError when asked a known answer"
    assert bench.rules() is None


def test_rules_are_loaded_afresh_and_then_asked(bench: Bench) -> None:
    bench.damage(())
    bench.proof()
    assert bench.proof(anew=True).error == ""
    assert bench.rules() is not None


def test_rules_that_cannot_be_loaded_afresh_say_why(bench: Bench) -> None:
    bench.refusal = "total is 3, known to be 2"
    assert bench.proof(anew=True).error == "cannot be loaded afresh: total is 3, known to be 2"
    assert bench.rules() is None


def test_it_ends_while_something_is_still_ordered() -> None:
    bench = Bench()
    bench.prover.close()
    bench.prover.prove(ProveRules(pathway=PATHWAY, tier="rules", sequence=8, bundle=NEWS2, anew=False))
    assert bench.told.empty()
