"""docs/CONFORMANCE.md names a test for every row, and is up to date."""

import unittest

from . import table


class Table(unittest.TestCase):
    def test_page_is_up_to_date_and_complete(self):
        self.assertEqual(table.PAGE.read_text(), table.page())
        self.assertNotIn("**none**", table.page())
        self.assertEqual(len(table.TAXII), 68)
        self.assertEqual(len(table.INTEROP) + len(table.TIERS), 44)
