//! What is done to the stanzas for one device. Knows nothing of why.

use std::fmt;

use wa_proto::OwnedNode;

/// Changes a stanza on its way.
type ChangeAll = Box<dyn FnMut(OwnedNode) -> Vec<OwnedNode> + Send>;

/// Changes an answer, given the question.
type ChangeAnswers = Box<dyn FnMut(&OwnedNode, OwnedNode) -> Option<OwnedNode> + Send>;

/// The most stanzas that are remembered.
const MAX_SAID: usize = 1 << 16;

/// What is done to the stanzas for one device.
#[derive(Default)]
pub(crate) struct Tampering {
    all: Option<ChangeAll>,
    answers: Option<ChangeAnswers>,
    said: Option<Vec<OwnedNode>>,
}

impl Tampering {
    pub(crate) fn change_all(&mut self, with: ChangeAll) {
        self.all = Some(with);
    }

    pub(crate) fn change_answers(&mut self, with: ChangeAnswers) {
        self.answers = Some(with);
    }

    pub(crate) fn stop(&mut self) {
        (self.all, self.answers) = (None, None);
    }

    pub(crate) fn remember(&mut self) {
        self.said = Some(Vec::new());
    }

    pub(crate) fn said(&self) -> &[OwnedNode] {
        self.said.as_deref().unwrap_or_default()
    }

    /// What is said in place of a stanza.
    pub(crate) fn on_its_way(&mut self, stanza: OwnedNode) -> Vec<OwnedNode> {
        let said = match &mut self.all {
            Some(change) => change(stanza),
            None => vec![stanza],
        };
        if let Some(kept) = self.said.as_mut().filter(|kept| kept.len() < MAX_SAID) {
            kept.extend(said.iter().cloned());
        }
        said
    }

    /// What is answered in place of an answer.
    pub(crate) fn answered(
        &mut self,
        question: &OwnedNode,
        answer: OwnedNode,
    ) -> Option<OwnedNode> {
        match &mut self.answers {
            Some(change) => change(question, answer),
            None => Some(answer),
        }
    }
}

impl fmt::Debug for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tampering").finish_non_exhaustive()
    }
}
