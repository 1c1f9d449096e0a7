//! Who a connection belongs to, by what it proves.
//!
//! The person's token and those of the assistants are the only proofs. What a request says of itself
//! can take something away, and never makes anybody a person or another assistant. Knows nothing of
//! what may be done.

use std::path::PathBuf;

use axum::http::HeaderMap;

use crate::{Caller, ClientName, Clients, Failure, Profile, Shown, Token, failure::Cause};

/// Whoever asks, as far as they proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// They showed the person's token.
    Person,
    /// They showed the token of an assistant that was let in.
    Client(ClientName),
    /// They proved nothing but that they may ask at all.
    Unnamed,
}

/// Where a request comes in.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// The local socket, which only programs of this user reach.
    Socket,
    /// An address that every program of this machine reaches; this token opens it for an assistant
    /// without a name.
    Tcp(Token),
}

/// What proves who somebody is.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    person: Token,
    clients: Clients,
}

/// Where the person's own token is: beside the account, where its owner and its guests both look.
pub(crate) fn person_token_file(profile: &Profile) -> PathBuf {
    profile.folder().join("person-token")
}

impl Credentials {
    /// Those of a profile. The person's token is made where there is none.
    ///
    /// # Errors
    /// [`Cause::Usage`] if its file cannot be used.
    pub(crate) fn load(profile: &Profile) -> Result<Self, Failure> {
        let person = Token::load_or_create(&person_token_file(profile))?;
        Ok(Self { person, clients: Clients::of(profile) })
    }

    /// Who shows these headers at this door; nobody if what they show is no token that is known.
    pub(crate) fn identify(&self, headers: &HeaderMap, door: &Door) -> Option<Identity> {
        match (Shown::of(headers), door) {
            (Shown::Nothing, Door::Socket) => Some(Identity::Unnamed),
            (Shown::Nothing, Door::Tcp(_)) | (Shown::Unreadable, _) => None,
            (Shown::Token(shown), _) if self.person.is(shown) => Some(Identity::Person),
            (Shown::Token(shown), Door::Tcp(token)) if token.is(shown) => Some(Identity::Unnamed),
            (Shown::Token(shown), _) => self.clients.identify(shown).map(Identity::Client),
        }
    }
}

impl Identity {
    /// The caller they are, by the name and the kind of program they say they use.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] if they say that they are the person and did not prove it.
    pub(crate) fn caller(
        self,
        claimed: Option<&str>,
        name: &str,
        door: &Door,
    ) -> Result<Caller, Failure> {
        let mut caller = match (self, claimed) {
            (Self::Client(client), _) => Caller::client(client),
            // A person's program may do less than the person.
            (Self::Person, Some("assistant")) => Caller::assistant(name),
            (Self::Person, _) => Caller::person(name),
            (Self::Unnamed, Some("person")) => return Err(unproven()),
            (Self::Unnamed, _) => Caller::assistant(name),
        };
        // A token that went out to another program says nothing of whom that program asks.
        caller.asks_person = matches!(door, Door::Socket);
        Ok(caller)
    }
}

fn unproven() -> Failure {
    let message = "the request says that a person asks, and does not prove it";
    Failure::new(Cause::Forbidden, message).remedy(
        "show the person's token (Authorization: Bearer …) from the file person-token in the account's folder, or leave wa-frontend out",
    )
}

/// Nobody who is known shows this.
pub(crate) fn unknown_token() -> Failure {
    Failure::new(Cause::Forbidden, "a bearer token is needed that is known here")
        .remedy("if it was revoked, a person can let the assistant in again: wa-mcp install")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header::AUTHORIZATION};

    use super::*;
    use crate::{Environment, Frontend};

    fn headers(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        headers
    }

    #[test]
    fn only_a_token_says_who_somebody_is() {
        let folder = tempfile::tempdir().unwrap();
        let environment =
            Environment { config_home: Some(folder.path().into()), ..Environment::default() };
        let name = "work".parse().unwrap();
        let profile = Profile::locate(&name, Some(folder.path()), &environment).unwrap();
        let known = Credentials::load(&profile).unwrap();
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap().trim().to_owned();
        let person = read(person_token_file(&profile));
        let robot: ClientName = "robot".parse().unwrap();
        let client = read(known.clients.register(&robot).unwrap());
        let opens = folder.path().join("opens");
        let tcp = Door::Tcp(Token::load_or_create(&opens).unwrap());
        let opens = read(opens);
        for (shown, at_socket, at_tcp) in [
            (headers(&person), Some(Identity::Person), Some(Identity::Person)),
            (
                headers(&client),
                Some(Identity::Client(robot.clone())),
                Some(Identity::Client(robot.clone())),
            ),
            (headers(&opens), None, Some(Identity::Unnamed)),
            (headers("0123456789abcdef"), None, None),
            (HeaderMap::new(), Some(Identity::Unnamed), None),
        ] {
            assert_eq!(known.identify(&shown, &Door::Socket), at_socket);
            assert_eq!(known.identify(&shown, &tcp), at_tcp);
        }
        known.clients.revoke(&robot).unwrap();
        assert_eq!(known.identify(&headers(&client), &Door::Socket), None);
    }

    #[test]
    fn what_a_request_says_of_itself_makes_nobody_more() {
        let client = Identity::Client("robot".parse().unwrap());
        for claimed in [None, Some("person"), Some("assistant"), Some("root")] {
            let caller = client.clone().caller(claimed, "wa-cli", &Door::Socket).unwrap();
            assert_eq!(
                (caller.frontend, caller.label()),
                (Frontend::Assistant, "client: robot".into())
            );
        }
        assert!(Identity::Unnamed.caller(Some("person"), "wa-cli", &Door::Socket).is_err());
        let unnamed = Identity::Unnamed.caller(None, "person", &Door::Socket).unwrap();
        assert_eq!(unnamed.frontend, Frontend::Assistant);
        let less = Identity::Person.caller(Some("assistant"), "script", &Door::Socket).unwrap();
        assert_eq!(less.frontend, Frontend::Assistant);
    }
}
