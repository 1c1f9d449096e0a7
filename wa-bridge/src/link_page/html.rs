//! The page as it looks: to be read on a phone's width, without colours and without a mouse.

use crate::{
    api::LinkState,
    failure::Failure,
    page::html::{escaped, page as document},
    passkey::{bookmarklet, page_with_request, passkey_helper},
};

const STYLE: &str = "<style>textarea{font:14px/1.4 monospace;width:100%;box-sizing:border-box;\
    padding:.5rem;margin:.25rem 0;overflow-wrap:anywhere}li{margin:1rem 0}\
    .code{font:bold 1.4rem/1.5 monospace}a,summary{overflow-wrap:anywhere}\
    .keep{display:inline-block;padding:.4rem 1rem;border:2px solid;border-radius:.25rem}\
    :focus-visible{outline:3px solid;outline-offset:2px}details{margin:1rem 0}</style>";

/// Looks again by itself.
const AGAIN: &str = "<meta http-equiv=\"refresh\" content=\"2\">";

/// What whoever does not have the page's address gets to see, or has one that is used up.
pub(super) fn gone() -> String {
    document(
        "There is nothing here",
        "",
        "<p>This page was for one link, and that is over. To link again, use the program that \
         gave you the address.</p>",
    )
}

/// How linking stands, and what the person has to do.
pub(super) fn page(
    linking: &Result<Option<LinkState>, Failure>,
    failure: Option<&Failure>,
) -> String {
    let state = match linking {
        Ok(Some(state)) => state,
        Ok(None) => return gone(),
        Err(ended) => return over(ended),
    };
    match state {
        LinkState::Passkey { request, check, expires_in, .. } => {
            asked(request, check, *expires_in, failure)
        }
        LinkState::PasskeyCompare { code, .. } => compare(code, failure),
        LinkState::PasskeyAnswered | LinkState::Accepted => document(
            "The passkey has signed",
            &format!("{STYLE}{AGAIN}"),
            "<p role=\"status\">Keep WhatsApp open on the phone; this page goes on by itself.</p>",
        ),
        LinkState::Linked { .. } => document(
            "This device is linked",
            STYLE,
            "<p role=\"status\">You can close this page, close WhatsApp Web, and delete the \
             bookmark.</p>",
        ),
        _ => document(
            "No passkey is asked for",
            &format!("{STYLE}{AGAIN}"),
            "<p>Take the code that is shown to the phone; this page goes on by itself.</p>",
        ),
    }
}

fn over(ended: &Failure) -> String {
    document("This device was not linked", STYLE, &told(Some(ended)))
}

fn told(failure: Option<&Failure>) -> String {
    let Some(failure) = failure else { return String::new() };
    let remedy = failure
        .remedy
        .as_deref()
        .map(|remedy| format!("<br><strong>What to do:</strong> {}", escaped(remedy)));
    format!(
        "<p class=\"said bad\" role=\"alert\"><strong>It did not work:</strong> {}.{}</p>",
        escaped(&failure.message),
        remedy.unwrap_or_default()
    )
}

fn asked(request: &str, check: &str, expires_in: u64, failure: Option<&Failure>) -> String {
    let [code, check] = [request, check].map(escaped);
    let (web, bookmark) = (page_with_request(&code), escaped(&bookmarklet(request)));
    let script = escaped_lines(&passkey_helper(Some(request)));
    let (told, minutes) = (told(failure), expires_in.div_ceil(60));
    let body = format!(
        "{told}<p>Your account is protected by a passkey. Before WhatsApp links this device, your \
         passkey has to sign, and it does that only on WhatsApp’s own site, in your own browser. \
         You have about {minutes} minutes.</p>\
         <p>Check code of this request: <span class=\"code\">{check}</span></p>\
         <ol><li>Drag this to your bookmarks bar: <a class=\"keep\" href=\"{bookmark}\">Sign for \
         WhatsApp</a><br>No bar? Press Ctrl+Shift+B (on a Mac ⇧⌘B). Without a mouse, or on a \
         phone: keep any page as a bookmark, then edit it and put <a href=\"#address\">this \
         text</a> in place of its address.</li>\
         <li>Open <a href=\"{web}\" target=\"_blank\" rel=\"noopener noreferrer\">\
         web.whatsapp.com</a> in this browser. You need not log in there.</li>\
         <li>There, press the bookmark. A box opens; it must show the check code {check}. Press \
         <strong>Sign</strong> in it, and unlock your passkey as the browser asks. If the passkey \
         is on your phone, choose to use a phone or tablet.</li>\
         <li>Copy the answer and paste it here:\
         <form method=\"post\" autocomplete=\"off\"><label for=\"answer\">Answer</label>\
         <textarea id=\"answer\" name=\"answer\" rows=\"5\" required spellcheck=\"false\">\
         </textarea><button>Link this device</button></form></li></ol>\
         <h2>If something goes wrong</h2>\
         <details><summary>The bookmark does nothing</summary><p>Use the console: on \
         web.whatsapp.com press F12 (on a Mac ⌥⌘J; in Safari turn on the developer features \
         first), choose <strong>Console</strong>, paste this text and press Enter. Some browsers \
         want you to type <code>allow pasting</code> before. The same box opens.</p>\
         <label for=\"script\">Text for the console</label><textarea id=\"script\" rows=\"6\" \
         readonly spellcheck=\"false\">{script}</textarea></details>\
         <details id=\"address\" open><summary>The bookmark’s address, to be copied</summary>\
         <label for=\"bookmark\">Address of the bookmark</label><textarea id=\"bookmark\" \
         rows=\"4\" readonly spellcheck=\"false\">{bookmark}</textarea></details>\
         <details><summary>The box asks for a request code</summary><label for=\"request\">\
         Request code</label><textarea id=\"request\" rows=\"4\" readonly spellcheck=\"false\">\
         {code}</textarea></details>\
         <details><summary>There is no passkey</summary><p>Make one on the phone: WhatsApp, \
         Settings, Account, Passkeys, Create passkey. Then link again.</p></details>\
         <h2>Be careful</h2><p>Do this only because you yourself are linking a device now. Use no \
         bookmark and no text for the console that somebody sent you, and give the answer to \
         nobody: until it is used, whoever has it may link a device to your account.</p>"
    );
    document("WhatsApp asks for your passkey", STYLE, &body)
}

fn compare(code: &str, failure: Option<&Failure>) -> String {
    let (code, told) = (escaped(code), told(failure));
    let body = format!(
        "{told}<p>WhatsApp on your phone shows a code now. Does it show this one?</p>\
         <p class=\"code\">{code}</p><form method=\"post\">\
         <button name=\"same\" value=\"yes\">The phone shows the same</button>\
         <button name=\"same\" value=\"no\">It shows another</button></form>"
    );
    document("Compare this code with your phone", STYLE, &body)
}

/// The process's own text in several lines, as HTML.
fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Cause;

    #[test]
    fn a_person_compares_the_code_by_one_of_two_buttons() {
        let state =
            LinkState::PasskeyCompare { code: "ABCD-EFGH".into(), page: None, expires_in: 300 };
        let shown = page(&Ok(Some(state)), None);
        for part in ["ABCD-EFGH", "name=\"same\" value=\"yes\"", "name=\"same\" value=\"no\""] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn an_end_is_told_with_what_to_do_and_nothing_of_it_is_markup() {
        let ended = Failure::new(Cause::Failed, "<b>no</b>").remedy("link again");
        let shown = page(&Err(ended), None);
        assert!(
            shown.contains("&lt;b&gt;no&lt;/b&gt;.<br><strong>What to do:</strong> link again")
        );
    }

    #[test]
    fn no_script_runs_on_the_page() {
        let state = LinkState::Passkey {
            request: "e30".into(),
            check: "123 456".into(),
            page: None,
            expires_in: 600,
        };
        let shown = page(&Ok(Some(state)), None);
        assert!(!shown.contains("<script") && !shown.contains("onclick"), "{shown}");
        let policy = crate::page::HEADERS[0].1;
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    }
}
