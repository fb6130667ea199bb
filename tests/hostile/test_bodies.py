"""Hostile bodies of Add Objects (TAXII 2.1 section 5.5)."""

import gzip
import json
import struct
import uuid
import zlib

from support import stix

from .base import Hostile


def with_member(text):
    """An indicator with one more member, written as given."""
    made = json.dumps(stix.indicator())
    return b'{"objects":[' + made[:-1].encode() + b"," + text + b"}]}"


def zstd_bomb(blocks):
    """A zstd frame (RFC 8878) of `blocks` run-length blocks of 128 KiB each: 4 octets a block on the wire."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00\x58")  # no checksum, no content size, window of 2 MiB
    for n in range(blocks):
        header = (0x20000 << 3) | (1 << 1) | (n == blocks - 1)
        frame += struct.pack("<I", header)[:3] + b" "
    return bytes(frame)


class Shape(Hostile):
    def test_01_empty(self):
        self.refused(b"", 400, 411, 422)

    def test_02_one_brace(self):
        self.refused(b"{")

    def test_03_array(self):
        self.refused(b"[]")

    def test_04_scalars(self):
        for body in (b"null", b"1", b'"text"', b"true"):
            with self.subTest(body=body):
                self.refused(body)

    def test_05_no_objects(self):
        for body in (b"{}", b'{"objects":null}', b'{"objects":[]}', b'{"objects":{}}', b'{"objects":"x"}', b'{"more":true}'):
            with self.subTest(body=body):
                self.refused(body)

    def test_06_members_of_other_types(self):
        for body in (b'{"objects":[1]}', b'{"objects":["x"]}', b'{"objects":[null]}', b'{"objects":[[{}]]}', b'{"objects":[{}]}'):
            with self.subTest(body=body):
                self.failed(raw=body)

    def test_07_trailing_comma(self):
        self.refused(b'{"objects":[{},]}')

    def test_08_trailing_garbage(self):
        good = json.dumps(stix.envelope([stix.indicator()])).encode()
        for tail in (b"x", b"{}", good, b"\x00"):
            with self.subTest(tail=tail[:5]):
                self.refused(good + tail)

    def test_09_comments_and_quotes(self):
        self.refused(b'{/* c */"objects":[]}')
        self.refused(b"{'objects':[]}")

    def test_10_depth_of_arrays(self):
        self.failed(raw=b'{"objects":' + b"[" * 200_000 + b"]" * 200_000 + b"}", says="deep|depth|nest")

    def test_11_depth_of_objects(self):
        self.refused(b'{"a":' * 200_000 + b"1" + b"}" * 200_000, 400, 413, 422)

    def test_12_depth_inside_one_object(self):
        self.failed(raw=with_member(b'"x_deep":' + b"[" * 5000 + b"]" * 5000), says="deep|depth|nest")

    def test_13_unclosed_depth(self):
        self.refused(b'{"objects":[' + b'{"a":[' * 100_000, 400, 413, 422)

    def test_14_million_values(self):
        self.failed(raw=with_member(b'"x_many":[' + b",".join([b"[0]"] * 700_000) + b"]"))

    def test_15_bundle_instead_of_envelope(self):
        bundle = {"type": "bundle", "id": stix.identifier("bundle"), "objects": [stix.indicator()]}
        answer = self.writer.post(self.path, bundle)
        self.assertIn(answer.status, (202, 400, 422), answer)


class Keys(Hostile):
    def test_16_duplicate_objects_key(self):
        self.refused(b'{"objects":[],"objects":[{}]}', says="duplicate|twice")

    def test_17_duplicate_key_in_an_object(self):
        made = stix.indicator()
        self.failed(raw=with_member(b'"id":"' + made["id"].encode() + b'"'), says="duplicate|twice")

    def test_18_duplicate_key_by_escape(self):
        self.failed(raw=with_member(b'"na\\u006de":"other"'), says="duplicate|twice")

    def test_19_huge_key(self):
        self.failed(raw=with_member(b'"x_' + b"a" * 5_000_000 + b'":1'))

    def test_20_prototype_keys(self):
        self.failed(raw=with_member(b'"__proto__":{"admin":true}'))

    def test_21_many_keys(self):
        self.failed(raw=with_member(b",".join(b'"X%d":1' % n for n in range(200_000))))


class Text(Hostile):
    def test_22_invalid_utf8(self):
        for bad in (b"\xff\xfe", b"\xc3\x28", b"\xe2\x82", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"):
            with self.subTest(bad=bad):
                self.failed(raw=with_member(b'"description":"' + bad + b'"'), says="utf-8")

    def test_23_overlong_utf8(self):
        self.failed(raw=with_member(b'"description":"\xc0\xaf"'), says="utf-8")

    def test_24_utf16_and_utf32(self):
        text = json.dumps(stix.envelope([stix.indicator()]))
        for coding in ("utf-16", "utf-16-be", "utf-32"):
            with self.subTest(coding=coding):
                self.refused(text.encode(coding))

    def test_25_byte_order_mark(self):
        good = json.dumps(stix.envelope([stix.indicator()])).encode()
        self.refused(b"\xef\xbb\xbf" + good, says="byte order mark|bom|utf-8|expected")

    def test_26_lone_surrogates(self):
        for bad in (b"\\ud800", b"\\udc00", b"\\ud800\\ud800", b"\\udc00\\ud800"):
            with self.subTest(bad=bad):
                self.failed(raw=with_member(b'"description":"' + bad + b'"'), says="surrogate")

    def test_27_raw_control_characters(self):
        for bad in (b"\x00", b"\x01", b"\n", b"\x1f"):
            with self.subTest(bad=bad):
                self.failed(raw=with_member(b'"description":"' + bad + b'"'))

    def test_28_escaped_nul_and_odd_characters_survive(self):
        made = stix.indicator(description="\x00 \u2028 \u202e \ufeff \U0010ffff")
        answer = self.writer.post(self.path, stix.envelope([made]))
        self.assertIn(answer.status, (202, 422), answer)
        if answer.status == 202 and answer.json()["success_count"]:
            self.assertEqual(self.writer.get(self.path, {"match[id]": made["id"]}).objects, [made])

    def test_29_bad_escapes(self):
        for bad in (b"\\x41", b"\\u12", b"\\", b"\\uzzzz"):
            with self.subTest(bad=bad):
                self.failed(raw=with_member(b'"description":"' + bad + b'"'))

    def test_30_ten_megabytes_on_one_line(self):
        made = stix.indicator(description="a" * 10_000_000)
        answer = self.writer.post(self.path, stix.envelope([made]))
        self.assertIn(answer.status, (202, 413, 422), answer)

    def test_31_ten_megabytes_of_identifier(self):
        self.failed(dict(stix.indicator(), id="indicator--" + "a" * 10_000_000))


class Numbers(Hostile):
    def number(self, text, says=None):
        self.failed(raw=with_member(b'"confidence":' + text), says=says)

    def test_32_huge_exponent(self):
        self.number(b"1e999999999")

    def test_33_hundred_thousand_digits(self):
        self.number(b"9" * 100_000)

    def test_34_not_numbers(self):
        for text in (b"NaN", b"Infinity", b"-Infinity", b"+1", b"01", b"1.", b".5", b"0x10", b"1_000", b"--1", b"1e"):
            with self.subTest(text=text):
                self.number(text)

    def test_35_out_of_range(self):
        for text in (b"101", b"-1", b"1.5", b"1e2e", b'"50"', b"true", b"null"):
            with self.subTest(text=text):
                self.number(text)


class Objects(Hostile):
    def test_36_wrong_types_of_common_properties(self):
        for name, value in (("id", 1), ("id", []), ("type", {}), ("created", 1), ("modified", None), ("spec_version", 2.1),
                            ("labels", "x"), ("external_references", {}), ("object_marking_refs", "x"), ("revoked", "no")):
            with self.subTest(name=name):
                self.failed(dict(stix.indicator(), **{name: value}))

    def test_37_missing_properties(self):
        for name in ("id", "type", "created", "modified", "pattern", "pattern_type", "valid_from"):
            made = stix.indicator()
            del made[name]
            with self.subTest(name=name):
                self.failed(made)

    def test_38_identifiers(self):
        for bad in ("indicator--", "malware--" + str(uuid.uuid4()), "indicator--not-a-uuid", "../../etc/passwd", "", "\x00",
                    "indicator--" + str(uuid.uuid4()) + "'; drop table records; --"):
            with self.subTest(bad=bad):
                self.failed(dict(stix.indicator(), id=bad))

    def test_39_timestamps(self):
        for bad in ("yesterday", "2024-01-01", "2024-02-30T00:00:00.000Z", "99999-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000+02:00",
                    "2024-01-01T25:00:00.000Z", "2024-01-01T00:00:00." + "1" * 100_000 + "Z", ""):
            with self.subTest(bad=bad[:30]):
                self.failed(dict(stix.indicator(), modified=bad))

    def test_40_patterns(self):
        for bad in ("", "[", "[" * 50_000, "(" * 50_000 + "[a:b = 1]" + ")" * 50_000, "[a:b = '" + "x" * 1_000_000,
                    "[a:b MATCHES '(a+)+$']" + " AND [a:b = 1]" * 20_000 + " AND", "[ipv4-addr:value = 1" + "\x00"):
            with self.subTest(bad=bad[:20], length=len(bad)):
                self.failed(stix.indicator(pattern=bad))

    def test_41_empty_lists_and_dictionaries(self):
        for name, value in (("labels", []), ("external_references", []), ("kill_chain_phases", []), ("extensions", {})):
            with self.subTest(name=name):
                self.failed(dict(stix.indicator(), **{name: value}))

    def test_42_selectors(self):
        marking = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
        for bad in ([], ["nothing_there"], ["labels.[99999999999999999999]"], ["a." * 100_000], ["description.[0]"]):
            with self.subTest(bad=str(bad)[:30]):
                self.failed(stix.indicator(granular_markings=[{"marking_ref": marking, "selectors": bad}]))

    def test_43_forged_tlp_marking(self):
        made = {"type": "marking-definition", "spec_version": "2.1", "id": stix.identifier("marking-definition"),
                "created": stix.instant(), "definition_type": "tlp", "name": "TLP:WHITE", "definition": {"tlp": "white"}}
        self.failed(made)

    def test_44_marking_that_marks_itself(self):
        made = stix.statement_marking()
        self.failed(dict(made, object_marking_refs=[made["id"]]))

    def test_45_conflicting_content_under_one_version(self):
        made = stix.indicator()
        self.put(self.collection, [made])
        self.failed(dict(made, name="another content"), says="conflict|differ|other content|already")
        self.assertEqual(self.writer.get(self.path, {"match[id]": made["id"]}).objects, [made])

    def test_46_version_after_revocation(self):
        made = stix.indicator()
        self.put(self.collection, [made, stix.version_of(made, 60, revoked=True)])
        self.failed(stix.version_of(made, 120), says="revoked")

    def test_47_too_many_objects(self):
        body = b'{"objects":[' + b",".join([b"{}"] * 25_000) + b"]}"
        self.refused(body, 400, 413, 422)

    def test_48_hundred_thousand_references(self):
        made = stix.sdo("report", name="r", published=stix.instant(), object_refs=[stix.identifier("malware")] * 100_000)
        answer = self.writer.post(self.path, stix.envelope([made]))
        self.assertIn(answer.status, (202, 413, 422), answer)

    def test_49_one_bad_among_good(self):
        good = stix.indicators(3)
        bad = dict(stix.indicator(), pattern="[")
        status = self.writer.post(self.path, stix.envelope([good[0], bad, *good[1:]])).json()
        if self.subject.name == "comity":
            self.assertEqual((status["success_count"], status["failure_count"]), (3, 1))
            self.assertEqual(status["failures"][0]["id"], bad["id"])


class Compression(Hostile):
    def packed(self, body, coding, *statuses):
        return self.refused(body, *(statuses or (400, 413, 415, 422)), headers={"Content-Encoding": coding})

    def test_50_gzip_bomb(self):
        squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(squeezer.compress(b" " * (1 << 20)) for _ in range(1024)) + squeezer.flush()
        self.packed(bomb, "gzip", 413, 415)

    def test_51_gzip_in_gzip(self):
        inner = gzip.compress(b" " * (64 << 20))
        self.packed(gzip.compress(inner), "gzip, gzip")

    def test_52_zstd_bomb(self):
        self.packed(zstd_bomb(8192), "zstd", 413, 415)

    def test_53_truncated_gzip(self):
        self.packed(gzip.compress(json.dumps(stix.envelope([stix.indicator()])).encode())[:-20], "gzip")

    def test_54_plain_under_the_name_of_gzip(self):
        self.packed(json.dumps(stix.envelope([stix.indicator()])).encode(), "gzip")

    def test_55_garbage_under_the_name_of_zstd(self):
        self.packed(b"\x28\xb5\x2f\xfd" + b"\xff" * 1000, "zstd")

    def test_56_unknown_coding(self):
        self.packed(b"x" * 100, "br", 400, 415)

    def test_57_honest_gzip_and_zstd_are_taken(self):
        if self.subject.name != "comity":
            self.skipTest("no compressed requests")
        made = stix.indicator()
        body = gzip.compress(json.dumps(stix.envelope([made])).encode())
        answer = self.writer.request("POST", self.path, body=body, headers={"Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.json()["success_count"], 1)
