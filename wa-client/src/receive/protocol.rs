//! What own devices tell this one, and who is believed.
//!
//! Owns the check that what concerns keys, history and people comes from a device of the account
//! that may tell it, and the handling of LID tables and placeholder answers. What belongs to history is kept as it came for the code that
//! reads it; what belongs to the app state goes there. Knows nothing of encryption.

use wa_proto::content::Protocol;
use wa_store::StoreError;

use super::{
    later,
    provenance::{Authenticated, OwnPhone},
    record::Arrival,
};
use crate::{app_state, draft::Draft, history, inner::Inner, placeholder};

/// What a protocol message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Done, or of no interest.
    Handled,
    /// A placeholder was filled from the phone's own copy.
    FromPhone,
    /// A part of the history waits to be read.
    OfHistory,
    /// Keys of the app state came.
    Keys,
    /// It is on disk, and seen to once the session is free ([`later`]).
    Later,
    /// It is only to be believed from an own device, and came from somebody else.
    Forged,
}

/// Deals with a protocol message: changes go into the draft.
///
/// # Errors
/// The store's.
pub(crate) async fn handle(
    draft: &mut Draft<'_>,
    inner: &Inner,
    arrival: &Arrival,
    said: &Authenticated,
    protocol: &Protocol,
) -> Result<Told, StoreError> {
    let phone = OwnPhone::said(said, &arrival.own);
    let own_device = said.own_device(&arrival.own);
    match (protocol, own_device, phone) {
        (Protocol::LidMapping(_), _, Some(_)) => {
            draft.push(later::keep(&arrival.id, said));
            return Ok(Told::Later);
        }
        (Protocol::PeerDataOperationResponse(response), _, Some(phone)) => {
            let filled = placeholder::fill_from_answer(draft, arrival, &phone, response).await?;
            if app_state::is_answer(response) {
                draft.push(later::keep(&arrival.id, said));
                return Ok(Told::Later);
            }
            if filled {
                return Ok(Told::FromPhone);
            }
        }
        (Protocol::HistorySyncNotification(notice), _, Some(phone)) => {
            draft.push(history::told(&phone, &arrival.id, notice, inner));
            return Ok(Told::OfHistory);
        }
        (Protocol::AppStateKeyShare(share), Some(_), _) => {
            if let Some(keys) = app_state::shared(share) {
                draft.push(keys);
                return Ok(Told::Keys);
            }
        }
        (Protocol::AppStateKeyRequest(request), Some(device), _) => {
            app_state::answer_request(inner, device, request);
        }
        (protocol, ..) if is_self_only(protocol) && own_device.is_none() => {
            tracing::warn!(id = %arrival.id, "what own devices tell each other came from elsewhere");
            return Ok(Told::Forged);
        }
        (protocol, ..) if is_of_phone(protocol) => {
            tracing::warn!(id = %arrival.id, "what only the phone tells came from a companion");
            return Ok(Told::Forged);
        }
        // What somebody's number is stands in the stanza of their message, and was learnt there.
        _ => {}
    }
    Ok(Told::Handled)
}

/// Whether only the account's own devices have a reason to send this. Believed from others it
/// would poison keys, history or the mapping of people.
fn is_self_only(protocol: &Protocol) -> bool {
    is_of_phone(protocol)
        || matches!(
            protocol,
            Protocol::AppStateKeyShare(_)
                | Protocol::AppStateKeyRequest(_)
                | Protocol::AppStateFatal(_)
                | Protocol::InitialSecurityNotification { .. }
                | Protocol::PeerDataOperationRequest(_)
        )
}

/// Whether only the phone has a reason to send this.
fn is_of_phone(protocol: &Protocol) -> bool {
    matches!(
        protocol,
        Protocol::HistorySyncNotification(_)
            | Protocol::PeerDataOperationResponse(_)
            | Protocol::LidMapping(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_poison_keys_or_people_is_for_own_devices_only() {
        assert!(is_self_only(&Protocol::LidMapping(Default::default())));
        assert!(is_self_only(&Protocol::AppStateKeyShare(Default::default())));
        assert!(is_self_only(&Protocol::PeerDataOperationResponse(Default::default())));
        assert!(!is_self_only(&Protocol::EphemeralSetting { expiration: 0, set_at: None }));
    }
}
