//! A node's recipient key as age writes it: `age1...`, Bech32 (BIP 173) of 32 octets, so that anybody's age can encrypt to it.

/// BIP 173, "Bech32".
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const HRP: &str = "age";

/// The key as text.
#[must_use]
pub fn encode(key: &[u8; 32]) -> String {
    let data = regroup(key, 8, 5);
    let mut text = format!("{HRP}1");
    let sum = checksum(&data);
    for value in data.iter().chain(&sum) {
        text.push(char::from(
            ALPHABET.get(usize::from(*value)).copied().unwrap_or(b'q'),
        ));
    }
    text
}

/// Reads a key; `None` for anything but what [`encode`] writes.
#[must_use]
pub fn decode(text: &str) -> Option<[u8; 32]> {
    let data = text.strip_prefix(HRP)?.strip_prefix('1')?;
    let values: Option<Vec<u8>> = data
        .bytes()
        .map(|byte| {
            let place = ALPHABET.iter().position(|letter| *letter == byte)?;
            u8::try_from(place).ok()
        })
        .collect();
    let values = values?;
    let (data, _) = values.split_at_checked(values.len().checked_sub(6)?)?;
    let bytes = regroup(data, 5, 8);
    let key: [u8; 32] = bytes.get(..32)?.try_into().ok()?;
    // one spelling: padding and checksum are those it would be written with
    (encode(&key) == text).then_some(key)
}

fn regroup(values: &[u8], from: u32, to: u32) -> Vec<u8> {
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut out = Vec::new();
    for value in values {
        held = held << from | u32::from(*value);
        bits += from;
        while bits >= to {
            bits -= to;
            out.push((held >> bits & ((1 << to) - 1)) as u8);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push((held << (to - bits)) as u8);
    }
    out
}

fn checksum(data: &[u8]) -> [u8; 6] {
    let mut state = 1_u32;
    let mut take = |value: u8| {
        let top = state >> 25;
        state = (state & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (bit, generator) in [
            0x3b6a_57b2,
            0x2650_8e6d,
            0x1ea1_19fa,
            0x3d42_33dd,
            0x2a14_62b3,
        ]
        .into_iter()
        .enumerate()
        {
            if top >> bit & 1 == 1 {
                state ^= generator;
            }
        }
    };
    HRP.bytes().for_each(|byte| take(byte >> 5));
    take(0);
    HRP.bytes().for_each(|byte| take(byte & 31));
    data.iter().for_each(|value| take(*value));
    (0..6).for_each(|_| take(0));
    let sum = state ^ 1;
    [25, 20, 15, 10, 5, 0].map(|shift| (sum >> shift & 31) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recipient from age's own documentation.
    const KNOWN: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn the_text_is_ages() {
        let key = decode(KNOWN).unwrap();
        assert_eq!(encode(&key), KNOWN);
        for number in 0..=255 {
            let key = [number; 32];
            assert_eq!(decode(&encode(&key)), Some(key));
        }
    }

    #[test]
    fn a_mistyped_key_is_found() {
        for place in 4..KNOWN.len() {
            let mut text = KNOWN.to_owned().into_bytes();
            text[place] = if text[place] == b'q' { b'p' } else { b'q' };
            assert_eq!(decode(str::from_utf8(&text).unwrap()), None);
        }
        for bad in [
            "",
            "age1",
            &KNOWN.to_uppercase(),
            &KNOWN[..60],
            &format!("{KNOWN}q"),
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
