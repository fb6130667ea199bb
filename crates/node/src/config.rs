//! The node's configuration: defaults, then the file, then the environment, then flags; the last one that speaks wins,
//! and each effective value remembers where it came from (`comity config` shows it).

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The name of the configuration file in a node's data directory.
pub const FILE_NAME: &str = "comity.toml";

/// Where an effective value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File,
    /// An environment variable `COMITY_<KEY>`.
    Environment,
    /// A command-line flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The effective value.
    pub value: T,
    /// Who said it last.
    pub origin: Origin,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration `{path}`: {source}\n  help: `comity init --dir DIR` makes a data directory with one"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be; the text names line and column.
    #[error("`{path}` is not a valid configuration: {text}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        text: String,
    },
    /// An environment variable has a value that cannot be used.
    #[error("environment variable `{name}` has the unusable value `{value}`: {text}")]
    Environment {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        text: String,
    },
    /// A value that must be given is not.
    #[error("`{0}` is not set\n  help: put it into `comity.toml` or run `comity init`")]
    Missing(&'static str),
    /// A value that does not fit.
    #[error("`{key}` = `{value}` cannot be used: {text}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        text: String,
    },
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected `text` or `json`".to_owned()),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

macro_rules! settings {
    ($( $(#[$doc:meta])* $name:ident : $type:ty = $default:expr ; )*) => {
        /// One layer of settings: what the file, the environment or the flags say.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Layer {
            $( $(#[$doc])* pub $name: Option<$type>, )*
        }

        /// The effective configuration of a node.
        #[derive(Clone, Debug)]
        pub struct Config {
            /// The data directory.
            pub dir: PathBuf,
            $( $(#[$doc])* pub $name: Setting<Option<$type>>, )*
        }

        impl Config {
            fn merge(dir: PathBuf, layers: [(Origin, Layer); 3]) -> Self {
                let mut config = Self {
                    dir,
                    $( $name: Setting { value: $default, origin: Origin::Default }, )*
                };
                for (origin, layer) in layers {
                    $( if let Some(value) = layer.$name {
                        config.$name = Setting { value: Some(value), origin };
                    } )*
                }
                config
            }

            /// Every key with its effective value as text (empty when unset) and its origin, for `comity config`.
            #[must_use]
            pub fn rows(&self) -> Vec<(&'static str, String, Origin)> {
                vec![ $( (
                    stringify!($name),
                    self.$name.value.as_ref().map(|value| show(value)).unwrap_or_default(),
                    self.$name.origin,
                ), )* ]
            }
        }

        fn environment(read: &dyn Fn(&str) -> Option<String>) -> Result<Layer, ConfigError> {
            let mut layer = Layer::default();
            $( {
                let name = concat!("COMITY_", stringify!($name)).to_uppercase();
                if let Some(value) = read(&name) {
                    layer.$name = Some(value.parse::<$type>().map_err(|error| ConfigError::Environment {
                        name, value: value.clone(), text: error.to_string(),
                    })?);
                }
            } )*
            Ok(layer)
        }

        /// Every key with the first line of its description, for the configuration reference.
        pub const KEYS: &[&str] = &[ $( stringify!($name), )* ];
    };
}

fn show<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

settings! {
    /// The party this node speaks for, e.g. `ua`.
    party: String = None;
    /// The name people read, e.g. `CERT-UA`.
    name: String = None;
    /// What this node is for; shown in discovery.
    description: String = None;
    /// Whom to write to; shown in discovery.
    contact: String = None;
    /// The path of the API root; by default the party's name.
    root: String = None;
    /// Address and port to listen on.
    listen: SocketAddr = Some(SocketAddr::from(([127, 0, 0, 1], 6443)));
    /// The URL others use to reach this node, when it is not `https://<listen>/`.
    public_url: String = None;
    /// Serve plain HTTP; allowed on a loopback address only.
    insecure_http: bool = Some(false);
    /// Certificate chain, PEM; by default one is made at first start and pinned by its fingerprint.
    tls_certificate: PathBuf = None;
    /// Private key of the certificate, PEM.
    tls_key: PathBuf = None;
    /// Certificate authorities for client certificates, PEM; by default client certificates are known by their fingerprints.
    tls_client_ca: PathBuf = None;
    /// A time-stamping authority (RFC 3161) for packages of evidence; only a hash goes there.
    tsa_url: String = None;
    /// Its certificates up to the root, PEM.
    tsa_ca: PathBuf = None;
    /// `text` or `json`.
    log_format: LogFormat = Some(LogFormat::Text);
    /// What to log, e.g. `info` or `comity_node=debug`.
    log_level: String = Some("info".to_owned());
    /// Reading connections to the register.
    readers: usize = Some(4);
    /// Requests a second that one source may make, on average; bursts of ten times as many pass.
    requests_per_second: u32 = Some(2_000);
    /// Largest request body in octets.
    body_bytes_max: usize = Some(crate::limits::BODY_BYTES_MAX);
    /// Seconds between two looks at a peer's log and its witnesses; 0 for never.
    watch_seconds: u64 = Some(10);
    /// Most objects of a page.
    page_objects_max: usize = Some(crate::limits::PAGE_OBJECTS_MAX);
}

impl Config {
    /// Reads the configuration of the data directory `dir`, the environment and `flags`.
    ///
    /// # Errors
    /// When the file is missing or wrong, or a value cannot be used; the message says where.
    pub fn load(dir: &Path, flags: Layer) -> Result<Self, ConfigError> {
        let path = dir.join(FILE_NAME);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read {
            path: path.clone(),
            source,
        })?;
        Self::of_text(dir, &text, flags)
    }

    /// Reads a configuration that is not in its file yet, as [`Self::load`] would.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of_text(dir: &Path, text: &str, flags: Layer) -> Result<Self, ConfigError> {
        let path = dir.join(FILE_NAME);
        Self::from_parts(dir, &path, text, &read_environment, flags)
    }

    fn from_parts(
        dir: &Path,
        path: &Path,
        text: &str,
        read: &dyn Fn(&str) -> Option<String>,
        flags: Layer,
    ) -> Result<Self, ConfigError> {
        let file: Layer = toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            text: error.to_string(),
        })?;
        let layers = [
            (Origin::File, file),
            (Origin::Environment, environment(read)?),
            (Origin::Flag, flags),
        ];
        let config = Self::merge(dir.to_owned(), layers);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let party = self
            .party
            .value
            .as_deref()
            .ok_or(ConfigError::Missing("party"))?;
        comity_access::PartyId::parse(party).map_err(|error| ConfigError::Value {
            key: "party",
            value: party.to_owned(),
            text: error.to_string(),
        })?;
        let root = self.root_path();
        if !root
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            || RESERVED_ROOTS.contains(&root)
        {
            return Err(ConfigError::Value {
                key: "root",
                value: root.to_owned(),
                text: format!(
                    "expected lower-case letters, digits and `-`, and none of {RESERVED_ROOTS:?}"
                ),
            });
        }
        if self.insecure_http() && !self.listen().ip().is_loopback() {
            return Err(ConfigError::Value {
                key: "insecure_http",
                value: "true".to_owned(),
                text: format!(
                    "plain HTTP is for loopback only, and `listen` is `{}`",
                    self.listen()
                ),
            });
        }
        Ok(())
    }

    /// The party this node speaks for.
    #[must_use]
    pub fn party(&self) -> &str {
        self.party.value.as_deref().unwrap_or_default()
    }

    /// The name people read; the party's id when none was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.value.as_deref().unwrap_or_else(|| self.party())
    }

    /// The path segment of the API root.
    #[must_use]
    pub fn root_path(&self) -> &str {
        self.root.value.as_deref().unwrap_or_else(|| self.party())
    }

    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
            .value
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 6443)))
    }

    /// Whether to serve plain HTTP.
    #[must_use]
    pub fn insecure_http(&self) -> bool {
        self.insecure_http.value.unwrap_or(false)
    }

    /// Largest request body, octets.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
            .value
            .unwrap_or(crate::limits::BODY_BYTES_MAX)
    }

    /// Most objects of a page.
    #[must_use]
    pub fn page_objects_max(&self) -> usize {
        self.page_objects_max
            .value
            .unwrap_or(crate::limits::PAGE_OBJECTS_MAX)
            .max(1)
    }
}

const RESERVED_ROOTS: &[&str] = &["", "api", "taxii2", "healthz", "metrics", "assets"];

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge where the environment enters the node"
)]
fn read_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)], flags: Layer) -> Result<Config, ConfigError> {
        let read = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Config::from_parts(
            Path::new("/d"),
            Path::new("/d/comity.toml"),
            text,
            &read,
            flags,
        )
    }

    #[test]
    fn the_last_layer_that_speaks_wins_and_is_named() {
        let flags = Layer {
            readers: Some(9),
            ..Layer::default()
        };
        let config = load(
            "party = \"ua\"\nreaders = 2\nname = \"A\"",
            &[("COMITY_NAME", "B"), ("COMITY_READERS", "3")],
            flags,
        )
        .unwrap();
        assert_eq!(
            (config.readers.value, config.readers.origin),
            (Some(9), Origin::Flag)
        );
        assert_eq!(
            (config.name(), config.name.origin),
            ("B", Origin::Environment)
        );
        assert_eq!((config.party(), config.party.origin), ("ua", Origin::File));
        assert_eq!(config.root_path(), "ua");
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        let error = load("party = \"ua\"\nlisen = \"x\"", &[], Layer::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("lisen"),
            "{error}"
        );
    }

    #[test]
    fn plain_http_is_refused_off_loopback() {
        let text = "party = \"ua\"\ninsecure_http = true\nlisten = \"0.0.0.0:80\"";
        assert!(load(text, &[], Layer::default()).is_err());
    }

    #[test]
    fn a_root_must_not_hide_the_nodes_own_paths() {
        assert!(load("party = \"ua\"\nroot = \"api\"", &[], Layer::default()).is_err());
    }
}
