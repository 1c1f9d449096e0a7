//! Times as people type and read them, in the local time zone.

use jiff::{Timestamp as Instant, Zoned, civil, tz::TimeZone};
use wa_store::Timestamp;

/// A text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time: write 2026-11-22, 2026-11-22T18:00 or 2026-11-22T18:00:00Z")]
pub struct NoTime(String);

/// Reads a date (its first moment), a date and time, or an instant with its offset.
pub fn parse(text: &str, zone: &TimeZone) -> Result<Timestamp, NoTime> {
    let no_time = || NoTime(text.chars().take(40).collect());
    if let Ok(instant) = text.parse::<Instant>() {
        return Ok(Timestamp::from_secs(instant.as_second()));
    }
    let local: civil::DateTime = text.parse().map_err(|_| no_time())?;
    let zoned = local.to_zoned(zone.clone()).map_err(|_| no_time())?;
    Ok(Timestamp::from_secs(zoned.timestamp().as_second()))
}

/// A time for scripts: RFC 3339 in UTC.
pub fn rfc3339(time: Timestamp) -> String {
    instant(time).to_string()
}

/// A time for people: the local date and time to the minute.
pub fn local(time: Timestamp, zone: &TimeZone) -> String {
    Zoned::new(instant(time), zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn instant(time: Timestamp) -> Instant {
    Instant::from_second(time.secs()).unwrap_or(Instant::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_local_and_offsets_are_obeyed() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let midnight = parse("2026-11-22", &zone).unwrap();
        assert_eq!(rfc3339(midnight), "2026-11-21T22:00:00Z");
        assert_eq!(local(midnight, &zone), "2026-11-22 00:00");
        assert_eq!(rfc3339(parse("2026-11-22T18:30", &zone).unwrap()), "2026-11-22T16:30:00Z");
        assert_eq!(rfc3339(parse("2026-11-22T18:30:00Z", &zone).unwrap()), "2026-11-22T18:30:00Z");
        assert!(parse("yesterday", &zone).unwrap_err().to_string().contains("yesterday"));
    }
}
