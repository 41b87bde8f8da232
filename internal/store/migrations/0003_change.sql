-- Which bytes a record was read from: a dump that holds the same is not read
-- there again. '' for what was written before this was kept, or came otherwise.
ALTER TABLE advisory ADD COLUMN raw TEXT NOT NULL DEFAULT '';

-- What changed in the verdicts of package versions that images hold, and why.
-- A row stands for one problem of one package version; it is written with the
-- verdict and never changed.
CREATE TABLE verdict_change (
    id           %SERIAL%,
    package_id   BIGINT NOT NULL,
    osv_id       TEXT NOT NULL,
    -- the CVE to show for it, '' when the record names none
    cve          TEXT NOT NULL DEFAULT '',
    what         TEXT NOT NULL,
    why          TEXT NOT NULL,
    -- the feed that brought it, and which state of that feed
    feed         TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    dated_ms     BIGINT NOT NULL DEFAULT 0,
    newest_ms    BIGINT NOT NULL DEFAULT 0,
    old_severity TEXT NOT NULL DEFAULT '',
    new_severity TEXT NOT NULL DEFAULT '',
    old_fixed    TEXT NOT NULL DEFAULT '',
    new_fixed    TEXT NOT NULL DEFAULT '',
    at_ms        BIGINT NOT NULL
);
CREATE INDEX verdict_change_package ON verdict_change (package_id, id);
CREATE INDEX verdict_change_osv ON verdict_change (osv_id, id);
CREATE INDEX verdict_change_cve ON verdict_change (cve, id) WHERE cve <> '';
CREATE INDEX verdict_change_at ON verdict_change (at_ms);
