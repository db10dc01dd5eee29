//! Envelopes with what a method gives back, and faults.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::refusal::Refusal;

use super::super::bare;
use super::super::reply::Reply;
use super::call::{Call, SOAP12, Version};
use super::wsdl::NAMESPACE;
use super::xml::escape_into;

/// The content type of the WSDL, and of SOAP 1.1.
pub(super) const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
/// The content type of SOAP 1.2.
const SOAP_XML: HeaderValue = HeaderValue::from_static("application/soap+xml; charset=utf-8");

const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENCODING11: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const ENCODING12: &str = "http://www.w3.org/2003/05/soap-encoding";

/// Seconds after which a client may try again.
const RETRY_AFTER_SECONDS: &str = "2";
const DENY: &str = "deny";
const UNAVAILABLE: &str = "the service is temporarily unavailable, try again";

impl Version {
    fn content_type(self) -> HeaderValue {
        match self {
            Self::Soap11 => XML,
            Self::Soap12 => SOAP_XML,
        }
    }

    /// The envelope up to what the method gives back.
    fn opening(self) -> String {
        let (envelope, encoding) = match self {
            Self::Soap11 => (SOAP11, ENCODING11),
            Self::Soap12 => (SOAP12, ENCODING12),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{envelope}\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xmlns:SOAP-ENC=\"{encoding}\"><SOAP-ENV:Body>"
        )
    }
}

const CLOSING: &str = "</SOAP-ENV:Body></SOAP-ENV:Envelope>\n";

/// Writes what an operation answered as what its method gives back.
pub(super) async fn write(reply: Reply, call: &Call) -> Response {
    let (code, body) = match reply {
        Reply::Answer(code, body) => (code, body),
        Reply::Deny => (0, Body::from(DENY)),
        Reply::Unavailable => return unavailable(call.version),
    };
    // This one method gives back the code, of its success and of its only failure.
    let is_code = [Refusal::ScheduleCancelled, Refusal::BulkUnknown]
        .iter()
        .any(|refusal| refusal.code() == code);
    let body = if call.method.operation == "deleteperiod" && is_code {
        Body::from(code.to_string())
    } else {
        body
    };
    let (before, after) = frame(call);
    match bare::unframed(body, escape, before, &after).await {
        Ok(body) => ([(header::CONTENT_TYPE, call.version.content_type())], body).into_response(),
        Err(error) => {
            tracing::warn!(%error, "a SOAP reply could not be written");
            unavailable(call.version)
        }
    }
}

fn escape(character: char, out: &mut String) {
    escape_into(character.encode_utf8(&mut [0; 4]), out);
}

/// What stands before and after the text that a method gives back. Its namespace is the one that the
/// client used: proxies that were generated from another WSDL look for theirs.
fn frame(call: &Call) -> (String, String) {
    let mut before = call.version.opening();
    let namespace = match call.namespace.as_str() {
        "" => NAMESPACE,
        given => given,
    };
    let name = call.method.name;
    before.push_str(&format!("<ns1:{name}Response xmlns:ns1=\""));
    escape_into(namespace, &mut before);
    before.push('"');
    let encoding = match call.version {
        Version::Soap11 => ENCODING11,
        Version::Soap12 => ENCODING12,
    };
    before.push_str(&format!(
        " SOAP-ENV:encodingStyle=\"{encoding}\"><return xsi:type=\"xsd:string\">"
    ));
    (before, format!("</return></ns1:{name}Response>{CLOSING}"))
}

/// The answer to a request that is no call. It is SOAP 1.1: what the client speaks is not known.
pub(super) fn fault(sentence: &str) -> Response {
    let mut text = Version::Soap11.opening();
    write_fault("Client", sentence, &mut text);
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    (status, [(header::CONTENT_TYPE, XML)], text).into_response()
}

/// The answer while nothing can be promised.
fn unavailable(version: Version) -> Response {
    let mut text = version.opening();
    match version {
        Version::Soap11 => write_fault("Server", UNAVAILABLE, &mut text),
        Version::Soap12 => {
            text.push_str(
                "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver\
                 </SOAP-ENV:Value></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">",
            );
            text.push_str(UNAVAILABLE);
            text.push_str("</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>");
            text.push_str(CLOSING);
        }
    }
    let headers = [
        (header::CONTENT_TYPE, version.content_type()),
        (
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECONDS),
        ),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response()
}

/// SOAP 1.1, section 4.4.
fn write_fault(code: &str, sentence: &str, out: &mut String) {
    out.push_str("<SOAP-ENV:Fault><faultcode>SOAP-ENV:");
    out.push_str(code);
    out.push_str("</faultcode><faultstring>");
    escape_into(sentence, out);
    out.push_str("</faultstring></SOAP-ENV:Fault>");
    out.push_str(CLOSING);
}
