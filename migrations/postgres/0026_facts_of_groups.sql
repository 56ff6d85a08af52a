-- How many crashes of a group have which fact, so that a search for groups asks this, and not every crash of every group.
-- Crashes and facts change in many ways, and processes of the version before know nothing of it: the database keeps it
-- right. What changes facts or groups of crashes does so in turn, and so does this.
UPDATE turnstiles SET passes = passes + 1 WHERE name = 'binaries';
CREATE TABLE group_facts (
    group_id TEXT NOT NULL,
    fact_id BIGINT NOT NULL,
    crashes BIGINT NOT NULL
);

CREATE FUNCTION count_added_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO group_facts (group_id, fact_id, crashes)
        SELECT c.group_id, a.fact_id, COUNT(*) FROM added a JOIN crashes c ON c.id = a.crash_id
        WHERE c.group_id IS NOT NULL GROUP BY c.group_id, a.fact_id
        ON CONFLICT (group_id, fact_id) DO UPDATE SET crashes = group_facts.crashes + excluded.crashes;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_removed_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE group_facts g SET crashes = g.crashes - r.crashes FROM
        (SELECT c.group_id, f.fact_id, COUNT(*) AS crashes FROM removed f JOIN crashes c ON c.id = f.crash_id
        WHERE c.group_id IS NOT NULL GROUP BY c.group_id, f.fact_id) AS r
        WHERE g.group_id = r.group_id AND g.fact_id = r.fact_id;
    DELETE FROM group_facts g USING removed f JOIN crashes c ON c.id = f.crash_id
        WHERE g.group_id = c.group_id AND g.fact_id = f.fact_id AND g.crashes <= 0;
    RETURN NULL;
END
$$;
-- A merge moves many crashes at once, and most updates of crashes move none. The statements are planned each time, since
-- the way for one crash is not that for a hundred thousand. Only facts of crashes that moved are looked at: a group may
-- have others for each of its crashes.
CREATE FUNCTION count_moved_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT id, group_id FROM latter EXCEPT SELECT id, group_id FROM former) THEN
        RETURN NULL;
    END IF;
    EXECUTE 'WITH moved AS MATERIALIZED (SELECT o.id, o.group_id AS source, n.group_id AS target FROM former o
        JOIN latter n ON n.id = o.id WHERE o.group_id IS DISTINCT FROM n.group_id)
        INSERT INTO group_facts (group_id, fact_id, crashes)
        SELECT d.group_id, d.fact_id, SUM(d.crashes) FROM (
            SELECT m.source AS group_id, cf.fact_id, -1 AS crashes FROM moved m
            JOIN crash_facts cf ON cf.crash_id = m.id WHERE m.source IS NOT NULL
            UNION ALL SELECT m.target, cf.fact_id, 1 FROM moved m
            JOIN crash_facts cf ON cf.crash_id = m.id WHERE m.target IS NOT NULL
        ) AS d GROUP BY d.group_id, d.fact_id HAVING SUM(d.crashes) <> 0
        ON CONFLICT (group_id, fact_id) DO UPDATE SET crashes = group_facts.crashes + excluded.crashes';
    EXECUTE 'WITH moved AS MATERIALIZED (SELECT o.id, o.group_id AS source FROM former o
        JOIN latter n ON n.id = o.id WHERE o.group_id IS DISTINCT FROM n.group_id),
        left_behind AS MATERIALIZED (SELECT DISTINCT m.source, cf.fact_id FROM moved m
        JOIN crash_facts cf ON cf.crash_id = m.id)
        DELETE FROM group_facts g USING left_behind l
        WHERE g.group_id = l.source AND g.fact_id = l.fact_id AND g.crashes <= 0';
    RETURN NULL;
END
$$;
-- The facts of a crash that is deleted go after it, when nobody can tell its group any more.
CREATE FUNCTION count_facts_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE group_facts SET crashes = crashes - 1 WHERE group_id = OLD.group_id
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = OLD.id);
    DELETE FROM group_facts WHERE group_id = OLD.group_id AND crashes <= 0
        AND fact_id IN (SELECT cf.fact_id FROM crash_facts cf WHERE cf.crash_id = OLD.id);
    RETURN OLD;
END
$$;
CREATE TRIGGER crashes_moved AFTER UPDATE ON crashes REFERENCING OLD TABLE AS former NEW TABLE AS latter
    FOR EACH STATEMENT EXECUTE FUNCTION count_moved_facts();
CREATE TRIGGER crashes_deleted BEFORE DELETE ON crashes FOR EACH ROW WHEN (OLD.group_id IS NOT NULL)
    EXECUTE FUNCTION count_facts_of_deleted();
CREATE TRIGGER crash_facts_added AFTER INSERT ON crash_facts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_added_facts();
CREATE TRIGGER crash_facts_removed AFTER DELETE ON crash_facts REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_removed_facts();

-- A million crashes of 26 facts take 20 to 60 seconds.
INSERT INTO group_facts (group_id, fact_id, crashes)
    SELECT c.group_id, cf.fact_id, COUNT(*) FROM crash_facts cf JOIN crashes c ON c.id = cf.crash_id
    WHERE c.group_id IS NOT NULL GROUP BY c.group_id, cf.fact_id;
ALTER TABLE group_facts ADD PRIMARY KEY (group_id, fact_id);
CREATE INDEX group_facts_fact ON group_facts (fact_id, group_id) INCLUDE (crashes);

-- What pages of groups read is together, so that a page that nobody has read for a while takes few reads: the most
-- frequent values of a group, the values that lists show, the groups of a value, the hours of a group, and groups without
-- their wide rows.
CREATE INDEX group_facets_counted ON group_facets (group_id, facet, crashes DESC, value) INCLUDE (first_seen, last_seen);
CREATE INDEX group_facets_named ON group_facets (group_id, facet, value)
    WHERE facet IN ('service', 'go-version', 'version');
CREATE INDEX group_facets_groups ON group_facets (facet, value, group_id) WHERE facet IN ('service', 'version');
CREATE INDEX group_hours_counted ON group_hours (group_id, hour) INCLUDE (crashes);
CREATE INDEX crash_groups_narrow ON crash_groups (id)
    INCLUDE (crashes, last_seen, first_seen, state, class, owner, family, project);
-- A value is of one facet: without knowing that, the database expects one group of a service where there are hundreds.
CREATE STATISTICS group_facets_values (dependencies) ON facet, value FROM group_facets;
ANALYZE group_facets;
ANALYZE group_facts;
