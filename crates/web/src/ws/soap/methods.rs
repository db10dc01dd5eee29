//! The methods of the SOAP service, and the operations of the web service that they are.

use serde_json::Value as Json;

/// How an argument is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One text.
    Text,
    /// A list; also one text, or JSON text.
    List,
    /// A map; also JSON text.
    Map,
}

/// One argument of a method.
#[derive(Debug)]
pub(super) struct Argument {
    /// Its name, as the WSDL has it.
    pub(super) name: &'static str,
    /// The parameter of the operation.
    pub(super) parameter: &'static str,
    /// How it is written.
    pub(super) form: Form,
}

const fn text(name: &'static str, parameter: &'static str) -> Argument {
    Argument {
        name,
        parameter,
        form: Form::Text,
    }
}

const fn list(name: &'static str, parameter: &'static str) -> Argument {
    Argument {
        name,
        parameter,
        form: Form::List,
    }
}

const fn map(name: &'static str, parameter: &'static str) -> Argument {
    Argument {
        name,
        parameter,
        form: Form::Map,
    }
}

const USER: Argument = text("user", "uname");
const PASSWORD: Argument = text("pass", "pass");

/// One method. The order of its arguments is the contract's.
#[derive(Debug)]
pub(super) struct Method {
    /// Its name, as the WSDL has it.
    pub(super) name: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// What it takes.
    pub(super) arguments: &'static [Argument],
}

/// The parameter that says how `SendSMS` sends; the operation does not know it.
pub(super) const MODE: &str = "soap_mode";
/// The parameter of the text.
const MESSAGE: &str = "message";

/// Every method, in the order of the WSDL.
pub(super) const METHODS: &[Method] = &[
    Method {
        name: "SendSMS",
        operation: "send",
        arguments: &[
            text("fromNum", "from"),
            list("toNum", "to"),
            list("messageContent", MESSAGE),
            USER,
            PASSWORD,
            text("time", "time"),
            text("op", MODE),
        ],
    },
    Method {
        name: "sendPatternSms",
        operation: "pattern",
        arguments: &[
            text("fromNum", "from"),
            list("toNum", "to"),
            USER,
            PASSWORD,
            text("pattern_code", "patterncode"),
            map("input_data", "inputdata"),
        ],
    },
    Method {
        name: "GetCredit",
        operation: "credit",
        arguments: &[USER, PASSWORD],
    },
    Method {
        name: "GetLines",
        operation: "lines",
        arguments: &[USER, PASSWORD],
    },
    Method {
        name: "GetUsertime",
        operation: "usertime",
        arguments: &[USER, PASSWORD],
    },
    Method {
        name: "inboxlist",
        operation: "inboxlist",
        arguments: &[USER, PASSWORD],
    },
    Method {
        name: "GetDelivery",
        operation: "delivery",
        arguments: &[USER, PASSWORD, text("uniqid", "uniqid")],
    },
    Method {
        name: "CheckMessage",
        operation: "checkmessage",
        arguments: &[USER, PASSWORD, text("messageid", "messageid")],
    },
    Method {
        name: "deleteperiod",
        operation: "deleteperiod",
        arguments: &[USER, PASSWORD, text("bulkid", "bulkid")],
    },
    Method {
        name: "AddTicket",
        operation: "ticketadd",
        arguments: &[
            USER,
            PASSWORD,
            text("subject", "subject"),
            text("description", "description"),
            text("type", "type"),
            text("importance", "importance"),
            text("sms_notification", "sms_notification"),
            text("file", "file"),
        ],
    },
];

/// The method with this local name, in any letter case.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS
        .iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

impl Method {
    /// The place of the argument with this name, in any letter case, with `_` or without.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let bare = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let wanted = bare(name);
        let mut names = self.arguments.iter().map(|argument| bare(argument.name));
        names.position(|name| name == wanted)
    }

    /// The value of the parameter `op` that calls the operation, and what becomes of the others.
    ///
    /// `SendSMS` has a word for how it sends: `send`, or `pointtopoint` for a text of its own for
    /// each recipient. A word that nobody knows is an operation that nobody may call.
    pub(super) fn settle(&self, parameters: &mut Vec<(&'static str, Json)>) -> &'static str {
        let mode = parameters.iter().position(|(name, _)| *name == MODE);
        let mode = mode.map(|at| parameters.remove(at).1);
        let mode = mode.as_ref().and_then(Json::as_str).unwrap_or_default();
        match mode.trim().to_ascii_lowercase().as_str() {
            "" | "send" => self.operation,
            "pointtopoint" => {
                let message = parameters.iter_mut().find(|(name, _)| *name == MESSAGE);
                if let Some((_, message)) = message {
                    make_list(message);
                }
                self.operation
            }
            _ => "",
        }
    }
}

/// Text becomes the list that it holds as JSON, else a list of its own.
fn make_list(value: &mut Json) {
    let Json::String(text) = value else { return };
    let texts = serde_json::from_str::<Vec<String>>(text.trim());
    let texts = texts.unwrap_or_else(|_| vec![std::mem::take(text)]);
    *value = texts.into();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn methods_and_arguments_are_found_in_any_spelling() {
        assert_eq!(find("sendsms").unwrap().name, "SendSMS");
        assert!(find("SendSMSS").is_none());
        let pattern = find("SendPatternSMS").unwrap();
        assert_eq!(pattern.place("patternCode"), Some(4));
        assert_eq!(pattern.place("param0"), None);
    }

    #[test]
    fn the_word_of_send_says_how_it_sends() {
        let send = find("SendSMS").unwrap();
        for (mode, message, operation, sent) in [
            ("send", json!("a"), "send", json!("a")),
            ("", json!(["a"]), "send", json!(["a"])),
            (" PointToPoint", json!("a"), "send", json!(["a"])),
            (
                "pointtopoint",
                json!(r#"["a","b"]"#),
                "send",
                json!(["a", "b"]),
            ),
            ("pointtopoint", json!(["a", "b"]), "send", json!(["a", "b"])),
            ("credit", json!("a"), "", json!("a")),
        ] {
            let mut parameters = vec![(MESSAGE, message), (MODE, json!(mode))];
            assert_eq!(send.settle(&mut parameters), operation, "{mode}");
            assert_eq!(parameters, [(MESSAGE, sent)], "{mode}");
        }
    }
}
