//! The ids a process believes to have, and the kernel's rules for changing them
//! (credentials(7)). Pure.

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Leave as it is, in calls that set several.
const KEEP: u32 = u32::MAX;
/// `NGROUPS_MAX`.
const GROUPS_MAX: usize = 65_536;

/// The four ids of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quad {
    pub(super) real: u32,
    pub(super) effective: u32,
    pub(super) saved: u32,
    pub(super) fs: u32,
}

impl Quad {
    fn all(id: u32) -> Self {
        Self { real: id, effective: id, saved: id, fs: id }
    }

    fn has(self, id: u32) -> bool {
        [self.real, self.effective, self.saved].contains(&id)
    }

    /// `setuid` and `setgid`.
    fn set(self, id: u32, privileged: bool) -> Result<Self, Errno> {
        if id == KEEP {
            return Err(Errno::INVAL);
        }
        if privileged {
            return Ok(Self::all(id));
        }
        if id != self.real && id != self.saved {
            return Err(Errno::PERM);
        }
        Ok(Self { effective: id, fs: id, ..self })
    }

    /// `setreuid` and `setregid`.
    fn set_two(self, real: u32, effective: u32, privileged: bool) -> Result<Self, Errno> {
        let may_real = real == KEEP || real == self.real || real == self.effective;
        let may_effective = effective == KEEP || self.has(effective);
        if !(privileged || may_real && may_effective) {
            return Err(Errno::PERM);
        }
        let mut new = self;
        if real != KEEP {
            new.real = real;
        }
        if effective != KEEP {
            new.effective = effective;
        }
        if real != KEEP || (effective != KEEP && effective != self.real) {
            new.saved = new.effective;
        }
        new.fs = new.effective;
        Ok(new)
    }

    /// `setresuid` and `setresgid`.
    fn set_three(self, ids: [u32; 3], privileged: bool) -> Result<Self, Errno> {
        if !privileged && !ids.iter().all(|id| *id == KEEP || self.has(*id)) {
            return Err(Errno::PERM);
        }
        let or = |new: u32, old: u32| if new == KEEP { old } else { new };
        let effective = or(ids[1], self.effective);
        Ok(Self {
            real: or(ids[0], self.real),
            effective,
            saved: or(ids[2], self.saved),
            fs: effective,
        })
    }

    /// `setfsuid` and `setfsgid`: no error, the old value is the result.
    fn set_fs(self, id: u32, privileged: bool) -> Self {
        if id != KEEP && (privileged || self.has(id) || id == self.fs) {
            return Self { fs: id, ..self };
        }
        self
    }
}

/// A user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
}

/// A change of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    One(u32),
    Two(u32, u32),
    Three([u32; 3]),
    Fs(u32),
}

/// All ids of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) user: Quad,
    pub(super) group: Quad,
    pub(super) groups: Vec<u32>,
    /// Stands for CAP_SETUID, CAP_SETGID and CAP_CHOWN in the effective set.
    pub(super) privileged: bool,
    /// `PR_SET_KEEPCAPS`: changing ids does not take the privilege away.
    pub(super) keeps: bool,
}

/// The ids a container's process starts with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartIds {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    /// Folders of the container that belong to somebody from the start: file systems in
    /// memory that were mounted with `uid=` or `gid=`.
    #[serde(skip)]
    pub owners: Vec<(String, (u32, u32))>,
}

impl From<StartIds> for Ids {
    fn from(start: StartIds) -> Self {
        Self {
            user: Quad::all(start.uid),
            group: Quad::all(start.gid),
            groups: start.groups,
            privileged: start.uid == 0,
            keeps: false,
        }
    }
}

impl Ids {
    pub(super) fn of(&self, kind: Kind) -> Quad {
        match kind {
            Kind::User => self.user,
            Kind::Group => self.group,
        }
    }

    /// Applies a change; the value is what the call returns.
    pub(super) fn change(&mut self, kind: Kind, change: Change) -> Result<u32, Errno> {
        let (old, privileged) = (self.of(kind), self.privileged);
        let (new, value) = match change {
            Change::One(id) => (old.set(id, privileged)?, 0),
            Change::Two(real, effective) => (old.set_two(real, effective, privileged)?, 0),
            Change::Three(ids) => (old.set_three(ids, privileged)?, 0),
            Change::Fs(id) => (old.set_fs(id, privileged), old.fs),
        };
        match kind {
            Kind::User => {
                self.user = new;
                if new.effective == 0 {
                    self.privileged = true;
                } else if old.effective == 0 && !self.keeps {
                    self.privileged = false;
                }
            }
            Kind::Group => self.group = new,
        }
        Ok(value)
    }

    /// `execve` of a program that gives its owner or group to the process, or does not.
    pub(super) fn exec(&mut self, set_uid: Option<u32>, set_gid: Option<u32>) {
        for (quad, id) in [(&mut self.user, set_uid), (&mut self.group, set_gid)] {
            quad.effective = id.unwrap_or(quad.effective);
            quad.saved = quad.effective;
            quad.fs = quad.effective;
        }
        self.privileged = self.user.effective == 0 || self.user.real == 0;
        self.keeps = false;
    }

    /// `setgroups`.
    pub(super) fn set_groups(&mut self, groups: Vec<u32>) -> Result<(), Errno> {
        if !self.privileged {
            return Err(Errno::PERM);
        }
        if groups.len() > GROUPS_MAX || groups.contains(&KEEP) {
            return Err(Errno::INVAL);
        }
        self.groups = groups;
        Ok(())
    }

    /// Whether a file of `owner` may be given to `wanted`; [`KEEP`] keeps either.
    pub(super) fn may_chown(&self, owner: (u32, u32), wanted: (u32, u32)) -> bool {
        let own_group = |gid| gid == self.group.fs || self.groups.contains(&gid);
        self.privileged
            || (owner.0 == self.user.fs
                && (wanted.0 == KEEP || wanted.0 == owner.0)
                && (wanted.1 == KEEP || wanted.1 == owner.1 || own_group(wanted.1)))
    }
}

/// `wanted` with what it keeps filled in.
pub(super) fn merge(owner: (u32, u32), wanted: (u32, u32)) -> (u32, u32) {
    let or = |new: u32, old: u32| if new == KEEP { old } else { new };
    (or(wanted.0, owner.0), or(wanted.1, owner.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad(real: u32, effective: u32, saved: u32) -> Quad {
        Quad { real, effective, saved, fs: effective }
    }

    #[test]
    fn root_drops_for_good_by_setuid() {
        let mut ids = Ids::from(StartIds::default());
        assert_eq!(ids.change(Kind::User, Change::One(42)), Ok(0));
        assert_eq!(ids.user, Quad::all(42));
        assert_eq!(ids.change(Kind::User, Change::One(0)), Err(Errno::PERM));
        assert_eq!(ids.change(Kind::Group, Change::One(0)), Ok(0));
        assert_eq!(ids.change(Kind::Group, Change::One(7)), Err(Errno::PERM));
        assert_eq!(ids.set_groups(vec![1]), Err(Errno::PERM));
    }

    #[test]
    fn root_drops_for_a_while_by_seteuid() {
        // glibc's seteuid(42) is setresuid(-1, 42, -1).
        let mut ids = Ids::from(StartIds::default());
        ids.change(Kind::User, Change::Three([KEEP, 42, KEEP])).unwrap();
        assert_eq!(ids.user, quad(0, 42, 0));
        assert_eq!(ids.change(Kind::User, Change::Three([7, KEEP, KEEP])), Err(Errno::PERM));
        ids.change(Kind::User, Change::Three([KEEP, 0, KEEP])).unwrap();
        assert_eq!(ids.user, Quad::all(0));
    }

    #[test]
    fn setpriv_keeps_its_privilege_until_exec() {
        let mut ids = Ids::from(StartIds::default());
        ids.keeps = true;
        ids.change(Kind::User, Change::Three([33, 33, 33])).unwrap();
        ids.change(Kind::Group, Change::Three([33, 33, 33])).unwrap();
        ids.exec(None, None);
        assert_eq!(ids.change(Kind::Group, Change::One(0)), Err(Errno::PERM));
    }

    #[test]
    fn a_set_user_id_program_makes_root() {
        let mut ids = Ids::from(StartIds { uid: 33, gid: 33, ..StartIds::default() });
        ids.exec(Some(0), None);
        assert_eq!(ids.user, quad(33, 0, 0));
        assert_eq!(ids.change(Kind::User, Change::One(0)), Ok(0));
        assert_eq!(ids.user, Quad::all(0));
    }

    #[test]
    fn setreuid_moves_the_saved_id_as_the_kernel_does() {
        let mut ids = Ids::from(StartIds::default());
        ids.change(Kind::User, Change::Two(KEEP, 42)).unwrap();
        assert_eq!(ids.user, quad(0, 42, 42));
        ids.change(Kind::User, Change::Two(42, 0)).unwrap();
        assert_eq!(ids.user, quad(42, 0, 0));
        let start = StartIds { uid: 5, gid: 5, ..StartIds::default() };
        let mut keeps = Ids { user: quad(5, 6, 7), ..Ids::from(start) };
        keeps.change(Kind::User, Change::Two(KEEP, 5)).unwrap();
        assert_eq!(keeps.user, quad(5, 5, 7));
    }

    #[test]
    fn the_file_system_id_returns_the_old_one() {
        let mut ids = Ids::from(StartIds::default());
        assert_eq!(ids.change(Kind::User, Change::Fs(9)), Ok(0));
        assert_eq!(ids.change(Kind::User, Change::Fs(KEEP)), Ok(9));
        assert_eq!(ids.user.fs, 9);
    }

    #[test]
    fn only_root_gives_files_away() {
        let mut ids = Ids { groups: vec![50], ..Ids::from(StartIds::default()) };
        assert!(ids.may_chown((1, 1), (2, 2)));
        ids.change(Kind::User, Change::One(42)).unwrap();
        assert!(ids.may_chown((42, 42), (KEEP, 50)));
        assert!(ids.may_chown((42, 42), (42, 42)));
        assert!(!ids.may_chown((42, 42), (43, KEEP)));
        assert!(!ids.may_chown((0, 0), (KEEP, 50)));
        assert_eq!(merge((1, 2), (KEEP, 3)), (1, 3));
    }
}
