//! `docs/STIX.md` lists every finding code; `UPDATE_DOCS=1 cargo test -p comity-stix documentation` writes the list anew.

use comity_stix::codes::codes;
use std::fmt::Write;

const BEGIN: &str = "<!-- codes: generated -->\n";

#[test]
fn the_page_lists_every_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/STIX.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (text, _) = page.split_once(BEGIN).unwrap();
    let mut expected =
        format!("{text}{BEGIN}| code | severity | clause | rule |\n|---|---|---|---|\n");
    for code in codes() {
        writeln!(
            expected,
            "| `{}` | {} | {} | {} |",
            code.code,
            code.severity,
            code.clause,
            code.meaning.replace('|', "\\|")
        )
        .unwrap();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("UPDATE_DOCS").is_some(),
        "run with UPDATE_DOCS=1"
    );
}
