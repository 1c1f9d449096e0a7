//! Who is linked here.

use wa_bridge::{api::AccountView, foreign};

/// Who it is.
pub(crate) fn who(view: &AccountView) -> String {
    let phone = view.phone.as_deref().unwrap_or("an account without a number");
    match &view.name {
        Some(name) => format!("{phone} ({})", foreign::plain(name, " ")),
        None => phone.to_owned(),
    }
}
