package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/malware"
	"breakwater/internal/secret"
)

// looker holds one file against every check. It keeps nothing but the memory of
// identical content, and is used by many goroutines.
type looker struct {
	detect  *detect.Detector
	secrets *secret.Finder    // nil: the check was not asked for
	malware *malware.Detector // nil: the check was not asked for
	clamd   bool              // the daemon is there
	silent  *atomic.Int32     // how often it then did not answer, over all layers
	memo    *memo
	texts   *sync.Pool // of *[]byte: texts put together
}

// file is a regular file of a layer.
type file struct {
	detect.File
	uid, gid int
	mode     uint32
}

// seen is what one look at a file gave.
type seen struct {
	kind breakwater.FileKind
	sum  [sha256.Size]byte // zero when malicious files are not looked for
	// content is the same, and there when secrets are looked for
	content [sha256.Size]byte
	fact    FileFact
}

// maxSecretText is the largest text that is searched for secrets; what is larger
// is a log or a dump, and is said not to have been looked at.
const maxSecretText = 256 << 20

// maxOnDisk is the largest archive, or file for clamd, that is copied to disk to
// be looked into.
const maxOnDisk = 4 << 30

// needs reports whether more than the first bytes of a file is looked at.
func (l *looker) needs(i item) bool {
	return i.wanted || l.secrets != nil || l.malware != nil
}

// inMemory looks at a file whose content is here, in one piece or several, of
// which the first has the first detect.KindBytes.
func (l *looker) inMemory(ctx context.Context, i item, content [][]byte) seen {
	f := i.file
	s := seen{kind: i.kind, fact: FileFact{Path: f.Path}}
	if i.wanted {
		s.fact.Facts = l.detect.Read(ctx, i.want, f.File, detect.InMemory(content...))
	}
	if l.secrets == nil && l.malware == nil {
		return s
	}
	key := memoKey{sum: sumOf(content), path: f.Path}
	s.content = key.sum
	if l.malware != nil {
		s.sum = key.sum
	}
	if known, ok := l.memo.get(key); ok {
		known.into(&s.fact)
		return s
	}
	if l.secrets != nil && l.secrets.Wants(f.Path) {
		l.search(f, content, &s)
	}
	if l.malware != nil {
		s.hits(f, l.match(f, s.kind, content))
		whole := detect.InMemory(content...)
		if len(content) > 0 && l.malware.IsArchive(content[0]) {
			hits, skipped := l.malware.Archive(ctx, f.Path, whole, f.Size)
			s.hits(f, hits)
			s.miss(breakwater.CheckFile, skipped)
		}
		l.known(f, &s)
		l.ask(ctx, f, whole, &s)
	}
	if ctx.Err() == nil && !s.fact.failed() {
		l.memo.put(key, s.fact)
	}
	return s
}

// sumOf is the sha256 of a file.
func sumOf(content [][]byte) (sum [sha256.Size]byte) {
	if len(content) == 1 {
		return sha256.Sum256(content[0])
	}
	h := sha256.New()
	for _, b := range content {
		h.Write(b)
	}
	h.Sum(sum[:0])
	return sum
}

// search looks for secrets; rules need a text in one piece, and some the name
// alone.
func (l *looker) search(f file, content [][]byte, s *seen) {
	var text []byte
	if searchable(s.kind) && len(content) > 0 {
		text = content[0]
		if len(content) > 1 {
			joined := l.texts.Get().(*[]byte)
			defer l.texts.Put(joined)
			*joined = (*joined)[:0]
			for _, b := range content {
				*joined = append(*joined, b...)
			}
			text = *joined
		}
	}
	s.fact.Secrets = l.secrets.Find(f.Path, text)
	if secret.Full(s.fact.Secrets) {
		s.miss(breakwater.CheckSecret, "more secrets than are listed of one file")
	}
}

// match holds the signatures against a file.
func (l *looker) match(f file, kind breakwater.FileKind, content [][]byte) []breakwater.Malware {
	if len(content) == 1 {
		return l.malware.Match(f.Path, kind, content[0])
	}
	stream := l.malware.Stream(f.Path, kind, f.Size)
	for _, b := range content {
		_, _ = stream.Write(b)
	}
	return stream.Close()
}

// searchable: secrets are looked for in text.
func searchable(k breakwater.FileKind) bool {
	return k == breakwater.FileText || k == breakwater.FileScript
}

func (l *looker) known(f file, s *seen) {
	if hit, ok := l.malware.Known(s.sum); ok {
		s.hits(f, []breakwater.Malware{hit})
	}
}

// maxSilent is how many files of one scan clamd may leave unanswered before it is
// asked no more: each may take the whole time limit of a question.
const maxSilent = 4

// ask shows the file to clamd, when one is configured. That it cannot answer
// fails the check, not the scan.
func (l *looker) ask(ctx context.Context, f file, r io.Reader, s *seen) {
	if !l.clamd || f.Size == 0 {
		return
	}
	if l.silent.Load() >= maxSilent {
		s.fact.Missed = append(s.fact.Missed, Miss{Check: breakwater.CheckFile, Reason: "clamd did not look at it: it had stopped answering", Failed: true})
		return
	}
	hits, skipped, err := l.malware.Ask(ctx, f.Path, r, f.Size)
	s.hits(f, hits)
	s.miss(breakwater.CheckFile, skipped)
	if err != nil && ctx.Err() == nil {
		l.silent.Add(1)
		s.fact.Missed = append(s.fact.Missed, Miss{Check: breakwater.CheckFile, Reason: "clamd did not look at it: " + message(err), Failed: true})
	}
}

// hits keeps what was found, with what only the caller knows.
func (s *seen) hits(f file, found []breakwater.Malware) {
	for _, m := range found {
		m.Path, m.Size, m.SHA256 = f.Path, f.Size, fmt.Sprintf("%x", s.sum)
		s.fact.Malware = append(s.fact.Malware, m)
	}
}

func (s *seen) miss(c breakwater.Check, reason string) {
	if reason != "" {
		s.fact.Missed = append(s.fact.Missed, Miss{Check: c, Reason: reason})
	}
}

// large looks at a file that is not held in memory while it streams by. What
// needs to jump about in it gets a private file on disk.
func (l *looker) large(ctx context.Context, f file, r io.Reader) (seen, error) {
	s := seen{fact: FileFact{Path: f.Path}}
	head := make([]byte, min(f.Size, detect.KindBytes))
	if _, err := io.ReadFull(r, head); err != nil {
		return s, err
	}
	s.kind = detect.Kind(head, f.Size)
	want, wanted := l.detect.Want(f.File, head[:detect.HeadBytes])
	if wanted && want.Skip != "" {
		s.fact.Facts = l.detect.Read(ctx, want, f.File, nil)
		wanted = false
	}
	sum := sha256.New()
	var sinks []io.Writer
	var stream *malware.Stream
	if l.malware != nil {
		stream = l.malware.Stream(f.Path, s.kind, f.Size)
		sinks = append(sinks, sum, stream)
	} else if l.secrets != nil && searchable(s.kind) {
		sinks = append(sinks, sum)
	}
	archive := l.malware != nil && l.malware.IsArchive(head)
	clamd := l.clamd
	if f.Size > maxOnDisk && (archive || clamd) {
		archive, clamd = false, false
		s.miss(breakwater.CheckFile, fmt.Sprintf("more than %d bytes: only known sums and signatures were looked for", int64(maxOnDisk)))
	}
	var disk detect.Temp
	if wanted || archive || clamd {
		var err error
		if disk, err = l.detect.Temp(); err != nil {
			return s, err
		}
		defer disk.Close()
		sinks = append(sinks, disk)
	}
	if len(sinks) > 0 || l.secrets != nil { // else nobody wants the rest
		if err := l.pass(f, io.MultiReader(bytes.NewReader(head), r), io.MultiWriter(sinks...), &s); err != nil {
			return s, err
		}
	}
	if wanted {
		if _, err := disk.Seek(0, io.SeekStart); err != nil {
			return s, err
		}
		s.fact.Facts = l.detect.Read(ctx, want, f.File, disk.File)
	}
	sum.Sum(s.content[:0])
	if l.malware == nil {
		return s, ctx.Err()
	}
	s.sum = s.content
	s.hits(f, stream.Close())
	if archive {
		hits, skipped := l.malware.Archive(ctx, f.Path, disk, f.Size)
		s.hits(f, hits)
		s.miss(breakwater.CheckFile, skipped)
	}
	l.known(f, &s)
	if clamd {
		l.ask(ctx, f, io.NewSectionReader(disk, 0, f.Size), &s)
	}
	return s, ctx.Err()
}

// pass moves the bytes of a file from r to w once, looking for secrets on the way
// when it is text.
func (l *looker) pass(f file, r io.Reader, w io.Writer, s *seen) error {
	if l.secrets != nil && searchable(s.kind) && l.secrets.Wants(f.Path) {
		if f.Size > maxSecretText {
			s.miss(breakwater.CheckSecret, fmt.Sprintf("text of more than %d bytes", int64(maxSecretText)))
		} else {
			tee := &teed{r: r, w: w}
			found, err := l.secrets.Reader(f.Path, tee)
			s.fact.Secrets = found
			if tee.err != nil {
				return tee.err
			}
			if err != nil {
				s.miss(breakwater.CheckSecret, message(err))
			}
			r = tee // whatever it left unread
		}
	}
	n, err := io.CopyBuffer(w, onlyReader{untee(r)}, make([]byte, 256<<10))
	_ = n
	return err
}

// teed copies what is read, and remembers the source's error: another's may be
// the reader's own opinion of the content.
type teed struct {
	r   io.Reader
	w   io.Writer
	err error
}

func (t *teed) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		if _, werr := t.w.Write(p[:n]); werr != nil {
			t.err = werr
			return n, werr
		}
	}
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

// untee is the reader below a tee, whose rest is copied by its new owner.
func untee(r io.Reader) io.Reader {
	if t, ok := r.(*teed); ok {
		return t.r
	}
	return r
}

// onlyReader hides every method but Read, so that a copy uses its own buffer.
type onlyReader struct{ io.Reader }

// message is what an error says to people.
func message(err error) string {
	if e, ok := err.(*breakwater.Error); ok {
		return e.Message
	}
	return err.Error()
}
