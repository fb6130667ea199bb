//! `seal/case.jsonld`: the same for tools that read CASE/UCO (<https://caseontology.org>, checked with `case_validate`).
//!
//! Exhibits become provenance records with their exhibit number, items become files with their SHA-256, custody events
//! become investigative actions. Nothing in a package rests on this file; it is sealed like the others.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Name;
use crate::custody::Event;
use crate::{Exhibit, Hex, Item, Time, sha256};

const CONTEXT: &str = r#"{"@context":{"case-investigation":"https://ontology.caseontology.org/case/investigation/","kb":"http://example.org/kb/","uco-action":"https://ontology.unifiedcyberontology.org/uco/action/","uco-core":"https://ontology.unifiedcyberontology.org/uco/core/","uco-identity":"https://ontology.unifiedcyberontology.org/uco/identity/","uco-location":"https://ontology.unifiedcyberontology.org/uco/location/","uco-observable":"https://ontology.unifiedcyberontology.org/uco/observable/","uco-tool":"https://ontology.unifiedcyberontology.org/uco/tool/","uco-types":"https://ontology.unifiedcyberontology.org/uco/types/","xsd":"http://www.w3.org/2001/XMLSchema#"},"@graph":["#;

/// Collects the nodes of the graph.
#[derive(Debug, Default)]
pub struct Case {
    nodes: String,
    /// Persons, organisations, places and tools that are there already.
    known: BTreeSet<String>,
    /// References to the current exhibit's files.
    files: String,
    /// References to everything in the investigation.
    members: String,
}

impl Case {
    /// A file of the exhibit that is being added.
    pub fn item(&mut self, exhibit: &Exhibit, item: &Item, path: Name) {
        let id = node_id("file", &format!("{}/{}", exhibit.id, item.number));
        let facet = node_id("file-facet", &id);
        let data = node_id("content-data-facet", &id);
        let hash = node_id("hash", &id);
        let media_type = match &item.media_type {
            Some(media_type) => format!(r#","uco-observable:mimeType":{}"#, string(media_type)),
            None => String::new(),
        };
        let modified = match item.modified {
            Some(time) => format!(r#","uco-observable:modifiedTime":{}"#, date_time(time)),
            None => String::new(),
        };
        self.node(&format!(
            r#"{{"@id":"{id}","@type":"uco-observable:File","uco-core:description":{},"uco-core:hasFacet":[{{"@id":"{facet}","@type":"uco-observable:FileFacet","uco-observable:fileName":{}{modified},"uco-observable:sizeInBytes":{{"@type":"xsd:integer","@value":"{}"}}}},{{"@id":"{data}","@type":"uco-observable:ContentDataFacet"{media_type},"uco-observable:hash":{{"@id":"{hash}","@type":"uco-types:Hash","uco-types:hashMethod":"SHA256","uco-types:hashValue":{{"@type":"xsd:hexBinary","@value":"{}"}}}}}}]}}"#,
            string(&path.to_string()),
            string(item.name.as_str()),
            item.size,
            Hex(&item.sha256),
        ));
        push_reference(&mut self.files, &id);
    }

    /// An event of an exhibit.
    pub fn event(&mut self, event: &Event) {
        let fields = event.fields();
        let person = self.person(&fields.actor.name, &fields.actor.authority);
        let place = node_id("location", &fields.place);
        self.once(&place, || {
            format!(
                r#"{{"@id":"{place}","@type":"uco-location:Location","uco-core:name":{}}}"#,
                string(&fields.place)
            )
        });
        let tool_name = format!("{} {}", fields.tool.name, fields.tool.version);
        let tool = node_id("tool", &tool_name);
        self.once(&tool, || {
            format!(
                r#"{{"@id":"{tool}","@type":"uco-tool:Tool","uco-core:name":{},"uco-tool:version":{}}}"#,
                string(&fields.tool.name),
                string(&fields.tool.version)
            )
        });
        let action = format!("kb:investigative-action-{}", fields.id);
        let record = node_id("provenance-record", fields.exhibit.as_str());
        let description = format!(
            "basis: {}; handling: {}; items_sha256: {}; event: {}",
            fields.basis,
            fields.handling,
            Hex(&fields.items_sha256),
            Hex(event.hash())
        );
        let time = date_time(fields.time);
        let mut node = format!(
            r#"{{"@id":"{action}","@type":"case-investigation:InvestigativeAction","uco-action:endTime":{time},"uco-action:instrument":{{"@id":"{tool}"}},"uco-action:location":{{"@id":"{place}"}},"uco-action:object":{{"@id":"{record}"}},"uco-action:performer":{{"@id":"{person}"}},"#
        );
        if let Some(counterparty) = &fields.counterparty {
            let other = self.organization(counterparty);
            let _fits = write!(node, r#""uco-action:participant":{{"@id":"{other}"}},"#);
        }
        let _fits = write!(
            node,
            r#""uco-action:result":{{"@id":"{record}"}},"uco-action:startTime":{time},"uco-core:description":{},"uco-core:name":"{}"}}"#,
            string(&description),
            fields.kind
        );
        self.node(&node);
        push_reference(&mut self.members, &action);
    }

    /// The exhibit itself, after its items.
    pub fn exhibit(&mut self, exhibit: &Exhibit) {
        let id = node_id("provenance-record", exhibit.id.as_str());
        let files = std::mem::take(&mut self.files);
        self.node(&format!(
            r#"{{"@id":"{id}","@type":"case-investigation:ProvenanceRecord","case-investigation:exhibitNumber":{},"uco-core:description":{},"uco-core:object":[{files}]}}"#,
            string(exhibit.number.as_str()),
            string(&exhibit.title),
        ));
        push_reference(&mut self.members, &id);
    }

    /// The whole file.
    #[must_use]
    pub fn finish(mut self, parties: &[String], created: Time) -> String {
        let id = node_id("investigation", &format!("{parties:?} {created}"));
        let name = format!("Package of evidence between {}", parties.join(", "));
        let members = std::mem::take(&mut self.members);
        self.node(&format!(
            r#"{{"@id":"{id}","@type":"case-investigation:Investigation","uco-core:name":{},"uco-core:object":[{members}],"uco-core:objectCreatedTime":{}}}"#,
            string(&name),
            date_time(created),
        ));
        format!("{CONTEXT}{}]}}\n", self.nodes)
    }

    fn person(&mut self, name: &str, authority: &str) -> String {
        self.organization(authority);
        let id = node_id("person", name);
        let facet = node_id("simple-name-facet", &id);
        self.once(&id, || {
            format!(
                r#"{{"@id":"{id}","@type":"uco-identity:Person","uco-core:hasFacet":{{"@id":"{facet}","@type":"uco-identity:SimpleNameFacet","uco-identity:familyName":{}}},"uco-core:name":{}}}"#,
                string(name),
                string(name)
            )
        });
        id
    }

    fn organization(&mut self, name: &str) -> String {
        let id = node_id("organization", name);
        self.once(&id, || {
            format!(
                r#"{{"@id":"{id}","@type":"uco-identity:Organization","uco-core:name":{}}}"#,
                string(name)
            )
        });
        id
    }

    fn once(&mut self, id: &str, node: impl FnOnce() -> String) {
        if self.known.insert(id.to_owned()) {
            let node = node();
            self.node(&node);
        }
    }

    fn node(&mut self, node: &str) {
        if !self.nodes.is_empty() {
            self.nodes.push_str(",\n");
        }
        self.nodes.push_str(node);
    }
}

fn push_reference(list: &mut String, id: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    let _fits = write!(list, r#"{{"@id":"{id}"}}"#);
}

/// `kb:file-<uuid>`: the UUID follows from what the node is about, so that one package gives one file. Written as version 5,
/// since UCO's shapes know none above; RFC 9562 section 5.5 would have it made with SHA-1.
fn node_id(kind: &str, of: &str) -> String {
    let digest = sha256(format!("comity-case/v1 {kind} {of}").as_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0f | 0x50;
    *variant = *variant & 0x3f | 0x80;
    let hex = Hex(&bytes).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "kb:{kind}-{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

fn string(text: &str) -> String {
    crate::json::Value::from(text).to_string()
}

fn date_time(time: Time) -> String {
    format!(r#"{{"@type":"xsd:dateTime","@value":"{time}"}}"#)
}
