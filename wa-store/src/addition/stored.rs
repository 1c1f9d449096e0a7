//! Additions as bytes in a table.

use prost::Message as _;

use super::{Added, AddedKind, Attendance, EventResponse, Poll, Position};
use crate::{StoreError, Timestamp, store::Result};

/// What any addition says; each kind uses some of it.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(string, repeated, tag = "2")]
    options: Vec<String>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    hashes: Vec<Vec<u8>>,
    #[prost(int64, optional, tag = "4")]
    number: Option<i64>,
    #[prost(uint32, optional, tag = "5")]
    count: Option<u32>,
    #[prost(double, optional, tag = "6")]
    latitude: Option<f64>,
    #[prost(double, optional, tag = "7")]
    longitude: Option<f64>,
    #[prost(string, optional, tag = "8")]
    correct: Option<String>,
}

/// The bytes that say an addition.
pub(crate) fn encode(what: &Added) -> Vec<u8> {
    let mut stored = Stored::default();
    match what {
        Added::Poll(poll) => {
            stored.text = Some(poll.question.clone());
            stored.options.clone_from(&poll.options);
            stored.count = Some(poll.selectable);
            stored.correct.clone_from(&poll.correct);
        }
        Added::PollOption(option) => stored.text = Some(option.clone()),
        Added::Vote(hashes) => stored.hashes = hashes.iter().map(|hash| hash.to_vec()).collect(),
        Added::EventResponse(response) => {
            stored.number = Some(attendance_number(response.attendance));
            stored.count = Some(response.guests);
        }
        Added::Pin { until } => stored.number = until.map(Timestamp::secs),
        Added::Keep { kept } => stored.number = Some((*kept).into()),
        Added::Position(position) => {
            stored.number = Some(position.sequence);
            stored.latitude = Some(position.latitude);
            stored.longitude = Some(position.longitude);
            stored.count = position.accuracy_in_meters;
        }
    }
    stored.encode_to_vec()
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(kind: &str, bytes: &[u8]) -> Result<Added> {
    let corrupt = || StoreError::Corrupt { what: "an addition to a message" };
    let stored = Stored::decode(bytes).map_err(|_| corrupt())?;
    Ok(match kind {
        kind if kind == AddedKind::Poll.as_str() => Added::Poll(Poll {
            question: stored.text.unwrap_or_default(),
            options: stored.options,
            selectable: stored.count.unwrap_or_default(),
            correct: stored.correct,
        }),
        kind if kind == AddedKind::PollOption.as_str() => {
            Added::PollOption(stored.text.unwrap_or_default())
        }
        kind if kind == AddedKind::Vote.as_str() => {
            let hashes = stored.hashes.into_iter().map(|hash| hash.try_into());
            Added::Vote(hashes.collect::<std::result::Result<_, _>>().map_err(|_| corrupt())?)
        }
        kind if kind == AddedKind::EventResponse.as_str() => Added::EventResponse(EventResponse {
            attendance: attendance(stored.number.unwrap_or_default()),
            guests: stored.count.unwrap_or_default(),
        }),
        kind if kind == AddedKind::Pin.as_str() => {
            Added::Pin { until: stored.number.map(Timestamp::from_secs) }
        }
        kind if kind == AddedKind::Keep.as_str() => Added::Keep { kept: stored.number == Some(1) },
        kind if kind == AddedKind::Position.as_str() => Added::Position(Position {
            sequence: stored.number.unwrap_or_default(),
            latitude: stored.latitude.unwrap_or_default(),
            longitude: stored.longitude.unwrap_or_default(),
            accuracy_in_meters: stored.count,
        }),
        _ => return Err(corrupt()),
    })
}

const fn attendance_number(attendance: Attendance) -> i64 {
    match attendance {
        Attendance::Unknown => 0,
        Attendance::Going => 1,
        Attendance::NotGoing => 2,
        Attendance::Maybe => 3,
    }
}

const fn attendance(number: i64) -> Attendance {
    match number {
        1 => Attendance::Going,
        2 => Attendance::NotGoing,
        3 => Attendance::Maybe,
        _ => Attendance::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_addition_survives_its_bytes() {
        let quiz = Poll {
            correct: Some("b".to_owned()),
            ..Poll::new("?", ["a".to_owned(), "b".to_owned()], 1)
        };
        let position =
            Position { accuracy_in_meters: Some(9), ..Position::new(i64::MAX, -90.0, 180.0) };
        let response = EventResponse { attendance: Attendance::Maybe, guests: 3 };
        for what in [
            Added::Poll(quiz),
            Added::Poll(Poll::default()),
            Added::PollOption("c".to_owned()),
            Added::Vote(vec![[1; 32], [2; 32]]),
            Added::Vote(Vec::new()),
            Added::EventResponse(response),
            Added::Pin { until: Some(Timestamp::MAX) },
            Added::Pin { until: None },
            Added::Keep { kept: true },
            Added::Keep { kept: false },
            Added::Position(position),
        ] {
            assert!(decode(what.kind().as_str(), &encode(&what)).unwrap() == what);
        }
        assert!(decode("vote", &[0x1a, 1, 7]).is_err());
        assert!(decode("something", &[]).is_err());
    }
}
