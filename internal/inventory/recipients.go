package inventory

import (
	"slices"
	"strings"
)

// AddRecipients sets for whom the document's secrets are encrypted, in a document that does
// not say it yet: a list at its end. What it says already stays, since somebody who is added
// has to get every secret anew: RotateAll.
func (doc *Document) AddRecipients(keys []string) error {
	if n := doc.root.get("recipients"); n != nil {
		return &Error{Position: n.at, What: "recipients", Problem: "are there already",
			Advice: "write the key into the list, then: provision secret rotate"}
	}
	if _, err := ParseRecipients(keys); err != nil {
		return err
	}
	lines := append(slices.Clone(doc.lines), "", "recipients:")
	for _, key := range keys {
		lines = append(lines, "  - "+key)
	}
	after, err := OpenDocument(doc.name, []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		return err
	}
	after.end = doc.end
	*doc = *after
	return nil
}
