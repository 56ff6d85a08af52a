-- How many crashes of a group have which fact, so that a search for groups asks this, and not every crash of every group.
-- Crashes and facts change in many ways, and processes of the version before know nothing of it: the database keeps it
-- right.
CREATE TABLE group_facts (
    group_id TEXT NOT NULL,
    fact_id BIGINT NOT NULL,
    crashes BIGINT NOT NULL,
    PRIMARY KEY (group_id, fact_id)
) WITHOUT ROWID;
INSERT INTO group_facts (group_id, fact_id, crashes)
    SELECT c.group_id, cf.fact_id, COUNT(*) FROM crash_facts cf JOIN crashes c ON c.id = cf.crash_id
    WHERE c.group_id IS NOT NULL GROUP BY c.group_id, cf.fact_id;
CREATE INDEX group_facts_fact ON group_facts (fact_id, group_id, crashes);
-- How many crashes a group has is read without its wide row.
CREATE INDEX crash_groups_narrow ON crash_groups (id, crashes);

CREATE TRIGGER crash_facts_added AFTER INSERT ON crash_facts
BEGIN
    INSERT INTO group_facts (group_id, fact_id, crashes)
        SELECT c.group_id, NEW.fact_id, 1 FROM crashes c WHERE c.id = NEW.crash_id AND c.group_id IS NOT NULL
        ON CONFLICT (group_id, fact_id) DO UPDATE SET crashes = crashes + 1;
END;
CREATE TRIGGER crash_facts_removed AFTER DELETE ON crash_facts
BEGIN
    UPDATE group_facts SET crashes = crashes - 1 WHERE fact_id = OLD.fact_id
        AND group_id = (SELECT c.group_id FROM crashes c WHERE c.id = OLD.crash_id);
    DELETE FROM group_facts WHERE fact_id = OLD.fact_id AND crashes <= 0
        AND group_id = (SELECT c.group_id FROM crashes c WHERE c.id = OLD.crash_id);
END;
CREATE TRIGGER crashes_moved AFTER UPDATE OF group_id ON crashes WHEN OLD.group_id IS NOT NEW.group_id
BEGIN
    INSERT INTO group_facts (group_id, fact_id, crashes)
        SELECT NEW.group_id, cf.fact_id, 1 FROM crash_facts cf WHERE cf.crash_id = NEW.id AND NEW.group_id IS NOT NULL
        ON CONFLICT (group_id, fact_id) DO UPDATE SET crashes = crashes + 1;
    UPDATE group_facts SET crashes = crashes - 1 WHERE group_id = OLD.group_id
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = NEW.id);
    DELETE FROM group_facts WHERE group_id = OLD.group_id AND crashes <= 0
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = NEW.id);
END;
-- The facts of a crash that is deleted go after it, when nobody can tell its group any more.
CREATE TRIGGER crashes_deleted BEFORE DELETE ON crashes WHEN OLD.group_id IS NOT NULL
BEGIN
    UPDATE group_facts SET crashes = crashes - 1 WHERE group_id = OLD.group_id
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = OLD.id);
    DELETE FROM group_facts WHERE group_id = OLD.group_id AND crashes <= 0
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = OLD.id);
END;
