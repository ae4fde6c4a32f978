//! Questions as SOAP 1.2 envelopes, and names with passwords as WS-Security UsernameTokens (OASIS, 2006): never the password itself.

use crate::Question;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Sensitive;

const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// One question.
pub(crate) struct Envelope {
    action: String,
    body: String,
}

impl Envelope {
    pub(crate) fn device(name: &str, inside: &str) -> Envelope {
        Envelope::new("tds", "http://www.onvif.org/ver10/device/wsdl", name, inside)
    }
    pub(crate) fn media1(name: &str, inside: &str) -> Envelope {
        Envelope::new("trt", "http://www.onvif.org/ver10/media/wsdl", name, inside)
    }
    pub(crate) fn media2(name: &str, inside: &str) -> Envelope {
        Envelope::new("tr2", "http://www.onvif.org/ver20/media/wsdl", name, inside)
    }
    fn new(prefix: &str, space: &str, name: &str, inside: &str) -> Envelope {
        let body = format!(
            "<{prefix}:{name} xmlns:{prefix}=\"{space}\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">{inside}</{prefix}:{name}>"
        );
        Envelope { action: format!("{space}/{name}"), body }
    }
    pub(crate) fn question(&self, token: Option<&str>) -> Question {
        let (head, body) = (token.unwrap_or_default(), &self.body);
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{head}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        );
        Question { action: self.action.clone(), body }
    }
}

/// An account of the device.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub user: Sensitive<String>,
    pub password: Sensitive<String>,
}

impl SignIn {
    /// A UsernameToken with PasswordDigest = Base64(SHA-1(nonce ‖ created ‖ password)). SHA-1 is the standard's choice; the
    /// answer of a device is not believed because of it.
    pub(crate) fn token(&self, unix_seconds: i64, nonce: [u8; 16]) -> String {
        let created = jiff::Timestamp::from_second(unix_seconds).unwrap_or_default().to_string();
        let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        for part in [&nonce[..], created.as_bytes(), self.password.reveal().as_bytes()] {
            digest.update(part);
        }
        let (digest, nonce) = (STANDARD.encode(digest.finish()), STANDARD.encode(nonce));
        let user = escape(self.user.reveal());
        format!(
            "<wsse:Security xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\"><wsse:UsernameToken><wsse:Username>{user}</wsse:Username>\
             <wsse:Password Type=\"{DIGEST}\">{digest}</wsse:Password><wsse:Nonce EncodingType=\"{BASE64}\">{nonce}</wsse:Nonce>\
             <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        )
    }
}

/// Text as XML holds it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the ONVIF Application Programmer's Guide, 6.1.1.3.
    #[test]
    fn a_password_goes_as_the_digest_that_the_standard_s_example_has() {
        let nonce: [u8; 16] =
            STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").expect("Base64").try_into().expect("16 bytes");
        let sign_in = SignIn { user: Sensitive::new("user".into()), password: Sensitive::new("userpassword".into()) };
        let created: jiff::Timestamp = "2010-09-16T07:50:45Z".parse().expect("a time");
        let token = sign_in.token(created.as_second(), nonce);
        assert!(token.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=<"), "{token}");
        assert!(token.contains("<wsu:Created>2010-09-16T07:50:45Z<") && !token.contains("userpassword"), "{token}");
    }

    #[test]
    fn a_name_cannot_leave_its_element() {
        let sign_in =
            SignIn { user: Sensitive::new("a</wsse:Username>&\"".into()), password: Sensitive::new("x".into()) };
        assert!(sign_in.token(0, [0; 16]).contains("<wsse:Username>a&lt;/wsse:Username&gt;&amp;&quot;<"));
    }
}
