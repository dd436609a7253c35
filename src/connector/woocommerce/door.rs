//! The ways into a shop: how a call shows who makes it. Over TLS the key stands in a header; some web servers drop that
//! header, some ask for a user of their own in it, and some end TLS before PHP and do not say so. Then the call is signed.
//!
//! Measured: a dropped header, no key and an unknown key are answered alike, so only another way tells them apart.

use super::auth::{self, Login};
use super::query::Query;
use crate::connector::http::{Response, Verb};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use std::sync::atomic::{AtomicUsize, Ordering};
use url::Url;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The key in a header.
    Header,
    /// A signature in the query.
    Signed,
    /// The same over the address as a PHP sees it that is not told of TLS.
    SignedAsPlain,
}

/// How one shop is entered.
pub(super) struct Door {
    login: Login,
    /// For a web server before the shop that asks for a user of its own.
    front: Option<HeaderValue>,
    /// The ways that may be tried, in order.
    ways: &'static [Way],
    /// The one that is taken.
    at: AtomicUsize,
}

impl Door {
    pub(super) fn new(login: Login, front: Option<HeaderValue>, base: &Url) -> Self {
        let ways: &[Way] = match (base.scheme(), &front) {
            ("https", None) => &[Way::Header, Way::Signed, Way::SignedAsPlain],
            ("https", Some(_)) => &[Way::Signed, Way::SignedAsPlain],
            _ => &[Way::Signed],
        };
        Self { login, front, ways, at: AtomicUsize::new(0) }
    }

    /// The way that is taken now, and those that may be tried behind it.
    pub(super) fn ways(&self) -> impl Iterator<Item = Way> + use<> {
        let ways = self.ways;
        let at = self.at.load(Ordering::Relaxed);
        std::iter::once(ways[at]).chain(ways.iter().copied().filter(move |way| *way != ways[at]))
    }

    /// The address and the header of a call.
    pub(super) fn dressed(
        &self,
        way: Way,
        (verb, address, query): (&Verb, &Url, &Query),
        second: i64,
    ) -> (Url, Option<(HeaderName, HeaderValue)>) {
        let mut address = address.clone();
        address.set_query(query.text().as_deref());
        let front = || self.front.clone().map(|value| (AUTHORIZATION, value));
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        match way {
            Way::Header => (address, Some((AUTHORIZATION, self.login.basic()))),
            Way::Signed => (self.login.signed(verb.as_str(), &address, address.scheme(), (second, &nonce)), front()),
            Way::SignedAsPlain => (self.login.signed(verb.as_str(), &address, "http", (second, &nonce)), front()),
        }
    }

    /// What opens the door before the shop, where there is one.
    pub(super) fn front(&self) -> Option<(HeaderName, HeaderValue)> {
        self.front.clone().map(|value| (AUTHORIZATION, value))
    }

    /// This way has led in: it is taken from now on. What a person should know of it.
    pub(super) fn keep(&self, way: Way) -> Option<&'static str> {
        let at = self.ways.iter().position(|its| *its == way)?;
        if self.at.swap(at, Ordering::Relaxed) == at {
            return None;
        }
        match way {
            Way::Header => None,
            Way::Signed => Some(
                "its web server drops the Authorization header, so calls are signed instead; nothing needs to be done",
            ),
            Way::SignedAsPlain => Some(
                "TLS ends before its PHP, which is not told of it, so calls are signed for http; better tell it: let the \
                 proxy send `X-Forwarded-Proto: https`, and the shop heed it",
            ),
        }
    }

    /// Why the web server before the shop does not let us through, if that is what answered.
    pub(super) fn barred(&self, response: &Response) -> Option<String> {
        if response.status != 401 {
            return None;
        }
        let asks = response.headers.get(WWW_AUTHENTICATE)?.to_str().unwrap_or_default();
        let realm = asks.split('"').nth(1).map(|realm| format!(" (\u{201c}{realm}\u{201d})")).unwrap_or_default();
        Some(if self.front.is_some() {
            format!("the web server before it{realm} refuses `front_user` and `front_password` of the `connect` block")
        } else {
            format!(
                "the web server before it asks for a user and a password of its own{realm}: give them as `front_user` and \
                 `front_password` in the `connect` block"
            )
        })
    }
}

/// `Authorization: Basic …` for the web server before the shop.
pub(super) fn front(user: &str, password: &secrecy::SecretString) -> HeaderValue {
    auth::basic(user, secrecy::ExposeSecret::expose_secret(password))
}
