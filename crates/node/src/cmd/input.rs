//! Files, folders and standard input as streams of objects; `.gz` is unpacked on the way.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;

/// One thing to read.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// A file.
    File(PathBuf),
    /// Standard input, put aside to be read twice.
    Aside(Arc<File>),
}

impl PartialEq for Input {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one == other,
            (Self::File(_), _) | (_, Self::File(_)) => false,
            // there is one standard input
            _ => true,
        }
    }
}

impl Input {
    /// How messages name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin | Self::Aside(_) => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Octets on disk, when known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin | Self::Aside(_) => None,
            Self::File(path) => path
                .metadata()
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|data| data.len()),
        }
    }

    /// Opens it; `read` counts the octets taken from disk.
    pub(crate) fn open(&self, read: &Arc<AtomicU64>) -> anyhow::Result<Box<dyn Read + Send>> {
        let counter = Arc::clone(read);
        match self {
            Self::Stdin => Ok(Box::new(Counted {
                inner: io::stdin(),
                counter,
            })),
            Self::Aside(file) => {
                let mut inner: &File = file;
                inner.rewind()?;
                Ok(Box::new(Counted {
                    inner: file.try_clone()?,
                    counter,
                }))
            }
            Self::File(path) => {
                let file = File::open(path)
                    .with_context(|| format!("cannot read `{}`", path.display()))?;
                let counted = Counted {
                    inner: file,
                    counter,
                };
                if is_gzip(path) {
                    Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(
                        BUFFER_BYTES,
                        counted,
                    ))))
                } else {
                    Ok(Box::new(counted))
                }
            }
        }
    }
}

impl Input {
    /// The same input, for somebody who must read it twice: standard input goes into a file of `dir` that has no name.
    pub(crate) fn rereadable(self, dir: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if !matches!(self, Self::Stdin) {
            return Ok(self);
        }
        let path = dir.join(format!("stdin-{}.part", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        // from here on it goes with this process, however that ends
        std::fs::remove_file(&path)?;
        io::copy(&mut io::stdin().lock(), &mut &file).context("cannot put standard input aside")?;
        Ok(Self::Aside(Arc::new(file)))
    }
}

const BUFFER_BYTES: usize = 64 << 10;

struct Counted<R> {
    inner: R,
    counter: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.counter.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The arguments as inputs; a folder stands for the `.json` and `.json.gz` files below it, in order of their names.
pub(crate) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let mut all = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            anyhow::ensure!(
                !all.contains(&Input::Stdin),
                "`-` (standard input) can be read only once"
            );
            all.push(Input::Stdin);
        } else if path.is_dir() {
            let before = all.len();
            walk(path, &mut all)?;
            anyhow::ensure!(
                all.len() > before,
                "no `.json` file in `{}`",
                path.display()
            );
        } else {
            anyhow::ensure!(path.exists(), "no such file: `{}`", path.display());
            all.push(Input::File(path.clone()));
        }
    }
    Ok(all)
}

fn walk(folder: &Path, all: &mut Vec<Input>) -> anyhow::Result<()> {
    let listed =
        std::fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
    let mut paths = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        // a link to a folder could lead in circles
        if path.is_dir() && !path.is_symlink() {
            walk(&path, all)?;
        } else if path.is_file() && is_json(&path) {
            all.push(Input::File(path));
        }
    }
    Ok(())
}

fn is_json(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    [".json", ".json.gz", ".stix", ".stix2"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn is_gzip(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_json_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["c.json", "a.json.gz", "b/x.JSON", "notes.txt"] {
            std::fs::write(dir.path().join(name), "{}").unwrap();
        }
        let found = inputs(&[dir.path().to_owned()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|input| input.name().replace(&dir.path().display().to_string(), ""))
            .collect();
        assert_eq!(names, ["/a.json.gz", "/b/x.JSON", "/c.json"]);
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(
            inputs(&["/no/such".into()]).unwrap_err().to_string(),
            "no such file: `/no/such`"
        );
    }
}
