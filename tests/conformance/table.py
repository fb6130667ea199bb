#!/usr/bin/env python3
"""docs/CONFORMANCE.md from the names of the tests: `python3 tests/conformance/table.py [--check]`."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "CONFORMANCE.md"

# row: (sections of TAXII 2.1, what is required)
TAXII = {
    1: ("4.1, 8.2.1", "discovery is GET /taxii2/ at the server's root"),
    2: ("3.1", "request paths end in `/`"),
    3: ("3.1", "a success with a body has Content-Type `application/taxii+json;version=2.1`"),
    4: ("3.1", "`Accept` without a version is answered with the newest, not 406"),
    5: ("3.1", "`Accept` with a defined type among others, with q or blanks, is not 406"),
    6: ("5.3", "`Accept` with the STIX type beside it works on the manifest"),
    7: ("3.1", "an undefined `Accept` may be served or get 406"),
    8: ("3.1, 5.5", "POST with a defined Content-Type is not 415"),
    9: ("3.6.1", "an error's body has `title`"),
    10: ("3.6.1", "`http_status` is the status as a string"),
    11: ("4, 5", "errors carry the TAXII type, never HTML"),
    12: ("1.6.9, 5.1-5.8", "missing or wrong credentials: 401 with WWW-Authenticate (or 404) everywhere"),
    13: ("5.3-5.6, 5.8", "can_read false: 403 or 404"),
    14: ("5.5", "can_write false: 403 or 404"),
    15: ("5.7", "DELETE by permission: neither 404, read only 403, write only 403"),
    16: ("4.1.1", "discovery has `title`; `default` is one of `api_roots`"),
    17: ("4.1.1", "API root URLs are absolute https or relative from `/`, without a query"),
    18: ("4.2.1", "API root has `title`, `versions`, `max_content_length`"),
    19: ("4.2.1, 5.5", "`max_content_length` is kept: not smaller 413, larger 413"),
    20: ("4.2, 4.3, 5.2", "unknown API root, collection, status: 404"),
    21: ("4.3", "a status answers for 24 hours, then 404"),
    22: ("4.3.1", "status has a UUIDv4, a state, four counts"),
    23: ("4.3.1", "the counts sum to the objects sent"),
    24: ("4.3.1", "status details name id and version"),
    25: ("3.3; interop 2.1.7", "collections in a consistent order, by id"),
    26: ("5.1.1", "no collections: `{}`"),
    27: ("5.2.1", "a collection's properties, permissions per client"),
    28: ("5.2.1", "an alias is unique and usable in the path"),
    29: ("3.7, 5.4", "an envelope even for one object; none: `{}`"),
    30: ("2", "no empty lists"),
    31: ("3.2", "both date headers on each 200 with objects"),
    32: ("2, 3.2", "they have 6 fraction digits and `Z`"),
    33: ("3.2", "they are `date_added` of the page's first and last"),
    34: ("3.3", "sorted by date added, ascending"),
    35: ("3.4", "a malformed query parameter: 400"),
    36: ("3.4", "`limit` that is no positive integer: 400"),
    37: ("3.4", "never more than `limit`"),
    38: ("3.4", "what fits is all there, `more` false or absent"),
    39: ("3.4, 3.5", "more to come: `more` true"),
    40: ("3.5", "a walk by `next` gives each object once"),
    41: ("3.5", "a walk by `added_after` gives each object once, whatever the envelopes"),
    42: ("App. B", "`next` is checked again for caller and query"),
    43: ("3.4", "`added_after` is exclusive and at most once"),
    44: ("3.4", "without `added_after` oldest first"),
    45: ("3.4", "match fields ANDed, values ORed"),
    46: ("3.4", "a match field twice: 400"),
    47: ("3.4", "unknown match fields may be ignored"),
    48: ("3.4.1", "`match[type]` of any STIX type is no error"),
    49: ("3.4.1", "the latest version by default"),
    50: ("3.4.1", "`match[version]`: last, first, all, values; `all` only alone"),
    51: ("3.4.1", "version timestamps by STIX's rules"),
    52: ("3.4.1, 5.3.1", "version without `modified`: `created`, else the server's own, stable"),
    53: ("3.4.1", "`match[spec_version]`"),
    54: ("5.3, 5.3.1", "manifest: filters on the object, an entry per version"),
    55: ("5.3.1", "manifest with nothing: `{}`; `next` as clients expect it"),
    56: ("5.5", "Add Objects: 202 with a status"),
    57: ("5.5", "an exact duplicate is no error"),
    58: ("5.5", "malformed content: 422 or 400"),
    59: ("5.6", "Get Object: 404 if unknown; all its parameters"),
    60: ("5.7", "deleted: 404, and gone from objects and manifest"),
    61: ("5.7", "DELETE of the unknown: 404"),
    62: ("5.7", "DELETE with `match[version]` removes that version only"),
    63: ("5.8.1", "versions: ascending, with headers, paged"),
    64: ("7.1.1", "custom properties: ignored or 422; custom content comes back as it went"),
    65: ("8.2.2, 8.3.1", "TLS 1.2 and 1.3, no 0-RTT, client certificates by choice"),
    66: ("8.2.1", "no User-Agent is no reason to refuse"),
    67: ("3.9", "the DNS service name is `_taxii2._tcp`"),
    68: ("2", "identifiers are UUIDv4"),
}

INTEROP = """3.1.1 3.1.2 3.1.3 3.1.4 3.2.1 3.3.1 3.3.2 3.4.1 3.5.1.1 3.5.1.2 3.5.1.3 3.5.1.4 3.5.2.1 3.5.2.2 3.5.2.3 3.5.2.4
3.5.3 3.6.1 3.7.1 3.7.2 3.8.1 3.8.2 3.9.1 3.10.1 3.11.1 3.11.2 3.12.1 3.13.1.1 3.13.1.2 3.13.1.3 3.13.1.4 3.13.1.5 3.13.1.6
3.13.1.7 3.13.1.8 3.13.1.9 3.13.1.10 3.14.1 3.15.1""".split()
TIERS = ["tier_1_filters", "tier_2_filters", "tier_3_filters", "relationship_filters", "calculation_filters"]

HEAD = """# Conformance

Every testable statement of TAXII 2.1 (OASIS Standard, 10 June 2021) and every server row of the TAXII 2.1 interoperability test
document (CSD01, 30 March 2022) with the test that holds the node to it. This page is made from the tests' names by
`python3 tests/conformance/table.py`; a test fails when it is not up to date.

Run them: `scripts/test` runs everything; `python3 tests/run.py conformance` only these. Another server can be the subject
(`COMITY_SUBJECT=medallion`, or `COMITY_SUBJECT=https://...` with the variables named in `tests/support/subject.py`): medallion
3.0.0 passes 42 of the 68 rows and 39 of the 44, and fails where others have found it to fail.

The statements of STIX 2.1 are tests of `crates/stix` named after their section.

## Where the standard contradicts itself, or leaves a choice

| question | decided | why |
|---|---|---|
| 3.2 demands both date headers on every 200, but an empty page has no first object | both name the position the page was asked from | mandatory on every 200; OpenCTI goes on from "now" without them and would lose what came in between |
| 5.6 text allows only `match[version]`, its table also `match[spec_version]` | both work | the table is what clients were written from |
| 5.4 and 5.6 ask for an empty envelope, 5.6 and 5.7 for 404 when nothing is there | a collection with nothing to give: `{}`; an object nobody put there: 404 | a filter that finds nothing is no error, a wrong identifier is |
| the manifest has `more` but no `next` in its table (5.3.1) | `next` is sent | taxii2-client pages manifests by it and loops without it |
| unknown `match` fields MAY be ignored (3.4) | tests take 200 or 400 | the optional interoperability tiers are such fields |
| 3.4: must an empty `next=` be refused? | it is the first page | MISP sends it |
| may a server say that a collection exists to one who may not use it (5.2)? | no: 404 | existence is information |
| who may DELETE (5.7 leaves it to the server) | an officer with the right in the collection; an analyst gets 403 | deleting is a decision about keeping, with a reason in the log |
| 4.3: may a POST be refused whole for one bad object? | no: 202, the status names what failed and why | the good ones are not lost for the bad |

## Clients

| client | how | tests |
|---|---|---|
| taxii2-client 2.3.0 (PyPI) | Basic, token, TLS with Basic, client certificate | `tests/clients/test_taxii2client.py` |
| stix2 3.0.2 (PyPI), TAXIICollectionSource, Sink, Store | Basic, client certificate | `tests/clients/test_stix2.py` |
| cytaxii2 1.0.1 (PyPI) | Basic, TLS | `tests/clients/test_cytaxii2.py` |
| rstix 0.23 (crates.io) | Basic, token, client certificate (PEM, PKCS #12) with pinned key | `tests/clients/test_rstix.py` |
| medallion 3.0.0 (PyPI) as the other side | pulled from and pushed to | `tests/clients/test_exchange.py` |
| OpenCTI, MISP, Microsoft Sentinel, cc-taxii2-client | their requests replayed (read in their source or vendor's page) | `tests/clients/test_quirks.py` |
"""


def tests():
    """Names of all conformance tests, by file."""
    for file in sorted((ROOT / "tests" / "conformance").glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield file.name, node.name


def page():
    named = list(tests())
    lines = [HEAD, "## TAXII 2.1", "", "| row | section | requires | test |", "|---|---|---|---|"]
    for row, (section, text) in TAXII.items():
        found = [f"`{name}`" for _, name in named if name.startswith(f"test_row{row:02}_")]
        lines.append(f"| {row} | {section} | {text} | {'<br>'.join(found) or '**none**'} |")
    lines += ["", "## Interoperability (persona TAXII Server)", "", "| section | test |", "|---|---|"]
    for section in INTEROP:
        prefix = "test_interop_" + section.replace(".", "_") + "_"
        found = [f"`{name}`" for _, name in named if name.startswith(prefix) and not re.match(r"\d", name[len(prefix):])]
        lines.append(f"| {section} | {'<br>'.join(found) or '**none**'} |")
    for tier in TIERS:
        found = [f"`{name}`" for _, name in named if name == f"test_interop_3_13_2_{tier}"]
        lines.append(f"| 3.13.2 (optional) {tier.replace('_', ' ')} | {'<br>'.join(found) or '**none**'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.exists() and PAGE.read_text() == page() else "docs/CONFORMANCE.md is not up to date")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
