//! The program `comity-verify`: exit codes, languages, formats, standard input.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::fixture::{World, tar_of, write_directory};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::default();
        let files = world.files(None);
        write_directory(&files, &folder.path().join("package"));
        let tar = tar_of(&files.into_iter().collect::<Vec<_>>());
        std::fs::write(folder.path().join("package.tar"), tar).unwrap();
        std::fs::write(folder.path().join("policy.txt"), world.policy()).unwrap();
        let keys: String = world.keys().iter().map(|key| format!("{key}\n")).collect();
        std::fs::write(
            folder.path().join("keys.txt"),
            "# of the card\n".to_owned() + &keys,
        )
        .unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_comity-verify"))
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // the program may have said what it has to say before it read everything
        let _closed = child.stdin.take().unwrap().write_all(input);
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

const GIVEN: &[&str] = &["--policy", "policy.txt", "--keys=keys.txt"];

#[test]
fn the_exit_code_says_how_it_ended() {
    let place = Place::new();
    let tar = std::fs::read(place.path().join("package.tar")).unwrap();
    for package in ["package", "package.tar", "-"] {
        let (code, out, err) = place.run(&[GIVEN, &[package]].concat(), &tar);
        assert_eq!((code, err.as_str()), (0, ""), "{package}: {out}");
        assert!(out.contains("VERIFIED, by keys you gave"), "{out}");
        let (code, out, _) = place.run(&[package], &tar);
        assert_eq!(code, 3);
        assert!(out.contains("--policy FILE"), "{out}");
    }
    std::fs::write(place.path().join("package/data/000002.bin"), b"x").unwrap();
    let (code, out, _) = place.run(&["package"], b"");
    assert_eq!(code, 1);
    assert!(out.contains("data/000002.bin"), "{out}");
    for arguments in [
        &["nowhere"][..],
        &[],
        &["--what"],
        &["--policy"],
        &["a", "b"],
        &["--policy", "nowhere", "package"],
        &["--keys", "package.tar", "package"],
        &["--tsa-ca", "policy.txt", "package"],
    ] {
        let (code, out, err) = place.run(arguments, b"");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
    let (code, out, _) = place.run(&["--help"], b"");
    assert!(code == 0 && out.contains("exit codes"), "{out}");
}

#[test]
fn it_answers_in_ukrainian_and_in_json() {
    let place = Place::new();
    let (_, out, _) = place.run(&[GIVEN, &["--lang", "uk", "package"]].concat(), b"");
    assert!(out.contains("ПЕРЕВІРЕНО"), "{out}");
    let (_, out, _) = place.run(&[GIVEN, &["--format", "json", "package"]].concat(), b"");
    assert!(
        comity_evidence::json::parse(out.trim_end().as_bytes()).is_ok(),
        "{out}"
    );
    assert!(out.contains("\"verdict\":\"verified\"}"), "{out}");
}
