//! Every finding this crate can make, in one table: code, severity, clause, meaning.

use crate::finding::Severity;

/// One rule that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable name.
    pub code: &'static str,
    /// Error for a MUST, warning for a SHOULD.
    pub severity: Severity,
    /// Clause that states the rule; a finding may name a more precise one.
    pub clause: &'static str,
    /// The rule in one line.
    pub meaning: &'static str,
}

/// Every code: this table in the order of the file, then the rules of the pattern language.
#[must_use]
pub fn codes() -> Vec<Code> {
    let pattern = crate::pattern::Code::ALL.iter().map(|code| Code {
        code: code.as_str(),
        severity: Severity::Error,
        clause: code.clause(),
        meaning: code.rule(),
    });
    CODES.iter().map(|code| **code).chain(pattern).collect()
}

macro_rules! codes {
    ($($name:ident $severity:ident $code:literal $clause:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub static $name: Code =
            Code { code: $code, severity: Severity::$severity, clause: $clause, meaning: $meaning };)*
        static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    JSON_SYNTAX Error "json.syntax" "RFC 8259" "the text is not JSON";
    JSON_UTF8 Error "json.utf8" "RFC 8259 8.1" "the text is not UTF-8";
    JSON_BOM Error "json.bom" "RFC 8259 8.1" "the text begins with a byte order mark";
    JSON_CONTROL Error "json.control" "RFC 8259 7" "a control character stands unescaped in a string";
    JSON_ESCAPE Error "json.escape" "RFC 8259 7" "a string holds an unknown or broken escape";
    JSON_SURROGATE Error "json.surrogate" "RFC 7493 2.1" "an escape names half of a surrogate pair";
    JSON_NUMBER Error "json.number" "RFC 8259 6" "a number is not written as JSON writes numbers";
    JSON_NUMBER_RANGE Error "json.number.range" "RFC 7493 2.2" "a number is too large for any reader";
    JSON_DUPLICATE_KEY Error "json.key.duplicate" "RFC 7493 2.3" "a key stands twice in one object";
    JSON_TRAILING Error "json.trailing" "RFC 8259 2" "something follows the end of the value";
    JSON_LIMIT_BYTES Error "json.limit.bytes" "limits" "the text is larger than accepted";
    JSON_LIMIT_DEPTH Error "json.limit.depth" "limits" "the value is nested deeper than accepted";
    JSON_LIMIT_NODES Error "json.limit.nodes" "limits" "the value has more parts than accepted";
    JSON_LIMIT_KEY Error "json.limit.key" "limits" "a key is longer than accepted";

    OBJECT Error "stix.object" "1.2.10" "an object is a JSON object";
    TYPE_NAME Error "stix.type.name" "11.2.1" "a type name is a-z, 0-9 and single hyphens, begins with a letter and has 3 to 250 characters";
    TYPE_BUNDLE Error "stix.type.bundle" "8" "a bundle is no object and stands in none";
    TYPE_CUSTOM Warning "stix.type.custom" "11.2" "a type of one's own should be defined by an extension definition";
    TYPE_PREFIX Warning "stix.type.prefix" "11.2.1" "a custom type should begin with `x-`";
    SPEC_VERSION Error "stix.spec-version" "3.2" "`spec_version` is `2.1`";

    ID_FORM Error "stix.id.form" "2.9" "an identifier is `type--UUID`";
    ID_PREFIX Error "stix.id.prefix" "2.9" "an identifier begins with the object's own type";
    ID_CASE Warning "stix.id.case" "2.9" "a UUID is written in small letters";
    ID_VERSION Warning "stix.id.version" "2.9" "identifiers of domain, relationship and meta objects should be UUIDv4";
    ID_RANDOM Error "stix.id.random" "2.9" "an observable without contributing properties has a UUIDv4";
    ID_DETERMINISTIC Warning "stix.id.deterministic" "2.9" "an observable should have the UUIDv5 of its contributing properties";
    REFERENCE_FORM Error "stix.reference.form" "3.3" "a reference is an identifier";
    REFERENCE_TARGET Error "stix.reference.target" "3.3" "a reference leads to a type that the property allows";
    REFERENCE_CUSTOM Warning "stix.reference.custom" "3.1" "a custom property that ends in `_ref` or `_refs` holds identifiers";

    REQUIRED Error "stix.property.required" "3.1" "a required property is there";
    FORBIDDEN Error "stix.property.forbidden" "3.2" "a common property stands only on the objects it applies to";
    RESERVED Error "stix.property.reserved" "3.8" "names reserved for later versions are not used";
    WRONG_KIND Error "stix.property.kind" "2" "a property has a value of its type";
    ANY_OF Error "stix.property.any-of" "4" "at least one of certain properties is there";
    NOT_BOTH Error "stix.property.exclusive" "4" "certain properties exclude each other";
    NEEDS Error "stix.property.needs" "4" "a property comes with another one";
    ORDER Error "stix.property.order" "4" "a time is not before the time it follows";
    RECOMMENDED Warning "stix.property.recommended" "4" "a property should be there";

    LIST_EMPTY Error "stix.list.empty" "2.12" "a list has at least one item";
    DICTIONARY_EMPTY Error "stix.dictionary.empty" "2.3" "a dictionary has at least one key";
    DICTIONARY_KEY Error "stix.dictionary.key" "2.3" "a dictionary key is a-z, A-Z, 0-9, `-`, `_` and has at most 250 characters";
    NULL Error "stix.null" "2" "null is no value of any STIX type";
    INTEGER_FORM Error "stix.integer.form" "2.10" "an integer is written without fraction and exponent";
    INTEGER_RANGE Error "stix.integer.range" "2.10" "an integer is within 54 bits, and within the range of its property";
    FLOAT_RANGE Error "stix.float.range" "2.6" "a float is within the range of its property";
    NUMBER_PRECISION Warning "stix.number.precision" "RFC 7493 2.2" "a number has more digits than a double keeps";
    HEX Error "stix.hex" "2.8" "hex is an even number of the digits 0-9 and a-f";
    BINARY Error "stix.binary" "2.1" "binary is base64";
    HASH_KEY Error "stix.hash.key" "2.7" "a hash name is a-z, A-Z, 0-9, `-`, `_` and has 3 to 250 characters";
    HASH_NAME Warning "stix.hash.name" "2.7" "a hash name should come from the vocabulary";
    HASH_VALUE Error "stix.hash.value" "2.7" "a hash has the form of its algorithm";
    TIMESTAMP Error "stix.timestamp.form" "2.16.1" "a timestamp is RFC 3339 in UTC with `Z`";
    TIMESTAMP_PRECISION Error "stix.timestamp.precision" "3.2" "a timestamp is as fine as its property asks";
    LANGUAGE Error "stix.language" "RFC 5646" "a language is a tag of RFC 5646";
    LANGUAGE_MISSING Warning "stix.language.missing" "3.2" "an object with texts should say their language";
    VOCABULARY_OPEN Warning "stix.vocabulary.open" "2.14" "a term should come from its vocabulary";
    VOCABULARY_CLOSED Error "stix.vocabulary.closed" "2.4" "a term comes from its enumeration";

    CUSTOM_NAME Error "stix.custom.name" "11.1.1" "a property name is a-z, 0-9 and `_`, begins with a letter and has 3 to 250 characters";
    CUSTOM_PREFIX Warning "stix.custom.prefix" "11.1.1" "a custom property should begin with `x_`";
    CUSTOM_UNDEFINED Warning "stix.custom.undefined" "11.1" "custom properties should be defined by an extension definition";
    CUSTOM_EMPTY Warning "stix.custom.empty" "2.12" "nothing deep in custom content should be empty or null";
    EXTENSION_KEY Error "stix.extension.key" "3.2" "an extension is named by an extension definition, a predefined name, or a custom name that ends in `-ext`";
    EXTENSION_PREFIX Warning "stix.extension.prefix" "11.3.1" "a custom extension should begin with `x-`";
    EXTENSION_CUSTOM Warning "stix.extension.custom" "11.3" "an extension of one's own should be defined by an extension definition";
    EXTENSION_PLACE Error "stix.extension.place" "11.3" "predefined and custom extensions stand only on the observables they are for";
    EXTENSION_TYPE Error "stix.extension.type" "3.2" "an extension named by an extension definition says its `extension_type`";
    EXTENSION_REDEFINES Error "stix.extension.redefines" "7.3" "an extension does not redefine what the standard defines";

    MARKING_CIRCULAR Error "stix.marking.circular" "3.2" "a marking definition does not mark itself";
    MARKING_DEFINITION Error "stix.marking.definition" "7.2.1" "a marking definition without extensions has `definition_type` and `definition`";
    MARKING_TYPE Warning "stix.marking.type" "7.2.1" "a definition type should be `statement` or `tlp`";
    MARKING_TLP Error "stix.marking.tlp" "7.2.1.4" "a TLP marking is one of the four of the standard, exactly";
    GRANULAR_CHOICE Error "stix.granular.choice" "7.2.3" "a granular marking has exactly one of `lang` and `marking_ref`";
    SELECTOR_FORM Error "stix.selector.form" "7.2.3" "a selector is names and `[n]` joined by points";
    SELECTOR_TARGET Error "stix.selector.target" "7.2.3" "a selector leads to content that is there";
    TRANSLATION Error "stix.translation" "7.1.1" "translations are strings, or lists and objects of them, by language";

    TRANSLATION_VERSION Error "stix.translation.version" "7.1.1" "`object_modified` is the `modified` of the object translated";
    TRANSLATION_FORM Error "stix.translation.form" "7.1.1" "a translation has the form of what it translates";
    VERSION_CONFLICT Error "stix.version.conflict" "3.6" "a version always has the same properties and values";
    VERSION_CREATED Error "stix.version.created" "3.2" "`created` never changes";
    VERSION_CREATOR Error "stix.version.creator" "3.5" "only the creator of an object makes new versions";
    VERSION_REVOKED Error "stix.version.revoked" "3.6" "a revoked object has no later version";

    RELATIONSHIP_TYPE Error "stix.relationship.type" "5.1.2" "a relationship type is a-z, 0-9 and hyphens";
    RELATIONSHIP_UNLISTED Warning "stix.relationship.unlisted" "5.1.2" "a relationship should be one that the standard lists for its ends";
    KILL_CHAIN Warning "stix.kill-chain" "2.11" "names of kill chains and phases should be in small letters with hyphens";
    EXTERNAL_ID Error "stix.external-id" "4.1.1" "a CAPEC or CVE reference has the identifier's exact form";
    ADDRESS Error "stix.address" "6.8" "an address is written as its family writes it";
    MAC Error "stix.mac" "6.10" "a MAC address is six pairs of small hexadecimal digits joined by colons";
    DOMAIN Error "stix.domain" "6.4" "a domain name follows RFC 1034 and RFC 5890";
    EMAIL Error "stix.email" "6.5" "an email address has no display name";
    URL Error "stix.url" "6.15" "a URL follows RFC 3986";
    LINK Warning "stix.link" "2.5" "the URL of a reference follows RFC 3986";
    CPE Error "stix.cpe" "6.14" "a CPE is one of version 2.3";

    READ Error "input.read" "input" "the input can be read";
    CHARSET Error "stix.charset" "3.9.1" "an encoding is named as the IANA registry of character sets prefers";
    BUNDLE_FORM Error "stix.bundle.form" "8.1" "a bundle has `type`, `id` and a list `objects`";
    BUNDLE_PROPERTY Warning "stix.bundle.property" "8.1" "a bundle has no properties of its own";
    BUNDLE_DUPLICATE Warning "stix.bundle.duplicate" "3.6" "a version of an object stands once in a bundle";
    BUNDLE_UUID Warning "stix.bundle.uuid" "2.9" "a UUID is not used for two types";
    ENVELOPE Error "taxii.envelope" "TAXII 2.1 3.7" "an envelope has `objects`, `more` and `next` of their types";
}
