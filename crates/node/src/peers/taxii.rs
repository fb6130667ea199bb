//! The few TAXII 2.1 resources a client reads.

use serde::Deserialize;

use super::client::{Client, ClientError, TAXII};
use super::words;

/// A collection as the other side shows it (section 5.2.1). What is shown of it to people is cut and stripped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RemoteCollection {
    /// Its identifier.
    #[serde(deserialize_with = "words::short")]
    pub id: String,
    /// Its alias.
    #[serde(default, deserialize_with = "words::short_option")]
    pub alias: Option<String>,
    /// Its title.
    #[serde(default, deserialize_with = "words::short")]
    pub title: String,
    /// We may read.
    #[serde(default)]
    pub can_read: bool,
    /// We may add.
    #[serde(default)]
    pub can_write: bool,
}

/// The status resource (section 4.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RemoteStatus {
    /// Its identifier.
    #[serde(deserialize_with = "words::short")]
    pub id: String,
    /// `complete` or `pending`.
    #[serde(deserialize_with = "words::short")]
    pub status: String,
    /// Objects that were taken, where the server says.
    #[serde(default)]
    pub success_count: Option<u64>,
    /// Failed objects.
    #[serde(default)]
    pub failure_count: u64,
    /// Objects not decided yet.
    #[serde(default)]
    pub pending_count: u64,
    /// Objects that were taken by name; servers may leave them out.
    #[serde(default)]
    pub successes: Vec<StatusDetail>,
    /// Failed objects by name; servers may leave them out.
    #[serde(default)]
    pub failures: Vec<StatusDetail>,
    /// Undecided objects by name.
    #[serde(default)]
    pub pendings: Vec<StatusDetail>,
}

/// One object of a status (section 4.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatusDetail {
    /// The object.
    pub id: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// What the server says about it.
    #[serde(default, deserialize_with = "words::sentence_option")]
    pub message: Option<String>,
}

/// Parses a body, naming where it came from when it is not what it should be.
///
/// # Errors
/// [`ClientError::Answer`].
pub fn parse<'a, T: Deserialize<'a>>(url: &str, body: &'a [u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::Answer {
        url: url.to_owned(),
        // it may quote what was sent
        text: words::plain(&error.to_string(), words::SENTENCE_CHARACTERS_MAX),
    })
}

/// The API roots of a server (section 4.1), made absolute.
///
/// # Errors
/// See [`ClientError`].
pub async fn api_roots(client: &Client, server: &str) -> Result<Vec<String>, ClientError> {
    #[derive(Deserialize)]
    struct Discovery {
        default: Option<String>,
        #[serde(default)]
        api_roots: Vec<String>,
    }
    let url = join(server, "taxii2/")?;
    let answer = client.get(&url, TAXII, &[]).await?;
    let discovery: Discovery = parse(&url, &answer.body)?;
    let named = discovery.default.into_iter().chain(discovery.api_roots);
    let mut roots: Vec<String> = Vec::new();
    for root in named {
        let root = with_slash(&below(server, &root)?);
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    Ok(roots)
}

/// Largest envelope an API root takes, octets (section 4.2.1).
///
/// # Errors
/// See [`ClientError`].
pub async fn content_length_max(client: &Client, api_root: &str) -> Result<usize, ClientError> {
    #[derive(Deserialize)]
    struct Root {
        max_content_length: u64,
    }
    let answer = client.get(api_root, TAXII, &[]).await?;
    let root: Root = parse(api_root, &answer.body)?;
    Ok(usize::try_from(root.max_content_length).unwrap_or(usize::MAX))
}

/// The collections of an API root (section 5.1).
///
/// # Errors
/// See [`ClientError`].
pub async fn collections(
    client: &Client,
    api_root: &str,
) -> Result<Vec<RemoteCollection>, ClientError> {
    #[derive(Deserialize)]
    struct Collections {
        #[serde(default)]
        collections: Vec<RemoteCollection>,
    }
    let url = format!("{api_root}collections/");
    let answer = client.get(&url, TAXII, &[]).await?;
    parse::<Collections>(&url, &answer.body).map(|list| list.collections)
}

/// Puts `path`, relative or absolute, below `server`.
///
/// # Errors
/// [`ClientError::Url`].
pub fn join(server: &str, path: &str) -> Result<String, ClientError> {
    let bad = || ClientError::Url(server.to_owned());
    let base = reqwest::Url::parse(&with_slash(server)).map_err(|_| bad())?;
    base.join(path).map(String::from).map_err(|_| bad())
}

/// [`join`] for what the server itself names: it stays with its scheme, host and port. A name it gives must not lead our
/// credentials, or requests from inside our network, to somebody else.
///
/// # Errors
/// [`ClientError::Url`], [`ClientError::Elsewhere`].
pub fn below(server: &str, path: &str) -> Result<String, ClientError> {
    let joined = join(server, path)?;
    let origin = |url: &str| reqwest::Url::parse(url).map(|url| url.origin());
    match (origin(server), origin(&joined)) {
        (Ok(one), Ok(other)) if one.is_tuple() && one == other => Ok(joined),
        _ => Err(ClientError::Elsewhere {
            server: server.to_owned(),
            named: words::plain(path, 200),
        }),
    }
}

/// `url` with a final `/` (section 3.1: request paths end in one).
#[must_use]
pub fn with_slash(url: &str) -> String {
    if url.ends_with('/') {
        url.to_owned()
    } else {
        format!("{url}/")
    }
}

/// Percent-encodes a query value.
#[must_use]
pub fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_names_stays_with_the_server() {
        let server = "https://node.example.eu:6443/";
        for path in ["/eu/", "eu/", "https://node.example.eu:6443/eu/"] {
            assert_eq!(
                below(server, path).unwrap(),
                "https://node.example.eu:6443/eu/"
            );
        }
        for elsewhere in [
            "https://other.example/eu/",
            "https://node.example.eu/eu/",
            "http://node.example.eu:6443/eu/",
            "//169.254.169.254/",
            "http://127.0.0.1:9200/",
            "file:///etc/passwd",
        ] {
            let error = below(server, elsewhere).unwrap_err();
            assert!(
                matches!(error, ClientError::Elsewhere { .. }),
                "{elsewhere}: {error}"
            );
        }
    }

    #[test]
    fn what_a_server_says_is_stripped_and_cut_where_it_is_read() {
        let long = "x".repeat(1 << 20);
        let status = format!(
            r#"{{"id":"1","status":"complete","failures":[{{"id":"a","message":"\u001b[2Jno\n{long}"}}]}}"#
        );
        let status: RemoteStatus = parse("u", status.as_bytes()).unwrap();
        let message = status.failures[0].message.as_deref().unwrap();
        assert!(
            !message.contains(char::is_control) && message.len() < 2_000,
            "{}",
            message.len()
        );
        let list = format!(r#"{{"id":"c","title":"\u202e{long}","alias":"\u0007a"}}"#);
        let collection: RemoteCollection = parse("u", list.as_bytes()).unwrap();
        assert!(collection.title.len() < 2_000 && !collection.title.starts_with('\u{202e}'));
        assert_eq!(collection.alias.as_deref(), Some(" a"));
    }
}
