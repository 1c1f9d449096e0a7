//! Which tools are offered. Every option takes some away, and none brings one back.

use std::collections::BTreeSet;

use wa_bridge::{Caller, ClientName, Profile, policy::Policy};

use crate::tools::{Entry, Kind, Toolset};

/// By what tools are offered: what was typed when the server was started, and the policy as it is
/// now, for whichever assistant asks.
#[derive(Debug, Clone)]
pub(crate) struct Offering {
    typed: Offer,
    profile: Profile,
    caller: Caller,
}

impl Offering {
    /// `caller` is whoever asks without a token of their own.
    pub(crate) const fn new(typed: Offer, profile: Profile, caller: Caller) -> Self {
        Self { typed, profile, caller }
    }

    /// What may be offered to anybody at all.
    pub(crate) fn typed(&self) -> Offer {
        Offer { confirm_in_chat: true, ..self.typed.clone() }
    }

    /// What is offered to an assistant, or without one to whoever the server is for.
    pub(crate) fn to(&self, client: Option<&ClientName>) -> Offer {
        let caller = client.map_or_else(|| self.caller.clone(), |it| Caller::client(it.clone()));
        // A policy that cannot be read lets nothing through; the status says so.
        let policy = Policy::load(&self.profile).unwrap_or_default().for_caller(&caller);
        Offer {
            read_only: self.typed.read_only || policy.read_only,
            confirm_in_chat: policy.confirm_in_chat,
            ..self.typed.clone()
        }
    }
}

/// Which tools are offered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    /// Only tools that change nothing.
    pub(crate) read_only: bool,
    /// Only tools of these sets; all where there are none.
    pub(crate) sets: BTreeSet<Toolset>,
    /// None of these.
    pub(crate) excluded: BTreeSet<String>,
    /// Whether an assistant may agree to drafts.
    pub(crate) confirm_in_chat: bool,
}

impl Offer {
    /// Whether a tool is offered.
    pub(crate) fn has(&self, tool: &Entry) -> bool {
        let name: &str = &tool.described.name;
        let reads = matches!(tool.kind, Kind::Reads { .. });
        (!self.read_only || reads)
            && (self.sets.is_empty() || self.sets.contains(&tool.set))
            && !self.excluded.contains(name)
            && self.is_open(tool)
    }

    /// Whether a call of a tool is looked at: an assistant agrees to nothing by itself. Whatever else
    /// the policy forbids by now is refused where it is done, in words that say why.
    pub(crate) fn is_open(&self, tool: &Entry) -> bool {
        self.confirm_in_chat || tool.described.name != "confirm_send"
    }

    /// Names to exclude that are no tool's.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let tools = crate::tools::all();
        let is_tool = |name: &str| tools.iter().any(|tool| tool.described.name == name);
        self.excluded.iter().map(String::as_str).filter(|name| !is_tool(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    fn names(offer: &Offer) -> Vec<String> {
        let tools = tools::all().into_iter().filter(|tool| offer.has(tool));
        tools.map(|tool| tool.described.name.to_string()).collect()
    }

    #[test]
    fn the_tools_of_the_server_people_come_from_are_there_under_their_names() {
        let names = names(&Offer::default());
        for name in [
            "search_contacts",
            "list_messages",
            "list_chats",
            "get_chat",
            "get_direct_chat_by_contact",
            "get_contact_chats",
            "get_last_interaction",
            "get_message_context",
            "send_message",
            "send_file",
            "send_audio_message",
            "download_media",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn read_only_offers_nothing_that_changes_anything() {
        let offer = Offer { read_only: true, confirm_in_chat: true, ..Offer::default() };
        for tool in tools::all().into_iter().filter(|tool| offer.has(tool)) {
            let annotations = tool.described.annotations.unwrap();
            assert_eq!(annotations.read_only_hint, Some(true), "{}", tool.described.name);
        }
        assert!(!names(&offer).iter().any(|name| name.starts_with("send") || name == "react"));
    }

    #[test]
    fn an_excluded_tool_is_gone_whatever_else_is_said() {
        let mut offer = Offer { sets: [Toolset::Send].into(), ..Offer::default() };
        assert!(names(&offer).contains(&"react".to_owned()));
        offer.excluded = ["react".to_owned(), "raect".to_owned()].into();
        assert!(!names(&offer).contains(&"react".to_owned()));
        assert_eq!(offer.unknown(), ["raect"]);
    }

    #[test]
    fn each_assistant_is_offered_what_its_own_policy_leaves_it_by_now() {
        let folder = tempfile::tempdir().unwrap();
        let caller = Caller::assistant("wa-mcp");
        let options = wa_bridge::BridgeOptions::new("default".parse().unwrap(), caller.clone());
        let mut environment = options.unwrap().environment;
        environment.config_home = Some(folder.path().join("config"));
        let store = folder.path().join("account");
        let profile = Profile::locate(&"default".parse().unwrap(), Some(&store), &environment);
        let offering = Offering::new(Offer::default(), profile.unwrap(), caller);
        let set_policy = |toml: &str| {
            let file = folder.path().join("config/wa/policy.toml");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, toml).unwrap();
            // Whatever others may write is no policy.
            #[cfg(unix)]
            {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                std::fs::set_permissions(&file, mode).unwrap();
            }
        };
        let robot: ClientName = "robot".parse().unwrap();
        let sends = |client: Option<&ClientName>| {
            names(&offering.to(client)).contains(&"send_message".to_owned())
        };
        assert!(sends(Some(&robot)) && sends(None));
        set_policy("[client.robot]\nread_only = true");
        assert!(!sends(Some(&robot)) && sends(Some(&"other".parse().unwrap())));
        assert!(!sends(None), "whoever proves nothing gets what the strictest gets");
        set_policy("read_only = true");
        assert!(!sends(Some(&robot)) && !sends(None));
    }

    #[test]
    fn an_assistant_agrees_for_nobody_unless_the_policy_says_so() {
        assert!(!names(&Offer::default()).contains(&"confirm_send".to_owned()));
        let trusting = Offer { confirm_in_chat: true, ..Offer::default() };
        assert!(names(&trusting).contains(&"confirm_send".to_owned()));
    }
}
