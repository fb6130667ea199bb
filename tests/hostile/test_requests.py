"""Hostile requests: framing, headers, paths, queries, slow and rude clients."""

import socket
import threading
import time

from support import stix

from .base import Hostile


class Framing(Hostile):
    def test_58_announced_ten_gigabytes(self):
        got = self.talk(self.head(b"POST", None, b"Content-Length: 10737418240") + b"{", timeout=10)
        self.assertRaw(got, 413, closed=False)

    def test_59_bad_content_length(self):
        for bad in (b"-1", b"abc", b"1 2", b"99999999999999999999999999", b"+5", b""):
            with self.subTest(bad=bad):
                self.assertRaw(self.talk(self.head(b"POST", None, b"Content-Length: " + bad) + b"{}"), 400, 411, 413)

    def test_60_two_content_lengths(self):
        got = self.talk(self.head(b"POST", None, b"Content-Length: 2", b"Content-Length: 30") + b"{}")
        self.assertRaw(got, 400)

    def test_61_length_and_chunks(self):
        """RFC 9112 section 6.1: refuse, or take the chunks and close; never leave the rest on the connection."""
        tail = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        head = self.head(b"POST", None, b"Content-Length: 4", b"Transfer-Encoding: chunked")
        got = self.talk(head + tail)
        self.assertRaw(got, 400, 411, 422)
        self.assertLessEqual(got.count(b"HTTP/1.1 "), 1, "the smuggled request was answered")

    def test_62_strange_transfer_encodings(self):
        for bad in (b"xchunked", b"chunked, identity", b"identity", b"gzip", b"chunked\x0b"):
            with self.subTest(bad=bad):
                got = self.talk(self.head(b"POST", None, b"Transfer-Encoding: " + bad) + b"0\r\n\r\n")
                self.assertRaw(got, 400, 411, 415, 422, 501)

    def test_63_bad_chunks(self):
        for bad in (b"FFFFFFFFFFFFFFFFFF\r\nx", b"-1\r\nx", b"zz\r\nx", b"5;" + b"a" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
                    b"2\r\n{}XX\r\n0\r\n\r\n"):
            with self.subTest(bad=bad[:12]):
                got = self.talk(self.head(b"POST", None, b"Transfer-Encoding: chunked") + bad)
                self.assertRaw(got, 400, 408, 413, 422)

    def test_64_many_tiny_chunks(self):
        body = b"".join(b"1\r\n \r\n" for _ in range(200_000)) + b"0\r\n\r\n"
        self.assertRaw(self.talk(self.head(b"POST", None, b"Transfer-Encoding: chunked") + body), 400, 422)

    def test_65_endless_chunked_body(self):
        wire = self.dial()
        wire.sendall(self.head(b"POST", None, b"Transfer-Encoding: chunked"))
        chunk, sent = b"100000\r\n" + b" " * (1 << 20) + b"\r\n", 0
        try:
            while sent < 256:
                wire.sendall(chunk)
                sent += 1
        except OSError:
            pass
        self.assertRaw(self.read(wire), 400, 413)
        self.assertLess(sent, 200, "the node read on beyond its limit")

    def test_66_body_shorter_than_announced(self):
        wire = self.dial()
        wire.sendall(self.head(b"POST", None, b"Content-Length: 1000") + b'{"objects":[')
        wire.shutdown(socket.SHUT_WR)
        self.assertRaw(self.read(wire), 400, 408, 422)

    def test_67_broken_header_lines(self):
        for bad in (b"X-Fold: a\r\n b", b"X-Space : a", b": none", b"X-Nul: a\x00b", b"X-Cr: a\rb", b"\xff\xfe: x", b"no colon"):
            with self.subTest(bad=bad):
                self.assertRaw(self.talk(self.head(b"GET", b"/taxii2/", bad)), 200, 400)

    def test_68_huge_headers(self):
        self.assertRaw(self.talk(self.head(b"GET", b"/taxii2/", b"X-Long: " + b"a" * 1_000_000)), 400, 413, 431)

    def test_69_many_headers(self):
        lines = [b"X-%d: y" % n for n in range(10_000)]
        self.assertRaw(self.talk(self.head(b"GET", b"/taxii2/", *lines)), 400, 413, 431)

    def test_70_huge_request_line(self):
        self.assertRaw(self.talk(self.head(b"GET", b"/" + b"a" * 1_000_000)), 400, 404, 414, 431)

    def test_71_no_host(self):
        self.assertRaw(self.talk(b"GET /taxii2/ HTTP/1.1\r\n\r\n"), 400, 401)

    def test_72_other_protocols(self):
        hello = bytes.fromhex("16030100a5010000a10303") + b"\x00" * 200
        for bad in (hello, b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x00" * 4096, b"SSH-2.0-x\r\n", b"\r\n" * 10_000,
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100):
            with self.subTest(bad=bad[:12]):
                got = self.talk(bad)
                if got.startswith(b"HTTP/1."):
                    self.assertIn(int(got.split(None, 2)[1]), (400, 401, 404, 414, 431, 505), got[:100])

    def test_73_methods(self):
        for method in (b"TRACE", b"CONNECT", b"OPTIONS", b"PUT", b"PATCH", b"GARBAGE", b"get"):
            with self.subTest(method=method):
                self.assertRaw(self.talk(self.head(method, b"/taxii2/")), 200, 204, 400, 401, 404, 405, 501)
        self.assertRaw(self.talk(self.head(b"GET", b"/taxii2/", b"Connection: Upgrade", b"Upgrade: websocket")), 200)

    def test_74_expect_continue_with_too_much(self):
        head = self.head(b"POST", None, b"Content-Length: 10737418240", b"Expect: 100-continue")
        self.assertRaw(self.talk(head, timeout=10), 413, 417, closed=False)

    def test_75_pipelined(self):
        got = self.talk(self.head(b"GET", b"/taxii2/") * 50)
        self.assertEqual(got.count(b"HTTP/1.1 200"), 50)


class Paths(Hostile):
    def test_76_tricks(self):
        root = self.root.encode()
        for bad in (b"/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/taxii2/%2e%2e/%2e%2e/", b"/..%2f..%2fetc/passwd",
                    b"/..%5c..%5c", b"/%00", b"/taxii2/%00/", b"/%ff/", b"/./taxii2/.", root + b"collections/../../",
                    root + b"collections/%2e%2e/%2e%2e/%2e%2e/etc/passwd/", root + b"status/..%2f..%2f/", b"/%", b"/%zz/",
                    b"/" + b"%2e%2e%2f" * 1000, root + b"collections/" + b"a" * 20_000 + b"/objects/"):
            with self.subTest(bad=bad[:40]):
                got = self.talk(self.head(b"GET", bad))
                self.assertRaw(got, 301, 308, 400, 401, 404, 414)
                self.assertNotIn(b"root:x:", got)
        # slashes of a base and a path put together are one: the same resource, and nothing else
        self.assertRaw(self.talk(self.head(b"GET", b"//taxii2//")), 200, 301, 308, 400, 404)

    def test_77_identifiers_in_the_path(self):
        for bad in ("'", '"', "%27%20or%201=1", "%00", "indicator--" + "9" * 5000, "%F0%9F%A6%80", "a%2Fb", "%2e%2e", "..", "-"):
            for place in (self.of(self.collection, "objects", bad), self.of(bad, "objects"), f"{self.root}status/{bad}/"):
                with self.subTest(place=place[:80]):
                    self.assertIn(self.writer.get(place).status, (301, 308, 400, 404, 414))

    def test_78_absolute_and_asterisk_targets(self):
        for target, method in ((b"http://localhost/taxii2/", b"GET"), (b"*", b"OPTIONS"), (b"example.com:80", b"CONNECT")):
            with self.subTest(target=target):
                self.assertRaw(self.talk(self.head(method, target)), 200, 204, 400, 401, 404, 405, 501)


class Queries(Hostile):
    def test_79_long_query(self):
        answer = self.writer.get(self.path, "x=" + "a" * 200_000)
        self.assertIn(answer.status, (400, 414, 431), answer)

    def test_80_many_parameters(self):
        answer = self.writer.get(self.path, "&".join(f"a{n}=1" for n in range(5_000)))
        self.assertIn(answer.status, (200, 400, 414), answer)

    def test_81_many_values(self):
        answer = self.writer.get(self.path, "match[id]=" + ",".join([stix.identifier("indicator")] * 1_200))
        self.assertIn(answer.status, (200, 400, 414), answer)

    def test_82_odd_values(self):
        for bad in ("limit=999999999999999999999999999999", "limit=%00", "limit=1%00", "next=%FF%FE", "added_after=%00",
                    "match[type]=%27%20or%201=1", "match[version]=%00", "match[id]=%FF", "%FF=%FF", "&&&&=&=&", "match[id]=,,,,",
                    "match[]=x", "match[id=x", "limit=1;limit=2", "%6cimit=0"):
            with self.subTest(bad=bad):
                answer = self.writer.get(self.path, bad)
                self.assertIn(answer.status, (200, 400), answer)
                if answer.status == 400:
                    self.assertError(answer, 400)

    def test_83_authorization(self):
        for bad in ("Basic", "Basic ", "Basic =", "Basic Og==", "Basic " + "A" * 20_000, "Bearer", "Bearer " + "x" * 20_000,
                    "basic\t", "Negotiate abc", "Basic d3JpdGVy", "Basic AAAA/w=="):
            with self.subTest(bad=bad[:20]):
                answer = self.subject.client(None).intruder(bad).get(self.path)
                self.assertIn(answer.status, (400, 401, 403, 431), answer)

    def test_84_password_guessing_is_slowed(self):
        if self.subject.name != "comity":
            self.skipTest("no lockout")
        from support.taxii import basic

        guesser = self.subject.client(None).intruder(None)
        statuses = [guesser.get(self.root, headers={"Authorization": basic("writer", f"guess {n}")}).status for n in range(20)]
        self.assertIn(429, statuses, statuses)
        self.assertTrue(set(statuses) <= {401, 429}, statuses)
        self.assertEqual(self.writer.get(self.root).status, 200, "another source is not locked out")


class Slow(Hostile):
    """Bounded in time: each waits at most a little longer than the node's own limits (10 s header, 60 s body)."""

    def test_85_slow_headers(self):
        wires = [self.dial() for _ in range(40)]
        began, closed = time.monotonic(), 0
        for wire in wires:
            wire.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\n")
        while wires and time.monotonic() - began < 25:
            for wire in list(wires):
                try:
                    wire.sendall(b"X: y\r\n")
                    wire.settimeout(0.001)
                    if wire.recv(1024) is not None:
                        raise ConnectionError
                except TimeoutError:
                    continue
                except OSError:
                    wires.remove(wire)
                    closed += 1
            time.sleep(1)
        self.assertEqual(closed, 40, f"{len(wires)} slow connections live on after 25 s")

    def test_86_slow_bodies_do_not_hold_others_up(self):
        wires = [self.dial() for _ in range(60)]
        for wire in wires:
            wire.sendall(self.head(b"POST", None, b"Content-Length: 1000000") + b'{"objects":[')
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(self.writer.get("/taxii2/").status, 200)
            self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(self.writer.post(self.path, stix.envelope([stix.indicator()])).status, 202)

    def test_87_idle_connections(self):
        """Who says nothing, or never says all of which version it speaks, or speaks HTTP/2 and asks for nothing, keeps no place."""
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        settings = b"\0\0\0\4\0\0\0\0\0"
        kinds = {b"": 30, preface[:16]: 30, b"GET / HTTP/1.1\r\n": 30, preface + settings: 90}
        wires = []
        for said in kinds:
            for _ in range(40):
                wire = self.dial()
                wire.sendall(said)
                wires.append((said, wire))
        self.assertEqual(self.writer.get("/taxii2/").status, 200)
        began = time.monotonic()
        for said, wire in wires:
            wire.settimeout(max(1, kinds[said] - (time.monotonic() - began)))
            with self.subTest(said=said):
                while True:
                    try:
                        if not wire.recv(4096):
                            break
                    except ConnectionError:
                        break
        del wires

    def test_88_readers_who_do_not_read(self):
        collection, _ = self.filled(60)
        self.put(collection, stix.indicators(200, description="x" * 20_000))
        wires = [self.dial() for _ in range(30)]
        for wire in wires:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.sendall(self.head(b"GET", self.objects(collection).encode()))
        time.sleep(1)
        self.assertEqual(self.writer.get("/taxii2/").status, 200)

    def test_89_clients_who_leave_in_the_middle(self):
        collection, _ = self.filled(100)

        def leave(n):
            wire = socket.create_connection(self.address(), 5)
            wire.sendall(self.head(b"GET", self.objects(collection).encode())[: None if n % 2 else 60])
            if n % 3:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            wire.close()

        threads = [threading.Thread(target=leave, args=(n,)) for n in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
