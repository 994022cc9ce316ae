package proof

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// told is what every account of a host may ask: the arguments of all processes (proc_pid_cmdline(5)),
// and what systemd knows of its units (systemctl(1), show).
const told = `for p in /proc/[0-9]*; do tr '\0\n' '  ' <$p/cmdline && echo; done 2>/dev/null
echo
systemctl show -p Id -p ExecStartPre -p ExecStart -p ExecStartPost -p ExecReload -p ExecStop -p Environment -p SetCredential '*.service'`

// secrets looks for the task's secrets where every account of the host can read them.
func (p *prover) secrets(ctx context.Context) error {
	secrets, err := p.valuesOfSecrets()
	if err != nil || len(secrets) == 0 {
		if err == nil {
			err = skipped("it has no secret")
		}
		return err
	}
	said, err := p.Host.Run(ctx, told+" || :", "")
	if err != nil {
		return err
	}
	for number, block := range strings.Split(said, "\n\n") {
		if number == 0 {
			p.inArguments(block, secrets)
		} else if _, rest, _ := strings.Cut("\n"+block, "\nId="); holds([]byte(block), secrets) {
			unit, _, _ := strings.Cut(rest, "\n")
			p.fault(p.maker("/etc/systemd/system/"+unit), "let it read a file that is only for it: EnvironmentFile=, or LoadCredential= (systemd.exec(5))", "a secret is in the unit %s, which systemctl show tells every account", unit)
		}
	}
	return p.readable(secrets)
}

// inArguments tells of the processes, one a line, that have a secret in their arguments.
func (p *prover) inArguments(processes string, secrets [][]byte) {
	for line := range strings.Lines(processes) {
		if holds([]byte(line), secrets) {
			p.fault(p.startedBy(line), "let it read a file that is only for it, as EnvironmentFile= of a unit", "a secret is in the arguments of a process, which every account can read: %s", masked(line, secrets))
		}
	}
}

// startedBy is where the task says what runs as a process.
func (p *prover) startedBy(line string) recipe.Position {
	for _, word := range strings.Fields(line) {
		if at := p.maker(word); strings.HasPrefix(word, "/") && at.File != "" {
			return at
		}
	}
	return recipe.Position{}
}

// readable tells of the files, among those that came, that every account can read and that hold a secret.
func (p *prover) readable(secrets [][]byte) error {
	for _, d := range p.bare.Only("file").Differences(p.installed.Only("file"), Except("debian")) {
		if !strings.HasPrefix(d.After, "-") || !p.everybody(d.Name) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(p.Host.Root(), d.Name))
		if err != nil {
			return err
		}
		if holds(content, secrets) {
			p.fault(p.maker(d.Name), `mode = "0640", and group = that of who reads it`, "every account can read %s, and a secret is in it", d.Name)
		}
	}
	return nil
}

// everybody reports whether the modes of a file and of all directories above it let every account in.
func (p *prover) everybody(path string) bool {
	const read, enter = 7, 9 // in -rwxrwxrwx
	if mode := p.installed.Of("file", path); len(mode) < 10 || mode[read] != 'r' {
		return false
	}
	for above := filepath.Dir(path); above != "/"; above = filepath.Dir(above) {
		mode, _, _ := strings.Cut(p.installed.Of("file", above), " ")
		if len(mode) < 10 || mode[len(mode)-10+enter] == '-' { // a sticky bit is a letter more
			return false
		}
	}
	return true
}

// valuesOfSecrets are those that the task was given, and those that were made on the host.
func (p *prover) valuesOfSecrets() ([][]byte, error) {
	var values [][]byte
	for _, value := range p.Task.Secrets {
		values = append(values, []byte(value))
	}
	for _, item := range p.items() {
		secret, ok := item.Resource.(resource.Secret)
		if !ok || secret.Absent {
			continue
		}
		value, err := os.ReadFile(filepath.Join(p.Host.Root(), secret.Path))
		if err != nil {
			return nil, err
		}
		values = append(values, bytes.TrimSpace(value))
	}
	return slices.DeleteFunc(values, func(value []byte) bool { return len(value) < 6 }), nil
}

func holds(text []byte, secrets [][]byte) bool {
	return slices.ContainsFunc(secrets, func(secret []byte) bool { return bytes.Contains(text, secret) })
}

func masked(line string, secrets [][]byte) string {
	for _, secret := range secrets {
		line = strings.ReplaceAll(line, string(secret), "[secret]")
	}
	return strings.TrimSpace(line)
}
