//! `w:mex`: GraphQL documents, known by number. Knows nothing of GraphQL beyond that.

use serde_json::{Value, json};
use wa_proto::{Node, OwnedNode};

use super::{BAD_REQUEST, IqError};
use crate::{address::DeviceAddress, server::Server};

/// The longest variables, in bytes.
const MAX_VARIABLES: usize = 1 << 20;

/// Why a document has no data: a code in the response.
pub(super) type MexError = u16;

impl Server {
    /// `<query query_id>variables</query>` → `<result>response</result>`.
    pub(super) fn mex(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let query = iq.find("query").ok_or(BAD_REQUEST)?;
        let body = query.content_bytes().filter(|body| body.len() <= MAX_VARIABLES);
        let body: Value =
            body.and_then(|body| serde_json::from_slice(body).ok()).ok_or(BAD_REQUEST)?;
        let variables = body.get("variables").ok_or(BAD_REQUEST)?;
        let id = query.attrs.text("query_id").unwrap_or_default();
        let response = match self.mex_document(from, &id, variables) {
            Ok(data) => json!({ "data": data }),
            Err(code) => json!({
                "data": null,
                "errors": [{ "message": "refused", "extensions": { "error_code": code } }],
            }),
        };
        Ok(Some(Node::new("result").bytes(response.to_string().into_bytes())))
    }

    fn mex_document(
        &mut self,
        from: DeviceAddress,
        id: &str,
        variables: &Value,
    ) -> Result<Value, MexError> {
        if let Some(outcome) = self.newsletter_document(from, id, variables) {
            return outcome;
        }
        Ok(match id {
            "23983697327930364" => {
                json!({ "xwa2_fetch_account_reachout_timelock": self.timelock_of(from.account) })
            }
            "24503548349331633" => {
                json!({ "xwa2_message_capping_info": self.cap_of(from.account) })
            }
            "9152604461510864" => {
                let text = variables.pointer("/input/text").and_then(Value::as_str);
                self.change_about(from, text.ok_or(400_u16)?);
                json!({ "xwa2_update_text_status": { "result": "SUCCESS" } })
            }
            _ => return Err(404),
        })
    }
}
