-- Since when an object is waited for, which is not when its upload was begun; and when it was refused for what it is,
-- so that nobody needs its bytes any more.
ALTER TABLE objects ADD COLUMN queued_at BIGINT;
ALTER TABLE objects ADD COLUMN refused_at BIGINT;
-- Uploads under way are counted by project.
CREATE INDEX objects_open ON objects (project, origin) WHERE state = 'open';

-- The group of a linked crash, so that the incidents of a group are found however many crashes both have. Crashes change
-- their groups in many ways, and processes of the version before know nothing of it: the database keeps it right.
ALTER TABLE incident_crashes ADD COLUMN group_id TEXT;
UPDATE incident_crashes SET group_id = (SELECT c.group_id FROM crashes c WHERE c.id = incident_crashes.crash_id);
CREATE INDEX incident_crashes_group ON incident_crashes (group_id, incident_id);
CREATE FUNCTION group_incident_crash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.group_id := (SELECT c.group_id FROM crashes c WHERE c.id = NEW.crash_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER incident_crashes_grouped BEFORE INSERT ON incident_crashes
    FOR EACH ROW EXECUTE FUNCTION group_incident_crash();
CREATE FUNCTION regroup_incident_crash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE incident_crashes SET group_id = NEW.group_id WHERE crash_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER crashes_regrouped AFTER UPDATE OF group_id ON crashes
    FOR EACH ROW WHEN (OLD.group_id IS DISTINCT FROM NEW.group_id) EXECUTE FUNCTION regroup_incident_crash();

-- Crashes of a service or a host at some time, for the incidents that name it.
CREATE INDEX crashes_service_seen ON crashes (service, seen_at);
CREATE INDEX crashes_host_seen ON crashes (hostname, seen_at);
