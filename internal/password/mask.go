package password

import "unicode/utf8"

// Mask is a password as it may be shown: of one of six characters and more the
// first and the last with three stars between, whatever its length; of a
// shorter one stars only. The empty password stays empty.
func Mask(password string) string {
	if password == "" {
		return ""
	}
	if utf8.RuneCountInString(password) < 6 {
		return "***"
	}
	first, _ := utf8.DecodeRuneInString(password)
	last, _ := utf8.DecodeLastRuneInString(password)
	if first == utf8.RuneError || last == utf8.RuneError {
		return "***"
	}
	return string(first) + "***" + string(last)
}
