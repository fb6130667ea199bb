//! The absolute address of this node as the client knows it, for discovery (TAXII 2.1 section 4.1.1; cytaxii2 needs it whole).

use http::HeaderMap;
use http::header::HOST;

use super::connection::Connection;
use super::context::Context;

/// `scheme://host[:port]` without a slash at the end: the configured `public_url`, else what the client called us.
#[must_use]
pub fn base_url(
    ctx: &Context,
    connection: &Connection,
    uri: &http::Uri,
    headers: &HeaderMap,
) -> String {
    if let Some(base) = &ctx.public_base {
        return base.clone();
    }
    let scheme = if connection.tls { "https" } else { "http" };
    // HTTP/2 sends `:authority`, HTTP/1.1 `Host` (RFC 9113 section 8.3.1)
    let called = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| headers.get(HOST)?.to_str().ok());
    match called.filter(|host| is_host(host)) {
        Some(host) => format!("{scheme}://{host}"),
        None => format!("{scheme}://{}", ctx.app.config.listen()),
    }
}

/// A host as RFC 3986 section 3.2.2 writes it, narrow enough to stand in JSON and HTML: name, IPv4 or `[IPv6]`, and a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rfind(']') {
        Some(end) => text.split_at(end + 1),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port_ok = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok());
    let host_ok = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            !host.is_empty() && host.len() <= 253 && host.bytes().all(allowed)
        }
    };
    host_ok && port_ok
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts() {
        for good in [
            "localhost",
            "127.0.0.1:6443",
            "cert.example.org",
            "[2001:db8::1]:443",
            "[::1]",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "evil/path",
            "x\"y",
            "a:b",
            "a:99999",
            "user@host",
            "[::1",
            "[x]",
            "a:1:2",
            "<script>",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
