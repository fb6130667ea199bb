use comity_stix::pattern::{explain, parse};

#[test]
fn the_examples_of_the_standard_in_english() {
    let mut out = String::new();
    for line in include_str!("../data/patterns-spec.txt").lines() {
        out.push_str(&format!(
            "{line}\n    {}\n\n",
            explain(parse(line).valid().unwrap()).replace('\n', "\n    ")
        ));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_rest_in_english() {
    let mut out = String::new();
    for line in [
        "[file:name NOT LIKE 'a%' AND NOT EXISTS file:size AND EXISTS file:hashes[*] AND file:ctime < t'2020-01-01T00:00:00Z']",
        "[x-usb:a_b[2].c NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) OR file:is_x != true OR (file:name NOT != 'a\nb' AND file:size >= 2.5)]",
        "([file:name = 'a'] OR [file:name = 'b'] AND ([url:value = 'c'] FOLLOWEDBY [url:value = 'd']) REPEATS 1 TIMES) WITHIN 1 SECONDS",
        "[file:name = 'x' AND (url:value = 'y' OR file:name MATCHES 'z') AND file:content_ref.payload_bin = h'00ff']",
        "[ipv4-addr:value ISSUPERSET '198.51.100.0/24' OR ipv4-addr:value NOT ISSUBSET '10.0.0.0/8'] START t'2020-01-01T00:00:00Z' STOP t'2020-02-01T00:00:00Z'",
    ] {
        let pattern = parse(line).ast.unwrap();
        out.push_str(&format!(
            "{line}\n    {}\n\n",
            explain(&pattern).replace('\n', "\n    ")
        ));
    }
    insta::assert_snapshot!(out);
}
