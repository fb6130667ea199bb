"""A small HTTP client: one keep-alive connection, every header and byte visible to the test.

Python's standard library only, so that an auditor can read what was sent without another project's code in between.
"""

import base64
import http.client
import itertools
import json
import ssl
from urllib.parse import urlencode, urlsplit

MEDIA = "application/taxii+json;version=2.1"
_sources = itertools.count()


def basic(user, password):
    """The value of `Authorization` for HTTP Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return self.headers.get(name)

    @property
    def objects(self):
        return self.json().get("objects", [])

    @property
    def ids(self):
        return [o["id"] for o in self.objects]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """Requests as one principal. `authorization` None sends no credentials."""

    def __init__(self, base, authorization=None, context=None, timeout=60, source=None):
        self.base, self.authorization, self.context, self.timeout = base, authorization, context, timeout
        self.source = (source, 0) if source else None
        self._connection = None

    def as_(self, authorization):
        return Client(self.base, authorization, self.context, self.timeout)

    def intruder(self, authorization):
        """The same from an address of its own: a server may lock out a source after failed log-ins."""
        n = next(_sources)
        return Client(self.base, authorization, self.context, self.timeout, f"127.7.{n // 250}.{n % 250 + 1}")

    def _connect(self):
        parts = urlsplit(self.base)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.timeout, source_address=self.source,
                context=self.context or trusting())
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout, source_address=self.source)

    def request(self, method, path, query=None, body=None, headers=None, accept=MEDIA, content_type=MEDIA):
        """`query`: mapping, list of pairs or raw text. A header given as None is left out."""
        if path.startswith("http"):
            parts = urlsplit(path)
            path = parts.path + ("?" + parts.query if parts.query else "")
        if query:
            path += "?" + (query if isinstance(query, str) else urlencode(query, safe="[]:,-"))
        sent = {"Accept": accept, "Authorization": self.authorization, "User-Agent": "comity-tests"}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = content_type
        sent.update(headers or {})
        sent = {k: v for k, v in sent.items() if v is not None}
        for attempt in (1, 2):
            fresh = self._connection is None
            if fresh:
                self._connection = self._connect()
            try:
                self._connection.putrequest(method, path, skip_accept_encoding=True)
                for name, value in sent.items():
                    self._connection.putheader(name, value)
                if body is not None:
                    self._connection.putheader("Content-Length", str(len(body)))
                self._connection.endheaders(body)
                response = self._connection.getresponse()
                answer = Answer(response.status, response.headers, response.read())
                if response.will_close:
                    self.close()
                return answer
            except (http.client.HTTPException, OSError):
                self.close()
                # a server may close an idle connection; only then is a second try honest
                if fresh or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def get(self, path, query=None, **kw):
        return self.request("GET", path, query, **kw)

    def post(self, path, body, **kw):
        return self.request("POST", path, body=body, **kw)

    def delete(self, path, query=None, **kw):
        return self.request("DELETE", path, query, **kw)

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def trusting(certificate=None, key=None):
    """A TLS context that takes any server certificate: the subject's is made for the test."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
