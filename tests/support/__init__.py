"""Shared by the black-box suites: a TAXII client of the standard library, the subject under test, STIX fixtures, the runner."""
