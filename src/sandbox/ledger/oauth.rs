//! Who may call: consent, codes, and tokens that live ten minutes and change hands at every refresh.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

/// An access token lives this long, used or not.
const ACCESS_LIFE: SignedDuration = SignedDuration::from_secs(600);
/// A refresh is taken from this long after the last issue.
const REFRESH_FROM: SignedDuration = SignedDuration::from_secs(570);
/// An unused refresh token lives this long.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// An authorization code lives this long and works once.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(3);

/// What a client needs to call the ledger.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The app's id, a guid.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// The refresh token that is valid now.
    pub refresh_token: String,
    /// The access token that is valid now, unless it has expired.
    pub access_token: String,
    /// The administration that the tokens reach.
    pub division: i64,
}

/// Apps, consents and the chains of tokens that follow from them.
pub(super) struct Logins {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    space: Uuid,
    made: u64,
    codes: HashMap<String, Code>,
    chains: Vec<Chain>,
    /// Every refresh token ever given, and the chain that it belongs to.
    refresh: HashMap<String, usize>,
    /// By access token: its chain, and when it was given.
    access: HashMap<String, (usize, Timestamp)>,
}

struct Code {
    given: Timestamp,
    redirect_uri: String,
}

/// The tokens that follow from one consent.
struct Chain {
    issued: Timestamp,
    access: String,
    refresh: String,
    /// The refresh token before, which works until its successor or that one's access token is used.
    previous: Option<String>,
    revoked: bool,
    expired: bool,
}

/// An answer of the token endpoint.
pub(super) struct TokenAnswer {
    pub(super) status: u16,
    pub(super) reason: Option<&'static str>,
    pub(super) body: Value,
}

impl TokenAnswer {
    fn refused(status: u16, error: &str, description: &str) -> Self {
        Self { status, reason: None, body: json!({"error": error, "error_description": description}) }
    }
}

impl Logins {
    pub(super) fn new(seed: u64, client: Uuid, now: Timestamp) -> Self {
        let space = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("logins {seed}").as_bytes());
        let mut logins = Self {
            client_id: client.to_string(),
            client_secret: Uuid::new_v5(&space, b"secret").simple().to_string(),
            space,
            made: 0,
            codes: HashMap::new(),
            chains: Vec::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
        };
        logins.issue(None, now);
        logins
    }

    fn token(&mut self, kind: &str) -> String {
        self.made += 1;
        let name = format!("{kind} {}", self.made);
        let inner = Uuid::new_v5(&self.space, name.as_bytes());
        let more = Uuid::new_v5(&inner, name.as_bytes());
        // The mark and the stop are the service's: clients that do not encode them fail here too.
        format!("stampNL001.{}!{}", inner.simple(), more.simple())
    }

    /// New tokens, at the end of a chain or in a new one.
    fn issue(&mut self, chain: Option<usize>, now: Timestamp) -> usize {
        let (access, refresh) = (self.token("access"), self.token("refresh"));
        let previous = chain.map(|at| self.chains[at].refresh.clone());
        let made = Chain {
            issued: now,
            access: access.clone(),
            refresh: refresh.clone(),
            previous,
            revoked: false,
            expired: false,
        };
        let at = chain.unwrap_or(self.chains.len());
        if at == self.chains.len() {
            self.chains.push(made);
        } else {
            // A token lives its time from its issue: calls under way end with the one they began with.
            self.access.retain(|_, known| now.duration_since(known.1) < ACCESS_LIFE);
            self.chains[at] = made;
        }
        self.access.insert(access, (at, now));
        self.refresh.insert(refresh, at);
        at
    }

    /// The tokens of the first chain.
    pub(super) fn credentials(&self, division: i64) -> Credentials {
        let first = &self.chains[0];
        Credentials {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            refresh_token: first.refresh.clone(),
            access_token: first.access.clone(),
            division,
        }
    }

    /// Whether an `Authorization` header lets a call in.
    pub(super) fn admits(&mut self, header: Option<&str>, now: Timestamp) -> bool {
        let Some((scheme, token)) = header.and_then(|header| header.split_once(' ')) else {
            return false;
        };
        let Some((at, given)) = self.access.get(token.trim()).copied() else {
            return false;
        };
        let chain = &mut self.chains[at];
        if scheme.eq_ignore_ascii_case("bearer") && now.duration_since(given) < ACCESS_LIFE {
            if chain.access == token.trim() {
                chain.previous = None;
            }
            return true;
        }
        false
    }

    /// Consent: nobody is asked here, the code comes at once. Answers where to send the browser.
    pub(super) fn authorize(&mut self, asked: &HashMap<String, String>, now: Timestamp) -> Result<String, TokenAnswer> {
        let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if get("client_id").trim_matches(['{', '}']) != self.client_id {
            return Err(TokenAnswer::refused(400, "invalid_client", "The client_id is not known."));
        }
        if get("response_type") != "code" {
            return Err(TokenAnswer::refused(400, "unsupported_response_type", "The response_type must be code."));
        }
        let Ok(mut address) = url::Url::parse(get("redirect_uri")) else {
            return Err(TokenAnswer::refused(400, "invalid_request", "The redirect_uri is not an address."));
        };
        let code = self.token("code");
        let known = Code { given: now, redirect_uri: get("redirect_uri").to_owned() };
        self.codes.insert(code.clone(), known);
        address.query_pairs_mut().append_pair("code", &code);
        if let Some(state) = asked.get("state") {
            address.query_pairs_mut().append_pair("state", state);
        }
        Ok(address.into())
    }

    /// The token endpoint, with the fields of its form and its `Authorization` header.
    pub(super) fn answer(
        &mut self,
        form: &HashMap<String, String>,
        header: Option<&str>,
        now: Timestamp,
    ) -> TokenAnswer {
        if let Err(refused) = self.check_client(form, header) {
            return refused;
        }
        match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.exchange(form, now),
            Some("refresh_token") => self.renew(form, now),
            _ => TokenAnswer { status: 400, reason: None, body: json!({"error": "unsupported_grant_type"}) },
        }
    }

    /// Id and secret come in the form or as Basic; a Bearer header is refused here.
    fn check_client(&self, form: &HashMap<String, String>, header: Option<&str>) -> Result<(), TokenAnswer> {
        let refused = || TokenAnswer::refused(401, "invalid_client", "Client authentication failed.");
        let basic = match header.and_then(|header| header.split_once(' ')) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
                let bytes = STANDARD.decode(rest.trim()).map_err(|_| refused())?;
                let text = String::from_utf8(bytes).map_err(|_| refused())?;
                text.split_once(':').map(|(id, secret)| (super::query::decode(id), super::query::decode(secret)))
            }
            Some(_) => return Err(refused()),
            None => None,
        };
        let from_form = || Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
        let (id, secret) = basic.or_else(from_form).ok_or_else(refused)?;
        if id.trim_matches(['{', '}']) == self.client_id && secret == self.client_secret {
            Ok(())
        } else {
            Err(refused())
        }
    }

    fn exchange(&mut self, form: &HashMap<String, String>, now: Timestamp) -> TokenAnswer {
        let wrong = "Token is not allowed, because of invalid or empty chainId";
        let code = form.get("code").and_then(|code| self.codes.remove(code));
        let fits = code.is_some_and(|code| {
            let same = form.get("redirect_uri") == Some(&code.redirect_uri);
            same && now.duration_since(code.given) < CODE_LIFE
        });
        if !fits {
            return TokenAnswer::refused(400, "invalid_grant", wrong);
        }
        let at = self.issue(None, now);
        self.granted(at)
    }

    fn renew(&mut self, form: &HashMap<String, String>, now: Timestamp) -> TokenAnswer {
        let Some(token) = form.get("refresh_token").filter(|token| !token.is_empty()) else {
            return TokenAnswer { status: 400, reason: None, body: json!({"error": "invalid_request"}) };
        };
        let Some(at) = self.refresh.get(token).copied() else {
            return TokenAnswer::refused(400, "invalid_grant", "Refresh token is invalid.");
        };
        let chain = &mut self.chains[at];
        if chain.revoked {
            return TokenAnswer::refused(400, "invalid_grant", "Refresh token is invalid.");
        }
        if chain.refresh != *token && chain.previous.as_ref() != Some(token) {
            return TokenAnswer::refused(401, "unauthorized_client", "Old refresh token used.");
        }
        if chain.refresh == *token {
            chain.previous = None;
        }
        let age = now.duration_since(chain.issued);
        if age >= REFRESH_LIFE {
            let end = chain.issued.checked_add(REFRESH_LIFE).unwrap_or(now);
            let text = format!("The refresh token expired at {end} and it is now {now}.");
            return TokenAnswer::refused(400, "invalid_request", &text);
        }
        if age < REFRESH_FROM && !chain.expired {
            let text = "Rate limit exceeded: access_token not expired";
            let mut early = TokenAnswer::refused(400, "access_denied", text);
            early.reason = Some("TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired");
            return early;
        }
        // The token that was shown stays good until its successor is used: an answer may get lost.
        let shown = token.clone();
        self.issue(Some(at), now);
        self.chains[at].previous = Some(shown);
        self.granted(at)
    }

    fn granted(&self, at: usize) -> TokenAnswer {
        let chain = &self.chains[at];
        let body = json!({
            "access_token": chain.access,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE.as_secs().to_string(),
            "refresh_token": chain.refresh,
        });
        TokenAnswer { status: 200, reason: None, body }
    }

    /// All access tokens are over; a refresh is taken at once.
    pub(super) fn expire(&mut self) {
        self.access.clear();
        for chain in &mut self.chains {
            chain.expired = true;
        }
    }

    /// All refresh tokens are void: only a new consent helps. Access tokens live on.
    pub(super) fn revoke(&mut self) {
        for chain in &mut self.chains {
            chain.revoked = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        logins: Logins,
        now: Timestamp,
    }

    impl Bench {
        fn new() -> Self {
            let now: Timestamp = "2026-01-02T10:00:00Z".parse().unwrap();
            Self { logins: Logins::new(1, Uuid::from_u128(5), now), now }
        }

        fn refresh(&mut self, token: &str, after: i64) -> TokenAnswer {
            self.now += SignedDuration::from_secs(after);
            let form = HashMap::from([
                ("grant_type".to_owned(), "refresh_token".to_owned()),
                ("refresh_token".to_owned(), token.to_owned()),
                ("client_id".to_owned(), self.logins.client_id.clone()),
                ("client_secret".to_owned(), self.logins.client_secret.clone()),
            ]);
            self.logins.answer(&form, None, self.now)
        }
    }

    #[test]
    fn too_early_is_refused_and_burns_nothing() {
        let mut bench = Bench::new();
        let first = bench.logins.credentials(1).refresh_token;
        let early = bench.refresh(&first, 569);
        assert_eq!((early.status, early.body["error"].as_str()), (400, Some("access_denied")));
        assert!(early.reason.unwrap().starts_with("TooEarlyToRefreshTokens"));
        let granted = bench.refresh(&first, 1);
        assert_eq!((granted.status, granted.body["expires_in"].as_str()), (200, Some("600")));
    }

    #[test]
    fn the_old_token_dies_when_the_new_one_is_used() {
        let mut bench = Bench::new();
        let first = bench.logins.credentials(1).refresh_token;
        let lost = bench.refresh(&first, 600);
        let found = bench.refresh(&first, 600);
        assert_eq!((lost.status, found.status), (200, 200));
        let access = found.body["access_token"].as_str().unwrap().to_owned();
        assert!(bench.logins.admits(Some(&format!("Bearer {access}")), bench.now));
        let old = bench.refresh(&first, 600);
        assert_eq!((old.status, old.body["error_description"].as_str()), (401, Some("Old refresh token used.")));
        assert!(!bench.logins.admits(Some(&format!("Bearer {access}")), bench.now));
    }

    #[test]
    fn an_access_token_lives_on_beside_its_successor() {
        let mut bench = Bench::new();
        let known = bench.logins.credentials(1);
        let granted = bench.refresh(&known.refresh_token, 580);
        let next = granted.body["access_token"].as_str().unwrap().to_owned();
        for (after, old) in [(19, true), (1, false)] {
            bench.now += SignedDuration::from_secs(after);
            assert_eq!(bench.logins.admits(Some(&format!("Bearer {}", known.access_token)), bench.now), old);
            assert!(bench.logins.admits(Some(&format!("Bearer {next}")), bench.now));
        }
        bench.logins.expire();
        assert!(!bench.logins.admits(Some(&format!("Bearer {next}")), bench.now));
    }

    #[test]
    fn faults_end_tokens() {
        let mut bench = Bench::new();
        let known = bench.logins.credentials(1);
        bench.logins.expire();
        assert!(!bench.logins.admits(Some(&format!("Bearer {}", known.access_token)), bench.now));
        assert_eq!(bench.refresh(&known.refresh_token, 1).status, 200);
        bench.logins.revoke();
        let refresh = bench.logins.credentials(1).refresh_token;
        assert_eq!(bench.refresh(&refresh, 600).status, 400);
    }
}
