//! What own devices tell this one, and who is believed.
//!
//! Owns the check that what concerns keys, history and people comes from a device of the account
//! that may tell it, and the handling of LID tables and placeholder answers. What belongs to history is kept as it came for the code that
//! reads it; what belongs to the app state goes there. Knows nothing of encryption.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use prost::Message as _;
use wa_proto::{Jid, content::Protocol, pb};
use wa_store::StoreError;

use super::{
    provenance::{Authenticated, OwnPhone},
    record::Arrival,
};
use crate::{app_state, draft::Draft, history, inner::Inner, lid, placeholder};

/// What a protocol message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Done, or of no interest.
    Handled,
    /// A placeholder was filled from the phone's own copy.
    FromPhone,
    /// A part of the history waits to be read.
    OfHistory,
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
        (Protocol::LidMapping(table), _, Some(_)) => learn_table(inner, table).await?,
        (Protocol::PeerDataOperationResponse(response), _, Some(phone)) => {
            app_state::take_answer(inner, response).await?;
            if placeholder::fill_from_answer(draft, arrival, &phone, response).await? {
                return Ok(Told::FromPhone);
            }
        }
        (Protocol::HistorySyncNotification(notice), _, Some(phone)) => {
            draft.push(history::told(&phone, &arrival.id, notice, inner));
            return Ok(Told::OfHistory);
        }
        (Protocol::AppStateKeyShare(share), Some(_), _) => {
            app_state::take_share(inner, share).await?;
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

/// Learns the phone's table of phone numbers and LIDs.
async fn learn_table(inner: &Inner, compressed: &[u8]) -> Result<(), StoreError> {
    let mut table = Vec::new();
    let bounded = ZlibDecoder::new(compressed).take(MAX_LID_TABLE_LEN + 1);
    let inflated = { bounded }.read_to_end(&mut table);
    if inflated.is_err() || table.len() as u64 > MAX_LID_TABLE_LEN {
        tracing::warn!("the table of LIDs cannot be inflated");
        return Ok(());
    }
    let Ok(table) = pb::LidMigrationMappingSyncPayload::decode(table.as_slice()) else {
        tracing::warn!("the table of LIDs cannot be decoded");
        return Ok(());
    };
    for mapping in table.pn_to_lid_mappings {
        let lid = mapping.latest_lid.unwrap_or(mapping.assigned_lid);
        let (phone, lid) = (mapping.pn.to_string(), lid.to_string());
        lid::learn(inner, &Jid::phone(phone), &Jid::lid(lid)).await?;
    }
    Ok(())
}

/// The most bytes that a table of LIDs may inflate to: some 700,000 people.
const MAX_LID_TABLE_LEN: u64 = 16 << 20;

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
