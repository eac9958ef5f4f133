//! `organisations`: what the host's operators do for those whom it serves. It goes to identity's socket, which the host's user
//! alone opens.

use super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::table::{Align, Table};
use crate::client::terminal::{printable, say};
use crate::up::Data;
use crate::up::certify::as_operator;
use host::calls::{DONE, Operation, Role};
use host::identity::{Denied, Invited, Listed, NewOrganisation, Refusal};
use host::transport::{Address, Message, TransportError, connect, frame};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use wire::Canonical;

const ANSWER: Duration = Duration::from_secs(30);
/// One question a connection.
const STREAM: u32 = 1;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create an organisation, and print the invitation for its first key: good once, for 24 hours.
    Create(Create),
    /// Print an invitation for one more key of an organisation, with every scope: for one that has lost its keys.
    Invite(Invite),
    /// List them.
    List(List),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer organisations create Example\n\
    Whoever brings the code first has the organisation: hand it over where nobody else reads.")]
pub struct Create {
    /// What people call it.
    name: String,

    #[command(flatten)]
    at: At,

    /// Print JSON: organisation, invitation, expires.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer organisations invite org_0058f93631ee1c3e1d44383d9e763e7d")]
pub struct Invite {
    /// `org_…`
    organisation: String,

    #[command(flatten)]
    at: At,

    /// Print JSON: organisation, invitation, expires.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer organisations list")]
pub struct List {
    #[command(flatten)]
    at: At,

    /// Print JSON: organisations.
    #[arg(long)]
    json: bool,
}

/// Which host.
#[derive(clap::Args, Debug)]
struct At {
    #[command(flatten)]
    data: Data,

    /// Folder of identity's socket, instead of `run` in the server's data.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    run: Option<PathBuf>,
}

pub fn run(options: &Options, command: &Command) -> Result<()> {
    options.refuse_server()?;
    match command {
        Command::Create(args) => create(args),
        Command::Invite(args) => invite(args),
        Command::List(args) => list(args),
    }
}

fn create(args: &Create) -> Result<()> {
    let question = NewOrganisation { name: args.name.clone() }.to_bytes();
    tell(&args.at.ask(Operation::CreateOrganisation, &question)?, args.json)
}

fn invite(args: &Invite) -> Result<()> {
    let question = host::identity::Invite { organisation: args.organisation.clone() }.to_bytes();
    tell(&args.at.ask(Operation::Invite, &question)?, args.json)
}

fn tell(answer: &[u8], json: bool) -> Result<()> {
    let Invited { organisation, code, expires } = Invited::from_bytes(answer).map_err(|_| unexpected())?;
    let expires = rfc3339(expires);
    if json {
        let shown =
            serde_json::json!({ "organisation": organisation, "invitation": code, "expires": expires });
        return print_json(&shown);
    }
    print(&format!("organisation  {organisation}\ninvitation    {code}\nexpires       {expires}\n"))?;
    say(
        "It is shown this once. Whoever has it makes a key with every scope: `tensfer keys make --invitation CODE --name backend`.",
    );
    Ok(())
}

fn list(args: &List) -> Result<()> {
    let answer = args.at.ask(Operation::ListOrganisations, &[])?;
    let Listed { organisations } = Listed::from_bytes(&answer).map_err(|_| unexpected())?;
    if args.json {
        let shown = |it: &host::identity::ListedOrganisation| serde_json::json!({ "id": it.id, "name": it.name, "created": rfc3339(it.created) });
        let shown: Vec<_> = organisations.iter().map(shown).collect();
        return print_json(&serde_json::json!({ "organisations": shown }));
    }
    let mut table = Table::new(["id", "name", "created"].map(|name| (name, Align::Left)));
    for it in organisations {
        table.row([it.id, printable(&it.name), rfc3339(it.created)]);
    }
    print(&table.to_string())
}

impl At {
    fn ask(&self, operation: Operation, question: &[u8]) -> Result<Vec<u8>> {
        let run = match &self.run {
            Some(run) => run.clone(),
            None => self.data.run().map_err(|error| Failure::usage(format!("{error:#}")))?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failure::internal("this program could not wait for an answer"))?;
        let answered = runtime.block_on(async { timeout(ANSWER, ask(&run, operation, question)).await });
        let gone = || {
            Failure::host("unreachable", format!("no identity answers in `{}`", run.display()))
                .hint("start one with `tensfer up`, or name its folder with `--data DIR`; run this as the user that it runs as")
                .retryable(true)
        };
        let Ok(Ok(Some(Message { number, body, .. }))) = answered else { return Err(gone()) };
        if number == DONE {
            return Ok(body.to_vec());
        }
        let denied = std::str::from_utf8(&body).ok().and_then(Denied::from_text);
        Err(match denied {
            Some(Denied::Refused(refusal)) => Failure::refused(
                refusal.code(),
                format!("identity refused ({})", refusal.code()),
            )
            .hint(match refusal {
                Refusal::FieldsMalformed => "a name has 1 to 64 letters, digits, spaces and -_.,:;'&()/+@#",
                refusal => refusal.sentence(),
            }),
            _ => unexpected(),
        })
    }
}

async fn ask(
    run: &Path,
    operation: Operation,
    question: &[u8],
) -> std::result::Result<Option<Message>, TransportError> {
    let question = frame(operation as u8, STREAM, question)?;
    let mut identity = connect(&Address::from(run), &as_operator(run), Role::Identity).await?;
    identity.writer.write_all(&question).await?;
    Ok(identity.answers.next().await?)
}

fn unexpected() -> Failure {
    Failure::host("other_version", "identity answered what this program does not know")
        .hint("both are of one build: `tensfer --version`")
}
