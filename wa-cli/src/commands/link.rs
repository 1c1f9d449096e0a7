//! `link`: codes are shown until the phone scans one, then the new device logs in once.

use serde_json::json;
use wa_client::{Event, HistoryDepth, PairWithCode, Platform};

use crate::{
    account::{Access, OpenAccount},
    args::{GlobalArguments, HistoryWanted, LinkArguments},
    ending,
    failure::{Cause, Failure},
    output::Output,
    session::Session,
    view::AccountView,
};

mod screen;

use screen::{Code, Screen};

pub(crate) async fn run(
    arguments: &LinkArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let account = OpenAccount::open(global, Access::Create).await?;
    let result = link(arguments, global, &account, output).await;
    account.close_after(result).await
}

async fn link(
    arguments: &LinkArguments,
    global: &GlobalArguments,
    account: &OpenAccount,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(linked) = account.linked().await? {
        return report(&AccountView::new(&linked), true, output);
    }
    let history = depth(arguments.history);
    let mut session = Session::new(account, global.given_timeout(), |builder| {
        let builder = builder.platform(Platform::Desktop).history(history);
        match &arguments.device_name {
            Some(name) => builder.os(name.clone()),
            None => builder,
        }
    })
    .await?;
    account.remember_history_depth(history).await?;
    session.connect()?;
    let mut screen = Screen::new(arguments.qr_format, *output);
    let phone = arguments.phone.as_deref();
    let linked = show_until_linked(&mut session, &mut screen, phone, output).await;
    screen.clear();
    session.close().await;
    linked?;
    report(&AccountView::new(&account.require_link().await?), false, output)
}

/// Shows each code as it comes, until a phone has linked this device and it has logged in.
async fn show_until_linked(
    session: &mut Session,
    screen: &mut Screen,
    phone: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let client = session.client.clone();
    let mut asked = phone.map(|number| client.pair_with_code(number).into_future());
    let mut waits_for_a_scan = false;
    loop {
        let event = tokio::select! {
            event = session.next() => event,
            () = screen.tick() => continue,
            refused = refusal(&mut asked) => return Err(refused),
        };
        let event = match event {
            Err(failure) if failure.cause == Cause::TimedOut && waits_for_a_scan => {
                return Err(ending::not_scanned());
            }
            event => event?,
        };
        match event {
            Event::Qr { code, expires_in } if phone.is_none() => {
                waits_for_a_scan = true;
                screen.show(Code::Scanned(&code), expires_in)?;
            }
            Event::PairingCode { code, expires_in } => {
                waits_for_a_scan = true;
                screen.show(Code::Typed(&code), expires_in)?;
            }
            Event::QrScannedWithoutMultidevice => {
                screen.clear();
                output.note("that phone's WhatsApp is too old to link devices; update it");
            }
            Event::PairingSucceeded { .. } => {
                waits_for_a_scan = false;
                screen.clear();
                output.note("The phone has accepted this device; logging in …");
                if output.json {
                    output.object(&json!({ "event": "paired" }))?;
                }
            }
            Event::Connected => return Ok(()),
            _ => {}
        }
    }
}

/// Waits until a code that was asked for is refused. The code itself comes as an event.
async fn refusal(asked: &mut Option<<PairWithCode as IntoFuture>::IntoFuture>) -> Failure {
    if let Some(answer) = asked {
        let answer = answer.await;
        *asked = None;
        if let Err(error) = answer {
            return ending::of_error(error);
        }
    }
    std::future::pending().await
}

const fn depth(wanted: HistoryWanted) -> HistoryDepth {
    match wanted {
        HistoryWanted::None => HistoryDepth::None,
        HistoryWanted::Recent => HistoryDepth::Recent,
        HistoryWanted::Full => HistoryDepth::Full,
    }
}

fn report(view: &AccountView, already: bool, output: &Output) -> Result<(), Failure> {
    let text = match already {
        true => format!("already linked as {}", view.who()),
        false => format!("linked as {}", view.who()),
    };
    let data = json!({ "already_linked": already, "account": view });
    Ok(output.result(&data, &text)?)
}
