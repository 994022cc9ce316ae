package report

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	key := "-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAA\n-----END KEY-----\n"
	tests := []struct {
		name    string
		secrets []string
		text    string
		want    string
	}{
		{"none", nil, "all is shown", "all is shown"},
		{"value", []string{"hunter2"}, "password=hunter2;", "password=[secret];"},
		{"twice", []string{"hunter2"}, "hunter2 hunter2", "[secret] [secret]"},
		{"side by side", []string{"hunter2"}, "hunter2hunter2", "[secret][secret]"},
		{"overlapping", []string{"abcd", "bcdefgh"}, "xabcdefghx", "x[secret]x"},
		{"the longer one first", []string{"hunter", "hunter2"}, "hunter2", "[secret]"},
		{"repeats itself", []string{"aaaa"}, "aaaaaa", "[secret]"},
		{"too short", []string{"abc", ""}, "abc", "abc"},
		{"space around", []string{" hunter2\n"}, "hunter2", "[secret]"},
		{"several lines, whole", []string{key}, "key: " + key, "key: [secret]\n"},
		{"several lines, in a diff", []string{key}, "+b3BlbnNzaC1rZXktdjE\n+AAAA\n", "+[secret]\n+[secret]\n"},
		{"several lines, in quotes", []string{"first line\nsecond line"}, fmt.Sprintf("%q", "first line\nsecond line"), `"[secret]"`},
		{"url", []string{"p&ss w=rd"}, "http://u:" + url.QueryEscape("p&ss w=rd") + "@h/", "http://u:[secret]@h/"},
		{"url path", []string{"p&ss w/rd"}, "/x/" + url.PathEscape("p&ss w/rd"), "/x/[secret]"},
		{"base64", []string{"hunter"}, base64.StdEncoding.EncodeToString([]byte("hunter")), "[secret]"},
		{"hex", []string{"hunter2"}, "68756e74657232", "[secret]"},
		{"sh", []string{"it's mine"}, `echo 'it'\''s mine'`, `echo '[secret]'`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := NewMasker(test.secrets).Mask(test.text)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A basic authentication header carries user:password; where the password begins in it
// depends on the length of the user's name.
func TestMaskBasicAuthentication(t *testing.T) {
	const password = "correct horse battery"
	masker := NewMasker([]string{password})
	for _, user := range []string{"a", "ab", "abc", "abcd"} {
		header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		masked := masker.Mask(header)
		if !strings.Contains(masked, Mark) || len(masked) > len(header)-len(password)+len(Mark)+4 {
			t.Errorf("user %q: %q", user, masked)
		}
	}
}

// FuzzMask checks that no form of a secret stays in what is shown, and that nothing else
// is changed.
func FuzzMask(f *testing.F) {
	f.Add("hunter2", "ünï cödé", "password=hunter2 hunter2")
	f.Add("aaaa", "aaaaa", "aaaaaaaaaaaa")
	f.Add("a b&c\nd'e\"f", "\x00\xff\x1b[", "x")
	f.Add("[secret]", "secr", "[secret]")
	f.Fuzz(func(t *testing.T, one, two, text string) {
		masker := NewMasker([]string{one, two})
		encoded, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join([]string{text, one, url.QueryEscape(two), two + one, string(encoded),
			base64.StdEncoding.EncodeToString([]byte(two))}, "\x01")
		masked := masker.Mask(all)
		rest := all
		for _, shown := range strings.Split(masked, Mark) {
			for _, form := range masker.forms {
				if strings.Contains(shown, form) {
					t.Fatalf("%q shows %q", masked, form)
				}
			}
			at := strings.Index(rest, shown)
			if at < 0 {
				t.Fatalf("%q was not in the text", shown)
			}
			rest = rest[at+len(shown):]
		}
	})
}
