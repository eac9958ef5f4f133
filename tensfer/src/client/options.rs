//! What every client command takes, and what follows from it.

use crate::client::failure::{Failure, Result};
use crate::client::gateway::kept::Kept;
use crate::client::gateway::{Gateway, authority};
use crate::client::home::api_keys::ApiKeys;
use crate::client::home::environment::Environment;
use crate::client::home::passphrase::Passphrases;
use crate::client::home::realm::Realm;
use crate::client::home::versions::Versions;
use crate::client::home::{Home, files};
use crate::client::policy::Policy;
use aws_lc_rs::digest::{SHA384, digest};
use clap::Args;
use std::path::{Path, PathBuf};
use verify::measurement::{Name, Policy as Measurements, Register, Registers};
use verify::release::Publishers;
use verify::{Expect, Root};

/// Where `tensfer up` serves.
const SERVER: &str = "http://localhost:8080";
/// PCR1 and PCR2 of a simulated enclave are the SHA-384 of this mark (docs/spec/client.md).
pub const SIMULATION_MARK: &str = "DEVELOPMENT - NOT A TEE";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Client options")]
pub struct Options {
    /// The server: `https://HOST`, or `http://localhost:PORT` [default: http://localhost:8080].
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,

    /// A register that the enclave's program must have, such as `PCR0=HEX` (Nitro), `MEASUREMENT=HEX` (SEV-SNP) or
    /// `MRTD=HEX` (TDX); repeat for several, all must match.
    #[arg(id = "measurement", long, global = true, value_name = "NAME=HEX", value_parser = measurement)]
    measurements: Vec<(Name, Register)>,

    /// A file of what you accept, instead of `policy.toml` in TENSFER_HOME; `--measurement` and `--environment` go before it.
    #[arg(long, global = true, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Accept a simulated enclave under this root (DER): it protects nothing, and is for development only.
    #[arg(long, global = true, value_name = "FILE")]
    dangerous_simulated: Option<PathBuf>,

    /// The exchanges that the enclave must reach: `live` (the real ones) or `sandbox`. A linked account always stays with
    /// the ones that it was linked over.
    #[arg(long, global = true, value_enum)]
    environment: Option<Environment>,

    /// The authority (PEM) of a server that has its certificate from no public one. It concerns the connection alone: what
    /// the enclave is, its evidence says.
    #[arg(long, global = true, value_name = "FILE")]
    server_ca: Option<PathBuf>,

    /// Sign what leaves for the server with this API key (`tensfer keys list`), beside what is sealed. The server learns by it
    /// which program asks.
    #[arg(long, global = true, value_name = "NAME")]
    api_key: Option<String>,

    /// Allow plain HTTP to another machine than this one.
    #[arg(long, global = true)]
    dangerous_plain_http: bool,

    /// A file with the passphrase of your keys, instead of a prompt.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// The file of your second factor, if you keep it apart from TENSFER_HOME (on a stick, say).
    #[arg(long, global = true, value_name = "FILE")]
    second_factor: Option<PathBuf>,
}

impl Options {
    pub fn gateway(&self, url: Option<&str>) -> Result<Gateway> {
        let url = url.or(self.server.as_deref()).unwrap_or(SERVER);
        let gateway = match &self.server_ca {
            None => Gateway::new(url, self.dangerous_plain_http)?,
            Some(path) => Gateway::under(authority::read(path)?, url, self.dangerous_plain_http)?,
        };
        match &self.api_key {
            None => Ok(gateway),
            Some(name) => self.signing(gateway, name),
        }
    }

    /// A key is used where it is registered, and nowhere else.
    fn signing(&self, gateway: Gateway, name: &str) -> Result<Gateway> {
        let key = Kept::open(self.api_keys()?, name, gateway.base())?;
        Ok(gateway.signed_by(key))
    }

    /// Of what is done on the host itself: a server's address that was named would not be asked.
    pub fn refuse_server(&self) -> Result<()> {
        if self.server.is_none() {
            return Ok(());
        }
        Err(Failure::usage("operators' steps go to the relay's socket and not to a server's address")
            .hint("leave `--server` out; name the folder with `--data DIR` or `--run DIR`"))
    }

    /// The environment that was named.
    pub fn environment(&self) -> Option<Environment> {
        self.environment
    }

    /// Where passphrases come from.
    pub fn passphrases(&self) -> Passphrases {
        Passphrases::new(self.passphrase_file.clone())
    }

    pub fn home(&self) -> Result<Home> {
        Home::open(home_path()?, self.passphrases(), self.second_factor.clone())
    }

    /// The API keys that this machine keeps.
    pub fn api_keys(&self) -> Result<ApiKeys> {
        ApiKeys::open(&home_path()?)
    }

    /// The home of an agent, which has it to itself: see [`Home::open_for_agent`].
    pub fn agents_home(&self) -> Result<Home> {
        Home::open_for_agent(home_path()?, self.passphrases(), self.second_factor.clone())
    }

    /// Whether the file of the second factor was named, and not only lies where it is looked for.
    pub fn names_second_factor(&self) -> bool {
        self.second_factor.is_some()
    }

    /// What a saved document must be: exactly what was named on the command line; nothing is an empty policy, which
    /// refuses (m01).
    pub fn expect_document(&self) -> Result<Expect> {
        if self.environment.is_some() {
            return Err(Failure::usage("a saved document does not say which exchanges its enclave reaches")
                .hint("leave `--environment` out, or verify the running server"));
        }
        let policy = self.policy.is_some().then(|| self.policy()).transpose()?.flatten();
        self.expect_measured(policy.as_ref())
    }

    /// The file that was named, which must be there, or the home's, if there is one; with its path.
    fn policy(&self) -> Result<Option<(Policy, PathBuf)>> {
        if let Some(path) = &self.policy {
            let policy = Policy::read(path)?;
            let policy = policy
                .ok_or_else(|| Failure::usage(format!("there is no policy file `{}`", path.display())))?;
            return Ok(Some((policy, path.clone())));
        }
        let home = home_path()?;
        Policy::refuse_former(&home.join("policy.json"))?;
        let path = home.join("policy.toml");
        Ok(Policy::read(&path)?.map(|policy| (policy, path)))
    }

    /// Whose releases the policy goes by.
    pub fn publishers(&self) -> Result<Option<Publishers>> {
        Ok(self.policy()?.and_then(|(policy, _)| policy.publishers))
    }

    /// The highest versions that were worked with; what is asked about them changes nothing.
    pub fn versions(&self, realm: Realm) -> Result<Versions> {
        Versions::read(&home_path()?, realm)
    }

    /// The measurements of the command line, or else of the policy with its releases.
    fn expect_measured(&self, policy: Option<&(Policy, PathBuf)>) -> Result<Expect> {
        let mut set = Registers::new();
        for (name, value) in &self.measurements {
            set = set
                .with(*name, *value)
                .map_err(|_| Failure::usage(format!("you gave two values for {name}")))?;
        }
        let mut expect = Expect::new(Measurements::new());
        if let Some((policy, path)) = policy {
            (expect.snp, expect.tdx) = (policy.sev_snp.into(), policy.tdx.demands());
            expect.minimum_version = policy.minimum_version;
            if set.is_empty() {
                expect.measurements = policy.measurements();
                expect.releases = policy.released(path)?;
            }
        }
        if !set.is_empty() {
            expect.measurements = Measurements::new().or(set);
        }
        expect.dangerous_simulated = self.dangerous_simulated.as_deref().map(simulation_root).transpose()?;
        Ok(expect)
    }

    /// What a running enclave must be. A simulation that was named has the simulation's marks in its registers; which
    /// program it runs is compared only if measurements were given.
    pub fn expect_enclave(&self) -> Result<Expect> {
        let policy = self.policy()?;
        let environment = self.environment.or(policy.as_ref().and_then(|(policy, _)| policy.environment));
        let mut expect = self.expect_measured(policy.as_ref())?;
        expect.environment = environment.map(Environment::demand);
        let is_released = expect.releases.iter().any(|released| released.release().is_simulated());
        if self.measurements.is_empty() && expect.dangerous_simulated.is_some() && !is_released {
            let mut mark: Register = [0; 48];
            mark.copy_from_slice(digest(&SHA384, SIMULATION_MARK.as_bytes()).as_ref());
            let marked = Registers::new()
                .with(Name::Pcr(1), mark)
                .and_then(|registers| registers.with(Name::Pcr(2), mark));
            let marked = marked.map_err(|_| Failure::internal("this program could not build its policy"))?;
            // Beside what the policy accepts: hardware never has these marks. A release of simulated programs decides alone.
            expect.measurements = expect.measurements.or(marked);
        }
        Ok(expect)
    }
}

fn simulation_root(path: &Path) -> Result<Root> {
    let bytes = files::read(path)?.ok_or_else(|| {
        Failure::usage(format!("there is no simulation root `{}`", path.display()))
            .hint("`tensfer up` writes it anew at each start, and says where")
    })?;
    Root::dangerous_from_der(&bytes)
        .map_err(|_| Failure::usage(format!("`{}` is not a certificate in DER", path.display())))
}

fn measurement(text: &str) -> std::result::Result<(Name, Register), String> {
    Registers::parse(text)
        .ok_or_else(|| "write it as PCR0=, MEASUREMENT= or MRTD=, then 96 hexadecimal digits".to_owned())
}

/// `TENSFER_HOME`, else `$XDG_DATA_HOME/tensfer`, else `~/.local/share/tensfer`.
fn home_path() -> Result<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("TENSFER_HOME")
        .or_else(|| named("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|path| path.join("tensfer")))
        .or_else(|| named("HOME").map(|path| path.join(".local/share/tensfer")))
        .ok_or_else(|| Failure::usage("you have no home directory").hint("set TENSFER_HOME to a directory"))
}
