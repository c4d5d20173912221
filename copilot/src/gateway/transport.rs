//! HTTP to the provider: one shared pool, one attempt a call, and refusals read where their
//! headers can still be seen.

use std::net::IpAddr;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::{Response, Url, redirect};

use super::refusal::{self, MAX_REFUSAL_BYTES};
use super::{GatewayConfig, GatewayError};

/// Added to the total timeout for the connection itself, so that a reader that nobody polls
/// any more still ends, and our own, better named timeout comes first.
const GRACE: Duration = Duration::from_secs(1);

/// An async-openai client with its retries taken out: giving it a service of our own is the
/// only way to do that.
pub(super) fn client(config: &GatewayConfig) -> Result<Client<OpenAIConfig>, GatewayError> {
    let base_url = config.base_url.trim_end_matches('/');
    let http = pool(base_url, config)?;
    // The organization and project would otherwise come from the environment.
    let openai = OpenAIConfig::new()
        .with_api_base(base_url)
        .with_api_key(config.api_key.reveal())
        .with_org_id("")
        .with_project_id("");
    let service = {
        let http = http.clone();
        tower::service_fn(move |request: HttpRequestFactory| {
            let http = http.clone();
            async move { send(&http, request).await }
        })
    };
    Ok(Client::build(http, openai).with_http_service(service))
}

fn pool(base_url: &str, config: &GatewayConfig) -> Result<reqwest::Client, GatewayError> {
    let url = Url::parse(base_url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(GatewayError::Misconfigured(
            "the base URL is not an http or https URL",
        ))?;
    let mut builder = reqwest::Client::builder()
        .connect_timeout(config.timeouts.connect)
        .timeout(config.timeouts.total.saturating_add(GRACE))
        // A redirect would carry the key and the conversation to somebody else.
        .redirect(redirect::Policy::none());
    if is_loopback(&url) {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|_source| GatewayError::Misconfigured("TLS cannot be set up"))
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

/// Sends a request once. What is not a success becomes our error here, for two reasons:
/// async-openai drops the headers, and it logs bodies that it cannot read.
async fn send(
    http: &reqwest::Client,
    request: HttpRequestFactory,
) -> Result<Response, OpenAIError> {
    let response = http
        .execute(request.build().await?)
        .await
        .map_err(|source| GatewayError::Connect(source.without_url()))?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let headers = response.headers().clone();
    let body = beginning(response).await;
    Err(refusal::of_response(status, &headers, &body).into())
}

/// As much of a refusal as is worth reading; a body that breaks off is as good as its beginning.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= MAX_REFUSAL_BYTES {
            break;
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_never_asked_for_this_machine() {
        for url in [
            "http://127.0.0.1:1/v1",
            "http://localhost/v1",
            "http://[::1]:1/v1",
        ] {
            assert!(is_loopback(&Url::parse(url).unwrap()), "{url}");
        }
        for url in ["https://api.openai.com/v1", "http://10.0.0.1/v1"] {
            assert!(!is_loopback(&Url::parse(url).unwrap()), "{url}");
        }
    }
}
