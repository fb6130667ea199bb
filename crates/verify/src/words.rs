//! The sentences people read, in English and in Ukrainian. `{0}`, `{1}` are filled in.
//!
//! A table and no library for languages: some eighty sentences without plural forms do not need one, and the program stays
//! small. A test compares the gaps of both.

/// A language people can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Ukrainian.
    Uk,
}

impl Language {
    /// `en` or `uk`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "en" => Some(Self::En),
            "uk" => Some(Self::Uk),
            _ => None,
        }
    }
}

/// The sentence of a code, with its gaps filled. A code without a sentence is shown as it is.
#[must_use]
pub(crate) fn text(language: Language, code: &str, values: &[String]) -> String {
    let row = SENTENCES.iter().find(|(name, ..)| *name == code);
    let sentence = row.map_or(code, |(_, en, uk)| match language {
        Language::En => en,
        Language::Uk => uk,
    });
    let mut out = String::new();
    let mut rest = sentence;
    // one pass, so that a value that looks like a gap is left alone
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (number, after) = after.split_once('}').unwrap_or((after, ""));
        let value = number
            .parse()
            .ok()
            .and_then(|place: usize| values.get(place));
        out.push_str(&printable(value.map_or("", String::as_str)));
        rest = after;
    }
    out + rest
}

/// Texts from the package reach a terminal without control characters and without signs that change the direction.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let harmful = c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
            let escaped = harmful.then(|| c.escape_unicode());
            let plain = (!harmful).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

type Row = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const SENTENCES: &[Row] = &[
    ("mark.ok", "ok    ", "гаразд"),
    ("mark.failed", "WRONG ", "ХИБА  "),
    ("mark.none", "-     ", "-     "),
    ("word.octet", "octet", "байт"),
    ("word.more", "... and {0} more", "... і ще {0}"),
    ("step.layout", "layout: every file is listed once, and nothing else is there", "будова: кожен файл указано один раз, і нічого зайвого немає"),
    ("step.payload", "payload: the files are those of the manifest", "вміст: файли відповідають переліку"),
    ("step.seal", "seal: lists, exhibits and texts are those that were sealed", "печатка: переліки, речові докази й тексти ті самі, що були запечатані"),
    ("step.custody", "custody: who had the exhibits, signed and in a possible order", "ланцюг зберігання: хто мав докази, з підписами й у можливому порядку"),
    ("step.log", "log: the seal was committed to a transparency log", "журнал: печатку внесено до журналу прозорості"),
    ("step.witnesses", "witnesses: others have seen the same log", "свідки: інші бачили той самий журнал"),
    ("step.receipts", "receipts: what the other side said it has", "розписки: що підтвердила інша сторона"),
    ("step.time", "time: the word of a time-stamping authority", "час: засвідчення служби позначок часу"),
    ("verdict.verified", "VERIFIED, by keys you gave.", "ПЕРЕВІРЕНО за ключами, які надали ви."),
    ("verdict.own-keys", "CONSISTENT, BUT BY KEYS OF THE PACKAGE ITSELF. Whoever made it could have made these keys up. It proves something only once you have compared them, or given your own:", "УЗГОДЖЕНО, АЛЕ ЗА КЛЮЧАМИ САМОГО ПАКЕТА. Той, хто його склав, міг вигадати ці ключі. Це щось доводить лише тоді, коли ви їх звірили або надали власні:"),
    ("verdict.not-verified", "NOT VERIFIED. Do not rely on this package.", "НЕ ПЕРЕВІРЕНО. На цей пакет покладатися не можна."),
    ("own.log", "log and witnesses: give their keys with --policy FILE", "журнал і свідки: надайте ключі через --policy ФАЙЛ"),
    ("own.custody", "authorities that signed custody: give their keys with --keys FILE", "органи, що підписали ланцюг зберігання: надайте ключі через --keys ФАЙЛ"),
    ("own.receipts", "authorities that signed receipts: give their keys with --keys FILE", "органи, що підписали розписки: надайте ключі через --keys ФАЙЛ"),
    ("own.time", "time-stamping authority: give its certificate with --tsa-ca FILE", "служба позначок часу: надайте її сертифікат через --tsa-ca ФАЙЛ"),
    // --- what holds
    ("layout.ok", "{0} files", "файлів: {0}"),
    ("payload.ok", "{0} files, {1} octets", "файлів: {0}, байтів: {1}"),
    ("seal.ok", "between {0}; made {1}; basis: {2}", "сторони: {0}; складено {1}; підстава: {2}"),
    ("exhibit.ok", "exhibit {0}, {1}: {2} items, {3} octets, items_sha256 {4}", "доказ {0}, {1}: предметів {2}, байтів {3}, items_sha256 {4}"),
    ("custody.event", "{0}: {1} {2} by {3}, other side {4}", "{0}: {1} {2}, особа {3}, інша сторона {4}"),
    ("custody.anomaly", "anomaly noted there: {0}", "зазначено відхилення: {0}"),
    ("custody.ok", "exhibit {0}: {1} events, held by {2}", "доказ {0}: подій {1}, зберігає {2}"),
    ("custody.key", "key of an authority: {0}", "ключ органу: {0}"),
    ("custody.no-countersignature", "the hand-over of {0} is not counter-signed by the receiver", "передання від {0} не має зустрічного підпису одержувача"),
    ("log.ok", "{0}, entry {1} of {2}; by its own clock {3}", "{0}, запис {1} із {2}; за його годинником {3}"),
    ("log.key", "key of the log: {0}", "ключ журналу: {0}"),
    ("witnesses.one", "{0} has cosigned, at {1}", "{0} засвідчив, час {1}"),
    ("witnesses.ok", "{0} of {1} known witnesses; the quorum `{2}` is reached", "{0} із {1} відомих свідків; кворум «{2}» досягнуто"),
    ("witnesses.none", "the policy asks for none: a log that shows others something else would not be noticed", "політика не вимагає жодного: журнал, що показує іншим інше, не було б викрито"),
    ("receipts.none", "none in this package", "у цьому пакеті їх немає"),
    ("receipt.ok", "{0} says {1} of {2}, at {3}", "{0} підтверджує {1}: {2}, час {3}"),
    ("time.ok", "the checkpoint existed at {0} (give or take {1} ms); token {2}, signer's certificate {3}, chain ends in {4}", "контрольна точка існувала {0} (похибка {1} мс); позначка {2}, сертифікат підписувача {3}, ланцюжок веде до {4}"),
    ("time.none", "no time stamp belongs to this package", "позначка часу до цього пакета не належить"),
    // --- what is wrong
    ("name.escapes", "this name leads, or could lead, out of the package; the file was not opened", "ця назва веде або може вести за межі пакета; файл не відкрито"),
    ("name.control", "this name has control characters; the file was not opened", "ця назва має керівні символи; файл не відкрито"),
    ("name.ascii", "this name has characters other than ASCII; the file was not opened", "ця назва має символи поза ASCII; файл не відкрито"),
    ("name.case-twin", "this name differs from a package's only in upper and lower case", "ця назва відрізняється від назви з пакета лише регістром літер"),
    ("name.unknown", "no package has a file of this name", "у пакеті не буває файлу з такою назвою"),
    ("file.twice", "this is there twice", "це трапляється двічі"),
    ("file.large", "this file is larger than a package can have it; it was not read", "цей файл більший, ніж може бути в пакеті; його не прочитано"),
    ("file.kind", "this is no regular file (a link, a device, a pipe)", "це не звичайний файл (посилання, пристрій, канал)"),
    ("file.missing", "this file should be there and is not", "цей файл має бути, але його немає"),
    ("file.unlisted", "this file is there, but not in the list that should have it", "цей файл є, але його немає в переліку, де він має бути"),
    ("file.hash", "this file is not the one the tag manifest lists", "це не той файл, що в переліку службових файлів"),
    ("file.changing", "this file changed, or had another size, while it was read", "цей файл змінився або мав інший розмір під час читання"),
    ("folder.unknown", "no package has this folder", "у пакеті не буває такої теки"),
    ("folder.full", "there are more entries than a package can have", "записів більше, ніж може бути в пакеті"),
    ("line.end", "the last line does not end in a line feed", "останній рядок не закінчується символом нового рядка"),
    ("manifest.line", "this line is no digest and name of a file that belongs here, or is out of order", "цей рядок не є гешем і назвою належного файлу або стоїть не на місці"),
    ("manifest.twice", "the manifest lists this file twice", "перелік указує цей файл двічі"),
    ("bag.declaration", "this is not the declaration of a BagIt 1.0 bag", "це не оголошення пакета BagIt 1.0"),
    ("bag.info", "this does not follow from the rest of the package", "це не випливає з решти пакета"),
    ("tar.cut", "the archive is cut off", "архів обірвано"),
    ("tar.padding", "there is something in the padding of a file", "у заповненні після файлу щось є"),
    ("tar.end", "the archive does not end as it must", "архів закінчується не так, як має"),
    ("tar.header", "this header of the archive is wrong", "цей заголовок архіву хибний"),
    ("tar.kind", "the archive has something else than plain files and folders", "в архіві є щось, крім звичайних файлів і тек"),
    ("tar.base", "everything in the archive must lie in one folder with a plain name", "усе в архіві має лежати в одній теці з простою назвою"),
    ("tar.refused", "reading was ended here", "читання тут припинено"),
    ("payload.hash", "the contents are not those of the manifest", "вміст не відповідає переліку"),
    ("payload.size", "the size is not the one that was sealed", "розмір не той, що був запечатаний"),
    ("seal.form", "the seal cannot be read, or is not written in the one way it must be", "печатку не можна прочитати або її записано не так, як належить"),
    ("seal.hash", "this file is not the one that was sealed", "це не той файл, що був запечатаний"),
    ("seal.unsealed", "this file was not sealed", "цей файл не був запечатаний"),
    ("files.line", "this line of the list of files is wrong", "цей рядок переліку файлів хибний"),
    ("files.path", "this line names a file no package has", "цей рядок називає файл, якого в пакеті не буває"),
    ("files.twice", "the list of files has this file twice", "перелік файлів має цей файл двічі"),
    ("files.other", "the list of files has another digest or size of this file", "перелік файлів має інший геш або розмір цього файлу"),
    ("exhibits.line", "this line of the list of exhibits is wrong", "цей рядок переліку доказів хибний"),
    ("exhibits.none", "there is no exhibit", "жодного доказу немає"),
    ("exhibit.twice", "this exhibit is there twice", "цей доказ указано двічі"),
    ("exhibit.items", "the listed files are not the items of this exhibit", "указані файли не є предметами цього доказу"),
    ("exhibit.unknown", "the list of files names an exhibit that is not there, or not in its place", "перелік файлів називає доказ, якого немає або який не на місці"),
    ("keys.line", "this line is no key, or not in its place", "цей рядок не є ключем або стоїть не на місці"),
    ("custody.line", "this event cannot be read, or is not written in the one way it must be", "цю подію не можна прочитати або її записано не так, як належить"),
    ("custody.signature", "this event is not signed as it must be", "цю подію не підписано як належить"),
    ("custody.unknown-signer", "somebody unknown has signed this event", "цю подію підписав хтось невідомий"),
    ("custody.key-missing", "the key of the person who acted is not in seal/keys.txt", "ключа особи, що діяла, немає в seal/keys.txt"),
    ("custody.order", "this cannot have happened after the events before it", "це не могло статися після попередніх подій"),
    ("custody.twice", "an event of this exhibit is there twice", "подія цього доказу трапляється двічі"),
    ("custody.none", "nothing says who had this exhibit", "ніщо не каже, хто мав цей доказ"),
    ("custody.items", "the last event is about other contents than those that are here", "остання подія стосується іншого вмісту, ніж той, що тут"),
    ("custody.foreign", "this event is about an exhibit that is not here, or not in its place", "ця подія стосується доказу, якого тут немає або який не на місці"),
    ("policy.form", "the policy cannot be read", "політику не можна прочитати"),
    ("log.proof", "the proof does not show that the log has this", "доказ не показує, що журнал це має"),
    ("log.content", "the log has committed to another seal", "журнал засвідчив іншу печатку"),
    ("log.signature", "the head of the log is not signed by a key that is trusted", "стан журналу не підписано ключем, якому довіряють"),
    ("log.unknown-signer", "a signature under the head of the log is by nobody known", "підпис під станом журналу належить невідомо кому"),
    ("log.entry", "this is not the entry of the proof", "це не той запис, що в доказі"),
    ("log.event", "the entry is not that of a package", "цей запис не про пакет"),
    ("log.party", "the log is not that of the party that made the package", "журнал не належить стороні, що склала пакет"),
    ("witnesses.quorum", "too few witnesses have seen this head of the log", "замало свідків бачили цей стан журналу"),
    ("receipt.pair", "a receipt without its proof, or a proof without its receipt", "розписка без доказу або доказ без розписки"),
    ("receipt.number", "the receipts are not numbered from 1 without a gap", "розписки не пронумеровано від 1 без пропусків"),
    ("receipt.invalid", "this receipt does not hold", "ця розписка недійсна"),
    ("receipt.party", "this receipt is not of a party of this package, or not to its maker", "ця розписка не від сторони пакета або не для його укладача"),
    ("receipt.log", "the policy does not know the log of the receiver", "політика не знає журналу одержувача"),
    ("receipt.record", "this receipt is about something that is not in this package", "ця розписка про те, чого в пакеті немає"),
    ("time.form", "the time stamp cannot be read, or has parts that nothing covers", "позначку часу не можна прочитати або вона має незахищені частини"),
    ("time.imprint", "the time stamp is over something else", "позначка часу стосується чогось іншого"),
    ("time.token", "the time stamp does not hold", "позначка часу недійсна"),
    ("time.anchor", "the time-stamping authority is not one that was given", "служба позначок часу не належить до наданих"),
    ("time.chain-file", "the certificates cannot be read, or something else is beside them", "сертифікати не можна прочитати або поряд є щось інше"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_gaps() {
        for (code, en, uk) in SENTENCES {
            let gaps = |text: &str| {
                let mut gaps: Vec<String> = text.split('{').skip(1).map(str::to_owned).collect();
                gaps.iter_mut().for_each(|gap| gap.truncate(1));
                gaps.sort();
                gaps
            };
            assert_eq!(gaps(en), gaps(uk), "{code}");
            assert!(!en.is_empty() && !uk.is_empty(), "{code}");
        }
        let mut codes: Vec<_> = SENTENCES.iter().map(|(code, ..)| code).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), SENTENCES.len());
    }

    #[test]
    fn every_code_in_the_source_has_a_sentence() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut open = vec![folder];
        let mut checked = 0;
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    std::fs::read_dir(path)
                        .unwrap()
                        .map(|it| it.unwrap().path()),
                );
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            if path.ends_with("words.rs") {
                continue;
            }
            for text in source.split('"').skip(1).step_by(2) {
                let is_code = SENTENCES.iter().any(|(code, ..)| {
                    let (family, _) = code.split_once('.').unwrap();
                    text.split_once('.').is_some_and(|(before, rest)| {
                        before == family
                            && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                    })
                });
                if is_code && !text.ends_with(".rs") && !text.ends_with(".") {
                    checked += 1;
                    let row = SENTENCES.iter().find(|(code, ..)| *code == text);
                    assert!(
                        row.is_some(),
                        "`{text}` in {} has no sentence",
                        path.display()
                    );
                }
            }
        }
        assert!(checked > 80, "{checked}");
    }

    #[test]
    fn values_cannot_act_on_a_terminal_or_on_the_sentence() {
        let values = ["a\u{202e}b\u{1b}[31m{1}".to_owned(), "x".to_owned()];
        let shown = text(Language::En, "custody.anomaly", &values);
        assert_eq!(shown, "anomaly noted there: a\\u{202e}b\\u{1b}[31m{1}");
    }
}
