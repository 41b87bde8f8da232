package upstream

import (
	"errors"
	"fmt"

	"breakwater"
)

// fault says what was being done when err came, in a message for people. What
// the registry did wrong is KindUnavailable whatever it was; a page that was
// cancelled stays recognisable as such by its cause.
func fault(err error, format string, args ...any) error {
	var e *breakwater.Error
	if !errors.As(err, &e) {
		return breakwater.Wrap(breakwater.KindUnavailable, err, format, args...)
	}
	return &breakwater.Error{
		Kind: breakwater.KindUnavailable, Code: e.Code, Err: e.Err,
		Message: fmt.Sprintf(format, args...) + ": " + e.Message,
	}
}

// lie is a registry that answers well-formed nonsense.
func lie(format string, args ...any) error {
	return &breakwater.Error{
		Kind: breakwater.KindUnavailable, Code: string(breakwater.CodeDownloadFailed),
		Message: fmt.Sprintf(format, args...),
	}
}

// refused reports whether the registry said no to us.
func refused(err error) bool {
	var e *breakwater.Error
	return errors.As(err, &e) && e.Code == string(breakwater.CodeAuthentication)
}

// short makes a name of the registry's choosing fit for a message.
func short(name string) string {
	if len(name) > 80 {
		name = name[:77] + "..."
	}
	return fmt.Sprintf("%q", name)
}

// note adds what was left out, as long as there is room.
func (p *Page) note(format string, args ...any) {
	if len(p.Notes) < maxNotes {
		p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
	}
}
