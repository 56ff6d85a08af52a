-- Tells every process that listens that there is work, once the transaction that made it is there for
-- all to see; several in one transaction are told once. SQLite has one writer on one machine and polls,
-- so that it has no file of this number.
CREATE FUNCTION announce_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('panicle_jobs', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER jobs_announced AFTER INSERT OR UPDATE ON jobs
    FOR EACH ROW WHEN (NEW.state = 'queued') EXECUTE FUNCTION announce_job();
