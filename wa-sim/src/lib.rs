//! WhatsApp in a box: a server with phones, for tests and demos, on loopback only
