// Package hss is the door of the host security API, version 5, as far as it
// speaks of container images: registries, synchronisation, scans, the image list
// and what was found in one image.
//
// # The way of the data
//
//	AddRegistry … ─► keyring (the password), catalog (row + probe job in one transaction)
//	sync, scan    ─► selection: what the request names, as rows of this project
//	                 ─► catalog.StartSync, catalog.StartScan (task + jobs in one transaction)
//	lists         ◄─ store: one query a page ◄─ shaped into the wire's fields
//	one image     ◄─ store: findings and inventory of the row's digest
//	component     ◄─ this process's own binary, wrapped as an image while it is sent
//
// Every handler takes the project from the signed-in caller and passes it to
// the store; a thing of another project is answered as one that is not there.
//
// # Passwords
//
// A registry password is put into the keyring under the registry's id before
// the row is written. A crash between the two leaves a password that no row
// names, and SweepPasswords removes those at the next start. No answer, error or
// log line of this room holds one; the only answer that repeats a password is
// the command that its sender asked for (ShowImageUploadCommand).
//
// # The component image
//
// The executable that serves is also the component that a registry's carrier
// would run. It is offered as a docker archive inside a zip, both written without
// compression, so every byte of them is a byte of the executable or of a short
// header: nothing is stored, and any range can be served (component.go). The
// download link carries a signature with an expiry and no secret.
//
//	executable ─► program (what it needs) ─► layer ─► archive ─► zip ─► ranges of segments
package hss
