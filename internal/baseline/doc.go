// Package baseline says what the configuration files of an image say, and what
// is wrong with it.
//
// # How data flows
//
//	path ─► Wants (kind.go): one of the kinds of file that rules speak of
//	content ─► Read: the kind's parser ─► directives and accounts, passwords left out
//	           hashes and passwords in the open ─► password.Judge, at once
//	        ─► breakwater.ConfigFile, a fact that is kept
//
//	Inventory ─► Evaluate: files of one program joined along their include
//	             directives (tree.go), accounts of passwd and shadow joined
//	             (view.go), each rule held against them ─► BaselineResult
//	          ─► Policy: what a new password must be like; Weak: what was guessed
//
// Facts and rules are apart: a changed rule is held against the kept facts
// without a byte of the image. That is why Read keeps every directive of a file
// and not only those that a rule asks about today.
//
// # Rules
//
// Rules are data (rules/*.yaml, and an operator's file of the same form; see
// rules/README.md for the language). A rule that speaks of a file is not
// applicable to an image without it: no sshd_config, no verdict on sshd.
//
// # Limits
//
// A file is read to its first MiB, 20,000 entries, 32 blocks deep, and 1 KiB a
// value; ConfigFile.Cut says that there was more. Parsers take what they
// understand and pass over the rest: a broken file is never an error. The value
// of a password, a key or a token is never in a fact.
package baseline
