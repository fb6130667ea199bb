//! The vocabularies and enumerations of the standard (clause 10).

/// A list of values that a property takes.
#[derive(Debug)]
pub struct Vocabulary {
    /// Name in the standard, for example `industry-sector-ov`.
    pub name: &'static str,
    /// Clause.
    pub clause: &'static str,
    /// Open: other values are allowed. Closed (`-enum`): they are not.
    pub open: bool,
    /// The values.
    pub values: &'static [&'static str],
}

impl Vocabulary {
    /// True when `value` is on the list.
    #[must_use]
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }
}

/// Clause 10.1.
pub static ACCOUNT_TYPE_OV: Vocabulary = Vocabulary {
    name: "account-type-ov",
    clause: "10.1",
    open: true,
    values: &[
        "facebook",
        "ldap",
        "nis",
        "openid",
        "radius",
        "skype",
        "tacacs",
        "twitter",
        "unix",
        "windows-local",
        "windows-domain",
    ],
};

/// Clause 10.2.
pub static ATTACK_MOTIVATION_OV: Vocabulary = Vocabulary {
    name: "attack-motivation-ov",
    clause: "10.2",
    open: true,
    values: &[
        "accidental",
        "coercion",
        "dominance",
        "ideology",
        "notoriety",
        "organizational-gain",
        "personal-gain",
        "personal-satisfaction",
        "revenge",
        "unpredictable",
    ],
};

/// Clause 10.3.
pub static ATTACK_RESOURCE_LEVEL_OV: Vocabulary = Vocabulary {
    name: "attack-resource-level-ov",
    clause: "10.3",
    open: true,
    values: &[
        "individual",
        "club",
        "contest",
        "team",
        "organization",
        "government",
    ],
};

/// Clause 10.4.
pub static ENCRYPTION_ALGORITHM_ENUM: Vocabulary = Vocabulary {
    name: "encryption-algorithm-enum",
    clause: "10.4",
    open: false,
    values: &["AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"],
};

/// Clause 10.5.
pub static EXTENSION_TYPE_ENUM: Vocabulary = Vocabulary {
    name: "extension-type-enum",
    clause: "10.5",
    open: false,
    values: &[
        "new-sdo",
        "new-sco",
        "new-sro",
        "property-extension",
        "toplevel-property-extension",
    ],
};

/// Clause 10.6.
pub static GROUPING_CONTEXT_OV: Vocabulary = Vocabulary {
    name: "grouping-context-ov",
    clause: "10.6",
    open: true,
    values: &["suspicious-activity", "malware-analysis", "unspecified"],
};

/// Clause 10.7.
pub static HASH_ALGORITHM_OV: Vocabulary = Vocabulary {
    name: "hash-algorithm-ov",
    clause: "10.7",
    open: true,
    values: &[
        "MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH",
    ],
};

/// Clause 10.8.
pub static IDENTITY_CLASS_OV: Vocabulary = Vocabulary {
    name: "identity-class-ov",
    clause: "10.8",
    open: true,
    values: &[
        "individual",
        "group",
        "system",
        "organization",
        "class",
        "unknown",
    ],
};

/// Clause 10.9.
pub static IMPLEMENTATION_LANGUAGE_OV: Vocabulary = Vocabulary {
    name: "implementation-language-ov",
    clause: "10.9",
    open: true,
    values: &[
        "applescript",
        "bash",
        "c",
        "c++",
        "c#",
        "go",
        "java",
        "javascript",
        "lua",
        "objective-c",
        "perl",
        "php",
        "powershell",
        "python",
        "ruby",
        "rust",
        "scala",
        "swift",
        "typescript",
        "visual-basic",
        "x86-32",
        "x86-64",
    ],
};

/// Clause 10.10.
pub static INDICATOR_TYPE_OV: Vocabulary = Vocabulary {
    name: "indicator-type-ov",
    clause: "10.10",
    open: true,
    values: &[
        "anomalous-activity",
        "anonymization",
        "benign",
        "compromised",
        "malicious-activity",
        "attribution",
        "unknown",
    ],
};

/// Clause 10.11.
pub static INDUSTRY_SECTOR_OV: Vocabulary = Vocabulary {
    name: "industry-sector-ov",
    clause: "10.11",
    open: true,
    values: &[
        "agriculture",
        "aerospace",
        "automotive",
        "chemical",
        "commercial",
        "communications",
        "construction",
        "defense",
        "education",
        "energy",
        "entertainment",
        "financial-services",
        "government",
        "emergency-services",
        "government-local",
        "government-national",
        "government-public-services",
        "government-regional",
        "healthcare",
        "hospitality-leisure",
        "infrastructure",
        "dams",
        "nuclear",
        "water",
        "insurance",
        "legal",
        "manufacturing",
        "mining",
        "non-profit",
        "pharmaceuticals",
        "retail",
        "technology",
        "telecommunications",
        "transportation",
        "utilities",
    ],
};

/// Clause 10.12.
pub static INFRASTRUCTURE_TYPE_OV: Vocabulary = Vocabulary {
    name: "infrastructure-type-ov",
    clause: "10.12",
    open: true,
    values: &[
        "amplification",
        "anonymization",
        "botnet",
        "command-and-control",
        "control-system",
        "exfiltration",
        "firewall",
        "hosting-malware",
        "hosting-target-lists",
        "phishing",
        "reconnaissance",
        "routers-switches",
        "staging",
        "workstation",
        "unknown",
    ],
};

/// Clause 10.13.
pub static MALWARE_CAPABILITIES_OV: Vocabulary = Vocabulary {
    name: "malware-capabilities-ov",
    clause: "10.13",
    open: true,
    values: &[
        "accesses-remote-machines",
        "anti-debugging",
        "anti-disassembly",
        "anti-emulation",
        "anti-memory-forensics",
        "anti-sandbox",
        "anti-vm",
        "captures-input-peripherals",
        "captures-output-peripherals",
        "captures-system-state-data",
        "cleans-traces-of-infection",
        "commits-fraud",
        "communicates-with-c2",
        "compromises-data-availability",
        "compromises-data-integrity",
        "compromises-system-availability",
        "controls-local-machine",
        "degrades-security-software",
        "degrades-system-updates",
        "determines-c2-server",
        "emails-spam",
        "escalates-privileges",
        "evades-av",
        "exfiltrates-data",
        "fingerprints-host",
        "hides-artifacts",
        "hides-executing-code",
        "infects-files",
        "infects-remote-machines",
        "installs-other-components",
        "persists-after-system-reboot",
        "prevents-artifact-access",
        "prevents-artifact-deletion",
        "probes-network-environment",
        "self-modifies",
        "steals-authentication-credentials",
        "violates-system-operational-integrity",
    ],
};

/// Clause 10.14.
pub static MALWARE_RESULT_OV: Vocabulary = Vocabulary {
    name: "malware-result-ov",
    clause: "10.14",
    open: true,
    values: &["malicious", "suspicious", "benign", "unknown"],
};

/// Clause 10.15.
pub static MALWARE_TYPE_OV: Vocabulary = Vocabulary {
    name: "malware-type-ov",
    clause: "10.15",
    open: true,
    values: &[
        "adware",
        "backdoor",
        "bot",
        "bootkit",
        "ddos",
        "downloader",
        "dropper",
        "exploit-kit",
        "keylogger",
        "ransomware",
        "remote-access-trojan",
        "resource-exploitation",
        "rogue-security-software",
        "rootkit",
        "screen-capture",
        "spyware",
        "trojan",
        "unknown",
        "virus",
        "webshell",
        "wiper",
        "worm",
    ],
};

/// Clause 10.16.
pub static NETWORK_SOCKET_ADDRESS_FAMILY_ENUM: Vocabulary = Vocabulary {
    name: "network-socket-address-family-enum",
    clause: "10.16",
    open: false,
    values: &[
        "AF_UNSPEC",
        "AF_INET",
        "AF_IPX",
        "AF_APPLETALK",
        "AF_NETBIOS",
        "AF_INET6",
        "AF_IRDA",
        "AF_BTH",
    ],
};

/// Clause 10.17.
pub static NETWORK_SOCKET_TYPE_ENUM: Vocabulary = Vocabulary {
    name: "network-socket-type-enum",
    clause: "10.17",
    open: false,
    values: &[
        "SOCK_STREAM",
        "SOCK_DGRAM",
        "SOCK_RAW",
        "SOCK_RDM",
        "SOCK_SEQPACKET",
    ],
};

/// Clause 10.18.
pub static OPINION_ENUM: Vocabulary = Vocabulary {
    name: "opinion-enum",
    clause: "10.18",
    open: false,
    values: &[
        "strongly-disagree",
        "disagree",
        "neutral",
        "agree",
        "strongly-agree",
    ],
};

/// Clause 10.19.
pub static PATTERN_TYPE_OV: Vocabulary = Vocabulary {
    name: "pattern-type-ov",
    clause: "10.19",
    open: true,
    values: &["stix", "pcre", "sigma", "snort", "suricata", "yara"],
};

/// Clause 10.20.
pub static PROCESSOR_ARCHITECTURE_OV: Vocabulary = Vocabulary {
    name: "processor-architecture-ov",
    clause: "10.20",
    open: true,
    values: &[
        "alpha", "arm", "ia-64", "mips", "powerpc", "sparc", "x86", "x86-64",
    ],
};

/// Clause 10.21.
pub static REGION_OV: Vocabulary = Vocabulary {
    name: "region-ov",
    clause: "10.21",
    open: true,
    values: &[
        "africa",
        "eastern-africa",
        "middle-africa",
        "northern-africa",
        "southern-africa",
        "western-africa",
        "americas",
        "caribbean",
        "central-america",
        "latin-america-caribbean",
        "northern-america",
        "south-america",
        "asia",
        "central-asia",
        "eastern-asia",
        "southern-asia",
        "south-eastern-asia",
        "western-asia",
        "europe",
        "eastern-europe",
        "northern-europe",
        "southern-europe",
        "western-europe",
        "oceania",
        "antarctica",
        "australia-new-zealand",
        "melanesia",
        "micronesia",
        "polynesia",
    ],
};

/// Clause 10.22.
pub static REPORT_TYPE_OV: Vocabulary = Vocabulary {
    name: "report-type-ov",
    clause: "10.22",
    open: true,
    values: &[
        "attack-pattern",
        "campaign",
        "identity",
        "incident",
        "indicator",
        "intrusion-set",
        "malware",
        "observed-data",
        "threat-actor",
        "threat-report",
        "tool",
        "vulnerability",
    ],
};

/// Clause 10.23.
pub static THREAT_ACTOR_TYPE_OV: Vocabulary = Vocabulary {
    name: "threat-actor-type-ov",
    clause: "10.23",
    open: true,
    values: &[
        "activist",
        "competitor",
        "crime-syndicate",
        "criminal",
        "hacker",
        "insider-accidental",
        "insider-disgruntled",
        "nation-state",
        "private-sector",
        "sensationalist",
        "spy",
        "terrorist",
        "unknown",
    ],
};

/// Clause 10.24.
pub static THREAT_ACTOR_ROLE_OV: Vocabulary = Vocabulary {
    name: "threat-actor-role-ov",
    clause: "10.24",
    open: true,
    values: &[
        "agent",
        "director",
        "independent",
        "infrastructure-architect",
        "infrastructure-operator",
        "malware-author",
        "sponsor",
    ],
};

/// Clause 10.25.
pub static THREAT_ACTOR_SOPHISTICATION_OV: Vocabulary = Vocabulary {
    name: "threat-actor-sophistication-ov",
    clause: "10.25",
    open: true,
    values: &[
        "none",
        "minimal",
        "intermediate",
        "advanced",
        "expert",
        "innovator",
        "strategic",
    ],
};

/// Clause 10.26.
pub static TOOL_TYPE_OV: Vocabulary = Vocabulary {
    name: "tool-type-ov",
    clause: "10.26",
    open: true,
    values: &[
        "denial-of-service",
        "exploitation",
        "information-gathering",
        "network-capture",
        "credential-exploitation",
        "remote-access",
        "vulnerability-scanning",
        "unknown",
    ],
};

/// Clause 10.27.
pub static WINDOWS_INTEGRITY_LEVEL_ENUM: Vocabulary = Vocabulary {
    name: "windows-integrity-level-enum",
    clause: "10.27",
    open: false,
    values: &["low", "medium", "high", "system"],
};

/// Clause 10.28.
pub static WINDOWS_PEBINARY_TYPE_OV: Vocabulary = Vocabulary {
    name: "windows-pebinary-type-ov",
    clause: "10.28",
    open: true,
    values: &["dll", "exe", "sys"],
};

/// Clause 10.29.
pub static WINDOWS_REGISTRY_DATATYPE_ENUM: Vocabulary = Vocabulary {
    name: "windows-registry-datatype-enum",
    clause: "10.29",
    open: false,
    values: &[
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_DWORD_LITTLE_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTION",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
        "REG_INVALID_TYPE",
    ],
};

/// Clause 10.30.
pub static WINDOWS_SERVICE_START_TYPE_ENUM: Vocabulary = Vocabulary {
    name: "windows-service-start-type-enum",
    clause: "10.30",
    open: false,
    values: &[
        "SERVICE_AUTO_START",
        "SERVICE_BOOT_START",
        "SERVICE_DEMAND_START",
        "SERVICE_DISABLED",
        "SERVICE_SYSTEM_ALERT",
    ],
};

/// Clause 10.31.
pub static WINDOWS_SERVICE_TYPE_ENUM: Vocabulary = Vocabulary {
    name: "windows-service-type-enum",
    clause: "10.31",
    open: false,
    values: &[
        "SERVICE_KERNEL_DRIVER",
        "SERVICE_FILE_SYSTEM_DRIVER",
        "SERVICE_WIN32_OWN_PROCESS",
        "SERVICE_WIN32_SHARE_PROCESS",
    ],
};

/// Clause 10.32.
pub static WINDOWS_SERVICE_STATUS_ENUM: Vocabulary = Vocabulary {
    name: "windows-service-status-enum",
    clause: "10.32",
    open: false,
    values: &[
        "SERVICE_CONTINUE_PENDING",
        "SERVICE_PAUSE_PENDING",
        "SERVICE_PAUSED",
        "SERVICE_RUNNING",
        "SERVICE_START_PENDING",
        "SERVICE_STOP_PENDING",
        "SERVICE_STOPPED",
    ],
};

/// All of them, in the order of clause 10.
pub static ALL: &[&Vocabulary] = &[
    &ACCOUNT_TYPE_OV,
    &ATTACK_MOTIVATION_OV,
    &ATTACK_RESOURCE_LEVEL_OV,
    &ENCRYPTION_ALGORITHM_ENUM,
    &EXTENSION_TYPE_ENUM,
    &GROUPING_CONTEXT_OV,
    &HASH_ALGORITHM_OV,
    &IDENTITY_CLASS_OV,
    &IMPLEMENTATION_LANGUAGE_OV,
    &INDICATOR_TYPE_OV,
    &INDUSTRY_SECTOR_OV,
    &INFRASTRUCTURE_TYPE_OV,
    &MALWARE_CAPABILITIES_OV,
    &MALWARE_RESULT_OV,
    &MALWARE_TYPE_OV,
    &NETWORK_SOCKET_ADDRESS_FAMILY_ENUM,
    &NETWORK_SOCKET_TYPE_ENUM,
    &OPINION_ENUM,
    &PATTERN_TYPE_OV,
    &PROCESSOR_ARCHITECTURE_OV,
    &REGION_OV,
    &REPORT_TYPE_OV,
    &THREAT_ACTOR_TYPE_OV,
    &THREAT_ACTOR_ROLE_OV,
    &THREAT_ACTOR_SOPHISTICATION_OV,
    &TOOL_TYPE_OV,
    &WINDOWS_INTEGRITY_LEVEL_ENUM,
    &WINDOWS_PEBINARY_TYPE_OV,
    &WINDOWS_REGISTRY_DATATYPE_ENUM,
    &WINDOWS_SERVICE_START_TYPE_ENUM,
    &WINDOWS_SERVICE_TYPE_ENUM,
    &WINDOWS_SERVICE_STATUS_ENUM,
];
