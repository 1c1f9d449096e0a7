//! What is known of groups, as rows.
//!
//! Knows nothing of what a group is for.

use rusqlite::{Connection, params};
use wa_proto::{
    Jid,
    stanza::{
        AddressingMode, CommunityRole, GroupDescription, GroupInfo, GroupParticipant, GroupRole,
        MemberAddMode,
    },
};

use super::{
    rows::{Columns, all, one},
    write::Write,
};
use crate::{StoreError, store::Result};

const GROUP: &str = "jid, by_lid, subject, subject_owner, subject_time, created, creator, \
     description, description_id, description_author, description_time, size, \
     participant_version, locked, announcement, ephemeral, needs_approval, everybody_adds, \
     suspended, community_role, community";

pub(super) fn group(db: &Connection, jid: &str) -> Result<Option<GroupInfo>> {
    let sql = format!("SELECT {GROUP} FROM groups WHERE jid = ?1");
    let found = one(db, &sql, [jid], group_row)?;
    found.map(|group| with_members(db, group)).transpose()
}

pub(super) fn groups(db: &Connection) -> Result<Vec<GroupInfo>> {
    let sql = format!("SELECT {GROUP} FROM groups ORDER BY jid");
    let found = all(db, &sql, [], group_row)?;
    found.into_iter().map(|group| with_members(db, group)).collect()
}

fn with_members(db: &Connection, mut group: GroupInfo) -> Result<GroupInfo> {
    let sql = "SELECT jid, phone, lid, role, display_name FROM group_members
               WHERE group_jid = ?1 ORDER BY position";
    group.participants = all(db, sql, [group.jid.to_string()], member_row)?;
    Ok(group)
}

fn group_row(row: Columns<'_>) -> Result<GroupInfo> {
    let mode = if row.get(1)? { AddressingMode::Lid } else { AddressingMode::Phone };
    let mut group = GroupInfo::new(row.jid(0)?, mode, row.text(2)?);
    group.subject_owner = row.optional_jid(3)?;
    group.subject_time = optional_seconds(row, 4)?;
    group.created = optional_seconds(row, 5)?;
    group.creator = row.optional_jid(6)?;
    if let Some(text) = row.optional_text(7)? {
        let id = row.optional_text(8)?.map(Into::into);
        let mut description = GroupDescription::new(id, text);
        description.author = row.optional_jid(9)?;
        description.timestamp = optional_seconds(row, 10)?;
        group.description = Some(description);
    }
    group.size = row.get(11)?;
    group.participant_version = row.optional_text(12)?.map(Into::into);
    group.is_locked = row.get(13)?;
    group.is_announcement = row.get(14)?;
    group.ephemeral = row.get(15)?;
    group.needs_approval = row.get(16)?;
    group.member_add_mode =
        if row.get(17)? { MemberAddMode::Everybody } else { MemberAddMode::Admins };
    group.is_suspended = row.get(18)?;
    let parent = row.optional_jid(20)?;
    group.community = match row.get::<i64>(19)? {
        0 => CommunityRole::None,
        1 => CommunityRole::Parent,
        role @ (2 | 3) => CommunityRole::SubGroup { parent, is_default: role == 3 },
        _ => return Err(StoreError::Corrupt { what: "a community role" }),
    };
    Ok(group)
}

fn optional_seconds(row: Columns<'_>, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<Option<i64>>(column)?.map(i64::unsigned_abs))
}

fn member_row(row: Columns<'_>) -> Result<GroupParticipant> {
    let mut member = GroupParticipant::new(row.jid(0)?);
    member.phone = row.optional_jid(1)?;
    member.lid = row.optional_jid(2)?;
    member.role = match row.get::<i64>(3)? {
        0 => GroupRole::Member,
        1 => GroupRole::Admin,
        2 => GroupRole::SuperAdmin,
        _ => return Err(StoreError::Corrupt { what: "a role in a group" }),
    };
    member.display_name = row.get(4)?;
    Ok(member)
}

impl Write<'_> {
    pub(super) fn put_group(&self, group: &GroupInfo) -> Result<()> {
        self.delete_group(&group.jid)?;
        let text = |jid: &Option<Jid>| jid.as_ref().map(Jid::to_string);
        let about = group.description.as_ref();
        let (role, community) = match &group.community {
            CommunityRole::None => (0, None),
            CommunityRole::Parent => (1, None),
            CommunityRole::SubGroup { parent, is_default } => {
                (if *is_default { 3 } else { 2 }, text(parent))
            }
        };
        self.run(
            &format!(
                "INSERT INTO groups ({GROUP}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
                 ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"
            ),
            params![
                group.jid.to_string(),
                group.addressing_mode == AddressingMode::Lid,
                group.subject,
                text(&group.subject_owner),
                seconds(group.subject_time),
                seconds(group.created),
                text(&group.creator),
                about.map(|about| &about.text),
                about.and_then(|about| about.id.as_deref()),
                about.and_then(|about| text(&about.author)),
                about.and_then(|about| seconds(about.timestamp)),
                group.size,
                group.participant_version.as_deref(),
                group.is_locked,
                group.is_announcement,
                group.ephemeral,
                group.needs_approval,
                group.member_add_mode == MemberAddMode::Everybody,
                group.is_suspended,
                role,
                community,
            ],
        )?;
        self.put_members(group)
    }

    fn put_members(&self, group: &GroupInfo) -> Result<()> {
        let jid = group.jid.to_string();
        for (position, member) in (0_i64..).zip(&group.participants) {
            let role = match member.role {
                GroupRole::SuperAdmin => 2,
                role => i64::from(role.is_admin()),
            };
            self.run(
                "INSERT INTO group_members (group_jid, position, jid, phone, lid, role,
                     display_name)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    jid,
                    position,
                    member.jid.to_string(),
                    member.phone.as_ref().map(Jid::to_string),
                    member.lid.as_ref().map(Jid::to_string),
                    role,
                    member.display_name
                ],
            )?;
        }
        Ok(())
    }

    pub(super) fn delete_group(&self, jid: &Jid) -> Result<()> {
        self.run("DELETE FROM groups WHERE jid = ?1", [jid.to_user().to_string()])
    }
}

/// A time as SQLite holds it.
fn seconds(time: Option<u64>) -> Option<i64> {
    time.map(|time| i64::try_from(time).unwrap_or(i64::MAX))
}
