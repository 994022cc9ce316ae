package lab

import "testing"

func TestDebianArchives(t *testing.T) {
	const signed = " [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
	tests := map[string]struct {
		oneLine, deb822 string
		want            archives
	}{
		"nothing": {},
		"installer's sources.list": {
			oneLine: "# deb cdrom:[Debian 12]/ bookworm main\n" +
				"deb http://mirror.example/debian/ bookworm main non-free-firmware\n" +
				"deb-src http://source.example/debian/ bookworm main\n" +
				"deb http://security.example/debian-security bookworm-security main\n" +
				"deb http://mirror.example/debian/ bookworm-updates main\n",
			want: archives{"http://mirror.example/debian", "http://security.example/debian-security"},
		},
		"deb822 with a comment, several URIs and suites": {
			deb822: "Types: deb deb-src\n# snapshot\nURIs: cdrom:/x http://mirror.example/debian\nSuites: bookworm bookworm-updates\n" +
				"Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n" +
				"types: deb\nuris: https://mirror.example/debian-security\nsuites: bookworm-security\ncomponents: main\n",
			want: archives{"http://mirror.example/debian", "https://mirror.example/debian-security"},
		},
		"deb822 that is switched off": {
			deb822: "Enabled: no\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n",
		},
		"fields that go on": {
			deb822: "Types: deb\nURIs:\n http://mirror.example/debian\nSuites:\n bookworm\n bookworm-updates\nComponents: main\n" +
				"Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
			want: archives{}, // an inline key may be anybody's
		},
		"vendors that look like Debian": {
			oneLine: "deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://apt.vendor.example bookworm main\n" +
				"deb [arch=amd64] https://dl.vendor.example/linux/deb/ stable main\n" +
				"deb https://download.vendor.example/linux/debian bookworm stable\n",
		},
		"signed by Debian goes before unsigned": {
			oneLine: "deb https://apt.vendor.example bookworm main\n" +
				"deb" + signed + "http://mirror.example/debian bookworm main\n",
			want: archives{main: "http://mirror.example/debian"},
		},
		"moving names": {
			oneLine: "deb http://mirror.example/debian stable main\ndeb http://mirror.example/debian-security stable-security main\n",
			want:    archives{"http://mirror.example/debian", "http://mirror.example/debian-security"},
		},
		"another release": {oneLine: "deb http://mirror.example/debian bookworm-backports main\ndeb http://mirror.example/debian trixie main\n"},
		"tabs and a comment behind": {
			oneLine: "deb\thttp://mirror.example/debian\tbookworm\tmain # the nearest\n",
			want:    archives{main: "http://mirror.example/debian"},
		},
		"broken lines": {oneLine: "deb\ndeb [a=b\ndeb http://x bookworm\n", deb822: "nonsense\n\n continued\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := debianArchives(append(parseOneLine(test.oneLine), parseDeb822(test.deb822)...), "bookworm")
			if got != test.want {
				t.Errorf("debianArchives = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAptSettings(t *testing.T) {
	dump := "APT \"\";\nAcquire::http::Proxy \"http://proxy.example:3142\";\nAcquire::https::Proxy \"DIRECT\";\n" +
		"Acquire::http::Proxy-Auto-Detect \"/usr/bin/x\";\nAcquire::Check-Date \"false\";\nAcquire::Languages:: \"none\";\n"
	want := "Acquire::http::Proxy \"http://proxy.example:3142\";\nAcquire::https::Proxy \"DIRECT\";\nAcquire::Check-Date \"false\";\n"
	if got := aptSettings(dump); got != want {
		t.Errorf("aptSettings = %q, want %q", got, want)
	}
}
