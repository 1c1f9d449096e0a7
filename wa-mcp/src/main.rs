//! An MCP server for WhatsApp: what an assistant may read, search and send.
//!
//! Standard output carries the protocol and nothing else; what is to be told goes to standard error.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::Parser;
use rmcp::{ServiceExt, transport::stdio};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use wa_bridge::{
    BridgeOptions, Caller, Cause, Clients, Environment, Failure, Limits, Passphrase, Profile,
    Token,
    policy::{Confirm, Tightening},
};

use crate::{
    account::Account,
    args::{Arguments, Command, ConfirmWhen, ServeArguments},
    offer::{Offer, Offering},
    server::Server,
};

mod account;
mod args;
mod call;
mod confirm;
mod demo;
mod http;
mod install;
mod offer;
mod prompts;
mod resources;
mod server;
mod text;
mod tools;
mod untrusted;
mod updates;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Install(arguments)) => std::env::current_exe()
            .map_err(|error| {
                Failure::new(Cause::Failed, format!("cannot find this program: {error}"))
            })
            .and_then(|program| install::install(arguments, &program, &Environment::from_process()))
            .map(|did| tell(&did)),
        Some(Command::Uninstall(arguments)) => {
            install::uninstall(arguments, &Environment::from_process()).map(|did| tell(&did))
        }
        None => {
            log(arguments.serve.verbose);
            run(&arguments.serve)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&format!("wa-mcp: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Tells a person something.
fn tell(text: &str) {
    use std::io::Write;
    // Nobody is left to tell if stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Sends what the libraries tell about themselves to standard error.
fn log(verbose: bool) {
    let filter = match verbose {
        true => "warn,wa_mcp=debug,wa_bridge=debug,wa_client=info,rmcp=info",
        false => "error,wa_mcp=warn,wa_bridge=warn",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

fn run(arguments: &ServeArguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Cause::Failed, format!("cannot start: {error}")))?;
    let done = runtime.block_on(serve(arguments));
    // The database's threads end before the process does. The one that waits for a line on standard
    // input may never end.
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    done
}

/// How long what is still at work may take to end.
const SHUTDOWN_TIME: Duration = Duration::from_secs(1);

async fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let mut options = options(arguments)?;
    let demo = match arguments.demo {
        true => Some(demo::prepare(&mut options).await?),
        false => None,
    };
    let profile =
        Profile::locate(&options.profile, options.store.as_deref(), &options.environment)?;
    let offering = Offering::new(typed(arguments)?, profile.clone(), options.caller.clone());
    if let (Some(client), true) = (&arguments.client, arguments.demo) {
        Clients::of(&profile).register(client)?;
    }
    if let Some(demo) = &demo {
        demo.populate(&options).await?;
    }
    let account = Account::new(options);
    let server = Server::new(account.clone(), offering)?;
    let keeper = tokio::spawn(account.clone().keep());
    let stop = CancellationToken::new();
    let served = tokio::select! {
        served = listen(server, arguments, &profile, stop.clone()) => served,
        () = interrupted() => Ok(()),
    };
    stop.cancel();
    keeper.abort();
    account.close().await;
    served
}

async fn listen(
    server: Server,
    arguments: &ServeArguments,
    profile: &Profile,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let failed = |what: &str| Failure::new(Cause::Failed, what.to_owned());
    let Some(address) = arguments.http else {
        let running = server.serve_with_ct(stdio(), stop).await.map_err(|error| {
            failed(&format!("the client did not begin as the protocol says: {error}"))
        })?;
        running.waiting().await.map_err(|_| failed("the server broke off"))?;
        return Ok(());
    };
    let token_file = arguments.token_file.clone().unwrap_or_else(|| http::token_file(profile));
    let token = Token::load_or_create(&token_file)?;
    let ready = |address: SocketAddr| {
        tell(&format!("http://{address}{}  token in {}", http::PATH, token_file.display()));
    };
    let keys = http::Keys::new(token, Clients::of(profile));
    http::serve(server, address, keys, Limits::TCP, stop, ready).await
}

/// Waits until somebody wants it to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// How the account is opened: as an assistant, who may only be tightened further.
fn options(arguments: &ServeArguments) -> Result<BridgeOptions, Failure> {
    let profile = arguments
        .profile
        .parse()
        .map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    let mut caller = match &arguments.client {
        Some(client) => Caller::client(client.clone()),
        None => Caller::assistant("wa-mcp"),
    };
    caller.tightening = Tightening {
        read_only: arguments.read_only,
        confirm: arguments.confirm.map(|when| match when {
            ConfirmWhen::Always => Confirm::Always,
            ConfirmWhen::NewChats => Confirm::NewChats,
        }),
        contacts_only: arguments.contacts_only,
    };
    let mut options = BridgeOptions::new(profile, caller)?;
    options.store.clone_from(&arguments.store);
    options.key_file.clone_from(&arguments.key_file);
    options.passphrase =
        Passphrase::new(arguments.passphrase_file.as_deref(), &options.environment);
    options.create = true;
    options.health = arguments.page;
    // The page is one way among others to agree to a draft.
    options.health_is_needed = false;
    options.stay_connected = true;
    Ok(options)
}

/// Which tools are offered, by what was typed; the policy takes away more.
fn typed(arguments: &ServeArguments) -> Result<Offer, Failure> {
    let offer = Offer {
        read_only: arguments.read_only,
        sets: arguments.toolsets.iter().copied().collect(),
        excluded: arguments.exclude_tools.iter().cloned().collect(),
        confirm_in_chat: true,
    };
    match offer.unknown().as_slice() {
        [] => Ok(offer),
        unknown => {
            let message = format!("there is no tool {}", unknown.join(", "));
            Err(Failure::new(Cause::Usage, message)
                .remedy("see the README for the tools there are"))
        }
    }
}
