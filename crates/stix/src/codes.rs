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
    /// What to do when it is broken.
    pub help: &'static str,
}

/// Every code: this table in the order of the file, then the rules of the pattern language.
#[must_use]
pub fn codes() -> Vec<Code> {
    let pattern = crate::pattern::Code::ALL.iter().map(|code| Code {
        code: code.as_str(),
        severity: if code.is_warning() {
            Severity::Warning
        } else {
            Severity::Error
        },
        clause: code.clause(),
        meaning: code.rule().trim(),
        help: "",
    });
    CODES.iter().map(|code| **code).chain(pattern).collect()
}

macro_rules! codes {
    ($($name:ident $severity:ident $code:literal $clause:literal $meaning:literal $help:literal;)*) => {
        $(#[doc = $meaning] pub static $name: Code =
            Code { code: $code, severity: Severity::$severity, clause: $clause, meaning: $meaning, help: $help };)*
        static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    JSON_SYNTAX Error "json.syntax" "RFC 8259" "the text is not JSON"
        "check the brackets, commas and quotes before this place";
    JSON_UTF8 Error "json.utf8" "RFC 8259 8.1" "the text is not UTF-8"
        "save the text as UTF-8";
    JSON_BOM Error "json.bom" "RFC 8259 8.1" "the text begins with a byte order mark"
        "save the text as UTF-8 without byte order mark";
    JSON_CONTROL Error "json.control" "RFC 8259 7" "a control character stands unescaped in a string"
        r"write it as an escape such as `\n` or `\u0009`";
    JSON_ESCAPE Error "json.escape" "RFC 8259 7" "a string holds an unknown or broken escape"
        "JSON knows a backslash before `b`, `f`, `n`, `r`, `t`, `/`, a quote, a backslash, or `u` and four digits";
    JSON_SURROGATE Error "json.surrogate" "RFC 7493 2.1" "an escape names half of a surrogate pair"
        "write both halves of the pair, or the character itself";
    JSON_NUMBER Error "json.number" "RFC 8259 6" "a number is not written as JSON writes numbers"
        "write it such as `-12.5e3`: no leading zeros, no sign `+`, digits on both sides of the point";
    JSON_NUMBER_RANGE Error "json.number.range" "RFC 7493 2.2" "a number is too large for any reader"
        "write it as a string, or smaller";
    JSON_DUPLICATE_KEY Error "json.key.duplicate" "RFC 7493 2.3" "a key stands twice in one object"
        "keep one of the two: readers disagree about which of them counts";
    JSON_TRAILING Error "json.trailing" "RFC 8259 2" "something follows the end of the value"
        "separate texts, or put the objects into one bundle";
    JSON_LIMIT_BYTES Error "json.limit.bytes" "limits" "the text is larger than accepted"
        "split it, or carry large contents elsewhere and refer to them by hash";
    JSON_LIMIT_DEPTH Error "json.limit.depth" "limits" "the value is nested deeper than accepted"
        "flatten the value";
    JSON_LIMIT_NODES Error "json.limit.nodes" "limits" "the value has more parts than accepted"
        "split it into several objects";
    JSON_LIMIT_KEY Error "json.limit.key" "limits" "a key is longer than accepted"
        "shorten the key to 250 characters";

    LIMIT_SELECTORS Error "stix.limit.selectors" "limits" "granular markings have no more selectors and entries than accepted"
        "mark the whole object, or split it";
    OBJECT Error "stix.object" "1.2.10" "an object is a JSON object"
        "begin with `{`";
    TYPE_NAME Error "stix.type.name" "11.2.1" "a type name is a-z, 0-9 and single hyphens, begins with a letter and has 3 to 250 characters"
        "use a name such as `x-example-thing`";
    TYPE_BUNDLE Error "stix.type.bundle" "8" "a bundle is no object and stands in none"
        "give the objects in it one by one";
    TYPE_CUSTOM Warning "stix.type.custom" "11.2" "a type of one's own should be defined by an extension definition"
        "add an extension of type `new-sdo`, `new-sro` or `new-sco` to `extensions`";
    TYPE_PREFIX Warning "stix.type.prefix" "11.2.1" "a custom type should begin with `x-`"
        "begin the name with `x-`, or define it by an extension";
    SPEC_VERSION Error "stix.spec-version" "3.2" "`spec_version` is `2.1`"
        "convert objects of STIX 2.0 before you send them";

    ID_FORM Error "stix.id.form" "2.9" "an identifier is `type--UUID`"
        "write the type, two hyphens and a UUID, all in small letters";
    ID_PREFIX Error "stix.id.prefix" "2.9" "an identifier begins with the object's own type"
        "begin the identifier with the value of `type`";
    ID_CASE Warning "stix.id.case" "2.9" "a UUID is written in small letters"
        "write it in small letters: identifiers are compared letter by letter";
    ID_VERSION Warning "stix.id.version" "2.9" "identifiers of domain, relationship and meta objects should be UUIDv4"
        "make a random UUID; versions other than 4 may collide";
    ID_RANDOM Error "stix.id.random" "2.9" "an observable without contributing properties has a UUIDv4"
        "make a random UUID";
    ID_DETERMINISTIC Warning "stix.id.deterministic" "2.9" "an observable should have the UUIDv5 of its contributing properties"
        "use that identifier, so that others recognise the same observable";
    REFERENCE_FORM Error "stix.reference.form" "3.3" "a reference is an identifier"
        "give the `id` of the other object";
    REFERENCE_TARGET Error "stix.reference.target" "3.3" "a reference leads to a type that the property allows"
        "check which object is meant";
    REFERENCE_CUSTOM Warning "stix.reference.custom" "3.1" "a custom property that ends in `_ref` or `_refs` holds identifiers"
        "rename the property, or give an identifier";

    REQUIRED Error "stix.property.required" "3.1" "a required property is there"
        "add the property";
    FORBIDDEN Error "stix.property.forbidden" "3.2" "a common property stands only on the objects it applies to"
        "leave it out";
    RESERVED Error "stix.property.reserved" "3.8" "names reserved for later versions are not used"
        "use another name, such as one that begins with `x_`";
    RESERVED_COMPLETED Warning "stix.property.reserved-in-stub" "3.8" "names reserved for later versions should not be used where an extension completes a stub"
        "use another name, such as one that begins with `x_`";
    WRONG_KIND Error "stix.property.kind" "2" "a property has a value of its type"
        "give a value of that type";
    ANY_OF Error "stix.property.any-of" "4" "at least one of certain properties is there"
        "add one of them";
    NOT_BOTH Error "stix.property.exclusive" "4" "certain properties exclude each other"
        "leave one of them out";
    NEEDS Error "stix.property.needs" "4" "a property comes with another one"
        "add the other one";
    ORDER Error "stix.property.order" "4" "a time is not before the time it follows"
        "check which of the two times is right";
    RECOMMENDED Warning "stix.property.recommended" "4" "a property should be there"
        "add it if it is known";

    LIST_EMPTY Error "stix.list.empty" "2.12" "a list has at least one item"
        "leave the property out";
    DICTIONARY_EMPTY Error "stix.dictionary.empty" "2.3" "a dictionary has at least one key"
        "leave the property out";
    DICTIONARY_KEY Error "stix.dictionary.key" "2.3" "a dictionary key is a-z, A-Z, 0-9, `-`, `_` and has at most 250 characters"
        "use letters, digits, `-` and `_`";
    NULL Error "stix.null" "2" "null is no value of any STIX type"
        "leave the property out";
    INTEGER_FORM Error "stix.integer.form" "2.10" "an integer is written without fraction and exponent"
        "write it without point and exponent";
    INTEGER_RANGE Error "stix.integer.range" "2.10" "an integer is within 54 bits, and within the range of its property"
        "check the number";
    FLOAT_RANGE Error "stix.float.range" "2.6" "a float is within the range of its property"
        "check the number";
    NUMBER_PRECISION Warning "stix.number.precision" "RFC 7493 2.2" "a number has more digits than a double keeps"
        "write it as a string, or with fewer digits";
    HEX Error "stix.hex" "2.8" "hex is an even number of the digits 0-9 and a-f"
        "use two small digits for each byte";
    BINARY Error "stix.binary" "2.1" "binary is base64"
        "encode it by RFC 4648 section 4, with padding";
    HASH_KEY Error "stix.hash.key" "2.7" "a hash name is a-z, A-Z, 0-9, `-`, `_` and has 3 to 250 characters"
        "use a name such as `SHA-256`";
    HASH_NAME Warning "stix.hash.name" "2.7" "a hash name should come from the vocabulary"
        "use a name of the vocabulary, such as `SHA-256`";
    HASH_VALUE Error "stix.hash.value" "2.7" "a hash has the form of its algorithm"
        "check the algorithm and the number of digits";
    TIMESTAMP Error "stix.timestamp.form" "2.16.1" "a timestamp is RFC 3339 in UTC with `Z`"
        "write it such as `2024-03-01T10:00:00.000Z`";
    TIMESTAMP_PRECISION Error "stix.timestamp.precision" "3.2" "a timestamp is as fine as its property asks"
        "write it such as `2024-03-01T10:00:00.000Z`";
    LANGUAGE Error "stix.language" "RFC 5646" "a language is a tag of RFC 5646"
        "use a tag such as `en` or `uk-UA`";
    LANGUAGE_MISSING Warning "stix.language.missing" "3.2" "an object with texts should say their language"
        "add `lang`, for example `en`";
    VOCABULARY_OPEN Warning "stix.vocabulary.open" "2.14" "a term should come from its vocabulary"
        "use a term of the vocabulary where one fits";
    VOCABULARY_CLOSED Error "stix.vocabulary.closed" "2.4" "a term comes from its enumeration"
        "use one of its terms";

    CUSTOM_NAME Error "stix.custom.name" "11.1.1" "a property name is a-z, 0-9 and `_`, begins with a letter and has 3 to 250 characters"
        "use a name such as `x_example_name`";
    CUSTOM_PREFIX Warning "stix.custom.prefix" "11.1.1" "a custom property should begin with `x_`"
        "begin the name with `x_`, or define it by an extension";
    CUSTOM_UNDEFINED Warning "stix.custom.undefined" "11.1" "custom properties should be defined by an extension definition"
        "add an extension of type `toplevel-property-extension` to `extensions`";
    CUSTOM_EMPTY Warning "stix.custom.empty" "2.12" "nothing deep in custom content should be empty or null"
        "leave it out";
    EXTENSION_KEY Error "stix.extension.key" "3.2" "an extension is named by an extension definition, a predefined name, or a custom name that ends in `-ext`"
        "use the `id` of an extension definition";
    EXTENSION_PREFIX Warning "stix.extension.prefix" "11.3.1" "a custom extension should begin with `x-`"
        "begin the name with `x-`";
    EXTENSION_CUSTOM Warning "stix.extension.custom" "11.3" "an extension of one's own should be defined by an extension definition"
        "use the `id` of an extension definition as the key";
    EXTENSION_PLACE Error "stix.extension.place" "11.3" "predefined and custom extensions stand only on the observables they are for"
        "use an extension definition for objects of this type";
    EXTENSION_TYPE Error "stix.extension.type" "3.2" "an extension named by an extension definition says its `extension_type`"
        "add `extension_type`";
    EXTENSION_NAME Warning "stix.extension.name" "7.3.2" "a property inside an extension has a name of a-z, 0-9 and `_`, with 3 to 250 characters"
        "ask whoever defines the extension; its schema is what the rule binds";
    EXTENSION_STUB Warning "stix.extension.stub" "7.3" "an extension of a stub should add properties, not define the type anew"
        "use `property-extension` or `toplevel-property-extension`";
    EXTENSION_REDEFINES Error "stix.extension.redefines" "7.3" "an extension does not redefine what the standard defines"
        "use `property-extension` or `toplevel-property-extension`";

    MARKING_CIRCULAR Error "stix.marking.circular" "3.2" "a marking definition does not mark itself"
        "leave the reference out";
    MARKING_DEFINITION Error "stix.marking.definition" "7.2.1" "a marking definition without extensions has `definition_type` and `definition`"
        "add the other one, or use an extension";
    MARKING_TYPE Warning "stix.marking.type" "7.2.1" "a definition type should be `statement` or `tlp`"
        "use the extension mechanism for other markings";
    MARKING_TLP Error "stix.marking.tlp" "7.2.1.4" "a TLP marking is one of the four of the standard or the five of TLP 2.0, exactly"
        "refer to the marking by its identifier; for TLP 2.0 use the objects that FIRST and OASIS publish";
    GRANULAR_CHOICE Error "stix.granular.choice" "7.2.3" "a granular marking has exactly one of `lang` and `marking_ref`"
        "keep one; make two entries for both";
    SELECTOR_FORM Error "stix.selector.form" "7.2.3" "a selector is names and `[n]` joined by points"
        "write it such as `external_references.[0].url`";
    SELECTOR_TARGET Error "stix.selector.target" "7.2.3" "a selector leads to content that is there"
        "name a property that is there, list items as `.[0]`";
    TRANSLATION Warning "stix.translation" "7.1.1" "translations are strings, or lists and objects of them, by language"
        "give the text in that language; what cannot be translated is ignored";

    TRANSLATION_VERSION Error "stix.translation.version" "7.1.1" "`object_modified` is the `modified` of the object translated"
        "translate the version at hand";
    TRANSLATION_FORM Error "stix.translation.form" "7.1.1" "a translation has the form of what it translates"
        "mirror the original, with an empty string for what is not translated";
    VERSION_CONFLICT Error "stix.version.conflict" "3.6" "a version always has the same properties and values"
        "set `modified` when anything changes";
    VERSION_CREATED Error "stix.version.created" "3.2" "`created` never changes"
        "keep `created` of the first version";
    VERSION_CREATOR Error "stix.version.creator" "3.5" "only the creator of an object makes new versions"
        "make a new object and relate it by `derived-from`";
    VERSION_REVOKED Error "stix.version.revoked" "3.6" "a revoked object has no later version"
        "make a new object";

    RELATIONSHIP_TYPE Error "stix.relationship.type" "5.1.2" "a relationship type is a-z, 0-9 and hyphens"
        "use a name such as `related-to`";
    RELATIONSHIP_UNLISTED Warning "stix.relationship.unlisted" "5.1.2" "a relationship should be one that the standard lists for its ends"
        "use a listed one where one fits, or `related-to`";
    KILL_CHAIN Warning "stix.kill-chain" "2.11" "names of kill chains and phases should be in small letters with hyphens"
        "write it such as `initial-access`";
    EXTERNAL_ID Error "stix.external-id" "4.1.1" "a CAPEC or CVE reference has the identifier's exact form"
        "write it such as `CVE-2021-44228` or `CAPEC-163`";
    ADDRESS Error "stix.address" "6.8" "an address is written as its family writes it"
        "write it such as `198.51.100.0/24`; set `defanged` when it is altered on purpose";
    MAC Error "stix.mac" "6.10" "a MAC address is six pairs of small hexadecimal digits joined by colons"
        "write it such as `d2:fb:49:24:37:18`";
    DOMAIN Error "stix.domain" "6.4" "a domain name follows RFC 1034 and RFC 5890"
        "write it such as `example.com`; set `defanged` when it is altered on purpose";
    EMAIL Error "stix.email" "6.5" "an email address has no display name"
        "write it such as `name@example.com`, the display name in `display_name`";
    URL Error "stix.url" "6.15" "a URL follows RFC 3986"
        "escape other characters as `%20`; set `defanged` when it is altered on purpose";
    LINK Warning "stix.link" "2.5" "the URL of a reference follows RFC 3986"
        "escape other characters as `%20`";
    CPE Error "stix.cpe" "6.14" "a CPE is one of version 2.3"
        "write it such as `cpe:2.3:a:example:tool:1.0:*:*:*:*:*:*:*`";

    REGISTRY_KEY Error "stix.registry-key" "6.17.1" "the hive of a registry key is written out"
        "write it such as `HKEY_LOCAL_MACHINE\\System\\Foo`";
    ENCODED_WORD Error "stix.encoded-word" "6.6" "encoded words of mail headers (RFC 2047) are decoded"
        "write the text that they stand for";
    MIME Warning "stix.mime" "6.1" "a MIME type should be one of the IANA registry"
        "write it such as `application/pdf`";
    COUNTRY Warning "stix.country" "4.10.1" "countries and their areas should be codes of ISO 3166-1 and 3166-2"
        "write a country such as `UA`, an area such as `UA-30`";
    PRIORITY Warning "stix.priority" "6.13.2" "a priority of a Windows process should end in `_CLASS`"
        "write it such as `HIGH_PRIORITY_CLASS`";
    DEPRECATED Warning "stix.deprecated" "2.13" "what the standard is about to drop should not be used"
        "use `object_refs` and objects of their own";
    SHA256_MISSING Warning "stix.hash.sha-256" "2.7" "hashes should include SHA-256"
        "add it if it is known";
    READ Error "input.read" "input" "the input can be read"
        "check the file and its permissions";
    CHARSET Error "stix.charset" "3.9.1" "an encoding is named as the IANA registry of character sets prefers"
        "use a name such as `UTF-8` or `windows-1251`";
    BUNDLE_FORM Error "stix.bundle.form" "8.1" "a bundle has `type`, `id` and a list `objects`"
        "give `type`, `id` and `objects`";
    BUNDLE_PROPERTY Warning "stix.bundle.property" "8.1" "a bundle has no properties of its own"
        "put it into an object";
    BUNDLE_DUPLICATE Warning "stix.bundle.duplicate" "3.6" "a version of an object stands once in a bundle"
        "leave one of them out";
    BUNDLE_UUID Warning "stix.bundle.uuid" "2.9" "a UUID is not used for two types"
        "make a new UUID for one of them";
    ENVELOPE Error "taxii.envelope" "TAXII 2.1 3.7" "an envelope has `objects`, `more` and `next` of their types"
        "send `{\"objects\": [...]}`";
}
