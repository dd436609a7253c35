//! Who we are to a shop: Basic over TLS, a signature over plain HTTP.
//!
//! Source: WooCommerce REST v3, authentication; measured: over plain HTTP a key in a header is ignored, and the shop
//! takes one-legged OAuth 1.0a with HMAC-SHA256.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use url::Url;

/// What RFC 3986 calls unreserved stays as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A REST key.
pub(super) struct Login {
    pub(super) key: SecretString,
    pub(super) secret: SecretString,
}

impl Login {
    /// The key in a header.
    pub(super) fn basic(&self) -> HeaderValue {
        basic(self.key.expose_secret(), self.secret.expose_secret())
    }

    /// The address with the OAuth parameters and the signature in its query. What is signed is the address as the shop's
    /// PHP sees it: it may not know of TLS.
    pub(super) fn signed(&self, verb: &str, address: &Url, scheme: &str, (second, nonce): (i64, &str)) -> Url {
        let mut parameters: Vec<(String, String)> = address.query_pairs().into_owned().collect();
        let ours = [
            ("oauth_consumer_key", self.key.expose_secret()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", &second.to_string()),
        ];
        parameters.extend(ours.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut seen = address.clone();
        // From https to http and back is always possible.
        let _ = seen.set_scheme(scheme);
        let base = base_string(verb, &seen, &parameters);
        let key = format!("{}&", self.secret.expose_secret());
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(base.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        parameters.push(("oauth_signature".to_owned(), signature));
        let mut signed = address.clone();
        signed.set_query(Some(&joined(&parameters)));
        signed
    }
}

/// `Authorization: Basic …`, kept out of debug output.
pub(super) fn basic(user: &str, password: &str) -> HeaderValue {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value =
        HeaderValue::from_str(&format!("Basic {text}")).expect("base64 has only letters that a header may hold");
    value.set_sensitive(true);
    value
}

/// METHOD, address and sorted parameters, each encoded.
fn base_string(verb: &str, address: &Url, parameters: &[(String, String)]) -> String {
    let mut bare = address.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    let mut encoded: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort();
    let pairs: Vec<String> = encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{verb}&{}&{}", encode(bare.as_str()), encode(&pairs.join("&")))
}

/// Parameters as a query.
pub(super) fn joined(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_string_is_sorted_and_encoded_twice() {
        let address = Url::parse("http://127.0.0.1:8080/wp-json/wc/v3/orders?status=a%2Cb&_fields=id").unwrap();
        let parameters = [("status".to_owned(), "a,b".to_owned()), ("_fields".to_owned(), "id".to_owned())];
        assert_eq!(
            base_string("GET", &address, &parameters),
            "GET&http%3A%2F%2F127.0.0.1%3A8080%2Fwp-json%2Fwc%2Fv3%2Forders&_fields%3Did%26status%3Da%252Cb"
        );
    }

    #[test]
    fn the_signature_stands_in_the_query_and_the_secret_does_not() {
        let login = Login { key: SecretString::from("ck_1"), secret: SecretString::from("cs_2") };
        let address = Url::parse("http://127.0.0.1/orders?a=b%20c").unwrap();
        let signed = login.signed("GET", &address, "http", (1_700_000_000, "n1"));
        let again = login.signed("GET", &address, "http", (1_700_000_000, "n1"));
        assert_eq!(signed, again);
        let pairs: Vec<String> = signed.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert!(pairs.contains(&"oauth_signature".to_owned()) && pairs[0] == "a");
        assert!(!signed.as_str().contains("cs_2"));
        let tls = Url::parse("https://127.0.0.1/orders?a=b%20c").unwrap();
        let as_plain = login.signed("GET", &tls, "http", (1_700_000_000, "n1"));
        assert_eq!((as_plain.scheme(), as_plain.query()), ("https", signed.query()), "sent over TLS, signed without");
        assert_ne!(login.signed("GET", &tls, "https", (1_700_000_000, "n1")).query(), signed.query());
        assert_ne!(login.signed("PUT", &address, "http", (1_700_000_000, "n1")), signed);
    }
}
