//! WhatsApp in a box: a server with phones, for tests and demos, on loopback only.
//!
//! A [`Sim`] is a whole WhatsApp: clients connect to it, link by QR, and exchange messages with
//! each other and with its phones, which are real Signal endpoints. It needs no port: in a test a
//! client takes the byte stream of [`Sim::connect`], time is tokio's (so a paused clock works),
//! and all randomness comes from one seed. It knows nothing of any client's code.
//!
//! ```
//! use wa_sim::{Sim, SimConfig};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::new(SimConfig::seeded(1));
//! let alice = sim.add_account("15550001", "Alice")?;
//! let bob = sim.add_account("15550002", "Bob")?;
//! let id = alice.send_text(&bob.jid(), "hello")?;
//! let seen = bob.messages().into_iter().find(|message| message.id == id).ok_or("lost")?;
//! assert_eq!(seen.text.as_deref(), Some("hello"));
//! # Ok(())
//! # }
//! ```

mod address;
mod clock;
mod connection;
mod control;
mod fault;
mod hostile;
mod media_host;
mod passkey;
mod phone;
mod server;
mod serving;
mod sim;
mod stats;
mod world;

pub use address::{InvalidPhoneNumber, PhoneNumber};
pub use fault::{Chance, Damage, FaultPlan, MediaAct, MediaFault, MediaFaultKind};
pub use hostile::{Hostile, Impostor, Spoken, StolenPhone};
pub use media_host::{CertificateError, MediaMethod, MediaReply, MediaRequest, MediaStats};
pub use passkey::Passkey;
pub use phone::{
    AddAccountError, AppStateCounts, ChatSettings, CreateGroupError, FileKind, GroupAction,
    GroupChangeRefused, GroupSettings, HistoryError, HistoryMessage, HistoryPlan, HistoryUpload,
    LinkError, LinkedDevice, MAX_FILE, MAX_HISTORY_CHATS, MAX_HISTORY_MESSAGES, MAX_POLL_OPTIONS,
    MAX_TEXT, MessageStatus, Outcome, OutgoingFile, Phone, PhoneActivity, PhoneCall, PhoneMessage,
    SendError, StatusAudience, UnlinkError,
};
pub use server::directory::Addressing;
pub use serving::{ServeError, Serving};
pub use sim::{MAX_CONNECTIONS, Sim, SimConfig};
pub use stats::{DeviceCounters, DeviceStats, Stats};
