-- How many cores a group has of each service, for a policy that counts them apart.
CREATE INDEX crashes_core_services ON crashes (group_id, has_core, service);
