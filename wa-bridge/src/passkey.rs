//! What a person needs to have a request of WhatsApp's signed with their passkey: the request as a
//! text to carry to their browser, the helper that runs there, and what comes back.
//!
//! A passkey signs only on pages of the site that it belongs to (WebAuthn, section 5.1.4), so
//! neither this process nor a page of its own can ask for it: the helper has to run on
//! `https://web.whatsapp.com`, in the person's own browser. It comes as a bookmark, or as a text for
//! the browser's console; other projects ask people to install an extension
//! (devlikeapro/waha#2138, rmyndharis/OpenWA#560). It sends nothing: the person carries the
//! answer. Knows nothing of connections and pages.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use wa_client::{PASSKEY_ORIGIN, PasskeyAssertion, PasskeyProblem, PasskeyRequest};
use wa_crypto::sha256;

use crate::failure::{Cause, Failure};

/// The helper as it is written.
const HELPER: &str = include_str!("passkey/helper.js");

/// Where the helper takes a request that it was given beforehand.
const GIVEN: &str = "const GIVEN = '';";

/// What an address of WhatsApp's page ends with, for the helper to find the request there.
const FRAGMENT: &str = "#wa-passkey=";

/// A request as a text that survives being copied: its JSON in URL-safe base64.
pub(crate) fn request_code(options: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(options)
}

/// Six digits by which a person sees that the helper was given this request and no other.
pub(crate) fn check_code(options: &str) -> String {
    let [a, b, c, d, ..] = sha256(&[options.as_bytes()]);
    let digits = u32::from_be_bytes([a, b, c, d]) % 1_000_000;
    format!("{:03} {:03}", digits / 1000, digits % 1000)
}

/// WhatsApp's own page, with the request in its address for the helper to find.
pub(crate) fn page_with_request(code: &str) -> String {
    format!("{PASSKEY_ORIGIN}/{FRAGMENT}{code}")
}

/// The helper, to be pasted into the browser's console on WhatsApp's page; with a request in it, or
/// asking for one.
pub fn passkey_helper(code: Option<&str>) -> String {
    let lines: Vec<&str> = HELPER.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    match code.filter(|code| code.bytes().all(is_url_safe)) {
        Some(code) => text.replacen(GIVEN, &format!("const GIVEN = '{code}';"), 1),
        None => text,
    }
}

/// The helper as the address of a bookmark.
pub(crate) fn bookmarklet(code: &str) -> String {
    let mut address = String::from("javascript:");
    for byte in passkey_helper(Some(code)).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => address.push(byte.into()),
            b'-' | b'_' | b'.' | b'~' | b'(' | b')' | b'*' | b'!' | b',' | b';' | b'=' | b':' => {
                address.push(byte.into());
            }
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

const fn is_url_safe(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// Reads what was signed, as the helper shows it or as plain JSON, and sees whether it answers the
/// request.
///
/// # Errors
/// [`Cause::Usage`], with what the person can do about it; nothing was used up then.
pub(crate) fn read_answer(code: &str, text: &str) -> Result<PasskeyAssertion, Failure> {
    let options = BASE64_URL_SAFE_NO_PAD.decode(code).ok();
    let options = options.and_then(|options| String::from_utf8(options).ok());
    let options = options.ok_or_else(|| problem(&PasskeyProblem::Request, ""))?;
    let named = |error: PasskeyProblem| problem(&error, &check_code(&options));
    let assertion = assertion(text).map_err(named)?;
    PasskeyRequest::parse(&options).and_then(|request| request.check(&assertion)).map_err(named)?;
    Ok(assertion)
}

fn assertion(text: &str) -> Result<PasskeyAssertion, PasskeyProblem> {
    if text.trim_start().starts_with('{') {
        return PasskeyAssertion::from_json(text);
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let json = json.and_then(|json| String::from_utf8(json).ok());
    PasskeyAssertion::from_json(&json.ok_or(PasskeyProblem::NoAnswer)?)
}

/// A problem with what can be done about it.
pub(crate) fn problem(problem: &PasskeyProblem, check: &str) -> Failure {
    let (cause, remedy) = match problem {
        PasskeyProblem::NoAnswer => {
            (Cause::Usage, "copy the whole answer, from its first letter to its last".to_owned())
        }
        PasskeyProblem::OtherRequest => {
            (Cause::Usage, format!("sign the request that is shown now; its check code is {check}"))
        }
        PasskeyProblem::OtherOrigin => {
            (Cause::Usage, format!("open {PASSKEY_ORIGIN}, and use the helper there"))
        }
        PasskeyProblem::OtherPasskey => (
            Cause::Usage,
            "choose this WhatsApp account's passkey when the browser asks which one".to_owned(),
        ),
        PasskeyProblem::Unverified => (
            Cause::Usage,
            "sign again, and unlock the passkey with fingerprint, face or PIN".to_owned(),
        ),
        _ => (Cause::Failed, "sign nothing, and link again over another network".to_owned()),
    };
    Failure::new(cause, problem.to_string()).remedy(remedy)
}

/// Why linking with a passkey came to nothing.
pub(crate) mod ended {
    use super::{Cause, Failure};

    /// The server did not take the answer.
    pub(crate) fn refused(error: wa_client::Error) -> Failure {
        if !matches!(error, wa_client::Error::Server { .. }) {
            return crate::failure::ending::of_error(error);
        }
        Failure::new(Cause::Failed, "WhatsApp did not accept what the passkey signed").remedy(
            "link again, and sign with the passkey of the account whose phone took the code",
        )
    }

    /// Nobody signed in time.
    pub(crate) fn unsigned() -> Failure {
        Failure::new(Cause::TimedOut, "the passkey did not sign in time").remedy(
            "link again with the browser ready; if the account has no passkey yet, make one on \
             the phone: WhatsApp, Settings, Account, Passkeys",
        )
    }

    /// The phone did not answer, or the server did not.
    pub(crate) fn silent() -> Failure {
        let message = "the passkey has signed, but the phone did not go on in time";
        Failure::new(Cause::TimedOut, message)
            .remedy("open WhatsApp on the phone, keep it open, and link again")
    }

    /// Nobody compared the codes.
    pub(crate) fn uncompared() -> Failure {
        Failure::new(Cause::TimedOut, "nobody compared the code with the phone's in time")
            .remedy("link again, and say whether both codes are the same")
    }

    /// The phone shows another code.
    pub(crate) fn differs() -> Failure {
        let message = "the phone shows another code, so nothing was linked";
        Failure::new(Cause::Cancelled, message)
            .remedy("link again; if it differs again, use another network: somebody stands between")
    }

    /// The connection on which the request came is gone, and the request with it.
    pub(crate) fn lost() -> Failure {
        Failure::new(Cause::Offline, "the connection ended before the passkey's part was done")
            .remedy("link again: an answer to the old request is of no use any more")
    }
}

/// No passkey is asked for.
pub(crate) fn not_asked() -> Failure {
    Failure::new(Cause::Usage, "WhatsApp asks for no passkey now").remedy("link again")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = r#"{"challenge":"AAECAwQFBgcICQoLDA0ODw","rpId":"whatsapp.com"}"#;

    #[test]
    fn the_helper_takes_a_request_and_nothing_that_could_be_a_script() {
        let code = request_code(OPTIONS);
        assert!(passkey_helper(Some(&code)).contains(&format!("const GIVEN = '{code}';")));
        assert!(passkey_helper(None).contains("const GIVEN = '';"));
        let smuggled = passkey_helper(Some("'; alert(1); '"));
        assert!(smuggled.contains("const GIVEN = '';") && !smuggled.contains("alert(1)"));
        let bookmark = bookmarklet(&code);
        assert!(bookmark.starts_with("javascript:") && bookmark.contains(&code));
        for forbidden in ['"', '<', '>', '&', '\'', ' ', '\n', '#', '%'] {
            let rest = bookmark.replace('%', "");
            assert!(forbidden == '%' || !rest.contains(forbidden), "{forbidden:?}");
        }
    }

    #[test]
    fn the_helper_sends_nothing_and_loads_nothing() {
        for way_out in [
            "fetch(",
            "XMLHttpRequest",
            "sendBeacon",
            "WebSocket",
            "import(",
            ".src",
            "innerHTML",
            "eval(",
            "postMessage",
            "localStorage",
            "indexedDB",
            "cookie",
        ] {
            assert!(!HELPER.contains(way_out), "{way_out}");
        }
    }

    #[test]
    fn a_text_that_is_no_answer_is_refused_with_what_to_do() {
        let code = request_code(OPTIONS);
        for text in ["", "hello", "{", "{}", "e30", &code] {
            let failure = read_answer(&code, text).unwrap_err();
            assert_eq!(failure.cause, Cause::Usage, "{text:?}");
            assert!(failure.remedy.unwrap().contains("whole answer"), "{text:?}");
        }
    }
}
