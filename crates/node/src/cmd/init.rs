//! `comity init`: a data directory with keys, an empty register and a commented configuration.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use comity_access::PartyId;
use serde_json::json;

use super::ui::Ui;
use super::{Global, exit};
use crate::app::{self, App};
use crate::clock::{SharedClock, SystemClock};
use crate::config::{Config, FILE_NAME, Layer};
use crate::entropy::{SharedEntropy, SystemEntropy};
use crate::{files, keys};

/// Arguments of `comity init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: comity init --dir /var/lib/comity --party ua --name CERT-UA --listen 0.0.0.0:6443"
)]
pub(crate) struct Args {
    /// The party the node speaks for: 2 to 32 lower-case letters, digits and hyphens
    #[arg(long, value_name = "PARTY")]
    party: String,
    /// The name people read
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:6443")]
    listen: SocketAddr,
    /// The URL others use, when it is not `https://<listen>/`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Whom to write to; shown in discovery
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Serve plain HTTP; on a loopback address only
    #[arg(long)]
    insecure_http: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let dir = &global.dir;
    PartyId::parse(&args.party)?;
    let file = dir.join(FILE_NAME);
    anyhow::ensure!(
        !file.exists(),
        "there is a node in `{}` already\n  help: choose another directory with `--dir`",
        dir.display()
    );
    make_private(dir)?;
    let text = configuration(&args);
    let key = make(&text, dir)?;
    // CRASH POINT: the configuration comes last. Without it this is no node yet, and `init` goes on with the key and the
    // empty register that a try before made
    files::put_new(&file, text.as_bytes())?;
    report(&args, dir, &key, ui)?;
    Ok(exit::DONE)
}

/// Makes keys and register, opens them once, and gives the log's public key.
fn make(configuration: &str, dir: &Path) -> anyhow::Result<String> {
    let config = Config::of_text(dir, configuration, Layer::default())?;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let entropy: SharedEntropy = Arc::new(SystemEntropy);
    App::create(&config, &clock, &entropy)?;
    let (app, running) = App::open(config, clock, entropy)?;
    let key = app.log_key.clone();
    drop(app);
    running.join();
    Ok(key)
}

fn report(args: &Args, dir: &Path, key: &str, ui: &Ui) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(&json!({ "dir": dir, "party": args.party, "origin": app::origin(&args.party), "log_key": key }));
    }
    ui.line(format!(
        "made a node of party `{}` in `{}`",
        args.party,
        dir.display()
    ))?;
    ui.line(format!("log key: {key}"))?;
    let at = dir.display();
    ui.say(format_args!(
        "\nnext:\n  comity user add NAME --role officer --password-stdin --dir {at}\n  \
         comity collection add ALIAS --title TITLE --read role:analyst,role:officer --write role:analyst,role:officer --dir {at}\n  \
         comity serve --dir {at}\n\nkeep a copy of `{}` apart from the backups: without it the log cannot go on",
        keys::log_seed_path(dir).display()
    ));
    Ok(())
}

/// Makes the directory for its owner only.
pub(crate) fn make_private(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    files::make_folder(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot make `{}` private", dir.display()))
}

fn configuration(args: &Args) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let optional = |key: &str, value: &Option<String>, example: &str| match value {
        Some(value) => format!("{key} = {}\n", quoted(value)),
        None => format!("# {key} = {}\n", quoted(example)),
    };
    let mut text = String::from(
        "# Configuration of a Comity node. `comity config` shows each effective value and its origin.\n",
    );
    text.push_str("# An environment variable COMITY_<KEY> and a flag lead over this file.\n\n");
    text.push_str(&format!("party = {}\n", quoted(&args.party)));
    text.push_str(&optional("name", &args.name, "CERT-UA"));
    text.push_str(&optional("contact", &args.contact, "csirt@example.org"));
    text.push_str(&format!("listen = {}\n", quoted(&args.listen.to_string())));
    text.push_str(&optional(
        "public_url",
        &args.public_url,
        "https://node.example.org/",
    ));
    text.push_str(&format!(
        "{}insecure_http = true\n",
        if args.insecure_http { "" } else { "# " }
    ));
    text.push_str(
        "\n# without these a certificate is made at first start, and peers pin its fingerprint\n",
    );
    text.push_str("# tls_certificate = \"/etc/comity/certificate.pem\"\n# tls_key = \"/etc/comity/key.pem\"\n");
    text.push_str("\n# log_format = \"json\"\n# log_level = \"info\"\n");
    text
}
