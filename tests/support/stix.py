"""Valid STIX 2.1 objects, made anew for each test so that tests never meet in one identifier.

Addresses and names are of the documentation ranges (RFC 5737, RFC 2606).
"""

import itertools
import json
import uuid
from datetime import datetime, timedelta, timezone

_counter = itertools.count(1)
_SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1 section 2.9


def identifier(kind):
    return f"{kind}--{uuid.uuid4()}"


def instant(n=0):
    """The n-th of a row of instants one second apart, 3 fraction digits (STIX 3.2)."""
    at = datetime(2024, 3, 1, 12, 0, 0, tzinfo=timezone.utc) + timedelta(seconds=n)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def sdo(kind, **properties):
    n = next(_counter)
    at = instant(n)
    made = {"type": kind, "spec_version": "2.1", "id": identifier(kind), "created": at, "modified": at}
    made.update(properties)
    return made


def indicator(**properties):
    n = next(_counter)
    base = dict(name=f"indicator {n}", pattern=f"[ipv4-addr:value = '198.51.100.{n % 256}']",
                pattern_type="stix", valid_from=instant(0), indicator_types=["malicious-activity"])
    base.update(properties)
    return sdo("indicator", **base)


def indicators(count, **properties):
    return [indicator(**properties) for _ in range(count)]


def malware(**properties):
    base = dict(name=f"malware {next(_counter)}", is_family=True, malware_types=["trojan"])
    base.update(properties)
    return sdo("malware", **base)


def identity(**properties):
    base = dict(name=f"organisation {next(_counter)}", identity_class="organization")
    base.update(properties)
    return sdo("identity", **base)


def relationship(source, target, kind="indicates"):
    return sdo("relationship", relationship_type=kind, source_ref=source["id"], target_ref=target["id"])


def version_of(made, step, **properties):
    """A later version of `made`: `modified` moved by `step` seconds (STIX 3.6)."""
    at = datetime.strptime(made["modified"][:19], "%Y-%m-%dT%H:%M:%S") + timedelta(seconds=step)
    later = dict(made, modified=at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), name=f"{made['name']} +{step}")
    later.update(properties)
    return later


def sco(kind, value):
    """An observable identified by its `value` with the deterministic id of STIX 2.9."""
    canonical = json.dumps({"value": value}, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid5(_SCO_NAMESPACE, canonical)}", "value": value}


def address():
    n = next(_counter)
    return sco("ipv4-addr", f"203.0.113.{n % 256}")


def domain():
    return sco("domain-name", f"h{uuid.uuid4().hex[:12]}.example.com")


def statement_marking():
    return {"type": "marking-definition", "spec_version": "2.1", "id": identifier("marking-definition"),
            "created": instant(next(_counter)), "definition_type": "statement",
            "definition": {"statement": "for the tests of the exchange"}}


def envelope(objects, **custom):
    return dict({"objects": objects}, **custom)


# Every type of STIX 2.1 (sections 4, 5, 6, 7, 8) for match[type] (TAXII 3.4.1).
TYPES = """attack-pattern campaign course-of-action grouping identity incident indicator infrastructure intrusion-set
location malware malware-analysis note observed-data opinion report threat-actor tool vulnerability relationship sighting
artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex
network-traffic process software url user-account windows-registry-key x509-certificate marking-definition
language-content extension-definition bundle""".split()
