"""Rows 31-55 of the checklist: headers, order, limits, pagination, filters, the manifest."""

import threading

from support import stix

from .base import FIRST, HEADER_TIME, LAST, Case


class Headers(Case):
    def paths(self, collection, made):
        one = self.objects(collection) + made["id"] + "/"
        return [self.objects(collection), self.of(collection, "manifest"), one, one + "versions/"]

    def test_row31_s3_2_date_headers_on_success(self):
        collection, objects = self.filled(3)
        for path in self.paths(collection, objects[0]):
            with self.subTest(path=path):
                answer = self.writer.get(path)
                self.assertEqual(answer.status, 200)
                self.assertIsNotNone(answer.header(FIRST))
                self.assertIsNotNone(answer.header(LAST))

    def test_row32_s3_2_date_headers_have_six_digits(self):
        collection, objects = self.filled(3)
        for path in self.paths(collection, objects[0]):
            with self.subTest(path=path):
                answer = self.writer.get(path)
                self.assertRegex(answer.header(FIRST) or "", HEADER_TIME)
                self.assertRegex(answer.header(LAST) or "", HEADER_TIME)

    def test_row33_s3_2_headers_equal_date_added_of_the_page(self):
        collection, objects = self.filled(10)
        manifest = self.writer.get(self.of(collection, "manifest"))
        added = {m["id"]: m["date_added"] for m in manifest.json()["objects"]}
        self.assertEqual(manifest.header(FIRST), manifest.json()["objects"][0]["date_added"])
        self.assertEqual(manifest.header(LAST), manifest.json()["objects"][-1]["date_added"])
        for page in self.walk(collection, {"limit": 4}):
            self.assertEqual(page.header(FIRST), added[page.ids[0]])
            self.assertEqual(page.header(LAST), added[page.ids[-1]])
        one = self.writer.get(self.objects(collection) + objects[3]["id"] + "/")
        self.assertEqual((one.header(FIRST), one.header(LAST)), (added[objects[3]["id"]],) * 2)


class Order(Case):
    def test_row34_s3_3_sorted_by_date_added(self):
        collection, _ = self.filled(4)
        self.put(collection, stix.indicators(4))
        manifest = self.writer.get(self.of(collection, "manifest")).json()["objects"]
        dates = [m["date_added"] for m in manifest]
        self.assertEqual(dates, sorted(dates))
        self.assertEqual(self.writer.get(self.objects(collection)).ids, [m["id"] for m in manifest])

    def test_row43_s3_4_added_after_is_exclusive_and_single(self):
        collection, _ = self.filled(1)
        last = self.writer.get(self.objects(collection)).header(LAST)
        self.assertNotIn("objects", self.writer.get(self.objects(collection), {"added_after": last}).json())
        self.put(collection, [later := stix.indicator()])
        self.assertEqual(self.writer.get(self.objects(collection), {"added_after": last}).ids, [later["id"]])
        twice = f"added_after={last}&added_after={last}"
        self.assertError(self.writer.get(self.objects(collection), twice), 400)

    def test_row44_s3_4_without_added_after_oldest_first(self):
        collection, first = self.filled(1)
        self.put(collection, [second := stix.indicator()])
        self.put(collection, [third := stix.indicator()])
        self.assertEqual(self.writer.get(self.objects(collection)).ids, [first[0]["id"], second["id"], third["id"]])


class Malformed(Case):
    def test_row35_s3_4_malformed_query_parameter(self):
        collection, objects = self.filled(1)
        one = self.objects(collection) + objects[0]["id"] + "/"
        for path in (self.objects(collection), self.of(collection, "manifest"), one, one + "versions/"):
            for query in ("added_after=yesterday", "added_after=2024-13-01T00:00:00.000000Z", "added_after=",
                          "limit=ten", "limit=1.5", "limit=99999999999999999999999999999999999x"):
                with self.subTest(path=path, query=query):
                    self.assertError(self.writer.get(path, query), 400)
        for query in ("match[version]=yesterday", "match[id]=not%20an%20id"):
            with self.subTest(query=query):
                self.assertError(self.writer.get(self.objects(collection), query), 400)

    def test_row36_s3_4_limit_not_positive(self):
        collection, _ = self.filled(1)
        for where in ("objects", "manifest"):
            for value in ("0", "-1", "abc", "", "+", "0x10"):
                with self.subTest(where=where, value=value):
                    self.assertError(self.writer.get(self.of(collection, where), f"limit={value}"), 400)

    def test_row46_s3_4_match_field_twice(self):
        collection, objects = self.filled(1)
        for field, value in (("type", "indicator"), ("id", objects[0]["id"]), ("version", "all"), ("spec_version", "2.1")):
            with self.subTest(field=field):
                query = f"match[{field}]={value}&match[{field}]={value}"
                self.assertError(self.writer.get(self.objects(collection), query), 400)


class Paging(Case):
    def test_row37_s3_4_never_more_than_limit(self):
        collection, _ = self.filled(25)
        for where in ("objects", "manifest"):
            for limit in (1, 7, 24):
                for page in self.walk(collection, {"limit": limit}, where):
                    self.assertLessEqual(len(page.objects), limit)

    def test_row38_s3_4_all_fit_no_more(self):
        collection, _ = self.filled(5)
        for limit in (5, 6, 50):
            answer = self.writer.get(self.objects(collection), {"limit": limit})
            self.assertEqual(len(answer.objects), 5)
            self.assertFalse(answer.json().get("more", False))
            self.assertNotIn("next", answer.json())

    def test_row39_s3_4_more_is_true(self):
        collection, _ = self.filled(5)
        for where in ("objects", "manifest"):
            self.assertIs(self.writer.get(self.of(collection, where), {"limit": 4}).json()["more"], True)

    def test_row40_s3_5_walk_by_next_gives_all_once(self):
        collection, objects = self.filled(53)
        expected = sorted(o["id"] for o in objects)
        for where in ("objects", "manifest"):
            for limit in (1, 10, 52):
                with self.subTest(where=where, limit=limit):
                    got = [i for page in self.walk(collection, {"limit": limit}, where) for i in page.ids]
                    self.assertEqual(sorted(got), expected)
        filtered = self.walk(collection, {"limit": 10, "match[type]": "indicator", "match[version]": "all"})
        self.assertEqual(sorted(i for page in filtered for i in page.ids), expected)

    def test_row40_s3_5_walk_while_others_write(self):
        collection, objects = self.filled(60)
        stop, written = threading.Event(), []

        def write():
            client = self.subject.client("keeper")
            while not stop.is_set():
                batch = stix.indicators(3)
                if client.post(self.objects(collection), stix.envelope(batch)).status == 202:
                    written.extend(o["id"] for o in batch)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            got = []
            query = {"limit": 7}
            for _ in range(25):
                answer = self.writer.get(self.objects(collection), query)
                got += answer.ids
                if not answer.json().get("more"):
                    break
                query["next"] = answer.json()["next"]
        finally:
            stop.set()
            thread.join()
        self.assertEqual(len(got), len(set(got)), "an object came twice")
        self.assertEqual(got[:60], [o["id"] for o in objects][:len(got)])
        rest = [i for page in self.walk(collection, {"limit": 100}) for i in page.ids]
        self.assertEqual(sorted(rest), sorted([o["id"] for o in objects] + written))

    def test_row41_s3_5_walk_by_added_after_gives_all_once(self):
        for size in (1, 7, 40):
            collection = self.subject.collection()
            sent = []
            for _ in range(max(1, 40 // size)):
                batch = stix.indicators(size)
                self.put(collection, batch)
                sent += [o["id"] for o in batch]
            got, after = [], None
            for _ in range(100):
                answer = self.writer.get(self.objects(collection), {"limit": 3, **({"added_after": after} if after else {})})
                if "objects" not in answer.json():
                    break
                got += answer.ids
                after = answer.header(LAST)
            with self.subTest(envelope=size):
                self.assertEqual(sorted(got), sorted(sent))

    def test_row42_appB_next_is_checked_again(self):
        collection, objects = self.filled(6)
        other, others = self.filled(6)
        cursor = self.writer.get(self.objects(collection), {"limit": 2}).json()["next"]
        for forged in ("garbage", "../../etc/passwd", "' or 1=1 --", "A" * 5000, "\x00", cursor[:-1] + "?"):
            with self.subTest(forged=forged[:20]):
                self.assertError(self.writer.get(self.objects(collection), {"limit": 2, "next": forged}), 400, 414)
        foreign = self.writer.get(self.objects(other), {"limit": 2, "next": cursor})
        with self.subTest("next of another collection"):
            if foreign.status == 200:
                self.assertLessEqual(set(foreign.ids), {o["id"] for o in others})
            else:
                self.assertError(foreign, 400, 404)
        self.subject.need("users")
        answer = self.subject.client("stranger").get(self.objects(collection), {"limit": 2, "next": cursor})
        self.assertError(answer, 403, 404)


class Versioned(Case):
    """A stage of one object in several versions."""

    def versions(self, count=3):
        """One object in `count` versions, with another beside it."""
        collection = self.subject.collection()
        made = stix.indicator()
        row = [made] + [stix.version_of(made, 60 * n) for n in range(1, count)]
        for version in row:
            self.put(collection, [version])
        self.put(collection, [other := stix.indicator()])
        return collection, row, other

    def modified(self, collection, **match):
        answer = self.writer.get(self.objects(collection), {f"match[{k}]": v for k, v in match.items()})
        self.assertTaxii(answer, 200)
        return [o["modified"] for o in answer.objects]


class Filters(Versioned):
    def test_row45_s3_4_match_fields_and_or(self):
        collection = self.subject.collection()
        a, b, c, d = stix.indicator(), stix.malware(), stix.identity(), stix.indicator()
        self.put(collection, [a, b, c, d])

        def got(**match):
            query = {f"match[{k}]": v for k, v in match.items()}
            return self.writer.get(self.objects(collection), query).ids

        self.assertEqual(got(type="indicator,malware"), [a["id"], b["id"], d["id"]])
        self.assertEqual(got(type="indicator", id=a["id"]), [a["id"]])
        self.assertEqual(got(type="malware", id=a["id"] + "," + d["id"]), [])
        self.assertEqual(got(type="indicator,identity", id=",".join([a["id"], b["id"], c["id"]])), [a["id"], c["id"]])

    def test_row47_s3_4_unknown_match_field(self):
        collection, objects = self.filled(2)
        for field in ("confidence", "x_unknown", "created_by_ref"):
            answer = self.writer.get(self.objects(collection), {f"match[{field}]": "x"})
            with self.subTest(field=field):
                self.assertTaxii(answer, 200, 400)

    def test_row48_s3_4_1_every_type_is_known(self):
        collection, objects = self.filled(1)
        for kind in stix.TYPES:
            with self.subTest(kind=kind):
                answer = self.writer.get(self.objects(collection), {"match[type]": kind})
                self.assertTaxii(answer, 200)
                self.assertEqual(answer.ids, [objects[0]["id"]] if kind == "indicator" else [])

    def test_row49_s3_4_1_latest_version_by_default(self):
        collection, row, other = self.versions()
        self.assertEqual(self.modified(collection), [row[-1]["modified"], other["modified"]])
        # also when the latest came first
        late = stix.indicator()
        newer = stix.version_of(late, 60)
        self.put(collection, [newer])
        self.put(collection, [late])
        self.assertEqual(self.modified(collection, id=late["id"]), [newer["modified"]])

    def test_row50_s3_4_1_version_keywords(self):
        collection, row, other = self.versions()
        one = row[0]["id"]
        times = [v["modified"] for v in row]
        self.assertEqual(self.modified(collection, id=one, version="last"), times[-1:])
        self.assertEqual(self.modified(collection, id=one, version="first"), times[:1])
        self.assertEqual(self.modified(collection, id=one, version="all"), times)
        self.assertEqual(self.modified(collection, id=one, version="first,last"), [times[0], times[-1]])
        self.assertEqual(self.modified(collection, id=one, version=times[1]), [times[1]])
        self.assertEqual(self.modified(collection, id=one, version=f"{times[1]},last"), times[1:])
        for query in ("all,last", f"all,{times[0]}"):
            with self.subTest(query=query):
                self.assertError(self.writer.get(self.objects(collection), {"match[version]": query}), 400)

    def test_row51_s3_4_1_version_timestamps_follow_stix(self):
        collection = self.subject.collection()
        made = stix.indicator(created="2024-03-01T12:00:00.000Z", modified="2024-03-01T12:00:05.120Z")
        fine = stix.indicator(created="2024-03-01T12:00:00.000Z", modified="2024-03-01T12:00:05.123456789Z")
        self.put(collection, [made])
        for written in ("2024-03-01T12:00:05.12Z", "2024-03-01T12:00:05.120Z", "2024-03-01T12:00:05.120000Z",
                        "2024-03-01T12:00:05.120000000Z"):
            with self.subTest(written=written):
                self.assertEqual(self.modified(collection, version=written), [made["modified"]])
        for written in ("2024-03-01T12:00:05Z", "2024-03-01T12:00:05.121Z"):
            self.assertEqual(self.modified(collection, version=written), [])
        if self.subject.name != "medallion":  # a nanosecond there breaks the collection for good
            self.put(collection, [fine])
            self.assertEqual(self.modified(collection, version=fine["modified"]), [fine["modified"]])
            self.assertEqual(self.modified(collection, version="2024-03-01T12:00:05.123456Z"), [])

    def test_row52_s3_4_1_version_without_modified(self):
        collection = self.subject.collection()
        marking, address = stix.statement_marking(), stix.address()
        self.put(collection, [marking, address])
        path = self.objects(collection)
        listed = self.writer.get(path + marking["id"] + "/versions/").json()["versions"]
        self.assertEqual(listed, [marking["created"]])
        once = self.writer.get(path + address["id"] + "/versions/").json()["versions"]
        self.assertEqual(once, self.writer.get(path + address["id"] + "/versions/").json()["versions"])
        self.assertEqual(len(once), 1)
        by_version = self.writer.get(path, {"match[id]": address["id"], "match[version]": once[0]})
        self.assertEqual(by_version.ids, [address["id"]])
        self.put(collection, [address])  # again: still one version, the same
        self.assertEqual(self.writer.get(path + address["id"] + "/versions/").json()["versions"], once)

    def test_row53_s3_4_1_spec_version(self):
        collection, objects = self.filled(2)
        path = self.objects(collection)
        ids = [o["id"] for o in objects]
        self.assertEqual(self.writer.get(path, {"match[spec_version]": "2.1"}).ids, ids)
        self.assertEqual(self.writer.get(path, {"match[spec_version]": "2.0,2.1"}).ids, ids)
        self.assertEqual(self.writer.get(path, {"match[spec_version]": "2.0"}).ids, [])
        self.assertEqual(self.writer.get(path).ids, ids)


class Manifest(Versioned):
    def test_row54_s5_3_1_manifest_entries_and_filters(self):
        collection, row, other = self.versions()
        path = self.of(collection, "manifest")
        entries = self.writer.get(path, {"match[version]": "all"}).json()["objects"]
        self.assertEqual([(e["id"], e["version"]) for e in entries],
                         [(o["id"], o["modified"]) for o in row + [other]])
        for entry in entries:
            self.assertRegex(entry["date_added"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(entry.get("media_type", "application/stix+json;version=2.1").replace(" ", ""),
                             "application/stix+json;version=2.1")
        latest = self.writer.get(path).json()["objects"]
        self.assertEqual([(e["id"], e["version"]) for e in latest],
                         [(row[-1]["id"], row[-1]["modified"]), (other["id"], other["modified"])])
        only = self.writer.get(path, {"match[id]": other["id"], "match[type]": "indicator"}).json()["objects"]
        self.assertEqual([e["id"] for e in only], [other["id"]])
        after = self.writer.get(path, {"added_after": entries[-2]["date_added"]}).json()["objects"]
        self.assertEqual([e["id"] for e in after], [other["id"]])
        self.assertEqual(self.writer.get(path, {"match[type]": "malware"}).json().get("objects", []), [])

    def test_row55_s5_3_1_manifest_empty_and_next(self):
        self.assertNotIn("objects", self.writer.get(self.of(self.subject.collection(), "manifest")).json())
        collection, objects = self.filled(5)
        got = [i for page in self.walk(collection, {"limit": 2}, "manifest") for i in page.ids]
        self.assertEqual(sorted(got), sorted(o["id"] for o in objects))
