//! An event as canonical JSON, both ways.

use comity_ledger::note::VerifierKey;

use super::event::{Actor, Event, Fields, Output, Tool};
use crate::fields::Fields as Taken;
use crate::json::{Object, Value, parse};
use crate::{ExhibitId, Hex, Malformed};

impl Event {
    /// The event as a value, to stand in a line or in a record.
    #[must_use]
    pub fn to_value(&self) -> Value {
        value(self.fields())
    }

    /// The canonical bytes, as they are hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(parse(bytes)?)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn from_value(value: Value) -> Result<Self, Malformed> {
        let mut taken = Taken::of("the event", value)?;
        let fields = Fields {
            id: taken.string("id")?,
            exhibit: ExhibitId::parse(&taken.string("exhibit")?)?,
            kind: taken.string("kind")?.parse()?,
            actor: actor(taken.value("actor")?)?,
            on_behalf_of: taken.text_if_any("on_behalf_of")?,
            basis: taken.string("basis")?,
            place: taken.string("place")?,
            handling: taken.string("handling")?,
            time: taken.time("time")?,
            tool: tool(taken.value("tool")?)?,
            items: taken.integer("items")?,
            size: taken.integer("size")?,
            items_sha256: taken.hash("items_sha256")?,
            rehashed: taken.hash_if_any("rehashed")?,
            counterparty: taken.text_if_any("counterparty")?,
            outputs: taken
                .value_if_any("outputs")
                .map(outputs)
                .transpose()?
                .unwrap_or_default(),
            previous: taken.hash_if_any("previous")?,
            anomaly: taken.text_if_any("anomaly")?,
            reason: taken.text_if_any("reason")?,
        };
        taken.end()?;
        Self::new(fields)
    }
}

fn actor(value: Value) -> Result<Actor, Malformed> {
    let mut taken = Taken::of("`actor`", value)?;
    let actor = Actor {
        name: taken.string("name")?,
        authority: taken.string("authority")?,
        key: VerifierKey::parse(&taken.string("key")?)
            .map_err(|error| Malformed::field("key", format!("is no public key: {error}")))?,
    };
    taken.end()?;
    Ok(actor)
}

fn tool(value: Value) -> Result<Tool, Malformed> {
    let mut taken = Taken::of("`tool`", value)?;
    let tool = Tool {
        name: taken.string("name")?,
        version: taken.string("version")?,
        parameters: taken.string("parameters")?,
    };
    taken.end()?;
    Ok(tool)
}

fn outputs(value: Value) -> Result<Vec<Output>, Malformed> {
    let Value::Array(values) = value else {
        return Err(Malformed::field("outputs", "is no list"));
    };
    if values.is_empty() {
        // one spelling: an empty list is left out
        return Err(Malformed::field("outputs", "is empty"));
    }
    values
        .into_iter()
        .map(|value| {
            let mut taken = Taken::of("an output", value)?;
            let output = Output {
                exhibit: ExhibitId::parse(&taken.string("exhibit")?)?,
                items_sha256: taken.hash("items_sha256")?,
            };
            taken.end()?;
            Ok(output)
        })
        .collect()
}

pub(super) fn value(fields: &Fields) -> Value {
    let hex = |hash| Value::from(Hex(hash).to_string());
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("id", fields.id.as_str().into());
    put("exhibit", fields.exhibit.as_str().into());
    put("kind", fields.kind.word().into());
    put(
        "actor",
        strings(&[
            ("name", &fields.actor.name),
            ("authority", &fields.actor.authority),
            ("key", &fields.actor.key.to_string()),
        ]),
    );
    put("basis", fields.basis.as_str().into());
    put("place", fields.place.as_str().into());
    put("handling", fields.handling.as_str().into());
    put("time", fields.time.to_string().into());
    put(
        "tool",
        strings(&[
            ("name", &fields.tool.name),
            ("version", &fields.tool.version),
            ("parameters", &fields.tool.parameters),
        ]),
    );
    put("items", fields.items.into());
    put("size", fields.size.into());
    put("items_sha256", hex(&fields.items_sha256));
    for (name, hash) in [
        ("rehashed", &fields.rehashed),
        ("previous", &fields.previous),
    ] {
        if let Some(hash) = hash {
            put(name, hex(hash));
        }
    }
    for (name, text) in [
        ("on_behalf_of", &fields.on_behalf_of),
        ("counterparty", &fields.counterparty),
        ("anomaly", &fields.anomaly),
        ("reason", &fields.reason),
    ] {
        if let Some(text) = text {
            put(name, text.as_str().into());
        }
    }
    if !fields.outputs.is_empty() {
        put("outputs", fields.outputs.iter().map(output).collect());
    }
    Value::Object(object)
}

fn output(output: &Output) -> Value {
    strings(&[
        ("exhibit", output.exhibit.as_str()),
        ("items_sha256", &Hex(&output.items_sha256).to_string()),
    ])
}

fn strings(pairs: &[(&str, &str)]) -> Value {
    let object: Object = pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).into()))
        .collect();
    Value::Object(object)
}
