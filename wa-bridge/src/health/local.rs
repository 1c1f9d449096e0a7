//! Which hosts and origins are this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a host, with or without a port, is this machine by a name nobody else can give.
pub(super) fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => match address.parse::<Ipv6Addr>() {
                Ok(address) => (IpAddr::V6(address), port),
                Err(_) => return false,
            },
            None => return false,
        },
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at(end);
            let name = match name.eq_ignore_ascii_case("localhost") {
                true => Ok(Ipv4Addr::LOCALHOST),
                false => name.parse(),
            };
            match name {
                Ok(address) => (IpAddr::V4(address), port),
                Err(_) => return false,
            }
        }
    };
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    name.is_loopback() && is_port
}

/// Whether an origin is a page that comes from this machine.
pub(super) fn is_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_else_can_give_are_this_machine() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.9.9.9", "[::1]", "[::1]:9"]
        {
            assert!(is_host(host), "{host}");
            assert!(is_origin(&format!("http://{host}")), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "::1",
            "[::1]x",
            "localhost:",
            "localhost:port",
            "localhost:1:2",
            "evil@localhost",
            "localhost@evil",
            " localhost",
        ] {
            assert!(!is_host(host), "{host}");
            assert!(!is_origin(&format!("https://{host}")), "{host}");
        }
        for origin in ["null", "", "localhost", "file://localhost", "http://localhost/a"] {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
