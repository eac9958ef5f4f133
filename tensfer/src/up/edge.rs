//! Where clients connect: this machine in plain HTTP, or anywhere over TLS.

use host::confinement::Kept;
use host::gateway::Edge;
use host::gateway::tls::{Files, Tls};
use host::signatures::{Authority, Scheme};
use rustls::pki_types::ServerName;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use wire::identity::RelyingParty;
use wire::passkey::{MAX_RELYING_PARTIES, are_relying_parties};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Port on localhost, in plain HTTP; 0 takes a free one.
    #[arg(long, default_value_t = 8080, conflicts_with = "listen")]
    port: u16,
    /// Serve over TLS on this address instead of localhost: `[::]:8443` takes all that this machine has. There is no plain
    /// HTTP but on localhost.
    #[arg(long, value_name = "ADDR:PORT", requires_all = ["tls_certificate", "tls_key", "host"])]
    listen: Option<SocketAddr>,
    /// The certificate's chain in PEM, the server's own first. It is read again when the file changes, and on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "listen")]
    tls_certificate: Option<PathBuf>,
    /// Its private key in PEM, which nobody else may read (mode 600).
    #[arg(long, value_name = "FILE", requires = "listen")]
    tls_key: Option<PathBuf>,
    /// A name or address that requests may be for, and the certificate is for; repeat for several.
    #[arg(long, value_name = "NAME", requires = "listen", value_parser = name)]
    host: Vec<ServerName<'static>>,
}

impl Options {
    /// What was asked for, with its certificate.
    pub fn open(&self) -> anyhow::Result<Edge> {
        let (Some(address), Some(certificate), Some(key)) =
            (self.listen, &self.tls_certificate, &self.tls_key)
        else {
            return Ok(Edge::Localhost(self.port));
        };
        let files = Files { certificate: certificate.clone(), key: key.clone() };
        let tls = Tls::load(files, self.host.clone(), host::clock::now())?;
        Ok(Edge::Tls(address, Box::new(tls)))
    }

    /// What whoever serves there keeps: the certificate and its key are read again when they are replaced.
    pub fn kept(&self) -> Kept {
        let files = self.tls_certificate.iter().chain(&self.tls_key);
        files.fold(Kept::default(), |kept, file| kept.and_replaced(file))
    }

    /// Where clients reach it.
    pub fn url(&self, port: u16) -> String {
        match self.host.first() {
            None => format!("http://localhost:{port}"),
            Some(ServerName::IpAddress(address)) => {
                format!("https://{}", SocketAddr::new((*address).into(), port))
            }
            Some(name) => format!("https://{}:{port}", name.to_str()),
        }
    }

    /// Every URL by which a client may name it. Whoever forwards a port may do it from the usual one.
    pub fn urls(&self, port: u16) -> Vec<String> {
        let named = |host: &ServerName<'_>| match host {
            ServerName::IpAddress(address) => match std::net::IpAddr::from(*address) {
                std::net::IpAddr::V4(address) => address.to_string(),
                std::net::IpAddr::V6(address) => format!("[{address}]"),
            },
            name => name.to_str().into_owned(),
        };
        if self.host.is_empty() {
            return ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}")).into();
        }
        let both = |host: &ServerName<'_>| {
            let name = named(host);
            [format!("https://{name}:{port}"), format!("https://{name}")]
        };
        self.host.iter().flat_map(both).collect()
    }

    /// Whose passkeys a simulated enclave takes: those of the pages that are served here, by their names. Addresses have none.
    pub fn relying_parties(&self, port: u16) -> Vec<RelyingParty> {
        let party = |id: &str, scheme: &str, own_port: u16| {
            let port = if port == own_port { String::new() } else { format!(":{port}") };
            RelyingParty { id: id.to_owned(), origins: vec![format!("{scheme}://{id}{port}")] }
        };
        if self.listen.is_none() {
            return vec![party("localhost", "http", 80)];
        }
        let mut parties: Vec<RelyingParty> = Vec::new();
        for name in self.host.iter().filter(|name| matches!(name, ServerName::DnsName(_))) {
            let served = party(&name.to_str(), "https", 443);
            if !parties.contains(&served) && parties.len() < MAX_RELYING_PARTIES {
                parties.push(served);
            }
        }
        parties
    }

    /// The same for a process whose place is the root folder.
    pub fn passed_on(&self) -> std::io::Result<Vec<OsString>> {
        let Some(listen) = self.listen else {
            return Ok(vec!["--port".into(), self.port.to_string().into()]);
        };
        let mut passed: Vec<OsString> = vec!["--listen".into(), listen.to_string().into()];
        for (option, path) in [("--tls-certificate", &self.tls_certificate), ("--tls-key", &self.tls_key)] {
            if let Some(path) = path {
                passed.extend([option.into(), std::path::absolute(path)?.into_os_string()]);
            }
        }
        passed.extend(self.host.iter().flat_map(|name| ["--host".into(), name.to_str().into_owned().into()]));
        Ok(passed)
    }
}

/// Of a URL without a path.
pub fn authority(url: &str) -> Result<Authority, &'static str> {
    let wrong = "`https://HOST:PORT` or `http://localhost:PORT`, without a path";
    let (scheme, rest) = url.split_once("://").ok_or(wrong)?;
    let scheme =
        [Scheme::Http, Scheme::Https].into_iter().find(|known| known.as_str() == scheme).ok_or(wrong)?;
    Authority::parse(scheme, rest).map_err(|_| wrong)
}

/// The relying party of one page: its host.
pub fn relying_party(origin: &str) -> Result<RelyingParty, &'static str> {
    let wrong = "an origin as browsers write it: `https://vault.example`, or `http://localhost:8080`";
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let id = host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned();
    let party = RelyingParty { id, origins: vec![origin.to_owned()] };
    if are_relying_parties(std::slice::from_ref(&party)) { Ok(party) } else { Err(wrong) }
}

fn name(text: &str) -> Result<ServerName<'static>, &'static str> {
    let wrong =
        "a name such as `vault.example`, or an address; without a port, a wildcard or a dot at its end";
    let name = ServerName::try_from(text.to_ascii_lowercase()).map_err(|_| wrong)?;
    if text.ends_with('.') { Err(wrong) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        edge: Options,
    }

    const TLS: [&str; 8] = [
        "--listen",
        "[::]:8443",
        "--tls-certificate",
        "/chain.pem",
        "--tls-key",
        "/key.pem",
        "--host",
        "Vault.example",
    ];

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        Line::try_parse_from([&["line"], words].concat()).map(|line| line.edge)
    }

    #[test]
    fn there_is_no_plain_http_but_on_localhost() {
        assert!(matches!(parse(&["--port", "81"]).unwrap().open().unwrap(), Edge::Localhost(81)));
        assert!(matches!(parse(&[]).unwrap().open().unwrap(), Edge::Localhost(8080)));
        for left_out in [2, 4, 6] {
            let mut words = TLS.to_vec();
            words.drain(left_out..left_out + 2);
            assert!(parse(&words).is_err(), "{words:?}");
        }
        assert!(parse(&TLS[2..]).is_err(), "no address to listen on");
        assert!(parse(&["--listen", "0.0.0.0:80"]).is_err());
        assert!(parse(&[&TLS[..], &["--port", "80"]].concat()).is_err());
    }

    #[test]
    fn a_name_is_a_name_or_an_address() {
        for name in
            ["vault.example:8443", "*.example", "https://vault.example", "vault.example.", "", "[::1]"]
        {
            let words = [&TLS[..7], &[name]].concat();
            assert!(parse(&words).is_err(), "{name}");
        }
        let url = |name| parse(&[&TLS[..7], &[name]].concat()).unwrap().url(8443);
        assert_eq!(url("Vault.example"), "https://vault.example:8443");
        assert_eq!(url("2001:db8::7"), "https://[2001:db8::7]:8443");
        assert_eq!(url("192.0.2.7"), "https://192.0.2.7:8443");
    }

    #[test]
    fn passkeys_are_taken_of_the_names_that_pages_are_served_under() {
        let origins = |words: &[&str], port| {
            let parties = parse(words).unwrap().relying_parties(port);
            assert!(wire::passkey::are_relying_parties(&parties), "{parties:?}");
            parties.into_iter().flat_map(|party| party.origins).collect::<Vec<_>>()
        };
        assert_eq!(origins(&[], 8080), ["http://localhost:8080"]);
        assert_eq!(origins(&[], 80), ["http://localhost"]);
        let words = [&TLS[..], &["--host", "192.0.2.7", "--host", "vault.example"]].concat();
        assert_eq!(origins(&words, 8443), ["https://vault.example:8443"]);
        assert_eq!(origins(&words, 443), ["https://vault.example"]);
        let many: Vec<String> = (0..9).map(|at| format!("--host=v{at}.example")).collect();
        let words = [&TLS[..6], &many.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        assert_eq!(origins(&words, 443).len(), MAX_RELYING_PARTIES);
    }

    #[test]
    fn a_page_of_passkeys_is_an_origin_as_browsers_write_it() {
        let party = relying_party("https://vault.example:8443").unwrap();
        assert_eq!(
            (party.id.as_str(), &party.origins[0][..]),
            ("vault.example", "https://vault.example:8443")
        );
        assert_eq!(relying_party("http://localhost").unwrap().id, "localhost");
        for wrong in [
            "vault.example",
            "http://vault.example",
            "https://vault.example/",
            "https://Vault.example",
            "https://192.0.2.7",
            "https://vault.example:443",
            "https://",
            "",
        ] {
            assert!(relying_party(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_passed_on_says_the_same() {
        for words in [&TLS[..], &["--port", "81"]] {
            let options = parse(words).unwrap();
            let passed = options.passed_on().unwrap();
            let words: Vec<&str> = passed.iter().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(format!("{:?}", parse(&words).unwrap()), format!("{options:?}"));
        }
    }
}
