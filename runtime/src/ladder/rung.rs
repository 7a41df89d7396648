//! One feature and its answer.

use serde::{Serialize, Serializer};

/// What became of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There; the text says what was found.
    Have(String),
    /// Replaced by `to`; `lost` is what that does not do.
    FallBack { to: String, lost: String },
    /// Not there, and nothing replaces it.
    Refused(String),
}

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// As `--require` takes it.
    pub name: &'static str,
    pub answer: Answer,
    /// What to do about it, when anything is missing and something can be done.
    pub remedy: Option<String>,
}

impl Rung {
    pub(super) fn have(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, answer: Answer::Have(what.into()), remedy: None }
    }

    pub(super) fn fall_back(
        name: &'static str,
        to: impl Into<String>,
        lost: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let answer = Answer::FallBack { to: to.into(), lost: lost.into() };
        Self { name, answer, remedy: Some(remedy.into()) }
    }

    pub(super) fn refused(
        name: &'static str,
        why: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name, answer: Answer::Refused(why.into()), remedy: Some(remedy.into()) }
    }
}

impl Serialize for Rung {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Json<'a> {
            name: &'a str,
            /// `have`, `fallback` or `refused`.
            state: &'a str,
            detail: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            lost: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            remedy: Option<&'a str>,
        }
        let (state, detail, lost) = match &self.answer {
            Answer::Have(what) => ("have", what.as_str(), None),
            Answer::FallBack { to, lost } => ("fallback", to.as_str(), Some(lost.as_str())),
            Answer::Refused(why) => ("refused", why.as_str(), None),
        };
        let remedy = self.remedy.as_deref();
        Json { name: self.name, state, detail, lost, remedy }.serialize(serializer)
    }
}

/// All rungs, the ground first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Ladder {
    pub rungs: Vec<Rung>,
}

/// A feature that was asked for with `--require` is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequireError {
    #[error("unknown feature \"{name}\": one of {known}")]
    Unknown { name: String, known: String },
    #[error("this host lacks {name}: {why}")]
    Missing { name: &'static str, why: String, remedy: Option<String> },
}

impl RequireError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { remedy, .. } => remedy.clone(),
            Self::Unknown { .. } => None,
        }
    }
}

impl Ladder {
    /// The rung of a name.
    #[must_use]
    pub fn rung(&self, name: &str) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.name == name)
    }

    /// Demands that a feature is there itself: a fallback is not enough.
    ///
    /// # Errors
    /// When it is not there, or there is no such feature.
    pub fn require(&self, name: &str) -> Result<(), RequireError> {
        let rung = self.rung(name).ok_or_else(|| RequireError::Unknown {
            name: name.to_owned(),
            known: self.rungs.iter().map(|rung| rung.name).collect::<Vec<_>>().join(", "),
        })?;
        let why = match &rung.answer {
            Answer::Have(_) => return Ok(()),
            Answer::FallBack { lost, .. } => lost.clone(),
            Answer::Refused(why) => why.clone(),
        };
        Err(RequireError::Missing { name: rung.name, why, remedy: rung.remedy.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder() -> Ladder {
        Ladder {
            rungs: vec![
                Rung::have("kernel", "Linux 6.1"),
                Rung::fall_back("tun", "AF_PACKET", "speed", "do `x`"),
                Rung::refused("seccomp", "none", "build it"),
            ],
        }
    }

    #[test]
    fn a_required_feature_may_not_be_replaced() {
        assert_eq!(ladder().require("kernel"), Ok(()));
        let error = ladder().require("tun").unwrap_err();
        assert_eq!(error.to_string(), "this host lacks tun: speed");
        assert_eq!(error.hint().as_deref(), Some("do `x`"));
        assert_eq!(
            ladder().require("magic").unwrap_err().to_string(),
            "unknown feature \"magic\": one of kernel, tun, seccomp"
        );
    }

    #[test]
    fn json_has_one_object_for_each_rung() {
        assert_eq!(
            serde_json::to_string(&ladder()).unwrap(),
            r#"[{"Name":"kernel","State":"have","Detail":"Linux 6.1"},{"Name":"tun","State":"fallback","Detail":"AF_PACKET","Lost":"speed","Remedy":"do `x`"},{"Name":"seccomp","State":"refused","Detail":"none","Remedy":"build it"}]"#
        );
    }
}
