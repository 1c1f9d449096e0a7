//! The one process that owns a WhatsApp account: profile folders, database key, lock
