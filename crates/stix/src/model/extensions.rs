//! Predefined extensions of observables (3.10): archives, NTFS, PDF, images, PE files, HTTP, ICMP, sockets, TCP, Windows
//! processes and services, UNIX accounts.

use super::{
    Format, INTEGER, Kind, NATURAL, Precision, Property, Rule, STRINGS, Shape, opt, refer, refers,
    req,
};
use crate::vocabulary as ov;

const SOMETHING: &[Rule] = &[Rule::SomethingBeside(&[])];

pub(super) static ARCHIVE: Shape = Shape {
    name: "archive-ext",
    clause: "6.7.2",
    properties: &[
        req("contains_refs", refers(&["file", "directory"])),
        opt("comment", Kind::String),
    ],
    rules: &[],
};

pub(super) static NTFS: Shape = Shape {
    name: "ntfs-ext",
    clause: "6.7.3",
    properties: &[
        opt("sid", Kind::String),
        opt("alternate_data_streams", Kind::Shapes(&DATA_STREAM)),
    ],
    rules: SOMETHING,
};

static DATA_STREAM: Shape = Shape {
    name: "alternate-data-stream-type",
    clause: "6.7.3",
    properties: &[
        req("name", Kind::String),
        opt("hashes", Kind::Hashes),
        opt("size", NATURAL),
    ],
    rules: &[],
};

pub(super) static PDF: Shape = Shape {
    name: "pdf-ext",
    clause: "6.7.4",
    properties: &[
        opt("version", Kind::String),
        opt("is_optimized", Kind::Boolean),
        opt("document_info_dict", Kind::Dictionary(&Kind::String)),
        opt("pdfid0", Kind::String),
        opt("pdfid1", Kind::String),
    ],
    rules: SOMETHING,
};

pub(super) static RASTER_IMAGE: Shape = Shape {
    name: "raster-image-ext",
    clause: "6.7.5",
    properties: &[
        opt("image_height", INTEGER),
        opt("image_width", INTEGER),
        opt("bits_per_pixel", INTEGER),
        opt("exif_tags", Kind::Dictionary(&Kind::IntegerOrString)),
    ],
    rules: SOMETHING,
};

pub(super) static PE_BINARY: Shape = Shape {
    name: "windows-pebinary-ext",
    clause: "6.7.6",
    properties: &[
        req("pe_type", Kind::Word(&ov::WINDOWS_PEBINARY_TYPE_OV)),
        opt("imphash", Kind::String),
        opt("machine_hex", Kind::Hex),
        opt("number_of_sections", NATURAL),
        opt("time_date_stamp", Kind::Timestamp(Precision::Second)),
        opt("pointer_to_symbol_table_hex", Kind::Hex),
        opt("number_of_symbols", NATURAL),
        opt("size_of_optional_header", NATURAL),
        opt("characteristics_hex", Kind::Hex),
        opt("file_header_hashes", Kind::Hashes),
        opt("optional_header", Kind::Shape(&PE_OPTIONAL_HEADER)),
        opt("sections", Kind::Shapes(&PE_SECTION)),
    ],
    rules: &[Rule::SomethingBeside(&["pe_type"])],
};

const OPTIONAL_HEADER: &[Property] = &[
    opt("magic_hex", Kind::Hex),
    opt("major_linker_version", INTEGER),
    opt("minor_linker_version", INTEGER),
    opt("size_of_code", NATURAL),
    opt("size_of_initialized_data", NATURAL),
    opt("size_of_uninitialized_data", NATURAL),
    opt("address_of_entry_point", INTEGER),
    opt("base_of_code", INTEGER),
    opt("base_of_data", INTEGER),
    opt("image_base", INTEGER),
    opt("section_alignment", INTEGER),
    opt("file_alignment", INTEGER),
    opt("major_os_version", INTEGER),
    opt("minor_os_version", INTEGER),
    opt("major_image_version", INTEGER),
    opt("minor_image_version", INTEGER),
    opt("major_subsystem_version", INTEGER),
    opt("minor_subsystem_version", INTEGER),
    opt("win32_version_value_hex", Kind::Hex),
    opt("size_of_image", NATURAL),
    opt("size_of_headers", NATURAL),
    opt("checksum_hex", Kind::Hex),
    opt("subsystem_hex", Kind::Hex),
    opt("dll_characteristics_hex", Kind::Hex),
    opt("size_of_stack_reserve", NATURAL),
    opt("size_of_stack_commit", NATURAL),
    opt("size_of_heap_reserve", NATURAL),
    opt("size_of_heap_commit", NATURAL),
    opt("loader_flags_hex", Kind::Hex),
    opt("number_of_rva_and_sizes", INTEGER),
    opt("hashes", Kind::Hashes),
];

static PE_OPTIONAL_HEADER: Shape = Shape {
    name: "windows-pe-optional-header-type",
    clause: "6.7.6",
    properties: OPTIONAL_HEADER,
    rules: SOMETHING,
};

static PE_SECTION: Shape = Shape {
    name: "windows-pe-section-type",
    clause: "6.7.6",
    properties: &[
        req("name", Kind::String),
        opt("size", NATURAL),
        opt("entropy", Kind::Float(f64::MIN, f64::MAX)),
        opt("hashes", Kind::Hashes),
    ],
    rules: &[],
};

pub(super) static HTTP_REQUEST: Shape = Shape {
    name: "http-request-ext",
    clause: "6.12.2",
    properties: &[
        req("request_method", Kind::String),
        req("request_value", Kind::String),
        opt("request_version", Kind::String),
        opt("request_header", Kind::Dictionary(&STRINGS)),
        opt("message_body_length", INTEGER),
        opt("message_body_data_ref", refer(&["artifact"])),
    ],
    rules: &[],
};

pub(super) static ICMP: Shape = Shape {
    name: "icmp-ext",
    clause: "6.12.3",
    properties: &[
        req("icmp_type_hex", Kind::Hex),
        req("icmp_code_hex", Kind::Hex),
    ],
    rules: &[],
};

pub(super) static SOCKET: Shape = Shape {
    name: "socket-ext",
    clause: "6.12.4",
    properties: &[
        req(
            "address_family",
            Kind::Word(&ov::NETWORK_SOCKET_ADDRESS_FAMILY_ENUM),
        ),
        opt("is_blocking", Kind::Boolean),
        opt("is_listening", Kind::Boolean),
        opt("options", Kind::Dictionary(&INTEGER)),
        opt("socket_type", Kind::Word(&ov::NETWORK_SOCKET_TYPE_ENUM)),
        opt("socket_descriptor", INTEGER),
        opt("socket_handle", INTEGER),
    ],
    rules: &[],
};

pub(super) static TCP: Shape = Shape {
    name: "tcp-ext",
    clause: "6.12.5",
    properties: &[
        opt("src_flags_hex", Kind::Hex),
        opt("dst_flags_hex", Kind::Hex),
    ],
    rules: SOMETHING,
};

pub(super) static WINDOWS_PROCESS: Shape = Shape {
    name: "windows-process-ext",
    clause: "6.13.2",
    properties: &[
        opt("aslr_enabled", Kind::Boolean),
        opt("dep_enabled", Kind::Boolean),
        opt("priority", Kind::Format(Format::Priority)),
        opt("owner_sid", Kind::String),
        opt("window_title", Kind::String),
        opt("startup_info", Kind::Dictionary(&Kind::Any)),
        opt(
            "integrity_level",
            Kind::Word(&ov::WINDOWS_INTEGRITY_LEVEL_ENUM),
        ),
    ],
    rules: SOMETHING,
};

pub(super) static WINDOWS_SERVICE: Shape = Shape {
    name: "windows-service-ext",
    clause: "6.13.3",
    properties: &[
        opt("service_name", Kind::String),
        opt("descriptions", STRINGS),
        opt("display_name", Kind::String),
        opt("group_name", Kind::String),
        opt(
            "start_type",
            Kind::Word(&ov::WINDOWS_SERVICE_START_TYPE_ENUM),
        ),
        opt("service_dll_refs", refers(&["file"])),
        opt("service_type", Kind::Word(&ov::WINDOWS_SERVICE_TYPE_ENUM)),
        opt(
            "service_status",
            Kind::Word(&ov::WINDOWS_SERVICE_STATUS_ENUM),
        ),
    ],
    rules: SOMETHING,
};

pub(super) static UNIX_ACCOUNT: Shape = Shape {
    name: "unix-account-ext",
    clause: "6.16.2",
    properties: &[
        opt("gid", INTEGER),
        opt("groups", STRINGS),
        opt("home_dir", Kind::String),
        opt("shell", Kind::String),
    ],
    rules: SOMETHING,
};
