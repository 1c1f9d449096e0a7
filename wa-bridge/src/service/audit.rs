//! What was done in the account's name.

use wa_store::{AuditEntry, AuditProof, AuditQuery, Timestamp, verify_audit};

use super::{AUDIT_DAYS, Call, DAY_MS, Perform, call::page, now_ms};
use crate::{
    api::{Audit, AuditProofView, AuditVerify, AuditView, TakenOutView},
    failure::{Cause, Failure},
    moment,
};

impl Perform for Audit {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<AuditView>, Failure> {
        let mut query = AuditQuery::default();
        query.limit = page(self.limit, 50);
        query.before = self.before;
        let mut views = Vec::new();
        for entry in call.store().audit(&query).await? {
            let readable = match &entry.chat {
                Some(chat) => call.may_read(chat).await?,
                None => true,
            };
            if readable {
                views.push(view(entry));
            }
        }
        Ok(views)
    }
}

impl Perform for AuditVerify {
    async fn perform(self, call: &Call<'_>) -> Result<AuditProofView, Failure> {
        let kept = self.kept.as_deref().map(hash).transpose()?;
        Ok(proof(verify_audit(call.store(), kept).await?, now_ms()))
    }
}

fn hash(text: &str) -> Result<[u8; 32], Failure> {
    let mut hash = [0; 32];
    match hex::decode_to_slice(text.trim(), &mut hash) {
        Ok(()) => Ok(hash),
        Err(_) => Err(Failure::new(Cause::Usage, format!("{text:?} is no hash of the audit"))
            .remedy("write the 64 hexadecimal digits that an earlier check gave")),
    }
}

fn proof(proof: AuditProof, now_ms: i64) -> AuditProofView {
    let too_young = now_ms.saturating_sub((AUDIT_DAYS - 1) * DAY_MS);
    let problem = match (proof.broken, proof.found, proof.anchor.at_ms) {
        (Some((seq, broken)), ..) => Some(format!("at entry {seq}: {}", broken.as_str())),
        (None, Some(false), _) => Some("the entry with the hash that was kept is gone".to_owned()),
        (None, _, Some(at_ms)) if at_ms > too_young => {
            Some(format!("entries up to {} were taken out before their time", proof.anchor.seq))
        }
        _ => None,
    };
    let taken_out = proof.anchor.at_ms.map(|at_ms| TakenOutView {
        seq: proof.anchor.seq,
        at: moment::rfc3339(Timestamp::from_secs(at_ms.div_euclid(1_000))),
    });
    AuditProofView {
        whole: problem.is_none(),
        problem,
        entries: proof.entries,
        unchained: proof.before_chain,
        taken_out,
        newest: proof.newest.map(|(seq, _)| seq),
        hash: proof.newest.map(|(_, hash)| hex::encode(hash)),
    }
}

fn view(entry: AuditEntry) -> AuditView {
    AuditView {
        seq: entry.seq,
        at: moment::rfc3339(Timestamp::from_secs(entry.at_ms.div_euclid(1_000))),
        caller: entry.caller,
        call: entry.call,
        chat: entry.chat.map(|chat| chat.to_string()),
        outcome: entry.outcome,
        detail: entry.detail,
        digest: entry.digest.map(hex::encode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_were_taken_out_before_their_time_are_told() {
        let mut taken = AuditProof::default();
        taken.anchor.seq = 7;
        let now = 500 * DAY_MS;
        for (at_days, whole) in [(99, true), (100, true), (102, false), (499, false)] {
            taken.anchor.at_ms = Some(at_days * DAY_MS);
            let view = proof(taken.clone(), now);
            assert_eq!(view.whole, whole, "{at_days}: {:?}", view.problem);
        }
        taken.anchor.at_ms = None;
        assert!(proof(taken, now).whole);
    }
}
