-- What rules say of an artifact beside advisories: one row for one finding.
CREATE TABLE artifact_finding (
    artifact_id BIGINT NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    check_name  TEXT NOT NULL,
    position    BIGINT NOT NULL,
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    path        TEXT NOT NULL DEFAULT '',
    subject     TEXT NOT NULL DEFAULT '',
    -- JSON of breakwater.Finding
    body        TEXT NOT NULL,
    PRIMARY KEY (artifact_id, check_name, position)
);
CREATE INDEX artifact_finding_rule ON artifact_finding (check_name, rule, artifact_id);

-- Sums over those rows, from which the image list and level follow.
ALTER TABLE artifact ADD COLUMN rule_high BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact ADD COLUMN rule_medium BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact ADD COLUMN rule_low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact ADD COLUMN unsafe_num BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact ADD COLUMN malicious_num BIGINT NOT NULL DEFAULT 0;
-- The version of the rules that decided them; '' before the first time.
ALTER TABLE artifact ADD COLUMN rules TEXT NOT NULL DEFAULT '';
-- The chain of all layers (breakwater.Chains), to find what is built on it.
ALTER TABLE artifact ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE artifact ADD COLUMN layers BIGINT NOT NULL DEFAULT 0;
CREATE INDEX artifact_chain ON artifact (chain) WHERE chain <> '';
CREATE INDEX artifact_config ON artifact (config_digest) WHERE config_digest <> '';
CREATE INDEX artifact_rules ON artifact (rules, id) WHERE scanned_ms > 0;

-- The list of files, apart from the other facts, which are read more often.
ALTER TABLE artifact_inventory ADD COLUMN files %BLOB%;

-- Base images that the operator named, known though no registry here holds them.
CREATE TABLE base_image (
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    chain     TEXT NOT NULL,
    layers    BIGINT NOT NULL,
    added_ms  BIGINT NOT NULL,
    PRIMARY KEY (name, version, chain)
);
CREATE INDEX base_image_chain ON base_image (chain);
