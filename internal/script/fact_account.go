package script

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// accountRows ask for users and groups.
func accountRows() []row {
	return []row{
		{
			name: "users", kind: recipe.KindUser, absent: recipe.User{}, asks: ofKind(recipe.KindUser),
			source: []string{"ask/user"}, call: calls("ask_users"), width: 2, read: readUsers,
		},
		{
			name:   "passwords",
			asks:   func(p recipe.Probe) bool { return p.Key.Kind == recipe.KindUser && p.Digest },
			source: []string{"ask/password"}, call: calls("ask_passwords"), width: 2, read: readPassword,
		},
		{
			name: "groups", kind: recipe.KindGroup, absent: recipe.Group{}, asks: ofKind(recipe.KindGroup),
			source: []string{"ask/group"}, call: calls("ask_groups"), width: 1, read: readGroups,
		},
	}
}

// readUsers reads accounts, and then their groups.
func readUsers(a *answer, record []string, _ []recipe.Probe) error {
	names := map[string]string{} // of groups, by number
	for _, line := range lines(record[1:]) {
		if fields := strings.Split(line, ":"); len(fields) == 4 { // group(5)
			names[fields[2]] = fields[0]
		}
	}
	for _, line := range lines(record) {
		fields := strings.Split(line, ":") // passwd(5)
		if len(fields) != 7 {
			return fmt.Errorf("user %q", line)
		}
		uid, err := strconv.Atoi(fields[2])
		if err != nil {
			return fmt.Errorf("user %s: %w", fields[0], err)
		}
		a.set(recipe.UserKey(fields[0]), recipe.User{
			Exists: true, UID: uid, Group: cmp.Or(names[fields[3]], fields[3]), Comment: fields[4], Home: fields[5], Shell: fields[6],
		})
	}
	return nil
}

func readPassword(a *answer, record []string, _ []recipe.Probe) error {
	account := a.Facts.User(record[0])
	account.Password, _, _ = strings.Cut(record[1], " ")
	a.set(recipe.UserKey(record[0]), account)
	return nil
}

func readGroups(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
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
