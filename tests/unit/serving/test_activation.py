from collections.abc import Mapping

import pytest

from stepdown.domain.errors import ConfigurationError, RuleSetError, TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.activation import Activation, TierOrder, proven_rules, refusal_reason, rule_set_of
from tests.fakes.clinical_pathways import model_bundle, rules_bundle
from tests.unit.trust import samples

CPU = (ExecutionProvider.CPU,)


class Shelf:
    """Bundles in memory; meets `ports.BundleSource`."""

    def __init__(self, bundles: Mapping[tuple[str, str], Mapping[str, bytes]]) -> None:
        self.bundles = bundles

    def versions(self, name: str) -> tuple[str, ...]:
        return tuple(version for owner, version in self.bundles if owner == name)

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        if (name, version) not in self.bundles:
            raise TrustError(rule="BUNDLE_NOT_FOUND", detail=name)
        return self.bundles[name, version]


MODEL = samples.signed(samples.model_contents())
RULES = samples.signed(samples.rules_contents())


def activation() -> Activation:
    shelf = Shelf({("sepsis-full", "1.0.0"): MODEL, ("news2", "1.2.0"): RULES, ("extra", "not-a-version"): MODEL})
    policy = samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER)
    return Activation(source=shelf, policy=policy, now_s=samples.NOW_S)


def order(bundle: str, providers: tuple[ExecutionProvider, ...] = CPU, version: str = "") -> TierOrder:
    return TierOrder(name="tier", bundle=bundle, version=version, execution_providers=providers)


def test_a_signed_bundle_becomes_a_tier() -> None:
    tier = activation().tier(order("sepsis-full"))
    assert tier.bundle is not None
    assert (tier.bundle.identity.name, tier.is_rules, tier.refusal) == ("sepsis-full", False, None)


def test_rules_take_no_execution_provider() -> None:
    assert activation().tier(order("news2", ())).is_rules
    with pytest.raises(ConfigurationError):
        activation().tier(order("news2"))
    with pytest.raises(ConfigurationError):
        activation().tier(order("sepsis-full", ()))


def test_a_refusal_costs_the_tier_and_names_the_rule() -> None:
    changed = Activation(
        source=Shelf({("sepsis-full", "1.0.0"): {**MODEL, "model.onnx": b"other"}}),
        policy=samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER),
        now_s=samples.NOW_S,
    )
    tier = changed.tier(order("sepsis-full"))
    assert (tier.bundle, tier.refusal) == (None, Reason.SIGNATURE_INVALID)
    assert tier.refusal_detail.startswith("sepsis-full: FILE_CHANGED")


def test_a_missing_bundle_is_refused_for_want_of_it_and_not_for_its_signature() -> None:
    for name in ("nonsense", "extra"):
        tier = activation().tier(order(name))
        assert "BUNDLE_NOT_FOUND" in tier.refusal_detail
        assert tier.refusal is Reason.NOT_CONFIGURED


def test_the_newest_version_is_taken_unless_one_is_named() -> None:
    contents = samples.model_contents()
    newer = {
        **contents,
        "manifest.toml": contents["manifest.toml"].replace(b'version = "1.0.0"', b'version = "1.10.0"', 1),
    }
    shelf = Shelf({("sepsis-full", "1.0.0"): MODEL, ("sepsis-full", "1.10.0"): samples.signed(newer)})
    both = Activation(source=shelf, policy=samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER), now_s=samples.NOW_S)
    assert both.verified("sepsis-full").manifest.version == "1.10.0"
    assert both.verified("sepsis-full", "1.0.0").manifest.version == "1.0.0"


def test_rule_sets_are_parsed_from_the_verified_bytes() -> None:
    composite = proven_rules(rules_bundle("news2"), rules_bundle("lactate"), (rules_bundle("qsofa"),)).composite
    assert composite.answering.rule_set_id == "news2@1.0.0"
    with pytest.raises(RuleSetError):
        rule_set_of(model_bundle("sepsis-full"))


def test_what_was_active_is_bound_by_its_digest() -> None:
    present = activation().verified("sepsis-full", "1.0.0")
    assert activation().bound("sepsis-full", "1.0.0", present.sha256) == present
    with pytest.raises(TrustError, match="DIGEST_MISMATCH"):
        activation().bound("sepsis-full", "1.0.0", "0" * 64)


def test_what_was_put_on_the_denylist_since_is_denied() -> None:
    present = activation().verified("sepsis-full", "1.0.0")
    denylist = f'[denylist]\nbundle_digests = ["{present.sha256}"]\n'
    policy = samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER, denylist)
    denying = Activation(source=Shelf({}), policy=policy, now_s=samples.NOW_S)
    assert activation().denial(present) is None
    denial = denying.denial(present)
    assert denial is not None
    assert refusal_reason(denial) is Reason.BUNDLE_DENIED


def test_rules_that_do_not_give_their_known_answers_are_not_called_unsigned() -> None:
    assert refusal_reason(RuleSetError("total is 3, known to be 2")) is Reason.KNOWN_ANSWER_MISMATCH


def test_rules_stand_alone_without_the_lactate() -> None:
    assert proven_rules(rules_bundle("news2"), None, ()).composite.lactate is None
