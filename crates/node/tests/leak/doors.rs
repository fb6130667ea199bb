//! Every door of the node, asked as every account.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use comity_node::http::connection::Connection;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::judge::{Filter, Sight};
use super::world::{HOLDER, World};

const TAXII: &str = "application/taxii+json;version=2.1";

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

#[derive(serde::Deserialize)]
struct Envelope {
    #[serde(default)]
    objects: Vec<Box<RawValue>>,
    #[serde(default)]
    more: bool,
    next: Option<String>,
    #[serde(default)]
    x_comity_handling: Vec<Value>,
}

#[derive(serde::Deserialize)]
struct Key {
    id: String,
    modified: Option<String>,
    version: Option<String>,
}

const NO_VERSION: &str = comity_node::intake::STABLE_TEXT;

impl World {
    /// Asks every door as every account; gives the number of (reader, record) pairs decided.
    pub(super) fn ask_everything(&self) -> u64 {
        for asker in 0..self.askers.len() {
            self.public_doors(asker);
            for place in 0..self.collections.len() {
                self.shelf(asker, place);
            }
            self.single_objects(asker);
            self.searches(asker);
            self.deletions(asker);
        }
        self.control();
        self.handing_over();
        (self.askers.len() * self.records.len()) as u64
    }

    /// One request with a bearer token.
    pub(super) fn ask(
        &self,
        asker: usize,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
    ) -> Answer {
        self.send(asker, method, path, extra, Vec::new())
    }

    /// One envelope for a collection.
    pub(super) fn post(&self, asker: usize, alias: &str, objects: &[Value]) -> Answer {
        let path = format!("/ua/collections/{alias}/objects/");
        let body = serde_json::to_vec(&serde_json::json!({ "objects": objects })).unwrap();
        self.send(asker, "POST", &path, &[("content-type", TAXII)], body)
    }

    fn send(
        &self,
        asker: usize,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "node.example")
            .header(
                "accept",
                if path.starts_with("/api") {
                    "*/*"
                } else {
                    TAXII
                },
            )
            .header(
                "authorization",
                format!("Bearer {}", self.askers[asker].token),
            );
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let connection = Arc::new(Connection {
            address: SocketAddr::from(([192, 0, 2, 1], 1)),
            tls: true,
            certificate: None,
        });
        let request = request.body(Body::from(body)).unwrap();
        self.runtime.block_on(async {
            let response = match self.front.answer(connection, request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, body) = response.into_parts();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await.unwrap().to_bytes().to_vec(),
            }
        })
    }

    /// The list of collections names those a grant names, and no others.
    fn list_of_collections(&self, asker: usize) {
        let answer = self.ask(asker, "GET", "/ua/collections/", &[]);
        let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut got: Vec<&str> = list["collections"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|collection| collection["alias"].as_str().unwrap())
            .collect();
        got.sort_unstable();
        let mut expected: Vec<&str> = self.askers[asker]
            .named
            .iter()
            .map(|place| self.collections[*place].0.as_str())
            .collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(got, expected, "{:?}", self.askers[asker].who);
    }

    /// What nobody's records belong in.
    fn public_doors(&self, asker: usize) {
        self.list_of_collections(asker);
        let size = self.app.store.head().unwrap().size;
        let width = size % 256;
        for path in [
            "/".to_owned(),
            "/healthz".to_owned(),
            "/metrics".to_owned(),
            "/api/v1/card".to_owned(),
            "/api/v1/openapi.json".to_owned(),
            "/taxii2/".to_owned(),
            "/ua/".to_owned(),
            "/ua/collections/".to_owned(),
            "/api/v1/receipts".to_owned(),
            "/api/v1/receipts?after=0".to_owned(),
            "/api/v1/log/checkpoint".to_owned(),
            "/api/v1/log/tile/0/000".to_owned(),
            "/api/v1/log/tile/entries/000".to_owned(),
            format!("/api/v1/log/tile/0/000.p/{width}"),
            format!("/api/v1/log/tile/entries/000.p/{width}"),
        ] {
            let answer = self.ask(asker, "GET", &path, &[]);
            self.scan_for_any(&path, asker, &answer.body);
        }
    }

    pub(super) fn reads(&self, asker: usize, place: usize) -> bool {
        self.askers[asker]
            .who
            .reads
            .contains(&self.collections[place].0)
    }

    fn shelf(&self, asker: usize, place: usize) {
        let base = format!("/ua/collections/{}", self.collections[place].0);
        if !self.reads(asker, place) {
            let expected: &[u16] = if self.askers[asker].named.contains(&place) {
                &[403, 404]
            } else {
                &[404]
            };
            let search = format!(
                "/api/v1/records?id=tool--&collection={}",
                self.collections[place].0
            );
            for path in [
                format!("{base}/objects/"),
                format!("{base}/manifest/"),
                search,
            ] {
                let answer = self.ask(asker, "GET", &path, &[]);
                assert!(
                    expected.contains(&answer.status),
                    "{path} gives {} to {:?}",
                    answer.status,
                    self.askers[asker].who
                );
                self.scan_for_any(&path, asker, &answer.body);
            }
            return;
        }
        let count = self.records.len();
        let some = |most: usize| 1 + self.random.below(most);
        // the same for every account, so that one meets the pages kept for another
        let turn = usize::try_from(self.seed).unwrap() + place;
        let (small, large) = (1 + turn % 7, 1 + turn * 13 % count);
        self.objects(asker, place, &Filter::default(), large, Step::Next);
        let all = Filter {
            version: Some("all".to_owned()),
            ..Filter::default()
        };
        self.objects(asker, place, &all, small, Step::AddedAfter);
        self.objects(asker, place, &all, count, Step::Sidecar);
        self.manifest(asker, place, &all, some(count));
        let any = &self.records[self.random.below(count)];
        let filters = [
            ("first", None, None),
            ("first,last", None, None),
            (any.version.as_str(), None, None),
            ("last", Some(any.kind), None),
            ("all", None, Some(any.id.clone())),
        ];
        let (version, kind, id) = filters[self.random.below(filters.len())].clone();
        let filter = Filter {
            version: Some(version.to_owned()),
            kind,
            id,
        };
        self.objects(asker, place, &filter, some(count), Step::Next);
        self.manifest(asker, place, &filter, some(count));
    }

    fn objects(&self, asker: usize, place: usize, filter: &Filter, limit: usize, step: Step) {
        let base = format!("/ua/collections/{}/objects/", self.collections[place].0);
        let extra: &[_] = if step == Step::Sidecar {
            &[("comity-handling", "1")]
        } else {
            &[]
        };
        let mut got = Vec::new();
        let mut position = String::new();
        for _ in 0..self.records.len() + 2 {
            let path = format!("{base}?limit={limit}{}{position}", query(filter));
            let answer = self.ask(asker, "GET", &path, extra);
            assert_eq!(answer.status, 200, "{path}");
            self.scan(&path, asker, Some(place), &answer.body);
            self.scan_headers(&path, asker, &answer);
            let page: Envelope = serde_json::from_slice(&answer.body).unwrap();
            assert!(page.objects.len() <= limit, "{path}");
            let from = got.len();
            for object in &page.objects {
                let record = self.index(object.get());
                self.check_object(&path, asker, record, Some(place), object.get());
                got.push(record);
            }
            let asked = step == Step::Sidecar;
            self.sidecar(
                &path,
                asker,
                place,
                (asked, &got[from..]),
                &page.x_comity_handling,
            );
            self.full(&path, &page, limit);
            if !page.more {
                break;
            }
            let next = match step {
                Step::AddedAfter => {
                    let last = answer.headers["x-taxii-date-added-last"].to_str().unwrap();
                    format!("&added_after={last}")
                }
                _ => format!("&next={}", page.next.unwrap()),
            };
            assert_ne!(next, position, "{path} stands still");
            position = next;
        }
        self.same(asker, place, filter, &base, &got, step == Step::Sidecar);
    }

    fn manifest(&self, asker: usize, place: usize, filter: &Filter, limit: usize) {
        let base = format!("/ua/collections/{}/manifest/", self.collections[place].0);
        let mut got = Vec::new();
        let mut position = String::new();
        for _ in 0..self.records.len() + 2 {
            let path = format!("{base}?limit={limit}{}{position}", query(filter));
            let answer = self.ask(asker, "GET", &path, &[]);
            assert_eq!(answer.status, 200, "{path}");
            self.scan_for_any(&path, asker, &answer.body);
            let page: Envelope = serde_json::from_slice(&answer.body).unwrap();
            got.extend(page.objects.iter().map(|line| self.index(line.get())));
            self.full(&path, &page, limit);
            if !page.more {
                break;
            }
            position = format!("&next={}", page.next.unwrap());
        }
        self.same(asker, place, filter, &base, &got, false);
    }

    /// A page after which more comes has no gap, and something does come: else its length or its `more` would tell of what is
    /// withheld.
    fn full(&self, door: &str, page: &Envelope, limit: usize) {
        if page.more {
            assert_eq!(page.objects.len(), limit, "{door} has a gap");
        }
        assert!(
            !page.objects.is_empty() || (!page.more && !door.contains("next=")),
            "{door} follows a page that said `more`, and is empty"
        );
    }

    /// Labels go to peers only, for what is on the page only, and the salt only with whole records.
    fn sidecar(
        &self,
        door: &str,
        asker: usize,
        place: usize,
        (asked, got): (bool, &[usize]),
        items: &[Value],
    ) {
        if self.askers[asker].who.role != "peer" {
            assert!(
                items.is_empty(),
                "{door}: labels for {:?}",
                self.askers[asker].who
            );
            return;
        }
        assert_eq!(
            items.len(),
            if asked && self.askers[asker].who.party != HOLDER {
                got.len()
            } else {
                0
            },
            "{door}: each object has its label when asked for, and only then"
        );
        for item in items {
            let text = |name: &str| item[name].as_str().unwrap_or_default();
            let record = self.find(text("id"), text("version")).unwrap();
            assert!(
                got.contains(&record),
                "{door}: a label of what is not there"
            );
            let whole = self.sight(asker, record, Some(place)) == Sight::Shown(Vec::new());
            let marked = self.records[record]
                .fields
                .iter()
                .any(|field| field.tlp.is_some());
            let salted = !text("salt").is_empty();
            assert!(
                (whole || !salted) && (marked || salted),
                "{door}: salt\n{}",
                self.case(asker, record, Some(place))
            );
        }
    }

    fn scan_headers(&self, door: &str, asker: usize, answer: &Answer) {
        for value in answer.headers.values() {
            self.scan_for_any(door, asker, value.as_bytes());
        }
    }

    fn index(&self, text: &str) -> usize {
        let key: Key = serde_json::from_str(text).unwrap();
        let version = key.version.or(key.modified);
        self.find(&key.id, version.as_deref().unwrap_or(NO_VERSION))
            .unwrap()
    }

    /// Each record at one of the doors for single records, in one of the collections, drawn at random.
    fn single_objects(&self, asker: usize) {
        for record in 0..self.records.len() {
            let place = self.random.below(self.collections.len());
            match self.random.below(6) {
                5 => self.sent(asker, record),
                0 => self.object(asker, record, place),
                1 => self.versions(asker, record, place),
                2 => self.record(asker, record, Some(place)),
                3 => self.record(asker, record, None),
                _ => self.proof(asker, record, place),
            }
        }
    }

    fn object(&self, asker: usize, record: usize, place: usize) {
        let rec = &self.records[record];
        let base = format!(
            "/ua/collections/{}/objects/{}/",
            self.collections[place].0, rec.id
        );
        let path = format!("{base}?match[version]={}", rec.version);
        let answer = self.ask(asker, "GET", &path, &[]);
        self.scan(&path, asker, Some(place), &answer.body);
        let any = self.told(asker, place, &all_of(&rec.id), false);
        if any.is_empty() || !self.reads(asker, place) {
            assert!(
                [403, 404].contains(&answer.status),
                "{path} {}",
                answer.status
            );
            return;
        }
        assert_eq!(answer.status, 200, "{path}");
        let page: Envelope = serde_json::from_slice(&answer.body).unwrap();
        let got: Vec<_> = page
            .objects
            .iter()
            .map(|object| self.index(object.get()))
            .collect();
        let expected: Vec<_> = any.into_iter().filter(|index| *index == record).collect();
        assert_eq!(
            got,
            expected,
            "{path}\n{}",
            self.case(asker, record, Some(place))
        );
        for object in &page.objects {
            self.check_object(&path, asker, record, Some(place), object.get());
        }
    }

    fn versions(&self, asker: usize, record: usize, place: usize) {
        let rec = &self.records[record];
        let path = format!(
            "/ua/collections/{}/objects/{}/versions/",
            self.collections[place].0, rec.id
        );
        let answer = self.ask(asker, "GET", &path, &[]);
        self.scan_for_any(&path, asker, &answer.body);
        let expected: Vec<_> = self
            .told(asker, place, &all_of(&rec.id), false)
            .into_iter()
            .map(|index| Value::from(self.records[index].version.clone()))
            .collect();
        if expected.is_empty() || !self.reads(asker, place) {
            assert!(
                [403, 404].contains(&answer.status),
                "{path} {}",
                answer.status
            );
            return;
        }
        let got: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            got["versions"],
            Value::from(expected),
            "{path}\n{}",
            self.case(asker, record, Some(place))
        );
    }

    pub(super) fn api(&self, record: usize, place: Option<usize>, tail: &str) -> String {
        let rec = &self.records[record];
        let collection = place.map_or_else(String::new, |place| {
            format!("&collection={}", self.collections[place].0)
        });
        format!(
            "/api/v1/records/{}{tail}?version={}{collection}",
            rec.id, rec.version
        )
    }

    fn record(&self, asker: usize, record: usize, place: Option<usize>) {
        let path = self.api(record, place, "");
        let answer = self.ask(asker, "GET", &path, &[]);
        self.scan(&path, asker, place, &answer.body);
        let Sight::Shown(hidden) = self.sight(asker, record, place) else {
            assert!(
                [403, 404].contains(&answer.status),
                "{path} {}",
                answer.status
            );
            return;
        };
        assert_eq!(
            answer.status,
            200,
            "{path}\n{}",
            self.case(asker, record, place)
        );
        let view: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(view["redacted"], !hidden.is_empty(), "{path}");
        assert_eq!(
            view["content_sha256"].is_null(),
            !hidden.is_empty(),
            "{path}"
        );
        self.check_object(&path, asker, record, place, &view["object"].to_string());
    }

    fn proof(&self, asker: usize, record: usize, place: usize) {
        let path = self.api(record, Some(place), "/proof");
        let answer = self.ask(asker, "GET", &path, &[]);
        self.scan_for_any(&path, asker, &answer.body);
        let salt = self.salt(record);
        match self.sight(asker, record, Some(place)) {
            Sight::Shown(hidden) => {
                assert_eq!(
                    answer.status,
                    200,
                    "{path}\n{}",
                    self.case(asker, record, Some(place))
                );
                let extra = opening(&answer.body);
                let salted = extra.windows(32).any(|window| window == salt);
                assert_eq!(salted, hidden.is_empty(), "{path}: salt");
            }
            _ => assert!(
                [403, 404].contains(&answer.status),
                "{path} {}",
                answer.status
            ),
        }
    }

    pub(super) fn salt(&self, record: usize) -> [u8; 32] {
        let rec = &self.records[record];
        let everything = self.app.release.everything().unwrap();
        let at = comity_stix::timestamp::Timestamp::parse(&rec.version).unwrap();
        let which = comity_store::Which::Key(at.key().to_owned());
        self.app
            .store
            .get(&rec.id, &which, &everything)
            .unwrap()
            .unwrap()
            .salt
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Next,
    AddedAfter,
    Sidecar,
}

fn query(filter: &Filter) -> String {
    let mut text = String::from("&match[spec_version]=2.1");
    if let Some(id) = &filter.id {
        text += &format!("&match[id]={id}");
    }
    if let Some(kind) = filter.kind {
        text += &format!("&match[type]={kind}");
    }
    if let Some(version) = &filter.version {
        text += &format!("&match[version]={version}");
    }
    text
}

pub(super) fn all_of(id: &str) -> Filter {
    Filter {
        id: Some(id.to_owned()),
        version: Some("all".to_owned()),
        kind: None,
    }
}

/// The extra bytes of a C2SP tlog-proof: `extra <base64>`.
pub(super) fn opening(proof: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = std::str::from_utf8(proof).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("extra "))
        .and_then(|extra| base64::engine::general_purpose::STANDARD.decode(extra).ok())
        .unwrap_or_default()
}
