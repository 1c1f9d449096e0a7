//! Questions in GraphQL: documents that the server knows by number.
//!
//! Owns the reading of answers and of their errors. The documents belong to whoever asks.

use bytes::Bytes;
use serde_json::Value;
use wa_proto::request::Mex;

use crate::{Client, error::Error, inner::Inner};

impl Client {
    /// Runs a GraphQL document that the server knows by number, for what has no verb here.
    /// Variables and answer are JSON; the answer is the response's `data`.
    ///
    /// # Errors
    /// [`Error::Server`] with the code of the first error in the response; [`Error::RateLimited`];
    /// [`Error::UnreadableAnswer`] if the answer is no GraphQL response; as every request.
    pub async fn mex(&self, query_id: &str, variables: &Value) -> Result<Value, Error> {
        query(self.inner(), query_id, variables).await
    }
}

/// See [`Client::mex`].
pub(crate) async fn query(
    inner: &Inner,
    query_id: &str,
    variables: &Value,
) -> Result<Value, Error> {
    let request = Mex { query_id: query_id.into(), variables: variables.to_string() };
    data(&inner.request(&request).await?)
}

/// What a response or a notification says, unless it tells an error.
pub(crate) fn data(json: &Bytes) -> Result<Value, Error> {
    let mut response: Value = serde_json::from_slice(json).map_err(|_| Error::UnreadableAnswer)?;
    let first = response.get("errors").and_then(|errors| errors.get(0));
    if let Some(error) = first {
        let code = error.pointer("/extensions/error_code").and_then(Value::as_u64);
        return Err(match code.and_then(|code| u16::try_from(code).ok()) {
            Some(429) => Error::RateLimited { after: None },
            code => Error::Server { code: code.unwrap_or(400) },
        });
    }
    response.get_mut("data").map(Value::take).ok_or(Error::UnreadableAnswer)
}

/// A number, which the server writes as text as often as not.
pub(crate) fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &'static str) -> Result<Value, Error> {
        data(&Bytes::from_static(json.as_bytes()))
    }

    #[test]
    fn errors_of_a_response_are_those_of_the_server() {
        let error = |code| format!(r#"{{"errors":[{{"extensions":{{"error_code":{code}}}}}]}}"#);
        let told = |json: String| data(&Bytes::from(json));
        assert!(matches!(told(error(404)), Err(Error::Server { code: 404 })));
        assert!(matches!(told(error(429)), Err(Error::RateLimited { .. })));
        let nameless = r#"{"data":{},"errors":[{"message":"no"}]}"#.to_owned();
        assert!(matches!(told(nameless), Err(Error::Server { code: 400 })));
    }

    #[test]
    fn what_is_no_response_is_an_error_and_no_panic() {
        for json in ["", "[]", "7", "{", r#"{"errors":[]}"#] {
            assert!(matches!(told(json), Err(Error::UnreadableAnswer)), "{json}");
        }
        assert_eq!(told(r#"{"data":{"a":"7"},"errors":[]}"#).unwrap()["a"], "7");
    }

    #[test]
    fn numbers_are_read_from_text_too() {
        assert_eq!(number(Some(&Value::from("17"))), Some(17));
        assert_eq!(number(Some(&Value::from(17))), Some(17));
        assert_eq!(number(Some(&Value::from("x"))), None);
    }
}
