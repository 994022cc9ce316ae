package script

import (
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
			source: []string{"ask/account"}, call: calls("ask_accounts passwd"), width: 1, read: readUsers,
		},
		{
			name: "groups", kind: recipe.KindGroup, absent: recipe.Group{}, asks: ofKind(recipe.KindGroup),
			source: []string{"ask/account"}, call: calls("ask_accounts group"), width: 1, read: readGroups,
		},
	}
}

func readUsers(a *answer, record []string, _ []recipe.Probe) error {
	for _, line := range lines(record) {
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
