//! `comity demo`: two parties and an observer on this machine, real processes, real formats, a story of about a minute.

mod data;
mod holdings;
mod node;
mod stage;
mod story;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::ui::Ui;
use super::{Global, exit};
use node::Node;
use stage::Stage;
use story::Cast;

/// Arguments of `comity demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything happens in a temporary folder and on loopback addresses; the folder is removed at the end,\n\
                  unless --keep leaves the nodes running. On a terminal they wait for Enter. Exit code 1 when something could not be proved."
)]
pub(crate) struct Args {
    /// Also exchange the STIX bundles (.json, .json.gz) of this folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the nodes running and print their addresses
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: Args, _global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let folder = Folder::make()?;
    let mut stage = Stage::new(ui);
    stage.line("Comity demo: a cyber dialogue between two parties, with an observer. All data are invented.");
    let mut cast = Cast {
        ua: Node::make(&folder.path, "ua", "CERT-UA")?,
        eu: Node::make(&folder.path, "eu", "EU CSIRT network")?,
        ee: Node::make(&folder.path, "ee", "CERT-EE (observer)")?,
    };
    play(&mut cast, &args, &mut stage)?;
    stage.summary();
    let (held, all) = stage.result();
    if args.keep {
        keep(&mut cast, folder, &stage);
    } else if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        look_around(&cast, &stage);
    }
    Ok(if held == all { exit::DONE } else { exit::FOUND })
}

fn play(cast: &mut Cast, args: &Args, stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let data = data::story();
    story::set_up(cast, stage)?;
    story::meet(cast, stage)?;
    story::amber(cast, &data, stage)?;
    story::red(cast, &data, stage)?;
    story::green(cast, &data, stage)?;
    story::onward(cast, &data, stage)?;
    story::withdraw(cast, &data, stage)?;
    story::power_cut(cast, &data, stage)?;
    if let Some(dir) = &args.data {
        story::real(cast, dir, stage)?;
    }
    holdings::holdings(cast, &data, stage)
}

/// Somebody watches: the nodes stay until they press Enter.
fn look_around(cast: &Cast, stage: &Stage<'_>) {
    stage.line("\nLook around (the certificates are the nodes' own):");
    for node in [&cast.ua, &cast.eu, &cast.ee] {
        stage.line(&format!(
            "   {:<4} {}/   COMITY_DIR={}",
            node.party.to_uppercase(),
            node.url,
            node.dir.display()
        ));
    }
    stage.line("Press Enter to stop the nodes and remove their folder.");
    let _either_way = std::io::stdin().read_line(&mut String::new());
}

fn keep(cast: &mut Cast, folder: Folder, stage: &Stage<'_>) {
    stage.line("\nThe nodes keep running; look around, then stop them with the kill command:");
    let mut pids = Vec::new();
    for node in [&mut cast.ua, &mut cast.eu, &mut cast.ee] {
        stage.line(&format!(
            "   {:<4} {}/   COMITY_DIR={}",
            node.party.to_uppercase(),
            node.url,
            node.dir.display()
        ));
        pids.extend(node.release().map(|pid| pid.to_string()));
    }
    stage.line(&format!("   kill {}", pids.join(" ")));
    folder.keep();
}

/// A temporary folder that goes when the demo ends.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let random = crate::entropy::bytes::<8>(&crate::entropy::SystemEntropy)?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("comity-demo-{name}"));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        Ok(Self { path, keep: false })
    }

    fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _best_effort = remove(&self.path);
        }
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_dir_all(path)
}
