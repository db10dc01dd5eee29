//! The WSDL 1.1 of the service, written from the table of methods.

use super::methods::{Form, METHODS, Method};
use super::xml::escape_into;

/// The namespace of the methods.
pub(super) const NAMESPACE: &str = "urn:smsserver";

const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";

/// The WSDL of the service at this address.
pub(super) fn write(address: &str) -> String {
    let mut out = opening();
    METHODS
        .iter()
        .for_each(|method| write_messages(method, &mut out));
    out.push_str("<portType name=\"smsserverPortType\">\n");
    for Method { name, .. } in METHODS {
        out.push_str(&format!(
            "<operation name=\"{name}\"><input message=\"tns:{name}Request\"/>\
             <output message=\"tns:{name}Response\"/></operation>\n"
        ));
    }
    out.push_str(
        "</portType>\n<binding name=\"smsserverBinding\" type=\"tns:smsserverPortType\">\n\
         <soap:binding style=\"rpc\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n",
    );
    let body = format!(
        "<soap:body use=\"encoded\" namespace=\"{NAMESPACE}\" encodingStyle=\"{ENCODING}\"/>"
    );
    for Method { name, .. } in METHODS {
        out.push_str(&format!(
            "<operation name=\"{name}\"><soap:operation soapAction=\"{NAMESPACE}#{name}\" style=\"rpc\"/>\
             <input>{body}</input><output>{body}</output></operation>\n"
        ));
    }
    out.push_str(
        "</binding>\n<service name=\"smsserver\"><port name=\"smsserverPort\" \
         binding=\"tns:smsserverBinding\"><soap:address location=\"",
    );
    escape_into(address, &mut out);
    out.push_str("\"/></port></service>\n</definitions>\n");
    out
}

fn opening() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <definitions name=\"smsserver\" targetNamespace=\"{NAMESPACE}\" xmlns:tns=\"{NAMESPACE}\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" \
         xmlns:SOAP-ENC=\"{ENCODING}\" \
         xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" \
         xmlns=\"http://schemas.xmlsoap.org/wsdl/\">\n"
    )
}

fn write_messages(method: &Method, out: &mut String) {
    let name = method.name;
    out.push_str(&format!("<message name=\"{name}Request\">"));
    for argument in method.arguments {
        // What may be a text, a list or a map has the type that lets a client write each of them.
        let kind = match argument.form {
            Form::Text => "string",
            Form::List | Form::Map => "anyType",
        };
        out.push_str(&format!(
            "<part name=\"{}\" type=\"xsd:{kind}\"/>",
            argument.name
        ));
    }
    out.push_str(&format!(
        "</message>\n<message name=\"{name}Response\"><part name=\"return\" type=\"xsd:string\"/></message>\n"
    ));
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    #[test]
    fn the_wsdl_is_xml_and_names_service_methods_and_arguments_in_order() {
        let root = xml::parse(&write("http://a.example/x?a=1&b=<2>")).unwrap();
        assert_eq!(root.name, "definitions");
        let named = |name| root.children.iter().filter(move |child| child.name == name);
        assert_eq!(named("message").count(), METHODS.len() * 2);
        let request = named("message").next().unwrap();
        assert_eq!(request.children.len(), 7);
        assert_eq!(named("portType").next().unwrap().children.len(), 10);
        assert_eq!(named("service").count(), 1);
        let text = write("http://a.example/x?a=1&b=<2>");
        assert!(text.contains("<message name=\"SendSMSRequest\"><part name=\"fromNum\" type=\"xsd:string\"/><part name=\"toNum\" type=\"xsd:anyType\"/><part name=\"messageContent\" type=\"xsd:anyType\"/><part name=\"user\""));
        assert!(text.contains("location=\"http://a.example/x?a=1&amp;b=&lt;2&gt;\""));
    }
}
