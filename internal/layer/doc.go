// Package layer makes the hostile bytes of an image layer safe to look at.
//
// Data flows one way, and each byte is seen once:
//
//	compressed reader ─► sniff ─► inflate ─► blocks ─┬─► sha256 (the diff_id)
//	 (the caller's, which        (own goroutine)     └─► tar walk ─► Entry, Read
//	  checks the digest)                                          └► Peek, Lend
//
// Content need not be copied: Peek shows the beginning of a file where it lies in
// the stream, Lend gives the blocks themselves until they are released, and what
// nobody asks for is passed over.
//
// The compression is decided by the first bytes, never by the media type. Names
// are cleaned: a leading slash or dot is dropped, and a name that leaves the
// root ends the walk, as it would end an unpacking. Links are reported, never
// followed. Whiteouts become entries of their own kind. After the last entry
// the rest of the stream is drained, so that the diff_id covers every byte and
// the caller's digest check sees the end of its reader.
//
// Nothing here trusts a size, a count or a name: see Limits. The package knows
// nothing of images; it imports the standard library and the decompressors.
package layer
