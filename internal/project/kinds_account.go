package project

import (
	"provision/internal/recipe"
	"provision/internal/resource"
)

// accountKinds are the kinds of accounts.
func accountKinds() []*Word {
	return []*Word{
		kind(Word{
			Name: "user", Manual: "useradd(8)",
			About:   "An account. Without login it is a service's: a system account with a group of its own name, whose home is not made. With login it is a person's: its home is made, with what is in /etc/skel, and it has a shell.",
			Leaves:  "It stays, which is said; remove --purge takes one that came for a task, but not its home. It leaves the groups that it came into.",
			Example: "user(\"shop\", home = \"/var/lib/shop\")",
			Parameters: []Parameter{
				required(text("name", "Its name.")),
				byName(truth("login", "It is a person's.")),
				byName(positive("uid", "Its number; else the next that is free.")),
				byName(text("group", "Its primary group, which has to exist; else one of its own name, which is made.")),
				byName(texts("groups", "Groups that it is in besides; in others it stays.")),
				byName(hostPath("home", "Its home; else /home/NAME with login, and /nonexistent without. An old one is not moved.")),
				byName(hostPath("shell", "What runs when it logs in; else /bin/bash with login, and /usr/sbin/nologin without.")),
				byName(text("comment", "Its full name, or what it is for.")),
				byName(contentOf("password", "Its hash, as openssl passwd -6 prints it, or \"*\" for none that fits; it may be a secret. Else it stays as it is.")),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.User{
				Name: given[string](c, "name"), Login: given[bool](c, "login"), UID: given[int](c, "uid"), Group: given[string](c, "group"), Groups: given[[]string](c, "groups"),
				Home: given[string](c, "home"), Shell: given[string](c, "shell"), Comment: given[string](c, "comment"),
				Password: recipe.NewSecret(given[content](c, "password").text), Absent: given[bool](c, "absent"),
			}, nil
		}),
		kind(Word{
			Name: "authorized_key", Manual: "sshd(8)",
			About:   "A key by which an account can be logged in to; its other keys stay.",
			Leaves:  "It goes; where the account had the same key before, that comes back with its options.",
			Example: "authorized_key(\"deploy\", \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPh2cXb4JhXHYyF7GB2fzXk7qdLHAcRcjGOqIPuTKiLw anna@laptop\")",
			Parameters: []Parameter{
				required(text("user", "The account, which has to exist.")),
				required(text("key", "As in ~/.ssh/authorized_keys: options or none, the type, the key, a comment.")),
				byName(hostPath("home", "The account's home; else /home/USER, and /root of root.")),
				absent(),
			},
		}, func(c *call) (recipe.Resource, error) {
			return resource.AuthorizedKey{User: given[string](c, "user"), Key: given[string](c, "key"), Home: given[string](c, "home"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "group", Manual: "groupadd(8)",
			About:      "A system group.",
			Leaves:     "It stays, which is said; remove --purge takes one that came for a task.",
			Example:    "group(\"deploy\")",
			Parameters: []Parameter{required(text("name", "Its name.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Group{Name: given[string](c, "name"), Absent: given[bool](c, "absent")}, nil
		}),
		kind(Word{
			Name: "membership", Manual: "gpasswd(1)",
			About:      "A user's place in a group beside its own.",
			Leaves:     "The user leaves the group, unless it was in it before.",
			Example:    "membership(\"shop\", \"redis\")",
			Parameters: []Parameter{required(text("user", "The user.")), required(text("group", "The group, which has to exist.")), absent()},
		}, func(c *call) (recipe.Resource, error) {
			return resource.Membership{User: given[string](c, "user"), Group: given[string](c, "group"), Absent: given[bool](c, "absent")}, nil
		}),
	}
}
