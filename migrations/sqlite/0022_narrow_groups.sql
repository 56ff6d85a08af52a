-- Lists of groups are found without their wide rows, however few of the groups are asked for.
DROP INDEX crash_groups_last_seen;
DROP INDEX crash_groups_first_seen;
DROP INDEX crash_groups_crashes;
CREATE INDEX crash_groups_last_seen ON crash_groups (last_seen, id, state, class, owner, family) WHERE crashes > 0;
CREATE INDEX crash_groups_first_seen ON crash_groups (first_seen, id, state, class, owner, family) WHERE crashes > 0;
CREATE INDEX crash_groups_crashes ON crash_groups (crashes, id, state, class, owner, family) WHERE crashes > 0;
-- What is not done are few: they are counted apart from the rest.
CREATE INDEX crashes_not_done ON crashes (status) WHERE status <> 'done' AND joined_into IS NULL;
