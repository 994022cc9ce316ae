package inventory

import (
	"strings"
	"testing"
)

func TestAddRecipients(t *testing.T) {
	const key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	for _, c := range []struct{ name, text, want, problem string }{
		{"at the end", "# ours\nhosts:\n  web1:\n", "# ours\nhosts:\n  web1:\n\nrecipients:\n  - " + key + "\n", ""},
		{"line ends", "hosts:\r\n  web1:\r\n", "hosts:\r\n  web1:\r\n\r\nrecipients:\r\n  - " + key + "\r\n", ""},
		{"no line end", "hosts:\n  web1:", "hosts:\n  web1:\n\nrecipients:\n  - " + key + "\n", ""},
		{"there are some", "recipients:\n  - " + key + "\nhosts:\n  web1:\n", "", "are there already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := OpenDocument("hosts.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			err = doc.AddRecipients([]string{key})
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) || string(doc.Bytes()) != c.text {
					t.Errorf("got %v and %q", err, doc.Bytes())
				}
				return
			}
			if err != nil || string(doc.Bytes()) != c.want {
				t.Errorf("%v: got %q, want %q", err, doc.Bytes(), c.want)
			}
		})
	}
	doc, err := OpenDocument("hosts.yaml", []byte("hosts:\n  web1:\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.AddRecipients([]string{"AGE-SECRET-KEY-1"}); err == nil {
		t.Error("a private key is taken for a recipient")
	}
}
