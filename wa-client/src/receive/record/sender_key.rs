//! The sender keys that come with messages.

use wa_proto::{Jid, content::SenderKeyDistribution};
use wa_store::StoreError;

use super::Arrival;
use crate::draft::Draft;

/// Keeps the key with which a device writes to a group from now on: under the device that said so.
pub(super) async fn keep_sender_key(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    device: &Jid,
    key: &SenderKeyDistribution,
) -> Result<(), StoreError> {
    let group = match &key.group {
        Some(group) if group.is_group() || group.server == wa_proto::Server::Broadcast => group,
        _ if arrival.is_group_like() => &arrival.chat,
        _ => return Ok(()),
    };
    let record = draft.sender_key(group, device).await?;
    match record.process_distribution(&key.message) {
        // Told again, with every message that is sent again, it changes nothing.
        Ok(now) if now.to_bytes() == record.to_bytes() => {}
        Ok(now) => draft.put_sender_key(group, device, now),
        Err(error) => tracing::warn!(id = %arrival.id, %error, "a sender key is refused"),
    }
    Ok(())
}
