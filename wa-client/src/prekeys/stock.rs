//! How many prekeys are to be made, and when the signed one is too old.
//!
//! Pure functions. The numbers are those of the clients in use.

use wa_store::{PreKeyCount, Timestamp};

/// How many prekeys to upload, given what the server says it has left and what the store holds.
pub(super) fn shortfall(server: u32, local: PreKeyCount) -> usize {
    if server == 0 && local.uploaded == 0 {
        FIRST_UPLOAD
    } else if is_low(server) || local.uploaded < LOW {
        TOP_UP
    } else {
        0
    }
}

/// Whether the server is about to run out.
pub(super) fn is_low(server: u32) -> bool {
    usize::try_from(server).is_ok_and(|server| server < LOW)
}

/// Whether a signed prekey made then is to be replaced now.
pub(super) fn is_rotation_due(created_at: Timestamp, now: Timestamp) -> bool {
    created_at.plus_secs(ROTATE_AFTER_SECS) <= now
}

/// The first upload of a device.
pub(super) const FIRST_UPLOAD: usize = 812;
/// Every later one.
const TOP_UP: usize = 50;
/// Fewer than these are few.
const LOW: usize = 5;
/// A week.
const ROTATE_AFTER_SECS: i64 = 7 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn local(uploaded: usize) -> PreKeyCount {
        PreKeyCount { uploaded, not_uploaded: 0 }
    }

    #[test]
    fn the_first_upload_is_large_and_the_others_small() {
        assert_eq!(shortfall(0, local(0)), 812);
        assert_eq!(shortfall(4, local(4)), 50);
        assert_eq!(shortfall(0, local(3)), 50);
        assert_eq!(shortfall(5, local(5)), 0);
        assert_eq!(shortfall(812, local(812)), 0);
    }

    #[test]
    fn either_side_running_low_is_enough() {
        assert_eq!(shortfall(4, local(800)), 50);
        assert_eq!(shortfall(800, local(4)), 50);
    }

    #[test]
    fn signed_prekeys_last_a_week() {
        let made = Timestamp::from_secs(1_700_000_000);
        assert!(!is_rotation_due(made, made.plus_secs(7 * 86_400 - 1)));
        assert!(is_rotation_due(made, made.plus_secs(7 * 86_400)));
    }
}
