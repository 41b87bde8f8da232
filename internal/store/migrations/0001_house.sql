-- Tenancy
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE domain (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL
);
CREATE TABLE project (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES domain (id),
    name        TEXT NOT NULL UNIQUE,
    created_ms  BIGINT NOT NULL,
    -- image_rev rises with every change of the project's images; rows of image
    -- carry the rev that last touched them. Tombstones older than image_floor
    -- are gone: an index that stopped before it reloads.
    image_rev   BIGINT NOT NULL DEFAULT 0,
    image_floor BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE user_account (
    id            TEXT PRIMARY KEY,
    domain_id     TEXT NOT NULL REFERENCES domain (id),
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_ms    BIGINT NOT NULL,
    UNIQUE (domain_id, name)
);
CREATE TABLE member (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX member_user ON member (user_id);
CREATE TABLE access_key (
    ak         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    sealed_sk  %BLOB% NOT NULL,
    temporary  BOOLEAN NOT NULL DEFAULT FALSE,
    expires_ms BIGINT NOT NULL DEFAULT 0,
    created_ms BIGINT NOT NULL
);
CREATE INDEX access_key_user ON access_key (user_id);
CREATE INDEX access_key_expiry ON access_key (temporary, expires_ms);

-- Catalogue
CREATE TABLE registry (
    id                    TEXT PRIMARY KEY,
    project_id            TEXT NOT NULL REFERENCES project (id),
    enterprise_project_id TEXT NOT NULL DEFAULT '0',
    name                  TEXT NOT NULL,
    type                  TEXT NOT NULL,
    api_version           TEXT NOT NULL DEFAULT '',
    protocol              TEXT NOT NULL DEFAULT '',
    addr                  TEXT NOT NULL DEFAULT '',
    username              TEXT NOT NULL DEFAULT '',
    namespace             TEXT NOT NULL DEFAULT '',
    cluster_id            TEXT NOT NULL DEFAULT '',
    channel               TEXT NOT NULL DEFAULT '',
    repositories          TEXT NOT NULL DEFAULT '[]',
    status                TEXT NOT NULL,
    fail_reason           TEXT NOT NULL DEFAULT '',
    fail_detail           TEXT NOT NULL DEFAULT '',
    images_num            BIGINT NOT NULL DEFAULT 0,
    latest_sync_ms        BIGINT NOT NULL DEFAULT 0,
    -- the sync under way: its number, how far it has come (opaque to the store)
    sync_generation       BIGINT NOT NULL DEFAULT 0,
    sync_running          BOOLEAN NOT NULL DEFAULT FALSE,
    sync_cursor           TEXT NOT NULL DEFAULT '',
    created_ms            BIGINT NOT NULL,
    updated_ms            BIGINT NOT NULL,
    UNIQUE (project_id, name)
);
CREATE INDEX registry_type ON registry (project_id, type);
CREATE TABLE artifact (
    id            %SERIAL%,
    digest        TEXT NOT NULL UNIQUE,
    media_type    TEXT NOT NULL,
    artifact_type TEXT NOT NULL DEFAULT '',
    config_digest TEXT NOT NULL DEFAULT '',
    size          BIGINT NOT NULL,
    platform      TEXT NOT NULL DEFAULT '{}',
    subject       TEXT NOT NULL DEFAULT '',
    scannable     BOOLEAN NOT NULL,
    created_ms    BIGINT NOT NULL DEFAULT 0,
    -- the last good scan: what wrote its facts, and when
    scanner       TEXT NOT NULL DEFAULT '',
    scanned_ms    BIGINT NOT NULL DEFAULT 0,
    -- verdict counters, recomputed from package_advisory
    vul_num       BIGINT NOT NULL DEFAULT 0,
    level         TEXT NOT NULL DEFAULT '',
    -- sums over the artifact's packages of what package tells of each, from
    -- which level and vul_num follow (verdict.go)
    high          BIGINT NOT NULL DEFAULT 0,
    medium        BIGINT NOT NULL DEFAULT 0,
    low           BIGINT NOT NULL DEFAULT 0,
    unknown       BIGINT NOT NULL DEFAULT 0,
    -- the vulnerability check was done: only then may an image without findings
    -- be called Security, and only if every package's feed is there
    judged        BOOLEAN NOT NULL DEFAULT FALSE
);
-- facts of the last good scan, zstd JSON of breakwater.Inventory; apart from
-- artifact, whose rows are rewritten whenever a counter changes
CREATE TABLE artifact_inventory (
    artifact_id BIGINT PRIMARY KEY REFERENCES artifact (id) ON DELETE CASCADE,
    body        %BLOB% NOT NULL
);
CREATE TABLE artifact_child (
    parent_id BIGINT NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL,
    digest    TEXT NOT NULL,
    platform  TEXT NOT NULL DEFAULT '{}',
    image     BOOLEAN NOT NULL,
    PRIMARY KEY (parent_id, position)
);
CREATE INDEX artifact_child_digest ON artifact_child (digest);
-- how the scan of one platform of a multi-arch image stands in one project
CREATE TABLE child_scan (
    project_id  TEXT NOT NULL,
    digest      TEXT NOT NULL,
    scan_status TEXT NOT NULL,
    scan_code   TEXT NOT NULL DEFAULT '',
    scan_detail TEXT NOT NULL DEFAULT '',
    scanned_ms  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, digest)
);
CREATE TABLE image (
    id                    %SERIAL%,
    project_id            TEXT NOT NULL,
    enterprise_project_id TEXT NOT NULL DEFAULT '0',
    registry_id           TEXT NOT NULL REFERENCES registry (id),
    namespace             TEXT NOT NULL,
    name                  TEXT NOT NULL,
    version               TEXT NOT NULL,
    digest                TEXT NOT NULL,
    config_digest         TEXT NOT NULL DEFAULT '',
    size                  BIGINT NOT NULL,
    multi_arch            BOOLEAN NOT NULL DEFAULT FALSE,
    scannable             BOOLEAN NOT NULL DEFAULT TRUE,
    latest                BOOLEAN NOT NULL DEFAULT FALSE,
    updated_ms            BIGINT NOT NULL,
    synced_ms             BIGINT NOT NULL DEFAULT 0,
    scanned_ms            BIGINT NOT NULL DEFAULT 0,
    scan_status           TEXT NOT NULL DEFAULT 'unscan',
    scan_code             TEXT NOT NULL DEFAULT '',
    scan_detail           TEXT NOT NULL DEFAULT '',
    level                 TEXT NOT NULL DEFAULT '',
    vul_num               BIGINT NOT NULL DEFAULT 0,
    unsafe_setting_num    BIGINT NOT NULL DEFAULT 0,
    malicious_file_num    BIGINT NOT NULL DEFAULT 0,
    instance_id           TEXT NOT NULL DEFAULT '',
    instance_name         TEXT NOT NULL DEFAULT '',
    instance_url          TEXT NOT NULL DEFAULT '',
    owner_domain          TEXT NOT NULL DEFAULT '',
    shared_status         TEXT NOT NULL DEFAULT '',
    seen_generation       BIGINT NOT NULL DEFAULT 0,
    rev                   BIGINT NOT NULL,
    UNIQUE (registry_id, namespace, name, version)
);
CREATE INDEX image_rev ON image (project_id, rev);
CREATE INDEX image_digest ON image (digest, project_id);
CREATE INDEX image_name ON image (project_id, name, namespace, version);
CREATE INDEX image_scanned ON image (project_id, scanned_ms, id);
CREATE INDEX image_waiting ON image (scan_status) WHERE scan_status IN ('waiting_for_scan', 'scanning');
CREATE INDEX image_seen ON image (registry_id, seen_generation);
CREATE TABLE image_gone (
    project_id TEXT NOT NULL,
    rev        BIGINT NOT NULL,
    image_id   BIGINT NOT NULL,
    PRIMARY KEY (project_id, rev, image_id)
);

-- Facts
CREATE TABLE layer_index (
    cache_key  TEXT PRIMARY KEY,
    body       %BLOB% NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE TABLE package (
    id        %SERIAL%,
    ecosystem TEXT NOT NULL,
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    -- the feed that speaks of this ecosystem (Debian:12 → Debian); '' when none does
    feed      TEXT NOT NULL DEFAULT '',
    matched   BOOLEAN NOT NULL DEFAULT FALSE,
    -- what the artifacts holding the package have been told of it: findings by
    -- severity, and whether it is known (matched, by a feed that is there)
    high      BIGINT NOT NULL DEFAULT 0,
    medium    BIGINT NOT NULL DEFAULT 0,
    low       BIGINT NOT NULL DEFAULT 0,
    known     BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (ecosystem, name, version)
);
CREATE INDEX package_feed ON package (feed, name);
CREATE TABLE artifact_package (
    package_id  BIGINT NOT NULL,
    artifact_id BIGINT NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    PRIMARY KEY (artifact_id, package_id)
);
CREATE INDEX artifact_package_package ON artifact_package (package_id, artifact_id);

-- Advisory data
CREATE TABLE feed (
    name        TEXT PRIMARY KEY,
    url         TEXT NOT NULL DEFAULT '',
    etag        TEXT NOT NULL DEFAULT '',
    newest_ms   BIGINT NOT NULL DEFAULT 0,
    dated_ms    BIGINT NOT NULL DEFAULT 0,
    imported_ms BIGINT NOT NULL DEFAULT 0,
    checked_ms  BIGINT NOT NULL DEFAULT 0,
    records     BIGINT NOT NULL DEFAULT 0,
    starter     BOOLEAN NOT NULL DEFAULT FALSE,
    -- what is visible: see advisory.since and until
    generation  BIGINT NOT NULL DEFAULT 0,
    -- the generation that the import under way writes; who finds another number
    -- here than its own has been overtaken and stops
    claim       BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT ''
);
-- A row is visible when since <= its feed's generation and until is 0 or above
-- it. An import writes under the next generation, unseen, and shows itself by
-- one update of feed.
CREATE TABLE advisory (
    id           %SERIAL%,
    feed         TEXT NOT NULL,
    since        BIGINT NOT NULL,
    until        BIGINT NOT NULL DEFAULT 0,
    osv_id       TEXT NOT NULL,
    hash         TEXT NOT NULL,
    published_ms BIGINT NOT NULL DEFAULT 0,
    modified_ms  BIGINT NOT NULL DEFAULT 0,
    withdrawn_ms BIGINT NOT NULL DEFAULT 0,
    summary      TEXT NOT NULL DEFAULT '',
    url          TEXT NOT NULL DEFAULT '',
    score        DOUBLE PRECISION NOT NULL DEFAULT -1,
    severity     TEXT NOT NULL,
    -- JSON: aliases, upstream, cvss, vendor word
    body         TEXT NOT NULL DEFAULT '{}',
    UNIQUE (feed, osv_id, since)
);
CREATE INDEX advisory_since ON advisory (feed, since);
CREATE INDEX advisory_until ON advisory (until, feed) WHERE until > 0;
CREATE INDEX advisory_osv ON advisory (osv_id);
CREATE TABLE advisory_alias (
    alias       TEXT NOT NULL,
    advisory_id BIGINT NOT NULL,
    PRIMARY KEY (alias, advisory_id)
);
CREATE INDEX advisory_alias_advisory ON advisory_alias (advisory_id);
CREATE TABLE advisory_range (
    advisory_id BIGINT NOT NULL,
    ecosystem   TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- JSON: ranges, versions, severity of this package
    body        TEXT NOT NULL,
    PRIMARY KEY (advisory_id, ecosystem, name)
);
CREATE INDEX advisory_range_package ON advisory_range (ecosystem, name);
-- visible: the rows of the feed's own generation
CREATE TABLE epss (
    cve        TEXT NOT NULL,
    generation BIGINT NOT NULL,
    score      DOUBLE PRECISION NOT NULL,
    percentile DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (cve, generation)
);
CREATE INDEX epss_generation ON epss (generation);
CREATE TABLE kev (
    cve        TEXT PRIMARY KEY,
    added_ms   BIGINT NOT NULL,
    due_ms     BIGINT NOT NULL DEFAULT 0,
    ransomware BOOLEAN NOT NULL DEFAULT FALSE
);
-- Package names whose advisories changed and whose packages wait to be matched
-- again, once the feed shows that generation. Ecosystem and name '*' mean every
-- package of the feed.
CREATE TABLE rematch (
    feed       TEXT NOT NULL,
    ecosystem  TEXT NOT NULL,
    name       TEXT NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (feed, ecosystem, name, generation)
);

-- Verdicts: one row for one problem of one package version
CREATE TABLE package_advisory (
    package_id  BIGINT NOT NULL,
    advisory_id BIGINT NOT NULL,
    -- without KEV, which is joined when it is read
    severity    TEXT NOT NULL,
    score       DOUBLE PRECISION NOT NULL DEFAULT -1,
    fixed       TEXT NOT NULL DEFAULT '',
    rule        TEXT NOT NULL DEFAULT '',
    -- JSON: other records of the same problem that this row stands for
    also        TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (package_id, advisory_id)
);
CREATE INDEX package_advisory_advisory ON package_advisory (advisory_id);

-- Work
CREATE TABLE scan_task (
    id          TEXT PRIMARY KEY,
    project_id  TEXT NOT NULL,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    scope       BIGINT NOT NULL,
    rate_limit  BIGINT NOT NULL DEFAULT 0,
    is_all      BOOLEAN NOT NULL DEFAULT FALSE,
    state       TEXT NOT NULL,
    total       BIGINT NOT NULL DEFAULT 0,
    success     BIGINT NOT NULL DEFAULT 0,
    failed      BIGINT NOT NULL DEFAULT 0,
    risky       BIGINT NOT NULL DEFAULT 0,
    fail_reason TEXT NOT NULL DEFAULT '',
    begin_ms    BIGINT NOT NULL,
    end_ms      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX scan_task_project ON scan_task (project_id, begin_ms, id);
CREATE TABLE scan_task_image (
    task_id     TEXT NOT NULL REFERENCES scan_task (id) ON DELETE CASCADE,
    image_id    BIGINT NOT NULL,
    project_id  TEXT NOT NULL,
    digest      TEXT NOT NULL,
    -- queued ──► sent ──► success | failed | stopped
    state       TEXT NOT NULL,
    code        TEXT NOT NULL DEFAULT '',
    registry_id TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    PRIMARY KEY (task_id, image_id)
);
CREATE INDEX scan_task_image_open ON scan_task_image (project_id, digest, state);
CREATE INDEX scan_task_image_state ON scan_task_image (task_id, state, image_id);
CREATE TABLE sync_task (
    id          TEXT PRIMARY KEY,
    project_id  TEXT NOT NULL,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    state       TEXT NOT NULL,
    fail_reason TEXT NOT NULL DEFAULT '',
    begin_ms    BIGINT NOT NULL,
    end_ms      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sync_task_project ON sync_task (project_id, begin_ms, id);
CREATE TABLE sync_task_registry (
    task_id       TEXT NOT NULL REFERENCES sync_task (id) ON DELETE CASCADE,
    registry_id   TEXT NOT NULL,
    registry_name TEXT NOT NULL,
    registry_type TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    status        TEXT NOT NULL,
    failed_reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (task_id, registry_id)
);
CREATE INDEX sync_task_registry_open ON sync_task_registry (registry_id, status);

-- The embedded registry
CREATE TABLE namespace (
    id           %SERIAL%,
    project_id   TEXT NOT NULL REFERENCES project (id),
    name         TEXT NOT NULL %COLLATE% UNIQUE,
    creator_id   TEXT NOT NULL DEFAULT '',
    creator_name TEXT NOT NULL DEFAULT '',
    created_ms   BIGINT NOT NULL
);
CREATE INDEX namespace_project ON namespace (project_id, name);
CREATE TABLE repo (
    id           %SERIAL%,
    project_id   TEXT NOT NULL,
    namespace_id BIGINT NOT NULL REFERENCES namespace (id),
    name         TEXT NOT NULL %COLLATE%,
    category     TEXT NOT NULL DEFAULT 'other',
    description  TEXT NOT NULL DEFAULT '',
    is_public    BOOLEAN NOT NULL DEFAULT FALSE,
    creator_id   TEXT NOT NULL DEFAULT '',
    creator_name TEXT NOT NULL DEFAULT '',
    num_download BIGINT NOT NULL DEFAULT 0,
    created_ms   BIGINT NOT NULL,
    updated_ms   BIGINT NOT NULL,
    UNIQUE (namespace_id, name)
);
CREATE INDEX repo_project ON repo (project_id, updated_ms);
CREATE TABLE manifest (
    repo_id       BIGINT NOT NULL REFERENCES repo (id) ON DELETE CASCADE,
    digest        TEXT NOT NULL,
    media_type    TEXT NOT NULL,
    artifact_type TEXT NOT NULL DEFAULT '',
    is_index      BOOLEAN NOT NULL DEFAULT FALSE,
    config_digest TEXT NOT NULL DEFAULT '',
    -- compressed bytes of what it names: config and layers; of an index its children's
    size          BIGINT NOT NULL DEFAULT 0,
    subject       TEXT NOT NULL DEFAULT '',
    annotations   TEXT NOT NULL DEFAULT '{}',
    body          %BLOB% NOT NULL,
    created_ms    BIGINT NOT NULL,
    PRIMARY KEY (repo_id, digest)
);
CREATE INDEX manifest_subject ON manifest (repo_id, subject, digest);
CREATE TABLE manifest_ref (
    repo_id BIGINT NOT NULL,
    digest  TEXT NOT NULL,
    -- what the manifest names: a blob or a child manifest
    target  TEXT NOT NULL,
    is_blob BOOLEAN NOT NULL,
    PRIMARY KEY (repo_id, digest, target),
    FOREIGN KEY (repo_id, digest) REFERENCES manifest (repo_id, digest) ON DELETE CASCADE
);
CREATE INDEX manifest_ref_target ON manifest_ref (repo_id, target);
CREATE TABLE tag (
    id         %SERIAL%,
    repo_id    BIGINT NOT NULL REFERENCES repo (id) ON DELETE CASCADE,
    name       TEXT NOT NULL %COLLATE%,
    digest     TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    UNIQUE (repo_id, name)
);
CREATE INDEX tag_digest ON tag (repo_id, digest);
CREATE TABLE blob (
    digest     TEXT PRIMARY KEY,
    size       BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE TABLE repo_blob (
    repo_id    BIGINT NOT NULL REFERENCES repo (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL REFERENCES blob (digest),
    linked_ms  BIGINT NOT NULL,
    PRIMARY KEY (repo_id, digest)
);
CREATE INDEX repo_blob_digest ON repo_blob (digest);
