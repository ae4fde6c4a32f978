//! What is asked of the provider itself (OpenID Connect Discovery 1.0, RFC 6749): over TLS only, with bounded patience, by
//! the address that the settings name. Nothing of its answers is believed here: the keeper verifies (P3).

use domain::{Sensitive, limit::OIDC_ANSWER_BYTES_MAX};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, IssuerUrl, PkceCodeVerifier, ProviderMetadataWithLogout,
    RedirectUrl, RequestTokenError, TokenResponse, TokenUrl,
    core::{CoreClient, CoreClientAuthMethod, CoreJsonWebKeySet},
    url::Url,
};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// A provider that takes longer is away: somebody waits before a screen.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a provider says of its addresses is asked for again after this.
const FRESH: Duration = Duration::from_secs(600);
/// Questions to the provider at once: strangers may begin sign-ins, and each holds a thread while the provider is silent.
const QUESTIONS_MAX: usize = 16;

/// What the town has agreed with its provider, as far as web needs it.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// Shown on the button.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub scopes: String,
    /// Asked for; the keeper says what they are worth.
    pub acr: Vec<String>,
    pub asks_amr: bool,
}

/// Why the provider is of no use now.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("`oidc.issuer` must be an address that begins with https://")]
    NoHttps,
    #[error("the provider at `{url}` does not answer: {source}")]
    Away { url: String, source: Box<https::Error> },
    #[error("the provider at `{url}` answered {status}: is `oidc.issuer` right?")]
    Status { url: String, status: u16 },
    #[error("what the provider at `{url}` says of itself cannot be read: is `oidc.issuer` right?")]
    Unreadable { url: String },
    #[error("the provider calls itself `{found}`: write that as `oidc.issuer`")]
    OtherIssuer { found: String },
    #[error("the provider refused the code")]
    Refused,
    #[error("the provider's answer holds no ID token that can be read")]
    NoToken,
    #[error("too many sign-ins ask the provider at this moment")]
    Busy,
}

/// The provider, and what it said of its addresses last.
pub struct Provider {
    pub config: OidcConfig,
    pub questions: Semaphore,
    agent: https::Agent,
    known: Mutex<Option<(Instant, Endpoints)>>,
}

/// Where a provider is asked what.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub authorization: Url,
    token: Url,
    pub end_session: Option<Url>,
    keys: Url,
    /// The secret goes into the form, because the provider takes no other way (RFC 6749, 2.3.1).
    secret_in_form: bool,
}

impl Provider {
    pub fn new(config: OidcConfig) -> Provider {
        let (agent, questions) = (https::agent(PATIENCE, 0), Semaphore::new(QUESTIONS_MAX));
        Provider { config, questions, agent, known: Mutex::default() }
    }

    /// Blocks.
    pub fn endpoints(&self) -> Result<Endpoints, ProviderError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, endpoints)) = known.filter(|(since, _)| since.elapsed() < FRESH) {
            return Ok(endpoints);
        }
        let found = discover(&self.agent, &self.config.issuer)?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// The ID token for a code. Blocks.
    pub fn redeem(
        &self,
        code: Sensitive<String>,
        verifier: Sensitive<String>,
        secret: Option<Sensitive<String>>,
        redirect: String,
    ) -> Result<Sensitive<String>, ProviderError> {
        let endpoints = self.endpoints()?;
        let unreadable = |_| ProviderError::Unreadable { url: self.config.issuer.clone() };
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(unreadable)?;
        // the keys are the keeper's: here nothing is verified
        let client =
            CoreClient::new(ClientId::new(self.config.client_id.clone()), issuer, CoreJsonWebKeySet::new(vec![]))
                .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
                .set_redirect_uri(RedirectUrl::new(redirect).map_err(unreadable)?)
                .set_auth_type(if endpoints.secret_in_form { AuthType::RequestBody } else { AuthType::BasicAuth });
        let client = match secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.into_revealed())),
            None => client,
        };
        let asked = client
            .exchange_code(AuthorizationCode::new(code.into_revealed()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.into_revealed()))
            .request(&|question| https::ask(&self.agent, question, OIDC_ANSWER_BYTES_MAX));
        let answer = asked.map_err(|error| match error {
            RequestTokenError::Request(source) => {
                ProviderError::Away { url: endpoints.token.to_string(), source: Box::new(source) }
            }
            RequestTokenError::ServerResponse(_) => ProviderError::Refused,
            // its words may repeat the answer
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ProviderError::NoToken,
        })?;
        let token = answer.id_token().ok_or(ProviderError::NoToken)?;
        Ok(Sensitive::new(token.to_string()))
    }
}

/// The provider's signing keys as it publishes them, for an administrator to look at: over TLS, from the address that the
/// settings name. Blocks.
pub fn published_keys(issuer: &str) -> Result<String, ProviderError> {
    let agent = https::agent(PATIENCE, 0);
    let url = discover(&agent, issuer)?.keys;
    let bytes = fetch(&agent, &url)?;
    String::from_utf8(bytes).map_err(|_| ProviderError::Unreadable { url: url.to_string() })
}

fn discover(agent: &https::Agent, issuer: &str) -> Result<Endpoints, ProviderError> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let url = over_tls(Url::parse(&url).ok())?;
    let unreadable = || ProviderError::Unreadable { url: url.to_string() };
    let metadata: ProviderMetadataWithLogout =
        serde_json::from_slice(&fetch(agent, &url)?).map_err(|_| unreadable())?;
    if metadata.issuer().as_str() != issuer {
        return Err(ProviderError::OtherIssuer { found: metadata.issuer().as_str().escape_debug().to_string() });
    }
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes_basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let end_session = metadata.additional_metadata().end_session_endpoint.as_ref();
    Ok(Endpoints {
        authorization: over_tls(Some(metadata.authorization_endpoint().url().clone()))?,
        token: over_tls(metadata.token_endpoint().map(|token| token.url().clone()))?,
        end_session: end_session.map(|url| over_tls(Some(url.url().clone()))).transpose()?,
        keys: over_tls(Some(metadata.jwks_uri().url().clone()))?,
        secret_in_form: !takes_basic,
    })
}

fn over_tls(url: Option<Url>) -> Result<Url, ProviderError> {
    url.filter(|url| url.scheme() == "https").ok_or(ProviderError::NoHttps)
}

fn fetch(agent: &https::Agent, url: &Url) -> Result<Vec<u8>, ProviderError> {
    let away = |source| ProviderError::Away { url: url.to_string(), source: Box::new(source) };
    let question = openidconnect::http::Request::get(url.as_str()).header("accept", "application/json").body(vec![]);
    let question = question.map_err(|_| ProviderError::Unreadable { url: url.to_string() })?;
    let answer = https::ask(agent, question, OIDC_ANSWER_BYTES_MAX).map_err(away)?;
    match answer.status().as_u16() {
        200 => Ok(answer.into_body()),
        status => Err(ProviderError::Status { url: url.to_string(), status }),
    }
}
