//! The statements of STIX 2.1 that a node is held to, one test each, in files named after the clause.

mod c02_09_identifier;
mod c02_16_timestamp;
mod c02_common_data_types;
mod c03_1_names;
mod c03_2_common_properties;
mod c03_3_references;
mod c03_6_versioning;
mod c03_8_reserved_names;
mod c07_1_language_content;
mod c07_2_data_markings;
mod c07_3_extension_definition;
mod c08_bundle;
mod c11_customizing;
mod c12_conformance;
