//! `clients`: the assistants that are let in, each by a token of its own.
//!
//! Works on the tokens' files themselves: an assistant can be shut out whoever owns the account.

use serde::Serialize;
use wa_bridge::{ClientName, Clients, Profile, policy::Policy};

use crate::{
    args::{ClientCommand, ClientsArguments, GlobalArguments},
    failure::{Cause, Failure},
    output::Output,
    session,
};

/// An assistant in `--json`.
#[derive(Debug, Serialize)]
struct ClientView {
    /// Its name.
    name: ClientName,
    /// The file with its token.
    token_file: String,
    /// Whether the policy has a section for it.
    in_policy: bool,
}

pub(crate) fn run(
    arguments: &ClientsArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let (_, profile) = session::profile(global)?;
    let clients = Clients::of(&profile);
    match &arguments.command {
        None | Some(ClientCommand::List) => list(&clients, &profile, output),
        Some(ClientCommand::Add(named)) => {
            clients.register(&named.name)?;
            let view = view(&named.name, &clients, &profile);
            output.result(
                &view,
                &format!("{} is let in by the token in {}", view.name, view.token_file),
            )
        }
        Some(ClientCommand::Revoke(named)) => {
            if !clients.revoke(&named.name)? {
                let message = format!("no assistant {} is let in", named.name);
                return Err(
                    Failure::new(Cause::NotFound, message).remedy("see: wa-cli clients list")
                );
            }
            let view = view(&named.name, &clients, &profile);
            output.result(&view, &format!("{} is shut out from its next call on", view.name))
        }
    }
}

fn list(clients: &Clients, profile: &Profile, output: &Output) -> Result<(), Failure> {
    let names = clients.names()?;
    let views: Vec<_> = names.iter().map(|name| view(name, clients, profile)).collect();
    if views.is_empty() {
        output.note("no assistant is let in; see: wa-mcp install");
    }
    let lines: String = views.iter().map(|view| line(view, output)).collect();
    output.result(&views, &lines)
}

fn view(name: &ClientName, clients: &Clients, profile: &Profile) -> ClientView {
    // A policy that cannot be read is told by `policy`, and shuts everybody out meanwhile.
    let policy = Policy::load(profile).unwrap_or_default();
    ClientView {
        name: name.clone(),
        token_file: clients.token_file(name).display().to_string(),
        in_policy: policy.clients.contains_key(name.as_str()),
    }
}

fn line(view: &ClientView, output: &Output) -> String {
    let policy = match view.in_policy {
        true => format!("[client.{}] in the policy", view.name),
        false => "the whole policy".to_owned(),
    };
    let about = output.dim(&format!("{policy}; {}", view.token_file));
    format!("{}  {about}\n", output.bold(view.name.as_str()))
}
