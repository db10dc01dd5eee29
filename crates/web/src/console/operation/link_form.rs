//! The settings of a link, as a form.

use super::sheet::{Sheet, Words, about};
use crate::console::ui::Lang;
use domain::inbound::coding::DefaultAlphabet;
use domain::link::{
    BINDS_MAX, BindMode, Concatenation, ErrorClass, IdFormat, LinkSettings, TlsSettings, WINDOW_MAX,
};
use std::collections::BTreeMap;

/// Characters of a host name.
const HOST_CHARS_MAX: usize = 253;
/// Messages a second that may be set.
const RATE_MAX: u32 = 1_000_000;
/// Seconds that may be set for a time-out.
const SECONDS_MAX: u32 = 3_600;
/// Characters of a path.
const PATH_CHARS_MAX: usize = 1_000;

/// Describes every setting of a link but whether it is paused, which is a button of its own.
pub(super) fn describe(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    connection(sheet, link);
    pace(sheet, link);
    addresses(sheet, link);
    coding(sheet, link);
    ids(sheet, link);
    encryption(sheet, link);
}

fn connection(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["اتصال", "Connection"]);
    sheet.text(
        about("host", ["نشانی سرور (SMSC)", "Host of the SMSC"]),
        true,
        HOST_CHARS_MAX,
        &mut link.host,
    );
    sheet.number(
        about("port", ["درگاه TCP", "TCP port"]),
        1,
        u16::MAX,
        &mut link.port,
    );
    sheet.text(
        about("system_id", ["نام کاربری (system_id)", "User (system_id)"]),
        true,
        15,
        &mut link.system_id,
    );
    let password = about("password", ["گذرواژه", "Password"]).hint([
        "نشان داده نمی‌شود. خالی: همان که هست",
        "Never shown. Empty: as it is",
    ]);
    sheet.secret(password, &mut link.password);
    sheet.text(
        about("system_type", ["نوع سامانه (system_type)", "system_type"]),
        true,
        12,
        &mut link.system_type,
    );
    let modes = titled(
        sheet.lang(),
        &[
            (
                BindMode::Transceiver,
                "transceiver",
                ["یک اتصال دوطرفه", "one connection both ways"],
            ),
            (
                BindMode::TransmitterReceiver,
                "transmitter_receiver",
                ["ارسال و دریافت جدا", "one to send, one to receive"],
            ),
        ],
    );
    sheet.choice(
        about("mode", ["شیوهٔ اتصال", "How it binds"]),
        &modes,
        &mut link.mode,
    );
    sheet.number(
        about(
            "binds",
            ["تعداد اتصال هم‌زمان", "Connections at the same time"],
        ),
        1,
        BINDS_MAX,
        &mut link.binds,
    );
}

fn pace(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["سرعت و زمان", "Pace and time"]);
    let window = about("window", ["پنجره", "Window"]).hint([
        "پیامک‌های بی‌پاسخ هم‌زمان در هر اتصال",
        "Messages without an answer that one connection may have",
    ]);
    sheet.number(window, 1, WINDOW_MAX, &mut link.window);
    let rate = about(
        "rate_per_second",
        ["سقف پیامک در ثانیه", "Messages a second at most"],
    )
    .hint([
        "برای همهٔ اتصال‌ها با هم. خالی: تا جایی که اپراتور بپذیرد؛ سرعت مجاز خودبه‌خود پیدا می‌شود",
        "Over all connections. Empty: as the operator allows; its limit is found by itself",
    ]);
    sheet.maybe(rate, 1, RATE_MAX, &mut link.rate_per_second);
    let enquire = about(
        "enquire_link_seconds",
        [
            "بررسی زنده بودن پس از (ثانیه)",
            "enquire_link after (seconds)",
        ],
    );
    sheet.number(enquire, 1, SECONDS_MAX, &mut link.enquire_link_seconds);
    let response = about(
        "response_timeout_seconds",
        [
            "صبر برای پاسخ (ثانیه)",
            "An answer is given up after (seconds)",
        ],
    );
    sheet.number(response, 1, SECONDS_MAX, &mut link.response_timeout_seconds);
}

fn addresses(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["شماره‌ها (TON و NPI)", "Numbers (TON and NPI)"]);
    let source = about(
        "source_ton",
        ["نوع شمارهٔ فرستنده", "Sender's type of number"],
    )
    .hint([
        "برای نام‌ها خودبه‌خود ۵ می‌شود",
        "5 is chosen for names by itself",
    ]);
    sheet.number(source, 0, u8::MAX, &mut link.source_ton);
    sheet.number(
        about(
            "source_npi",
            ["طرح شمارهٔ فرستنده", "Sender's numbering plan"],
        ),
        0,
        u8::MAX,
        &mut link.source_npi,
    );
    sheet.number(
        about(
            "dest_ton",
            ["نوع شمارهٔ گیرنده", "Recipient's type of number"],
        ),
        0,
        u8::MAX,
        &mut link.dest_ton,
    );
    sheet.number(
        about(
            "dest_npi",
            ["طرح شمارهٔ گیرنده", "Recipient's numbering plan"],
        ),
        0,
        u8::MAX,
        &mut link.dest_npi,
    );
}

fn coding(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["رمزگذاری متن", "Coding of texts"]);
    sheet.number(
        about(
            "data_coding_gsm7",
            ["data_coding متن لاتین", "data_coding of Latin texts"],
        ),
        0,
        u8::MAX,
        &mut link.data_coding_gsm7,
    );
    sheet.number(
        about(
            "data_coding_ucs2",
            ["data_coding متن فارسی", "data_coding of Persian texts"],
        ),
        0,
        u8::MAX,
        &mut link.data_coding_ucs2,
    );
    let alphabets = titled(
        sheet.lang(),
        &[
            (DefaultAlphabet::Gsm7, "gsm7", ["GSM-7", "GSM-7"]),
            (
                DefaultAlphabet::Gsm7Packed,
                "gsm7_packed",
                ["GSM-7 فشرده", "GSM-7, packed"],
            ),
            (
                DefaultAlphabet::Latin1,
                "latin1",
                ["ISO 8859-1", "ISO 8859-1"],
            ),
            (DefaultAlphabet::Utf8, "utf8", ["UTF-8", "UTF-8"]),
        ],
    );
    let inbound = about(
        "inbound_alphabet",
        [
            "معنای data_coding صفر در پیامک دریافتی",
            "data_coding 0 in messages from handsets",
        ],
    );
    sheet.choice(inbound, &alphabets, &mut link.inbound_alphabet);
    long_texts(sheet, link);
}

fn long_texts(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    let ways = titled(
        sheet.lang(),
        &[
            (
                Concatenation::Udh,
                "udh",
                ["سرآیند در متن (UDH)", "header in the text (UDH)"],
            ),
            (
                Concatenation::Sar,
                "sar",
                ["پارامترهای sar", "sar parameters"],
            ),
            (
                Concatenation::MessagePayload,
                "message_payload",
                ["یک‌جا؛ اپراتور می‌بُرد", "whole; the operator cuts it"],
            ),
        ],
    );
    sheet.choice(
        about("concatenation", ["متن‌های چندبخشی", "Long texts"]),
        &ways,
        &mut link.concatenation,
    );
}

fn ids(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["شناسهٔ پیامک و خطاها", "Message ids and errors"]);
    let formats = titled(
        sheet.lang(),
        &[
            (IdFormat::AsIs, "as_is", ["متن", "as text"]),
            (IdFormat::Hex, "hex", ["عدد شانزده‌شانزدهی", "hexadecimal"]),
            (IdFormat::Decimal, "decimal", ["عدد ده‌دهی", "decimal"]),
        ],
    );
    sheet.choice(
        about("answer_id", ["شناسه در پاسخ", "Ids in answers"]),
        &formats,
        &mut link.answer_id,
    );
    sheet.choice(
        about("receipt_id", ["شناسه در گزارش تحویل", "Ids in receipts"]),
        &formats,
        &mut link.receipt_id,
    );
    let zeros = about(
        "ids_without_leading_zeros",
        [
            "صفرهای آغاز شناسه بی‌معنی‌اند",
            "Leading zeros of ids mean nothing",
        ],
    );
    sheet.check(zeros, &mut link.ids_without_leading_zeros);
    let case = about(
        "ids_ignore_case",
        [
            "بزرگی و کوچکی حرف‌های شناسه بی‌معنی است",
            "Letter case of ids means nothing",
        ],
    );
    sheet.check(case, &mut link.ids_ignore_case);
    let errors = about(
        "errors",
        ["کدهای خطای ویژهٔ اپراتور", "The operator's own error codes"],
    )
    .hint([
        "در هر سطر: کد=throttled یا temporary یا permanent",
        "On each line: code=throttled, temporary or permanent",
    ]);
    let shown = written_errors(&link.errors);
    sheet.parsed(
        errors,
        super::sheet::Kind::Area,
        shown,
        &mut link.errors,
        read_errors,
    );
}

fn encryption(sheet: &mut Sheet<'_>, link: &mut LinkSettings) {
    sheet.group(["رمزنگاری (TLS)", "Encryption (TLS)"]);
    let mut on = link.tls.is_some();
    let mut tls = link.tls.take().unwrap_or_default();
    sheet.check(
        about("tls", ["اتصال رمزنگاری‌شده", "Encrypted connection"]),
        &mut on,
    );
    let name = about(
        "tls_server_name",
        ["نام در گواهی", "Name in the certificate"],
    )
    .hint(["خالی: همان نشانی سرور", "Empty: the host"]);
    sheet.maybe_text(name, HOST_CHARS_MAX, &mut tls.server_name);
    let file = about(
        "tls_ca_file",
        [
            "پروندهٔ گواهی‌های مورد اعتماد (PEM)",
            "File of trusted authorities (PEM)",
        ],
    )
    .hint([
        "روی سرور peyk. خالی: گواهی‌های همگانی",
        "On peyk's machine. Empty: the public ones",
    ]);
    sheet.maybe_text(file, PATH_CHARS_MAX, &mut tls.ca_file);
    link.tls = on.then_some(TlsSettings {
        server_name: tls.server_name,
        ca_file: tls.ca_file,
    });
}

/// Options with their titles in a language.
pub(super) fn titled<T: Copy>(
    lang: Lang,
    options: &[(T, &'static str, Words)],
) -> Vec<(T, &'static str, String)> {
    let title = |words: Words| lang.pick(words[0], words[1]).to_owned();
    let options = options.iter();
    options
        .map(|(value, word, words)| (*value, *word, title(*words)))
        .collect()
}

fn written_errors(errors: &BTreeMap<u32, ErrorClass>) -> String {
    let word = |class: &ErrorClass| match class {
        ErrorClass::Throttled => "throttled",
        ErrorClass::Temporary => "temporary",
        ErrorClass::Permanent => "permanent",
    };
    let lines: Vec<String> = errors
        .iter()
        .map(|(code, class)| format!("{code}={}", word(class)))
        .collect();
    lines.join("\n")
}

fn read_errors(text: &str) -> Result<BTreeMap<u32, ErrorClass>, Words> {
    let wrong = [
        "هر سطر باید مانند 88=throttled باشد.",
        "Each line must be like 88=throttled.",
    ];
    let mut errors = BTreeMap::new();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        let (code, class) = line.split_once('=').ok_or(wrong)?;
        let class = match class.trim() {
            "throttled" => ErrorClass::Throttled,
            "temporary" => ErrorClass::Temporary,
            "permanent" => ErrorClass::Permanent,
            _ => return Err(wrong),
        };
        let code = super::sheet::latin(code).parse().map_err(|_| wrong)?;
        errors.insert(code, class);
    }
    Ok(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_read_as_they_are_written() {
        let errors = read_errors("88=throttled\n\n ۱۱ = permanent ").unwrap();
        assert_eq!(written_errors(&errors), "11=permanent\n88=throttled");
        assert!(read_errors("88").is_err());
        assert!(read_errors("x=throttled").is_err());
        assert!(read_errors("8=never").is_err());
    }
}
