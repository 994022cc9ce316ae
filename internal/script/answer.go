package script

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
)

// ErrTruncated says that an answer broke off before its end: the connection was lost, or
// the script died.
var ErrTruncated = errors.New("the host's answer broke off")

// answer collects what a host said, section by section.
type answer struct{ recipe.Answer }

// ParseAnswer reads what a probe script printed. Every probe gets a fact; what the host
// did not mention does not exist there.
func ParseAnswer(probes []recipe.Probe, output []byte) (recipe.Answer, error) {
	said := answer{recipe.Answer{Facts: recipe.Facts{}}}
	asked := sortProbes(probes)
	for _, probe := range probes {
		said.Facts[probe.Key] = recipe.Fact{Value: absent(probe.Key.Kind)}
	}
	records := bytes.Split(output, []byte{0})
	fields := make([]string, len(records))
	for i, record := range records {
		fields[i] = string(record)
	}
	// A section ends where the next one's name stands in a record's first field. In another
	// field it is no name: there a link's target or a command's output may say anything.
	for len(fields) > 0 && fields[0] != sectionEnd {
		name := fields[0]
		body := fields[1:]
		end := 0
		for end < len(body) && width[body[end]] == 0 {
			end += max(width[name], 1)
		}
		if end >= len(body) {
			return recipe.Answer{}, ErrTruncated
		}
		if err := said.section(name, body[:end], asked); err != nil {
			return recipe.Answer{}, fmt.Errorf("the host's answer: %w", err)
		}
		fields = body[end:]
	}
	if len(fields) == 0 {
		return recipe.Answer{}, ErrTruncated
	}
	return said.Answer, nil
}

// width is how many fields a record of each section has.
var width = map[string]int{
	sectionHost: 5, sectionPaths: 6, sectionDigests: 1, sectionPackages: 1, sectionCandidates: 1, sectionLists: 2, sectionUnits: 1,
	sectionUsers: 1, sectionGroups: 1, sectionCommands: 3, sectionContents: 2, sectionPending: 2, sectionEnd: 1,
}

func absent(kind recipe.Kind) any {
	switch kind {
	case recipe.KindPath:
		return recipe.Path{}
	case recipe.KindContent:
		return recipe.Content{}
	case recipe.KindPackage:
		return recipe.Package{}
	case recipe.KindCandidate:
		return recipe.Candidate{}
	case recipe.KindLists:
		return recipe.Lists{}
	case recipe.KindUnit:
		return recipe.Unit{}
	case recipe.KindUser:
		return recipe.User{}
	case recipe.KindGroup:
		return recipe.Group{}
	case recipe.KindCommand:
		return recipe.Command{Exit: -1}
	case recipe.KindPending:
		return recipe.Pending{}
	}
	return nil
}

func (a *answer) section(name string, body []string, asked questions) error {
	switch name {
	case sectionHost:
		return a.host(body)
	case sectionPaths:
		return a.paths(body)
	case sectionDigests:
		return a.digests(body)
	case sectionPackages:
		return a.packages(body)
	case sectionCandidates:
		return a.candidates(body)
	case sectionLists:
		return a.lists(body)
	case sectionUnits:
		return a.units(body, asked.units)
	case sectionUsers:
		return a.users(body)
	case sectionGroups:
		return a.groups(body)
	case sectionCommands:
		return a.commands(body)
	case sectionContents:
		return a.contents(body)
	case sectionPending:
		return a.pending(body)
	}
	return fmt.Errorf("unknown section %q", name)
}

func (a *answer) set(key recipe.Key, value any) { a.Facts[key] = recipe.Fact{Value: value} }

func (a *answer) host(body []string) error {
	if len(body) != 5 {
		return fmt.Errorf("host: %d fields, want 5", len(body))
	}
	release, _ := strconv.Atoi(body[1])
	a.Distro = body[0]
	a.Platform = recipe.Platform{Release: release, Codename: body[2], Arch: body[3], Hostname: body[4]}
	return nil
}

func (a *answer) paths(body []string) error {
	for ; len(body) >= 6; body = body[6:] {
		mode, err := strconv.ParseUint(body[2], 8, 32)
		if err != nil {
			return fmt.Errorf("path %s: mode %q", body[0], body[2])
		}
		found := recipe.Path{Mode: uint32(mode), Owner: body[3], Group: body[4], Target: body[5]}
		switch body[1] {
		case "f":
			found.Type = recipe.PathFile
		case "d":
			found.Type = recipe.PathDirectory
		case "l":
			found.Type = recipe.PathLink
		default:
			found.Type = recipe.PathOther
		}
		a.set(recipe.PathKey(body[0]), found)
	}
	if len(body) != 0 {
		return fmt.Errorf("paths: %d fields left over", len(body))
	}
	return nil
}

func (a *answer) digests(body []string) error {
	for _, record := range body {
		digest, path, ok := strings.Cut(record, "  ")
		if !ok {
			return fmt.Errorf("digest %q", record)
		}
		found := a.Facts.Path(path)
		found.SHA256 = digest
		a.set(recipe.PathKey(path), found)
	}
	return nil
}

func (a *answer) packages(body []string) error {
	for _, line := range lines(body) {
		fields := strings.Split(line, "\t")
		if len(fields) != 3 {
			return fmt.Errorf("package %q", line)
		}
		a.set(recipe.PackageKey(fields[0]), recipe.Package{Status: strings.TrimSpace(fields[1]), Version: fields[2]})
	}
	return nil
}

func (a *answer) candidates(body []string) error {
	for _, line := range lines(body) {
		name, version, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("candidate %q", line)
		}
		a.set(recipe.CandidateKey(name), recipe.Candidate{Version: version})
	}
	return nil
}

func (a *answer) lists(body []string) error {
	if len(body) == 0 {
		return nil
	}
	if len(body) != 2 {
		return fmt.Errorf("lists: %d fields", len(body))
	}
	fetched, err := strconv.ParseInt(body[0], 10, 64)
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	now, err := strconv.ParseInt(body[1], 10, 64)
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	a.set(recipe.ListsKey(), recipe.Lists{Known: true, Age: time.Duration(now-fetched) * time.Second})
	return nil
}

// units reads the blocks that systemctl show prints, one a unit in the order asked.
func (a *answer) units(body []string, names []string) error {
	text := strings.TrimSpace(strings.Join(body, ""))
	blocks := strings.Split(text, "\n\n")
	if len(blocks) != len(names) {
		return fmt.Errorf("systemctl: %s", strings.TrimSpace(text))
	}
	for i, block := range blocks {
		var unit recipe.Unit
		for _, line := range strings.Split(block, "\n") {
			name, value, _ := strings.Cut(line, "=")
			switch name {
			case "LoadState":
				unit.Load = value
			case "ActiveState":
				unit.Active = value
			case "UnitFileState":
				unit.State = value
			case "NeedDaemonReload":
				unit.NeedReload = value == "yes"
			}
		}
		if unit.Load == "" {
			return fmt.Errorf("systemctl: %s", block)
		}
		a.set(recipe.UnitKey(names[i]), unit)
	}
	return nil
}

func (a *answer) users(body []string) error {
	for _, line := range lines(body) {
		fields := strings.Split(line, ":") // passwd(5)
		if len(fields) != 7 {
			return fmt.Errorf("user %q", line)
		}
		uid, err := strconv.Atoi(fields[2])
		if err != nil {
			return fmt.Errorf("user %s: %w", fields[0], err)
		}
		a.set(recipe.UserKey(fields[0]), recipe.User{Exists: true, UID: uid, Group: fields[3], Home: fields[5], Shell: fields[6]})
	}
	return nil
}

func (a *answer) groups(body []string) error {
	for _, line := range lines(body) {
		fields := strings.Split(line, ":") // group(5)
		if len(fields) != 4 {
			return fmt.Errorf("group %q", line)
		}
		gid, err := strconv.Atoi(fields[2])
		if err != nil {
			return fmt.Errorf("group %s: %w", fields[0], err)
		}
		group := recipe.Group{Exists: true, GID: gid}
		if fields[3] != "" {
			group.Members = strings.Split(fields[3], ",")
		}
		a.set(recipe.GroupKey(fields[0]), group)
	}
	return nil
}

func (a *answer) commands(body []string) error {
	for ; len(body) >= 3; body = body[3:] {
		exit, err := strconv.Atoi(body[1])
		if err != nil {
			return fmt.Errorf("command %s: %w", body[0], err)
		}
		a.set(recipe.CommandKey(body[0]), recipe.Command{Exit: exit, Output: body[2]})
	}
	if len(body) != 0 {
		return fmt.Errorf("commands: %d fields left over", len(body))
	}
	return nil
}

func (a *answer) contents(body []string) error {
	for ; len(body) >= 2; body = body[2:] {
		content, err := base64.StdEncoding.DecodeString(body[1])
		if err != nil {
			return fmt.Errorf("content of %s: %w", body[0], err)
		}
		a.set(recipe.ContentKey(body[0]), recipe.Content{Bytes: content})
	}
	if len(body) != 0 {
		return fmt.Errorf("contents: %d fields left over", len(body))
	}
	return nil
}

func (a *answer) pending(body []string) error {
	for ; len(body) >= 2; body = body[2:] {
		a.set(recipe.PendingKey(body[0]), recipe.Pending{Action: recipe.Action(body[1])})
	}
	if len(body) != 0 {
		return fmt.Errorf("pending: %d fields left over", len(body))
	}
	return nil
}

func lines(body []string) []string {
	text := strings.TrimSuffix(strings.Join(body, ""), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
