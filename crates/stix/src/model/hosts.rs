//! Observables of a computer and its accounts (6.11, 6.13, 6.14, 6.16 to 6.18).

use super::extensions::{UNIX_ACCOUNT, WINDOWS_PROCESS, WINDOWS_SERVICE};
use super::{
    Class, Format, INTEGER, Kind, Property, Rule, Shape, TIME, Type, opt, refer, refers, req,
};
use crate::vocabulary as ov;

const fn sco(
    shape: Shape,
    contributing: &'static [&'static str],
    extensions: &'static [&'static Shape],
) -> Type {
    Type {
        shape,
        class: Class::Observable,
        contributing,
        extensions,
    }
}

const fn shape(
    name: &'static str,
    clause: &'static str,
    properties: &'static [Property],
    rules: &'static [Rule],
) -> Shape {
    Shape {
        name,
        clause,
        properties,
        rules,
    }
}

/// The common properties, of which none makes an observable say anything.
const COMMON: &[&str] = &[
    "type",
    "id",
    "spec_version",
    "object_marking_refs",
    "granular_markings",
    "defanged",
];
const COMMON_AND_EXTENSIONS: &[&str] = &[
    "type",
    "id",
    "spec_version",
    "object_marking_refs",
    "granular_markings",
    "defanged",
    "extensions",
];

pub(super) static TYPES: &[Type] = &[
    sco(
        shape("mutex", "6.11", &[req("name", Kind::String)], &[]),
        &["name"],
        &[],
    ),
    // the property may stand in an extension instead (6.13)
    sco(
        shape("process", "6.13", PROCESS, &[Rule::SomethingBeside(COMMON)]),
        &[],
        &[&WINDOWS_PROCESS, &WINDOWS_SERVICE],
    ),
    sco(
        shape("software", "6.14", SOFTWARE, &[]),
        &["name", "cpe", "swid", "vendor", "version"],
        &[],
    ),
    sco(
        shape(
            "user-account",
            "6.16",
            USER_ACCOUNT,
            &[Rule::SomethingBeside(COMMON)],
        ),
        &["account_type", "user_id", "account_login"],
        &[&UNIX_ACCOUNT],
    ),
    sco(
        shape(
            "windows-registry-key",
            "6.17",
            REGISTRY_KEY,
            &[Rule::SomethingBeside(COMMON_AND_EXTENSIONS)],
        ),
        &["key", "values"],
        &[],
    ),
    sco(
        shape(
            "x509-certificate",
            "6.18",
            CERTIFICATE,
            &[Rule::SomethingBeside(COMMON_AND_EXTENSIONS)],
        ),
        &["hashes", "serial_number"],
        &[],
    ),
];

const PROCESS: &[Property] = &[
    opt("is_hidden", Kind::Boolean),
    opt("pid", INTEGER),
    opt("created_time", TIME),
    opt("cwd", Kind::String),
    opt("command_line", Kind::String),
    opt("environment_variables", Kind::Dictionary(&Kind::String)),
    opt("opened_connection_refs", refers(&["network-traffic"])),
    opt("creator_user_ref", refer(&["user-account"])),
    opt("image_ref", refer(&["file"])),
    opt("parent_ref", refer(&["process"])),
    opt("child_refs", refers(&["process"])),
];

const SOFTWARE: &[Property] = &[
    req("name", Kind::String),
    opt("cpe", Kind::Format(Format::Cpe)),
    opt("swid", Kind::String),
    opt("languages", Kind::List(&Kind::Language)),
    opt("vendor", Kind::String),
    opt("version", Kind::String),
];

const USER_ACCOUNT: &[Property] = &[
    opt("user_id", Kind::String),
    opt("credential", Kind::String),
    opt("account_login", Kind::String),
    opt("account_type", Kind::Word(&ov::ACCOUNT_TYPE_OV)),
    opt("display_name", Kind::String),
    opt("is_service_account", Kind::Boolean),
    opt("is_privileged", Kind::Boolean),
    opt("can_escalate_privs", Kind::Boolean),
    opt("is_disabled", Kind::Boolean),
    opt("account_created", TIME),
    opt("account_expires", TIME),
    opt("credential_last_changed", TIME),
    opt("account_first_login", TIME),
    opt("account_last_login", TIME),
];

const REGISTRY_KEY: &[Property] = &[
    opt("key", Kind::Format(Format::RegistryKey)),
    opt("values", Kind::Shapes(&REGISTRY_VALUE)),
    opt("modified_time", TIME),
    opt("creator_user_ref", refer(&["user-account"])),
    opt("number_of_subkeys", INTEGER),
];

static REGISTRY_VALUE: Shape = Shape {
    name: "windows-registry-value-type",
    clause: "6.17.2",
    properties: &[
        opt("name", Kind::String),
        opt("data", Kind::String),
        opt("data_type", Kind::Word(&ov::WINDOWS_REGISTRY_DATATYPE_ENUM)),
    ],
    rules: &[Rule::SomethingBeside(&[])],
};

const CERTIFICATE: &[Property] = &[
    opt("is_self_signed", Kind::Boolean),
    opt("hashes", Kind::Hashes),
    opt("version", Kind::String),
    opt("serial_number", Kind::String),
    opt("signature_algorithm", Kind::String),
    opt("issuer", Kind::String),
    opt("validity_not_before", TIME),
    opt("validity_not_after", TIME),
    opt("subject", Kind::String),
    opt("subject_public_key_algorithm", Kind::String),
    opt("subject_public_key_modulus", Kind::String),
    opt("subject_public_key_exponent", INTEGER),
    opt("x509_v3_extensions", Kind::Shape(&X509_V3_EXTENSIONS)),
];

static X509_V3_EXTENSIONS: Shape = Shape {
    name: "x509-v3-extensions-type",
    clause: "6.18.2",
    properties: &[
        opt("basic_constraints", Kind::String),
        opt("name_constraints", Kind::String),
        opt("policy_constraints", Kind::String),
        opt("key_usage", Kind::String),
        opt("extended_key_usage", Kind::String),
        opt("subject_key_identifier", Kind::String),
        opt("authority_key_identifier", Kind::String),
        opt("subject_alternative_name", Kind::String),
        opt("issuer_alternative_name", Kind::String),
        opt("subject_directory_attributes", Kind::String),
        opt("crl_distribution_points", Kind::String),
        opt("inhibit_any_policy", Kind::String),
        opt("private_key_usage_period_not_before", TIME),
        opt("private_key_usage_period_not_after", TIME),
        opt("certificate_policies", Kind::String),
        opt("policy_mappings", Kind::String),
    ],
    rules: &[Rule::SomethingBeside(&[])],
};
