// Package registry is Breakwater's own container registry: the /v2/ protocol of
// the OCI distribution spec with Docker's token sign-in, over blobs on disk and
// names in SQL.
//
// # How data flows
//
//	request ─► parse (path → route) ─► identify (Basic | Bearer | nobody) ─► allow (role, token scope) ─► handler
//	blob up    POST/PATCH/PUT ─► blob.Upload, hashed while written ─► Finish ─► one tx: LinkBlob
//	manifest   PUT ─► oci.Parse ─► one tx: blobs and children present, manifest, tag, catalog.Record ─► first scan
//	blob down  link checked ─► *os.File ─► http.ServeContent: ranges and sendfile
//	scanner    Source: the same bytes, of one repository of one project
//
// A name is namespace/repository; the namespace belongs to one project. A
// project sees its own repositories and the public ones of others, and of the
// rest not even that they exist: NAME_UNKNOWN. A push makes the repository, and
// for operators and admins the namespace when nobody holds its name.
//
// # Sign-in
//
// A client without credentials is answered 401 and told of /v2/token, which
// turns Basic credentials into a token of a few minutes for the scopes that the
// role allows. Basic is taken on every path too. Nobody may pull what is
// public. Failed sign-ins are counted by address and user; beyond a burst the
// answer is 429.
//
// # What may be removed, and when
//
// A blob's bytes are in place before its row, its row before the repository's
// link, the link before a manifest that names it; removal goes the other way.
// GC removes, each after a grace period and each in a transaction of its own:
// links that no manifest needs, then rows that no link needs, and the bytes
// while the row is held. Against pushes running beside it:
//
//   - PUT of a manifest renews the links of its blobs in its transaction, so GC
//     either took a link before (the push is refused with MANIFEST_BLOB_UNKNOWN
//     and nothing was written) or finds it renewed.
//   - Linking a blob writes the blob's row. If GC holds that row, the link waits,
//     then looks whether the bytes are still there, and if not the upload is
//     answered 503 and the client sends them again.
//   - HEAD of a blob by somebody who may push renews a link that has grown old:
//     a client that skips an upload because of it has the whole grace period.
//   - Bytes without a row, left by a crash, get a row dated now and go the
//     ordinary way.
package registry
