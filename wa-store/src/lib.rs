//! Where a WhatsApp client keeps keys, sessions and messages: one transaction, encrypted SQLite or memory, full-text search
