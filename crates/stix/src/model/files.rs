//! Observables of files (6.1, 6.3, 6.7).

use super::extensions::{ARCHIVE, NTFS, PDF, PE_BINARY, RASTER_IMAGE};
use super::{
    Class, Format, Kind, NATURAL, Property, Rule, Shape, TIME, Targets, Type, opt, refer, refers,
    req,
};
use crate::vocabulary as ov;

pub(super) static TYPES: &[Type] = &[
    Type {
        shape: Shape {
            name: "file",
            clause: "6.7",
            properties: FILE,
            rules: &[
                Rule::AnyOf(&["hashes", "name"]),
                Rule::Needs("name_enc", "name"),
            ],
        },
        class: Class::Observable,
        contributing: &["hashes", "name", "extensions", "parent_directory_ref"],
        extensions: &[&ARCHIVE, &NTFS, &PDF, &RASTER_IMAGE, &PE_BINARY],
    },
    Type {
        shape: Shape {
            name: "directory",
            clause: "6.3",
            properties: DIRECTORY,
            rules: &[],
        },
        class: Class::Observable,
        contributing: &["path"],
        extensions: &[],
    },
    Type {
        shape: Shape {
            name: "artifact",
            clause: "6.1",
            properties: ARTIFACT,
            rules: &[
                Rule::AnyOf(&["payload_bin", "url"]),
                Rule::NotBoth("payload_bin", "url"),
                Rule::Needs("url", "hashes"),
                Rule::Needs("decryption_key", "encryption_algorithm"),
            ],
        },
        class: Class::Observable,
        contributing: &["hashes", "payload_bin"],
        extensions: &[],
    },
];

const FILE: &[Property] = &[
    opt("hashes", Kind::Hashes),
    opt("size", NATURAL),
    opt("name", Kind::String),
    opt("name_enc", Kind::Format(Format::Charset)),
    opt("magic_number_hex", Kind::Hex),
    opt("mime_type", Kind::Format(Format::Mime)),
    opt("ctime", TIME),
    opt("mtime", TIME),
    opt("atime", TIME),
    opt("parent_directory_ref", refer(&["directory"])),
    opt("contains_refs", Kind::References(Targets::Observable)),
    opt("content_ref", refer(&["artifact"])),
];

const DIRECTORY: &[Property] = &[
    req("path", Kind::String),
    opt("path_enc", Kind::Format(Format::Charset)),
    opt("ctime", TIME),
    opt("mtime", TIME),
    opt("atime", TIME),
    opt("contains_refs", refers(&["file", "directory"])),
];

const ARTIFACT: &[Property] = &[
    opt("mime_type", Kind::Format(Format::Mime)),
    opt("payload_bin", Kind::Binary),
    opt("url", Kind::Format(Format::Url)),
    opt("hashes", Kind::Hashes),
    opt(
        "encryption_algorithm",
        Kind::Word(&ov::ENCRYPTION_ALGORITHM_ENUM),
    ),
    opt("decryption_key", Kind::String),
];
