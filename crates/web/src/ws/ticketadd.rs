//! `op=ticketadd`: a question to the people who run the installation.

use app::{GivenFile, TicketForm};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::refusal::Refusal;
use domain::ticket::{FILE_BYTES_MAX, FileKind};

use super::params::Params;
use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["ticketadd"],
    run,
};

const FILE: &str = "file";
const TICKET: [&str; 3] = ["ticketid", "ticket_id", "ticket"];

/// Padded or not, as clients write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Longest text that can be a file in Base64, in bytes, with room for line ends.
const BASE64_BYTES_MAX: usize = FILE_BYTES_MAX / 3 * 4 + FILE_BYTES_MAX / 16;

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let params = call.params;
        let given = |names: &[&str]| params.first_of(names).unwrap_or_default();
        let file = File::of(params)?;
        let form = TicketForm {
            ticket: &given(&TICKET),
            subject: &given(&["subject"]),
            description: &given(&["description"]),
            kind: &given(&["type"]),
            importance: &given(&["importance"]),
            sms_notification: &given(&["sms_notification"]),
            file: file.as_ref().map(File::given),
        };
        let ticket = call.app.write_ticket(call.account, &form).await?;
        Ok(Reply::number(ticket.0.into()))
    })
}

/// A file in the forms in which clients send one: in the multipart body, in Base64 (SOAP has nothing
/// else), or only by its address.
#[derive(Debug, PartialEq)]
enum File<'a> {
    Part(&'a str, &'a [u8]),
    Decoded(Vec<u8>),
    Reference(String),
}

impl<'a> File<'a> {
    fn of(params: &'a Params) -> Result<Option<Self>, Refusal> {
        if let Some(part) = params.file(FILE) {
            // A form in a browser sends an empty part where no file was chosen.
            let is_none = part.bytes.is_empty() && part.filename.is_empty();
            return Ok((!is_none).then_some(Self::Part(&part.filename, &part.bytes)));
        }
        let text = params.text(FILE).unwrap_or_default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let data = text
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"))
            .map(|(_, data)| data);
        match decode(data.unwrap_or(text)) {
            Some(bytes) => Ok(Some(Self::Decoded(bytes))),
            None if data.is_some() => Err(Refusal::InputInvalid),
            None => Ok(Some(Self::Reference(text.to_owned()))),
        }
    }

    fn given(&self) -> GivenFile<'_> {
        match self {
            Self::Part(name, bytes) => GivenFile::Content(name, bytes),
            Self::Decoded(bytes) => GivenFile::Content("", bytes),
            Self::Reference(text) => GivenFile::Reference(text),
        }
    }
}

/// The file that a text holds in Base64. A word may be Base64 by chance, so it counts only where a
/// file of a known kind comes out.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > BASE64_BYTES_MAX {
        return None;
    }
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    // In forms that were not encoded a plus sign arrives as a blank, which cannot be told from a
    // line end; such a file fails to decode or is another one, and is then no known kind.
    let bytes = BASE64.decode(compact).ok()?;
    FileKind::of(&bytes).is_some().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<String>, Refusal> {
        let params = Params::from_request(None, None, body.as_bytes()).unwrap();
        let file = File::of(&params)?;
        Ok(file.map(|file| format!("{file:?}")))
    }

    #[test]
    fn a_file_comes_in_base64_or_by_its_address() {
        let decoded = "Decoded([71, 73, 70, 56, 57, 97])";
        for body in [
            r#"{"file":"R0lGODlh"}"#,
            r#"{"file":"R0lG\r\nODlh "}"#,
            r#"{"file":"data:image/gif;base64,R0lGODlh"}"#,
        ] {
            assert_eq!(read(body), Ok(Some(decoded.into())), "{body}");
        }
        let address = "https://shop.example/a.png";
        assert_eq!(
            read(&format!("file={address}")),
            Ok(Some(format!("Reference({address:?})")))
        );
        assert_eq!(read("file=test"), Ok(Some("Reference(\"test\")".into())));
        for none in ["", "file=", "file=%20"] {
            assert_eq!(read(none), Ok(None));
        }
        let page = r#"{"file":"data:text/html;base64,PGh0bWw+"}"#;
        assert_eq!(read(page), Err(Refusal::InputInvalid));
    }
}
