//! `comity demo`: two parties and an observer on this machine, real processes, real formats, a story of about a minute.

mod data;
mod evidence;
mod holdings;
mod node;
mod package;
mod stage;
mod story;
mod tampering;
mod witness;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::ui::Ui;
use super::{Global, exit};
use node::Node;
use package::Package;
use stage::Stage;
use story::Cast;

/// Arguments of `comity demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything happens in a temporary folder and on loopback addresses; the folder is removed at\n\
                  the end, unless --keep leaves it. On a terminal the nodes wait for Enter.\n\
                  Exit code 1 when something could not be proved."
)]
pub(crate) struct Args {
    /// Also exchange the STIX bundles (.json, .json.gz) of this folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave nodes and witness running and the package there, and print where
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
        witness: Node::witness(&folder.path, "ee-witness", "Estonia's witness")?,
    };
    let package = play(&mut cast, &folder.path, &args, &mut stage)?;
    stage.summary();
    let (held, all) = stage.result();
    if args.keep {
        keep(&mut cast, folder, &package, &stage);
    } else if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        look_around(&mut cast, &package, &stage);
    }
    Ok(if held == all { exit::DONE } else { exit::FOUND })
}

fn play(
    cast: &mut Cast,
    root: &Path,
    args: &Args,
    stage: &mut Stage<'_>,
) -> anyhow::Result<Package> {
    let data = data::story();
    story::set_up(cast, stage)?;
    story::meet(cast, stage)?;
    witness::witness(cast, stage)?;
    story::amber(cast, &data, stage)?;
    story::red(cast, &data, stage)?;
    story::green(cast, &data, stage)?;
    story::onward(cast, &data, stage)?;
    story::withdraw(cast, &data, stage)?;
    story::power_cut(cast, &data, stage)?;
    if let Some(dir) = &args.data {
        story::real(cast, dir, stage)?;
    }
    let exhibit = evidence::evidence(cast, root, stage)?;
    let package = package::package(cast, root, &exhibit, stage)?;
    tampering::tampering(cast, root, &data, &package, stage)?;
    holdings::holdings(cast, &data, stage)?;
    Ok(package)
}

/// Where everything is.
fn places(cast: &mut Cast, package: &Package, stage: &Stage<'_>) {
    for node in cast.all() {
        stage.line(&format!(
            "   {:<11} {}/   COMITY_DIR={}",
            node.party.to_uppercase(),
            node.url,
            node.dir.display()
        ));
    }
    stage.line("   the package, and what checks it:");
    stage.line(&format!("   {}", package.command("comity verify")));
}

/// Somebody watches: the nodes stay until they press Enter.
fn look_around(cast: &mut Cast, package: &Package, stage: &Stage<'_>) {
    stage.line("\nLook around (the certificates are the nodes' own):");
    places(cast, package, stage);
    stage.line("Press Enter to stop the nodes and remove their folder.");
    let _either_way = std::io::stdin().read_line(&mut String::new());
}

fn keep(cast: &mut Cast, folder: Folder, package: &Package, stage: &Stage<'_>) {
    stage.line("\nThe nodes keep running; look around, then stop them with the kill command:");
    places(cast, package, stage);
    let pids: Vec<String> = cast
        .all()
        .into_iter()
        .filter_map(Node::release)
        .map(|pid| pid.to_string())
        .collect();
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
