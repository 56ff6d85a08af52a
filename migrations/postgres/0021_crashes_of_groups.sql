-- The newest crashes of a group are found without reading all of it, or all others.
CREATE INDEX crashes_of_groups ON crashes (group_id, id);
