//! What goes over the control socket: one JSON value a line, both ways.
//!
//! ```text
//! caller: {"request":{"actor":"olena@ua","command":{..},"items":true}}  {"item":{..}}*  "end"
//! node:   ({"row":{..}} | {"text":".."} | {"progress":{..}})*           {"done":{..}} | {"failed":{..}}
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Command, ControlError};

/// Longest line either side takes: the largest object in base64, with its places.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// From the caller.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    /// The first line.
    Request {
        /// Who acts.
        actor: String,
        /// What.
        command: Box<Command>,
        /// Whether items and an end follow.
        items: bool,
    },
    /// One object.
    Item(Item),
    /// No more objects.
    End,
}

/// From the node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tell {
    /// A row of results.
    Row(Value),
    /// A piece of text of the result.
    Text(String),
    /// Where it stands.
    Progress {
        /// What is being done.
        stage: String,
        /// So much is done.
        done: u64,
        /// Of so much; 0 if not known.
        total: u64,
    },
    /// The end, and the answer.
    Done(Value),
    /// The end, and why.
    Failed(ControlError),
}

/// One object that comes with a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which input of the caller it comes from.
    pub input: u32,
    /// Octets of that input before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at, from 1.
    pub column: u32,
    /// Which object of its input it is, from 0.
    pub index: usize,
    /// JSON pointer to it, for example `/objects/3`; empty when it is the whole input.
    #[serde(default)]
    pub pointer: String,
    /// What its input says beside it about its handling: a line of `x_comity_handling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling: Option<String>,
    /// Its own text.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD
        .decode(text.as_bytes())
        .map_err(serde::de::Error::custom)
}

/// Writes one line.
pub(super) fn write(
    stream: &mut impl std::io::Write,
    value: &impl Serialize,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads one line; `None` at the end.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    stream: &mut impl std::io::BufRead,
) -> std::io::Result<Option<T>> {
    use std::io::{BufRead as _, Read as _};
    let mut line = Vec::new();
    let length = stream.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if length == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "a line is cut short or longer than accepted",
        ));
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_survives_the_way() {
        let item = Item {
            input: 1,
            offset: 2,
            line: 3,
            column: 4,
            index: 5,
            pointer: "/objects/5".to_owned(),
            handling: Some("{}".to_owned()),
            bytes: b"{\n\xff}".to_vec(),
        };
        let mut line = Vec::new();
        write(&mut line, &Ask::Item(item.clone())).unwrap();
        let back: Option<Ask> = read(&mut line.as_slice()).unwrap();
        assert!(matches!(back, Some(Ask::Item(same)) if same == item));
    }

    #[test]
    fn a_cut_line_is_an_error_and_the_end_is_none() {
        assert!(read::<Ask>(&mut b"{\"item\"".as_slice()).is_err());
        assert!(read::<Ask>(&mut b"".as_slice()).unwrap().is_none());
    }
}
