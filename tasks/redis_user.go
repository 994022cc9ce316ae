package tasks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// redisUsersAlone are a file's that Redis reads and nobody besides root: also the group redis has
// others in it, who reach the socket.
var redisUsersAlone = recipe.Attributes{Mode: 0o400, Owner: redisUser, Group: redisUser}

func redisUsersDirectory() resource.Directory {
	return resource.Directory{Path: redisUsers, Attributes: recipe.Attributes{Mode: 0o750, Group: redisUser}}
}

// redisUserPart is a user of Redis: a file of its own, so that the task redis, installed alone, leaves
// it there.
func redisUserPart() recipe.Part {
	return recipe.Part{
		Name: "user", Manual: "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/",
		About: "A user of Redis with the keys, channels and commands that it may use, and no others. Its password is made on the host, or given. " +
			"The running Redis reads its users anew, after a trial start has; nobody else is disconnected. The account of the application reaches the socket when it is in the group redis: membership(\"shop\", \"redis\").",
		Leaves:  "The user is Redis's no more, and its connections end. Its keys stay, and so does a password that was made on the host, which is said; remove --purge takes that too.",
		Example: `redis.user("shop", keys = ["shop:*"])`,
		Variables: []recipe.Variable{
			{Name: "name", Type: recipe.TypeString, Needed: true, Check: text(redisUserName), Help: "Of the user; default, admin and gimel are the task's own."},
			{Name: "keys", Type: recipe.TypeList, Check: eachOf(redisPattern), Help: "Patterns of the keys that it may read and write: \"shop:*\"."},
			{Name: "channels", Type: recipe.TypeList, Check: eachOf(redisPattern), Help: "Patterns of channels that it may publish and subscribe to."},
			{Name: "commands", Type: recipe.TypeList, Default: []string{"+@all", "-@admin", "-@dangerous"}, Check: eachOf(redisCommand), Help: "What it may do, the last that fits counts: \"+@read\", \"-keys\", \"+config|get\"."},
			{Name: "password", Type: recipe.TypeSecret, Check: redisPassword, Help: "A variable that is secret; without it one is made on the host."},
		},
		Gives: []recipe.Given{
			{Name: "socket", Help: "The path of Redis's socket."},
			{Name: "password", Help: "The path of the password that is made on the host, which root alone may read: a file's fill = {\"@PASSWORD@\": user.password}."},
		},
		Build: func(in recipe.Input) (recipe.Recipe, map[string]string, error) {
			var r recipe.Recipe
			u := redisUserLine{Name: in.Vars.String("name"), Keys: in.Vars.List("keys"), Channels: in.Vars.List("channels"), Commands: in.Vars.List("commands")}
			file := resource.File{Path: redisUsers + "/" + u.Name + ".acl", Attributes: redisUsersAlone}
			secret := secretsDirectory + "/redis-" + u.Name
			if given := in.Vars.Secret("password"); !given.Empty() {
				u.Password, file.Secret = given.Reveal(), true
			} else {
				const made = "@PASSWORD@"
				u.Password, file.Fill = made, map[string]string{made: secret}
				addSecretsDirectory(&r)
				r.Add(resource.Secret{Path: secret}, reload(redisUnit)...)
			}
			file.Content = u.String()
			r.Add(redisUsersDirectory())
			r.Add(file, reload(redisUnit)...)
			return r, map[string]string{"socket": redisSocket, "password": secret}, addRedisService(&r, in.Of("redis"))
		},
	}
}

// redisUserLine is a user as a line of the file of users (redis.io, "ACL").
type redisUserLine struct {
	Name, Password           string
	Keys, Channels, Commands []string
}

// String begins with what takes away all that a user of that name had.
func (u redisUserLine) String() string {
	words := []string{"user", u.Name, "reset", "on", ">" + u.Password}
	for _, key := range u.Keys {
		words = append(words, "~"+key)
	}
	for _, channel := range u.Channels {
		words = append(words, "&"+channel)
	}
	return strings.Join(append(words, u.Commands...), " ") + "\n"
}

func redisUserName(name string) error {
	if slices.Contains([]string{"default", "admin", "gimel"}, name) {
		return fmt.Errorf("%q: is a user of the task redis itself", name)
	}
	return namesPart(name)
}

// In a file of users a word ends at a space, and has no quotes.
var (
	redisPatterns = regexp.MustCompile(`^[!-~]{1,512}$`)
	redisCommands = regexp.MustCompile(`^[+-]@?[a-z0-9_.-]+(\|[a-z0-9_-]+)?$`)
)

func redisPattern(pattern string) error {
	if !redisPatterns.MatchString(pattern) {
		return fmt.Errorf("%q: must be a pattern such as shop:*, without a space", pattern)
	}
	return nil
}

func redisCommand(rule string) error {
	if !redisCommands.MatchString(rule) {
		return fmt.Errorf("%q: must be as +@read, -flushall or +config|get", rule)
	}
	return nil
}

func redisPassword(value any) error {
	text := value.(recipe.Secret).Reveal()
	if len(text) < 8 || !redisPatterns.MatchString(text) {
		return errors.New("must be 8 to 512 printable characters of ASCII, without a space")
	}
	return nil
}
