// Package keyring keeps what must never reach the database: the passwords of
// foreign registries, sealed in files of their own, and the one master key
// that everything secret hangs from.
//
//	master key (environment, or the file master.key made at first start, 0600)
//	   ├─ HKDF "seal" ──► AES-256-GCM ──► Seal / Unseal   (secret keys of access keys, in the database)
//	   │                              └─► registry/<id>   (registry passwords, in files)
//	   └─ HKDF "key:<purpose>" ─────────► Key             (token signing)
//
// Every sealed message is bound to a context string, so that a password sealed
// for one registry cannot be put in the place of another's. Files are written
// beside their name, synced, renamed and the directory synced: after a crash a
// password is the old one or the new one, whole.
//
// Nothing here prints a secret: errors name ids and files only, and a Keyring
// formats as its name under every verb.
package keyring
